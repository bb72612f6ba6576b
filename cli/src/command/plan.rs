//! `blo plan`: the iteration of a method as the instructions that run, in order, with what each costs; with `--profile`
//! what each takes.

use blo::output::plan;
use blo_engine::model::Bindings;
use blo_engine::stop::StopReason;
use clap::Args;

use super::help::Help;
use crate::args::{Format, ModelArguments, RunArguments};
use crate::clock;
use crate::exit::{Exit, Failure};
use crate::input::model::{Model, load};
use crate::output::console::Console;
use crate::output::profile;

const HELP: Help = Help {
    examples: &[
        ("blo plan P.blo -m rhg", "the instructions of one iteration"),
        ("blo plan P.blo --format json", "the same as data"),
        ("blo plan P.blo -m rhg --profile", "runs the iteration, and prints what each instruction takes"),
        ("blo plan P.blo --profile --max-time 20s --precision f32 --threads 1", "for longer, in f32 on one core"),
    ],
    exits: &[Exit::Interrupted],
};

/// Prints the instructions of a method's iteration
#[derive(Debug, Args)]
#[command(after_help = HELP.short(), after_long_help = HELP.long())]
pub(crate) struct Arguments {
    #[command(flatten)]
    model: ModelArguments,
    #[command(flatten)]
    run: RunArguments,
    /// Run the iteration for `--max-time`, else 3 s, or for `--max-iter` iterations, and print what each instruction takes
    #[arg(long)]
    profile: bool,
    /// How the plan is written
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Prints the plan. Data are read, since they decide sizes.
pub(crate) fn run(arguments: &Arguments, console: &mut Console) -> Result<Exit, Failure> {
    let model = load(&arguments.model, console)?;
    let request = arguments.run.request();
    let settings = blo_solvers::resolve(&model.problem, &request)
        .map_err(|diagnostics| console.reject(&model.document, &diagnostics))?;
    let data = model.bind(&arguments.model, settings.integer("seed"), console)?;
    if arguments.profile {
        return measure(arguments, &model, data, console);
    }
    let plans = blo_solvers::plan(&model.problem, &data.sizes, &request)
        .map_err(|diagnostics| console.reject(&model.document, &diagnostics))?;
    let external = blo_solvers::external_stages(&model.problem, &data, &request)
        .map_err(|diagnostics| console.reject(&model.document, &diagnostics))?;
    let text = match arguments.format {
        Format::Human => plan::text(&plans, &external, console.page()),
        Format::Json => format!("{:#}\n", plan::all(&plans, &external)),
    };
    console.result(&text)?;
    Ok(Exit::Done)
}

/// Seconds of a profile where no limit is stated.
const SECONDS: f64 = 3.0;

/// Runs the iteration and prints its profile.
fn measure(arguments: &Arguments, model: &Model, mut data: Bindings, console: &mut Console) -> Result<Exit, Failure> {
    // the limit is for the iterations: the profile looks at the clock by itself
    let watched = clock::watch(clock::elapsed(), f64::INFINITY, true);
    data.stop = watched.token();
    let seconds = arguments.run.max_time().map_or(SECONDS, |time| time.as_secs_f64());
    let profile = blo_solvers::profile(&model.problem, &data, &arguments.run.request(), seconds, clock::elapsed)
        .map_err(|diagnostics| console.reject(&model.document, &diagnostics))?;
    if data.stop.reason() == Some(StopReason::Interrupted) {
        return Ok(Exit::Interrupted);
    }
    if !profile.finite {
        console.warn("the iterate is not finite any more: instructions may take longer or less than they do in a run");
    }
    let text = match arguments.format {
        Format::Human => profile::text(&profile, console.page()),
        Format::Json => format!("{:#}\n", profile::object(&profile)),
    };
    console.result(&text)?;
    Ok(Exit::Done)
}
