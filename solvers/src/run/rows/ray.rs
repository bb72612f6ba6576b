//! Whether the upper objective falls without end along a direction of x, under the rows of both levels: a run that has gone
//! far away shows the direction, and points along it show that F falls there at lower solutions that meet all rows.

use blo_engine::model::Bindings;
use blo_engine::model::problem::LevelId;
use blo_engine::program::Scalar;

use crate::formula::set_bounds::largest_bound;
use crate::formula::start_point::start_point;
use crate::lower::constrained::{ConstrainedLower, JOINTLY, TIE, apart};
use crate::run::state::Run;

/// A point this many times as large as the start, or 1, may be on its way along a ray.
const AWAY: f64 = 1e6;

/// How far along a ray F is looked at, in sizes of the start.
const ALONG: [f64; 4] = [1e2, 1e3, 1e4, 1e5];

/// F falls on where it falls by at least this share of its last fall while the way grows by ten: `1/t` does not.
const FALLS_ON: f64 = 0.5;

/// Entries of a direction below this share of its largest one are rounding.
const ROUNDING: f64 = 1e-6;

/// A way this many times as long as what is near, and y this many times as large, are looked at and out of reach.
const LONG: f64 = 1e4;
const OUT_OF_REACH: f64 = 1e8;

/// F is lower at so many lengths of the way to the point in question.
const BEYOND: f64 = 10.0;

/// So much of the way along a ray has to be left of each step when the lower level is solved.
const KEPT: f64 = 0.5;

/// A ray: its direction in the variables of a level, and the first point on it that was looked at.
pub(crate) struct UpperRay {
    pub(crate) level: LevelId,
    pub(crate) direction: Vec<f64>,
    pub(crate) x: Vec<f64>,
    pub(crate) y: Vec<f64>,
}

fn largest(v: &[f64]) -> f64 {
    v.iter().fold(0.0, |m: f64, v| m.max(v.abs()))
}

/// True where values at distances that grow by ten fall without end.
fn falls_on(values: impl Iterator<Item = f64>) -> bool {
    let values: Vec<f64> = values.collect();
    let falls: Vec<f64> = values.windows(2).map(|pair| pair[0] - pair[1]).collect();
    falls[0] > 0.0 && falls.windows(2).all(|pair| pair[1] >= FALLS_ON * pair[0])
}

impl<T: Scalar> Run<'_, T> {
    /// x and y at the start of the file: passes begin where the last one has ended, which may be far away.
    fn start_of_file(&self) -> Option<[Vec<f64>; 2]> {
        let data = Bindings { start: Vec::new(), ..self.given.clone() };
        let mut start = start_point::<f64>(self.problem, &data, self.options.threads).ok()?;
        let y = start.split_off(self.problem.range(LevelId::LOWER).start).concat();
        Some([start.concat(), y])
    }

    /// The lower solution at x that the start leads to, and the size of what is near it.
    fn near_in_y(&self, lower: &mut ConstrainedLower, x: &[f64]) -> Option<(Vec<f64>, f64, f64)> {
        let [_, start] = self.start_of_file()?;
        let found = lower.solutions(x, &[&start], 1).into_iter();
        // the one nearest to the start: others may be where a choice has led
        let near = found.min_by(|a, b| apart(&a.y, &start).total_cmp(&apart(&b.y, &start)))?;
        let size = largest(&near.y).max(largest(&start)).max(1.0);
        Some((near.y, near.value, size))
    }

    /// The ray along which F falls over the lower solutions at x, if y is far from the one that the start leads to.
    pub(super) fn ray_in_y(&self, lower: &mut ConstrainedLower, x: &[f64], y: &[f64]) -> Option<UpperRay> {
        if lower.facts.unique || largest(y) <= LONG {
            return None;
        }
        let (near, least, size) = self.near_in_y(lower, x)?;
        let way: Vec<f64> = y.iter().zip(&near).map(|(a, b)| a - b).collect();
        let length = largest(&way);
        if !length.is_finite() || length <= LONG * size {
            return None;
        }
        let entry = |v: &f64| if v.abs() > ROUNDING * length { v / length } else { 0.0 };
        let direction: Vec<f64> = way.iter().map(entry).collect();
        let tolerance = lower.tolerance(least);
        lower.put(x);
        let mut seen = Vec::new();
        for t in ALONG.map(|t| t * size) {
            let there: Vec<f64> = near.iter().zip(&direction).map(|(y, d)| y + t * d).collect();
            let found = lower.descend(&there)?.y;
            let measured = lower.measure(x, &found)?;
            let holds = measured.violation() <= JOINTLY * t.max(1.0) && measured.lower - least <= tolerance;
            let moved = found.iter().zip(&near).fold(0.0, |m: f64, (a, b)| m.max((a - b).abs()));
            if !holds || !measured.upper.is_finite() || moved < KEPT * t {
                return None;
            }
            seen.push((measured.upper, found));
        }
        let falls_on = falls_on(seen.iter().map(|(upper, _)| *upper));
        // a minimizer farther away than these is none
        let beyond: Vec<f64> = near.iter().zip(&direction).map(|(y, d)| y + BEYOND * length * d).collect();
        let last = seen.last().map_or(f64::NAN, |(upper, _)| *upper);
        let falls_on = falls_on && lower.measure(x, &beyond).is_none_or(|m| m.upper.is_nan() || m.upper < last);
        let (_, y) = seen.swap_remove(0);
        falls_on.then(|| UpperRay { level: LevelId::LOWER, direction, x: x.to_vec(), y })
    }

    /// True where y is out of reach of the start, of bounds and of the lower solution that the start leads to.
    pub(super) fn runs_away(&self, lower: &mut ConstrainedLower, x: &[f64], y: &[f64]) -> bool {
        let bound = largest_bound(&lower.bounds).max(1.0);
        if largest(y) <= OUT_OF_REACH * bound {
            return false;
        }
        let near = self.near_in_y(lower, x);
        near.is_none_or(|(_, _, size)| largest(y) > OUT_OF_REACH * size)
    }

    /// The ray that leads from the start to a far point, if F falls along it.
    pub(super) fn upper_ray(&self, lower: &mut ConstrainedLower, far: &[f64]) -> Option<UpperRay> {
        let [start, y] = self.start_of_file()?;
        let size = largest(&start).max(1.0);
        let length = largest(far);
        if !length.is_finite() || length <= AWAY * size {
            return None;
        }
        let entry = |v: &f64| if v.abs() > ROUNDING * length { v / length } else { 0.0 };
        let direction: Vec<f64> = far.iter().map(entry).collect();
        let mut seen: Vec<(f64, Vec<f64>, Vec<f64>)> = Vec::new();
        for t in ALONG {
            let x: Vec<f64> = start.iter().zip(&direction).map(|(x, d)| x + t * size * d).collect();
            let warm = seen.last().map_or(&y, |(.., y)| y).clone();
            let solutions = lower.solutions(&x, &[&warm], 1);
            let chosen = lower.prefer(&x, &solutions, TIE)?;
            let measured = lower.measure(&x, &chosen.y)?;
            if measured.violation() > JOINTLY * (t * size).max(1.0) || !measured.upper.is_finite() {
                return None;
            }
            seen.push((measured.upper, x, chosen.y));
        }
        let falls_on = falls_on(seen.iter().map(|(upper, ..)| *upper));
        let (_, x, y) = seen.swap_remove(0);
        falls_on.then_some(UpperRay { level: LevelId::UPPER, direction, x, y })
    }
}
