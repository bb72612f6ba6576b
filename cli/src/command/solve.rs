//! `blo solve`: runs a method on a problem, shows the table while it runs, and writes the result.

use blo_solvers::settings::Request;
use blo_solvers::solution::{Solution, Status};
use blo_solvers::trace::{Observer, Row};
use clap::{Args, ValueEnum};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::args::{Format, MethodArguments, ModelArguments};
use crate::console::Console;
use crate::exit::{Exit, Failure};
use crate::model::load;
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
    /// Write the final point to a file: `.npz` holds the variables, `.json` the whole result
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Write the rows of the table to a file: `.csv` or `.jsonl`
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// Exit with 3 unless the run converged
    #[arg(long, value_enum, value_name = "WHAT")]
    require: Option<Requirement>,
    /// Show every option with its value and origin
    #[arg(long)]
    show_config: bool,
    /// How the result is written
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Print nothing but errors, and the result if it is JSON
    #[arg(short, long)]
    quiet: bool,
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
    if arguments.quiet {
        console.only_errors();
    }
    let model = load(&arguments.model, console)?;
    let request = request(arguments);
    let settings = blo_solvers::settings::resolve(&model.problem, &request)
        .map_err(|diagnostics| console.reject(&model.document, &diagnostics))?;
    let data = model.bind(&arguments.model, settings.integer("seed"), console)?;
    let metrics: Vec<String> = model.problem.metrics.iter().map(|m| m.name.clone()).collect();
    let table = arguments.format == Format::Human && !arguments.quiet;
    let mut screen =
        Screen { console: &mut *console, table, metrics: &metrics, begun: Instant::now(), stop: stop_flag() };
    let solution = blo_solvers::solve(&model.problem, &data, &request, &mut screen)
        .map_err(|diagnostics| console.reject(&model.document, &diagnostics))?;
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
        Format::Json => console.result(&format!("{}\n", result()))?,
        Format::Human if !arguments.quiet => {
            if arguments.show_config {
                console.result(&format!("\n{}", report::options(&solution)))?;
            }
            console.result(&format!("\n{}", report::summary(&solution)))?;
        }
        Format::Human => {}
    }
    Ok(exit(&solution, arguments.require))
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

/// What the run sees of the outside: the clock, the interrupt key, and the table.
struct Screen<'a> {
    console: &'a mut Console,
    table: bool,
    metrics: &'a [String],
    begun: Instant,
    stop: Arc<AtomicBool>,
}

impl Observer for Screen<'_> {
    fn seconds(&self) -> f64 {
        self.begun.elapsed().as_secs_f64()
    }

    fn interrupted(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn row(&mut self, row: &Row) {
        if !self.table {
            return;
        }
        let mut text = String::new();
        if row.iteration == 0 {
            text = report::title(self.metrics) + "\n";
        }
        text += &(report::row(row, self.metrics) + "\n");
        if self.console.result(&text).is_err_and(|e| e.kind() == io::ErrorKind::BrokenPipe) {
            // nobody reads on: no reason to go on
            self.stop.store(true, Ordering::Relaxed);
        }
    }
}

/// Set by the first interrupt key, after which the run ends in order; the second one ends the process at once.
fn stop_flag() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = stop.clone();
    // without a handler the key ends the process, as it does everywhere else
    let _ = ctrlc::set_handler(move || {
        if flag.swap(true, Ordering::Relaxed) {
            std::process::exit(Exit::Interrupted as i32);
        }
    });
    stop
}

/// `90`, `60s`, `1.5m`, `2h`.
fn seconds(text: &str) -> Result<Duration, String> {
    let (number, unit) = match text.char_indices().last() {
        Some((at, 's')) => (&text[..at], 1.0),
        Some((at, 'm')) => (&text[..at], 60.0),
        Some((at, 'h')) => (&text[..at], 3600.0),
        _ => (text, 1.0),
    };
    let value = number.trim().parse::<f64>().map_err(|_| format!("`{text}` is not a time; write 90, 60s, 5m or 2h"))?;
    Duration::try_from_secs_f64(value * unit).map_err(|_| format!("`{text}` is not a time that can pass"))
}

#[cfg(test)]
mod tests {
    use super::*;

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
