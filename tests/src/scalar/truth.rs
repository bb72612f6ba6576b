//! The optimistic solution of a scalar problem: the global lower solution by a dense grid with refinement at every x of a
//! dense grid, the best upper objective among lower solutions that are equally good, and the places where the lower
//! solution jumps, since the optimistic value is attained there and no grid meets them.

use super::search::{golden, grid, window};
use super::{Interval, Scalar};

/// Lower solutions are equally good within this, relative to `1 + |f|`.
const TIE: f64 = 1e-9;
/// How far a free variable is followed: where the best point lies at the end of a window, the next one is tried. A
/// minimum beyond the last one counts as none.
const REACH: [f64; 3] = [8.0, 64.0, 512.0];
/// The same for y, which goes farther than x: else an x far out would have no lower solution, and F no way down.
const LOWER_REACH: [f64; 5] = [8.0, 64.0, 512.0, 4096.0, 32768.0];
/// A best point in this outer part of a window asks for a wider one.
const OUTER: f64 = 0.06;
/// A lower solution that moves by more than this part of its window, from one x to the next, may have jumped.
const JUMP: f64 = 0.02;
/// Minima of phi that are refined.
const REFINED: usize = 6;

/// Grid points in x and y.
#[derive(Clone, Copy, Debug)]
pub struct Resolution {
    /// In x.
    pub x: usize,
    /// In y.
    pub y: usize,
}

/// What `cargo xtask attack answers` judges with.
pub const FINE: Resolution = Resolution { x: 2001, y: 2001 };
/// What the tests judge with: quick without optimization.
pub const CI: Resolution = Resolution { x: 401, y: 801 };

/// The lower level solved at an x.
#[derive(Clone, Debug)]
pub(super) struct Solved {
    /// Its least value.
    pub(super) least: f64,
    /// Of equally good lower solutions that with the best upper objective.
    pub(super) y: f64,
    /// That objective: phi.
    pub(super) phi: f64,
}

/// A point of the graph of the optimistic value function.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// The upper variable.
    pub x: f64,
    /// The optimistic lower solution.
    pub y: f64,
    /// `phi(x) = F(x, y)`; infinite where the lower level has no solution.
    pub phi: f64,
}

/// What brute force knows of a problem.
#[derive(Clone, Debug)]
pub struct Truth {
    /// The problem.
    pub problem: Scalar,
    /// The best sample; `None` where phi has no least value in reach.
    pub best: Option<Sample>,
    /// Samples of phi in the order of x.
    pub samples: Vec<Sample>,
    resolution: Resolution,
}

impl Truth {
    /// Solves a problem.
    pub fn new(problem: Scalar, resolution: Resolution) -> Truth {
        let mut truth = Truth { problem, best: None, samples: Vec::new(), resolution };
        let set = truth.problem.x;
        for reach in REACH {
            let (low, high) = window(set.low, set.high, reach);
            truth.samples = truth.sampled(low, high);
            truth.best = truth.samples.iter().copied().min_by(|a, b| a.phi.total_cmp(&b.phi));
            let Some(best) = truth.best.filter(|b| b.phi.is_finite()) else { return Truth { best: None, ..truth } };
            if !leaves(set, low, high, best.x) {
                return truth;
            }
        }
        Truth { best: None, ..truth }
    }

    /// The least and the largest finite value of phi.
    pub fn range(&self) -> (f64, f64) {
        let finite = self.samples.iter().map(|s| s.phi).filter(|p| p.is_finite());
        finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), p| (a.min(p), b.max(p)))
    }

    fn sampled(&self, low: f64, high: f64) -> Vec<Sample> {
        let mut samples: Vec<Sample> = grid(low, high, self.resolution.x).into_iter().map(|x| self.sample(x)).collect();
        let jumps: Vec<Sample> = samples.windows(2).flat_map(|pair| self.jump(pair[0], pair[1])).collect();
        samples.extend(jumps);
        samples.sort_by(|a, b| a.x.total_cmp(&b.x));
        let mut minima: Vec<usize> = (0..samples.len())
            .filter(|&i| {
                let neighbors = [i.wrapping_sub(1), i + 1];
                neighbors.iter().filter_map(|j| samples.get(*j)).all(|s| samples[i].phi <= s.phi)
            })
            .collect();
        minima.sort_by(|a, b| samples[*a].phi.total_cmp(&samples[*b].phi));
        let last = samples.len() - 1;
        let refined: Vec<Sample> = minima
            .iter()
            .take(REFINED)
            .map(|&i| {
                let (from, to) = (samples[i.saturating_sub(1)].x, samples[(i + 1).min(last)].x);
                self.sample(golden(from, to, &mut |x| self.sample(x).phi).0)
            })
            .collect();
        samples.extend(refined);
        samples.sort_by(|a, b| a.x.total_cmp(&b.x));
        samples
    }

    /// The optimistic value at an x.
    pub fn sample(&self, x: f64) -> Sample {
        self.solved(x).map_or(Sample { x, y: f64::NAN, phi: f64::INFINITY }, |s| Sample { x, y: s.y, phi: s.phi })
    }

    /// Where the lower solution jumps between two samples, found by bisection: both sides of the jump, and the best point
    /// met. Nearer to the jump than the tolerance of a tie, y is free between its two places, and only there F may be least.
    fn jump(&self, mut a: Sample, mut b: Sample) -> Vec<Sample> {
        let (low, high) = window(self.problem.y.low, self.problem.y.high, LOWER_REACH[0]);
        if (a.y - b.y).abs() <= JUMP * (high - low) {
            return Vec::new();
        }
        let mut met = Vec::new();
        for _ in 0..50 {
            let middle = self.sample(0.5 * (a.x + b.x));
            if middle.phi.is_infinite() || middle.x <= a.x || middle.x >= b.x {
                break;
            }
            met.push(middle);
            if (middle.y - a.y).abs() <= (middle.y - b.y).abs() { a = middle } else { b = middle }
        }
        let best = met.into_iter().min_by(|a, b| a.phi.total_cmp(&b.phi));
        best.into_iter().chain([a, b]).collect()
    }

    /// The lower level at an x; `None` where it has no solution in reach.
    pub(super) fn solved(&self, x: f64) -> Option<Solved> {
        let p = &self.problem;
        for reach in LOWER_REACH {
            let (low, high) = window(p.y.low, p.y.high, reach);
            let ys = grid(low, high, self.resolution.y);
            let values = p.lower_along(x, &ys);
            let candidates = self.candidates(x, &ys, &values);
            let &(least, at) = candidates.iter().min_by(|a, b| a.0.total_cmp(&b.0))?;
            if leaves(p.y, low, high, at) {
                continue;
            }
            let tie = least + TIE * (1.0 + least.abs());
            let on_grid = values.iter().zip(&ys).map(|(v, y)| (*v, *y));
            let equal = candidates.iter().copied().chain(on_grid).filter(|(v, _)| *v <= tie);
            let judged = equal.map(|(_, y)| (p.upper.at(x, y), y));
            let (phi, y) = judged.min_by(|a, b| a.0.total_cmp(&b.0))?;
            return Some(Solved { least, y, phi });
        }
        None
    }

    /// Values and places of the local minima that may be global: those of the grid, refined.
    fn candidates(&self, x: f64, ys: &[f64], values: &[f64]) -> Vec<(f64, f64)> {
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        let last = values.len() - 1;
        let mut found = Vec::new();
        for i in 0..=last {
            let (before, after) = (i.saturating_sub(1), (i + 1).min(last));
            let (v, rise) = (values[i], values[before].max(values[after]) - values[i]);
            if values[before] < v || values[after] < v || v.is_nan() {
                continue;
            }
            found.push((v, ys[i]));
            // between grid points a function falls by less than it rises to the next one
            if v - rise <= least && rise > 0.0 {
                let (y, value) = golden(ys[before], ys[after], &mut |y| self.problem.lower_at(x, y));
                found.push((value, y));
            }
        }
        found
    }
}

/// Whether a point lies at an end of a window that is not an end of the set.
fn leaves(set: Interval, low: f64, high: f64, at: f64) -> bool {
    let margin = OUTER * (high - low);
    (set.low.is_infinite() && at < low + margin) || (set.high.is_infinite() && at > high - margin)
}

#[cfg(test)]
mod tests {
    use super::super::Expression::{X, Y};
    use super::super::{FREE, between};
    use super::*;

    fn best(problem: Scalar) -> Sample {
        Truth::new(problem, CI).best.expect("a bounded problem")
    }

    #[test]
    fn the_value_at_a_jump_is_optimistic() {
        // y = 1 for x < 1/4, y = 0 for x > 1/4, anything at 1/4 (Yezza 1996, example 3.1)
        let upper = 2.0 * X - Y * (4.0 * X - 3.0) + 1.0;
        let lower = Y * (4.0 * X - 1.0);
        let b = best(Scalar::new(upper, lower, between(0.0, 1.0), between(0.0, 1.0)));
        assert!((b.phi - 1.5).abs() < 1e-6, "{b:?}");
        // only at the jump y may be in the middle
        let middle = Scalar::new((Y - 0.5).power(2) + X.power(2), Y * (X - 0.3), between(-1.0, 1.0), between(0.0, 1.0));
        let b = best(middle);
        assert!((b.phi - 0.09).abs() < 1e-4 && (b.x - 0.3).abs() < 1e-7, "{b:?}");
    }

    #[test]
    fn an_optimum_at_one_x_alone_is_found() {
        let upper = 1.47 * (X - 0.76).power(2) + 0.36 * (Y + 0.56).power(2) + 0.97 * (X + 0.81).abs();
        let problem = Scalar::new(upper, -0.58 * X * Y, between(-1.7, 1.76), between(-2.29, 1.02));
        for resolution in [CI, super::super::FINE] {
            let b = Truth::new(problem.clone(), resolution).best.expect("a bounded problem");
            assert!((b.phi - 1.634772).abs() < 1e-5, "{b:?}");
        }
    }

    #[test]
    fn two_wells_meet_where_they_are_equally_deep() {
        // Mitsos and Barton 2006, example 3.14
        let upper = (X - 0.25).power(2) + Y.power(2);
        let lower = (1.0 / 3.0) * Y.power(3) - X * Y;
        let b = best(Scalar::new(upper, lower, between(-1.0, 1.0), between(-1.0, 1.0)));
        assert!((b.phi - 0.25).abs() < 1e-3, "{b:?}");
    }

    #[test]
    fn free_variables_are_followed_and_given_up() {
        let copy = (Y - X).power(2);
        let b = best(Scalar::new((Y - 30.0).power(2) + X, copy.clone(), FREE, FREE));
        assert!((b.phi - 29.75).abs() < 1e-6, "{b:?}");
        assert!(Truth::new(Scalar::new(Y.clone() + X, copy, FREE, FREE), CI).best.is_none());
        // the lower level has a solution for x >= 0 only
        let b = best(Scalar::new(X.power(2) + X + Y, X * Y.power(2), between(-1.0, 1.0), FREE));
        assert!(b.x >= 0.0, "{b:?}");
    }
}
