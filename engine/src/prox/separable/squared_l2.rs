//! `normsq`, with one weight or a weight per entry. Smooth, so it may as well stand in the objective; as a proximal
//! term it is exact for any step.

use super::l1::weighted_sum;
use crate::elementwise;
use crate::graph::{Graph, NodeId, Op};
use crate::prox::{Arguments, Boxes, Entry, Modulus, Recognizer, WeightShape};

pub(in crate::prox) static ENTRY: Entry = Entry {
    name: "squared_l2",
    doc: "sum(w .* y.^2)",
    formula: "v/(1 + 2 t), clipped to the box",
    source: "Parikh and Boyd, Proximal Algorithms, 2014, section 6.1.1",
    parts: &["squared_l2"],
    weights: &[WeightShape::ScalarOrVariable],
    parameters: &[],
    rank: None,
    in_slices: false,
    boxes: Boxes::Any,
    modulus: Modulus::Convex,
    call: "normsq",
    elsewhere: "it is smooth: move it to the objective",
    recognize: Some(RECOGNIZER),
    value: |g, y, weights| weighted_sum(g, y, weights[0], elementwise::SQUARE),
    apply: |g, a| {
        let y = shrink(g, a, a.v, 0);
        a.clipped(g, y)
    },
};

const RECOGNIZER: Recognizer = |g, own, term| {
    let Op::Elementwise(elementwise::SQUARE) = *g.op(term.node) else { return None };
    let inner = term.with(g.args(term.node)[0]);
    // (c y)^2 = c^2 y^2
    Some(inner.elements(g, own, &ENTRY, |g, c| g.elementwise(elementwise::SQUARE, &[c])))
};

/// `y/(1 + 2 step w)` with the weight of a part.
pub(in crate::prox) fn shrink(g: &mut Graph, a: &Arguments, y: NodeId, part: usize) -> NodeId {
    let t = a.threshold(g, part);
    let twice = g.scale(2.0, t);
    let one = g.constant(1.0);
    let divisor = g.add(one, twice);
    g.div(y, divisor)
}
