//! The Huber penalty of entries. Smooth, so it may as well stand in the objective; as a proximal term it is exact for any
//! step.

use crate::elementwise;
use crate::graph::Op;
use crate::prox::separable::l1::weigh;
use crate::prox::{Boxes, Entry, Modulus, Parameter, Recognizer, WeightShape};

pub(in crate::prox) static ENTRY: Entry = Entry {
    name: "huber",
    doc: "sum(w .* huber(y, d))",
    formula: "v minus t/(1 + t)*v cut to [-t d, t d], clipped to the box",
    source: "Parikh and Boyd, Proximal Algorithms, 2014, section 6.5.1 and Moreau's identity",
    parts: &["huber"],
    weights: &[WeightShape::ScalarOrVariable],
    parameters: &[Parameter { name: "d", above: f64::NEG_INFINITY, is_array: false, sample: (0.2, 1.0) }],
    rank: None,
    in_slices: false,
    boxes: Boxes::Any,
    modulus: Modulus::Convex,
    call: "huber",
    elsewhere: "it is smooth: move it to the objective",
    recognize: Some(RECOGNIZER),
    value: |g, y, weights| {
        let each = g.elementwise(elementwise::HUBER, &[y, weights[1]]);
        weigh(g, each, weights[0])
    },
    apply: |g, a| {
        // t*slope(u) = v - u: inside of |u| <= d it is t/(1 + t)*v, outside t*d*sign(v).
        let t = a.threshold(g, 0);
        let one = g.constant(1.0);
        let more = g.add(one, t);
        let rate = g.div(t, more);
        let inside = g.mul(rate, a.v);
        let most = g.mul(t, a.weights[1]);
        let least = g.neg(most);
        let move_by = g.elementwise(elementwise::MIN, &[inside, most]);
        let move_by = g.elementwise(elementwise::MAX, &[move_by, least]);
        let y = g.sub(a.v, move_by);
        a.clipped(g, y)
    },
};

const RECOGNIZER: Recognizer = |g, own, term| {
    let Op::Elementwise(elementwise::HUBER) = *g.op(term.node) else { return None };
    let arguments = g.args(term.node).to_vec();
    Some(term.clone().entries(g, own, &ENTRY, &arguments))
};
