//! Differentiation from function to function. What goes in and comes out is a [`Function`]
//! with formal inputs, never nodes of an iteration: those would give total derivatives. Derivatives are ordinary
//! functions, so they are differentiated again for higher orders. Forward nodes are shared by hash-consing.

pub mod forward;
pub mod reverse;

#[cfg(test)]
pub(crate) mod tests;

pub use forward::{hvp, jvp};
pub use reverse::{gradient, vjp};

use crate::elementwise;
use crate::graph::all_axes;
use crate::graph::{Elem, Function, Graph, NodeId, Reduction};
use crate::shape::Shape;

/// The nodes on a way from the given inputs to an output: only these are differentiated.
fn between(f: &Function, wrt: &[usize]) -> Vec<bool> {
    let g = f.graph();
    let mut on_the_way = g.reachable(f.outputs());
    let mut influenced = vec![false; g.len()];
    for input in wrt {
        assert_eq!(f.inputs[*input].elem, Elem::Real, "only numbers are differentiated: {}", f.inputs[*input].name);
        influenced[f.input(*input).0 as usize] = true;
    }
    for id in g.ids() {
        let place = id.0 as usize;
        influenced[place] |= g.args(id).iter().any(|a| influenced[a.0 as usize]);
        on_the_way[place] &= influenced[place];
    }
    on_the_way
}

/// What both directions need of a reduction that is not a sum, with `x` its operand and `value` its result: weights
/// `w` of the operand's shape and, where it saves work, a divisor of the result's shape, such that the derivative is
/// `sum(w .* dx) ./ divisor`.
struct ReductionDerivative {
    weights: NodeId,
    divisor: Divisor,
}

/// How to divide the weighted sum.
enum Divisor {
    One,
    By(NodeId),
    /// Zero where the divisor is.
    Safe(NodeId),
}

impl ReductionDerivative {
    fn of(g: &mut Graph, how: Reduction, axes: u8, x: NodeId, value: NodeId) -> Option<ReductionDerivative> {
        let repeated = |g: &mut Graph| repeat(g, value, axes, x);
        Some(match how {
            Reduction::Sum => return None,
            Reduction::Max => {
                let value = repeated(g);
                let attained = g.elementwise(elementwise::EQUAL, &[x, value]);
                let ties = g.sum(attained, axes);
                ReductionDerivative { weights: attained, divisor: Divisor::By(ties) }
            }
            Reduction::LogSumExp => {
                let value = repeated(g);
                let below = g.sub(x, value);
                let softmax = g.elementwise(elementwise::EXP, &[below]);
                ReductionDerivative { weights: softmax, divisor: Divisor::One }
            }
            Reduction::Norm2 => ReductionDerivative { weights: x, divisor: Divisor::Safe(value) },
        })
    }

    fn divide(&self, g: &mut Graph, a: NodeId) -> NodeId {
        match self.divisor {
            Divisor::One => a,
            Divisor::By(b) => g.div(a, b),
            Divisor::Safe(b) => g.elementwise(elementwise::SAFE_DIV, &[a, b]),
        }
    }
}

/// A reduced value repeated along the reduced axes, in the shape of `like`.
fn repeat(g: &mut Graph, value: NodeId, axes: u8, like: NodeId) -> NodeId {
    let shape = g.shape(like).clone();
    g.broadcast(value, others(&shape, axes), &shape)
}

/// The axes that are not in the mask.
fn others(shape: &Shape, axes: u8) -> u8 {
    all_axes(shape) & !axes
}
