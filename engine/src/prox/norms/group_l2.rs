//! `norm2` of groups: J equal blocks of consecutive entries (row-major), or all entries as one group.

use crate::elementwise;
use crate::graph::{Graph, NodeId, Op, Reduction};
use crate::opaque::{group_shrunk_of, group_width};
use crate::prox::term::{Found, Own, Place, Recognizer, Term};
use crate::prox::{Boxes, Entry, Modulus, Rejection, WeightShape};
use crate::shape::Shape;

pub(in crate::prox) static ENTRY: Entry = Entry {
    name: "group_l2",
    doc: "sum(w[j]*norm2(y[G[j]]) for j in 1..J)",
    formula: "v_G*max(1 - t/norm2(v_G), 0) for every group G",
    source: "Parikh and Boyd, Proximal Algorithms, 2014, section 6.5.1; Yuan and Lin, JRSS B 68, 2006",
    parts: &["group_l2"],
    weights: &[WeightShape::ScalarOrGroups],
    parameters: &[],
    rank: None,
    in_slices: false,
    boxes: Boxes::Signs,
    modulus: Modulus::Convex,
    call: "norm2",
    elsewhere: "a smooth substitute for the objective is `sqrt(normsq(D*y) + 1e-4)`",
    recognize: Some(RECOGNIZER),
    value: |g, y, weights| {
        let (_, norms) = group_norms(g, y, weights[0]);
        let each = g.mul(weights[0], norms);
        g.sum_all(each)
    },
    apply: |g, a| {
        let (v, t) = (a.clipped(g, a.v), a.threshold(g, 0));
        group_shrunk_of(g, v, t)
    },
};

/// The same for groups that are parts of a sequence, with a `t` each; entries of no part stay. Like the kernel of equal
/// groups, `1 - t/max(norm2(v_G), t)`.
pub(in crate::prox) fn shrink_parts(g: &mut Graph, v: NodeId, parts: &[(&Place, NodeId)]) -> NodeId {
    let (shape, one) = (g.shape(v).clone(), g.constant(1.0));
    let mut factor = g.promote(one, &shape);
    for (place, t) in parts {
        let part = g.slice(v, 0, &place.start, place.step, &place.length);
        let norm = g.norm2(part);
        let longer = g.elementwise(elementwise::MAX, &[norm, *t]);
        let ratio = g.elementwise(elementwise::SAFE_DIV, &[*t, longer]);
        let ratio = g.promote(ratio, &Shape(vec![place.length.clone()]));
        let ratio = g.pad(ratio, 0, &place.start, place.step, &shape.0[0]);
        factor = g.sub(factor, ratio);
    }
    g.mul(factor, v)
}

/// The array as `[J, width]` with its norms `[J]`, for weights `[J]`; as it is with its norm, for a scalar weight.
fn group_norms(g: &mut Graph, y: NodeId, weight: NodeId) -> (NodeId, NodeId) {
    let Some(groups) = g.shape(weight).0.first().cloned() else {
        let norm = g.norm2(y);
        return (y, norm);
    };
    let width = group_width(g.shape(y), &groups).expect("recognition made the weight's length divide the variable's");
    let blocks = g.reshape(y, &Shape(vec![groups, width]));
    let norms = g.reduce(Reduction::Norm2, blocks, 0b10);
    (blocks, norms)
}

const RECOGNIZER: Recognizer = |g, own, term| match *g.op(term.node) {
    Op::Reduce(Reduction::Norm2, axes) => Some(found(g, own, term, axes)),
    _ => None,
};

fn found(g: &mut Graph, own: &mut Own, term: &Term, axes: u8) -> Result<Found, Rejection> {
    let inner = g.args(term.node)[0];
    let shape = g.shape(inner).clone();
    let mut found = term.norm_of_part(g, own, inner, &ENTRY, |_, node| Rejection::of_groups(node))?;
    if found.place.is_some() {
        if !g.shape(term.node).count().is_some_and(|n| n.is_one()) {
            return Err(Rejection::of_groups(term.node));
        }
        // One number, whatever axes of length 1 the sum over terms has left.
        found.weight = g.reshape(found.weight, &Shape::scalar());
        return Ok(found);
    }
    let groups = g.shape(term.node).count().filter(|_| trailing(&shape, axes));
    let variable = g.shape(found.node).clone();
    let Some(groups) = groups.filter(|j| j.is_one() || group_width(&variable, j).is_some()) else {
        return Err(Rejection::of_groups(term.node));
    };
    let weight = Shape(if groups.is_one() { Vec::new() } else { vec![groups.clone()] });
    found.weight = match g.shape(found.weight).is_scalar() {
        true => g.promote(found.weight, &weight),
        false => g.reshape(found.weight, &weight),
    };
    found.groups = Some(groups);
    Ok(found)
}

/// The reduced axes are the last ones, so that a group is a block of consecutive entries.
fn trailing(shape: &Shape, axes: u8) -> bool {
    let reduced: Vec<bool> = (0..shape.rank()).filter(|i| !shape.0[*i].is_one()).map(|i| axes >> i & 1 == 1).collect();
    reduced.is_sorted()
}
