//! `norminf`, the largest absolute value, of a whole variable.

use crate::elementwise;
use crate::graph::{Graph, NodeId, Op, Reduction, all_axes};
use crate::opaque;
use crate::prox::{Boxes, Entry, Modulus, Recognizer, Rejection, WeightShape};
use crate::shape::Shape;

pub(in crate::prox) static ENTRY: Entry = Entry {
    name: "norminf",
    doc: "w*norminf(y)",
    formula: "v minus its projection onto { u : norm1(u) <= t }",
    source: "Parikh and Boyd, Proximal Algorithms, 2014, sections 2.5 (Moreau) and 6.5.2",
    parts: &["norminf"],
    weights: &[WeightShape::Scalar],
    parameters: &[],
    rank: None,
    in_slices: true,
    boxes: Boxes::Signs,
    modulus: Modulus::Convex,
    call: "norminf",
    elsewhere: "a smooth substitute for the objective is `logsumexp(vcat(D*y, -D*y)/0.01)*0.01`",
    recognize: Some(RECOGNIZER),
    value: |g, y, weights| {
        let largest = norminf(g, y);
        g.mul(weights[0], largest)
    },
    apply: |g, a| {
        let (v, t) = (a.clipped(g, a.v), a.threshold(g, 0));
        // Outside of the l1 ball the projection is sign(v) .* s with s the projection of |v| onto the simplex of total
        // t (Duchi et al., ICML 2008, section 4); inside, v minus its projection is 0.
        let sizes = g.elementwise(elementwise::ABS, &[v]);
        let norm1 = g.sum_all(sizes);
        let shape = g.shape(v).clone();
        let onto = g.push(Op::Prox(opaque::SIMPLEX), vec![sizes, t], shape.clone());
        let signs = g.elementwise(elementwise::SIGN, &[v]);
        let projection = g.mul(signs, onto);
        let outside = g.sub(v, projection);
        let zero = g.filled(0.0, &shape);
        // Strictly, so that a weight of 0 is the identity at v = 0 too.
        let is_inside = g.elementwise(elementwise::LESS, &[norm1, t]);
        g.elementwise(elementwise::SELECT, &[is_inside, zero, outside])
    },
};

/// The largest absolute value of all entries.
fn norminf(g: &mut Graph, y: NodeId) -> NodeId {
    let sizes = g.elementwise(elementwise::ABS, &[y]);
    let axes = all_axes(g.shape(y));
    if axes == 0 { sizes } else { g.reduce(Reduction::Max, sizes, axes) }
}

const RECOGNIZER: Recognizer = |g, own, term| {
    let Op::Reduce(Reduction::Max, axes) = *g.op(term.node) else { return None };
    let sizes = g.args(term.node)[0];
    let Op::Elementwise(elementwise::ABS) = *g.op(sizes) else { return None };
    let inner = g.args(sizes)[0];
    let is_whole = g.shape(term.node).count().is_some_and(|n| n.is_one());
    let slices = all_axes(g.shape(inner)) & !1;
    if !is_whole && (axes != slices || axes == 0) {
        return Some(Err(Rejection::of_argument(g, inner, &ENTRY)));
    }
    let found = term.norm(g, own, inner, &ENTRY, |g, node| Rejection::of_argument(g, node, &ENTRY));
    Some(found.and_then(|mut found| {
        if is_whole {
            // One number, whatever axes of length 1 the sum over terms has left.
            found.weight = g.reshape(found.weight, &Shape::scalar());
        } else if g.shape(found.node).0.first() == g.shape(inner).0.first() {
            found.each = true;
        } else {
            return Err(Rejection::of_argument(g, inner, &ENTRY));
        }
        Ok(found)
    }))
};
