//! `blo compare`: several methods on one problem, from the same start and with the same budget, a row each. Every run is a
//! process of its own, one at a time, so that none takes time or memory of another. Rows are of the polished point, so that
//! objectives can be compared.

use blo_engine::model::problem::Problem;
use blo_grammar::diagnostic::did_you_mean;
use blo_solvers::Condition;
use clap::Args;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use super::help::Help;
use super::several;
use super::several::measure::{self, Begin, Budget, LARGEST_ERROR, Measurement, begin_warm, quantities};
use super::several::process::Processes;
use crate::args::{Format, ModelArguments, OptionArguments, Plot, count, curves, seconds};
use crate::exit::{Exit, Failure};
use crate::input::model::{Model, load};
use crate::input::warm::{self, Warm};
use crate::output::console::Console;
use crate::output::file;
use crate::output::measured::files::{csv, objects};
use crate::output::measured::table::{Labels, table};
use crate::output::measured::{Group, Outcome};
use crate::output::outputs::Outputs;
use crate::output::progress::RunsLine;
use crate::output::save::{TableFormat, table_format};
use crate::picture::curves::{Caption, Curve, Draw, Point, Quantity, along_iterations, compare};
use crate::picture::of_run::caption_of_several;
use crate::picture::scale_of;
use blo::output::SCHEMA;
use blo::output::number::time;
use blo::output::table::Align;
use blo::output::text::page::paragraph;

const HELP: Help = Help {
    examples: &[
        ("blo compare P.blo -m meha,rhg,bda", "a row per method"),
        ("blo compare P.blo -m all --budget 10s", "every method that suits the problem, 10 s each"),
        ("blo compare P.blo -m 'rhg(K = 20),rhg(K = 100)'", "one method with two options"),
        ("blo compare P.blo -m meha,rhg --until 'err(x) <= 1e-3'", "how soon each comes that near"),
        ("blo compare P.blo -m meha,rhg --seeds 5 --out t.csv", "means over five seeds, and every run"),
        ("blo compare P.blo -m meha,rhg --plot p.svg", "convergence curves, one per method"),
    ],
    exits: &[Exit::NotWritten, Exit::Interrupted],
};

/// The methods of `-m all`.
const ALL: &str = "all";

/// Runs several methods on a problem and prints a table
#[derive(Debug, Args)]
#[command(after_help = HELP.short(), after_long_help = HELP.long())]
pub(crate) struct Arguments {
    #[command(flatten)]
    model: ModelArguments,
    /// The methods, separated by commas outside of parentheses: `meha,rhg,bda:fast,"unroll(gradient = cg)"`. `all`: every
    /// method that suits the problem
    #[arg(short, long = "methods", value_name = "METHODS", required = true, num_args = 1..)]
    methods: Vec<String>,
    #[command(flatten)]
    options: OptionArguments,
    /// Stop each run at the first iterate of which this holds, such as `err(x) <= 1e-3`: an assertion as in `expect`, also of
    /// `residual_upper`, `residual_lower`, `residual_method` and `gap`
    #[arg(long, value_name = "CONDITION")]
    until: Option<String>,
    /// Seconds of iterations for each run: 90, 60s, 5m, 2h
    #[arg(long, value_name = "TIME", allow_negative_numbers = true, value_parser = seconds)]
    budget: Option<Duration>,
    /// Gradients for each run; a Hessian-vector product counts as two
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = count)]
    grad_budget: Option<u64>,
    /// Runs of each method, with seeds 1 to N for data, starts and tasks
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = count, conflicts_with = "seed")]
    seeds: Option<u64>,
    /// Start every method where an earlier run has ended: from its `.json` or `.npz` result
    #[arg(long, value_name = "FILE")]
    warm: Option<PathBuf>,
    /// Draw a curve per method against iterations and time; `iterations=p.svg` leaves time out
    #[arg(long, value_name = "[iterations=]FILE.svg", value_parser = curves)]
    plot: Option<Plot>,
    /// What the curves show: `upper`, `residual_lower`, `err(x)`, a metric; without the flag the largest error of known variables,
    /// else `upper`
    #[arg(long, value_name = "QUANTITY", requires = "plot")]
    of: Option<String>,
    /// Write every run to a file: `.csv` or `.json`
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// How the result is written
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// What the command tells the processes that it starts: which method, and which seed
    #[arg(long, value_name = "METHOD,SEED", hide = true, value_parser = one_run)]
    one_run: Option<(usize, u64)>,
}

fn one_run(text: &str) -> Result<(usize, u64), String> {
    let parts = text.split_once(',').and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
    parts.ok_or_else(|| "write METHOD,SEED".to_owned())
}

/// What came of all runs.
struct Compared {
    groups: Vec<Group>,
    seeds: Vec<u64>,
    /// Methods of `all` that cannot take the problem, with the reasons.
    unsuited: Vec<(String, String)>,
    /// Methods with runs that have not begun when the user stopped the command.
    not_run: Vec<String>,
    interrupted: bool,
}

/// Runs the methods, one after the other. A method that cannot take the problem has a row that says so.
pub(crate) fn run(arguments: &Arguments, console: &mut Console) -> Result<Exit, Failure> {
    let names = arguments.names()?;
    if let Some(which) = arguments.one_run {
        return child(arguments, &names, which, console);
    }
    let mut outputs = Outputs::default();
    let out = arguments.out.as_deref().map(|path| Ok::<_, Failure>((path, table_format(path)?))).transpose()?;
    out.map_or(Ok(()), |(path, _)| outputs.add("--out", path))?;
    arguments.plot.as_ref().map_or(Ok(()), |plot| outputs.add("--plot", plot.path()))?;
    outputs.spare("the problem file", &arguments.model.file)?;
    let warm = arguments.warm.as_deref().map(warm::read).transpose()?;
    arguments.warm.as_deref().map_or(Ok(()), |path| outputs.spare("the result that `--warm` reads", path))?;
    let model = load(&arguments.model, console)?;
    for path in model.data_files(&arguments.model) {
        outputs.spare("a data file of the problem", &path)?;
    }
    let problem = arguments.problem(&model, console)?;
    arguments.quantity(&problem)?;
    several::check_options(&names, &arguments.options.set, &model, console)?;
    arguments.can_begin(&model, &problem, warm.as_ref(), console)?;
    let compared = compared(arguments, &names, &model, console)?;

    let labels = ["method".to_owned()];
    let object = || format!("{:#}\n", compared.object(arguments, &labels));
    let mut failed = Vec::new();
    if let Some((path, format)) = out {
        let text = match format {
            TableFormat::Csv => csv(&labels, &compared.groups),
            TableFormat::Json => object(),
        };
        failed.extend(file::write(path, text.as_bytes()).err());
    }
    if let Some(plot) = &arguments.plot {
        let picture = compared.picture(arguments, &model, arguments.quantity(&problem)?.unwrap_or_default(), plot);
        failed.extend(file::write(plot.path(), picture.as_bytes()).err());
    }
    let printed = console.result(&match arguments.format {
        Format::Human => compared.text(arguments, &labels, console.page()),
        Format::Json => object(),
    });
    for failure in &failed {
        console.fail(failure);
    }
    printed?;
    let refused = compared.groups.iter().flat_map(|g| &g.outcomes).any(|o| o.refused.is_some());
    Ok(if compared.interrupted {
        Exit::Interrupted
    } else if !failed.is_empty() {
        Exit::NotWritten
    } else if refused && !arguments.wants_all() {
        Exit::Error
    } else {
        Exit::Done
    })
}

impl Arguments {
    fn wants_all(&self) -> bool {
        self.methods.iter().any(|m| m == ALL)
    }

    fn names(&self) -> Result<Vec<String>, Failure> {
        match &self.methods[..] {
            [only] if only == ALL => Ok(several::all()),
            methods if methods.iter().flat_map(|m| m.split(',')).any(|m| m.trim() == ALL) => Err(Failure::Usage {
                message: "`--methods all` stands alone: it names every method".to_owned(),
                help: None,
            }),
            methods => several::names(methods),
        }
    }

    /// The problem, with the condition of `--until` as its last expectation.
    fn problem(&self, model: &Model, console: &mut Console) -> Result<Problem, Failure> {
        let Some(text) = &self.until else { return Ok(model.problem.clone()) };
        let problem = model.asserting(&self.model, ("--until", text), console)?;
        let assertion = problem.expectations.last().and_then(|e| e.body.first());
        if assertion.is_some_and(|assertion| Condition::needs_other_tasks(&problem, assertion)) {
            return Err(Failure::Usage {
                message: "--until: this needs the lower level solved for tasks that the run does not train on"
                    .to_owned(),
                help: Some("ask for something of the run's own tasks: looks at iterates solve nothing".to_owned()),
            });
        }
        Ok(problem)
    }

    /// What the curves show, if there are any.
    fn quantity(&self, problem: &Problem) -> Result<Option<String>, Failure> {
        if self.plot.is_none() {
            return Ok(None);
        }
        let names = quantities(problem);
        let Some(of) = &self.of else { return Ok(Some(natural_quantity(problem))) };
        if names.contains(of) {
            return Ok(Some(of.clone()));
        }
        let help = match did_you_mean(of, names.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("it may be {}", names.join(", ")),
        };
        Err(Failure::Usage { message: format!("--of {of}: there is no such quantity"), help: Some(help) })
    }

    fn seeds(&self, model: &Model) -> Vec<u64> {
        self.seeds.map_or_else(|| vec![several::seed(&self.options, model)], |n| (1..=n).collect())
    }

    /// Reads the data once, so that what is wrong with them is said once.
    fn can_begin(
        &self,
        model: &Model,
        problem: &Problem,
        warm: Option<&Warm>,
        console: &mut Console,
    ) -> Result<(), Failure> {
        let mut data = model.bind_as(problem, &self.model, self.seeds(model)[0], console)?;
        warm.map_or(Ok(()), |warm| warm.start(problem, &mut data, console))
    }
}

/// All runs: each method with the first seed, then with the next one.
fn compared(
    arguments: &Arguments,
    names: &[String],
    model: &Model,
    console: &mut Console,
) -> Result<Compared, Failure> {
    let seeds = arguments.seeds(model);
    let mut compared =
        Compared { groups: Vec::new(), seeds, unsuited: Vec::new(), not_run: Vec::new(), interrupted: false };
    let mut runs = Vec::new();
    for (position, name) in names.iter().enumerate() {
        let request = several::request(name, &arguments.options, compared.seeds[0]);
        let mut group = Group { labels: vec![name.clone()], outcomes: Vec::new() };
        match blo_solvers::prepare(&model.problem, &request) {
            Ok(_) => runs.push((position, compared.groups.len())),
            Err(found) => {
                let why = found.iter().find(|d| d.is_error()).map_or("", |d| d.message.as_str()).to_owned();
                if arguments.wants_all() {
                    compared.unsuited.push((name.clone(), why));
                    continue;
                }
                console.diagnostics(&model.document, &found);
                group.outcomes = compared.seeds.iter().map(|seed| Outcome::refused(*seed, why.clone())).collect();
            }
        }
        compared.groups.push(group);
    }
    let processes = Processes::of(model);
    let line = RunsLine::new();
    let (all, mut done) = (runs.len() * compared.seeds.len(), 0);
    for seed in compared.seeds.clone() {
        for (position, place) in &runs {
            let name = &names[*position];
            if processes.interrupted() {
                compared.not_run.extend((!compared.not_run.contains(name)).then(|| name.clone()));
                continue;
            }
            line.at(&format!("{name}, seed {seed}"), done, all);
            let ended = processes.run(&["--one-run".to_owned(), format!("{position},{seed}")])?;
            console.pass_on(&ended.said);
            done += 1;
            let none = || Outcome::refused(seed, "its process has ended without a result".to_owned());
            if ended.outcome.is_some() || !processes.interrupted() {
                compared.groups[*place].outcomes.push(ended.outcome.unwrap_or_else(none));
            } else {
                compared.not_run.extend((!compared.not_run.contains(name)).then(|| name.clone()));
            }
        }
    }
    compared.interrupted = processes.interrupted();
    Ok(compared)
}

/// The process of one run.
fn child(
    arguments: &Arguments,
    names: &[String],
    (method, seed): (usize, u64),
    console: &mut Console,
) -> Result<Exit, Failure> {
    // the first process has said what is to be said
    console.only_errors();
    let warm = arguments.warm.as_deref().map(warm::read).transpose()?;
    let model = load(&arguments.model, console)?;
    let problem = arguments.problem(&model, console)?;
    let request = several::request(names.get(method).map_or("", String::as_str), &arguments.options, seed);
    let mut data = model.bind_as(&problem, &arguments.model, seed, console)?;
    let warm = begin_warm(warm.as_ref(), &problem, &mut data, console);
    let measurement = Measurement {
        until: arguments.until.is_some(),
        budget: Budget { seconds: arguments.budget.map(|time| time.as_secs_f64()), gradients: arguments.grad_budget },
        curve: arguments.quantity(&problem)?,
        result: arguments.format == Format::Json
            || arguments.out.as_deref().is_some_and(|path| table_format(path).is_ok_and(|f| f == TableFormat::Json)),
    };
    let begin = Begin { model: &model, problem: &problem, data, request, seed, warm };
    measure::run(begin, &measurement, console)
}

impl Compared {
    /// The table, and what is to be said of it.
    fn text(&self, arguments: &Arguments, labels: &[String], page: usize) -> String {
        let mut text = table(&Labels { titles: labels, align: Align::Left }, &self.groups, self.seeds.len(), page);
        text.push('\n');
        let mut say = |line: &str| text += &paragraph(line, "", page);
        say("Rows are of the points with the lower level solved (polished).");
        if let [first, .., last] = &self.seeds[..] {
            say(&format!(
                "Means ± sample standard deviations over n runs with seeds {first} to {last}; a run that has failed is not \
                 in them."
            ));
        }
        if let Some(until) = &arguments.until {
            say(&format!(
                "`held at`: the first iterate, before any polish, of which `{until}` holds; a run is stopped there."
            ));
        }
        let budgets = [
            arguments.budget.map(|time_of| format!("{} of iterations", time(time_of.as_secs_f64()))),
            arguments.grad_budget.map(|n| format!("{n} gradients, of which a Hessian-vector product counts as 2")),
        ];
        for budget in budgets.into_iter().flatten() {
            say(&format!("Budget of each run: {budget}."));
        }
        for group in &self.groups {
            for outcome in group.outcomes.iter().filter(|o| o.failed) {
                let seed = if self.seeds.len() > 1 { format!(", seed {}", outcome.seed) } else { String::new() };
                if let Some(why) = &outcome.refused {
                    say(&format!("`{}`{seed} did not run: {why}", group.labels[0]));
                } else if self.seeds.len() > 1 {
                    say(&format!("`{}`{seed}: {}", group.labels[0], outcome.status));
                }
            }
        }
        if !self.unsuited.is_empty() {
            let mut list = String::from("\nNot suited:\n");
            for (name, why) in &self.unsuited {
                let _ = write!(list, "{}", paragraph(&format!("`{name}`: {why}"), "  ", page));
            }
            text += &list;
        }
        if !self.not_run.is_empty() {
            text += &paragraph(&format!("Interrupted before all runs of {}.", self.not_run.join(", ")), "", page);
        }
        text
    }

    fn object(&self, arguments: &Arguments, labels: &[String]) -> Value {
        let unsuited = self.unsuited.iter().map(|(method, why)| json!({"method": method, "why": why}));
        json!({
            "schema": SCHEMA,
            "seeds": self.seeds,
            "until": arguments.until,
            "budget": {
                "seconds": arguments.budget.map(|time| time.as_secs_f64()),
                "gradients": arguments.grad_budget,
            },
            "interrupted": self.interrupted,
            "methods": objects(labels, &self.groups),
            "unsuited": unsuited.collect::<Vec<_>>(),
        })
    }

    /// A curve per method, of its run with the first seed.
    fn picture(&self, arguments: &Arguments, model: &Model, quantity: String, plot: &Plot) -> String {
        let mut about: Vec<String> = arguments.options.stated();
        about.extend(arguments.until.iter().map(|until| format!("until {until}")));
        about.extend(arguments.budget.map(|budget| format!("budget {}", time(budget.as_secs_f64()))));
        about.extend(arguments.grad_budget.map(|n| format!("budget {n} gradients")));
        let caption = caption_of_several(&model.problem.name, &arguments.model.define, &about, self.seeds[0]);
        let draw: Draw = if matches!(plot, Plot::Iterations(_)) { along_iterations } else { compare };
        picture(&self.groups, quantity, &caption, draw)
    }
}

/// What curves show where nobody says it: the largest error of known variables, else the upper objective.
pub(super) fn natural_quantity(problem: &Problem) -> String {
    let error = quantities(problem).iter().any(|name| name == LARGEST_ERROR);
    if error { LARGEST_ERROR } else { "upper" }.to_owned()
}

/// A curve per group, of its first run.
pub(super) fn picture(groups: &[Group], quantity: String, caption: &Caption, draw: Draw) -> String {
    let curve = |group: &Group| {
        let outcome = group.outcomes.first().filter(|o| o.refused.is_none())?;
        let point = |p: &crate::output::measured::CurvePoint| Point {
            iteration: p.iteration,
            seconds: p.seconds,
            pass: p.pass,
            value: p.value,
        };
        Some(Curve { name: group.labels[0].clone(), points: outcome.curve.iter().map(point).collect() })
    };
    let curves: Vec<Curve> = groups.iter().filter_map(curve).collect();
    let values = curves.iter().flat_map(|c| c.points.iter().map(|p| p.value));
    let scale = if quantity == LARGEST_ERROR { scale_of("err(", values) } else { scale_of(&quantity, values) };
    let title = if quantity == LARGEST_ERROR { "largest error of a variable".to_owned() } else { quantity };
    draw(&curves, &Quantity { title, scale }, caption)
}
