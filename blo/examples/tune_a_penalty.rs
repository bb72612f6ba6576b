//! Tunes the penalty of an elastic net on held-out rows, from arrays in memory: `cargo run --example tune_a_penalty`.
//!
//! The usual way is a grid: fit for each of a hundred pairs of penalties, and keep the best. A bilevel program says the same
//! in six lines, and its solver follows the derivative of the validation error in both penalties.
#![allow(clippy::disallowed_macros, reason = "an example talks to whoever runs it")]

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use blo::{Data, Error, Options, Problem, Step};

/// Rows, columns, and how many columns matter.
const ROWS: usize = 200;
const COLUMNS: usize = 20;
const TRUE: usize = 4;

const PROGRAM: &str = "
## Elastic net: x holds the logarithms of both penalties.
param fitted = 120

dataset d { u[_] = csv(\"measurements.csv\")  v = csv(\"measurements.csv\", column = \"target\") }
split d (seed = 1) into train: fitted, val: 80

upper {
  var x[2] in [-9, 1]
  minimize 1/2*mean((val.u*w - val.v).^2)
}
lower {
  var w[cols(d.u)]
  minimize 1/2*mean((train.u*w - train.v).^2) + 1/2*exp(x[2])*normsq(w)
  regularize exp(x[1])*norm1(w)
}
start { x = -4 }

metric zeros = sum(w == 0)
";

fn main() -> Result<(), Error> {
    let (measurements, targets) = measured();
    // lent, not copied: the program reads the memory of this function
    let problem = Problem::from_str(PROGRAM)?
        .data("d.u", Data::lend(&[ROWS, COLUMNS], Arc::new(measurements)))
        .data("d.v", targets);

    let report = problem.check();
    if !report.findings().is_empty() {
        println!("{report}");
    }

    let options = Options::new().threads(1).max_time(Duration::from_secs(60));
    let solution = blo::solve(&problem, &options, &mut |step: &Step<'_>| {
        println!("iteration {:4}  validation error {:.6}", step.iteration, step.upper);
        ControlFlow::Continue(())
    })?;

    let x = solution.upper("x").map_or(&[][..], |x| x.values());
    let w = solution.lower("w").map_or(&[][..], |w| w.values());
    println!("\n{solution}");
    println!("penalties: {:.4} on |w|, {:.4} on w^2", x[0].exp(), x[1].exp());
    println!("columns that count: {:?}", (0..w.len()).filter(|j| w[*j].abs() > 0.1).collect::<Vec<_>>());

    // what one more step of each penalty would change
    let at = blo::gradient(&problem, &options, [("x", x.to_vec().into())])?;
    println!("slope of the validation error there: {:?}", at.upper("x").map_or(&[][..], |g| g.values()));
    Ok(())
}

/// Measurements with noise, of which a few columns matter.
fn measured() -> (Vec<f64>, Vec<f64>) {
    // a small generator, so that the example needs no other crate
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64 - 0.5
    };
    let measurements: Vec<f64> = (0..ROWS * COLUMNS).map(|_| 2.0 * next()).collect();
    let targets = measurements.chunks(COLUMNS).map(|row| {
        let signal: f64 = row[..TRUE].iter().enumerate().map(|(j, v)| (j + 1) as f64 * v).sum();
        signal + 2.0 * next()
    });
    let targets = targets.collect();
    (measurements, targets)
}
