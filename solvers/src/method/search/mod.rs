//! Searches over a few upper variables that solve the lower level at each point: the peers of learnt hyperparameters.

use blo_engine::calculus::Assumption;

use crate::options::entry::{Kind, MethodEntry, OptionEntry, Range, option};

const LOW: OptionEntry = option("low", "", Kind::Number(Range::Positive), Some("1e-3"), "smallest value, log scale");
const HIGH: OptionEntry = option("high", "", Kind::Number(Range::Positive), Some("10"), "largest value, log scale");
const DRAWS: OptionEntry = option("draws", "", Kind::Integer(1), Some("100"), "evaluations");

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

/// Grid search.
pub(in crate::method) static GRID: MethodEntry = MethodEntry {
    name: "grid",
    doc: "the best point of a logarithmic grid",
    citation: "as in Gao, Ye, Yin, Zeng, Zhang, ICML 2022, section 4",
    formula: &[],
    requires: &[],
    options: &[option("points", "", Kind::Integer(2), Some("10"), "points per upper variable"), LOW, HIGH],
};

/// Random search.
pub(in crate::method) static RANDOM: MethodEntry = MethodEntry {
    name: "random",
    doc: "the best of random points, uniform on a log scale",
    citation: "Bergstra, Bengio, JMLR 2012",
    formula: &[],
    requires: &[],
    options: &[DRAWS, LOW, HIGH],
};

/// Tree-structured Parzen estimator.
pub(in crate::method) static TPE: MethodEntry = MethodEntry {
    name: "tpe",
    doc: "Bayesian search with a tree-structured Parzen estimator",
    citation: "Bergstra, Bardenet, Bengio, Kegl, NeurIPS 2011",
    formula: &[],
    requires: &[],
    options: &[DRAWS, LOW, HIGH],
};
