//! Reverse mode: adjoints flow from outputs to inputs. One rule per operation says what an operand receives from the
//! adjoint of the result; the sweep adds up what arrives over several ways.

use std::sync::Arc;

use super::{ReductionDerivative, between, others, repeat};
use crate::elementwise;
use crate::graph::verify::verify;
use crate::graph::{ConvPart, Elem, Formal, Function, Graph, Node, NodeId, Op};
use crate::shape::Dim;

/// The gradient of the scalar output 0: the same inputs, one output per input in `wrt`, of its shape.
///
/// ```
/// use blo_engine::prelude::*;
///
/// // f(x) = sum(x .* x); its gradient is 2 x.
/// let shape = Shape(vec![Dim::constant(2)]);
/// let mut g = Graph::new();
/// let x = g.input(0, shape.clone(), Elem::Real);
/// let square = g.mul(x, x);
/// let sum = g.sum_all(square);
/// let f = Function::new("f", &g, vec![Formal { name: "x".into(), shape, elem: Elem::Real }], &[sum]);
/// let df = gradient(&f, &[0]);
/// let at = [oracle::Value::Real(Tensor::new(vec![2], vec![3.0, -1.0]))];
/// assert_eq!(oracle::evaluate::<f64>(&df, &Sizes::new(), &at)[0].values, [6.0, -2.0]);
/// ```
pub fn gradient(f: &Function, wrt: &[usize]) -> Function {
    assert!(f.output_shape(0).is_scalar(), "{} has a gradient only if it is a number", f.name);
    let f = f.select(&[0]);
    let mut g = f.graph().clone();
    let one = g.constant(1.0);
    let outputs = sweep(&f, &mut g, wrt, &[one]);
    finish(format!("gradient of {}", f.name), &g, f.inputs.clone(), &outputs)
}

/// The product of the transposed Jacobian with an adjoint: the inputs and one adjoint per output; one output per input
/// in `wrt`, of its shape.
pub fn vjp(f: &Function, wrt: &[usize]) -> Function {
    let mut g = f.graph().clone();
    let mut inputs = f.inputs.clone();
    let adjoints: Vec<NodeId> = (0..f.outputs().len())
        .map(|output| {
            let name = match f.outputs().len() {
                1 => format!("adjoint of {}", f.name),
                _ => format!("adjoint of {}, output {}", f.name, output + 1),
            };
            let shape = f.output_shape(output).clone();
            inputs.push(Formal { name, shape: shape.clone(), elem: Elem::Real });
            g.input(inputs.len() - 1, shape, Elem::Real)
        })
        .collect();
    let outputs = sweep(f, &mut g, wrt, &adjoints);
    finish(format!("vjp of {}", f.name), &g, inputs, &outputs)
}

pub(super) fn finish(name: String, g: &Graph, inputs: Vec<Formal>, outputs: &[NodeId]) -> Function {
    let result = Function::new(name, g, inputs, outputs);
    debug_assert_eq!(verify(&result), Ok(()));
    result
}

/// Adjoints of the inputs in `wrt`, from those of the outputs; `g` starts as the arena of `f`.
fn sweep(f: &Function, g: &mut Graph, wrt: &[usize], seeds: &[NodeId]) -> Vec<NodeId> {
    let active = between(f, wrt);
    let mut adjoints: Vec<Option<NodeId>> = vec![None; f.graph().len()];
    for (output, seed) in f.outputs().iter().zip(seeds) {
        receive(g, &mut adjoints, *output, *seed);
    }
    for id in f.graph().ids().rev().filter(|id| active[id.0 as usize]) {
        let Some(adjoint) = adjoints[id.0 as usize] else { continue };
        g.span = f.graph().span_of(id);
        let operands = f.graph().args(id);
        let wanted: Vec<bool> = operands.iter().map(|a| active[a.0 as usize]).collect();
        let contributions = if operands.is_empty() { Vec::new() } else { pull(g, id, adjoint, &wanted) };
        for ((operand, wanted), contribution) in operands.iter().zip(&wanted).zip(contributions) {
            if let Some(c) = contribution.filter(|_| *wanted) {
                receive(g, &mut adjoints, *operand, c);
            }
        }
    }
    let arrived = |g: &mut Graph, input: &usize| {
        adjoints[f.input(*input).0 as usize].unwrap_or_else(|| g.filled(0.0, &f.inputs[*input].shape))
    };
    wrt.iter().map(|input| arrived(g, input)).collect()
}

fn receive(g: &mut Graph, adjoints: &mut [Option<NodeId>], id: NodeId, contribution: NodeId) {
    let slot = &mut adjoints[id.0 as usize];
    *slot = Some(match *slot {
        None => contribution,
        Some(sum) => g.add(sum, contribution),
    });
}

/// The rules: what each operand of a node receives from the node's adjoint.
fn pull(g: &mut Graph, id: NodeId, adjoint: NodeId, wanted: &[bool]) -> Vec<Option<NodeId>> {
    let Node { op, args, shape, .. } = g.node(id).clone();
    let operand = g.shape(args[0]).clone();
    let single = match &op {
        Op::Input(_) | Op::Const(_) | Op::Size(_) | Op::Iota => unreachable!("nodes without operands pass nothing on"),
        Op::Elementwise(f) if *f == elementwise::SELECT => return branches(g, &args, adjoint),
        Op::Elementwise(f) => {
            let partials = (f.entry().partials)(g, &args, id);
            return partials.into_iter().map(|p| p.map(|p| g.mul(adjoint, p))).collect();
        }
        Op::MatMul => return factors(g, &args, adjoint, wanted),
        Op::Transpose(perm) => {
            let mut inverse = vec![0; perm.len()];
            perm.iter().enumerate().for_each(|(i, p)| inverse[*p as usize] = i as u8);
            g.permute(adjoint, &inverse)
        }
        Op::Reduce(how, axes) => match ReductionDerivative::of(g, *how, *axes, args[0], id) {
            None => repeat(g, adjoint, *axes, args[0]),
            Some(derivative) => {
                let share = derivative.divide(g, adjoint);
                let share = repeat(g, share, *axes, args[0]);
                g.mul(share, derivative.weights)
            }
        },
        Op::Broadcast(axes) => g.sum(adjoint, others(&shape, *axes)),
        Op::Reshape => g.reshape(adjoint, &operand),
        Op::Slice { axis, start, step } => g.pad(adjoint, *axis as usize, start, *step, &operand.0[*axis as usize]),
        Op::Pad { axis, start, step } => g.slice(adjoint, *axis as usize, start, *step, &operand.0[*axis as usize]),
        Op::Concat(axis) => return parts(g, &args, adjoint, *axis as usize),
        Op::Gather(axis) => {
            let length = operand.0[*axis as usize].clone();
            g.scatter(adjoint, args[1], *axis as usize, &length)
        }
        Op::Scatter(axis) => g.gather(adjoint, args[1], *axis as usize),
        Op::Conv { part, stride, padding } => return convolved(g, (*part, *stride, *padding), &args, adjoint, wanted),
        // Where the largest entries are changes only at kinks.
        Op::Pick(windows) => return vec![None, Some(g.put(*windows, args[0], adjoint))],
        Op::Put(windows) => {
            let counts = [1, 2].map(|axis| g.shape(args[1]).0[axis].clone());
            return vec![None, Some(g.pick(*windows, args[0], adjoint, counts))];
        }
        Op::Prox(kernel) => return (kernel.entry().vjp)(g, &args, id, adjoint),
        Op::Map { body, mapped, output } => {
            return mapped_operands(g, body, mapped, *output as usize, &args, adjoint, wanted);
        }
    };
    vec![Some(single)]
}

/// The branch taken receives the adjoint. Not the product with a partial: that makes `0 * inf` of a branch not taken.
fn branches(g: &mut Graph, args: &[NodeId], adjoint: NodeId) -> Vec<Option<NodeId>> {
    let zero = g.constant(0.0);
    let first = g.elementwise(elementwise::SELECT, &[args[0], adjoint, zero]);
    let second = g.elementwise(elementwise::SELECT, &[args[0], zero, adjoint]);
    vec![None, Some(first), Some(second)]
}

fn factors(g: &mut Graph, args: &[NodeId], adjoint: NodeId, wanted: &[bool]) -> Vec<Option<NodeId>> {
    let left = wanted[0].then(|| {
        let b = g.transpose(args[1]);
        g.matmul(adjoint, b)
    });
    let right = wanted[1].then(|| {
        let a = g.transpose(args[0]);
        g.matmul(a, adjoint)
    });
    vec![left, right]
}

/// The form is linear in each array: an operand receives the derivative in itself, with the adjoint in the place of the
/// result.
fn convolved(
    g: &mut Graph,
    (part, stride, padding): (ConvPart, u32, u32),
    args: &[NodeId],
    adjoint: NodeId,
    wanted: &[bool],
) -> Vec<Option<NodeId>> {
    let known = [(part.others()[0], args[0]), (part.others()[1], args[1]), (part, adjoint)];
    let mut receive = |k: usize| {
        let wrt = part.others()[k];
        let of = |p: ConvPart| known.iter().find(|(q, _)| *q == p).map(|(_, id)| *id).expect("three arrays");
        let shape = g.shape(args[k]).clone();
        g.conv(wrt, stride, padding, wrt.others().map(of), &shape)
    };
    (0..2).map(|k| wanted[k].then(|| receive(k))).collect()
}

fn parts(g: &mut Graph, args: &[NodeId], adjoint: NodeId, axis: usize) -> Vec<Option<NodeId>> {
    let mut start = Dim::constant(0);
    let mut part = |a: &NodeId| {
        let length = g.shape(*a).0[axis].clone();
        let piece = g.slice(adjoint, axis, &start, 1, &length);
        start = start.add(&length).expect("the length of a concatenation is a dimension, so its parts' starts are");
        Some(piece)
    };
    args.iter().map(&mut part).collect()
}

/// A Map's operands receive Maps of the body's vjp; what a shared operand receives is summed over the slices.
fn mapped_operands(
    g: &mut Graph,
    body: &Arc<Function>,
    mapped: &[bool],
    output: usize,
    args: &[NodeId],
    adjoint: NodeId,
    wanted: &[bool],
) -> Vec<Option<NodeId>> {
    let wrt: Vec<usize> = (0..args.len()).filter(|k| wanted[*k] && body.output_depends_on(output, &[*k])).collect();
    let pullback = Arc::new(vjp(&body.select(&[output]), &wrt));
    let mapped_and_adjoint = [mapped, &[true]].concat();
    let operands = [args, &[adjoint]].concat();
    let mut received = vec![None; args.len()];
    for (position, k) in wrt.into_iter().enumerate() {
        let slices = g.map(&pullback, &mapped_and_adjoint, position, &operands);
        received[k] = Some(if mapped[k] { slices } else { g.sum(slices, 1) });
    }
    received
}
