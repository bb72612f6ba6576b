//! The table of methods. A method is one file: its entry (names, options, source) and its
//! iteration as a graph.

use blo_engine::graph::Function;
use blo_engine::model::problem::{Constraint, LevelId, Problem};
use blo_engine::model::{Augmented, Bindings, augmented};
use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::span::Span;

use batches::BatchUse;
use descent::{bda, bigsam, iaptt, implicit, unrolled};
use value_function::{bamm, bome, f2sa, gpbgd, vpbgd};

use crate::formula::problem_graph::ProblemGraph;
use crate::hypergradient::Derivatives;
use crate::hypergradient::check::HypergradientCheck;
use crate::hypergradient::outline::Outline;
use crate::iteration::Built;
use crate::lower::dynamics::LowerStep;
use crate::message;
use crate::options::entry::MethodEntry;
use crate::options::request::Request;
use crate::options::settings::Settings;

pub(crate) mod auto;
pub(crate) mod batches;
mod by_role;
mod continuation;
mod dca;
mod descent;
pub mod features;
pub(crate) mod gaffa;
mod growth;
mod igjo;
mod kkt;
mod lvhba;
mod meha;
pub mod resolve;
mod search;
mod soba;
mod value_function;

/// A method: from a problem and its settings to an iteration.
pub(crate) trait Method: Sync {
    /// Rules between options, beyond the kind and range of each. Run before iteration 0, also by `check`.
    fn check(&self, _: &Settings) -> Vec<Diagnostic> {
        Vec::new()
    }

    /// A feature of the problem that the method does not support, if there is one. Judged before iteration 0.
    fn unfit(&self, _: &Problem, _: &Settings) -> Option<Unfit> {
        None
    }

    /// What it takes of `subject to` by itself. No method ignores a row: those of the upper level become terms of its
    /// objective (`run/rows/passes.rs`), and [`refusal_of_rows`] refuses those of the lower level.
    fn rows(&self, _: &Problem) -> TakesRows {
        TakesRows::default()
    }

    /// Whether its steps may look at a batch of rows only.
    fn batches(&self, _: &Problem) -> BatchUse {
        BatchUse::Never
    }

    /// True where the options that [`Method::batches`] names make the method run as its paper prints it.
    fn is_as_printed(&self, settings: &Settings, needed: &[&str]) -> bool {
        needed.iter().all(|name| settings.get(name).value.is_some())
    }

    /// What runs beside the iteration's graph, in the order in which it runs, for listings.
    fn programs(&self, _: &Problem, _: &Settings) -> Vec<Function> {
        Vec::new()
    }

    /// The lower steps and the hypergradient that the control runs beside the stages, for what writes them down.
    fn composition(&self, _: &Problem, _: &Settings) -> Option<Composition> {
        None
    }

    /// The method's hypergradient at the start, moved by noise of size `spread` under a seed, against other ways to get
    /// it; `None` for methods that have none.
    ///
    /// # Errors
    /// When the memory cannot be had.
    fn check_hypergradient(
        &self,
        _: &Problem,
        _: &Bindings,
        _: &Settings,
        _: (f64, u64),
    ) -> Result<Option<Vec<HypergradientCheck>>, Box<Diagnostic>> {
        Ok(None)
    }

    /// The iteration, written into a graph over the formals of the problem, and what chooses its numbers. The settings are
    /// complete and have passed `check`, and the problem is not unfit. Called once per run.
    fn build(&self, p: ProblemGraph<'_>, settings: &Settings) -> Built;

    /// The second derivatives of f in its update, for listings.
    fn second_derivatives(&self, problem: &Problem, settings: &Settings) -> Derivatives {
        features::of_stages(&self.build(ProblemGraph::of_steps(problem), settings))
    }

    /// Fills in the options that have an automatic value which needs neither problem nor data. Run after `check`.
    fn complete(&self, _: &mut Settings) {}
}

/// Lower steps and a hypergradient beside the stages: after every step of x the control runs the lower steps there and
/// writes their end into the state and the hypergradient into the parameters.
pub(crate) struct Composition {
    /// A step.
    pub(crate) lower: LowerStep,
    /// How many.
    pub(crate) steps: u64,
    /// Where they start.
    pub(crate) start: StepsStart,
    /// The hypergradient; `None` where nothing writes it down.
    pub(crate) outline: Option<Outline>,
}

/// Where lower steps start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StepsStart {
    /// At y0.
    Fixed,
    /// Where the last ones ended.
    Warm,
    /// At an auxiliary z that is optimized with x.
    Auxiliary,
}

/// What a method takes of `subject to` by itself; nothing by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct TakesRows {
    /// Rows of the upper level.
    pub(crate) upper: bool,
    /// Rows of the lower level.
    pub(crate) lower: bool,
    /// Multipliers of lower rows in the upper objective and in upper rows.
    pub(crate) multipliers: bool,
}

impl TakesRows {
    /// The first row that is not taken: one of the lower level.
    fn lacks(self, problem: &Problem) -> Option<(&Constraint, LevelId)> {
        let row = problem.rows(LevelId::LOWER).first().map(|row| (row, LevelId::LOWER));
        row.filter(|_| !self.lower)
    }

    fn all_of(self, problem: &Problem) -> bool {
        self.lacks(problem).is_none() && (self.multipliers || !problem.upper_reads_multipliers())
    }
}

/// The problem that a method sees in the place of one whose upper level has rows that it does not take.
pub(crate) fn relaxation(problem: &Problem, method: &dyn Method) -> Option<Augmented> {
    (!method.rows(problem).upper && !problem.upper().constraints.is_empty()).then(|| augmented(problem))
}

/// Why a method cannot take a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unfit {
    /// The feature of the problem.
    pub(crate) what: &'static str,
    /// Why the method cannot take it.
    pub(crate) because: &'static str,
}

/// A line of the table: what a method says of itself, and the implementation.
#[derive(Clone, Copy)]
pub struct Listed {
    /// Names, options and source.
    pub entry: &'static MethodEntry,
    /// From a problem to an iteration.
    pub(crate) method: &'static dyn Method,
}

impl std::fmt::Debug for Listed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.entry.fmt(f)
    }
}

impl Listed {
    /// True where the method takes the problem with its automatic options.
    pub fn takes(&self, problem: &Problem) -> bool {
        let automatic = resolve::resolve(problem, &Request::automatic(self.entry.name));
        let relaxed = relaxation(problem, self.method);
        let problem = relaxed.as_ref().map_or(problem, |r| &r.problem);
        self.method.rows(problem).all_of(problem)
            && automatic.is_ok_and(|settings| self.method.unfit(problem, &settings).is_none())
    }

    /// True where the method steps along the derivative of `F(x, y_K(x))` or an estimate of it.
    fn has_hypergradient(&self, problem: &Problem) -> bool {
        let automatic = resolve::resolve(problem, &Request::automatic(self.entry.name));
        automatic.is_ok_and(|settings| self.method.composition(problem, &settings).is_some())
    }

    /// True where the method takes the problem and keeps to its rows of `subject to` of a level: to those of the upper level
    /// each does, by itself or by passes on an augmented Lagrangian.
    pub fn keeps_to_rows(&self, problem: &Problem, level: LevelId) -> bool {
        (level == LevelId::UPPER || self.method.rows(problem).lower) && self.takes(problem)
    }
}

const fn listed(entry: &'static MethodEntry, method: &'static dyn Method) -> Listed {
    Listed { entry, method }
}

/// Every method, in the order in which listings show them.
pub static METHODS: &[Listed] = &[
    listed(&auto::AUTO, &auto::Auto),
    listed(&meha::MEHA, &meha::Meha),
    listed(&gaffa::GAFFA, &gaffa::Gaffa),
    listed(&lvhba::LVHBA, &lvhba::Lvhba),
    listed(&unrolled::UNROLL, &descent::Composed { of_rows: false }),
    listed(&unrolled::RHG, &descent::Composed { of_rows: false }),
    listed(&unrolled::FHG, &descent::Composed { of_rows: false }),
    listed(&unrolled::TRHG, &descent::Composed { of_rows: false }),
    listed(&bda::BDA, &descent::Composed { of_rows: false }),
    listed(&bigsam::BIGSAM, &descent::Composed { of_rows: false }),
    listed(&iaptt::IAGM, &descent::Composed { of_rows: false }),
    listed(&iaptt::IAGM_A, &descent::Composed { of_rows: false }),
    listed(&iaptt::IAPTT, &descent::Composed { of_rows: false }),
    listed(&implicit::CG, &descent::Composed { of_rows: true }),
    listed(&implicit::NEUMANN, &descent::Composed { of_rows: true }),
    listed(&implicit::DARTS, &descent::Composed { of_rows: false }),
    listed(&implicit::RANK1, &descent::Composed { of_rows: false }),
    listed(&bome::BOME, &bome::Bome),
    listed(&vpbgd::VPBGD, &vpbgd::Vpbgd),
    listed(&gpbgd::GPBGD, &gpbgd::Gpbgd),
    listed(&f2sa::F2SA, &f2sa::F2sa),
    listed(&bamm::BAMM, &bamm::Bamm),
    listed(&soba::SOBA, &soba::Soba),
    listed(&dca::VFIDCA, &dca::Vfidca),
    listed(&igjo::IGJO, &igjo::Igjo),
    listed(&kkt::KKT, &kkt::KktConditions),
    listed(&search::grid::GRID, &search::grid::Grid),
    listed(&search::random::RANDOM, &search::random::Random),
    listed(&search::tpe::TPE, &search::tpe::Tpe),
];

/// The implementation of a method of the table.
pub(crate) fn implementation(entry: &MethodEntry) -> &'static dyn Method {
    by_name(entry.name).expect("an entry is one of the table's").method
}

/// Names of all methods.
pub(crate) fn names() -> Vec<&'static str> {
    METHODS.iter().map(|m| m.entry.name).collect()
}

/// Names of the methods that have an option of this name.
pub(crate) fn with_option(option: &str) -> Vec<&'static str> {
    METHODS.iter().filter(|m| m.entry.option(option).is_some()).map(|m| m.entry.name).collect()
}

/// Names of the methods that can take a problem and compute a hypergradient of it.
pub fn with_hypergradients(problem: &Problem) -> Vec<&'static str> {
    let has = |m: &&Listed| m.takes(problem) && m.has_hypergradient(problem);
    METHODS.iter().filter(has).map(|m| m.entry.name).collect()
}

/// Names of the methods that can take a problem with their automatic options.
pub(crate) fn that_take(problem: &Problem) -> Vec<&'static str> {
    METHODS.iter().filter(|m| m.takes(problem)).map(|m| m.entry.name).collect()
}

/// The error about a problem that a method cannot take, with the methods that can. Some refuse only once they see the
/// numbers; then they do not list themselves.
pub(crate) fn refusal(problem: &Problem, method: &'static str, span: Span, unfit: &Unfit) -> Diagnostic {
    let fit: Vec<&str> = that_take(problem).into_iter().filter(|name| *name != method).collect();
    message::cannot_take(span, method, unfit.what, unfit.because, &fit)
}

/// The error about rows or multipliers that a method does not take, with the methods that can take the problem.
pub(crate) fn refusal_of_rows(
    problem: &Problem,
    method: &dyn Method,
    name: &'static str,
    span: Span,
) -> Option<Diagnostic> {
    let takes = method.rows(problem);
    if takes.all_of(problem) {
        return None;
    }
    let fit = that_take(problem);
    let row = takes.lacks(problem);
    Some(match row {
        Some((row, level)) => message::cannot_take_row(span, name, row, level == LevelId::LOWER, &fit),
        None => message::cannot_take_multipliers(span, name, &fit),
    })
}

/// A method by name.
pub fn by_name(name: &str) -> Option<Listed> {
    METHODS.iter().find(|m| m.entry.name == name).copied()
}

/// The request with more flags, of which its method takes those that it has options for: so several methods take one list.
/// Where there is no such method it takes them all, and its resolution says what is wrong.
#[must_use]
pub fn taking(request: Request, flags: &[(String, String)]) -> Request {
    let entry = by_name(&request.method).map(|m| m.entry);
    let has = |option: &str| entry.is_none_or(|entry| entry.option(option).is_some());
    flags.iter().filter(|(name, _)| has(name)).fold(request, |request, (name, value)| request.set(name, value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::problem;
    use crate::options::value::parse_value;
    use crate::pipeline::prepare;

    /// A row of each level, and a multiplier in the upper objective.
    const ROWS: [&str; 3] = [
        "upper { var x  minimize x^2 + y  subject to { u: x + y <= 3 } }  lower { var y  minimize (y - x)^2 }",
        "upper { var x  minimize x^2 + y }  lower { var y  minimize (y - x)^2  subject to { l: y <= 2*x } }",
        "upper { var x  minimize multiplier(l) }  lower { var y  minimize (y - x)^2  subject to { l: y <= 2*x } }",
    ];

    #[test]
    fn rows_are_taken_or_refused_and_never_ignored() {
        for text in ROWS {
            let problem = problem(text);
            let fit = that_take(&problem);
            for listed in METHODS {
                let name = listed.entry.name;
                let found = prepare(&problem, &Request::automatic(name)).err().unwrap_or_default();
                let refused = |d: &Diagnostic| {
                    d.code == "B0617"
                        && (d.message.contains("(row of `subject to`)") || d.message.contains("`multiplier`"))
                };
                // `meha` on a lower level with rows runs another method
                let runs = if name == "meha" && !problem.lower().constraints.is_empty() { "gaffa" } else { name };
                let takes = by_name(runs).unwrap().method.rows(&problem).all_of(&problem);
                assert_eq!(found.iter().any(refused), !takes, "{name}: {found:?}");
                assert!(found.is_empty() || !fit.contains(&name), "{name}: {found:?}");
            }
        }
    }

    #[test]
    fn a_refusal_names_the_method_that_the_user_has_named() {
        let problem = problem(ROWS[2]);
        let d = prepare(&problem, &Request::automatic("meha")).err().unwrap().remove(0);
        assert!(d.message.starts_with("method meha cannot take `multiplier`"), "{d:?}");
        assert!(d.help.iter().any(|h| h.contains("hands a lower level with rows to `gaffa`")), "{d:?}");
        let own = prepare(&problem, &Request::automatic("gaffa")).err().unwrap().remove(0);
        assert!(own.message.starts_with("method gaffa") && own.help.len() == 1, "{own:?}");
    }

    #[test]
    fn methods_with_a_hypergradient_are_those_that_check_one() {
        let problem = problem("upper { var x  minimize (x - 1)^2 + y }  lower { var y  minimize (y - x)^2 }");
        let data = crate::fixture::data(&problem);
        let named = with_hypergradients(&problem);
        assert!(named.contains(&"cg") && !named.contains(&"meha"), "{named:?}");
        for name in that_take(&problem) {
            let found = crate::pipeline::check_hypergradient(&problem, &data, &Request::automatic(name), 0.1, 1);
            let values = found.unwrap().map(|checks| checks[0].values.len());
            assert_eq!(values, named.contains(&name).then_some(1), "{name}");
        }
    }

    #[test]
    fn names_are_unique_and_everything_is_documented() {
        let entries: Vec<_> = METHODS.iter().map(|m| m.entry).collect();
        for (i, m) in entries.iter().enumerate() {
            assert!(entries[..i].iter().all(|o| o.name != m.name), "{}", m.name);
            assert!(!m.doc.is_empty() && !m.citation.is_empty(), "{}", m.name);
            let options: Vec<_> = m.all_options().collect();
            for (j, o) in options.iter().enumerate() {
                assert!(options[..j].iter().all(|p| p.name != o.name), "{} {}", m.name, o.name);
                assert!(!o.doc.is_empty(), "{} {}", m.name, o.name);
            }
        }
    }

    #[test]
    fn defaults_are_values_of_their_kind() {
        for m in METHODS.iter().map(|m| m.entry) {
            for o in m.all_options() {
                if let Some(text) = o.default {
                    let value = parse_value(o, text);
                    assert!(value.is_ok(), "{} {} = {text}: {value:?}", m.name, o.name);
                }
            }
        }
    }
}
