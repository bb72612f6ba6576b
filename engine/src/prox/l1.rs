//! `norm1`, with one weight or a weight per entry.

use super::{Entry, Recognizer, WeightShape};
use crate::elementwise;
use crate::graph::{Graph, NodeId, Op};

pub(super) static ENTRY: Entry = Entry {
    name: "l1",
    doc: "sum(w .* abs(y))",
    formula: "soft(v, t) = v - min(max(v, -t), t), clipped to the box",
    source: "Parikh and Boyd, Proximal Algorithms, 2014, section 6.5.2",
    parts: &["l1"],
    weights: &[WeightShape::ScalarOrVariable],
    merges_box: true,
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
    Some(inner.elements(g, own, "norm1", |g, c| g.elementwise(elementwise::ABS, &[c])))
};

/// The soft threshold as v minus the projection of v onto [-t, t] (Moreau): exactly 0 inside, exactly v - t and v + t
/// outside.
pub(super) fn soft(g: &mut Graph, v: NodeId, t: NodeId) -> NodeId {
    let below = g.neg(t);
    // The order of operands decides the derivative at |v| = t: that of v - t, so that t = 0 is the identity at v = 0.
    let held = g.elementwise(elementwise::MIN, &[t, v]);
    let held = g.elementwise(elementwise::MAX, &[below, held]);
    g.sub(v, held)
}

/// `sum(w .* f(y))`; a scalar weight multiplies the sum.
pub(super) fn weighted_sum(g: &mut Graph, y: NodeId, weight: NodeId, f: elementwise::Elementwise) -> NodeId {
    let each = g.elementwise(f, &[y]);
    if g.shape(weight).is_scalar() {
        let sum = g.sum_all(each);
        return g.mul(weight, sum);
    }
    let weighted = g.mul(weight, each);
    g.sum_all(weighted)
}
