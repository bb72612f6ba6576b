//! Few-shot tasks: for each task some classes, and for each class some rows to learn from (support) and other rows to be
//! judged on (query). All choices come from one random stream of the item.

use std::ops::Range;

use rand_chacha::rand_core::Rng;

use super::stream::stream;

/// What is drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draw {
    /// Number of tasks.
    pub tasks: usize,
    /// Classes per task.
    pub ways: usize,
    /// Support rows per class.
    pub shots: usize,
    /// Query rows per class.
    pub query: usize,
    /// Labels to choose from.
    pub classes: Range<usize>,
}

/// Rows of all tasks, zero-based: task by task, within a task class by class.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tasks {
    /// `tasks * ways * shots` rows.
    pub support: Vec<usize>,
    /// `tasks * ways * query` rows.
    pub query: Vec<usize>,
}

/// A class with fewer rows than a task takes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TooFewRows {
    /// Its label.
    pub label: usize,
    /// Its rows.
    pub rows: usize,
}

impl Draw {
    /// Draws the tasks from rows with these labels. Within a task, classes and rows are distinct.
    ///
    /// # Errors
    /// When any class of the range has fewer rows than a task takes: what is drawn must not decide whether it fails.
    ///
    /// # Panics
    /// If the range has fewer classes than a task: the checker has reported it.
    pub fn tasks(&self, labels: &[f64], run_seed: u64, item_seed: u64, name: &str) -> Result<Tasks, TooFewRows> {
        // Of more classes than rows one of the first has none, and no others are looked at.
        let looked_at = self.classes.len().min(labels.len() + 1);
        let mut members: Vec<Vec<usize>> = vec![Vec::new(); looked_at];
        for (row, label) in labels.iter().enumerate() {
            let place = (*label as usize).checked_sub(self.classes.start);
            if let Some(rows) = place.and_then(|place| members.get_mut(place)) {
                rows.push(row);
            }
        }
        let taken = self.shots + self.query;
        if let Some(class) = members.iter().position(|rows| rows.len() < taken) {
            return Err(TooFewRows { label: self.classes.start + class, rows: members[class].len() });
        }
        let mut rng = stream(run_seed, item_seed, name);
        let mut tasks = Tasks::default();
        for _ in 0..self.tasks {
            for class in choose(self.classes.len(), self.ways, &mut rng) {
                let rows = &members[class];
                let chosen = choose(rows.len(), taken, &mut rng);
                tasks.support.extend(chosen[..self.shots].iter().map(|i| rows[*i]));
                tasks.query.extend(chosen[self.shots..].iter().map(|i| rows[*i]));
            }
        }
        Ok(tasks)
    }
}

/// `count` distinct numbers below `of`, in random order: the first steps of a shuffle.
fn choose(of: usize, count: usize, rng: &mut impl Rng) -> Vec<usize> {
    assert!(count <= of, "{count} of {of}");
    let mut all: Vec<usize> = (0..of).collect();
    for i in 0..count {
        let draw = (u128::from(rng.next_u64()) * (of - i) as u128) >> 64;
        all.swap(i, i + draw as usize);
    }
    all.truncate(count);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRAW: Draw = Draw { tasks: 50, ways: 3, shots: 2, query: 4, classes: 1..6 };

    /// Seven rows of each of eight classes.
    fn labels() -> Vec<f64> {
        (0..56).map(|row| f64::from(row % 8)).collect()
    }

    #[test]
    fn tasks_hold_distinct_rows_of_distinct_classes() {
        let labels = labels();
        let tasks = DRAW.tasks(&labels, 0, 1, "D").expect("enough rows");
        assert_eq!((tasks.support.len(), tasks.query.len()), (50 * 3 * 2, 50 * 3 * 4));
        for (support, query) in tasks.support.chunks(6).zip(tasks.query.chunks(12)) {
            let mut rows: Vec<usize> = support.iter().chain(query).copied().collect();
            rows.sort_unstable();
            assert!(rows.windows(2).all(|w| w[0] < w[1]), "a row twice in {rows:?}");
            let class = |row: &usize| labels[*row] as usize;
            let ways: Vec<usize> = support.chunks(2).map(|rows| class(&rows[0])).collect();
            assert!(ways.iter().all(|c| DRAW.classes.contains(c)));
            assert!(ways[0] != ways[1] && ways[0] != ways[2] && ways[1] != ways[2]);
            assert!(support.iter().enumerate().all(|(i, row)| class(row) == ways[i / 2]));
            assert!(query.iter().enumerate().all(|(i, row)| class(row) == ways[i / 4]));
        }
        let used: std::collections::BTreeSet<usize> = tasks.support.iter().copied().collect();
        assert_eq!(used.len(), 35, "every row of five classes in 50 tasks");
    }

    #[test]
    fn seeds_and_names_decide() {
        let labels = labels();
        let draw = |seed, name| DRAW.tasks(&labels, 0, seed, name).expect("enough rows");
        assert_eq!(draw(1, "D"), draw(1, "D"));
        assert_ne!(draw(1, "D"), draw(2, "D"));
        assert_ne!(draw(1, "D"), draw(1, "T"));
    }

    #[test]
    fn a_small_class_is_named() {
        let mut labels = labels();
        labels[3] = 7.0;
        labels[11] = 7.0;
        assert_eq!(DRAW.tasks(&labels, 0, 1, "D"), Err(TooFewRows { label: 3, rows: 5 }));
    }
}
