//! What is said of datasets, splits and label noise: B052 to B054, with the codes of `message` around them.

use blo_grammar::ast::Name;
use blo_grammar::diagnostic::{Diagnostic, counted};
use blo_grammar::span::Span;

use super::{error, list, respell};

pub(in crate::model) fn dataset_without_file(span: Span, name: &str) -> Diagnostic {
    error("B0520", format!("no column of `{name}` is read from a file"), span, "nothing says how many rows it has")
        .help("for generated arrays write `data A[n, m] = normal(...)`")
}

pub(in crate::model) fn not_a_dataset(name: &Name, at: Option<Span>, known: &[&str]) -> Diagnostic {
    let d = error("B0521", format!("`{}` is not a dataset", name.text), name.span, "rows come from datasets");
    let d = match at {
        Some(at) => d.with(at, "declared here as something else"),
        None => respell(d, name.span, blo_grammar::diagnostic::did_you_mean(&name.text, known.iter().copied())),
    };
    if known.is_empty() {
        d.help("declare one: `dataset d { u = csv(\"...\", columns = 1..10)  v = csv(\"...\", column = 11) }`")
    } else {
        d.help(format!("datasets are {}", list(known)))
    }
}

pub(in crate::model) fn empty_part(span: Span) -> Diagnostic {
    error("B0522", "a part of a split needs at least one row", span, "no rows")
}

pub(in crate::model) fn split_too_large(span: Span, part: &str, last: i64, source: &str, rows: i64) -> Diagnostic {
    error(
        "B0523",
        format!("the parts need {}, `{source}` has {rows}", counted(last, "row", "rows")),
        span,
        format!("`{part}` ends at row {last}"),
    )
    .help("make the parts smaller; rows that no part takes are left out")
}

/// Rows are divided once files are read, before filters choose positions.
pub(in crate::model) fn part_of_unknown_size(span: Span, part: &str, size: &str) -> Diagnostic {
    let text = format!("the size `{size}` of the part `{part}` is not known when the rows are divided");
    error("B0327", text, span, "this part").help("write a number, a param, or `rows(b)` of data `b` that a file gives")
}

pub(in crate::model) fn rows_differ(first: (&str, Span, usize), second: (&str, Span, usize)) -> Diagnostic {
    let rows = |n: usize| counted(n, "row", "rows");
    let counts = format!("`{}` has {}, `{}` has {}", first.0, rows(first.2), second.0, second.2);
    error("B0524", format!("columns of a dataset have one number of rows: {counts}"), second.1, rows(second.2))
        .with(first.1, rows(first.2))
        .help("are both files of the same part of the data?")
}

pub(in crate::model) fn unknown_field(field: &Name, base: &str, names: &[&str], at: Span) -> Diagnostic {
    let near = blo_grammar::diagnostic::did_you_mean(&field.text, names.iter().copied());
    let d = error("B0525", format!("`{base}` has no column `{}`", field.text), field.span, "no such column")
        .with(at, format!("`{base}` comes from here"));
    respell(d, field.span, near).help(format!("it has {}", list(names)))
}

pub(in crate::model) fn corrupt_target(span: Span, text: &str) -> Diagnostic {
    error("B0530", "`corrupt` needs a column of labels", span, "not a column")
        .help(format!("write `corrupt {text}.v (...)` for its column `v`"))
}

pub(in crate::model) fn corrupt_numbers(span: Span, text: &str, at: Span) -> Diagnostic {
    error("B0531", format!("`{text}` holds numbers, not labels"), span, "only labels can be corrupted")
        .with(at, "declared without `classes`")
        .help("if these are class labels, say how many classes there are: `classes = 10`")
}

pub(in crate::model) fn too_few_classes(span: Span, at: Span) -> Diagnostic {
    error("B0532", "wrong labels need at least two classes", span, "fewer than two").with(at, "declared here")
}

pub(in crate::model) fn corrupted_twice(span: Span, first: Span) -> Diagnostic {
    error("B0533", "these labels are corrupted already", span, "a second time").with(first, "the first time")
}

pub(in crate::model) fn bad_fraction(span: Span, found: f64) -> Diagnostic {
    error("B0534", format!("a fraction lies between 0 and 1, this is {found}"), span, "out of range")
}

pub(in crate::model) fn fraction_missing(span: Span) -> Diagnostic {
    error("B0534", "`corrupt` needs a fraction", span, "how many labels?").help("write `(fraction = 0.5)`")
}

pub(in crate::model) fn word_needed(span: Span, option: &str, expected: &str) -> Diagnostic {
    error("B0535", format!("`{option}` expects {expected}"), span, "something else")
        .help("a plain word, without quotes")
}

pub(in crate::model) fn label_rows(span: Span, found: &str, at: Span, rows: &str) -> Diagnostic {
    error("B0540", "one label for each row is expected", span, format!("this is {found}"))
        .with(at, format!("rows are {rows}"))
}

pub(in crate::model) fn bias_shape(span: Span, found: &str, wanted: &str, weights: Span) -> Diagnostic {
    error("B0546", "a layer adds one number to each of its columns", span, format!("this is {found}"))
        .with(weights, format!("columns are {wanted}"))
}

pub(in crate::model) fn labels_expected(span: Span, function: &str, found: &str) -> Diagnostic {
    error("B0541", format!("`{function}` expects class labels, found {found}"), span, "not labels")
        .help("labels are columns read with `classes = ...`")
}

pub(in crate::model) fn classes_exceed(span: Span, labels: usize, at: Span, columns: usize) -> Diagnostic {
    error(
        "B0542",
        format!("labels of {} against {}", counted(labels, "class", "classes"), counted(columns, "column", "columns")),
        span,
        format!("labels 0..{}", labels - 1),
    )
    .with(at, format!("one column per class: {columns}"))
}

pub(in crate::model) fn two_classes_expected(span: Span, classes: usize) -> Diagnostic {
    error("B0543", "two classes are expected", span, format!("these labels have {classes}"))
        .help("for more classes use `xent`")
}

pub(in crate::model) fn outside_metric(span: Span, function: &str) -> Diagnostic {
    error("B0544", format!("`{function}` is for metrics"), span, "not in a metric")
        .help("it is piecewise constant, so no method could follow it; to learn use `xent` or `logistic`")
}

pub(in crate::model) fn missing_argument(span: Span, signature: &str, name: &str) -> Diagnostic {
    error("B0545", format!("the argument `{name}` is missing"), span, "in this call")
        .help(format!("write `{signature}`"))
}

pub(in crate::model) fn episodes_need(span: Span, option: &str) -> Diagnostic {
    error("B0550", format!("`episodes` needs `{option}`"), span, "not given")
        .help("write `(tasks = 16, ways = 10, shots = 1, query = 15, classes = 1..100)`")
}

pub(in crate::model) fn one_label_column(span: Span, found: usize, at: Span) -> Diagnostic {
    error("B0551", format!("tasks need one column of labels, this dataset has {found}"), span, "drawn from here")
        .with(at, "declared here")
        .help("labels are columns read with `classes = ...`")
}

pub(in crate::model) fn classes_outside(span: Span, last: usize, classes: usize, at: Span) -> Diagnostic {
    let classes = counted(classes, "class", "classes");
    error("B0552", format!("there is no class {last}: labels have {classes}"), span, "classes count from 1")
        .with(at, format!("labels of {classes}"))
}

pub(in crate::model) fn class_range(span: Span) -> Diagnostic {
    error("B0552", "classes are a range from 1", span, "not such a range").help("write `classes = 1..100`")
}

pub(in crate::model) fn more_ways_than_classes(span: Span, ways: usize, classes: usize) -> Diagnostic {
    error(
        "B0553",
        format!("each task has {}, to choose from {classes}", counted(ways, "class", "classes")),
        span,
        counted(classes, "class", "classes"),
    )
    .help("choose fewer `ways` or more `classes`")
}

pub(in crate::model) fn too_few_rows_of_class(span: Span, class: usize, rows: usize, needed: usize) -> Diagnostic {
    let rows = counted(rows, "row", "rows");
    error("B0554", format!("class {class} has {rows}, a task takes {needed}"), span, "drawn here")
        .help("`shots + query` rows of every class are needed")
}

pub(in crate::model) fn one_of_many(span: Span, text: &str) -> Diagnostic {
    error("B0555", format!("`{text}` is a list of arrays, one for each task or follower"), span, "say which one")
        .help(format!("in a loop over them write `{text}[j]`"))
}

pub(in crate::model) fn stack_subscript(span: Span, text: &str, found: usize) -> Diagnostic {
    error("B0556", format!("{found} indices for a list of arrays"), span, "one index chooses an array")
        .help(format!("the array of task `j` is `{text}[j]`, a row of it `{text}[j][i, _]`"))
}

pub(in crate::model) fn other_followers(span: Span, text: &str) -> Diagnostic {
    let label = "a loop over other tasks";
    error("B0557", format!("`{text}` has an array for each follower of the lower level only"), span, label)
        .help("loop over the tasks of `lower for`; metrics may loop over other tasks too, of the same kind")
}
