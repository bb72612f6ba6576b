//! `blo export`: a method's iteration on a problem as a program in another language, with its data beside it.

use blo_solvers::export::{self, About};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

use super::help::Help;
use crate::args::{ModelArguments, RunArguments};
use crate::exit::{Exit, Failure};
use crate::input::model::load;
use crate::output::console::Console;
use crate::output::file;
use crate::output::outputs::Outputs;
use crate::output::save;

const HELP: Help = Help {
    examples: &[
        ("blo export jax P.blo -m meha:paper -o run.py", "run.py with its data in run.npz"),
        (
            "blo export jax P.blo -m rhg --set s_l=0.1 --set alpha_x=0.01 -o run.py",
            "steps that are stated, not recorded",
        ),
        ("python run.py --check", "compares the program with the local run"),
        ("python run.py -n 5000 --dtype float32", "runs it on all devices"),
    ],
    exits: &[],
};

/// Writes a method's iteration as a program in another language
///
/// The program is made from the iteration that `blo plan` shows. It reads its data from an npz file beside it. Steps that
/// the method chooses by itself are recorded in a local run, whose numbers the program compares itself with.
#[derive(Debug, Args)]
#[command(after_help = HELP.short(), after_long_help = HELP.long())]
pub(crate) struct Arguments {
    /// The language
    #[arg(value_enum, value_name = "LANGUAGE")]
    language: Language,
    #[command(flatten)]
    model: ModelArguments,
    #[command(flatten)]
    run: RunArguments,
    /// The program, `NAME.py`; its arrays go to `NAME.npz`
    #[arg(short, long, value_name = "FILE")]
    out: PathBuf,
    /// Iterations of the local run
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..))]
    iterations: u64,
}

/// What programs are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Language {
    /// Python with JAX
    Jax,
}

/// Writes the program and its arrays.
pub(crate) fn run(arguments: &Arguments, console: &mut Console) -> Result<Exit, Failure> {
    let out = &arguments.out;
    if out.extension().and_then(|e| e.to_str()) != Some("py") {
        return Err(Failure::Usage {
            message: format!("--out {}: a program for JAX is a file `NAME.py`", out.display()),
            help: Some("its arrays go to `NAME.npz` beside it".to_owned()),
        });
    }
    let arrays = out.with_extension("npz");
    let mut outputs = Outputs::default();
    outputs.add("--out", out)?;
    outputs.add("the arrays of --out", &arrays)?;
    outputs.spare("the problem file", &arguments.model.file)?;
    let model = load(&arguments.model, console)?;
    let request = arguments.run.request();
    let settings = blo_solvers::resolve(&model.problem, &request)
        .map_err(|diagnostics| console.reject(&model.document, &diagnostics))?;
    let data = model.bind(&arguments.model, settings.integer("seed"), console)?;
    let about = About {
        command: command(arguments, &settings),
        arrays: arrays.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        iterations: arguments.iterations,
    };
    let Language::Jax = arguments.language;
    let exported = export::jax(&model.problem, &data, &request, &about)
        .map_err(|diagnostics| console.reject(&model.document, &diagnostics))?;
    save::arrays(&arrays, &exported.arrays)?;
    file::write(out, exported.program.as_bytes())?;
    let count = exported.iterations;
    if count < arguments.iterations {
        console.say(&format!("the local run ended after {count} iterations"));
    }
    console.result(&format!("{} and {}: {count} iterations to compare with\n", out.display(), arrays.display()))?;
    Ok(Exit::Done)
}

/// The command, without folders: the program says it of itself.
fn command(arguments: &Arguments, settings: &blo_solvers::Settings) -> String {
    let file = arguments.model.file.file_name().unwrap_or_default().to_string_lossy();
    let preset = settings.preset.as_ref().map_or_else(String::new, |name| format!(":{name}"));
    format!("blo export jax {file} --method {}{preset}", settings.method.name)
}
