//! `blo plot`: traces of earlier runs as a picture. One trace shows its residuals together; of several, and with `--of`, one
//! quantity is shown, a curve per trace.

use blo_grammar::diagnostic::did_you_mean;
use clap::Args;
use std::path::{Path, PathBuf};

use super::help::Help;
use crate::args::svg;
use crate::exit::{Exit, Failure};
use crate::input::trace::{self, Trace};
use crate::output::console::Console;
use crate::output::file;
use crate::output::outputs::Outputs;
use crate::picture::curves::{Caption, Curve, Point, Quantity, compare};
use crate::picture::of_run::version;
use crate::picture::scale_of;

/// What is shown of several traces: the one measure that all methods share.
const SHARED: &str = "residual_lower";

/// What is shown of one trace, with the names that `solve --plot` gives it.
const RESIDUALS: [(&str, &str); 4] = [
    ("residual_lower", "lower residual"),
    ("residual_upper", "upper residual"),
    ("residual_method", "method residual"),
    ("gap", "gap"),
];

/// Columns that are not shown against themselves.
const ABSCISSAS: [&str; 3] = ["iteration", "seconds", "pass"];

const HELP: Help = Help {
    examples: &[
        ("blo plot t.csv -o t.svg", "the residuals of a run"),
        ("blo plot meha.csv rhg.csv -o both.svg", "the lower residuals of two runs"),
        ("blo plot meha.csv rhg.csv --of upper > F.svg", "their upper objectives"),
    ],
    exits: &[Exit::NotWritten],
};

/// Draws traces of earlier runs as a picture
#[derive(Debug, Args)]
#[command(after_help = HELP.short(), after_long_help = HELP.long())]
pub(crate) struct Arguments {
    /// What `blo solve --trace` has written: `.csv` or `.jsonl`
    #[arg(value_name = "TRACE", required = true)]
    traces: Vec<PathBuf>,
    /// The picture; without the flag it goes to standard output
    #[arg(short, long, value_name = "FILE.svg", value_parser = svg)]
    out: Option<PathBuf>,
    /// The column to show: `upper`, `gap`, a metric; without the flag the residuals of one trace, `residual_lower` of several
    #[arg(long, value_name = "QUANTITY")]
    of: Option<String>,
}

/// Draws the traces.
pub(crate) fn run(arguments: &Arguments, console: &mut Console) -> Result<Exit, Failure> {
    if let Some(out) = &arguments.out {
        let mut outputs = Outputs::default();
        outputs.add("--out", out)?;
        for path in &arguments.traces {
            outputs.spare("a trace", path)?;
        }
    }
    let traces: Vec<Trace> = arguments.traces.iter().map(|path| trace::read(path)).collect::<Result<_, _>>()?;
    let (curves, quantity) = match (&arguments.of, &traces[..]) {
        (None, [only]) => residuals(only),
        (of, _) => column(&traces, of.as_deref().unwrap_or(SHARED))?,
    };
    let names: Vec<String> = traces.iter().map(|t| t.path.display().to_string()).collect();
    let picture = compare(&curves, &quantity, &Caption(vec![names.join(", "), version()]));
    match &arguments.out {
        None => console.verbatim(&picture)?,
        Some(out) => {
            if let Err(failure) = file::write(out, picture.as_bytes()) {
                console.fail(&failure);
                return Ok(Exit::NotWritten);
            }
        }
    }
    Ok(Exit::Done)
}

/// The residuals of a trace, those that its method has measured.
fn residuals(trace: &Trace) -> (Vec<Curve>, Quantity) {
    let measured = RESIDUALS.iter().filter_map(|(title, name)| Some((*title, *name, trace.column(title)?)));
    let shown = measured.filter(|(title, _, values)| *title == SHARED || values.iter().any(|v| !v.is_nan()));
    let curves = shown.map(|(_, name, values)| curve(trace, (*name).to_owned(), values)).collect();
    (curves, Quantity { title: "residuals".to_owned(), scale: scale_of("residual", std::iter::empty()) })
}

/// A column of all traces.
fn column(traces: &[Trace], title: &str) -> Result<(Vec<Curve>, Quantity), Failure> {
    let names = names(traces);
    let mut curves = Vec::new();
    for (trace, name) in traces.iter().zip(names) {
        let values =
            trace.column(title).filter(|_| !ABSCISSAS.contains(&title)).ok_or_else(|| missing(trace, title))?;
        curves.push(curve(trace, name, values));
    }
    let values = curves.iter().flat_map(|c| c.points.iter().map(|p| p.value));
    let scale = scale_of(title, values);
    let shown = RESIDUALS.iter().find(|(t, _)| *t == title).map_or(title, |(_, name)| name);
    Ok((curves, Quantity { title: shown.to_owned(), scale }))
}

fn missing(trace: &Trace, title: &str) -> Failure {
    let titles = || trace.columns.iter().map(|(t, _)| t.as_str()).filter(|t| !ABSCISSAS.contains(t));
    let help = match did_you_mean(title, titles()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => {
            const SHOWN: usize = 12;
            let listed: Vec<&str> = titles().take(SHOWN).collect();
            let more = if titles().count() > SHOWN { ", ..." } else { "" };
            format!("it has {}{more}", listed.join(", "))
        }
    };
    Failure::Usage { message: format!("--of {title}: {} has no such column", trace.path.display()), help: Some(help) }
}

fn curve(trace: &Trace, name: String, values: &[f64]) -> Curve {
    let of = |title: &str, row: usize| trace.column(title).map_or(1.0, |values| values[row]);
    let point = |(row, value): (usize, &f64)| Point {
        iteration: of("iteration", row),
        seconds: of("seconds", row),
        pass: of("pass", row) as u64,
        value: *value,
    };
    Curve { name, points: values.iter().enumerate().map(point).collect() }
}

/// Names of traces: of their files without ending where these differ, else their paths.
fn names(traces: &[Trace]) -> Vec<String> {
    let stem = |path: &Path| path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    let stems: Vec<String> = traces.iter().map(|t| stem(&t.path)).collect();
    let differ = (0..stems.len()).all(|i| !stems[..i].contains(&stems[i]));
    if differ { stems } else { traces.iter().map(|t| t.path.display().to_string()).collect() }
}
