//! What a problem holds without effect: a variable that nothing reads, an upper level that the lower one never sees, an
//! objective without its variables, a name that nothing uses.

use std::collections::HashMap;

use blo_grammar::ast::{Ast, ItemKind};
use blo_grammar::diagnostic::Diagnostic;

use crate::diff::gradient;
use crate::model::message;
use crate::model::problem::{Level, Problem, Variable};

/// Warnings, in the order of the file.
pub(in crate::model) fn without_effect(problem: &Problem) -> Vec<Diagnostic> {
    let (upper, lower) = (problem.upper(), problem.lower());
    let is_read = |v: &&Variable| problem.levels.iter().any(|level| reads(level, v.formal));
    let unread = problem.variables().filter(|v| !is_read(v));
    let mut found: Vec<Diagnostic> = unread.map(|v| message::nothing_reads(&v.name, v.span)).collect();
    // what nothing reads is reported above
    let seen: Vec<&Variable> = upper.variables.iter().filter(is_read).collect();
    if let Some(first) = seen.first()
        && !moves(lower, &seen)
    {
        let names: Vec<&str> = seen.iter().map(|v| v.name.as_str()).collect();
        found.push(message::lower_never_sees(&names, first.span));
    }
    if let Some(first) = lower.variables.iter().find(is_read)
        && lower.variables.iter().all(|v| !reads(lower, v.formal))
    {
        found.push(message::nothing_to_choose(&first.name, first.span));
    }
    if let Some(first) = upper.variables.first().filter(|_| problem.variables().all(|v| !reads(upper, v.formal)))
        && !problem.upper_reads_multipliers()
    {
        found.push(message::constant_upper(first.span));
    }
    found
}

/// Whether the solutions of the lower level depend on upper variables. A term of the objective without lower variables,
/// as in `(y - 1)^2 + x`, moves none of them: it is not in the gradient.
fn moves(lower: &Level, uppers: &[&Variable]) -> bool {
    if uppers.iter().any(|v| reads_beside(lower, v.formal)) {
        return true;
    }
    if !uppers.iter().any(|v| lower.objective.depends_on(v.formal)) {
        return false;
    }
    let own: Vec<usize> = lower.variables.iter().map(|v| v.formal).collect();
    let slope = gradient(&lower.objective, &own);
    uppers.iter().any(|v| slope.depends_on(v.formal))
}

/// Warns of params, data and definitions whose name occurs once, where it is declared. Words of the text are counted and
/// not uses, so that a name in an option or a size counts too, and no name that something uses is reported.
pub(in crate::model) fn unused_names(ast: &Ast, source: &str) -> Vec<Diagnostic> {
    let mut count: HashMap<&str, usize> = HashMap::new();
    for word in blo_grammar::words(source) {
        *count.entry(word).or_default() += 1;
    }
    let declared = ast.items.iter().filter_map(|item| match &item.kind {
        ItemKind::Param { name, .. } => Some(("param", name)),
        ItemKind::Let(binding) => Some(("let", &binding.name)),
        ItemKind::Function { name, .. } => Some(("fn", name)),
        ItemKind::Set { name, .. } => Some(("set", name)),
        ItemKind::Data(column) => Some(("data", &column.name)),
        // A part of a split exists because its rows are not in the others, and so does its dataset.
        _ => None,
    });
    let once = declared.filter(|(_, name)| count.get(name.text.as_str()) == Some(&1));
    once.map(|(what, name)| message::name_unused(what, &name.text, name.span)).collect()
}

/// True when an objective, a term or a set of the level needs the formal.
fn reads(level: &Level, formal: usize) -> bool {
    level.objective.depends_on(formal) || reads_beside(level, formal)
}

/// The same of all but the objective.
fn reads_beside(level: &Level, formal: usize) -> bool {
    let sets = level.variables.iter().filter(|v| v.formal != formal).filter_map(|v| v.set.as_ref());
    level.regularizer.as_ref().is_some_and(|g| g.depends_on(formal))
        || sets.into_iter().any(|s| s.parameters.depends_on(formal))
        || level.constraints.iter().any(|c| c.value.depends_on(formal))
}
