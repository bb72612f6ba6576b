//! What the questions of the tree mean: the words as they stand on the page, and a predicate on the checked problem. Each
//! asks for what `blo explain` shows.

use blo_engine::calculus::{Assumption, Verdict};
use blo_engine::model::Problem;
use blo_engine::model::problem::{LevelId, Variable};

type Predicate = fn(&Problem) -> bool;

/// Every question that a tree may ask.
pub(super) const TABLE: [(&str, Predicate); 6] = [
    ("Does the lower level have rows?", |p| !p.rows(LevelId::LOWER).is_empty()),
    ("Is the lower level proved convex?", |p| is_proved(p, Assumption::Convex)),
    ("Is the lower level proved strongly convex?", |p| is_proved(p, Assumption::StronglyConvex)),
    ("Do the variables hold at most 50 numbers?", |p| {
        numbers(p, &p.variables().collect::<Vec<_>>()).is_some_and(|n| n <= 50)
    }),
    ("Does the upper level have variables?", |p| !p.upper().variables.is_empty()),
    ("Is there a dataset, and a level with more than 1000 numbers?", |p| {
        let levels = p.levels.iter().map(|level| level.variables.iter().collect::<Vec<_>>());
        !p.tables.datasets.is_empty() && levels.into_iter().any(|v| numbers(p, &v).is_some_and(|n| n > 1000))
    }),
];

/// The answer to a question.
///
/// # Panics
/// When the question is not one of the table.
pub(super) fn holds(question: &str, problem: &Problem) -> bool {
    let found = TABLE.iter().find(|(text, _)| *text == question);
    let (_, predicate) = found.unwrap_or_else(|| panic!("no predicate answers `{question}`"));
    predicate(problem)
}

fn is_proved(problem: &Problem, assumption: Assumption) -> bool {
    problem.proofs().iter().any(|p| p.assumption == assumption && p.verdict == Verdict::Proved)
}

/// How many numbers variables hold; `None` where only data tell.
fn numbers(problem: &Problem, variables: &[&Variable]) -> Option<usize> {
    let count = |v: &&Variable| Some(v.shape.sizes(&problem.sizes).ok()?.iter().product::<usize>());
    variables.iter().map(count).sum()
}
