//! IGJO: implicit differentiation of a lasso-like lower level.

use blo_engine::calculus::Assumption;

use crate::options::entry::{Kind, MethodEntry, Range, option};

/// Implicit gradients with a line search.
pub(in crate::method) static IGJO: MethodEntry = MethodEntry {
    name: "igjo",
    doc: "implicit differentiation on the nonzero lower coordinates with an Armijo search",
    citation: "Feng, Simon, J. Comput. Graph. Stat. 2018",
    formula: &[],
    requires: &[Assumption::StronglyConvex],
    options: &[
        option("armijo", "", Kind::Number(Range::Unit), Some("1e-3"), "sufficient decrease"),
        option("shrink", "", Kind::Number(Range::Unit), Some("0.1"), "step reduction"),
        option("floor", "", Kind::Number(Range::NonNegative), Some("1e-6"), "smallest upper value"),
        option("decrease", "", Kind::Number(Range::NonNegative), Some("5e-8"), "stop below this decrease"),
        option("init", "", Kind::Number(Range::Positive), Some("1e-2"), "first upper values"),
    ],
};
