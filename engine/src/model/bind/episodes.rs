//! Few-shot tasks: which rows they have, from the labels that have been read, and the labels within a task.

use blo_grammar::diagnostic::Diagnostic;

use super::{Binder, Bindings, Bound};
use crate::data::Array;
use crate::model::message;
use crate::model::problem::{DataOrigin, Problem, Share};

/// New tasks for the episodes that the objectives are of: values of index inputs, by formal. The first draw, 0, is the
/// one that `bind` makes; every other has a stream of its own. Episodes of metrics alone keep their tasks.
///
/// # Errors
/// As `bind`; what one draw could take, another can.
pub fn redraw(
    problem: &Problem,
    data: &Bindings,
    seed: u64,
    draw: u64,
) -> Result<Vec<(usize, Vec<usize>)>, Box<Diagnostic>> {
    let first = problem.variables().count();
    let mut found = Vec::new();
    for item in &problem.data {
        let DataOrigin::TaskRows { episodes, share, labels } = item.origin else { continue };
        if !followed(problem, episodes) {
            continue;
        }
        let Bound::Real(labels) = &data.values[labels - first] else { unreachable!("labels are numbers") };
        found.push((item.formal, rows(problem, episodes, share, &labels.lend::<f64>(), seed, draw)?));
    }
    Ok(found)
}

/// True where an objective depends on the tasks of any episodes: a new draw changes them.
pub fn has_tasks(problem: &Problem) -> bool {
    (0..problem.tables.episodes.len()).any(|e| followed(problem, e))
}

/// True when an objective depends on the tasks.
fn followed(problem: &Problem, episodes: usize) -> bool {
    let levels = [&problem.upper(), &problem.lower()];
    let formals = problem.tables.episodes[episodes].formals.iter().flatten();
    formals.into_iter().any(|f| levels.iter().any(|l| l.objective.depends_on(*f)))
}

/// The rows of a share of all tasks, zero-based. Both shares are drawn from one stream, so that their rows are disjoint:
/// each draws it all.
fn rows(
    problem: &Problem,
    episodes: usize,
    share: Share,
    labels: &[f64],
    seed: u64,
    draw: u64,
) -> Result<Vec<usize>, Box<Diagnostic>> {
    let e = &problem.tables.episodes[episodes];
    let stream = match draw {
        0 => format!("episodes {}", e.name),
        n => format!("episodes {} draw {n}", e.name),
    };
    match (e.draw.tasks(labels, seed, e.seed, &stream), share) {
        (Ok(tasks), Share::Support) => Ok(tasks.support),
        (Ok(tasks), Share::Query) => Ok(tasks.query),
        (Err(few), _) => {
            let needed = e.draw.shots + e.draw.query;
            Err(Box::new(message::too_few_rows_of_class(e.span, few.label + 1, few.rows, needed)))
        }
    }
}

impl Binder<'_> {
    /// The rows of all tasks; nothing where the labels could not be read.
    pub(super) fn task_rows(
        &self,
        episodes: usize,
        share: Share,
        labels: usize,
        seed: u64,
    ) -> Result<Option<Bound>, Box<Diagnostic>> {
        let Some(Bound::Real(labels)) = &self.values[labels] else { return Ok(None) };
        rows(self.problem, episodes, share, &labels.lend::<f64>(), seed, 0).map(|rows| Some(Bound::Index(rows)))
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
