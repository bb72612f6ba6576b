//! `blo sweep`: one method over values of params and options, a row per point of their grid. Every run is a process of its
//! own, several at a time where that is asked for; what a run computes does not depend on those beside it.

mod grid;

use blo_grammar::diagnostic::did_you_mean;
use blo_solvers::{DEFAULT_METHOD, Request};
use clap::Args;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use tempfile::TempDir;

use super::help::Help;
use super::several::measure::{self, Begin, Measurement, begin_warm};
use super::several::process::{Ended, Processes};
use crate::args::{Axis, Format, ModelArguments, OptionArguments, count, defined_axis, limit, svg};
use crate::exit::{Exit, Failure};
use crate::input::model::{self, Model, load};
use crate::input::warm;
use crate::output::console::Console;
use crate::output::file;
use crate::output::measured::files::{csv, objects};
use crate::output::measured::table::{Labels, table};
use crate::output::measured::{Group, Outcome};
use crate::output::outputs::Outputs;
use crate::output::progress::RunsLine;
use crate::output::save::{TableFormat, table_format};
use crate::picture::curves::{Curve, Point, Quantity, over};
use crate::picture::of_run::caption_of_several;
use crate::picture::scale_of;
use blo::output::SCHEMA;
use blo::output::table::Align;
use blo::output::text::page::paragraph;
use grid::Grid;

const HELP: Help = Help {
    examples: &[
        ("blo sweep P.blo -D 'lambda=logspace(-3, 1, 20)'", "twenty values of a param"),
        ("blo sweep P.blo -m rhg --set K=8,16,64", "three values of an option"),
        ("blo sweep P.blo -D n=1..5 --set alpha=0.1,0.2 --jobs 2", "a grid of ten runs, two at a time"),
        ("blo sweep P.blo -D 'rho=linspace(0, 1, 11)' --warm --out t.csv", "each from the end of the one before"),
        ("blo sweep P.blo --set K=4,16 -D 'c=logspace(-3, 1, 9)' --plot p.svg", "F over c, a curve for each K"),
    ],
    exits: &[Exit::NotWritten, Exit::Interrupted],
};

/// Runs a method over values of params and options and prints a table
#[derive(Debug, Args)]
#[command(after_help = HELP.short(), after_long_help = HELP.long())]
pub(crate) struct Arguments {
    /// The problem file; `-` reads standard input
    #[arg(value_name = "P.blo")]
    file: PathBuf,
    /// Values of a scalar param: `-D n=10,100`, `-D n=1..10`, `-D 'c=linspace(0, 1, 5)'`, `-D 'c=logspace(-3, 1, 20)'` from
    /// 1e-3 to 1e1. `--set` takes the same forms; several flags make a grid
    #[arg(short = 'D', long = "define", value_name = "NAME=VALUES", value_parser = defined_axis)]
    define: Vec<Axis>,
    /// A folder to search for data after the problem's own; may be repeated
    #[arg(long, value_name = "DIR")]
    data_dir: Vec<PathBuf>,
    /// Read no data outside of this folder
    #[arg(long, value_name = "DIR")]
    within: Option<PathBuf>,
    /// Raises a limit on what a file may ask for: `--limit entries=1e10`; `docs/book/src/language.md` lists them
    #[arg(long, value_name = "NAME=VALUE", value_parser = limit)]
    limit: Vec<(String, u64)>,
    /// The method; `meha:paper` is a preset of the file, `meha:auto` uses none
    #[arg(short, long, value_name = "NAME[:PRESET]", default_value = DEFAULT_METHOD)]
    method: String,
    #[command(flatten)]
    options: OptionArguments,
    /// Start each run where the one before it has ended, along one name
    #[arg(long)]
    warm: bool,
    /// The name that `--warm` and `--plot` follow, whose values vary fastest; without the flag the last one, options after params
    #[arg(long, value_name = "NAME")]
    along: Option<String>,
    /// Runs at a time; each has its share of the threads
    #[arg(long, value_name = "N", default_value_t = 1, allow_negative_numbers = true, value_parser = count)]
    jobs: u64,
    /// Draw a quantity over the values of one name, a curve for each value of the others
    #[arg(long, value_name = "FILE.svg", value_parser = svg)]
    plot: Option<PathBuf>,
    /// What is drawn: `upper`, `err(x)`, a metric, `seconds`, any column of `--out t.csv`
    #[arg(long, value_name = "QUANTITY", requires = "plot", default_value = "upper")]
    of: String,
    /// Write every run to a file: `.csv` or `.json`
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// How the result is written
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// What the command tells the processes that it starts: which point
    #[arg(long, value_name = "POINT", hide = true)]
    one_run: Option<usize>,
    /// And the result that it begins from
    #[arg(long, value_name = "FILE", hide = true)]
    one_start: Option<PathBuf>,
}

/// Runs the method at every point.
pub(crate) fn run(arguments: &Arguments, console: &mut Console) -> Result<Exit, Failure> {
    if blo_solvers::at_commas(&arguments.method).len() != 1 {
        return Err(Failure::Usage {
            message: format!("--method {}: a sweep has one method", arguments.method),
            help: Some("`blo compare P.blo -m a,b` puts several methods side by side".to_owned()),
        });
    }
    let grid = Grid::of(&arguments.define, &arguments.options.set, arguments.along.as_deref())?;
    if let Some(point) = arguments.one_run {
        return child(arguments, &grid, point, console);
    }
    let mut outputs = Outputs::default();
    let out = arguments.out.as_deref().map(|path| Ok::<_, Failure>((path, table_format(path)?))).transpose()?;
    out.map_or(Ok(()), |(path, _)| outputs.add("--out", path))?;
    arguments.plot.as_deref().map_or(Ok(()), |path| outputs.add("--plot", path))?;
    outputs.spare("the problem file", &arguments.file)?;
    let model = load(&arguments.model_at(&grid, 0), console)?;
    for path in model.data_files(&arguments.model_at(&grid, 0)) {
        outputs.spare("a data file of the problem", &path)?;
    }
    arguments.can_draw(&grid, &model)?;
    let seed = arguments.can_begin(&grid, &model, console)?;
    let (groups, interrupted) = swept(arguments, &grid, &model, console)?;

    let labels: Vec<String> = grid.varying().map(|axis| axis.name.clone()).collect();
    let object = || format!("{:#}\n", object(arguments, &grid, &labels, &groups, (seed, interrupted)));
    let mut failed = Vec::new();
    if let Some((path, format)) = out {
        let text = match format {
            TableFormat::Csv => csv(&labels, &groups),
            TableFormat::Json => object(),
        };
        failed.extend(file::write(path, text.as_bytes()).err());
    }
    if let Some(path) = &arguments.plot {
        let picture = picture(arguments, &grid, &groups, &model, seed);
        failed.extend(file::write(path, picture.as_bytes()).err());
    }
    let printed = console.result(&match arguments.format {
        Format::Human => text(arguments, &grid, &labels, &groups, console.page()),
        Format::Json => object(),
    });
    for failure in &failed {
        console.fail(failure);
    }
    printed?;
    let refused = groups.iter().flat_map(|g| &g.outcomes).any(|o| o.refused.is_some());
    Ok(match (interrupted, failed.is_empty(), refused) {
        (true, ..) => Exit::Interrupted,
        (_, false, _) => Exit::NotWritten,
        (.., true) => Exit::Error,
        _ => Exit::Done,
    })
}

impl Arguments {
    /// The problem as `solve` would have it at a point.
    fn model_at(&self, grid: &Grid, point: usize) -> ModelArguments {
        let define = grid.values(point, true).map(|(name, value)| {
            let value = value.parse().unwrap_or_else(|_| unreachable!("the parser of the flag has read `{value}`"));
            (name.to_owned(), value)
        });
        ModelArguments {
            file: self.file.clone(),
            define: define.collect(),
            data_dir: self.data_dir.clone(),
            within: self.within.clone(),
            limit: self.limit.clone(),
        }
    }

    /// The run as `solve` would have it at a point.
    fn request_at(&self, grid: &Grid, point: usize) -> Request {
        let request = Request::new(&self.method);
        let request = grid.values(point, false).fold(request, |request, (name, value)| request.set(name, value));
        self.options.apply_common(request)
    }

    /// Looks for mistakes at every point before anything runs: in each problem, and in each combination of options. Gives the
    /// seed of the first point.
    fn can_begin(&self, grid: &Grid, model: &Model, console: &mut Console) -> Result<u64, Failure> {
        for point in grid.differing(true).skip(1) {
            let checked = model::check(&model.document, &self.model_at(grid, point));
            if checked.problem.is_none() {
                console.warn(&format!("with {}:", grid.name(point)));
                return Err(console.reject(&model.document, &checked.diagnostics));
            }
        }
        for point in grid.differing(false) {
            let request = self.request_at(grid, point);
            if let Err(found) = blo_solvers::prepare(&model.problem, &request) {
                return Err(console.reject(&model.document, &found));
            }
        }
        let settings = blo_solvers::resolve(&model.problem, &self.request_at(grid, 0));
        let seed = settings.map_or(0, |settings| settings.integer("seed"));
        // what is wrong with the data is said once
        model.bind(&self.model_at(grid, 0), seed, console).map(|_| seed)
    }

    /// Refuses a picture that nobody can draw, before anything runs.
    fn can_draw(&self, grid: &Grid, model: &Model) -> Result<(), Failure> {
        if self.plot.is_none() {
            return Ok(());
        }
        let along = grid.varying().next_back();
        let strange = along.and_then(|axis| axis.values.iter().find(|v| v.parse::<f64>().is_err()));
        if let (Some(axis), Some(value)) = (along, strange) {
            return Err(Failure::Usage {
                message: format!(
                    "--plot: `{} = {value}` is not a number, so that it has no place on an axis",
                    axis.name
                ),
                help: Some("`--along NAME` draws over another name that takes several values".to_owned()),
            });
        }
        let keys = measure::keys(&model.problem);
        if keys.contains(&self.of) {
            return Ok(());
        }
        let help = match did_you_mean(&self.of, keys.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("it may be {}", keys.join(", ")),
        };
        Err(Failure::Usage { message: format!("--of {}: there is no such quantity", self.of), help: Some(help) })
    }

    fn wants_results(&self) -> bool {
        let json = |path: &PathBuf| table_format(path).is_ok_and(|f| f == TableFormat::Json);
        self.warm || self.format == Format::Json || self.out.as_ref().is_some_and(json)
    }
}

/// The process of one run.
fn child(arguments: &Arguments, grid: &Grid, point: usize, console: &mut Console) -> Result<Exit, Failure> {
    // the first process has said what is to be said
    console.only_errors();
    let point = point.min(grid.len() - 1);
    let model_arguments = arguments.model_at(grid, point);
    let model = load(&model_arguments, console)?;
    let rejected = |found: Vec<_>, console: &mut Console| console.reject(&model.document, &found);
    let request = arguments.request_at(grid, point);
    let settings = blo_solvers::resolve(&model.problem, &request).map_err(|found| rejected(found, console))?;
    let seed = settings.integer("seed");
    let threads = (settings.integer("threads") / arguments.jobs).max(1);
    let request = if arguments.jobs > 1 { request.set("threads", threads.to_string()) } else { request };
    let mut data = model.bind(&model_arguments, seed, console)?;
    // a result with numbers that are not finite is not one to begin from
    let start = arguments.one_start.as_deref().and_then(|path| warm::read(path).ok());
    let warm = begin_warm(start.as_ref(), &model.problem, &mut data, console);
    let measurement = Measurement { result: arguments.wants_results(), ..Measurement::default() };
    let begin = Begin { model: &model, problem: &model.problem, data, request, seed, warm };
    measure::run(begin, &measurement, console)
}

/// All runs: a group per point that has run, and whether the user has stopped them.
fn swept(
    arguments: &Arguments,
    grid: &Grid,
    model: &Model,
    console: &mut Console,
) -> Result<(Vec<Group>, bool), Failure> {
    let unwritable = |e: std::io::Error| Failure::File { message: format!("no temporary folder: {e}"), help: None };
    let folder = if arguments.warm { Some(tempfile::tempdir().map_err(unwritable)?) } else { None };
    let length = if arguments.warm { grid.chain() } else { 1 };
    let sweep = Sweep {
        grid,
        processes: Processes::of(model),
        line: RunsLine::new(),
        folder,
        begun: AtomicUsize::new(0),
        ended: Mutex::new((0..grid.len()).map(|_| None).collect()),
    };
    let next = AtomicUsize::new(0);
    let chains = grid.len() / length;
    let jobs = usize::try_from(arguments.jobs).unwrap_or(usize::MAX).min(chains);
    let work = || loop {
        let chain = next.fetch_add(1, Ordering::Relaxed);
        if chain >= chains {
            return Ok(());
        }
        sweep.chain(chain * length, length)?;
    };
    let found: Vec<Result<(), Failure>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..jobs).map(|_| scope.spawn(work)).collect();
        let all = threads.into_iter().map(|thread| thread.join());
        all.map(|joined| joined.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    });
    found.into_iter().collect::<Result<Vec<()>, Failure>>()?;
    let interrupted = sweep.processes.interrupted();
    drop(sweep.line);
    let ended = sweep.ended.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    let mut groups = Vec::new();
    for (point, ended) in ended.into_iter().enumerate() {
        let Some(ended) = ended else { continue };
        if !ended.said.is_empty() {
            console.warn(&format!("with {}:", grid.name(point)));
            console.pass_on(&ended.said);
        }
        let none = || Outcome::refused(0, "its process has ended without a result".to_owned());
        groups.push(Group { labels: grid.labels(point), outcomes: vec![ended.outcome.unwrap_or_else(none)] });
    }
    Ok((groups, interrupted))
}

/// Runs that several threads share.
struct Sweep<'a> {
    grid: &'a Grid,
    processes: Processes,
    line: RunsLine,
    /// Where results lie that others begin from.
    folder: Option<TempDir>,
    begun: AtomicUsize,
    ended: Mutex<Vec<Option<Ended>>>,
}

impl Sweep<'_> {
    /// Points that follow each other, the first of them from its own start.
    fn chain(&self, first: usize, length: usize) -> Result<(), Failure> {
        let mut before: Option<PathBuf> = None;
        for point in first..first + length {
            if self.processes.interrupted() {
                return Ok(());
            }
            let begun = self.begun.fetch_add(1, Ordering::Relaxed);
            self.line.at(&self.grid.name(point), begun, self.grid.len());
            let mut what = vec!["--one-run".to_owned(), point.to_string()];
            if let Some(path) = &before {
                what.extend(["--one-start".to_owned(), path.display().to_string()]);
            }
            let ended = self.processes.run(&what)?;
            if ended.outcome.is_none() && self.processes.interrupted() {
                return Ok(());
            }
            if let (Some(folder), Some(outcome)) = (&self.folder, ended.outcome.as_ref().filter(|o| !o.failed)) {
                before = Some(self.keep(folder.path(), point, outcome)?);
            }
            let mut all = self.ended.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            all[point] = Some(ended);
        }
        Ok(())
    }

    /// Keeps a result for the run that begins there.
    fn keep(&self, folder: &Path, point: usize, outcome: &Outcome) -> Result<PathBuf, Failure> {
        let path = folder.join(format!("{point}.json"));
        file::write(&path, outcome.result.to_string().as_bytes())?;
        Ok(path)
    }
}

/// The table, and what is to be said of it.
fn text(arguments: &Arguments, grid: &Grid, labels: &[String], groups: &[Group], page: usize) -> String {
    let mut text = table(&Labels { titles: labels, align: Align::Right }, groups, 1, page);
    text.push('\n');
    text += &paragraph("Rows are of the points with the lower level solved (polished).", "", page);
    if arguments.warm {
        let along = labels.last().map_or("", String::as_str);
        let warm = groups.iter().flat_map(|g| &g.outcomes).filter(|o| o.warm).count();
        let line =
            format!("{warm} of {} runs began where the one before them along `{along}` has ended.", groups.len());
        text += &paragraph(&line, "", page);
    }
    for group in groups {
        for why in group.outcomes.iter().filter_map(|o| o.refused.as_ref()) {
            let values: Vec<String> = labels.iter().zip(&group.labels).map(|(n, v)| format!("{n} = {v}")).collect();
            text += &paragraph(&format!("`{}` did not run: {why}", values.join(", ")), "", page);
        }
    }
    if groups.len() < grid.len() {
        text += &paragraph(&format!("Interrupted after {} of {} runs.", groups.len(), grid.len()), "", page);
    }
    text
}

/// A quantity over the last axis that varies.
fn picture(arguments: &Arguments, grid: &Grid, groups: &[Group], model: &Model, seed: u64) -> String {
    let titles: Vec<&str> = grid.varying().map(|axis| axis.name.as_str()).collect();
    let (along, others) = titles.split_last().map_or(("", &[][..]), |(last, others)| (*last, others));
    let mut curves: Vec<Curve> = Vec::new();
    for group in groups {
        let Some((value, rest)) = group.labels.split_last() else { continue };
        let name = others.iter().zip(rest).map(|(n, v)| format!("{n} = {v}")).collect::<Vec<_>>().join(", ");
        let name = if name.is_empty() { arguments.method.clone() } else { name };
        let outcome = group.outcomes.first().filter(|o| !o.failed);
        let found = outcome.and_then(|o| o.numbers.iter().find(|n| n.key == arguments.of));
        let iteration = value.parse().unwrap_or(f64::NAN);
        // a run that has failed has a mark
        let point = Point { iteration, seconds: 0.0, pass: 1, value: found.map_or(f64::NAN, |n| n.value) };
        match curves.last_mut().filter(|curve| curve.name == name) {
            Some(curve) => curve.points.push(point),
            None => curves.push(Curve { name, points: vec![point] }),
        }
    }
    for curve in &mut curves {
        curve.points.sort_by(|a, b| a.iteration.total_cmp(&b.iteration));
    }
    let scale = scale_of(&arguments.of, curves.iter().flat_map(|c| c.points.iter().map(|p| p.value)));
    let fixed = grid.axes().filter(|axis| axis.values.len() == 1);
    let fixed: Vec<String> = fixed.map(|axis| format!("{}\u{a0}=\u{a0}{}", axis.name, axis.values[0])).collect();
    let about: Vec<String> = [format!("method {}", arguments.method)].into_iter().chain(fixed).collect();
    let caption = caption_of_several(&model.problem.name, &[], &about, seed);
    over(along, &curves, &Quantity { title: arguments.of.clone(), scale }, &caption)
}

fn object(
    arguments: &Arguments,
    grid: &Grid,
    labels: &[String],
    groups: &[Group],
    (seed, interrupted): (u64, bool),
) -> Value {
    let fixed = grid.axes().filter(|axis| axis.values.len() == 1);
    json!({
        "schema": SCHEMA,
        "method": arguments.method,
        "seed": seed,
        "over": labels,
        "fixed": fixed.map(|axis| format!("{} = {}", axis.name, axis.values[0])).collect::<Vec<_>>(),
        "warm": arguments.warm,
        "interrupted": interrupted,
        "points": objects(labels, groups),
    })
}
