//! `cargo xtask docs` writes the generated files; with `--check` it only says which are stale. `cargo xtask attack` tries
//! mutated programs with the release build.
// The bans keep the engine off files and terminals; this command is about both.
#![allow(clippy::disallowed_methods, clippy::disallowed_macros)]

use std::ops::Range;
use std::process::ExitCode;

use xtask::attack::{Kind, attack, release};

const USAGE: &str = "usage: cargo xtask docs [--check] | cargo xtask attack [programs|fixes] [FROM..TO]";
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

/// Runs the chosen attacks; true when none found a fault.
fn attacks(choice: &[&str]) -> Result<bool, String> {
    let mut kinds: Vec<(Kind, Range<u32>)> = SEEDS.to_vec();
    for word in choice {
        match *word {
            "programs" => kinds.retain(|(kind, _)| *kind == Kind::Programs),
            "fixes" => kinds.retain(|(kind, _)| *kind == Kind::Fixes),
            range => {
                let ends = range.split_once("..").and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
                let (from, to) = ends.ok_or(USAGE)?;
                kinds.iter_mut().for_each(|(_, seeds)| *seeds = from..to);
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
