//! Bilevel descent aggregation: R. Liu, Mu, Yuan, Zeng, Zhang, ICML 2020, eq. (10):
//! `y+ = y - (alpha_k s_u F_y + (1 - alpha_k) s_l f_y)`, k from 1.
//!
//! With a proximal part or a set, `alpha_k Proj_Y(y - s_u F_y) + (1 - alpha_k) prox_{s_l g~}(y - s_l f_y)`, which is
//! eq. (10) where there is neither, and stays in a convex Y. The paper's eq. (13) prints the weights the other way
//! round, so that the vanishing one falls on the lower level, which would be forgotten; the weight on F vanishes here.

use blo_engine::graph::NodeId;

use super::gradient::lower_step;
use super::{Dynamics, Parts, Sizes, number};
use crate::formula::problem_graph::{Block, Part, ProblemGraph};
use crate::formula::step_size::StepSize;
use crate::options::settings::Settings;
use blo_engine::model::problem::LevelId;

/// Weight on F where neither it nor the contraction factor is stated: the paper's.
const WEIGHT: f64 = 0.5;

pub(super) const AGGREGATE: Dynamics = Dynamics {
    name: "aggregate",
    lower_only: false,
    step: |p| {
        let [s_u, s_l, alpha] = ["s_u", "s_l", "alpha"].map(|name| p.scalar(name));
        Parts { next: vec![average(p, s_u, s_l, alpha)], memory: Vec::new(), scalars: vec![s_u, s_l, alpha] }
    },
    numbers: |settings, sizes, k, _, row| {
        row[0] = number(settings, "s_u", k, sizes.upper);
        row[1] = number(settings, "s_l", k, sizes.lower);
        row[2] = number(settings, "alpha", k, weight(settings, k));
    },
};

/// The contraction factor of the upper step is at most this where F is not found strongly convex in y: the rule needs
/// one below 1.
const CONTRACTION: f64 = 0.5;

fn weight(settings: &Settings, k: u64) -> f64 {
    match settings.get("beta").value {
        None => WEIGHT / k as f64,
        Some(_) => proposition(settings, settings.number("gamma"), settings.number("beta"), k),
    }
}

/// `min(2 gamma/(k (1 - beta)), 1 - eps)`: [BDA] Proposition 1, whose `2 gamma/k(1-beta)` is read so; Sabach and Shtern,
/// SIAM J. Optim. 2017, have `gamma = 1`.
pub(super) fn proposition(settings: &Settings, gamma: f64, beta: f64, k: u64) -> f64 {
    (2.0 * gamma / (k as f64 * (1.0 - beta))).min(1.0 - settings.number("eps"))
}

/// The contraction factor of the upper step: stated, or as it was found.
pub(super) fn contraction(settings: &Settings, sizes: &Sizes) -> f64 {
    match settings.get("beta").value {
        Some(_) => settings.number("beta"),
        None if sizes.contraction < 1.0 => sizes.contraction,
        None => CONTRACTION,
    }
}

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
