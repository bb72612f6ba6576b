//! BOME: a value-function constraint whose multiplier is found in closed form.

use blo_engine::calculus::Assumption;

use crate::options::entry::{Kind, MANY_ITERATIONS, MethodEntry, Range, option};

/// The entry.
pub(in crate::method) static BOME: MethodEntry = MethodEntry {
    name: "bome",
    doc: "first-order value function method with a dynamic barrier",
    citation: "Liu, Ye, Wright, Stone, Liu, NeurIPS 2022, Alg. 1",
    formula: &[],
    requires: &[Assumption::Smooth],
    options: &[
        option("T", "T", Kind::Integer(1), Some("10"), "lower-level steps per iteration"),
        option("s_l", "alpha", Kind::Schedule(Range::Positive), None, "step of the lower-level steps"),
        option("eta", "eta", Kind::Schedule(Range::Positive), Some("0.5"), "strength of the barrier"),
        option("xi", "xi", Kind::Schedule(Range::Positive), None, "step of (x, y)"),
        option("control", "phi", Kind::Word(&["gradient", "value"]), Some("gradient"), "barrier eta |dq|^2 or eta q"),
        MANY_ITERATIONS,
    ],
};
