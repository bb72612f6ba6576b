//! Searches over a few upper variables that solve the lower level at each point: the peers of learnt hyperparameters. A
//! search is a rule that proposes the next point from those before; `trials` does the rest.

pub(super) mod random;
mod trials;

use blo_engine::model::problem::Problem;

use crate::method::Unfit;
use crate::options::entry::{Kind, MethodEntry, OptionEntry, Range, option};

const LOW: OptionEntry = option(
    "low",
    "",
    Kind::Number(Range::Positive),
    Some("1e-3"),
    "least positive value that is tried, on a log scale, where a set bounds it by less or not at all",
);
const HIGH: OptionEntry = option(
    "high",
    "",
    Kind::Number(Range::Positive),
    Some("10"),
    "largest absolute value that is tried where no set bounds it",
);
const TRIALS: OptionEntry = option("max_iter", "", Kind::Integer(0), Some("100"), "points that are tried");

/// Grid search.
pub(in crate::method) static GRID: MethodEntry = MethodEntry {
    name: "grid",
    doc: "the best point of a logarithmic grid",
    citation: "as in Gao, Ye, Yin, Zeng, Zhang, ICML 2022, section 4",
    formula: &[],
    requires: &[],
    options: &[option("points", "", Kind::Integer(2), Some("10"), "points per upper variable"), LOW, HIGH],
};

/// Tree-structured Parzen estimator.
pub(in crate::method) static TPE: MethodEntry = MethodEntry {
    name: "tpe",
    doc: "Bayesian search with a tree-structured Parzen estimator",
    citation: "Bergstra, Bardenet, Bengio, Kegl, NeurIPS 2011",
    formula: &[],
    requires: &[],
    options: &[TRIALS, LOW, HIGH],
};

/// A search needs something to search over.
fn without_upper_variables(problem: &Problem) -> Option<Unfit> {
    problem.upper().variables.is_empty().then_some(Unfit {
        what: "an upper level without variables",
        because: "it chooses upper variables and leaves the choice among lower solutions to chance",
    })
}
