//! Outcomes for people: a line per group of runs, with mean and spread where a group has several.

use super::{Group, Kind, Number, Summary};
use blo::output::number::{few, time};
use blo::output::table::{Align, lines};

/// What stands above the labels, and whether they are numbers.
pub(crate) struct Labels<'a> {
    pub(crate) titles: &'a [String],
    pub(crate) align: Align,
}

/// Titles of numbers whose keys are too long for a column.
const TITLES: [(&str, &str); 12] = [
    ("residual_upper", "res upper"),
    ("residual_lower", "res lower"),
    ("residual_method", "res method"),
    ("grad_lower", "grads f"),
    ("grad_upper", "grads F"),
    ("hvp", "Hv"),
    ("gradients", "all grads"),
    ("solve_seconds", "solve"),
    ("seconds", "time"),
    ("until_iteration", "held at"),
    ("until_gradients", "by grads"),
    ("until_seconds", "by time"),
];

/// The count that is shown also where it is zero, and one for files alone: a prox map costs little beside a gradient.
const ITERATIONS: &str = "iterations";
const PROX: &str = "prox";

/// The table; `seeds` are those of every group.
pub(crate) fn table(labels: &Labels<'_>, groups: &[Group], seeds: usize, page: usize) -> String {
    let numbers = groups.iter().find_map(Group::numbers).unwrap_or_default();
    let shown = shown(numbers, groups);
    let mut title: Vec<String> = labels.titles.to_vec();
    title.push("status".to_owned());
    if seeds > 1 {
        title.push("n".to_owned());
    }
    title.extend(shown.iter().map(|i| self::title(&numbers[*i])));
    let mut aligns = vec![labels.align; labels.titles.len()];
    aligns.push(Align::Left);
    aligns.resize(title.len(), Align::Right);
    let warned = groups.iter().any(|group| !warnings(group).is_empty());
    if warned {
        title.push("warnings".to_owned());
        aligns.push(Align::Left);
    }
    let mut rows = vec![title];
    for group in groups {
        let mut row = group.labels.clone();
        row.push(group.ends());
        if seeds > 1 {
            row.push(runs(group));
        }
        row.extend(shown.iter().map(|i| cell(numbers[*i].kind, &group.summary(*i), group, *i)));
        if warned {
            row.push(warnings(group));
        }
        rows.push(row);
    }
    lines(&aligns, &rows, page)
}

/// Numbers that some run has, and evaluations that some run has made; when a condition has held is shown also where it
/// never has.
fn shown(numbers: &[Number], groups: &[Group]) -> Vec<usize> {
    let all = |i: usize| groups.iter().flat_map(|g| &g.outcomes).filter_map(move |o| o.numbers.get(i));
    let makes = |i: usize| match numbers[i].key.as_str() {
        ITERATIONS => true,
        PROX => false,
        _ => all(i).any(|n| n.value != 0.0),
    };
    let has = |i: usize| all(i).any(|n| !n.value.is_nan()) && (numbers[i].kind != Kind::Count || makes(i));
    (0..numbers.len()).filter(|i| numbers[*i].kind.is_of_until() || has(*i)).collect()
}

fn title(number: &Number) -> String {
    let short = TITLES.iter().find(|(key, _)| *key == number.key && number.kind != Kind::Metric);
    short.map_or_else(|| number.key.clone(), |(_, title)| (*title).to_owned())
}

/// The runs that means are of: `5`, or `4 of 5`.
fn runs(group: &Group) -> String {
    let (sound, all) = (group.sound().count(), group.outcomes.len());
    if sound == all { all.to_string() } else { format!("{sound} of {all}") }
}

/// A number of a group. One run shows what it has, also where it has failed.
fn cell(kind: Kind, summary: &Summary, group: &Group, number: usize) -> String {
    if let [only] = &group.outcomes[..] {
        return only.numbers.get(number).filter(|n| !n.value.is_nan()).map_or_else(none, |n| text(kind, n.value));
    }
    if summary.n == 0 {
        return none();
    }
    let mut cell = text(kind, summary.mean);
    if summary.n > 1 {
        cell += &format!(" ± {}", spread(kind, summary.spread));
    }
    let sound = group.sound().count();
    if summary.n < sound {
        // held in some of the runs, and in others not
        cell += &format!(" ({} of {sound})", summary.n);
    }
    cell
}

fn none() -> String {
    "-".to_owned()
}

fn text(kind: Kind, value: f64) -> String {
    match kind {
        Kind::Count | Kind::HeldCount if value.fract() == 0.0 => format!("{value}"),
        Kind::Count | Kind::HeldCount => few(value, 4),
        Kind::Objective => few(value, 6),
        Kind::Residual | Kind::Error => few(value, 3),
        Kind::Metric => few(value, 4),
        Kind::Seconds | Kind::HeldSeconds => time(value),
        Kind::Bytes => format!("{} MB", few(value / 1e6, 3)),
    }
}

fn spread(kind: Kind, value: f64) -> String {
    match kind {
        Kind::Seconds | Kind::HeldSeconds => time(value),
        Kind::Bytes => few(value / 1e6, 2),
        _ => few(value, 2),
    }
}

/// Codes of the warnings of all runs, each once.
fn warnings(group: &Group) -> String {
    let mut codes: Vec<&str> = Vec::new();
    for code in group.outcomes.iter().flat_map(|o| &o.warnings) {
        if !codes.contains(&code.as_str()) {
            codes.push(code);
        }
    }
    codes.join(" ")
}

#[cfg(test)]
mod tests {
    use super::super::{Outcome, outcome};
    use super::*;

    fn shown(groups: &[Group], seeds: usize) -> String {
        let titles = ["method".to_owned()];
        table(&Labels { titles: &titles, align: Align::Left }, groups, seeds, 200)
    }

    fn group(name: &str, outcomes: Vec<Outcome>) -> Group {
        Group { labels: vec![name.to_owned()], outcomes }
    }

    #[test]
    fn one_run_shows_its_numbers_and_several_their_means() {
        let one = [group("rhg", vec![outcome(1, 0.5, "converged")])];
        let wanted = "method  status     iterations  upper    time  memory  held at  warnings
rhg     converged          10    0.5  500 ms   25 MB        3  W0611\n";
        assert_eq!(shown(&one, 1), wanted);
        let all = vec![outcome(1, 1.0, "converged"), outcome(2, 2.0, "converged"), outcome(3, 9.0, "DIVERGED")];
        let text = shown(&[group("rhg", all)], 3);
        let line = text.lines().last().unwrap_or_default();
        for part in ["2 converged, 1 DIVERGED", "2 of 3", "15 ± 7.1", "1.5 ± 0.71", "500 ms ± 0 us", "3 (1 of 2)"] {
            assert!(line.contains(part), "{part}: {text}");
        }
    }

    #[test]
    fn what_no_run_has_has_no_column_and_what_one_lacks_a_dash() {
        let text = shown(
            &[group("rhg", vec![outcome(2, 1.0, "converged")]), group("cg", vec![Outcome::refused(1, "no".into())])],
            1,
        );
        assert!(!text.contains("gap") && text.contains("held at") && text.contains("warnings"), "{text}");
        assert!(
            text.lines()
                .last()
                .is_some_and(|l| l.starts_with("cg") && l.contains("refused") && l.matches('-').count() == 5),
            "{text}"
        );
        let quiet = Outcome { warnings: Vec::new(), ..outcome(1, 0.5, "converged") };
        let text = shown(&[group("rhg", vec![quiet])], 1);
        assert!(!text.contains("warnings") && text.contains("held at"), "{text}");
    }
}
