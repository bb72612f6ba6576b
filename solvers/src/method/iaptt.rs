//! Initialization auxiliary and pessimistic trajectory truncation: the start of the lower steps is optimized with x.

use blo_engine::model::assumption::Assumption;

use super::unrolled::{LOWER_STEP, STEPS, UPDATE, UPPER_STEP};
use super::{Entry, Kind, OptionEntry, Range, option};

const AUXILIARY_STEP: OptionEntry =
    option("alpha_z", "alpha_z", Kind::Schedule(Range::Positive), None, "step of the initialization auxiliary");

/// Without truncation.
pub(super) static IAGM: Entry = Entry {
    name: "iagm",
    doc: "unrolled steps from a start point that is optimized together with x",
    citation: "Liu, Liu, Zeng, Zhang, NeurIPS 2021, section 2",
    requires: &[Assumption::Smooth],
    options: &[STEPS, LOWER_STEP, UPPER_STEP, AUXILIARY_STEP, UPDATE],
    method: None,
};

/// With accelerated lower steps.
pub(super) static IAGM_A: Entry = Entry {
    name: "iagm_a",
    doc: "iagm with Nesterov's accelerated lower steps",
    citation: "Liu, Liu, Zeng, Zhang, NeurIPS 2021, eq. (9)",
    requires: &[Assumption::Smooth],
    options: &[STEPS, LOWER_STEP, UPPER_STEP, AUXILIARY_STEP, UPDATE],
    method: None,
};

/// With pessimistic truncation.
pub(super) static IAPTT: Entry = Entry {
    name: "iaptt",
    doc: "iagm cut at the lower step with the largest upper objective",
    citation: "Liu, Liu, Zeng, Zhang, NeurIPS 2021, Alg. 1",
    requires: &[Assumption::Smooth],
    options: &[STEPS, LOWER_STEP, UPPER_STEP, AUXILIARY_STEP, UPDATE],
    method: None,
};
