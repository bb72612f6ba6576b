//! What can be asked of a problem beside a run of it: its plan, its explanation, the gradient at a point, a comparison of
//! methods; and of a text its layout.

use std::fmt;

use blo_engine::program::Plan as Instructions;
use blo_grammar::Style;
use blo_solvers::{ExternalStage, METHODS, Override, Request};
use serde_json::Value;

use crate::data::Data;
use crate::document::Document;
use crate::error::Error;
use crate::observer::Silent;
use crate::options::Options;
use crate::output::explain::{Explained, explanation};
use crate::output::number::{few, time};
use crate::output::plan as written;
use crate::output::table::{Align, lines};
use crate::output::text::page::PAGE;
use crate::problem::Problem;
use crate::report::{Finding, finding};
use crate::run::{Begin, solve};
use crate::solution::{Solution, Values};
use crate::stack::deep;

/// The instructions of a method's iteration, with what each costs. Shown with `{}`, it is what `blo plan` prints.
#[derive(Clone, Debug)]
pub struct Plan {
    plans: Vec<Instructions>,
    /// Stages without instructions.
    external: Vec<ExternalStage>,
}

impl Plan {
    /// Floating-point operations of one iteration, as far as its instructions are run once.
    pub fn flops(&self) -> u128 {
        use blo_engine::program::plan::Section;
        self.plans.last().map_or(0, |plan| plan.flops(Section::Body))
    }

    /// Bytes of the buffers of all programs, beside the data.
    pub fn memory(&self) -> u128 {
        self.plans.iter().map(|plan| plan.memory).sum()
    }

    /// The object that `blo plan --format json` prints.
    pub fn to_json(&self) -> Value {
        written::all(&self.plans, &self.external)
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&written::text(&self.plans, &self.external, PAGE))
    }
}

/// The instructions of an iteration. Data are read, since they decide sizes; nothing is run.
///
/// ```
/// use blo::{Options, Problem};
///
/// let problem = Problem::from_str("upper { var x  minimize x^2 + y^2 }  lower { var y  minimize (y - x)^2 }")?;
/// let plan = blo::plan(&problem, &Options::new().method("rhg"))?;
/// assert!(plan.to_string().contains("flops"));
/// assert!(plan.flops() > 0);
/// assert_eq!(plan.to_json()["schema"], 1);
/// # Ok::<(), blo::Error>(())
/// ```
///
/// # Errors
/// As [`solve`](crate::solve).
pub fn plan(problem: &Problem, options: &Options) -> Result<Plan, Error> {
    let begin = Begin::new(problem, options)?;
    let request = options.request();
    let rejected = |found| Error::program(problem.document(), found);
    let plans = deep(|| blo_solvers::plan(begin.sound.problem(), &begin.data.sizes, &request))?.map_err(rejected)?;
    let external = deep(|| blo_solvers::external_stages(begin.sound.problem(), &begin.data, &request))?;
    Ok(Plan { plans, external: external.map_err(rejected)? })
}

/// What a problem says, in words and in 80 columns: levels, variables, shapes, sets, proximal maps, what is proved of the
/// objectives. It is what `blo explain` prints. Data are read where they are there; else assumptions are proved or unknown,
/// never refuted.
///
/// ```
/// let problem = blo::Problem::from_str(
///     "upper { var x in [0, 1]  minimize y^2 }  lower { var y  minimize (y - x)^2  regularize abs(y) }",
/// )?;
/// let text = blo::explain(&problem)?;
/// assert!(text.contains("upper level") && text.contains("prox"));
/// # Ok::<(), blo::Error>(())
/// ```
///
/// # Errors
/// [`Error::Program`] for mistakes in the program.
pub fn explain(problem: &Problem) -> Result<String, Error> {
    let sound = problem.sound()?;
    let data = problem.bind(sound.problem(), 0).ok();
    let (document, ast) = (problem.document(), &sound.checked.ast);
    deep(|| explanation(Explained { document, ast, problem: sound.problem() }, data.as_ref(), PAGE))
}

/// A program in the canonical layout, as `blo fmt` writes it. Comments stay.
///
/// ```
/// assert_eq!(blo::format("let h=n/2").unwrap(), "let h = n/2\n");
/// assert!(blo::format("upper {").is_err());
/// ```
///
/// # Errors
/// [`Error::Program`] where the syntax is wrong.
pub fn format(text: &str) -> Result<String, Error> {
    let formatted = deep(|| blo_grammar::format(text, Style::Keep))?;
    formatted.map_err(|found| {
        let document = Document { name: "<text>".to_owned(), path: None, text: text.to_owned() };
        Error::program(&document, found)
    })
}

/// The reduced objective `phi(x) = F(x, y(x))` at a point, with its gradient; y(x) solves the lower level at x. Values and
/// derivatives are in the program's sign.
#[derive(Clone, Debug)]
pub struct Gradient {
    inner: blo_solvers::ReducedGradient,
    document: Document,
}

impl Gradient {
    /// `phi(x)`.
    pub fn value(&self) -> f64 {
        self.inner.value
    }

    /// The derivative of phi in an upper variable by name, of the variable's shape.
    pub fn upper(&self, name: &str) -> Option<Values<'_>> {
        named(&self.inner.gradient, name)
    }

    /// All derivatives, in the order of the program.
    pub fn uppers(&self) -> impl Iterator<Item = (&str, Values<'_>)> {
        self.inner.gradient.iter().map(|(name, array)| (name.as_str(), Values::of(array)))
    }

    /// The x at which this is: what was asked for, moved into its sets.
    pub fn at(&self, name: &str) -> Option<Values<'_>> {
        named(&self.inner.x, name)
    }

    /// A lower variable at the solution of the lower level.
    pub fn lower(&self, name: &str) -> Option<Values<'_>> {
        named(&self.inner.y, name)
    }

    /// All lower variables there, in the order of the program.
    pub fn lowers(&self) -> impl Iterator<Item = (&str, Values<'_>)> {
        self.inner.y.iter().map(|(name, array)| (name.as_str(), Values::of(array)))
    }

    /// True where the lower level is solved, and its solution moves smoothly with x as far as the linear system tells. Else
    /// the gradient is an estimate.
    pub fn is_exact(&self) -> bool {
        self.inner.exact
    }

    /// Doubts about the linear system, and about rows of `subject to`.
    pub fn warnings(&self) -> Vec<Finding> {
        self.inner.warnings.iter().map(|d| finding(d, &self.document)).collect()
    }
}

/// The reduced objective and its gradient at the given values of variables; those that are not given have the start of the
/// program. Values of lower variables are where the solve of the lower level begins. Of the options, the seed and the
/// threads count.
///
/// The gradient is that of implicit methods, such as `cg`: `F_x + T_x' w` with `(I - T_y') w = F_y`, T being the prox-gradient
/// step of the lower level. With rows on the lower level it is that of the rows that are active.
///
/// ```
/// use blo::{Options, Problem};
///
/// let problem = Problem::from_str("upper { var x  minimize (y - 1)^2 + x^2 }  lower { var y  minimize (y - 2*x)^2 }")?;
/// let at = blo::gradient(&problem, &Options::new(), [("x", 3.0.into())])?;
/// // phi(x) = (2 x - 1)^2 + x^2
/// assert!((at.value() - 34.0).abs() < 1e-6);
/// assert!((at.upper("x").unwrap().number().unwrap() - 26.0).abs() < 1e-6);
/// assert!((at.lower("y").unwrap().number().unwrap() - 6.0).abs() < 1e-6);
/// assert!(at.is_exact());
/// # Ok::<(), blo::Error>(())
/// ```
///
/// # Errors
/// As [`solve`](crate::solve); also where no solution of the lower level was found at this x.
pub fn gradient<'a>(
    problem: &Problem,
    options: &Options,
    at: impl IntoIterator<Item = (&'a str, Data)>,
) -> Result<Gradient, Error> {
    let options = at.into_iter().fold(options.clone(), |options, (name, values)| options.start(name, values));
    let begin = Begin::new(problem, &options)?;
    let (threads, seed) = (begin.settings.integer("threads"), begin.settings.integer("seed"));
    let found = deep(|| blo_solvers::reduced_gradient(begin.sound.problem(), &begin.data, threads, seed))?;
    let found = found.map_err(|d| Error::program(problem.document(), vec![*d]))?;
    let none = || {
        let help = "its objective may fall for ever there, or its rows may have no point in common";
        Error::call("no solution of the lower level was found at this x", Some(help.to_owned()))
    };
    Ok(Gradient { inner: found.ok_or_else(none)?, document: problem.document().clone() })
}

/// What came of one method.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Compared {
    /// The method as it was asked for.
    pub method: String,
    /// Its result, or why it cannot take the problem.
    pub result: Result<Solution, Error>,
}

/// Several methods on one problem. Shown with `{}`, it is a table with a row each.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Comparison {
    /// The runs, in the order in which they were asked for.
    pub runs: Vec<Compared>,
}

/// Runs methods one after the other in this process, from the same start and with the same options; of those each takes
/// what it has. A method that cannot take the problem has an error in its place. An observer is told of nothing, a
/// [`Stop`](crate::Stop) of the options stops the present run and all that follow. For memory and times of processes of
/// their own, and for several seeds, use `blo compare`.
///
/// ```
/// use blo::{Options, Problem};
///
/// let problem = Problem::from_str("upper { var x  minimize (x - 1)^2 + y^2 }  lower { var y  minimize (y - x)^2 }")?;
/// let comparison = blo::compare(&problem, &["meha", "rhg(K = 30)", "nomethod"], &Options::new().tol(1e-8))?;
/// let [meha, rhg, none] = &comparison.runs[..] else { panic!("three runs") };
/// for run in [meha, rhg] {
///     let x = run.result.as_ref().unwrap().upper("x").unwrap().number().unwrap();
///     assert!((x - 0.5).abs() < 1e-3);
/// }
/// assert!(none.result.is_err());
/// println!("{comparison}");
/// # Ok::<(), blo::Error>(())
/// ```
///
/// # Errors
/// [`Error::Program`] for mistakes in the program, which no method could take.
pub fn compare(problem: &Problem, methods: &[&str], options: &Options) -> Result<Comparison, Error> {
    problem.sound()?;
    let flag = |o: &Override| match o {
        Override::Flag { name, text } => Some((name.clone(), text.clone())),
        Override::File(_) => None,
    };
    let flags: Vec<(String, String)> = options.request().overrides.iter().filter_map(flag).collect();
    let run = |method: &&str| {
        let request = blo_solvers::taking(Request::new(method), &flags);
        let result = solve(problem, &options.clone().requesting(request), &mut Silent);
        Compared { method: (*method).to_owned(), result }
    };
    Ok(Comparison { runs: methods.iter().map(run).collect() })
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: usize = 7;
        let titles = ["method", "status", "iterations", "upper", "lower", "r lower", "verdict", "time"];
        let row = |run: &Compared| match &run.result {
            Ok(s) => vec![
                run.method.clone(),
                s.status().text().replace('_', " "),
                s.iterations().to_string(),
                few(s.objective_upper(), DIGITS),
                few(s.objective_lower(), DIGITS),
                few(s.residuals().lower, 3),
                s.verdict().text().replace('_', " "),
                time(s.seconds()),
            ],
            Err(_) => vec![run.method.clone(), "refused".to_owned()],
        };
        let rows: Vec<Vec<String>> =
            std::iter::once(titles.map(str::to_owned).to_vec()).chain(self.runs.iter().map(row)).collect();
        let align = titles.map(|t| match t {
            "method" | "status" | "verdict" => Align::Left,
            _ => Align::Right,
        });
        f.write_str(&lines(&align, &rows, PAGE))
    }
}

/// A method of the table.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Method {
    /// Its name.
    pub name: &'static str,
    /// What it does, in a sentence.
    pub doc: &'static str,
    /// Authors, venue, year, equation.
    pub citation: &'static str,
    entry: &'static blo_solvers::MethodEntry,
}

/// An option of a method.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct MethodOption {
    /// Its name, for [`Options::set`].
    pub name: &'static str,
    /// What it is.
    pub doc: &'static str,
    /// What it takes, in words.
    pub takes: String,
    /// The default as a program would write it; `None` where the method chooses it for the problem.
    pub default: Option<&'static str>,
}

impl Method {
    /// Its options, its own first.
    pub fn options(&self) -> impl Iterator<Item = MethodOption> {
        let option = |o: &'static blo_solvers::OptionEntry| MethodOption {
            name: o.name,
            doc: o.doc,
            takes: o.kind.text(),
            default: o.default,
        };
        self.entry.all_options().map(option)
    }
}

/// All methods, as `blo methods` lists them.
///
/// ```
/// let bome = blo::methods().find(|m| m.name == "bome").unwrap();
/// assert!(bome.citation.contains("NeurIPS"));
/// assert!(bome.options().any(|o| o.name == "T"));
/// ```
pub fn methods() -> impl Iterator<Item = Method> {
    METHODS.iter().map(|m| {
        let entry = m.entry;
        Method { name: entry.name, doc: entry.doc, citation: entry.citation, entry }
    })
}

fn named<'a>(arrays: &'a [(String, blo_engine::data::Array)], name: &str) -> Option<Values<'a>> {
    arrays.iter().find(|(n, _)| n == name).map(|(_, array)| Values::of(array))
}
