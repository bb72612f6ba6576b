//! Every diagnostic about methods and their options, one constructor each. A mistake in a flag has no place in the
//! file: its span is empty and at offset 0, and its text quotes the flag.

use blo_engine::calculus::Assumption;
use blo_engine::finite::Piece;
use blo_engine::model::problem::{Assertion, Metric, Quotient};
use blo_grammar::diagnostic::{Diagnostic, Edit, did_you_mean};
use blo_grammar::span::Span;

use crate::assumption::Judgement;
use crate::method::{self, Entry, METHODS, OptionEntry};
use crate::metrics::Solved;
use crate::settings::Setting;
use crate::solution::Failure;

/// Adds the nearest name, with the edit where the name stands in the file.
fn respelt(d: Diagnostic, span: Span, near: &str) -> Diagnostic {
    let d = d.help(format!("did you mean `{near}`?"));
    if span == Span::default() {
        return d;
    }
    d.fix(format!("write `{near}`"), vec![Edit { span, text: near.to_owned() }])
}

/// `with nesterov`
pub(crate) fn unknown_method(span: Span, name: &str) -> Diagnostic {
    let d = Diagnostic::error("B0601", format!("there is no method `{name}`"), span, "not a method");
    let names: Vec<&str> = METHODS.iter().map(|m| m.name).collect();
    match did_you_mean(name, names.iter().copied()) {
        Some(near) => respelt(d, span, near),
        None => d.help(format!("the methods are {}", names.join(", "))),
    }
}

/// `meha:papre`
pub(crate) fn unknown_preset(span: Span, method: &str, name: &str, presets: &[&str]) -> Diagnostic {
    let text = format!("the file has no preset `{name}` of method `{method}`");
    let d = Diagnostic::error("B0602", text, span, "no such preset");
    match did_you_mean(name, presets.iter().copied()) {
        Some(near) => d.help(format!("did you mean `{method}:{near}`?")),
        None if presets.is_empty() => d.help(format!("write `method {method} {name} {{ ... }}` or leave the name out")),
        None => d.help(format!("its presets are `{method}:{}`", presets.join(&format!("`, `{method}:")))),
    }
}

/// `gama = 1`
pub(crate) fn unknown_option(span: Span, method: &Entry, name: &str) -> Diagnostic {
    let text = format!("method `{}` has no option `{name}`", method.name);
    let d = Diagnostic::error("B0603", text, span, "no such option");
    let own: Vec<&str> = method.options.iter().map(|o| o.name).collect();
    match did_you_mean(name, method.all_options().map(|o| o.name)) {
        Some(near) => respelt(d, span, near),
        None => d.help(format!("its options are {}, and those of every method: {}", own.join(", "), common())),
    }
}

/// `option gamma = 1`
pub(crate) fn not_a_common_option(span: Span, name: &str) -> Diagnostic {
    let d = Diagnostic::error("B0603", format!("there is no file-wide option `{name}`"), span, "no such option");
    match did_you_mean(name, method::COMMON.iter().map(|o| o.name)) {
        Some(near) => respelt(d, span, near),
        None => d
            .help(format!("the file-wide options are {}", common()))
            .help("options of one method belong into `method NAME { ... }`"),
    }
}

fn common() -> String {
    method::COMMON.iter().map(|o| o.name).collect::<Vec<_>>().join(", ")
}

/// `K = 1.5`
pub(crate) fn wrong_value(span: Span, option: &OptionEntry, found: &str) -> Diagnostic {
    // Options of the command line have no line that a label could stand at: the text says it all.
    let kind = option.kind.text();
    let text = format!("option `{}` is {found}, but takes {kind}", option.name);
    Diagnostic::error("B0604", text, span, format!("expected {kind}"))
        .help(format!("`{}`: {}", option.name, option.doc))
}

/// `alpha = 0.1  alpha = 0.2`
pub(crate) fn option_given_twice(span: Span, name: &str, first: Span) -> Diagnostic {
    Diagnostic::error("B0605", format!("option `{name}` is given twice"), span, "second value")
        .with(first, "first value")
        .help("leave one out")
}

/// `c = 0.1*k^0.4  p = 0.49`
pub(crate) fn exclusive(schedule: &Setting, other: &Setting, formula: &str) -> Diagnostic {
    let (s, o) = (schedule.entry.name, other.entry.name);
    let text = format!("`{s}` is a schedule and `{o}` is given too");
    let d = Diagnostic::error("B0606", text, other.span, format!("`{o}` has no meaning beside the schedule"))
        .help(format!("`{formula}` holds for a number `{s}`; leave out `{o}`, or make `{s}` a number"));
    if schedule.span == Span::default() { d } else { d.with(schedule.span, format!("`{s}` depends on `k`")) }
}

/// `alpha = 0.1*x`
pub(crate) fn unknown_in_a_schedule(span: Span, name: &str) -> Diagnostic {
    Diagnostic::error("B0607", format!("`{name}` has no value in an option"), span, "not a param")
        .help("an option may use numbers, scalar params, `pi` and the iteration `k`, counted from 1")
}

/// `alpha = [1, 2]`
pub(crate) fn not_in_a_schedule(span: Span, what: &str) -> Diagnostic {
    let what = if what == "this" { what.to_string() } else { format!("`{what}`") };
    Diagnostic::error("B0608", format!("{what} cannot stand in an option's value"), span, "not a formula in `k`")
        .help("an option is a number, or a formula in `k` of + - * / ^, min, max, sqrt, exp, log")
}

/// `--method rhg` while it is not built.
pub(crate) fn not_built(span: Span, method: &Entry) -> Diagnostic {
    let text = format!("method `{}` is not built yet", method.name);
    let ready: Vec<&str> = METHODS.iter().filter(|m| m.runs()).map(|m| m.name).collect();
    Diagnostic::error("B0609", text, span, "cannot be run").help(format!("methods that run: {}", ready.join(", ")))
}

/// `--set alpha=0.1*`
pub(crate) fn flag_syntax(name: &str, text: &str, why: Option<&str>) -> Diagnostic {
    let why = why.unwrap_or("expected one value");
    let message = format!("`{name}={text}` cannot be read: {why}");
    Diagnostic::error("B0611", message, Span::default(), "given by a flag")
}

/// A finding about a flag's value: the place in the flag's text is dropped, the flag is quoted.
pub(crate) fn in_flag(mut d: Diagnostic, name: &str, text: &str) -> Diagnostic {
    d.message = format!("{} (in `{name}={text}`)", d.message);
    d.primary.span = Span::default();
    d.secondary.clear();
    d.fix = None;
    d
}

/// Two blocks `method meha paper`.
pub(crate) fn preset_given_twice(span: Span, preset: &str, first: Span) -> Diagnostic {
    Diagnostic::error("B0612", format!("preset `{preset}` is written twice"), span, "second block")
        .with(first, "first block")
        .help("give one of them another name")
}

/// A preset of a method that cannot run.
pub(crate) fn checked_only(span: Span, method: &Entry) -> Diagnostic {
    let text = format!("method `{}` is not built yet; the preset is checked only", method.name);
    Diagnostic::note("N0601", text, span, "checked, not run")
}

/// `p = 0.6`
pub(crate) fn penalty_grows_too_fast(p: &Setting, value: f64) -> Diagnostic {
    Diagnostic::warning("W0601", format!("`p` is {value}: the theory needs p < 1/2"), p.span, "0 <= p < 1/2")
        .help("with p >= 1/2 the penalty grows faster than the steps can follow")
}

/// `gamma = 200` with a lower level whose curvature is known.
pub(crate) fn outside_the_theorem(s: &Setting, value: f64, most: f64, bound: &str, because: &str) -> Diagnostic {
    let name = s.entry.name;
    let text = format!("`{name}` is {value}: the convergence theorem needs at most {bound} = {most:.3e}");
    Diagnostic::warning("W0609", text, s.span, format!("at most {most:.3e}"))
        .help(format!("{because}; without a value, `{name}` is chosen for the problem"))
}

/// A size or an amount of memory that only shows once values are known.
pub(crate) fn cannot_compile(why: &str) -> Diagnostic {
    Diagnostic::error("B0613", format!("the problem cannot be put into memory: {why}"), Span::default(), "its arrays")
}

/// `--resume` of something else.
pub(crate) fn another_run(why: &str) -> Diagnostic {
    let text = format!("the run cannot go on from this checkpoint: {why}");
    Diagnostic::error("B0614", text, Span::default(), "in this problem").help(
        "resume with the problem, the data and the options it was written with; only limits and the polish may differ",
    )
}

/// The start is outside the domain.
pub(crate) fn start_not_finite(quantity: &str, span: Span, label: &str) -> Diagnostic {
    Diagnostic::warning("W0605", format!("{quantity} is not finite at the start"), span, label)
}

/// The iterates left every bound, or the numbers.
pub(crate) fn stopped_being_finite(diverged: bool, failure: &Failure) -> Diagnostic {
    let Failure { quantity, iteration, since, scalars, largest } = failure;
    let begun = if *since == 0 { "the start".to_string() } else { format!("iteration {since}") };
    let text = match diverged {
        true => format!("the iterates grow since {begun}, and {quantity} is out of bounds in iteration {iteration}"),
        false => format!("{quantity} is not finite in iteration {iteration}; the largest entry was {largest:.2e}"),
    };
    let steps: Vec<String> = scalars.iter().map(|(name, value)| format!("{name} = {value:.3e}")).collect();
    Diagnostic::warning("W0606", text, Span::default(), "the result is the last finite iterate")
        .help(format!("in use then: {}", steps.join(", ")))
        .help("a smaller step is a first try")
}

/// The end point, after a polish if there was one, does not solve the lower level.
pub(crate) fn lower_level_not_solved(residual: f64, reference: f64, help: &str) -> Diagnostic {
    let share = residual / reference;
    let text =
        format!("the lower level is not solved: its residual is {residual:.2e}, {share:.1e} of that at the start");
    Diagnostic::warning("W0604", text, Span::default(), "at the end point").help(help)
}

/// From another start, the lower level has a smaller value at the same x.
pub(crate) fn lower_minimum_is_local(value: f64, other: f64) -> Diagnostic {
    let text = format!(
        "y is only a local minimizer of the lower level: its objective is {value:.6}, and {other:.6} elsewhere"
    );
    Diagnostic::warning("W0607", text, Span::default(), "at the end point")
        .help("the lower level is not convex, and the method follows the minimizer it started from; try another start")
}

/// What the iterate seemed to have reached was not a point of the lower level's solutions.
pub(crate) fn polish_changed_the_result(before: f64, after: f64) -> Diagnostic {
    let text = format!("solving the lower level changed the upper objective from {before:.4e} to {after:.4e}");
    Diagnostic::warning("W0608", text, Span::default(), "at the end point")
        .help("the run ended where y did not follow the lower level, so this x was chosen for another y")
}

/// The end point is the upper objective's own.
pub(crate) fn lower_level_ignored(has_penalty: bool) -> Diagnostic {
    let text = "the lower level was ignored: y minimizes the upper objective alone and does not solve the lower level";
    Diagnostic::warning("W0603", text, Span::default(), "at the end point").help(if has_penalty {
        "a larger penalty (`c`) weighs the lower level more"
    } else {
        "the lower steps hardly move y from where they start: more of them, or longer ones, solve the lower level"
    })
}

/// The rank-one estimate has no lower gradient to be built from.
pub(crate) fn no_lower_gradient() -> Diagnostic {
    let text = "the rank-one hypergradient is blind to y: the lower gradient it is built from has vanished";
    Diagnostic::warning("W0626", text, Span::default(), "at the end point")
        .help("it is an estimate for a y that is under way: fewer lower steps (`K`), or `cg` for a solved lower level")
}

/// CG met a direction along which the lower level does not curve upwards.
pub(crate) fn not_positive_definite(curvature: f64, variable: &str, entry: usize) -> Diagnostic {
    let text = format!(
        "the lower-level Hessian is not positive definite at y: its curvature is {curvature:.2e} along a direction"
    );
    Diagnostic::warning("W0613", text, Span::default(), "in the system of an implicit hypergradient")
        .help(format!("the direction is largest in `{variable}`, entry {}", entry + 1))
        .help("implicit hypergradients need a strongly convex lower level; bda, bigsam and meha do not")
}

/// K steps do not solve the lower level.
pub(crate) fn steps_do_not_solve(steps: u64, residual: f64, reference: f64) -> Diagnostic {
    let share = residual / reference;
    let text = format!(
        "{steps} steps leave the lower level unsolved: the residual at y_K is {residual:.2e}, {share:.1e} of that at the start"
    );
    Diagnostic::warning("W0611", text, Span::default(), "at the end point, before the polish").help(
        "a larger `K` solves it better, and so do `dynamics = nesterov` and `start = warm` where the method has them",
    )
}

/// No step along the hypergradient decreases the objective.
pub(crate) fn no_descent(residual: f64, reference: f64) -> Diagnostic {
    let text = "no step along the hypergradient decreases the upper objective any more";
    let share = residual / reference;
    Diagnostic::warning("W0612", text, Span::default(), "where the run ended")
        .help(format!("the hypergradient there is {share:.1e} of that at the start"))
        .help("the point may be a minimum at a kink of x -> F(x, y(x)), where the lower solution's support changes")
        .help("or the hypergradient is inaccurate: a larger `K` or another `gradient` makes it better")
}

/// Forward mode on many upper variables.
pub(crate) fn too_many_tangents(upper: usize, lower: usize) -> Diagnostic {
    let text = format!("forward mode would carry {upper} tangents of {lower} numbers");
    Diagnostic::error("B0615", text, Span::default(), "too many").help("reverse mode (`rhg`) needs one adjoint")
}

/// Choices that do not go together.
pub(crate) fn cannot_combine(s: &Setting, other: &str, because: &str, instead: &[&str]) -> Diagnostic {
    let value = s.value.as_ref().map(ToString::to_string).unwrap_or_default();
    let text = format!("`{} = {value}` does not go with {other}: {because}", s.entry.name);
    let d = Diagnostic::error("B0616", text, s.span, "this choice");
    d.help(format!("what goes with it: `{} = {}`", s.entry.name, instead.join("`, `")))
}

/// A method that cannot take what the problem has.
pub(crate) fn cannot_take(span: Span, method: &str, what: &str, because: &str, instead: &str) -> Diagnostic {
    let text = format!("method {method} cannot take {what}: {because}");
    Diagnostic::error("B0617", text, span, "this method").help(format!("methods that can: {instead}"))
}

/// A share of nothing.
pub(crate) fn empty_quotient(metric: &str, q: &Quotient, empty: usize, of: usize) -> Diagnostic {
    let (name, reason) = (q.name, q.empty);
    let text = match of {
        1 => format!("`{name}` in metric `{metric}` is 0/0 and counted as 0: {reason}"),
        _ => format!("`{name}` in metric `{metric}` is 0/0 in {empty} of {of} cases and counted as 0 there: {reason}"),
    };
    Diagnostic::note("N0602", text, q.span, "0/0 at the end point")
}

/// A metric that is no number.
pub(crate) fn metric_not_finite(metric: &Metric, value: f64, piece: Option<&Piece>) -> Diagnostic {
    let text = format!("metric `{}` is {value}", metric.name);
    match piece {
        Some(piece) => Diagnostic::warning("W0620", text, piece.span, format!("{} is {}", piece.formula, piece.value)),
        None => Diagnostic::warning("W0620", text, metric.span, "at the end point"),
    }
}

/// The followers of a metric's tasks are not where the lower level puts them.
pub(crate) fn other_tasks_not_solved(span: Span, tasks: &str, solved: &Solved) -> Diagnostic {
    let Solved { residual, evaluations, .. } = solved;
    let text = format!(
        "the lower level of the tasks of `{tasks}` is not solved: its residual is {residual:.2e} after {evaluations} steps"
    );
    Diagnostic::warning("W0621", text, span, "the values for these tasks are of that point")
        .help("`--polish N` allows more steps")
}

/// An assertion of an `expect` that fails: `label` says what its sides are.
pub(crate) fn does_not_hold(assertion: &Assertion, label: &str, run: &str) -> Diagnostic {
    let text = format!("`{}` does not hold", assertion.text);
    Diagnostic::error("B0620", text, assertion.span, label).help(run)
}

/// A point of `known` outside of its set.
pub(crate) fn known_not_feasible(span: Span, name: &str, distance: f64, set: Span) -> Diagnostic {
    let text = format!("the known `{name}` is not feasible: it is {distance:.3e} outside of its set");
    Diagnostic::warning("W0622", text, span, "checked at this point").with(set, "the set")
}

/// A point of `known` that does not solve its lower level.
pub(crate) fn known_not_lower_optimal(span: Span, residual: f64, reference: f64) -> Diagnostic {
    let text = format!(
        "the known point does not solve the lower level: its residual there is {residual:.3e}, and {reference:.3e} at the start"
    );
    Diagnostic::warning("W0623", text, span, "checked at this point")
        .help("the residual is `|y - prox(y - f_y)|`; it is zero at every solution")
}

/// `known { upper = 1 }` beside a point where the objective is something else.
pub(crate) fn known_objective_differs(span: Span, level: &str, stated: f64, found: f64) -> Diagnostic {
    let text =
        format!("the known `{level}` is {}, and the objective at the known point is {}", few(stated), few(found));
    Diagnostic::warning("W0624", text, span, "does not agree with the point")
        .help("both are in the sign of the file: minimize + regularize")
}

/// What of `known` is not checked.
pub(crate) fn known_not_checked(span: Span, what: &str, why: &str) -> Diagnostic {
    Diagnostic::note("N0603", format!("{what} is not checked: {why}"), span, "the rest is checked")
}

/// About six digits.
pub(crate) fn few(value: f64) -> String {
    if value != 0.0 && value.is_finite() && !(1e-3..1e6).contains(&value.abs()) {
        return format!("{value:.5e}");
    }
    let text = format!("{value:.6}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_string() } else { text }
}

/// `resample = 10` in a problem whose objectives have no tasks.
pub(crate) fn nothing_to_resample(span: Span) -> Diagnostic {
    Diagnostic::warning(
        "W0625",
        "`resample` has no effect: no objective depends on `episodes`",
        span,
        "nothing to draw",
    )
    .help("it draws the tasks of `episodes` anew while the run goes on")
}

/// `--method cg` where the lower level has directions without curvature.
pub(crate) fn assumption_refuted(span: Span, method: &Entry, found: &Judgement, fit: &[&str]) -> Diagnostic {
    let what = match found.assumption {
        Assumption::Singleton => "a lower level with one solution".to_owned(),
        other => format!("a {other} lower level"),
    };
    let text = format!("method `{}` assumes {what}, and this one is not: {}", method.name, found.reason);
    let d = Diagnostic::warning("W0610", text, span, "used here");
    match fit {
        [] => d.help("no method of this version fits; the run goes on without its theory"),
        _ => d.help(format!("methods that fit: {}", fit.join(", "))),
    }
}
