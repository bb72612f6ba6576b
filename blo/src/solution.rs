//! The result of a run.

use std::fmt;

use blo_grammar::diagnostic::Diagnostic;
use blo_solvers::solution::verdict::Word;
use serde_json::Value;

use crate::document::Document;
use crate::observer::Residuals;
use crate::output::text::page::PAGE;
use crate::output::{object, report};
use crate::report::{Finding, Report, finding};

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Status {
    /// Solved as far as the problem's own tests tell: y solves the lower level, and the upper objective falls nowhere
    /// nearby, by more than the tolerance.
    Converged,
    /// The method has ended by itself, and those tests fail or could not be made.
    Stalled,
    /// The limit on iterations is reached.
    IterationLimit,
    /// The limit on time is reached.
    TimeLimit,
    /// The observer has seen enough.
    Stopped,
    /// The iterates grow without bound.
    Diverged,
    /// The lower level has no solution at the end point: its objective falls for ever.
    Unbounded,
    /// No point meets the rows of both levels; the result violates them least.
    Infeasible,
    /// A value is not a number although the iterates had not grown.
    NotFinite,
    /// A [`Stop`](crate::Stop) has ended it.
    Interrupted,
}

impl Status {
    /// As results write it: `converged`, `iteration_limit`.
    pub fn text(self) -> &'static str {
        self.of_solvers().text()
    }

    fn of_solvers(self) -> blo_solvers::Status {
        use blo_solvers::Status as Solvers;
        match self {
            Status::Converged => Solvers::Converged,
            Status::Stalled => Solvers::Stalled,
            Status::IterationLimit => Solvers::IterationLimit,
            Status::TimeLimit => Solvers::TimeLimit,
            Status::Stopped => Solvers::Stopped,
            Status::Diverged => Solvers::Diverged,
            Status::Unbounded => Solvers::Unbounded,
            Status::Infeasible => Solvers::Infeasible,
            Status::NotFinite => Solvers::NotFinite,
            Status::Interrupted => Solvers::Interrupted,
        }
    }
}

impl From<blo_solvers::Status> for Status {
    fn from(status: blo_solvers::Status) -> Status {
        use blo_solvers::Status as Solvers;
        match status {
            Solvers::Converged => Status::Converged,
            Solvers::Stalled => Status::Stalled,
            Solvers::IterationLimit => Status::IterationLimit,
            Solvers::TimeLimit => Status::TimeLimit,
            Solvers::Stopped => Status::Stopped,
            Solvers::Diverged => Status::Diverged,
            Solvers::Unbounded => Status::Unbounded,
            Solvers::Infeasible => Status::Infeasible,
            Solvers::NotFinite => Status::NotFinite,
            Solvers::Interrupted => Status::Interrupted,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

/// What is known of the y of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// The lower level is proved convex, and y solves it.
    Certified,
    /// Convexity is not proved; no solve from elsewhere ends lower.
    Plausible,
    /// A better lower point is known.
    NotLowerOptimal,
    /// The end was not judged, or what was measured decides nothing.
    None,
}

impl Verdict {
    /// As results write it: `certified`, `not_lower_optimal`.
    pub fn text(self) -> &'static str {
        match self {
            Verdict::Certified => Word::Certified.text(),
            Verdict::Plausible => Word::Plausible.text(),
            Verdict::NotLowerOptimal => Word::NotLowerOptimal.text(),
            Verdict::None => Word::None.text(),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

/// Numbers of a variable or a multiplier, borrowed: row-major, of rank 0 to 4.
///
/// ```
/// # let problem = blo::Problem::from_str(
/// #     "upper { var x  minimize x^2 + sum(W)^2 }  lower { var W[2, 3]  minimize normsq(W - 1) + x^2 }")?;
/// # let solution = problem.solve(&blo::Options::new())?;
/// let w = solution.lower("W").unwrap();
/// assert_eq!(w.shape(), [2, 3]);
/// assert_eq!(w.values().len(), 6);
/// assert_eq!(w.get(&[1, 2]), Some(w.values()[5]));
/// assert_eq!(w.number(), None);
/// # Ok::<(), blo::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Values<'a> {
    shape: &'a [usize],
    values: &'a [f64],
}

impl<'a> Values<'a> {
    pub(crate) fn of(array: &'a blo_engine::data::Array) -> Values<'a> {
        Values { shape: &array.shape, values: &array.values }
    }

    /// The extents, slowest first; empty for a number.
    pub fn shape(&self) -> &'a [usize] {
        self.shape
    }

    /// The numbers, row-major.
    pub fn values(&self) -> &'a [f64] {
        self.values
    }

    /// The number, of rank 0.
    pub fn number(&self) -> Option<f64> {
        if self.shape.is_empty() { self.values.first().copied() } else { None }
    }

    /// The entry at a place counted from 0; `None` outside, or of another rank.
    pub fn get(&self, index: &[usize]) -> Option<f64> {
        if index.len() != self.shape.len() || index.iter().zip(self.shape).any(|(i, n)| i >= n) {
            return None;
        }
        self.values.get(index.iter().zip(self.shape).fold(0, |at, (i, n)| at * n + i)).copied()
    }
}

/// The rows of a run as columns of equal length, one entry per reported iterate.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct History {
    /// Iterations done.
    pub iteration: Vec<u64>,
    /// The pass, from 1.
    pub pass: Vec<u64>,
    /// Seconds since the iterations began.
    pub seconds: Vec<f64>,
    /// The upper objective, in the program's sign.
    pub upper: Vec<f64>,
    /// The lower objective with its proximal part, in the program's sign.
    pub lower: Vec<f64>,
    /// Residuals and gap; NaN where they are not measured.
    pub residuals: Vec<Residuals>,
    /// Name and values of each metric that rows hold; NaN where a row has a dash.
    pub metrics: Vec<(String, Vec<f64>)>,
    /// Name and numbers of each variable per row, row-major; empty unless
    /// [`Options::row_variables`](crate::Options::row_variables) asked for them.
    pub variables: Vec<(String, Vec<Vec<f64>>)>,
}

/// The result of a run. Shown with `{}`, it is the summary that `blo solve` prints, in 80 columns.
///
/// ```
/// use blo::{Options, Problem, Status, Verdict};
///
/// let problem = Problem::from_str(
///     "upper { var x in [0, 5]  minimize (x - 1)^2 + (y - 1)^2 }
///      lower { var y  minimize (y - x)^2 }",
/// )?;
/// let solution = problem.solve(&Options::new())?;
/// assert_eq!(solution.status(), Status::Converged);
/// assert_eq!(solution.verdict(), Verdict::Certified);
/// assert!((solution.upper("x").unwrap().number().unwrap() - 1.0).abs() < 1e-3);
/// assert!(solution.objective_upper() < 1e-5);
/// assert!(solution.to_string().contains("converged"));
/// assert_eq!(solution.to_json()["status"], "converged");
/// # Ok::<(), blo::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Solution {
    pub(crate) inner: blo_solvers::Solution,
    /// What the check had warned of.
    pub(crate) before: Vec<Diagnostic>,
    pub(crate) document: Document,
    /// Names of the metrics in rows.
    pub(crate) row_metrics: Vec<String>,
}

impl Solution {
    /// An upper variable by name.
    pub fn upper(&self, name: &str) -> Option<Values<'_>> {
        named(&self.inner.upper.variables, name)
    }

    /// A lower variable by name.
    pub fn lower(&self, name: &str) -> Option<Values<'_>> {
        named(&self.inner.lower.variables, name)
    }

    /// All upper variables in the order of the program.
    pub fn uppers(&self) -> impl Iterator<Item = (&str, Values<'_>)> {
        self.inner.upper.variables.iter().map(|(name, array)| (name.as_str(), Values::of(array)))
    }

    /// All lower variables in the order of the program.
    pub fn lowers(&self) -> impl Iterator<Item = (&str, Values<'_>)> {
        self.inner.lower.variables.iter().map(|(name, array)| (name.as_str(), Values::of(array)))
    }

    /// The multiplier of a row of `subject to` by name: nonnegative for an inequality, the derivative of the least value in
    /// the right side for an equality. `None` without such a row, or where nobody knows it.
    ///
    /// ```
    /// let problem = blo::Problem::from_str(
    ///     "upper { var x  minimize (x - 2)^2 + y^2 }
    ///      lower { var y  minimize (y - x)^2  subject to { cap: y <= 1 } }",
    /// )?;
    /// let solution = problem.solve(&blo::Options::new())?;
    /// // at x = 2 the row holds y back at 1: 2 (y - x) + lambda = 0
    /// assert!((solution.multiplier("cap").unwrap().number().unwrap() - 2.0).abs() < 1e-3);
    /// # Ok::<(), blo::Error>(())
    /// ```
    pub fn multiplier(&self, row: &str) -> Option<Values<'_>> {
        self.inner.constraints.iter().find(|c| c.name == row)?.multiplier.as_ref().map(Values::of)
    }

    /// Names of the rows of `subject to`, with the largest violation of an entry; 0 where all hold.
    pub fn rows(&self) -> impl Iterator<Item = (&str, f64)> {
        self.inner.constraints.iter().map(|c| (c.name.as_str(), c.violation))
    }

    /// F(x, y) in the program's sign: a `maximize` has its own value.
    pub fn objective_upper(&self) -> f64 {
        self.inner.upper.objective
    }

    /// f(x, y), with the part from `regularize`, in the program's sign.
    pub fn objective_lower(&self) -> f64 {
        self.inner.lower.objective
    }

    /// How the run ended.
    pub fn status(&self) -> Status {
        self.inner.status.into()
    }

    /// What is known of y.
    pub fn verdict(&self) -> Verdict {
        match self.inner.verdict.word {
            Word::Certified => Verdict::Certified,
            Word::Plausible => Verdict::Plausible,
            Word::NotLowerOptimal => Verdict::NotLowerOptimal,
            Word::None => Verdict::None,
        }
    }

    /// The method that has run, by name.
    pub fn method(&self) -> &'static str {
        self.inner.method
    }

    /// Iterations done.
    pub fn iterations(&self) -> u64 {
        self.inner.iterations
    }

    /// Seconds spent iterating.
    pub fn seconds(&self) -> f64 {
        self.inner.solve_seconds
    }

    /// The residuals at the end.
    pub fn residuals(&self) -> Residuals {
        self.inner.residuals.into()
    }

    /// A metric of the program by name.
    pub fn metric(&self, name: &str) -> Option<f64> {
        self.inner.metrics.iter().find(|(n, _)| n == name).map(|(_, value)| *value)
    }

    /// Name and value of each metric.
    pub fn metrics(&self) -> &[(String, f64)] {
        &self.inner.metrics
    }

    /// The derivative of the optimal upper objective in a param, where
    /// [`Options::sensitivity`](crate::Options::sensitivity) asked for it: `None` for a param that there is not.
    ///
    /// # Errors
    /// Why there is no derivative.
    pub fn sensitivity(&self, param: &str) -> Option<Result<f64, &str>> {
        let found = self.inner.sensitivity.as_ref()?.iter().find(|s| s.name == param)?;
        Some(found.derivative.as_ref().copied().map_err(|none| none.why.as_str()))
    }

    /// Warnings of the check and of the run.
    pub fn warnings(&self) -> Vec<Finding> {
        self.before.iter().chain(&self.inner.warnings).map(|d| finding(d, &self.document)).collect()
    }

    /// The same warnings as the command prints them.
    pub fn warning_report(&self) -> Report {
        Report::new(&self.document, self.before.iter().chain(&self.inner.warnings).cloned().collect())
    }

    /// The reported iterates, as columns.
    ///
    /// ```
    /// # let problem = blo::Problem::from_str("upper { var x  minimize (x-1)^2 + y^2 }  lower { var y  minimize (y-x)^2 }")?;
    /// let solution = problem.solve(&blo::Options::new().method("rhg").row_every(1).row_variables(true))?;
    /// let history = solution.history();
    /// assert_eq!(history.iteration[0], 0);
    /// assert_eq!(history.upper.len(), history.iteration.len());
    /// let (name, of_rows) = &history.variables[0];
    /// assert_eq!((name.as_str(), of_rows.len()), ("x", history.iteration.len()));
    /// # Ok::<(), blo::Error>(())
    /// ```
    pub fn history(&self) -> History {
        let rows = &self.inner.rows;
        let metric = |(i, name): (usize, &String)| {
            (name.clone(), rows.iter().map(|r| r.metrics.get(i).copied().flatten().unwrap_or(f64::NAN)).collect())
        };
        let with_variables = rows.iter().any(|r| !r.variables.is_empty());
        let names = self.inner.upper.variables.iter().chain(&self.inner.lower.variables).filter(|_| with_variables);
        let variable = |(i, (name, _)): (usize, &(String, blo_engine::data::Array))| {
            (name.clone(), rows.iter().map(|r| r.variables.get(i).cloned().unwrap_or_default()).collect())
        };
        History {
            iteration: rows.iter().map(|r| r.iteration).collect(),
            pass: rows.iter().map(|r| r.pass).collect(),
            seconds: rows.iter().map(|r| r.seconds).collect(),
            upper: rows.iter().map(|r| r.upper).collect(),
            lower: rows.iter().map(|r| r.lower).collect(),
            residuals: rows.iter().map(|r| r.residuals.into()).collect(),
            metrics: self.row_metrics.iter().enumerate().map(metric).collect(),
            variables: names.enumerate().map(variable).collect(),
        }
    }

    /// The object that `blo solve --format json` prints. Numbers that are not finite are null, arrays nested lists.
    pub fn to_json(&self) -> Value {
        object::solution(&self.inner, &self.before)
    }
}

impl fmt::Display for Solution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&report::summary(&self.inner, false, PAGE))
    }
}

fn named<'a>(variables: &'a [(String, blo_engine::data::Array)], name: &str) -> Option<Values<'a>> {
    variables.iter().find(|(n, _)| n == name).map(|(_, array)| Values::of(array))
}
