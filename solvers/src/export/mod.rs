//! Programs in other languages that repeat a method's iteration: made from the iteration that `plan` shows and from a local
//! run of it, whose numbers they check themselves by. It knows no method by name: what a method runs beside its stages
//! it says as data (`method::Composition`, `hypergradient::outline`).

mod algebra;
mod fields;
mod jax;
mod kept;
mod message;
mod names;
mod record;
mod recorded;
mod source;
mod stablehlo;
#[cfg(test)]
mod tests;

use blo_engine::model::problem::Problem;
use blo_engine::model::{Bindings, has_tasks};
use blo_grammar::diagnostic::Diagnostic;

use crate::iteration::{Built, Stage};
use crate::method::METHODS;
use crate::method::resolve::resolve;
use crate::options::request::Request;
use crate::options::run_options::{Precision, RunOptions};
use crate::options::settings::Settings;
use crate::pipeline::{Prepared, prepare};
use kept::Refused;
use record::record;
use source::Source;

/// What a program says of itself.
#[derive(Clone, Debug)]
pub struct About {
    /// The command line that made it.
    pub command: String,
    /// The name of the file of its arrays, beside it.
    pub arrays: String,
    /// Iterations of the local run, which the program compares itself with.
    pub iterations: u64,
}

/// A program with its data.
#[derive(Clone, Debug)]
pub struct Exported {
    /// The text.
    pub program: String,
    /// What it reads: data, start values, recorded numbers.
    pub arrays: Vec<Array>,
    /// Iterations of the local run: fewer than were asked for where the method ended before.
    pub iterations: u64,
}

/// An array by name.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// Its name.
    pub name: String,
    /// Its lengths.
    pub shape: Vec<usize>,
    /// Its entries, row-major.
    pub values: Values,
}

/// Entries of an array.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Numbers.
    Real(Vec<f64>),
    /// Zero-based positions, and -1 for none.
    Index(Vec<i64>),
}

/// A method's iteration on a problem as a program for JAX.
///
/// # Errors
/// Mistakes in the request; what cannot be exported.
pub fn jax(problem: &Problem, data: &Bindings, request: &Request, about: &About) -> Result<Exported, Vec<Diagnostic>> {
    written(problem, data, request, about, jax::program)
}

/// The same as a module of StableHLO, whose functions are the start, an iteration, and the objectives. Its numbers have the
/// precision of the request.
///
/// # Errors
/// Mistakes in the request; what cannot be exported.
pub fn stablehlo(
    problem: &Problem,
    data: &Bindings,
    request: &Request,
    about: &About,
) -> Result<Exported, Vec<Diagnostic>> {
    let single = resolve(problem, request)?.precision() == Precision::Single;
    written(problem, data, request, about, |source| stablehlo::program(source, single))
}

/// Runs the method and writes it down.
fn written(
    problem: &Problem,
    data: &Bindings,
    request: &Request,
    about: &About,
    write: impl FnOnce(&Source<'_>) -> Result<(String, Vec<Array>), Refused>,
) -> Result<Exported, Vec<Diagnostic>> {
    let request = request.clone().set("precision", "f64");
    let Prepared { settings, built, replaced, method, .. } = prepare(problem, &request)?;
    if let Some(refused) = refusal(problem, &settings, replaced.is_some(), &built) {
        return Err(vec![refused]);
    }
    let composition = method.composition(problem, &settings);
    if composition.as_ref().is_some_and(|c| c.outline.is_none()) {
        return Err(vec![message::unknown_hypergradient(settings.span, settings.method.name)]);
    }
    let record = record(problem, data, &settings, &built, about.iterations).map_err(|d| vec![*d])?;
    if let Some(refused) = record.refusal(&built.iteration, composition.as_ref(), &settings) {
        return Err(vec![refused]);
    }
    let source = Source {
        problem,
        data,
        iteration: &built.iteration,
        composition: composition.as_ref(),
        record: &record,
        about,
        settings: &settings,
    };
    let (program, arrays) = write(&source).map_err(|refused| {
        vec![message::operation(refused.node.unwrap_or(settings.span), &refused.what, &refused.why)]
    })?;
    Ok(Exported { program, arrays, iterations: record.len() })
}

/// A problem as a model for AMPL: the lower level by its KKT conditions. `command` is the command line that asks for it.
///
/// # Errors
/// What cannot be exported.
pub fn ampl(problem: &Problem, data: &Bindings, command: &str) -> Result<String, Vec<Diagnostic>> {
    algebra::text(algebra::Language::Ampl, problem, data, command)
}

/// A problem as a model for GAMS with both levels, annotated for EMP.
///
/// # Errors
/// What cannot be exported.
pub fn gams(problem: &Problem, data: &Bindings, command: &str) -> Result<String, Vec<Diagnostic>> {
    algebra::text(algebra::Language::Gams, problem, data, command)
}

/// Names of the methods whose iteration on a problem can be exported: graphs, and a hypergradient that can be written down.
fn that_fit(problem: &Problem) -> Vec<&'static str> {
    let fits = |name: &str| {
        let Ok(Prepared { settings, built, method, .. }) = prepare(problem, &Request::automatic(name)) else {
            return false;
        };
        let searches = RunOptions::of(&settings).search.is_some();
        let outlined = method.composition(problem, &settings).is_none_or(|c| c.outline.is_some());
        !searches && outlined && external(&built).is_none()
    };
    METHODS.iter().map(|m| m.entry.name).filter(|name| fits(name)).collect()
}

/// The first stage that is not a graph.
fn external(built: &Built) -> Option<&Stage> {
    built.iteration.stages.iter().find(|stage| stage.function().is_none())
}

/// Why a run cannot be exported, seen before it runs.
fn refusal(problem: &Problem, settings: &Settings, batches: bool, built: &Built) -> Option<Diagnostic> {
    let (span, name) = (settings.span, settings.method.name);
    let mut rows = problem.levels.iter().flat_map(|level| &level.constraints);
    if let Some(row) = rows.next() {
        return Some(message::rows(row.span, problem.upper_reads_multipliers()));
    }
    let options = RunOptions::of(settings);
    if options.search.is_some() {
        return Some(message::search(span, name, &that_fit(problem)));
    }
    if batches {
        return Some(message::batches(span, name));
    }
    if options.resample > 0 && has_tasks(problem) {
        return Some(message::tasks(span, name));
    }
    external(built).map(|stage| message::external(span, name, &stage.name, &that_fit(problem)))
}
