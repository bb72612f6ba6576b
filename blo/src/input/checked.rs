//! From a text to a checked problem, and words for what became of its data.

use blo_engine::data::Source;
use blo_engine::limits::{self, Limits};
use blo_engine::model::problem::{DataOrigin, Level};
use blo_engine::model::{self, Corrupted, Gap, Named, Problem, Settings};
use blo_engine::oracle;
use blo_engine::shape::Shape;
use blo_grammar::ast::{Ast, Column, Dimension, ItemKind};
use blo_grammar::diagnostic::{Diagnostic, Severity};
use blo_grammar::parse;
use blo_grammar::span::Span;
use blo_solvers::audit::assumption::warnings;
use blo_solvers::audit::known::{Effort, check_known};
use blo_solvers::{Request, by_name};
use sysinfo::System;

use crate::document::Document;
use crate::input::tried;
use crate::output::number::few;

/// What a check without data finds.
#[derive(Debug)]
pub struct Checked {
    /// The syntax tree.
    pub ast: Ast,
    /// The problem, when nothing is wrong with it.
    pub problem: Option<Problem>,
    /// Everything found, in source order.
    pub diagnostics: Vec<Diagnostic>,
    /// What names stand for, as far as the check has come.
    pub named: Named,
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
    Checked { ast: parsed.ast, problem, diagnostics, named: outcome.named }
}

/// What is asked of a problem beside what its text says.
pub struct Asked<'a> {
    /// Params and limits.
    pub settings: Settings,
    /// Where data are, if they are to be looked at.
    pub data: Option<&'a (dyn Source + Sync)>,
    /// A run that is to be possible.
    pub request: Option<Request>,
    /// Seed of generated data.
    pub seed: u64,
}

/// Numbers of a problem above which `known` is left to `test` and `solve`.
const LARGE: f64 = 1e6;

/// Everything that a check finds in a text, its data and a run, in source order.
pub fn findings(document: &Document, asked: &Asked<'_>) -> Vec<Diagnostic> {
    examined(document, asked, &|| false).map(|checked| checked.diagnostics).unwrap_or_default()
}

/// The same with the checked problem, unless `is_stale` says between two phases that nobody wants it any more.
pub fn examined(document: &Document, asked: &Asked<'_>, is_stale: &dyn Fn() -> bool) -> Option<Checked> {
    let mut checked = check_once(document, &asked.settings);
    let again = |text: &str| {
        if is_stale() {
            return Vec::new();
        }
        let document = Document { text: text.to_owned(), ..document.clone() };
        check_once(&document, &asked.settings).diagnostics
    };
    tried::keep_what_mends(&document.text, &mut checked.diagnostics, again);
    if is_stale() {
        return None;
    }
    let mut found = std::mem::take(&mut checked.diagnostics);
    if let Some(problem) = &checked.problem {
        if let Some(source) = asked.data {
            found.extend(model::headers(problem, source));
            if !found.iter().any(Diagnostic::is_error) {
                found.extend(known(problem, source, asked.seed));
            }
        }
        if let Some(request) = &asked.request {
            let prepared = blo_solvers::prepare(problem, request);
            found.extend(prepared.map_or_else(|errors| errors, |prepared| prepared.settings.warnings));
            found.extend(doubts(problem, asked, request));
        }
        found.sort_by_key(|d| d.primary.span);
    }
    Some(Checked { diagnostics: found, ..checked })
}

/// What contradicts `known`, where no file has to be read for it, nothing large is generated and little is computed.
fn known(problem: &Problem, source: &dyn Source, seed: u64) -> Vec<Diagnostic> {
    let reads = |origin: &DataOrigin| matches!(origin, DataOrigin::File { .. });
    let columns = problem.tables.datasets.iter().flat_map(|d| &d.columns).map(|c| &c.origin);
    let count =
        |shape: &Shape| shape.sizes(&problem.sizes).map_or(f64::INFINITY, |s| s.iter().map(|n| *n as f64).product());
    let sizes = problem.variables().map(|v| &v.shape).chain(problem.data.iter().map(|d| &d.shape)).map(count);
    let functions = problem.levels.iter().flat_map(Level::functions);
    let work: f64 = functions.map(|f| oracle::operations(f, &problem.sizes)).sum();
    if problem.known.is_empty() || work > problem.limits.of(&limits::CONSTANTS) as f64 {
        return Vec::new();
    }
    if problem.data.iter().map(|d| &d.origin).chain(columns).any(reads) || sizes.sum::<f64>() > LARGE {
        return Vec::new();
    }
    let Ok(data) = model::bind(problem, source, seed) else { return Vec::new() };
    let found = check_known(problem, &data, None, Effort::Evaluate).unwrap_or_default();
    found.into_iter().filter(|d| d.severity != Severity::Note).collect()
}

/// Assumptions of the method that numbers refute; nothing if the data cannot be read.
fn doubts(problem: &Problem, asked: &Asked<'_>, request: &Request) -> Vec<Diagnostic> {
    let (Some(method), Some(source)) = (by_name(&request.method), asked.data) else { return Vec::new() };
    if method.entry.requires.is_empty() {
        return Vec::new();
    }
    let Ok(data) = model::bind(problem, source, asked.seed) else { return Vec::new() };
    warnings(problem, &data, method.entry, Span::default(), (1, f64::INFINITY)).unwrap_or_default()
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

/// Names of the data items and columns that a program declares.
pub fn data_names(ast: &Ast) -> Vec<String> {
    columns(ast).map(|(name, _, _)| name).collect()
}

/// The same, each with its shape as the text declares it.
pub fn data_items(ast: &Ast, text: &str) -> Vec<(String, String)> {
    let size = |dimension: &Dimension| match dimension {
        Dimension::Deferred(span) => text.get(span.range()).unwrap_or("_").to_owned(),
        Dimension::Size(size) => text.get(size.span.range()).unwrap_or("?").to_owned(),
    };
    let shape = |(name, of_dataset, column): (String, bool, &Column)| {
        let rows = of_dataset.then(|| "rows".to_owned());
        let sizes: Vec<String> = rows.into_iter().chain(column.dims.iter().flatten().map(size)).collect();
        (name, format!("[{}]", sizes.join(", ")))
    };
    columns(ast).map(shape).collect()
}

/// Every column with its full name, and whether it belongs to a dataset.
fn columns(ast: &Ast) -> impl Iterator<Item = (String, bool, &Column)> {
    ast.items.iter().flat_map(|item| match &item.kind {
        ItemKind::Data(column) => vec![(column.name.text.clone(), false, column)],
        ItemKind::Dataset { name, columns, .. } => {
            columns.iter().map(|column| (format!("{}.{}", name.text, column.name.text), true, column)).collect()
        }
        _ => Vec::new(),
    })
}
