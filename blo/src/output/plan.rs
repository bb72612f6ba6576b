//! Plans as text and as JSON: the instructions of an iteration, with what each costs.

use blo_engine::program::Plan;
use blo_engine::program::plan::{Carried, Line, Section};
use blo_solvers::ExternalStage;
use serde_json::{Value, json};

use crate::output::SCHEMA;
use crate::output::text::page::{broken, paragraph};

/// How to read a plan.
const LEGEND: &str = "\
# [shape] flops, bytes read and written, of one instruction. Below it what it
# computes, `t1` without being stored; after `->` the buffers that it writes.
# The programs that a step calls come first, the step of the method last.

";

/// Plans in `page` columns, with how to read them, and what has no instructions.
pub fn text(plans: &[Plan], external: &[ExternalStage], page: usize) -> String {
    let legend = if plans.is_empty() { "" } else { LEGEND };
    let plans = plans.iter().map(|plan| within(&plan.to_string(), page));
    let stages: Vec<String> = plans.chain(external.iter().map(|stage| words(stage, page))).collect();
    legend.to_owned() + &stages.join("\n")
}

/// A stage without instructions.
fn words((name, described): &ExternalStage, page: usize) -> String {
    let widest = described.iter().map(|(word, _)| word.len()).max().unwrap_or(0);
    let mut text = format!("{name}: a stage of its own, without instructions\n");
    for (word, value) in described {
        let lines = broken(value, page.saturating_sub(widest + 4));
        for (i, line) in lines.iter().enumerate() {
            text += &format!("  {:widest$}  {line}\n", if i == 0 { word } else { "" });
        }
    }
    text
}

/// The text of a plan with the lines broken that are wider than the page.
fn within(text: &str, page: usize) -> String {
    let line = |line: &str| {
        if line.chars().count() <= page {
            return format!("{line}\n");
        }
        let words = line.trim_start();
        let indent = &line[..line.len() - words.len()];
        let room = page.saturating_sub(indent.len() + INDENT).max(1);
        let words: Vec<String> = words.split(' ').map(|word| chopped(word, room)).collect();
        paragraph(&words.join(" "), indent, page)
    };
    text.lines().map(line).collect()
}

/// What lines that go on are indented by, at most.
const INDENT: usize = 4;

/// A word in pieces that fit, cut behind brackets and commas: a formula has no blanks, and may be as long as a problem has
/// variables.
fn chopped(word: &str, room: usize) -> String {
    let mut pieces = String::new();
    let mut rest = word;
    while rest.chars().count() > room {
        let limit = rest.char_indices().nth(room).map_or(rest.len(), |(at, _)| at);
        let cut = rest[..limit].rfind(['(', ',', ')']).map_or(limit, |at| at + 1);
        pieces.push_str(&rest[..cut]);
        pieces.push(' ');
        rest = &rest[cut..];
    }
    pieces + rest
}

/// The iteration's plan, with those of the programs beside it and of what has no instructions.
pub fn all(plans: &[Plan], external: &[ExternalStage]) -> Value {
    let (iteration, beside) = plans.split_last().map_or((None, plans), |(last, rest)| (Some(last), rest));
    let mut value = iteration.map_or_else(|| json!({"schema": SCHEMA}), object);
    value["programs"] = beside.iter().map(object).collect();
    let stage = |(name, described): &ExternalStage| {
        let words: serde_json::Map<String, Value> =
            described.iter().map(|(word, value)| ((*word).to_owned(), json!(value))).collect();
        json!({"name": name, "words": words})
    };
    value["external"] = external.iter().map(stage).collect();
    value
}

fn object(plan: &Plan) -> Value {
    let line = |l: &Line| {
        json!({
            "results": l.results.iter().map(|(name, formula)| json!({"name": name, "formula": formula})).collect::<Vec<_>>(),
            "shape": l.shape, "flops": count(l.flops),
            "bytes": count(l.bytes), "buffers": l.buffers,
        })
    };
    let carried = |c: &Carried| json!({"name": c.name, "from": c.from, "shape": c.shape});
    let section = |section: Section| {
        let lines = plan.lines.iter().filter(|l| l.section == section);
        json!({
            "flops": count(plan.flops(section)),
            "bytes": count(plan.bytes(section)),
            "lines": lines.map(line).collect::<Vec<_>>(),
        })
    };
    json!({
        "schema": SCHEMA,
        "name": plan.name,
        "buffers": plan.buffers,
        "memory": count(plan.memory),
        "data": count(plan.lent),
        "prologue": section(Section::Prologue),
        "fill": section(Section::Fill),
        "carried": plan.carried.iter().map(carried).collect::<Vec<_>>(),
        "body": section(Section::Body),
    })
}

/// JSON numbers end at 64 bits, and so does every machine that could run such a plan.
fn count(value: u128) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_heads_of_plans_are_broken() {
        let head =
            "upper objective and its gradient: 14 buffers, 7336 bytes; reads 4480 bytes of data\n  [2]  1 flops\n";
        let wanted =
            "upper objective and its gradient: 14 buffers, 7336 bytes; reads 4480 bytes of\n  data\n  [2]  1 flops\n";
        assert_eq!(within(head, 80), wanted);
        let long = format!("  {}0,a{}\n", "max(".repeat(40), ")".repeat(40));
        assert!(within(&long, 80).lines().all(|line| line.len() <= 80 && line.len() > 4));
        assert_eq!(within(&long, 80).split_whitespace().collect::<String>(), long.trim());
    }
}
