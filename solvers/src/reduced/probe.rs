//! A look around a point: the reduced objective along coordinates and along random directions, on both sides, near and
//! far. No derivative is asked, so that the answer also holds at kinks, at corners of X, and where the lower solution
//! does not move.

use blo_engine::data::symmetric;

use super::{Reduced, ReducedPoint};

/// With more entries than this, directions are random.
const COORDINATES: usize = 20;

/// Random directions.
const DIRECTIONS: u64 = 4;

/// Lengths of steps against the scales: those that tell whether a point is a local minimizer, and those that only tell of
/// other points.
const NEAR: [f64; 5] = [0.1, 1e-2, 1e-3, 1e-4, 1e-6];
const FAR: [f64; 4] = [1.0, 0.5, 3.0, 10.0];

/// What a look around a point has found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Around {
    /// The best point nearby that is better: the point is no local minimizer.
    pub(crate) near: Option<ReducedPoint>,
    /// The best point farther away that is better.
    pub(crate) far: Option<ReducedPoint>,
    /// The objective is the same at all points nearby: no derivative can tell where to go.
    pub(crate) flat: bool,
}

impl Around {
    /// The better one of both.
    pub(crate) fn best(self) -> Option<ReducedPoint> {
        match (self.near, self.far) {
            (Some(near), Some(far)) => Some(if far.is_better(&near) { far } else { near }),
            (near, far) => near.or(far),
        }
    }
}

impl Reduced<'_> {
    /// The best points around another one that are better than it.
    pub(crate) fn around(&mut self, here: &ReducedPoint) -> Around {
        let mut found = Around { flat: true, ..Around::default() };
        let directions = self.directions(here);
        let noise = self.noticeable(here, 0.0);
        for (steps, is_near) in [(NEAR.as_slice(), true), (FAR.as_slice(), false)] {
            for (direction, step) in directions.iter().flat_map(|d| steps.iter().map(move |s| (d, s))) {
                for sign in [1.0, -1.0] {
                    let x: Vec<f64> = here.x.iter().zip(direction).map(|(x, d)| x + sign * step * d).collect();
                    let effort = self.in_passing();
                    let Some(point) = self.at(&x, &[&here.y], effort) else { continue };
                    let best = if is_near { &mut found.near } else { &mut found.far };
                    if is_near {
                        found.flat &= (point.upper - here.upper).abs() <= noise;
                        self.see(&point);
                    }
                    if point.is_better(best.as_ref().unwrap_or(here)) {
                        *best = Some(point);
                    }
                }
            }
        }
        found
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
