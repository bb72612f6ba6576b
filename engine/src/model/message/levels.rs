//! B04: levels, sets, proximal terms, the start and what is known; W04: kinks and undecided choices.

use blo_grammar::ast::Name;
use blo_grammar::diagnostic::{Diagnostic, Edit};
use blo_grammar::span::Span;

use super::{error, respell, short};
use crate::prox::{LISTED, Rejection, TABLE};
use crate::set::{Entry as Set, Parameter};

pub(in crate::model) fn level_missing(level: &str, span: Span) -> Diagnostic {
    error("B0401", format!("the file has no `{level}` block"), span, "in this file")
        .help(format!("write `{level} {{ var ...  minimize ... }}`"))
}

pub(in crate::model) fn second_level(level: &str, span: Span, first: Span) -> Diagnostic {
    let d = error("B0402", format!("a second `{level}` block: not supported yet"), span, "again here");
    let d = d.with(first, "first here");
    match level {
        "lower" => d.help("followers that do not see each other are one lower level: put all variables into one block and add the objectives up; `lower for j in D` has one follower per task"),
        _ => d.help("put all variables and one objective into one block"),
    }
}

pub(in crate::model) fn lower_without_variables(span: Span) -> Diagnostic {
    error("B0403", "the lower level has no variables", span, "nothing to choose").help("declare some: `var y[n]`")
}

pub(in crate::model) fn nothing_to_minimize(level: &str, span: Span, regularizer: Option<Span>) -> Diagnostic {
    let d = error("B0404", format!("the {level} level has variables but nothing to minimize"), span, "no `minimize`");
    match regularizer {
        Some(at) => d.with(at, "only the proximal part is here").help("write `minimize 0` if there is no smooth part"),
        None => d.help("write `minimize ...`"),
    }
}

pub(in crate::model) fn two_objectives(span: Span, first: Span) -> Diagnostic {
    error("B0405", "a level has one objective", span, "a second one")
        .with(first, "the first one")
        .help("add them up in one `minimize`")
}

pub(in crate::model) fn objective_not_scalar(span: Span, what: &str, shape: &str) -> Diagnostic {
    error("B0406", format!("{what} is a number"), span, format!("this is {shape}"))
        .help("reduce it: `sum(...)`, `mean(...)` or `normsq(...)`")
}

pub(in crate::model) fn simple_bilevel(span: Span) -> Diagnostic {
    Diagnostic::note(
        "N0407",
        "a simple bilevel problem: the method looks for the best of the lower solutions",
        span,
        "no variables here",
    )
}

pub(in crate::model) fn not_a_variable(name: &str, span: Span, near: Option<String>) -> Diagnostic {
    respell(
        error("B0408", format!("`{name}` is not a variable of a level"), span, "no such variable"),
        span,
        near.as_deref(),
    )
}

pub(in crate::model) fn fact_target(span: Span) -> Diagnostic {
    error(
        "B0409",
        "this fact has no known form",
        span,
        "write `x = value`, `x in SET`, `x[i] = value for i in 1..h`, `upper = value`",
    )
}

pub(in crate::model) fn not_a_set(name: &str, span: Span, at: Option<Span>, near: Option<String>) -> Diagnostic {
    let d = error("B0410", format!("`{name}` is not a set"), span, "after `in`");
    let d = respell(d, span, near.as_deref()).help("`blo sets` lists them: `[lo, hi]`, `ball2(r)`, `simplex(s)`");
    match at {
        Some(at) => d.with(at, "declared here as something else"),
        None => d,
    }
}

pub(in crate::model) fn set_without_arguments(name: &str, parameters: &[&str], span: Span) -> Diagnostic {
    error("B0410", format!("the set `{name}` needs its arguments"), span, "after `in`")
        .help(format!("write `{name}({})` with values", parameters.join(", ")))
}

pub(in crate::model) fn set_with_arguments(name: &str, span: Span) -> Diagnostic {
    error("B0410", format!("the set `{name}` has no arguments"), span, "after `in`")
        .help(format!("write `{name}` alone: the variable's shape says the rest"))
}

pub(in crate::model) fn set_outside_domain(name: &str, span: Span) -> Diagnostic {
    error("B0411", format!("`{name}` is a set"), span, "used as a number")
        .help(format!("sets stand after `in`: `var y[n] in {name}(...)`"))
}

pub(in crate::model) fn interval_ends(span: Span, found: usize) -> Diagnostic {
    error("B0412", format!("an interval has two ends, {found} given"), span, "write `[lo, hi]`")
        .help("`inf` and `-inf` are allowed")
}

pub(in crate::model) fn set_shape(span: Span, name: &Name, found: &str, wanted: &str) -> Diagnostic {
    error("B0413", format!("the set of `{}` has the wrong shape", name.text), span, format!("this is {found}"))
        .with(name.span, format!("`{}` is {wanted}", name.text))
}

pub(in crate::model) fn set_parameter(span: Span, set: &str, parameter: &Parameter, found: &str) -> Diagnostic {
    let Parameter { name, doc, .. } = parameter;
    error("B0413", format!("`{name}` of `{set}` must be a number"), span, format!("this is {found}"))
        .help(format!("`{name}` is {doc}: one number for the whole array"))
}

/// A variable of a shape that a set does not have.
pub(in crate::model) fn set_of_other_shapes(span: Span, set: &Set, variable: &Name, found: &str) -> Diagnostic {
    error("B0413", format!("`{}` is a set of {}", set.name, set.variable.words()), span, "after `in`")
        .with(variable.span, format!("`{}` is {found}", variable.text))
}

/// `name`: the set and its parameter, a matrix.
pub(in crate::model) fn set_matrix(
    span: Span,
    (set, parameter): (&str, &str),
    variable: &Name,
    found: &str,
    wanted: &str,
) -> Diagnostic {
    let text = format!("`{parameter}` of `{set}` must be a matrix with a column per entry of `{}`", variable.text);
    error("B0413", text, span, format!("this is {found}"))
        .with(variable.span, format!("`{}` is {wanted}", variable.text))
}

/// `name`: the set, its parameter, and the matrix before that.
pub(in crate::model) fn set_right_side(
    span: Span,
    (set, parameter, matrix): (&str, &str, &str),
    found: &str,
    (at, shape): (Span, &str),
) -> Diagnostic {
    let text = format!("`{parameter}` of `{set}` must be a column with a number per row of `{matrix}`");
    error("B0413", text, span, format!("this is {found}")).with(at, format!("`{matrix}` is {shape}"))
}

/// `scaled`: a fixed set of another variable, and how the variable is made of it, where the set is no interval of a number.
pub(in crate::model) fn set_depends_on_variable(
    span: Span,
    variable: &str,
    is_lower: bool,
    scaled: Option<(String, String)>,
) -> Diagnostic {
    let d = error(
        "B0414",
        format!("the set of `{variable}` depends on a variable"),
        span,
        "depends on a variable of a level",
    );
    if let Some(shape) = scaled.filter(|_| is_lower) {
        if shape.0.is_empty() {
            return d.help("methods need a fixed lower set: write what moves as a row, `subject to { sum(y) <= x }`");
        }
        let text = format!(
            "methods need a fixed lower set: scale the variable instead, with `{}` and `{}` in the place of `{variable}`",
            shape.0, shape.1
        );
        return d.help(text);
    }
    if is_lower {
        d.help(
            "methods need a fixed lower set: scale the variable instead, with `var u in [0, 1]` and `x*u` in the place of `y`",
        )
        .help("start where the factor is not zero, `start { x = 1; u = 0.5 }`: at `x = 0` nothing depends on `u`, and a method may stay there")
    } else {
        d.help("sets are fixed before the run")
    }
}

pub(in crate::model) fn empty_set(span: Span, variable: &str, entry: Option<usize>, why: &str) -> Diagnostic {
    let label = entry.map_or_else(|| why.to_string(), |entry| format!("entry {}: {why}", entry + 1));
    error("B0415", format!("the set of `{variable}` is empty"), span, label)
}

pub(in crate::model) fn no_prox(span: Span, why: &Rejection) -> Diagnostic {
    error("B0416", "this regularizer has no registered prox", span, why.why()).help(why.help())
}

pub(in crate::model) fn unknown_combination(
    span: Span,
    variable: &str,
    parts: &[&str],
    set: Option<(&str, Span)>,
    array: Option<&str>,
) -> Diagnostic {
    let d =
        error("B0417", format!("no joint prox for `{variable}`: {}", parts.join(" + ")), span, "these terms together");
    let d = match set {
        Some((name, at)) => d.with(at, format!("with the set `{name}`")),
        None => d,
    };
    let known: Vec<String> = TABLE.iter().filter(|e| e.parts.len() > 1).map(|e| e.parts.join(" + ")).collect();
    let array = match array {
        Some(name) if parts.len() > 1 => format!("the weight of `{name}` is an array here; "),
        _ => String::new(),
    };
    let alone = TABLE.iter().find(|e| parts == [e.name]);
    d.help(match alone {
        Some(entry) => {
            format!("boxes that go with `{}`: {}; {LISTED}, and the boxes of each", entry.name, entry.boxes.doc())
        }
        None => format!(
            "{array}known together: {}, and squares of one weight with every term; {LISTED}, and the boxes of each",
            known.join(", ")
        ),
    })
}

pub(in crate::model) fn parameter_depends_on_own(span: Span, name: &str) -> Diagnostic {
    error("B0418", format!("`{name}` of this term depends on a lower variable"), span, "in this term")
        .help("a parameter may hold numbers, data and upper variables")
}

pub(in crate::model) fn parameter_out_of_range(span: Span, name: &str, relation: &str) -> Diagnostic {
    error("B0419", format!("`{name}` of this term may be out of range"), span, format!("`{name}` has to be {relation}"))
        .help("write a number, or an upper variable with such bounds")
}

pub(in crate::model) fn weight_depends_on_own(span: Span) -> Diagnostic {
    error("B0418", "the weight of this term depends on a lower variable", span, "a product of lower variables")
        .help("a weight may hold numbers, data and upper variables; move a smooth product to `minimize`")
}

pub(in crate::model) fn negative_weight(span: Span, declaration: Option<(String, Span, bool)>) -> Diagnostic {
    let d = error("B0419", "the weight of this term may be negative", span, "a prox needs a weight >= 0");
    match declaration {
        Some((name, at, free)) => {
            let d = d.with(at, format!("`{name}` may be negative"));
            let d = d.help(format!("declare `var {name} >= 0`, or use `exp({name})` as the weight"));
            if free {
                let end = Span { start: at.end, end: at.end };
                d.suggest(format!("bound `{name}` below by 0"), vec![Edit { span: end, text: " >= 0".into() }])
            } else {
                d
            }
        }
        None => d.help("use `exp(...)`, a square, or data known to be nonnegative"),
    }
}

/// `cut` is what the term takes with it, where nothing else is lost.
pub(in crate::model) fn kink_has_prox(span: Span, text: &str, cut: Option<Span>, objective: Span) -> Diagnostic {
    let insert = Span { start: objective.end, end: objective.end };
    let d =
        error("B0420", "`minimize` of the lower level is for the smooth part", span, "this term has a kink and a prox")
            .help(format!("write `regularize {}`", short(text)));
    let Some(cut) = cut else { return d };
    let edits = if cut == objective {
        vec![Edit { span: cut, text: format!("0\n  regularize {text}") }]
    } else {
        vec![Edit { span: cut, text: String::new() }, Edit { span: insert, text: format!("\n  regularize {text}") }]
    };
    d.fix("move the term to `regularize`", edits)
}

pub(in crate::model) fn nothing_reads(name: &str, span: Span) -> Diagnostic {
    Diagnostic::warning(
        "W0426",
        format!("no objective reads `{name}`"),
        span,
        "has no effect, and keeps the value of its start",
    )
    .help("use it in an objective, or take the declaration out")
}

pub(in crate::model) fn lower_never_sees(names: &[&str], span: Span) -> Diagnostic {
    let names: Vec<String> = names.iter().map(|n| format!("`{n}`")).collect();
    Diagnostic::warning(
        "W0427",
        format!("{} does not reach the lower level", names.join(", ")),
        span,
        "the lower level has the same solutions for every value",
    )
    .help("use it in the objective of `lower`; else these are two problems, to be solved one after the other")
}

/// `lower for j in 1..3 { var y in [0, j] }`
pub(in crate::model) fn set_of_one_follower(span: Span, name: &str) -> Diagnostic {
    error(
        "B0414",
        format!("a set cannot depend on `{name}`: all followers share one"),
        span,
        "another set for each follower",
    )
    .help(format!("scale the variable: `var u in [0, 1]`, with `{name}*u` in the place of `y` for `[0, {name}]`"))
}

/// `y[1]` where `lower for` runs through an index array.
pub(in crate::model) fn followers_of_an_array(span: Span) -> Diagnostic {
    error("B0334", "the followers are those of an index array", span, "not an entry of that array")
        .help("loop over the array that `lower for` runs through: `sum(y[j] for j in odd)`")
}

/// `y[1]` where the followers are those of 2..4.
pub(in crate::model) fn which_follower(span: Span) -> Diagnostic {
    error("B0334", "no follower has this number", span, "not one that `lower for` runs through")
        .help("`y[j]` is the follower of that `j`: in `lower for j in 2..4`, `y[2]` is the first and `y[4]` the last")
}

/// `y .* (y > 0)` in an objective.
pub(in crate::model) fn jump(span: Span, comparison: &str, convention: &str) -> Diagnostic {
    let text = format!("the comparison `{comparison}` jumps where its sides are equal, and no method sees a jump");
    Diagnostic::warning("W0421", text, span, "its derivative is 0 elsewhere")
        .help(format!("the derivative used there: {convention}"))
        .help("write a smooth switch such as `sigmoid(10*y)`, or a kink such as `max(y, 0)`")
}

pub(in crate::model) fn kink_without_prox(span: Span, function: &str, convention: &str) -> Diagnostic {
    Diagnostic::warning(
        "W0421",
        format!("`{function}` has a kink and no prox is registered for this use"),
        span,
        "not differentiable everywhere",
    )
    .help(format!("the derivative used there: {convention}"))
}

pub(in crate::model) fn derivative_stopped(span: Span, is_lower: bool) -> Diagnostic {
    let objective = if is_lower { "f" } else { "F" };
    Diagnostic::warning(
        "W0422",
        format!("derivatives of {objective} leave out what is in `stop`"),
        span,
        "taken as fixed by derivatives",
    )
    .help("methods that need the true derivative may not descend; write `u` for `stop(u)` to have it")
}

pub(in crate::model) fn maybe_indefinite(span: Span) -> Diagnostic {
    Diagnostic::warning(
        "W0423",
        "the matrix is not symmetric and positive definite by the way it is made",
        span,
        "NaN where the matrix is not positive definite",
    )
    .help("make it so, as in `A'*A + 1e-6*eye(n)`; of a matrix that is not symmetric, `(S + S')/2` is used")
}

pub(in crate::model) fn nothing_to_choose(name: &str, span: Span) -> Diagnostic {
    Diagnostic::warning(
        "W0428",
        "the lower objective contains no lower variable",
        span,
        format!("every `{name}` is a lower solution"),
    )
    .help(format!("write `{name}` into the objective of `lower`"))
}

pub(in crate::model) fn constant_upper(span: Span) -> Diagnostic {
    Diagnostic::warning("W0428", "the upper objective contains no variable", span, "every value of it is a solution")
        .help("write an upper or a lower variable into the objective of `upper`")
}
