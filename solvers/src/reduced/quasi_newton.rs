//! Descent on the reduced objective along hypergradients: a projected quasi-Newton method whose steps are judged by the
//! objective itself. Where a hypergradient is wrong (at kinks of x -> y(x), with a singular lower level) no step helps, and
//! the descent ends where it stands.

use super::{Reduced, ReducedPoint};
use crate::lower::lbfgs::QuasiNewton;
use crate::lower::vectors::largest;

/// Most steps.
const STEPS: usize = 100;

/// Fractions of a quasi-Newton step that are tried, and of a step along the gradient after it.
const FRACTIONS: [f64; 3] = [1.0, 0.5, 0.1];
const SHORTER: f64 = 0.1;
const LONGER: f64 = 4.0;

/// A step that is this short, against the scales, is the last.
const LAST: f64 = 1e-12;

impl Reduced<'_> {
    /// The end of a descent from a point.
    pub(crate) fn quasi_newton(&mut self, from: &ReducedPoint) -> ReducedPoint {
        let mut here = from.clone();
        let Some(mut slope) = self.scaled_gradient(&here) else { return here };
        let mut memory = QuasiNewton::new(slope.len());
        let (mut direction, ones) = (vec![0.0; slope.len()], vec![1.0; slope.len()]);
        // the first step is a tenth of the usual length
        let size = largest(&slope);
        let mut step = if size > 0.0 { 0.1 / size } else { return here };
        for _ in 0..STEPS {
            let residual: Vec<f64> = slope.iter().map(|g| step * g).collect();
            let mut next = None;
            if !memory.is_empty() {
                memory.step(&residual, &mut direction);
                next = FRACTIONS.iter().find_map(|fraction| self.stepped(&here, &direction, *fraction));
            }
            if next.is_none() {
                memory.forget();
                next = self.along(&here, &residual, &mut step);
            }
            let Some(next) = next else { break };
            let Some(there) = self.scaled_gradient(&next) else { return next };
            let before: Vec<f64> = self.in_scales(&here.x);
            let after: Vec<f64> = self.in_scales(&next.x);
            let residuals = [&slope, &there].map(|g| g.iter().map(|v| step * v).collect::<Vec<f64>>());
            memory.learn(&ones, [&before, &after], [&residuals[0], &residuals[1]], 0.0);
            let moved = before.iter().zip(&after).fold(0.0, |m: f64, (a, b)| m.max((a - b).abs()));
            (here, slope) = (next, there);
            if moved <= LAST {
                break;
            }
        }
        here
    }

    /// A step along the negative gradient, whose length is found by trying.
    fn along(&mut self, here: &ReducedPoint, residual: &[f64], step: &mut f64) -> Option<ReducedPoint> {
        let down: Vec<f64> = residual.iter().map(|r| -r).collect();
        let mut fraction = 1.0;
        while fraction > LAST {
            if let Some(mut best) = self.stepped(here, &down, fraction) {
                while let Some(further) = self.stepped(here, &down, LONGER * fraction).filter(|p| p.is_better(&best)) {
                    fraction *= LONGER;
                    best = further;
                }
                *step *= fraction;
                return Some(best);
            }
            if self.lower.is_over() {
                return None;
            }
            fraction *= SHORTER;
        }
        None
    }

    /// The point at a fraction of a step, if it is better.
    fn stepped(&mut self, here: &ReducedPoint, direction: &[f64], fraction: f64) -> Option<ReducedPoint> {
        let steps = direction.iter().zip(&self.scales).map(|(d, s)| fraction * d * s);
        let x: Vec<f64> = here.x.iter().zip(steps).map(|(x, d)| x + d).collect();
        let effort = self.in_passing();
        self.at(&x, &[&here.y], effort).filter(|p| p.is_better(here))
    }

    /// The hypergradient in the scales of the steps, without what points out of bounds.
    pub(super) fn scaled_gradient(&mut self, at: &ReducedPoint) -> Option<Vec<f64>> {
        let mut gradient = self.gradient(at)?;
        for (i, g) in gradient.iter_mut().enumerate() {
            let [low, high] = self.space.bounds[i];
            let held = at.x[i] <= low && *g > 0.0 || at.x[i] >= high && *g < 0.0;
            *g = if held { 0.0 } else { *g * self.scales[i] };
        }
        Some(gradient)
    }

    fn in_scales(&self, x: &[f64]) -> Vec<f64> {
        x.iter().zip(&self.scales).map(|(x, s)| x / s).collect()
    }
}
