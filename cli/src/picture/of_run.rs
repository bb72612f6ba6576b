//! The curves of a run and what its pictures say of it.

use blo_solvers::Origin;
use blo_solvers::solution::trace::Row;
use blo_solvers::solution::{Failure, KnownError, Solution};

use super::axis::Scale;
use super::curves::{Caption, Curve, Point, Quantity};
use blo::output::number::few;
use blo::output::report::{option_value, status};

/// The name of an option or a param with its value, which stay on one line.
fn assignment(name: &str, value: &str) -> String {
    format!("{name}\u{a0}=\u{a0}{value}")
}

/// Digits of params.
const DIGITS: usize = 6;

/// What the curves of one run show together.
pub(crate) fn quantity() -> Quantity {
    Quantity { title: "residuals and errors".to_owned(), scale: Scale::Log }
}

/// The residuals that the method measures, its gap, and its errors against what is known. `errors` has an entry per row, or
/// none during a run; `failure` is where the run has left the finite numbers.
pub(crate) fn curves(rows: &[Row], failure: Option<&Failure>, errors: &[Vec<KnownError>]) -> Vec<Curve> {
    type Measure = (&'static str, fn(&Row) -> f64);
    const MEASURES: [Measure; 4] = [
        ("lower residual", |row| row.residuals.lower),
        ("upper residual", |row| row.residuals.upper),
        ("method residual", |row| row.residuals.method),
        ("gap", |row| row.residuals.gap),
    ];
    let curve = |name: String, values: Vec<f64>| {
        let point = |(row, value): (&Row, f64)| Point {
            iteration: row.iteration as f64,
            seconds: row.seconds,
            pass: row.pass,
            value,
        };
        let points = rows.iter().zip(values).map(point).chain(left(rows, failure)).collect();
        Curve { name, points }
    };
    let mut found = Vec::new();
    for (place, (name, of)) in MEASURES.into_iter().enumerate() {
        let values: Vec<f64> = rows.iter().map(of).collect();
        // every method has the first one; where another one is never a number the method does not measure it
        if place == 0 || values.iter().any(|v| !v.is_nan()) {
            found.push(curve(name.to_owned(), values));
        }
    }
    for (i, first) in errors.first().into_iter().flatten().enumerate() {
        let values = errors.iter().map(|of_row| of_row.get(i).map_or(f64::NAN, |e| e.err)).collect();
        found.push(curve(format!("err({})", first.name), values));
    }
    found
}

/// Where the run has left the finite numbers; its rows end before.
fn left(rows: &[Row], failure: Option<&Failure>) -> Option<Point> {
    let (failure, last) = (failure?, rows.last()?);
    let iteration = failure.iteration.max(last.iteration) as f64;
    Some(Point { iteration, seconds: last.seconds, pass: last.pass, value: f64::NAN })
}

/// The problem with its params, how the run ended, the options that are not default, the seed and the version.
pub(crate) fn caption(solution: &Solution, params: &[(String, f64)]) -> Caption {
    let problem = with_params(&solution.problem, params);
    let stated =
        solution.options.iter().filter(|o| matches!(o.origin, Origin::File | Origin::Flag) && o.name != "seed");
    let stated: Vec<String> = stated.map(|o| assignment(o.name, &option_value(&o.value))).collect();
    let options = if stated.is_empty() { "default options".to_owned() } else { stated.join(", ") };
    let seed = solution.options.iter().find(|o| o.name == "seed").map(|o| option_value(&o.value));
    let seed = seed.map_or_else(String::new, |seed| format!("seed {seed}; "));
    Caption(vec![format!("{problem}: {}", status(solution)), options, format!("{seed}{}", version())])
}

/// The problem with its params, what all of its runs have in common, the seed and the version.
pub(crate) fn caption_of_several(problem: &str, params: &[(String, f64)], about: &[String], seed: u64) -> Caption {
    let options = if about.is_empty() { "options of the file and default ones".to_owned() } else { about.join(", ") };
    Caption(vec![with_params(problem, params), options, format!("seed {seed}; {}", version())])
}

fn with_params(problem: &str, params: &[(String, f64)]) -> String {
    let params = params.iter().map(|(name, value)| assignment(name, &few(*value, DIGITS)));
    [problem.to_owned()].into_iter().chain(params).collect::<Vec<_>>().join(", ")
}

/// `blo 0.1.0`.
pub(crate) fn version() -> String {
    format!("blo {}", env!("CARGO_PKG_VERSION"))
}
