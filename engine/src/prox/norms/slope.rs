//! The sorted norm: the largest size with the largest weight, and so on.

use crate::elementwise::{self, ABS};
use crate::graph::{Graph, NodeId, Op};
use crate::opaque;
use crate::prox::term::Term;
use crate::prox::{Boxes, Entry, Modulus, Parameter, Recognizer, Rejection, WeightShape};

pub(in crate::prox) static ENTRY: Entry = Entry {
    name: "slope",
    doc: "w*slope(y, c): the sum of c[k] times the k-th largest size, c falling",
    formula: "sizes less t c in their order, made falling by averages, cut at 0, with v's signs and places",
    source: "Bogdan, van den Berg, Sabatti, Su and Candes, SLOPE, Annals of Applied Statistics 9, 2015, section 2",
    parts: &["slope"],
    weights: &[WeightShape::Scalar],
    parameters: &[Parameter { name: "c", above: f64::NEG_INFINITY, is_array: true, sample: (0.1, 1.0) }],
    rank: Some(1),
    in_slices: false,
    boxes: Boxes::Signs,
    modulus: Modulus::Convex,
    call: "slope",
    elsewhere: "`norm1` has a smooth substitute, `sum(huber(D*y, 1/100))`",
    recognize: Some(RECOGNIZER),
    value: |g, y, weights| {
        let sizes = g.elementwise(ABS, &[y]);
        let (falling, order) = (opaque::sorted_of(g, sizes), opaque::sorted_of(g, weights[1]));
        let products = g.mul(order, falling);
        let sum = g.sum_all(products);
        g.mul(weights[0], sum)
    },
    apply: |g, a| {
        let v = a.clipped(g, a.v);
        let t = a.threshold(g, 0);
        let sizes = g.elementwise(ABS, &[v]);
        let (falling, order) = (opaque::sorted_of(g, sizes), opaque::sorted_of(g, a.weights[1]));
        let down = g.mul(t, order);
        let less = g.sub(falling, down);
        let pooled = opaque::isotonic_of(g, less);
        let zero = g.constant(0.0);
        let zero = g.promote(zero, &g.shape(pooled).clone());
        let kept = g.elementwise(elementwise::MAX, &[pooled, zero]);
        let shape = g.shape(v).clone();
        let placed = g.push(Op::Prox(opaque::UNPERMUTE), vec![sizes, kept], shape.clone());
        let signs = signs(g, v);
        let y = g.mul(signs, placed);
        // Equal sizes are not tied by a t of 0.
        let number = g.constant(0.0);
        let is_free = g.elementwise(elementwise::LESS_EQUAL, &[t, number]);
        g.elementwise(elementwise::SELECT, &[is_free, v, y])
    },
};

/// 1 and -1; 1 at 0.
fn signs(g: &mut Graph, v: NodeId) -> NodeId {
    let [zero, one, minus] = [0.0, 1.0, -1.0].map(|c| g.constant(c));
    let is_above = g.elementwise(elementwise::LESS_EQUAL, &[zero, v]);
    g.elementwise(elementwise::SELECT, &[is_above, one, minus])
}

const RECOGNIZER: Recognizer = |g, own, term| {
    let Op::Prox(opaque::PERMUTE) = *g.op(term.node) else { return None };
    let sizes = sorted(g, term.node)?;
    let Op::Elementwise(ABS) = *g.op(sizes) else { return None };
    let inner = g.args(sizes)[0];
    let order = term.multiplier.and_then(|m| sorted(g, m));
    let Some(order) = order else {
        return Some(Err(Rejection::of_order(term.node)));
    };
    let whole = Term { node: term.node, scale: term.scale, multiplier: None };
    let found = whole.norm(g, own, inner, &ENTRY, |g, node| Rejection::of_argument(g, node, &ENTRY));
    Some(found.map(|mut found| {
        found.parameters.push(order);
        found
    }))
};

/// What a node is the sorted array of.
fn sorted(g: &Graph, node: NodeId) -> Option<NodeId> {
    let args = g.args(node);
    (*g.op(node) == Op::Prox(opaque::PERMUTE) && args[0] == args[1]).then(|| args[0])
}
