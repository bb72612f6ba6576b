//! Messages about what restricts variables: rows of `subject to`, and integers.

use super::{after, edit};
use crate::diagnostic::{Diagnostic, Edit};
use crate::span::Span;

/// The name of a variable as declared, where the text is one; an entry or a formula may be anything.
fn short(name: &str) -> &str {
    const LONGEST: usize = 20;
    let head = name.split(['[', '(']).next().unwrap_or_default().trim();
    let plain = !head.is_empty() && head.len() <= LONGEST && head.chars().all(|c| c.is_alphanumeric() || c == '_');
    if plain { head } else { "x" }
}

/// A row follows `previous` without `;` and without a name.
pub(crate) fn rows_unseparated(previous: Span, row: Span, is_sure: bool) -> Diagnostic {
    let row = Span { end: row.start + 1, ..row };
    let error = Diagnostic::error("B0121", "rows of `subject to` need a `;` between them", row, "a row starts here")
        .with(Span { start: previous.end.saturating_sub(1), ..previous }, "a `;` is missing after this")
        .help("only a row with a name, `demand: ...`, may follow without `;`");
    match is_sure {
        true => error.fix("insert `;`", edit(after(previous), ";")),
        false => error.help("the name of a row ends with `:`"),
    }
}

/// A line of a row starts with a sign or a bracket, and both lines hold a relation.
pub(crate) fn row_or_two((before, at): (Span, Span), row: Span) -> Diagnostic {
    Diagnostic::error("B0121", "this may be one row or two", at, "starts a line, and continues the row above")
        .with(row, "read as one row, because no `;` stands in it")
        .help("write `;` before it if it starts a row; else move it to the end of the line above")
        .suggest("insert `;`", edit(after(before), ";"))
}

/// A third relation.
pub(crate) fn long_chain(third: Span, second: Span) -> Diagnostic {
    Diagnostic::error("B0109", "a row has at most two relations", third, "a third one")
        .with(second, "the second one")
        .help("write two rows: `lo <= e <= hi;  e <= other`")
}

/// `r[i]: y[i] <= 1 for i in 1..n`; `index` is the bracket.
pub(crate) fn indexed_row(index: Span, name: &str, example: &str, edits: Option<Vec<Edit>>) -> Diagnostic {
    let text = "the name of a row has no index: it stands for all steps of the row's loops";
    let error = Diagnostic::error("B0116", text, index, "not part of a name")
        .help(format!("write `{example}`; `multiplier({name})` has an entry per step"));
    match edits {
        Some(edits) => error.fix("name all steps of the loop", edits),
        None => error,
    }
}

/// `for i in 1..n: y[i] <= 1`
pub(crate) fn loop_before_row(span: Span) -> Diagnostic {
    Diagnostic::error("B0116", "the loop of a row stands behind it", span, "not a row")
        .help("write `y[i] <= 1 for i in 1..n`, with a name `limit: y[i] <= 1 for i in 1..n`")
}

/// `y in [0, 1]`; `name` is the value, `span` ends with `in`.
pub(crate) fn membership_row(span: Span, name: &str) -> Diagnostic {
    Diagnostic::error("B0116", "a set stands where its variable is declared, not among the rows", span, "not a row")
        .help(format!(
            "write the set there, `var {0} in [0, 1]`, or a row, `0 <= {0} <= 1`; `blo sets` lists the sets",
            short(name)
        ))
}

/// `var x in {0, 1}`, `var x integer`, `x is integer` as a row
pub(crate) fn no_integers(span: Span, name: &str) -> Diagnostic {
    let text = "integer variables are not supported; `blo` is for continuous problems";
    Diagnostic::error("B0119", text, span, "asks for integers")
        .help("tools that take integers: MibS, BilevelJuMP or PAO with a MIP solver; for one level JuMP or Pyomo")
        .help(format!("the relaxation is `var {} in [0, 1]`; its solution need not be whole", short(name)))
}
