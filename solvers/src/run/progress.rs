//! What the driver remembers beside the run itself, and both as a checkpoint.

use blo_engine::program::Scalar;
use blo_grammar::diagnostic::Diagnostic;

use crate::iteration::report::Report;
use crate::message;
use crate::run::checkpoint::{Checkpoint, Identity};
use crate::run::observer::Observer;
use crate::run::snapshot::Snapshot;
use crate::run::state::Run;
use crate::run::stop::{Reference, Watch};
use crate::solution::Status;
use crate::solution::trace::{Row, next_check};

/// How far a run has come.
pub(crate) struct Progress {
    /// Of checkpoints, once there is one: computing it reads all data.
    identity: Option<Identity>,
    /// The next iteration at which residuals are computed.
    pub(crate) next_check: u64,
    pub(crate) reference: Reference,
    /// How the run ends at its first look, where that is known before.
    pub(crate) at_once: Option<AtOnce>,
    /// The largest entry of the start point.
    pub(crate) start_size: f64,
    pub(crate) rows: Vec<Row>,
    /// The largest entry at the last check, and the check since which it has only grown: for messages.
    size: f64,
    pub(crate) since: u64,
    /// The iteration of the last checkpoint.
    pub(crate) saved: Option<u64>,
}

/// The end of a run before its first iteration.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AtOnce {
    pub(crate) status: Status,
    /// As whoever knows of the end has measured it.
    pub(crate) upper_residual: f64,
}

impl Progress {
    /// After the end of a run that goes on from another start.
    pub(crate) fn goes_on(&mut self, k: u64, rare: u64, rows: Vec<Row>) {
        (self.next_check, self.rows) = (next_check(k, rare), rows);
    }

    pub(crate) fn see_size(&mut self, k: u64, size: f64) {
        if size <= self.size {
            self.since = k;
        }
        self.size = size;
    }
}

impl<T: Scalar> Run<'_, T> {
    /// Before iteration 1.
    pub(crate) fn beginning(&self) -> Progress {
        Progress {
            identity: None,
            next_check: 0,
            reference: Reference::default(),
            at_once: None,
            start_size: self.largest(),
            rows: Vec::new(),
            size: self.largest(),
            since: 0,
            saved: None,
        }
    }

    /// Tells the caller how far the upper objective has come.
    pub(crate) fn show(&self, report: &Report, observer: &mut dyn Observer) {
        observer.upper(self.problem.upper().sign() * report.upper);
    }

    /// Puts the run where a checkpoint was written.
    ///
    /// # Errors
    /// When it is of another run.
    pub(crate) fn resumed(&mut self, from: &Checkpoint) -> Result<Progress, Box<Diagnostic>> {
        let identity = Identity::of(self.problem, self.given, self.settings);
        let difference = from.identity.difference(&identity).or_else(|| {
            let lengths = self.snapshot().state.iter().map(Vec::len).eq(from.state.iter().map(Vec::len));
            let fits = lengths && self.scalars.len() == from.scalars.len();
            (!fits).then(|| "it is of another iteration".to_string())
        });
        if let Some(why) = difference {
            return Err(Box::new(message::another_run(&why)));
        }
        self.restore(&Snapshot {
            iteration: from.iteration,
            rejected: from.rejected,
            state: from.state.iter().map(|part| part.iter().map(|v| T::from_f64(*v)).collect()).collect(),
            scalars: from.scalars.clone(),
            control: from.control.clone(),
            stages: from.stages.clone(),
            best: from.best.clone(),
            incumbent: from.incumbent.clone(),
            pass: from.pass,
            moved: from.moved.clone(),
        });
        Ok(Progress {
            identity: Some(identity),
            next_check: from.next_check,
            reference: from.reference,
            at_once: None,
            start_size: from.start_size,
            rows: from.rows.clone(),
            size: self.largest(),
            since: from.iteration,
            saved: None,
        })
    }

    /// Gives the caller a checkpoint of the present iterate, unless there is nothing to go on from: a value that is not
    /// finite, or one that a stop has cut short.
    pub(crate) fn offer_checkpoint(&mut self, progress: &mut Progress, watch: &Watch, observer: &mut dyn Observer) {
        let report = self.report();
        if self.is_stopped() || self.not_finite(&report).is_some() {
            return;
        }
        let snapshot = self.snapshot();
        self.offer(&snapshot, progress, watch, observer);
    }

    /// Gives the caller a checkpoint of a snapshot that has been looked at.
    pub(crate) fn offer(
        &self,
        from: &Snapshot<T>,
        progress: &mut Progress,
        watch: &Watch,
        observer: &mut dyn Observer,
    ) {
        let known = progress.identity.take();
        let identity = known.unwrap_or_else(|| Identity::of(self.problem, self.given, self.settings));
        progress.identity = Some(identity.clone());
        progress.saved = Some(from.iteration);
        let checkpoint = Checkpoint {
            identity,
            iteration: from.iteration,
            rejected: from.rejected,
            next_check: progress.next_check,
            seconds: watch.seconds(observer),
            start_size: progress.start_size,
            reference: progress.reference,
            scalars: from.scalars.clone(),
            control: from.control.clone(),
            stages: from.stages.clone(),
            best: from.best.clone(),
            incumbent: from.incumbent.clone(),
            pass: from.pass,
            moved: from.moved.clone(),
            start: self.given.start.clone(),
            state: from.state.iter().map(|part| part.iter().map(|v| v.to_f64()).collect()).collect(),
            rows: progress.rows.iter().filter(|row| row.iteration <= from.iteration).cloned().collect(),
            passes: None,
        };
        observer.checkpoint(&checkpoint);
    }
}
