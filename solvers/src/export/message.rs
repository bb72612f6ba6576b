//! What cannot be exported, with what to do instead.

use blo_grammar::diagnostic::{Diagnostic, counted};
use blo_grammar::span::Span;

fn cannot(span: Span, what: &str, label: &str, instead: &str) -> Diagnostic {
    Diagnostic::error("B0640", format!("{what} cannot be exported"), span, label).help(instead)
}

/// Rows of `subject to`; `multipliers` of them may be in the upper level.
pub(super) fn rows(span: Span, multipliers: bool) -> Diagnostic {
    let instead = match multipliers {
        true => "`blo export ampl` takes rows and their multipliers; `blo solve` runs the file",
        false => "`blo export ampl` and `blo export gams` take rows; `blo solve` runs the file",
    };
    cannot(span, "a problem with rows of `subject to`", "this row", instead)
}

/// `batch = 32`
pub(super) fn batches(span: Span, method: &str) -> Diagnostic {
    let instead = "leave `batch` out: the exported program shares the rows among its devices";
    cannot(span, &format!("method `{method}` on batches of rows"), "this run", instead)
}

/// `resample = 1`
pub(super) fn tasks(span: Span, method: &str) -> Diagnostic {
    cannot(span, &format!("method `{method}` with new tasks"), "this run", "keep the first tasks: `--set resample=0`")
}

/// A stage that no graph can hold.
pub(super) fn external(span: Span, method: &str, stage: &str, fit: &[&str]) -> Diagnostic {
    let what = format!("method `{method}`");
    let d = cannot(
        span,
        &what,
        &format!("its stage `{stage}` is not a graph"),
        &format!("methods that can: {}", fit.join(", ")),
    );
    d.help("`blo solve` runs it")
}

/// `auto`
pub(super) fn search(span: Span, method: &str, fit: &[&str]) -> Diagnostic {
    let what = format!("method `{method}`, which searches beside its iterations,");
    cannot(span, &what, "this method", &format!("name one of the methods that can: {}", fit.join(", ")))
}

/// A hypergradient whose parts nothing writes down.
pub(super) fn unknown_hypergradient(span: Span, method: &str) -> Diagnostic {
    let instead = "choose rhg, fhg, trhg, bda, iaptt, cg or neumann";
    cannot(span, &format!("the hypergradient of method `{method}`"), "this method", instead)
}

/// An operation without a counterpart.
pub(super) fn operation(span: Span, what: &str, why: &str) -> Diagnostic {
    cannot(span, what, "used here", why)
}

/// A control that changes what an exported program does not change.
pub(super) fn rewritten(span: Span, method: &str, after: u64, part: &str) -> Diagnostic {
    let what = format!("method `{method}` with automatic steps");
    let label = format!("after iteration {after} it sets `{part}` itself");
    cannot(
        span,
        &what,
        &label,
        "state its steps, such as `--set alpha_x=0.1`, or record fewer iterations: `--iterations`",
    )
}

/// A run without an iteration.
pub(super) fn no_iteration(span: Span, method: &str) -> Diagnostic {
    let what = format!("a run of method `{method}` that ends before its first iteration");
    cannot(span, &what, "this run", "state its steps: `blo methods NAME` lists the options")
}

/// A run that leaves the numbers.
pub(super) fn not_finite(span: Span, method: &str, iterations: u64) -> Diagnostic {
    let what = format!(
        "a run of method `{method}` that is not finite after {}",
        counted(iterations, "iteration", "iterations")
    );
    cannot(span, &what, "this run", "choose smaller steps, or record fewer iterations: `--iterations`")
}

/// Recorded numbers that fill a disk.
pub(super) fn too_many(span: Span, method: &str, entries: usize) -> Diagnostic {
    let what = format!(
        "the run of method `{method}`, which needs {},",
        counted(entries, "recorded number", "recorded numbers")
    );
    cannot(span, &what, "this run", "state its steps, or record fewer iterations: `--iterations`")
}

/// An array with more than two axes.
pub(super) fn many_axes(span: Span, name: &str) -> Diagnostic {
    let what = format!("`{name}`, which has more than two axes,");
    cannot(span, &what, "this array", "`blo export jax` takes it, where there are no rows; `blo solve` runs the file")
}

/// A set that is no list of rows.
pub(super) fn set_without_rows(span: Span, set: &str) -> Diagnostic {
    let what = format!("the set `{set}`");
    cannot(
        span,
        &what,
        "it is no list of smooth rows",
        "write rows of `subject to`, or use `blo export jax`, which takes sets; `blo solve` runs the file",
    )
}

/// A term of the proximal part without a smooth form.
pub(super) fn term_without_rows(span: Span, term: &str) -> Diagnostic {
    let instead = "`norm1` and `normsq` can; `blo export jax` takes this one, and `blo solve` runs the file";
    cannot(span, &format!("the term `{term}`"), "it has no smooth form", instead)
}

/// A multiplier in the upper level.
pub(super) fn multiplier_above(span: Span) -> Diagnostic {
    cannot(
        span,
        "an upper level that holds multipliers",
        "this multiplier",
        "`blo export ampl` takes it: its file has the multipliers as variables",
    )
}

/// More numbers than a text should have.
pub(super) fn too_much_text(span: Span, what: &str) -> Diagnostic {
    cannot(
        span,
        what,
        "its text would be too long",
        "choose smaller sizes (`-D n=50`), or use `blo export jax`, whose arrays are files",
    )
}
