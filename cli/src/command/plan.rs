//! `blo plan`: the iteration of a method as the instructions that run, in order, with what each costs; with `--profile`
//! what each takes.

use blo_engine::model::Bindings;
use blo_engine::program::Plan;
use blo_engine::program::plan::{Carried, Line, Section};
use blo_engine::stop::StopReason;
use clap::Args;
use serde_json::{Value, json};

use super::help::Help;
use crate::args::{Format, ModelArguments, RunArguments};
use crate::clock;
use crate::exit::{Exit, Failure};
use crate::input::model::{Model, load};
use crate::output::console::Console;
use crate::output::profile;
use blo::output::text::page::paragraph;

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

/// How to read a plan.
const LEGEND: &str = "\
# [shape] flops, bytes read and written, of one instruction. Below it what it
# computes, `t1` without being stored; after `->` the buffers that it writes.
# The programs that a step calls come first, the step of the method last.

";

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
    let text = match arguments.format {
        Format::Human => {
            let plans: Vec<String> = plans.iter().map(|plan| within(&plan.to_string(), console.page())).collect();
            LEGEND.to_owned() + &plans.join("\n")
        }
        Format::Json => format!("{:#}\n", all(&plans)),
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

/// The text of a plan with the lines broken that are wider than the page.
fn within(text: &str, page: usize) -> String {
    let line = |line: &str| {
        if line.chars().count() <= page {
            return format!("{line}\n");
        }
        let words = line.trim_start();
        let indent = &line[..line.len() - words.len()];
        let room = page.saturating_sub(indent.len() + INDENT).max(1);
        let words: Vec<String> = words.split(' ').map(|word| chopped(word, room)).collect();
        paragraph(&words.join(" "), indent, page)
    };
    text.lines().map(line).collect()
}

/// What lines that go on are indented by, at most.
const INDENT: usize = 4;

/// A word in pieces that fit, cut behind brackets and commas: a formula has no blanks, and may be as long as a problem has
/// variables.
fn chopped(word: &str, room: usize) -> String {
    let mut pieces = String::new();
    let mut rest = word;
    while rest.chars().count() > room {
        let limit = rest.char_indices().nth(room).map_or(rest.len(), |(at, _)| at);
        let cut = rest[..limit].rfind(['(', ',', ')']).map_or(limit, |at| at + 1);
        pieces.push_str(&rest[..cut]);
        pieces.push(' ');
        rest = &rest[cut..];
    }
    pieces + rest
}

/// The iteration's plan, with those of the programs beside it.
fn all(plans: &[Plan]) -> Value {
    let (iteration, beside) = plans.split_last().expect("every method has an iteration");
    let mut value = object(iteration);
    value["programs"] = beside.iter().map(object).collect();
    value
}

fn object(plan: &Plan) -> Value {
    let line = |l: &Line| {
        json!({
            "results": l.results.iter().map(|(name, formula)| json!({"name": name, "formula": formula})).collect::<Vec<_>>(),
            "shape": l.shape, "flops": count(l.flops),
            "bytes": count(l.bytes), "buffers": l.buffers,
        })
    };
    let carried = |c: &Carried| json!({"name": c.name, "from": c.from, "shape": c.shape});
    let section = |section: Section| {
        let lines = plan.lines.iter().filter(|l| l.section == section);
        json!({
            "flops": count(plan.flops(section)),
            "bytes": count(plan.bytes(section)),
            "lines": lines.map(line).collect::<Vec<_>>(),
        })
    };
    json!({
        "schema": 1,
        "name": plan.name,
        "buffers": plan.buffers,
        "memory": count(plan.memory),
        "data": count(plan.lent),
        "prologue": section(Section::Prologue),
        "fill": section(Section::Fill),
        "carried": plan.carried.iter().map(carried).collect::<Vec<_>>(),
        "body": section(Section::Body),
    })
}

/// JSON numbers end at 64 bits, and so does every machine that could run such a plan.
fn count(value: u128) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_heads_of_plans_are_broken() {
        let head =
            "upper objective and its gradient: 14 buffers, 7336 bytes; reads 4480 bytes of data\n  [2]  1 flops\n";
        let wanted =
            "upper objective and its gradient: 14 buffers, 7336 bytes; reads 4480 bytes of\n  data\n  [2]  1 flops\n";
        assert_eq!(within(head, 80), wanted);
        let long = format!("  {}0,a{}\n", "max(".repeat(40), ")".repeat(40));
        assert!(within(&long, 80).lines().all(|line| line.len() <= 80 && line.len() > 4));
        assert_eq!(within(&long, 80).split_whitespace().collect::<String>(), long.trim());
    }
}
