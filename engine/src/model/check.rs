//! The checker: from syntax tree to a [`Problem`]. Global names are resolved on demand, so items may stand in any
//! order; mistakes are collected, and an expression that failed is not reported twice. A data width that is not
//! declared is bound by the first dimension it meets: the check then starts again with that width known.

use std::collections::{HashMap, HashSet};

use blo_grammar::ast::{Ast, ItemKind, Lower, Statement, StatementKind};
use blo_grammar::diagnostic::Diagnostic;

use super::checker::{Checker, Settings};
use super::levels::effect::{unused_names, without_effect};
use super::message;
use super::named::Named;
use super::problem::Problem;
use crate::limits;

/// What a check finds.
#[derive(Debug)]
pub struct Outcome {
    /// The problem, when there is no error.
    pub problem: Option<Problem>,
    /// Everything found, in source order.
    pub diagnostics: Vec<Diagnostic>,
    /// What names stand for, as far as the check has come.
    pub named: Named,
}

/// Checks a syntax tree. `source` is the text it was parsed from; `fallback` names a problem without a name.
///
/// ```
/// use blo_engine::prelude::*;
///
/// let text = "upper { var x  minimize (x - 2)^2 }  lower { var y  minimize (y - x)^2 }";
/// let parsed = blo_grammar::parse(text);
/// let outcome = check(&parsed.ast, text, "example", &Settings::default());
/// let problem = outcome.problem.expect("there is no mistake in it");
/// let names: Vec<&str> = problem.variables().map(|v| v.name.as_str()).collect();
/// assert_eq!(names, ["x", "y"]);
/// assert!(problem.lower_is_convex());
///
/// // Mistakes are diagnostics, in the order of the text.
/// let text = "upper { var x  minimize (x - z)^2 }  lower { var y  minimize (y - x)^2 }";
/// let parsed = blo_grammar::parse(text);
/// let outcome = check(&parsed.ast, text, "example", &Settings::default());
/// assert!(outcome.problem.is_none());
/// assert_eq!(outcome.diagnostics[0].message, "unknown name `z`");
/// ```
pub fn check(ast: &Ast, source: &str, fallback: &str, settings: &Settings) -> Outcome {
    if let Err(diagnostic) = few_items(ast) {
        return Outcome { problem: None, diagnostics: vec![*diagnostic], named: Named::default() };
    }
    let mut deferred = HashMap::new();
    loop {
        let mut checker = Checker::new(ast, source, settings, std::mem::take(&mut deferred));
        let problem = checker.problem(fallback);
        if checker.widths.restart {
            deferred = checker.widths.met;
            continue;
        }
        let incomplete = settings.partial || checker.notes.block_left_out;
        let mut diagnostics = std::mem::take(&mut checker.diagnostics);
        if incomplete {
            diagnostics.retain(|d| !message::may_be_missing(d.code));
        }
        // where pieces are missing, what they would have read is not known
        let is_sound = !settings.partial && !diagnostics.iter().any(Diagnostic::is_error);
        if is_sound {
            diagnostics.extend(problem.as_ref().map(without_effect).unwrap_or_default());
            diagnostics.extend(unused_names(ast, source));
        }
        diagnostics.sort_by_key(|d| d.primary.span);
        let mut seen = HashSet::new();
        diagnostics.retain(|d| seen.insert((d.code, d.primary.span, d.message.clone())));
        let problem = problem.filter(|_| !diagnostics.iter().any(Diagnostic::is_error));
        return Outcome { problem, diagnostics, named: checker.into_named() };
    }
}

/// Refuses a file of more items than later passes are made for, at the first that is too many.
fn few_items(ast: &Ast) -> Result<(), Box<Diagnostic>> {
    const ITEMS: usize = limits::ITEMS.value as usize;
    let mut count = 0;
    let mut beyond = None;
    for item in &ast.items {
        count += 1 + match &item.kind {
            ItemKind::Upper { body, .. } | ItemKind::Lower(Lower { body, .. }) => statements(body),
            ItemKind::Dataset { columns, .. } => columns.len(),
            ItemKind::Split { parts, .. } => parts.len(),
            ItemKind::Start(assigns) | ItemKind::Method { options: assigns, .. } => assigns.len(),
            ItemKind::Known(facts) => facts.len(),
            ItemKind::Expect { body, .. } => body.len(),
            _ => 0,
        };
        if count > ITEMS && beyond.is_none() {
            beyond = Some(item.span);
        }
    }
    beyond.map_or(Ok(()), |span| Err(Box::new(message::too_many_items(span, count, ITEMS))))
}

fn statements(body: &[Statement]) -> usize {
    let below = body.iter().map(|s| match &s.kind {
        StatementKind::Lower(lower) => statements(&lower.body),
        StatementKind::SubjectTo(rows) => rows.len(),
        _ => 0,
    });
    body.len() + below.sum::<usize>()
}
