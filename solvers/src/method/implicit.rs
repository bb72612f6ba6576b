//! Implicit hypergradients: the lower solution's derivative from its stationarity condition.

use blo_engine::model::assumption::Assumption;

use super::composed::Composed;
use super::unrolled::{
    ACCELERATED, CONJUGATE, DIFFERENCE, LOWER_STEP, MEMORY, PLAIN, START, STEPS, TERMS, UPDATE, UPPER_STEP, dynamics,
    gradient, start,
};
use super::{Entry, Kind, option};

/// Conjugate gradients.
pub(super) static CG: Entry = Entry {
    name: "cg",
    doc: "implicit hypergradient; the Hessian system is solved by conjugate gradients",
    citation: "Pedregosa, ICML 2016; Grazzi, Franceschi, Pontil, Salzo, ICML 2020",
    requires: &[Assumption::Smooth, Assumption::StronglyConvex],
    options: &[
        STEPS,
        LOWER_STEP,
        UPPER_STEP,
        CONJUGATE[0],
        CONJUGATE[1],
        CONJUGATE[2],
        start(&["fixed", "warm"], "warm"),
        UPDATE,
        ACCELERATED,
        gradient(&["cg"], "cg"),
        MEMORY,
    ],
    method: Some(&Composed),
};

/// Neumann series.
pub(super) static NEUMANN: Entry = Entry {
    name: "neumann",
    doc: "implicit hypergradient; the Hessian's inverse is a truncated Neumann series",
    citation: "Lorraine, Vicol, Duvenaud, AISTATS 2020",
    requires: &[Assumption::Smooth, Assumption::StronglyConvex],
    options: &[
        STEPS,
        LOWER_STEP,
        UPPER_STEP,
        TERMS,
        start(&["fixed", "warm"], "warm"),
        UPDATE,
        ACCELERATED,
        gradient(&["neumann"], "neumann"),
        MEMORY,
    ],
    method: Some(&Composed),
};

/// One-stage finite differences.
pub(super) static DARTS: Entry = Entry {
    name: "darts",
    doc: "hypergradient of one lower step, its mixed derivative by a finite difference",
    citation: "Liu, Simonyan, Yang, ICLR 2019, eqs. (7), (8)",
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
    method: Some(&Composed),
};

/// Gauss-Newton rank one.
pub(super) static RANK1: Entry = Entry {
    name: "rank1",
    doc: "implicit hypergradient with a rank-one Gauss-Newton Hessian",
    citation: "Liu, Liu, Zeng, Zhang, Zhang, IEEE TPAMI 2023",
    requires: &[Assumption::Smooth, Assumption::Singleton],
    options: &[STEPS, LOWER_STEP, UPPER_STEP, START, UPDATE, PLAIN, gradient(&["rank1"], "rank1"), MEMORY],
    method: Some(&Composed),
};
