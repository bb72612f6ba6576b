//! VF-iDCA: difference of convex functions on the value function of a constrained lower level.

use blo_engine::calculus::Assumption;

use crate::options::entry::{Kind, MethodEntry, Range, option};

/// The entry.
pub(in crate::method) static VFIDCA: MethodEntry = MethodEntry {
    name: "vfidca",
    doc: "inexact difference-of-convex algorithm on the value function",
    citation: "Gao, Ye, Yin, Zeng, Zhang, ICML 2022, Alg. 1",
    formula: &[],
    requires: &[Assumption::Convex],
    options: &[
        option("rho", "rho", Kind::Number(Range::Positive), Some("1"), "proximal weight of a subproblem"),
        option("delta", "delta", Kind::Number(Range::Positive), Some("5"), "increase of the penalty"),
        option("c", "c", Kind::Number(Range::Positive), Some("1"), "when the penalty increases"),
        option("a0", "alpha_0", Kind::Number(Range::Positive), Some("1"), "first penalty"),
        option("r0", "r_0", Kind::Number(Range::Positive), None, "first constraint levels"),
        option(
            "tol",
            "tol",
            Kind::Number(Range::NonNegative),
            Some("0.1"),
            "stop when steps and violation are this small",
        ),
        option("max_iter", "", Kind::Integer(0), Some("10"), "subproblems at most"),
    ],
};
