//! A step size that needs no constant, for methods that descend along any direction: from how much the direction turned
//! over the last move. Malitsky and Mishchenko, "Adaptive proximal gradient method for convex optimization", NeurIPS 2024,
//! Algorithm 1:
//! `s+ = min( sqrt(2/3 + theta) s, s/sqrt(max(2 s^2 L^2 - 1, 0)) )`, `L = |d - d_before|/|z - z_before|`, `theta+ = s+/s`.
//! The theory is for gradients of convex functions; a penalty method's direction is one only while its weights rest.

use blo_engine::elementwise;
use blo_engine::graph::NodeId;
use blo_engine::model::problem::LevelId;

use crate::formula::problem_graph::{Block, Direction, ProblemGraph, StartsAt};

/// The first move is this share of the point's length, or of 1 for a shorter point: long enough to see the direction turn.
const FIRST_MOVE: f64 = 0.1;

/// `theta` of the first step.
const FIRST_RATIO: f64 = 1.0 / 3.0;

/// The state that the rule remembers.
pub(crate) struct AdaptiveStep {
    step: NodeId,
    ratio: NodeId,
    /// The last point and the last direction, per level.
    points: Vec<Block>,
    directions: Vec<Block>,
}

impl AdaptiveStep {
    /// Declares the state, for points made of these levels. The first step is taken where the state is zero.
    pub(crate) fn declare(p: &mut ProblemGraph<'_>, name: &str, levels: &[LevelId]) -> AdaptiveStep {
        let step = p.number_state(name);
        let ratio = p.number_state(&format!("growth of {name}"));
        let mut blocks =
            |what: &str| -> Vec<Block> { levels.iter().map(|level| p.state(what, *level, StartsAt::Zero)).collect() };
        let (points, directions) = (blocks("before"), blocks("direction before"));
        AdaptiveStep { step, ratio, points, directions }
    }

    /// The position of the step size among the inputs.
    pub(crate) fn input(&self, p: &ProblemGraph<'_>) -> usize {
        p.position(self.step)
    }

    /// The step size in use, and what becomes of the state.
    pub(crate) fn next(
        &self,
        p: &mut ProblemGraph<'_>,
        points: &[&Block],
        directions: &[&Direction],
    ) -> (NodeId, Vec<(Block, Block)>) {
        let zero = p.graph.constant(0.0);
        let (mut moved, mut turned, mut size, mut slope) = (zero, zero, zero, zero);
        let mut writes = Vec::new();
        for (i, (point, direction)) in points.iter().zip(directions).enumerate() {
            let nodes = direction.iter().zip(&point.nodes).map(|(d, like)| p.or_zero(*d, *like)).collect();
            let direction = Block { name: format!("direction of {}", point.name), nodes };
            let sums = [
                p.difference(point, &self.points[i]),
                p.difference(&direction, &self.directions[i]),
                point.nodes.iter().map(|n| Some(*n)).collect(),
                direction.nodes.iter().map(|n| Some(*n)).collect(),
            ];
            let totals = [&mut moved, &mut turned, &mut size, &mut slope];
            for (total, change) in totals.into_iter().zip(sums) {
                let squares = p.norm_squared(&change);
                *total = p.graph.add(*total, squares);
            }
            writes.push((self.points[i].clone(), (*point).clone()));
            writes.push((self.directions[i].clone(), direction));
        }
        let first = first_step(p, size, slope);
        let later = self.later_step(p, moved, turned);
        let step = p.select(self.step, later, first);
        p.graph.label(step, "step size");
        let ratio = p.graph.div(step, self.step);
        let first_ratio = p.graph.constant(FIRST_RATIO);
        let ratio = p.select(self.step, ratio, first_ratio);
        let number = |name: &str, node| Block { name: name.to_string(), nodes: vec![node] };
        writes.push((number("step", self.step), number("step+", step)));
        writes.push((number("growth", self.ratio), number("growth+", ratio)));
        (step, writes)
    }

    /// The rule; a point that has not moved keeps its step.
    fn later_step(&self, p: &mut ProblemGraph<'_>, moved: NodeId, turned: NodeId) -> NodeId {
        let g = &mut p.graph;
        let (zero, one, two_thirds) = (g.constant(0.0), g.constant(1.0), g.constant(2.0 / 3.0));
        let growth = g.add(two_thirds, self.ratio);
        let growth = g.elementwise(elementwise::SQRT, &[growth]);
        let longest = g.mul(growth, self.step);
        let curvature = g.elementwise(elementwise::SAFE_DIV, &[turned, moved]);
        let square = g.mul(self.step, self.step);
        let product = g.mul(square, curvature);
        let product = g.scale(2.0, product);
        let excess = g.sub(product, one);
        let excess = g.elementwise(elementwise::MAX, &[excess, zero]);
        let root = g.elementwise(elementwise::SQRT, &[excess]);
        let bound = g.div(self.step, root);
        let step = g.elementwise(elementwise::MIN, &[longest, bound]);
        p.select(moved, step, self.step)
    }
}

/// `FIRST_MOVE max(1, |z|)/|d|`; zero where the direction is.
fn first_step(p: &mut ProblemGraph<'_>, size: NodeId, slope: NodeId) -> NodeId {
    let g = &mut p.graph;
    let [size, slope] = [size, slope].map(|squares| g.elementwise(elementwise::SQRT, &[squares]));
    let one = g.constant(1.0);
    let size = g.elementwise(elementwise::MAX, &[size, one]);
    let reach = g.scale(FIRST_MOVE, size);
    g.elementwise(elementwise::SAFE_DIV, &[reach, slope])
}
