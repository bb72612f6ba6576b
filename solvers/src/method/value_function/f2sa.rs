//! F2SA: fully first-order with a growing penalty.

use blo_engine::calculus::Assumption;

use crate::options::entry::{Kind, MANY_ITERATIONS, MethodEntry, Range, StepOf, option};

/// The entry.
pub(in crate::method) static F2SA: MethodEntry = MethodEntry {
    name: "f2sa",
    doc: "fully first-order method with a growing multiplier on the value gap",
    citation: "Kwon, Kwon, Wright, Nowak, ICML 2023, Alg. 1",
    formula: &[],
    requires: &[Assumption::Smooth, Assumption::StronglyConvex],
    options: &[
        option("T", "T", Kind::Integer(1), Some("10"), "lower-level steps per iteration"),
        option("alpha", "alpha_k", Kind::Schedule(Range::Positive), None, "step of y").steps(StepOf::Upper),
        option("gamma", "gamma_k", Kind::Schedule(Range::Positive), None, "step of the lower-level copy z")
            .steps(StepOf::Lower),
        option("xi", "xi", Kind::Number(Range::Positive), Some("1"), "step of x against the step of y"),
        option("lambda", "lambda_k", Kind::Schedule(Range::Positive), Some("k^(1/3)"), "multiplier"),
        MANY_ITERATIONS,
    ],
};
