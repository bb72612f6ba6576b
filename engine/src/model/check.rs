//! The checker: from syntax tree to a [`Problem`]. Global names are resolved on demand, so items may stand in any
//! order; mistakes are collected, and an expression that failed is not reported twice. A data width that is not
//! declared is bound by the first dimension it meets: the check then starts again with that width known.

use std::collections::HashMap;

use blo_grammar::ast::Ast;
use blo_grammar::diagnostic::Diagnostic;

use super::checker::{Checker, Settings};
use super::message;
use super::problem::Problem;

/// What a check finds.
#[derive(Debug)]
pub struct Outcome {
    /// The problem, when there is no error.
    pub problem: Option<Problem>,
    /// Everything found, in source order.
    pub diagnostics: Vec<Diagnostic>,
}

/// Checks a syntax tree. `source` is the text it was parsed from; `fallback` names a problem without a name.
pub fn check(ast: &Ast, source: &str, fallback: &str, settings: &Settings) -> Outcome {
    let mut deferred = HashMap::new();
    loop {
        let mut checker = Checker::new(ast, source, settings, std::mem::take(&mut deferred));
        let problem = checker.problem(fallback);
        if checker.widths.restart {
            deferred = checker.widths.met;
            continue;
        }
        let mut diagnostics = checker.diagnostics;
        if settings.partial || diagnostics.iter().any(message::leaves_a_block_out) {
            diagnostics.retain(|d| !message::may_be_missing(d.code));
        }
        diagnostics.sort_by_key(|d| d.primary.span);
        let mut seen = Vec::new();
        diagnostics.retain(|d| {
            let key = (d.code, d.primary.span, d.message.clone());
            let new = !seen.contains(&key);
            seen.push(key);
            new
        });
        let problem = problem.filter(|_| !diagnostics.iter().any(Diagnostic::is_error));
        return Outcome { problem, diagnostics };
    }
}
