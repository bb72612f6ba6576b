//! `norm1`, with one weight or a weight per entry.

use crate::elementwise;
use crate::graph::{Graph, NodeId, Op};
use crate::prox::{Boxes, Entry, Modulus, Recognizer, WeightShape};

pub(in crate::prox) static ENTRY: Entry = Entry {
    name: "l1",
    doc: "sum(w .* abs(y))",
    formula: "soft(v, t) = max(v - t, 0) where v >= 0, else min(v + t, 0), clipped to the box",
    source: "Parikh and Boyd, Proximal Algorithms, 2014, section 6.5.2",
    parts: &["l1"],
    weights: &[WeightShape::ScalarOrVariable],
    parameters: &[],
    rank: None,
    in_slices: false,
    boxes: Boxes::Any,
    modulus: Modulus::Convex,
    call: "norm1",
    elsewhere: "a smooth substitute for the objective is huber, as in `sum(huber(D*y, 1/100))`",
    recognize: Some(RECOGNIZER),
    value: |g, y, weights| weighted_sum(g, y, weights[0], elementwise::ABS),
    apply: |g, a| {
        let t = a.threshold(g, 0);
        let y = soft(g, a.v, t);
        a.clipped(g, y)
    },
};

const RECOGNIZER: Recognizer = |g, own, term| {
    let Op::Elementwise(elementwise::ABS) = *g.op(term.node) else { return None };
    let inner = term.with(g.args(term.node)[0]);
    // |c y| = |c| |y|
    Some(inner.elements(g, own, &ENTRY, |g, c| g.elementwise(elementwise::ABS, &[c])))
};

/// The soft threshold: exactly 0 inside of [-t, t], exactly v - t and v + t outside. The derivative at |v| = t is that from
/// outside, so that t = 0 is the identity, and in t it is that from above: weights may start at zero, where v minus its
/// projection onto [-t, t] has a tie between the two bounds.
pub(in crate::prox) fn soft(g: &mut Graph, v: NodeId, t: NodeId) -> NodeId {
    g.elementwise(elementwise::SOFT, &[v, t])
}

/// `sum(w .* f(y))`; a scalar weight multiplies the sum.
pub(in crate::prox) fn weighted_sum(g: &mut Graph, y: NodeId, weight: NodeId, f: elementwise::Elementwise) -> NodeId {
    let each = g.elementwise(f, &[y]);
    weigh(g, each, weight)
}

/// `sum(w .* each)`; a scalar weight multiplies the sum.
pub(in crate::prox) fn weigh(g: &mut Graph, each: NodeId, weight: NodeId) -> NodeId {
    if g.shape(weight).is_scalar() {
        let sum = g.sum_all(each);
        return g.mul(weight, sum);
    }
    let weighted = g.mul(weight, each);
    g.sum_all(weighted)
}
