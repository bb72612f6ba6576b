//! The minimax concave penalty.

use super::{Side, choose};
use crate::elementwise::{self, LESS, LESS_EQUAL, MAX, MIN};
use crate::graph::{Graph, Op};
use crate::prox::separable::l1::weigh;
use crate::prox::{Boxes, Entry, Modulus, Parameter, Recognizer, WeightShape};

pub(in crate::prox) static ENTRY: Entry = Entry {
    name: "mcp",
    doc: "sum(w .* mcp(y, b, l)): l*|y| - y^2/(2 b) up to |y| = b l, then b l^2/2",
    formula: "of r = max(|v| - t l, 0)/(1 - t/b) up to b l (0 where t >= b) and r = max(|v|, b l) the better, with v's sign",
    source: "Zhang, Nearly unbiased variable selection under minimax concave penalty, Annals of Statistics 38, 2010; for t < b \
             the firm threshold of Gao and Bruce, Statistica Sinica 7, 1997",
    parts: &["mcp"],
    weights: &[WeightShape::ScalarOrVariable],
    parameters: &[
        Parameter { name: "b", above: 0.0, is_array: false, sample: (0.3, 2.0) },
        Parameter { name: "l", above: f64::NEG_INFINITY, is_array: false, sample: (0.3, 1.2) },
    ],
    rank: None,
    in_slices: false,
    boxes: Boxes::Any,
    modulus: Modulus::Weak("w/b", |g, w| {
        let largest = super::largest(g, w[0]);
        g.div(largest, w[1])
    }),
    call: "mcp",
    elsewhere: "a smooth substitute for the objective is `sum(1 - exp(-(D*y).^2))`",
    recognize: Some(RECOGNIZER),
    value: |g, y, weights| {
        let each = g.elementwise(elementwise::MCP, &[y, weights[1], weights[2]]);
        weigh(g, each, weights[0])
    },
    apply: |g, a| {
        let side = Side::new(g, a);
        let (b, l, t) = (a.weights[1], a.weights[2], side.t);
        let [zero, one] = [0.0, 1.0].map(|c| g.constant(c));
        let knee = g.mul(b, l);
        let shift = g.mul(t, l);
        let above = g.sub(side.v, shift);
        // Divided by 1 where the piece is concave, and its ends are what counts.
        let is_convex = g.elementwise(LESS, &[t, b]);
        let ratio = g.div(t, b);
        let rest = g.sub(one, ratio);
        let rest = choose(g, LESS, [t, b], rest, one);
        let stationary = g.div(above, rest);
        let stationary = g.elementwise(elementwise::SELECT, &[is_convex, stationary, zero]);
        let inner = g.elementwise(MAX, &[stationary, zero]);
        let inner = g.elementwise(MIN, &[inner, knee]);
        let outer = g.elementwise(MAX, &[side.v, knee]);
        // A t of 0 is the identity, whatever the pieces are.
        let inner = choose(g, LESS_EQUAL, [t, zero], side.v, inner);
        side.best(g, &[inner, outer], &|g: &mut Graph, r| g.elementwise(elementwise::MCP, &[r, b, l]))
    },
};

const RECOGNIZER: Recognizer = |g, own, term| {
    let Op::Elementwise(elementwise::MCP) = *g.op(term.node) else { return None };
    let arguments = g.args(term.node).to_vec();
    Some(term.clone().entries(g, own, &ENTRY, &arguments))
};
