//! Initialization auxiliary and pessimistic trajectory truncation: the start of the lower steps is optimized with x.

use blo_engine::model::assumption::Assumption;

use super::Entry;
use super::composed::Composed;
use super::unrolled::{AUXILIARY_STEP, LOWER_STEP, MEMORY, STEPS, UPDATE, UPPER_STEP, dynamics, gradient, start};

/// Without truncation.
pub(super) static IAGM: Entry = Entry {
    name: "iagm",
    doc: "unrolled steps from a start point that is optimized together with x",
    citation: "Liu, Liu, Zeng, Zhang, NeurIPS 2021, section 2",
    requires: &[Assumption::Smooth],
    options: &[
        STEPS,
        LOWER_STEP,
        UPPER_STEP,
        AUXILIARY_STEP,
        UPDATE,
        dynamics(&["gradient"], "gradient"),
        start(&["auxiliary"], "auxiliary"),
        gradient(&["reverse"], "reverse"),
        MEMORY,
    ],
    method: Some(&Composed),
};

/// With accelerated lower steps.
pub(super) static IAGM_A: Entry = Entry {
    name: "iagm_a",
    doc: "iagm with Nesterov's accelerated lower steps",
    citation: "Liu, Liu, Zeng, Zhang, NeurIPS 2021, eq. (9)",
    requires: &[Assumption::Smooth],
    options: &[
        STEPS,
        LOWER_STEP,
        UPPER_STEP,
        AUXILIARY_STEP,
        UPDATE,
        dynamics(&["nesterov"], "nesterov"),
        start(&["auxiliary"], "auxiliary"),
        gradient(&["reverse"], "reverse"),
        MEMORY,
    ],
    method: Some(&Composed),
};

/// With pessimistic truncation.
pub(super) static IAPTT: Entry = Entry {
    name: "iaptt",
    doc: "iagm cut at the lower step with the largest upper objective",
    citation: "Liu, Liu, Zeng, Zhang, NeurIPS 2021, Alg. 1",
    requires: &[Assumption::Smooth],
    options: &[
        STEPS,
        LOWER_STEP,
        UPPER_STEP,
        AUXILIARY_STEP,
        UPDATE,
        dynamics(&["gradient", "nesterov"], "gradient"),
        start(&["auxiliary"], "auxiliary"),
        gradient(&["pessimistic"], "pessimistic"),
        MEMORY,
    ],
    method: Some(&Composed),
};
