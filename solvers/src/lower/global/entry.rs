//! A lower level of one entry: a grid over its interval, and golden section between the neighbours of the grid's best
//! points.

use super::{GlobalLower, LowerPoint};

/// Points of the grid.
const GRID: usize = 130;

/// Minima of the grid that are refined.
const REFINED: usize = 4;

/// Steps of golden section, where a local solve follows and where kinks forbid one: the interval shrinks by 0.618 in each.
const STEPS: usize = 16;
const STEPS_TO_THE_END: usize = 75;

/// Neighbours on the grid are higher where they are by this share of the range of values.
const HIGHER: f64 = 1e-6;

/// How often the interval grows where the least value is at an end that is no bound.
const GROWS: usize = 6;

const GOLDEN: f64 = 0.618_033_988_749_894_9;

impl GlobalLower<'_> {
    /// The local minima of a grid, refined.
    pub(super) fn minimizers_of_one_entry(&mut self, x: &[Vec<f64>], warm: &[&[Vec<f64>]]) -> Vec<LowerPoint> {
        let [mut low, mut high] = self.reach(warm)[0];
        let [least, most] = self.bounds[0];
        let mut grid = self.grid(x, low, high);
        for _ in 0..GROWS {
            let ends = [(low, least), (high, most)].map(|(end, bound)| (end, end != bound));
            let Some(best) = grid.iter().min_by(|a, b| a.value.total_cmp(&b.value)) else { return Vec::new() };
            let at = best.y[0][0];
            let width = high - low;
            match ends {
                [(end, true), _] if at <= end + width / GRID as f64 => low -= 3.0 * width,
                [_, (end, true)] if at >= end - width / GRID as f64 => high += 3.0 * width,
                _ => break,
            }
            low = low.max(least);
            high = high.min(most);
            grid = self.grid(x, low, high);
        }
        self.tried = grid.len();
        let mut minima: Vec<usize> = (0..grid.len())
            .filter(|i| {
                let below = |j: usize| grid[*i].value <= grid[j].value;
                (*i == 0 || below(i - 1)) && (i + 1 == grid.len() || below(i + 1))
            })
            .collect();
        minima.sort_by(|a, b| grid[*a].value.total_cmp(&grid[*b].value));
        minima.truncate(REFINED);
        let values = |f: fn(f64, f64) -> f64, from: f64| grid.iter().map(|p| p.value).fold(from, f);
        let (lowest, highest) = (values(f64::min, f64::INFINITY), values(f64::max, f64::NEG_INFINITY));
        let mut found = Vec::new();
        for i in minima {
            let around = [i.saturating_sub(1), (i + 1).min(grid.len() - 1)];
            let rise = around.iter().map(|j| grid[*j].value - grid[i].value).fold(0.0, f64::max);
            // within a cell the objective falls about as far as it rises to the neighbours
            if grid[i].value - 2.0 * rise > lowest {
                continue;
            }
            let isolated =
                around.iter().all(|j| *j == i || grid[*j].value > grid[i].value + HIGHER * (highest - lowest));
            let best = self.golden(x, around.map(|j| grid[j].y[0][0]), grid[i].clone());
            let refined = if self.facts.kinked { None } else { self.polish(x, &best.y) };
            let best = refined.filter(|p| p.value <= best.value).unwrap_or(best);
            found.push(LowerPoint { solved: true, isolated, ..best });
        }
        found
    }

    fn grid(&mut self, x: &[Vec<f64>], low: f64, high: f64) -> Vec<LowerPoint> {
        let at = |i: usize| low + (high - low) * i as f64 / (GRID - 1) as f64;
        (0..GRID).filter_map(|i| self.at_entry(x, if i + 1 == GRID { high } else { at(i) })).collect()
    }

    fn at_entry(&mut self, x: &[Vec<f64>], value: f64) -> Option<LowerPoint> {
        let y = self.split(&[value]);
        self.value_at(x, &y)
    }

    /// The least point between two ends by golden section, `best` being one in between.
    fn golden(&mut self, x: &[Vec<f64>], [mut low, mut high]: [f64; 2], mut best: LowerPoint) -> LowerPoint {
        let inner = |low: f64, high: f64| [high - GOLDEN * (high - low), low + GOLDEN * (high - low)];
        let [left, right] = inner(low, high);
        let value = |p: &Option<LowerPoint>| p.as_ref().map_or(f64::INFINITY, |p| p.value);
        let (mut a, mut b) = (self.at_entry(x, left), self.at_entry(x, right));
        for _ in 0..if self.facts.kinked { STEPS_TO_THE_END } else { STEPS } {
            for p in [&a, &b].into_iter().flatten() {
                if p.value < best.value {
                    best = p.clone();
                }
            }
            let [left, right] = inner(low, high);
            if left >= right || low == high {
                break;
            }
            if value(&a) <= value(&b) {
                high = right;
                b = a;
                a = self.at_entry(x, inner(low, high)[0]);
            } else {
                low = left;
                a = b;
                b = self.at_entry(x, inner(low, high)[1]);
            }
        }
        best
    }
}
