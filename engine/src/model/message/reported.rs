//! What is said of metrics, assertions and the tasks that metrics ask for: B0558 to B0562.

use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::span::Span;

use super::error;

pub(in crate::model) fn level_on_other_tasks(span: Span, tasks: &str, why: Option<&Diagnostic>) -> Diagnostic {
    let text = format!("the lower level cannot be put on the tasks of `{tasks}`");
    let d = error("B0558", text, span, "this needs the lower level solved for these tasks");
    match why {
        Some(why) => d.with(why.primary.span, why.message.clone()).help("both need rows of the same columns"),
        None => d,
    }
}

pub(in crate::model) fn start_on_other_tasks(span: Span, name: &str, tasks: &str) -> Diagnostic {
    let text = format!("`{name}` of the tasks of `{tasks}` starts at zero: its start is an array for other tasks");
    Diagnostic::warning("W0559", text, span, "a value per follower of the lower level")
        .help("a number, a generator or a loop over the tasks fits any tasks")
}

pub(in crate::model) fn distance_outside_metric(span: Span, function: &str) -> Diagnostic {
    error("B0560", format!("`{function}` is for metrics and `expect`"), span, "not in one of them")
        .help("what is known of the optimum must not steer a run")
}

pub(in crate::model) fn distance_of(span: Span, function: &str) -> Diagnostic {
    error("B0561", format!("`{function}` takes a variable, `upper` or `lower`"), span, "not the name of one")
        .help("for other values write the distance out: `norm2(a - b)`")
}

pub(in crate::model) fn nothing_known(span: Span, name: &str) -> Diagnostic {
    error("B0562", format!("nothing is known of `{name}`"), span, "no distance to anything")
        .help(format!("state it: `known {{ {name} = ... }}`"))
}
