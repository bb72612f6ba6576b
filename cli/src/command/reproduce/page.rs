//! The page of the experiments. Each has a section between two marks; a section is written when its experiment has run, and
//! kept when it has not, so that one experiment can be run again without the others, and the text around stays.

use std::fmt::Write as _;

use super::experiment::{Experiment, Read, Run};
use blo::output::number::{few, time};

/// What came of a run.
pub(crate) enum Outcome {
    Done(Done),
    /// Why it did not run.
    Skipped(String),
    Failed(String),
}

/// The numbers of a run.
pub(crate) struct Done {
    /// In the order of `Run::reads`.
    pub(crate) values: Vec<f64>,
    pub(crate) status: &'static str,
    pub(crate) seconds: f64,
    /// Options that are not the method's defaults, with the seed.
    pub(crate) settings: String,
}

impl Outcome {
    /// The number of targets that are missed; a run that failed misses all of its.
    pub(crate) fn missed(&self, run: &Run) -> usize {
        match self {
            Outcome::Skipped(_) => 0,
            Outcome::Failed(_) => run.reads.len(),
            Outcome::Done(done) => {
                run.reads.iter().zip(&done.values).filter(|(read, v)| read.target.is_met(**v) == Some(false)).count()
            }
        }
    }
}

/// The section of an experiment.
pub(crate) fn section(experiment: &Experiment, outcomes: &[Outcome]) -> String {
    let mut text = format!("### {} (`{}`)\n{}\n\n", experiment.title, experiment.name, experiment.about);
    text += "| run | number | paper | here | must be | met | time of the run |\n|---|---|---|---|---|---|---|\n";
    for (run, outcome) in experiment.runs.iter().zip(outcomes) {
        for (i, read) in run.reads.iter().enumerate() {
            let label = if i == 0 { run.label } else { "" };
            let _ = writeln!(text, "| {label} | {} |", line(read, i, outcome).join(" | "));
        }
    }
    text += "\n<details><summary>Commands and settings</summary>\n\n";
    for (run, outcome) in experiment.runs.iter().zip(outcomes) {
        let said = match outcome {
            Outcome::Done(done) => format!("{}; {}", done.status, done.settings),
            Outcome::Skipped(why) | Outcome::Failed(why) => why.clone(),
        };
        let _ = writeln!(text, "- {}: `blo solve {}`  \n  {said}", run.label, run.line);
    }
    text + "\n</details>\n"
}

/// The cells of a number, after that of its run.
pub(crate) fn line(read: &Read, i: usize, outcome: &Outcome) -> [String; 6] {
    let (here, met, taken) = match outcome {
        Outcome::Done(done) => {
            let value = done.values[i];
            let here = if read.quantity.is_time() { time(value) } else { few(value, 5) };
            let met = read.target.is_met(value).map_or("", |met| if met { "yes" } else { "**no**" });
            (if value.is_nan() { "not reached".to_owned() } else { here }, met, time(done.seconds))
        }
        Outcome::Skipped(_) => ("skipped".to_owned(), "", String::new()),
        Outcome::Failed(_) => ("failed".to_owned(), "**no**", String::new()),
    };
    let taken = if i == 0 { taken } else { String::new() };
    [read.name.to_owned(), read.paper.to_owned(), here, read.target.text(), met.to_owned(), taken]
}

fn marks(name: &str) -> [String; 2] {
    ["begin", "end"].map(|word| format!("<!-- {word} {name} -->"))
}

/// The page with a new section in the place of the old one; a section that the page does not have comes last. A section
/// of runs that were all skipped replaces none.
pub(crate) fn with_section(page: &str, experiment: &Experiment, outcomes: &[Outcome]) -> String {
    let [begin, end] = marks(experiment.name);
    let written = format!("{begin}\n{}{end}", section(experiment, outcomes));
    let Some((from, to)) = page.find(&begin).zip(page.find(&end)).filter(|(from, to)| from < to) else {
        let gap = if page.is_empty() || page.ends_with("\n\n") { "" } else { "\n" };
        return format!("{page}{gap}{written}\n");
    };
    if outcomes.iter().all(|o| matches!(o, Outcome::Skipped(_))) {
        return page.to_owned();
    }
    format!("{}{written}{}", &page[..from], &page[to + end.len()..])
}

#[cfg(test)]
mod tests {
    use super::super::experiment::{Quantity, free, near, run};
    use super::*;

    const EXPERIMENT: Experiment = Experiment {
        name: "a-table",
        title: "A, table 1",
        about: "About.",
        long: false,
        runs: &[run(
            "rhg",
            "p.blo -m rhg",
            &[near("x", Quantity::Entry("x", 1), "1", 1.0, 0.1), free("time", Quantity::Seconds, "5.1 s")],
        )],
    };

    fn done(x: f64) -> [Outcome; 1] {
        let settings = "seed 0".to_owned();
        [Outcome::Done(Done { values: vec![x, 0.5], status: "converged", seconds: 0.5, settings })]
    }

    #[test]
    fn a_section_takes_the_place_of_the_old_one() {
        let first = with_section("# Page\n", &EXPERIMENT, &done(0.5));
        assert!(first.starts_with("# Page\n\n<!-- begin a-table -->\n### A, table 1 (`a-table`)\nAbout.\n"), "{first}");
        assert!(first.contains("| rhg | x | 1 | 0.5 | 1 ± 0.1 | **no** | 500 ms |"), "{first}");
        assert!(first.contains("|  | time | 5.1 s | 500 ms |  |  |  |"), "{first}");
        assert!(first.contains("`blo solve p.blo -m rhg`"), "{first}");
        let around = format!("{first}After.\n");
        let second = with_section(&around, &EXPERIMENT, &done(1.01));
        assert!(second.contains("| 1.01 |") && !second.contains("| 0.5 |") && second.ends_with("-->\nAfter.\n"));
        assert_eq!(with_section(&second, &EXPERIMENT, &[Outcome::Skipped("no data".to_owned())]), second);
        let skipped = with_section("", &EXPERIMENT, &[Outcome::Skipped("no data".to_owned())]);
        assert!(skipped.contains("| skipped |") && skipped.contains("no data"), "{skipped}");
    }

    #[test]
    fn what_is_missed_is_counted() {
        let run = &EXPERIMENT.runs[0];
        let counts =
            [&done(1.0)[0], &done(f64::NAN)[0], &Outcome::Failed(String::new()), &Outcome::Skipped(String::new())];
        assert_eq!(counts.map(|o| o.missed(run)), [0, 1, 2, 0]);
    }
}
