//! B05: single arrays read from files or drawn from generators.

use blo_grammar::ast::Name;
use blo_grammar::diagnostic::{Diagnostic, Edit, counted};
use blo_grammar::span::Span;

use super::{error, list, respell};
use crate::data::{FORMATS, GENERATORS, GenerateError, ReadError, ReadErrorKind};

pub(in crate::model) fn data_needs_source(span: Span) -> Diagnostic {
    error("B0501", "data comes from a file or a generator", span, "not one").help("for a computed value use `let`")
}

pub(in crate::model) fn unknown_source(function: &Name, near: Option<String>) -> Diagnostic {
    let formats: Vec<&str> = FORMATS.iter().map(|f| f.name).collect();
    let generators: Vec<&str> = GENERATORS.iter().map(|g| g.name).collect();
    let what = format!("`{}` is neither a file format nor a generator", function.text);
    let d = error("B0502", what, function.span, "unknown");
    respell(d, function.span, near.as_deref()).help(format!(
        "{} read files, {} generate",
        list(&formats),
        list(&generators)
    ))
}

pub(in crate::model) fn source_outside_data(name: &str, span: Span) -> Diagnostic {
    error("B0503", format!("`{name}` is for `data` and `start` items"), span, "not in an expression")
        .help(format!("declare `data A[...] = {name}(...)` and use `A` here"))
}

pub(in crate::model) fn path_needed(function: &Name) -> Diagnostic {
    error("B0504", format!("`{}` needs a file name first", function.text), function.span, "no file name")
        .help(format!("write `{}(\"name\")`", function.text))
}

pub(in crate::model) fn option_needs_name(span: Span, of: &str, names: &[&str]) -> Diagnostic {
    error("B0505", format!("options of `{of}` have names"), span, "an argument without a name").help(
        if crate::data::generator(of).is_some() {
            format!("sizes stand after the name: `data A[5, 3] = {of}()`; the options are {}", list(names))
        } else {
            format!("it has {}", list(names))
        },
    )
}

pub(in crate::model) fn option_value(span: Span, found: &str) -> Diagnostic {
    error("B0506", format!("{found} cannot be an option's value"), span, "expected a number, text, range or list")
}

pub(in crate::model) fn generated_width(span: Span) -> Diagnostic {
    error("B0507", "a generator needs every size", span, "`_` is taken from files only")
}

pub(in crate::model) fn unreadable(span: Span, why: &ReadError) -> Diagnostic {
    let d = error("B0508", why.to_string(), span, "read here");
    let d = match why.kind.hint() {
        Some(hint) => d.help(hint),
        None => d,
    };
    match &*why.kind {
        ReadErrorKind::NotFound { near: Some(near), .. } if !near.contains(['"', '\\']) => {
            d.suggest(format!("read `{near}`"), vec![Edit { span, text: format!("\"{near}\"") }])
        }
        _ => d,
    }
}

/// `at` counts from 0 in row-major order; `wanted` is what an entry has to be, and how to make it that.
pub(in crate::model) fn lent_value(
    span: Span,
    name: &str,
    (at, shape): (usize, &[usize]),
    value: f64,
    wanted: (&str, &str),
) -> Diagnostic {
    let mut rest = at;
    let mut place: Vec<String> = shape.iter().rev().map(|n| ((rest % n + 1).to_string(), rest /= n).0).collect();
    place.reverse();
    let entry = if place.is_empty() { name.to_owned() } else { format!("{name}[{}]", place.join(", ")) };
    let text = format!("`{entry}` of the array that the caller gives is {value}, not {}", wanted.0);
    error("B0508", text, span, "given by the caller").help(wanted.1)
}

pub(in crate::model) fn ungenerated(span: Span, why: &GenerateError) -> Diagnostic {
    let d = error("B0509", why.to_string(), span, "generated here");
    match why.hint() {
        Some(hint) => d.help(hint),
        None => d,
    }
}

pub(in crate::model) fn file_shape(
    span: Span,
    name: &str,
    path: &str,
    found: &str,
    (wanted, at): (&str, Span),
    hint: &str,
) -> Diagnostic {
    error("B0510", format!("`{path}` does not have the shape of `{name}`"), span, format!("the file holds {found}"))
        .with(at, format!("declared as {wanted}"))
        .help(hint)
}

pub(in crate::model) fn lent_shape(span: Span, name: &str, found: &str, wanted: &str) -> Diagnostic {
    let text = format!("the array that the caller gives for `{name}` is {found}, and not {wanted}");
    error("B0510", text, span, format!("declared as {wanted}")).help("arrays are row-major, the first extent slowest")
}

pub(in crate::model) fn empty_filter(span: Span, name: &str, candidates: usize) -> Diagnostic {
    error(
        "B0511",
        format!("`{name}` selects none of {}", counted(candidates, "row", "rows")),
        span,
        "the condition holds nowhere",
    )
}

/// `expected` is what a file has said of the size before. `user` is the data item that met it.
pub(in crate::model) fn other_length(span: Span, found: i64, expected: i64, user: Option<(&str, Span)>) -> Diagnostic {
    let d =
        error("B0513", format!("{found} positions where {expected} are needed"), span, format!("{found} positions"));
    match user {
        Some((name, at)) => d.with(at, format!("a size of `{name}`, left to the file, is {expected}")),
        None => d,
    }
}

pub(in crate::model) fn header_suspected(span: Span, path: &str, as_names: bool) -> Diagnostic {
    let (looks, read) = if as_names { ("data", "names") } else { ("names", "data") };
    let message = format!("the first row of `{path}` could be {looks}, but is read as {read}");
    Diagnostic::warning("W0512", message, span, "read here")
        .help("write `header = true` if it holds names, `header = false` if it is data")
}

pub(in crate::model) fn index_column(span: Span, path: &str, columns: usize) -> Diagnostic {
    let message = format!("the first column of `{path}` has no name; it could be an index, but is read as data");
    Diagnostic::warning("W0514", message, span, "all columns are read here")
        .help(format!("write `columns = 2..{columns}` without the index, `columns = 1..{columns}` with it"))
}

/// `found` and `between` are the least and the greatest number; `item` is the data item that holds the labels.
pub(in crate::model) fn labels_out_of_range(
    span: Span,
    function: &str,
    between: [f64; 2],
    found: [f64; 2],
    item: Option<(&str, Span)>,
) -> Diagnostic {
    let [name, owner] = match item {
        Some((name, _)) => [name.to_owned(), format!("`{name}` holds")],
        None => ["v".to_owned(), "this holds".to_owned()],
    };
    let numbers = |[least, greatest]: [f64; 2]| match least == greatest {
        true => format!("{least}"),
        false => format!("numbers from {least} to {greatest}"),
    };
    let text =
        format!("`{function}` takes labels from {} to {}, and {owner} {}", between[0], between[1], numbers(found));
    // the class of the larger number counts as 1, as in a column of -1 and 1
    let truth =
        if found[0] < 0.0 && found[1] > 0.0 { format!("{name} > 0") } else { format!("{name} == {}", found[1]) };
    let d = Diagnostic::warning("W0515", text, span, "labels of another kind");
    let d = match item {
        Some((name, at)) => d.with(at, format!("`{name}` is declared here")),
        None => d,
    };
    d.help(format!("write a condition, which counts as 0 or 1: `{truth}`"))
}

/// `constant` are positions from 1.
pub(in crate::model) fn constant_columns(span: Span, constant: &[usize], columns: usize) -> Diagnostic {
    const SHOWN: usize = 5;
    let numbers: Vec<String> = constant.iter().take(SHOWN).map(usize::to_string).collect();
    let more = if constant.len() > SHOWN { ", ..." } else { "" };
    let text = match constant.len() {
        1 => format!("column {} is constant, and `standardize` makes it 0", numbers[0]),
        _ => format!("columns {}{more} are constant, and `standardize` makes them 0", numbers.join(", ")),
    };
    let label = format!("{} of {columns} columns", constant.len());
    Diagnostic::warning("W0516", text, span, label)
        .help("no fit can use such a column: leave it out; for an intercept, add ones after `standardize`")
}
