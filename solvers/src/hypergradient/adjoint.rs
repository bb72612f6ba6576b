//! The hypergradient at a point that solves the lower level, whatever method has found it: the adjoint system of
//! `fixed_point`, solved by conjugate gradients as far as rounding allows.

use blo_engine::model::Bindings;
use blo_engine::model::problem::Problem;
use blo_grammar::diagnostic::Diagnostic;

use super::conjugate::{Conjugate, Stop};
use super::{Hypergradient, Setup};
use crate::iteration::Rows;
use crate::lower::dynamics::by_name;
use crate::lower::step_sizes::{LowerStepSizes, PointKind, Wanted};

/// The residual of the system, against its right-hand side.
const SOLVED: f64 = 1e-10;

/// Iterations for each entry of y, and beside those: in exact arithmetic one for each entry is enough.
const EACH: u64 = 4;
const BESIDE: u64 = 1000;

/// The adjoint system of a problem, in f64.
pub(crate) struct Adjoint {
    system: Conjugate<f64>,
    sizes: LowerStepSizes,
}

/// Derivatives of F at a point, an array per upper variable.
#[derive(Clone, Debug)]
pub(crate) struct Total {
    /// The upper objective.
    pub(crate) value: f64,
    /// `F_x`, with y fixed.
    pub(crate) partial: Vec<Vec<f64>>,
    /// `F_x + T_x' w`, along the lower solution. `None` where the system has no solution: the lower solution does not
    /// move smoothly with x.
    pub(crate) total: Option<Vec<Vec<f64>>>,
    /// The same as far as the system could be solved: where a search along it is judged by values, an estimate will do.
    pub(crate) estimate: Vec<Vec<f64>>,
}

impl Adjoint {
    /// Compiles for a problem.
    ///
    /// # Errors
    /// When the memory cannot be allocated.
    pub(crate) fn new(problem: &Problem, data: &Bindings, threads: u64) -> Result<Adjoint, Box<Diagnostic>> {
        let lower = by_name("gradient").on(problem);
        let setup = Setup { problem, data, threads, lower: &lower };
        let mut system = Conjugate::new(&setup, Stop { rtol: SOLVED, atol: 0.0, most: 0 })?;
        system.allow(EACH * system.at.len() as u64 + BESIDE);
        let wanted = Wanted { lower: true, upper: false };
        Ok(Adjoint { system, sizes: LowerStepSizes::new(problem, data, wanted, threads, 0)? })
    }

    /// Products with derivatives of the lower step so far, each about two gradients.
    pub(crate) fn products(&self) -> u64 {
        self.system.at.counts().hvp
    }

    /// Allows at most so many iterations, where an estimate is enough.
    pub(crate) fn allow(&mut self, most: u64) {
        self.system.allow(most);
    }

    /// Other tasks: positions for index inputs.
    ///
    /// # Errors
    /// When one is outside of what a program selects from.
    pub(crate) fn select(&mut self, rows: &Rows) -> Result<(), Box<Diagnostic>> {
        self.system.select(rows)?;
        self.sizes.select(rows)
    }

    /// Warnings about the systems so far.
    pub(crate) fn warnings(&self) -> Vec<Diagnostic> {
        self.system.warnings()
    }

    /// The derivatives at a point whose y solves the lower level at x.
    pub(crate) fn at(&mut self, x: &[Vec<f64>], y: &[Vec<f64>]) -> Total {
        let values = |variable: usize| if variable < x.len() { &x[variable] } else { &y[variable - x.len()] };
        let sizes = self.sizes.at(PointKind::First, &mut |input, to| to.copy_from_slice(values(input)));
        let system = &mut self.system;
        let value = system.ends.at_point(x, y);
        let partial: Vec<Vec<f64>> = (0..x.len()).map(|i| system.ends.upper(i).to_vec()).collect();
        if y.is_empty() {
            return Total { value, total: Some(partial.clone()), estimate: partial.clone(), partial };
        }
        system.at.go_to_point(&|variable| values(variable).as_slice(), sizes.lower);
        system.solve();
        system.complete();
        let mut estimate = partial.clone();
        system.at.hypergradient(&system.ends, &system.w, &mut estimate);
        let finite = estimate.iter().flatten().all(|v| v.is_finite());
        let total = Some(estimate.clone()).filter(|_| system.is_solved() && finite);
        Total { value, partial, total, estimate }
    }
}
