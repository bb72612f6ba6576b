//! A coarse look over all of X, where x has few entries: a grid over the box, with its faces and corners, zero, and random
//! points beside it. The reduced objective may jump, and its least value is often on a face or at a jump.

use blo_engine::data::symmetric;

use super::{Reduced, ReducedPoint};

/// Points per entry of a grid, by the number of entries.
const GRID: [usize; 3] = [41, 8, 5];

/// Random points where there are more entries.
const RANDOM: usize = 40;

impl Reduced<'_> {
    /// The values at the points of the scan, the best first. `wide` are points that the scan has to reach.
    pub(crate) fn scan(&mut self, wide: &[&ReducedPoint]) -> Vec<ReducedPoint> {
        let ends = self.ends(wide);
        let warm: Vec<Vec<Vec<f64>>> = wide.iter().map(|p| p.y.clone()).collect();
        let mut found: Vec<ReducedPoint> = Vec::new();
        for x in self.points(&ends) {
            let effort = self.in_passing();
            // the last point is near
            let nearest = found.last().map(|p| p.y.clone());
            let starts: Vec<&[Vec<f64>]> = warm.iter().chain(&nearest).map(Vec::as_slice).collect();
            found.extend(self.at(&x, &starts, effort));
        }
        found.sort_by(|a, b| b.solved.cmp(&a.solved).then(a.upper.total_cmp(&b.upper)));
        found
    }

    /// The interval of each entry: its bounds, else as far as points and steps reach.
    fn ends(&self, wide: &[&ReducedPoint]) -> Vec<[f64; 2]> {
        let end = |i: usize| {
            let [low, high] = self.space.bounds[i];
            let values = || wide.iter().map(|p| p.x[i]);
            let far = values().fold(10.0 * self.scales[i], |m: f64, v| m.max(2.0 * v.abs()));
            let middle = 0f64.clamp(low, high);
            [if low.is_finite() { low } else { middle - far }, if high.is_finite() { high } else { middle + far }]
        };
        (0..self.len()).map(end).collect()
    }

    fn points(&self, ends: &[[f64; 2]]) -> Vec<Vec<f64>> {
        let n = ends.len();
        let mut points = vec![ends.iter().map(|[low, high]| 0f64.clamp(*low, *high)).collect::<Vec<f64>>()];
        if (1..=GRID.len()).contains(&n) {
            let count = GRID[n - 1];
            for i in 0..count.pow(n as u32) {
                let mut rest = i;
                let share = |[low, high]: &[f64; 2]| {
                    let step = rest % count;
                    rest /= count;
                    if step + 1 == count { *high } else { low + (high - low) * step as f64 / (count - 1) as f64 }
                };
                points.push(ends.iter().map(share).collect());
            }
            return points;
        }
        for i in 0..RANDOM as u64 {
            let mut random = symmetric(self.seed, i, "points of x");
            let snaps = i % 5 == 0;
            let at = |[low, high]: &[f64; 2]| {
                let share = f64::midpoint(1.0, random());
                let share = if snaps { share.round() } else { share };
                low + (high - low) * share
            };
            points.push(ends.iter().map(at).collect());
        }
        points
    }
}
