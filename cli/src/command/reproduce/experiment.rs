//! What an experiment is: runs of `blo solve`, and which of their numbers stand beside those of a paper. A run is written as
//! the command line that a reader may type; the table runs that line and no other, so both give the same number.

use blo_solvers::solution::Solution;
use blo_solvers::solution::trace::Row;

use blo::output::number::few;

/// A table or figure of a paper.
pub(crate) struct Experiment {
    /// Its name on the command line: `bda-fig2`.
    pub(crate) name: &'static str,
    /// Its title.
    pub(crate) title: &'static str,
    /// The problem, where the settings differ from the paper's and why, how presets were chosen.
    pub(crate) about: &'static str,
    /// It takes many minutes, although it needs no data of the user.
    pub(crate) long: bool,
    /// The runs.
    pub(crate) runs: &'static [Run],
}

/// A run.
pub(crate) struct Run {
    /// What distinguishes it from the others.
    pub(crate) label: &'static str,
    /// What follows `blo solve`. A `--data-dir` names the folder of a data set: `--data-dir mnist`.
    pub(crate) line: &'static str,
    /// The numbers that are read.
    pub(crate) reads: &'static [Read],
}

/// A number of a run beside that of the paper.
pub(crate) struct Read {
    /// What it is, in a few words.
    pub(crate) name: &'static str,
    pub(crate) quantity: Quantity,
    /// What the paper has, as text; empty where it has no number.
    pub(crate) paper: &'static str,
    /// What the number must be.
    pub(crate) target: Target,
}

/// Where a number stands in the result of a run.
pub(crate) enum Quantity {
    Upper,
    /// The upper objective less its known optimum, as a share of the latter or of 1.
    UpperError,
    LowerError,
    /// The distance of a variable to its known value, as a share of the norm of that value or of 1.
    Error(&'static str),
    /// An entry of a variable, from 1.
    Entry(&'static str, usize),
    Metric(&'static str),
    /// A metric as a percentage.
    Percent(&'static str),
    /// Seconds of the run, compilation included.
    Seconds,
    Iterations,
    /// The first row of the trace whose metric, or upper objective, is at most this: its iteration; its time.
    IterationTo(&'static str, f64),
    IterationToUpper(f64),
    SecondsTo(&'static str, f64),
}

/// What a number must be.
pub(crate) enum Target {
    /// Anything: it stands beside the paper's for its shape, or depends on the machine.
    Free,
    /// This value, this far from it at most.
    Near(f64, f64),
    AtMost(f64),
    AtLeast(f64),
    Within(f64, f64),
}

impl Quantity {
    /// The number; NaN where the run does not have it.
    pub(crate) fn of(&self, problem_metrics: &[String], solution: &Solution) -> f64 {
        let error = |name: &str| solution.error(name).map_or(f64::NAN, |e| e.err);
        let metric = |name: &str| solution.metrics.iter().find(|(n, _)| n == name).map_or(f64::NAN, |(_, v)| *v);
        let first = |name: &str, bound: f64| first(problem_metrics, &solution.rows, name, bound);
        let below = |bound: f64| solution.rows.iter().find(|row| row.upper <= bound);
        match self {
            Quantity::Upper => solution.upper.objective,
            Quantity::UpperError => error("upper"),
            Quantity::LowerError => error("lower"),
            Quantity::Error(name) => error(name),
            Quantity::Entry(name, i) => {
                solution.variable(name).and_then(|a| a.values.get(i - 1)).copied().unwrap_or(f64::NAN)
            }
            Quantity::Metric(name) => metric(name),
            Quantity::Percent(name) => 100.0 * metric(name),
            Quantity::Seconds => solution.compile_seconds + solution.solve_seconds,
            Quantity::Iterations => solution.iterations as f64,
            Quantity::IterationTo(name, bound) => first(name, *bound).map_or(f64::NAN, |row| row.iteration as f64),
            Quantity::IterationToUpper(bound) => below(*bound).map_or(f64::NAN, |row| row.iteration as f64),
            Quantity::SecondsTo(name, bound) => first(name, *bound).map_or(f64::NAN, |row| row.seconds),
        }
    }

    /// Depends on the machine.
    pub(crate) fn is_time(&self) -> bool {
        matches!(self, Quantity::Seconds | Quantity::SecondsTo(..))
    }
}

/// The first row whose metric is at most `bound`.
fn first<'a>(metrics: &[String], rows: &'a [Row], name: &str, bound: f64) -> Option<&'a Row> {
    let position = metrics.iter().position(|m| m == name)?;
    rows.iter().find(|row| row.metrics.get(position).is_some_and(|v| v.is_some_and(|v| v <= bound)))
}

impl Target {
    /// Whether a number is as it must be, if anything is asked of it. NaN never is.
    pub(crate) fn is_met(&self, value: f64) -> Option<bool> {
        match *self {
            Target::Free => None,
            Target::Near(wanted, tolerance) => Some((value - wanted).abs() <= tolerance),
            Target::AtMost(bound) => Some(value <= bound),
            Target::AtLeast(bound) => Some(value >= bound),
            Target::Within(low, high) => Some(low <= value && value <= high),
        }
    }

    /// In a table.
    pub(crate) fn text(&self) -> String {
        match *self {
            Target::Free => String::new(),
            Target::Near(wanted, tolerance) => format!("{} ± {}", few(wanted, 7), few(tolerance, 2)),
            Target::AtMost(bound) => format!("≤ {}", few(bound, 4)),
            Target::AtLeast(bound) => format!("≥ {}", few(bound, 4)),
            Target::Within(low, high) => format!("{} to {}", few(low, 4), few(high, 4)),
        }
    }
}

/// A number of which nothing is asked.
pub(super) const fn free(name: &'static str, quantity: Quantity, paper: &'static str) -> Read {
    Read { name, quantity, paper, target: Target::Free }
}

/// A number with a value that is known.
pub(super) const fn near(
    name: &'static str,
    quantity: Quantity,
    paper: &'static str,
    value: f64,
    tolerance: f64,
) -> Read {
    Read { name, quantity, paper, target: Target::Near(value, tolerance) }
}

/// A number with a largest value.
pub(super) const fn most(name: &'static str, quantity: Quantity, paper: &'static str, bound: f64) -> Read {
    Read { name, quantity, paper, target: Target::AtMost(bound) }
}

/// A number with a least value.
pub(super) const fn least(name: &'static str, quantity: Quantity, paper: &'static str, bound: f64) -> Read {
    Read { name, quantity, paper, target: Target::AtLeast(bound) }
}

/// A number with a least and a largest value.
pub(super) const fn within(name: &'static str, quantity: Quantity, paper: &'static str, low: f64, high: f64) -> Read {
    Read { name, quantity, paper, target: Target::Within(low, high) }
}

/// A run.
pub(super) const fn run(label: &'static str, line: &'static str, reads: &'static [Read]) -> Run {
    Run { label, line, reads }
}

#[cfg(test)]
mod tests {
    use super::*;
    use blo_solvers::solution::trace::{PassStart, Residuals};

    #[test]
    fn a_number_that_is_missing_meets_no_target() {
        let targets = [Target::Near(1.0, 1.0), Target::AtMost(1.0), Target::AtLeast(0.0), Target::Within(0.0, 1.0)];
        for target in targets {
            assert_eq!((target.is_met(0.5), target.is_met(f64::NAN)), (Some(true), Some(false)), "{}", target.text());
            assert_eq!(target.is_met(-2.0), Some(matches!(target, Target::AtMost(_))));
        }
        assert_eq!(Target::Free.is_met(f64::NAN), None);
    }

    #[test]
    fn a_condition_holds_from_the_first_row_that_meets_it() {
        let residuals = Residuals { upper: 0.0, lower: 0.0, method: 0.0, gap: 0.0 };
        let row = |iteration: u64, metrics: &[f64]| Row {
            iteration,
            pass: 1,
            from: PassStart::Start,
            seconds: iteration as f64 / 10.0,
            upper: 0.0,
            lower: 0.0,
            residuals,
            metrics: metrics.iter().copied().map(Some).collect(),
            variables: Vec::new(),
        };
        let names = ["a".to_owned(), "b".to_owned()];
        let rows = [row(0, &[0.0, f64::NAN]), row(5, &[0.0, 0.5]), row(9, &[0.0, 0.1]), row(10, &[0.0, 0.3])];
        let iteration = |name: &str, bound: f64| first(&names, &rows, name, bound).map(|row| row.iteration);
        assert_eq!((iteration("b", 0.5), iteration("b", 0.2), iteration("b", 0.01)), (Some(5), Some(9), None));
        assert_eq!((iteration("a", 0.0), iteration("c", 1.0)), (Some(0), None));
    }
}
