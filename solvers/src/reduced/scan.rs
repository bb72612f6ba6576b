//! A coarse look over all of X, where x has few entries: a grid over the box, with its faces and corners, zero, and random
//! points beside it. The reduced objective may jump, and its least value is often on a face or at a jump.

use blo_engine::data::symmetric;

use super::tie::differs;
use super::{Reduced, ReducedPoint};
use crate::formula::set_bounds::within_reach;

/// Points per entry of a grid, by the number of entries.
const GRID: [usize; 3] = [41, 8, 5];

/// Random points where there are more entries.
const RANDOM: usize = 40;

/// Pairs of neighbours between whose lower solutions a tie is looked for, the most promising ones.
const PAIRS: usize = 12;

/// Shares of the way between two lower solutions at which F is looked at.
const BETWEEN: [f64; 5] = [0.0, 0.25, 0.5, 0.75, 1.0];

/// What a scan has found.
pub(crate) struct Scan {
    /// The values at its points.
    points: Vec<Option<ReducedPoint>>,
    /// Pairs of neighbours.
    pairs: Vec<[usize; 2]>,
}

impl Scan {
    /// The points that have a value, the best first.
    pub(crate) fn sorted(&self) -> Vec<ReducedPoint> {
        let mut found: Vec<ReducedPoint> = self.points.iter().flatten().cloned().collect();
        found.sort_by(ReducedPoint::order);
        found
    }
}

impl Reduced<'_> {
    /// The values at the points of the scan. `wide` are points that the scan has to reach.
    pub(crate) fn scan(&mut self, wide: &[&ReducedPoint]) -> Scan {
        let ends = self.ends(wide);
        let warm: Vec<Vec<Vec<f64>>> = wide.iter().map(|p| p.y.clone()).collect();
        let (xs, pairs) = self.points(&ends);
        let mut points: Vec<Option<ReducedPoint>> = Vec::new();
        for x in xs {
            let effort = self.in_passing();
            // the last point is near
            let nearest = points.iter().flatten().next_back().map(|p| p.y.clone());
            let starts: Vec<&[Vec<f64>]> = warm.iter().chain(&nearest).map(Vec::as_slice).collect();
            let point = self.at(&x, &starts, effort);
            points.push(point);
        }
        Scan { points, pairs }
    }

    /// Points between neighbours of a scan whose lower solutions differ, at which both are solutions.
    pub(crate) fn ties(&mut self, scan: &Scan) -> Vec<ReducedPoint> {
        if self.lower.facts.unique {
            return Vec::new();
        }
        let mut jumps: Vec<(f64, &ReducedPoint, &ReducedPoint)> = Vec::new();
        for [i, j] in &scan.pairs {
            let [Some(a), Some(b)] = [&scan.points[*i], &scan.points[*j]] else { continue };
            if differs(&a.y, &b.y) {
                jumps.push((self.promise(a, b), a, b));
            }
        }
        jumps.sort_by(|a, b| a.0.total_cmp(&b.0));
        let pairs: Vec<_> = jumps.into_iter().take(PAIRS).map(|(_, a, b)| (a.clone(), b.clone())).collect();
        pairs.into_iter().filter_map(|(a, b)| self.tied(&b.x, &a.y, &b.y)).collect()
    }

    /// The least upper objective half way between two points, over a segment between their lower solutions.
    fn promise(&mut self, a: &ReducedPoint, b: &ReducedPoint) -> f64 {
        let middle: Vec<f64> = a.x.iter().zip(&b.x).map(|(a, b)| f64::midpoint(*a, *b)).collect();
        let x = self.space.point(&middle);
        let values = BETWEEN.iter().filter_map(|share| {
            let mix = |(a, b): (&Vec<f64>, &Vec<f64>)| a.iter().zip(b).map(|(a, b)| a + share * (b - a)).collect();
            let y: Vec<Vec<f64>> = a.y.iter().zip(&b.y).map(mix).collect();
            self.lower.value_at(&x, &y).map(|p| p.upper)
        });
        values.fold(f64::INFINITY, f64::min)
    }

    /// The interval of each entry: its bounds, else as far as points and steps reach.
    fn ends(&self, wide: &[&ReducedPoint]) -> Vec<[f64; 2]> {
        let end = |i: usize| {
            let values = || wide.iter().map(|p| p.x[i]);
            let far = values().fold(10.0 * self.scales[i], |m: f64, v| m.max(2.0 * v.abs()));
            within_reach(self.space.bounds[i], far)
        };
        (0..self.len()).map(end).collect()
    }

    /// The points of the scan and which of them are neighbours.
    fn points(&self, ends: &[[f64; 2]]) -> (Vec<Vec<f64>>, Vec<[usize; 2]>) {
        let n = ends.len();
        let mut points = vec![ends.iter().map(|[low, high]| 0f64.clamp(*low, *high)).collect::<Vec<f64>>()];
        let mut pairs = Vec::new();
        if (1..=GRID.len()).contains(&n) {
            let count = GRID[n - 1];
            let all = count.pow(n as u32);
            for i in 0..all {
                let mut rest = i;
                let share = |[low, high]: &[f64; 2]| {
                    let step = rest % count;
                    rest /= count;
                    if step + 1 == count { *high } else { low + (high - low) * step as f64 / (count - 1) as f64 }
                };
                points.push(ends.iter().map(share).collect());
                let next = (0..n as u32).map(|axis| count.pow(axis)).filter(|step| i / step % count + 1 < count);
                pairs.extend(next.flat_map(|step| [[i + 1, i + 1 + step], [i + 1 + step, i + 1]]));
            }
            return (points, pairs);
        }
        for i in 0..RANDOM {
            let mut random = symmetric(self.seed, i as u64, "points of x");
            let snaps = i % 5 == 0;
            let at = |[low, high]: &[f64; 2]| {
                let share = f64::midpoint(1.0, random());
                let share = if snaps { share.round() } else { share };
                low + (high - low) * share
            };
            points.push(ends.iter().map(at).collect());
            pairs.push([i, i + 1]);
        }
        (points, pairs)
    }
}
