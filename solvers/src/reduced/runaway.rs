//! Points that have run away: F falls without end over the solutions of the lower level at one x, or the lower level has no
//! solution there. Where the run lives is told by its start, by bounds, and by the lower solution that the start leads to:
//! the point in question may be far from all of these, and must not say itself what is near.

use super::{AWAY, Reduced, ReducedPoint};
use crate::lower::global::{Effort, THOROUGH};
use crate::lower::vectors::{distance, largest};

/// A lower point this many times as large as what is near is looked at.
const LOOKED_AT: f64 = 1e6;

/// A way this many times as long may lead along a ray.
const LONG: f64 = 1e4;

/// How far along a ray F is looked at, in sizes of what is near; so much of the way has to be left of each step.
const ALONG: [f64; 4] = [1e2, 1e3, 1e4, 1e5];
const KEPT: f64 = 0.5;

/// F falls on where it falls by at least this share of its last fall while the way grows by ten: `1/t` does not.
const FALLS_ON: f64 = 0.5;

/// F is lower at so many lengths of the way to the point in question.
const BEYOND: f64 = 10.0;

/// What lower objectives on a ray may differ by, as a share of what the start is above them.
const LEVEL: f64 = 1e-6;

impl Reduced<'_> {
    /// Takes what is near for the lower variables from the start and from the end of the run: a large end only counts where
    /// the start leads to a point of its size, too.
    pub(crate) fn reach_from(&mut self, x: &[f64], end: &[Vec<f64>]) {
        let size = |y: &[Vec<f64>]| largest(y.iter().flatten());
        let bound = self.lower.largest_bound();
        let mut near = size(&self.start).max(1.0);
        let large = size(end);
        if large > LOOKED_AT * near.max(bound)
            && let Some(led_to) = self.nearest(x)
        {
            near = near.max(size(&led_to.y));
        }
        if large <= LOOKED_AT * near.max(bound) {
            near = near.max(large);
        }
        self.lower_reach = (AWAY * near).max(bound);
    }

    /// True for a point out of reach.
    pub(crate) fn is_far(&self, x: &[f64], y: &[Vec<f64>]) -> bool {
        largest(x) > self.reach || largest(y.iter().flatten()) > self.lower_reach
    }

    /// The lower solution at x that the start leads to.
    fn nearest(&mut self, x: &[f64]) -> Option<ReducedPoint> {
        let arrays = self.space.point(x);
        let start = std::mem::take(&mut self.start);
        self.lower.ray = None;
        let found = self.lower.descend(&arrays, &start);
        self.lower.ray = None;
        self.start = start;
        let found = found.filter(|p| p.solved && p.upper.is_finite())?;
        let (x, wells) = (arrays.into_iter().flatten().collect(), self.lower.wells_found());
        Some(ReducedPoint { x, y: found.y, upper: found.upper, lower: found.value, solved: true, tied: false, wells })
    }

    /// The first and the last point of a ray along which F falls over lower solutions at one x, if the way from the lower
    /// solution that the start leads to a point is long and shows one.
    pub(crate) fn ray_to(&mut self, far: &ReducedPoint) -> Option<[ReducedPoint; 2]> {
        let size = |y: &[Vec<f64>]| largest(y.iter().flatten());
        let unit = size(&self.start).max(1.0);
        if self.lower.facts.unique || size(&far.y) <= LONG * unit {
            return None;
        }
        let near = self.nearest(&far.x)?;
        let unit = unit.max(size(&near.y));
        let length = distance(&near.y, &far.y);
        if !length.is_finite() || length <= LONG * unit {
            return None;
        }
        let arrays = self.space.point(&far.x);
        // what the lower objective varies by where the run lives
        let beside: Vec<Vec<f64>> = near.y.iter().map(|part| part.iter().map(|v| v + unit).collect()).collect();
        let rise = self.lower.value_at(&arrays, &beside).map_or(0.0, |p| (p.value - near.lower).abs());
        let level = LEVEL * self.drop_to(&arrays, near.lower).max(near.lower.abs()).max(rise);
        let on_ray = |t: f64| -> Vec<Vec<f64>> {
            let to = |(a, b): (&f64, &f64)| a + t * ((b / length) - (a / length));
            near.y.iter().zip(&far.y).map(|(a, b)| a.iter().zip(b).map(to).collect()).collect()
        };
        let mut seen = vec![near.clone()];
        for t in ALONG.map(|t| t * unit) {
            let found = self.lower.descend(&arrays, &on_ray(t))?;
            let holds = found.solved && found.value - near.lower <= level && found.upper.is_finite();
            if !holds || distance(&found.y, &near.y) < KEPT * t {
                return None;
            }
            seen.push(ReducedPoint { y: found.y, upper: found.upper, lower: found.value, ..near.clone() });
        }
        let falls: Vec<f64> = seen[1..].windows(2).map(|pair| pair[0].upper - pair[1].upper).collect();
        let falls_on = falls[0] > 0.0 && falls.windows(2).all(|pair| pair[1] >= FALLS_ON * pair[0]);
        let last = seen.pop()?;
        // a minimizer farther away than these is none
        let beyond = self.lower.value_at(&arrays, &on_ray(BEYOND * length)).is_none_or(|p| p.upper < last.upper);
        (falls_on && beyond).then(|| [seen.swap_remove(1), last])
    }

    /// True where the lower level has no minimizer at the x of a point: its objective falls on beyond y.
    pub(crate) fn has_no_minimizer(&mut self, at: &ReducedPoint) -> bool {
        let arrays = self.space.point(&at.x);
        let start = std::mem::take(&mut self.start);
        let found = self.lower.falls_beyond(&arrays, &start, &at.y);
        self.start = start;
        found
    }

    /// A point with the choice among its lower solutions made more thoroughly than in passing.
    pub(crate) fn choosing(&mut self, x: &[f64], warm: &[&[Vec<f64>]], effort: Effort) -> Option<ReducedPoint> {
        let others = std::mem::replace(&mut self.lower.others, THOROUGH);
        let found = self.at(x, warm, effort);
        self.lower.others = others;
        found
    }
}
