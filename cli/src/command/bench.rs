//! `blo bench`: how fast methods iterate. Every run is a process of its own, so that nothing of one is warm in another and
//! its memory can be told; runs of two lengths alternate, and the time per iteration is their difference, so that what
//! comes before the first iteration and after the last one does not count.

use blo_engine::stop::StopToken;
use blo_solvers::Observer;
use blo_solvers::solution::trace::Row;
use clap::Args;
use serde_json::{Value, json};
use std::io::Write;
use std::process::{Command, Stdio};

use super::help::Help;
use super::several;
use crate::args::{Format, ModelArguments, OptionArguments, count};
use crate::clock;
use crate::exit::{Exit, Failure};
use crate::input::model::{Model, load};
use crate::output::bench::{Bench, Reading};
use crate::output::console::Console;
use blo::output::SCHEMA;

const HELP: Help = Help {
    examples: &[
        ("blo bench P.blo", "the time per iteration of the method that `solve` would run"),
        ("blo bench P.blo -m meha,rhg --threads 1", "two methods in turn on one core"),
        ("blo bench P.blo -m meha --max-iter 50 --runs 15", "longest run of 50 iterations, 15 times"),
    ],
    exits: &[Exit::Interrupted],
};

/// Measures the time per iteration of methods
#[derive(Debug, Args)]
#[command(after_help = HELP.short(), after_long_help = HELP.long())]
pub(crate) struct Arguments {
    #[command(flatten)]
    model: ModelArguments,
    /// The methods, separated by commas outside of parentheses: `meha,rhg,bda:fast,"unroll(gradient = cg)"`
    #[arg(short, long = "methods", value_name = "METHODS", default_value = blo_solvers::DEFAULT_METHOD, num_args = 1..)]
    methods: Vec<String>,
    #[command(flatten)]
    options: OptionArguments,
    /// Pairs of runs of each method
    #[arg(long, value_name = "N", default_value_t = 7, allow_negative_numbers = true, value_parser = count)]
    runs: u64,
    /// How the result is written
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// What the command tells the processes that it starts: which method, and how many iterations
    #[arg(long, value_name = "METHOD,ITERATIONS", hide = true, value_parser = one_run)]
    one_run: Option<(usize, u64)>,
}

/// Seconds that the long run has more than the short one, where `--max-iter` does not say its length.
const SECONDS: f64 = 0.3;

/// The short run has this part of the iterations of the long one.
const SHORT: u64 = 8;

/// Most iterations of a run that grows until it takes its time.
const MOST: u64 = 100_000_000;

fn one_run(text: &str) -> Result<(usize, u64), String> {
    let parts = text.split_once(',').and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
    parts.ok_or_else(|| "write METHOD,ITERATIONS".to_owned())
}

/// Measures the methods in turn.
pub(crate) fn run(arguments: &Arguments, console: &mut Console) -> Result<Exit, Failure> {
    let names = several::names(&arguments.methods)?;
    let model = load(&arguments.model, console)?;
    if let Some((method, iterations)) = arguments.one_run {
        let name = names.get(method).map_or("", String::as_str);
        return child(arguments, name, iterations, &model, console);
    }
    several::check_options(&names, &arguments.options.set, &model, console)?;
    for name in &names {
        let request = several::request(name, &arguments.options, several::seed(&arguments.options, &model));
        blo_solvers::prepare(&model.problem, &request).map_err(|found| console.reject(&model.document, &found))?;
    }
    let Some(benches) = measured(arguments, &names, &model, console)? else { return Ok(Exit::Interrupted) };
    let text = match arguments.format {
        Format::Human => crate::output::bench::table(&benches, console.page()),
        Format::Json => {
            let methods: Vec<Value> = benches.iter().map(crate::output::bench::object).collect();
            format!("{:#}\n", json!({"schema": SCHEMA, "runs": arguments.runs, "methods": methods}))
        }
    };
    console.result(&text)?;
    Ok(Exit::Done)
}

/// All readings; `None` where a process was interrupted.
fn measured(
    arguments: &Arguments,
    names: &[String],
    model: &Model,
    console: &mut Console,
) -> Result<Option<Vec<Bench>>, Failure> {
    let mut benches = Vec::new();
    for (method, name) in names.iter().enumerate() {
        let mut one = |iterations| process(arguments, method, iterations, model, console);
        let Some(long) = length(arguments.options.max_iter(), &mut one)? else { return Ok(None) };
        benches.push(Bench { method: name.clone(), long, short: (long / SHORT).max(1), pairs: Vec::new() });
    }
    for _ in 0..arguments.runs {
        for (method, bench) in benches.iter_mut().enumerate() {
            let mut one = |iterations| process(arguments, method, iterations, model, console);
            let (Some(short), Some(long)) = (one(bench.short)?, one(bench.long)?) else { return Ok(None) };
            bench.pairs.push((short, long));
        }
    }
    Ok(Some(benches))
}

/// Iterations of the long run: as stated, else as many as take [`SECONDS`]. A run that ends before has its own length.
fn length(
    stated: Option<u64>,
    one: &mut impl FnMut(u64) -> Result<Option<Reading>, Failure>,
) -> Result<Option<u64>, Failure> {
    let mut iterations = stated.unwrap_or(1);
    let Some(first) = one(iterations)? else { return Ok(None) };
    if stated.is_some() || first.iterations < iterations {
        return Ok(Some(first.iterations.max(1)));
    }
    loop {
        iterations *= 4;
        let Some(found) = one(iterations)? else { return Ok(None) };
        if found.iterations < iterations {
            return Ok(Some(found.iterations.max(1)));
        }
        let more = found.seconds - first.seconds;
        if more >= SECONDS / 4.0 || iterations >= MOST {
            return Ok(Some((iterations as f64 * (SECONDS / more).clamp(0.25, 4.0)).ceil() as u64));
        }
    }
}

/// One run as a process of its own: this command line with what is to run. `None` where it was interrupted.
fn process(
    arguments: &Arguments,
    method: usize,
    iterations: u64,
    model: &Model,
    console: &mut Console,
) -> Result<Option<Reading>, Failure> {
    let failed = |what: String| Failure::File { message: format!("cannot run `blo` once more: {what}"), help: None };
    let started = |e: std::io::Error| failed(e.to_string());
    let mut child = Command::new(std::env::current_exe().map_err(started)?)
        .args(std::env::args_os().skip(1))
        .arg("--one-run")
        .arg(format!("{method},{iterations}"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(started)?;
    if let Some(mut input) = child.stdin.take()
        && arguments.model.file.as_os_str() == "-"
    {
        // what this process has read from its own input; one that does not read it says why by its exit
        let _ = input.write_all(model.document.text.as_bytes());
    }
    let output = child.wait_with_output().map_err(started)?;
    if output.status.code() == Some(Exit::Interrupted as i32) {
        return Ok(None);
    }
    let found = serde_json::from_slice(&output.stdout).ok().and_then(|value: Value| Reading::read(&value));
    match found.filter(|_| output.status.success()) {
        Some(reading) => Ok(Some(reading)),
        None => {
            console.warn(String::from_utf8_lossy(&output.stderr).trim_end());
            Err(Failure::Reported)
        }
    }
}

/// What a run says while it iterates: when its first iteration began, and when its last one ended.
struct Stopwatch {
    stop: StopToken,
    before: Option<f64>,
    seconds: f64,
}

impl Observer for Stopwatch {
    fn seconds(&self) -> f64 {
        clock::elapsed()
    }

    fn interrupted(&self) -> bool {
        self.stop.is_set()
    }

    fn row(&mut self, row: &Row) {
        self.before.get_or_insert(clock::elapsed() - row.seconds);
        self.seconds = row.seconds;
    }
}

/// The process of one run: its reading on standard output.
fn child(
    arguments: &Arguments,
    name: &str,
    iterations: u64,
    model: &Model,
    console: &mut Console,
) -> Result<Exit, Failure> {
    let seed = several::seed(&arguments.options, model);
    let request = several::request(name, &arguments.options, seed).set("max_iter", iterations.to_string());
    // a run has its length, and ends with it, unless the command line says otherwise
    let stated = |option: &str| arguments.options.states(option);
    let request = ["tol", "polish"].iter().filter(|o| !stated(o)).fold(request, |request, o| request.set(*o, "0"));
    let settings =
        blo_solvers::resolve(&model.problem, &request).map_err(|found| console.reject(&model.document, &found))?;
    let mut data = model.bind(&arguments.model, settings.integer("seed"), console)?;
    let watched = clock::watch(0.0, settings.number("max_time"), true);
    data.stop = watched.token();
    let mut observer = Stopwatch { stop: watched.token(), before: None, seconds: 0.0 };
    let solution = blo_solvers::solve(&model.problem, &data, &request, &mut observer)
        .map_err(|found| console.reject(&model.document, &found))?;
    let reading = Reading {
        iterations: solution.iterations,
        seconds: observer.seconds,
        before: observer.before.unwrap_or_default(),
        memory: several::process::peak_memory(),
        status: solution.status.text().to_owned(),
        threads: settings.integer("threads"),
        precision: settings.word("precision").to_owned(),
    };
    console.result(&format!("{}\n", reading.object()))?;
    let interrupted = solution.status == blo_solvers::Status::Interrupted;
    Ok(if interrupted { Exit::Interrupted } else { Exit::Done })
}
