//! The line that says how far a run has come, below its table on a terminal: `iteration 1200 of 10000, upper 0.4821, at
//! most 12 s left`. What is left is what `--max-time` leaves, or what the other iterations take at the pace so far,
//! whichever is less; a run may converge before.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{self, IsTerminal};

use crate::clock;
use blo::output::number::{few, time};

/// Digits of the upper objective.
const DIGITS: usize = 5;
/// Seconds of iterations before their pace says something.
const PACE: f64 = 0.5;

/// The line of a command that waits for runs: `rhg, seed 2 (run 3 of 10)`.
pub(crate) struct RunsLine(ProgressBar);

impl RunsLine {
    /// Unseen where nobody looks.
    pub(crate) fn new() -> RunsLine {
        let hidden = !io::stderr().is_terminal();
        RunsLine(if hidden { ProgressBar::hidden() } else { bar() })
    }

    /// Which run there is, of how many.
    pub(crate) fn at(&self, what: &str, run: usize, of: usize) {
        self.0.set_message(format!("{what} (run {} of {of})", run + 1));
        self.0.tick();
    }
}

impl Drop for RunsLine {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10));
    bar.with_style(ProgressStyle::with_template("{wide_msg}").expect("the template is a constant"))
}

/// The line of a run.
pub(crate) struct ProgressLine {
    bar: ProgressBar,
    /// The most iterations.
    limit: u64,
    /// When the time limit is over, on the clock of the command.
    ends: f64,
    upper: Option<f64>,
    /// The first iteration that was told, and when.
    first: Option<(u64, f64)>,
}

impl ProgressLine {
    /// Of a run of at most `limit` iterations that ends at `ends`; unseen if `hidden`.
    pub(crate) fn new(limit: u64, ends: f64, hidden: bool) -> ProgressLine {
        let bar = if hidden { ProgressBar::hidden() } else { bar() };
        ProgressLine { bar, limit, ends, upper: None, first: None }
    }

    /// The upper objective, as it is known last.
    pub(crate) fn upper(&mut self, value: f64) {
        self.upper = Some(value);
    }

    /// So many iterations are done.
    pub(crate) fn set(&mut self, iteration: u64) {
        if self.bar.is_hidden() {
            return;
        }
        let now = clock::elapsed();
        let (first, begun) = *self.first.get_or_insert((iteration, now));
        let left = left(iteration, self.limit, first, now - begun).min(self.ends - now);
        self.bar.set_message(text(iteration, self.limit, self.upper, left));
    }

    /// Does something to the screen without the line.
    pub(crate) fn aside<R>(&self, act: impl FnOnce() -> R) -> R {
        self.bar.suspend(act)
    }
}

impl Drop for ProgressLine {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Seconds that the other iterations take; infinite while their pace is not known.
fn left(iteration: u64, limit: u64, first: u64, seconds: f64) -> f64 {
    let done = iteration.saturating_sub(first);
    if done == 0 || seconds < PACE {
        return f64::INFINITY;
    }
    limit.saturating_sub(iteration) as f64 * seconds / done as f64
}

fn text(iteration: u64, limit: u64, upper: Option<f64>, left: f64) -> String {
    let upper = upper.map_or_else(String::new, |v| format!(", upper {}", few(v, DIGITS)));
    let left = match left {
        _ if !left.is_finite() => String::new(),
        // parts of a second would flicker
        _ => format!(", at most {} left", time(left.max(0.0).ceil())),
    };
    format!("iteration {iteration} of {limit}{upper}{left}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_iteration_objective_and_time_left_in_80_columns() {
        assert_eq!(
            text(1200, 10_000, Some(0.48213), 11.2),
            "iteration 1200 of 10000, upper 0.48213, at most 12 s left"
        );
        assert_eq!(text(0, 100, None, f64::INFINITY), "iteration 0 of 100");
        let longest = text(10_u64.pow(8), 10_u64.pow(8), Some(-1.234_567e-300), 360_000.0);
        assert!(longest.chars().count() <= 80, "{longest}");
    }

    #[test]
    fn what_is_left_follows_from_the_pace_since_the_first() {
        assert_eq!(left(600, 1000, 500, 10.0), 40.0);
        assert_eq!(left(1000, 1000, 500, 10.0), 0.0);
        assert!(left(500, 1000, 500, 10.0).is_infinite() && left(501, 1000, 500, 0.1).is_infinite());
    }
}
