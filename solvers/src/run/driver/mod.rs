//! The loop over the iterations of a run, the only one: it steps, looks at residuals now and then, and stops. It knows no
//! method and reads no clock of its own. Looks are rare enough not to be noticed in the time of a run; when one finds
//! a value that is not finite, the run goes back to the last finite iterate (`snapshot`).

use blo_engine::model::problem::LevelId;
use blo_engine::program::Scalar;
use blo_engine::stop::StopReason;

use crate::iteration::control::Next;
use crate::iteration::report::Report;
use crate::run::finish::Ending;
use crate::run::observer::Observer;
use crate::run::progress::Progress;
use crate::run::rows::judgement::Multipliers;
use crate::run::snapshot::Snapshot;
use crate::run::state::Run;
use crate::run::stop::{Reference, Watch};
use crate::solution::trace::{PassStart, Residuals, Row, is_row, next_check};
use crate::solution::verdict::Verdict;
use crate::solution::{Failure, Status};

mod follow;

/// Iterates have diverged when they stop being finite after growing by this factor; else they are just not finite.
const GROWTH: f64 = 1e6;

/// Iterates this much larger than the start have diverged although they are still finite: slow divergence could fill
/// any iteration limit before it overflows.
const FAR: f64 = 1e20;

/// Seconds of work that a stop may lose, and how many times the cost of keeping an iterate has to pass before the next
/// one is kept.
const SHORT: f64 = 0.1;
const KEEPING: f64 = 20.0;

/// How the loop ended.
struct End {
    status: Status,
    report: Report,
    failure: Option<Failure>,
}

/// The last iterate that is known to be finite: where a run goes back to when a value is not, or a stop cuts a step short.
struct Kept<T> {
    snapshot: Snapshot<T>,
    /// Its report, if it was looked at.
    report: Option<Report>,
    /// The control had finished its work there: the run can go on from it.
    sound: bool,
    /// When it was kept, and the seconds that took.
    taken: f64,
    cost: f64,
}

impl<T: Scalar> Kept<T> {
    fn new(run: &Run<'_, T>, observer: &dyn Observer) -> Kept<T> {
        // Nobody has looked at the start yet; a checkpoint was looked at before it was written.
        Kept { snapshot: run.snapshot(), report: None, sound: run.k > 0, taken: observer.seconds(), cost: 0.0 }
    }

    /// True where a stop would lose more work than it costs to keep the iterate.
    fn is_old(&self, watch: &Watch) -> bool {
        watch.seen() - self.taken > (KEEPING * self.cost).max(SHORT)
    }
}

impl End {
    fn of(status: Status, report: Report) -> End {
        End { status, report, failure: None }
    }
}

impl<T: Scalar> Run<'_, T> {
    /// Runs to the end.
    pub(crate) fn iterate(
        &mut self,
        progress: &mut Progress,
        watch: &mut Watch,
        observer: &mut dyn Observer,
    ) -> Ending {
        let mut good = Kept::new(self, observer);
        let mut stopped = progress.at_once.map(|end| end.status);
        if self.k == 0 && self.follow(true, watch, observer) {
            stopped = Some(Status::Stopped);
        }
        let end = loop {
            let end = self.turn(progress, &mut good, &mut stopped, watch, observer);
            if self.is_stopped() {
                break self.cut_short(progress, &good);
            }
            if let Some(end) = end {
                break end;
            }
        };
        if observer.checkpoint_every() > 0 && good.sound && progress.saved.is_none_or(|k| k < good.snapshot.iteration) {
            // A run can be continued whatever its end, from the last iterate that was looked at.
            self.offer(&good.snapshot, progress, watch, observer);
        }
        self.ending(end, progress, watch, observer)
    }

    /// Looks where it is time to, and takes a step. What a stop cuts short is the caller's to undo.
    fn turn(
        &mut self,
        progress: &mut Progress,
        good: &mut Kept<T>,
        stopped: &mut Option<Status>,
        watch: &mut Watch,
        observer: &mut dyn Observer,
    ) -> Option<End> {
        if self.k == progress.next_check || !self.has_steps_left() || stopped.is_some() {
            let end = self.look(progress, good, *stopped, watch, observer);
            if end.is_some() || self.is_stopped() {
                return end;
            }
        }
        self.row_if_due(progress, watch, observer);
        let before = self.k;
        let mut enough = false;
        let end = self.advance(progress, good, &mut enough, watch, observer);
        if end.is_some() || self.is_stopped() {
            return end;
        }
        *stopped = if enough { Some(Status::Stopped) } else { watch.poll(self.k, observer) };
        self.save_if_due(before, *stopped, progress, watch, observer);
        if good.is_old(watch) {
            self.keep(progress, good, observer);
        }
        None
    }

    /// Keeps the iterate as one to come back to, if it is finite and near enough.
    fn keep(&mut self, progress: &Progress, good: &mut Kept<T>, observer: &mut dyn Observer) {
        let begun = observer.seconds();
        let report = self.report();
        self.show(&report, observer);
        let finite = self.not_finite(&report).is_none() && self.far(progress.start_size).is_none();
        if finite && !self.is_stopped() {
            self.save(&mut good.snapshot);
            (good.report, good.sound) = (Some(report), true);
        }
        good.taken = observer.seconds();
        good.cost = good.taken - begun;
    }

    /// The end of a run that was stopped within a step: what was kept last.
    fn cut_short(&mut self, progress: &mut Progress, good: &Kept<T>) -> End {
        let status = match self.given.stop.reason() {
            Some(StopReason::TimeLimit) => Status::TimeLimit,
            Some(StopReason::Enough) => Status::Stopped,
            Some(StopReason::Interrupted) | None => Status::Interrupted,
        };
        self.given.stop.finish();
        self.restore(&good.snapshot);
        progress.rows.retain(|row| row.iteration <= self.k);
        if self.control.decides_convergence() && self.best.is_some() {
            self.consider(false, true, &progress.reference);
            if !self.is_stopped() {
                return self.best_end(status);
            }
        }
        if let Some(report) = good.report {
            return End::of(status, report);
        }
        // The start, perhaps before the control has a direction there.
        let report = self.report();
        let unknown = self.is_stopped();
        let measured = Report { upper_residual: None, method_residual: None, gap: None, ..report };
        End::of(status, if unknown { Report::unknown() } else { measured })
    }

    /// Looks at the iterate: has it left the numbers, has it converged, has the run to stop? Else notes how far it is.
    fn look(
        &mut self,
        progress: &mut Progress,
        good: &mut Kept<T>,
        stopped: Option<Status>,
        watch: &Watch,
        observer: &mut dyn Observer,
    ) -> Option<End> {
        let report = self.report();
        self.show(&report, observer);
        let start_residual = if self.k <= 1 { self.start_residual() } else { 0.0 };
        if self.is_stopped() {
            return None;
        }
        if let Some(end) = self.has_failed(progress, &good.snapshot, &report) {
            return Some(end);
        }
        progress.reference.see(self.k, &report);
        if self.k <= 1 {
            progress.reference.see_start(start_residual);
        }
        progress.see_size(self.k, self.largest());
        if self.k == progress.next_check {
            // the last look of a run that goes on later is not one of the longer run
            self.meet(&report, &progress.reference);
        }
        let end = self.finished(&progress.reference, &report, stopped);
        self.save(&mut good.snapshot);
        (good.report, good.sound, good.taken) = (Some(report), true, observer.seconds());
        if let Some(status) = end {
            if self.control.decides_convergence() {
                self.consider(false, true, &progress.reference);
                return Some(self.best_end(status));
            }
            return Some(End::of(status, report));
        }
        self.note(progress, &report, watch, observer);
        None
    }

    /// The end of a run whose iterate is not finite or too far away.
    fn has_failed(&mut self, progress: &Progress, good: &Snapshot<T>, report: &Report) -> Option<End> {
        let bad = self.not_finite(report);
        let far = self.far(progress.start_size);
        let leaves = self.control.leaves_the_start();
        if bad.is_none() && far.is_none() || leaves {
            return None;
        }
        if self.best.is_some() {
            // A later pass that runs away says nothing against the end of an earlier one.
            return Some(self.best_end(Status::IterationLimit));
        }
        let Some(quantity) = bad else {
            return Some(End { status: Status::Diverged, report: *report, failure: far });
        };
        let failure = self.trace_back(good, quantity);
        let grown = failure.largest > GROWTH * progress.start_size.max(1.0);
        let status = if grown { Status::Diverged } else { Status::NotFinite };
        Some(End { status, report: self.report(), failure: Some(failure) })
    }

    /// Tries a step; at the end of a pass, keeps its end point and begins the next one. `enough`: the caller has seen what
    /// it wanted to.
    fn advance(
        &mut self,
        progress: &Progress,
        good: &mut Kept<T>,
        enough: &mut bool,
        watch: &mut Watch,
        observer: &mut dyn Observer,
    ) -> Option<End> {
        let k = self.k;
        let next = self.attempt(&mut || watch.poll(k, observer).is_some());
        if self.is_stopped() {
            return None;
        }
        *enough = self.follow(self.k > k, watch, observer);
        let Next::EndOfPass { converged, last } = next else { return None };
        // a method may stop for want of a step right where the numbers end, between two looks
        let report = self.report();
        if self.not_finite(&report).is_some() {
            return self.has_failed(progress, &good.snapshot, &report);
        }
        if converged && self.is_blind(progress) && self.best.is_none() {
            return Some(End { status: Status::Diverged, report, failure: Some(self.runaway()) });
        }
        self.consider(converged, last, &progress.reference);
        if last {
            return Some(self.best_end(Status::IterationLimit));
        }
        self.begin();
        // Steps are run again from what was kept, and those of the next pass begin here.
        self.keep(progress, good, observer);
        None
    }

    /// Offers a checkpoint after an iteration of its turn, and where the run ends before it has converged.
    fn save_if_due(
        &mut self,
        before: u64,
        stopped: Option<Status>,
        progress: &mut Progress,
        watch: &Watch,
        observer: &mut dyn Observer,
    ) {
        let every = observer.checkpoint_every();
        let its_turn = every > 0 && self.k > before && self.k.is_multiple_of(every);
        if its_turn || every > 0 && (stopped.is_some() || !self.has_steps_left()) {
            self.offer_checkpoint(progress, watch, observer);
        }
    }

    fn ending(&mut self, end: End, progress: &mut Progress, watch: &Watch, observer: &mut dyn Observer) -> Ending {
        let End { status, mut report, failure } = end;
        if let Some(end) = progress.at_once.filter(|_| self.k == 0) {
            let upper_residual = Some(end.upper_residual);
            report = Report { upper_residual, method_residual: None, gap: None, ..report };
        }
        // Rows of iterates that the run has gone back from.
        progress.rows.retain(|row| row.iteration <= self.k);
        if progress.rows.last().is_none_or(|r| r.iteration != self.k) {
            self.push_row(&mut progress.rows, &report, watch, observer);
        }
        let reference = progress.reference;
        let ignored = failure.is_none() && self.k > 0 && reference.lower_level_ignored(&report);
        Ending {
            status,
            report,
            before: report,
            reference,
            start_upper: progress.rows.first().map_or(0.0, |row| row.upper),
            ignored,
            rows: std::mem::take(&mut progress.rows),
            failure: failure.map(|failure| Failure { since: progress.since, ..failure }),
            point: self.point(),
            polish: None,
            feasible_x: None,
            upper_ray: None,
            ray: None,
            doubtful: true,
            followed: self.point()[self.problem.range(LevelId::LOWER)].to_vec(),
            verdict: Verdict::default(),
            local: false,
            multipliers: Multipliers::default(),
            many_multipliers: false,
            polished: report.upper,
        }
    }

    /// The end of a run whose control decides: at the best end point of its passes.
    fn best_end(&mut self, status: Status) -> End {
        let converged = self.go_to_best();
        let status = if status == Status::IterationLimit && converged { Status::Converged } else { status };
        End::of(status, self.report())
    }

    /// Why the run ends here, if it does.
    fn finished(&self, reference: &Reference, report: &Report, stopped: Option<Status>) -> Option<Status> {
        if self.k > 0 && !self.control.decides_convergence() && reference.is_met(report, self.options.tol) {
            return Some(Status::Converged);
        }
        if !self.has_steps_left() {
            return Some(Status::IterationLimit);
        }
        stopped
    }

    /// The iterate that is too far from the start to come back.
    fn far(&self, start_size: f64) -> Option<Failure> {
        (self.largest() > FAR * start_size.max(1.0)).then(|| self.runaway())
    }

    /// True where the iterate has grown so large that its rounding is above the residuals that are asked for: that they
    /// are small says nothing then.
    fn is_blind(&self, progress: &Progress) -> bool {
        let largest = self.largest();
        let wanted = self.options.tol * progress.reference.method();
        largest > GROWTH * progress.start_size.max(1.0) && f64::EPSILON * largest > wanted
    }

    fn runaway(&self) -> Failure {
        self.failure(self.largest_state(), self.k, self.largest())
    }

    /// After a check that goes on: the row where the table has one, and the next check.
    fn note(&mut self, progress: &mut Progress, report: &Report, watch: &Watch, observer: &mut dyn Observer) {
        if is_row(self.k) || self.is_row_asked_for(observer) {
            self.push_row(&mut progress.rows, report, watch, observer);
        }
        progress.next_check = next_check(self.k, self.rare_looks());
    }

    /// True where the table has no row, but `metric_every` or the observer.
    fn is_row_asked_for(&self, observer: &dyn Observer) -> bool {
        [self.options.metric_every, observer.row_every()].iter().any(|n| *n > 0 && self.k.is_multiple_of(*n))
    }

    /// The row of an iterate that is not checked. It is of no consequence to the run: checks have their own times.
    fn row_if_due(&mut self, progress: &mut Progress, watch: &Watch, observer: &mut dyn Observer) {
        let is_there = progress.rows.last().is_some_and(|row| row.iteration >= self.k);
        if !is_there && self.is_row_asked_for(observer) {
            let report = self.report();
            self.push_row(&mut progress.rows, &report, watch, observer);
        }
    }

    fn push_row(&mut self, rows: &mut Vec<Row>, report: &Report, watch: &Watch, observer: &mut dyn Observer) {
        let metrics = self.metrics();
        if self.is_stopped() {
            return;
        }
        let variables = if observer.wants_variables() { self.point() } else { Vec::new() };
        let row = Row {
            iteration: self.k,
            pass: self.pass,
            from: if self.moved.is_empty() { PassStart::Start } else { PassStart::Better },
            seconds: watch.seconds(observer),
            upper: self.problem.upper().sign() * report.upper,
            lower: self.problem.lower().sign() * (report.smooth + report.regularizer),
            residuals: Residuals::from(report),
            metrics,
            variables: variables.into_iter().take(self.problem.variables().count()).collect(),
        };
        observer.row(&row);
        rows.push(row);
    }
}

#[cfg(test)]
mod tests;
