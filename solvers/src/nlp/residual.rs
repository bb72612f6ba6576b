//! How far a point with multipliers is from a Karush-Kuhn-Tucker point.

use crate::vectors::largest;

/// Distances of a point from the conditions; all zero at a solution.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Residual {
    /// Largest violation of a row or bound.
    pub(crate) violation: f64,
    /// Largest entry of the Lagrangian's gradient.
    pub(crate) stationarity: f64,
    /// Largest product of a multiplier and the distance of its end.
    pub(crate) complementarity: f64,
    /// Mean-like size of multipliers beyond 100: gradients are compared with it (IPOPT's s_d).
    pub(super) size: f64,
}

/// Multipliers up to this size leave a tolerance as it is; it is never more than so many times itself. Where multipliers
/// grow beyond all bounds, the point has none.
const USUAL: f64 = 100.0;
const LOOSEST: f64 = 1e3;

impl Residual {
    /// At a point with rows c, gradient and Jacobian of its own, and multipliers y of rows. With the multipliers of
    /// bounds that fit best.
    pub(super) fn of(
        (z, bounds): (&[f64], &[[f64; 2]]),
        (c, row_bounds): (&[f64], &[[f64; 2]]),
        (gradient, jacobian): (&[f64], &[f64]),
        y: &[f64],
    ) -> (Residual, Vec<f64>) {
        Residual::with((z, bounds), (c, row_bounds), &lagrangian(gradient, jacobian, y), y)
    }

    /// The same from the Lagrangian's gradient.
    pub(crate) fn with(
        (z, bounds): (&[f64], &[[f64; 2]]),
        (c, row_bounds): (&[f64], &[[f64; 2]]),
        lagrangian: &[f64],
        y: &[f64],
    ) -> (Residual, Vec<f64>) {
        let mut residual = Residual { violation: violation(c, row_bounds).1, ..Residual::default() };
        residual.violation = residual.violation.max(violation(z, bounds).1);
        let mut of_bounds = vec![0.0; z.len()];
        for (i, slope) in lagrangian.iter().enumerate() {
            let [low, high] = bounds[i];
            let room = if *slope > 0.0 { z[i] - low } else { high - z[i] };
            // the multiplier belongs to the bound that the slope pushes against, if that is near
            if room <= slope.abs() && room <= NEAR * z[i].abs().max(1.0) {
                of_bounds[i] = -slope;
                residual.complementarity = residual.complementarity.max(room.max(0.0) * slope.abs());
            } else {
                residual.stationarity = residual.stationarity.max(slope.abs());
            }
        }
        for ((c, [low, high]), y) in c.iter().zip(row_bounds).zip(y) {
            let room = if *y > 0.0 { high - c } else { c - low };
            // without an end on its side, a multiplier is wrong by itself
            let room = if room.is_finite() { room.max(0.0) } else { 1.0 };
            let product = if low == high { 0.0 } else { y.abs() * room };
            residual.complementarity = residual.complementarity.max(product);
        }
        residual.size = (largest(y.iter().chain(&of_bounds)) / USUAL).clamp(1.0, LOOSEST);
        (residual, of_bounds)
    }

    /// True where all of it is within a tolerance.
    pub(crate) fn is_within(&self, tolerance: f64) -> bool {
        self.violation <= tolerance && self.error() <= tolerance
    }

    /// Stationarity and complementarity against the size of multipliers.
    pub(super) fn error(&self) -> f64 {
        self.stationarity.max(self.complementarity) / self.size
    }
}

/// How near a bound is that holds a variable, as a share of the variable.
const NEAR: f64 = 1e-4;

/// The sum and the largest of the distances of entries from their intervals.
pub(crate) fn violation(entries: &[f64], bounds: &[[f64; 2]]) -> (f64, f64) {
    let distances = entries.iter().zip(bounds).map(|(v, [low, high])| (v - high).max(low - v).max(0.0));
    distances.fold((0.0, 0.0), |(sum, most), d| (sum + d, f64::max(most, d)))
}

/// `gradient + jacobian' y`.
pub(super) fn lagrangian(gradient: &[f64], jacobian: &[f64], y: &[f64]) -> Vec<f64> {
    let mut sum = gradient.to_vec();
    for (row, y) in jacobian.chunks_exact(gradient.len().max(1)).zip(y).filter(|(_, y)| **y != 0.0) {
        sum.iter_mut().zip(row).for_each(|(s, a)| *s += y * a);
    }
    sum
}
