//! `cargo xtask docs` writes the generated files; with `--check` it only says which are stale. `cargo xtask pictures` draws the
//! pictures of the book. `cargo xtask attack` tries mutated programs with the release build, or judges the answers to generated
//! problems. `cargo xtask bench` measures the working tree beside a revision. `cargo xtask literature` writes the page of
//! small problems with known optima.
// The bans keep the engine off files and terminals; this command is about both.
#![allow(clippy::disallowed_methods, clippy::disallowed_macros)]

use std::ops::Range;
use std::path::Path;
use std::process::ExitCode;

use blo_tests::families::SIZE;
use xtask::attack::{Kind, attack, families, literature, random, release};

const USAGE: &str = "usage: cargo xtask docs [--check] | cargo xtask pictures |
       cargo xtask attack [programs|fixes] [FROM..TO] |
       cargo xtask attack answers|families [FROM..TO] | cargo xtask attack literature |
       cargo xtask literature [--data-dir DIR] | cargo xtask bench --against REV [NAME]";
/// Random problems of an attack where none are stated.
const RANDOM: u32 = 600;
/// Seeds of an attack where none are stated: mutated programs, then fixes.
const SEEDS: [(Kind, Range<u32>); 2] = [(Kind::Programs, 0..100_000), (Kind::Fixes, 0..10_000)];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments.as_slice() {
        ["docs"] => xtask::docs::write(&xtask::root()).map(|written| {
            written.iter().for_each(|path| println!("wrote {path}"));
            true
        }),
        ["docs", "--check"] => xtask::docs::stale(&xtask::root()).map(|stale| {
            stale.iter().for_each(|path| eprintln!("{path} is stale: run `cargo xtask docs`"));
            stale.is_empty()
        }),
        ["pictures"] => pictures(),
        ["bench", "--against", revision, filter @ ..] if filter.len() < 2 => {
            let filter = filter.first().copied().unwrap_or("");
            let mut show = |line: &str| println!("{line}");
            xtask::bench::against(&xtask::root(), revision, filter, &mut show).map(|()| true)
        }
        ["literature"] => page(None),
        ["literature", "--data-dir", data] => page(Some(Path::new(data))),
        ["attack", kind @ ("answers" | "families"), choice @ ..] => answers(kind, choice),
        ["attack", "literature"] => table(),
        ["attack", choice @ ..] => attacks(choice),
        _ => Err(USAGE.to_owned()),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

/// Draws the pictures of the book with the command as it is now.
fn pictures() -> Result<bool, String> {
    let changed = xtask::book::pictures::write(&xtask::root(), &xtask::book::pictures::built(&xtask::root())?)?;
    changed.iter().for_each(|name| println!("drew {name}.svg"));
    Ok(true)
}

/// Seeds written as `FROM..TO`.
fn seeds(range: &str) -> Result<Range<u32>, String> {
    let ends = range.split_once("..").and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
    let (from, to) = ends.ok_or(USAGE)?;
    Ok(from..to)
}

/// Judges answers to generated problems; true when none of them claims to be right and is not.
fn answers(kind: &str, choice: &[&str]) -> Result<bool, String> {
    let stated = choice.first().map(|range| seeds(range)).transpose()?;
    if kind == "families" {
        let found = families(stated.unwrap_or(0..SIZE));
        found.missed.iter().for_each(|missed| println!("{missed}"));
        found.lines.iter().for_each(|line| println!("{line}"));
        return Ok(found.silent == 0);
    }
    let (tallies, faults) = random(stated.unwrap_or(0..RANDOM));
    faults.iter().for_each(|fault| println!("{fault}"));
    tallies.iter().for_each(|(method, tally)| println!("{method:<8} {tally}"));
    Ok(faults.is_empty())
}

/// Writes what the release build answers to small problems of the literature.
fn page(data: Option<&Path>) -> Result<bool, String> {
    let root = xtask::root();
    let summary = xtask::literature::write(&root, &release(&root), data)?;
    println!("{summary}");
    Ok(true)
}

/// Prints what the release build makes of the problems of the literature.
fn table() -> Result<bool, String> {
    let root = xtask::root();
    let lines = literature(&release(&root), &root.join("target/attack/literature"))?;
    lines.iter().for_each(|line| println!("{line}"));
    Ok(true)
}

/// Runs the chosen attacks; true when none found a fault.
fn attacks(choice: &[&str]) -> Result<bool, String> {
    let mut kinds: Vec<(Kind, Range<u32>)> = SEEDS.to_vec();
    for word in choice {
        match *word {
            "programs" => kinds.retain(|(kind, _)| *kind == Kind::Programs),
            "fixes" => kinds.retain(|(kind, _)| *kind == Kind::Fixes),
            range => {
                let stated = seeds(range)?;
                kinds.iter_mut().for_each(|(_, seeds)| *seeds = stated.clone());
            }
        }
    }
    let root = xtask::root();
    let folder = root.join("target/attack");
    let mut sound = true;
    for (kind, seeds) in kinds {
        let report = attack(&root, &release(&root), kind, seeds.clone(), &folder)?;
        report.faults.iter().for_each(|fault| println!("{fault}"));
        println!(
            "{kind:?}, seeds {seeds:?}: {} cases, {} commands, {} sound, {} fixed, {} compared, {} faults",
            report.cases,
            report.commands,
            report.sound,
            report.fixed,
            report.compared,
            report.faults.len()
        );
        sound &= report.faults.is_empty();
    }
    Ok(sound)
}
