//! Points where the lower level has several solutions at once. The optimum of an optimistic problem often lies there, on a
//! surface of x that no look at single points ever hits: a toll at which two ways cost the same. From a pair (x, y) whose
//! y is nearly a solution, Newton's method on the gap `f(x, y) - v(x)`, v the least value, leads to the x where it is one.

use blo_engine::graph::NodeId;
use blo_engine::model::problem::LevelId;

use super::{Reduced, ReducedPoint};
use crate::formula::bound_program::BoundProgram;
use crate::formula::problem_graph::{Part, ProblemGraph};
use crate::lower::vectors::{distance, largest};

/// Steps of Newton's method; where the gap is linear, one does it.
const STEPS: usize = 8;

/// A lower solution that moves by this share of its size in a step has jumped.
const JUMP: f64 = 0.05;

/// A gap below this share of the drop of the lower objective is none.
const NONE: f64 = 1e-12;

/// True where two lower points are not one that has moved a little.
pub(super) fn differs(a: &[Vec<f64>], b: &[Vec<f64>]) -> bool {
    let size = largest(a.iter().chain(b).flatten());
    distance(a, b) > JUMP * size
}

impl Reduced<'_> {
    /// What a step from a point to x leads to: the value at x, and, where the lower solution jumps on the way, the value at
    /// the jump, which every other step would leave.
    pub(super) fn beside(&mut self, from: &ReducedPoint, x: &[f64]) -> Vec<ReducedPoint> {
        let effort = self.in_passing();
        let plain = self.at(x, &[&from.y], effort);
        let jumps = |p: &ReducedPoint| differs(&from.y, &p.y);
        let wanted = !self.lower.facts.unique && (from.tied || plain.as_ref().is_some_and(jumps));
        let tied = if wanted { self.tied(x, &from.y, &from.y) } else { None };
        plain.into_iter().chain(tied).collect()
    }

    /// The point near x at which y is a solution of the lower level beside others; `None` where there is none.
    pub(crate) fn tied(&mut self, x: &[f64], y: &[Vec<f64>], warm: &[Vec<f64>]) -> Option<ReducedPoint> {
        if self.lower.facts.unique || self.is_empty() {
            return None;
        }
        let mut x: Vec<f64> = self.space.point(x).concat();
        let (mut own, mut other, mut scale) = (y.to_vec(), warm.to_vec(), 0.0f64);
        for _ in 0..STEPS {
            let effort = self.in_passing();
            let arrays = self.space.point(&x);
            let least =
                self.lower.minimizers(&arrays, &[&own, &other], effort).into_iter().next().filter(|p| p.solved)?;
            if differs(&least.y, &own) {
                other.clone_from(&least.y);
            }
            own = self.followed(&arrays, &own, &other);
            let mut rival = least.value;
            if !differs(&least.y, &own) && differs(&other, &own) {
                // on its own side of the tie y is the only solution: the other one, followed there, tells how far it is
                other = self.followed(&arrays, &other, &own);
                rival = self.lower.value_at(&arrays, &other)?.value;
            }
            let gap = self.lower.value_at(&arrays, &own)?.value - rival;
            let drop = self.drop_to(&arrays, least.value);
            // at a tie all of these vanish, so that the largest gap counts, too
            scale = scale.max(gap.abs()).max(drop).max(least.value.abs());
            if gap.abs() <= NONE * scale {
                let point = self.at(&x, &[&own, &other], effort)?;
                return Some(ReducedPoint { tied: true, ..point });
            }
            let ([_, at_y], [_, at_least]) = (self.slopes(&arrays, &own)?, self.slopes(&arrays, &other)?);
            let slope: Vec<f64> = at_y.iter().zip(&at_least).map(|(a, b)| a - b).collect();
            let free: Vec<f64> = slope.iter().zip(&self.scales).map(|(g, s)| g * s).collect();
            let square: f64 = free.iter().map(|g| g * g).sum();
            if square == 0.0 || !square.is_finite() {
                return None;
            }
            for ((x, g), s) in x.iter_mut().zip(&free).zip(&self.scales) {
                *x -= gap * g * s / square;
            }
            x = self.space.point(&x).concat();
        }
        None
    }

    /// Where a solution has gone at another x: a well moves with x; a corner stays, and is no solution beyond a tie, where a
    /// solve from it leads to the other one.
    fn followed(&mut self, x: &[Vec<f64>], y: &[Vec<f64>], other: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let stays = |p: &[Vec<f64>]| !differs(p, y) || distance(p, y) < distance(p, other);
        match self.lower.descend(x, y) {
            Some(found) if found.solved && stays(&found.y) => found.y,
            _ => y.to_vec(),
        }
    }

    /// `F_x` and `f_x + g_x` at a point, one entry after the other.
    pub(super) fn slopes(&mut self, x: &[Vec<f64>], y: &[Vec<f64>]) -> Option<[Vec<f64>; 2]> {
        if self.slopes.is_none() {
            let mut p = ProblemGraph::new(self.problem);
            let (at_x, at_y) = (p.x(), p.y());
            let [upper, smooth, proximal] =
                [Part::Upper, Part::Smooth, Part::Proximal].map(|part| p.gradient(part, LevelId::UPPER, &at_x, &at_y));
            let lower = p.plus(&smooth, &proximal);
            let like = at_x.nodes.iter().cycle();
            let changes = upper.into_iter().chain(lower).zip(like);
            let outputs: Vec<NodeId> = changes.map(|(change, like)| p.or_zero(change, *like)).collect();
            let function = p.function("slopes of both objectives in x", &outputs);
            self.slopes = BoundProgram::new(&function, self.problem, self.data, self.threads).ok();
        }
        let machine = self.slopes.as_mut()?;
        for (variable, values) in self.problem.variables().zip(x.iter().chain(y)) {
            machine.set(variable.formal, values);
        }
        machine.run();
        self.lower.spent += machine.flops() as f64;
        let part = |first: usize| (first..first + x.len()).flat_map(|i| machine.output(i).to_vec()).collect();
        Some([part(0), part(x.len())])
    }
}
