//! The sparse group lasso: `norm1` and `norm2` of groups on one variable.

use super::group_l2;
use crate::opaque::group_shrunk_of;
use crate::prox::separable::l1;
use crate::prox::{Boxes, Entry, Modulus, WeightShape};

pub(in crate::prox) static ENTRY: Entry = Entry {
    name: "sparse_group",
    doc: "sum(w1[j]*norm2(y[G[j]]) for j in 1..J) + sum(w2 .* abs(y))",
    formula: "group shrinkage by t1 of soft(v, t2)",
    // The composition holds for a weight per entry too: shrinking a group keeps signs and zeros, so a subgradient of
    // the weighted norm1 at soft(v, t2) is one at the result.
    source: "Friedman, Hastie and Tibshirani, A note on the group lasso and a sparse group lasso, 2010, section 3",
    parts: &["group_l2", "l1"],
    weights: &[WeightShape::ScalarOrGroups, WeightShape::ScalarOrVariable],
    parameters: &[],
    rank: None,
    in_slices: false,
    boxes: Boxes::Signs,
    modulus: Modulus::Convex,
    call: "",
    elsewhere: "",
    recognize: None,
    value: |g, y, weights| {
        let groups = (group_l2::ENTRY.value)(g, y, &weights[..1]);
        let l1 = (l1::ENTRY.value)(g, y, &weights[1..]);
        g.add(groups, l1)
    },
    apply: |g, a| {
        let (t1, t2) = (a.threshold(g, 0), a.threshold(g, 1));
        let y = l1::soft(g, a.v, t2);
        let y = a.clipped(g, y);
        group_shrunk_of(g, y, t1)
    },
};
