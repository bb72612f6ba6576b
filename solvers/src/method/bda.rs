//! Bilevel descent aggregation: lower steps follow an average of the two levels' gradients.

use blo_engine::model::assumption::Assumption;

use super::unrolled::{LOWER_STEP, START, STEPS, UPDATE, UPPER_STEP};
use super::{Entry, Kind, Range, option};

/// The entry.
pub(super) static BDA: Entry = Entry {
    name: "bda",
    doc: "unrolled steps along an average of the upper and the lower gradient",
    citation: "Liu, Mu, Yuan, Zeng, Zhang, ICML 2020, eqs. (10), (13)",
    requires: &[Assumption::Smooth, Assumption::Convex],
    options: &[
        STEPS,
        option("s_u", "s_u", Kind::Schedule(Range::Positive), None, "step on the upper objective in y"),
        LOWER_STEP,
        option("alpha", "alpha_k", Kind::Schedule(Range::Unit), None, "weight of the upper gradient in step k"),
        option("beta", "beta", Kind::Number(Range::Unit), None, "contraction factor in Proposition 1's weight"),
        option("gamma", "gamma", Kind::Number(Range::Positive), Some("1"), "factor in Proposition 1's weight"),
        option("eps", "epsilon", Kind::Number(Range::Unit), Some("1e-3"), "Proposition 1's weight is at most 1 - eps"),
        UPPER_STEP,
        START,
        UPDATE,
    ],
    method: None,
};
