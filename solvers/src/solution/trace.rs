//! The rows of a run: which iterations are reported, and what of them.

use serde::{Deserialize, Serialize};

use crate::iteration::report::Report;

/// One line of the table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Iterations done.
    pub iteration: u64,
    /// The pass that the iterate is of, from 1. A method that runs again, from the start or from elsewhere, begins another;
    /// the last row is of the pass whose end is returned.
    pub pass: u64,
    /// Where that pass began.
    pub from: PassStart,
    /// Seconds since the start of the solve.
    pub seconds: f64,
    /// The upper objective, in the user's sign.
    pub upper: f64,
    /// The lower objective with its proximal part, in the user's sign.
    pub lower: f64,
    /// Residuals and gap.
    pub residuals: Residuals,
    /// The metrics, in the order of the problem's; `None` where one reads multipliers that nobody knows.
    pub metrics: Vec<Option<f64>>,
    /// One array per variable, upper then lower, where the observer wants them; else none.
    pub variables: Vec<Vec<f64>>,
}

/// Where a pass of a run begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PassStart {
    /// At the start of the run.
    Start,
    /// At a better point than the end of the pass before: N0604 says why.
    Better,
    /// At the end of the pass before, with other multipliers.
    End,
}

impl PassStart {
    /// In words, after "from".
    pub fn text(self) -> &'static str {
        match self {
            PassStart::Start => "the start",
            PassStart::Better => "a better point",
            PassStart::End => "the end of the pass before",
        }
    }
}

/// How far an iterate is from solving.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Residuals {
    /// Stationarity in the upper variables.
    pub upper: f64,
    /// Stationarity of the lower level.
    pub lower: f64,
    /// Stationarity of the method's own problem.
    pub method: f64,
    /// How far the lower objective is above its least value; NaN where the method does not know.
    pub gap: f64,
}

/// An iterate that a caller of the run follows.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// One array per variable, upper then lower.
    pub point: &'a [Vec<f64>],
    /// Its residuals and its gap.
    pub residuals: Residuals,
}

impl From<&Report> for Residuals {
    fn from(r: &Report) -> Residuals {
        let measured = |value: Option<f64>| value.unwrap_or(f64::NAN);
        Residuals {
            upper: measured(r.upper_residual),
            lower: r.lower_residual,
            method: measured(r.method_residual),
            gap: measured(r.gap),
        }
    }
}

/// True for the iterations of the table: 0 and 1, 2, 5 times a power of ten.
pub(crate) fn is_row(iteration: u64) -> bool {
    let mut leading = iteration;
    while leading >= 10 && leading.is_multiple_of(10) {
        leading /= 10;
    }
    matches!(leading, 0 | 1 | 2 | 5)
}

/// The iteration after `iteration` in which residuals are computed: each of the first ten, then one in ten percent
/// more, at least every hundred. `rare` is how many iterations a look is worth: where it is more, looks are that far
/// apart, though never so far that a run of `k` iterations goes on for much more than the root of k in vain.
pub(crate) fn next_check(iteration: u64, rare: u64) -> u64 {
    let seldom = rare.min(2 * iteration.isqrt());
    let next = iteration + (iteration / 10).max(seldom).clamp(1, 100);
    // Never step over a row.
    (iteration + 1..next).find(|k| is_row(*k)).unwrap_or(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_log_spaced_and_always_checked() {
        let rows: Vec<u64> = (0..=1000).filter(|k| is_row(*k)).collect();
        assert_eq!(rows, [0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000]);
        for (rare, most) in [(0, 300), (8, 290), (1000, 275)] {
            let mut checks = vec![0];
            while checks[checks.len() - 1] < 20_000 {
                checks.push(next_check(checks[checks.len() - 1], rare));
            }
            assert!((0..20_000).filter(|k| is_row(*k)).all(|k| checks.contains(&k)));
            assert!(checks.len() < most, "{rare}: {}", checks.len());
        }
    }

    #[test]
    fn looks_that_cost_as_much_as_iterations_are_rare_in_short_runs() {
        let looks = |rare| {
            let mut checks = vec![0];
            while checks[checks.len() - 1] < 40 {
                checks.push(next_check(checks[checks.len() - 1], rare));
            }
            checks
        };
        assert_eq!(looks(8), [0, 1, 2, 4, 5, 9, 10, 16, 20, 28, 36, 44]);
        assert_eq!(looks(0).len(), 30);
    }
}
