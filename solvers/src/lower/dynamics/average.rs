//! An average of a step on the upper objective and one on the lower objective, and the weight that the theory gives it.

use blo_engine::graph::NodeId;
use blo_engine::model::problem::LevelId;

use super::gradient::lower_step;
use crate::formula::problem_graph::{Block, Part, ProblemGraph};
use crate::formula::step_size::StepSize;
use crate::lower::step_sizes::EstimatedSteps;
use crate::options::settings::Settings;

/// Contraction factor of the upper step where the curvature of F in y does not show strong convexity: the rule needs one
/// below 1.
const CONTRACTION: f64 = 0.5;

/// `w Proj_Y(y - s_u F_y) + (1 - w) prox_{s_l g~}(y - s_l f_y)`
pub(super) fn average(p: &mut ProblemGraph<'_>, s_u: NodeId, s_l: NodeId, w: NodeId) -> Block {
    let (x, y) = (p.x(), p.y());
    let big_f_y = p.gradient(Part::Upper, LevelId::LOWER, &x, &y);
    let v = p.descend(&y, &StepSize::from(s_u), &big_f_y);
    let upper = p.project_lower(&v, "y_u");
    let lower = lower_step(p, &x, &y, &s_l.into(), "y_l");
    // lower + w (upper - lower)
    let difference = p.difference(&upper, &lower);
    let parts = lower.nodes.iter().zip(difference);
    let node = |(lower, d): (&NodeId, Option<NodeId>)| match d {
        None => *lower,
        Some(d) => {
            let part = p.graph.mul(w, d);
            p.graph.add(*lower, part)
        }
    };
    let nodes: Vec<NodeId> = parts.map(node).collect();
    Block { name: "y+".to_string(), nodes }
}

/// The weight of [BDA] Proposition 1, from the contraction factor of the upper step.
pub(super) struct Proposition {
    /// The contraction factor that the options state.
    pub(super) stated: Option<f64>,
    /// A weight is at most 1 minus this.
    eps: f64,
}

impl Proposition {
    pub(super) fn of(settings: &Settings) -> Proposition {
        let stated = settings.get("beta").value.is_some().then(|| settings.number("beta"));
        Proposition { stated, eps: settings.number("eps") }
    }

    /// The contraction factor: stated, or as the curvature of F shows it.
    pub(super) fn contraction(&self, sizes: &EstimatedSteps) -> f64 {
        match self.stated {
            Some(beta) => beta,
            None if sizes.contraction < 1.0 => sizes.contraction,
            None => CONTRACTION,
        }
    }

    /// `min(2 gamma/(k (1 - beta)), 1 - eps)`: the paper's `2 gamma/k(1-beta)` is read so; Sabach and Shtern, SIAM J.
    /// Optim. 2017, have `gamma = 1`.
    pub(super) fn weight(&self, gamma: f64, beta: f64, k: u64) -> f64 {
        (2.0 * gamma / (k as f64 * (1.0 - beta))).min(1.0 - self.eps)
    }

    /// The weight of a step, or by the rule where that step leaves F out.
    pub(super) fn or_weight(&self, weight: f64, sizes: &EstimatedSteps, k: u64) -> f64 {
        if weight > 0.0 { weight } else { self.weight(1.0, self.contraction(sizes), k) }
    }
}
