//! How a hypergradient moves the upper variables, as a graph: projected gradient descent, momentum, Adam. What moves
//! may be any list of points with their gradients; projections are the caller's.

use blo_engine::elementwise;
use blo_engine::graph::NodeId;
use blo_grammar::ast::Sign;

use crate::formula::problem_graph::ProblemGraph;
use crate::options::schedule::{Formula, Schedule};

/// How a hypergradient moves the upper variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UpperUpdate {
    /// Projected gradient descent.
    Gradient,
    /// Heavy-ball momentum.
    Momentum,
    /// Adam.
    Adam,
}

/// Share of the old direction that momentum keeps.
const MOMENTUM: f64 = 0.9;

/// Kingma and Ba, ICLR 2015: the decays of both averages, and what is added to the root.
const DECAY: [f64; 2] = [0.9, 0.999];
const ADDED: f64 = 1e-8;

impl UpperUpdate {
    /// The values of the option `update`.
    pub(crate) const NAMES: &[&str] = &["gradient", "momentum", "adam"];

    /// By its name.
    pub(crate) fn by_name(name: &str) -> UpperUpdate {
        match name {
            "momentum" => UpperUpdate::Momentum,
            "adam" => UpperUpdate::Adam,
            _ => UpperUpdate::Gradient,
        }
    }

    /// The arrays of a variable's shape that the rule remembers, by name.
    pub(crate) fn memory(self) -> &'static [&'static str] {
        match self {
            UpperUpdate::Gradient => &[],
            UpperUpdate::Momentum => &["m"],
            UpperUpdate::Adam => &["m", "v"],
        }
    }
}

/// A direction: what is subtracted, times the step size, and the memory's next values.
pub(crate) struct UpdateDirection {
    pub(crate) node: NodeId,
    pub(crate) memory: Vec<NodeId>,
}

/// The direction of a gradient; the number of remembered arrays says which rule. `unbiased` are Adam's two corrections `1/(1 - decay^k)`.
pub(crate) fn direction(
    p: &mut ProblemGraph<'_>,
    gradient: NodeId,
    memory: &[NodeId],
    unbiased: [NodeId; 2],
) -> UpdateDirection {
    let g = &mut p.graph;
    match memory {
        [] => UpdateDirection { node: gradient, memory: Vec::new() },
        // v+ = mu v + G (Polyak 1964)
        [v] => {
            let kept = g.scale(MOMENTUM, *v);
            let v_new = g.add(kept, gradient);
            UpdateDirection { node: v_new, memory: vec![v_new] }
        }
        // m+ = b1 m + (1 - b1) G, v+ = b2 v + (1 - b2) G^2, direction m^/(sqrt(v^) + eps)
        [m, v] => {
            let average = |g: &mut blo_engine::graph::Graph, decay: f64, old: NodeId, new: NodeId| {
                let (old, new) = (g.scale(decay, old), g.scale(1.0 - decay, new));
                g.add(old, new)
            };
            let square = g.mul(gradient, gradient);
            let m_new = average(g, DECAY[0], *m, gradient);
            let v_new = average(g, DECAY[1], *v, square);
            let (m_hat, v_hat) = (g.mul(unbiased[0], m_new), g.mul(unbiased[1], v_new));
            let root = g.elementwise(elementwise::SQRT, &[v_hat]);
            let added = g.constant(ADDED);
            let root = g.add(root, added);
            UpdateDirection { node: g.div(m_hat, root), memory: vec![m_new, v_new] }
        }
        _ => unreachable!("no rule remembers more than two arrays"),
    }
}

/// Adam's corrections as schedules: `1/(1 - decay^k)`.
pub(crate) fn correction_schedules() -> [Schedule; 2] {
    DECAY.map(|decay| {
        let power = Formula::Power(Box::new(Formula::Number(decay)), Box::new(Formula::K));
        let rest = Formula::Sum(vec![(Sign::Plus, Formula::Number(1.0)), (Sign::Minus, power)]);
        Schedule::Expression(Formula::Product(vec![(false, Formula::Number(1.0)), (true, rest)]))
    })
}

/// Adam's corrections in iteration `k`, counted from 1.
pub(crate) fn corrections(k: u64) -> [f64; 2] {
    DECAY.map(|decay| 1.0 / (1.0 - decay.powf(k as f64)))
}
