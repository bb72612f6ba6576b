//! Repeated runs as a table and as data: medians with their quartiles.

use serde_json::{Value, json};

use blo::output::number::{few, time};
use blo::output::table::{Align, lines};
use blo::output::text::page::paragraph;
use blo_grammar::diagnostic::counted;

/// One run.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reading {
    pub(crate) iterations: u64,
    /// Of the iterations.
    pub(crate) seconds: f64,
    /// Before the first iteration, since the process began.
    pub(crate) before: f64,
    /// Most bytes of the process.
    pub(crate) memory: Option<u64>,
    pub(crate) status: String,
    pub(crate) threads: u64,
    pub(crate) precision: String,
}

impl Reading {
    /// As the process of a run says it.
    pub(crate) fn object(&self) -> Value {
        json!({
            "iterations": self.iterations, "seconds": self.seconds, "before": self.before, "memory": self.memory,
            "status": self.status, "threads": self.threads, "precision": self.precision,
        })
    }

    /// What [`Reading::object`] has made.
    pub(crate) fn read(value: &Value) -> Option<Reading> {
        Some(Reading {
            iterations: value["iterations"].as_u64()?,
            seconds: value["seconds"].as_f64()?,
            before: value["before"].as_f64()?,
            memory: value["memory"].as_u64(),
            status: value["status"].as_str()?.to_owned(),
            threads: value["threads"].as_u64()?,
            precision: value["precision"].as_str()?.to_owned(),
        })
    }
}

/// The readings of a method: a short and a long run each time.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Bench {
    pub(crate) method: String,
    pub(crate) long: u64,
    pub(crate) short: u64,
    pub(crate) pairs: Vec<(Reading, Reading)>,
}

impl Bench {
    /// Seconds per iteration, by difference; none where both runs ended after as many iterations.
    fn iterations(&self) -> Vec<f64> {
        let each = |(short, long): &(Reading, Reading)| {
            let more = long.iterations.checked_sub(short.iterations).filter(|n| *n > 0)?;
            Some((long.seconds - short.seconds).max(0.0) / more as f64)
        };
        self.pairs.iter().filter_map(each).collect()
    }

    fn all(&self) -> impl Iterator<Item = &Reading> {
        self.pairs.iter().flat_map(|(short, long)| [short, long])
    }

    fn memory(&self) -> Option<u64> {
        self.all().filter_map(|r| r.memory).max()
    }
}

/// The value below which a part of the sorted values lies, between two of them where it does.
fn quantile(values: &[f64], part: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = part * (sorted.len().max(1) - 1) as f64;
    let [low, high] = [at.floor(), at.ceil()].map(|i| sorted.get(i as usize).copied().unwrap_or(f64::NAN));
    low + (high - low) * at.fract()
}

/// Iterations from which looks at the iterate are seldom.
const LONG: u64 = 100;

/// For people.
pub(crate) fn table(benches: &[Bench], page: usize) -> String {
    let title = ["method", "per iteration", "quartiles", "before", "memory", "iterations"];
    let mut rows = vec![title.map(str::to_owned).to_vec()];
    for bench in benches {
        let each = bench.iterations();
        let before: Vec<f64> = bench.all().map(|r| r.before).collect();
        let or_none = |text: String| if each.is_empty() { "-".to_owned() } else { text };
        rows.push(vec![
            bench.method.clone(),
            or_none(time(quantile(&each, 0.5))),
            or_none(format!("{} .. {}", time(quantile(&each, 0.25)), time(quantile(&each, 0.75)))),
            time(quantile(&before, 0.5)),
            bench.memory().map_or_else(|| "-".to_owned(), |bytes| format!("{} MB", few(bytes as f64 / 1e6, 3))),
            format!("{}, {}", bench.short, bench.long),
        ]);
    }
    let mut aligns = vec![Align::Left];
    aligns.resize(rows[0].len(), Align::Right);
    let run = benches.first().and_then(|b| b.all().next());
    let run = run
        .map_or_else(String::new, |r| format!(" in {} with {}", r.precision, counted(r.threads, "thread", "threads")));
    let runs = counted(benches.first().map_or(0, |b| b.pairs.len()), "pair", "pairs");
    let mut text = format!(
        "Medians of {runs} of runs{run}. The time per iteration is the difference of runs of two lengths; `before` is \
         what comes before the first iteration."
    );
    if benches.iter().any(|bench| bench.long < LONG) {
        text +=
            " Runs as short as these look at most of their iterates: `blo plan --profile` measures iterations alone.";
    }
    for bench in benches {
        if let Some((_, long)) = bench.pairs.last().filter(|(_, long)| long.status != "iteration_limit") {
            let status = long.status.replace('_', " ");
            text += &format!(
                " `{}` ends by itself after {}: {status}.",
                bench.method,
                counted(long.iterations, "iteration", "iterations")
            );
        }
    }
    format!("{}\n{}", lines(&aligns, &rows, page), paragraph(&text, "", page))
}

/// As data.
pub(crate) fn object(bench: &Bench) -> Value {
    let spread = |values: &[f64]| {
        let number = |part| if values.is_empty() { Value::Null } else { json!(quantile(values, part)) };
        json!({"median": number(0.5), "lower_quartile": number(0.25), "upper_quartile": number(0.75), "values": values})
    };
    let before: Vec<f64> = bench.all().map(|r| r.before).collect();
    json!({
        "method": bench.method, "iterations": [bench.short, bench.long],
        "seconds_per_iteration": spread(&bench.iterations()), "seconds_before": spread(&before),
        "memory": bench.memory(), "runs": bench.all().map(Reading::object).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(iterations: u64, seconds: f64) -> Reading {
        Reading {
            iterations,
            seconds,
            before: 0.5,
            memory: Some(10_000_000),
            status: "iteration_limit".into(),
            threads: 2,
            precision: "f64".into(),
        }
    }

    #[test]
    fn quartiles_lie_between_values() {
        assert_eq!([0.25, 0.5, 0.75].map(|p| quantile(&[4.0, 1.0, 2.0, 3.0], p)), [1.75, 2.5, 3.25]);
        assert_eq!([0.25, 0.5].map(|p| quantile(&[7.0], p)), [7.0, 7.0]);
    }

    #[test]
    fn the_time_per_iteration_is_a_difference() {
        let pairs = vec![(reading(10, 1.0), reading(110, 3.0)), (reading(10, 1.0), reading(110, 6.0))];
        let bench = Bench { method: "meha".into(), long: 110, short: 10, pairs };
        assert_eq!(bench.iterations(), [0.02, 0.05]);
        let text = table(std::slice::from_ref(&bench), 80);
        assert!(text.contains("35 ms") && text.contains("500 ms") && text.contains("10 MB"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        // both ended after as many iterations
        let same = Bench { pairs: vec![(reading(10, 1.0), reading(10, 1.0))], ..bench };
        assert_eq!(same.iterations(), [0.0; 0]);
        assert_eq!(object(&same)["seconds_per_iteration"]["median"], Value::Null);
    }

    #[test]
    fn a_reading_is_read_as_it_was_written() {
        let written = reading(3, 0.25);
        assert_eq!(Reading::read(&written.object()), Some(written));
        assert_eq!(Reading::read(&json!({})), None);
    }
}
