//! From a text to a checked problem, and words for what became of its data.

use blo_engine::limits::{self, Limits};
use blo_engine::model::{self, Corrupted, Gap, Problem, Settings};
use blo_grammar::ast::Ast;
use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::parse;
use sysinfo::System;

use crate::document::Document;
use crate::input::tried;
use crate::output::number::few;

/// What a check without data finds.
pub struct Checked {
    /// The syntax tree.
    pub ast: Ast,
    /// The problem, when nothing is wrong with it.
    pub problem: Option<Problem>,
    /// Everything found, in source order.
    pub diagnostics: Vec<Diagnostic>,
}

/// Parses and checks a text; no data is looked at. Of a text with syntax errors the sound pieces are checked. A fix is
/// shown only where it mends its place.
pub fn check(document: &Document, settings: &Settings) -> Checked {
    let mut checked = check_once(document, settings);
    let again = |text: &str| {
        let document = Document { text: text.to_owned(), ..document.clone() };
        check_once(&document, settings).diagnostics
    };
    tried::keep_what_mends(&document.text, &mut checked.diagnostics, again);
    checked
}

fn check_once(document: &Document, settings: &Settings) -> Checked {
    let parsed = parse(&document.text);
    let settings = Settings { partial: !parsed.is_sound(), ..settings.clone() };
    let outcome = model::check(&parsed.ast, &document.text, &document.stem(), &settings);
    let problem = outcome.problem.filter(|_| parsed.is_sound());
    let mut diagnostics = parsed.diagnostics;
    diagnostics.extend(outcome.diagnostics);
    if let Some(problem) = &problem {
        diagnostics.extend(blo_solvers::check(problem));
    }
    diagnostics.sort_by_key(|d| d.primary.span);
    Checked { ast: parsed.ast, problem, diagnostics }
}

/// The limits of a run on this machine: memory is what the machine has, the rest as the table says.
pub fn limits_of_machine() -> Limits {
    let mut limits = Limits::default();
    if let Some(bytes) = machine_memory() {
        let name = limits::MEMORY.name;
        limits.set(name, bytes).unwrap_or_else(|why| unreachable!("memory can be set: {why}"));
    }
    limits
}

/// Bytes of memory that this process may have: of the machine, or of the container it runs in.
fn machine_memory() -> Option<u64> {
    let mut system = System::new();
    system.refresh_memory();
    let container = system.cgroup_limits().map(|c| c.total_memory);
    Some(container.unwrap_or(u64::MAX).min(system.total_memory())).filter(|bytes| *bytes > 0)
}

/// What became of missing values, in a line.
pub fn gap(gap: &Gap) -> String {
    let plural = |n: usize, what: &str| if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") };
    match gap {
        Gap::Dropped { path, rows } => format!("{path}: {} with missing values left out", plural(*rows, "row")),
        Gap::Filled { name, values } => {
            format!("{name}: {} filled in with the mean of the column", plural(*values, "missing value"))
        }
    }
}

/// The label noise of a problem, a line per `corrupt` item.
pub fn noise(c: &Corrupted) -> String {
    let share = 100.0 * c.wrong as f64 / c.rows.max(1) as f64;
    format!("{} of {} labels are wrong ({} %)", c.wrong, c.rows, few(share, 4))
}
