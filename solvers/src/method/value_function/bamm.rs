//! BAMM: one loop, with a multiplier for the averaged lower problem.

use blo_engine::calculus::Assumption;

use crate::options::entry::{Kind, MANY_ITERATIONS, MethodEntry, Range, StepOf, option};

/// The entry.
pub(in crate::method) static BAMM: MethodEntry = MethodEntry {
    name: "bamm",
    doc: "averaged method of multipliers: one step of y, of the multiplier and of x per iteration",
    citation: "Liu, Liu, Yao, Zeng, Zhang, ICML 2023, Alg. 1",
    formula: &[],
    requires: &[Assumption::Smooth, Assumption::StronglyConvex],
    options: &[
        option("mu0", "mu_0", Kind::Number(Range::Unit), Some("0.9"), "first weight of the upper objective"),
        option("p", "p", Kind::Number(Range::Positive), Some("10"), "mu_k = mu0 (k+1)^(-1/p)"),
        option("tau", "tau", Kind::Number(Range::NonNegative), Some("1/40"), "decay of the steps in rule s1"),
        option("beta", "beta_k", Kind::Schedule(Range::Positive), Some("0.1"), "step of y").steps(StepOf::Lower),
        option("rule", "", Kind::Word(&["s1", "s2", "s3"]), Some("s1"), "how eta and alpha follow mu and beta"),
        option("eta", "eta_k", Kind::Schedule(Range::Positive), None, "step of the multiplier, instead of the rule's"),
        option("alpha", "alpha_k", Kind::Schedule(Range::Positive), None, "step of x, instead of the rule's")
            .steps(StepOf::Upper),
        MANY_ITERATIONS,
    ],
};
