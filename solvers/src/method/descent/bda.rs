//! Bilevel descent aggregation: lower steps follow an average of the two levels' gradients.

use blo_engine::calculus::Assumption;

use super::unrolled::{AGGREGATE, LOWER_STEP, MEMORY, START, STEPS, UPDATE, UPPER_STEP, dynamics, gradient};
use crate::options::entry::MethodEntry;

/// The entry.
pub(in crate::method) static BDA: MethodEntry = MethodEntry {
    name: "bda",
    doc: "unrolled steps along an average of the upper and the lower gradient",
    citation: "Liu, Mu, Yuan, Zeng, Zhang, ICML 2020, eqs. (10), (13)",
    formula: &[
        "y_k = alpha_k Proj_Y( y_{k-1} - s_u F_y ) + (1 - alpha_k) prox_{s_l g~}( y_{k-1} - s_l f_y ), k = 1..K",
        "x+ = Proj_X( x - alpha_x d/dx F(x, y_K(x)) )",
        "alpha_k = .5/k unless stated; with beta, alpha_k = min( 2 gamma/(k (1 - beta)), 1 - epsilon )",
    ],
    requires: &[Assumption::Smooth, Assumption::Convex],
    options: &[
        STEPS,
        AGGREGATE[0],
        LOWER_STEP,
        AGGREGATE[1],
        AGGREGATE[2],
        AGGREGATE[3],
        AGGREGATE[4],
        UPPER_STEP,
        START,
        UPDATE,
        dynamics(&["aggregate"], "aggregate"),
        gradient(&["reverse", "forward"], "reverse"),
        MEMORY,
    ],
};
