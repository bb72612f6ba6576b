//! Prints what a method makes of every case of the solve suite, one line per case and variant: the table to look at
//! while automatic options are tuned. `cargo run -p blo-tests --release --features automatic_table --bin automatic_table -- --help`.
// A program with a clock, a screen and files of its own; the bans are the engine's.
#![allow(clippy::disallowed_methods, clippy::disallowed_macros)]

use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use blo_solvers::Observer;
use blo_solvers::Request;
use blo_tests::case::Case;
use blo_tests::judge::{Outcome, Verdict, run};
use blo_tests::reference::LocalMinimum;
use blo_tests::suite::{CHANGES, data_problems, literature, variants};
use blo_tests::variant::{Change, DATA_PROBLEMS};
use clap::Parser;

/// Runs a method on every case of the solve suite and judges the points it returns
#[derive(Debug, Parser)]
struct Arguments {
    /// Only cases whose name contains one of these, such as `eq19` or `(columns`
    filters: Vec<String>,
    /// The method and preset
    #[arg(long, default_value = "meha:auto")]
    method: String,
    /// Iterations allowed
    #[arg(long, default_value_t = 50_000)]
    max_iter: u64,
    /// Another option, such as `tol=1e-8`; may be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    set: Vec<String>,
    /// Seeds of the variants with scaled columns; 1 is the suite's
    #[arg(long, value_delimiter = ',')]
    seeds: Vec<u64>,
    /// Leave out the variants of the data problems
    #[arg(long)]
    no_variants: bool,
    /// List the local minima that the reference solver finds for the data problems, instead of running them
    #[arg(long)]
    minima: bool,
    /// Write programs and data of the cases to this folder instead of running them, for `blo solve`
    #[arg(long, value_name = "DIR")]
    write: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let changes = changes(&arguments);
    let wanted = |name: &str| arguments.filters.is_empty() || arguments.filters.iter().any(|f| name.contains(f));
    if arguments.minima {
        list_minima(&changes, &wanted);
        return ExitCode::SUCCESS;
    }
    let mut cases = literature();
    cases.extend(data_problems());
    cases.extend(variants(&changes));
    cases.retain(|c| wanted(&c.name));
    if let Some(folder) = &arguments.write {
        return match cases.iter().try_for_each(|c| write_case(c, folder)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(why) => {
                eprintln!("{}: {why}", folder.display());
                ExitCode::FAILURE
            }
        };
    }
    let mut request = Request::new(&arguments.method).set("max_iter", arguments.max_iter.to_string());
    for option in &arguments.set {
        let Some((name, value)) = option.split_once('=') else {
            eprintln!("--set {option}: write NAME=VALUE");
            return ExitCode::from(2);
        };
        request = request.set(name, value);
    }
    println!("{}", title());
    let mut counts = [0; 7];
    for case in &cases {
        let begun = Instant::now();
        let outcome = catch_unwind(AssertUnwindSafe(|| run(case, &request, &mut Clock(begun))));
        match outcome {
            Ok(outcome) => {
                counts[column(&outcome.verdict)] += 1;
                println!("{}", line(case, &outcome));
            }
            Err(_) => println!("{:<32} PANIC (see above)", case.name),
        }
    }
    let names = ["solved", "local", "flagged", "unfinished", "wrong", "refused", "absent"];
    let shown: Vec<String> = names.iter().zip(counts).map(|(name, n)| format!("{n} {name}")).collect();
    println!("{} cases: {}", cases.len(), shown.join(", "));
    ExitCode::SUCCESS
}

/// The variants that are asked for.
fn changes(arguments: &Arguments) -> Vec<Change> {
    if arguments.no_variants {
        return Vec::new();
    }
    let mut changes = CHANGES.to_vec();
    if !arguments.seeds.is_empty() {
        changes.retain(|c| !matches!(c, Change::Columns { .. }));
        changes.extend(arguments.seeds.iter().map(|seed| Change::Columns { seed: *seed }));
    }
    changes
}

/// One line per data problem and variant: every local minimum, the best one first.
fn list_minima(changes: &[Change], wanted: &dyn Fn(&str) -> bool) {
    for data_problem in DATA_PROBLEMS {
        for change in std::iter::once(&Change::Original).chain(changes) {
            let name = format!("{}{}", data_problem.program, change.name());
            if !wanted(&name) {
                continue;
            }
            match data_problem.minima(*change) {
                Err(why) => println!("{name:<32} {why}"),
                Ok(minima) => {
                    let best = minima[0].value;
                    let show = |m: &LocalMinimum| {
                        let end = if m.at_end { " (end)" } else { "" };
                        format!("x = {:.4}{end} F {:+.2e}", m.x, m.value / best - 1.0)
                    };
                    let shown: Vec<String> = minima.iter().map(show).collect();
                    println!("{name:<32} F* = {best:.9e}   {}", shown.join(";  "));
                }
            }
        }
    }
}

/// The clock of a run.
struct Clock(Instant);

impl Observer for Clock {
    fn seconds(&self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }
}

fn title() -> String {
    format!(
        "{:<32} {:<15} {:>6} {:>7} {:>12} {:>12} {:>12} {:>9} {:>8} {:>8} {:>8} {:>8}  verdict",
        "case", "status", "iter", "s", "F before", "F", "F*", "F gap", "|x-x*|", "err(x)", "err(y)", "res low"
    )
}

fn line(case: &Case, outcome: &Outcome) -> String {
    let mut text = format!("{:<32} ", case.name);
    if let Some(s) = &outcome.solution {
        let m = &outcome.measures;
        let _ = write!(
            text,
            "{:<15} {:>6} {:>7.3} {:>12} {:>12} {:>12} {:>9} {:>8} {:>8} {:>8} {:>8}  ",
            s.status.text(),
            s.iterations,
            s.solve_seconds,
            number(m.before, 6),
            number(m.upper, 6),
            number(m.optimum, 6),
            signed(m.gap),
            number(m.away, 1),
            number(m.err_x, 1),
            number(m.err_y, 1),
            number(m.residual, 1),
        );
    }
    text + &verdict(&outcome.verdict)
}

fn number(value: f64, digits: usize) -> String {
    if value.is_nan() { "-".to_string() } else { format!("{value:.digits$e}") }
}

fn signed(value: f64) -> String {
    if value.is_nan() { "-".to_string() } else { format!("{value:+.1e}") }
}

fn verdict(verdict: &Verdict) -> String {
    let (word, remark) = match verdict {
        Verdict::Solved(remark) => ("ok", remark),
        Verdict::Local(name) => ("LOCAL", name),
        Verdict::Flagged(why) => ("FLAGGED", why),
        Verdict::Unfinished(why) => ("UNFINISHED", why),
        Verdict::Wrong(why) => ("WRONG", why),
        Verdict::Refused(why) => ("REFUSED", why),
        Verdict::Absent(why) => ("ABSENT", why),
    };
    format!("{word} {remark}").trim_end().to_string()
}

fn column(verdict: &Verdict) -> usize {
    match verdict {
        Verdict::Solved(_) => 0,
        Verdict::Local(_) => 1,
        Verdict::Flagged(_) => 2,
        Verdict::Unfinished(_) => 3,
        Verdict::Wrong(_) => 4,
        Verdict::Refused(_) => 5,
        Verdict::Absent(_) => 6,
    }
}

/// Writes a case as a folder that `blo solve` can run.
fn write_case(case: &Case, folder: &Path) -> std::io::Result<()> {
    use blo_engine::data::Source;
    let name: String = case.name.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect();
    let folder = folder.join(name.trim_end_matches('_'));
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join(format!("{}.blo", case.program.name)), &case.program.text)?;
    for file in case.files.names() {
        std::io::copy(&mut case.files.open(&file)?, &mut std::fs::File::create(folder.join(&file))?)?;
    }
    Ok(())
}
