//! The objective `F(x, y_K(x))` that is descended on, and its hypergradient.

use blo_engine::program;

use super::step_size::NEGLIGIBLE;
use super::{Descent, Rounds};
use crate::iteration::control::{Iterate, NextState};
use crate::lower::step_sizes::{MOST_REFITS, PointKind};
use crate::method::StepsStart;

/// With a warm start the lower steps run again until what they would still change of the objective is less than this share
/// of what the step gains (of the objective itself, before the first step), but only so often.
pub(super) const ENOUGH: f64 = 0.1;
const ENOUGH_AT_FIRST: f64 = 1e-4;
const MOST_REPEATS: usize = 200;

/// Tolerances of the lower level in HOAG's experiments (Pedregosa, ICML 2016, section 5, "exponential"): this share of the
/// distance at the start, times the other to the power of the iteration. Their sum is finite, as Theorem 2 wants.
const FIRST_TOLERANCE: f64 = 0.1;
const FALLS_BY: f64 = 0.9;

/// The largest ratio of successive moves that we believe.
const SLOWEST_REPEATS: f64 = 0.99;

/// A trial whose lower steps never matter little enough is too far away, unless so many trials were taken back already.
const MOST_UNSETTLED: u64 = 5;

impl<T: program::Scalar> Descent<T> {
    /// True where the lower steps of an objective run again until they no longer matter.
    pub(super) fn repeats(&self) -> bool {
        self.choice.axes.start == StepsStart::Warm && (self.choice.alpha_x.is_none() || self.choice.geometric)
    }

    /// How well y is to be known, as a share of its distance from the lower solution at the start; `None` where the
    /// objective decides.
    fn tolerance(&self) -> Option<f64> {
        let power = self.now.iteration.min(i32::MAX as u64) as i32;
        self.choice.geometric.then(|| FIRST_TOLERANCE * FALLS_BY.powi(power))
    }

    /// True where trials keep the lower step sizes of the iterate. Where tasks change, so do sizes, and with smaller ones
    /// any x seems worse: then no step is short enough to be a descent, and x stands still.
    pub(super) fn keeps_sizes(&self) -> bool {
        self.resamples && !self.repeats() && self.choice.alpha_x.is_none()
    }

    /// False while y is known so loosely that a small hypergradient may be chance.
    pub(super) fn knows_enough(&self) -> bool {
        self.tolerance().is_none_or(|tolerance| tolerance <= self.tol.sqrt())
    }

    /// The objective at the trial; false where the lower steps there are too far from done to tell.
    pub(super) fn evaluate_trial(&mut self, next: &dyn NextState) -> bool {
        let places = self.places.clone();
        let mut read = |i: usize, to: &mut [f64]| next.read(places[i], to);
        if !self.repeats() {
            let point = if self.keeps_sizes() { PointKind::SameSizes } else { PointKind::Nearby };
            self.now.trial = self.objective(point, &mut read);
            return true;
        }
        self.from.clone_from(&self.here);
        let (value, enough) = self.repeated_objective(self.now.objective, ENOUGH, PointKind::Nearby, &mut read);
        self.now.trial = value;
        enough || self.now.rejected >= MOST_UNSETTLED
    }

    /// The objective at the point whose parts `read` copies out, by their place in u. Lower steps start at z, or at
    /// `from`.
    pub(super) fn objective(&mut self, point: PointKind, read: &mut dyn FnMut(usize, &mut [f64])) -> f64 {
        let upper = self.layout.upper.len();
        for variable in 0..upper {
            copy(self.trajectory.set_x(variable), &mut self.buffer, &mut |buffer| read(variable, buffer));
        }
        if self.choice.axes.start == StepsStart::Auxiliary {
            for (variable, to) in self.from.iter_mut().enumerate() {
                copy(to, &mut self.buffer, &mut |buffer| read(upper + variable, buffer));
            }
        }
        let (t, from) = (&self.trajectory, &self.from);
        // The variables are the first inputs: upper, then lower.
        let copy_out = |values: &[T], to: &mut [f64]| to.iter_mut().zip(values).for_each(|(to, v)| *to = v.to_f64());
        let mut sizes = self.step_sizes.at(point, &mut |input, to| {
            copy_out(if input < upper { t.x(input) } else { &from[input - upper] }, to);
        });
        let mut objective = f64::NAN;
        for _ in 0..MOST_REFITS {
            self.trajectory.set_sizes(sizes);
            objective = self.estimator.objective(&mut self.trajectory, &self.from);
            for (variable, to) in self.end.iter_mut().enumerate() {
                to.copy_from_slice(self.trajectory.y(variable));
            }
            let (t, end) = (&self.trajectory, &self.end);
            let fits = point == PointKind::SameSizes
                || self.step_sizes.fit_end(&mut |input, to| {
                    copy_out(if input < upper { t.x(input) } else { &end[input - upper] }, to);
                });
            if fits || self.trajectory.is_stopped() {
                break;
            }
            sizes = self.step_sizes.sizes();
        }
        let before = if self.repeats() { self.ran } else { Rounds::default() };
        let vary = before.vary || before.sizes.is_some_and(|s| s != sizes);
        self.ran = Rounds { count: before.count + 1, sizes: Some(sizes), vary };
        objective
    }

    /// The objective with a warm start, from y as it is at the iterate. The lower steps run again from their end until what
    /// they would still move y by changes the objective, to first order, by less than a share of its distance from
    /// `other`. Tells whether they get there. (Changes of the objective itself do not tell: on held-out data it falls,
    /// turns, and rises.)
    pub(super) fn repeated_objective(
        &mut self,
        other: f64,
        share: f64,
        point: PointKind,
        read: &mut dyn FnMut(usize, &mut [f64]),
    ) -> (f64, bool) {
        let (mut value, mut moved) = (f64::NAN, f64::NAN);
        self.ran = Rounds::default();
        for repeat in 0..MOST_REPEATS {
            if repeat > 0 {
                std::mem::swap(&mut self.from, &mut self.end);
            }
            value = self.objective(if repeat == 0 { point } else { PointKind::Nearby }, read);
            if !value.is_finite() || self.trajectory.is_stopped() {
                return (value, true);
            }
            let before = moved;
            let squares = self.end.iter().flatten().zip(self.from.iter().flatten());
            moved = squares.map(|(a, b)| (a.to_f64() - b.to_f64()).powi(2)).sum::<f64>().sqrt();
            // What is left of a geometric series, whose ratio must be known: a small move may be one of slow steps.
            let ratio = if before.is_nan() { SLOWEST_REPEATS } else { (moved / before).min(SLOWEST_REPEATS) };
            let left = if moved > 0.0 { moved * ratio / (1.0 - ratio) } else { 0.0 };
            self.now.trial_noise = left * self.estimator.ends().lower_slope();
            if let Some(tolerance) = self.tolerance() {
                if self.now.distance == 0.0 {
                    self.now.distance = left;
                }
                self.estimator.tolerate(tolerance);
                // rounding of y is never less than that
                if left <= (tolerance * self.now.distance).max(self.rounding * moved) {
                    return (value, true);
                }
                continue;
            }
            let enough = (share * (value - other).abs()).max(self.rounding * NEGLIGIBLE * value.abs());
            if self.now.trial_noise <= enough {
                return (value, true);
            }
        }
        (value, false)
    }

    /// The hypergradient at the point of the last [`Descent::objective`]; writes it and the end of the lower steps there.
    pub(super) fn differentiate(&mut self, iterate: &mut dyn Iterate) {
        for (values, input) in self.end.iter().zip(&self.layout.lower) {
            let buffer = &mut self.buffer[..values.len()];
            buffer.iter_mut().zip(values).for_each(|(to, v)| *to = v.to_f64());
            iterate.write(*input, buffer);
        }
        for (here, end) in self.here.iter_mut().zip(&self.end) {
            here.copy_from_slice(end);
        }
        self.write_multipliers(iterate);
        self.estimator.gradient(&mut self.trajectory, &mut self.g_x, &mut self.g_z);
        let of_z = if self.choice.axes.start == StepsStart::Auxiliary { self.g_z.as_slice() } else { &[] };
        let values = self.g_x.iter().chain(of_z).flatten();
        self.slope.iter_mut().zip(values).for_each(|(to, v)| *to = v.to_f64());
        self.write_slope(iterate);
    }

    /// The objective and the hypergradient at the iterate, from the lower point there.
    pub(super) fn evaluate(&mut self, point: PointKind, iterate: &mut dyn Iterate) {
        for (to, input) in self.from.iter_mut().zip(&self.layout.lower) {
            copy(to, &mut self.buffer, &mut |buffer| iterate.read(*input, buffer));
        }
        let parts = self.parts.clone();
        let mut read = |i: usize, to: &mut [f64]| iterate.read(parts[i], to);
        self.now.objective = match self.repeats() {
            true => self.repeated_objective(0.0, ENOUGH_AT_FIRST, point, &mut read).0,
            false => self.objective(point, &mut read),
        };
        self.now.noise = self.now.trial_noise;
        self.differentiate(iterate);
        self.read_point(iterate);
    }

    /// The multipliers of the lower level's rows where it was solved last.
    fn write_multipliers(&self, iterate: &mut dyn Iterate) {
        let mut rest = self.estimator.multipliers().unwrap_or_default();
        for input in &self.layout.multipliers {
            let (part, after) = rest.split_at(iterate.len(*input));
            iterate.write(*input, part);
            rest = after;
        }
    }

    pub(super) fn write_slope(&self, iterate: &mut dyn Iterate) {
        let mut rest = self.slope.as_slice();
        for input in &self.layout.slope {
            let (part, after) = rest.split_at(iterate.len(*input));
            iterate.write(*input, part);
            rest = after;
        }
    }

    pub(super) fn read_point(&mut self, iterate: &dyn Iterate) {
        let mut rest = self.point.as_mut_slice();
        for input in self.parts.iter() {
            let (part, after) = rest.split_at_mut(iterate.len(*input));
            iterate.read(*input, part);
            rest = after;
        }
    }
}

/// Fills an array with numbers that come as f64, by way of a buffer that is at least as long.
fn copy<T: program::Scalar>(to: &mut [T], buffer: &mut [f64], read: &mut dyn FnMut(&mut [f64])) {
    let buffer = &mut buffer[..to.len()];
    read(buffer);
    to.iter_mut().zip(buffer).for_each(|(to, v)| *to = T::from_f64(*v));
}
