//! Forward mode: tangents flow from inputs to outputs. A node without a tangent does not depend on the inputs, and no
//! work is made for it. Hessian-vector products are forward over reverse.

use std::sync::Arc;

use super::reverse::{finish, gradient};
use super::{ReductionDerivative, between};
use crate::elementwise;
use crate::graph::{Elem, Formal, Function, Graph, Node, NodeId, Op};

/// The product of the Jacobian with a tangent: the inputs and one tangent per input in `wrt`; one output per output of
/// `f`, of its shape.
pub fn jvp(f: &Function, wrt: &[usize]) -> Function {
    let mut g = f.graph().clone();
    let mut inputs = f.inputs.clone();
    let active = between(f, wrt);
    let mut tangents: Vec<Option<NodeId>> = vec![None; f.graph().len()];
    for input in wrt {
        let formal = &f.inputs[*input];
        let (name, shape) = (format!("tangent of {}", formal.name), formal.shape.clone());
        inputs.push(Formal { name, shape: shape.clone(), elem: Elem::Real });
        tangents[*input] = Some(g.input(inputs.len() - 1, shape, Elem::Real));
    }
    for id in f.graph().ids().filter(|id| active[id.0 as usize]) {
        if f.input_position(id).is_none() {
            g.span = f.graph().span_of(id);
            let operands: Vec<_> = f.graph().args(id).iter().map(|a| tangents[a.0 as usize]).collect();
            tangents[id.0 as usize] = push(&mut g, id, &operands);
        }
    }
    let arrived = |g: &mut Graph, o: &NodeId| {
        tangents[o.0 as usize].unwrap_or_else(|| {
            let shape = g.shape(*o).clone();
            g.filled(0.0, &shape)
        })
    };
    let outputs: Vec<NodeId> = f.outputs().iter().map(|o| arrived(&mut g, o)).collect();
    finish(format!("jvp of {}", f.name), &g, inputs, &outputs)
}

/// The product of the Hessian of the scalar output 0 with a tangent: the inputs and one tangent per input in `wrt`; one
/// output per input in `wrt`, of its shape.
pub fn hvp(f: &Function, wrt: &[usize]) -> Function {
    jvp(&gradient(f, wrt), wrt).named(format!("hvp of {}", f.name))
}

/// The rules: a node's tangent from those of its operands; `None` is zero.
fn push(g: &mut Graph, id: NodeId, tangents: &[Option<NodeId>]) -> Option<NodeId> {
    let Node { op, args, shape, .. } = g.node(id).clone();
    match &op {
        Op::Input(_) | Op::Const(_) | Op::Size(_) | Op::Iota => None,
        Op::Elementwise(f) if *f == elementwise::SELECT => branch(g, args[0], tangents),
        Op::Elementwise(f) => {
            let partials = (f.entry().partials)(g, &args, id);
            let terms = partials.into_iter().zip(tangents).map(|(p, t)| Some((p?, (*t)?)));
            let terms: Vec<_> = terms.flatten().collect();
            total(g, terms, |g, (p, t)| g.mul(t, p))
        }
        Op::MatMul => {
            let terms = [tangents[0].map(|t| (t, args[1])), tangents[1].map(|t| (args[0], t))];
            total(g, terms.into_iter().flatten(), |g, (a, b)| g.matmul(a, b))
        }
        Op::Conv { part, stride, padding } => {
            let terms = [tangents[0].map(|t| [t, args[1]]), tangents[1].map(|t| [args[0], t])];
            total(g, terms.into_iter().flatten(), |g, operands| g.conv(*part, *stride, *padding, operands, &shape))
        }
        // Where the largest entries are changes only at kinks.
        Op::Pick(_) | Op::Put(_) => Some(g.push(op, vec![args[0], tangents[1]?], shape)),
        Op::Reduce(how, axes) => {
            let t = tangents[0]?;
            Some(match ReductionDerivative::of(g, *how, *axes, args[0], id) {
                None => g.sum(t, *axes),
                Some(derivative) => {
                    let weighted = g.mul(derivative.weights, t);
                    let sum = g.sum(weighted, *axes);
                    derivative.divide(g, sum)
                }
            })
        }
        // Linear in the first operand: the same operation on its tangent.
        Op::Transpose(_) | Op::Broadcast(_) | Op::Reshape | Op::Slice { .. } | Op::Pad { .. } => {
            Some(g.push(op, vec![tangents[0]?], shape))
        }
        Op::Gather(_) | Op::Scatter(_) => Some(g.push(op, vec![tangents[0]?, args[1]], shape)),
        Op::Concat(_) => {
            let parts = args.iter().zip(tangents).map(|(a, t)| or_zero(g, *t, *a)).collect();
            Some(g.push(op, parts, shape))
        }
        Op::Prox(kernel) => (kernel.entry().jvp)(g, &args, id, tangents),
        Op::Map { body, mapped, output } => mapped_slices(g, body, mapped, *output as usize, &args, tangents),
    }
}

fn total<T>(
    g: &mut Graph,
    terms: impl IntoIterator<Item = T>,
    term: impl Fn(&mut Graph, T) -> NodeId,
) -> Option<NodeId> {
    let mut sum = None;
    for t in terms {
        let value = term(g, t);
        sum = Some(sum.map_or(value, |s| g.add(s, value)));
    }
    sum
}

fn or_zero(g: &mut Graph, tangent: Option<NodeId>, like: NodeId) -> NodeId {
    tangent.unwrap_or_else(|| {
        let shape = g.shape(like).clone();
        g.filled(0.0, &shape)
    })
}

/// The tangent of the branch taken. Not a product with a partial: that makes `0 * inf` of a branch not taken.
fn branch(g: &mut Graph, condition: NodeId, tangents: &[Option<NodeId>]) -> Option<NodeId> {
    let like = tangents[1].or(tangents[2])?;
    let first = or_zero(g, tangents[1], like);
    let second = or_zero(g, tangents[2], like);
    Some(g.elementwise(elementwise::SELECT, &[condition, first, second]))
}

/// A Map of the body's jvp; a tangent is mapped where its operand is.
fn mapped_slices(
    g: &mut Graph,
    body: &Arc<Function>,
    mapped: &[bool],
    output: usize,
    args: &[NodeId],
    tangents: &[Option<NodeId>],
) -> Option<NodeId> {
    let moving = |k: &usize| tangents[*k].is_some() && body.output_depends_on(output, &[*k]);
    let wrt: Vec<usize> = (0..args.len()).filter(moving).collect();
    if wrt.is_empty() {
        return None;
    }
    let pushforward = Arc::new(jvp(&body.select(&[output]), &wrt));
    let marks: Vec<bool> = mapped.iter().copied().chain(wrt.iter().map(|k| mapped[*k])).collect();
    let operands: Vec<NodeId> = args.iter().copied().chain(wrt.iter().filter_map(|k| tangents[*k])).collect();
    Some(g.map(&pushforward, &marks, 0, &operands))
}
