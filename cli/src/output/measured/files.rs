//! Outcomes as data: a line of csv per run, and one JSON object with the runs of each group, their means and spreads.

use serde_json::{Map, Value, json};
use std::fmt::Write as _;

use super::{Group, Outcome};

/// A line per run, titles first. Numbers have all their digits.
pub(crate) fn csv(labels: &[String], groups: &[Group]) -> String {
    let numbers = groups.iter().find_map(Group::numbers).unwrap_or_default();
    let mut titles: Vec<&str> = labels.iter().map(String::as_str).collect();
    titles.extend(["seed", "status", "failed", "warm"]);
    titles.extend(numbers.iter().map(|n| n.key.as_str()));
    titles.extend(["warnings", "refused"]);
    let mut text = titles.into_iter().map(quoted).collect::<Vec<_>>().join(",") + "\n";
    for group in groups {
        for outcome in &group.outcomes {
            let mut cells: Vec<String> = group.labels.iter().map(|label| quoted(label)).collect();
            cells.push(outcome.seed.to_string());
            cells.push(quoted(&outcome.status));
            cells.push(u8::from(outcome.failed).to_string());
            cells.push(u8::from(outcome.warm).to_string());
            cells
                .extend((0..numbers.len()).map(|i| outcome.numbers.get(i).map_or_else(String::new, |n| cell(n.value))));
            cells.push(outcome.warnings.join(" "));
            cells.push(quoted(outcome.refused.as_deref().unwrap_or_default()));
            let _ = writeln!(text, "{}", cells.join(","));
        }
    }
    text
}

/// A number, nothing where there is none.
fn cell(value: f64) -> String {
    if value.is_nan() { String::new() } else { format!("{:?}", value + 0.0) }
}

fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

/// The groups of an object; labels by their titles.
pub(crate) fn objects(labels: &[String], groups: &[Group]) -> Vec<Value> {
    let object = |group: &Group| {
        let mut object: Map<String, Value> =
            labels.iter().zip(&group.labels).map(|(title, text)| (title.clone(), label(text))).collect();
        let numbers = group.numbers().unwrap_or_default();
        let of = |pick: &dyn Fn(usize) -> f64| -> Value {
            let entries = numbers.iter().enumerate().map(|(i, n)| (n.key.clone(), finite(pick(i))));
            Value::Object(entries.collect())
        };
        if group.outcomes.len() > 1 {
            object.insert("n".to_owned(), json!(group.sound().count()));
            object.insert("failed".to_owned(), json!(group.outcomes.iter().filter(|o| o.failed).count()));
            object.insert("mean".to_owned(), of(&|i| group.summary(i).mean));
            object.insert("spread".to_owned(), of(&|i| group.summary(i).spread));
        }
        object.insert("runs".to_owned(), group.outcomes.iter().map(run).collect());
        Value::Object(object)
    };
    groups.iter().map(object).collect()
}

/// A number of a sweep, else a text.
fn label(text: &str) -> Value {
    text.parse::<f64>().ok().filter(|v| v.is_finite()).map_or_else(|| json!(text), |v| json!(v))
}

fn run(outcome: &Outcome) -> Value {
    let numbers: Map<String, Value> = outcome.numbers.iter().map(|n| (n.key.clone(), finite(n.value))).collect();
    let mut object = json!({
        "seed": outcome.seed,
        "status": outcome.status,
        "failed": outcome.failed,
        "warm": outcome.warm,
        "measured": numbers,
        "warnings": outcome.warnings,
        "result": outcome.result,
    });
    if let Some(why) = &outcome.refused {
        object["refused"] = json!(why);
    }
    object
}

/// A number, or null where JSON has none; minus zero is zero.
fn finite(value: f64) -> Value {
    serde_json::Number::from_f64(value + 0.0).map_or(Value::Null, Value::Number)
}

#[cfg(test)]
mod tests {
    use super::super::outcome;
    use super::*;

    fn groups() -> Vec<Group> {
        let several =
            vec![outcome(1, 1.0, "converged"), outcome(2, 2.0, "converged"), outcome(3, f64::INFINITY, "DIVERGED")];
        let none = Outcome::refused(1, "the method, \"cg\", cannot".to_owned());
        vec![
            Group { labels: vec!["unroll(K = 2, start = warm)".to_owned()], outcomes: several },
            Group { labels: vec!["cg".to_owned()], outcomes: vec![none] },
        ]
    }

    #[test]
    fn every_run_has_a_line_whatever_became_of_it() {
        let text = csv(&["method".to_owned()], &groups());
        let lines: Vec<&str> = text.lines().collect();
        let title =
            "method,seed,status,failed,warm,iterations,upper,gap,seconds,memory,until_iteration,warnings,refused";
        assert_eq!(lines[0], title);
        assert_eq!(lines[1], "\"unroll(K = 2, start = warm)\",1,converged,0,0,10.0,1.0,,0.5,25000000.0,3.0,W0611,");
        assert!(lines[3].contains(",DIVERGED,1,0,30.0,inf,"), "{text}");
        assert_eq!(lines[4], "cg,1,refused,1,0,,,,,,,,\"the method, \"\"cg\"\", cannot\"");
    }

    #[test]
    fn means_are_of_the_runs_that_have_not_failed() {
        let found = objects(&["method".to_owned()], &groups());
        assert_eq!((&found[0]["n"], &found[0]["failed"]), (&json!(2), &json!(1)));
        assert_eq!(found[0]["mean"]["upper"], json!(1.5));
        assert_eq!((&found[0]["mean"]["until_iteration"], &found[0]["mean"]["gap"]), (&json!(3.0), &Value::Null));
        assert_eq!(found[0]["spread"]["until_iteration"], Value::Null);
        assert_eq!(found[0]["runs"][2]["measured"]["upper"], Value::Null);
        assert_eq!((&found[1]["n"], &found[1]["runs"][0]["status"]), (&Value::Null, &json!("refused")));
    }
}
