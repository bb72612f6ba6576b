//! `blo solve`: runs a method on a problem, shows the table while it runs, and writes the result.

use blo_engine::model::problem::Variable;
use blo_engine::model::{Bindings, Problem};
use blo_grammar::diagnostic::{Diagnostic, Severity};
use blo_solvers::audit::known::{Effort, check_known};
use blo_solvers::solution::{Solution, Status};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

use super::help::Help;
use crate::args::{ModelArguments, RunArguments};
use crate::exit::{Exit, Failure};
use crate::input::checkpoint;
use crate::input::model::load;
use crate::output::console::Console;
use crate::output::screen::{Checkpoints, Rows, Screen};
use crate::output::{object, report, save};

const HELP: Help = Help {
    examples: &[
        ("blo solve P.blo", "runs MEHA with steps chosen for the problem"),
        ("blo solve P.blo -m rhg --set K=50 --max-iter 200", "another method, with options"),
        ("blo solve P.blo -D n=1000 --out r.npz --trace t.csv", "sets a param, keeps the result and the rows"),
        ("blo solve P.blo --checkpoint c; blo solve P.blo --resume c", "saves, and goes on"),
    ],
    exits: &[Exit::NotConverged, Exit::Diverged, Exit::Interrupted],
};

/// Solves a problem
#[derive(Debug, Args)]
#[command(after_help = HELP.short(), after_long_help = HELP.long())]
pub(crate) struct Arguments {
    #[command(flatten)]
    model: ModelArguments,
    #[command(flatten)]
    run: RunArguments,
    /// Write the final point to a file: `.npz` holds the variables, `.json` the whole result
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Write the rows of the table to a file: `.csv` or `.jsonl`
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// Write a file that `--resume` continues from: during the run and when it stops
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// Iterations between checkpoints
    #[arg(long, value_name = "N", default_value_t = 1000, requires = "checkpoint",
          value_parser = clap::value_parser!(u64).range(1..))]
    every: u64,
    /// Continue from a checkpoint, with the same problem and options
    #[arg(long, value_name = "FILE")]
    resume: Option<PathBuf>,
    /// Exit with 3 unless the run converged
    #[arg(long, value_enum, value_name = "WHAT")]
    require: Option<Requirement>,
    /// Show every option with its value and origin
    #[arg(long)]
    show_config: bool,
    /// How the result is written
    #[arg(long, value_enum, default_value_t)]
    format: RunFormat,
    /// Print nothing but errors, and the result if it is JSON
    #[arg(short, long)]
    quiet: bool,
    /// Show every option, what was evaluated and what compiling took
    #[arg(short, long, conflicts_with = "quiet")]
    verbose: bool,
}

/// How a run is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum RunFormat {
    /// A table and a summary for people
    #[default]
    Human,
    /// One JSON object at the end
    Json,
    /// A JSON object per row of the table as it comes, then the result
    Jsonl,
}

/// What `--require` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Requirement {
    /// Every residual is below the tolerance
    Converged,
}

/// Solves a problem.
pub(crate) fn run(arguments: &Arguments, console: &mut Console) -> Result<Exit, Failure> {
    // a mistyped file name should not show after an hour
    let out = arguments.out.as_deref().map(save::result_format).transpose()?;
    let trace = arguments.trace.as_deref().map(save::trace_format).transpose()?;
    arguments.checkpoint.as_deref().map(save::can_hold_checkpoints).transpose()?;
    let resumed = arguments.resume.as_deref().map(checkpoint::read).transpose()?;
    if arguments.quiet {
        console.only_errors();
    }
    let model = load(&arguments.model, console)?;
    let request = arguments.run.request();
    let settings = blo_solvers::resolve(&model.problem, &request)
        .map_err(|diagnostics| console.reject(&model.document, &diagnostics))?;
    let data = model.bind(&arguments.model, settings.integer("seed"), console)?;
    let metrics = blo_solvers::row_metrics(&model.problem, &settings);
    let rows = match arguments.format {
        RunFormat::Jsonl => Rows::Objects,
        RunFormat::Human if !arguments.quiet => Rows::Table,
        RunFormat::Human | RunFormat::Json => Rows::Hidden,
    };
    let checkpoints = arguments.checkpoint.as_deref().map(|path| Checkpoints { path, every: arguments.every });
    let mut screen = Screen::new(console, rows, &metrics, checkpoints, settings.integer("max_iter"));
    let solution = match &resumed {
        None => blo_solvers::solve(&model.problem, &data, &request, &mut screen),
        Some(checkpoint) => blo_solvers::resume(&model.problem, &data, &request, checkpoint, &mut screen),
    };
    drop(screen);
    let mut solution = solution.map_err(|diagnostics| console.reject(&model.document, &diagnostics))?;
    solution.warnings.extend(known(&model.problem, &data, &solution, arguments.verbose));
    console.diagnostics(&model.document, &solution.warnings);

    // files first: they are what a broken pipe must not cost
    let result = || object::solution(&solution, &model.warnings);
    if let (Some(path), Some(format)) = (&arguments.out, out) {
        save::result(path, format, &solution, &result)?;
    }
    if let (Some(path), Some(format)) = (&arguments.trace, trace) {
        save::trace(path, format, &solution, &metrics)?;
    }
    match arguments.format {
        RunFormat::Json | RunFormat::Jsonl => console.result(&format!("{}\n", result()))?,
        RunFormat::Human if !arguments.quiet => {
            if arguments.show_config || arguments.verbose {
                console.result(&format!("\n{}", report::options(&solution, console.page())))?;
            }
            console.result(&format!("\n{}", report::summary(&solution, arguments.verbose, console.page())))?;
        }
        RunFormat::Human => {}
    }
    Ok(exit(&solution, arguments.require))
}

/// What contradicts `known`, checked at the known point nearest to the result; `all` adds what could not be checked.
fn known(problem: &Problem, data: &Bindings, solution: &Solution, all: bool) -> Vec<Diagnostic> {
    let values = |v: &Variable| solution.variable(&v.name).map_or_else(Vec::new, |a| a.values.clone());
    let point: Vec<Vec<f64>> = problem.variables().map(values).collect();
    let mut found = check_known(problem, data, Some(&point), Effort::Evaluate).unwrap_or_default();
    found.retain(|d| all || d.severity != Severity::Note);
    found
}

fn exit(solution: &Solution, require: Option<Requirement>) -> Exit {
    match solution.status {
        Status::Converged => Exit::Done,
        Status::Diverged | Status::NotFinite => Exit::Diverged,
        Status::Interrupted => Exit::Interrupted,
        Status::IterationLimit | Status::TimeLimit if require.is_some() => Exit::NotConverged,
        Status::IterationLimit | Status::TimeLimit => Exit::Done,
    }
}
