//! Few-shot tasks: which rows they have, from the labels that have been read, and the labels within a task.

use blo_grammar::diagnostic::Diagnostic;

use super::{Binder, Bound};
use crate::data::Array;
use crate::model::message;
use crate::model::problem::Share;

impl Binder<'_> {
    /// The rows of all tasks; nothing where the labels could not be read.
    pub(super) fn task_rows(
        &self,
        episodes: usize,
        share: Share,
        labels: usize,
        seed: u64,
    ) -> Result<Option<Bound>, Box<Diagnostic>> {
        let e = &self.problem.tables.episodes[episodes];
        let Some(Bound::Real(labels)) = &self.values[labels] else { return Ok(None) };
        // Both shares are drawn from one stream, so that their rows are disjoint: each draws it all.
        let tasks = e.draw.tasks(&labels.values, seed, e.seed, &format!("episodes {}", e.name));
        match (tasks, share) {
            (Ok(tasks), Share::Support) => Ok(Some(Bound::Index(tasks.support))),
            (Ok(tasks), Share::Query) => Ok(Some(Bound::Index(tasks.query))),
            (Err(few), _) => {
                let needed = e.draw.shots + e.draw.query;
                Err(Box::new(message::too_few_rows_of_class(e.span, few.label + 1, few.rows, needed)))
            }
        }
    }

    /// Rows stand class by class, so their labels do not depend on what is drawn.
    pub(super) fn task_labels(&self, episodes: usize, share: Share) -> Array {
        let e = &self.problem.tables.episodes[episodes];
        let each = e.rows_per_class(share);
        let task = (0..e.draw.ways).flat_map(|way| std::iter::repeat_n(way as f64, each));
        let values: Vec<f64> = (0..e.draw.tasks).flat_map(|_| task.clone()).collect();
        Array::new(vec![e.draw.tasks, e.draw.ways * each], values)
    }
}
