//! The smoothly clipped absolute deviation.

use super::{Side, choose};
use crate::elementwise::{self, LESS, LESS_EQUAL, MAX, MIN};
use crate::graph::{Graph, Op};
use crate::prox::separable::l1::weigh;
use crate::prox::{Boxes, Entry, Modulus, Parameter, Recognizer, WeightShape};

pub(in crate::prox) static ENTRY: Entry = Entry {
    name: "scad",
    doc: "sum(w .* scad(y, a, l)): l*|y| up to |y| = l, its slope then falling to 0 at |y| = a l, then l^2*(a + 1)/2",
    formula: "the best of a point per piece, with v's sign: soft(|v|, t l) up to l, ((a - 1)|v| - t a l)/(a - 1 - t) from l to a l \
              (l where t >= a - 1), max(|v|, a l)",
    source: "Fan and Li, Variable selection via nonconcave penalized likelihood, JASA 96, 2001, eq. (2.8), for any step",
    parts: &["scad"],
    weights: &[WeightShape::ScalarOrVariable],
    parameters: &[
        Parameter { name: "a", above: 1.0, is_array: false, sample: (1.4, 4.0) },
        Parameter { name: "l", above: f64::NEG_INFINITY, is_array: false, sample: (0.2, 0.8) },
    ],
    rank: None,
    in_slices: false,
    boxes: Boxes::Any,
    modulus: Modulus::Weak("w/(a-1)", |g, w| {
        let largest = super::largest(g, w[0]);
        let one = g.constant(1.0);
        let less = g.sub(w[1], one);
        g.div(largest, less)
    }),
    call: "scad",
    elsewhere: "a smooth substitute for the objective is `sum(1 - exp(-(D*y).^2))`",
    recognize: Some(RECOGNIZER),
    value: |g, y, weights| {
        let each = g.elementwise(elementwise::SCAD, &[y, weights[1], weights[2]]);
        weigh(g, each, weights[0])
    },
    apply: |g, a| {
        let side = Side::new(g, a);
        let (knee, l, t) = (a.weights[1], a.weights[2], side.t);
        let [zero, one] = [0.0, 1.0].map(|c| g.constant(c));
        let far = g.mul(knee, l);
        let room = g.sub(knee, one);
        let shift = g.mul(t, l);
        let above = g.sub(side.v, shift);
        let first = g.elementwise(MAX, &[above, zero]);
        let first = g.elementwise(MIN, &[first, l]);
        // ((a - 1) v - t a l)/(a - 1 - t), with t/(a - 1) for t: for small t nothing is lost.
        let ratio = g.div(t, room);
        let rest = g.sub(one, ratio);
        let rest = choose(g, LESS, [t, room], rest, one);
        let pull = g.mul(ratio, far);
        let middle = g.sub(side.v, pull);
        let middle = g.div(middle, rest);
        let middle = choose(g, LESS, [t, room], middle, l);
        let middle = g.elementwise(MAX, &[middle, l]);
        let middle = g.elementwise(MIN, &[middle, far]);
        let last = g.elementwise(MAX, &[side.v, far]);
        // A t of 0 is the identity, whatever the pieces are.
        let first = choose(g, LESS_EQUAL, [t, zero], side.v, first);
        side.best(g, &[first, middle, last], &|g: &mut Graph, r| g.elementwise(elementwise::SCAD, &[r, knee, l]))
    },
};

const RECOGNIZER: Recognizer = |g, own, term| {
    let Op::Elementwise(elementwise::SCAD) = *g.op(term.node) else { return None };
    let arguments = g.args(term.node).to_vec();
    Some(term.clone().entries(g, own, &ENTRY, &arguments))
};
