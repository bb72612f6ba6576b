//! `blo grad`: every derivative that a method may use, computed four ways at one point.

use blo_engine::gradient_check::{Check, check};
use blo_solvers::HypergradientCheck;
use blo_solvers::Request;
use blo_solvers::{check_hypergradient, with_hypergradients};
use clap::Args;
use serde_json::{Value, json};

use super::help::Help;
use crate::args::{Format, ModelArguments, OptionArguments};
use crate::exit::{Exit, Failure};
use crate::input::model::load;
use crate::output::console::Console;
use blo::output::SCHEMA;
use blo::output::number::few;
use blo::output::table::{Align, lines};
use blo::output::text::page::paragraph;

const HELP: Help = Help {
    examples: &[
        ("blo grad P.blo", "checks the derivatives of both levels"),
        ("blo grad P.blo -m rhg", "also the hypergradient of a method"),
    ],
    exits: &[],
};

/// Compares every derivative: reverse, forward, dual numbers and central differences
#[derive(Debug, Args)]
#[command(after_help = HELP.short(), after_long_help = HELP.long())]
pub(crate) struct Arguments {
    #[command(flatten)]
    model: ModelArguments,
    /// Also compare this method's hypergradient
    #[arg(short, long, value_name = "NAME[:PRESET]")]
    method: Option<String>,
    #[command(flatten)]
    options: OptionArguments,
    /// How far from the start the point lies: the size of the normal noise that moves it
    #[arg(long, value_name = "SIZE", default_value_t = 0.1, allow_negative_numbers = true)]
    spread: f64,
    /// How the result is written
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Hypergradients with more entries than this are not shown in full.
const SHOWN_ENTRIES: usize = 8;

/// Digits of errors; of the derivatives themselves.
const DIGITS: (usize, usize) = (2, 10);

/// Compares the derivatives; a disagreement is an error.
pub(crate) fn run(arguments: &Arguments, console: &mut Console) -> Result<Exit, Failure> {
    if !(arguments.spread.is_finite() && arguments.spread >= 0.0) {
        return Err(Failure::Usage {
            message: format!("--spread {}: the size of the noise is a number of at least 0", arguments.spread),
            help: None,
        });
    }
    if arguments.method.is_none() && !arguments.options.set.is_empty() {
        return Err(Failure::Usage {
            message: "`--set` sets an option of a method, and no method is named".into(),
            help: Some("name it with `--method`".into()),
        });
    }
    let model = load(&arguments.model, console)?;
    // one seed for the generators and for the noise
    let seed = arguments.options.seed.unwrap_or_default();
    let data = model.bind(&arguments.model, seed, console)?;
    let checks =
        check(&model.problem, &data, arguments.spread, seed).map_err(|why| console.reject(&model.document, &[*why]))?;
    let hypergradients = match &arguments.method {
        None => Vec::new(),
        Some(method) => {
            let request = arguments.options.apply(Request::new(method).set("seed", seed.to_string()));
            let found = check_hypergradient(&model.problem, &data, &request, arguments.spread, seed)
                .map_err(|diagnostics| console.reject(&model.document, &diagnostics))?;
            found.ok_or_else(|| Failure::Usage {
                message: format!("--method {method}: this method computes no hypergradient"),
                help: Some(match with_hypergradients(&model.problem).as_slice() {
                    [] => "no method that can take the problem does: `blo grad` without the flag compares derivatives"
                        .to_owned(),
                    some => format!("methods that compute one: {}", some.join(", ")),
                }),
            })?
        }
    };
    let text = match arguments.format {
        Format::Human => table(&checks, console.page()) + &hypergradient_table(&hypergradients, console.page()),
        Format::Json => {
            let derivatives: Vec<Value> = checks.iter().map(object).collect();
            let hypergradients: Vec<Value> = hypergradients.iter().map(hypergradient_object).collect();
            let all = json!({"schema": SCHEMA, "derivatives": derivatives, "hypergradients": hypergradients});
            format!("{all:#}\n")
        }
    };
    console.result(&text)?;
    let agree = checks.iter().all(|c| c.agrees) && hypergradients.iter().all(|c| c.agrees);
    Ok(if agree { Exit::Done } else { Exit::Error })
}

fn hypergradient_table(checks: &[HypergradientCheck], page: usize) -> String {
    if checks.is_empty() {
        return String::new();
    }
    let title = ["hypergradient", "entries", "forward mode", "differences", ""].map(str::to_owned).to_vec();
    let row = |c: &HypergradientCheck| {
        let verdict = match (c.exact, c.agrees) {
            (true, true) => "agree",
            (true, false) => "DISAGREE",
            (false, _) => "estimate",
        };
        let forward = c.forward_error.map_or_else(|| "-".to_owned(), |e| few(e, DIGITS.0));
        vec![c.name.clone(), c.entries.to_string(), forward, few(c.difference_error, DIGITS.0), verdict.to_owned()]
    };
    let rows: Vec<Vec<String>> = std::iter::once(title).chain(checks.iter().map(row)).collect();
    let text = lines(&[Align::Left, Align::Right, Align::Right, Align::Right, Align::Left], &rows, page);
    let mut text = format!("\n{text}");
    for c in checks.iter().filter(|c| c.values.len() <= SHOWN_ENTRIES) {
        let values: Vec<String> = c.values.iter().map(|v| few(*v, DIGITS.1)).collect();
        text += &format!("\n{}", paragraph(&format!("hypergradient of {}: [{}]", c.name, values.join(", ")), "", page));
    }
    for c in checks.iter().filter(|c| !c.agrees || !c.exact) {
        let [own, difference] = [c.hypergradient, c.difference].map(|v| few(v, DIGITS.1));
        let values = format!("{}, entry {}: hypergradient {own}, central difference {difference}", c.name, c.worst);
        text += &format!("\n{}", paragraph(&values, "", page));
    }
    if checks.iter().any(|c| !c.exact) {
        let meaning = "An estimate is the derivative only where y solves the lower level; `differences` says how far it is from that \
                       of F after the method's lower steps.";
        text += &format!("\n{}", paragraph(meaning, "", page));
    }
    text
}

fn hypergradient_object(c: &HypergradientCheck) -> Value {
    json!({
        "hypergradient": c.name,
        "entries": c.entries,
        "values": c.values,
        "exact": c.exact,
        "agrees": c.agrees,
        "worst": {
            "entry": c.worst, "hypergradient": c.hypergradient, "forward": c.forward, "difference": c.difference,
            "forward_error": c.forward_error, "difference_error": c.difference_error,
        },
    })
}

fn table(checks: &[Check], page: usize) -> String {
    let title = ["derivative", "entries", "exact modes", "differences", ""].map(str::to_owned).to_vec();
    let row = |c: &Check| {
        let verdict = if c.agrees { "agree" } else { "DISAGREE" };
        let errors = [few(c.worst.exact_error, DIGITS.0), few(c.worst.difference_error, DIGITS.0)];
        let [exact, difference] = errors;
        vec![c.name.clone(), c.entries.to_string(), exact, difference, verdict.to_owned()]
    };
    let rows: Vec<Vec<String>> = std::iter::once(title).chain(checks.iter().map(row)).collect();
    let mut text = lines(&[Align::Left, Align::Right, Align::Right, Align::Right, Align::Left], &rows, page);
    for c in checks.iter().filter(|c| !c.agrees) {
        let w = &c.worst;
        let [reverse, forward, oracle, difference] =
            [w.reverse, w.forward, w.oracle, w.difference].map(|v| few(v, DIGITS.1));
        let values = format!(
            "{}, entry {}: reverse {reverse}, forward {forward}, dual numbers {oracle}, central difference {difference}",
            c.name, w.entry
        );
        text += &format!("\n{}", paragraph(&values, "", page));
    }
    let unknown = |c: &Check| {
        let w = &c.worst;
        [w.reverse, w.forward, w.oracle, w.difference].iter().any(|v| !v.is_finite())
    };
    if checks.iter().any(|c| !c.agrees && unknown(c)) {
        let advice = "What is not finite cannot be compared: try another `--seed` or a smaller `--spread`, or mend the \
                      formula.";
        text += &format!("\n{}", paragraph(advice, "", page));
    }
    if checks.iter().any(|c| !c.agrees && !unknown(c)) {
        let advice =
            "A kink at the point makes differences disagree: try another `--seed`. Otherwise this is a bug of blo.";
        text += &format!("\n{}", paragraph(advice, "", page));
    }
    text
}

fn object(c: &Check) -> Value {
    let w = &c.worst;
    json!({
        "derivative": c.name,
        "entries": c.entries,
        "agrees": c.agrees,
        "worst": {
            "entry": w.entry, "reverse": w.reverse, "forward": w.forward, "dual": w.oracle,
            "difference": w.difference, "exact_error": w.exact_error, "difference_error": w.difference_error,
        },
    })
}
