//! Methods on random problems: what each run is worth against brute force, and the counts.

use std::collections::BTreeMap;
use std::fmt;

use blo_engine::data::Memory;
use blo_solvers::{Observer, Request};

use super::problem;
use crate::answer::{Answer, Asked};
use crate::scalar::{Grade, Resolution, Truth};

/// A random problem, solved by brute force and ready to be asked.
pub struct Trial {
    /// Its seed.
    pub seed: u64,
    /// What brute force knows.
    pub truth: Truth,
    asked: Asked,
}

/// A judged run.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The method.
    pub method: String,
    /// The end of the run.
    pub answer: Answer,
    /// What it is worth.
    pub grade: Grade,
    /// A level has no minimum, and the run says so.
    pub endless: bool,
}

/// Statuses that say that a level has no minimum.
const ENDLESS: [&str; 2] = ["diverged", "unbounded"];

impl Trial {
    /// The problem of a seed.
    pub fn new(seed: u64, resolution: Resolution) -> Trial {
        let truth = Truth::new(problem(seed), resolution);
        let asked = Asked::new(&format!("random {seed}"), &truth.problem.text(), &Memory::new());
        Trial { seed, truth, asked }
    }

    /// The default, then every other method that takes the problem.
    pub fn methods(&self) -> Vec<&'static str> {
        self.asked.methods()
    }

    /// Runs a method and judges its end.
    ///
    /// # Errors
    /// Why the run has no end.
    pub fn run(&self, request: &Request, observer: &mut dyn Observer) -> Result<Judged, String> {
        let answer = self.asked.ask(request, observer)?;
        let numbers = (answer.x.first().copied(), answer.y.first().copied());
        let (x, y) = (numbers.0.unwrap_or(f64::NAN), numbers.1.unwrap_or(f64::NAN));
        let endless = self.truth.best.is_none() && ENDLESS.contains(&answer.status);
        let grade = if endless { Grade::Right } else { self.truth.grade(x, y) };
        Ok(Judged { method: request.method.clone(), answer, grade, endless })
    }

    /// A wrong run that claims to be right, to be looked into: seed, method, program, values.
    pub fn shown(&self, judged: &Judged) -> String {
        let best = self.truth.best.map_or_else(
            || "F has no least value".to_owned(),
            |b| format!("best x = {:.6}, y = {:.6}, F = {:.6}", b.x, b.y, b.phi),
        );
        let Judged { method, answer, grade, .. } = judged;
        format!(
            "seed {} {method}: {} {:?} x = {:?} y = {:?} F = {:.6}: {grade:?}; {best}\n{}",
            self.seed,
            answer.status,
            answer.warnings,
            answer.x,
            answer.y,
            answer.upper,
            self.truth.problem.text()
        )
    }
}

impl Judged {
    /// Wrong, converged, and without a warning.
    pub fn is_silent_wrong(&self) -> bool {
        matches!(self.grade, Grade::Wrong(_)) && self.answer.is_silent()
    }
}

/// Counts of judged runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Runs with an end.
    pub runs: usize,
    /// Those that say that they converged.
    pub converged: usize,
    /// Global solutions.
    pub right: usize,
    /// Local minimizers of the optimistic value.
    pub local: usize,
    /// Wrong ones that did not converge, or warn.
    pub said: usize,
    /// Wrong ones that claim to be right.
    pub silent: usize,
    /// Right ones that warn of their end point.
    pub false_alarms: usize,
    /// The codes of those warnings.
    pub codes: BTreeMap<&'static str, usize>,
    /// Runs that did not start, or panicked.
    pub failed: usize,
}

impl Tally {
    /// Counts a run.
    pub fn add(&mut self, judged: &Result<Judged, String>) {
        let Ok(judged) = judged else {
            self.failed += 1;
            return;
        };
        self.runs += 1;
        self.converged += usize::from(judged.answer.status == "converged");
        match judged.grade {
            Grade::Right if judged.endless => self.right += 1,
            Grade::Right => {
                self.right += 1;
                self.false_alarms += usize::from(!judged.answer.warnings.is_empty());
                for code in &judged.answer.warnings {
                    *self.codes.entry(code).or_default() += 1;
                }
            }
            Grade::Local => self.local += 1,
            Grade::Wrong(_) if judged.answer.is_silent() => self.silent += 1,
            Grade::Wrong(_) => self.said += 1,
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let codes: Vec<String> = self.codes.iter().map(|(code, count)| format!("{code} {count}")).collect();
        write!(
            out,
            "{} runs, {} converged, {} right, {} local, {} wrong and said, {} wrong and silent, {} false alarms ({}), {} \
             failed",
            self.runs,
            self.converged,
            self.right,
            self.local,
            self.said,
            self.silent,
            self.false_alarms,
            codes.join(", "),
            self.failed
        )
    }
}
