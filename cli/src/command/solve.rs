//! `blo solve`: runs a method on a problem, shows the table while it runs, and writes the result.

use blo_engine::model::problem::Variable;
use blo_engine::model::{Bindings, Problem};
use blo_grammar::diagnostic::{Diagnostic, Severity};
use blo_solvers::Request;
use blo_solvers::audit::known::{Effort, check_known};
use blo_solvers::solution::{Solution, Status};
use clap::{Args, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;

use crate::args::{MethodArguments, ModelArguments};
use crate::console::Console;
use crate::exit::{Exit, Failure};
use crate::model::load;
use crate::screen::{Checkpoints, Rows, Screen, read_checkpoint};
use crate::{object, report, save};

/// Solves a problem
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    model: ModelArguments,
    #[command(flatten)]
    method: MethodArguments,
    /// Stop after this many iterations
    #[arg(long, value_name = "N")]
    max_iter: Option<u64>,
    /// Stop after this time: 90, 60s, 5m, 2h
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    max_time: Option<Duration>,
    /// Stop when every residual is this small against the start
    #[arg(long, value_name = "TOL", allow_negative_numbers = true)]
    tol: Option<f64>,
    /// Seed of the run, part of every generator's stream
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Numbers of the iteration
    #[arg(long, value_name = "f64|f32")]
    precision: Option<String>,
    /// Threads; without the flag one per core
    #[arg(long, value_name = "N")]
    threads: Option<u64>,
    /// Most steps to solve the lower level with at the final x; 0 leaves the last iterate as it is
    #[arg(long, value_name = "N")]
    polish: Option<u64>,
    /// Most memory for states of unrolled lower-level steps: 4MB, 1GiB; what does not fit is computed again
    #[arg(long, value_name = "SIZE", value_parser = bytes)]
    memory: Option<u64>,
    /// Write the final point to a file: `.npz` holds the variables, `.json` the whole result
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Write the rows of the table to a file: `.csv` or `.jsonl`
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// Write a file that `--resume` goes on from, while the run goes on and when it is stopped
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// Iterations between checkpoints
    #[arg(long, value_name = "N", default_value_t = 1000, requires = "checkpoint",
          value_parser = clap::value_parser!(u64).range(1..))]
    every: u64,
    /// Go on from a checkpoint, with the same problem and options
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
    let resumed = arguments.resume.as_deref().map(read_checkpoint).transpose()?;
    if arguments.quiet {
        console.only_errors();
    }
    let model = load(&arguments.model, console)?;
    let request = request(arguments);
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
                console.result(&format!("\n{}", report::options(&solution)))?;
            }
            console.result(&format!("\n{}", report::summary(&solution, arguments.verbose)))?;
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

fn request(arguments: &Arguments) -> Request {
    let mut request = arguments.method.request();
    let flags = [
        ("max_iter", arguments.max_iter.map(|v| v.to_string())),
        ("max_time", arguments.max_time.map(|v| v.as_secs_f64().to_string())),
        ("tol", arguments.tol.map(|v| v.to_string())),
        ("seed", arguments.seed.map(|v| v.to_string())),
        ("precision", arguments.precision.clone()),
        ("threads", arguments.threads.map(|v| v.to_string())),
        ("polish", arguments.polish.map(|v| v.to_string())),
        ("memory", arguments.memory.map(|v| v.to_string())),
    ];
    for (name, value) in flags {
        if let Some(value) = value {
            request = request.set(name, value);
        }
    }
    request
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

/// `90`, `60s`, `1.5m`, `2h`.
pub(crate) fn seconds(text: &str) -> Result<Duration, String> {
    let (number, unit) = match text.char_indices().last() {
        Some((at, 's')) => (&text[..at], 1.0),
        Some((at, 'm')) => (&text[..at], 60.0),
        Some((at, 'h')) => (&text[..at], 3600.0),
        _ => (text, 1.0),
    };
    let value = number.trim().parse::<f64>().map_err(|_| format!("`{text}` is not a time; write 90, 60s, 5m or 2h"))?;
    Duration::try_from_secs_f64(value * unit).map_err(|_| format!("`{text}` is not a time that can pass"))
}

/// `4000000`, `4MB`, `1.5GiB`.
fn bytes(text: &str) -> Result<u64, String> {
    const UNITS: [(&str, f64); 7] =
        [("KiB", 1024.0), ("MiB", 1048576.0), ("GiB", 1073741824.0), ("kB", 1e3), ("MB", 1e6), ("GB", 1e9), ("B", 1.0)];
    let unit = UNITS.iter().find(|(unit, _)| text.ends_with(unit));
    let (number, factor) = unit.map_or((text, 1.0), |(unit, factor)| (&text[..text.len() - unit.len()], *factor));
    let value = number.trim().parse::<f64>().ok().map(|v| (v * factor).floor());
    let fits = value.filter(|v| *v >= 1.0 && *v < u64::MAX as f64);
    fits.map(|v| v as u64).ok_or_else(|| format!("`{text}` is not a size; write 4000000, 4MB or 1GiB"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        assert_eq!(bytes("4MB"), Ok(4_000_000));
        assert_eq!(bytes("1.5 KiB"), Ok(1536));
        assert_eq!(bytes("12"), Ok(12));
        for bad in ["", "MB", "-1MB", "0", "nan", "inf", "1TB"] {
            assert!(bytes(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn times_have_units() {
        assert_eq!(seconds("90"), Ok(Duration::from_secs(90)));
        assert_eq!(seconds("1.5m"), Ok(Duration::from_secs(90)));
        assert_eq!(seconds("2h"), Ok(Duration::from_secs(7200)));
        for bad in ["", "s", "-1s", "nan", "inf", "1d", "é"] {
            assert!(seconds(bad).is_err(), "{bad}");
        }
    }
}
