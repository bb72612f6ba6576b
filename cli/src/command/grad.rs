//! `blo grad`: every derivative that a method may use, computed four ways at one point.

use blo_engine::gradient_check::{Check, check};
use clap::Args;
use serde_json::{Value, json};

use crate::args::{Format, ModelArguments};
use crate::console::Console;
use crate::exit::{Exit, Failure};
use crate::model::load;
use crate::number::few;
use crate::table::{Align, lines};

/// Compares every derivative: reverse, forward, dual numbers and central differences
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    model: ModelArguments,
    /// How far from the start the point lies: the size of the normal noise that moves it
    #[arg(long, value_name = "SIZE", default_value_t = 0.1, allow_negative_numbers = true)]
    spread: f64,
    /// Seed of the generators and of the noise
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// How the result is written
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

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
    let model = load(&arguments.model, console)?;
    let data = model.bind(&arguments.model, arguments.seed, console)?;
    let checks = check(&model.problem, &data, arguments.spread, arguments.seed);
    let text = match arguments.format {
        Format::Human => table(&checks),
        Format::Json => format!("{:#}\n", Value::from(checks.iter().map(object).collect::<Vec<_>>())),
    };
    console.result(&text)?;
    Ok(if checks.iter().all(|c| c.agrees) { Exit::Done } else { Exit::Error })
}

fn table(checks: &[Check]) -> String {
    let title = ["derivative", "entries", "exact modes", "differences", ""].map(str::to_owned).to_vec();
    let row = |c: &Check| {
        let verdict = if c.agrees { "agree" } else { "DISAGREE" };
        let errors = [few(c.worst.exact_error, DIGITS.0), few(c.worst.difference_error, DIGITS.0)];
        let [exact, difference] = errors;
        vec![c.name.clone(), c.entries.to_string(), exact, difference, verdict.to_owned()]
    };
    let rows: Vec<Vec<String>> = std::iter::once(title).chain(checks.iter().map(row)).collect();
    let mut text = lines(&[Align::Left, Align::Right, Align::Right, Align::Right, Align::Left], &rows);
    for c in checks.iter().filter(|c| !c.agrees) {
        let w = &c.worst;
        let [reverse, forward, oracle, difference] =
            [w.reverse, w.forward, w.oracle, w.difference].map(|v| few(v, DIGITS.1));
        text += &format!(
            "\n{}, entry {}: reverse {reverse}, forward {forward}, dual numbers {oracle}, central difference {difference}\n",
            c.name, w.entry
        );
    }
    if checks.iter().any(|c| !c.agrees) {
        text +=
            "\nA kink at the point makes differences disagree: try another `--seed`. Otherwise this is a bug of blo.\n";
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
