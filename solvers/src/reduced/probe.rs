//! A look around a point: the reduced objective along coordinates and along random directions, on both sides, near and
//! far. No derivative is asked, so that the answer also holds at kinks, at corners of X, and where the lower solution
//! does not move.

use blo_engine::data::symmetric;

use super::{Reduced, ReducedPoint};
use crate::lower::vectors::largest;

/// With more entries than this, directions are random.
const COORDINATES: usize = 20;

/// Random directions.
const DIRECTIONS: u64 = 4;

/// Lengths of steps against the scales: those that tell whether a point is a local minimizer, the most telling first, and
/// those that only tell of other points.
const NEAR: [f64; 5] = [0.1, 1e-3, 1e-2, 1e-4, 1e-6];
const FAR: [f64; 5] = [1.0, 0.5, 2.0, 4.0, 10.0];

/// Of the first ones, so many have to be taken before the point is called a local minimizer.
const NEEDED: usize = 2;

/// Where the objective is flat, far steps are closer to each other, by this factor, and there are so many.
const CLOSER: f64 = 1.25;
const MANY: i32 = 26;

/// To how much of itself the end of a flat part is found.
const BEYOND: f64 = 1e-3;

/// What a look around a point has found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Around {
    /// The best point nearby that is better: the point is no local minimizer.
    pub(crate) near: Option<ReducedPoint>,
    /// The best point farther away that is better.
    pub(crate) far: Option<ReducedPoint>,
    /// The objective is the same at all points nearby: no derivative can tell where to go.
    pub(crate) flat: bool,
    /// Enough points were looked at before the budget was spent.
    pub(crate) complete: bool,
    /// Entries of x that make no difference nearby, whichever way they move.
    pub(crate) flat_entries: Vec<usize>,
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
        let (mut moved, mut seen) = (vec![false; directions.len()], vec![false; directions.len()]);
        for (i, step) in NEAR.into_iter().enumerate() {
            self.both_ways(here, &directions, step, &mut |reduced, direction, point| {
                let differs = (point.upper - here.upper).abs() > noise;
                found.flat &= !differs;
                seen[direction] |= differs;
                moved[direction] |= point.x != here.x;
                reduced.see(&point);
                prefer(&mut found.near, point, here);
            });
            if i + 1 == NEEDED {
                found.complete = !self.lower.is_over();
            }
        }
        // the coordinates come first
        let axes = if here.x.len() <= COORDINATES { here.x.len() } else { 0 };
        found.flat_entries = (0..axes).filter(|i| found.complete && moved[*i] && !seen[*i]).collect();
        let dense: Vec<f64> = (0..MANY).map(|i| NEAR[0] * CLOSER.powi(i)).collect();
        for step in if found.flat { &dense } else { FAR.as_slice() } {
            self.both_ways(here, &directions, *step, &mut |_, _, point| prefer(&mut found.far, point, here));
        }
        found
    }

    /// Visits the points at a step along each direction, both ways.
    fn both_ways(
        &mut self,
        here: &ReducedPoint,
        directions: &[Vec<f64>],
        step: f64,
        visit: &mut dyn FnMut(&mut Self, usize, ReducedPoint),
    ) {
        for (i, sign) in (0..directions.len()).flat_map(|i| [(i, 1.0), (i, -1.0)]) {
            let x: Vec<f64> = here.x.iter().zip(&directions[i]).map(|(x, d)| x + sign * step * d).collect();
            for point in self.beside(here, &x) {
                visit(self, i, point);
            }
        }
    }

    /// Where an entry stops to matter on its way from a value to that of a point, around which it does not; `None` where it
    /// does not matter at that value either.
    pub(crate) fn flat_beyond(&mut self, here: &ReducedPoint, entry: usize, from: f64) -> Option<f64> {
        let noise = self.noticeable(here, 0.0);
        let matters = |reduced: &mut Self, value: f64| {
            let mut x = here.x.clone();
            x[entry] = value;
            let effort = reduced.in_passing();
            reduced.at(&x, &[&here.y], effort).map(|p| (p.upper - here.upper).abs() > noise)
        };
        let (mut outside, mut inside) = (from, here.x[entry]);
        if !matters(self, from)? {
            return None;
        }
        while (inside - outside).abs() > BEYOND * inside.abs().max(outside.abs()) {
            let middle = f64::midpoint(inside, outside);
            if matters(self, middle)? { outside = middle } else { inside = middle }
        }
        Some(inside)
    }

    /// Directions of the length of the scales.
    fn directions(&mut self, here: &ReducedPoint) -> Vec<Vec<f64>> {
        let n = here.x.len();
        let mut found = Vec::new();
        if n <= COORDINATES {
            found.extend((0..n).map(|i| (0..n).map(|j| if i == j { self.scales[i] } else { 0.0 }).collect()));
        }
        if n > 1
            && let Some(gradient) = self.scaled_gradient(here)
        {
            let size = largest(&gradient);
            let scaled = gradient.iter().zip(&self.scales).map(|(g, s)| -s * g / size);
            found.extend((size > 0.0).then(|| scaled.collect()));
        }
        let random = if n <= 1 { 0 } else { DIRECTIONS };
        found.extend((0..random).map(|i| {
            let mut random = symmetric(self.seed, i, "directions of x");
            self.scales.iter().map(|s| s * random()).collect()
        }));
        found
    }
}

/// Keeps a point if it is better than the best so far, and than `here`.
fn prefer(best: &mut Option<ReducedPoint>, point: ReducedPoint, here: &ReducedPoint) {
    if point.is_better(best.as_ref().unwrap_or(here)) {
        *best = Some(point);
    }
}
