//! Initialization auxiliary and pessimistic trajectory truncation: the start of the lower steps is optimized with x.

use blo_engine::calculus::Assumption;

use super::unrolled::{AUXILIARY_STEP, LOWER_STEP, MEMORY, STEPS, UPDATE, UPPER_STEP, dynamics, gradient, start};
use crate::options::entry::MethodEntry;

/// Without truncation.
pub(in crate::method) static IAGM: MethodEntry = MethodEntry {
    name: "iagm",
    doc: "unrolled steps from a start point that is optimized together with x",
    citation: "Liu, Liu, Zeng, Zhang, NeurIPS 2021, section 2",
    formula: &[
        "y_0 = z,  y_k = prox_{s_l g~}( y_{k-1} - s_l f_y(x, y_{k-1}) ), k = 1..K",
        "x+ = Proj_X( x - alpha_x d/dx F(x, y_K(x, z)) ),  z+ = Proj_Y( z - alpha_z d/dz F(x, y_K(x, z)) )",
    ],
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
};

/// With accelerated lower steps.
pub(in crate::method) static IAGM_A: MethodEntry = MethodEntry {
    name: "iagm_a",
    doc: "iagm with Nesterov's accelerated lower steps",
    citation: "Liu, Liu, Zeng, Zhang, NeurIPS 2021, eq. (9)",
    formula: &[
        "y_k = prox_{s_l g~}( u_{k-1} - s_l f_y(x, u_{k-1}) ),  u_k = y_k + (t_k - 1)/t_{k+1} (y_k - y_{k-1}),  u_0 = y_0 = z",
        "t_1 = 1,  t_{k+1} = (1 + sqrt(1 + 4 t_k^2))/2, k = 1..K",
        "x+ = Proj_X( x - alpha_x d/dx F(x, y_K(x, z)) ),  z+ = Proj_Y( z - alpha_z d/dz F(x, y_K(x, z)) )",
    ],
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
};

/// With pessimistic truncation.
pub(in crate::method) static IAPTT: MethodEntry = MethodEntry {
    name: "iaptt",
    doc: "iagm cut at the lower step with the largest upper objective",
    citation: "Liu, Liu, Zeng, Zhang, NeurIPS 2021, Alg. 1",
    formula: &[
        "y_0 = z,  y_k = prox_{s_l g~}( y_{k-1} - s_l f_y(x, y_{k-1}) ), k = 1..K,  k~ = argmax_k F(x, y_k)",
        "x+ = Proj_X( x - alpha_x d/dx F(x, y_k~(x, z)) ),  z+ = Proj_Y( z - alpha_z d/dz F(x, y_k~(x, z)) )",
    ],
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
};
