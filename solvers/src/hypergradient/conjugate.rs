//! Implicit hypergradient by conjugate gradients (Pedregosa, ICML 2016): `(I - T_y') w = F_y` of `fixed_point`, times P,
//! is the symmetric system `M w = P F_y` with `M = P (I - T_y') = P - P^2 + s P f_yy P`. It is positive definite on the
//! range of P exactly when the lower level is strongly convex along its free variables and its support, and there
//! `T_x' w` does not depend on the part of w outside of that range.
//!
//! A direction p with `p' M p <= 0` is a witness that it is not: it is reported, and the iterate before it is used.

use blo_engine::program::Scalar;
use blo_grammar::diagnostic::Diagnostic;

use super::active_rows::{ActiveRows, Solver};
use super::fixed_point::{FixedPoint, outline, programs};
use super::outline::SystemSolver;
use super::{Derivatives, Ends, Estimator, Hypergradient, Setup};
use crate::iteration::Rows;
use crate::iteration::counts::Counts;
use crate::lower::trajectory::Trajectory;
use crate::lower::vectors::dot;
use crate::message;

/// Curvatures this small against the largest one met are zero up to rounding.
const NO_CURVATURE: f64 = 1e-12;

/// Roundings of a product with M: a residual this many times smaller than the first one is their noise. The noise lies
/// outside of the range of P, too, where M vanishes, so that further iterations would make w as large as they like there:
/// in f32 that was one percent of the hypergradient of a problem with a nuclear norm.
const ROUNDINGS: f64 = 4.0;

pub(super) fn entry<T: Scalar>() -> Estimator<T> {
    Estimator {
        name: "cg",
        explicit: false,
        of_start: false,
        nonsmooth: true,
        only_steps: None,
        exact: false,
        second_derivatives: Derivatives::System,
        read: |settings| {
            let stop = Stop {
                rtol: settings.number("rtol"),
                atol: settings.number("atol"),
                most: settings.integer("cg_iter"),
            };
            Box::new(move |setup| {
                if setup.problem.lower().constraints.is_empty() {
                    return Ok(Box::new(Conjugate::new(setup, stop)?));
                }
                Ok(Box::new(ActiveRows::new(setup, Solver::Conjugate(stop))?))
            })
        },
        programs,
        outline: |problem, _, settings| {
            let solver = SystemSolver::Conjugate {
                rtol: settings.number("rtol"),
                atol: settings.number("atol"),
                most: settings.integer("cg_iter"),
                no_curvature: NO_CURVATURE,
                roundings: ROUNDINGS,
            };
            problem.lower().constraints.is_empty().then(|| outline(problem, solver))
        },
    }
}

/// When the iterations end: residuals, relative and absolute, and their number.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stop {
    pub(super) rtol: f64,
    pub(super) atol: f64,
    pub(super) most: u64,
}

pub(super) struct Conjugate<T: Scalar> {
    pub(super) ends: Ends<T>,
    pub(super) at: FixedPoint<T>,
    stop: Stop,
    /// See [`Hypergradient::tolerate`].
    tolerated: f64,
    pub(super) w: Vec<f64>,
    r: Vec<f64>,
    p: Vec<f64>,
    image: Vec<f64>,
    work: Vec<f64>,
    /// The curvature along the worst direction met, and the entry where that direction is largest.
    witness: Option<(f64, usize)>,
    /// The last system was solved as well as asked for.
    solved: bool,
    /// Lower variables, for messages.
    names: Vec<String>,
}

impl<T: Scalar> Conjugate<T> {
    pub(super) fn new(setup: &Setup<'_>, stop: Stop) -> Result<Conjugate<T>, Box<Diagnostic>> {
        let at = FixedPoint::new(setup)?;
        let n = at.len();
        Ok(Conjugate {
            ends: Ends::new(setup)?,
            stop,
            tolerated: 0.0,
            w: vec![0.0; n],
            r: vec![0.0; n],
            p: vec![0.0; n],
            image: vec![0.0; n],
            work: vec![0.0; n],
            witness: None,
            solved: false,
            names: setup.problem.lower().variables.iter().map(|v| v.name.clone()).collect(),
            at,
        })
    }

    /// `M p`, to `image`.
    fn multiply(&mut self) {
        self.at.lower_product(&self.p, &mut self.work);
        self.work.iter_mut().zip(&self.p).for_each(|(t, p)| *t = p - *t);
        self.at.prox_product(&self.work, &mut self.image);
    }

    /// Solves `M w = P F_y`, at the point where `ends` and `at` are.
    pub(super) fn solve(&mut self) {
        self.at.lower_gradient(&self.ends, &mut self.work);
        self.at.prox_product(&self.work, &mut self.r);
        self.w.fill(0.0);
        self.p.copy_from_slice(&self.r);
        let mut rr = dot(&self.r, &self.r);
        let relative = self.stop.rtol.max(self.tolerated).max(ROUNDINGS * T::EPSILON);
        let enough = self.stop.atol.max(relative * rr.sqrt());
        let mut steepest: f64 = 0.0;
        self.solved = false;
        for _ in 0..self.stop.most {
            self.solved = rr.sqrt() <= enough;
            if self.solved || !rr.is_finite() {
                return;
            }
            self.multiply();
            if self.at.is_stopped() {
                return;
            }
            let (curved, length) = (dot(&self.p, &self.image), dot(&self.p, &self.p));
            let curvature = curved / length;
            steepest = steepest.max(curvature.abs());
            if curvature <= NO_CURVATURE * steepest {
                if self.witness.is_none_or(|(worst, _)| curvature < worst) {
                    let largest = (0..self.p.len()).max_by(|a, b| self.p[*a].abs().total_cmp(&self.p[*b].abs()));
                    self.witness = largest.map(|entry| (curvature, entry));
                }
                return;
            }
            let step = rr / curved;
            for (i, p) in self.p.iter().enumerate() {
                self.w[i] += step * p;
                self.r[i] -= step * self.image[i];
            }
            let next = dot(&self.r, &self.r);
            let beta = next / rr;
            rr = next;
            self.p.iter_mut().zip(&self.r).for_each(|(p, r)| *p = r + beta * *p);
        }
    }
}

impl<T: Scalar> Conjugate<T> {
    /// Allows a system so many iterations.
    pub(super) fn allow(&mut self, most: u64) {
        self.stop.most = most;
    }

    /// The solution of `(I - T_y') w = F_y` itself: `F_y + T_y' w`, which has the same `P w`. What is outside of the range
    /// of P matters where the sets of the lower level move.
    pub(super) fn complete(&mut self) {
        self.at.lower_product(&self.w, &mut self.work);
        self.at.lower_gradient(&self.ends, &mut self.w);
        self.w.iter_mut().zip(&self.work).for_each(|(w, t)| *w += t);
    }

    /// True where the last system could be solved: its residual is as small as asked for.
    pub(super) fn is_solved(&self) -> bool {
        self.solved
    }
}

impl<T: Scalar> Hypergradient<T> for Conjugate<T> {
    fn ends(&mut self) -> &mut Ends<T> {
        &mut self.ends
    }

    fn gradient(&mut self, t: &mut Trajectory<T>, x: &mut [Vec<T>], _: &mut [Vec<T>]) {
        self.at.go_to(t);
        self.solve();
        self.at.hypergradient(&self.ends, &self.w, x);
    }

    fn select(&mut self, rows: &Rows) -> Result<(), Box<Diagnostic>> {
        self.ends.select(rows)?;
        self.at.select(rows)
    }

    fn counts(&self) -> Counts {
        self.ends.counts().plus(self.at.counts())
    }

    fn tolerate(&mut self, share: f64) {
        self.tolerated = share;
    }

    fn warnings(&self) -> Vec<Diagnostic> {
        let warning = |(curvature, entry): &(f64, usize)| {
            let (variable, entry) = self.at.variable_of(*entry);
            message::not_positive_definite(*curvature, &self.names[variable], entry)
        };
        self.witness.iter().map(warning).collect()
    }
}
