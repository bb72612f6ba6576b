//! Sequential quadratic programming in a trust region with an exact penalty (Fletcher's Sl1QP; Nocedal, Wright, Numerical
//! Optimization, 2006, section 18.5): each step minimizes a convex quadratic model of the Lagrangian under linearized rows
//! that may be violated at a price, and is judged by `phi = f + nu |violation|_1`. The model has the exact Hessian where
//! it matters ([`convexify`]), so that convergence is quadratic. A step that phi refuses because rows are curved is
//! corrected to second order (Maratos effect). The price grows where a model could violate rows less (Byrd, Nocedal,
//! Waltz, steering, 2008).
//!
//! Rows need not have an interior nor independent gradients, since the price bounds multipliers. Everything is counted,
//! nothing timed.

mod convexify;
mod descent;
mod end;
mod model;
mod working;

use super::problem::Nlp;
use super::residual::{Residual, violation};
use super::scaled::{Point, Scaled, Slopes};
use super::{Limits, Outcome, Status};
use crate::conic::ElasticSolver;
use crate::vectors::largest;
use convexify::{Convex, convexify};
use model::Model;
use working::{Held, Step, Working};

/// Share of the predicted decrease that an accepted step has, below which the region shrinks, and above which it grows.
const ACCEPTED: f64 = 1e-4;
const POOR: f64 = 0.25;
const GOOD: f64 = 0.75;

/// The region relative to a step that is refused, that is poor, and that is good and ended at the region's boundary.
const REFUSED: f64 = 0.3;
const SHRINK: f64 = 0.5;
const GROW: f64 = 4.0;

/// Curvature that a flat model gets, as a share of the slope over the region's size.
const SLIGHT: f64 = 1e-8;

/// The largest and the least region.
const WIDEST: f64 = 1e10;
const NARROWEST: f64 = 1e-13;

/// The price at first, and its least multiple of the multipliers.
const PRICE: f64 = 10.0;
const PRICE_FACTOR: f64 = 1.5;

/// Beyond this price rounding decides.
const HIGHEST_PRICE: f64 = 1e10;

/// The price falls to what multipliers ask for when it is so many times as high, but seldom.
const OVERPRICED: f64 = 20.0;
const FALLS: usize = 10;

/// Points whose worst phi a step is compared with.
const MEMORY: usize = 3;

/// Evaluations of phi have this relative error.
const NOISE: f64 = 10.0 * f64::EPSILON;

/// f below this, scaled, with rows that are met, has no end.
const BOTTOMLESS: f64 = -1e14;

/// Steps away from points that are stationary but no minima.
const ESCAPES: usize = 4;

/// Violation that a solution may have, as a share of the tolerance.
const VIOLATION: f64 = 0.1;

/// See [`crate::nlp::solve`].
pub(super) fn solve(problem: &mut dyn Nlp, start: &[f64], multipliers: Option<&[f64]>, limits: &Limits) -> Outcome {
    let Some(scaled) = Scaled::new(problem, start) else { return end::contradictory(problem, start) };
    let mut sqp = Sqp::new(scaled, multipliers, limits);
    let status = sqp.run();
    sqp.outcome(status)
}

/// The iteration.
struct Sqp<'a> {
    problem: Scaled<'a>,
    limits: &'a Limits,
    conic: ElasticSolver,
    here: Point,
    slopes: Slopes,
    /// Multipliers of rows.
    y: Vec<f64>,
    working: Working,
    price: f64,
    falls: usize,
    radius: f64,
    /// f and violation of the last points.
    past: Vec<(f64, f64)>,
    iterations: usize,
    escapes: usize,
}

/// What an iteration came to.
enum Next {
    Moved,
    /// No step is better.
    Stuck,
    /// No step lessens the violation.
    Infeasible,
}

impl<'a> Sqp<'a> {
    fn new(mut problem: Scaled<'a>, multipliers: Option<&[f64]>, limits: &'a Limits) -> Sqp<'a> {
        let start = problem.start();
        let mut here = problem.values(&start);
        let mut slopes = problem.slopes(&start);
        if here.f.is_finite() && is_finite(&slopes) {
            problem.scale_by(&slopes);
            let factors = &problem.row_factors;
            here.f *= problem.factor;
            here.c.iter_mut().zip(factors).for_each(|(c, s)| *c *= s);
            slopes.gradient.iter_mut().for_each(|g| *g *= problem.factor);
            let rows = slopes.jacobian.chunks_exact_mut(start.len().max(1));
            rows.zip(factors).for_each(|(row, s)| row.iter_mut().for_each(|a| *a *= s));
        }
        let working = Working::of_equalities(&problem.row_bounds, start.len());
        let y = multipliers.map_or(vec![0.0; here.c.len()], |y| problem.taken_multipliers(y));
        let mut sqp = Sqp {
            problem,
            limits,
            conic: ElasticSolver::default(),
            price: PRICE.max(PRICE_FACTOR * largest(&y)),
            here,
            slopes,
            y,
            working,
            falls: 0,
            radius: limits.radius,
            past: Vec::new(),
            iterations: 0,
            escapes: 0,
        };
        sqp.hold_by_multipliers(multipliers.is_some());
        sqp
    }

    /// The first guess of what is active.
    fn hold_by_multipliers(&mut self, known: bool) {
        for ((held, y), [low, high]) in self.working.rows.iter_mut().zip(&self.y).zip(&self.problem.row_bounds) {
            if known && low < high && *y != 0.0 {
                *held = if *y > 0.0 { Held::High } else { Held::Low };
            }
        }
    }

    fn run(&mut self) -> Status {
        if !self.here.f.is_finite() || self.here.c.iter().any(|c| !c.is_finite()) || !is_finite(&self.slopes) {
            return Status::NotFinite;
        }
        if self.here.z.is_empty() {
            let met = violation(&self.here.c, &self.problem.row_bounds).1 <= self.limits.tolerance;
            return if met { Status::Solved } else { Status::Infeasible };
        }
        loop {
            if self.limits.stop.is_set() {
                return Status::Stopped;
            }
            let solved = self.is_solved();
            if !solved && self.iterations >= self.limits.iterations {
                return self.judged(Status::IterationLimit);
            }
            let convex = self.convex();
            if solved {
                match self.escape(&convex) {
                    true => continue,
                    false => return Status::Solved,
                }
            }
            if self.here.f <= BOTTOMLESS && self.violation() <= self.limits.tolerance {
                return Status::Unbounded;
            }
            self.iterations += 1;
            match self.advance(&convex) {
                Next::Moved => {}
                Next::Stuck => return self.judged(Status::Stalled),
                Next::Infeasible if self.shake() => {}
                Next::Infeasible => return self.judged(Status::Infeasible),
            }
        }
    }

    /// Tries steps in smaller and smaller regions until one is accepted.
    fn advance(&mut self, convex: &Convex) -> Next {
        loop {
            if self.radius < NARROWEST || self.limits.stop.is_set() {
                return Next::Stuck;
            }
            let Some((model, step, infeasible)) = self.step(convex) else {
                self.radius *= SHRINK * SHRINK;
                continue;
            };
            if infeasible {
                self.y = step.y;
                return Next::Infeasible;
            }
            let length = model.length(&step.d, &self.here.z);
            let predicted = model.predicted(&step.d, self.price);
            let noise = NOISE * (self.here.f.abs() + self.price * (1.0 + self.violation_sum()));
            if length <= f64::EPSILON || predicted <= 0.0 {
                // the point is the model's solution: only multipliers are left to learn
                self.y = step.y;
                self.working = step.working;
                return if self.is_solved() { Next::Moved } else { Next::Stuck };
            }
            let mut there = self.moved(&step.d);
            let mut ratio = self.ratio(&there, predicted, noise);
            let mut taken = step;
            if ratio.0 < ACCEPTED
                && there.f.is_finite()
                && let Some((corrected, point)) = self.corrected(&model, &taken, &there)
            {
                let again = self.ratio(&point, predicted, noise);
                if again.0 >= ACCEPTED {
                    (there, ratio, taken) = (point, again, corrected);
                }
            }
            let slopes = (ratio.0 >= ACCEPTED).then(|| self.problem.slopes(&there.z)).filter(is_finite);
            let Some(slopes) = slopes else {
                self.radius = REFUSED * length.min(self.radius);
                continue;
            };
            if ratio.1 < POOR {
                self.radius = SHRINK * length.min(self.radius);
            } else if ratio.1 > GOOD && length >= 0.99 * self.radius {
                self.radius = (GROW * self.radius).min(WIDEST);
            }
            self.take(there, slopes, taken);
            return Next::Moved;
        }
    }

    /// The step of the model, at a price that is high enough: above the multipliers of all rows that the step meets. True
    /// where none lessens the violation.
    fn step(&mut self, convex: &Convex) -> Option<(Model, Step, bool)> {
        let found = self.steered(convex)?;
        let rows = found.1.working.rows.iter().zip(&found.1.y);
        let met = rows.filter(|(held, _)| !matches!(held, Held::Under | Held::Over)).map(|(_, y)| y);
        self.price = self.price.max(PRICE_FACTOR * largest(met)).min(HIGHEST_PRICE);
        Some(found)
    }

    fn steered(&mut self, convex: &Convex) -> Option<(Model, Step, bool)> {
        let model =
            Model::new(&self.here, &self.slopes, convex, (&self.problem.bounds, &self.problem.row_bounds), self.radius);
        let guess = self.guess(&model);
        let mut step = working::solve(&model.program(self.price), &guess, &mut self.conic)?;
        let before = model.violation(&vec![0.0; step.d.len()]);
        let small = 1e-10 * before.clamp(1e-2, 1.0);
        let mut after = model.violation(&step.d);
        if after <= small {
            return Some((model, step, false));
        }
        let best = model.least_violation(&guess, &mut self.conic)?;
        let gain = before - best;
        if before > small && gain <= 1e-8 * before.min(1.0) * self.radius.min(1.0) {
            let nowhere = before > VIOLATION * self.limits.tolerance && self.radius >= 1e-6;
            return Some((model, step, nowhere));
        }
        let wanted = if best <= small { small } else { before - 0.9 * gain };
        let mut price = self.price;
        for _ in 0..9 {
            if after <= wanted {
                break;
            }
            price *= 10.0;
            let Some(next) = working::solve(&model.program(price), &step.working, &mut self.conic) else { break };
            after = model.violation(&next.d);
            (self.price, step) = (price, next);
        }
        Some((model, step, false))
    }

    /// What was active, without bounds that are beyond the region.
    fn guess(&self, model: &Model) -> Working {
        let mut guess = self.working.clone();
        for (i, held) in guess.bounds.iter_mut().enumerate() {
            let [low, high] = model.bounds[i];
            let [true_low, true_high] = self.problem.bounds[i].map(|end| end - self.here.z[i]);
            let stays = matches!(held, Held::Low if low == true_low) || matches!(held, Held::High if high == true_high);
            if !stays {
                *held = Held::Free;
            }
        }
        for (held, [low, high]) in guess.rows.iter_mut().zip(&self.problem.row_bounds) {
            match held {
                Held::Under if low == high => *held = Held::Low,
                Held::Over if low == high => *held = Held::High,
                Held::Under | Held::Over => *held = Held::Free,
                _ => {}
            }
        }
        guess
    }

    /// The step that meets the rows where the first one has led, and its point (second-order correction).
    fn corrected(&mut self, model: &Model, step: &Step, there: &Point) -> Option<(Step, Point)> {
        if violation(&there.c, &self.problem.row_bounds).0 == 0.0 || there.c.iter().any(|c| !c.is_finite()) {
            return None;
        }
        let shifted = model.shifted(&step.d, &there.c, &self.here.c);
        let next = working::solve(&shifted.program(self.price), &step.working, &mut self.conic)?;
        let point = self.moved(&next.d);
        // multipliers belong to the rows as they are here
        Some((Step { y: step.y.clone(), w: step.w.clone(), ..next }, point))
    }

    /// The point at a step, within the bounds to the bit.
    fn moved(&mut self, d: &[f64]) -> Point {
        let ends = self.here.z.iter().zip(d).zip(&self.problem.bounds);
        let z: Vec<f64> = ends.map(|((z, d), [low, high])| (z + d).clamp(*low, *high)).collect();
        self.problem.values(&z)
    }

    /// The decrease over the predicted one: against the worst of the last points, and against this one.
    fn ratio(&self, there: &Point, predicted: f64, noise: f64) -> (f64, f64) {
        let phi = |f: f64, v: f64| f + self.price * v;
        let new = phi(there.f, violation(&there.c, &self.problem.row_bounds).0);
        let now = phi(self.here.f, self.violation_sum());
        let worst = self.past.iter().map(|(f, v)| phi(*f, *v)).fold(now, f64::max);
        let ratio = |from: f64| (from - new + noise) / (predicted + noise);
        if new.is_finite() { (ratio(worst), ratio(now)) } else { (f64::NEG_INFINITY, f64::NEG_INFINITY) }
    }

    fn take(&mut self, there: Point, slopes: Slopes, step: Step) {
        self.past.push((self.here.f, self.violation_sum()));
        if self.past.len() > MEMORY {
            self.past.remove(0);
        }
        (self.here, self.slopes, self.y, self.working) = (there, slopes, step.y, step.working);
        let asked = PRICE.max(PRICE_FACTOR * largest(&self.y));
        if self.price > OVERPRICED * asked && self.falls < FALLS && self.violation() <= 1e-4 {
            self.price = asked;
            self.falls += 1;
            self.past.clear();
        }
    }

    fn convex(&mut self) -> Convex {
        let n = self.here.z.len();
        let hessian = self.problem.hessian(&self.here.z, &self.y);
        let rows = self.working.rows.iter().enumerate();
        let rows = rows.filter(|(_, h)| matches!(h, Held::Low | Held::High)).map(|(i, _)| i);
        let normals = rows.map(|i| self.slopes.jacobian[i * n..(i + 1) * n].to_vec());
        let at_bound = |i: &usize| {
            let [low, high] = self.problem.bounds[*i];
            match self.working.bounds[*i] {
                Held::Low => self.here.z[*i] <= low,
                Held::High => self.here.z[*i] >= high,
                _ => false,
            }
        };
        let units = (0..n).filter(at_bound).map(|i| (0..n).map(|j| f64::from(i == j)).collect());
        let reach = self.radius * largest(&self.here.z).max(1.0);
        let slight = SLIGHT * largest(&self.slopes.gradient).clamp(1e-8, 1.0) / reach;
        convexify(hessian, n, slight, normals.chain(units))
    }

    fn violation_sum(&self) -> f64 {
        violation(&self.here.c, &self.problem.row_bounds).0
    }

    fn violation(&self) -> f64 {
        violation(&self.here.c, &self.problem.row_bounds).1
    }

    fn residual(&self, y: &[f64]) -> Residual {
        let (problem, slopes) = (&self.problem, &self.slopes);
        let (z, c) = ((&*self.here.z, &*problem.bounds), (&*self.here.c, &*problem.row_bounds));
        Residual::of(z, c, (&slopes.gradient, &slopes.jacobian), y).0
    }

    fn is_solved(&self) -> bool {
        let residual = self.residual(&self.y);
        residual.is_within(self.limits.tolerance) && residual.violation <= VIOLATION * self.limits.tolerance
    }
}

fn is_finite(slopes: &Slopes) -> bool {
    slopes.gradient.iter().chain(&slopes.jacobian).all(|v| v.is_finite())
}
