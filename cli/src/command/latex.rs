//! `blo latex`: the problem as formulas, as its author wrote it.

use blo::latex::latex;
use clap::Args;
use std::path::PathBuf;

use super::help::Help;
use crate::args::ModelArguments;
use crate::exit::{Exit, Failure};
use crate::input::model::load;
use crate::output::console::Console;
use crate::output::file;
use crate::output::outputs::Outputs;

const HELP: Help = Help {
    examples: &[
        ("blo latex P.blo", "formulas for a document with amsmath and amssymb"),
        ("blo latex P.blo --document -o P.tex", "a document of its own"),
    ],
    exits: &[],
};

/// Prints the problem as LaTeX, as its author wrote it
///
/// Sums stay indexed and names stay names. Params, data, functions and sets stand below the problem. How a run starts, is
/// asked for and is judged is left out.
#[derive(Debug, Args)]
#[command(after_help = HELP.short(), after_long_help = HELP.long())]
pub(crate) struct Arguments {
    #[command(flatten)]
    model: ModelArguments,
    /// Write a complete document rather than a fragment
    #[arg(long)]
    document: bool,
    /// Write to this file
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Prints the formulas or writes their file.
pub(crate) fn run(arguments: &Arguments, console: &mut Console) -> Result<Exit, Failure> {
    let mut outputs = Outputs::default();
    if let Some(out) = &arguments.out {
        outputs.add("--out", out)?;
        outputs.spare("the problem file", &arguments.model.file)?;
    }
    let model = load(&arguments.model, console)?;
    let found = latex(&model.ast, &arguments.model.define, &model.document.stem());
    let text = if arguments.document { found.document() } else { found.to_string() };
    match &arguments.out {
        Some(out) => file::write(out, text.as_bytes())?,
        None => console.verbatim(&text)?,
    }
    Ok(Exit::Done)
}
