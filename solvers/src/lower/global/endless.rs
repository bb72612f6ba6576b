//! Lower objectives that fall for ever and stay above a number, as `exp(-y)` does: they have no minimizer, and a solve ends
//! where its residual is small enough, at a point that says more of the tolerance than of the problem.

use blo_engine::model::problem::LevelId;

use super::{AWAY, GlobalLower};
use crate::formula::bound_program::BoundProgram;
use crate::formula::problem_graph::{Part, ProblemGraph};
use crate::lower::solve::LowerStart;
use crate::lower::vectors::{distance, largest};

/// The residual of a point on the way, as a share of that at the start.
const ON_THE_WAY: f64 = 1e-4;

/// Entries that have moved since then by less than this share of the one that has moved most stay where they are.
const MOVING: f64 = 1e-2;

/// The way since then is this part of the point at least, and the objective has fallen on it by this share.
const FAR: f64 = 1e-2;
const FELL: f64 = 1e-10;

/// How far the same way is gone on, in its lengths.
const ONWARD: [f64; 4] = [0.0, 0.5, 1.0, 2.0];

impl GlobalLower<'_> {
    /// True where f has no minimizer near a solution y at x, although the solve from a start has ended there: the way from
    /// a point of the solve to y leads on to lower and lower points, with slopes that get small and do not vanish.
    pub(crate) fn falls_beyond(&mut self, x: &[Vec<f64>], start: &[Vec<f64>], y: &[Vec<f64>]) -> bool {
        if self.facts.unique || self.facts.kinked || self.newton.is_some() || self.entries() == 0 {
            return false;
        }
        let found = self.beyond(x, start, y);
        found == Some(true)
    }

    fn beyond(&mut self, x: &[Vec<f64>], start: &[Vec<f64>], y: &[Vec<f64>]) -> Option<bool> {
        let cost = self.with_own(self.cost());
        let point: Vec<Vec<f64>> = x.iter().chain(start).cloned().collect();
        let limit = self.limit(cost).min(AWAY);
        let from = LowerStart { point: &point, reference: None, tolerance: ON_THE_WAY, limit };
        let stop = self.stop.clone();
        let passed = self.solver.solve(&from, &mut || stop.is_set());
        self.spent += passed.evaluations as f64 * cost;
        let most = distance(&passed.values, y);
        if passed.unbounded.is_some() || most.is_nan() || most <= FAR * largest(y.iter().flatten()) {
            return None;
        }
        let moved = |a: f64, b: f64| if (b - a).abs() > MOVING * most { b - a } else { 0.0 };
        let way: Vec<Vec<f64>> =
            passed.values.iter().zip(y).map(|(p, y)| p.iter().zip(y).map(|(a, b)| moved(*a, *b)).collect()).collect();
        let at = |t: f64| -> Vec<Vec<f64>> {
            y.iter().zip(&way).map(|(y, d)| y.iter().zip(d).map(|(y, d)| y + t * d).collect()).collect()
        };
        let least = self.value_at(x, y)?.value;
        let [before, first] = [&at(-1.0)[..], start].map(|p| self.value_at(x, p).map(|p| p.value));
        let fell = before? - least;
        if fell.is_nan() || fell <= FELL * least.abs().max(first? - least) {
            return None;
        }
        let points = ONWARD.map(at);
        for p in &points {
            let entries: Vec<f64> = p.iter().flatten().copied().collect();
            let within = entries.iter().zip(&self.bounds).all(|(v, [low, high])| low <= v && v <= high);
            let value = self.value_at(x, p)?.value;
            if !within || self.inside(&entries) != *p || value.is_nan() || value > least {
                return None;
            }
        }
        let slopes = self.slopes_along(x, &points, &way)?;
        Some(slopes.iter().all(|s| *s < 0.0) && slopes.windows(2).all(|pair| pair[0] <= pair[1]))
    }

    /// The slopes of f at points along a direction.
    fn slopes_along(&mut self, x: &[Vec<f64>], points: &[Vec<Vec<f64>>], way: &[Vec<f64>]) -> Option<Vec<f64>> {
        // of no use any more, and their programs take as much memory as this one
        self.tilted = None;
        let mut p = ProblemGraph::new(self.problem);
        let (at_x, at_y) = (p.x(), p.y());
        let gradient = p.gradient(Part::Smooth, LevelId::LOWER, &at_x, &at_y);
        let outputs: Vec<_> = gradient.into_iter().zip(&at_y.nodes).map(|(d, y)| p.or_zero(d, *y)).collect();
        let function = p.function("f_y", &outputs);
        let mut machine = BoundProgram::<f64>::new(&function, self.problem, self.data, self.threads).ok()?;
        for (input, values) in self.upper_inputs.iter().zip(x) {
            machine.set(*input, values);
        }
        let mut found = Vec::new();
        for y in points {
            for (input, values) in self.lower_inputs.iter().zip(y) {
                machine.set(*input, values);
            }
            machine.run();
            self.spent += machine.flops() as f64;
            let parts =
                way.iter().enumerate().map(|(i, d)| machine.output(i).iter().zip(d).map(|(g, d)| g * d).sum::<f64>());
            found.push(parts.sum());
        }
        Some(found)
    }
}
