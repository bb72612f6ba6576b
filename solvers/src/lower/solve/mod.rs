//! The lower level solved at a fixed x, in f64 whatever the precision of the run: for the polish at the end of a run
//! (methods stop at a point that trades the lower level against the upper one), for the search for other minimizers, and
//! for metrics of other tasks. One program solves from any x and y.
//!
//! Prox-gradient steps, accelerated by a quasi-Newton method on their residual `r(y) = y - T(y)`, with the
//! forward-backward envelope as merit function (Stella, Themelis, Sopasakis, Patrinos, "A simple and efficient algorithm
//! for nonlinear model predictive control", CDC 2017, Algorithm 1: PANOC), all of it in a diagonal metric
//! ([`metric`]): a solve does not depend on the units of y and f.
//! Least squares of condition 7e3, 7e5, 7e6 by units of columns take 40 evaluations to a residual of 1e-9.
//!
//! *When it is solved.* The slope `|r|/s` in the metric, times the root of the first step, has the unit of the root of f:
//! half of its square is what a step promises. It is measured against its value at the start, or the length of the start
//! in the metric where that is more (a warm start is not asked to be better than the point is known). Not against what a
//! caller states: that is in the units of the variables. A stated reference makes the solve go on until the plain residual
//! is small too, for at most as many evaluations again.
//!
//! *The metric.* Up to 64 entries: from the diagonal at the problem's start, which is setup. Where the Hessian is not
//! constant, it is found again at the start of a solve if the curvature along the gradient does not fit it, and where the
//! solve is, once that has taken more than a hundred evaluations, and more than the diagonal takes products; it is taken where it differs. Above: an
//! estimate of twenty Hessian products, once per solve: at once where the gradient shows that units differ, else after forty
//! evaluations where f is convex.
//!
//! *Where there is no minimum.* See [`ray`].

mod envelope;
mod metric;
mod ray;
mod start;

use blo_engine::calculus::{Analysis, Verdict, convex};
use blo_engine::model::Bindings;
use blo_engine::model::problem::Problem;
use blo_grammar::diagnostic::Diagnostic;

use self::envelope::{BOUND, EnvelopePoint, ProxGradient};
use self::metric::Metric;
use crate::iteration::Rows;
use crate::iteration::counts::Counts;
use crate::lower::lbfgs::QuasiNewton;
use crate::lower::vectors::{dot, norm};
use crate::tolerances::LOWER_SOLVED;

/// Fractions of a quasi-Newton step that are tried before the prox-gradient step is taken instead.
const FRACTIONS: [f64; 4] = [1.0, 0.5, 0.25, 0.0625];

/// How much shorter a step becomes where more than half is asked for.
const SHORTER: [f64; 3] = [16.0, 8.0, 4.0];

/// Evaluations without a smaller residual after which only rounding is left.
const STALLED: u64 = 1000;

/// Where a solve starts and how far it goes.
pub(crate) struct LowerStart<'a> {
    /// One array per variable, upper then lower.
    pub(crate) point: &'a [Vec<f64>],
    /// What the plain residual is measured against, too, as long as that costs no more than the solve. Whether the level is
    /// solved does not depend on it.
    pub(crate) reference: Option<f64>,
    /// The scaled residual is brought below this.
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
    /// The plain residual of the values, `|y - prox_g(y - f_y)|` in the units of the variables, as reports show it;
    /// infinite if none was finite.
    pub(crate) residual: f64,
    /// The residual in the metric against the scale of the problem: no unit, and the same whatever the units are.
    #[cfg_attr(not(test), expect(dead_code, reason = "what verdicts will show"))]
    pub(crate) scaled: f64,
    /// The scaled residual reached the tolerance, or what rounding leaves of it.
    pub(crate) solved: bool,
    /// Where the lower objective falls without end: a direction in which it does so from the values on, one entry per
    /// entry of the lower variables, the largest of them 1 or -1.
    pub(crate) unbounded: Option<Vec<f64>>,
}

/// A solver of the lower level of one problem on its data, compiled once.
pub(crate) struct LowerSolver {
    map: ProxGradient,
    metric: Metric,
    /// f is not proved convex: every long step is checked on its way.
    watches: bool,
    step: f64,
    /// The metric is that of a diagonal, not that of ones.
    fitted: bool,
    /// The root of the first step in this metric.
    unit: f64,
    /// What the slope is measured against, in the unit of the root of f.
    scale: f64,
    /// The plain residual that is small enough.
    plain: f64,
    tolerance: f64,
    evaluations: u64,
    /// Evaluations after which only the plain residual is worth more.
    enough: u64,
    /// Nothing but rounding is left.
    stalled: bool,
    /// When another metric is looked for, how often still, and whether this one was found where the solve is.
    look: u64,
    looks: u32,
    /// Steps without curvature so far: the next is twice as long as the last.
    straight: i32,
    /// How far from the start a solve looks for a ray, and whether it has been as far already.
    far: f64,
    was_far: bool,
    unbounded: Option<Vec<f64>>,
    x: Vec<Vec<f64>>,
    origin: Vec<f64>,
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
            metric: Metric::new(problem, data, threads, &map.lengths()),
            map,
            watches: convex(&analysis, f.outputs()[0]) != Verdict::Proved,
            step: 1.0,
            fitted: false,
            unit: 1.0,
            scale: 0.0,
            plain: 0.0,
            tolerance: 0.0,
            evaluations: 0,
            enough: u64::MAX,
            stalled: false,
            look: 0,
            looks: 0,
            straight: 0,
            far: 0.0,
            was_far: false,
            unbounded: None,
            x: Vec::new(),
            origin: vec![0.0; n],
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
        self.metric.select(rows);
        self.map.select(rows)
    }

    /// Floating-point operations of an evaluation.
    pub(crate) fn flops(&self) -> u128 {
        self.map.flops()
    }

    /// Solves the lower level. `stop` is asked before every evaluation. What was solved before has no influence.
    pub(crate) fn solve(&mut self, start: &LowerStart<'_>, stop: &mut dyn FnMut() -> bool) -> LowerSolution {
        let products = self.metric.products();
        self.begin(start);
        self.iterate(start.limit, stop);
        let scaled = self.unit * self.best.slope;
        let products = Counts { hvp: self.metric.products() - products, ..Counts::default() };
        LowerSolution {
            values: self.map.split(&self.best.t),
            evaluations: self.evaluations,
            counts: self.map.counts.times(self.evaluations).plus(products),
            residual: self.best.residual,
            scaled: if scaled == 0.0 { 0.0 } else { scaled / self.scale },
            solved: self.unbounded.is_none() && scaled <= self.target(&self.best),
            unbounded: self.unbounded.take(),
        }
    }

    /// Goes to the start, with a metric and a first step size.
    fn begin(&mut self, start: &LowerStart<'_>) {
        let (x, y) = start.point.split_at(self.map.upper());
        self.map.go_to(x);
        self.x = x.to_vec();
        [&mut self.here, &mut self.there, &mut self.best].into_iter().for_each(EnvelopePoint::clear);
        self.origin.iter_mut().zip(y.iter().flatten()).for_each(|(to, v)| *to = *v);
        self.here.y.copy_from_slice(&self.origin);
        self.memory.forget();
        (self.evaluations, self.tolerance, self.enough) = (0, start.tolerance, u64::MAX);
        (self.stalled, self.straight, self.was_far, self.unbounded) = (false, 0, false, None);
        self.first_step();
        self.plain = start.reference.map_or(f64::INFINITY, |reference| start.tolerance * reference);
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
            if self.here.slope < least {
                (least, improved) = (self.here.slope, self.evaluations);
            }
            self.stalled = self.evaluations > improved + STALLED;
            if self.stalled || self.goes_away() {
                break;
            }
            let is_time = self.evaluations >= self.look && self.straight == 0 && !self.is_too_long();
            let blurred = self.is_blurred();
            if self.looks > 0 && (is_time || blurred) {
                if self.change_metric(blurred) {
                    (least, improved) = (f64::INFINITY, self.evaluations);
                }
            } else if self.is_solved_at_image() {
                self.look_back();
                break;
            } else if self.is_too_long() {
                self.shorten();
            } else {
                self.advance();
            }
        }
        if !self.here.value.is_finite() && self.there.value.is_finite() && self.evaluations < limit {
            // The values of f have left the numbers: from the point before, upwards or downwards?
            self.here.copy(&self.there);
            self.ray();
        }
    }

    /// Where the residual is small: moves to `T(y)`, the point that the prox has put in place and that is returned, and
    /// tells whether the residual is small there, too.
    fn is_solved_at_image(&mut self) -> bool {
        if !self.is_small() {
            return false;
        }
        self.there.y.clone_from(&self.here.t);
        self.evaluate();
        self.keep();
        self.is_small()
    }

    /// True where the residual of `here.y` is small enough, and, as long as it pays, the decrease that a quasi-Newton step
    /// promises: it does not depend on the metric, which may be that of a point far away.
    fn is_small(&mut self) -> bool {
        let point = &self.here;
        if self.unit * point.slope > self.target(point) || point.slope.is_nan() {
            return false;
        }
        if self.evaluations >= self.enough {
            return true;
        }
        if point.residual > self.plain.max(self.plain_rounding(point)) {
            return false;
        }
        self.memory.step(&self.here.r, &mut self.direction);
        let promised = -dot(&self.here.r, &self.direction) / self.step;
        promised.max(0.0).sqrt() <= self.target(&self.here)
    }

    /// True where f is above its quadratic bound after a prox-gradient step; not a number where the step leaves the
    /// domain of f.
    fn is_too_long(&self) -> bool {
        let excess = self.here.excess;
        (excess.is_nan() || excess > self.here.rounding()) && self.step > f64::MIN_POSITIVE
    }

    /// A shorter step: by the power of two that the bound asks for, as far as one look tells.
    fn shorten(&mut self) {
        let asked = 1.0 + self.here.excess / (BOUND * 0.5 * self.here.size / self.step);
        self.step /= SHORTER.into_iter().find(|factor| asked >= *factor).unwrap_or(2.0);
        self.memory.forget();
        self.straight = 0;
        self.look_here();
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
        } else if self.straight > 0 {
            // Without curvature a quasi-Newton method has no length: twice as far as before.
            let far = f64::powi(2.0, self.straight);
            self.direction.iter_mut().zip(&self.here.r).for_each(|(d, r)| *d = -far * r);
            if self.try_fraction(1.0) {
                self.learn_and_keep();
                return;
            }
            self.straight = 0;
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
        let steps = self.here.r.iter().zip(&self.direction).zip(&self.map.root);
        for ((to, y), ((r, d), q)) in self.there.y.iter_mut().zip(&self.here.y).zip(steps) {
            *to = y + way * q * (fraction * d - (1.0 - fraction) * r);
        }
    }

    /// True where the envelope falls all along the step, as far as three points on the way tell: a step that climbs in
    /// between may lead to another minimum, and a solve stays in the basin of its start. Steps no longer than two
    /// prox-gradient steps are short enough.
    fn stays(&mut self, fraction: f64) -> bool {
        self.put(fraction, 1.0);
        let length = self.distance(&self.there.y, &self.here.y);
        if length <= 2.0 * self.here.size.sqrt() {
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
        let (points, residuals) = ([&self.here.y[..], &self.there.y], [&self.here.r[..], &self.there.r]);
        let noise = f64::EPSILON * self.length(&self.there.y);
        let curved = self.memory.learn(&self.map.root, points, residuals, noise);
        self.straight = if curved || !self.memory.is_empty() { 0 } else { (self.straight + 1).min(200) };
        self.keep();
    }

    fn keep(&mut self) {
        std::mem::swap(&mut self.here, &mut self.there);
        if self.here.value.is_finite() && self.here.slope < self.best.slope {
            self.best.copy(&self.here);
        }
        if self.enough == u64::MAX && self.unit * self.here.slope <= self.target(&self.here) {
            self.enough = 2 * self.evaluations + 20;
        }
    }

    /// The distance of two points in the metric.
    fn distance(&self, a: &[f64], b: &[f64]) -> f64 {
        let each = a.iter().zip(b).zip(&self.map.root);
        each.map(|((a, b), q)| ((a - b) / q) * ((a - b) / q)).sum::<f64>().sqrt()
    }

    /// The length of a point in the metric.
    fn length(&self, y: &[f64]) -> f64 {
        y.iter().zip(&self.map.root).map(|(y, q)| (y / q) * (y / q)).sum::<f64>().sqrt()
    }

    /// The slope that is small enough, in the unit of the root of f: against the scale, and not below what rounding of the
    /// point leaves of it. What rounding of f leaves counts where nothing else is left: f may have a constant part.
    fn target(&self, point: &EnvelopePoint) -> f64 {
        let of_point = 8.0 * f64::EPSILON * self.unit * self.length(&point.y) / self.step;
        let of_values = if self.stalled { 8.0 * f64::EPSILON * point.smooth.abs().sqrt() } else { 0.0 };
        of_point.max(of_values).min(LOWER_SOLVED * self.scale).max(self.tolerance * self.scale)
    }

    /// True where rounding of the point is all that is left of a slope, and more than the tolerance: the metric is that of
    /// a point far away.
    fn is_blurred(&self) -> bool {
        let (slope, target) = (self.unit * self.here.slope, self.target(&self.here));
        slope <= target && target > self.tolerance * self.scale
    }

    /// What rounding leaves of the plain residual.
    fn plain_rounding(&self, point: &EnvelopePoint) -> f64 {
        let steepest = self.map.root.iter().fold(0.0, |m: f64, q| m.max(1.0 / (q * q)));
        8.0 * f64::EPSILON * (1.0 + steepest / self.step) * norm(&point.y)
    }
}

#[cfg(test)]
mod tests;
