//! Every diagnostic about a run and its end, one constructor each. They take numbers and names; those about options are
//! in `options/message`.

use blo_engine::calculus::Assumption;
use blo_engine::finite::Piece;
use blo_engine::limits::amount;
use blo_engine::model::problem::{Assertion, Constraint, Metric, Quotient};
use blo_grammar::diagnostic::{Diagnostic, counted};
use blo_grammar::span::Span;

/// A size or an amount of memory that only shows once values are known.
pub(crate) fn cannot_compile(why: &str, (span, largest): (Span, &str)) -> Diagnostic {
    let text = format!("cannot allocate the arrays of the problem: {why}");
    Diagnostic::error("B0613", text, span, largest)
}

/// A position that a new draw has put outside of the rows: the checks of the data let none through.
pub(crate) fn cannot_select(why: &str) -> Diagnostic {
    Diagnostic::error("B0613", format!("cannot select these rows: {why}"), Span::default(), "its rows")
}

/// More memory than there is, for something that a person has asked for.
pub(crate) fn too_much_memory(span: Span, what: &str, (needed, most): (f64, u64), label: &str) -> Diagnostic {
    let text = format!("{what} needs {} of memory, and the limit is {}", amount(needed), amount(most as f64));
    let d = Diagnostic::error("B0613", text, span, label);
    d.help("choose smaller sizes, or raise the limit with `--limit memory=64GB`")
}

/// `--resume` of something else.
pub(crate) fn another_run(why: &str) -> Diagnostic {
    let text = format!("cannot continue from this checkpoint: {why}");
    Diagnostic::error("B0614", text, Span::default(), "in this problem").help(
        "resume with the problem, the data and the options of the first run; only limits and the polish may differ",
    )
}

/// Codes of what may explain why a problem is not solved. Where it is, they are no reason for doubt.
pub(crate) const DOUBTS: [&str; 9] = ["W0603", "W0604", "W0607", "W0608", "W0610", "W0611", "W0612", "W0613", "W0626"];

/// The start is outside the domain.
pub(crate) fn start_not_finite(quantity: &str, span: Span, label: &str) -> Diagnostic {
    Diagnostic::warning("W0605", format!("{quantity} is not finite at the start"), span, label)
}

/// How the numbers of the last iteration are told.
pub(crate) const LAST_ITERATION: &str = "the last iteration used";

/// The iterates diverged, or a value is not finite.
pub(crate) fn stopped_being_finite(
    diverged: bool,
    quantity: &str,
    (since, iteration): (u64, u64),
    largest: f64,
    scalars: &[(String, f64)],
    advice: &str,
) -> Diagnostic {
    let begun = if since == 0 { "the start".to_string() } else { format!("iteration {since}") };
    let text = match diverged {
        true => format!(
            "the iterates have been growing since {begun}, and {quantity} is out of bounds in iteration {iteration}"
        ),
        false => format!("{quantity} is not finite in iteration {iteration}; the largest entry was {largest:.2e}"),
    };
    let steps: Vec<String> = scalars.iter().map(|(name, value)| format!("{name} = {:.3e}", value + 0.0)).collect();
    let warning = Diagnostic::warning("W0606", text, Span::default(), "the result is the last finite iterate");
    let used = (!steps.is_empty()).then(|| format!("{LAST_ITERATION} {}", steps.join(", ")));
    used.into_iter().fold(warning, Diagnostic::help).help(advice)
}

/// The first lower steps from a sound start run away.
pub(crate) fn first_steps_run_away(quantity: &str) -> Diagnostic {
    let text = format!("{quantity} is not finite after the first lower steps, although the start is sound");
    Diagnostic::warning("W0606", text, Span::default(), "the result is the start")
        .help("the lower level may be unbounded below: bound its variables, as in `var y in [-8, 4]`")
}

/// Advice about a step size beyond what is stable; an `automatic` one may be left out.
pub(crate) fn step_too_large(name: &str, size: f64, largest: f64, whose: &str, automatic: bool) -> [String; 2] {
    let (bound, fine) = (few(2.0 / largest), few(1.0 / largest));
    let cause = format!(
        "the step `{name}` = {} is too large: steps are stable below 2/L = {bound}, with L = {} the largest curvature of the \
         {whose} objective in y at the start",
        if (1e-3..1e6).contains(&size) { size.to_string() } else { format!("{size:e}") },
        few(largest)
    );
    let least = format!("`--set {name}={fine}`");
    let next = if automatic {
        format!("leave `{name}` out, and the method chooses a step; or state 1/L: {least}")
    } else {
        format!("state 1/L: {least}")
    };
    [cause, next]
}

/// The end point, after a polish if there was one, does not solve the lower level.
pub(crate) fn lower_level_not_solved(residual: f64, reference: f64, help: &str) -> Diagnostic {
    let share = residual / reference;
    let text =
        format!("the lower level is not solved: its residual is {residual:.2e}, {share:.1e} of its value at the start");
    Diagnostic::warning("W0604", text, Span::default(), "at the end point").help(help)
}

/// The residual of the end point is small, and its lower objective is not the least: the lower level is ill-conditioned.
pub(crate) fn lower_objective_falls_on(value: f64, best: f64) -> Diagnostic {
    let (value, best) = (few(value), few(best));
    let text = format!("the lower level is not solved: its objective is {value}, and {best} where it is solved longer");
    Diagnostic::warning("W0604", text, Span::default(), "at the end point").help(
        "the lower level is ill-conditioned, so that a small residual says little: scale it, or leave `--polish` out",
    )
}

/// Another start of the lower level ends at a smaller value at the same x.
pub(crate) fn lower_minimum_is_local(value: f64, other: f64) -> Diagnostic {
    let text = format!(
        "y is only a local minimizer of the lower level: its objective is {}, and {} elsewhere",
        few(value),
        few(other)
    );
    Diagnostic::warning("W0607", text, Span::default(), "at the end point")
        .help("the lower level is not convex, and the method follows the minimizer near its start; try another start")
        .help("`--method auto` looks for deeper ones at every x that it tries")
}

/// The iterate was not near a lower solution.
pub(crate) fn polish_changed_the_result(before: f64, after: f64, cut: bool) -> Diagnostic {
    let (before, after) = (before + 0.0, after + 0.0);
    let text = format!("solving the lower level changed the upper objective from {before:.4e} to {after:.4e}");
    Diagnostic::warning("W0608", text, Span::default(), "at the end point").help(match cut {
        true => "the run was cut at its limit of iterations, before y had settled: allow more with `--max-iter N`",
        false => {
            "y did not follow the lower level, so the run chose this x for another y; increase the penalty or the lower steps"
        }
    })
}

/// A run went on from another point than its start or its end.
pub(crate) fn went_on(why: &str, iteration: u64) -> Diagnostic {
    Diagnostic::note("N0604", format!("{why}; the run went on from there"), Span::default(), "in this run")
        .help(format!("after iteration {iteration}"))
}

/// The lower objective falls forever at the x where the method has ended.
pub(crate) fn lower_level_is_unbounded(x: &str, direction: &str) -> Diagnostic {
    let text = format!("the lower level is unbounded at {x}: its objective falls forever along {direction}");
    Diagnostic::warning("W0629", text, Span::default(), "at the end point")
        .help("bound the lower variables, as in `var y in [-8, 4]`, or x away from such points")
}

/// The upper objective falls on and on as x moves away.
pub(crate) fn upper_objective_is_unbounded(far: f64) -> Diagnostic {
    let text = format!("the upper objective has no best value in reach: it was {}, and better farther out", few(far));
    Diagnostic::warning("W0630", text, Span::default(), "the result is a point before that")
        .help("bound the variables of both levels, as in `var x in [-8, 4]`")
}

/// The upper objective falls forever along a direction, at lower solutions that meet the rows of both levels.
pub(crate) fn upper_objective_falls(direction: &str, of_upper: bool) -> Diagnostic {
    let text = format!("the upper objective is unbounded: it falls forever along {direction}, and all rows hold there");
    Diagnostic::warning("W0630", text, Span::default(), "the result is a point on the way").help(match of_upper {
        true => "bound the upper variables, as in `var x in [-8, 4]`, or by rows",
        false => "bound the lower variables, as in `var y in [-8, 4]`, or by rows",
    })
}

/// The method has ended at a worse point than one that it has met. `solved`: its y solves the lower level.
pub(crate) fn another_point_is_better(place: &str, before: f64, after: f64, solved: bool) -> Diagnostic {
    let (before, after) = (few(before), few(after));
    let text = format!("the method ended where the upper objective is {before}; the result, with {after}, is {place}");
    Diagnostic::note("N0605", text, Span::default(), "at the end point").help(match solved {
        true => "the method's own end is worse than what it has met; `--method auto` goes on from what is better",
        false => "the method's own y does not solve the lower level; `--method auto` goes on from what is better",
    })
}

/// The end point minimizes the upper objective alone.
pub(crate) fn lower_level_ignored(penalty: Option<&str>) -> Diagnostic {
    let text =
        "the method ignored the lower level: y minimizes the upper objective alone and does not solve the lower level";
    Diagnostic::warning("W0603", text, Span::default(), "at the end point").help(match penalty {
        Some(name) => format!("increase the penalty `{name}`: it weighs the lower level"),
        None => "the lower steps barely move y; increase their number or the step size".to_owned(),
    })
}

/// The rank-one estimate divides by a lower gradient that has vanished.
pub(crate) fn no_lower_gradient() -> Diagnostic {
    let text = "the rank-one hypergradient ignores y: it is built from the lower gradient, which has vanished";
    Diagnostic::warning("W0626", text, Span::default(), "at the end point")
        .help("the estimate needs an unsolved lower level: decrease `K`, or use `cg`, which needs a solved one")
}

/// What a mistake of `gaffa` has to do with `meha`, which was named.
pub(crate) const GAFFA_FOR_MEHA: &str = "`meha` hands a lower level with rows to `gaffa`, its extension to rows";

/// Another method has taken the place of `meha`.
pub(crate) fn gaffa_in_place_of_meha() -> Diagnostic {
    let text = "`meha` does not take rows of the lower level; `gaffa`, its extension to rows, ran";
    Diagnostic::note("N0636", text, Span::default(), "in this run").help("name it yourself: `--method gaffa`")
}

/// The hypergradient of a lower level with rows is not a derivative where the run has ended.
pub(crate) fn not_strictly_complementary(dependent: bool, strict: Option<f64>) -> Diagnostic {
    let text = match strict {
        _ if dependent => "the active rows of the lower level depend on each other".to_string(),
        Some(room) => {
            format!("a row of the lower level is active with a multiplier of zero: min(lam - c) = {room:.1e}")
        }
        None => unreachable!("there is something to say"),
    };
    let text = format!("{text}; the lower solution may have a kink there");
    Diagnostic::warning("W0637", text, Span::default(), "at the end point")
        .help("the hypergradient is that of one side; compare the end with `--method auto` or `--method gaffa`")
}

/// The solver of the lower level with rows has found no solution at some x.
pub(crate) fn lower_rows_not_solved() -> Diagnostic {
    let text = "the lower level with its rows could not be solved at some x of the run";
    Diagnostic::warning("W0638", text, Span::default(), "in this run")
        .help("bound x to where the rows can be met, or take `--method gaffa`, which does not solve them")
}

/// CG met a direction of nonpositive curvature.
pub(crate) fn not_positive_definite(curvature: f64, variable: &str, entry: usize) -> Diagnostic {
    let text = format!(
        "the lower-level Hessian is not positive definite at y: its curvature is {:.2e} along a direction",
        curvature + 0.0
    );
    Diagnostic::warning("W0613", text, Span::default(), "in the system of an implicit hypergradient")
        .help(format!("the direction is largest in `{variable}`, entry {}", entry + 1))
        .help("implicit hypergradients need a strongly convex lower level; bda, bigsam and meha do not")
}

/// K steps do not solve the lower level.
pub(crate) fn steps_do_not_solve(steps: u64, residual: f64, reference: f64) -> Diagnostic {
    let share = residual / reference;
    let text = format!(
        "{} not solve the lower level: the residual at y_K is {residual:.2e}, {share:.1e} of its value at the start",
        counted(steps, "step does", "steps do")
    );
    Diagnostic::warning("W0611", text, Span::default(), "at the end point, before the polish")
        .help("increase `K`, or set `dynamics = nesterov` or `start = warm` where the method has them")
}

/// No step along the hypergradient decreases the objective. The remedy is for one that is wrong.
pub(crate) fn no_descent(residual: f64, reference: f64, remedy: &str) -> Diagnostic {
    let text = "no step along the hypergradient decreases the upper objective";
    let share = residual / reference;
    Diagnostic::warning("W0612", text, Span::default(), "where the run ended")
        .help(format!("the hypergradient is {share:.1e} of its value at the start"))
        .help("the point may be a minimum at a kink of x -> F(x, y(x)), where the lower solution's support changes")
        .help(format!("or {remedy}"))
}

/// A convex subproblem that the interior-point method does not solve.
pub(crate) fn no_subproblem() -> Diagnostic {
    let text = "a convex subproblem has no solution, or rounding hides it: the run ends at the last one that has";
    Diagnostic::warning("W0632", text, Span::default(), "where the run ended")
        .help("leave `a0` and `r0` out, bound the variables of the lower level, or start at larger penalties")
}

/// Forward mode on many upper variables.
pub(crate) fn too_many_tangents(upper: usize, lower: usize) -> Diagnostic {
    let tangents = counted(upper, "tangent", "tangents");
    let text = format!("forward mode needs {tangents} of {}", counted(lower, "number", "numbers"));
    Diagnostic::error("B0615", text, Span::default(), "too many")
        .help("use reverse mode (`rhg`), which needs one adjoint")
}

/// A method that does not support a feature of the problem.
pub(crate) fn cannot_take(span: Span, method: &str, what: &str, because: &str, instead: &[&str]) -> Diagnostic {
    let text = format!("method {method} cannot take {what}: {because}");
    Diagnostic::error("B0617", text, span, "this method").help(format!("methods that can: {}", instead.join(", ")))
}

/// A method that does not keep to rows of a level.
pub(crate) fn cannot_take_row(
    span: Span,
    method: &str,
    row: &Constraint,
    is_lower: bool,
    instead: &[&str],
) -> Diagnostic {
    let level = if is_lower { "lower" } else { "upper" };
    let text = format!(
        "method {method} cannot take `{}` (row of `subject to`): its {level} steps keep to the sets of variables alone",
        row.name
    );
    let d = Diagnostic::error("B0617", text, span, "this method").with(row.span, format!("a row of the {level} level"));
    match instead {
        [] => d.help("no method takes such rows: write bounds as sets of variables, `var y in [lo, hi]`"),
        _ => d.help(format!("methods that can: {}", instead.join(", "))),
    }
}

/// Who violates the rows that do not hold at an end point.
pub(crate) enum Unmet<'e> {
    /// Every point: this is proved.
    ByAll,
    /// Every y at the x of the end; an x where some y meets the rows, as a `start` block has it.
    ByLower(Option<&'e str>),
    /// All points that were seen.
    SoFar,
}

/// The end point violates rows, most of all the one of this name, so much.
pub(crate) fn rows_not_met(span: Span, (name, violation): (&str, f64), others: usize, unmet: Unmet<'_>) -> Diagnostic {
    let also = match others {
        0 => String::new(),
        1 => ", and another row does not hold".to_owned(),
        n => format!(", and {n} other rows do not hold"),
    };
    let text = match unmet {
        Unmet::ByLower(_) => {
            format!(
                "no y meets the rows of the lower level at this x: at best, `{name}` is off by {}{also}",
                few(violation)
            )
        }
        _ => format!("`{name}` is off by {} at the end point{also}", few(violation)),
    };
    let d = Diagnostic::warning("W0639", text, span, "the row that is off most");
    match unmet {
        Unmet::ByAll => {
            d.help("no point meets all rows: they are convex, and the end point violates them least; relax this one")
        }
        Unmet::SoFar => d.help("no point that meets all rows was found: try another start, or relax this row"),
        Unmet::ByLower(elsewhere) => {
            let start = match elsewhere {
                Some(x) => format!("a start where they can be met: `start {{ {x} }}`"),
                None => "choose another start of the upper variables".to_owned(),
            };
            d.help(start).help("and keep x where they can be met by its set or by rows of the upper level")
        }
    }
}

/// What is active in the lower level at the end depends on each other; `chosen` by the upper objective, which reads them.
pub(crate) fn many_multipliers(chosen: bool) -> Diagnostic {
    let text = "the multipliers of the lower level are not unique: its active rows depend on each other at the end point, \
                where it has lost its constraint qualification";
    Diagnostic::note("N0640", text, Span::default(), "at the end point").help(match chosen {
        true => "those in the result are some that the upper level reads; drop rows that follow from others, else F may have no least value",
        false => "those in the result fit by least squares, near zero; drop rows that follow from others",
    })
}

/// An upper level that holds multipliers of the lower one.
pub(crate) fn cannot_take_multipliers(span: Span, method: &str, instead: &[&str]) -> Diagnostic {
    let text = format!("method {method} cannot take `multiplier` in the upper level: it computes no multipliers");
    let d = Diagnostic::error("B0617", text, span, "this method");
    match instead {
        [] => d.help("no method takes it: write the price as a variable of the upper level"),
        _ => d.help(format!("methods that can: {}", instead.join(", "))),
    }
}

/// A quotient 0/0.
pub(crate) fn empty_quotient(metric: &str, q: &Quotient, empty: usize, of: usize) -> Diagnostic {
    let (name, reason) = (q.name, q.empty);
    let text = match of {
        1 => format!("`{name}` in metric `{metric}` is 0/0 and counted as 0: {reason}"),
        _ => format!("`{name}` in metric `{metric}` is 0/0 in {empty} of {of} cases and counted as 0 there: {reason}"),
    };
    Diagnostic::note("N0602", text, q.span, "0/0 at the end point")
}

/// A run that was stopped before it had an iterate.
pub(crate) fn stopped_too_early() -> Diagnostic {
    let text = "the run was stopped while it was prepared: there is no result";
    Diagnostic::error("B0627", text, Span::default(), "in this problem").help("allow more time with `--max-time`")
}

/// A run that was stopped, and whose end there was no time to look at.
pub(crate) fn end_not_evaluated() -> Diagnostic {
    let text = "the run was stopped before its end point was evaluated: objectives and residuals are not known";
    Diagnostic::warning("W0604", text, Span::default(), "at the end point").help("allow more time with `--max-time`")
}

/// A run that was stopped, and whose metrics take too long.
pub(crate) fn metrics_not_computed() -> Diagnostic {
    let text = "the run was stopped before its metrics were computed";
    Diagnostic::warning("W0620", text, Span::default(), "at the end point").help("allow more time with `--max-time`")
}

/// A metric that is not finite.
pub(crate) fn metric_not_finite(metric: &Metric, value: f64, piece: Option<&Piece>) -> Diagnostic {
    let text = format!("metric `{}` is {value}", metric.name);
    match piece {
        Some(piece) => Diagnostic::warning("W0620", text, piece.span, format!("{} is {}", piece.formula, piece.value)),
        None => Diagnostic::warning("W0620", text, metric.span, "at the end point"),
    }
}

/// A metric of multipliers that nobody knows at the end point.
pub(crate) fn metric_of_unknown_multipliers(metric: &Metric) -> Diagnostic {
    let text =
        format!("metric `{}` has no value: it reads multipliers that are not known at the end point", metric.name);
    Diagnostic::warning("W0620", text, metric.span, "at the end point")
        .help("multipliers belong to a solution of the lower level, those of upper rows to a solution of the problem")
}

/// The lower level of the tasks of a metric is not solved.
pub(crate) fn other_tasks_not_solved(span: Span, tasks: &str, residual: f64, evaluations: u64) -> Diagnostic {
    let text = format!(
        "the lower level of the tasks of `{tasks}` is not solved: its residual is {residual:.2e} after {}",
        counted(evaluations, "step", "steps")
    );
    Diagnostic::warning("W0621", text, span, "the metric uses that point").help("allow more steps with `--polish N`")
}

/// An assertion of an `expect` that fails: `label` says what its sides are.
pub(crate) fn does_not_hold(assertion: &Assertion, label: &str, run: &str) -> Diagnostic {
    let text = format!("`{}` does not hold", assertion.text);
    Diagnostic::error("B0620", text, assertion.span, label).help(run)
}

/// A point of `known` outside its set.
pub(crate) fn known_not_feasible(span: Span, name: &str, distance: f64, set: Span) -> Diagnostic {
    let text = format!("the known `{name}` is not feasible: it lies {distance:.3e} outside its set");
    Diagnostic::warning("W0622", text, span, "checked at this point").with(set, "the set")
}

/// A point of `known` at which a row does not hold.
pub(crate) fn known_violates_row(span: Span, name: &str, by: f64, row: Span) -> Diagnostic {
    let text = format!("the known point violates a row by {by:.3e}");
    Diagnostic::warning("W0622", text, span, "checked at this point").with(row, format!("the row `{name}`"))
}

/// A point of `known` that does not solve its lower level.
pub(crate) fn known_not_lower_optimal(span: Span, residual: f64, reference: f64) -> Diagnostic {
    let text = format!(
        "the known point does not solve the lower level: its residual there is {residual:.3e}, and {reference:.3e} at the start"
    );
    Diagnostic::warning("W0623", text, span, "checked at this point")
        .help("the residual is `norm2(y - prox(y - f_y))`; it is zero at every solution")
}

/// A point of `known` with a lower objective above that of another point that meets the rows.
pub(crate) fn known_above_lower_optimum(span: Span, here: f64, least: f64) -> Diagnostic {
    let text = format!(
        "the known point does not solve the lower level: its objective there is {}, and {} at another y that meets the rows",
        few(here),
        few(least)
    );
    Diagnostic::warning("W0623", text, span, "checked at this point")
        .help("correct the point, the lower level or its rows")
}

/// `known { upper = 1 }` beside a point where the objective is something else.
pub(crate) fn known_objective_differs(span: Span, level: &str, stated: f64, found: f64) -> Diagnostic {
    let text =
        format!("the known `{level}` is {}, and the objective at the known point is {}", few(stated), few(found));
    Diagnostic::warning("W0624", text, span, "does not agree with the point")
        .help("both are in the sign of the file: minimize + regularize")
}

/// A part of `known` that is not checked.
pub(crate) fn known_not_checked(span: Span, what: &str, why: &str) -> Diagnostic {
    Diagnostic::note("N0603", format!("{what} is not checked: {why}"), span, "the rest is checked")
}

/// About six digits.
pub(crate) fn few(value: f64) -> String {
    // minus zero is zero
    let value = value + 0.0;
    if value != 0.0 && value.is_finite() && !(1e-3..1e6).contains(&value.abs()) {
        return format!("{value:.5e}");
    }
    let text = format!("{value:.6}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_string() } else { text }
}

/// `--method cg` where the lower level has directions without curvature.
pub(crate) fn assumption_refuted(
    span: Span,
    method: &str,
    assumption: Assumption,
    reason: &str,
    fit: &[&str],
) -> Diagnostic {
    let what = match assumption {
        Assumption::Singleton => "a lower level with one solution".to_owned(),
        other => format!("a {other} lower level"),
    };
    let text = format!("method `{method}` assumes {what}, and this one is not: {reason}");
    let d = Diagnostic::warning("W0610", text, span, "used here");
    match fit {
        [] => d.help("no method fits; the run continues without its theory"),
        _ => d.help(format!("methods that fit: {}", fit.join(", "))),
    }
}
