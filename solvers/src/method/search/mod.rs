//! Searches over a few upper variables that solve the lower level at each point: the peers of learnt hyperparameters. A
//! search is a rule that proposes the next point from those before; `trials` does the rest.

pub(super) mod grid;
pub(super) mod random;
pub(super) mod tpe;
mod trials;

use blo_engine::model::problem::Problem;

use crate::method::Unfit;
use crate::options::entry::{Kind, OptionEntry, Range, option};
use crate::options::settings::Settings;
use crate::reduced::space::Reach;

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

/// Where a search looks where no set says so.
fn reach(settings: &Settings) -> Reach {
    Reach { low: settings.number("low"), high: settings.number("high") }
}

/// A search needs something to search over.
fn without_upper_variables(problem: &Problem) -> Option<Unfit> {
    problem.upper().variables.is_empty().then_some(Unfit {
        what: "an upper level without variables",
        because: "it chooses upper variables and leaves the choice among lower solutions to chance",
    })
}
