//! How far the upper variables move where no step size is stated.

use blo_engine::program;

use super::Descent;
use crate::formula::upper_update::UpperUpdate;

/// From draw to draw a step size grows to at most so many times the first one. With lower steps of length 1/L the objective
/// does not depend on the scale of what x computes: a step size that may grow with x lets both grow until they overflow.
const LONGEST: f64 = 10.0;

/// Share of the slope that a step must gain (Armijo).
const GAIN: f64 = 1e-4;

/// The share where a run draws new tasks: a step that gains more than the best one along it fits the noise of the draw
/// (stochastic line search with c = 1/2: Vaswani et al., NeurIPS 2019, Theorem 1).
const GAIN_OF_DRAW: f64 = 0.5;

/// Factors within which a rejected step shrinks, and by which an accepted one grows at most.
const SHORTEN: [f64; 2] = [0.1, 0.5];
const LENGTHEN: f64 = 10.0;

/// The first step moves the largest entry by this share of `max(1, largest entry)`.
const FIRST_MOVE: f64 = 0.1;

/// The first step is at most this, times `max(1, largest entry)`: a slope that is only rounding leads nowhere.
const LONGEST_FIRST: f64 = 1e12;

/// A longer step moves the largest entry by at most this share of `max(1, largest entry)`: growing tenfold again and again
/// it would leave the basin of the start.
const MOST_MOVE: f64 = 0.5;

/// Steps that momentum and Adam take grow by this factor.
const GROW: f64 = 1.2;

/// Adam's first step against `max(1, largest entry)`: its directions have unit size.
const FIRST_ADAM: f64 = 0.01;

/// Changes below this many rounding errors of the objective do not matter.
pub(super) const NEGLIGIBLE: f64 = 1e3;

impl<T: program::Scalar> Descent<T> {
    /// A first step size: it moves the point a little.
    pub(super) fn first_step(&self) -> f64 {
        let largest = |v: &[f64]| v.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
        let size = largest(&self.point).max(1.0);
        if self.choice.axes.update == UpperUpdate::Adam {
            return FIRST_ADAM * size;
        }
        let slope = largest(&self.slope);
        if slope > 0.0 && slope.is_finite() { size * (FIRST_MOVE / slope).min(LONGEST_FIRST) } else { 1.0 }
    }

    /// The longest step size that lengthening may lead to.
    pub(super) fn longest_step(&self) -> f64 {
        MOST_MOVE / FIRST_MOVE * self.first_step()
    }

    /// The step size after an accepted step.
    pub(super) fn next_step(&self) -> f64 {
        let step = self.now.step;
        if self.choice.axes.update != UpperUpdate::Gradient {
            return if self.now.rejected > 0 { step } else { GROW * step };
        }
        let pairs = self.point.iter().zip(&self.point_before).zip(self.slope.iter().zip(&self.slope_before));
        let (moved, curved) = pairs.fold((0.0, 0.0), |(moved, curved), ((u, u0), (g, g0))| {
            let s = u - u0;
            (moved + s * s, curved + s * (g - g0))
        });
        let next = if curved > 0.0 && moved > 0.0 { moved / curved } else { LENGTHEN * step };
        let next = next.clamp(step / LENGTHEN, step * LENGTHEN).min(self.longest_step().max(step));
        if next.is_finite() && next > 0.0 { next } else { self.first_step() }
    }

    /// True where the trial decreases the objective enough, against the largest of the last ones.
    pub(super) fn is_descent(&self, slope: f64) -> bool {
        let v = &self.now;
        let memory: &[f64] = if self.repeats() { &[] } else { &v.last };
        let reference = memory.iter().fold(v.objective, |m, f| m.max(*f));
        let gain = if self.resamples { GAIN_OF_DRAW } else { GAIN };
        v.trial <= reference + gain * slope.min(0.0) + v.noise + self.rounding * reference.abs()
    }

    /// True where the last objectives are the same up to rounding: a residual that is not small then is that of a kink of
    /// `F(x, y(x))`, or of an estimate.
    pub(super) fn stands_still(&self) -> bool {
        let v = &self.now;
        let near = |f: &f64| (f - v.objective).abs() <= NEGLIGIBLE * self.rounding * v.objective.abs();
        v.last.iter().all(near)
    }

    /// The step size with new tasks; `first` was the first one.
    pub(super) fn next_step_of_draw(&self, first: f64) -> f64 {
        let tried = self.now.rejected > 0 || self.now.stalled;
        let longest = LONGEST * first;
        let grows = !tried && self.choice.alpha_x.is_none() && self.now.step < longest;
        if grows { (GROW * self.now.step).min(longest) } else { self.now.step }
    }

    /// Shortens the step by the minimizer of the parabola through what is known along it.
    pub(super) fn shorten(&mut self, slope: f64) {
        let excess = self.now.trial - self.now.objective - slope;
        let factor = if excess.is_finite() && excess > 0.0 { -slope / (2.0 * excess) } else { SHORTEN[0] };
        self.now.step *= factor.clamp(SHORTEN[0], SHORTEN[1]);
    }
}
