//! `blo export`: a problem, or a method's iteration on it, as a program in another language. A language is a file here and its
//! line in the table.

mod ampl;
mod gams;
mod jax;
mod stablehlo;

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser};
use std::path::PathBuf;

use super::help::Help;
use crate::args::{ModelArguments, RunArguments};
use crate::exit::{Exit, Failure};
use crate::input::model::{Model, load};
use crate::output::console::Console;
use crate::output::file;
use crate::output::outputs::Outputs;

const HELP: Help = Help {
    examples: &[
        ("blo export jax P.blo -m meha:paper -o run.py", "run.py with its data in run.npz"),
        (
            "blo export jax P.blo -m rhg --set s_l=0.1 --set alpha_x=0.01 -o run.py",
            "steps that are stated, not recorded",
        ),
        ("blo export jax P.blo -m meha:paper --format stablehlo -o step.mlir", "the iteration as StableHLO"),
        ("python run.py --check", "compares the program with the local run"),
        ("blo export ampl P.blo -o P.mod", "the KKT conditions of the lower level, for solvers such as knitro"),
        ("blo export gams P.blo -o P.gms", "both levels, annotated for EMP"),
    ],
    exits: &[],
};

/// A language.
pub(super) struct Language {
    /// Its name on the command line.
    name: &'static str,
    /// What `--format` calls it, for a language that is written in several ways; the first one is written without the flag.
    format: Option<&'static str>,
    /// What is written, in a line of the help.
    about: &'static str,
    /// The ending of its files.
    ending: &'static str,
    /// What a file is called in a message.
    file: &'static str,
    /// True where it holds a method's iteration rather than the problem.
    of_a_method: bool,
    /// Further files that are written beside it, with what they are.
    beside: &'static [(&'static str, &'static str)],
    /// Writes it; what is said of it in the end.
    write: fn(&Export<'_>, &mut Console) -> Result<String, Failure>,
}

/// All languages, by name.
static LANGUAGES: &[&Language] = &[&ampl::LANGUAGE, &gams::LANGUAGE, &jax::LANGUAGE, &stablehlo::LANGUAGE];

/// What is to be exported.
struct Export<'a> {
    arguments: &'a Arguments,
    model: Model,
}

/// Writes a problem or a method's iteration as a program in another language
///
/// For jax it is the iteration that `blo plan` shows. It reads its data from an npz file beside it; steps that the method
/// chooses by itself are recorded in a local run, whose numbers the program compares itself with. For ampl and gams it is
/// the problem, whatever the method.
#[derive(Debug, Args)]
#[command(after_help = HELP.short(), after_long_help = HELP.long())]
pub(crate) struct Arguments {
    /// The language
    #[arg(value_parser = PossibleValuesParser::new(names()), value_name = "LANGUAGE")]
    language: String,
    #[command(flatten)]
    model: ModelArguments,
    #[command(flatten)]
    run: RunArguments,
    /// The program: `NAME.py` or `NAME.mlir` with its arrays in `NAME.npz`, `NAME.mod` or `NAME.gms`
    #[arg(short, long, value_name = "FILE")]
    out: PathBuf,
    /// What a program for JAX is written as [default: python]
    #[arg(long, value_parser = PossibleValuesParser::new(LANGUAGES.iter().filter_map(|l| l.format)), value_name = "FORMAT")]
    format: Option<String>,
    /// Iterations of the local run (jax only) [default: 100]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    iterations: Option<u64>,
}

impl Arguments {
    /// The command, without folders: the file says it of itself.
    fn command(&self, method: &str) -> String {
        let file = self.model.file.file_name().unwrap_or_default().to_string_lossy();
        let format = self.format.as_ref().map_or_else(String::new, |format| format!(" --format {format}"));
        format!("blo export {} {file}{method}{format}", self.language)
    }
}

/// Writes the program.
pub(crate) fn run(arguments: &Arguments, console: &mut Console) -> Result<Exit, Failure> {
    let language = language(arguments)?;
    let out = &arguments.out;
    if out.extension().and_then(|e| e.to_str()) != Some(language.ending) {
        return Err(Failure::Usage {
            message: format!("--out {}: {} is a file `NAME.{}`", out.display(), language.file, language.ending),
            help: language.beside.first().map(|(ending, what)| format!("{what} go to `NAME.{ending}` beside it")),
        });
    }
    let stated = arguments.run.stated();
    let stated = stated.or_else(|| arguments.iterations.map(|_| "--iterations"));
    if let Some(flag) = stated.filter(|_| !language.of_a_method) {
        return Err(Failure::Usage {
            message: format!("{flag}: {} holds the problem, not a method", language.file),
            help: Some(format!("leave `{flag}` out, or export to jax")),
        });
    }
    let mut outputs = Outputs::default();
    outputs.add("--out", out)?;
    for (ending, _) in language.beside {
        outputs.add("the arrays of --out", &out.with_extension(ending))?;
    }
    outputs.spare("the problem file", &arguments.model.file)?;
    let model = load(&arguments.model, console)?;
    let said = (language.write)(&Export { arguments, model }, console)?;
    console.result(&said)?;
    Ok(Exit::Done)
}

/// The names of all languages, each once, with what is written.
fn names() -> impl Iterator<Item = PossibleValue> {
    let first = LANGUAGES.iter().enumerate().filter(|(i, l)| LANGUAGES[..*i].iter().all(|other| other.name != l.name));
    first.map(|(_, l)| PossibleValue::new(l.name).help(l.about))
}

/// The language that is asked for.
fn language(arguments: &Arguments) -> Result<&'static Language, Failure> {
    let mut named = LANGUAGES.iter().filter(|l| l.name == arguments.language);
    let wanted = arguments.format.as_deref();
    let found = named.clone().find(|l| wanted.is_none() || l.format == wanted);
    found.copied().ok_or_else(|| Failure::Usage {
        message: format!("--format: {} is written in one way", named.next().map_or("it", |l| l.file)),
        help: Some("leave `--format` out".to_owned()),
    })
}

/// A model that is one text, written whole.
fn model(
    export: &Export<'_>,
    console: &mut Console,
    text: fn(
        &blo_engine::model::Problem,
        &blo_engine::model::Bindings,
        &str,
    ) -> Result<String, Vec<blo_grammar::diagnostic::Diagnostic>>,
) -> Result<String, Failure> {
    let Export { arguments, model } = export;
    let data = model.bind(&arguments.model, arguments.run.seed(), console)?;
    let text = text(&model.problem, &data, &arguments.command(""))
        .map_err(|diagnostics| console.reject(&model.document, &diagnostics))?;
    file::write(&arguments.out, text.as_bytes())?;
    Ok(format!("{}: {} lines\n", arguments.out.display(), text.lines().count()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_are_sorted_and_their_files_differ() {
        let key = |l: &Language| (l.name, l.format);
        assert!(LANGUAGES.windows(2).all(|w| key(w[0]) < key(w[1]) && w[0].ending != w[1].ending));
        assert!(LANGUAGES.iter().all(|l| !l.about.is_empty() && !l.file.is_empty()));
    }
}
