//! What runs have been measured to do: by `compare` beside each other, by `sweep` over values. A run is a process of its own
//! and says its outcome as one JSON object; outcomes become a table, csv or json.

pub(crate) mod files;
mod statistics;
pub(crate) mod table;

use serde_json::{Value, json};

pub(crate) use statistics::Summary;

/// What a number stands for: how it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Count,
    Objective,
    Residual,
    Error,
    Metric,
    Seconds,
    Bytes,
    /// When the condition of `--until` first held: an iteration, or evaluations.
    HeldCount,
    /// The same in seconds.
    HeldSeconds,
}

const KINDS: [(Kind, &str); 9] = [
    (Kind::Count, "count"),
    (Kind::Objective, "objective"),
    (Kind::Residual, "residual"),
    (Kind::Error, "error"),
    (Kind::Metric, "metric"),
    (Kind::Seconds, "seconds"),
    (Kind::Bytes, "bytes"),
    (Kind::HeldCount, "held count"),
    (Kind::HeldSeconds, "held seconds"),
];

impl Kind {
    fn text(self) -> &'static str {
        KINDS.iter().find(|(kind, _)| *kind == self).map_or("", |(_, text)| text)
    }

    fn read(text: &str) -> Option<Kind> {
        KINDS.iter().find(|(_, t)| *t == text).map(|(kind, _)| *kind)
    }

    /// It tells when the condition of `--until` held.
    pub(crate) fn is_of_until(self) -> bool {
        matches!(self, Kind::HeldCount | Kind::HeldSeconds)
    }
}

/// A measured number; NaN where there is none.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Number {
    /// As files call it.
    pub(crate) key: String,
    pub(crate) kind: Kind,
    pub(crate) value: f64,
}

/// A point of the curve that a picture shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct CurvePoint {
    pub(crate) iteration: f64,
    pub(crate) seconds: f64,
    pub(crate) pass: u64,
    pub(crate) value: f64,
}

/// What came of a run.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) seed: u64,
    /// How it ended, in words.
    pub(crate) status: String,
    /// It has no result that could be compared: it diverged, was refused, or was interrupted.
    pub(crate) failed: bool,
    /// It began where the run before it has ended.
    pub(crate) warm: bool,
    /// Why it did not run.
    pub(crate) refused: Option<String>,
    /// Codes of warnings and notes.
    pub(crate) warnings: Vec<String>,
    /// The same in every outcome of a problem that is not refused.
    pub(crate) numbers: Vec<Number>,
    pub(crate) curve: Vec<CurvePoint>,
    /// What `solve --format json` prints, where it is wanted.
    pub(crate) result: Value,
}

impl Outcome {
    /// Of a run that there is not.
    pub(crate) fn refused(seed: u64, why: String) -> Outcome {
        Outcome {
            seed,
            status: "refused".to_owned(),
            failed: true,
            warm: false,
            refused: Some(why),
            warnings: Vec::new(),
            numbers: Vec::new(),
            curve: Vec::new(),
            result: Value::Null,
        }
    }

    /// As the process of a run says it. JSON has no numbers that are not finite; these are told as words.
    pub(crate) fn object(&self) -> Value {
        let exact = |v: f64| if v.is_finite() { json!(v) } else { json!(v.to_string()) };
        let number = |n: &Number| json!([n.key, n.kind.text(), exact(n.value)]);
        let point = |p: &CurvePoint| json!([exact(p.iteration), exact(p.seconds), p.pass, exact(p.value)]);
        json!({
            "seed": self.seed,
            "status": self.status,
            "failed": self.failed,
            "warm": self.warm,
            "refused": self.refused,
            "warnings": self.warnings,
            "numbers": self.numbers.iter().map(number).collect::<Vec<_>>(),
            "curve": self.curve.iter().map(point).collect::<Vec<_>>(),
            "result": self.result,
        })
    }

    /// What [`Outcome::object`] has made.
    pub(crate) fn read(value: &mut Value) -> Option<Outcome> {
        let exact = |v: &Value| v.as_f64().or_else(|| v.as_str()?.parse().ok());
        let number = |v: &Value| {
            let (key, kind) = (v[0].as_str()?.to_owned(), Kind::read(v[1].as_str()?)?);
            Some(Number { key, kind, value: exact(&v[2])? })
        };
        let point = |v: &Value| {
            let [iteration, seconds, value] = [&v[0], &v[1], &v[3]].map(exact);
            Some(CurvePoint { iteration: iteration?, seconds: seconds?, pass: v[2].as_u64()?, value: value? })
        };
        Some(Outcome {
            seed: value["seed"].as_u64()?,
            status: value["status"].as_str()?.to_owned(),
            failed: value["failed"].as_bool()?,
            warm: value["warm"].as_bool()?,
            refused: value["refused"].as_str().map(str::to_owned),
            warnings: value["warnings"].as_array()?.iter().filter_map(|w| w.as_str().map(str::to_owned)).collect(),
            numbers: value["numbers"].as_array()?.iter().map(number).collect::<Option<_>>()?,
            curve: value["curve"].as_array()?.iter().map(point).collect::<Option<_>>()?,
            result: value["result"].take(),
        })
    }
}

/// Runs that differ in their seeds alone.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Group {
    /// The method, or the values of a sweep.
    pub(crate) labels: Vec<String>,
    /// In the order of the seeds.
    pub(crate) outcomes: Vec<Outcome>,
}

impl Group {
    /// The numbers of runs that have them.
    pub(crate) fn numbers(&self) -> Option<&[Number]> {
        self.outcomes.iter().find(|o| o.refused.is_none()).map(|o| o.numbers.as_slice())
    }

    /// The runs that means are made of.
    pub(crate) fn sound(&self) -> impl Iterator<Item = &Outcome> {
        self.outcomes.iter().filter(|o| !o.failed)
    }

    /// Mean and spread of a number over the runs that have it.
    pub(crate) fn summary(&self, number: usize) -> Summary {
        let values = self.sound().filter_map(|o| o.numbers.get(number)).map(|n| n.value);
        Summary::of(values.filter(|v| !v.is_nan()))
    }

    /// How the runs ended: `converged`, or `4 converged, 1 DIVERGED`.
    pub(crate) fn ends(&self) -> String {
        let mut ends: Vec<(&str, usize)> = Vec::new();
        for outcome in &self.outcomes {
            match ends.iter_mut().find(|(status, _)| *status == outcome.status) {
                Some((_, count)) => *count += 1,
                None => ends.push((&outcome.status, 1)),
            }
        }
        match &ends[..] {
            [(only, _)] => (*only).to_owned(),
            several => several.iter().map(|(s, n)| format!("{n} {s}")).collect::<Vec<_>>().join(", "),
        }
    }
}

/// Outcomes for tests.
#[cfg(test)]
pub(crate) fn outcome(seed: u64, upper: f64, status: &str) -> Outcome {
    let number = |key: &str, kind, value| Number { key: key.to_owned(), kind, value };
    Outcome {
        status: status.to_owned(),
        failed: status != "converged",
        refused: None,
        warnings: vec!["W0611".to_owned()],
        numbers: vec![
            number("iterations", Kind::Count, 10.0 * seed as f64),
            number("upper", Kind::Objective, upper),
            number("gap", Kind::Residual, f64::NAN),
            number("seconds", Kind::Seconds, 0.5),
            number("memory", Kind::Bytes, 2.5e7),
            number("until_iteration", Kind::HeldCount, if seed == 1 { 3.0 } else { f64::NAN }),
        ],
        curve: vec![CurvePoint { iteration: 1.0, seconds: 0.1, pass: 1, value: f64::INFINITY }],
        ..Outcome::refused(seed, String::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_is_read_as_it_was_written() {
        let refused = Outcome::refused(3, "no".to_owned());
        for written in [outcome(1, f64::NEG_INFINITY, "converged"), refused] {
            let read = Outcome::read(&mut written.object()).expect("an outcome");
            // NaN is not equal to itself
            assert_eq!(format!("{read:?}"), format!("{written:?}"));
        }
        assert_eq!(Outcome::read(&mut json!({"seed": 1})), None);
    }

    #[test]
    fn ends_are_counted_in_their_order() {
        let group = |all: &[&str]| Group {
            labels: vec!["rhg".to_owned()],
            outcomes: all.iter().map(|s| outcome(1, 0.0, s)).collect(),
        };
        assert_eq!(group(&["converged"; 3]).ends(), "converged");
        assert_eq!(group(&["stalled", "DIVERGED", "stalled"]).ends(), "2 stalled, 1 DIVERGED");
    }
}
