//! The end of a solve: ways out of points that are stationary but no minima, the best multipliers, the status, and the
//! outcome in the units of the program.

use super::convexify::Convex;
use super::model::Model;
use super::working::{self, Working};
use super::{ESCAPES, Sqp};
use crate::nlp::residual::{Residual, violation};
use crate::nlp::{Nlp, Outcome, Status};

/// A point within this many times the tolerance is acceptable.
const ACCEPTABLE: f64 = 1e3;

/// Violation from which a program counts as infeasible.
const VIOLATED: f64 = 1e-7;

/// Lengths of steps along a direction of negative curvature, as shares of an entry or of 1.
const LENGTHS: [f64; 3] = [1e-1, 1e-2, 1e-3];

/// Length of a step away from a point where no row has a slope that helps.
const SHAKE: f64 = 1e-2;

/// The outcome where bounds contradict each other.
pub(super) fn contradictory(problem: &mut dyn Nlp, start: &[f64]) -> Outcome {
    let mut rows = vec![0.0; problem.row_bounds().len()];
    let value = problem.values(start, &mut rows);
    Outcome {
        z: start.to_vec(),
        value,
        multipliers: vec![0.0; rows.len()],
        bound_multipliers: vec![0.0; start.len()],
        violation: violation(start, problem.bounds()).1.max(violation(&rows, problem.row_bounds()).1),
        rows,
        stationarity: f64::NAN,
        complementarity: f64::NAN,
        status: Status::Infeasible,
        iterations: 0,
        evaluations: 1,
    }
}

impl Sqp<'_> {
    /// Steps off a saddle or a maximum along its negative curvature; false where there is none.
    pub(super) fn escape(&mut self, convex: &Convex) -> bool {
        let Some(direction) = convex.concave.as_ref().filter(|_| self.escapes < ESCAPES) else { return false };
        self.escapes += 1;
        let now = self.here.f + self.price * self.violation_sum();
        for length in LENGTHS {
            for sign in [1.0, -1.0] {
                let step: Vec<f64> =
                    direction.iter().zip(&self.here.z).map(|(u, z)| sign * length * u * z.abs().max(1.0)).collect();
                let there = self.moved(&step);
                let phi = there.f + self.price * violation(&there.c, &self.problem.row_bounds).0;
                if phi < now - 1e-10 * now.abs().max(1.0) {
                    let slopes = self.problem.slopes(&there.z);
                    if super::is_finite(&slopes) {
                        (self.here, self.slopes) = (there, slopes);
                        self.radius = self.radius.max(length);
                        self.past.clear();
                        return true;
                    }
                }
            }
        }
        false
    }

    /// Steps off a point where no slope lessens the violation, in a direction that no symmetry of a program has.
    pub(super) fn shake(&mut self) -> bool {
        if self.escapes >= ESCAPES {
            return false;
        }
        self.escapes += 1;
        let before = self.violation_sum();
        for sign in [1.0, -1.0] {
            let wave = |i: usize| sign * SHAKE * (1.0 + 0.5 * f64::cos(i as f64 + 1.0));
            let step: Vec<f64> = self.here.z.iter().enumerate().map(|(i, z)| wave(i) * z.abs().max(1.0)).collect();
            let there = self.moved(&step);
            if violation(&there.c, &self.problem.row_bounds).0 < (1.0 - 1e-9) * before {
                let slopes = self.problem.slopes(&there.z);
                if super::is_finite(&slopes) {
                    (self.here, self.slopes) = (there, slopes);
                    self.radius = self.radius.max(SHAKE);
                    self.past.clear();
                    return true;
                }
            }
        }
        false
    }

    /// What the last point is, with the better of two choices of multipliers.
    pub(super) fn judged(&mut self, otherwise: Status) -> Status {
        if self.limits.stop.is_set() {
            return Status::Stopped;
        }
        let now = self.residual(&self.y);
        if let Some(y) = self.nearest_multipliers()
            && self.residual(&y).error() < now.error()
        {
            self.y = y;
        }
        let residual = self.residual(&self.y);
        let tolerance = self.limits.tolerance;
        if residual.is_within(tolerance) {
            Status::Solved
        } else if residual.is_within(ACCEPTABLE * tolerance) {
            Status::Acceptable
        } else if otherwise == Status::Infeasible && residual.violation <= VIOLATED {
            Status::Stalled
        } else {
            otherwise
        }
    }

    /// The multipliers of active rows whose combination is nearest to the gradient: those of a steepest descent step.
    fn nearest_multipliers(&mut self) -> Option<Vec<f64>> {
        let n = self.here.z.len();
        let hessian = (0..n * n).map(|e| f64::from(e / n == e % n)).collect();
        let plain = Convex { hessian, concave: None };
        let bounds = (&*self.problem.bounds, &*self.problem.row_bounds);
        let model = Model::new(&self.here, &self.slopes, &plain, bounds, 1.0);
        let guess = Working::of_equalities(&self.problem.row_bounds, n);
        Some(working::solve(&model.program(self.price), &guess, &mut self.conic)?.y)
    }

    /// In the units of the program.
    pub(super) fn outcome(mut self, status: Status) -> Outcome {
        let z = self.problem.whole(&self.here.z);
        let multipliers = self.problem.given_multipliers(&self.y);
        let (iterations, evaluations) = (self.iterations, self.problem.evaluations);
        let problem = self.problem.inner();
        let (bounds, row_bounds) = (problem.bounds().to_vec(), problem.row_bounds().to_vec());
        let mut rows = vec![0.0; row_bounds.len()];
        let (mut gradient, mut jacobian) = (vec![0.0; z.len()], vec![0.0; z.len() * rows.len()]);
        let value = problem.values(&z, &mut rows);
        problem.slopes(&z, &mut gradient, &mut jacobian);
        let slopes = (&*gradient, &*jacobian);
        let (residual, bound_multipliers) = Residual::of((&z, &bounds), (&rows, &row_bounds), slopes, &multipliers);
        Outcome {
            value,
            z,
            rows,
            multipliers,
            bound_multipliers,
            violation: residual.violation,
            stationarity: residual.stationarity,
            complementarity: residual.complementarity,
            status,
            iterations,
            evaluations,
        }
    }
}
