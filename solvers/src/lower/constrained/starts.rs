//! Where local solves of the lower level start, beside the points that are known.

use blo_engine::data::symmetric;

use super::thin::distance;
use super::{ConstrainedLower, FEASIBLE, apart};
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

/// A sample of a thin set is one of the best where it is better than so many around it; of the starts, a share is of others.
const AROUND: usize = 8;
const OF_THE_REST: usize = 4;

/// What a violation weighs against the objective.
const PENALTY: f64 = 100.0;

impl ConstrainedLower {
    /// The best minima of a grid of one entry, or of the curves that equalities leave; of several entries, half from the best
    /// samples and half at random, moved onto rows that leave little room.
    pub(super) fn starts(&mut self, x: &[f64], warm: &[&[f64]], k: usize) -> Vec<Vec<f64>> {
        let reach = self.reach(warm);
        match reach.as_slice() {
            [ends] => self.minima_of_grid(x, *ends, k),
            _ => self.sampled(x, warm, &reach, k),
        }
    }

    /// The interval of each entry in which starts are drawn.
    pub(super) fn reach(&self, warm: &[&[f64]]) -> Vec<[f64; 2]> {
        let reach = |(i, bounds): (usize, &[f64; 2])| {
            within_reach(*bounds, warm.iter().fold(REACH, |m: f64, y| m.max(2.0 * y[i].abs())))
        };
        self.bounds.iter().enumerate().map(reach).collect()
    }

    fn merit(&mut self, x: &[f64], y: &[f64]) -> f64 {
        self.merit_and_room(x, y).0
    }

    /// The merit of a point; true where it meets the rows.
    fn merit_and_room(&mut self, x: &[f64], y: &[f64]) -> (f64, bool) {
        match self.values.at(x, y) {
            Some(m) => {
                let merit = m.lower + PENALTY * (1.0 + m.lower.abs()) * m.lower_violation;
                (merit, m.lower_violation <= FEASIBLE)
            }
            None => (f64::INFINITY, false),
        }
    }

    /// The best minima along the curves that rows leave; of other sets, mostly the best of those samples, moved onto the
    /// rows, that are better than the ones around them, and some of the rest.
    fn on_rows(&mut self, x: &[f64], mut samples: Vec<(f64, Vec<f64>)>, reach: &[[f64; 2]], k: usize) -> Vec<Vec<f64>> {
        let mut met = Vec::new();
        for (merit, y) in samples.iter_mut().take(self.movable(SAMPLES as usize)) {
            if let Some(there) = self.onto_rows(y) {
                *merit = self.merit(x, &there);
                y.clone_from(&there);
                met.push(there);
            }
        }
        let along = self.minima_of_curves(x, &met, reach, k);
        if !along.is_empty() {
            return along;
        }
        let is_least = |i: &usize| {
            let (merit, y) = &samples[*i];
            let others = samples.iter().enumerate().filter(|(j, _)| j != i);
            let mut around: Vec<(f64, f64)> = others.map(|(_, (m, o))| (distance(y, o), *m)).collect();
            around.sort_by(|a, b| a.0.total_cmp(&b.0));
            around.iter().take(AROUND).all(|(_, other)| merit <= other)
        };
        let (mut chosen, rest): (Vec<usize>, Vec<usize>) = (0..samples.len()).partition(is_least);
        chosen.sort_by(|a, b| samples[*a].0.total_cmp(&samples[*b].0));
        chosen.truncate(k.max(1) - k / OF_THE_REST);
        let left = k.max(1) - chosen.len();
        chosen.extend(rest.into_iter().take(left));
        chosen.into_iter().map(|i| samples[i].1.clone()).collect()
    }

    /// The best minima along the curves that equalities leave near some points.
    fn minima_of_curves(&mut self, x: &[f64], met: &[Vec<f64>], reach: &[[f64; 2]], k: usize) -> Vec<Vec<f64>> {
        let mut minima: Vec<(f64, Vec<f64>)> = Vec::new();
        for (curve, closed) in self.curves(met, reach) {
            let merits: Vec<f64> = curve.iter().map(|y| self.merit(x, y)).collect();
            let last = merits.len() - 1;
            for (i, y) in curve.into_iter().enumerate().filter(|(i, _)| merits[*i].is_finite()) {
                let before = if i > 0 || closed { Some(if i > 0 { i - 1 } else { last }) } else { None };
                let after = if i < last || closed { Some(if i < last { i + 1 } else { 0 }) } else { None };
                if [before, after].into_iter().flatten().all(|j| merits[i] <= merits[j]) {
                    minima.push((merits[i], y));
                }
            }
        }
        minima.sort_by(|a, b| a.0.total_cmp(&b.0));
        minima.into_iter().take(k.max(1)).map(|(_, y)| y).collect()
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
        let (mut samples, mut meeting) = (Vec::new(), 0);
        for sample in 0..SAMPLES {
            let near = warm.first().filter(|_| sample % NEAR_KNOWN == 0);
            let entry = |(i, [low, high]): (usize, &[f64; 2])| match near {
                Some(y) => (y[i] + APART * (high - low) * random()).clamp(*low, *high),
                None => low + (high - low) * f64::midpoint(1.0, random()),
            };
            let y: Vec<f64> = reach.iter().enumerate().map(entry).collect();
            let (merit, meets) = self.merit_and_room(x, &y);
            samples.push((merit, y));
            meeting += usize::from(meets);
        }
        if !self.has_room(meeting, samples.len()) {
            return self.on_rows(x, samples, reach, k);
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
