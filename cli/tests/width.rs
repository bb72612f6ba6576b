//! What the command prints fits 80 columns. Wider is only what is the user's own text, which is never broken: a quoted
//! line of a program, a word or a piece of a program in backticks that has no place to be broken, and what programs
//! read (JSON, the short format of messages, scripts of shells).
// The bans keep the engine off files; these tests read what they compare.
#![allow(clippy::disallowed_methods)]

use crate::document::codes::{Entry, entries};
use crate::document::root;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Columns of a page.
const PAGE: usize = 80;

/// True where a line is allowed to be wider than the page.
fn is_own_text(line: &str) -> bool {
    is_quoted(line) || is_for_programs(line) || cannot_be_broken(line)
}

/// `12 | source`, or a line that a fix writes, `12 + source`; `$ blo ...`, which the user has typed.
fn is_quoted(line: &str) -> bool {
    let number = line.trim_start().trim_start_matches(|c: char| c.is_ascii_digit());
    let numbered = number.len() < line.trim_start().len();
    numbered && [" | ", " + ", " - ", " ~ "].iter().any(|mark| number.starts_with(mark))
        || ["$ ", "blo "].iter().any(|typed| line.starts_with(typed))
}

/// What a program reads: an object of JSON, or a finding in the short format, which has a line for each, as editors want.
fn is_for_programs(line: &str) -> bool {
    let mut parts = line.split(": ");
    let place = parts.next().unwrap_or_default();
    let numbers = place.rsplit(':').take(2).all(|n| n.parse::<u32>().is_ok());
    let severity = parts.next().is_some_and(|s| ["error[", "warning[", "note["].iter().any(|w| s.starts_with(w)));
    line.starts_with("{\"") || place.contains(".blo:") && numbers && severity
}

/// A path, a name or a piece in backticks that begins its line, at most as far to the right as a help text does, and goes
/// beyond the page by itself.
fn cannot_be_broken(line: &str) -> bool {
    const INDENT: usize = 16;
    let words = line.trim_start();
    let first = match words.strip_prefix('`').and_then(|rest| rest.split_once('`')) {
        Some((piece, _)) => piece.len() + 2,
        None => words.split(' ').next().unwrap_or_default().len(),
    };
    let indent = line.len() - words.len();
    indent <= INDENT && indent + first > PAGE
}

/// Lines that are too wide, with where they stand.
fn too_wide(place: &str, text: &str) -> Vec<String> {
    let wide = |line: &&str| line.chars().count() > PAGE && !is_own_text(line);
    text.lines().filter(wide).map(|line| format!("{place}: {line}")).collect()
}

#[test]
fn the_rule_is_narrow() {
    let far = "x".repeat(70);
    let short = format!("p.blo:2:21: error[B0334]: {far}");
    for own in [format!("  12 | {far} + {far}"), format!("1 + {far} + {far}"), format!("   /{far}/{far} ends"), short] {
        assert!(too_wide("", &own).is_empty(), "{own}");
    }
    for other in [format!("   | ^^^ {far} {far}"), format!("   = help: {far} {far}"), format!("error: {far} {far}")] {
        assert_eq!(too_wide("", &other).len(), 1, "{other}");
    }
}

fn files(folder: &Path, end: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|e| e.path());
    let inside = |path: PathBuf| if path.is_dir() { files(&path, end) } else { vec![path] };
    entries.flat_map(inside).filter(|p| p.to_string_lossy().ends_with(end)).collect()
}

/// What documents and snapshots show of the command's output.
#[test]
fn outputs_in_the_repository_fit_the_page() {
    let of = |folder: &str, end| files(&root().join(folder), end);
    let snapshots = [of("cli/tests/snapshots", ".snap"), of("tests/suite", ".snap")].concat();
    let pages = [of("cli/tests/transcript", ".md"), of("docs", ".md"), vec![root().join("README.md")]].concat();
    assert!(snapshots.len() > 150 && pages.len() > 15, "{} and {}", snapshots.len(), pages.len());
    let mut found = Vec::new();
    for path in snapshots.iter().chain(&pages) {
        let text = std::fs::read_to_string(path).expect("a file of the repository");
        let shown = if snapshots.contains(path) { body(&text) } else { outputs(&text) };
        found.extend(too_wide(&path.to_string_lossy(), &shown));
    }
    assert!(found.is_empty(), "{found:#?}");
}

/// A snapshot without its head.
fn body(snapshot: &str) -> String {
    let parts = snapshot.strip_prefix("---\n").and_then(|rest| rest.split_once("\n---\n"));
    parts.map_or(snapshot, |(_, body)| body).to_owned()
}

/// The outputs of a page: fences that begin with a command. What prints a script is left out.
fn outputs(page: &str) -> String {
    let fences = page.split("\n```").skip(1).step_by(2);
    let shown = fences.filter(|f| f.starts_with("console\n") || f.starts_with("\n$ ") || f.starts_with("\nblo "));
    shown.filter(|f| !f.contains("$ blo completions")).collect::<Vec<_>>().join("\n")
}

/// True for a line of a program on the page of a code.
fn is_program(page: &Entry, line: &str) -> bool {
    line.starts_with("  ") && page.fences.iter().any(|f| f.body.lines().any(|l| l == &line[2..]))
}

/// What the command prints of itself, on a pipe.
#[test]
fn help_and_listings_fit_the_page() {
    let run = |arguments: &[&str]| {
        let run = Command::new(env!("CARGO_BIN_EXE_blo")).args(arguments).output().expect("the command runs");
        [run.stdout, run.stderr].map(|s| String::from_utf8_lossy(&s).into_owned()).concat()
    };
    let commands = |help: &str| -> Vec<String> {
        let listed = help.lines().skip_while(|l| *l != "Commands:").skip(1).take_while(|l| !l.is_empty());
        let names = listed.filter(|l| l.starts_with("  ") && !l.starts_with("   "));
        names.filter_map(|l| l.split_whitespace().next().map(str::to_owned)).collect()
    };
    let names = commands(&run(&["-h"]));
    assert!(names.len() > 12, "{names:?}");
    let mut calls: Vec<Vec<String>> = Vec::new();
    for name in names.iter().filter(|name| *name != "help") {
        calls.extend(["-h", "--help", "--frobnicate"].map(|flag| vec![name.clone(), flag.to_owned()]));
    }
    let call = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
    calls.extend(
        [&["--help"][..], &["functions"], &["prox"], &["sets"], &["methods"], &["explain", "output"]].map(call),
    );
    for table in ["functions", "prox", "sets", "methods"] {
        let listing = run(&[table]);
        let first = |l: &str| l.split_whitespace().next().map(str::to_owned);
        let listed = listing.lines().skip(1).filter(|l| !l.starts_with(' ')).filter_map(first);
        calls.extend(listed.map(|name| vec![table.to_owned(), name]));
    }
    assert!(calls.len() > 100, "{}", calls.len());
    let pages = entries();
    calls.extend(pages.iter().map(|e| call(&["explain", e.code])));
    let mut found = Vec::new();
    for call in &calls {
        let words: Vec<&str> = call.iter().map(String::as_str).collect();
        let shown = run(&words);
        let programs = |line: &&str| !pages.iter().any(|e| is_program(e, line));
        found.extend(too_wide(&words.join(" "), &shown.lines().filter(programs).collect::<Vec<_>>().join("\n")));
    }
    assert!(found.is_empty(), "{found:#?}");
}
