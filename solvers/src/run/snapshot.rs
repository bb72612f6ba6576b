//! A run at one iteration, kept to come back to, and the search for the iteration that made a value not finite: the
//! iterations since the last snapshot are run again, one by one, which gives the same bits.

use std::sync::Arc;

use blo_engine::graph::Function;
use blo_engine::program::Scalar;

use crate::iteration::report::Report;
use crate::iteration::{Stage, Start};
use crate::run::best_point::{Candidate, Incumbent};
use crate::run::stages::Memory;
use crate::run::state::{MovedStart, Run};
use crate::solution::Failure;

/// Everything that decides how a run goes on.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot<T> {
    /// Iterations done.
    pub(crate) iteration: u64,
    /// Steps taken back so far.
    pub(crate) rejected: u64,
    /// The values of the state, in its order.
    pub(crate) state: Vec<Vec<T>>,
    /// The scalars of the iteration that made it; of the first one at the start.
    pub(crate) scalars: Vec<f64>,
    /// What the control had learnt.
    pub(crate) control: Vec<u8>,
    /// What the stages had learnt.
    pub(crate) stages: Memory,
    /// The best end point of earlier passes.
    pub(crate) best: Option<Arc<Candidate>>,
    /// The best point of all looks so far.
    pub(crate) incumbent: Option<Arc<Incumbent>>,
    pub(crate) pass: u64,
    /// Starts that took the place of the problem's.
    pub(crate) moved: Vec<Arc<MovedStart>>,
}

impl<T: Scalar> Run<'_, T> {
    pub(crate) fn snapshot(&self) -> Snapshot<T> {
        let mut new = Snapshot {
            iteration: 0,
            rejected: 0,
            state: vec![Vec::new(); self.iteration.state.len()],
            scalars: Vec::new(),
            control: Vec::new(),
            stages: Memory::default(),
            best: None,
            incumbent: None,
            pass: 0,
            moved: Vec::new(),
        };
        self.save(&mut new);
        new
    }

    /// The same into the memory of an older snapshot. Does not allocate.
    pub(crate) fn save(&self, to: &mut Snapshot<T>) {
        to.iteration = self.k;
        to.rejected = self.rejected;
        for (part, values) in to.state.iter_mut().enumerate() {
            values.clear();
            values.extend_from_slice(self.stages.part(part));
        }
        to.scalars.clone_from(&self.scalars);
        to.control.clear();
        self.control.save(&mut to.control);
        self.stages.save(&mut to.stages);
        to.best.clone_from(&self.best);
        to.incumbent.clone_from(&self.incumbent);
        to.pass = self.pass;
        to.moved.clone_from(&self.moved);
    }

    pub(crate) fn restore(&mut self, from: &Snapshot<T>) {
        self.k = from.iteration;
        self.rejected = from.rejected;
        for (part, values) in from.state.iter().enumerate() {
            self.stages.part_mut(part).copy_from_slice(values);
        }
        self.stages.recall(&from.stages);
        self.scalars.copy_from_slice(&from.scalars);
        self.best.clone_from(&from.best);
        self.incumbent.clone_from(&from.incumbent);
        self.recall_pass(from.pass);
        self.recall_starts(&from.moved);
        if self.resamples() {
            // The followers are in the state.
            self.resample(self.draw_after(self.k), false);
        }
        self.take_batch(if self.control.looks_ahead() { self.k + 1 } else { self.k.max(1) });
        self.load_control(&from.control);
    }

    /// Finds the iteration after the snapshot that made something not finite, and goes back to the state before it; to the
    /// snapshot where the search is stopped. At the start there is none to go back to.
    pub(crate) fn trace_back(&mut self, good: &Snapshot<T>, quantity: String) -> Failure {
        if self.k == 0 {
            let failure = self.failure(quantity, 0, self.largest());
            // what the first lower steps have made of the start is of no use to anybody
            for (part, values) in self.start.iter().enumerate() {
                self.stages.part_mut(part).copy_from_slice(values);
            }
            return failure;
        }
        let to = self.k;
        self.restore(good);
        let mut before = good.clone();
        while self.k < to {
            self.attempt(&mut || false);
            let report = self.report();
            if self.is_stopped() {
                self.given.stop.finish();
                self.restore(good);
                return self.failure(quantity, to, self.largest());
            }
            if let Some(quantity) = self.not_finite(&report) {
                let failure = self.failure(quantity, self.k, self.largest());
                self.restore(&before);
                return Failure { largest: failure.largest.max(self.largest()), ..failure };
            }
            self.save(&mut before);
        }
        unreachable!("the same iterations give the same bits")
    }

    /// A failure of the current iteration; the driver knows since when.
    pub(crate) fn failure(&self, quantity: String, iteration: u64, largest: f64) -> Failure {
        // numbers that no option states are signals within the method
        let has_option = |name: &str| {
            let option = name.strip_suffix("_k").unwrap_or(name);
            self.settings.options.iter().any(|o| o.entry.name == option)
        };
        // a control that several methods share has numbers that this one does not use, whatever its options are called
        let reads = |f: &Function, input: usize| input < f.inputs.len() && f.depends_on(input);
        let read = |input: usize| self.iteration.stages.iter().filter_map(Stage::function).any(|f| reads(f, input));
        let scalars = self.iteration.scalars.iter().zip(self.scalars.iter().copied());
        let scalars = scalars.filter(|(s, _)| has_option(&s.name) && read(s.input));
        let scalars = scalars.map(|(s, value)| (s.name.clone(), value)).collect();
        Failure { quantity, iteration, largest, since: 0, scalars, lower_is_empty: false }
    }

    /// The first part of the state or of the report that is not finite.
    pub(crate) fn not_finite(&self, report: &Report) -> Option<String> {
        self.bad_state().or_else(|| report.first_bad().map(str::to_string))
    }

    fn bad_state(&self) -> Option<String> {
        let finite = |values: &[T]| values.iter().all(|v| v.to_f64().is_finite());
        let bad = (0..self.iteration.state.len()).find(|part| !finite(self.stages.part(*part)));
        bad.map(|part| self.part_in_words(part))
    }

    /// A part of the state as the user knows it: a variable by its name, and else what the method keeps it for.
    fn part_in_words(&self, part: usize) -> String {
        let state = &self.iteration.state[part];
        let method = self.settings.method.name;
        match state.start {
            _ if part < self.problem.variables().count() => state.name.clone(),
            Start::Variable(variable) => {
                let of = self.problem.variables().nth(variable).map_or("a variable", |v| v.name.as_str());
                format!("a copy of `{of}` that {method} keeps")
            }
            Start::Zero => format!("what {method} keeps beside the variables ({})", state.name),
        }
    }

    /// The largest finite absolute entry of the state.
    pub(crate) fn largest(&self) -> f64 {
        (0..self.iteration.state.len()).map(|part| largest(self.stages.part(part))).fold(0.0, f64::max)
    }

    /// The part of the state that holds it.
    pub(crate) fn largest_state(&self) -> String {
        let size = self.largest();
        let holds = |part: &usize| largest(self.stages.part(*part)) == size;
        let part = (0..self.iteration.state.len()).find(holds);
        part.map_or_else(String::new, |part| self.part_in_words(part))
    }
}

/// The largest finite absolute entry.
fn largest<T: Scalar>(values: &[T]) -> f64 {
    values.iter().map(|v| v.to_f64().abs()).filter(|v| v.is_finite()).fold(0.0, f64::max)
}
