//! A look around a point: the reduced objective along coordinates and along random directions, on both sides, near and
//! far. No derivative is asked, so that the answer also holds at kinks, at corners of X, and where the lower solution
//! does not move.

use blo_engine::data::symmetric;

use super::{Reduced, ReducedPoint};

/// With more entries than this, directions are random.
const COORDINATES: usize = 20;

/// Random directions.
const DIRECTIONS: u64 = 4;

/// Lengths of steps, against the scales.
const STEPS: [f64; 6] = [1.0, 0.1, 1e-2, 1e-3, 1e-4, 1e-6];

impl Reduced<'_> {
    /// The best point around another one that is better than it.
    pub(crate) fn around(&mut self, here: &ReducedPoint) -> Option<ReducedPoint> {
        let mut best: Option<ReducedPoint> = None;
        for direction in self.directions(here) {
            for step in STEPS {
                for sign in [1.0, -1.0] {
                    let x: Vec<f64> = here.x.iter().zip(&direction).map(|(x, d)| x + sign * step * d).collect();
                    let effort = self.in_passing();
                    let Some(point) = self.at(&x, &[&here.y], effort) else { continue };
                    if point.is_better(best.as_ref().unwrap_or(here)) {
                        best = Some(point);
                    }
                }
            }
        }
        best
    }

    /// Directions of the length of the scales.
    fn directions(&self, here: &ReducedPoint) -> Vec<Vec<f64>> {
        let n = here.x.len();
        let mut found = Vec::new();
        if n <= COORDINATES {
            found.extend((0..n).map(|i| (0..n).map(|j| if i == j { self.scales[i] } else { 0.0 }).collect()));
        }
        let random = if n <= 1 { 0 } else { DIRECTIONS };
        found.extend((0..random).map(|i| {
            let mut random = symmetric(self.seed, i, "directions of x");
            self.scales.iter().map(|s| s * random()).collect()
        }));
        found
    }
}
