//! Whether the upper objective falls without end along a direction of x, under the rows of both levels: a run that has gone
//! far away shows the direction, and points along it show that F falls there at lower solutions that meet all rows.

use blo_engine::model::Bindings;
use blo_engine::model::problem::LevelId;
use blo_engine::program::Scalar;

use crate::formula::start_point::start_point;
use crate::lower::constrained::{ConstrainedLower, JOINTLY, TIE};
use crate::run::state::Run;

/// A point this many times as large as the start, or 1, may be on its way along a ray.
const AWAY: f64 = 1e6;

/// How far along a ray F is looked at, in sizes of the start.
const ALONG: [f64; 4] = [1e2, 1e3, 1e4, 1e5];

/// F falls on where it falls by at least this share of its last fall while the way grows by ten: `1/t` does not.
const FALLS_ON: f64 = 0.5;

/// Entries of a direction below this share of its largest one are rounding.
const ROUNDING: f64 = 1e-6;

/// A ray: its direction, and the first point of x on it that was looked at, with its y.
pub(crate) struct UpperRay {
    pub(crate) direction: Vec<f64>,
    pub(crate) x: Vec<f64>,
    pub(crate) y: Vec<f64>,
}

impl<T: Scalar> Run<'_, T> {
    /// The ray that leads from the start to a far point, if F falls along it.
    pub(super) fn upper_ray(&self, lower: &mut ConstrainedLower, far: &[f64]) -> Option<UpperRay> {
        // that of the file: passes begin where the last one has ended, which may be far away
        let data = Bindings { start: Vec::new(), ..self.given.clone() };
        let mut start = start_point::<f64>(self.problem, &data, self.options.threads).ok()?;
        let y = start.split_off(self.problem.range(LevelId::LOWER).start).concat();
        let start = start.concat();
        let largest = |v: &[f64]| v.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
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
        let falls: Vec<f64> = seen.windows(2).map(|pair| pair[0].0 - pair[1].0).collect();
        let falls_on = falls[0] > 0.0 && falls.windows(2).all(|pair| pair[1] >= FALLS_ON * pair[0]);
        let (_, x, y) = seen.swap_remove(0);
        falls_on.then_some(UpperRay { direction, x, y })
    }
}
