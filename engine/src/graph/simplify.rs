//! Rewrites applied when a node is made. All are exact in IEEE arithmetic (`0 + x` and `0 * x` stay: they differ from
//! `x` and `0` for signed zeros, infinities and NaN), so that a rewritten program gives the same bits.

use super::graph::{Graph, NodeId, all_axes};
use super::op::{Op, Reduction};
use crate::elementwise::{self, Elementwise};
use crate::model::shape::{Dim, Shape};

/// A node that equals the given operation, if a rule applies.
pub(super) fn rewrite(g: &mut Graph, op: &Op, args: &[NodeId], shape: &Shape) -> Option<NodeId> {
    match op {
        Op::Elementwise(f) => constant(g, *f, args, shape)
            .or_else(|| arithmetic(g, *f, args))
            .or_else(|| through_broadcast(g, *f, args, shape)),
        Op::Broadcast(axes) => broadcast(g, args[0], *axes, shape),
        Op::Reshape => reshape(g, args[0], shape),
        Op::Transpose(perm) => transpose(g, args[0], perm, shape),
        Op::Reduce(how, axes) => reduce(g, *how, args[0], *axes, shape),
        Op::Slice { .. } | Op::Pad { .. } if g.shape(args[0]) == shape => Some(args[0]),
        Op::Concat(_) if args.len() == 1 => Some(args[0]),
        _ => None,
    }
}

/// Folds scalar constants.
fn constant(g: &mut Graph, f: Elementwise, args: &[NodeId], shape: &Shape) -> Option<NodeId> {
    if !shape.is_scalar() {
        return None;
    }
    let values: Vec<f64> = args.iter().map(|a| g.op(*a).as_const()).collect::<Option<_>>()?;
    Some(g.constant((f.entry().f64)(&values)))
}

fn arithmetic(g: &mut Graph, f: Elementwise, args: &[NodeId]) -> Option<NodeId> {
    use elementwise::{ADD, DIV, MUL, NEG, SELECT, SUB};
    let negated = |g: &Graph, id: NodeId| match g.op(id) {
        Op::Elementwise(f) if *f == NEG => Some(g.args(id)[0]),
        _ => None,
    };
    let is = |g: &Graph, id: NodeId, value: f64| g.as_const(id).is_some_and(|c| c.to_bits() == value.to_bits());
    match f {
        NEG => negated(g, args[0]),
        ADD => {
            if let Some(b) = negated(g, args[1]) {
                return Some(g.sub(args[0], b));
            }
            negated(g, args[0]).map(|a| g.sub(args[1], a))
        }
        SUB if is(g, args[1], 0.0) => Some(args[0]),
        SUB => negated(g, args[1]).map(|b| g.add(args[0], b)),
        MUL if is(g, args[0], 1.0) => Some(args[1]),
        MUL if is(g, args[1], 1.0) => Some(args[0]),
        MUL if is(g, args[0], -1.0) => Some(g.neg(args[1])),
        MUL if is(g, args[1], -1.0) => Some(g.neg(args[0])),
        MUL => match (negated(g, args[0]), negated(g, args[1])) {
            (Some(a), Some(b)) => Some(g.mul(a, b)),
            _ => None,
        },
        DIV if is(g, args[1], 1.0) => Some(args[0]),
        SELECT if args[1] == args[2] => Some(args[1]),
        SELECT => match g.as_const(args[0]) {
            Some(0.0) => Some(args[2]),
            Some(_) => Some(args[1]),
            None => None,
        },
        _ => None,
    }
}

/// `f(repeat a, repeat b)` is `repeat f(a, b)` when both repeat in the same way.
fn through_broadcast(g: &mut Graph, f: Elementwise, args: &[NodeId], shape: &Shape) -> Option<NodeId> {
    let Op::Broadcast(axes) = *g.op(*args.first()?) else { return None };
    if !args.iter().all(|a| *g.op(*a) == Op::Broadcast(axes)) {
        return None;
    }
    let inner: Vec<NodeId> = args.iter().map(|a| g.args(*a)[0]).collect();
    let value = g.elementwise(f, &inner);
    Some(g.broadcast(value, axes, shape))
}

fn broadcast(g: &mut Graph, a: NodeId, axes: u8, shape: &Shape) -> Option<NodeId> {
    if g.shape(a) == shape {
        return Some(a);
    }
    if let Op::Broadcast(inner) = *g.op(a) {
        // The inner axes are positions within the outer axes.
        let outer: Vec<u32> = (0..8).filter(|i| axes >> i & 1 == 1).collect();
        let composed = outer.iter().enumerate().filter(|(i, _)| inner >> i & 1 == 1).fold(0, |m, (_, o)| m | 1 << o);
        let source = g.args(a)[0];
        return Some(g.broadcast(source, composed, shape));
    }
    None
}

fn reshape(g: &mut Graph, a: NodeId, shape: &Shape) -> Option<NodeId> {
    if g.shape(a) == shape {
        return Some(a);
    }
    match *g.op(a) {
        Op::Reshape => {
            let source = g.args(a)[0];
            Some(g.reshape(source, shape))
        }
        Op::Broadcast(0) => {
            let source = g.args(a)[0];
            Some(g.broadcast(source, 0, shape))
        }
        _ => None,
    }
}

fn transpose(g: &mut Graph, a: NodeId, perm: &[u8], shape: &Shape) -> Option<NodeId> {
    if perm.iter().enumerate().all(|(i, p)| i == *p as usize) {
        return Some(a);
    }
    // Moving axes of length one moves no element.
    let kept = |dims: &Shape, order: &mut dyn Iterator<Item = usize>| -> Vec<usize> {
        order.filter(|i| !dims.0[*i].is_one()).collect()
    };
    let from = g.shape(a).clone();
    if kept(&from, &mut (0..from.rank())) == kept(&from, &mut perm.iter().map(|p| *p as usize)) {
        return Some(g.reshape(a, shape));
    }
    match g.op(a) {
        Op::Transpose(inner) => {
            let composed: Vec<u8> = perm.iter().map(|p| inner[*p as usize]).collect();
            let source = g.args(a)[0];
            Some(g.permute(source, &composed))
        }
        Op::Broadcast(0) => {
            let source = g.args(a)[0];
            Some(g.broadcast(source, 0, shape))
        }
        _ => None,
    }
}

fn reduce(g: &mut Graph, how: Reduction, a: NodeId, axes: u8, shape: &Shape) -> Option<NodeId> {
    if axes == 0 && how != Reduction::Norm2 {
        return Some(a);
    }
    let from = g.shape(a).clone();
    let single = |d: &Dim| d.is_one();
    let trivial = from.0.iter().enumerate().all(|(i, d)| axes >> i & 1 == 0 || single(d));
    if trivial && how != Reduction::Norm2 {
        return Some(g.reshape(a, shape));
    }
    // A full sum does not care how its elements are laid out.
    if axes == all_axes(&from) && how != Reduction::LogSumExp && matches!(g.op(a), Op::Reshape) {
        let source = g.args(a)[0];
        let every = all_axes(g.shape(source));
        return Some(g.reduce(how, source, every));
    }
    None
}
