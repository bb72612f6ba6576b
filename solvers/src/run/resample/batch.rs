//! Minibatches: before a step the programs of the stages, and those of the control that steps use, get the rows of its
//! batch. Which rows an iteration has depends on its number and the seed alone, so a run that is resumed or traced back
//! has the same ones. What is reported looks at all rows and needs no rows of a batch.

use blo_engine::model::RowStream;
use blo_engine::program::Scalar;

use crate::run::state::Run;

impl<T: Scalar> Run<'_, T> {
    /// Puts the rows of an iteration in place, counted from 1.
    pub(crate) fn take_batch(&mut self, k: u64) {
        let Some(batches) = self.batches.as_mut().filter(|_| self.batch != k) else { return };
        let rows = batches.of_iteration(k);
        for set in [self.stages.select(rows), self.control.next_batch(rows)] {
            assert!(set.is_ok(), "rows of a dataset that has them");
        }
        self.batch = k;
    }

    /// The same after iteration `k`, for a control that computes at the iterate what the next one needs.
    pub(crate) fn take_next_batch(&mut self, k: u64) {
        if self.control.looks_ahead() {
            self.take_batch(k + 1);
        }
    }

    /// Gradients that the iterations and their control have evaluated, in units of a gradient on all rows.
    pub(crate) fn gradients(&self) -> u64 {
        let counts = self.stages.counts(self.iteration).plus(self.control.counts());
        counts.gradients() / self.batches.as_ref().map_or(1, RowStream::batches)
    }
}

#[cfg(test)]
mod tests;
