//! What the control does for a method with rows: the numbers of their multipliers, and acceleration while x waits. y, the
//! companion and the multipliers z step against each other there, and plain steps settle as slowly as the dual function of
//! the lower level is badly conditioned: thousands of iterations on a quadratic program with a condition of 100, where
//! accelerated ones take a hundred.

use super::Continuation;
use crate::iteration::control::Iterate;

/// gamma1 in units of 1/L, at most. y sees the lower level through `H - H/(1 + gamma1 H)`: with 1 the condition of f is
/// squared. A bound keeps theta where a Lagrangian that is linear in it would lead it away.
const GAMMA: f64 = 1e3;
/// Curvature of the dual function in units of `|c_y|^2/L`, at most. It is `c_y (H + 1/gamma1)^-1 c_y'`, which is
/// more where H has small curvatures, but the steps are accelerated.
const DUAL: f64 = 10.0;
/// Curvature that has changed by more than this makes another map.
const OTHER: f64 = 0.2;
/// Curvature that has grown by this factor since the window began is that of multipliers gone astray.
const STRAY: f64 = 4.0;

impl Continuation {
    /// What rows add to the curvature that y sees, and the numbers of their multipliers. gamma2 makes the rows as stiff as
    /// f.
    pub(super) fn estimate_rows(&mut self, keep: f64) {
        let found = self.curvature.slope_of_rows(&self.learnt.metric);
        let v = &mut self.now;
        let rows = (super::MARGIN * found).max(keep * v.rows);
        v.rows = if rows > 0.0 && rows.is_finite() { rows } else { 1.0 };
        let stated = self.rule.rows.as_ref().and_then(|r| r.gamma2);
        v.gamma2 = stated.unwrap_or(v.lipschitz / v.rows);
        v.gamma = self.rule.gamma.unwrap_or(v.gamma.min(GAMMA / v.lipschitz));
        v.step_z = 1.0 / (v.gamma.min(DUAL / v.lipschitz) * v.rows + 1.0 / v.gamma2);
        v.of_rows = v.gamma2 * v.rows;
    }

    /// Positions of what steps while x waits: y, the companion, the multipliers.
    fn accelerated(&self) -> impl Iterator<Item = usize> + use<'_> {
        let l = &self.layout;
        l.variables[l.upper..].iter().chain(&l.companion).chain(&l.multipliers).copied()
    }

    /// The state that steps, one after the other.
    fn read_accelerated(&self, iterate: &dyn Iterate) -> Vec<f64> {
        let mut all = Vec::new();
        for input in self.accelerated() {
            let begin = all.len();
            all.resize(begin + iterate.len(input), 0.0);
            iterate.read(input, &mut all[begin..]);
        }
        all
    }

    /// A new map: another x, or other steps. Residuals count in units of the steps.
    pub(super) fn begin_acceleration(&mut self, iterate: &dyn Iterate) {
        if self.rule.rows.is_none() {
            return;
        }
        let v = &self.now;
        let of_theta = v.lipschitz + 1.0 / v.gamma;
        let l = &self.layout;
        let blocks = [
            (&l.variables[l.upper..], 1.0 / self.step_y()),
            (&l.companion[..], of_theta),
            (&l.multipliers[..], 1.0 / v.step_z),
        ];
        let mut weights = Vec::new();
        for (inputs, weight) in blocks {
            let entries: usize = inputs.iter().map(|i| iterate.len(*i)).sum();
            weights.resize(weights.len() + entries, weight);
        }
        self.learnt.anderson.begin(weights);
        self.learnt.begun_from = self.read_accelerated(iterate);
    }

    /// True at the iterations of a window after which curvature is looked at again: y and z may have gone far, and rows
    /// with them.
    fn looks_again(&self) -> bool {
        self.now.ran.is_power_of_two() && !self.learnt.anderson.is_ahead()
    }

    /// Back to the start of the window, without acceleration: multipliers went so far that they rule the curvature. With a
    /// large one the companion hardly moves, and it comes back slowly.
    fn go_plainly(&mut self, iterate: &mut dyn Iterate) {
        self.restore(iterate);
        self.learnt.is_plain = true;
        self.go_to(iterate);
        self.estimate(1, 0.1, 0.0);
        self.restart_window();
        // what was learnt on the way says nothing of plain steps
        self.begin_acceleration(iterate);
    }

    /// After a step at the same x: goes on from the accelerated point. Multipliers keep to their intervals; y and the
    /// companion are brought back to Y by their next step.
    pub(super) fn accelerate(&mut self, iterate: &mut dyn Iterate) {
        if self.rule.rows.is_none() {
            return;
        }
        if self.looks_again() {
            let before = self.now;
            self.go_to(iterate);
            self.estimate(1, 0.1, super::FORGET);
            let now = self.now;
            if now.lipschitz > STRAY * self.learnt.begun_with && !self.learnt.is_plain {
                return self.go_plainly(iterate);
            }
            let pairs =
                [(now.lipschitz, before.lipschitz), (now.lipschitz_y, before.lipschitz_y), (now.rows, before.rows)];
            if pairs.iter().any(|(now, before)| (now - before).abs() > OTHER * before) {
                return self.begin_acceleration(iterate);
            }
        }
        if self.learnt.is_plain {
            return;
        }
        let Some(rows) = &self.rule.rows else { return };
        let image = self.read_accelerated(iterate);
        let Some(mut point) = self.learnt.anderson.next(&self.learnt.begun_from, &image) else {
            self.learnt.begun_from = image;
            return;
        };
        let mut first = point.len() - self.layout.multipliers.iter().map(|i| iterate.len(*i)).sum::<usize>();
        for (input, [low, high]) in self.layout.multipliers.iter().zip(&rows.intervals) {
            let end = first + iterate.len(*input);
            point[first..end].iter_mut().for_each(|z| *z = z.clamp(*low, *high));
            first = end;
        }
        let mut first = 0;
        for input in self.accelerated() {
            let end = first + iterate.len(input);
            iterate.write(input, &point[first..end]);
            first = end;
        }
        self.learnt.begun_from = point;
    }
}
