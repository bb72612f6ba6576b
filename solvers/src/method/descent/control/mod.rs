//! What runs beside the upper step: the lower steps, the hypergradient, and the choice of the upper step size.
//!
//! With a stated `alpha_x` the control accepts every step. Without one it safeguards the step size: projected gradient
//! steps of Barzilai-Borwein length with a nonmonotone decrease of the objective (Birgin, Martinez, Raydan, SIAM J. Optim.
//! 2000, SPG); momentum and Adam grow and halve theirs by the same test. `F(x, y_K(x))` is a function of x only while the
//! lower steps start at the same y. With a warm start they are repeated from their end until the change in F is small
//! against the step's decrease (the inexactness of HOAG, Pedregosa, ICML 2016, by the objective): else x would be chosen
//! for a y that lags, and where the lower level is slow that y can look better than any solution.

mod objective;
mod step_size;

use std::rc::Rc;

use blo_engine::model::has_tasks;
use blo_engine::program;
use blo_grammar::diagnostic::Diagnostic;
use serde::{Deserialize, Serialize, Serializer};

use objective::ENOUGH;

use crate::formula::upper_update;
use crate::hypergradient::{Hypergradient, Setup};
use crate::iteration::control::{Control, Iterate, LowerRun, Next, NextState, Verdict};
use crate::iteration::counts::{Counts, TrajectoryWork};
use crate::iteration::{Context, Rows, memory};
use crate::lower::dynamics;
use crate::lower::step_sizes::{EstimatedSteps, LowerStepSizes, PointKind, StepSizesMemory, Wanted};
use crate::lower::trajectory::Trajectory;
use crate::message;
use crate::method::StepsStart;
use crate::method::descent::choice::Choice;
use crate::method::descent::values::DescentValues;
use crate::method::descent::{DescentInputs, DescentNumber, DescentSignal};
use crate::options::value::Value;

/// The run gives up after so many rejected steps in a row.
const MOST_REJECTED: u64 = 40;

/// After so many rejected steps in a row the control resets what momentum and Adam remember: it may point uphill.
const MOST_UPHILL: u64 = 4;

/// What may help where the hypergradient is wrong.
const OF_STEPS: &str =
    "the lower steps are too large, so that they do not settle: leave the stated step out, and the method chooses it";
const OF_ACCURACY: &str = "the hypergradient is inaccurate: increase `K`, or choose another `gradient`";

/// What a checkpoint holds beside arrays of the lower level and vectors of the upper one.
#[derive(Serialize, Deserialize)]
struct Learnt<'a> {
    now: DescentValues,
    /// Evaluations of the whole run, and the work of its lower steps.
    counts: Counts,
    work: TrajectoryWork,
    step_sizes: StepSizesMemory<'a>,
    /// The sizes that the numbers of the lower steps come from.
    sizes: EstimatedSteps,
}

/// Arrays written in double precision, whatever the run has: what is written has one form.
struct InDouble<'a, T>(&'a [Vec<T>]);

impl<T: program::Scalar> Serialize for InDouble<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|values| Doubles(values)))
    }
}

/// One of them.
struct Doubles<'a, T>(&'a [T]);

impl<T: program::Scalar> Serialize for Doubles<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|value| value.to_f64()))
    }
}

/// The control of a run.
pub(super) struct Descent<T: program::Scalar> {
    layout: DescentInputs,
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
    /// The same of the lower steps.
    work_before: TrajectoryWork,
    own_work_before: TrajectoryWork,
    now: DescentValues,
    /// The sizes of each round of lower steps of the last objective.
    ran: Vec<EstimatedSteps>,
    /// This run draws new tasks.
    resamples: bool,
    /// The present tasks are new: the iterate has not been evaluated with them.
    fresh: bool,
    /// Every iteration has its own batch of rows: a small residual on one of them ends nothing.
    has_batches: bool,
}

impl<T: program::Scalar> Descent<T> {
    pub(super) fn new(
        context: &Context<'_>,
        choice: Choice<T>,
        layout: DescentInputs,
    ) -> Result<Descent<T>, Box<Diagnostic>> {
        let Context { problem, data, options } = *context;
        let threads = options.threads;
        let steps = problem.in_steps();
        let lower = choice.axes.dynamics.on(steps);
        let setup = Setup { problem: steps, data, threads, lower: &lower };
        let estimator = (choice.estimator)(&setup)?;
        let trajectory = choice.trajectory(&setup, choice.memory)?;
        // with rows, the lower level is solved, and nothing steps
        let solves = !problem.lower().constraints.is_empty();
        let wanted = if solves { Wanted::default() } else { choice.rule.wanted() };
        let step_sizes = LowerStepSizes::new(problem, data, wanted, threads, options.seed)?;
        let zeros = |lengths: &[usize]| lengths.iter().map(|n| vec![T::default(); *n]).collect::<Vec<_>>();
        let upper: Vec<usize> = (0..layout.upper.len()).map(|i| trajectory.x(i).len()).collect();
        let lower: Vec<usize> = (0..layout.lower.len()).map(|i| trajectory.y(i).len()).collect();
        let of_z = if choice.axes.start == StepsStart::Auxiliary { lower.iter().sum::<usize>() } else { 0 };
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
            work_before: TrajectoryWork::default(),
            own_work_before: TrajectoryWork::default(),
            now: DescentValues::new(),
            ran: Vec::with_capacity(objective::MOST_REPEATS),
            resamples: options.resample > 0 && has_tasks(problem),
            fresh: false,
            has_batches: problem.batches.is_some(),
        })
    }

    /// What residuals are measured against.
    fn reference(&self) -> f64 {
        if self.now.reference > 0.0 { self.now.reference } else { 1.0 }
    }

    /// Evaluations of this process.
    fn own_counts(&self) -> Counts {
        self.trajectory.counts().plus(self.estimator.counts()).plus(self.step_sizes.counts())
    }

    /// After the last step on a draw of tasks, which does not end a run that draws others. Until the next draw x rests.
    fn ends(&mut self, converged: bool) -> Next {
        if !self.resamples {
            return Next::EndOfPass { converged, last: true };
        }
        self.now.stalled |= self.choice.alpha_x.is_none();
        Next::Continue
    }

    /// Evaluates at the iterate with new tasks, whose followers are at their start. Objectives and slopes of other tasks
    /// belong to another function and are forgotten; the step size and the memory of the update rule for x stay.
    fn evaluate_new_tasks(&mut self, iterate: &mut dyn Iterate) {
        if self.choice.axes.start == StepsStart::Auxiliary {
            forget(self.layout.memory_of_z(), iterate);
        }
        let DescentValues { first, residual, reference, iteration, distance, .. } = self.now;
        let step = self.next_step_of_draw(first);
        self.now = DescentValues { step, first, residual, reference, iteration, distance, ..DescentValues::new() };
        self.evaluate(PointKind::OtherTasks, iterate);
    }
}

impl<T: program::Scalar> Control for Descent<T> {
    fn begin(&mut self, iterate: &mut dyn Iterate) {
        self.now = DescentValues::new();
        self.evaluate(PointKind::First, iterate);
        self.now.step = self.first_step();
        self.now.first = self.now.step;
    }

    fn measure_against(&mut self, residual: f64) {
        self.now.reference = self.now.reference.max(residual);
    }

    fn scalars(&mut self, k: u64, values: &mut [f64]) {
        let safe = if self.now.stalled || self.now.forgets { 0.0 } else { self.now.step };
        let x = self.choice.alpha_x.as_ref().map_or(safe, |s| s.at(k));
        let z = match (&self.choice.alpha_z, &self.choice.alpha_x) {
            (Some(z), _) => z.at(k),
            (None, _) => x,
        };
        let [first, second] = upper_update::corrections(k);
        values[DescentNumber::X as usize] = x;
        values[DescentNumber::Z as usize] = z;
        values[DescentNumber::First as usize] = first;
        values[DescentNumber::Second as usize] = second;
    }

    fn judge(&mut self, _: u64, signals: &[f64], next: &dyn NextState) -> Verdict {
        let [residual, slope, moved] = [DescentSignal::Residual, DescentSignal::Slope, DescentSignal::Moved]
            .map(|signal| signals[signal as usize]);
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
        if self.evaluate_trial(next) && self.is_descent(slope) {
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
        self.now.iteration = k;
        if k <= 2 {
            self.now.reference = self.now.reference.max(self.now.residual);
        }
        if std::mem::take(&mut self.fresh) {
            self.evaluate_new_tasks(iterate);
            return Next::Continue;
        }
        if forgets {
            return Next::Continue;
        }
        let converged = !self.has_batches && self.now.residual <= self.tol * self.reference() && self.knows_enough();
        if self.now.stalled {
            return self.ends(converged);
        }
        std::mem::swap(&mut self.point, &mut self.point_before);
        std::mem::swap(&mut self.slope, &mut self.slope_before);
        self.read_point(iterate);
        if self.choice.alpha_x.is_some() || self.keeps_sizes() {
            if self.choice.axes.start == StepsStart::Warm {
                self.from.clone_from(&self.end);
            }
            let parts = self.parts.clone();
            let mut read = |i: usize, to: &mut [f64]| iterate.read(parts[i], to);
            self.now.trial = match self.repeats() {
                true => self.repeated_objective(self.now.objective, ENOUGH, PointKind::Nearby, &mut read).0,
                false => self.objective(PointKind::Nearby, &mut read),
            };
        }
        self.now.noise = self.now.trial_noise;
        self.differentiate(iterate);
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

    fn next_batch(&mut self, rows: &Rows) -> Result<(), Box<Diagnostic>> {
        self.trajectory.select(rows)?;
        self.estimator.select(rows)
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

    fn unsolved_at(&self) -> Option<&[f64]> {
        self.estimator.unsolved_at()
    }

    fn work(&self) -> Option<TrajectoryWork> {
        Some(self.trajectory.work().after(self.work_before, self.own_work_before))
    }

    fn counts(&self) -> Counts {
        self.before.plus(self.own_counts().minus(self.own_before))
    }

    fn warnings(&self) -> Vec<Diagnostic> {
        let mut found = self.estimator.warnings();
        let reference = self.reference();
        if self.now.stalled && self.now.residual > self.tol * reference {
            let remedy = if self.choice.rule.wanted().lower { OF_ACCURACY } else { OF_STEPS };
            found.push(message::no_descent(self.now.residual, reference, remedy));
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

    fn lower_run(&self) -> Option<LowerRun> {
        let width = self.trajectory.scalars().len();
        let numbers = |sizes: &EstimatedSteps| {
            let mut carried = dynamics::FIRST_CARRIED;
            let of_step = |k| {
                let mut row = vec![0.0; width];
                self.choice.rule.scalars(sizes, k, &mut carried, &mut row);
                row
            };
            Rc::new((1..=self.trajectory.steps()).map(of_step).collect::<Vec<_>>())
        };
        let now = [self.trajectory.sizes()];
        let ran = if self.ran.is_empty() { &now[..] } else { &self.ran };
        let mut rounds: Vec<Rc<Vec<Vec<f64>>>> = Vec::new();
        for (round, sizes) in ran.iter().enumerate() {
            let again =
                round.checked_sub(1).filter(|before| ran[*before] == *sizes).map(|before| rounds[before].clone());
            rounds.push(again.unwrap_or_else(|| numbers(sizes)));
        }
        Some(LowerRun { rounds })
    }

    fn save(&self, to: &mut Vec<u8>) {
        let learnt = Learnt {
            now: self.now,
            counts: self.counts(),
            work: self.trajectory.work().after(self.work_before, self.own_work_before),
            step_sizes: self.step_sizes.memory(),
            sizes: self.trajectory.sizes(),
        };
        let vectors = [&self.point, &self.slope, &self.point_before, &self.slope_before];
        memory::pack(&(learnt, InDouble(&self.from), InDouble(&self.here), vectors), to);
    }

    fn load(&mut self, saved: &[u8], iterate: &mut dyn Iterate) {
        type Arrays = Vec<Vec<f64>>;
        let (learnt, from, here, vectors): (Learnt<'_>, Arrays, Arrays, [Vec<f64>; 4]) = memory::unpack(saved);
        self.now = learnt.now;
        self.before = learnt.counts;
        self.step_sizes.recall(learnt.step_sizes);
        self.own_before = self.own_counts();
        self.work_before = learnt.work;
        self.own_work_before = self.trajectory.work();
        for (to, from) in [(&mut self.from, &from), (&mut self.here, &here)] {
            to.iter_mut().flatten().zip(from.iter().flatten()).for_each(|(to, v)| *to = T::from_f64(*v));
        }
        self.trajectory.set_sizes(learnt.sizes);
        [self.point, self.slope, self.point_before, self.slope_before] = vectors;
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
