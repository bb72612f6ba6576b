//! When a run stops: residuals against their start, and the clock.

use std::cell::Cell;

use serde::{Deserialize, Serialize};

use crate::iteration::report::Report;
use crate::run::observer::Observer;
use crate::solution::Status;

/// What residuals are measured against: their values at the start. A start that solves one level exactly says nothing
/// of its scale, so the first iterate counts too; where both are zero, residuals are absolute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Reference {
    upper: f64,
    lower: f64,
    method: f64,
    slope: f64,
}

impl Reference {
    /// A lower residual of the start point's y, which methods that solve the lower level in every iteration do not show.
    pub(crate) fn see_start(&mut self, lower: f64) {
        self.lower = if lower.is_finite() { self.lower.max(lower) } else { self.lower };
    }

    pub(crate) fn see(&mut self, k: u64, report: &Report) {
        if k <= 1 {
            self.upper = self.upper.max(report.upper_residual.unwrap_or(0.0));
            self.lower = self.lower.max(report.lower_residual);
            self.method = self.method.max(report.method_residual.unwrap_or(0.0));
            self.slope = self.slope.max(report.upper_slope);
        }
    }

    pub(crate) fn is_met(&self, report: &Report, tolerance: f64) -> bool {
        let small = |value: f64, reference: f64| value <= tolerance * if reference > 0.0 { reference } else { 1.0 };
        let measured = |value: Option<f64>, reference| value.is_none_or(|value| small(value, reference));
        measured(report.upper_residual, self.upper)
            && small(report.lower_residual, self.lower)
            && measured(report.method_residual, self.method)
    }

    /// The lower residual at the start; 1 where the start solves the lower level.
    pub(crate) fn lower(&self) -> f64 {
        if self.lower > 0.0 { self.lower } else { 1.0 }
    }

    /// The method's residual at the start; 1 where that is zero.
    pub(crate) fn method(&self) -> f64 {
        if self.method > 0.0 { self.method } else { 1.0 }
    }

    /// True where y minimizes the upper objective alone although that does not solve the lower level.
    pub(crate) fn lower_level_ignored(&self, report: &Report) -> bool {
        self.slope > 0.0 && report.upper_slope <= 1e-4 * self.slope && report.lower_residual > 1e-2 * self.lower
    }
}

/// Looks at the clock about a hundred times a second, whatever an iteration costs: reading it in each would be what a
/// small problem spends its time on.
pub(crate) struct Watch {
    begun: f64,
    /// Seconds of the run before it was resumed; they do not count against the limit.
    before: f64,
    limit: f64,
    /// Seconds in which the caller looked at iterates: they are not the run's.
    paused: Cell<f64>,
    seen: f64,
    every: u32,
    left: u32,
}

impl Watch {
    pub(crate) fn new(observer: &dyn Observer, limit: f64, before: f64) -> Watch {
        let begun = observer.seconds();
        Watch { begun, before, limit, paused: Cell::new(0.0), seen: begun, every: 1, left: 1 }
    }

    /// The clock when it was last looked at.
    pub(crate) fn seen(&self) -> f64 {
        self.seen
    }

    /// Seconds of the run.
    pub(crate) fn seconds(&self, observer: &dyn Observer) -> f64 {
        self.before + observer.seconds() - self.begun - self.paused.get()
    }

    /// So many seconds were not the run's.
    pub(crate) fn pause(&self, seconds: f64) {
        self.paused.set(self.paused.get() + seconds);
    }

    /// All of them.
    pub(crate) fn paused(&self) -> f64 {
        self.paused.get()
    }

    pub(crate) fn poll(&mut self, iteration: u64, observer: &mut dyn Observer) -> Option<Status> {
        self.left -= 1;
        if self.left > 0 {
            return None;
        }
        let now = observer.seconds();
        if now - self.seen < 0.005 {
            self.every = (self.every * 2).min(1 << 16);
        } else if now - self.seen > 0.02 {
            self.every = (self.every / 2).max(1);
        }
        self.seen = now;
        self.left = self.every;
        observer.progress(iteration);
        if observer.interrupted() {
            return Some(Status::Interrupted);
        }
        (now - self.begun - self.paused.get() >= self.limit).then_some(Status::TimeLimit)
    }
}
