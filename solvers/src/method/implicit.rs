//! Implicit hypergradients: the lower solution's derivative from its stationarity condition.

use blo_engine::model::assumption::Assumption;

use super::unrolled::{LOWER_STEP, START, STEPS, UPDATE, UPPER_STEP};
use super::{Entry, Kind, Range, option};

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
        option("rtol", "", Kind::Number(Range::NonNegative), Some("1e-10"), "relative residual of the linear system"),
        option("atol", "", Kind::Number(Range::NonNegative), Some("1e-14"), "absolute residual of the linear system"),
        option("cg_iter", "", Kind::Integer(1), Some("100"), "conjugate gradient iterations at most"),
        START,
        UPDATE,
    ],
    method: None,
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
        option("terms", "", Kind::Integer(1), Some("20"), "terms of the series"),
        option("s", "s", Kind::Number(Range::Positive), None, "step of the series, below 2/L_f"),
        START,
        UPDATE,
    ],
    method: None,
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
        option("epsilon", "epsilon", Kind::Number(Range::Positive), Some("0.01"), "difference step over |F_y|"),
        UPDATE,
    ],
    method: None,
};

/// Gauss-Newton rank one.
pub(super) static RANK1: Entry = Entry {
    name: "rank1",
    doc: "implicit hypergradient with a rank-one Gauss-Newton Hessian",
    citation: "Liu, Liu, Zeng, Zhang, Zhang, IEEE TPAMI 2023",
    requires: &[Assumption::Smooth, Assumption::Singleton],
    options: &[STEPS, LOWER_STEP, UPPER_STEP, START, UPDATE],
    method: None,
};
