//! `blo compare`: several methods on one problem, from the same start and with the same limits, a row each. Every row is
//! of the polished point, so that objectives can be compared.

use blo_solvers::solution::Solution;
use blo_solvers::solution::trace::Observer as _;
use blo_solvers::{Request, at_commas};
use clap::Args;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

use super::solve::seconds;
use crate::args::{Format, ModelArguments};
use crate::console::Console;
use crate::exit::{Exit, Failure};
use crate::model::load;
use crate::number::{few, time};
use crate::object;
use crate::screen::{Rows, Screen};
use crate::table::{Align, lines};

/// Digits of objectives; of residuals and errors.
const DIGITS: (usize, usize) = (6, 3);

/// Runs several methods on a problem and prints a table
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    model: ModelArguments,
    /// The methods, separated by commas outside of parentheses: `meha,rhg,bda:fast,"unroll(gradient = cg)"`
    #[arg(short, long = "methods", value_name = "METHODS", required = true, num_args = 1..)]
    methods: Vec<String>,
    /// Sets an option of every method that has it
    #[arg(long, value_name = "OPTION=VALUE", value_parser = crate::args::assignment)]
    set: Vec<(String, String)>,
    /// Iterations of every method; without it each has its own limit
    #[arg(long, value_name = "N")]
    max_iter: Option<u64>,
    /// Time of every method: 90, 60s, 5m, 2h
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    max_time: Option<Duration>,
    /// Seed of the runs, part of every generator's stream
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// How the result is written
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// What came of a method.
enum Row {
    Solved(Box<Solution>, f64),
    Refused(String),
}

impl Row {
    fn solution(&self) -> Option<&Solution> {
        match self {
            Row::Solved(solution, _) => Some(solution),
            Row::Refused(_) => None,
        }
    }
}

/// Runs the methods, one after the other. A method that cannot take the problem has a row that says so.
pub(crate) fn run(arguments: &Arguments, console: &mut Console) -> Result<Exit, Failure> {
    let names: Vec<String> = arguments.methods.iter().flat_map(|m| at_commas(m)).map(str::to_owned).collect();
    let model = load(&arguments.model, console)?;
    let data = model.bind(&arguments.model, arguments.seed, console)?;
    let (mut rows, mut interrupted) = (Vec::new(), false);
    for name in &names {
        let mut request = Request::new(name).set("seed", arguments.seed.to_string());
        let limits = [
            ("max_iter", arguments.max_iter.map(|v| v.to_string())),
            ("max_time", arguments.max_time.map(|v| v.as_secs_f64().to_string())),
        ];
        for (option, value) in limits.into_iter().filter_map(|(o, v)| Some((o, v?))) {
            request = request.set(option, value);
        }
        let method = blo_solvers::by_name(&request.method);
        for (option, value) in &arguments.set {
            if method.is_none_or(|m| m.entry.option(option).is_some()) {
                request = request.set(option, value);
            }
        }
        let begun = Instant::now();
        let mut screen = Screen::new(console, Rows::Hidden, &[], None, u64::MAX);
        let solved = blo_solvers::solve(&model.problem, &data, &request, &mut screen);
        let stopped = screen.interrupted();
        drop(screen);
        let taken = begun.elapsed().as_secs_f64();
        rows.push(match solved {
            Ok(solution) => Row::Solved(Box::new(solution), taken),
            Err(diagnostics) => {
                let first = diagnostics.iter().find(|d| d.is_error()).map_or("", |d| d.message.as_str());
                let text = first.to_string();
                console.diagnostics(&model.document, &diagnostics);
                Row::Refused(text)
            }
        });
        if stopped {
            interrupted = true;
            break;
        }
    }
    let text = match arguments.format {
        Format::Human => table(&names, &rows),
        Format::Json => {
            let entry = |(name, row): (&String, &Row)| match row {
                Row::Solved(solution, taken) => {
                    json!({"method": name, "seconds": taken, "result": object::solution(solution, &[])})
                }
                Row::Refused(why) => json!({"method": name, "refused": why}),
            };
            format!("{:#}\n", Value::from(names.iter().zip(&rows).map(entry).collect::<Vec<_>>()))
        }
    };
    console.result(&text)?;
    let all_ran = rows.len() == names.len() && rows.iter().all(|r| matches!(r, Row::Solved(..)));
    Ok(if interrupted {
        Exit::Interrupted
    } else if all_ran {
        Exit::Done
    } else {
        Exit::Error
    })
}

fn table(names: &[String], rows: &[Row]) -> String {
    let solutions: Vec<&Solution> = rows.iter().filter_map(Row::solution).collect();
    let names_of = |pick: &dyn Fn(&Solution) -> Vec<String>| solutions.first().map_or_else(Vec::new, |s| pick(s));
    let known = names_of(&|s| s.errors.iter().map(|e| format!("err({})", e.name)).collect());
    let metrics = names_of(&|s| s.metrics.iter().map(|m| m.0.clone()).collect());
    let mut title: Vec<String> =
        ["method", "status", "iterations", "upper", "lower", "res lower", "time"].map(str::to_owned).to_vec();
    title.extend(known.into_iter().chain(metrics));
    title.push("warnings".to_owned());
    let mut all = vec![title];
    for (name, row) in names.iter().zip(rows) {
        let mut line = vec![name.clone()];
        match row {
            Row::Refused(_) => line.push("refused".to_owned()),
            Row::Solved(s, taken) => {
                line.extend([
                    s.status.text().to_owned(),
                    s.iterations.to_string(),
                    few(s.upper.objective, DIGITS.0),
                    few(s.lower.objective, DIGITS.0),
                    few(s.residuals.lower, DIGITS.1),
                    time(*taken),
                ]);
                line.extend(s.errors.iter().map(|e| few(e.err, DIGITS.1)));
                line.extend(s.metrics.iter().map(|m| few(m.1, 4)));
                let mut codes: Vec<&str> = s.warnings.iter().map(|w| w.code).collect();
                codes.dedup();
                line.push(codes.join(" "));
            }
        }
        line.resize(all[0].len(), String::new());
        all.push(line);
    }
    let mut aligns = vec![Align::Left, Align::Left];
    aligns.resize(all[0].len() - 1, Align::Right);
    aligns.push(Align::Left);
    lines(&aligns, &all) + "\nRows are of the points with the lower level solved (polished).\n"
}
