//! The last steps to a local solution of a smooth level whose Hessian is ill-conditioned: a first-order solve ends where
//! the slope is small, which says little of y along a direction of little curvature, and F may depend on that.

use super::Newton;
use super::system;
use crate::lower::vectors::largest;

/// With a least pivot above this share of its diagonal entry, a solve by slopes has y in all digits that count.
const WELL: f64 = 1e-4;

/// With one below this share rounding cannot tell the Hessian from one that is singular, and the solution from one of many.
const SINGULAR: f64 = 1e-12;

/// A step that changes y by less than this share has reached the solution.
const SMALL: f64 = 1e-6;

/// Most steps.
const STEPS: usize = 20;

/// What Newton's method says of the end of a solve by slopes.
#[derive(Clone, Debug)]
pub(in crate::lower::global) enum Refined {
    /// The curvature leaves nothing to do, or the Hessian is singular.
    Left,
    /// The end of the steps; whether it is the solution as far as rounding lets one tell.
    Moved { y: Vec<Vec<f64>>, settled: bool },
}

impl Newton {
    /// Refines a local solution of a smooth level at x.
    pub(in crate::lower::global) fn refine(&mut self, x: &[Vec<f64>], y: &[Vec<f64>], allowance: f64) -> Refined {
        self.budget = self.objective.spent + allowance;
        self.most = u64::MAX;
        self.objective.set_x(x);
        self.objective.set_radius(1.0);
        let Some(mut here) = self.objective.at(y.iter().flatten().copied().collect()) else { return Refined::Left };
        self.reach = f64::MAX;
        if !self.is_delicate(&here.y) {
            return Refined::Left;
        }
        let mut step = f64::INFINITY;
        for _ in 0..STEPS {
            let Some(direction) = self.direction(&here) else { break };
            let size = largest(&direction.d);
            step = size / largest(&here.y).max(f64::MIN_POSITIVE);
            // of two points with one value up to rounding, the one that the step leads to has the smaller slope
            let y = self.projected(here.y.iter().zip(&direction.d).map(|(y, d)| y + d).collect());
            let Some(next) = self.objective.at(y) else { break };
            let is_rounding = next.smooth - here.smooth <= super::NOISE * here.smooth.abs() && step < SMALL;
            if next.smooth < here.smooth || is_rounding {
                here = next;
            } else {
                let Some(shorter) = self.search(&here, &direction.d, super::HALVINGS) else { break };
                here = shorter;
            }
            if size == 0.0 || step < SMALL || self.is_over() {
                break;
            }
        }
        Refined::Moved { y: self.objective.split(&here.y), settled: step < SMALL }
    }

    /// True where the Hessian of the entries that no bound holds is ill-conditioned, and not singular.
    fn is_delicate(&mut self, y: &[f64]) -> bool {
        let m = y.len();
        let free: Vec<usize> = (0..m).filter(|i| self.bounds[*i][0] < y[*i] && y[*i] < self.bounds[*i][1]).collect();
        if free.is_empty() || self.is_over() {
            return false;
        }
        let Some(hessian) = self.objective.hessian(y) else { return false };
        self.objective.spent += (free.len() as f64).powi(3) / 3.0;
        let part: Vec<f64> =
            free.iter().flat_map(|i| free.iter().map(move |j| i * m + j)).map(|at| hessian[at]).collect();
        system::least_pivot(&part, free.len()).is_some_and(|least| (SINGULAR..WELL).contains(&least))
    }
}
