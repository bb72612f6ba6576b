//! `blo check`: everything that can be said about a problem without solving it.

use blo::document::Document;
use blo::input::checked::{self, Asked};
use blo::input::file::{self, Reading};
use blo::input::mend::{self, Edits};
use blo_engine::data::Source;
use blo_grammar::diagnostic::Diagnostic;
use blo_solvers::DEFAULT_METHOD;
use blo_solvers::Request;
use clap::{Args, ValueEnum};

use super::help::Help;
use crate::args::{ModelArguments, OptionArguments};
use crate::exit::{Exit, Failure};
use crate::input::model::{folders, look_for_folders, settings};
use crate::output::console::Console;
use crate::output::file::replace;

const HELP: Help = Help {
    examples: &[
        ("blo check P.blo", "mistakes, with the place and the next step"),
        ("blo check --fix P.blo", "applies the safe edits"),
        ("blo check --fix=all P.blo", "also the guesses, such as names"),
        ("blo check -m cg P.blo", "also says whether `cg` can run"),
    ],
    exits: &[],
};

/// Finds mistakes without solving; of data files only the headers are read
#[derive(Debug, Args)]
#[command(after_help = HELP.short(), after_long_help = HELP.long())]
pub(crate) struct Arguments {
    #[command(flatten)]
    model: ModelArguments,
    /// Apply edits to the file: those that cannot change its meaning, or all, guesses too
    #[arg(long, value_enum, value_name = "EDITS", num_args = 0..=1, require_equals = true, default_missing_value = "safe")]
    fix: Option<Wanted>,
    /// Also check that this method can run: `meha:paper`
    #[arg(short, long, value_name = "NAME[:PRESET]")]
    method: Option<String>,
    #[command(flatten)]
    options: OptionArguments,
    /// Look at no data file
    #[arg(long)]
    no_data: bool,
}

/// Which edits are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Wanted {
    /// Those that can mean nothing else
    Safe,
    /// Also guesses: the nearest name, file, option or method
    All,
}

impl From<Wanted> for Edits {
    fn from(wanted: Wanted) -> Edits {
        match wanted {
            Wanted::Safe => Edits::Safe,
            Wanted::All => Edits::All,
        }
    }
}

impl Arguments {
    fn seed(&self) -> u64 {
        self.options.seed.unwrap_or_default()
    }

    /// The run that is checked too: of the named method, or of the default one where only options are given.
    fn request(&self) -> Option<Request> {
        let method = self.method.as_deref().or_else(|| self.options.any().then_some(DEFAULT_METHOD))?;
        Some(self.options.apply(Request::new(method)))
    }
}

/// Checks a problem; its findings are the result.
pub(crate) fn run(arguments: &Arguments, console: &mut Console) -> Result<Exit, Failure> {
    let mut document = match file::read(&arguments.model.file)? {
        Reading::Text(document) => document,
        Reading::Refused(document, diagnostic) => {
            console.findings(&document, &[diagnostic])?;
            return Ok(Exit::Error);
        }
    };
    look_for_folders(&document, &arguments.model, console);
    let mut found = findings(&document, arguments);
    if let Some(edits) = arguments.fix {
        mend_file(&mut document, &mut found, edits.into(), arguments, console)?;
    }
    if found.is_empty() && console.is_human() {
        console.say(&format!("{}: no errors", document.name));
    }
    console.findings(&document, &found)?;
    Ok(if found.iter().any(Diagnostic::is_error) { Exit::Error } else { Exit::Done })
}

/// Makes the edits and writes the file; says how many there were, and how many guesses are left.
fn mend_file(
    document: &mut Document,
    found: &mut Vec<Diagnostic>,
    edits: Edits,
    arguments: &Arguments,
    console: &mut Console,
) -> Result<(), Failure> {
    let Some(path) = document.path.clone() else {
        return Err(Failure::Usage {
            message: "`--fix` changes a file, and standard input is none".into(),
            help: Some("name the file".into()),
        });
    };
    let (name, mut text) = (document.name.clone(), std::mem::take(&mut document.text));
    let check = |text: &str| {
        let document = Document { name: name.clone(), path: Some(path.clone()), text: text.to_owned() };
        findings(&document, arguments)
    };
    let applied = mend::mend(&mut text, found, edits, check);
    document.text = text;
    if applied > 0 {
        replace(&path, document.text.as_bytes())?;
        let fixes = if applied == 1 { "fix" } else { "fixes" };
        console.say(&format!("{}: {applied} {fixes} applied", document.name));
    }
    let left =
        found.iter().filter_map(|d| d.fix.as_ref()).filter(|f| !edits.include(f) && Edits::All.include(f)).count();
    if left > 0 {
        let (guesses, them) = if left == 1 { ("guess is", "it") } else { ("guesses are", "them") };
        console.say(&format!("{}: {left} {guesses} left; `--fix=all` applies {them}", document.name));
    }
    Ok(())
}

fn findings(document: &Document, arguments: &Arguments) -> Vec<Diagnostic> {
    let folders = folders(document, &arguments.model);
    let asked = Asked {
        settings: settings(&arguments.model),
        data: (!arguments.no_data).then_some(&folders as &(dyn Source + Sync)),
        request: arguments.request(),
        seed: arguments.seed(),
    };
    checked::findings(document, &asked)
}
