//! Penalty-based bilevel gradient descent: on the value gap or on the lower gradient.

use blo_engine::calculus::Assumption;

use crate::options::entry::{Kind, MANY_ITERATIONS, MethodEntry, OptionEntry, Range, StepOf, option};

const STEP: OptionEntry =
    option("alpha", "alpha", Kind::Schedule(Range::Positive), None, "step of (x, y)").steps(StepOf::Upper);
const PENALTY: OptionEntry = option("lambda", "gamma", Kind::Schedule(Range::Positive), None, "penalty parameter");

/// On the value gap.
pub(in crate::method) static VPBGD: MethodEntry = MethodEntry {
    name: "vpbgd",
    doc: "gradient descent on F + lambda (f - min f)",
    citation: "Shen, Chen, ICML 2023, Alg. 1",
    formula: &[],
    requires: &[Assumption::Smooth],
    options: &[
        option("T", "T", Kind::Integer(1), Some("10"), "lower-level steps per iteration"),
        option("beta", "beta", Kind::Schedule(Range::Positive), None, "step of the lower-level steps")
            .steps(StepOf::Lower),
        STEP,
        PENALTY,
        MANY_ITERATIONS,
    ],
};

/// On the lower gradient.
pub(in crate::method) static GPBGD: MethodEntry = MethodEntry {
    name: "gpbgd",
    doc: "gradient descent on F + lambda/2 |f_y|^2",
    citation: "Shen, Chen, ICML 2023, section 4.2",
    formula: &[],
    requires: &[Assumption::Smooth],
    options: &[STEP, PENALTY, MANY_ITERATIONS],
};
