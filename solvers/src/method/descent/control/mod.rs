//! What runs beside the upper step: the lower steps, the hypergradient, and the choice of the upper step size.
//!
//! With a stated `alpha_x` every step is taken. Without one the step size is safeguarded: projected gradient steps of
//! Barzilai-Borwein length with a nonmonotone decrease of the objective (Birgin, Martinez, Raydan, SIAM J. Optim. 2000,
//! SPG); momentum and Adam grow and halve theirs by the same test. `F(x, y_K(x))` is a function of x only while the lower
//! steps start where they did. With a warm start they are taken again and again from where they ended, until what that
//! changes is small against what the step gains (the inexactness of HOAG, Pedregosa, ICML 2016, by the objective): else x
//! would be chosen for a y that lags, and where the lower level is slow that y can look better than any solution.

mod step_size;

use std::rc::Rc;

use blo_engine::model::has_tasks;
use blo_engine::program;
use blo_grammar::diagnostic::Diagnostic;
use serde::{Deserialize, Serialize};

use self::step_size::NEGLIGIBLE;
use crate::formula::upper_update;
use crate::hypergradient::{Hypergradient, Setup};
use crate::iteration::control::{Control, Iterate, Next, NextState, Verdict};
use crate::iteration::counts::{Counts, TrajectoryWork};
use crate::iteration::{Context, Rows, memory};
use crate::lower::dynamics;
use crate::lower::step_sizes::{LowerStepSizes, MOST_REFITS, PointKind, StepSizesMemory};
use crate::lower::trajectory::Trajectory;
use crate::message;
use crate::method::descent::choice::{Choice, StartRule};
use crate::method::descent::values::Values;
use crate::method::descent::{Layout, Number, Signal};
use crate::options::value::Value;

/// Steps in a row that are taken back before the run gives up.
const MOST_REJECTED: u64 = 40;

/// With a warm start, lower steps are taken again until what they would still change of the objective is less than this
/// share of what the step gains (of the objective itself, before the first), but only so often.
const SETTLED: f64 = 0.1;
const SETTLED_AT_FIRST: f64 = 1e-4;
const MOST_BLOCKS: usize = 200;

/// The largest ratio of successive moves that is believed.
const SLOWEST: f64 = 0.99;

/// A trial whose lower steps do not settle is too far, unless so many have been taken back already.
const MOST_UNSETTLED: u64 = 5;

/// After so many steps in a row that were taken back, what momentum and Adam remember is forgotten: it may point uphill.
const MOST_UPHILL: u64 = 4;

/// What a checkpoint holds.
#[derive(Serialize, Deserialize)]
struct Saved {
    now: Values,
    /// Evaluations of the whole run.
    counts: Counts,
    step_sizes: StepSizesMemory,
    from: Vec<Vec<f64>>,
    here: Vec<Vec<f64>>,
    /// The numbers of the lower steps.
    numbers: Vec<f64>,
    /// The point and the slope, now and before the last step.
    vectors: [Vec<f64>; 4],
}

/// The control of a run.
pub(super) struct Descent<T: program::Scalar> {
    layout: Layout,
    /// The parts of u = (x, z) among the inputs, and among the parts of the state, which are x, y, z, ...
    parts: Rc<[usize]>,
    places: Rc<[usize]>,
    choice: Choice<T>,
    tol: f64,
    trajectory: Trajectory<T>,
    estimator: Box<dyn Hypergradient<T>>,
    step_sizes: LowerStepSizes,
    /// Differences of the objective below this share of it are rounding.
    rounding: f64,
    /// Where the lower steps of the present objective start, and where they end.
    from: Vec<Vec<T>>,
    end: Vec<Vec<T>>,
    /// Where they ended at the iterate.
    here: Vec<Vec<T>>,
    /// The hypergradient, per variable.
    g_x: Vec<Vec<T>>,
    g_z: Vec<Vec<T>>,
    /// x and z, one after the other, and the hypergradient; now and before the last step.
    point: Vec<f64>,
    slope: Vec<f64>,
    point_before: Vec<f64>,
    slope_before: Vec<f64>,
    /// Numbers on their way between precisions.
    buffer: Vec<f64>,
    /// Evaluations when the run was resumed, and those of this process by then.
    before: Counts,
    own_before: Counts,
    now: Values,
    /// Tasks are drawn anew in this run.
    resamples: bool,
    /// Tasks that the iterate has not been seen with.
    fresh: bool,
}

impl<T: program::Scalar> Descent<T> {
    pub(super) fn new(context: &Context<'_>, choice: Choice<T>, layout: Layout) -> Result<Descent<T>, Box<Diagnostic>> {
        let Context { problem, data, options } = *context;
        let threads = options.threads;
        let lower = choice.axes.dynamics.on(problem);
        let estimator = (choice.estimator)(&Setup { problem, data, threads, lower: &lower })?;
        let step_sizes = LowerStepSizes::new(problem, data, choice.rule.wanted(), threads, options.seed)?;
        let trajectory = Trajectory::<T>::new(problem, data, threads, lower, choice.lower_steps, choice.memory)?;
        let zeros = |lengths: &[usize]| lengths.iter().map(|n| vec![T::default(); *n]).collect::<Vec<_>>();
        let upper: Vec<usize> = (0..layout.upper.len()).map(|i| trajectory.x(i).len()).collect();
        let lower: Vec<usize> = (0..layout.lower.len()).map(|i| trajectory.y(i).len()).collect();
        let of_z = if choice.axes.start == StartRule::Auxiliary { lower.iter().sum::<usize>() } else { 0 };
        let all = upper.iter().sum::<usize>() + of_z;
        let longest = upper.iter().chain(&lower).copied().max().unwrap_or(0);
        let count = layout.upper.len();
        let z = count + layout.lower.len();
        Ok(Descent {
            parts: layout.upper.iter().chain(&layout.auxiliary).copied().collect(),
            places: (0..count).chain(z..z + layout.auxiliary.len()).collect(),
            layout,
            choice,
            tol: options.tol,
            trajectory,
            estimator,
            step_sizes,
            rounding: if size_of::<T>() == 4 { 1e-6 } else { 1e-13 },
            from: zeros(&lower),
            end: zeros(&lower),
            here: zeros(&lower),
            g_x: zeros(&upper),
            g_z: zeros(&lower),
            point: vec![0.0; all],
            slope: vec![0.0; all],
            point_before: vec![0.0; all],
            slope_before: vec![0.0; all],
            buffer: vec![0.0; longest],
            before: Counts::default(),
            own_before: Counts::default(),
            now: Values::new(),
            resamples: options.resample > 0 && has_tasks(problem),
            fresh: false,
        })
    }

    /// Lower steps are taken until they settle.
    fn settles(&self) -> bool {
        self.choice.axes.start == StartRule::Warm && self.choice.alpha_x.is_none()
    }

    /// Trials keep the lower step sizes of the iterate. Where tasks change, so do sizes, and with smaller ones any x seems
    /// worse: no step is short enough to be a descent then, and x stands still.
    fn keeps_sizes(&self) -> bool {
        self.resamples && !self.settles() && self.choice.alpha_x.is_none()
    }

    /// What residuals are measured against.
    fn reference(&self) -> f64 {
        if self.now.reference > 0.0 { self.now.reference } else { 1.0 }
    }

    /// The objective at the point whose parts `read` copies out, by their place in u. Lower steps start at z, or where
    /// the present ones do.
    fn objective(&mut self, point: PointKind, read: &mut dyn FnMut(usize, &mut [f64])) -> f64 {
        let upper = self.layout.upper.len();
        for variable in 0..upper {
            copy(self.trajectory.set_x(variable), &mut self.buffer, &mut |buffer| read(variable, buffer));
        }
        if self.choice.axes.start == StartRule::Auxiliary {
            for (variable, to) in self.from.iter_mut().enumerate() {
                copy(to, &mut self.buffer, &mut |buffer| read(upper + variable, buffer));
            }
        }
        let (t, from) = (&self.trajectory, &self.from);
        // The variables are the first inputs: upper, then lower.
        let copy_out = |values: &[T], to: &mut [f64]| to.iter_mut().zip(values).for_each(|(to, v)| *to = v.to_f64());
        let mut sizes = self.step_sizes.at(point, &mut |input, to| {
            copy_out(if input < upper { t.x(input) } else { &from[input - upper] }, to);
        });
        let width = self.trajectory.width();
        let mut objective = f64::NAN;
        for _ in 0..MOST_REFITS {
            dynamics::fill(&*self.choice.rule, &sizes, width, &mut self.trajectory.numbers);
            objective = self.estimator.objective(&mut self.trajectory, &self.from);
            for (variable, to) in self.end.iter_mut().enumerate() {
                to.copy_from_slice(self.trajectory.y(variable));
            }
            let (t, end) = (&self.trajectory, &self.end);
            let fits = point == PointKind::SameSizes
                || self.step_sizes.fit_end(&mut |input, to| {
                    copy_out(if input < upper { t.x(input) } else { &end[input - upper] }, to);
                });
            if fits {
                break;
            }
            sizes = self.step_sizes.sizes();
        }
        objective
    }

    /// The objective with a warm start, from y as it is at the iterate: lower steps from where they end, until what they
    /// would still move y by changes the objective, to first order, by less than a share of its distance from `other`.
    /// Tells whether they do. (Changes of the objective itself do not tell: on held-out data it falls, turns, and rises.)
    fn settled(
        &mut self,
        other: f64,
        share: f64,
        point: PointKind,
        read: &mut dyn FnMut(usize, &mut [f64]),
    ) -> (f64, bool) {
        let (mut value, mut moved) = (f64::NAN, f64::NAN);
        for block in 0..MOST_BLOCKS {
            if block > 0 {
                std::mem::swap(&mut self.from, &mut self.end);
            }
            value = self.objective(if block == 0 { point } else { PointKind::Nearby }, read);
            if !value.is_finite() {
                return (value, true);
            }
            let before = moved;
            let squares = self.end.iter().flatten().zip(self.from.iter().flatten());
            moved = squares.map(|(a, b)| (a.to_f64() - b.to_f64()).powi(2)).sum::<f64>().sqrt();
            // What is left of a geometric series, whose ratio must be known: a small move may be one of slow steps.
            let ratio = if before.is_nan() { SLOWEST } else { (moved / before).min(SLOWEST) };
            let left = if moved > 0.0 { moved * ratio / (1.0 - ratio) } else { 0.0 };
            self.now.trial_noise = left * self.estimator.ends().lower_slope();
            let enough = (share * (value - other).abs()).max(self.rounding * NEGLIGIBLE * value.abs());
            if self.now.trial_noise <= enough {
                return (value, true);
            }
        }
        (value, false)
    }

    /// The hypergradient where [`Descent::objective`] was computed last, and the end of the steps there.
    fn settle(&mut self, iterate: &mut dyn Iterate) {
        for (values, input) in self.end.iter().zip(&self.layout.lower) {
            let buffer = &mut self.buffer[..values.len()];
            buffer.iter_mut().zip(values).for_each(|(to, v)| *to = v.to_f64());
            iterate.write(*input, buffer);
        }
        for (here, end) in self.here.iter_mut().zip(&self.end) {
            here.copy_from_slice(end);
        }
        self.estimator.gradient(&mut self.trajectory, &mut self.g_x, &mut self.g_z);
        let of_z = if self.choice.axes.start == StartRule::Auxiliary { self.g_z.as_slice() } else { &[] };
        let values = self.g_x.iter().chain(of_z).flatten();
        self.slope.iter_mut().zip(values).for_each(|(to, v)| *to = v.to_f64());
        self.write_slope(iterate);
    }

    /// The objective and the hypergradient at the iterate, from the lower point there.
    fn evaluate(&mut self, point: PointKind, iterate: &mut dyn Iterate) {
        for (to, input) in self.from.iter_mut().zip(&self.layout.lower) {
            copy(to, &mut self.buffer, &mut |buffer| iterate.read(*input, buffer));
        }
        let parts = self.parts.clone();
        let mut read = |i: usize, to: &mut [f64]| iterate.read(parts[i], to);
        self.now.objective = match self.settles() {
            true => self.settled(0.0, SETTLED_AT_FIRST, point, &mut read).0,
            false => self.objective(point, &mut read),
        };
        self.now.noise = self.now.trial_noise;
        self.settle(iterate);
        self.read_point(iterate);
    }

    fn write_slope(&self, iterate: &mut dyn Iterate) {
        let mut rest = self.slope.as_slice();
        for input in &self.layout.slope {
            let (part, after) = rest.split_at(iterate.len(*input));
            iterate.write(*input, part);
            rest = after;
        }
    }

    fn read_point(&mut self, iterate: &dyn Iterate) {
        let mut rest = self.point.as_mut_slice();
        for input in self.parts.iter() {
            let (part, after) = rest.split_at_mut(iterate.len(*input));
            iterate.read(*input, part);
            rest = after;
        }
    }

    /// Evaluations of this process.
    fn own_counts(&self) -> Counts {
        self.trajectory.counts().plus(self.estimator.counts()).plus(self.step_sizes.counts())
    }

    /// After the last step on a draw of tasks: where they stand there does not end a run that draws others. Until then
    /// x rests.
    fn ends(&mut self, converged: bool) -> Next {
        if !self.resamples {
            return Next::EndOfPass { converged, last: true };
        }
        self.now.stalled |= self.choice.alpha_x.is_none();
        Next::Continue
    }

    /// Evaluates at the iterate with new tasks, whose followers are at their start. Objectives and slopes of other tasks
    /// are of another function; the step size is not, nor what the update rule remembers of x.
    fn look_anew(&mut self, iterate: &mut dyn Iterate) {
        if self.choice.axes.start == StartRule::Auxiliary {
            forget(self.layout.memory_of_z(), iterate);
        }
        let Values { first, residual, reference, .. } = self.now;
        let step = self.next_step_of_draw(first);
        self.now = Values { step, first, residual, reference, ..Values::new() };
        self.evaluate(PointKind::OtherTasks, iterate);
    }
}

impl<T: program::Scalar> Control for Descent<T> {
    fn begin(&mut self, iterate: &mut dyn Iterate) {
        self.now = Values::new();
        self.evaluate(PointKind::First, iterate);
        self.now.step = self.first_step();
        self.now.first = self.now.step;
    }

    fn scalars(&mut self, k: u64, values: &mut [f64]) {
        let safe = if self.now.stalled || self.now.forgets { 0.0 } else { self.now.step };
        let x = self.choice.alpha_x.as_ref().map_or(safe, |s| s.at(k));
        let z = match (&self.choice.alpha_z, &self.choice.alpha_x) {
            (Some(z), _) => z.at(k),
            (None, _) => x,
        };
        let [first, second] = upper_update::corrections(k);
        values[Number::X as usize] = x;
        values[Number::Z as usize] = z;
        values[Number::First as usize] = first;
        values[Number::Second as usize] = second;
    }

    fn judge(&mut self, _: u64, signals: &[f64], next: &dyn NextState) -> Verdict {
        let [residual, slope, moved] =
            [Signal::Residual, Signal::Slope, Signal::Moved].map(|signal| signals[signal as usize]);
        self.now.residual = residual.sqrt();
        if self.now.forgets {
            return Verdict::Accept;
        }
        if moved == 0.0 && self.choice.alpha_x.is_none() {
            // What is remembered may push against a bound. Without it a step that moves nothing is the last one, whether
            // the slope is zero or the step too short to be seen.
            if !self.layout.memory.is_empty() && self.now.rejected == 0 && residual > 0.0 {
                (self.now.rejected, self.now.forgets) = (1, true);
                return Verdict::Reject;
            }
            self.now.stalled = true;
        }
        if self.choice.alpha_x.is_some() || self.now.stalled {
            return Verdict::Accept;
        }
        let places = self.places.clone();
        let mut read = |i: usize, to: &mut [f64]| next.read(places[i], to);
        let mut settled = true;
        self.now.trial = if self.settles() {
            self.from.clone_from(&self.here);
            let (value, enough) = self.settled(self.now.objective, SETTLED, PointKind::Nearby, &mut read);
            settled = enough || self.now.rejected >= MOST_UNSETTLED;
            value
        } else {
            self.objective(if self.keeps_sizes() { PointKind::SameSizes } else { PointKind::Nearby }, &mut read)
        };
        if settled && self.is_descent(slope) {
            return Verdict::Accept;
        }
        self.now.rejected += 1;
        if self.now.rejected >= MOST_REJECTED {
            self.now.stalled = true;
        } else {
            self.shorten(slope);
            self.now.forgets = !self.layout.memory.is_empty() && self.now.rejected.is_multiple_of(MOST_UPHILL);
        }
        Verdict::Reject
    }

    fn accepted(&mut self, k: u64, iterate: &mut dyn Iterate) -> Next {
        let forgets = std::mem::take(&mut self.now.forgets);
        if forgets {
            forget(&self.layout.memory, iterate);
        }
        if k <= 2 {
            self.now.reference = self.now.reference.max(self.now.residual);
        }
        if std::mem::take(&mut self.fresh) {
            self.look_anew(iterate);
            return Next::Continue;
        }
        if forgets {
            return Next::Continue;
        }
        let converged = self.now.residual <= self.tol * self.reference();
        if self.now.stalled {
            return self.ends(converged);
        }
        std::mem::swap(&mut self.point, &mut self.point_before);
        std::mem::swap(&mut self.slope, &mut self.slope_before);
        self.read_point(iterate);
        if self.choice.alpha_x.is_some() || self.keeps_sizes() {
            if self.choice.axes.start == StartRule::Warm {
                self.from.clone_from(&self.end);
            }
            let parts = self.parts.clone();
            self.now.trial = self.objective(PointKind::Nearby, &mut |i, to| iterate.read(parts[i], to));
        }
        self.now.noise = self.now.trial_noise;
        self.settle(iterate);
        self.now.last.rotate_right(1);
        self.now.last[0] = self.now.objective;
        self.now.objective = self.now.trial;
        self.now.stalled = self.choice.alpha_x.is_none() && self.stands_still();
        self.now.step = self.next_step();
        self.now.rejected = 0;
        if converged || self.now.stalled { self.ends(converged) } else { Next::Continue }
    }

    fn select(&mut self, rows: &Rows) -> Result<(), Box<Diagnostic>> {
        self.fresh = true;
        self.trajectory.select(rows)?;
        self.estimator.select(rows)?;
        self.step_sizes.select(rows)
    }

    fn looks_ahead(&self) -> bool {
        true
    }

    fn decides_convergence(&self) -> bool {
        true
    }

    fn lower_steps(&self) -> Option<u64> {
        Some(self.trajectory.steps())
    }

    fn work(&self) -> Option<TrajectoryWork> {
        Some(self.trajectory.work())
    }

    fn counts(&self) -> Counts {
        self.before.plus(self.own_counts().minus(self.own_before))
    }

    fn warnings(&self) -> Vec<Diagnostic> {
        let mut found = self.estimator.warnings();
        let reference = self.reference();
        if self.now.stalled && self.now.residual > self.tol * reference {
            found.push(message::no_descent(self.now.residual, reference));
        }
        found
    }

    fn chosen(&self) -> Vec<(&'static str, Value)> {
        let mut chosen = dynamics::automatic(&self.step_sizes.sizes());
        chosen.push(("alpha_x", Value::Number(self.now.step)));
        let z = self.choice.alpha_x.as_ref().map_or(Value::Number(self.now.step), |s| Value::Schedule(s.clone()));
        chosen.push(("alpha_z", z));
        chosen
    }

    fn save(&self) -> Vec<u8> {
        let in_double = |arrays: &[Vec<T>]| -> Vec<Vec<f64>> {
            arrays.iter().map(|values| values.iter().map(|v| v.to_f64()).collect()).collect()
        };
        memory::pack(&Saved {
            now: self.now,
            counts: self.counts(),
            step_sizes: self.step_sizes.memory(),
            from: in_double(&self.from),
            here: in_double(&self.here),
            numbers: self.trajectory.numbers.clone(),
            vectors: [&self.point, &self.slope, &self.point_before, &self.slope_before].map(Vec::clone),
        })
    }

    fn load(&mut self, saved: &[u8], iterate: &mut dyn Iterate) {
        let saved: Saved = memory::unpack(saved);
        self.now = saved.now;
        self.before = saved.counts;
        self.step_sizes.recall(saved.step_sizes);
        self.own_before = self.own_counts();
        for (to, from) in [(&mut self.from, &saved.from), (&mut self.here, &saved.here)] {
            to.iter_mut().flatten().zip(from.iter().flatten()).for_each(|(to, v)| *to = T::from_f64(*v));
        }
        self.trajectory.numbers = saved.numbers;
        [self.point, self.slope, self.point_before, self.slope_before] = saved.vectors;
        self.end.clone_from(&self.here);
        self.fresh = false;
        self.write_slope(iterate);
    }
}

/// Puts zeros into inputs.
fn forget(inputs: &[usize], iterate: &mut dyn Iterate) {
    for input in inputs {
        let zeros = vec![0.0; iterate.len(*input)];
        iterate.write(*input, &zeros);
    }
}

/// Fills an array with numbers that come as f64, by way of a buffer that is at least as long.
fn copy<T: program::Scalar>(to: &mut [T], buffer: &mut [f64], read: &mut dyn FnMut(&mut [f64])) {
    let buffer = &mut buffer[..to.len()];
    read(buffer);
    to.iter_mut().zip(buffer).for_each(|(to, v)| *to = T::from_f64(*v));
}
