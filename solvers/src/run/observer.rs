//! Callbacks of a run: clock, output, interrupt.

use crate::iteration::counts::Counts;
use crate::run::checkpoint::Checkpoint;
use crate::solution::trace::{Row, Seen};

/// What a caller wants to see of every iteration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Follow {
    /// Nothing.
    #[default]
    Nothing,
    /// What it has evaluated.
    Counts,
    /// The iterate, too.
    Iterates,
}

/// A run at the start or after an iteration.
#[derive(Clone, Copy, Debug)]
pub struct Look<'a> {
    /// Iterations done.
    pub iteration: u64,
    /// Seconds since the start of the solve, without those of such looks.
    pub seconds: f64,
    /// Evaluations so far.
    pub counts: Counts,
    /// The iterate, where the caller follows it; none after a step that was taken back.
    pub iterate: Option<Seen<'a>>,
}

/// Callbacks of a run: its clock, its output, its interrupt key. Nothing here changes the iterates.
pub trait Observer {
    /// Seconds on a clock that never goes back.
    fn seconds(&self) -> f64 {
        0.0
    }

    /// True once the user asked to stop.
    fn interrupted(&self) -> bool {
        false
    }

    /// So many iterations are done; told about a hundred times a second.
    fn progress(&mut self, iteration: u64) {
        let _ = iteration;
    }

    /// The upper objective in the user's sign, whenever the run has computed it to look at its iterate.
    fn upper(&mut self, value: f64) {
        let _ = value;
    }

    /// Iterations between rows beside those of the table; 0 for no others. A row only looks: the run is the same with any.
    fn row_every(&self) -> u64 {
        0
    }

    /// Whether rows hold the variables.
    fn wants_variables(&self) -> bool {
        false
    }

    /// What [`Observer::seen`] is told.
    fn follows(&self) -> Follow {
        Follow::Nothing
    }

    /// The start, and what every step has led to. True ends the run there, with [`Status::Stopped`]. The method sees nothing
    /// of it, and its time is not the run's.
    ///
    /// [`Status::Stopped`]: crate::Status::Stopped
    fn seen(&mut self, look: &Look<'_>) -> bool {
        let _ = look;
        false
    }

    /// Iterations between checkpoints; 0 for a caller that keeps none.
    fn checkpoint_every(&self) -> u64 {
        0
    }

    /// What the run can go on from; also where it ends, whatever its end.
    fn checkpoint(&mut self, checkpoint: &Checkpoint) {
        let _ = checkpoint;
    }

    /// A row of the table, as soon as it is known.
    fn row(&mut self, row: &Row) {
        let _ = row;
    }
}

/// Observes nothing: no clock, so `max_time` has no effect.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Observer for Silent {}
