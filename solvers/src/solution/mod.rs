//! What a run returns, as plain data. Objectives are in the user's sign: a `maximize` is negated back.

pub mod constraint;
pub mod trace;
pub mod verdict;

use blo_engine::data::Array;
use blo_grammar::diagnostic::{Diagnostic, counted};
use blo_grammar::span::Span;

use crate::iteration::counts::{Counts, TrajectoryWork};
use crate::options::settings::Origin;
use crate::options::value::Value;
use crate::solution::constraint::ConstraintEnd;
use crate::solution::trace::{Residuals, Row};
use crate::solution::verdict::Verdict;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// The problem is solved as far as its tests tell: y solves the lower level, and the upper objective falls nowhere
    /// nearby, by more than the tolerance. The tests are those of every method ([`Solution::verdict`]).
    Converged,
    /// The method has ended by itself, and the tests of the problem fail or could not be made.
    Stalled,
    /// `max_iter` iterations are done.
    IterationLimit,
    /// `max_time` seconds have passed.
    TimeLimit,
    /// The caller has seen enough ([`Observer::seen`](crate::Observer::seen)), or its budget is spent.
    Stopped,
    /// The iterates grow without bound.
    Diverged,
    /// The lower level has no solution at the end point: its objective falls forever; or the upper objective does, under
    /// the rows of both levels.
    Unbounded,
    /// No point meets the rows of both levels: they are convex, and the point that is returned violates them least.
    Infeasible,
    /// A value is not a number although the iterates had not grown.
    NotFinite,
    /// The user asked to stop.
    Interrupted,
}

impl Status {
    /// As written in results.
    pub fn text(self) -> &'static str {
        match self {
            Status::Converged => "converged",
            Status::Stalled => "stalled",
            Status::Unbounded => "unbounded",
            Status::Infeasible => "infeasible",
            Status::IterationLimit => "iteration_limit",
            Status::TimeLimit => "time_limit",
            Status::Stopped => "stopped",
            Status::Diverged => "diverged",
            Status::NotFinite => "not_finite",
            Status::Interrupted => "interrupted",
        }
    }
}

/// The result of a run.
#[derive(Clone, Debug)]
pub struct Solution {
    /// The problem's name.
    pub problem: String,
    /// The method's name.
    pub method: &'static str,
    /// The preset, if it has a name.
    pub preset: Option<String>,
    /// How the run ended.
    pub status: Status,
    /// Iterations done.
    pub iterations: u64,
    /// Steps that were taken back; they count against the limit of iterations, too.
    pub rejected: u64,
    /// The point was evaluated; else the run was stopped for good before, and its values are not numbers.
    pub evaluated: bool,
    /// Seconds spent compiling.
    pub compile_seconds: f64,
    /// Seconds spent iterating.
    pub solve_seconds: f64,
    /// Seconds in which the caller looked at iterates ([`Observer::seen`](crate::Observer::seen)); no part of the others.
    pub look_seconds: f64,
    /// Every option with the value that was used and where it came from.
    pub options: Vec<UsedOption>,
    /// The upper level.
    pub upper: LevelResult,
    /// The lower level.
    pub lower: LevelResult,
    /// The rows of `subject to`, those of the upper level first.
    pub constraints: Vec<ConstraintEnd>,
    /// What is known of the end point.
    pub verdict: Verdict,
    /// The residuals at the end.
    pub residuals: Residuals,
    /// What the lower residual is measured against: its value at the start, or 1 where that solves the lower level.
    pub lower_reference: f64,
    /// What the polish did, where it ran: everything here but the rows, `residuals.upper` and `residuals.method` is of
    /// the polished point. Those two are the method's view of its own last iterate.
    pub polish: Option<Polished>,
    /// Name and value of each metric.
    pub metrics: Vec<(String, f64)>,
    /// The lower variables of other tasks, solved at this x for metrics that ask for them: positions among the formals
    /// and values.
    pub followers: Vec<(usize, Vec<f64>)>,
    /// Against what the literature knows.
    pub errors: Vec<KnownError>,
    /// Where the iterates stopped being finite.
    pub failure: Option<Failure>,
    /// The rows of the table.
    pub rows: Vec<Row>,
    /// Evaluations of the iterations.
    pub counts: Counts,
    /// The lower-level steps of a method that differentiates them.
    pub work: Option<TrajectoryWork>,
    /// Warnings and notes.
    pub warnings: Vec<Diagnostic>,
    /// Derivatives of the upper objective in the params of the problem, where the caller has asked for them.
    pub sensitivity: Option<Vec<Sensitivity>>,
}

/// The derivative of the optimal upper objective in a param, in the user's sign.
#[derive(Clone, Debug, PartialEq)]
pub struct Sensitivity {
    /// The param.
    pub name: String,
    /// The derivative, or why there is none.
    pub derivative: Result<f64, NoDerivative>,
}

/// Why there is no derivative in a param.
#[derive(Clone, Debug, PartialEq)]
pub struct NoDerivative {
    /// The reason.
    pub why: String,
    /// What in the text is the reason, if it is a place.
    pub span: Option<Span>,
}

/// The lower level solved at fixed x after the run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Polished {
    /// Prox-gradient maps that were evaluated.
    pub iterations: u64,
    /// The upper objective of the iterate before.
    pub upper: f64,
    /// The lower objective of the iterate before, with its proximal part.
    pub lower: f64,
    /// The lower residual of the iterate before.
    pub residual: f64,
    /// Evaluations; those of the solution hold them, too.
    pub counts: Counts,
}

/// An option as it was used.
#[derive(Clone, Debug)]
pub struct UsedOption {
    /// Its name.
    pub name: &'static str,
    /// Its value.
    pub value: Value,
    /// Where it came from.
    pub origin: Origin,
}

/// A level at the end.
#[derive(Clone, Debug)]
pub struct LevelResult {
    /// Its objective; for the lower level with the proximal part.
    pub objective: f64,
    /// The part of the objective from `minimize` or `maximize`.
    pub smooth: f64,
    /// The part from `regularize`.
    pub regularizer: f64,
    /// Its variables in the order of the file.
    pub variables: Vec<(String, Array)>,
}

/// How far a variable or an objective is from its known value.
#[derive(Clone, Debug, PartialEq)]
pub struct KnownError {
    /// The variable; `upper` and `lower` for the objectives.
    pub name: String,
    /// Euclidean distance to the nearest known point.
    pub dist: f64,
    /// `dist / max(1, norm of that point)`.
    pub err: f64,
}

/// Where iterates stopped being finite. The solution holds the last finite ones.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// The part of the state, or of the report, that is not finite.
    pub quantity: String,
    /// The iteration that made it so; 0 is the start.
    pub iteration: u64,
    /// The largest finite absolute entry of the state there and just before.
    pub largest: f64,
    /// The iteration from which the largest entry grew at every check.
    pub since: u64,
    /// Names and values of the scalars in use, steps and penalties.
    pub scalars: Vec<(String, f64)>,
    /// At the x of that iteration no y meets the rows of the lower level; the end is that x, with the y that violates them
    /// least.
    pub lower_is_empty: bool,
}

impl Solution {
    /// A variable by name.
    pub fn variable(&self, name: &str) -> Option<&Array> {
        let all = self.upper.variables.iter().chain(&self.lower.variables);
        all.into_iter().find(|(n, _)| n == name).map(|(_, a)| a)
    }

    /// `meha:tuned, converged after 54 iterations`.
    pub fn summary(&self) -> String {
        let preset = self.preset.as_ref().map_or_else(String::new, |p| format!(":{p}"));
        let words = match self.status {
            Status::Converged => "converged",
            Status::Stalled => "stalled",
            Status::Unbounded => "unbounded",
            Status::Infeasible => "infeasible",
            Status::IterationLimit => "not converged",
            Status::TimeLimit => "stopped by the time limit",
            Status::Stopped => "stopped by its caller",
            Status::Diverged => "diverged",
            Status::NotFinite => "not finite",
            Status::Interrupted => "interrupted",
        };
        let unknown = if self.evaluated { "" } else { ", before its end point was evaluated" };
        let iterations = counted(self.iterations, "iteration", "iterations");
        format!("the run: {}{preset}, {words} after {iterations}{unknown}", self.method)
    }

    /// The error of a variable or objective against its known value.
    pub fn error(&self, name: &str) -> Option<&KnownError> {
        self.errors.iter().find(|e| e.name == name)
    }
}
