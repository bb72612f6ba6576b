//! Where local solves of the lower level start, beside the points that are known.

use blo_engine::data::symmetric;

use super::{ConstrainedLower, apart};
use crate::formula::set_bounds::within_reach;

/// Points of the grid of one entry.
const GRID: usize = 130;

/// Samples of several entries.
const SAMPLES: u64 = 200;

/// Of so many samples one is near the first known point.
const NEAR_KNOWN: u64 = 6;

/// How far from zero an entry without bounds is looked for, at least.
const REACH: f64 = 10.0;

/// Starts that are chosen are so far apart, in widths of the region.
const APART: f64 = 0.1;

/// What a violation weighs against the objective.
const PENALTY: f64 = 100.0;

impl ConstrainedLower {
    /// The best minima of a grid of one entry; of several, half from the best samples and half at random.
    pub(super) fn starts(&mut self, x: &[f64], warm: &[&[f64]], k: usize) -> Vec<Vec<f64>> {
        let reach = self.reach(warm);
        match reach.as_slice() {
            [ends] => self.minima_of_grid(x, *ends, k),
            _ => self.sampled(x, warm, &reach, k),
        }
    }

    /// The interval of each entry in which starts are drawn.
    fn reach(&self, warm: &[&[f64]]) -> Vec<[f64; 2]> {
        let reach = |(i, bounds): (usize, &[f64; 2])| {
            within_reach(*bounds, warm.iter().fold(REACH, |m: f64, y| m.max(2.0 * y[i].abs())))
        };
        self.bounds.iter().enumerate().map(reach).collect()
    }

    fn merit(&mut self, x: &[f64], y: &[f64]) -> f64 {
        match self.values.at(x, y) {
            Some(m) => m.lower + PENALTY * (1.0 + m.lower.abs()) * m.lower_violation,
            None => f64::INFINITY,
        }
    }

    fn minima_of_grid(&mut self, x: &[f64], [low, high]: [f64; 2], k: usize) -> Vec<Vec<f64>> {
        let at = |i: usize| low + (high - low) * i as f64 / (GRID - 1) as f64;
        let merits: Vec<f64> = (0..GRID).map(|i| self.merit(x, &[at(i)])).collect();
        let is_minimum = |i: &usize| {
            let beside = [i.checked_sub(1), Some(i + 1).filter(|j| *j < GRID)];
            merits[*i].is_finite() && beside.into_iter().flatten().all(|j| merits[*i] <= merits[j])
        };
        let mut minima: Vec<usize> = (0..GRID).filter(is_minimum).collect();
        minima.sort_by(|a, b| merits[*a].total_cmp(&merits[*b]));
        minima.into_iter().take(k.max(1)).map(|i| vec![at(i)]).collect()
    }

    fn sampled(&mut self, x: &[f64], warm: &[&[f64]], reach: &[[f64; 2]], k: usize) -> Vec<Vec<f64>> {
        self.stream += 1;
        let mut random = symmetric(self.seed, self.stream, "lower starts");
        let mut samples = Vec::new();
        for sample in 0..SAMPLES {
            let near = warm.first().filter(|_| sample % NEAR_KNOWN == 0);
            let entry = |(i, [low, high]): (usize, &[f64; 2])| match near {
                Some(y) => (y[i] + APART * (high - low) * random()).clamp(*low, *high),
                None => low + (high - low) * f64::midpoint(1.0, random()),
            };
            let y: Vec<f64> = reach.iter().enumerate().map(entry).collect();
            samples.push((self.merit(x, &y), y));
        }
        let at_random = k / 2;
        // of those that are not near a known point
        let others = samples.iter().enumerate().filter(|(i, _)| !(*i as u64).is_multiple_of(NEAR_KNOWN));
        let mut chosen: Vec<Vec<f64>> = others.take(at_random).map(|(_, (_, y))| y.clone()).collect();
        samples.sort_by(|a, b| a.0.total_cmp(&b.0));
        let width = reach.iter().map(|[low, high]| high - low).fold(0.0, f64::max);
        for (_, y) in samples {
            if chosen.len() >= k.max(1) {
                break;
            }
            if chosen.iter().all(|c| largest_difference(c, &y) > APART * width) {
                chosen.push(y);
            }
        }
        // the best first
        chosen.reverse();
        chosen.retain(|y| warm.iter().all(|w| apart(w, y) > 0.0));
        chosen
    }
}

fn largest_difference(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).fold(0.0, |m: f64, (a, b)| m.max((a - b).abs()))
}
