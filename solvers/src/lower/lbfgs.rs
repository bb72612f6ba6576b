//! Limited-memory BFGS on a residual map `r(y)`: from the last changes of the point and of the residual it makes the
//! step `-H r` that a quasi-Newton method for `r(y) = 0` takes. Nocedal, Math. Comp. 35, 1980, the two-loop recursion.

use crate::lower::vectors::{dot, norm};

/// Pairs that are kept. Twenty would cost twice the memory for 15 % fewer evaluations of a polish (least squares of
/// condition 7e5 and 7e6).
const PAIRS: usize = 10;

/// The last changes.
pub(crate) struct QuasiNewton {
    /// Changes of the point and of the residual, and the inverse of their product, the oldest overwritten first.
    pairs: Vec<Pair>,
    /// How many are in use, and which comes next.
    used: usize,
    next: usize,
    weights: [f64; PAIRS],
}

struct Pair {
    point: Vec<f64>,
    residual: Vec<f64>,
    product: f64,
}

impl QuasiNewton {
    pub(crate) fn new(length: usize) -> QuasiNewton {
        let pair = || Pair { point: vec![0.0; length], residual: vec![0.0; length], product: 0.0 };
        QuasiNewton { pairs: (0..PAIRS).map(|_| pair()).collect(), used: 0, next: 0, weights: [0.0; PAIRS] }
    }

    pub(crate) fn forget(&mut self) {
        (self.used, self.next) = (0, 0);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.used == 0
    }

    /// Notes the change between two points, in units of `scale` per entry, with their residuals, which are in these units.
    /// False for a change without positive curvature, which is left out: it would make H indefinite, and its step could
    /// climb. So would one of a residual that changes by no more than `noise`.
    pub(crate) fn learn(&mut self, scale: &[f64], points: [&[f64]; 2], residuals: [&[f64]; 2], noise: f64) -> bool {
        let pair = &mut self.pairs[self.next];
        for (i, slot) in pair.point.iter_mut().enumerate() {
            *slot = (points[1][i] - points[0][i]) / scale[i];
        }
        for (i, slot) in pair.residual.iter_mut().enumerate() {
            *slot = residuals[1][i] - residuals[0][i];
        }
        pair.product = dot(&pair.point, &pair.residual);
        let (point, residual) = (norm(&pair.point), norm(&pair.residual));
        let curved = pair.product > 1e-10 * point * residual && residual > noise;
        if curved {
            self.next = (self.next + 1) % PAIRS;
            self.used = (self.used + 1).min(PAIRS);
        }
        curved
    }

    /// `direction = -H residual`.
    pub(crate) fn step(&mut self, residual: &[f64], direction: &mut [f64]) {
        for (d, r) in direction.iter_mut().zip(residual) {
            *d = -r;
        }
        for age in 0..self.used {
            let at = (self.next + PAIRS - 1 - age) % PAIRS;
            let pair = &self.pairs[at];
            self.weights[at] = dot(&pair.point, direction) / pair.product;
            add(direction, -self.weights[at], &pair.residual);
        }
        if self.used > 0 {
            let last = &self.pairs[(self.next + PAIRS - 1) % PAIRS];
            let scale = last.product / dot(&last.residual, &last.residual);
            direction.iter_mut().for_each(|d| *d *= scale);
        }
        for age in (0..self.used).rev() {
            let at = (self.next + PAIRS - 1 - age) % PAIRS;
            let pair = &self.pairs[at];
            let weight = dot(&pair.residual, direction) / pair.product;
            add(direction, self.weights[at] - weight, &pair.point);
        }
    }
}

fn add(to: &mut [f64], weight: f64, values: &[f64]) {
    for (t, v) in to.iter_mut().zip(values) {
        *t += weight * v;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_pairs_as_dimensions_solve_a_linear_map() {
        // r(y) = D y with D = diag(1, 100, 1e4): after three independent changes -H r leads to 0.
        let r = |y: &[f64; 3]| [y[0], 100.0 * y[1], 1e4 * y[2]];
        let mut q = QuasiNewton::new(3);
        let mut d = [0.0; 3];
        let mut y = [1.0, 1.0, 1.0];
        let mut steps = 0;
        while dot(&r(&y), &r(&y)).sqrt() > 1e-9 {
            q.step(&r(&y), &mut d);
            // the exact step along the direction: without it the method is not finite
            let t = -dot(&r(&y), &d) / dot(&r(&d), &d);
            let next = [y[0] + t * d[0], y[1] + t * d[1], y[2] + t * d[2]];
            assert!(q.learn(&[1.0; 3], [&y, &next], [&r(&y), &r(&next)], 0.0));
            y = next;
            steps += 1;
            assert!(steps <= 4, "{y:?}");
        }
    }
}
