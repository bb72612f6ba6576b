//! The reduced objective `phi(x) = F(x, y(x))` with its gradient at an x of the caller, y(x) being the solution of the lower
//! level there that the upper level prefers. The gradient is that of implicit methods: the adjoint system of
//! `hypergradient/adjoint`, and with rows on the lower level that of the rows that are active.

use blo_engine::data::Array;
use blo_engine::model::Bindings;
use blo_engine::model::problem::{LevelId, Problem};
use blo_grammar::diagnostic::Diagnostic;

use crate::formula::start_point::start_point;
use crate::hypergradient::active_rows::ActiveRows;
use crate::hypergradient::adjoint::Adjoint;
use crate::hypergradient::{Hypergradient, Setup};
use crate::lower::dynamics;
use crate::lower::global::{Effort, GlobalLower};

/// Solves from elsewhere where the lower level is not proved convex.
const STARTS: usize = 8;

/// The reduced objective at a point. Objectives and derivatives are in the user's sign.
#[derive(Clone, Debug)]
pub struct ReducedGradient {
    /// `F(x, y(x))`.
    pub value: f64,
    /// The upper variables: the values that were asked for, moved into their sets.
    pub x: Vec<(String, Array)>,
    /// The lower variables, which solve the lower level at x.
    pub y: Vec<(String, Array)>,
    /// The derivative of the value in each upper variable.
    pub gradient: Vec<(String, Array)>,
    /// `F_x(x, y)`, with y held fixed.
    pub partial: Option<Vec<(String, Array)>>,
    /// The lower level is solved, and its solution moves smoothly with x as far as the system tells. Else the gradient is
    /// an estimate.
    pub exact: bool,
    /// Doubts about the system, and about rows.
    pub warnings: Vec<Diagnostic>,
}

/// The reduced objective with its gradient at the start of the problem: what the file states, or what
/// [`Bindings::start_from`] has put in its place. The lower level is solved from its own start.
/// `Ok(None)` where no solution of the lower level was found.
///
/// # Errors
/// When the memory cannot be allocated.
pub fn reduced_gradient(
    problem: &Problem,
    data: &Bindings,
    threads: u64,
    seed: u64,
) -> Result<Option<ReducedGradient>, Box<Diagnostic>> {
    let mut x = start_point::<f64>(problem, data, threads)?;
    let start = x.split_off(problem.range(LevelId::LOWER).start);
    let sign = problem.upper().sign();
    let shape = |formal: usize| problem.formals[formal].shape.sizes(&data.sizes).unwrap_or_default();
    let named = |level: LevelId, arrays: &[Vec<f64>], sign: f64| -> Vec<(String, Array)> {
        let variables = &problem.level(level).variables;
        let entry = |(v, values): (&blo_engine::model::problem::Variable, &Vec<f64>)| {
            // minus zero is zero
            let values = values.iter().map(|value| sign * value + 0.0).collect();
            (v.name.clone(), Array::new(shape(v.formal), values))
        };
        variables.iter().zip(arrays).map(entry).collect()
    };
    if !problem.lower().constraints.is_empty() {
        let lower = dynamics::by_name("gradient").on(problem);
        let mut rows = ActiveRows::exact(&Setup { problem, data, threads, lower: &lower })?;
        let Some(found) = rows.at(&x, &start) else { return Ok(None) };
        let warnings = rows.warnings();
        return Ok(Some(ReducedGradient {
            value: sign * found.value,
            x: named(LevelId::UPPER, &x, 1.0),
            y: named(LevelId::LOWER, &found.y, 1.0),
            gradient: named(LevelId::UPPER, &found.gradient, sign),
            partial: None,
            exact: warnings.is_empty() && found.gradient.iter().flatten().all(|v| v.is_finite()),
            warnings,
        }));
    }
    let mut lower = GlobalLower::new(problem, data, threads, seed)?;
    let minimizers = lower.minimizers(&x, &[&start], Effort { starts: STARTS, stream: 0 });
    let Some(chosen) = lower.optimistic(&x, &minimizers, &[&start]) else { return Ok(None) };
    let mut adjoint = Adjoint::new(problem, data, threads)?;
    let at = adjoint.at(&x, &chosen.y);
    Ok(Some(ReducedGradient {
        value: sign * at.value,
        x: named(LevelId::UPPER, &x, 1.0),
        y: named(LevelId::LOWER, &chosen.y, 1.0),
        gradient: named(LevelId::UPPER, at.total.as_ref().unwrap_or(&at.estimate), sign),
        partial: Some(named(LevelId::UPPER, &at.partial, sign)),
        exact: chosen.solved && at.total.is_some() && !lower.facts.kinked,
        warnings: adjoint.warnings(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{data, problem};

    fn at(text: &str, x: &[f64]) -> ReducedGradient {
        let problem = problem(text);
        let mut data = data(&problem);
        let values = if x.len() == 1 { Array::scalar(x[0]) } else { Array::from(x.to_vec()) };
        data.start_from(&problem, "x", values).unwrap();
        reduced_gradient(&problem, &data, 1, 0).unwrap().unwrap()
    }

    /// Against central differences of the value, which a solve of the lower level gives.
    fn agrees(text: &str, x: &[f64], tolerance: f64) {
        let found = at(text, x);
        assert!(found.exact, "{:?}", found.warnings);
        for i in 0..x.len() {
            let moved = |h: f64| {
                let mut x = x.to_vec();
                x[i] += h;
                at(text, &x).value
            };
            let difference = (moved(1e-5) - moved(-1e-5)) / 2e-5;
            let own = found.gradient[0].1.values[i];
            assert!((own - difference).abs() <= tolerance * own.abs().max(1.0), "{i}: {own} against {difference}");
        }
    }

    #[test]
    fn the_gradient_is_the_slope_of_the_value() {
        let ridge = "data A[6, 3] = normal(mean = 0, sd = 1, seed = 1)
            data b[6] = normal(mean = 0, sd = 1, seed = 2)
            data C[5, 3] = normal(mean = 0, sd = 1, seed = 3)
            upper { var x[3] in [-3, 3]  minimize normsq(C*w - 1) }
            lower { var w[3]  minimize normsq(A*w - b) + sum(exp(x) .* w .* w) }";
        agrees(ridge, &[0.3, -0.2, 0.5], 1e-5);
        let maximized = "upper { var x  maximize -(y - 2)^2 - x^2 }  lower { var y  minimize y^4 + y^2 - x*y }";
        agrees(maximized, &[1.3], 1e-5);
    }

    #[test]
    fn it_goes_through_rows_that_are_active() {
        let rows = "upper { var x  minimize (y[1] - 1)^2 + (y[2] + x)^2 }
            lower { var y[2]  minimize normsq(y - [2, x])  subject to { cap: y[1] + y[2] <= 1 + x/2 } }";
        agrees(rows, &[0.4], 1e-5);
        // y = (2, x) + t (1, 1) with 2 + x + 2 t = 1 + x/2
        let found = at(rows, &[0.4]);
        let t = (1.0 + 0.2 - 2.4) / 2.0;
        assert!((found.y[0].1.values[0] - (2.0 + t)).abs() < 1e-8 && (found.y[0].1.values[1] - (0.4 + t)).abs() < 1e-8);
    }

    #[test]
    fn a_solution_that_does_not_move_smoothly_is_told() {
        let found = at("upper { var x  minimize y + x^2 }  lower { var y  minimize y^4 - x*y }", &[0.0]);
        assert!(!found.exact);
    }
}
