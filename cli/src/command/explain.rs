//! `blo explain`: what a problem says, level by level; of a code, such as B0301, what it means.

use blo::output::explain::{self, Explained};
use blo::output::text::markdown::fitted;
use blo::output::text::visible::visible;
use blo_engine::elementwise::{self, Visibility};
use blo_engine::{function, model, prox, set};
use blo_solvers::METHODS;
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
    if let Some(failure) = file.to_str().filter(|_| !file.exists()).and_then(elsewhere) {
        return Err(failure);
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

/// A word that is no file, where another command or page explains it.
fn elsewhere(word: &str) -> Option<Failure> {
    let lists = [
        ("methods", METHODS.iter().map(|m| m.entry.name).collect::<Vec<_>>()),
        ("functions", function::TABLE.iter().map(|f| f.name).chain(of_numbers()).collect()),
        ("prox", prox::TABLE.iter().map(|p| p.name).collect()),
        ("sets", set::TABLE.iter().map(|s| s.name).collect()),
    ];
    let list = lists.iter().find(|(_, names)| names.contains(&word)).map(|(list, _)| list);
    let listed = list.map(|list| format!("`blo {list} {word}` shows it"));
    let on_page = || is_of_output(word).then(|| format!("`blo explain {OUTPUT}` says what `{word}` means"));
    let help = codes_from(word).or(listed).or_else(on_page)?;
    Some(Failure::File { message: format!("{word}: no such file"), help: Some(help) })
}

/// Functions of numbers that `blo functions` lists.
fn of_numbers() -> impl Iterator<Item = &'static str> {
    let shown = |v: Visibility| matches!(v, Visibility::Function | Visibility::ConstantOnly);
    elementwise::TABLE.iter().filter(move |e| shown(e.visibility)).map(|e| e.name)
}

/// The codes that begin with what may be the first part of one, such as `W06`.
fn codes_from(word: &str) -> Option<String> {
    const SHOWN: usize = 4;
    let wanted = word.to_uppercase();
    let (letter, digits) = wanted.split_at_checked(1)?;
    if !["B", "W", "N"].contains(&letter) || !digits.bytes().all(|b| b.is_ascii_digit()) || digits.len() >= 4 {
        return None;
    }
    // the first digit of all codes is 0, and people leave it out
    let begins = |code: &str| code.starts_with(&wanted) || code.starts_with(&format!("{letter}0{digits}"));
    let all: Vec<String> =
        codes::entries().iter().filter(|e| begins(e.code)).map(|e| format!("{} ({})", e.code, e.title)).collect();
    let more = if all.len() > SHOWN { format!(", and {} more", all.len() - SHOWN) } else { String::new() };
    let shown = all.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    Some(match all.is_empty() {
        true => "no code begins so; a code is a letter and four digits, such as `W0607`".to_owned(),
        false => format!("codes that begin so: {shown}{more}"),
    })
}

/// True for the words that the page "reading the output" explains: those in the first column of its tables.
fn is_of_output(word: &str) -> bool {
    let wanted = word.to_lowercase();
    let cells = READING.lines().filter_map(|line| line.strip_prefix("| ")?.split(" |").next());
    cells.flat_map(|cell| cell.split(',')).any(|part| part.trim().trim_matches('`').to_lowercase() == wanted)
}

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
