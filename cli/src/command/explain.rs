//! `blo explain`: what a problem says, level by level; of a code, such as B0301, what it means.

use blo::output::explain::{self, Explained};
use blo::output::text::markdown::fitted;
use blo::output::text::visible::visible;
use blo_engine::model;
use clap::Args;

use super::help::Help;
use crate::args::ModelArguments;
use crate::codes;
use crate::exit::{Exit, Failure};
use crate::input::model::{folders, load};
use crate::output::console::Console;

const HELP: Help = Help {
    examples: &[
        ("blo explain P.blo", "levels, shapes, terms, assumptions"),
        ("blo explain B0301", "what a code means"),
        ("blo explain output", "what the lines of a run mean"),
    ],
    exits: &[],
};

/// Shows levels, variables, terms and their proximal maps; of a code such as B0301 what it means
#[derive(Debug, Args)]
#[command(after_help = HELP.short(), after_long_help = HELP.long())]
pub(crate) struct Arguments {
    #[command(flatten)]
    model: ModelArguments,
    /// Look at no data: assumptions are proved or unknown, never refuted
    #[arg(long)]
    no_data: bool,
}

/// Explains a problem.
pub(crate) fn run(arguments: &Arguments, console: &mut Console) -> Result<Exit, Failure> {
    let file = &arguments.model.file;
    if let Some(code) = file.to_str().filter(|text| codes::is_code(text) && !file.exists()) {
        console.result(&fitted(&visible(&meaning(code)?), console.page()))?;
        return Ok(Exit::Done);
    }
    if file.as_os_str() == OUTPUT && !file.exists() {
        console.result(&fitted(READING, console.page()))?;
        return Ok(Exit::Done);
    }
    let model = load(&arguments.model, console)?;
    // missing data are for `check` and `solve` to report
    let bound = || model::bind(&model.problem, &folders(&model.document, &arguments.model), 0).ok();
    let data = if arguments.no_data { None } else { bound() };
    let explained = Explained { document: &model.document, ast: &model.ast, problem: &model.problem };
    console.result(&explain::explanation(explained, data.as_ref(), console.page()))?;
    Ok(Exit::Done)
}

/// What stands for the page "reading the output".
const OUTPUT: &str = "output";
/// That page, as the documentation has it.
const READING: &str = include_str!("../../pages/reading-the-output.md");

/// The page of a code.
fn meaning(code: &str) -> Result<String, Failure> {
    const SHOWN: usize = 4;
    let wanted = code.to_uppercase();
    let mut entries = codes::entries();
    if let Some(entry) = entries.iter().find(|e| e.code == wanted) {
        return Ok(entry.page());
    }
    let number = |code: &str| code[1..].parse::<i64>().unwrap_or_default();
    entries.sort_by_key(|e| {
        let distance = strsim::damerau_levenshtein(e.code, &wanted);
        (distance, number(e.code).abs_diff(number(&wanted)))
    });
    let near: Vec<String> = entries.iter().take(SHOWN).map(|e| format!("{} ({})", e.code, e.title)).collect();
    Err(Failure::Usage {
        message: format!("there is no code `{wanted}`"),
        help: Some(format!("the nearest are {}", near.join(", "))),
    })
}
