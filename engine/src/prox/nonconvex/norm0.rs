//! The number of entries that are not zero.

use super::{Side, choose};
use crate::elementwise::{self, LESS, NOT_EQUAL};
use crate::graph::{Graph, NodeId, Op};
use crate::prox::separable::l1::weigh;
use crate::prox::term::constant;
use crate::prox::{Boxes, Entry, Modulus, Recognizer, WeightShape};

pub(in crate::prox) static ENTRY: Entry = Entry {
    name: "norm0",
    doc: "sum(w .* (y != 0))",
    formula: "v where |v| > sqrt(2 t), else 0; on a box the better of 0 and the nearest point",
    source: "Attouch, Bolte and Svaiter, Mathematical Programming 137, 2013, section 5; the hard threshold",
    parts: &["norm0"],
    weights: &[WeightShape::ScalarOrVariable],
    parameters: &[],
    rank: None,
    in_slices: false,
    boxes: Boxes::Any,
    modulus: Modulus::Infinite,
    call: "norm0",
    elsewhere: "a smooth substitute for the objective is `sum(1 - exp(-(D*y).^2/0.01))`",
    recognize: Some(RECOGNIZER),
    value: |g, y, weights| {
        let each = is_nonzero(g, y);
        weigh(g, each, weights[0])
    },
    apply: |g, a| {
        let side = Side::new(g, a);
        let zero = g.constant(0.0);
        if side.ends.is_some() {
            // v first: with a t of 0 it is as good as 0 at v = 0, and has the derivative.
            return side.best(g, &[side.v, zero], &|g: &mut Graph, r| is_nonzero(g, r));
        }
        // sqrt(2 t) beside v, as v^2 has no room for small and large v.
        let two = g.constant(2.0);
        let twice = g.mul(two, side.t);
        let threshold = g.elementwise(elementwise::SQRT, &[twice]);
        choose(g, LESS, [side.v, threshold], zero, a.v)
    },
};

fn is_nonzero(g: &mut Graph, y: NodeId) -> NodeId {
    let zero = g.constant(0.0);
    g.elementwise(NOT_EQUAL, &[y, zero])
}

const RECOGNIZER: Recognizer = |g, own, term| {
    let Op::Elementwise(NOT_EQUAL) = *g.op(term.node) else { return None };
    let arguments = g.args(term.node).to_vec();
    let one_is_zero = arguments.iter().position(|a| constant(g, *a) == Some(0.0))?;
    Some(term.clone().entries(g, own, &ENTRY, &[arguments[1 - one_is_zero]]))
};
