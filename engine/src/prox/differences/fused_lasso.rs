//! The fused lasso: `norm1` and the total variation of one variable.

use super::tv1d;
use crate::prox::separable::l1;
use crate::prox::{Boxes, Entry, Modulus, WeightShape};

pub(in crate::prox) static ENTRY: Entry = Entry {
    name: "fused_lasso",
    doc: "w1*norm1(y) + w2*tv1d(y)",
    // One weight for all entries: the soft threshold is then one rising function of every entry, so neighbors keep their
    // order, and a subgradient of the total variation before it is one after it.
    formula: "soft(tv1d's prox of v, t1), clipped to the interval",
    source: "Friedman, Hastie, Hofling and Tibshirani, Pathwise coordinate optimization, Annals of Applied Statistics 1, \
             2007, proposition 1",
    parts: &["l1", "tv1d"],
    weights: &[WeightShape::Scalar, WeightShape::Scalar],
    parameters: &[],
    rank: Some(1),
    in_slices: true,
    boxes: Boxes::Interval,
    modulus: Modulus::Convex,
    call: "",
    elsewhere: "",
    recognize: None,
    value: |g, y, weights| {
        let l1 = (l1::ENTRY.value)(g, y, &weights[..1]);
        let differences = (tv1d::ENTRY.value)(g, y, &weights[1..]);
        g.add(l1, differences)
    },
    apply: |g, a| {
        let (t1, t2) = (a.threshold(g, 0), a.threshold(g, 1));
        let y = tv1d::denoised(g, a.v, t2);
        let y = l1::soft(g, y, t1);
        a.clipped(g, y)
    },
};
