//! Rewrites applied when a node is made. All are exact in IEEE arithmetic (`0 + x` and `0 * x` stay: they differ from
//! `x` and `0` for signed zeros, infinities and NaN), so that a rewritten program gives the same bits, sums taken in
//! one order.

use super::builders::all_axes;
use super::graph::{Graph, NodeId};
use super::op::{Op, Reduction};
use super::symmetry;
use crate::elementwise::{self, Elementwise};
use crate::shape::{Dim, Shape};

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
        Op::MatMul => scaled_product(g, args),
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
            if let Some(a) = negated(g, args[0]) {
                return Some(g.sub(args[1], a));
            }
            (args[0] == args[1] && scaled(g, args[0]).is_some()).then(|| g.scale(2.0, args[0]))
        }
        SUB if is(g, args[1], 0.0) => Some(args[0]),
        SUB => negated(g, args[1]).map(|b| g.add(args[0], b)),
        MUL if is(g, args[0], 1.0) => Some(args[1]),
        MUL if is(g, args[1], 1.0) => Some(args[0]),
        MUL if is(g, args[0], -1.0) => Some(g.neg(args[1])),
        MUL if is(g, args[1], -1.0) => Some(g.neg(args[0])),
        // One order, so that equal products are one node.
        MUL if g.as_const(args[1]).is_some() && g.as_const(args[0]).is_none() => Some(g.mul(args[1], args[0])),
        MUL => match (negated(g, args[0]), negated(g, args[1])) {
            (Some(a), Some(b)) => Some(g.mul(a, b)),
            _ => merge_scales(g, args),
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

/// `a*(b*x)` is `(a*b)*x` for small powers of two. Every `1/2*normsq(.)` has one.
fn merge_scales(g: &mut Graph, args: &[NodeId]) -> Option<NodeId> {
    for (scale, product) in [(args[0], args[1]), (args[1], args[0])] {
        if let (Some(a), Some((b, rest))) = (power_of_two(g, scale), scaled(g, product)) {
            return Some(g.scale(a * b, rest));
        }
    }
    None
}

/// The value of a constant that is a small power of two: scaling by it does not round.
fn power_of_two(g: &Graph, id: NodeId) -> Option<f64> {
    let c = g.as_const(id)?;
    (c.is_normal() && c.to_bits().trailing_zeros() >= 52 && (1e-6..1e6).contains(&c.abs())).then_some(c)
}

/// The parts of a product with a small power of two.
fn scaled(g: &Graph, id: NodeId) -> Option<(f64, NodeId)> {
    if *g.op(id) != Op::Elementwise(elementwise::MUL) {
        return None;
    }
    let [a, b] = [g.args(id)[0], g.args(id)[1]];
    power_of_two(g, a).map(|c| (c, b)).or_else(|| power_of_two(g, b).map(|c| (c, a)))
}

/// `A*(c*v)` is `c*(A*v)` for small powers of two: the gradient of `1/2*y'*(A*y)` then has one product where A is
/// symmetric.
fn scaled_product(g: &mut Graph, args: &[NodeId]) -> Option<NodeId> {
    let (c, a, b) = match (scaled(g, args[0]), scaled(g, args[1])) {
        (Some((c, rest)), _) => (c, rest, args[1]),
        (None, Some((c, rest))) => (c, args[0], rest),
        (None, None) => return None,
    };
    let product = g.matmul(a, b);
    Some(g.scale(c, product))
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
    if let Some((c, rest)) = scaled(g, a) {
        let reshaped = g.reshape(rest, shape);
        return Some(g.scale(c, reshaped));
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
    if perm == [1, 0] && symmetry::are_transposes(g, a, a) {
        return Some(a);
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
    // Of one element the logarithm of sums is `0 + x`, which is not `x` for a negative zero, and the norm its size.
    let keeps_one = matches!(how, Reduction::Sum | Reduction::Max);
    if axes == 0 && keeps_one {
        return Some(a);
    }
    let from = g.shape(a).clone();
    let single = |d: &Dim| d.is_one();
    let trivial = from.0.iter().enumerate().all(|(i, d)| axes >> i & 1 == 0 || single(d));
    if trivial && keeps_one {
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::elementwise::*;
    use crate::graph::verify::verify;
    use crate::graph::{Elem, Formal, Function, Node};
    use crate::oracle::{self, Tensor, Value};
    use crate::shape::Sizes;

    /// The same expressions twice: with the rewrites and without.
    struct Twin {
        rewritten: Graph,
        raw: Graph,
        nodes: Vec<(NodeId, NodeId)>,
        formals: Vec<Formal>,
    }

    fn dims(sizes: &[i64]) -> Shape {
        Shape(sizes.iter().map(|n| Dim::constant(*n)).collect())
    }

    impl Twin {
        fn new() -> Twin {
            let mut twin = Twin { rewritten: Graph::new(), raw: Graph::new(), nodes: Vec::new(), formals: Vec::new() };
            for (i, shape) in [dims(&[2, 3]), dims(&[3]), dims(&[]), dims(&[1, 3])].into_iter().enumerate() {
                twin.formals.push(Formal { name: format!("x{i}"), shape: shape.clone(), elem: Elem::Real });
                let (a, b) = (&mut twin.rewritten, &mut twin.raw);
                twin.nodes.push((a.input(i, shape.clone(), Elem::Real), b.input(i, shape, Elem::Real)));
            }
            for c in [0.0, -0.0, 1.0, -1.0, 2.0, f64::INFINITY, f64::NAN] {
                twin.push(Op::Const(c.to_bits()), &[], Shape::scalar());
            }
            twin
        }

        fn shape(&self, at: usize) -> Shape {
            self.raw.shape(self.nodes[at].1).clone()
        }

        fn push(&mut self, op: Op, args: &[usize], shape: Shape) -> usize {
            let (a, b) = args.iter().map(|i| self.nodes[*i]).unzip();
            let id = self.rewritten.push(op.clone(), a, shape.clone());
            let raw = self.raw.intern(Node { op, args: b, shape, elem: Elem::Real });
            self.nodes.push((id, raw));
            self.nodes.len() - 1
        }

        fn elementwise(&mut self, f: Elementwise, args: &[usize]) {
            let shape = args.iter().map(|a| self.shape(*a)).find(|s| !s.is_scalar()).unwrap_or_default();
            if !args.iter().all(|a| self.shape(*a).is_scalar() || self.shape(*a) == shape) {
                return;
            }
            let repeat = |twin: &mut Twin, a: usize| match twin.shape(a) == shape {
                true => a,
                false => twin.push(Op::Broadcast(0), &[a], shape.clone()),
            };
            let args: Vec<usize> = args.iter().map(|a| repeat(self, *a)).collect();
            self.push(Op::Elementwise(f), &args, shape);
        }

        /// One more node, chosen by numbers.
        fn grow(&mut self, [kind, which, a, b, c]: [usize; 5]) {
            let [a, b, c] = [a, b, c].map(|i| i % self.nodes.len());
            let shape = self.shape(a);
            match kind {
                0..=3 => {
                    let f = [ADD, SUB, MUL, DIV, NEG, NEG, SELECT, EXP, SQUARE, MAX][which % 10];
                    self.elementwise(f, &[a, b, c][..f.entry().arity]);
                }
                4 => {
                    // Another axis, at the front, in the middle or at the end.
                    if shape.rank() < 4 {
                        let axis = which % (shape.rank() + 1);
                        let mut wide = shape.clone();
                        wide.0.insert(axis, Dim::constant([1, 2, 3][b % 3]));
                        let axes = all_axes(&wide) & !(1 << axis);
                        self.push(Op::Broadcast(axes), &[a], wide);
                    }
                }
                5 => {
                    let count = shape.count().and_then(|n| n.as_integer()).unwrap();
                    let choices = [vec![count], vec![1, count], vec![count, 1], vec![count / 2, 2], vec![count / 3, 3]];
                    let to = &choices[which % choices.len()];
                    if to.iter().product::<i64>() == count {
                        self.push(Op::Reshape, &[a], dims(to));
                    }
                }
                6 => {
                    let mut perm: Vec<u8> = (0..shape.rank() as u8).collect();
                    perm.rotate_left(which % shape.rank().max(1));
                    if b % 2 == 1 && perm.len() > 1 {
                        perm.swap(0, 1);
                    }
                    let to = Shape(perm.iter().map(|p| shape.0[*p as usize].clone()).collect());
                    self.push(Op::Transpose(perm), &[a], to);
                }
                7 => {
                    let how = [Reduction::Sum, Reduction::Max, Reduction::LogSumExp, Reduction::Norm2][which % 4];
                    let axes = b as u8 & all_axes(&shape);
                    let kept = shape.0.iter().enumerate().filter(|(i, _)| axes >> i & 1 == 0).map(|(_, d)| d.clone());
                    let kept = Shape(kept.collect());
                    self.push(Op::Reduce(how, axes), &[a], kept);
                }
                _ => {
                    if let Some(axis) = (0..shape.rank()).next_back() {
                        let start = Dim::constant(0);
                        let (axis, op) = (axis as u8, which % 3);
                        let op = match op {
                            0 => Op::Slice { axis, start, step: 1 },
                            1 => Op::Pad { axis, start, step: 1 },
                            _ => Op::Concat(axis),
                        };
                        self.push(op, &[a], shape);
                    }
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]
        #[test]
        fn rewrites_keep_every_bit(
            choices in prop::collection::vec([0usize..9, 0usize..64, 0usize..64, 0usize..64, 0usize..64], 1..30),
            values in prop::collection::vec(prop_oneof![Just(0.0), Just(-0.0), -3.0..3.0], 13),
        ) {
            let mut twin = Twin::new();
            choices.into_iter().for_each(|c| twin.grow(c));
            let (ours, theirs): (Vec<NodeId>, Vec<NodeId>) = twin.nodes.iter().copied().unzip();
            let rewritten = Function::unrewritten(twin.rewritten, twin.formals.clone(), &ours);
            let raw = Function::unrewritten(twin.raw, twin.formals.clone(), &theirs);
            prop_assert_eq!(verify(&rewritten), Ok(()));
            prop_assert_eq!(verify(&raw), Ok(()));
            let mut left = values.into_iter();
            let input = |f: &Formal| {
                let shape = f.shape.sizes(&Sizes::new()).unwrap();
                let count = shape.iter().product();
                Value::Real(Tensor::new(shape, left.by_ref().take(count).collect()))
            };
            let inputs: Vec<Value<f64>> = twin.formals.iter().map(input).collect();
            let a = oracle::evaluate(&rewritten, &Sizes::new(), &inputs);
            let b = oracle::evaluate(&raw, &Sizes::new(), &inputs);
            for (k, (a, b)) in a.iter().zip(&b).enumerate() {
                prop_assert_eq!(&a.shape, &b.shape);
                for (a, b) in a.values.iter().zip(&b.values) {
                    let same = a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan();
                    prop_assert!(same, "node {}: {} and {}", k, a, b);
                }
            }
        }
    }

    #[test]
    fn unsafe_rewrites_are_not_made() {
        let mut g = Graph::new();
        let x = g.input(0, Shape::scalar(), Elem::Real);
        let zero = g.constant(0.0);
        for id in [g.add(x, zero), g.mul(zero, x), g.sub(x, x), g.div(x, x)] {
            assert_ne!(id, x);
            assert_eq!(g.as_const(id), None);
        }
        assert_eq!(g.sub(x, zero), x);
    }
}
