//! Lower levels of many entries: an augmented Lagrangian, which needs products only, in the place of dense steps. What it
//! does not solve is left to those where they can be paid.

use super::{ConstrainedLower, OVERHEAD};
use crate::nlp::{Limits, Outcome, Status};

/// With more entries than this a level is large. Seconds of dense steps and of products, with rows as a chain of
/// differences, with a logistic loss in a ball, and with dense rows in a box: 100 entries 0.09 and 0.01, 0.07 and 0.01, 0.01
/// and 0.01; 300 entries 0.6 and 0.03, 1.7 and 0.04, 0.25 and 0.02; 1000 entries 20 and 0.4, 57 and 0.4, 1.3 and 0.2; with
/// 3000, products take 18, 7 and 3. Below, dense steps are fast enough, and surer where rows are degenerate.
pub(super) const LARGE: usize = 300;

/// With so many entries and rows a dense solve takes seconds to a minute, which is the most it may.
const PAYABLE: usize = 1000;

/// Inner solves of the augmented Lagrangian.
const INNER_SOLVES: usize = 60;

impl ConstrainedLower {
    /// True where dense steps can be paid.
    pub(crate) fn takes_dense_steps(&self) -> bool {
        self.large.is_none() || self.bounds.len() + self.equalities.len() <= PAYABLE
    }

    /// False where several solutions may be equally good, and the choice among them takes dense steps that cannot be paid.
    pub(crate) fn is_choice_made(&self) -> bool {
        self.facts.unique || self.facts.indifferent || self.values.read_multipliers() || self.takes_dense_steps()
    }

    /// The end of a solve without dense steps from y, where the level is large. It has solved the level, or dense steps may
    /// do so from there.
    pub(super) fn by_products(&mut self, y: &[f64]) -> Option<Outcome> {
        let large = self.large.as_mut()?;
        let limits = Limits { iterations: INNER_SOLVES, ..self.limits.clone() };
        let end = large.solve(y, &limits).ok()?;
        let held = end.multipliers.iter().filter(|v| **v != 0.0).count() as f64;
        self.spent += end.evaluations as f64 * (large.flops() + OVERHEAD) + y.len() as f64 * held * held;
        Some(end)
    }
}

/// True where the end of a solve by products is one.
pub(super) fn is_an_end(end: &Outcome) -> bool {
    matches!(end.status, Status::Solved | Status::Unbounded | Status::Stopped | Status::NotFinite)
}
