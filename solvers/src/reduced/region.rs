//! Lower solutions that do not move: where f is affine in y, a corner y of Y stays a solution on a region of x, and the
//! reduced objective is `F(x, y)` there. The best x of a region is that of a smooth problem under the rows
//! `f(x, y) <= f(x, y')`, y' the other solutions, and is found by sequential quadratic programming; rows come in as the
//! lower level, solved at each step, finds who is better. From the end of one region the search goes on to those beside it.

use super::tie::differs;
use super::{Reduced, ReducedPoint};
use crate::conic::QuadraticProgram;
use crate::lower::vectors::largest;

/// Most regions, other solutions that are remembered, and steps within a region.
const REGIONS: usize = 24;
const RIVALS: usize = 40;
const STEPS: usize = 15;

/// Ends of regions from which points of several solutions are looked for, and how many of these are followed.
const MET: usize = 3;

/// The longest step, and that of differences of slopes, in scales.
const LONGEST: f64 = 4.0;
const DIFFERENCE: f64 = 1e-5;

/// A step that is this short, in scales, is the last.
const LAST: f64 = 1e-11;

/// A gap below this share of the lower objective's size is none.
const NONE: f64 = 1e-9;

/// What a quadratic program costs, in flops, for the cube of its entries.
const OF_A_PROGRAM: f64 = 2e4;

/// With more upper entries than this a region costs too much.
const FEW: usize = 20;

type Arrays = Vec<Vec<f64>>;

impl Reduced<'_> {
    /// The best points of the regions of these points and of those beside them.
    pub(super) fn regions(&mut self, known: &[ReducedPoint]) -> Vec<ReducedPoint> {
        if !self.lower.facts.linear || !(1..=FEW).contains(&self.len()) {
            return Vec::new();
        }
        let mut rivals: Vec<Arrays> = Vec::new();
        let mut waiting: Vec<ReducedPoint> = Vec::new();
        for point in known.iter().filter(|p| p.solved) {
            if rivals.len() < RIVALS && rivals.iter().all(|y| differs(y, &point.y)) {
                rivals.push(point.y.clone());
                waiting.push(point.clone());
            }
        }
        let (mut seen, mut ends) = (Vec::<Arrays>::new(), Vec::new());
        while seen.len() < REGIONS && !self.lower.is_over() {
            waiting.retain(|p| seen.iter().all(|y| differs(y, &p.y)));
            let Some(best) = (0..waiting.len()).min_by(|a, b| waiting[*a].order(&waiting[*b])) else { break };
            let next = waiting.swap_remove(best);
            seen.push(next.y.clone());
            let end = self.within(&next, &mut rivals);
            waiting.extend(self.beside_region(&end, &rivals));
            // among the solutions there F may prefer another one
            let effort = self.in_passing();
            if let Some(preferred) = self.at(&end.x, &[&end.y], effort).filter(|p| p.is_better(&end)) {
                waiting.push(preferred.clone());
                ends.push(ReducedPoint { tied: true, ..preferred });
            }
            ends.push(end);
        }
        ends.sort_by(ReducedPoint::order);
        let meetings: Vec<ReducedPoint> = ends.iter().take(MET).flat_map(|end| self.meetings(end, &rivals)).collect();
        for point in meetings {
            ends.push(self.within(&point, &mut rivals));
        }
        ends
    }

    /// Points of a region at which another solution is one, too, and F prefers a mixture of both: from inside of the
    /// region nothing shows them.
    fn meetings(&mut self, end: &ReducedPoint, rivals: &[Arrays]) -> Vec<ReducedPoint> {
        let mut found: Vec<ReducedPoint> = Vec::new();
        for (i, rival) in rivals.iter().enumerate() {
            if self.lower.is_over() {
                break;
            }
            if !differs(rival, &end.y) {
                continue;
            }
            let Some(step) = self.step_within(&end.x, &end.y, rivals, Some(i)) else { continue };
            let effort = self.in_passing();
            let point = self.at(&self.stepped_by(&end.x, &step), &[&end.y, rival], effort);
            found.extend(point.filter(|p| p.is_better(end)).map(|p| ReducedPoint { tied: true, ..p }));
        }
        found.sort_by(ReducedPoint::order);
        found.truncate(MET);
        found
    }

    /// A point moved by a step in scales.
    fn stepped_by(&self, x: &[f64], step: &[f64]) -> Vec<f64> {
        x.iter().zip(step.iter().zip(&self.scales)).map(|(x, (d, s))| x + d * s).collect()
    }

    /// The regions that meet at a point: its x with the other solutions there.
    fn beside_region(&mut self, at: &ReducedPoint, rivals: &[Arrays]) -> Vec<ReducedPoint> {
        let x = self.space.point(&at.x);
        let mut found = Vec::new();
        for y in rivals {
            let Some(there) = self.lower.value_at(&x, y) else { continue };
            if there.value - at.lower <= NONE * self.size_of(&x, at.lower) {
                found.push(ReducedPoint { y: y.clone(), upper: there.upper, lower: there.value, ..at.clone() });
            }
        }
        found
    }

    /// The best point at which the lower solution of a point still is one.
    fn within(&mut self, from: &ReducedPoint, rivals: &mut Vec<Arrays>) -> ReducedPoint {
        let (y, mut best, mut here) = (from.y.clone(), from.clone(), from.x.clone());
        for _ in 0..STEPS {
            if self.lower.is_over() {
                break;
            }
            let Some(step) = self.step_within(&here, &y, rivals, None) else { break };
            let arrays = self.space.point(&self.stepped_by(&here, &step));
            let effort = self.in_passing();
            let Some(own) = self.lower.value_at(&arrays, &y) else { break };
            let Some(least) = self.lower.minimizers(&arrays, &[&y], effort).into_iter().next() else { break };
            here = arrays.concat();
            // at a tie a solve ends where rounding leaves it, and the other solutions tell whether y is one
            let others = rivals.iter().filter_map(|r| Some(self.lower.value_at(&arrays, r)?.value));
            let lowest = others.fold(least.value, f64::min);
            let holds = own.value - lowest <= NONE * self.size_of(&arrays, lowest);
            if holds && own.upper < best.upper {
                best = ReducedPoint { x: here.clone(), upper: own.upper, lower: own.value, tied: true, ..best };
            }
            let met = holds || rivals.iter().any(|r| !differs(r, &least.y));
            if !met && rivals.len() < RIVALS {
                rivals.push(least.y);
            } else if largest(&step) <= LAST {
                break;
            }
        }
        best
    }

    /// The step of the quadratic program at a point, in scales; to where one rival is a solution, too, if that is asked for.
    fn step_within(&mut self, x: &[f64], y: &Arrays, rivals: &[Arrays], meets: Option<usize>) -> Option<Vec<f64>> {
        let n = x.len();
        self.lower.spent += OF_A_PROGRAM * (n * n * n) as f64;
        let arrays = self.space.point(x);
        let [gradient, own_slope] = self.slopes(&arrays, y)?;
        let mut hessian = Vec::new();
        for i in 0..n {
            let mut moved = x.to_vec();
            moved[i] += DIFFERENCE * self.scales[i];
            let [there, _] = self.slopes(&self.space.arrays(&moved), y)?;
            let column = there.iter().zip(&gradient).zip(&self.scales).map(|((a, b), s)| (a - b) * s / DIFFERENCE);
            hessian.push(column.collect::<Vec<f64>>());
        }
        let hessian = convexified(&hessian);
        let own = self.lower.value_at(&arrays, y)?.value;
        let mut rows = Vec::new();
        for (i, rival) in rivals.iter().enumerate().filter(|(_, r)| differs(r, y)) {
            let value = self.lower.value_at(&arrays, rival)?.value;
            let [_, slope] = self.slopes(&arrays, rival)?;
            let row = own_slope.iter().zip(&slope).zip(&self.scales).map(|((a, b), s)| (a - b) * s);
            let row: Vec<f64> = row.collect();
            if meets == Some(i) {
                rows.push((row.iter().map(|a| -a).collect(), own - value));
            }
            rows.push((row, value - own));
        }
        let gradient: Vec<f64> = gradient.iter().zip(&self.scales).map(|(g, s)| g * s).collect();
        let ends = |i: usize| {
            let [low, high] = self.space.bounds[i].map(|end| (end - x[i]) / self.scales[i]);
            [low.clamp(-LONGEST, 0.0), high.clamp(0.0, LONGEST)]
        };
        let bounds: Vec<[f64; 2]> = (0..n).map(ends).collect();
        QuadraticProgram { hessian: &hessian, gradient: &gradient, rows: &rows, bounds: &bounds }.solve()
    }

    /// What differences of the lower objective are measured against at a point.
    fn size_of(&mut self, x: &[Vec<f64>], least: f64) -> f64 {
        self.drop_to(x, least).max(least.abs())
    }
}

/// A symmetric matrix plus the multiple of the identity that makes it positive definite (Nocedal, Wright, Numerical
/// Optimization, 2006, Alg. 3.3).
fn convexified(matrix: &[Vec<f64>]) -> Vec<Vec<f64>> {
    const LEAST: f64 = 1e-9;
    let n = matrix.len();
    let size = largest(matrix.iter().flatten());
    let mut shift = 0.0;
    loop {
        let entry = |i: usize, j: usize| f64::midpoint(matrix[i][j], matrix[j][i]) + if i == j { shift } else { 0.0 };
        let shifted: Vec<Vec<f64>> = (0..n).map(|i| (0..n).map(|j| entry(i, j)).collect()).collect();
        if size == 0.0 || !size.is_finite() || shift > 0.0 && is_positive_definite(&shifted) {
            return shifted;
        }
        shift = (10.0 * shift).max(LEAST * size);
    }
}

/// True where a Cholesky factor exists.
fn is_positive_definite(matrix: &[Vec<f64>]) -> bool {
    let n = matrix.len();
    let mut factor = vec![vec![0.0; n]; n];
    for j in 0..n {
        let rest =
            |i: usize, factor: &[Vec<f64>]| matrix[i][j] - (0..j).map(|k| factor[i][k] * factor[j][k]).sum::<f64>();
        let diagonal = rest(j, &factor);
        if diagonal <= 0.0 {
            return false;
        }
        factor[j][j] = diagonal.sqrt();
        for i in j + 1..n {
            factor[i][j] = rest(i, &factor) / factor[j][j];
        }
    }
    true
}
