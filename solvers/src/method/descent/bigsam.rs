//! The improved bilevel model: unrolled steps of the sequential averaging method.

use blo_engine::calculus::Assumption;

use super::unrolled::{AGGREGATE, MEMORY, START, STEPS, UPDATE, UPPER_STEP, dynamics, gradient};
use crate::options::entry::{Kind, MethodEntry, OptionEntry, Range, StepOf, option};

pub(super) const WEIGHT: OptionEntry = option(
    "w",
    "w_k",
    Kind::Schedule(Range::Unit),
    None,
    "weight of the upper step in lower step k; else min(2/(k(1-beta)), 1-eps)",
);
pub(super) const UPPER: OptionEntry =
    option("s", "s", Kind::Schedule(Range::Positive), None, "averaged step on the upper objective in y")
        .steps(StepOf::UpperInY);
pub(super) const LOWER: OptionEntry =
    option("t", "t", Kind::Schedule(Range::Positive), None, "averaged step on the lower objective")
        .steps(StepOf::Lower);
pub(super) const EVERY: OptionEntry =
    option("every", "m", Kind::Integer(1), Some("1"), "average in every m-th lower step only");

/// The entry.
pub(in crate::method) static BIGSAM: MethodEntry = MethodEntry {
    name: "bigsam",
    doc: "unrolled sequential averaging of an upper and a lower gradient step",
    citation: "Sabach, Shtern, SIAM J. Optim. 2017; Li, Gu, Huang, 2020, Alg. 5",
    formula: &[
        "v_k = Proj_Y( y_{k-1} - s F_y(x, y_{k-1}) ),  u_k = prox_{t g~}( y_{k-1} - t f_y(x, y_{k-1}) )",
        "y_k = w_k v_k + (1 - w_k) u_k in every m-th step, else y_k = u_k, k = 1..K",
        "x+ = Proj_X( x - alpha_x d/dx F(x, y_K(x)) )",
    ],
    requires: &[Assumption::Smooth, Assumption::Convex],
    options: &[
        STEPS,
        WEIGHT,
        UPPER,
        LOWER,
        option("beta", "beta", Kind::Number(Range::Unit), None, "contraction factor in the automatic weight"),
        AGGREGATE[4],
        EVERY,
        UPPER_STEP,
        START,
        UPDATE,
        dynamics(&["averaging"], "averaging"),
        gradient(&["reverse", "forward"], "reverse"),
        MEMORY,
    ],
};
