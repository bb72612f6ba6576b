//! B0429 to B0439: rows of `subject to`.

use blo_grammar::ast::{Expr, ExprKind};
use blo_grammar::diagnostic::{Diagnostic, Edit};
use blo_grammar::span::Span;

use super::{error, list, respell, short};

/// `text` is what stands in the place of the row.
pub(in crate::model) fn row_without_relation(e: &Expr, text: &str) -> Diagnostic {
    let d = error("B0429", "a row of `subject to` is a relation of two sides", e.span, "no `<=`, `>=` or `==`");
    let mut inner = e;
    while let ExprKind::Paren(within) = &inner.kind {
        inner = within;
    }
    match &inner.kind {
        ExprKind::Compare { .. } => {
            let d = d.help("a row has no brackets around it: in brackets a relation is a truth value");
            // the rest of a chain is not part of the expression
            let tail = text.get((inner.span.end - e.span.start) as usize..).unwrap_or("...");
            if tail.chars().any(|c| c != ')' && !c.is_whitespace()) {
                return d;
            }
            let (start, end) = (Span { end: inner.span.start, ..e.span }, Span { start: inner.span.end, ..e.span });
            let edits = [start, end].map(|span| Edit { span, text: String::new() });
            d.fix("remove the brackets", edits.to_vec())
        }
        ExprKind::And(_) => d.help("rows hold together: put `;` in the place of `and`"),
        ExprKind::Or(_) | ExprKind::Not(_) => {
            d.help("a choice between rows needs an integer variable, which `blo` does not have")
        }
        _ => d.help(format!("write what it must be: `{} <= 0`", short(text))),
    }
}

pub(in crate::model) fn strict_row(operator: Span, is_less: bool) -> Diagnostic {
    let (strict, closed) = if is_less { ("<", "<=") } else { (">", ">=") };
    Diagnostic::warning(
        "W0430",
        format!("`{strict}` in a row means `{closed}`: sets of solutions are closed"),
        operator,
        "read as the closed relation",
    )
    .help(format!("write `{closed}`; to keep a distance, state it: `a + 1e-3 <= b`"))
}

pub(in crate::model) fn unequal_row(operator: Span) -> Diagnostic {
    error("B0431", "a row cannot be `!=`: all points but a few satisfy it", operator, "not a constraint")
        .help("state on which side of it the values lie: `<=` or `>=` with a distance")
}

pub(in crate::model) fn equality_in_chain(operator: Span, row: Span) -> Diagnostic {
    error("B0432", "a chain bounds a value from both sides; `==` leaves nothing to bound", operator, "in a chain")
        .with(row, "this row")
        .help("write two rows: `a == b;  b <= c`")
}

pub(in crate::model) fn chain_directions(operator: Span, first: Span) -> Diagnostic {
    error("B0432", "the relations of a chain point in different directions", operator, "this one turns")
        .with(first, "the first relation")
        .help("write `lo <= e <= hi` or `hi >= e >= lo`; two bounds from one side are two rows")
}

pub(in crate::model) fn constant_row(span: Span) -> Diagnostic {
    error("B0433", "this row holds no variable", span, "true or false whatever the variables are")
        .help("remove it, or test it with `expect`")
}

pub(in crate::model) fn row_of_upper_level(span: Span, text: &str) -> Diagnostic {
    error("B0434", "this row of the lower level holds no lower variable", span, "it limits the upper variables")
        .help(format!("move it to the upper level: `subject to {{ {} }}`", short(text)))
}

/// `text` is the argument of `function`.
pub(in crate::model) fn no_such_row(
    span: Span,
    (function, text): (&str, &str),
    near: Option<&str>,
    known: &[&str],
) -> Diagnostic {
    let d = error("B0436", format!("`{}` is not the name of a row", short(text)), span, "no such row");
    match known {
        _ if near.is_some() => respell(d, span, near),
        [] => d.help(format!(
            "give the row a name, `demand: sum(y) == 1`, and write `{function}(demand)`; the sets of variables have no name"
        )),
        _ => d.help(format!("rows with a name: {}", list(known))),
    }
}

pub(in crate::model) fn multiplier_out_of_place(span: Span, name: &str, place: &str) -> Diagnostic {
    error("B0437", format!("{place} holds `multiplier({name})`"), span, "known once the lower level is solved")
        .help("multipliers of lower rows may stand in the upper objective, upper rows, `metric` and `expect`, those of upper rows in `metric` and `expect`")
}

/// A row that holds the name, declared at `at`, of a definition with the row's own multiplier.
pub(in crate::model) fn multiplier_by_name(span: Span, at: Span, row: &str) -> Diagnostic {
    multiplier_out_of_place(span, row, "the lower level").with(at, "holds it")
}

pub(in crate::model) fn multiplier_of_own_level(span: Span, name: &str) -> Diagnostic {
    error("B0437", format!("the upper level holds `multiplier({name})` of its own row"), span, "known at its solution")
        .help("`metric` and `expect` may hold it; the upper level may hold multipliers of lower rows")
}

pub(in crate::model) fn violation_outside_metric(span: Span) -> Diagnostic {
    error("B0438", "`violation` is for metrics and `expect`", span, "not in a metric")
        .help("state what must hold as a row; the upper objective may hold its multiplier")
}

/// `kink` is the operation, `used` its derivative there.
pub(in crate::model) fn kinked_row(span: Span, kink: &str, used: &str) -> Diagnostic {
    let d = Diagnostic::warning("W0439", "a row with a kink: methods need derivatives of rows", span, used);
    match kink {
        "abs" => d.help("`abs(e) <= c` is the chain `-c <= e <= c`"),
        "norminf" => d.help("`norminf(e) <= c` is the chain `-c <= e <= c`, a row per entry"),
        "norm1" => d
            .help("`norm1(e) <= c` without a kink: `var t[n]` in this level, and the rows `-t <= e <= t;  sum(t) <= c`")
            .help(
                "or with `var p[n] >= 0` and `var q[n] >= 0`: `p - q` in the place of `y`, and `sum(p) + sum(q) <= c`",
            )
            .help("with a number c, `norm1(y) <= c` of a whole variable is a set: `var y[n] in ball1(c)`"),
        "max" => d.help("`max(a, b) <= c` is two rows, `a <= c;  b <= c`"),
        "min" => d.help("`min(a, b) >= c` is two rows, `a >= c;  b >= c`"),
        "largest" => d.help("`max(e) <= c` is the row `e <= c`, which holds entry by entry"),
        "smallest" => d.help("`min(e) >= c` is the row `e >= c`, which holds entry by entry"),
        "norm2" => d.help("`norm2(e) <= r` is the row `normsq(e) <= r^2`, which is smooth, where `r >= 0`"),
        "relu" => d.help("`relu(e) <= c` is two rows, `e <= c;  0 <= c`"),
        _ => d.help("write it by smooth rows, if need be with another variable"),
    }
}

pub(in crate::model) fn filter_without_loop(span: Span) -> Diagnostic {
    error("B0435", "a filter chooses among the steps of a loop", span, "this row has no `for`")
        .help("write `y[i] <= 1 for i in 1..n if ...`")
}

pub(in crate::model) fn filter_of_follower(span: Span) -> Diagnostic {
    error("B0435", "all followers have the same rows", span, "the filter differs between followers")
        .help("choose by the loops of the row alone; bounds may differ: `y[i] <= c[i, j]`")
}
