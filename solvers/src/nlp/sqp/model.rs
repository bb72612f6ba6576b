//! The quadratic model of an iterate: its gradient, convex Hessian and linearized rows, within bounds and a region.

use super::convexify::Convex;
use super::working::{self, Working};
use crate::conic::{ElasticProgram, ElasticSolver};
use crate::nlp::dense::times;
use crate::nlp::residual::violation;
use crate::nlp::scaled::{Point, Slopes};
use crate::vectors::dot;

/// Curvature that makes the step of least violation unique.
const SLIGHT: f64 = 1e-7;

/// `q(d) = g'd + d'Bd/2` under `low <= c + A d <= high`.
pub(super) struct Model {
    gradient: Vec<f64>,
    hessian: Vec<f64>,
    rows: Vec<f64>,
    row_bounds: Vec<[f64; 2]>,
    pub(super) bounds: Vec<[f64; 2]>,
}

impl Model {
    /// In a region of steps up to the radius, as a share of an entry or of 1.
    pub(super) fn new(
        here: &Point,
        slopes: &Slopes,
        convex: &Convex,
        (bounds, row_bounds): (&[[f64; 2]], &[[f64; 2]]),
        radius: f64,
    ) -> Model {
        let region = |z: &f64| radius * z.abs().max(1.0);
        let ends = here.z.iter().zip(bounds);
        Model {
            gradient: slopes.gradient.clone(),
            hessian: convex.hessian.clone(),
            rows: slopes.jacobian.clone(),
            row_bounds: row_bounds.iter().zip(&here.c).map(|(ends, c)| ends.map(|end| end - c)).collect(),
            bounds: ends.map(|(z, [l, h])| [(l - z).max(-region(z)), (h - z).min(region(z))]).collect(),
        }
    }

    pub(super) fn program(&self, penalty: f64) -> ElasticProgram<'_> {
        ElasticProgram {
            hessian: &self.hessian,
            gradient: &self.gradient,
            rows: &self.rows,
            row_bounds: &self.row_bounds,
            bounds: &self.bounds,
            penalty,
        }
    }

    /// The violation of linearized rows at a step, added up.
    pub(super) fn violation(&self, d: &[f64]) -> f64 {
        violation(&times(&self.rows, d), &self.row_bounds).0
    }

    /// What the model says phi falls by.
    pub(super) fn predicted(&self, d: &[f64], price: f64) -> f64 {
        let fallen = self.violation(&vec![0.0; d.len()]) - self.violation(d);
        price * fallen - dot(&self.gradient, d) - 0.5 * dot(d, &times(&self.hessian, d))
    }

    /// The largest entry of a step, as a share of the variable or of 1.
    pub(super) fn length(&self, d: &[f64], z: &[f64]) -> f64 {
        d.iter().zip(z).fold(0.0, |m: f64, (d, z)| m.max(d.abs() / z.abs().max(1.0)))
    }

    /// The least violation of linearized rows in the region.
    pub(super) fn least_violation(&self, guess: &Working, conic: &mut ElasticSolver) -> Option<f64> {
        let n = self.gradient.len();
        let mut hessian = vec![0.0; n * n];
        (0..n).for_each(|i| hessian[i * n + i] = SLIGHT);
        let gradient = vec![0.0; n];
        let program = ElasticProgram { hessian: &hessian, gradient: &gradient, ..self.program(1.0) };
        Some(self.violation(&working::solve(&program, guess, conic)?.d))
    }

    /// With rows as they are at the end of a step: `low <= c(z + d) + A (d' - d) <= high`.
    pub(super) fn shifted(&self, d: &[f64], there: &[f64], here: &[f64]) -> Model {
        let linear = times(&self.rows, d);
        let shifts = there.iter().zip(here).zip(&linear).map(|((there, here), linear)| there - here - linear);
        Model {
            gradient: self.gradient.clone(),
            hessian: self.hessian.clone(),
            rows: self.rows.clone(),
            row_bounds: self.row_bounds.iter().zip(shifts).map(|(ends, shift)| ends.map(|e| e - shift)).collect(),
            bounds: self.bounds.clone(),
        }
    }
}
