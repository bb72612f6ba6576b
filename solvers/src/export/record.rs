//! A local run written down: the numbers of every accepted iteration, what the control writes into the iterate, and the
//! state after the first and the last one. An exported program repeats the accepted path, whatever led to it.

use std::cell::RefCell;
use std::rc::Rc;

use blo_engine::model::Bindings;
use blo_engine::model::problem::Problem;
use blo_grammar::diagnostic::Diagnostic;

use super::message;
use crate::iteration::control::{Control, Iterate, LowerRun, Next, NextState, Verdict};
use crate::iteration::{Built, Context, Iteration, Rows};
use crate::method::Composition;
use crate::options::run_options::RunOptions;
use crate::options::settings::Settings;
use crate::run::state::Run;

/// Attempts for each iteration that is recorded, at most: a run that only rejects steps ends.
const ATTEMPTS: u64 = 60;

/// Values that the control wrote.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Written {
    /// The iteration after which they stand; 0 before the first.
    pub(super) after: u64,
    /// The input.
    pub(super) input: usize,
    pub(super) values: Vec<f64>,
}

/// A local run.
#[derive(Clone, Debug, Default)]
pub(super) struct Record {
    /// The numbers of every iteration.
    pub(super) numbers: Vec<Vec<f64>>,
    /// What the control wrote, in order.
    pub(super) written: Vec<Written>,
    /// The lower steps at the start and after every iteration.
    pub(super) lower: Vec<LowerRun>,
    /// Steps that were taken back.
    pub(super) rejected: u64,
    /// The state at the start, after the first iteration and after the last one: an array per part.
    pub(super) points: [Vec<Vec<f64>>; 3],
}

impl Record {
    /// Iterations.
    pub(super) fn len(&self) -> u64 {
        self.numbers.len() as u64
    }
}

/// Recorded numbers, at most.
const MOST: usize = 50_000_000;

impl Record {
    /// Why this run cannot be repeated by its numbers alone.
    pub(super) fn refusal(
        &self,
        iteration: &Iteration,
        composition: Option<&Composition>,
        settings: &Settings,
    ) -> Option<Diagnostic> {
        let (span, name) = (settings.span, settings.method.name);
        if self.numbers.is_empty() {
            return Some(message::no_iteration(span, name));
        }
        // the norm of a part is finite where all of its entries are, and not so large that nothing is left to compare
        if self.points.iter().flatten().any(|part| !part.iter().map(|v| v * v).sum::<f64>().is_finite()) {
            return Some(message::not_finite(span, name, self.len()));
        }
        if let Some(composition) = composition {
            let lower = &composition.lower.state;
            let known = |input: usize| lower.contains(&input) || iteration.parameters.iter().any(|p| p.input == input);
            if let Some(written) = self.written.iter().find(|w| !known(w.input)) {
                let part = iteration.state.iter().find(|s| s.input == written.input);
                let part = part.map_or("a number", |s| s.name.as_str());
                return Some(message::rewritten(span, name, written.after, part));
            }
        }
        let of_steps: usize = self.lower.iter().flat_map(|run| &run.rounds).map(|round| round.len()).sum();
        let written: usize = if composition.is_some() { 0 } else { self.written.iter().map(|w| w.values.len()).sum() };
        let entries = of_steps + written;
        (entries > MOST).then(|| message::too_many(span, name, entries))
    }
}

/// A control that writes down what another one does.
struct Recorder {
    inner: Box<dyn Control>,
    record: Rc<RefCell<Record>>,
    now: Vec<f64>,
}

/// The iterate, with what is written into it.
struct Watched<'a> {
    iterate: &'a mut dyn Iterate,
    after: u64,
    written: Vec<Written>,
}

impl Iterate for Watched<'_> {
    fn read(&self, input: usize, to: &mut [f64]) {
        self.iterate.read(input, to);
    }

    fn write(&mut self, input: usize, values: &[f64]) {
        self.written.retain(|w| w.input != input);
        self.written.push(Written { after: self.after, input, values: values.to_vec() });
        self.iterate.write(input, values);
    }

    fn len(&self, input: usize) -> usize {
        self.iterate.len(input)
    }
}

impl Recorder {
    /// Lets the control work on the iterate; keeps what it writes and how its lower steps ran.
    fn watch<R>(
        &mut self,
        after: u64,
        iterate: &mut dyn Iterate,
        work: impl FnOnce(&mut dyn Control, &mut dyn Iterate) -> R,
    ) -> R {
        let mut watched = Watched { iterate, after, written: Vec::new() };
        let result = work(&mut *self.inner, &mut watched);
        let mut record = self.record.borrow_mut();
        record.written.extend(watched.written);
        record.lower.extend(self.inner.lower_run());
        result
    }
}

impl Control for Recorder {
    fn begin(&mut self, iterate: &mut dyn Iterate) {
        self.watch(0, iterate, |control, iterate| control.begin(iterate));
    }

    fn scalars(&mut self, k: u64, values: &mut [f64]) {
        self.inner.scalars(k, values);
        self.now.clear();
        self.now.extend_from_slice(values);
    }

    fn judge(&mut self, k: u64, signals: &[f64], next: &dyn NextState) -> Verdict {
        let verdict = self.inner.judge(k, signals, next);
        self.record.borrow_mut().rejected += u64::from(verdict == Verdict::Reject);
        verdict
    }

    fn accepted(&mut self, k: u64, iterate: &mut dyn Iterate) -> Next {
        self.record.borrow_mut().numbers.push(self.now.clone());
        self.watch(k, iterate, |control, iterate| control.accepted(k, iterate))
    }

    fn select(&mut self, rows: &Rows) -> Result<(), Box<Diagnostic>> {
        self.inner.select(rows)
    }

    fn next_batch(&mut self, rows: &Rows) -> Result<(), Box<Diagnostic>> {
        self.inner.next_batch(rows)
    }

    fn looks_ahead(&self) -> bool {
        self.inner.looks_ahead()
    }
}

/// Runs a method in double precision for so many iterations, or until a pass of its own ends.
///
/// # Errors
/// When a program cannot be compiled.
pub(super) fn record(
    problem: &Problem,
    data: &Bindings,
    settings: &Settings,
    built: &Built,
    iterations: u64,
) -> Result<Record, Box<Diagnostic>> {
    let options = RunOptions { tol: 0.0, ..RunOptions::of(settings) };
    let inner = (built.control)(&Context { problem, data, options: &options })?;
    let record = Rc::new(RefCell::new(Record::default()));
    let recorder = Recorder { inner, record: record.clone(), now: Vec::new() };
    let mut run = Run::<f64>::under(Box::new(recorder), problem, data, settings, &built.iteration)?;
    data.stop.begin();
    run.begin();
    let mut points = [run.start_point(), Vec::new(), Vec::new()];
    let (mut attempts, mut taken_back) = (0, 0);
    while run.k < iterations && attempts < ATTEMPTS * iterations && !run.is_stopped() {
        let (before, here) = (run.k, run.point());
        let next = run.attempt(&mut || false);
        attempts += 1;
        if run.k == 1 && before == 0 {
            points[1] = run.point();
        }
        if let Next::EndOfPass { .. } = next {
            if run.k > before && run.point() == here && record.borrow().rejected > taken_back {
                // its last steps were taken back: what ran for them is no part of the path
                let mut record = record.borrow_mut();
                record.numbers.pop();
                let kept = record.numbers.len() + 1;
                record.lower.truncate(kept);
            }
            break;
        }
        if run.k > before {
            taken_back = record.borrow().rejected;
        }
    }
    points[2] = run.point();
    drop(run);
    let mut record = record.take();
    record.points = points;
    Ok(record)
}
