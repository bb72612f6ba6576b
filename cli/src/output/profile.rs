//! The profile of an iteration, as a table and as data: every instruction with its time and rates, and what lies outside
//! of them, so that the column of times has the measured iteration as its sum.

use blo_engine::profile::{Instruction, Timed};
use blo_solvers::profile::{Measured, Profile};
use serde_json::{Value, json};

use blo::output::SCHEMA;
use blo::output::number::{few, time};
use blo::output::table::{Align, lines};

/// What a formula is indented by, below its row.
const INDENT: &str = "      ";

/// Instructions with less of the time than this share are one row.
const SMALL: f64 = 0.001;

/// How to read the table.
const LEGEND: &str = "\
One iteration, by time. flops and bytes are of one iteration, `gemm` is the
share of the machine's rate in a square product, `copy` that of its rate in a
copy that no cache holds: what is in a cache may have more. What an
instruction computes stands below its row.
";

/// What an instruction took per step.
struct Entry<'a> {
    program: &'a str,
    instruction: &'a Instruction,
    /// Without the readings of the clock.
    seconds: f64,
    flops: f64,
    bytes: f64,
}

/// The instructions of a measurement, slowest first, and the seconds per step outside of them and for the clock.
fn entries<'a>(measured: &'a Measured, reading: f64) -> (Vec<Entry<'a>>, f64, f64) {
    let steps = measured.steps as f64;
    let all = measured.programs.iter().flat_map(|t: &Timed| t.instructions.iter().map(|i| (t.program.as_str(), i)));
    let entry = |(program, instruction): (&'a str, &'a Instruction)| {
        let runs = instruction.runs as f64 / steps;
        Entry {
            program,
            instruction,
            seconds: (instruction.seconds / steps - runs * reading).max(0.0),
            flops: runs * instruction.flops as f64,
            bytes: runs * instruction.bytes as f64,
        }
    };
    let mut found: Vec<Entry> = all.filter(|(_, i)| i.runs > 0).map(entry).collect();
    found.sort_by(|a, b| b.seconds.total_cmp(&a.seconds));
    let inside: f64 = measured.programs.iter().flat_map(|t| &t.instructions).map(|i| i.seconds).sum::<f64>() / steps;
    // the clock is read once more than a program has instructions
    let clock = (inside - found.iter().map(|e| e.seconds).sum::<f64>()).max(0.0);
    (found, (measured.seconds / steps - inside).max(0.0), clock)
}

/// For people.
pub(crate) fn text(profile: &Profile, page: usize) -> String {
    let whole = profile.timed.seconds / profile.timed.steps as f64;
    let plain = profile.plain.seconds / profile.plain.steps as f64;
    let mut text = format!(
        "{}, {}, {} thread{}: {} per iteration, {} while instructions are timed\n",
        profile.method,
        profile.precision,
        profile.threads,
        if profile.threads == 1 { "" } else { "s" },
        time(plain),
        time(whole),
    );
    let rates = &profile.rates;
    text += &format!(
        "machine: {} GF/s in a square product, {} GB/s in a copy\n\n{LEGEND}\n",
        few(rates.flops / 1e9, 3),
        few(rates.bytes / 1e9, 3)
    );
    text += &table(profile, &profile.timed, page);
    let look = profile.looks.seconds / profile.looks.steps as f64;
    text + &format!("\nA look at the iterate, which a long run takes every 100 iterations: {}\n", time(look))
}

fn table(profile: &Profile, measured: &Measured, page: usize) -> String {
    let (entries, outside, clock) = entries(measured, profile.reading);
    let whole = measured.seconds / measured.steps as f64;
    let several = measured.programs.len() > 1;
    let title = ["share", "time", "flops", "bytes", "GF/s", "gemm", "GB/s", "copy"];
    let (mut rows, mut below) = (vec![title.map(str::to_owned).to_vec()], vec![String::new()]);
    let mut push = |seconds: f64, counts: Option<[f64; 2]>, what: String| {
        let mut row = vec![format!("{:.1}%", 100.0 * seconds / whole), time(seconds)];
        if let Some(counts) = counts {
            row.extend(counts.map(|count| few(count, 3)));
            let best = [profile.rates.flops, profile.rates.bytes];
            for (count, best) in counts.into_iter().zip(best).filter(|_| seconds > 0.0) {
                let rate = count / seconds;
                row.extend([few(rate / 1e9, 3), format!("{:.0}%", 100.0 * rate / best)]);
            }
        }
        rows.push(row);
        below.push(cut(&format!("{INDENT}{what}"), page));
    };
    let is_large = |e: &&Entry| e.seconds >= SMALL * whole;
    let (large, small): (Vec<&Entry>, Vec<&Entry>) = entries.iter().partition(is_large);
    let sum = |entries: &[&Entry]| entries.iter().fold([0.0, 0.0], |[f, b], e| [f + e.flops, b + e.bytes]);
    for e in &large {
        let program = if several { format!("{}: ", e.program) } else { String::new() };
        push(
            e.seconds,
            Some([e.flops, e.bytes]),
            format!("{program}{:?} {}", e.instruction.shape, e.instruction.formula),
        );
    }
    if !small.is_empty() {
        let seconds = small.iter().map(|e| e.seconds).sum();
        push(seconds, Some(sum(&small)), format!("instructions of less than 0.1% each: {}", small.len()));
    }
    push(outside, None, "outside of instructions: control of the method, copies, the loop".to_owned());
    push(clock, None, "readings of the clock".to_owned());
    push(whole, Some(sum(&entries.iter().collect::<Vec<_>>())), "in all".to_owned());
    let rows = lines(&[Align::Right; 8], &rows, page);
    rows.lines()
        .zip(below)
        .map(|(row, below)| format!("{row}\n{below}{}", if below.is_empty() { "" } else { "\n" }))
        .collect()
}

/// The beginning of a line that is too long.
fn cut(line: &str, page: usize) -> String {
    match line.char_indices().nth(page.saturating_sub(2)) {
        Some((at, _)) if line.chars().count() > page => format!("{}..", &line[..at]),
        _ => line.to_owned(),
    }
}

/// As data: times in seconds of one step.
pub(crate) fn object(profile: &Profile) -> Value {
    let measured = |m: &Measured| {
        let (entries, outside, clock) = entries(m, profile.reading);
        let rate = |count: f64, seconds: f64| if seconds > 0.0 { json!(count / seconds) } else { Value::Null };
        let instruction = |e: &Entry| {
            json!({
                "program": e.program, "section": e.instruction.section, "formula": e.instruction.formula,
                "shape": e.instruction.shape, "runs": e.instruction.runs as f64 / m.steps as f64,
                "seconds": e.seconds, "flops": e.flops, "bytes": e.bytes,
                "flops_per_second": rate(e.flops, e.seconds), "bytes_per_second": rate(e.bytes, e.seconds),
            })
        };
        json!({
            "steps": m.steps, "seconds": m.seconds / m.steps as f64, "outside": outside, "clock": clock,
            "instructions": entries.iter().map(instruction).collect::<Vec<_>>(),
        })
    };
    json!({
        "schema": SCHEMA, "method": profile.method, "precision": profile.precision, "threads": profile.threads,
        "machine": {"product_flops_per_second": profile.rates.flops, "copy_bytes_per_second": profile.rates.bytes},
        "untimed": {"steps": profile.plain.steps, "seconds": profile.plain.seconds / profile.plain.steps as f64},
        "iteration": measured(&profile.timed), "look": measured(&profile.looks),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use blo_engine::machine::Rates;

    fn profile() -> Profile {
        let instruction = |formula: &str, seconds| Instruction {
            section: "body",
            formula: formula.to_owned(),
            shape: vec![10],
            flops: 1000,
            bytes: 80,
            runs: 8,
            seconds,
        };
        let program =
            Timed { program: "meha".into(), instructions: vec![instruction("fast", 1.0), instruction("slow", 3.0)] };
        let timed = Measured { steps: 4, seconds: 6.0, programs: vec![program] };
        let plain = Measured { steps: 4, seconds: 5.0, programs: Vec::new() };
        Profile {
            looks: Measured { steps: 1, seconds: 1.0, programs: Vec::new() },
            timed,
            plain,
            reading: 0.025,
            finite: true,
            method: "meha",
            precision: "f64",
            threads: 2,
            rates: Rates { flops: 4e3, bytes: 1e3 },
        }
    }

    /// Two runs a step of which one reading of the clock is no work, slowest first.
    #[test]
    fn the_parts_sum_to_the_iteration() {
        let profile = profile();
        let (entries, outside, clock) = entries(&profile.timed, profile.reading);
        let found: Vec<(&str, f64)> = entries.iter().map(|e| (e.instruction.formula.as_str(), e.seconds)).collect();
        assert_eq!(found[0].0, "slow");
        assert!((found[0].1 - 0.7).abs() < 1e-12 && (found[1].1 - 0.2).abs() < 1e-12, "{found:?}");
        let sum = entries.iter().map(|e| e.seconds).sum::<f64>() + outside + clock;
        assert!((sum - 1.5).abs() < 1e-12 && (outside - 0.5).abs() < 1e-12, "{sum} {outside}");
    }

    #[test]
    fn the_table_has_rates_and_fits_the_page() {
        let text = text(&profile(), 80);
        let at = text.lines().position(|line| line.contains("slow")).expect("an instruction");
        let slow = text.lines().nth(at - 1).expect("a row above it");
        // 2000 flops in 0.7 s of 4000 a second
        assert!(slow.contains("46.7%") && slow.contains("71%"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    }
}
