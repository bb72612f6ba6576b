//! Penalties whose logarithm is the upper variable, as in `exp(x)*norm1(y)`: where the weights hold a variable within `exp`
//! only, they are taken as functions of the penalty `exp(x)` itself.

use blo_engine::elementwise;
use blo_engine::graph::{Function, Graph, NodeId, Op};
use blo_engine::model::problem::Problem;

/// The least penalty where no bound says one: that of zero has no logarithm.
const LEAST: f64 = 1e-12;

/// The upper variables, in their order: true for logarithms of penalties.
pub(super) fn logarithms(problem: &Problem) -> Vec<bool> {
    let weights = || problem.lower().terms.iter().map(|t| &t.weight);
    let of = |input: usize| {
        let used = weights().any(|f| f.depends_on(input));
        used && weights().all(|f| is_within_exp(f, input))
    };
    problem.upper_inputs().into_iter().map(of).collect()
}

fn is_within_exp(f: &Function, input: usize) -> bool {
    let (g, x) = (f.graph(), f.input(input));
    let reached = g.reachable(f.outputs());
    let mut users = g.ids().filter(|id| reached[id.0 as usize] && g.args(*id).contains(&x));
    users.all(|id| is_exp(g, id)) && !f.outputs().contains(&x)
}

fn is_exp(g: &Graph, id: NodeId) -> bool {
    matches!(g.op(id), Op::Elementwise(elementwise::EXP))
}

/// A weight with the penalties in the place of their logarithms.
pub(super) fn of_penalties(f: &Function, problem: &Problem) -> Function {
    let marks = logarithms(problem).into_iter().zip(problem.upper_inputs()).filter(|(is, _)| *is);
    let replaced: Vec<NodeId> = marks.map(|(_, input)| f.input(input)).collect();
    let from = f.graph();
    let mut g = Graph::new();
    let mut place: Vec<NodeId> = Vec::new();
    for id in from.ids() {
        let args: Vec<NodeId> = from.args(id).iter().map(|a| place[a.0 as usize]).collect();
        place.push(match from.op(id) {
            Op::Input(i) => g.input(*i as usize, from.shape(id).clone(), f.inputs[*i as usize].elem),
            _ if is_exp(from, id) && replaced.contains(&from.args(id)[0]) => args[0],
            op => g.push(op.clone(), args, from.shape(id).clone()),
        });
    }
    let outputs: Vec<NodeId> = f.outputs().iter().map(|o| place[o.0 as usize]).collect();
    Function::new(f.name.clone(), &g, f.inputs.clone(), &outputs)
}

/// An entry of an upper variable as a penalty.
pub(super) fn penalty(is_logarithm: bool, x: f64) -> f64 {
    if is_logarithm { x.exp() } else { x }
}

/// A penalty as an entry of an upper variable between its bounds.
pub(super) fn entry(is_logarithm: bool, penalty: f64, [low, high]: [f64; 2]) -> f64 {
    let x = if is_logarithm { penalty.max(LEAST).ln() } else { penalty };
    x.clamp(low, high)
}
