//! `blo reproduce`: the experiments of the papers, each a table of runs whose numbers stand beside the paper's. An
//! experiment is an entry of `papers`; nothing here knows one of them.

mod data_set;
mod experiment;
mod page;
mod papers;

use blo_engine::stop::StopReason;
use blo_solvers::solution::{Solution, UsedOption};
use blo_solvers::{Origin, Value};
use clap::Args;
use std::path::{Path, PathBuf};

use super::help::Help;
use super::{Command, solve};
use crate::clock;
use crate::exit::{Exit, Failure};
use crate::output::console::Console;
use crate::output::file::replace;
use crate::output::outputs::Outputs;
use blo::output::number::time;
use blo::output::table::{Align, lines};
use blo::output::text::page::paragraph;
use data_set::{DataSet, by_folder};
use experiment::{Experiment, Run};
use page::{Done, Outcome};
use papers::EXPERIMENTS;

const HELP: Help = Help {
    examples: &[
        ("blo reproduce --list", "names and titles of the experiments"),
        ("blo reproduce bda meha-table2", "those of a paper and another one"),
        (
            "blo reproduce all --data-dir data -o docs/book/src/experiments.md",
            "all, into a page; their data are in `data/mnist`",
        ),
    ],
    exits: &[Exit::TestFailed, Exit::NotWritten, Exit::Interrupted],
};

/// What goes with everything: experiments that need no data of the user; those of them that take many minutes; those that
/// need data; all of these.
const GROUPS: [&str; 4] = ["quick", "long", "data", "all"];

/// Runs the papers' experiments and puts our numbers beside theirs
#[derive(Debug, Args)]
#[command(after_help = HELP.short(), after_long_help = HELP.long())]
pub(crate) struct Arguments {
    /// Experiments, or the first part of their names; `quick` are those whose data `blo` has, `long` those of them that take
    /// many minutes, `data` those that need `--data-dir`, `all` everything
    #[arg(value_name = "NAME", default_value = GROUPS[0])]
    names: Vec<String>,
    /// A folder that holds the folders of data sets: `fashion-mnist`, `mnist`; may be repeated
    #[arg(long, value_name = "DIR")]
    data_dir: Vec<PathBuf>,
    /// List the experiments with their groups, and run none
    #[arg(long)]
    list: bool,
    /// A Markdown page: what has run replaces its section there
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Runs experiments. Numbers that miss their target make the command fail; what cannot run for want of data does not.
pub(crate) fn run(arguments: &Arguments, console: &mut Console) -> Result<Exit, Failure> {
    let chosen = chosen(&arguments.names)?;
    if arguments.list {
        console.result(&list(&chosen, console.page()))?;
        return Ok(Exit::Done);
    }
    let mut page = String::new();
    if let Some(path) = &arguments.output {
        Outputs::default().add("--output", path)?;
        page = std::fs::read_to_string(path).unwrap_or_default();
    }
    specs_are_here()?;
    console.only_errors();
    // the key ends the command, whatever a run that was nearly done makes of it
    let watched = clock::watch(clock::elapsed(), f64::INFINITY, true);
    let (mut missed, mut failed, mut interrupted) = (0, 0, false);
    for experiment in chosen {
        let mut outcomes = Vec::new();
        console.result(&format!("{} ({})\n", experiment.title, experiment.name))?;
        for run in experiment.runs {
            let outcome = one(run, &arguments.data_dir, console);
            interrupted = watched.token().reason() == Some(StopReason::Interrupted);
            if interrupted {
                // its numbers are not those of the experiment
                break;
            }
            console.result(&shown(run, &outcome, console.page()))?;
            missed += outcome.missed(run);
            failed += usize::from(matches!(outcome, Outcome::Failed(_)));
            outcomes.push(outcome);
        }
        if interrupted {
            break;
        }
        if let Some(path) = &arguments.output {
            // after each experiment: the next may take an hour
            page = page::with_section(&page, experiment, &outcomes);
            replace(path, page.as_bytes())?;
        }
    }
    if missed > 0 {
        console.warn(&format!("{missed} numbers are not as they must be"));
    }
    Ok(match (interrupted, failed, missed) {
        (true, ..) => Exit::Interrupted,
        (_, 1.., _) => Exit::Error,
        (.., 1..) => Exit::TestFailed,
        _ => Exit::Done,
    })
}

/// The experiments that names ask for, in the order of the table.
fn chosen(names: &[String]) -> Result<Vec<&'static Experiment>, Failure> {
    let asks = |name: &str, experiment: &Experiment| match name {
        "all" => true,
        "quick" => data_sets(experiment).is_empty() && !experiment.long,
        "long" => experiment.long,
        "data" => !data_sets(experiment).is_empty(),
        _ => experiment.name.starts_with(name),
    };
    if let Some(name) = names.iter().find(|name| !EXPERIMENTS.iter().any(|e| asks(name, e))) {
        return Err(Failure::Usage {
            message: format!("there is no experiment `{name}`"),
            help: Some("`blo reproduce --list all` lists them".to_owned()),
        });
    }
    Ok(EXPERIMENTS.iter().copied().filter(|e| names.iter().any(|name| asks(name, e))).collect())
}

fn list(chosen: &[&Experiment], page: usize) -> String {
    let row = |e: &&Experiment| {
        let folders: Vec<&str> = data_sets(e).iter().map(|set| set.folder).collect();
        vec![e.name.to_owned(), e.runs.len().to_string(), e.title.to_owned(), folders.join(", ")]
    };
    let title = ["name", "runs", "what", "data"].map(str::to_owned).to_vec();
    let rows: Vec<Vec<String>> = std::iter::once(title).chain(chosen.iter().map(row)).collect();
    lines(&[Align::Left, Align::Right, Align::Left, Align::Left], &rows, page)
}

/// The data sets that an experiment reads from folders of the user.
fn data_sets(experiment: &Experiment) -> Vec<&'static DataSet> {
    let mut sets: Vec<&DataSet> = experiment.runs.iter().filter_map(data_set).collect();
    sets.dedup_by_key(|set| set.folder);
    sets
}

/// The data set of a run: the folder that its command line names.
fn data_set(run: &Run) -> Option<&'static DataSet> {
    let words: Vec<&str> = run.line.split(' ').collect();
    words.iter().position(|word| *word == "--data-dir").and_then(|at| by_folder(words[at + 1]))
}

/// Command lines name files from the folder of the repository.
fn specs_are_here() -> Result<(), Failure> {
    if Path::new("specs").is_dir() {
        return Ok(());
    }
    Err(Failure::Usage {
        message: "there is no folder `specs` here".to_owned(),
        help: Some("run this in the folder of the repository, which has the problem files".to_owned()),
    })
}

/// Runs a command line of the table.
fn one(run: &Run, places: &[PathBuf], console: &mut Console) -> Outcome {
    let folder = match data_set(run).map(|set| set.find(places).ok_or(set)) {
        Some(Err(set)) => return Outcome::Skipped(format!("no data: {}", set.wanted())),
        Some(Ok(folder)) => Some(folder),
        None => None,
    };
    let words = ["blo", "solve"].into_iter().chain(run.line.split(' '));
    let parsed = match super::parse(words) {
        Ok(parsed) => parsed,
        Err(error) => unreachable!("the lines of the table parse: {error}"),
    };
    let Command::Solve(mut arguments) = parsed.command else { unreachable!("the line is one of `solve`") };
    if let Some(folder) = folder {
        arguments.look_in(folder);
    }
    let begun = clock::elapsed();
    match solve::quietly(&arguments, console) {
        Err(_) => Outcome::Failed("the command fails".to_owned()),
        Ok((solution, metrics)) => {
            let values = run.reads.iter().map(|read| read.quantity.of(&metrics, &solution)).collect();
            let seconds = clock::elapsed() - begun;
            Outcome::Done(Done { values, status: solution.status.text(), seconds, settings: stated(&solution) })
        }
    }
}

/// Options that the run does not have by default, and the seed. An automatic value in words says nothing of this run.
fn stated(solution: &Solution) -> String {
    let in_words = |o: &UsedOption| o.origin == Origin::Automatic && matches!(o.value, Value::Text(_));
    let own = |o: &&UsedOption| o.name == "seed" || (o.origin != Origin::Default && !in_words(o));
    let stated = solution.options.iter().filter(own);
    stated.map(|o| format!("{} = {}", o.name, o.value)).collect::<Vec<_>>().join(", ")
}

/// A run on the screen.
fn shown(run: &Run, outcome: &Outcome, page: usize) -> String {
    let beside = match outcome {
        Outcome::Done(done) => time(done.seconds),
        Outcome::Skipped(why) | Outcome::Failed(why) => why.clone(),
    };
    let title = paragraph(&format!("{}: {beside}", run.label), "  ", page);
    if !matches!(outcome, Outcome::Done(_)) {
        return title;
    }
    let rows: Vec<Vec<String>> = (run.reads.iter().enumerate())
        .map(|(i, read)| {
            let [name, paper, here, target, met, _] = page::line(read, i, outcome);
            let said = |word: &str, text: String| if text.is_empty() { text } else { format!("{word} {text}") };
            let met = if met.contains('*') { "missed".to_owned() } else { String::new() };
            vec![format!("    {name}"), here, said("paper", paper), said("must be", target), met]
        })
        .collect();
    title + &lines(&[Align::Left; 5], &rows, page)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// What the lines ask for exists: the problem file with its params, the method and the preset.
    #[test]
    fn every_line_is_a_command_that_solve_takes() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        for run in EXPERIMENTS.iter().flat_map(|e| e.runs) {
            let line: Vec<&str> = ["blo", "solve"].into_iter().chain(run.line.split(' ')).collect();
            let parsed = super::super::parse(line).unwrap_or_else(|e| panic!("{}: {e}", run.line));
            let Command::Solve(arguments) = parsed.command else { panic!("{}", run.line) };
            if let Err(why) = solve::is_possible(&arguments, &root) {
                panic!("{}: {why}", run.line);
            }
            assert!(!run.reads.is_empty(), "{}", run.line);
        }
    }

    #[test]
    fn names_are_unique_and_choose() {
        let names: BTreeSet<&str> = EXPERIMENTS.iter().map(|e| e.name).collect();
        assert_eq!(names.len(), EXPERIMENTS.len());
        let count = |name: &str| chosen(&[name.to_owned()]).map_or(0, |c| c.len());
        assert_eq!(count("all"), EXPERIMENTS.len());
        let groups = ["quick", "long", "data"].map(count);
        assert_eq!(groups.iter().sum::<usize>(), EXPERIMENTS.len());
        assert!(groups.iter().all(|n| *n > 1) && count("meha") > 1 && count("meha-table2") == 1);
        assert!(chosen(&["unheard".to_owned()]).is_err());
    }
}
