//! Every diagnostic of the checker and of reading data, one constructor each, in the order of their codes. B02 names,
//! B03 shapes and kinds, B04 levels, sets and prox, B05 data; W warnings. Codes are stable: never reuse one.

mod image;
mod reported;
mod rows;

use blo_grammar::ast::Name;
use blo_grammar::diagnostic::{Diagnostic, Edit};
use blo_grammar::span::Span;

use crate::data::{FORMATS, GENERATORS, GenerateError, ReadError, ReadErrorKind};
use crate::prox::{LISTED, Rejection};
use crate::set::Parameter;
use crate::shape::{Dim, Shape, SizeError};

pub(super) use image::*;
pub(super) use reported::*;
pub(super) use rows::*;

fn error(code: &'static str, message: impl Into<String>, span: Span, label: impl Into<String>) -> Diagnostic {
    Diagnostic::error(code, message, span, label)
}

fn list(words: &[&str]) -> String {
    words.iter().map(|w| format!("`{w}`")).collect::<Vec<_>>().join(", ")
}

/// Replaces a misspelt word where there is one near.
fn respell(d: Diagnostic, span: Span, near: Option<&str>) -> Diagnostic {
    match near {
        Some(n) => {
            d.help(format!("did you mean `{n}`?")).fix(format!("write `{n}`"), vec![Edit { span, text: n.to_string() }])
        }
        None => d,
    }
}

/// True for findings about a block that is left out: its names are unknown then, which is not another mistake.
pub(super) fn leaves_a_block_out(d: &Diagnostic) -> bool {
    d.code == "B0402" || d.code == "B0215" && d.message.starts_with("a nested `lower`")
}

/// True for findings that a piece of the file lost to a syntax error could explain.
pub(super) fn may_be_missing(code: &str) -> bool {
    ["B0201", "B0205", "B0401", "B0403", "B0404", "B0408", "B0410", "N0407"].contains(&code)
}

// --- B02: names -----------------------------------------------------------------------------------------------

pub(super) fn unknown_name(name: &str, span: Span, near: Option<String>, at: Option<Span>) -> Diagnostic {
    let mut d = error("B0201", format!("unknown name `{name}`"), span, "not declared in this file");
    if let (Some(n), Some(at)) = (&near, at) {
        d = d.with(at, format!("`{n}` is declared here"));
    }
    d = respell(d, span, near.as_deref());
    d.help(format!("if it is data: `data {name}[...] = csv(\"...\")`; if it is a constant: `param {name} = ...`"))
}

pub(super) fn declared_twice(name: &str, span: Span, first: Span) -> Diagnostic {
    error("B0202", format!("`{name}` is declared twice"), span, "declared again here")
        .with(first, "first declared here")
        .help("give one of them another name")
}

pub(super) fn cycle(name: &str, span: Span, at: Span, path: &[String]) -> Diagnostic {
    let from = path.iter().position(|p| p == name).unwrap_or(0);
    let chain = path[from..].iter().map(String::as_str).chain([name]).collect::<Vec<_>>().join(" -> ");
    error("B0203", format!("`{name}` is defined in terms of itself"), span, "used here")
        .with(at, "declared here")
        .help(chain)
}

pub(super) fn recursion(name: &str, span: Span, at: Span) -> Diagnostic {
    error("B0204", format!("`{name}` calls itself"), span, "this call never ends")
        .with(at, "declared here")
        .help("functions are inlined, so they cannot be recursive")
}

pub(super) fn unknown_function(function: &Name, near: Option<String>) -> Diagnostic {
    let d = error(
        "B0205",
        format!("unknown function `{}`", function.text),
        function.span,
        "not a function of the language or of this file",
    );
    respell(d, function.span, near.as_deref()).help("`blo functions` lists them all")
}

pub(super) fn not_a_function(name: &str, span: Span, at: Span, arguments: usize) -> Diagnostic {
    let d = error("B0206", format!("`{name}` is not a function"), span, "called here").with(at, "declared here");
    if arguments == 0 { d } else { d.help(format!("for a product write `{name}*(...)`, for an entry `{name}[...]`")) }
}

pub(super) fn function_without_arguments(name: &str, span: Span) -> Diagnostic {
    error("B0207", format!("`{name}` is a function"), span, "arguments are missing")
        .help(format!("write `{name}(...)`"))
}

pub(super) fn function_as_value(name: &str, span: Span, at: Span) -> Diagnostic {
    error("B0207", format!("`{name}` is a function"), span, "arguments are missing").with(at, "declared here")
}

pub(super) fn set_as_value(name: &str, span: Span, at: Span) -> Diagnostic {
    error("B0208", format!("`{name}` is a set, not a number"), span, "used as a value")
        .with(at, "declared here")
        .help(format!("sets stand after `in`: `var x in {name}`"))
}

pub(super) fn argument_count(name: &str, span: Span, found: usize, wanted: &str) -> Diagnostic {
    error("B0209", format!("`{name}` takes {wanted} argument(s), {found} given"), span, "in this call")
}

pub(super) fn wrong_call(span: Span, name: &str, signature: &str, found: usize) -> Diagnostic {
    error("B0209", format!("`{name}` does not take {found} argument(s)"), span, "in this call")
        .help(format!("write {signature}"))
}

pub(super) fn unknown_key(name: &Name, of: &str, keys: &[&str], near: Option<&str>) -> Diagnostic {
    let d = error("B0210", format!("`{of}` has no option `{}`", name.text), name.span, "not an option");
    let d = respell(d, name.span, near);
    if keys.is_empty() { d.help(format!("`{of}` has no options")) } else { d.help(format!("it has {}", list(keys))) }
}

pub(super) fn unknown_option_of(name: &Name, of: &str, keys: &[&str]) -> Diagnostic {
    unknown_key(name, of, keys, blo_grammar::diagnostic::did_you_mean(&name.text, keys.iter().copied()))
}

pub(super) fn no_such_param(name: &str, params: &[&str]) -> Diagnostic {
    let d = error("B0211", format!("`-D {name}`: the file has no param `{name}`"), Span::default(), "in this file");
    match blo_grammar::diagnostic::did_you_mean(name, params.iter().copied()) {
        Some(n) => d.help(format!("did you mean `{n}`?")),
        None if params.is_empty() => d.help("the file declares no params"),
        None => d.help(format!("it has {}", list(params))),
    }
}

pub(super) fn array_param_given(name: &str, at: Span) -> Diagnostic {
    error("B0212", format!("`-D {name}`: only scalar params can be given on the command line"), at, "this is an array")
}

pub(super) fn param_not_constant(name: &str, span: Span) -> Diagnostic {
    error(
        "B0213",
        format!("the value of param `{name}` is not known before data is read"),
        span,
        "needs data or a variable",
    )
    .help(format!("use `let {name} = ...` for a value computed from data"))
}

pub(super) fn no_fields(span: Span, field: &Name) -> Diagnostic {
    error("B0214", format!("there is no field `{}` here", field.text), field.span, "only datasets have fields")
        .with(span, "this is not a dataset")
}

/// `instead` is what to write today.
pub(super) fn not_supported_yet(span: Span, what: &str, instead: &str) -> Diagnostic {
    error("B0215", format!("{what}: not supported yet"), span, "reserved for a later version").help(instead)
}

pub(super) fn shadows_function(name: &str, span: Span) -> Diagnostic {
    Diagnostic::warning("W0201", format!("`{name}` hides the built-in function of that name"), span, "declared here")
}

pub(super) fn too_deep(span: Span, at: Span, limit: usize) -> Diagnostic {
    error("B0216", format!("more than {limit} names are defined through one another"), span, "one too many")
        .with(at, "declared here")
        .help("put each `let` after the names it uses")
}

pub(super) fn too_many_calls(span: Span, limit: usize) -> Diagnostic {
    error("B0217", format!("more than {limit} calls are inlined"), span, "in this call")
        .help("functions that call others twice double at every level: name the value with `let`")
}

// --- B03: shapes, sizes and kinds -----------------------------------------------------------------------------

pub(super) fn shape_mismatch(
    operation: &str,
    shapes: &(String, String),
    texts: &(String, String),
    spans: (Span, Span),
) -> Diagnostic {
    error("B0301", format!("`{operation}` of arrays of different shapes"), spans.0.to(spans.1), "shapes must agree")
        .with(spans.0, format!("`{}` is {}", short(&texts.0), shapes.0))
        .with(spans.1, format!("`{}` is {}", short(&texts.1), shapes.1))
}

pub(super) fn product_mismatch(
    operator: Span,
    shapes: &(String, String),
    texts: &(String, String),
    spans: (Span, Span),
    transpose: Option<(Span, String)>,
) -> Diagnostic {
    let d =
        error("B0302", "the inner sizes of this product differ", operator, "columns on the left, rows on the right")
            .with(spans.0, format!("`{}` is {}", short(&texts.0), shapes.0))
            .with(spans.1, format!("`{}` is {}", short(&texts.1), shapes.1));
    match transpose {
        Some((at, text)) => {
            let end = Span { start: at.end, end: at.end };
            d.help(format!("with a transpose it fits: `{text}`"))
                .fix("transpose", vec![Edit { span: end, text: "'".into() }])
        }
        None => d,
    }
}

/// `number` tells that only a number fits in this place.
pub(super) fn column_product(
    operator: Span,
    shape: &Shape,
    spans: (Span, Span),
    number: bool,
    text: impl Fn(Span) -> String,
) -> Diagnostic {
    let (a, b) = (text(spans.0), text(spans.1));
    let d = error(
        "B0303",
        "a product of two columns is ambiguous",
        operator,
        format!("both sides are columns, {shape} on the left"),
    )
    .help(format!("elementwise: `{a} .* {b}`"))
    .help(format!("inner product: `{a}'*{b}`"));
    if !number {
        return d.fix("multiply elementwise", vec![Edit { span: operator, text: ".*".into() }]);
    }
    let at = |offset: u32| Span { start: offset, end: offset };
    let transpose = Edit { span: at(spans.0.end), text: "'".into() };
    let is_name = a.chars().all(|c| c.is_alphanumeric() || c == '_');
    let edits = if is_name {
        vec![transpose]
    } else {
        vec![Edit { span: at(spans.0.start), text: "(".into() }, Edit { text: ")'".into(), ..transpose }]
    };
    d.fix("take the inner product, since an objective is a number", edits)
}

pub(super) fn product_rank(operator: Span, a: &Shape, b: &Shape, spans: (Span, Span)) -> Diagnostic {
    error("B0304", "`*` is for numbers, columns and matrices", operator, "an operand has more than two axes")
        .with(spans.0, format!("{a}"))
        .with(spans.1, format!("{b}"))
}

pub(super) fn divide_by_array(operator: Span, a: &Shape, b: &Shape, spans: (Span, Span)) -> Diagnostic {
    error("B0305", "`/` divides by a number", operator, "the right side is an array")
        .with(spans.0, format!("{a}"))
        .with(spans.1, format!("{b}"))
        .help("for elementwise division write `./`")
        .fix("divide elementwise", vec![Edit { span: operator, text: "./".into() }])
}

/// `base` has the place and the text of the base; `number` tells that only a number fits in this place.
pub(super) fn power_of_array(
    operator: Span,
    span: Span,
    shape: &Shape,
    base: (Span, &str),
    to: &str,
    number: bool,
) -> Diagnostic {
    let (at, base) = base;
    let d = error("B0306", "`^` is for numbers", span, format!("`{}` is {shape}", short(base)))
        .help(format!("elementwise: `{base}.^{to}`"));
    let d = if to == "2" { d.help(format!("inner product: `{base}'*{base}` or `normsq({base})`")) } else { d };
    if number && to == "2" {
        let bracketed = base.starts_with('(') && base.ends_with(')');
        let (before, after) = if bracketed { ("normsq", "") } else { ("normsq(", ")") };
        let open = Edit { span: Span { start: at.start, end: at.start }, text: before.into() };
        let close = Edit { span: Span { start: at.end, end: span.end }, text: after.into() };
        return d.fix("take the squared length, since an objective is a number", vec![open, close]);
    }
    d.fix("raise elementwise", vec![Edit { span: operator, text: ".^".into() }])
}

pub(super) fn transpose_rank(span: Span, shape: &Shape) -> Diagnostic {
    error("B0307", "a transpose needs a column or a matrix", span, format!("this is {shape}"))
}

pub(super) fn too_many_loops(span: Span) -> Diagnostic {
    error("B0308", "products this deep in comprehensions are not supported", span, "too many loop variables")
        .help("write the inner sum as a matrix product")
}

pub(super) fn branches_differ(span: Span, at: Span, wanted: &Shape, found: &Shape) -> Diagnostic {
    error("B0309", "the parts have different shapes", at, format!("this is {found}"))
        .with(span, format!("others are {wanted}"))
}

pub(super) fn empty_array(span: Span) -> Diagnostic {
    error("B0310", "an array literal needs at least one entry", span, "empty")
}

pub(super) fn nested_array(span: Span) -> Diagnostic {
    error("B0311", "entries of an array literal are numbers", span, "this is an array")
        .help("join arrays with `vcat(a, b)` or `hcat(a, b)`")
}

pub(super) fn expected_numbers(span: Span, found: &str) -> Diagnostic {
    error("B0312", format!("expected numbers, found {found}"), span, "used as numbers")
}

pub(super) fn comparison_as_objective(span: Span) -> Diagnostic {
    expected_numbers(span, "a truth value").help(
        "a constraint is no part of an objective: bounds of a variable are its set, `var y[n] >= 0`; of a coupling constraint `h(x, y) <= 0` write a penalty: `+ 10*sum(max(h, 0).^2)`",
    )
}

pub(super) fn expected_scalar(span: Span, what: &str, shape: &Shape) -> Diagnostic {
    error("B0313", format!("{what} must be a number"), span, format!("this is {shape}"))
}

pub(super) fn expected_boolean(span: Span, found: &str) -> Diagnostic {
    error("B0314", format!("expected a condition, found {found}"), span, "not true or false")
        .help("compare: `a == 1`, `a <= b`, joined with `and`, `or`, `not`")
}

pub(super) fn condition_is_array(span: Span, shape: &str) -> Diagnostic {
    error("B0314", format!("expected one condition per step, found {shape} of them"), span, "an array of truth values")
        .help("index the arrays with the variable of the loop: `b[i] > 0`")
}

pub(super) fn expected_matrix(span: Span, function: &str, shape: &Shape) -> Diagnostic {
    error("B0315", format!("`{function}` takes a matrix"), span, format!("this is {shape}"))
}

pub(super) fn not_square(span: Span, shape: &Shape) -> Diagnostic {
    error("B0316", "expected a square matrix or a column", span, format!("this is {shape}"))
}

pub(super) fn condition_on_variable(span: Span) -> Diagnostic {
    error("B0317", "a condition cannot depend on variables", span, "depends on a variable of a level")
        .help("for a smooth switch use `sigmoid`, for a kink `max(a, b)`")
}

pub(super) fn constants_only(function: &Name, span: Span) -> Diagnostic {
    error("B0318", format!("`{}` is for constants", function.text), span, "depends on a variable of a level")
        .help("its derivative is zero wherever it exists, so no method could use it")
}

pub(super) fn rank_above_four(span: Span) -> Diagnostic {
    error("B0319", "arrays have at most four axes", span, "more than four here")
}

pub(super) fn concat_mismatch(span: Span, at: Span, first: &str, this: &str) -> Diagnostic {
    error("B0320", "joined arrays differ in another axis", at, format!("this is {this}"))
        .with(span, format!("the first is {first}"))
}

pub(super) fn reshape_count(span: Span, from: &str, to: &str) -> Diagnostic {
    error("B0321", "`reshape` keeps the number of entries", span, format!("{from} cannot become {to}"))
}

pub(super) fn inside_loop(span: Span, function: &str) -> Diagnostic {
    error("B0322", format!("`{function}` of a loop variable is not supported"), span, "inside a comprehension")
        .help("build the whole array first with `let`, then index it")
}

pub(super) fn size_not_whole(span: Span, what: &str, value: f64) -> Diagnostic {
    error("B0323", format!("{what} must be a whole number"), span, format!("this is {value}"))
}

pub(super) fn size_from_variable(span: Span, what: &str) -> Diagnostic {
    error("B0324", format!("{what} cannot depend on variables"), span, "depends on a variable of a level")
}

pub(super) fn size_from_data(span: Span, what: &str) -> Diagnostic {
    error("B0325", format!("{what} cannot depend on values in data"), span, "known only after reading data")
        .help("sizes come from `param`, `rows(.)`, `cols(.)` and numbers")
}

pub(super) fn size_overflow(span: Span) -> Diagnostic {
    error("B0326", "this size has no simple form", span, "sizes are sums of products of params, `rows(.)` and numbers")
}

pub(super) fn bad_size(span: Span, why: &SizeError, origins: &[(String, Span, Option<i64>)]) -> Diagnostic {
    let label = match why {
        SizeError::NotWhole { .. } => "used as a size: must divide exactly",
        SizeError::Negative { .. } => "used as a size: must not be negative",
        SizeError::TooLarge(_) => "larger than any machine holds",
        SizeError::Unknown(_) => "its data is missing",
    };
    let mut d = error("B0327", why.to_string(), span, label);
    for (name, at, value) in origins {
        d = d.with(
            *at,
            value.map_or_else(|| format!("`{name}` comes from here"), |v| format!("`{name}` = {v} comes from here")),
        );
    }
    d
}

pub(super) fn too_much_memory(span: Span, name: &str, shape: &str, total: f64) -> Diagnostic {
    let gigabytes = total * 8.0 / 1e9;
    error("B0344", format!("the arrays of this problem need {gigabytes:.0} GB"), span, format!("`{name}` is {shape}"))
        .help("choose smaller sizes, for example with `-D n=1000`")
}

pub(super) fn deferred_variable(span: Span) -> Diagnostic {
    error("B0328", "`_` is for data: its size is taken from a file", span, "a variable or param needs its size")
        .help("write a param, a number or `rows(A)`")
}

pub(super) fn label_as_index(span: Span) -> Diagnostic {
    error("B0329", "class labels are values, not positions", span, "a label used as an index")
}

pub(super) fn not_an_index_set(span: Span, found: &str) -> Diagnostic {
    error("B0330", "expected an index set", span, format!("this is {found}"))
        .help("write a range such as `1..n`, or an index array")
}

pub(super) fn not_indexable(span: Span, found: &str) -> Diagnostic {
    error("B0331", format!("{found} cannot be indexed"), span, "indexed here")
}

pub(super) fn bad_subscript(span: Span, found: &str) -> Diagnostic {
    error("B0332", format!("{found} cannot be an index"), span, "used as an index")
        .help("an index is a whole number, a range, an index array, or a loop variable times a number plus a size")
}

pub(super) fn subscript_count(span: Span, found: usize, shape: &Shape, text: &str) -> Diagnostic {
    let wanted = shape.rank();
    let d =
        error("B0333", format!("{found} index(es) for {wanted} axes"), span, format!("`{}` is {shape}", short(text)));
    if wanted == 2 && found == 1 { d.help(format!("for a row write `{text}[i, _]`")) } else { d }
}

pub(super) fn out_of_range(span: Span, position: &str, extent: &str) -> Diagnostic {
    error("B0334", format!("position {position} is outside 1..{extent}"), span, "indices count from 1")
}

pub(super) fn diagonal(span: Span) -> Diagnostic {
    error("B0335", "one loop variable cannot index two axes", span, "the same variable twice")
        .help("for the diagonal write `let d = diag(M)` and use `d[i]`")
}

pub(super) fn bad_stride(span: Span) -> Diagnostic {
    error("B0336", "a stride is a whole number, at least 1", span, "in this range")
}

pub(super) fn filter_form(span: Span) -> Diagnostic {
    error(
        "B0337",
        "a filtered comprehension selects positions",
        span,
        "not of the form `[i for i in 1..n if condition]`",
    )
    .help("first `let tr = [i for i in 1..n if ...]`, then use `tr` as an index or loop over it")
}

pub(super) fn list_subscript(span: Span) -> Diagnostic {
    error("B0338", "a list of index arrays takes one index", span, "write `G[j]`")
}

pub(super) fn blocks_of_range(span: Span) -> Diagnostic {
    error("B0339", "`blocks` divides a range with stride 1", span, "not such a range").help("write `blocks(1..m, J)`")
}

pub(super) fn uneven_blocks(span: Span, length: &Dim, count: &Dim, why: &SizeError) -> Diagnostic {
    error("B0340", format!("{length} positions do not divide into {count} equal blocks"), span, why.to_string())
}

pub(super) fn not_a_reduction(function: &Name) -> Diagnostic {
    error("B0341", format!("`{}` does not take a comprehension", function.text), function.span, "with `for` inside")
        .help("`sum`, `mean`, `max` and `min` do")
}

/// `name` is empty for a part of a variable.
pub(super) fn declared_shape(span: Span, name: &str, found: &str, wanted: &str) -> Diagnostic {
    let what = if name.is_empty() { "this known value".to_owned() } else { format!("the value of `{name}`") };
    error("B0342", format!("{what} has the wrong shape"), span, format!("this is {found}, declared is {wanted}"))
}

pub(super) fn constant_needed(span: Span, what: &str) -> Diagnostic {
    error("B0343", format!("{what} cannot depend on variables or on values not known yet"), span, "not a constant")
}

// --- B04: levels, sets, prox ----------------------------------------------------------------------------------

pub(super) fn level_missing(level: &str, span: Span) -> Diagnostic {
    error("B0401", format!("the file has no `{level}` block"), span, "in this file")
        .help(format!("write `{level} {{ var ...  minimize ... }}`"))
}

pub(super) fn second_level(level: &str, span: Span, first: Span) -> Diagnostic {
    let d = error("B0402", format!("a second `{level}` block: not supported yet"), span, "again here");
    let d = d.with(first, "first here");
    match level {
        "lower" => d.help("followers that do not see each other are one lower level: put all variables into one block and add the objectives up; `lower for j in D` has one per task"),
        _ => d.help("put all variables and one objective into one block"),
    }
}

pub(super) fn lower_without_variables(span: Span) -> Diagnostic {
    error("B0403", "the lower level has no variables", span, "nothing to choose").help("declare some: `var y[n]`")
}

pub(super) fn nothing_to_minimize(level: &str, span: Span, regularizer: Option<Span>) -> Diagnostic {
    let d = error("B0404", format!("the {level} level has variables but nothing to minimise"), span, "no `minimize`");
    match regularizer {
        Some(at) => d.with(at, "only the proximal part is here").help("write `minimize 0` if there is no smooth part"),
        None => d.help("write `minimize ...`"),
    }
}

pub(super) fn two_objectives(span: Span, first: Span) -> Diagnostic {
    error("B0405", "a level has one objective", span, "a second one")
        .with(first, "the first one")
        .help("add them up in one `minimize`")
}

pub(super) fn objective_not_scalar(span: Span, shape: &str) -> Diagnostic {
    error("B0406", "an objective is a number", span, format!("this is {shape}"))
        .help("reduce it: `sum(...)`, `mean(...)` or `normsq(...)`")
}

pub(super) fn simple_bilevel(span: Span) -> Diagnostic {
    Diagnostic::note(
        "N0407",
        "a simple bilevel problem: the best among the lower level's solutions is sought",
        span,
        "no variables here",
    )
}

pub(super) fn not_a_variable(name: &str, span: Span, near: Option<String>) -> Diagnostic {
    respell(
        error("B0408", format!("`{name}` is not a variable of a level"), span, "no such variable"),
        span,
        near.as_deref(),
    )
}

pub(super) fn fact_target(span: Span) -> Diagnostic {
    error(
        "B0409",
        "this fact has no known form",
        span,
        "write `x = value`, `x in SET`, `x[i] = value for i in 1..h`, `upper = value`",
    )
}

pub(super) fn not_a_set(name: &str, span: Span, at: Option<Span>) -> Diagnostic {
    let d = error("B0410", format!("`{name}` is not a set"), span, "after `in`")
        .help("`blo sets` lists them: `[lo, hi]`, `ball2(r)`, `simplex(s)`");
    match at {
        Some(at) => d.with(at, "declared here as something else"),
        None => d,
    }
}

pub(super) fn set_outside_domain(name: &str, span: Span) -> Diagnostic {
    error("B0411", format!("`{name}` is a set"), span, "used as a number")
        .help(format!("sets stand after `in`: `var y[n] in {name}(...)`"))
}

pub(super) fn interval_ends(span: Span, found: usize) -> Diagnostic {
    error("B0412", format!("an interval has two ends, {found} given"), span, "write `[lo, hi]`")
        .help("`inf` and `-inf` are allowed")
}

pub(super) fn set_shape(span: Span, name: &Name, found: &str, wanted: &str) -> Diagnostic {
    error("B0413", format!("the set of `{}` has the wrong shape", name.text), span, format!("this is {found}"))
        .with(name.span, format!("`{}` is {wanted}", name.text))
}

pub(super) fn set_parameter(span: Span, set: &str, parameter: &Parameter, found: &str) -> Diagnostic {
    let Parameter { name, doc, .. } = parameter;
    error("B0413", format!("`{name}` of `{set}` must be a number"), span, format!("this is {found}"))
        .help(format!("`{name}` is {doc}: one number for the whole array"))
}

pub(super) fn set_depends_on_variable(span: Span, variable: &str, is_lower: bool) -> Diagnostic {
    let d = error(
        "B0414",
        format!("the set of `{variable}` depends on a variable"),
        span,
        "depends on a variable of a level",
    );
    if is_lower {
        d.help("methods need a fixed lower set: scale the variable instead, e.g. `y = x*u` with `var u in [0, 1]`, or add a penalty to `minimize`")
    } else {
        d.help("sets are fixed before the run")
    }
}

pub(super) fn empty_set(span: Span, variable: &str, entry: Option<usize>, why: &str) -> Diagnostic {
    let label = entry.map_or_else(|| why.to_string(), |entry| format!("entry {}: {why}", entry + 1));
    error("B0415", format!("the set of `{variable}` is empty"), span, label)
}

pub(super) fn no_prox(span: Span, why: &Rejection) -> Diagnostic {
    error("B0416", "this regularizer has no registered prox", span, why.why()).help(why.help())
}

pub(super) fn unknown_combination(span: Span, variable: &str, parts: &[&str], set: Option<(&str, Span)>) -> Diagnostic {
    let d =
        error("B0417", format!("no joint prox for `{variable}`: {}", parts.join(" + ")), span, "these terms together");
    let d = match set {
        Some((name, at)) => d.with(at, format!("with the set `{name}`")),
        None => d,
    };
    d.help(format!("{LISTED}, and which of them a box goes with"))
}

pub(super) fn weight_depends_on_own(span: Span) -> Diagnostic {
    error("B0418", "the weight of this term depends on a lower variable", span, "a product of lower variables")
        .help("a weight may hold numbers, data and upper variables; a smooth product belongs into `minimize`")
}

pub(super) fn negative_weight(span: Span, declaration: Option<(String, Span, bool)>) -> Diagnostic {
    let d = error("B0419", "the weight of this term may be negative", span, "a prox needs a weight >= 0");
    match declaration {
        Some((name, at, free)) => {
            let d = d.with(at, format!("`{name}` may be negative"));
            let d = d.help(format!("declare `var {name} >= 0`, or use `exp({name})` as the weight"));
            if free {
                let end = Span { start: at.end, end: at.end };
                d.fix(format!("bound `{name}` below by 0"), vec![Edit { span: end, text: " >= 0".into() }])
            } else {
                d
            }
        }
        None => d.help("use `exp(...)`, a square, or data known to be nonnegative"),
    }
}

pub(super) fn kink_has_prox(span: Span, text: &str, cut: Span, objective: Span) -> Diagnostic {
    let insert = Span { start: objective.end, end: objective.end };
    error("B0420", "`minimize` of the lower level is for the smooth part", span, "this term has a kink and a prox")
        .help(format!("write `regularize {}`", short(text)))
        .fix(
            "move the term to `regularize`",
            if cut == objective {
                vec![Edit { span: cut, text: format!("0\n  regularize {text}") }]
            } else {
                vec![
                    Edit { span: cut, text: String::new() },
                    Edit { span: insert, text: format!("\n  regularize {text}") },
                ]
            },
        )
}

pub(super) fn kink_without_prox(span: Span, function: &str, convention: &str) -> Diagnostic {
    Diagnostic::warning(
        "W0421",
        format!("`{function}` has a kink and no prox is registered for this use"),
        span,
        "not differentiable everywhere",
    )
    .help(format!("the derivative used there: {convention}"))
}

// --- B05: data ------------------------------------------------------------------------------------------------

pub(super) fn data_needs_source(span: Span) -> Diagnostic {
    error("B0501", "data comes from a file or a generator", span, "not one").help("for a computed value use `let`")
}

pub(super) fn unknown_source(function: &Name, near: Option<String>) -> Diagnostic {
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

pub(super) fn source_outside_data(name: &str, span: Span) -> Diagnostic {
    error("B0503", format!("`{name}` is for `data` and `start` items"), span, "not in an expression")
        .help(format!("declare `data A[...] = {name}(...)` and use `A` here"))
}

pub(super) fn path_needed(function: &Name) -> Diagnostic {
    error("B0504", format!("`{}` needs a file name first", function.text), function.span, "no file name")
        .help(format!("write `{}(\"name\")`", function.text))
}

pub(super) fn option_needs_name(span: Span, of: &str, names: &[&str]) -> Diagnostic {
    error("B0505", format!("options of `{of}` have names"), span, "an argument without a name").help(
        if crate::data::generator(of).is_some() {
            format!("sizes stand after the name: `data A[5, 3] = {of}()`; the options are {}", list(names))
        } else {
            format!("it has {}", list(names))
        },
    )
}

pub(super) fn option_value(span: Span, found: &str) -> Diagnostic {
    error("B0506", format!("{found} cannot be an option's value"), span, "expected a number, text, range or list")
}

pub(super) fn generated_width(span: Span) -> Diagnostic {
    error("B0507", "a generator needs every size", span, "`_` is taken from files only")
}

pub(super) fn unreadable(span: Span, why: &ReadError) -> Diagnostic {
    let d = error("B0508", why.to_string(), span, "read here");
    let d = match why.kind.hint() {
        Some(hint) => d.help(hint),
        None => d,
    };
    match &*why.kind {
        // of several names none is safe
        ReadErrorKind::NotFound { near } if near.len() == 1 && !near[0].contains(['"', '\\']) => {
            d.fix(format!("read `{}`", near[0]), vec![Edit { span, text: format!("\"{}\"", near[0]) }])
        }
        _ => d,
    }
}

pub(super) fn ungenerated(span: Span, why: &GenerateError) -> Diagnostic {
    let d = error("B0509", why.to_string(), span, "generated here");
    match why.hint() {
        Some(hint) => d.help(hint),
        None => d,
    }
}

pub(super) fn file_shape(
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

pub(super) fn empty_filter(span: Span, name: &str, candidates: usize) -> Diagnostic {
    error("B0511", format!("`{name}` selects none of {candidates} rows"), span, "the condition holds nowhere")
}

pub(super) fn header_suspected(span: Span, path: &str) -> Diagnostic {
    Diagnostic::warning(
        "W0512",
        format!("the first row of `{path}` reads like numbered column names, but is taken as data"),
        span,
        "read here",
    )
    .help("write `header = true` if it holds names, `header = false` if it is data")
}

/// A text cut to what fits a message.
fn short(text: &str) -> String {
    let flat: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if flat.chars().count() <= 40 { flat } else { format!("{}...", flat.chars().take(37).collect::<String>()) }
}
