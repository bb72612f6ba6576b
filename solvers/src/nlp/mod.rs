//! Smooth nonlinear programs, solved to high accuracy: `min f(z)` with `low <= c(z) <= high` and `low <= z <= high`.
//! Small ones by sequential quadratic programming with exact Hessians ([`sqp`]), to about 300 variables; for large ones
//! `lower/augmented` has an augmented Lagrangian around the solver of lower levels. A solver returns a point with multipliers
//! and says in a [`Status`] what the point is; it knows nothing of levels.

pub(crate) mod dense;
pub(crate) mod functions;
mod problem;
pub(crate) mod residual;
mod scaled;
mod sqp;

pub(crate) use problem::Nlp;

use blo_engine::stop::StopToken;

/// When a solver ends.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    /// Largest violation, stationarity and complementarity of a solution, where gradients are at most 100.
    pub(crate) tolerance: f64,
    pub(crate) iterations: usize,
    /// Length of the first step at most, as a share of an entry or of 1.
    pub(crate) radius: f64,
    pub(crate) stop: StopToken,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { tolerance: 1e-8, iterations: 200, radius: 1.0, stop: StopToken::default() }
    }
}

/// What the end of a solve is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// A Karush-Kuhn-Tucker point within the tolerance.
    Solved,
    /// One within a thousand times the tolerance, where rounding or a degenerate point allows no more.
    Acceptable,
    IterationLimit,
    /// Bounds contradict each other, or no step from here lessens the violation.
    Infeasible,
    /// f falls without end at points that meet the rows.
    Unbounded,
    /// f, a row or a slope is not finite at the start.
    NotFinite,
    /// No step is better, and the point is no solution.
    Stalled,
    Stopped,
}

/// The end of a solve, in the units of the program.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) z: Vec<f64>,
    pub(crate) value: f64,
    pub(crate) rows: Vec<f64>,
    /// Per row: positive where the high end is active, negative where the low end is.
    pub(crate) multipliers: Vec<f64>,
    /// The same per variable.
    pub(crate) bound_multipliers: Vec<f64>,
    /// Largest violation of a row or bound, largest entry of the Lagrangian's gradient, largest product of a multiplier and
    /// the distance of its end.
    pub(crate) violation: f64,
    pub(crate) stationarity: f64,
    pub(crate) complementarity: f64,
    pub(crate) status: Status,
    pub(crate) iterations: usize,
    /// Evaluations of f and rows.
    pub(crate) evaluations: usize,
}

/// A local solution near `start`, where `multipliers` of rows may be known from a similar program.
pub(crate) fn solve(problem: &mut dyn Nlp, start: &[f64], multipliers: Option<&[f64]>, limits: &Limits) -> Outcome {
    sqp::solve(problem, start, multipliers, limits)
}

#[cfg(test)]
mod tests;
