//! The lower level solved at a fixed x, in f64 whatever the precision of the run: for the polish at the end of a run
//! (methods stop at a point that trades the lower level against the upper one), for the search for other minimizers, and
//! for metrics of other tasks. One program solves from any x and y.
//!
//! Prox-gradient steps, accelerated by a quasi-Newton method on their residual `r(y) = y - T(y)`, with the
//! forward-backward envelope as merit function (Stella, Themelis, Sopasakis, Patrinos, "A simple and efficient algorithm
//! for nonlinear model predictive control", CDC 2017, Algorithm 1: PANOC).
//! Least squares of condition 7e3, 7e5, 7e6 take 300, 2200, 6000 evaluations to a residual of 1e-9.

mod envelope;

use blo_engine::calculus::{Analysis, Verdict, convex};
use blo_engine::model::Bindings;
use blo_engine::model::problem::Problem;
use blo_grammar::diagnostic::Diagnostic;

use self::envelope::{BOUND, EnvelopePoint, ProxGradient};
use crate::iteration::Rows;
use crate::iteration::counts::Counts;
use crate::lower::lbfgs::QuasiNewton;
use crate::lower::vectors::dot;

/// Fractions of a quasi-Newton step that are tried before the prox-gradient step is taken instead.
const FRACTIONS: [f64; 4] = [1.0, 0.5, 0.25, 0.0625];

/// Evaluations without a smaller residual after which only rounding is left.
const STALLED: u64 = 1000;

/// Where a solve starts and how far it goes.
pub(crate) struct LowerStart<'a> {
    /// One array per variable, upper then lower.
    pub(crate) point: &'a [Vec<f64>],
    /// What the residual is measured against; without one, its value at the point.
    pub(crate) reference: Option<f64>,
    /// The residual is brought below this times the reference.
    pub(crate) tolerance: f64,
    /// Most evaluations.
    pub(crate) limit: u64,
}

/// The end of a solve.
pub(crate) struct LowerSolution {
    /// One array per lower variable.
    pub(crate) values: Vec<Vec<f64>>,
    /// How often the prox-gradient map was evaluated.
    pub(crate) evaluations: u64,
    /// Evaluations of the problem's functions in all of them.
    pub(crate) counts: Counts,
    /// The residual of the values, infinite if none was finite.
    pub(crate) residual: f64,
    /// The residual reached the tolerance, or what rounding leaves of it.
    pub(crate) solved: bool,
}

/// A solver of the lower level of one problem on its data, compiled once.
pub(crate) struct LowerSolver {
    map: ProxGradient,
    /// f is not proved convex: every long step is checked on its way.
    watches: bool,
    step: f64,
    reference: f64,
    first: f64,
    tolerance: f64,
    evaluations: u64,
    here: EnvelopePoint,
    there: EnvelopePoint,
    best: EnvelopePoint,
    memory: QuasiNewton,
    direction: Vec<f64>,
    gradient: Vec<f64>,
}

impl LowerSolver {
    /// Compiles for a problem.
    ///
    /// # Errors
    /// When the memory cannot be allocated.
    pub(crate) fn new(problem: &Problem, data: &Bindings, threads: u64) -> Result<LowerSolver, Box<Diagnostic>> {
        let map = ProxGradient::new(problem, data, threads)?;
        let f = &problem.lower().objective;
        let analysis = Analysis::new(f, &[], &problem.lower_inputs());
        let n = map.len();
        Ok(LowerSolver {
            map,
            watches: convex(&analysis, f.outputs()[0]) != Verdict::Proved,
            step: 1.0,
            reference: 0.0,
            first: 0.0,
            tolerance: 0.0,
            evaluations: 0,
            here: EnvelopePoint::new(n),
            there: EnvelopePoint::new(n),
            best: EnvelopePoint::new(n),
            memory: QuasiNewton::new(n),
            direction: vec![0.0; n],
            gradient: vec![0.0; n],
        })
    }

    /// Other tasks: positions for index inputs.
    ///
    /// # Errors
    /// When one is outside of what the program selects from.
    pub(crate) fn select(&mut self, rows: &Rows) -> Result<(), Box<Diagnostic>> {
        self.map.select(rows)
    }

    /// Floating-point operations of an evaluation.
    pub(crate) fn flops(&self) -> u128 {
        self.map.flops()
    }

    /// The residual where the last solve started.
    pub(crate) fn first_residual(&self) -> f64 {
        self.first
    }

    /// Solves the lower level. `stop` is asked before every evaluation. What was solved before has no influence.
    pub(crate) fn solve(&mut self, start: &LowerStart<'_>, stop: &mut dyn FnMut() -> bool) -> LowerSolution {
        self.begin(start);
        self.iterate(start.limit, stop);
        LowerSolution {
            values: self.map.split(&self.best.t),
            evaluations: self.evaluations,
            counts: self.map.counts.times(self.evaluations),
            residual: self.best.residual,
            solved: self.best.residual <= self.target(),
        }
    }

    /// Goes to the start, with a first step size.
    fn begin(&mut self, start: &LowerStart<'_>) {
        let (x, y) = start.point.split_at(self.map.upper());
        self.map.go_to(x);
        [&mut self.here, &mut self.there, &mut self.best].into_iter().for_each(EnvelopePoint::clear);
        self.here.y.iter_mut().zip(y.iter().flatten()).for_each(|(to, v)| *to = *v);
        self.there.y.copy_from_slice(&self.here.y);
        self.memory.forget();
        (self.step, self.evaluations, self.tolerance) = (1.0, 0, start.tolerance);
        self.first_step();
        self.evaluate();
        self.keep();
        self.first = self.here.residual;
        self.reference = start.reference.unwrap_or(self.first);
    }

    /// Fills in what the map says of `there.y`.
    fn evaluate(&mut self) {
        self.map.evaluate(self.step, &mut self.there, &mut self.gradient);
        self.evaluations += 1;
    }

    /// Steps until the residual is small, only rounding is left, or the limit is reached.
    fn iterate(&mut self, limit: u64, stop: &mut dyn FnMut() -> bool) {
        let mut improved = 0;
        let mut least = f64::INFINITY;
        while self.evaluations < limit && self.here.value.is_finite() && !stop() {
            if self.here.residual < least {
                (least, improved) = (self.here.residual, self.evaluations);
            }
            if self.evaluations > improved + STALLED || self.is_solved_at_image() {
                break;
            }
            if self.is_too_long() {
                self.shorten();
            } else {
                self.advance();
            }
        }
    }

    /// Where the residual is small: moves to `T(y)`, the point that the prox has put in place and that is returned, and
    /// tells whether the residual is small there, too.
    fn is_solved_at_image(&mut self) -> bool {
        if self.here.residual > self.target() || self.here.residual.is_nan() {
            return false;
        }
        self.there.y.clone_from(&self.here.t);
        self.evaluate();
        let done = self.there.residual <= self.target();
        self.keep();
        done
    }

    /// True where f is above its quadratic bound after a prox-gradient step; not a number where the step leaves the
    /// domain of f.
    fn is_too_long(&self) -> bool {
        let excess = self.here.excess;
        (excess.is_nan() || excess > self.here.rounding()) && self.step > f64::MIN_POSITIVE
    }

    fn shorten(&mut self) {
        self.step /= 2.0;
        self.memory.forget();
        self.there.y.clone_from(&self.here.y);
        self.evaluate();
        self.keep();
    }

    /// One step: the longest fraction of the quasi-Newton step that is good enough, or the prox-gradient step.
    fn advance(&mut self) {
        if !self.memory.is_empty() {
            self.memory.step(&self.here.r, &mut self.direction);
            for fraction in FRACTIONS {
                if self.try_fraction(fraction) {
                    self.learn_and_keep();
                    return;
                }
            }
            self.memory.forget();
        }
        self.there.y.clone_from(&self.here.t);
        self.evaluate();
        self.learn_and_keep();
    }

    /// Goes to `y - (1 - fraction) r + fraction d`; true where that is good enough.
    fn try_fraction(&mut self, fraction: f64) -> bool {
        if self.watches && !self.stays(fraction) {
            return false;
        }
        self.put(fraction, 1.0);
        self.evaluate();
        let (here, there) = (&self.here, &self.there);
        let promised = 0.5 * (1.0 - BOUND) * 0.5 * here.size / self.step;
        let within_rounding = (there.value - here.value).abs() <= here.rounding() && there.size < here.size;
        there.value <= here.value - promised || within_rounding
    }

    /// `there.y`: the part `way` of the step.
    fn put(&mut self, fraction: f64, way: f64) {
        let steps = self.here.r.iter().zip(&self.direction);
        for ((to, y), (r, d)) in self.there.y.iter_mut().zip(&self.here.y).zip(steps) {
            *to = y + way * (fraction * d - (1.0 - fraction) * r);
        }
    }

    /// True where the envelope falls all along the step, as far as three points on the way tell: a step that climbs in
    /// between may lead to another minimum, and a solve stays in the basin of its start. Steps no longer than two
    /// prox-gradient steps are short enough.
    fn stays(&mut self, fraction: f64) -> bool {
        self.put(fraction, 1.0);
        let length: f64 = self.there.y.iter().zip(&self.here.y).map(|(a, b)| (a - b) * (a - b)).sum();
        if length <= 4.0 * self.here.size {
            return true;
        }
        let mut before = self.here.value;
        for way in [0.25, 0.5, 0.75] {
            self.put(fraction, way);
            self.evaluate();
            let falls = self.there.value <= before + self.here.rounding();
            if !falls {
                return false;
            }
            before = self.there.value;
        }
        true
    }

    fn learn_and_keep(&mut self) {
        self.memory.learn([&self.here.y, &self.there.y], [&self.here.r, &self.there.r]);
        self.keep();
    }

    fn keep(&mut self) {
        std::mem::swap(&mut self.here, &mut self.there);
        if self.here.value.is_finite() && self.here.residual < self.best.residual {
            self.best.copy(&self.here);
        }
    }

    /// The residual that is small enough: against the reference, and not below what rounding leaves of it.
    fn target(&self) -> f64 {
        let y = dot(&self.here.y, &self.here.y).sqrt();
        let floor = 4.0 * f64::EPSILON * (1.0 + 1.0 / self.step) * y;
        floor.max(self.tolerance * self.reference)
    }

    /// The first step: one over the curvature along the gradient. It only ever shrinks, so that no step is longer than
    /// the curvature on the way allows.
    fn first_step(&mut self) {
        self.evaluate();
        let first = &mut self.direction;
        first.copy_from_slice(&self.gradient);
        let size = dot(first, first).sqrt();
        let length = 1e-6 * (1.0 + dot(&self.there.y, &self.there.y).sqrt());
        for (i, y) in self.there.y.iter_mut().enumerate() {
            *y -= length * if size > 0.0 { first[i] / size } else { 1.0 / (first.len() as f64).sqrt() };
        }
        self.evaluate();
        let change: f64 = self.gradient.iter().zip(&self.direction).map(|(a, b)| (a - b) * (a - b)).sum();
        let curvature = change.sqrt() / length;
        if curvature.is_finite() && curvature > 0.0 {
            self.step = 1.0 / curvature;
        }
        self.there.y.clone_from(&self.here.y);
    }
}

#[cfg(test)]
mod tests;
