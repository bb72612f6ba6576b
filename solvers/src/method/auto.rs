//! The default: a method that suits the problem by what is proved of it, and from its end a search on the reduced
//! objective (`reduced::search`), on a budget. It promises no more than its verdict says.

use blo_engine::calculus::Verdict;
use blo_engine::model::problem::Problem;

use super::{Method, by_name, resolve};
use crate::formula::problem_graph::ProblemGraph;
use crate::hypergradient::Derivatives;
use crate::iteration::Built;
use crate::options::entry::{Kind, MANY_ITERATIONS, MethodEntry, option};
use crate::options::request::Request;
use crate::options::settings::Settings;

/// The entry.
pub(super) static AUTO: MethodEntry = MethodEntry {
    name: "auto",
    doc: "the default: a method by what is proved of the problem, then a search for a better x, with a verdict",
    citation: "a controller over the methods of this list; the search is direct (Hooke, Jeeves, JACM 1961)",
    formula: &[
        "(x, y) from cg where the lower level is proved strongly convex, else from meha",
        "phi(x) = min { F(x, y) : y in argmin f(x, .) + g(x, .) } at x, at the start, on a grid of few entries",
        "x+ by a pattern search on phi from the best of these",
    ],
    requires: &[],
    options: &[
        option(
            "effort",
            "",
            Kind::Word(&["low", "normal", "high"]),
            Some("normal"),
            "work of the search: `low` is a tenth of `normal`, `high` thirty times as much",
        ),
        option(
            "starts",
            "",
            Kind::Integer(0),
            Some("0"),
            "random starts of the search, beside those it chooses itself",
        ),
        MANY_ITERATIONS,
    ],
};

/// The base where the lower level is proved strongly convex, and the most of its iterations: it needs ten or twenty where
/// it works.
const IMPLICIT: &str = "cg";
const MOST_IMPLICIT: u64 = 60;

/// The method.
pub(super) struct Auto;

impl Method for Auto {
    fn build(&self, p: ProblemGraph<'_>, settings: &Settings) -> Built {
        let base = base(p.problem());
        let problem = p.problem();
        let automatic = resolve::resolve(problem, &Request::automatic(base));
        let mut chosen = automatic.unwrap_or_else(|found| unreachable!("{base} without options: {found:?}"));
        for option in &mut chosen.options {
            if let Some(own) = settings.options.iter().find(|s| s.entry.name == option.entry.name) {
                *option = own.clone();
            }
        }
        let method = by_name(base).expect("the base is in the table").method;
        let built = method.build(p, &chosen);
        // the search goes on along hypergradients of solved lower levels, whatever their condition
        Built { most: (base == IMPLICIT).then_some(MOST_IMPLICIT), ..built }
    }

    /// Those of the hypergradients that the search goes along.
    fn second_derivatives(&self, _: &Problem, _: &Settings) -> Derivatives {
        Derivatives::System
    }
}

/// The method that begins.
pub(crate) fn base(problem: &Problem) -> &'static str {
    let [strong, ..] = problem.proofs().map(|p| p.verdict == Verdict::Proved);
    let has_upper = !problem.upper().variables.is_empty();
    if strong && has_upper { IMPLICIT } else { "meha" }
}
