//! Messages about what restricts variables: rows of `subject to`, and integers.

use super::{after, edit};
use crate::diagnostic::Diagnostic;
use crate::span::Span;

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

/// `var x in {0, 1}`, `var x integer`
pub(crate) fn no_integers(span: Span) -> Diagnostic {
    let text = "integer variables are not supported; `blo` is for continuous problems";
    Diagnostic::error("B0119", text, span, "asks for integers")
        .help("tools that take integers: MibS, BilevelJuMP or PAO with a MIP solver; for one level JuMP or Pyomo")
        .help("the relaxation is `var x in [0, 1]`; its solution need not be whole")
}
