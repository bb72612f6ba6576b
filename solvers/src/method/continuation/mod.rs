//! The rule behind methods on a surrogate of the lower level, without stated steps: MEHA and those of `value_function`.
//! The experiments behind it are in `docs/book/src/meha-automatic.md`; constants stand here with their reason. A method writes its
//! formulas with what `graph` declares; the second lower array that it keeps beside y (theta, a copy of y, a multiplier)
//! is called the companion here.
//!
//! *Windows.* Between two moves of x, y and the companion step until the direction `d_x` has settled: it is looked at after the
//! first, at half and at the last iteration of a window, the two changes give a rate, and while what the rate leaves is
//! more than a quarter of `|d_x|` the window doubles. So x never moves on a direction that is the lag of y behind x. Where
//! x moves by signs, what leads an entry away from zero counts a quarter.
//! *Continuation.* c grows in stages from a first to a last value, both multiples of a scale of the problem.
//! *Passes.* The first pass starts with a c at which the lower level rules, the second with one at which F rules; the
//! driver keeps the better end point. One start of c alone fails where the other works, see the notebook.
//! *Safeguard.* A window whose steps grow a hundredfold is taken back, with twice the curvature.

use blo_grammar::diagnostic::Diagnostic;
use serde::{Deserialize, Serialize};

use crate::iteration::control::{Control, Iterate, Next, NextState, Verdict};
use crate::iteration::counts::Counts;
use crate::iteration::{Rows, memory};
use crate::lower::curvature::{Curvature, CurvatureMemory, Extreme, LowerArrays, entry};
use crate::lower::term_modulus::TermModulus;
use crate::options::schedule::Schedule;
use crate::options::value::Value;

use anderson::Anderson;
use graph::{Layout, Number, Signal};
pub(super) use rule::{Barrier, LONGEST, Names, PASSES, RowsRule, Rule, WeightName, outside_of_theory};
use values::{Phase, SHORTEST, Values};

/// c at the start of each pass, in units of the problem's scale: 10 finds what descent on the lower-level solution
/// finds; .1 leaves basins that hold the start.
const FIRST_C: [f64; 2] = [10.0, 0.1];
/// c at the end, in the same units: the end point's error is of order 1/c.
const LAST_C: f64 = 2e3;
/// Growth of c from stage to stage, and the most moves of x in a stage.
const STAGE: f64 = 2.0;
const MOVES_PER_STAGE: u64 = 15;
/// A stage ends early once x moves by less than this, relative to `max(1, |x|)`.
const STAGE_TOLERANCE: f64 = 1e-3;
/// The first window, in shortest ones.
const FIRST_WINDOWS: u64 = 2;
/// `d_x` has settled when its estimated remaining change is below the first of these, relative to it; a window is
/// shortened when it is below the second.
const SETTLED: f64 = 0.25;
const IDLE: f64 = 0.05;
/// Where steps are accelerated, their residual has to fall to this share, too: accelerated points jump, and d_x may look the
/// same twice by chance.
const REMAINING: f64 = 0.1;
/// Without upper variables, y rests when its squared step has fallen by this factor within a window.
const RESTS: f64 = 1e-8;
/// Remaining changes are at most this many last changes.
const SLOWEST: f64 = 0.97;
/// First step of an entry of x, relative to `max(1, |x|)` and to the width of its interval.
const FIRST_STEP: f64 = 0.02;
/// A new stage raises steps to this share of the first ones.
const REVIVED: f64 = 1e-3;
/// gamma in units of 1/L where f is convex: any gamma is allowed, and a large one leaves no direction unpunished.
const GAMMA_CONVEX: f64 = 1e6;
/// gamma in units of 1/rho elsewhere: Theorem 3.4 wants less than 1/2.
const GAMMA_WEAK: f64 = 0.45 / 1.05;
/// Least weak convexity that is assumed of a function not known to be convex, in units of L.
const LEAST_WEAK: f64 = 1e-3;
/// Estimates of curvature are raised by this factor (power iteration approaches from below) and forget by the other
/// from move to move.
const MARGIN: f64 = 1.1;
const FORGET: f64 = 0.98;
/// Where Hessians are constant, estimates rest until the next stage once they change by less than this.
const RESTING: f64 = 1e-2;
/// Entries of a diagonal are at least this, relative to the largest.
const FLOOR: f64 = 1e-6;
/// A window is taken back when `|step|^2` grows by this factor, at most so many times in a row.
const BLOW_UP: f64 = 1e4;
const NO_STEP: f64 = 1e-20;
const MOST_RETURNS: u64 = 20;
/// Share of the iterations that the first of two passes may use.
const FIRST_SHARE: f64 = 0.6;

mod anderson;
pub(in crate::method) mod graph;
mod rows;
mod rule;
mod values;

/// The control of a run.
pub(super) struct Continuation {
    rule: Rule,
    layout: Layout,
    curvature: Curvature,
    modulus: TermModulus,
    warnings: Vec<Diagnostic>,
    now: Values,
    learnt: Learnt,
    /// Memory for steps of x.
    delta: LowerArrays,
}

/// Arrays that the rule remembers.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Learnt {
    /// Absolute diagonals of `f_yy`, `F_yy`.
    diagonals: (LowerArrays, LowerArrays),
    metric: LowerArrays,
    metric_y: LowerArrays,
    /// State at the start of the window: theta, its last value, y, its last value.
    mark: LowerArrays,
    first_delta: LowerArrays,
    /// Of a method with rows.
    anderson: Anderson,
    begun_from: Vec<f64>,
    /// Curvature at the start of the window.
    begun_with: f64,
    /// No acceleration in this window.
    is_plain: bool,
}

impl Continuation {
    fn new(
        rule: Rule,
        layout: Layout,
        (curvature, modulus): (Curvature, TermModulus),
        warnings: Vec<Diagnostic>,
    ) -> Continuation {
        Continuation {
            rule,
            layout,
            curvature,
            modulus,
            warnings,
            now: Values::new(0, 0),
            learnt: Learnt::default(),
            delta: LowerArrays::new(),
        }
    }

    /// Positions of theta, its last value, y, its last value: what a window taken back restores.
    fn marked(&self) -> impl Iterator<Item = usize> + use<'_> {
        let l = &self.layout;
        let arrays = l.companion.iter().chain(&l.companion_before).chain(&l.variables[l.upper..]).chain(&l.y_before);
        arrays.chain(&l.multipliers).copied()
    }

    /// c of iteration `k`.
    fn c(&self, k: u64) -> f64 {
        self.rule.c.as_ref().map_or(self.now.c, |c| c.at(k))
    }

    /// The step of y in its metric.
    fn step_y(&self) -> f64 {
        let l = self.now.lipschitz_y + self.now.of_rows;
        if self.rule.squared { 1.0 / (l * l + l) } else { 1.0 / (l + 1.0 / self.now.gamma) }
    }

    fn last_c(&self) -> f64 {
        LAST_C * self.now.scale
    }

    /// True while c is to grow further.
    fn grows(&self) -> bool {
        self.rule.c.is_none() && self.now.c < self.last_c()
    }

    /// The longest window now.
    fn longest(&self) -> u64 {
        if self.now.first { FIRST_WINDOWS * self.rule.window } else { self.rule.window }
    }

    /// The curvature programs at the current iterate.
    fn go_to(&mut self, iterate: &dyn Iterate) {
        self.curvature.go_to(&mut |input, values| iterate.read(input, values));
        self.modulus.go_to(&mut |input, values| iterate.read(input, values));
    }

    /// Diagonals at the iterate and so many points near it.
    fn look_around(&mut self, near: usize) {
        if self.rule.diagonal {
            self.curvature.diagonals(near, &mut self.learnt.diagonals.0, &mut self.learnt.diagonals.1);
        }
    }

    /// The weight that makes the diagonals of F and f comparable.
    fn balance(&self) -> f64 {
        let (lower, upper) = (sum(&self.learnt.diagonals.0), sum(&self.learnt.diagonals.1));
        match (lower > 0.0, upper > 0.0) {
            (true, true) => lower / upper,
            (false, true) => 1.0 / upper,
            _ => 0.0,
        }
    }

    /// Writes the inverse of `f_yy + weight F_yy`, diagonal, with small entries raised; ones without a metric.
    fn inverse(&self, weight: f64, to: &mut LowerArrays, use_ones: bool) {
        let floor = FLOOR * self.largest_diagonal();
        let diagonals = self.learnt.diagonals.0.iter().zip(&self.learnt.diagonals.1);
        for (to, (lower, upper)) in to.iter_mut().zip(diagonals) {
            let each = lower.iter().zip(upper).map(|(l, u)| 1.0 / (l + weight * u).max(floor));
            to.iter_mut().zip(each).for_each(|(to, inverse)| *to = if use_ones { 1.0 } else { inverse });
        }
    }

    /// The metrics of theta and y at the current c.
    fn set_metrics(&mut self, iterate: &mut dyn Iterate) {
        let (mut theta, mut y) = (std::mem::take(&mut self.learnt.metric), std::mem::take(&mut self.learnt.metric_y));
        self.inverse(0.0, &mut theta, !self.rule.diagonal || self.rule.eta.is_some());
        self.inverse(1.0 / self.now.c, &mut y, !self.rule.diagonal || self.rule.beta.is_some());
        (self.learnt.metric, self.learnt.metric_y) = (theta, y);
        self.write_metrics(iterate);
    }

    fn write_metrics(&self, iterate: &mut dyn Iterate) {
        let (theta, y) = (&self.layout.metric_companion, &self.layout.metric_y);
        for (input, metric) in theta.iter().zip(&self.learnt.metric).chain(y.iter().zip(&self.learnt.metric_y)) {
            iterate.write(*input, metric);
        }
    }

    fn largest_diagonal(&self) -> f64 {
        let weight = self.balance();
        let each = self.learnt.diagonals.0.iter().flatten().zip(self.learnt.diagonals.1.iter().flatten());
        let largest = each.map(|(l, u)| l + weight * u).fold(0.0, f64::max);
        if largest > 0.0 && largest.is_finite() { largest } else { 1.0 }
    }

    /// How large a c makes F and the lower level equally strong: slopes plus curvature times a distance, in a metric
    /// that knows both. Scales with F, and does not depend on the scale of columns.
    fn problem_scale(&mut self) -> f64 {
        let mut metric = self.learnt.metric.clone();
        self.inverse(self.balance(), &mut metric, !self.rule.diagonal);
        let lower = self.curvature.power.eigenvalue(Extreme::Lower, 1.0, &metric, 15, 1.0, 0.0);
        let upper = self.curvature.power.eigenvalue(Extreme::Upper, 1.0, &metric, 15, 1.0, 0.0);
        let lower = if lower > 0.0 && lower.is_finite() { lower } else { 1.0 };
        let upper = if upper.is_finite() { upper } else { 0.0 };
        let slopes = self.curvature.slopes(&metric, lower);
        let mut distance = slopes.point.max(slopes.lower / lower);
        if upper > 1e-9 * lower {
            distance = distance.max(slopes.upper / upper);
        }
        if distance == 0.0 {
            distance = 1.0;
        }
        let scale = (slopes.upper + upper * distance) / (slopes.lower + lower * distance);
        if scale > 0.0 && scale.is_finite() { scale } else { 1.0 }
    }

    /// Curvature at the iterate, by so many power iterations; old estimates count with the factor `keep`.
    fn estimate(&mut self, steps: usize, noise: f64, keep: f64) {
        let Values { lipschitz, lipschitz_y, weak, c, .. } = self.now;
        let larger = |found: f64, old: f64| {
            let found = if found.is_finite() { MARGIN * found } else { 2.0 * old };
            let kept = found.max(keep * old);
            if kept > 0.0 { kept } else { 1.0 }
        };
        let found = self.curvature.power.eigenvalue(Extreme::Lower, c, &self.learnt.metric, steps, noise, 0.0);
        self.now.lipschitz = larger(found, lipschitz);
        let found = self.curvature.power.eigenvalue(Extreme::Both, c, &self.learnt.metric_y, steps, noise, 0.0);
        self.now.lipschitz_y = larger(found, lipschitz_y);
        if !self.rule.convex {
            let bound = 1.05 * self.now.lipschitz;
            let least = self.curvature.power.eigenvalue(Extreme::Least, c, &self.learnt.metric, steps, noise, bound);
            if least.is_finite() {
                // In the metric a bend of g counts as often as its entry is stretched.
                let longest = self.learnt.metric.iter().flatten().fold(0.0, |m: f64, p| m.max(*p));
                self.now.weak = (0.999 * weak).max(longest * self.modulus.value() - least);
            }
        }
        let l = self.now.lipschitz;
        self.now.gamma = self.rule.gamma.unwrap_or(match self.rule.convex {
            true => GAMMA_CONVEX / l,
            false => GAMMA_WEAK / self.now.weak.max(LEAST_WEAK * l),
        });
        if self.rule.rows.is_some() {
            self.estimate_rows(keep);
        }
        let near = |new: f64, old: f64| (new - old).abs() <= RESTING * new.abs();
        let v = &mut self.now;
        v.rests = near(v.lipschitz, lipschitz) && near(v.lipschitz_y, lipschitz_y) && near(v.weak, weak);
    }

    fn begin_window(&mut self, iterate: &dyn Iterate) {
        let mut mark = std::mem::take(&mut self.learnt.mark);
        for (input, values) in self.marked().zip(&mut mark) {
            iterate.read(input, values);
        }
        self.learnt.mark = mark;
        self.now.returns = 0;
        (self.learnt.begun_with, self.learnt.is_plain) = (self.now.lipschitz, false);
        self.restart_window();
        self.begin_acceleration(iterate);
    }

    fn restart_window(&mut self) {
        let v = &mut self.now;
        v.phase = Phase::Settling;
        v.ran = 0;
        v.half = (v.window / 2).max(1);
    }

    fn restore(&self, iterate: &mut dyn Iterate) {
        for (input, values) in self.marked().zip(&self.learnt.mark) {
            iterate.write(input, values);
        }
    }

    /// Back to the start of the window, with twice the curvature.
    fn take_back(&mut self, iterate: &mut dyn Iterate) {
        self.restore(iterate);
        let v = &mut self.now;
        v.returns += 1;
        v.lipschitz *= 2.0;
        v.lipschitz_y *= 2.0;
        v.of_rows *= 2.0;
        v.step_z *= 0.5;
        v.rests = false;
        (v.t_theta, v.t_y) = (1.0, 1.0);
        self.restart_window();
        self.begin_acceleration(iterate);
    }

    /// At the end of a window: has d_x settled? If not, the window doubles; if so, x moves next.
    fn window_ends(&mut self, slope: f64, change: f64, step_y: f64) {
        let (longest, growing) = (self.longest(), self.grows());
        let v = &mut self.now;
        let rate = if v.change_before > 0.0 { (change / v.change_before).min(SLOWEST) } else { SLOWEST };
        let left = change * rate / (1.0 - rate);
        v.settled = match self.layout.upper {
            // Nothing moves above: each penalty is followed until y rests.
            0 => step_y <= RESTS * v.first_step_y,
            // rows that are not met yet say nothing of x
            _ if self.rule.rows.is_some() && slope == 0.0 => step_y <= RESTS * v.first_step_y,
            _ => left <= SETTLED * slope && self.learnt.anderson.remaining() <= REMAINING,
        };
        let follows = self.rule.alpha.is_some();
        if !v.settled && v.ran < longest && !follows {
            v.window = (2 * v.window).min(longest);
            v.change_before = change;
            v.half = 0;
            return;
        }
        if v.half > 0 && left < IDLE * slope {
            v.window = (v.window * 7 / 10).max(SHORTEST);
        }
        v.window = v.window.min(self.rule.window);
        let small = v.moves_in_stage > 0 && !growing && v.step_x < self.rule.tolerance;
        v.first = false;
        v.phase = if v.settled && small { Phase::Done } else { Phase::Moving };
    }

    /// After x has moved: the curvature there, and whether the stage is over.
    fn moved(&mut self, k: u64, iterate: &mut dyn Iterate) {
        self.now.moves_in_stage += 1;
        if !(self.curvature.power.is_constant() && self.modulus.is_zero() && self.now.rests) {
            self.go_to(iterate);
            self.estimate(1, 0.1, FORGET);
        }
        let step = self.now.step_x;
        if let Some(barrier) = self.rule.barrier.as_ref().filter(|_| self.grows()) {
            let eta = barrier.eta.as_ref().map(|eta| eta.at(k));
            self.follow_barrier(eta, iterate);
        } else if self.grows() && (self.has_come_to_rest(step) || self.now.moves_in_stage >= MOVES_PER_STAGE) {
            self.next_stage(iterate);
        }
        self.begin_window(iterate);
    }

    /// True where a step of x is so short that the next stage begins.
    fn has_come_to_rest(&self, step: f64) -> bool {
        step < STAGE_TOLERANCE && (self.rule.rows.is_none() || self.now.settled)
    }

    /// The next multiplier, at the y that has settled for the last one. Its metric goes with it.
    fn follow_barrier(&mut self, eta: Option<f64>, iterate: &mut dyn Iterate) {
        let v = &self.now;
        let rests = v.step_x < STAGE_TOLERANCE;
        // as fast as stages: a factor of two within the moves of one, or once x rests
        let eta = eta.unwrap_or(if rests { v.c } else { v.c / MOVES_PER_STAGE as f64 });
        let next = v.rest + eta * v.shape;
        if next > v.c {
            self.now.c = next.min(STAGE * v.c).min(self.last_c());
            self.now.moves_in_stage = 0;
            self.set_metrics(iterate);
            self.now.rests = false;
        }
    }

    fn next_stage(&mut self, iterate: &mut dyn Iterate) {
        self.now.c = (STAGE * self.now.c).min(self.last_c());
        self.now.moves_in_stage = 0;
        (self.now.t_theta, self.now.t_y) = (1.0, 1.0);
        self.look_around(0);
        self.set_metrics(iterate);
        self.estimate(8, 0.3, 0.0);
        for (i, input) in self.layout.delta.iter().enumerate() {
            let (delta, first) = (&mut self.delta[i], &self.learnt.first_delta[i]);
            iterate.read(*input, delta);
            delta.iter_mut().zip(first).for_each(|(d, first)| *d = d.max(REVIVED * first));
            iterate.write(*input, delta);
        }
    }

    fn end_of_pass(&mut self, k: u64, converged: bool) -> Next {
        self.now.pass += 1;
        self.now.begun = k;
        Next::EndOfPass { converged, last: self.now.pass >= self.rule.passes || k >= self.rule.iterations }
    }

    /// The iteration in which the pass must end.
    fn deadline(&self) -> u64 {
        let left = self.rule.iterations.saturating_sub(self.now.begun);
        let more = self.rule.passes > self.now.pass + 1;
        self.now.begun + if more { (FIRST_SHARE * left as f64).ceil() as u64 } else { left }
    }

    /// First step sizes of x.
    fn first_steps(&mut self, iterate: &mut dyn Iterate) {
        self.learnt.first_delta.clear();
        for (i, input) in self.layout.delta.iter().enumerate() {
            let mut x = vec![0.0; iterate.len(self.layout.variables[i])];
            iterate.read(self.layout.variables[i], &mut x);
            let width = |j| entry(&self.rule.widths[i], j);
            let step = |(j, x): (usize, &f64)| (FIRST_STEP * x.abs().max(1.0)).min(FIRST_STEP * width(j));
            let mut steps: Vec<f64> = x.iter().enumerate().map(step).collect();
            if iterate.len(*input) == 1 && steps.len() != 1 {
                steps = vec![steps.iter().copied().fold(f64::INFINITY, f64::min).min(FIRST_STEP)];
            }
            iterate.write(*input, &steps);
            self.learnt.first_delta.push(steps);
        }
        self.delta.clone_from(&self.learnt.first_delta);
    }
}

impl Control for Continuation {
    fn begin(&mut self, iterate: &mut dyn Iterate) {
        let (pass, begun) = (self.now.pass, self.now.begun);
        let first = FIRST_C[(pass as usize).min(FIRST_C.len() - 1)];
        self.go_to(iterate);
        let ones: LowerArrays = self.layout.metric_companion.iter().map(|i| vec![1.0; iterate.len(*i)]).collect();
        self.learnt.diagonals = (ones.clone(), ones.clone());
        (self.learnt.metric, self.learnt.metric_y) = (ones.clone(), ones);
        self.look_around(2);
        let scale = self.problem_scale();
        self.now = Values { pass, begun, scale, c: first * scale, ..Values::new(pass, begun) };
        if let Some(c) = &self.rule.c {
            self.now.c = c.at(1);
        }
        self.set_metrics(iterate);
        self.estimate(20, 1.0, 0.0);
        for _ in 0..2 {
            self.curvature.wander();
            self.estimate(10, 1.0, 1.0);
            self.curvature.come_back();
        }
        self.first_steps(iterate);
        self.learnt.mark = self.marked().map(|i| vec![0.0; iterate.len(i)]).collect();
        self.begin_window(iterate);
    }

    fn scalars(&mut self, k: u64, values: &mut [f64]) {
        let v = &self.now;
        let at = |schedule: &Option<Schedule>, chosen: f64| schedule.as_ref().map_or(chosen, |s| s.at(k));
        let ahead = |t: f64| if self.rule.momentum && self.rule.convex { (t - 1.0) / next_t(t) } else { 0.0 };
        let place = v.ran + 1;
        let settling = v.phase == Phase::Settling;
        let looks = settling && (place == 1 || place == v.half || place == v.window);
        let moves = !settling || self.rule.alpha.is_some();
        let mut set = |number: Number, value: f64| values[number as usize] = value;
        set(Number::Alpha, at(&self.rule.alpha, 0.0));
        set(Number::Beta, at(&self.rule.beta, self.step_y()));
        set(Number::Eta, at(&self.rule.eta, 1.0 / (v.lipschitz + 1.0 / v.gamma)));
        set(Number::Gamma, v.gamma);
        set(Number::C, self.c(k));
        set(Number::AheadCompanion, ahead(v.t_theta));
        set(Number::AheadY, ahead(v.t_y));
        set(Number::Look, f64::from(u8::from(looks)));
        set(Number::Move, f64::from(u8::from(moves)));
        if self.rule.rows.is_some() {
            let step_z = at(&self.rule.alpha, v.step_z);
            values[Number::OF_ROWS..].copy_from_slice(&[v.gamma2, step_z]);
        }
    }

    fn judge(&mut self, _: u64, signals: &[f64], _: &dyn NextState) -> Verdict {
        let signal = |s: Signal| signals[s as usize];
        let (slope, change) = (signal(Signal::Slope).sqrt(), signal(Signal::Change).sqrt());
        let step_y = signal(Signal::StepY);
        let restarted = |t: f64, turn: f64| if turn > 0.0 { 1.0 } else { next_t(t) };
        let v = &mut self.now;
        v.t_theta = restarted(v.t_theta, signal(Signal::TurnCompanion));
        v.t_y = restarted(v.t_y, signal(Signal::TurnY));
        if v.phase == Phase::Moving {
            v.step_x = signal(Signal::StepX);
            if self.rule.barrier.is_some() {
                (v.rest, v.shape) = (signal(Signal::BarrierRest), signal(Signal::BarrierShape));
            }
            v.phase = Phase::Moved;
            return Verdict::Accept;
        }
        v.ran += 1;
        if v.ran == 1 {
            v.first_step_y = step_y;
        }
        let grown = step_y > BLOW_UP * v.first_step_y && step_y > NO_STEP;
        if self.learnt.anderson.is_ahead() && !step_y.is_finite() {
            // the point was not the method's: `accelerate` gives it up
        } else if (grown || !step_y.is_finite() || !slope.is_finite()) && v.returns < MOST_RETURNS {
            v.phase = Phase::Blown;
        } else if v.ran == v.half && v.ran < v.window {
            v.change_before = change;
        } else if v.ran >= v.window {
            self.window_ends(slope, change, step_y);
        }
        Verdict::Accept
    }

    fn accepted(&mut self, k: u64, iterate: &mut dyn Iterate) -> Next {
        match self.now.phase {
            Phase::Settling => self.accelerate(iterate),
            Phase::Moving => {}
            // The cause of a blow-up is some iterations old, so one rejected step would not do.
            Phase::Blown => self.take_back(iterate),
            Phase::Moved => self.moved(k, iterate),
            Phase::Done => return self.end_of_pass(k, true),
        }
        if k >= self.deadline() { self.end_of_pass(k, false) } else { Next::Continue }
    }

    fn select(&mut self, rows: &Rows) -> Result<(), Box<Diagnostic>> {
        self.now.rests = false;
        self.curvature.select(rows)
    }

    fn penalty(&self) -> Option<&'static str> {
        match self.rule.names.penalty {
            WeightName::OfLower(name) => Some(name),
            WeightName::OfUpper(_) | WeightName::Hidden => None,
        }
    }

    fn counts(&self) -> Counts {
        Counts { hvp: self.curvature.power.products(), ..Counts::default() }
    }

    fn warnings(&self) -> Vec<Diagnostic> {
        self.warnings.clone()
    }

    fn decides_convergence(&self) -> bool {
        true
    }

    fn chosen(&self) -> Vec<(&'static str, Value)> {
        let (v, names) = (&self.now, &self.rule.names);
        let step = |l: f64| 1.0 / (l + 1.0 / v.gamma);
        let penalty = match names.penalty {
            WeightName::OfLower(name) => (Some(name), v.c),
            WeightName::OfUpper(name) => (Some(name), 1.0 / (1.0 + v.c)),
            WeightName::Hidden => (None, v.c),
        };
        let numbers =
            [(names.step_y, self.step_y()), (names.step_companion, step(v.lipschitz)), (names.gamma, v.gamma), penalty];
        let gamma2 = self.rule.rows.as_ref().map(|_| ("gamma2", Value::Number(v.gamma2)));
        let named = numbers.into_iter().filter_map(|(name, value)| Some((name?, Value::Number(value))));
        named.chain(gamma2).chain(names.texts.iter().map(|(name, text)| (*name, Value::Text(text)))).collect()
    }

    fn save(&self, to: &mut Vec<u8>) {
        memory::pack(&(&self.now, self.curvature.power.memory(), &self.learnt), to);
    }

    fn load(&mut self, saved: &[u8], iterate: &mut dyn Iterate) {
        let (now, curvature, learnt): (Values, CurvatureMemory, Learnt) = memory::unpack(saved);
        self.now = now;
        self.curvature.power.recall(curvature);
        self.learnt = learnt;
        self.write_metrics(iterate);
    }
}

/// Nesterov's `t+ = (1 + sqrt(1 + 4 t^2))/2`.
fn next_t(t: f64) -> f64 {
    f64::midpoint(1.0, (1.0 + 4.0 * t * t).sqrt())
}

fn sum(blocks: &LowerArrays) -> f64 {
    blocks.iter().flatten().sum()
}
