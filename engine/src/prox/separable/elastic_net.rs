//! The elastic net: `norm1` and `normsq` on one variable.

use super::squared_l2::shrink;
use super::{l1, squared_l2};
use crate::prox::{Boxes, Entry, Modulus, WeightShape};

pub(in crate::prox) static ENTRY: Entry = Entry {
    name: "elastic_net",
    doc: "sum(w1 .* abs(y)) + sum(w2 .* y.^2)",
    formula: "soft(v, t1)/(1 + 2 t2), clipped to the box",
    source: "Zou and Hastie, Journal of the Royal Statistical Society B 67, 2005; Parikh and Boyd 2014, section 6.5.3",
    parts: &["l1", "squared_l2"],
    weights: &[WeightShape::ScalarOrVariable, WeightShape::ScalarOrVariable],
    parameters: &[],
    rank: None,
    in_slices: false,
    boxes: Boxes::Any,
    modulus: Modulus::Convex,
    call: "",
    elsewhere: "",
    recognize: None,
    value: |g, y, weights| {
        let l1 = (l1::ENTRY.value)(g, y, &weights[..1]);
        let squares = (squared_l2::ENTRY.value)(g, y, &weights[1..]);
        g.add(l1, squares)
    },
    apply: |g, a| {
        let t = a.threshold(g, 0);
        let y = l1::soft(g, a.v, t);
        let y = shrink(g, a, y, 1);
        a.clipped(g, y)
    },
};
