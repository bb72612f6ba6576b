//! The improved bilevel model: unrolled steps of the sequential averaging method.

use blo_engine::model::assumption::Assumption;

use super::unrolled::{START, STEPS, UPDATE, UPPER_STEP};
use super::{Entry, Kind, Range, option};

/// The entry.
pub(super) static BIGSAM: Entry = Entry {
    name: "bigsam",
    doc: "unrolled sequential averaging of an upper and a lower gradient step",
    citation: "Sabach, Shtern, SIAM J. Optim. 2017; Li, Zhang, Liu, Yuan, Zeng, 2020, Alg. 5",
    requires: &[Assumption::Smooth, Assumption::Convex],
    options: &[
        STEPS,
        option(
            "w",
            "w_k",
            Kind::Schedule(Range::Unit),
            None,
            "weight of the upper step; else min(2/(k(1-beta)), 1-eps)",
        ),
        option("s", "s", Kind::Schedule(Range::Positive), None, "step on the upper objective in y"),
        option("t", "t", Kind::Schedule(Range::Positive), None, "step on the lower objective"),
        option("beta", "beta", Kind::Number(Range::Unit), None, "contraction factor in the automatic weight"),
        option("eps", "epsilon", Kind::Number(Range::Unit), Some("1e-3"), "the automatic weight is at most 1 - eps"),
        option("every", "m", Kind::Integer(1), Some("1"), "average in every m-th lower step only"),
        UPPER_STEP,
        START,
        UPDATE,
    ],
    method: None,
};
