//! K steps of a lower-level dynamics at fixed x, and the way back over the states in between. A state is y with the
//! dynamics' memory. All states are kept, or as many as a memory limit allows: those in between are computed again from
//! the nearest kept one, which gives the same bits. The scalars of a step are computed when it runs: nothing but kept
//! states has a size that grows with K.

use std::rc::Rc;

use blo_engine::limits::MEMORY;
use blo_engine::model::Bindings;
use blo_engine::model::problem::Problem;
use blo_engine::program::Scalar;
use blo_grammar::diagnostic::Diagnostic;

use crate::formula::bound_program::BoundProgram;
use crate::iteration::Rows;
use crate::iteration::counts::Counts;
use crate::iteration::counts::TrajectoryWork;
use crate::lower::binomial::advance;
use crate::lower::dynamics::{FIRST_CARRIED, LowerStep, StepRule};
use crate::lower::step_sizes::EstimatedSteps;

/// Receives the number of steps before a state, its entries, and the scalars of the step after it.
type Visit<'v, T> = dyn FnMut(u64, &[T], &[f64]) + 'v;

/// A state that is kept.
struct Kept<T> {
    /// Steps before it.
    k: u64,
    /// What the step rule carries there.
    carried: f64,
    /// Its entries, one part after the other.
    entries: Vec<T>,
}

/// The steps.
pub(crate) struct Trajectory<T: Scalar> {
    step: BoundProgram<T>,
    lower: LowerStep,
    /// Positions of the upper variables among the inputs.
    upper: Vec<usize>,
    /// Number of lower variables.
    variables: usize,
    /// Lengths of the parts of a state.
    lengths: Vec<usize>,
    steps: u64,
    rule: Rc<dyn StepRule>,
    sizes: EstimatedSteps,
    /// What the rule carries before the next step.
    carried: f64,
    /// The scalars of the last step, and while a visitor looks, of the step after the state that it is shown.
    row: Vec<f64>,
    /// States that may be kept, the start among them.
    slots: usize,
    /// Kept states, the lowest first.
    kept: Vec<Kept<T>>,
    /// Memory of states that are no longer kept.
    spare: Vec<Vec<T>>,
    /// Entries of the state that a visitor is shown.
    shown: Vec<T>,
    /// Steps that were run, and how many of them were run again.
    run: u64,
    again: u64,
}

impl<T: Scalar> Trajectory<T> {
    /// Compiles for K steps, whose scalars a rule gives. At most `bytes` are used for states, but never fewer than for
    /// two.
    ///
    /// # Errors
    /// When the memory cannot be allocated.
    pub(crate) fn new(
        problem: &Problem,
        data: &Bindings,
        threads: u64,
        lower: LowerStep,
        (rule, steps): (Rc<dyn StepRule>, u64),
        bytes: f64,
    ) -> Result<Trajectory<T>, Box<Diagnostic>> {
        let upper: Vec<usize> = problem.upper().variables.iter().map(|v| v.formal).collect();
        let step = BoundProgram::<T>::repeated(&lower.function, problem, data, threads, &lower.state, &upper)?;
        let lengths: Vec<usize> = lower.state.iter().map(|i| step.input(*i).len()).collect();
        let size = lengths.iter().sum::<usize>();
        let entries = size * size_of::<T>();
        // Half of what there is: the states are not all that a run keeps. An option counts entries, the limit all of it.
        let most = problem.limits.of(&MEMORY) as f64 / 2.0 / (entries + BESIDE + 2 * size_of::<Kept<T>>()) as f64;
        let slots = slots(steps, most.min(bytes / entries.max(1) as f64));
        Ok(Trajectory {
            row: vec![0.0; lower.scalars.len()],
            rule,
            sizes: EstimatedSteps::default(),
            carried: FIRST_CARRIED,
            shown: vec![T::default(); size],
            variables: problem.lower().variables.len(),
            step,
            lower,
            upper,
            lengths,
            steps,
            slots,
            kept: Vec::new(),
            spare: Vec::new(),
            run: 0,
            again: 0,
        })
    }

    /// Other tasks: positions for index inputs.
    ///
    /// # Errors
    /// When one is outside of what a program selects from.
    pub(crate) fn select(&mut self, rows: &Rows) -> Result<(), Box<Diagnostic>> {
        self.step.select(rows)
    }

    /// K.
    pub(crate) fn steps(&self) -> u64 {
        self.steps
    }

    /// The sizes that the scalars of the steps come from.
    pub(crate) fn sizes(&self) -> EstimatedSteps {
        self.sizes
    }

    /// Other sizes, for the next steps.
    pub(crate) fn set_sizes(&mut self, sizes: EstimatedSteps) {
        self.sizes = sizes;
    }

    /// The scalars of the last step; during [`Trajectory::replay`] those of the step that comes.
    pub(crate) fn scalars(&self) -> &[f64] {
        &self.row
    }

    /// The step size on the lower objective in the last step.
    pub(crate) fn lower_step_size(&self) -> f64 {
        self.row[self.lower.lower_step]
    }

    /// An upper variable, as it was set.
    pub(crate) fn x(&self, variable: usize) -> &[T] {
        self.step.input(self.upper[variable])
    }

    /// A lower variable at the present end of the steps.
    pub(crate) fn y(&self, variable: usize) -> &[T] {
        self.step.input(self.lower.state[variable])
    }

    /// A part of the state: a lower variable, or memory of the dynamics.
    pub(crate) fn part(&self, part: usize) -> &[T] {
        self.step.input(self.lower.state[part])
    }

    /// The cost of all steps so far.
    pub(crate) fn work(&self) -> TrajectoryWork {
        let states = self.kept.len() + self.spare.len();
        let bytes = states * self.shown.len() * size_of::<T>();
        TrajectoryWork { steps: self.run, again: self.again, states: states as u64, bytes: bytes as u64 }
    }

    /// Evaluations of all steps so far.
    pub(crate) fn counts(&self) -> Counts {
        self.lower.counts.times(self.run)
    }

    /// Sets an upper variable; [`Trajectory::go`] comes after all of them.
    pub(crate) fn set_x(&mut self, variable: usize) -> &mut [T] {
        self.step.input_mut(self.upper[variable])
    }

    /// Sets a lower variable to where something other than the steps has led.
    pub(crate) fn set_y(&mut self, variable: usize) -> &mut [T] {
        self.step.input_mut(self.lower.state[variable])
    }

    /// All K steps from a start, an array per lower variable. `see` receives the number of
    /// steps and the trajectory after every step.
    pub(crate) fn go(&mut self, start: &[Vec<T>], see: &mut dyn FnMut(u64, &Trajectory<T>)) {
        self.step.refresh();
        while let Some(kept) = self.kept.pop() {
            self.spare.push(kept.entries);
        }
        self.carried = FIRST_CARRIED;
        for (part, input) in self.lower.state.iter().enumerate() {
            self.step.set(*input, &start[part % self.variables]);
        }
        let mut next = 0;
        for k in 0..self.steps {
            if k == next && self.kept.len() < self.slots {
                self.keep(k);
                next = k + advance(self.steps - k, (self.slots - self.kept.len()) as u64);
            }
            self.advance(k);
            if self.is_stopped() {
                return;
            }
            see(k + 1, self);
        }
    }

    /// True where the work is to stop: where the steps have led means nothing then.
    pub(crate) fn is_stopped(&self) -> bool {
        self.step.is_stopped()
    }

    /// All steps again from the start, without keeping: `visit` receives the state before each of them.
    pub(crate) fn replay(&mut self, visit: &mut dyn FnMut(u64, &Trajectory<T>)) {
        self.load(0);
        for k in 0..self.steps {
            if self.is_stopped() {
                return;
            }
            self.prepare(k);
            visit(k, self);
            self.take_step();
            self.again += 1;
        }
    }

    /// The states before steps `from`, ..., `to + 1`, backwards: `visit` receives the number of steps before the state
    /// and its entries. Gives up the kept states above `to`.
    pub(crate) fn back(&mut self, from: u64, to: u64, visit: &mut Visit<'_, T>) {
        let mut end = from;
        // Nothing may be kept of steps that were cut short.
        while end > to && !self.is_stopped() {
            let last = self.kept.last().expect("the start is kept");
            let k = last.k;
            if k >= end {
                let kept = self.kept.pop().expect("it is there");
                self.spare.push(kept.entries);
                continue;
            }
            if k + 1 == end {
                self.shown.copy_from_slice(&last.entries);
                self.carried = last.carried;
            } else {
                self.load(self.kept.len() - 1);
                let mut at = k;
                let mut next = k + advance(end - k, (self.slots - self.kept.len()) as u64);
                while at + 1 < end && !self.is_stopped() {
                    self.advance(at);
                    self.again += 1;
                    at += 1;
                    if at == next && self.kept.len() < self.slots {
                        self.keep(at);
                        next = at + advance(end - at, (self.slots - self.kept.len()) as u64);
                    }
                }
                let mut shown = std::mem::take(&mut self.shown);
                self.copy_state(&mut shown);
                self.shown = shown;
            }
            end -= 1;
            self.prepare(end);
            visit(end, &self.shown, &self.row);
        }
    }

    /// One step, the one after `k`.
    fn advance(&mut self, k: u64) {
        self.prepare(k);
        self.take_step();
    }

    /// The scalars of the step after `k`.
    fn prepare(&mut self, k: u64) {
        self.rule.scalars(&self.sizes, k + 1, &mut self.carried, &mut self.row);
    }

    /// One step with the scalars of the row.
    fn take_step(&mut self) {
        for (input, value) in self.lower.scalars.iter().zip(&self.row) {
            self.step.set_scalar(*input, *value);
        }
        self.step.run();
        if self.step.is_stopped() {
            // What was cut short is not a state.
            return;
        }
        self.step.accept();
        self.run += 1;
    }

    fn keep(&mut self, k: u64) {
        let mut state = self.spare.pop().unwrap_or_else(|| vec![T::default(); self.shown.len()]);
        self.copy_state(&mut state);
        self.kept.push(Kept { k, carried: self.carried, entries: state });
    }

    fn copy_state(&self, to: &mut [T]) {
        let mut rest = to;
        for (input, length) in self.lower.state.iter().zip(&self.lengths) {
            let (part, after) = rest.split_at_mut(*length);
            part.copy_from_slice(self.step.input(*input));
            rest = after;
        }
    }

    fn load(&mut self, kept: usize) {
        self.carried = self.kept[kept].carried;
        let mut rest = self.kept[kept].entries.as_slice();
        for (input, length) in self.lower.state.iter().zip(&self.lengths) {
            let (part, after) = rest.split_at(*length);
            self.step.set(*input, part);
            rest = after;
        }
    }
}

/// Bytes that the system takes for an array beside its entries.
const BESIDE: usize = 32;

/// Most states to keep, of which so many fit. Where not all K do, more than `3 sqrt(K)` save hardly a step: with that many
/// we run no step more than twice again.
fn slots(steps: u64, fit: f64) -> usize {
    let fit = fit.floor();
    if fit >= steps as f64 {
        return steps.max(1) as usize;
    }
    let enough = 3.0 * (steps as f64).sqrt();
    fit.min(enough).max(2.0) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{MERELY_CONVEX, data, problem};
    use crate::lower::dynamics;
    use crate::lower::step_sizes::Wanted;
    use blo_engine::stop::StopReason;

    /// Sizes that fall from step to step, and a memory of its own: the number of steps.
    struct Falling;

    impl StepRule for Falling {
        fn wanted(&self) -> Wanted {
            Wanted::default()
        }

        fn scalars(&self, _: &EstimatedSteps, _: u64, carried: &mut f64, row: &mut [f64]) {
            row.fill(0.2 / *carried);
            *carried += 1.0;
        }
    }

    /// A trajectory on eq. (18) with a step that differs from k to k, and the states it should visit.
    fn trajectory(steps: u64, dynamics: &str, bytes: f64) -> (Trajectory<f64>, Vec<Vec<f64>>) {
        let problem = problem(MERELY_CONVEX);
        let lower = dynamics::by_name(dynamics).on(&problem);
        let mut t =
            Trajectory::<f64>::new(&problem, &data(&problem), 1, lower, (Rc::new(Falling), steps), bytes).unwrap();
        for (i, v) in t.set_x(0).iter_mut().enumerate() {
            *v = i as f64;
        }
        let mut states = vec![vec![2.0; t.shown.len()]];
        t.go(&[vec![2.0; 50], vec![2.0; 50]], &mut |_, t| {
            let mut state = vec![0.0; t.shown.len()];
            t.copy_state(&mut state);
            states.push(state);
        });
        (t, states)
    }

    #[test]
    fn the_way_back_shows_the_bits_of_the_way_there_whatever_is_kept() {
        for dynamics in ["gradient", "nesterov"] {
            for steps in [1, 2, 7, 40, 100] {
                let size = if dynamics == "nesterov" { 1600.0 } else { 800.0 };
                for states in [2.0, 3.0, 5.0, 17.0, f64::INFINITY] {
                    let (mut t, states_there) = trajectory(steps, dynamics, states * size);
                    for (from, to) in [(steps, 0), (steps - steps / 3, steps / 4)] {
                        let mut seen = Vec::new();
                        t.go(&[vec![2.0; 50], vec![2.0; 50]], &mut |_, _| {});
                        t.back(from, to, &mut |k, state, numbers| {
                            assert_eq!(state, states_there[k as usize]);
                            assert_eq!(numbers[0], 0.2 / (1.0 + k as f64));
                            seen.push(k);
                        });
                        assert_eq!(seen, (to..from).rev().collect::<Vec<_>>());
                    }
                    let most = if states.is_finite() { states as usize } else { steps as usize };
                    assert!(t.work().states <= most.max(2) as u64, "{:?}", t.work());
                }
            }
        }
    }

    #[test]
    fn what_is_kept_is_enough_to_run_every_step_at_most_twice_again() {
        let (mut t, _) = trajectory(400, "gradient", 100.0 * 800.0);
        t.back(400, 0, &mut |_, _, _| {});
        assert_eq!(t.slots, 60);
        assert!(t.work().again <= 2 * 400, "{:?}", t.work());
    }

    /// Numbers of a state a step, and of nothing else: K may be any number.
    #[test]
    fn a_stop_ends_any_number_of_steps() {
        let problem = problem(MERELY_CONVEX);
        for dynamics in ["gradient", "nesterov"] {
            let (lower, data) = (dynamics::by_name(dynamics).on(&problem), data(&problem));
            let rule = (Rc::new(Falling) as Rc<dyn StepRule>, 1_000_000_000_000);
            let mut t = Trajectory::<f64>::new(&problem, &data, 1, lower, rule, 1e4).unwrap();
            let start = [vec![2.0; 50], vec![2.0; 50]];
            t.go(&start, &mut |k, _| {
                if k == 100 {
                    data.stop.stop(StopReason::TimeLimit);
                }
            });
            assert!(t.is_stopped() && t.work().steps == 100, "{:?}", t.work());
            assert!(t.work().bytes <= 10_000, "{:?}", t.work());
        }
    }
}
