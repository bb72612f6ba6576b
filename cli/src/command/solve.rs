//! `blo solve`: runs a method on a problem, shows the table while it runs, and writes the result.

use blo::ended;
use blo::output::{object, report};
use blo_engine::stop::StopReason;
use blo_grammar::diagnostic::Diagnostic;
use blo_solvers::solution::{Solution, Status};
use clap::{Args, ValueEnum};
use serde_json::Value;
use std::io;
use std::path::{Path, PathBuf};

use super::help::Help;
use super::pictures::Pictures;
use crate::args::{ModelArguments, Plot, RunArguments, count, plot};
use crate::clock;
use crate::exit::{Exit, Failure};
use crate::input::checkpoint;
use crate::input::model::{load, settings as settings_of};
use crate::input::warm;
use crate::output::console::Console;
use crate::output::file::must_be_regular;
use crate::output::outputs::Outputs;
use crate::output::save::{self, ResultFormat, TraceFormat};
use crate::output::screen::{Checkpoints, Limits, Rows, Screen, Traced};

const HELP: Help = Help {
    examples: &[
        ("blo solve P.blo", "runs the method `auto`: a method that suits the problem, then a search"),
        ("blo solve P.blo -m rhg --set K=50 --max-iter 200", "another method, with options"),
        ("blo solve P.blo -D n=1000 --out r.npz --trace t.csv", "sets a param, keeps the result and the rows"),
        ("blo solve P.blo --plot p.svg --plot landscape=l.svg", "draws the run"),
        ("blo solve P.blo --checkpoint c; blo solve P.blo --resume c", "saves the run, and continues it"),
        ("blo solve P.blo -D lambda=0.2 --warm r.json", "starts from the result of another run"),
        ("blo solve P.blo --sensitivity", "adds derivatives of the result in the params"),
    ],
    exits: &[Exit::NotConverged, Exit::Diverged, Exit::Infeasible, Exit::NotWritten, Exit::Interrupted],
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
    /// Draw the run: `p.svg` shows residuals and errors against iterations and time, `iterations=p.svg` against iterations alone;
    /// `landscape=l.svg`, of a problem with one number x and one number y, the lower objective with the iterates of the rows. May
    /// be repeated
    #[arg(long, value_name = "[iterations=|landscape=]FILE.svg", value_parser = plot)]
    plot: Vec<Plot>,
    /// A row every N iterations, beside those of the table; rows change nothing of the run
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = count)]
    trace_every: Option<u64>,
    /// Write the variables into the rows of the trace: columns `x[1]`, `x[2]` of a `.csv`, arrays of a `.jsonl`
    #[arg(long, requires = "trace")]
    trace_variables: bool,
    /// Write a file that `--resume` continues from: during the run and when it stops
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// Iterations between checkpoints
    #[arg(long, value_name = "N", default_value_t = 1000, requires = "checkpoint",
          allow_negative_numbers = true, value_parser = count)]
    every: u64,
    /// Continue from a checkpoint, with the same problem and options
    #[arg(long, value_name = "FILE")]
    resume: Option<PathBuf>,
    /// Start where an earlier run has ended: from its `.json` or `.npz` result, variable by variable
    #[arg(long, value_name = "FILE", conflicts_with = "resume")]
    warm: Option<PathBuf>,
    /// Print the derivative of the optimal upper objective in every param that the objectives depend on
    #[arg(long)]
    sensitivity: bool,
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
    /// y solves the lower level, and no x nearby is noticeably better: `blo explain output`
    Converged,
}

/// Solves a problem.
pub(crate) fn run(arguments: &Arguments, console: &mut Console) -> Result<Exit, Failure> {
    clock::limit(arguments.run.max_time());
    let files = Files::prepare(arguments)?;
    let resumed = arguments.resume.as_deref().map(checkpoint::read).transpose()?;
    let warm = arguments.warm.as_deref().map(warm::read).transpose()?;
    if arguments.quiet {
        console.only_errors();
    }
    let model = load(&arguments.model, console)?;
    for path in model.data_files(&arguments.model) {
        files.outputs.spare("a data file of the problem", &path)?;
    }
    let request = arguments.run.request();
    let settings = blo_solvers::resolve(&model.problem, &request)
        .map_err(|diagnostics| console.reject(&model.document, &diagnostics))?;
    let mut data = model.bind(&arguments.model, settings.integer("seed"), console)?;
    warm.map_or(Ok(()), |warm| warm.start(&model.problem, &mut data, console))?;
    let watched = clock::watch(0.0, settings.number("max_time"), true);
    data.stop = watched.token();
    let metrics = blo_solvers::row_metrics(&model.problem, &settings);
    let checkpoints = arguments.checkpoint.as_deref().map(|path| Checkpoints { path, every: arguments.every });
    let pictures = Pictures { plots: &arguments.plot, model: &model, arguments: &arguments.model, data: &data };
    pictures.check()?;
    let variables = arguments.trace_variables || pictures.want_variables();
    let traced = Traced { every: arguments.trace_every.unwrap_or(0), variables };
    let limits = Limits { iterations: settings.integer("max_iter"), seconds: settings.number("max_time") };
    let screen = Screen::new(console, arguments.rows(), &metrics, checkpoints, limits, watched.token());
    let mut screen = screen.tracing(traced);
    let solution = match &resumed {
        None => blo_solvers::solve(&model.problem, &data, &request, &mut screen),
        Some(checkpoint) => blo_solvers::resume(&model.problem, &data, &request, checkpoint, &mut screen),
    };
    let unsaved = screen.unsaved();
    drop(screen);
    let mut solution = match solution {
        Ok(solution) => solution,
        Err(diagnostics) => {
            let failure = console.reject(&model.document, &diagnostics);
            let interrupted = data.stop.reason() == Some(StopReason::Interrupted);
            return if interrupted { Ok(Exit::Interrupted) } else { Err(failure) };
        }
    };
    if arguments.sensitivity {
        let program = (&model.document, &model.ast, &model.problem);
        let found = ended::sensitivity(program, &settings_of(&arguments.model), &data, &solution);
        solution.sensitivity = Some(found.map_err(|d| console.reject(&model.document, &[*d]))?);
    }
    solution.warnings.extend(ended::known(&model.problem, &data, &solution, arguments.verbose));
    console.diagnostics(&model.document, &solution.warnings);

    // files first: they are what a broken pipe must not cost; and none of them costs what is printed
    let mut failed = pictures.write(&solution, console);
    if !arguments.trace_variables {
        // the pictures have asked for them
        solution.rows.iter_mut().for_each(|row| row.variables.clear());
    }
    let result = || object::solution(&solution, &model.warnings);
    failed.extend(files.write(&solution, &metrics, &result).into_iter().chain(unsaved));
    let printed = arguments.print(&solution, &result, console);
    for failure in &failed {
        console.fail(failure);
    }
    printed?;
    let exit = exit(&solution, arguments.require);
    Ok(if failed.is_empty() || exit == Exit::Interrupted { exit } else { Exit::NotWritten })
}

/// The run that a command line asks for, without a word on the screen and without its files; the names of the metrics in
/// its rows.
///
/// # Errors
/// As [`run`].
pub(crate) fn quietly(arguments: &Arguments, console: &mut Console) -> Result<(Solution, Vec<String>), Failure> {
    let model = load(&arguments.model, console)?;
    let request = arguments.run.request();
    let rejected = |diagnostics: Vec<Diagnostic>, console: &mut Console| console.reject(&model.document, &diagnostics);
    let settings = blo_solvers::resolve(&model.problem, &request).map_err(|d| rejected(d, console))?;
    let mut data = model.bind(&arguments.model, settings.integer("seed"), console)?;
    let begun = clock::elapsed();
    let watched = clock::watch(begun, settings.number("max_time"), true);
    data.stop = watched.token();
    let metrics = blo_solvers::row_metrics(&model.problem, &settings);
    let traced = Traced { every: arguments.trace_every.unwrap_or(0), variables: false };
    let limits = Limits { iterations: settings.integer("max_iter"), seconds: begun + settings.number("max_time") };
    let screen = Screen::new(console, Rows::Hidden, &metrics, None, limits, watched.token());
    let solution = blo_solvers::solve(&model.problem, &data, &request, &mut screen.tracing(traced));
    solution.map(|solution| (solution, metrics.clone())).map_err(|d| rejected(d, console))
}

impl Arguments {
    /// Looks for data in this folder and in no other that the line names.
    pub(crate) fn look_in(&mut self, folder: PathBuf) {
        self.model.data_dir = vec![folder];
    }

    /// How rows are shown during the run.
    fn rows(&self) -> Rows {
        match self.format {
            RunFormat::Jsonl => Rows::Objects,
            RunFormat::Human if !self.quiet => Rows::Table,
            RunFormat::Human | RunFormat::Json => Rows::Hidden,
        }
    }

    /// Writes the result to standard output.
    fn print(&self, solution: &Solution, result: &dyn Fn() -> Value, console: &mut Console) -> io::Result<()> {
        match self.format {
            RunFormat::Json | RunFormat::Jsonl => console.result(&format!("{}\n", result())),
            RunFormat::Human if !self.quiet => {
                if self.show_config || self.verbose {
                    console.result(&format!("\n{}", report::options(solution, console.page())))?;
                }
                console.result(&format!("\n{}", report::summary(solution, self.verbose, console.page())))
            }
            RunFormat::Human => Ok(()),
        }
    }
}

/// The files of a run, known to be writable.
struct Files<'a> {
    outputs: Outputs,
    out: Option<(&'a Path, ResultFormat)>,
    trace: Option<(&'a Path, TraceFormat)>,
}

impl Files<'_> {
    /// Looks at the files that the flags name, and at those that the command is known to read.
    fn prepare(arguments: &Arguments) -> Result<Files<'_>, Failure> {
        let Arguments { out, trace, plot, checkpoint, resume, warm, .. } = arguments;
        let out = out.as_deref().map(|path| Ok::<_, Failure>((path, save::result_format(path)?))).transpose()?;
        let trace = trace.as_deref().map(|path| Ok::<_, Failure>((path, save::trace_format(path)?))).transpose()?;
        let mut outputs = Outputs::default();
        let named = [("--out", out.map(|o| o.0)), ("--trace", trace.map(|t| t.0))];
        let named = named.into_iter().filter_map(|(flag, path)| Some((flag, path?)));
        for (flag, path) in named.chain(plot.iter().map(|plot| ("--plot", plot.path()))) {
            outputs.add(flag, path)?;
        }
        if let Some(resume) = resume {
            // only a checkpoint may take the place of the one that the run continues from
            outputs.spare("the checkpoint that `--resume` reads", resume)?;
        }
        if let Some(path) = checkpoint {
            // it is replaced again and again
            must_be_regular(path)?;
            outputs.add("--checkpoint", path)?;
        }
        if let Some(warm) = warm {
            // a new result may take the place of the one that the run starts from
            outputs.spare_but(&["--out"], "the result that `--warm` reads", warm)?;
        }
        outputs.spare("the problem file", &arguments.model.file)?;
        Ok(Files { outputs, out, trace })
    }

    /// Writes the result and the trace, each whatever becomes of the other.
    fn write(&self, solution: &Solution, metrics: &[String], result: &dyn Fn() -> Value) -> Vec<Failure> {
        let out = self.out.map(|(path, format)| save::result(path, format, solution, result));
        let trace = self.trace.map(|(path, format)| save::trace(path, format, solution, metrics));
        [out, trace].into_iter().flatten().filter_map(Result::err).collect()
    }
}

fn exit(solution: &Solution, require: Option<Requirement>) -> Exit {
    match solution.status {
        Status::Converged => Exit::Done,
        Status::Diverged | Status::NotFinite | Status::Unbounded => Exit::Diverged,
        Status::Infeasible => Exit::Infeasible,
        Status::Interrupted => Exit::Interrupted,
        Status::Stalled | Status::IterationLimit | Status::TimeLimit | Status::Stopped if require.is_some() => {
            Exit::NotConverged
        }
        Status::Stalled | Status::IterationLimit | Status::TimeLimit | Status::Stopped => Exit::Done,
    }
}

/// Whether a run can begin, as far as that shows without its data; its paths are relative to `root`.
#[cfg(test)]
pub(crate) fn is_possible(arguments: &Arguments, root: &Path) -> Result<(), String> {
    use crate::input::model::check;
    use blo::input::file::{self, Reading};
    let Ok(Reading::Text(document)) = file::read(&root.join(&arguments.model.file)) else {
        return Err("the file cannot be read".to_owned());
    };
    let said = |all: Vec<Diagnostic>| all.into_iter().map(|d| d.message).collect::<Vec<_>>().join("; ");
    let checked = check(&document, &arguments.model);
    let Some(problem) = checked.problem else { return Err(said(checked.diagnostics)) };
    blo_solvers::resolve(&problem, &arguments.run.request()).map(drop).map_err(said)
}
