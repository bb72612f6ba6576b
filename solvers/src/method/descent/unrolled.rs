//! Explicit hypergradients through K steps of gradient descent on the lower level: reverse, forward and truncated
//! reverse mode; the options that the whole family of `composed` shares; and the family's free composition.

use blo_engine::calculus::Assumption;

use crate::formula::upper_update::UpperUpdate;
use crate::options::entry::{Kind, MethodEntry, OptionEntry, Range, StepOf, option};

/// Lower steps.
pub(super) const STEPS: OptionEntry =
    option("K", "K", Kind::Integer(1), Some("100"), "lower-level steps per upper step");
/// Lower step size.
pub(super) const LOWER_STEP: OptionEntry =
    option("s_l", "s_l", Kind::Schedule(Range::Positive), None, "step on the lower objective, at most 1/L_f")
        .steps(StepOf::Lower);
/// Upper step size.
pub(super) const UPPER_STEP: OptionEntry = option(
    "alpha_x",
    "alpha_x",
    Kind::Schedule(Range::Positive),
    None,
    "step of the upper variables; automatic is safeguarded",
)
.steps(StepOf::Upper);
/// Where the lower steps start.
pub(super) const START: OptionEntry =
    option("start", "", Kind::Word(&["fixed", "warm"]), Some("fixed"), "lower steps start at y0 or at the last y");
/// How a hypergradient moves the upper variables.
pub(super) const UPDATE: OptionEntry = option(
    "update",
    "",
    Kind::Word(UpperUpdate::NAMES),
    Some("gradient"),
    "how the hypergradient moves the upper variables",
);
/// Memory of a trajectory.
pub(super) const MEMORY: OptionEntry = option(
    "memory",
    "",
    Kind::Number(Range::Positive),
    Some("inf"),
    "bytes for states of the lower steps; what does not fit is computed again",
);
/// Dynamics that lead to a minimizer of the lower level alone.
pub(super) const PLAIN: OptionEntry = dynamics(&["gradient", "nesterov"], "gradient");

/// The same where steps are not differentiated, so that the fastest ones serve.
pub(super) const ACCELERATED: OptionEntry = dynamics(&["gradient", "nesterov"], "nesterov");

/// The option `dynamics` with its default.
pub(super) const fn dynamics(words: &'static [&'static str], default: &'static str) -> OptionEntry {
    option("dynamics", "", Kind::Word(words), Some(default), "what a lower-level step is")
}

/// The option `start` where it has another default.
pub(super) const fn start(words: &'static [&'static str], default: &'static str) -> OptionEntry {
    option(
        "start",
        "",
        Kind::Word(words),
        Some(default),
        "lower steps start at y0, at the last y, or at an optimized z",
    )
}

/// The option `gradient` with its default.
pub(super) const fn gradient(words: &'static [&'static str], default: &'static str) -> OptionEntry {
    option("gradient", "", Kind::Word(words), Some(default), "how the end of the lower steps is differentiated")
}

/// Steps that truncated reverse mode goes back.
pub(super) const BACK: OptionEntry =
    option("h", "h", Kind::Integer(1), Some("25"), "lower steps that a truncated sweep goes back");
/// Of BDA.
pub(super) const AGGREGATE: [OptionEntry; 5] = [
    option("s_u", "s_u", Kind::Schedule(Range::Positive), None, "step on the upper objective in y")
        .steps(StepOf::UpperInY),
    option("alpha", "alpha_k", Kind::Schedule(Range::Unit), None, "weight of the upper gradient in lower step k"),
    option("beta", "beta", Kind::Number(Range::Unit), None, "contraction factor in Proposition 1's weight"),
    option("gamma", "gamma", Kind::Number(Range::Positive), Some("1"), "factor in Proposition 1's weight"),
    option("eps", "epsilon", Kind::Number(Range::Unit), Some("1e-3"), "a weight by rule is at most 1 - eps"),
];
/// Of conjugate gradients.
pub(super) const CONJUGATE: [OptionEntry; 3] = [
    option("rtol", "", Kind::Number(Range::NonNegative), Some("1e-10"), "relative residual of the linear system"),
    option("atol", "", Kind::Number(Range::NonNegative), Some("1e-14"), "absolute residual of the linear system"),
    option("cg_iter", "", Kind::Integer(1), Some("1000"), "conjugate gradient iterations at most"),
];
/// Of the Neumann series.
pub(super) const TERMS: OptionEntry =
    option("terms", "", Kind::Integer(1), Some("1000"), "terms of the series at most");
/// Of finite differences.
pub(super) const DIFFERENCE: OptionEntry =
    option("epsilon", "epsilon", Kind::Number(Range::Positive), Some("0.01"), "length of the difference step");
/// Of the auxiliary start.
pub(super) const AUXILIARY_STEP: OptionEntry = option(
    "alpha_z",
    "alpha_z",
    Kind::Schedule(Range::Positive),
    None,
    "step of the initialization auxiliary; automatic is alpha_x",
)
.steps(StepOf::Upper);

/// Reverse mode.
pub(in crate::method) static RHG: MethodEntry = MethodEntry {
    name: "rhg",
    doc: "reverse-mode hypergradient through K lower-level gradient steps",
    citation: "Franceschi, Donini, Frasconi, Pontil, ICML 2017",
    formula: &[
        "y_k = prox_{s_l g~}( y_{k-1} - s_l f_y(x, y_{k-1}) ), k = 1..K",
        "x+ = Proj_X( x - alpha_x d/dx F(x, y_K(x)) ), the derivative by reverse mode",
    ],
    requires: &[Assumption::Smooth, Assumption::Singleton],
    options: &[STEPS, LOWER_STEP, UPPER_STEP, START, UPDATE, PLAIN, gradient(&["reverse"], "reverse"), MEMORY],
};

/// Forward mode.
pub(in crate::method) static FHG: MethodEntry = MethodEntry {
    name: "fhg",
    doc: "forward-mode hypergradient through K lower-level gradient steps",
    citation: "Franceschi, Donini, Frasconi, Pontil, ICML 2017",
    formula: &[
        "y_k = prox_{s_l g~}( y_{k-1} - s_l f_y(x, y_{k-1}) ), k = 1..K",
        "x+ = Proj_X( x - alpha_x d/dx F(x, y_K(x)) ), the derivative by forward mode",
    ],
    requires: &[Assumption::Smooth, Assumption::Singleton],
    options: &[STEPS, LOWER_STEP, UPPER_STEP, START, UPDATE, PLAIN, gradient(&["forward"], "forward"), MEMORY],
};

/// Truncated reverse mode.
pub(in crate::method) static TRHG: MethodEntry = MethodEntry {
    name: "trhg",
    doc: "reverse-mode hypergradient through the last h of K lower-level gradient steps",
    citation: "Shaban, Cheng, Hatch, Boots, AISTATS 2019",
    formula: &[
        "y_k = prox_{s_l g~}( y_{k-1} - s_l f_y(x, y_{k-1}) ), k = 1..K",
        "x+ = Proj_X( x - alpha_x d/dx F(x, y_K(x)) ), y_{K-h} taken as constant",
    ],
    requires: &[Assumption::Smooth, Assumption::StronglyConvex],
    options: &[
        STEPS,
        BACK,
        LOWER_STEP,
        UPPER_STEP,
        START,
        UPDATE,
        PLAIN,
        gradient(&["truncated"], "truncated"),
        MEMORY,
    ],
};

/// Any legal choice.
pub(in crate::method) static UNROLL: MethodEntry = MethodEntry {
    name: "unroll",
    doc: "any choice of lower dynamics, start, hypergradient and upper update; the methods below are presets of it",
    citation: "the composition of this table; each part names its source",
    formula: &[
        "y_k = T_k(x, y_{k-1}), k = 1..K;  T by `dynamics`, y_0 by `start`",
        "x+ = Proj_X( x - alpha_x d ), d ~ d/dx F(x, y_K(x)) by `gradient`, the step by `update`",
    ],
    requires: &[],
    options: &[
        dynamics(&["gradient", "nesterov", "aggregate", "averaging"], "gradient"),
        start(&["fixed", "warm", "auxiliary"], "fixed"),
        gradient(&["reverse", "truncated", "pessimistic", "forward", "cg", "neumann", "one_stage", "rank1"], "reverse"),
        UPDATE,
        STEPS,
        LOWER_STEP,
        UPPER_STEP,
        AUXILIARY_STEP,
        BACK,
        AGGREGATE[0],
        AGGREGATE[1],
        AGGREGATE[2],
        AGGREGATE[3],
        AGGREGATE[4],
        super::bigsam::WEIGHT,
        super::bigsam::UPPER,
        super::bigsam::LOWER,
        super::bigsam::EVERY,
        CONJUGATE[0],
        CONJUGATE[1],
        CONJUGATE[2],
        TERMS,
        DIFFERENCE,
        MEMORY,
    ],
};
