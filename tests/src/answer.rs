//! What a method answers to a program that is made in memory, as plain numbers: for judges that know nothing of the engine.

use std::panic::{AssertUnwindSafe, catch_unwind};

use blo_engine::data::Memory;
use blo_engine::model::{Bindings, Problem};
use blo_solvers::solution::Solution;
use blo_solvers::{DEFAULT_METHOD, METHODS, Observer, Request, prepare, solve};

use crate::program::Program;
use crate::repository::root;

/// Warnings about options; the others of the solvers are about how the run ended.
pub const ABOUT_OPTIONS: [&str; 2] = ["W0601", "W0609"];

/// A program with its data, bound.
pub struct Asked {
    problem: Problem,
    bindings: Bindings,
}

/// The end of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// How it ended, as results write it.
    pub status: &'static str,
    /// Warnings that the end point may be wrong.
    pub warnings: Vec<&'static str>,
    /// F, in the user's sign.
    pub upper: f64,
    /// The upper variables, one after the other.
    pub x: Vec<f64>,
    /// The lower variables.
    pub y: Vec<f64>,
}

impl Asked {
    /// Binds a program.
    ///
    /// # Panics
    /// When the program is not sound.
    pub fn new(name: &str, text: &str, files: &Memory) -> Asked {
        let program = Program { name: name.to_owned(), folder: root(), text: text.to_owned() };
        let (problem, bindings) = program.bound_with(&[], files);
        Asked { problem, bindings }
    }

    /// The default, then every other method that takes the problem.
    pub fn methods(&self) -> Vec<&'static str> {
        let others = METHODS.iter().map(|m| m.entry.name).filter(|n| *n != DEFAULT_METHOD);
        let takes = |name: &&str| prepare(&self.problem, &Request::automatic(name)).is_ok();
        std::iter::once(DEFAULT_METHOD).chain(others).filter(takes).collect()
    }

    /// Runs a method without presets.
    ///
    /// # Errors
    /// Why it did not start, or that it panicked.
    pub fn ask(&self, request: &Request, observer: &mut dyn Observer) -> Result<Answer, String> {
        let run = AssertUnwindSafe(|| solve(&self.problem, &self.bindings, request, observer));
        match catch_unwind(run) {
            Ok(Ok(solution)) => Ok(Answer::of(&solution)),
            Ok(Err(found)) => {
                let errors = found.iter().filter(|d| d.is_error()).map(|d| format!("{} {}", d.code, d.message));
                Err(errors.collect::<Vec<_>>().join("; "))
            }
            Err(_) => Err("panic".to_owned()),
        }
    }
}

/// See [`Answer::is_silent`].
pub fn claims_a_solution(solution: &Solution) -> bool {
    Answer::of(solution).is_silent()
}

impl Answer {
    /// Of a solution.
    fn of(solution: &Solution) -> Answer {
        let numbers = |variables: &[(String, blo_engine::data::Array)]| {
            variables.iter().flat_map(|(_, array)| array.values.iter().copied()).collect()
        };
        let codes = solution.warnings.iter().map(|w| w.code);
        Answer {
            status: solution.status.text(),
            warnings: codes.filter(|c| c.starts_with("W06") && !ABOUT_OPTIONS.contains(c)).collect(),
            upper: solution.upper.objective,
            x: numbers(&solution.upper.variables),
            y: numbers(&solution.lower.variables),
        }
    }

    /// Whether the run claims that its point is a solution: it converged, and warns of nothing.
    pub fn is_silent(&self) -> bool {
        self.status == "converged" && self.warnings.is_empty()
    }
}
