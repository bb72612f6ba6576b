//! How a solve begins, and begins again in another metric: the first step size, and what slopes are measured against.

use super::LowerSolver;
use super::ray::FAR;
use crate::lower::vectors::{norm, ranked};

/// Evaluations after which a solve looks for a long diagonal, and, beyond as many as it has entries, for another short one;
/// then after four times as many.
const LOOK: u64 = 40;
const LOOK_AGAIN: u64 = 100;

/// How often a solve finds a short diagonal again.
const LOOKS: u32 = 3;

/// The curvature along the gradient is 1 in the metric that fits, up to correlations. Below this it does not fit.
const FLAT: f64 = 1e-6;

/// A diagonal whose entries are those of another one times a number up to this factor makes the same metric, about.
const SAME: f64 = 30.0;

/// How far the largest entry of a gradient lies above the median, and the median above the least entry times their
/// number, where that still can be chance.
const SPREAD: f64 = 1e3;

/// Part of a length that curvature is measured over.
const NEAR: f64 = 1e-6;

/// Share of a gradient that slopes are measured against: with a tolerance of 1e-10 it is what a hundred roundings leave.
const HELD: f64 = 1e-4;

/// Lengths of the point that a first step may be long.
const LONGEST: f64 = 1e3;

impl LowerSolver {
    /// Chooses the metric and the first step at `here.y`, and evaluates there.
    pub(super) fn first_step(&mut self) {
        self.map.set_root(None);
        (self.step, self.fitted) = (1.0, false);
        self.look_here();
        self.here.smooth = self.there.smooth;
        let (short, constant) = (self.metric.is_short(), self.metric.is_constant());
        (self.look, self.looks) = match (short, constant) {
            (true, true) => (0, 0),
            (true, false) => (LOOK_AGAIN + self.origin.len() as u64, LOOKS),
            // The estimated diagonal of a Hessian that is not definite makes things worse where units are alike (a
            // network of 640 weights: residual 5e-4 in place of 5e-10 after 3000 evaluations).
            (false, _) => (LOOK, if self.watches { 0 } else { 1 }),
        };
        let mut curvature = None;
        if short && self.metric.take_base() {
            let found = self.enter_metric();
            let fits = found >= FLAT && found <= 4.0 * self.origin.len() as f64;
            curvature = Some(found).filter(|_| constant || fits);
        }
        let wanted = curvature.is_none() && (short || self.units_differ());
        if wanted && self.metric.measure(&self.x, &self.here.y) {
            self.looks = self.looks.saturating_sub(1);
            curvature = Some(self.enter_metric());
        }
        let curvature = curvature.unwrap_or_else(|| self.curvature());
        self.set_step(curvature);
        self.look_here();
        self.keep();
        self.set_scale(self.unit * self.here.slope);
        // a start at zero that is nearly stationary, as between two wells, knows no length of its own
        let unit = self.map.root.iter().map(|q| 1.0 / (q * q)).sum::<f64>().sqrt();
        self.far = FAR * self.here.size.sqrt().max(self.length(&self.origin)).max(unit);
    }

    /// Another metric, from the diagonal where the solve is, if that differs, or in any case. The memory of the old one is
    /// void then. True where the metric has changed.
    pub(super) fn change_metric(&mut self, in_any_case: bool) -> bool {
        (self.look, self.looks) = (4 * self.look, self.looks - 1);
        let found = self.metric.measure(&self.x, &self.here.y);
        if !found || !in_any_case && self.metric.misfit(&self.map.root) <= SAME {
            return false;
        }
        self.memory.forget();
        (self.straight, self.enough) = (0, u64::MAX);
        let before = self.distance(&self.here.y, &self.origin);
        let curvature = self.enter_metric();
        self.set_step(curvature);
        self.there.y.clone_from(&self.origin);
        self.evaluate();
        self.set_scale(self.unit * self.there.slope);
        if before > 0.0 {
            self.far *= self.distance(&self.here.y, &self.origin) / before;
        }
        self.look_here();
        self.best.clear();
        self.keep();
        true
    }

    /// Evaluates at `here.y`, into `there`.
    pub(super) fn look_here(&mut self) {
        self.there.y.clone_from(&self.here.y);
        self.evaluate();
    }

    /// Goes to the metric of the diagonal that was found last, with the gradient of `here.y` at hand; the curvature along
    /// the gradient.
    fn enter_metric(&mut self) -> f64 {
        self.gradient.iter_mut().zip(&self.map.root).for_each(|(g, q)| *g /= q);
        self.metric.raise(self.here.smooth, &self.gradient, &self.here.y, !self.watches);
        self.map.set_root(Some(&self.metric.root));
        self.fitted = true;
        self.gradient.iter_mut().zip(&self.map.root).for_each(|(g, q)| *g *= q);
        self.curvature()
    }

    /// The curvature along the gradient of `here.y`, which stays at hand.
    fn curvature(&mut self) -> f64 {
        self.direction.copy_from_slice(&self.gradient);
        let size = norm(&self.direction);
        let length = NEAR * self.reach(size);
        let even = 1.0 / (self.direction.len() as f64).sqrt();
        for (i, y) in self.there.y.iter_mut().enumerate() {
            let share = if size > 0.0 { self.direction[i] / size } else { even };
            *y = self.here.y[i] - length * share * self.map.root[i];
        }
        self.evaluate();
        let change: f64 = self.gradient.iter().zip(&self.direction).map(|(a, b)| (a - b) * (a - b)).sum();
        self.gradient.copy_from_slice(&self.direction);
        change.sqrt() / length
    }

    /// A length of the problem at `here.y`: of the point, or of the step that the metric or the value of f suggests.
    fn reach(&self, gradient: f64) -> f64 {
        let point = self.length(&self.here.y);
        let step = if self.fitted { gradient } else { self.here.smooth.abs() / gradient };
        let reach = if step.is_finite() { point.max(step) } else { point };
        if reach > 0.0 { reach } else { 1.0 }
    }

    /// The first step: one over the curvature along the gradient. It only ever shrinks, so that no step is longer than
    /// the curvature on the way allows. The metric has curvatures of at least one, and a vanishing one says nothing.
    fn set_step(&mut self, curvature: f64) {
        let gradient = norm(&self.gradient);
        let step = if curvature > 0.0 && curvature.is_finite() { 1.0 / curvature } else { f64::INFINITY };
        let most = if self.fitted { 1.0 } else { LONGEST * self.reach(gradient) / gradient };
        let step = step.min(most);
        self.step = if step.is_finite() && step > 0.0 { step } else { 1.0 };
        self.unit = self.step.sqrt();
    }

    /// What slopes are measured against: the one at the start, in the unit of the root of f, or the length of the start,
    /// and not less than a share of the gradient there, which a set or a prox may hold up to rounding.
    fn set_scale(&mut self, slope: f64) {
        let held = HELD * self.unit * norm(&self.gradient);
        self.scale = slope.max(self.length(&self.origin) / self.unit).max(held);
    }

    /// True where the entries of the gradient differ more than chance explains.
    fn units_differ(&self) -> bool {
        let mut sizes: Vec<f64> = self.gradient.iter().map(|g| g.abs()).filter(|g| *g > 0.0).collect();
        let rank = sizes.len() / 2;
        let Some(middle) = ranked(&mut sizes, rank) else { return false };
        let (least, largest) =
            sizes.iter().fold((f64::INFINITY, 0.0_f64), |(least, most), g| (least.min(*g), most.max(*g)));
        largest > SPREAD * middle || middle > SPREAD * sizes.len() as f64 * least
    }
}
