//! What each method takes and needs, for tables: found by asking the method about tiny problems and by looking at what it
//! builds, not written down.

use blo_engine::calculus::Assumption;
use blo_engine::data::Memory;
use blo_engine::model::problem::Problem;
use blo_engine::model::{Bindings, Settings as ModelSettings, bind, check};

use super::batches::BatchUse;
use super::{Listed, Method, relaxation, resolve};
use crate::formula::problem_graph::ProblemGraph;
use crate::hypergradient::Derivatives;
use crate::iteration::{Built, Context, Repeat, Stage, Work};
use crate::options::request::Request;
use crate::options::run_options::RunOptions;
use crate::options::settings::Settings;

/// What a method takes and needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Features {
    /// A smooth lower level.
    pub smooth: bool,
    /// A proximal part of the lower level.
    pub proximal: bool,
    /// Sets of the upper variables.
    pub upper_set: bool,
    /// Sets of the lower variables.
    pub lower_set: bool,
    /// Rows of `subject to` in the upper level.
    pub upper_rows: bool,
    /// Rows of `subject to` in the lower level.
    pub lower_rows: bool,
    /// Its theory does not assume a convex lower objective.
    pub nonconvex: bool,
    /// Its theory does not assume that the lower level has one solution.
    pub many_solutions: bool,
    /// An iteration takes one step on the lower level.
    pub single_loop: bool,
    /// Its steps may look at a batch of rows, where its steps are stated.
    pub batches: bool,
    /// The second derivatives of f that it needs.
    pub second_derivatives: Derivatives,
}

impl Features {
    /// Titles of tables, with what they mean.
    pub const TITLES: [(&'static str, &'static str); 11] = [
        ("smooth", "takes a smooth lower level"),
        ("g", "takes a proximal part of the lower level (`regularize`)"),
        ("X", "takes sets of the upper variables"),
        ("Y", "takes sets of the lower variables"),
        ("X rows", "takes rows of the upper level (`subject to`): by itself, or in passes on an augmented Lagrangian"),
        ("Y rows", "takes rows of the lower level (`subject to`)"),
        ("nonconvex", "its theory does not assume that f is convex in y"),
        ("many y", "its theory does not assume that the lower level has one solution"),
        ("one loop", "one step on the lower level per iteration"),
        ("batch", "its steps may look at a batch of rows (`batch`), where its steps are stated"),
        (
            "second",
            "second derivatives of f in its update: no (Hessian-free), products with vectors, or a linear system; \
             step sizes that nobody states are measured by products in any case",
        ),
    ];

    /// The cells below the titles.
    pub fn cells(&self) -> [&'static str; Features::TITLES.len()] {
        let word = |yes: bool| if yes { "yes" } else { "no" };
        [
            word(self.smooth),
            word(self.proximal),
            word(self.upper_set),
            word(self.lower_set),
            word(self.upper_rows),
            word(self.lower_rows),
            word(self.nonconvex),
            word(self.many_solutions),
            word(self.single_loop),
            word(self.batches),
            self.second_derivatives.text(),
        ]
    }
}

/// The problems that methods are asked about.
const SMOOTH: &str = "upper { var x  minimize (y - 1)^2 + x^2 }  lower { var y  minimize (y - x)^2 }";
const PROXIMAL: &str =
    "upper { var x  minimize (y - 1)^2 + x^2 }  lower { var y  minimize (y - x)^2  regularize abs(y) }";
const UPPER_SET: &str = "upper { var x in [0, 1]  minimize (y - 1)^2 + x^2 }  lower { var y  minimize (y - x)^2 }";
const LOWER_SET: &str = "upper { var x  minimize (y - 1)^2 + x^2 }  lower { var y in [0, 1]  minimize (y - x)^2 }";
const UPPER_ROWS: &str =
    "upper { var x  minimize (y - 1)^2 + x^2  subject to { row: x >= 1 } }  lower { var y  minimize (y - x)^2 }";
const LOWER_ROWS: &str =
    "upper { var x  minimize (y - 1)^2 + x^2 }  lower { var y  minimize (y - x)^2  subject to { row: y >= x } }";
/// Penalties to be learnt, for methods that take nothing else.
const PENALTY: &str =
    "upper { var x in [0, 9]  minimize (y - 1)^2 }  lower { var y  minimize (y - 2)^2  regularize x*abs(y) }";
const PENALTY_AND_SET: &str =
    "upper { var x in [0, 9]  minimize (y - 1)^2 }  lower { var y in [0, 3]  minimize (y - 2)^2  regularize x*abs(y) }";

impl Listed {
    /// What the method takes and needs; `None` until it is built.
    pub fn features(&self) -> Option<Features> {
        let method = self.method;
        let takes = |text: &str| {
            let problem = example(text);
            let relaxed = relaxation(&problem, method);
            let problem = relaxed.map_or(problem, |r| r.problem);
            method.unfit(&problem, &self.automatic(&problem)).is_none()
        };
        let assumes = |any: &[Assumption]| self.entry.requires.iter().any(|a| any.contains(a));
        let problem = example(SMOOTH);
        let settings = self.automatic(&problem);
        Some(Features {
            smooth: takes(SMOOTH),
            proximal: takes(PROXIMAL) || takes(PENALTY),
            upper_set: takes(UPPER_SET) || takes(PENALTY),
            lower_set: takes(LOWER_SET) || takes(PENALTY_AND_SET),
            upper_rows: takes(UPPER_ROWS),
            lower_rows: method.rows(&example(LOWER_ROWS)).lower,
            nonconvex: !assumes(&[Assumption::Convex, Assumption::StronglyConvex]),
            many_solutions: !assumes(&[Assumption::Singleton, Assumption::StronglyConvex]),
            single_loop: is_single_loop(method, &problem, &settings),
            batches: method.batches(&problem) != BatchUse::Never,
            second_derivatives: method.second_derivatives(&problem, &settings),
        })
    }

    /// Its automatic options for a problem.
    fn automatic(&self, problem: &Problem) -> Settings {
        let name = self.entry.name;
        let settings = resolve::resolve(problem, &Request::automatic(name));
        settings.unwrap_or_else(|found| unreachable!("{name} without options: {found:?}"))
    }
}

/// By the products that its stages evaluate.
pub(super) fn of_stages(built: &Built) -> Derivatives {
    let products: u64 = built.iteration.stages.iter().map(|stage| stage.counts.hvp).sum();
    if products > 0 { Derivatives::Products } else { Derivatives::First }
}

/// True where neither a stage nor a program beside them takes several steps on the lower level, or solves it.
fn is_single_loop(method: &dyn Method, problem: &Problem, settings: &Settings) -> bool {
    let built = method.build(ProblemGraph::of_steps(problem), settings);
    let once = |stage: &Stage| stage.repeat == Repeat::Once && matches!(stage.work, Work::Graph(_));
    if !built.iteration.stages.iter().all(once) {
        return false;
    }
    let (data, options): (Bindings, _) = (data(problem), RunOptions::of(settings));
    let control = (built.control)(&Context { problem, data: &data, options: &options });
    control.is_ok_and(|control| control.lower_steps().is_none_or(|steps| steps <= 1))
}

fn data(problem: &Problem) -> Bindings {
    bind(problem, &Memory::new(), 0).unwrap_or_else(|found| unreachable!("it has no data: {found:?}"))
}

fn example(text: &str) -> Problem {
    let parsed = blo_grammar::parse(text);
    let outcome = check(&parsed.ast, text, "example", &ModelSettings::default());
    outcome.problem.unwrap_or_else(|| unreachable!("`{text}` is sound: {:?}", outcome.diagnostics))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::method::{METHODS, by_name};

    fn of(name: &str) -> Features {
        by_name(name).unwrap().features().unwrap()
    }

    #[test]
    fn every_built_method_has_features_and_takes_smooth_or_proximal_problems() {
        for listed in METHODS {
            let features = listed.features().unwrap();
            assert!((features.smooth || features.proximal) && features.upper_set, "{}", listed.entry.name);
        }
    }

    #[test]
    fn features_are_those_of_the_papers() {
        use Derivatives::{First, Products, System};
        for (name, single_loop, proximal, second) in [
            ("meha", true, true, First),
            ("rhg", false, true, Products),
            ("bda", false, true, Products),
            ("cg", false, true, System),
            ("darts", true, true, First),
            ("rank1", false, false, First),
            ("bome", false, false, First),
            ("vpbgd", false, true, First),
            ("gpbgd", true, false, Products),
            ("f2sa", false, true, First),
            ("bamm", true, false, Products),
            ("soba", true, false, Products),
            ("igjo", false, true, System),
            ("random", false, true, First),
            ("vfidca", false, true, First),
        ] {
            let f = of(name);
            let found = (f.single_loop, f.proximal, f.second_derivatives);
            assert_eq!(found, (single_loop, proximal, second), "{name}");
        }
        assert!(of("meha").nonconvex && !of("bda").nonconvex && of("bda").many_solutions && !of("cg").many_solutions);
    }
}
