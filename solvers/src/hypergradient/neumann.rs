//! Implicit hypergradient by a Neumann series (Lorraine, Vicol, Duvenaud, AISTATS 2020): `w = sum_{j<=J} (T_y')^j F_y`,
//! which solves `(I - T_y') w = F_y` of `fixed_point` for J to infinity. Without a proximal part and sets that is
//! `w+ = w - s (f_yy w - F_y/s)`. Stops early when a term no longer counts.

use blo_engine::program::Scalar;
use blo_grammar::diagnostic::Diagnostic;

use super::active_rows::{ActiveRows, Solver};
use super::fixed_point::{FixedPoint, outline, programs};
use super::outline::SystemSolver;
use super::{Derivatives, Ends, Estimator, Hypergradient};
use crate::iteration::Rows;
use crate::iteration::counts::Counts;
use crate::lower::trajectory::Trajectory;
use crate::lower::vectors::dot;

/// Terms this small against the sum end the series.
const SMALL: f64 = 1e-12;

pub(super) fn entry<T: Scalar>() -> Estimator<T> {
    Estimator {
        name: "neumann",
        explicit: false,
        of_start: false,
        nonsmooth: true,
        only_steps: None,
        exact: false,
        second_derivatives: Derivatives::System,
        read: |settings| {
            let terms = settings.integer("terms");
            Box::new(move |setup| {
                if !setup.problem.lower().constraints.is_empty() {
                    return Ok(Box::new(ActiveRows::new(setup, Solver::Neumann(terms))?));
                }
                let at = FixedPoint::new(setup)?;
                let n = at.len();
                let vectors = [vec![0.0; n], vec![0.0; n], vec![0.0; n]];
                Ok(Box::new(Neumann { ends: Ends::new(setup)?, terms, tolerated: 0.0, vectors, at }))
            })
        },
        programs,
        outline: |problem, _, settings| {
            let solver = SystemSolver::Neumann { terms: settings.integer("terms"), small: SMALL };
            problem.lower().constraints.is_empty().then(|| outline(problem, solver))
        },
    }
}

struct Neumann<T: Scalar> {
    ends: Ends<T>,
    at: FixedPoint<T>,
    terms: u64,
    /// See [`Hypergradient::tolerate`].
    tolerated: f64,
    /// The sum, the term, the next term.
    vectors: [Vec<f64>; 3],
}

impl<T: Scalar> Hypergradient<T> for Neumann<T> {
    fn ends(&mut self) -> &mut Ends<T> {
        &mut self.ends
    }

    fn gradient(&mut self, t: &mut Trajectory<T>, x: &mut [Vec<T>], _: &mut [Vec<T>]) {
        self.at.go_to(t);
        let small = self.tolerated.max(SMALL);
        let [sum, term, next] = &mut self.vectors;
        self.at.lower_gradient(&self.ends, term);
        sum.copy_from_slice(term);
        for _ in 0..self.terms {
            self.at.lower_product(term, next);
            if self.at.is_stopped() {
                break;
            }
            std::mem::swap(term, next);
            sum.iter_mut().zip(&*term).for_each(|(sum, t)| *sum += t);
            if dot(term, term) <= small * small * dot(sum, sum) {
                break;
            }
        }
        self.at.hypergradient(&self.ends, sum, x);
    }

    fn select(&mut self, rows: &Rows) -> Result<(), Box<Diagnostic>> {
        self.ends.select(rows)?;
        self.at.select(rows)
    }

    fn counts(&self) -> Counts {
        self.ends.counts().plus(self.at.counts())
    }

    fn tolerate(&mut self, share: f64) {
        self.tolerated = share;
    }
}
