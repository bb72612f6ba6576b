//! Bilevel descent aggregation: lower steps follow an average of the two levels' gradients.

use blo_engine::model::assumption::Assumption;

use super::Entry;
use super::composed::Composed;
use super::unrolled::{AGGREGATE, LOWER_STEP, MEMORY, START, STEPS, UPDATE, UPPER_STEP, dynamics, gradient};

/// The entry.
pub(super) static BDA: Entry = Entry {
    name: "bda",
    doc: "unrolled steps along an average of the upper and the lower gradient",
    citation: "Liu, Mu, Yuan, Zeng, Zhang, ICML 2020, eqs. (10), (13)",
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
    method: Some(&Composed),
};
