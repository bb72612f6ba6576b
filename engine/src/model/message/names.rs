//! B02: names, calls and what a version does not support yet.

use blo_grammar::ast::Name;
use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::span::Span;

use super::{elsewhere, error, list, respell, translate};

pub(in crate::model) fn unknown_name(name: &str, span: Span, near: Option<String>, at: Option<Span>) -> Diagnostic {
    let mut d = error("B0201", format!("unknown name `{name}`"), span, "not declared in this file");
    if let (Some(n), Some(at)) = (&near, at) {
        d = d.with(at, format!("`{n}` is declared here"));
    }
    if let Some(here) = elsewhere::constant(name) {
        return translate(d, span, here);
    }
    d = respell(d, span, near.as_deref());
    d.help(format!("if it is data: `data {name}[...] = csv(\"...\")`; if it is a constant: `param {name} = ...`"))
}

pub(in crate::model) fn declared_twice(name: &str, span: Span, first: Span) -> Diagnostic {
    error("B0202", format!("`{name}` is declared twice"), span, "declared again here")
        .with(first, "first declared here")
        .help("give one of them another name")
}

/// Of a point, where another name does not help.
pub(in crate::model) fn given_twice(name: &str, span: Span, first: Span) -> Diagnostic {
    error("B0202", format!("`{name}` is given twice"), span, "given again here")
        .with(first, "first given here")
        .help("keep one of them")
}

pub(in crate::model) fn cycle(name: &str, span: Span, at: Span, path: &[String]) -> Diagnostic {
    let from = path.iter().position(|p| p == name).unwrap_or(0);
    let chain = path[from..].iter().map(String::as_str).chain([name]).collect::<Vec<_>>().join(" -> ");
    error("B0203", format!("`{name}` is defined in terms of itself"), span, "used here")
        .with(at, "declared here")
        .help(chain)
}

pub(in crate::model) fn recursion(name: &str, span: Span, at: Span) -> Diagnostic {
    error("B0204", format!("`{name}` calls itself"), span, "this call never ends")
        .with(at, "declared here")
        .help("functions are inlined, so they cannot be recursive")
}

pub(in crate::model) fn unknown_function(function: &Name, near: Option<String>) -> Diagnostic {
    let d = error(
        "B0205",
        format!("unknown function `{}`", function.text),
        function.span,
        "not a function of the language or of this file",
    );
    let d = match elsewhere::function(&function.text) {
        Some(here) => translate(d, function.span, here),
        None => respell(d, function.span, near.as_deref()),
    };
    d.help("`blo functions` lists them all")
}

pub(in crate::model) fn not_a_function(name: &str, span: Span, at: Span, arguments: usize) -> Diagnostic {
    let d = error("B0206", format!("`{name}` is not a function"), span, "called here").with(at, "declared here");
    if arguments == 0 { d } else { d.help(format!("for a product write `{name}*(...)`, for an entry `{name}[...]`")) }
}

pub(in crate::model) fn function_without_arguments(name: &str, span: Span) -> Diagnostic {
    error("B0207", format!("`{name}` is a function"), span, "arguments are missing")
        .help(format!("write `{name}(...)`"))
}

pub(in crate::model) fn function_as_value(name: &str, span: Span, at: Span) -> Diagnostic {
    error("B0207", format!("`{name}` is a function"), span, "arguments are missing").with(at, "declared here")
}

pub(in crate::model) fn set_as_value(name: &str, span: Span, at: Span) -> Diagnostic {
    error("B0208", format!("`{name}` is a set, not a number"), span, "used as a value")
        .with(at, "declared here")
        .help(format!("sets stand after `in`: `var x in {name}`"))
}

pub(in crate::model) fn argument_count(name: &str, span: Span, found: usize, wanted: &str) -> Diagnostic {
    error("B0209", format!("`{name}` takes {wanted} argument(s), {found} given"), span, "in this call")
}

pub(in crate::model) fn wrong_call(span: Span, name: &str, signature: &str, found: usize) -> Diagnostic {
    error("B0209", format!("`{name}` does not take {found} argument(s)"), span, "in this call")
        .help(format!("write `{signature}`"))
}

pub(in crate::model) fn unknown_key(name: &Name, of: &str, keys: &[&str], near: Option<&str>) -> Diagnostic {
    let d = error("B0210", format!("`{of}` has no option `{}`", name.text), name.span, "not an option");
    let d = match elsewhere::option(&name.text, keys) {
        Some(here) => translate(d, name.span, here),
        None => respell(d, name.span, near),
    };
    if keys.is_empty() { d.help(format!("`{of}` has no options")) } else { d.help(format!("it has {}", list(keys))) }
}

pub(in crate::model) fn unknown_option_of(name: &Name, of: &str, keys: &[&str]) -> Diagnostic {
    unknown_key(name, of, keys, blo_grammar::diagnostic::did_you_mean(&name.text, keys.iter().copied()))
}

pub(in crate::model) fn other_edition(span: Span) -> Diagnostic {
    let known = blo_grammar::EDITION;
    error("B0220", "the language does not have this edition", span, format!("only {known} is known"))
        .help(format!("write `edition = {known}`, or install a `blo` that knows this edition"))
}

pub(in crate::model) fn no_such_param(name: &str, params: &[&str]) -> Diagnostic {
    let d = error("B0211", format!("`-D {name}`: the file has no param `{name}`"), Span::default(), "in this file");
    match blo_grammar::diagnostic::did_you_mean(name, params.iter().copied()) {
        Some(n) => d.help(format!("did you mean `{n}`?")),
        None if params.is_empty() => d.help("the file declares no params"),
        None => d.help(format!("it has {}", list(params))),
    }
}

pub(in crate::model) fn array_param_given(name: &str, at: Span) -> Diagnostic {
    error("B0212", format!("`-D {name}`: only scalar params can be given on the command line"), at, "this is an array")
}

pub(in crate::model) fn param_not_constant(name: &str, span: Span) -> Diagnostic {
    error(
        "B0213",
        format!("the value of param `{name}` is not known before data is read"),
        span,
        "needs data or a variable",
    )
    .help(format!("use `let {name} = ...` for a value computed from data"))
}

pub(in crate::model) fn no_fields(span: Span, field: &Name) -> Diagnostic {
    let d = error("B0214", format!("there is no field `{}` here", field.text), field.span, "only datasets have fields")
        .with(span, "this is not a dataset");
    match field.text.as_str() {
        "T" | "t" => d.help("the transpose is written `A'`"),
        "shape" | "size" => d.help("there are `rows(A)` and `cols(A)`"),
        _ => d,
    }
}

/// `instead` is what to write today.
pub(in crate::model) fn not_supported_yet(span: Span, what: &str, instead: &str) -> Diagnostic {
    error("B0215", format!("{what}: not supported yet"), span, "reserved for a later version").help(instead)
}

pub(in crate::model) fn shadows_function(name: &str, span: Span) -> Diagnostic {
    Diagnostic::warning("W0201", format!("`{name}` hides the built-in function of that name"), span, "declared here")
}

pub(in crate::model) fn too_deep(span: Span, at: Span, limit: usize) -> Diagnostic {
    error("B0216", format!("more than {limit} names are defined through one another"), span, "one too many")
        .with(at, "declared here")
        .help("put each `let` after the names it uses, and call fewer functions within one another")
}

pub(in crate::model) fn nested_too_deep(span: Span, limit: usize) -> Diagnostic {
    error("B0216", format!("more than {limit} expressions stand within one another"), span, "one too many")
        .help("names and calls count as well: name a part with `let` before it is used")
}

pub(in crate::model) fn too_many_parts(span: Span, limit: usize) -> Diagnostic {
    error("B0217", format!("the formulas have more than {limit} parts, calls written out"), span, "one too many")
        .help("write a sum over data with an index: `sum((x - u[i])^2 for i in 1..n)`")
}

pub(in crate::model) fn too_many_items(span: Span, count: usize, limit: usize) -> Diagnostic {
    error("B0218", format!("the file has {count} items; it may have at most {limit}"), span, "one too many")
        .help("keep data in files of their own, and write one array in place of many numbers")
}

pub(in crate::model) fn too_many_calls(span: Span, limit: usize) -> Diagnostic {
    error("B0217", format!("more than {limit} calls are inlined"), span, "in this call")
        .help("functions that call others twice double at every level: name the value with `let`")
}

pub(in crate::model) fn name_unused(what: &str, name: &str, span: Span) -> Diagnostic {
    Diagnostic::warning("W0219", format!("nothing uses the {what} `{name}`"), span, "declared here")
        .help("use it, or remove its line")
}
