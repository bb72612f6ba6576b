//! What is asked about the end of a run, beside what the run says itself.

use blo_engine::model::problem::{Problem, Variable};
use blo_engine::model::{self, Bindings, Settings};
use blo_engine::stop::StopToken;
use blo_grammar::ast::Ast;
use blo_grammar::diagnostic::{Diagnostic, Severity};
use blo_solvers::Value;
use blo_solvers::audit::known::{Effort, check_known};
use blo_solvers::solution::{Sensitivity, Solution};

use crate::document::Document;

/// What contradicts `known`, checked at the known point nearest to the result; `all` adds what could not be checked.
pub fn known(problem: &Problem, data: &Bindings, solution: &Solution, all: bool) -> Vec<Diagnostic> {
    let values = |v: &Variable| solution.variable(&v.name).map_or_else(Vec::new, |a| a.values.clone());
    let point: Vec<Vec<f64>> = problem.variables().map(values).collect();
    if !point.iter().flatten().all(|v| v.is_finite()) {
        // the failure has its own warning, and says nothing of what is known
        return Vec::new();
    }
    let mut found = check_known(problem, data, Some(&point), Effort::Evaluate).unwrap_or_default();
    found.retain(|d| all || d.severity != Severity::Note);
    found
}

/// Derivatives in the params; reasons say the line that they are in.
///
/// # Errors
/// When the memory cannot be allocated.
pub fn sensitivity(
    (document, ast, problem): (&Document, &Ast, &Problem),
    settings: &Settings,
    data: &Bindings,
    solution: &Solution,
) -> Result<Vec<Sensitivity>, Box<Diagnostic>> {
    // the time of the run is over, and this is asked for beside it
    let data = Bindings { stop: StopToken::default(), ..data.clone() };
    let threads = solution.options.iter().find(|o| o.name == "threads").map_or(0, |o| match o.value {
        Value::Integer(threads) => threads,
        _ => 0,
    });
    let varied = model::vary(ast, &document.text, &document.stem(), settings);
    let mut found = blo_solvers::sensitivity(problem, &data, &varied, solution, threads)?;
    for none in found.iter_mut().filter_map(|s| s.derivative.as_mut().err()) {
        if let Some(span) = none.span {
            let line = document.text[..span.start as usize].matches('\n').count() + 1;
            none.why = format!("{} (line {line})", none.why);
        }
    }
    Ok(found)
}
