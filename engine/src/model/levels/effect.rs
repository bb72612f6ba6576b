//! What a problem holds without effect: a variable that nothing reads, an upper level that the lower one never sees.

use blo_grammar::diagnostic::Diagnostic;

use crate::model::message;
use crate::model::problem::{Level, Problem, Variable};

/// Warnings, in the order of the file.
pub(in crate::model) fn without_effect(problem: &Problem) -> Vec<Diagnostic> {
    let read = |v: &&Variable| problem.levels.iter().any(|level| reads(level, v.formal));
    let (used, unread): (Vec<&Variable>, Vec<&Variable>) = problem.variables().partition(read);
    let mut found: Vec<Diagnostic> = unread.iter().map(|v| message::nothing_reads(&v.name, v.span)).collect();
    let uppers: Vec<&Variable> =
        problem.upper().variables.iter().filter(|v| used.iter().any(|u| u.formal == v.formal)).collect();
    if let Some(first) = uppers.first()
        && uppers.iter().all(|v| !reads(problem.lower(), v.formal))
    {
        let names: Vec<&str> = uppers.iter().map(|v| v.name.as_str()).collect();
        found.push(message::lower_never_sees(&names, first.span));
    }
    found
}

/// True when an objective, a term or a set of the level needs the formal.
fn reads(level: &Level, formal: usize) -> bool {
    let sets = level.variables.iter().filter(|v| v.formal != formal).filter_map(|v| v.set.as_ref());
    level.objective.depends_on(formal)
        || level.regularizer.as_ref().is_some_and(|g| g.depends_on(formal))
        || sets.into_iter().any(|s| s.parameters.depends_on(formal))
        || level.constraints.iter().any(|c| c.value.depends_on(formal))
}
