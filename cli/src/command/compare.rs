//! `blo compare`: several methods on one problem, from the same start and with the same limits, a row each. Every row is
//! of the polished point, so that objectives can be compared.

use blo_solvers::Observer as _;
use blo_solvers::solution::Solution;
use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;

use super::help::Help;
use super::several;
use crate::args::{Format, ModelArguments, OptionArguments};
use crate::clock;
use crate::exit::{Exit, Failure};
use crate::input::model::load;
use crate::input::warm;
use crate::output::console::Console;
use crate::output::number::{few, time};
use crate::output::object;
use crate::output::report::ending;
use crate::output::screen::{Limits, Rows, Screen};
use crate::output::table::{Align, lines};

/// Digits of objectives; of residuals and errors.
const DIGITS: (usize, usize) = (6, 3);

const HELP: Help = Help {
    examples: &[
        ("blo compare P.blo -m meha,rhg,bda", "a row per method"),
        ("blo compare P.blo -m 'rhg(K = 20),rhg(K = 100)'", "one method with two options"),
    ],
    exits: &[Exit::Interrupted],
};

/// Runs several methods on a problem and prints a table
#[derive(Debug, Args)]
#[command(after_help = HELP.short(), after_long_help = HELP.long())]
pub(crate) struct Arguments {
    #[command(flatten)]
    model: ModelArguments,
    /// The methods, separated by commas outside of parentheses: `meha,rhg,bda:fast,"unroll(gradient = cg)"`
    #[arg(short, long = "methods", value_name = "METHODS", required = true, num_args = 1..)]
    methods: Vec<String>,
    #[command(flatten)]
    options: OptionArguments,
    /// Start every method where an earlier run has ended: from its `.json` or `.npz` result
    #[arg(long, value_name = "FILE")]
    warm: Option<PathBuf>,
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
    let names = several::names(&arguments.methods)?;
    let warm = arguments.warm.as_deref().map(warm::read).transpose()?;
    let model = load(&arguments.model, console)?;
    several::check_options(&names, &arguments.options.set, &model, console)?;
    // all from the same start: the seeds of presets are not used
    let seed = arguments.options.seed.unwrap_or_default();
    let mut data = model.bind(&arguments.model, seed, console)?;
    warm.map_or(Ok(()), |warm| warm.start(&model.problem, &mut data, console))?;
    let (mut rows, mut interrupted) = (Vec::new(), false);
    for name in &names {
        let request = several::request(name, &arguments.options, seed);
        let begun = clock::elapsed();
        let settings = blo_solvers::resolve(&model.problem, &request);
        let (iterations, time) =
            settings.map_or((u64::MAX, f64::INFINITY), |s| (s.integer("max_iter"), s.number("max_time")));
        let watched = clock::watch(begun, time, true);
        data.stop = watched.token();
        let limits = Limits { iterations, seconds: begun + time };
        let mut screen = Screen::new(console, Rows::Hidden, &[], None, limits, watched.token());
        let solved = blo_solvers::solve(&model.problem, &data, &request, &mut screen);
        let stopped = screen.interrupted();
        drop(screen);
        let taken = clock::elapsed() - begun;
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
        Format::Human => table(&names, &rows, console.page()),
        Format::Json => {
            let entry = |(name, row): (&String, &Row)| match row {
                Row::Solved(solution, taken) => {
                    json!({"method": name, "seconds": taken, "result": object::solution(solution, &[])})
                }
                Row::Refused(why) => json!({"method": name, "refused": why}),
            };
            let methods: Vec<Value> = names.iter().zip(&rows).map(entry).collect();
            format!("{:#}\n", json!({"schema": 1, "methods": methods}))
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

fn table(names: &[String], rows: &[Row], page: usize) -> String {
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
                    ending(s).to_owned(),
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
    lines(&aligns, &all, page) + "\nRows are of the points with the lower level solved (polished).\n"
}
