//! A solution as text: the summary after the iteration table, and the options of the run.

use blo_engine::data::Array;
use blo_grammar::diagnostic::counted;
use blo_solvers::solution::constraint::ConstraintEnd;
use blo_solvers::solution::verdict::{Flat, Remark, Verdict, Word};
use blo_solvers::solution::{LevelResult, Polished, Solution, Status};
use blo_solvers::{Origin, Value};

use crate::output::number::{self, few, time};
use crate::output::table::{Align, lines};

/// Arrays with more entries are summarized.
const SHOWN_ENTRIES: usize = 8;

/// Entries of x that are named one by one.
const NAMED_ENTRIES: usize = 4;

/// Digits of values in the summary.
const DIGITS: usize = 7;

/// Digits of residuals and errors.
const ERROR_DIGITS: usize = 3;

/// Five lines, and one each for a polish, metrics, errors and a failure where there are some; `verbose` adds the work.
pub fn summary(solution: &Solution, verbose: bool, page: usize) -> String {
    let known =
        |text: String| if solution.evaluated { text } else { "not known: the run was stopped before".to_owned() };
    let mut rows = vec![
        ("status", status(solution)),
        ("upper", known(level(&solution.upper))),
        ("lower", known(level(&solution.lower))),
        ("residuals", known(residuals(solution))),
    ];
    if let Some(polish) = &solution.polish {
        rows.push(("polish", polished(polish, solution.residuals.lower)));
    }
    if solution.verdict.word != Word::None || solution.status == Status::Stalled {
        rows.push(("verdict", verdict(solution)));
    }
    rows.extend(remarks(&solution.verdict).into_iter().map(|text| ("", text)));
    rows.push(("point", point(solution)));
    rows.extend(constraints(&solution.constraints));
    rows.push(("time", time(solution.solve_seconds)));
    if !solution.metrics.is_empty() {
        let metrics = solution.metrics.iter().map(|(name, value)| format!("{name} = {}", few(*value, DIGITS)));
        rows.push(("metrics", metrics.collect::<Vec<_>>().join(", ")));
    }
    if !solution.errors.is_empty() {
        let errors = solution.errors.iter().map(|e| format!("err({}) = {}", e.name, few(e.err, ERROR_DIGITS)));
        rows.push(("errors", format!("{} against `known`", errors.collect::<Vec<_>>().join(", "))));
    }
    rows.extend(sensitivity(solution));
    if let Some(failure) = &solution.failure {
        let what = if solution.status == Status::Diverged { "out of bounds" } else { "not finite" };
        let (quantity, largest) = (&failure.quantity, few(failure.largest, ERROR_DIGITS));
        rows.push((
            "failure",
            match failure.iteration {
                _ if failure.lower_is_empty => "no y meets the rows of the lower level at the x above".to_owned(),
                0 if solution.warnings.iter().any(|w| w.code == "W0606") => {
                    format!("{quantity} is {what} after the first lower steps; the point above is the start")
                }
                0 => format!("{quantity} is {what} at the start"),
                k => format!("{quantity} is {what} in iteration {k}; the largest entry before was {largest}"),
            },
        ));
        if failure.iteration > 0 && !failure.lower_is_empty {
            rows.push(("", "the point above is the last finite one".to_owned()));
        }
    }
    if verbose {
        rows.push(("work", work(solution)));
    }
    rows.push(("more", "`blo explain output` says what these lines mean".to_owned()));
    let rows: Vec<Vec<String>> = rows.into_iter().map(|(word, text)| vec![word.to_owned(), text]).collect();
    lines(&[Align::Left; 2], &rows, page)
}

/// A line per name of rows, as many as there is room for: the multiplier, and the violation where there is one.
fn constraints(ends: &[ConstraintEnd]) -> Vec<(&'static str, String)> {
    let text = |end: &ConstraintEnd| {
        let multiplier = end.multiplier.as_ref().map(|m| array("multiplier", m));
        let violation = (end.violation > 0.0).then(|| format!("off by {}", few(end.violation, ERROR_DIGITS)));
        let parts: Vec<String> = multiplier.into_iter().chain(violation).collect();
        format!("`{}`: {}", end.name, if parts.is_empty() { "holds".to_owned() } else { parts.join(", ") })
    };
    let mut texts: Vec<String> = ends.iter().take(SHOWN_ENTRIES).map(text).collect();
    if ends.len() > SHOWN_ENTRIES {
        let worst = ends.iter().map(|e| e.violation).fold(0.0, f64::max);
        texts.push(format!(
            "{} more; the largest violation of all is {}",
            ends.len() - SHOWN_ENTRIES,
            few(worst, ERROR_DIGITS)
        ));
    }
    let words = ["rows"].into_iter().chain(std::iter::repeat(""));
    words.zip(texts).collect()
}

/// Derivatives in params, and why there are none in others.
fn sensitivity(solution: &Solution) -> Vec<(&'static str, String)> {
    let Some(found) = &solution.sensitivity else { return Vec::new() };
    let known = found.iter().filter_map(|s| {
        let derivative = s.derivative.as_ref().ok()?;
        Some(format!("dF*/d({}) = {}", s.name, few(*derivative, DIGITS)))
    });
    let known: Vec<String> = known.collect();
    let mut texts = vec![match (known.as_slice(), found.as_slice()) {
        ([], []) => "none: the file has no scalar param".to_owned(),
        ([], _) => "none".to_owned(),
        _ => known.join(", "),
    }];
    if !known.is_empty() && solution.status != Status::Converged {
        texts.push("at the point above, which is not converged".to_owned());
    }
    let unknown = found.iter().filter_map(|s| Some(format!("not in {}: {}", s.name, s.derivative.as_ref().err()?.why)));
    texts.extend(unknown);
    let words = ["sensitivity"].into_iter().chain(std::iter::repeat(""));
    words.zip(texts).collect()
}

/// Every option with its value and where it comes from.
pub fn options(solution: &Solution, page: usize) -> String {
    let mut rows = vec![["option", "value", "origin"].map(str::to_owned).to_vec()];
    rows.extend(
        solution.options.iter().map(|o| vec![o.name.to_owned(), option_value(&o.value), o.origin.text().to_owned()]),
    );
    lines(&[Align::Left; 3], &rows, page)
}

/// An option's value with few digits.
pub fn option_value(value: &Value) -> String {
    match value {
        Value::Number(v) => few(*v, DIGITS),
        Value::Schedule(s) => s.as_constant().map_or_else(|| s.to_string(), |v| few(v, DIGITS)),
        Value::Integer(_) | Value::Word(_) | Value::Text(_) => value.to_string(),
    }
}

/// `converged after 54 iterations of meha:tuned`.
pub fn status(solution: &Solution) -> String {
    let preset = match &solution.preset {
        Some(name) => format!("{}:{name}", solution.method),
        None if solution.options.iter().any(|o| o.origin == Origin::File) => {
            format!("{} with the file's options", solution.method)
        }
        None => solution.method.to_owned(),
    };
    let iterations = counted(solution.iterations, "iteration", "iterations");
    let open =
        matches!(solution.status, Status::Stalled | Status::IterationLimit | Status::TimeLimit | Status::Stopped);
    let words = if open { ", not converged" } else { "" };
    // the limit is on steps, also on those that led nowhere
    let rejected = match (solution.rejected, solution.status == Status::IterationLimit) {
        (0, _) | (_, false) => String::new(),
        (n, true) => format!(" and {}", counted(n, "rejected step", "rejected steps")),
    };
    format!("{}{words} after {iterations}{rejected} of {preset}", ending(solution))
}

/// How a run ended, in the same words wherever it is told.
pub fn ending(solution: &Solution) -> &'static str {
    match solution.status {
        Status::Converged => "converged",
        Status::Stalled => "stalled",
        Status::Unbounded => "UNBOUNDED",
        Status::Infeasible => "INFEASIBLE",
        Status::IterationLimit => "iteration limit",
        Status::TimeLimit => "time limit",
        Status::Stopped => "stopped",
        Status::Diverged => "DIVERGED",
        Status::NotFinite => "NOT FINITE",
        Status::Interrupted => "interrupted",
    }
}

/// Evaluations with those of the polish, and the time before the first iteration.
fn work(solution: &Solution) -> String {
    let c = &solution.counts;
    let counts = [
        (c.grad_lower, ["lower gradient", "lower gradients"]),
        (c.grad_upper, ["upper gradient", "upper gradients"]),
        (c.hvp, ["Hessian product", "Hessian products"]),
        (c.prox, ["prox map", "prox maps"]),
    ];
    let made = counts.iter().filter(|(n, _)| *n > 0);
    let words: Vec<String> = made.map(|(n, [one, many])| counted(n, one, many)).collect();
    let lower = solution.work.map_or_else(String::new, |w| {
        let again = if w.again > 0 { format!(" ({} of them again)", w.again) } else { String::new() };
        let steps = counted(w.steps, "lower step", "lower steps");
        let states = counted(w.states, "state", "states");
        format!("; {steps}{again}, {states} kept in {} bytes", w.bytes)
    });
    format!("{}{lower}; {} to compile", words.join(", "), time(solution.compile_seconds))
}

/// What is known of the point, with the evidence.
fn verdict(solution: &Solution) -> String {
    let v = &solution.verdict;
    let starts = match v.starts {
        0 => String::new(),
        n => format!(" ({})", counted(n, "start", "starts")),
    };
    let y = match v.word {
        Word::Certified => "certified: y solves a lower level that is proved convex".to_owned(),
        Word::Plausible => format!("plausible{starts}: no y with a smaller lower objective was found"),
        Word::NotLowerOptimal => {
            format!("not lower-optimal: the lower objective is {} lower elsewhere", few(v.lower_gap, ERROR_DIGITS))
        }
        Word::None if v.remark == Some(Remark::RunsAway) => {
            return "none: y runs away, as the lower level or F has no least value there".to_owned();
        }
        Word::None => return "none: the tests of the point could not be made".to_owned(),
    };
    let x = match &v.better {
        // a problem without upper variables has no other x
        _ if solution.upper.variables.is_empty() => None,
        Some(better) => Some(format!("F is {} at another x", few(better.upper, DIGITS))),
        None => Some(format!("no better x among {} around", v.probes)),
    };
    let from = v.found_by.map(|by| format!("the result is {}", by.text()));
    let open = v.open.filter(|_| solution.status != Status::Converged).map(|open| open.text().to_owned());
    [Some(y), x, from, open].into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// What the values of x do not tell: that they are at their bounds, or no longer matter.
fn remarks(verdict: &Verdict) -> Vec<String> {
    let mut found = Vec::new();
    let few = |v: f64| few(v, DIGITS);
    if verdict.at_bounds.len() > NAMED_ENTRIES {
        found.push(format!("{} entries of x are at their bounds", verdict.at_bounds.len()));
    } else {
        found.extend(verdict.at_bounds.iter().map(|e| format!("{} is at its bound {}", e.name, few(e.value))));
    }
    let flat = |f: &Flat| match f.beyond {
        Some(value) => format!("F no longer depends on {} beyond {}", f.entry.name, few(value)),
        None => format!("F does not depend on {} nearby", f.entry.name),
    };
    if verdict.flat.len() > NAMED_ENTRIES {
        found.push(format!("F does not depend on {} entries of x nearby", verdict.flat.len()));
    } else {
        found.extend(verdict.flat.iter().map(flat));
    }
    if verdict.remark == Some(Remark::LocalChoice) {
        found.push(
            "y is one of several lower solutions; F is not convex over them, and another may be better".to_owned(),
        );
    }
    found
}

fn level(level: &LevelResult) -> String {
    let total = few(level.objective, DIGITS);
    if level.regularizer == 0.0 {
        return total;
    }
    format!("{total} = {} smooth + {} regularizer", few(level.smooth, DIGITS), few(level.regularizer, DIGITS))
}

fn residuals(solution: &Solution) -> String {
    let r = &solution.residuals;
    let named = [("upper", r.upper), ("lower", r.lower), ("method", r.method), ("gap", r.gap)];
    let known = named.iter().filter(|(_, v)| !v.is_nan());
    known.map(|(name, v)| format!("{name} {}", few(*v, ERROR_DIGITS))).collect::<Vec<_>>().join(", ")
}

/// What the lower level was before and how far it has come: the lines above are of the polished point.
fn polished(polish: &Polished, residual: f64) -> String {
    let few = |v| few(v, DIGITS);
    format!(
        "{} at fixed x: before, upper {}, lower {}, lower residual {} (now {})",
        counted(polish.iterations, "step", "steps"),
        few(polish.upper),
        few(polish.lower),
        number::few(polish.residual, ERROR_DIGITS),
        number::few(residual, ERROR_DIGITS)
    )
}

fn point(solution: &Solution) -> String {
    let all = solution.upper.variables.iter().chain(&solution.lower.variables);
    all.map(|(name, a)| array(name, a)).collect::<Vec<_>>().join(", ")
}

/// `x = 0.5`, `y = [1, 2]`, `W[784, 10] from -1 to 1`.
fn array(name: &str, array: &Array) -> String {
    let values = &array.values;
    if array.shape.is_empty() {
        return format!("{name} = {}", few(values[0], DIGITS));
    }
    if array.shape.len() == 1 && values.len() <= SHOWN_ENTRIES {
        let entries: Vec<String> = values.iter().map(|v| few(*v, DIGITS)).collect();
        return format!("{name} = [{}]", entries.join(", "));
    }
    let shape: Vec<String> = array.shape.iter().map(ToString::to_string).collect();
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let largest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    format!("{name}[{}] from {} to {}", shape.join(", "), few(least, 4), few(largest, 4))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_are_shown_or_summarized() {
        let of = |shape: Vec<usize>, values: Vec<f64>| array("y", &Array { shape, values });
        assert_eq!(of(vec![], vec![0.5]), "y = 0.5");
        assert_eq!(of(vec![2], vec![1.0, -0.25]), "y = [1, -0.25]");
        assert_eq!(of(vec![3, 3], (0..9).map(f64::from).collect()), "y[3, 3] from 0 to 8");
    }
}
