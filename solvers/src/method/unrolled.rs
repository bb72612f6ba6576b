//! Explicit hypergradients through K steps of gradient descent on the lower level: reverse, forward and truncated
//! reverse mode.

use blo_engine::model::assumption::Assumption;

use super::{Entry, Kind, OptionEntry, Range, option};

/// Lower steps of every unrolled method.
pub(super) const STEPS: OptionEntry = option("K", "K", Kind::Integer(1), None, "lower-level steps per upper step");
/// Lower step size.
pub(super) const LOWER_STEP: OptionEntry =
    option("s_l", "s_l", Kind::Schedule(Range::Positive), None, "step on the lower objective, at most 1/L_f");
/// Upper step size.
pub(super) const UPPER_STEP: OptionEntry =
    option("alpha_x", "alpha_x", Kind::Schedule(Range::Positive), None, "step of the upper variables");
/// Where the lower steps start.
pub(super) const START: OptionEntry =
    option("start", "", Kind::Word(&["fixed", "warm"]), Some("fixed"), "lower steps start at y0 or at the last y");
/// How a hypergradient moves the upper variables.
pub(super) const UPDATE: OptionEntry = option(
    "update",
    "",
    Kind::Word(&["gradient", "momentum", "adam"]),
    Some("gradient"),
    "how the hypergradient moves the upper variables",
);

/// Reverse mode.
pub(super) static RHG: Entry = Entry {
    name: "rhg",
    doc: "reverse-mode hypergradient through K lower-level gradient steps",
    citation: "Franceschi, Donini, Frasconi, Pontil, ICML 2017",
    requires: &[Assumption::Smooth, Assumption::Singleton],
    options: &[STEPS, LOWER_STEP, UPPER_STEP, START, UPDATE],
    method: None,
};

/// Forward mode.
pub(super) static FHG: Entry = Entry {
    name: "fhg",
    doc: "forward-mode hypergradient through K lower-level gradient steps",
    citation: "Franceschi, Donini, Frasconi, Pontil, ICML 2017",
    requires: &[Assumption::Smooth, Assumption::Singleton],
    options: &[STEPS, LOWER_STEP, UPPER_STEP, START, UPDATE],
    method: None,
};

/// Truncated reverse mode.
pub(super) static TRHG: Entry = Entry {
    name: "trhg",
    doc: "reverse-mode hypergradient through the last h of K lower-level gradient steps",
    citation: "Shaban, Cheng, Hatch, Boots, AISTATS 2019",
    requires: &[Assumption::Smooth, Assumption::StronglyConvex],
    options: &[
        STEPS,
        option("h", "h", Kind::Integer(1), Some("25"), "steps that the reverse sweep goes back"),
        LOWER_STEP,
        UPPER_STEP,
        START,
        UPDATE,
    ],
    method: None,
};
