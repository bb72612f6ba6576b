//! The implicit hypergradient at a point whose lower level is solved already, for whoever has solved it: the system of
//! `conjugate` without a trajectory.

use blo_engine::model::Bindings;
use blo_engine::model::problem::Problem;
use blo_grammar::diagnostic::Diagnostic;

use super::conjugate::{Conjugate, Stop};

/// Conjugate gradient iterations, each a Hessian-vector product, and the residual that is enough.
const MOST: u64 = 200;
const ENOUGH: f64 = 1e-10;

/// Hypergradients at points.
pub(crate) struct Adjoint {
    system: Conjugate<f64>,
    x: Vec<Vec<f64>>,
}

impl Adjoint {
    /// Compiles for a problem.
    ///
    /// # Errors
    /// When the memory cannot be allocated.
    pub(crate) fn new(problem: &Problem, data: &Bindings, threads: u64) -> Result<Adjoint, Box<Diagnostic>> {
        let stop = Stop { rtol: ENOUGH, atol: 0.0, most: MOST };
        Ok(Adjoint { system: Conjugate::at_points(problem, data, threads, stop)?, x: Vec::new() })
    }

    /// Products with derivatives of the lower gradient so far.
    pub(crate) fn products(&self) -> u64 {
        self.system.products()
    }

    /// The hypergradient at (x, y), one entry after the other; `None` where it is not finite.
    pub(crate) fn at(&mut self, x: &[Vec<f64>], y: &[Vec<f64>]) -> Option<Vec<f64>> {
        self.x = x.to_vec();
        self.system.gradient_at(x, y, &mut self.x);
        let gradient = self.x.concat();
        gradient.iter().all(|v| v.is_finite()).then_some(gradient)
    }
}
