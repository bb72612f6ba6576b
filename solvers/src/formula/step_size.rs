//! Step sizes of the lower level with a diagonal metric. A metric belongs to the coordinates: with `P` the inverse of the
//! Hessian's diagonal, what a method does no longer depends on the scale of the columns of the data. It may differ by
//! entry only where the prox and the set are separable; elsewhere it is one number per variable.

use blo_engine::graph::{Graph, NodeId};
use blo_engine::model::problem::Variable;
use blo_engine::prox::Boxes;
use blo_engine::shape::Shape;

use crate::formula::problem_graph::{Block, Direction, ProblemGraph};
use blo_engine::model::problem::LevelId;

/// A step size: a number, times a diagonal metric where a method uses one.
#[derive(Clone, Debug)]
pub(crate) struct StepSize {
    pub(crate) number: NodeId,
    pub(crate) metric: Option<Block>,
}

impl From<NodeId> for StepSize {
    fn from(number: NodeId) -> StepSize {
        StepSize { number, metric: None }
    }
}

impl StepSize {
    /// The step of a variable, by its place in the level.
    pub(crate) fn of(&self, g: &mut Graph, variable: usize) -> NodeId {
        match &self.metric {
            None => self.number,
            Some(metric) => g.mul(self.number, metric.nodes[variable]),
        }
    }
}

/// True when steps may differ between the entries of a lower variable.
pub(crate) fn is_separable(variable: &Variable) -> bool {
    let prox = variable.prox.as_ref().is_none_or(|p| p.map.entry.boxes == Boxes::Any);
    let set = variable.set.as_ref().is_none_or(|s| s.set.is_box);
    prox && set
}

impl ProblemGraph<'_> {
    /// Inputs for a metric of the lower level: one per variable, of its shape where it is separable, else a number.
    pub(crate) fn metric(&mut self, name: &str) -> Block {
        let shape = |v: &Variable| if is_separable(v) { v.shape.clone() } else { Shape::default() };
        self.inputs(name, LevelId::LOWER, &shape)
    }

    /// The sum of `a .* b ./ P` over all entries, P the metric: the inner product of two directions.
    pub(crate) fn inner(&mut self, a: &Direction, b: &Direction, metric: &Block) -> NodeId {
        let mut total = None;
        for (i, (a, b)) in a.iter().zip(b).enumerate() {
            let (Some(a), Some(b)) = (a, b) else { continue };
            let product = self.graph.mul(*a, *b);
            let scaled = self.graph.div(product, metric.nodes[i]);
            let sum = self.graph.sum_all(scaled);
            total = Some(total.map_or(sum, |t| self.graph.add(t, sum)));
        }
        total.unwrap_or_else(|| self.graph.constant(0.0))
    }

    /// `P .* a`.
    pub(crate) fn scaled(&mut self, a: &Direction, metric: &Block) -> Direction {
        let each = a.iter().zip(&metric.nodes);
        each.map(|(a, p)| a.map(|a| self.graph.mul(a, *p))).collect()
    }
}
