//! Programs for JAX: a method's iteration, with its data beside it.

use blo_engine::model::{Bindings, Problem};
use blo_grammar::diagnostic::Diagnostic;
use blo_solvers::Request;
use blo_solvers::export::{self, About, Exported};

use super::{Export, Language};
use crate::exit::Failure;
use crate::output::console::Console;
use crate::output::{file, save};

pub(super) static LANGUAGE: Language = Language {
    name: "jax",
    format: Some("python"),
    about: "a method's iteration as a program for JAX",
    ending: "py",
    file: "a program for JAX",
    of_a_method: true,
    beside: &[("npz", "its arrays")],
    write,
};

/// Iterations of the local run, unless it is told.
const ITERATIONS: u64 = 100;

fn write(export: &Export<'_>, console: &mut Console) -> Result<String, Failure> {
    with_arrays(export, export::jax, console)
}

/// What writes a program down.
type Writing = fn(&Problem, &Bindings, &Request, &About) -> Result<Exported, Vec<Diagnostic>>;

/// Writes the program and its arrays.
pub(super) fn with_arrays(export: &Export<'_>, writing: Writing, console: &mut Console) -> Result<String, Failure> {
    let Export { arguments, model } = export;
    let (out, iterations) = (&arguments.out, arguments.iterations.unwrap_or(ITERATIONS));
    let arrays = out.with_extension("npz");
    let request = arguments.run.request();
    let settings = blo_solvers::resolve(&model.problem, &request)
        .map_err(|diagnostics| console.reject(&model.document, &diagnostics))?;
    let data = model.bind(&arguments.model, settings.integer("seed"), console)?;
    let preset = settings.preset.as_ref().map_or_else(String::new, |name| format!(":{name}"));
    let about = About {
        command: arguments.command(&format!(" --method {}{preset}", settings.method.name)),
        arrays: arrays.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        iterations,
    };
    let exported = writing(&model.problem, &data, &request, &about)
        .map_err(|diagnostics| console.reject(&model.document, &diagnostics))?;
    save::arrays(&arrays, &exported.arrays)?;
    file::write(out, exported.program.as_bytes())?;
    let count = exported.iterations;
    if count < iterations {
        console.say(&format!("the local run ended after {count} iterations"));
    }
    Ok(format!("{} and {}: {count} iterations to compare with\n", out.display(), arrays.display()))
}
