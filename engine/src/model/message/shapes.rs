//! B03: shapes, kinds of values, sizes and subscripts.

use blo_grammar::ast::Name;
use blo_grammar::diagnostic::{Diagnostic, Edit, counted};
use blo_grammar::span::Span;

use super::{error, short};
use crate::limits::amount;
use crate::shape::{Dim, Shape, SizeError};

pub(in crate::model) fn shape_mismatch(
    operation: &str,
    shapes: &(String, String),
    texts: &(String, String),
    spans: (Span, Span),
) -> Diagnostic {
    error("B0301", format!("`{operation}` of arrays of different shapes"), spans.0.to(spans.1), "shapes must agree")
        .with(spans.0, format!("`{}` is {}", short(&texts.0), shapes.0))
        .with(spans.1, format!("`{}` is {}", short(&texts.1), shapes.1))
}

pub(in crate::model) fn product_mismatch(
    operator: Span,
    shapes: &(String, String),
    texts: &(String, String),
    spans: (Span, Span),
    transpose: Option<(Edit, String)>,
) -> Diagnostic {
    let d =
        error("B0302", "the inner sizes of this product differ", operator, "columns on the left, rows on the right")
            .with(spans.0, format!("`{}` is {}", short(&texts.0), shapes.0))
            .with(spans.1, format!("`{}` is {}", short(&texts.1), shapes.1));
    match transpose {
        Some((edit, text)) => {
            let fits = if edit.text.is_empty() { "without a transpose" } else { "with a transpose" };
            d.offer(format!("{fits} it fits: `{text}`"), "transpose", vec![edit])
        }
        None => d,
    }
}

/// `number` tells that only a number fits in this place.
pub(in crate::model) fn column_product(
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
        return d.suggest("multiply elementwise", vec![Edit { span: operator, text: ".*".into() }]);
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

pub(in crate::model) fn product_rank(operator: Span, a: &Shape, b: &Shape, spans: (Span, Span)) -> Diagnostic {
    error("B0304", "`*` is for numbers, columns and matrices", operator, "an operand has more than two axes")
        .with(spans.0, format!("{a}"))
        .with(spans.1, format!("{b}"))
}

pub(in crate::model) fn divide_by_array(operator: Span, a: &Shape, b: &Shape, spans: (Span, Span)) -> Diagnostic {
    error("B0305", "`/` divides by a number", operator, "the right side is an array")
        .with(spans.0, format!("{a}"))
        .with(spans.1, format!("{b}"))
        .help("for elementwise division write `./`")
        .suggest("divide elementwise", vec![Edit { span: operator, text: "./".into() }])
}

/// `base` has the place and the text of the base; `number` tells that only a number fits in this place.
pub(in crate::model) fn power_of_array(
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
    let inner = base.strip_prefix('(').and_then(|b| b.strip_suffix(')')).unwrap_or(base);
    let d = if to == "2" { d.help(format!("inner product: `{base}'*{base}` or `normsq({inner})`")) } else { d };
    if number && to == "2" {
        let bracketed = base.starts_with('(') && base.ends_with(')');
        let (before, after) = if bracketed { ("normsq", "") } else { ("normsq(", ")") };
        let open = Edit { span: Span { start: at.start, end: at.start }, text: before.into() };
        let close = Edit { span: Span { start: at.end, end: span.end }, text: after.into() };
        return d.fix("take the squared length, since an objective is a number", vec![open, close]);
    }
    let edits = vec![Edit { span: operator, text: ".^".into() }];
    // it may be meant as a product with itself
    d.suggest("raise elementwise", edits)
}

pub(in crate::model) fn transpose_rank(span: Span, shape: &Shape) -> Diagnostic {
    error("B0307", "a transpose needs a column or a matrix", span, format!("this is {shape}"))
}

pub(in crate::model) fn too_many_axes(span: Span, found: usize, most: usize) -> Diagnostic {
    let title = format!("an array within loops has at most {most} axes, one per loop included");
    error("B0308", title, span, format!("this has {found}")).help("write the inner sum as a matrix product")
}

pub(in crate::model) fn branches_differ(span: Span, at: Span, wanted: &Shape, found: &Shape) -> Diagnostic {
    error("B0309", "the parts have different shapes", at, format!("this is {found}"))
        .with(span, format!("others are {wanted}"))
}

pub(in crate::model) fn empty_array(span: Span) -> Diagnostic {
    error("B0310", "an array literal needs at least one entry", span, "empty")
}

pub(in crate::model) fn unequal_rows(span: Span, this: &str, first_at: Span, first: &str) -> Diagnostic {
    error("B0311", "entries of an array literal have one shape", span, format!("this is {}", entry(this)))
        .with(first_at, format!("the first entry is {}", entry(first)))
        .help("write rows of equal length, as in `[[2, 4], [1, 3]]`; `vcat(a, b)` joins arrays of different lengths")
}

/// A shape as an entry of an array literal has it.
fn entry(shape: &str) -> String {
    if shape == "[]" { "a number".into() } else { format!("an array of shape {shape}") }
}

pub(in crate::model) fn expected_numbers(span: Span, found: &str) -> Diagnostic {
    error("B0312", format!("expected numbers, found {found}"), span, "used as numbers")
}

pub(in crate::model) fn comparison_as_objective(span: Span) -> Diagnostic {
    expected_numbers(span, "a truth value")
        .help("a constraint is not part of an objective: write it as a row of the level, `subject to { x + y <= 1 }`")
}

pub(in crate::model) fn comparison_as_metric(span: Span) -> Diagnostic {
    expected_numbers(span, "a truth value")
        .help("a metric is a number: write `if ... then 1 else 0`; what has to hold is an `expect { ... }`")
}

pub(in crate::model) fn expected_scalar(span: Span, what: &str, shape: &Shape) -> Diagnostic {
    error("B0313", format!("{what} must be a number"), span, format!("this is {shape}"))
}

pub(in crate::model) fn expected_boolean(span: Span, found: &str) -> Diagnostic {
    error("B0314", format!("expected a condition, found {found}"), span, "not true or false")
        .help("compare: `a == 1`, `a <= b`, joined with `and`, `or`, `not`")
}

pub(in crate::model) fn condition_is_array(span: Span, shape: &str) -> Diagnostic {
    error("B0314", format!("expected one condition per step, found {shape} of them"), span, "an array of truth values")
        .help("index the arrays with the variable of the loop: `b[i] > 0`")
}

pub(in crate::model) fn expected_matrix(span: Span, function: &str, shape: &Shape) -> Diagnostic {
    error("B0315", format!("`{function}` takes a matrix"), span, format!("this is {shape}"))
}

pub(in crate::model) fn not_square(span: Span, shape: &Shape) -> Diagnostic {
    error("B0316", "expected a square matrix or a column", span, format!("this is {shape}"))
}

pub(in crate::model) fn expected_column(span: Span, function: &str, shape: &Shape) -> Diagnostic {
    error("B0315", format!("`{function}` takes a column"), span, format!("this is {shape}"))
        .help("a row of a matrix is `Y[i, _]`")
}

pub(in crate::model) fn square_needed(span: Span, shape: &Shape) -> Diagnostic {
    error("B0316", "expected a square matrix", span, format!("this is {shape}"))
        .help("for a matrix `A` with more rows than columns write `A'*A`")
}

pub(in crate::model) fn right_side(span: Span, right: &str, matrix_at: Span, matrix: &str) -> Diagnostic {
    error("B0302", "the sizes of `solve(S, b)` differ", span, format!("this is {right}"))
        .with(matrix_at, format!("this is {matrix}"))
        .help("`b` needs as many rows as `S` has columns")
}

pub(in crate::model) fn condition_on_variable(span: Span) -> Diagnostic {
    error("B0317", "a condition cannot depend on variables", span, "depends on a variable of a level")
        .help("for a smooth switch use `sigmoid`, for a kink `max(a, b)`")
}

pub(in crate::model) fn constants_only(function: &Name, span: Span) -> Diagnostic {
    error("B0318", format!("`{}` is for constants", function.text), span, "depends on a variable of a level")
        .help("its derivative is zero wherever it exists, so no method could use it")
}

pub(in crate::model) fn rank_above_four(span: Span) -> Diagnostic {
    error("B0319", "arrays have at most four axes", span, "more than four here")
}

pub(in crate::model) fn concat_mismatch(span: Span, at: Span, first: &str, this: &str) -> Diagnostic {
    error("B0320", "joined arrays differ in another axis", at, format!("this is {this}"))
        .with(span, format!("the first is {first}"))
}

pub(in crate::model) fn reshape_count(span: Span, from: &str, to: &str) -> Diagnostic {
    error("B0321", "`reshape` keeps the number of entries", span, format!("{from} cannot become {to}"))
}

pub(in crate::model) fn inside_loop(span: Span, function: &str) -> Diagnostic {
    error("B0322", format!("`{function}` of a loop variable is not supported"), span, "inside a comprehension")
        .help("build the whole array first with `let`, then index it")
}

pub(in crate::model) fn size_not_whole(span: Span, what: &str, value: f64) -> Diagnostic {
    error("B0323", format!("{what} must be a whole number"), span, format!("this is {value}"))
}

pub(in crate::model) fn size_from_variable(span: Span, what: &str) -> Diagnostic {
    error("B0324", format!("{what} cannot depend on variables"), span, "depends on a variable of a level")
}

pub(in crate::model) fn size_from_data(span: Span, what: &str) -> Diagnostic {
    error("B0325", format!("{what} cannot depend on values in data"), span, "known only after reading data")
        .help("sizes come from `param`, `rows(.)`, `cols(.)` and numbers")
}

pub(in crate::model) fn size_overflow(span: Span) -> Diagnostic {
    error("B0326", "this size has no simple form", span, "sizes are sums of products of params, `rows(.)` and numbers")
}

pub(in crate::model) fn bad_size(span: Span, why: &SizeError, origins: &[(String, Span, Option<i64>)]) -> Diagnostic {
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

/// `total` counts numbers, `most` bytes.
pub(in crate::model) fn too_much_memory(span: Span, name: &str, shape: &str, total: f64, most: f64) -> Diagnostic {
    let (needed, most) = (amount(total * 8.0), amount(most));
    let what = format!("the arrays of this problem need {needed}, and the limit is {most}");
    error("B0344", what, span, format!("`{name}` is {shape}"))
        .help("choose smaller sizes, or raise the limit with `--limit memory=64GB`")
}

pub(in crate::model) fn too_much_to_evaluate(
    span: Span,
    function: &str,
    shape: &str,
    (needed, most): (f64, f64),
) -> Diagnostic {
    let (needed, most) = (amount(needed), amount(most));
    let what = format!("to evaluate `{function}` node by node takes {needed} of memory, and the limit is {most}");
    error("B0344", what, span, format!("the largest array is {shape}"))
        .help("choose smaller sizes, or raise the limit with `--limit memory=64GB`")
}

/// `needed` and `most` count operations.
pub(in crate::model) fn too_much_work(span: Span, needed: f64, most: f64) -> Diagnostic {
    let what = format!("the check does not compute this constant, which takes {needed:.0e} operations");
    let power = needed.max(most).max(1.0).log10().ceil() + 1.0;
    error("B0355", what, span, format!("the limit is {most:.0e} operations for all constants"))
        .help(format!("choose smaller sizes, or raise the limit with `--limit constants=1e{power:.0}`"))
}

pub(in crate::model) fn too_many_entries(span: Span, shape: &str, entries: f64, most: u64) -> Diagnostic {
    let what = format!("an array of {entries:.0} entries, and the limit is {most}");
    error("B0354", what, span, format!("this is {shape}")).help(format!(
        "choose smaller sizes, or raise the limit with `--limit entries=1e{:.0}`",
        entries.max(1.0).log10().ceil()
    ))
}

pub(in crate::model) fn deferred_variable(span: Span) -> Diagnostic {
    error("B0328", "`_` is for data: its size is taken from a file", span, "a variable or param needs its size")
        .help("write a param, a number or `rows(A)`")
}

pub(in crate::model) fn label_as_index(span: Span) -> Diagnostic {
    error("B0329", "class labels are values, not positions", span, "a label used as an index")
}

pub(in crate::model) fn not_an_index_set(span: Span, found: &str) -> Diagnostic {
    error("B0330", "expected an index set", span, format!("this is {found}"))
        .help("write a range such as `1..n`, or an index array")
}

pub(in crate::model) fn not_indexable(span: Span, found: &str) -> Diagnostic {
    error("B0331", format!("{found} cannot be indexed"), span, "indexed here")
}

pub(in crate::model) fn bad_subscript(span: Span, found: &str) -> Diagnostic {
    error("B0332", format!("{found} cannot be an index"), span, "used as an index")
        .help("an index is a whole number, a range, an index array, or a loop variable times a number plus a size")
}

pub(in crate::model) fn subscript_count(span: Span, found: usize, shape: &Shape, text: &str) -> Diagnostic {
    let wanted = shape.rank();
    let counts = format!("{} for {}", counted(found, "index", "indices"), counted(wanted, "axis", "axes"));
    let found_shape = if wanted == 0 { "a number".to_owned() } else { shape.to_string() };
    let d = error("B0333", counts, span, format!("`{}` is {found_shape}", short(text)));
    if wanted == 2 && found == 1 { d.help(format!("for a row write `{text}[i, _]`")) } else { d }
}

/// `y[j]` within `lower for j in 1..n`: what to do.
pub(in crate::model) fn own_of_a_task(variable: &str, index: &str) -> String {
    format!("inside the block `{variable}` is already this task's own variable: leave `[{index}]` out")
}

pub(in crate::model) fn out_of_range(span: Span, position: &str, extent: &str) -> Diagnostic {
    error("B0334", format!("position {position} is outside 1..{extent}"), span, "indices count from 1")
}

pub(in crate::model) fn position_not_whole(span: Span, what: &str, value: &str) -> Diagnostic {
    error("B0323", format!("{what} must be a whole number"), span, format!("this is {value}"))
}

/// A range whose end is below its start.
pub(in crate::model) fn backward_range(span: Span, first: &str, last: &str) -> Diagnostic {
    error("B0352", format!("the range {first}..{last} runs backwards"), span, "ranges count upwards")
}

/// The same between two numbers.
pub(in crate::model) fn backward_numbers(span: Span, first: &str, last: &str, is_next: bool) -> Diagnostic {
    if is_next {
        return error("B0352", format!("the range {first}..{last} is empty"), span, "ranges count upwards")
            .help("a range between numbers has at least one position");
    }
    backward_range(span, first, last).help(format!("write `{last}..{first}`; a sum has the same terms in either order"))
}

/// A variable with a size of 0.
pub(in crate::model) fn empty_variable(span: Span) -> Diagnostic {
    error("B0356", "this variable has no entries", span, "this size is 0")
        .help("a variable needs at least one entry: choose a larger size, or leave the variable out")
}

/// `lower for j in D` without a `j`.
pub(in crate::model) fn no_followers(span: Span) -> Diagnostic {
    error("B0356", "this lower level has no followers", span, "there is nothing in it")
        .help("`lower for` needs at least one follower: choose a larger size")
}

/// A function of no entries.
pub(in crate::model) fn nothing_in_it(span: Span, function: &str) -> Diagnostic {
    error("B0353", format!("`{function}` needs at least one entry"), span, "there is none")
}

pub(in crate::model) fn diagonal(span: Span) -> Diagnostic {
    error("B0335", "one loop variable cannot index two axes", span, "the same variable twice")
        .help("for the diagonal write `let d = diag(M)` and use `d[i]`")
}

pub(in crate::model) fn bad_stride(span: Span) -> Diagnostic {
    error("B0336", "a stride is a whole number, at least 1", span, "in this range")
}

pub(in crate::model) fn filter_form(span: Span) -> Diagnostic {
    error(
        "B0337",
        "a filtered comprehension selects positions",
        span,
        "not of the form `[i for i in 1..n if condition]`",
    )
    .help("first `let tr = [i for i in 1..n if ...]`, then use `tr` as an index or loop over it")
}

pub(in crate::model) fn list_subscript(span: Span) -> Diagnostic {
    error("B0338", "a list of index arrays takes one index", span, "write `G[j]`")
}

pub(in crate::model) fn blocks_of_range(span: Span) -> Diagnostic {
    error("B0339", "`blocks` divides a range with stride 1", span, "not such a range").help("write `blocks(1..m, J)`")
}

pub(in crate::model) fn uneven_blocks(span: Span, length: &Dim, count: &Dim, why: &SizeError) -> Diagnostic {
    error("B0340", format!("{length} positions do not divide into {count} equal blocks"), span, why.to_string())
}

pub(in crate::model) fn not_a_reduction(function: &Name) -> Diagnostic {
    error("B0341", format!("`{}` does not take a comprehension", function.text), function.span, "with `for` inside")
        .help("`sum`, `mean`, `max` and `min` do")
}

/// `name` is empty for a part of a variable.
pub(in crate::model) fn declared_shape(span: Span, name: &str, found: &str, wanted: &str) -> Diagnostic {
    let what = if name.is_empty() { "this known value".to_owned() } else { format!("the value of `{name}`") };
    error("B0342", format!("{what} has the wrong shape"), span, format!("this is {found}, declared is {wanted}"))
}

pub(in crate::model) fn constant_needed(span: Span, what: &str) -> Diagnostic {
    error("B0343", format!("{what} cannot depend on variables or on values not known yet"), span, "not a constant")
}
