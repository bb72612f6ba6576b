//! Looking at a run while it goes on.

use std::ops::ControlFlow;

use blo_engine::stop::{StopReason, StopToken};
use blo_solvers::solution::trace::Row;
use std::time::Instant;

/// How far a point is from solving, in the norm of each method's own measure; NaN where it is not measured.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Residuals {
    /// Stationarity in the upper variables.
    pub upper: f64,
    /// Stationarity of the lower level.
    pub lower: f64,
    /// Stationarity of the method's own problem.
    pub method: f64,
    /// How far the lower objective is above its least value.
    pub gap: f64,
}

impl From<blo_solvers::solution::trace::Residuals> for Residuals {
    fn from(r: blo_solvers::solution::trace::Residuals) -> Residuals {
        Residuals { upper: r.upper, lower: r.lower, method: r.method, gap: r.gap }
    }
}

/// An iterate that a run reports.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Step<'a> {
    /// Iterations done; 0 is the start.
    pub iteration: u64,
    /// The pass, from 1: a method that begins again, from the start or from a better point, begins another.
    pub pass: u64,
    /// Seconds since the iterations began.
    pub seconds: f64,
    /// The upper objective F(x, y), in the program's sign.
    pub upper: f64,
    /// The lower objective f(x, y), with its proximal part, in the program's sign.
    pub lower: f64,
    /// Its residuals.
    pub residuals: Residuals,
    /// The values of the program's metrics, in their order; `None` where one reads what this iterate does not have, such as
    /// multipliers.
    pub metrics: &'a [Option<f64>],
    /// The numbers of each variable, upper then lower, row-major; empty unless
    /// [`Options::row_variables`](crate::Options::row_variables) asks for them.
    pub variables: &'a [Vec<f64>],
    /// The names of `metrics`.
    pub metric_names: &'a [String],
    /// The names of `variables`, each with its shape.
    pub variable_shapes: &'a [(String, Vec<usize>)],
}

/// Who looks at the steps of a run. A closure is one.
///
/// Steps are those at 0 and 1, 2, 5 times a power of ten, and every [`Options::row_every`](crate::Options::row_every).
pub trait Observer: Send {
    /// A step, as soon as it is known. `Break` ends the run there: its result is the best point so far, with the status
    /// `stopped`.
    fn step(&mut self, step: &Step<'_>) -> ControlFlow<()>;
}

impl<F: FnMut(&Step<'_>) -> ControlFlow<()> + Send> Observer for F {
    fn step(&mut self, step: &Step<'_>) -> ControlFlow<()> {
        self(step)
    }
}

/// Looks at nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Observer for Silent {
    fn step(&mut self, _: &Step<'_>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// An observer as the solvers see it, with a clock.
pub(crate) struct Following<'a> {
    pub(crate) observer: &'a mut dyn Observer,
    pub(crate) begun: Instant,
    pub(crate) token: StopToken,
    pub(crate) row_every: u64,
    pub(crate) variables: bool,
    pub(crate) metric_names: &'a [String],
    pub(crate) variable_shapes: &'a [(String, Vec<usize>)],
}

impl blo_solvers::Observer for Following<'_> {
    fn seconds(&self) -> f64 {
        self.begun.elapsed().as_secs_f64()
    }

    fn interrupted(&self) -> bool {
        self.token.reason() == Some(StopReason::Interrupted)
    }

    fn row_every(&self) -> u64 {
        self.row_every
    }

    fn wants_variables(&self) -> bool {
        self.variables
    }

    fn row(&mut self, row: &Row) {
        let step = Step {
            iteration: row.iteration,
            pass: row.pass,
            seconds: row.seconds,
            upper: row.upper,
            lower: row.lower,
            residuals: row.residuals.into(),
            metrics: &row.metrics,
            variables: &row.variables,
            metric_names: self.metric_names,
            variable_shapes: self.variable_shapes,
        };
        if self.observer.step(&step).is_break() {
            self.token.stop(StopReason::Enough);
        }
    }
}
