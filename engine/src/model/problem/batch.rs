//! Objectives on a batch of their rows, for methods whose steps do not look at all of them.

use super::{LevelId, Problem};
use crate::calculus::BatchInputs;
use crate::shape::Dim;

/// The batches of a problem: [`Problem::batches`].
#[derive(Clone, Debug)]
pub struct Batches {
    /// The problem with objectives on a batch in the place of those on all rows. It has the same formals.
    pub problem: Problem,
    /// The levels that have batches, each with its own order of rows.
    pub levels: Vec<LevelBatch>,
}

/// The batch of a level.
#[derive(Clone, Debug)]
pub struct LevelBatch {
    /// The level.
    pub level: LevelId,
    /// The dataset, or the part of one, whose rows its objective adds up.
    pub name: String,
    /// Its number of rows.
    pub rows: Dim,
    /// The number of rows of a batch.
    pub size: usize,
    /// The formals that say which.
    pub inputs: BatchInputs,
}

impl Problem {
    /// The problem whose objectives the steps of a method evaluate: on a batch of rows where there are batches.
    pub fn in_steps(&self) -> &Problem {
        self.batches.as_ref().map_or(self, |batches| &batches.problem)
    }
}
