//! The total variation of a sequence, the sum of sizes of differences of neighbors.

use crate::elementwise::{self, ABS, SUB};
use crate::graph::{Graph, NodeId, Op};
use crate::opaque;
use crate::prox::term::{Found, Own, Term};
use crate::prox::{Boxes, Entry, Modulus, Recognizer, Rejection, WeightShape};
use crate::shape::{Dim, Shape};

pub(in crate::prox) static ENTRY: Entry = Entry {
    name: "tv1d",
    doc: "w*tv1d(y)",
    formula: "by dynamic programming in O(n), clipped to the interval",
    source: "Johnson, A dynamic programming algorithm for the fused lasso and L0-segmentation, Journal of Computational and \
             Graphical Statistics 22, 2013",
    parts: &["tv1d"],
    weights: &[WeightShape::Scalar],
    parameters: &[],
    rank: Some(1),
    in_slices: true,
    // Clipping is one rising function of every entry, as in the fused lasso.
    boxes: Boxes::Interval,
    modulus: Modulus::Convex,
    call: "tv1d",
    elsewhere: "a smooth substitute for the objective is `sum(huber(y[2..n] - y[1..n-1], 0.01))`",
    recognize: Some(RECOGNIZER),
    value: |g, y, weights| {
        let total = variation(g, y);
        g.mul(weights[0], total)
    },
    apply: |g, a| {
        let t = a.threshold(g, 0);
        let y = denoised(g, a.v, t);
        a.clipped(g, y)
    },
};

/// The prox for step times weight t.
pub(super) fn denoised(g: &mut Graph, v: NodeId, t: NodeId) -> NodeId {
    let shape = g.shape(v).clone();
    g.push(Op::Prox(opaque::TV1D), vec![v, t], shape)
}

/// `sum(abs(y[i + 1] - y[i]))`
fn variation(g: &mut Graph, y: NodeId) -> NodeId {
    let (zero, one) = (Dim::constant(0), Dim::constant(1));
    let steps = g.shape(y).0[0].sub(&one).expect("a sequence has a length");
    let (next, this) = (g.slice(y, 0, &one, 1, &steps), g.slice(y, 0, &zero, 1, &steps));
    let rises = g.sub(next, this);
    let sizes = g.elementwise(ABS, &[rises]);
    g.sum_all(sizes)
}

const RECOGNIZER: Recognizer = |g, own, term| {
    let Op::Elementwise(ABS) = *g.op(term.node) else { return None };
    let absolute = |g: &mut Graph, c: NodeId| g.elementwise(elementwise::ABS, &[c]);
    let inner = Term { node: g.args(term.node)[0], scale: term.scale, multiplier: None };
    let (rest, factors) = inner.factors(g, own, absolute);
    let [difference] = factors[..] else { return None };
    let Op::Elementwise(SUB) = *g.op(difference) else { return None };
    let (sequence, axis) = neighbors(g, difference)?;
    let variable = own.variable(g, sequence)?;
    if rest.multiplier.is_some() {
        return Some(Err(Rejection::of_differences(term.node)));
    }
    Some(found(g, own, term, rest.scale, variable, (sequence, axis)))
};

/// The array and the axis whose neighboring entries are subtracted.
fn neighbors(g: &Graph, difference: NodeId) -> Option<(NodeId, u8)> {
    let (next, this) = (g.args(difference)[0], g.args(difference)[1]);
    let (Op::Slice { axis, start: from, step: 1 }, Op::Slice { axis: other, start: to, step: 1 }) =
        (g.op(next), g.op(this))
    else {
        return None;
    };
    let sequence = g.args(next)[0];
    let (zero, one) = (Dim::constant(0), Dim::constant(1));
    let beside = (*from == one && *to == zero) || (*from == zero && *to == one);
    let steps = g.shape(sequence).0[*axis as usize].sub(&one)?;
    let all = g.shape(next).0[*axis as usize] == steps;
    (axis == other && g.args(this)[0] == sequence && beside && all).then_some((sequence, *axis))
}

fn found(
    g: &mut Graph,
    _: &mut Own,
    term: &Term,
    scale: NodeId,
    variable: usize,
    (sequence, axis): (NodeId, u8),
) -> Result<Found, Rejection> {
    let refused = Err(Rejection::of_differences(term.node));
    let shape = g.shape(sequence).clone();
    let each = match (shape.rank(), axis) {
        (1, 0) => false,
        (2, 1) => true,
        _ => return refused,
    };
    // A weight per sequence comes as one repeated along it.
    let multiplier = match term.multiplier {
        None => None,
        Some(m) => match g.op(m) {
            Op::Broadcast(0b01) if each && g.shape(g.args(m)[0]).0 == shape.0[..1] => Some(g.args(m)[0]),
            _ => return refused,
        },
    };
    let weight = Term { node: term.node, scale, multiplier }.weight(g);
    let weight =
        if each && !g.shape(weight).is_scalar() { g.reshape(weight, &Shape(shape.0[..1].to_vec())) } else { weight };
    Ok(Found { each, ..Found::new(variable, sequence, weight) })
}
