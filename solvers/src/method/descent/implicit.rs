//! Implicit hypergradients: the lower solution's derivative from its stationarity condition.

use blo_engine::calculus::Assumption;

use super::unrolled::{
    ACCELERATED, CONJUGATE, DIFFERENCE, LOWER_STEP, MEMORY, PLAIN, START, STEPS, TERMS, UPDATE, UPPER_STEP, dynamics,
    gradient, start,
};
use crate::options::entry::{Kind, MethodEntry, OptionEntry, option};

/// When the lower steps of an upper step are enough.
const TOLERANCE: OptionEntry = option(
    "tol_l",
    "epsilon_k",
    Kind::Word(&["objective", "geometric"]),
    Some("objective"),
    "repeat K lower steps until F is sure, or (HOAG, start = warm) until |y - y*| <= 0.1*0.9^k of that at the start",
);

/// Conjugate gradients.
pub(in crate::method) static CG: MethodEntry = MethodEntry {
    name: "cg",
    doc: "implicit hypergradient; the Hessian system is solved by conjugate gradients",
    citation: "Pedregosa, ICML 2016; Grazzi, Franceschi, Pontil, Salzo, ICML 2020",
    formula: &[
        "y = y_K after K lower steps;  f_yy(x, y) q = F_y(x, y) by conjugate gradients",
        "x+ = Proj_X( x - alpha_x (F_x(x, y) - f_xy(x, y) q) )",
    ],
    requires: &[Assumption::Smooth, Assumption::StronglyConvex],
    options: &[
        STEPS,
        LOWER_STEP,
        UPPER_STEP,
        CONJUGATE[0],
        CONJUGATE[1],
        CONJUGATE[2],
        start(&["fixed", "warm"], "warm"),
        TOLERANCE,
        UPDATE,
        ACCELERATED,
        gradient(&["cg"], "cg"),
        MEMORY,
    ],
};

/// Neumann series.
pub(in crate::method) static NEUMANN: MethodEntry = MethodEntry {
    name: "neumann",
    doc: "implicit hypergradient; the Hessian's inverse is a truncated Neumann series",
    citation: "Lorraine, Vicol, Duvenaud, AISTATS 2020",
    formula: &[
        "y = y_K after K lower steps;  q = s_l sum_i (I - s_l f_yy(x, y))^i F_y(x, y), i = 0, 1, ...",
        "x+ = Proj_X( x - alpha_x (F_x(x, y) - f_xy(x, y) q) )",
    ],
    requires: &[Assumption::Smooth, Assumption::StronglyConvex],
    options: &[
        STEPS,
        LOWER_STEP,
        UPPER_STEP,
        TERMS,
        start(&["fixed", "warm"], "warm"),
        TOLERANCE,
        UPDATE,
        ACCELERATED,
        gradient(&["neumann"], "neumann"),
        MEMORY,
    ],
};

/// One-stage finite differences.
pub(in crate::method) static DARTS: MethodEntry = MethodEntry {
    name: "darts",
    doc: "hypergradient of one lower step, its mixed derivative by a finite difference",
    citation: "Liu, Simonyan, Yang, ICLR 2019, eqs. (7), (8)",
    formula: &[
        "y' = y - s_l f_y(x, y),  v = F_y(x, y'),  e = epsilon/|v|",
        "x+ = Proj_X( x - alpha_x (F_x(x, y') - s_l (f_x(x, y + e v) - f_x(x, y - e v))/(2 e)) )",
    ],
    requires: &[Assumption::Smooth, Assumption::Singleton],
    options: &[
        LOWER_STEP,
        UPPER_STEP,
        DIFFERENCE,
        UPDATE,
        option("K", "K", Kind::Integer(1), Some("1"), "lower-level steps per upper step"),
        start(&["fixed", "warm"], "warm"),
        dynamics(&["gradient"], "gradient"),
        gradient(&["one_stage"], "one_stage"),
        MEMORY,
    ],
};

/// Gauss-Newton rank one.
pub(in crate::method) static RANK1: MethodEntry = MethodEntry {
    name: "rank1",
    doc: "implicit hypergradient with a rank-one Gauss-Newton Hessian",
    citation: "Liu, Liu, Zeng, Zhang, Zhang, IEEE TPAMI 2023",
    formula: &[
        "y = y_K after K lower steps;  f_yy ~ f_y f_y', f_xy ~ f_x f_y'",
        "x+ = Proj_X( x - alpha_x (F_x - (f_y'F_y)/(f_y'f_y) f_x) ) at (x, y)",
    ],
    requires: &[Assumption::Smooth, Assumption::Singleton],
    options: &[STEPS, LOWER_STEP, UPPER_STEP, START, UPDATE, PLAIN, gradient(&["rank1"], "rank1"), MEMORY],
};
