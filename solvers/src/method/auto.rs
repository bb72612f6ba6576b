//! The default. Without rows of `subject to`: a method that suits the problem by what is proved of it, and from its end a search on the reduced
//! objective (`reduced::search`), on a budget. With rows: the search over KKT points (`small::search`), a phase per
//! iteration. It promises no more than its verdict says.

use blo_engine::calculus::Verdict;
use blo_engine::model::problem::{LevelId, Problem, Variable};
use blo_grammar::diagnostic::Diagnostic;

use super::kkt::{Inputs, beyond_kkt, by_points};
use super::{Method, TakesRows, Unfit, by_name, resolve};
use crate::formula::problem_graph::ProblemGraph;
use crate::formula::start_point::start_point;
use crate::hypergradient::Derivatives;
use crate::iteration::control::Iterate;
use crate::iteration::external::External;
use crate::iteration::{Built, Context, memory};
use crate::options::entry::{Kind, MANY_ITERATIONS, MethodEntry, option};
use crate::options::request::Request;
use crate::options::settings::Settings;
use crate::small::search::{SMALL, Small};

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
    fn unfit(&self, problem: &Problem, _: &Settings) -> Option<Unfit> {
        (problem.has_rows() && is_small(problem)).then(|| beyond_kkt(problem)).flatten()
    }

    /// A base knows no rows of the upper level, and no multipliers.
    fn rows(&self, problem: &Problem) -> TakesRows {
        let small = is_small(problem);
        TakesRows { upper: small, lower: true, multipliers: small }
    }

    fn build(&self, p: ProblemGraph<'_>, settings: &Settings) -> Built {
        if p.problem().has_rows() && is_small(p.problem()) {
            return searching(p);
        }
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

/// A search, a phase per iteration; the iterate is the best point that the lower level agrees with.
fn searching(p: ProblemGraph<'_>) -> Built {
    let make = |context: &Context<'_>| Ok(Box::new(Phases::new(context)?) as Box<dyn External>);
    by_points(p, "a phase of the search over KKT points", Box::new(make), Small::PHASES as u64)
}

/// The budget of a search, in flops.
const BUDGET: f64 = 2e9;

struct Phases {
    search: Small,
    inputs: Inputs,
}

impl Phases {
    fn new(context: &Context<'_>) -> Result<Phases, Box<Diagnostic>> {
        let Context { problem, data, options } = context;
        let mut start = start_point::<f64>(problem, data, options.threads)?;
        let lower = start.split_off(problem.range(LevelId::LOWER).start);
        let start = [start.concat(), lower.concat()];
        let mut search = Small::new(problem, data, options.threads, options.seed, start)?;
        search.lower.budget = BUDGET * options.search.map_or(1.0, |s| s.effort);
        Ok(Phases { search, inputs: Inputs::of(problem) })
    }
}

impl External for Phases {
    fn run(&mut self, _: u64, iterate: &mut dyn Iterate, _: &mut dyn FnMut() -> bool) {
        self.search.step();
        let Some(best) = self.search.incumbent.clone() else { return };
        self.search.lower.put(&best.x);
        let multipliers = best.multipliers.unwrap_or_else(|| self.search.lower.multipliers(&best.y).0);
        self.inputs.write(iterate, &[best.x, best.y].concat(), &multipliers);
    }

    fn describe(&self) -> Vec<(&'static str, String)> {
        self.search.describe()
    }

    fn save(&self, to: &mut Vec<u8>) {
        memory::pack(&self.search.memory(), to);
    }

    fn load(&mut self, saved: &[u8]) {
        self.search.remember(memory::unpack(saved));
    }
}

/// True where the sizes are known before the data, and both levels together have few entries.
fn is_small(problem: &Problem) -> bool {
    let count = |v: &Variable| Some(v.shape.sizes(&problem.sizes).ok()?.iter().product::<usize>());
    problem.variables().map(count).sum::<Option<usize>>().is_some_and(|entries| entries <= SMALL)
}

/// The method that begins.
pub(crate) fn base(problem: &Problem) -> &'static str {
    if problem.has_rows() {
        // solves of a convex level with rows are exact, and so are hypergradients through what is active
        let implicit = by_name(IMPLICIT).expect("the base is in the table").method;
        let automatic = resolve::resolve(problem, &Request::automatic(IMPLICIT));
        let takes = automatic.is_ok_and(|settings| implicit.unfit(problem, &settings).is_none());
        return if takes && problem.lower_is_convex() { IMPLICIT } else { "gaffa" };
    }
    let [strong, ..] = problem.proofs().map(|p| p.verdict == Verdict::Proved);
    let has_upper = !problem.upper().variables.is_empty();
    if strong && has_upper { IMPLICIT } else { "meha" }
}
