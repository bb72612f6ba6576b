//! `blo fmt`: the canonical layout, in place, as a test (`--check`) or as a difference (`--diff`).

use blo_grammar::{Style, format};
use clap::Args;
use similar::TextDiff;
use std::path::{Path, PathBuf};

use super::help::Help;
use crate::exit::{Exit, Failure};
use crate::output::console::Console;
use crate::output::file::replace;
use blo::input::file::{self, Reading};

const HELP: Help = Help {
    examples: &[
        ("blo fmt P.blo", "lays the file out in the canonical way"),
        ("blo fmt --check *.blo", "only says which files would change"),
    ],
    exits: &[],
};

/// Lays problem files out in the canonical way
#[derive(Debug, Args)]
#[command(after_help = HELP.short(), after_long_help = HELP.long())]
pub(crate) struct Arguments {
    /// The files; `-` reads standard input and writes to standard output
    #[arg(value_name = "P.blo", required = true)]
    files: Vec<PathBuf>,
    /// Only list the files that would change, and exit with 1 if any would
    #[arg(long)]
    check: bool,
    /// Only show what would change, and exit with 1 if anything would
    #[arg(long)]
    diff: bool,
    /// Write `<= >= != in ' *` for `≤ ≥ ≠ ∈ ᵀ ·`
    #[arg(long, conflicts_with = "unicode")]
    ascii: bool,
    /// Write `≤ ≥ ≠ ∈ ᵀ ·` for `<= >= != in ' *`
    #[arg(long)]
    unicode: bool,
}

/// Formats every file, also after one that cannot be.
pub(crate) fn run(arguments: &Arguments, console: &mut Console) -> Result<Exit, Failure> {
    let mut exit = Exit::Done;
    for path in &arguments.files {
        match one(path, arguments, console) {
            Ok(true) => {}
            Ok(false) => exit = Exit::Error,
            Err(failure @ Failure::Output(_)) => return Err(failure),
            Err(failure) => exit = console.fail(&failure),
        }
    }
    Ok(exit)
}

/// True unless a test found something to change.
fn one(path: &Path, arguments: &Arguments, console: &mut Console) -> Result<bool, Failure> {
    let style = match (arguments.ascii, arguments.unicode) {
        (true, _) => Style::Ascii,
        (_, true) => Style::Unicode,
        _ => Style::Keep,
    };
    let document = match file::read(path)? {
        Reading::Text(document) => document,
        Reading::Refused(document, diagnostic) => {
            console.diagnostics(&document, &[diagnostic]);
            return Err(Failure::Reported);
        }
    };
    let text = match format(&document.text, style) {
        Ok(text) => text,
        Err(diagnostics) => {
            console.diagnostics(&document, &diagnostics);
            return Err(Failure::Reported);
        }
    };
    let same = text == document.text;
    if arguments.check || arguments.diff {
        if arguments.diff {
            console.verbatim(&difference(&document.name, &document.text, &text))?;
        } else if !same {
            console.result(&format!("{}\n", document.name))?;
        }
        return Ok(same);
    }
    match &document.path {
        None => console.verbatim(&text)?,
        // an unchanged file keeps its date, for the tools that go by it
        Some(path) if !same => replace(path, text.as_bytes())?,
        Some(_) => {}
    }
    Ok(true)
}

fn difference(name: &str, old: &str, new: &str) -> String {
    if old == new {
        return String::new();
    }
    TextDiff::from_lines(old, new).unified_diff().header(name, &format!("{name} (formatted)")).to_string()
}
