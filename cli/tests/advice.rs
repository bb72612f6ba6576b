//! Advice holds: a piece of program in a help text parses, and a fix of a wrong program leaves less wrong.
// The bans keep the engine off files; these tests read what they compare.
#![allow(clippy::disallowed_methods)]

use crate::document::codes::entries;
use crate::document::root;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

/// The programs of `tests/suite/bad` and the wrong ones of the pages of codes.
fn programs() -> Vec<String> {
    let folder = root().join("tests/suite/bad");
    let files = std::fs::read_dir(folder).expect("the suite").flatten().map(|e| e.path());
    let suite = files.filter(|p| p.extension().is_some_and(|e| e == "blo"));
    let mut found: Vec<String> = suite.filter_map(|p| std::fs::read_to_string(p).ok()).collect();
    let wrong = |words: &[&str]| matches!(words, ["blo", "wrong", ..]);
    let pages = entries();
    found.extend(pages.iter().flat_map(|e| &e.fences).filter(|f| wrong(&f.words())).map(|f| f.body.to_owned()));
    found
}

/// What `check` says of a program, an object for each finding.
fn findings(folder: &Path, program: &str) -> Vec<Value> {
    std::fs::write(folder.join("p.blo"), program).expect("a file");
    let mut blo = Command::new(env!("CARGO_BIN_EXE_blo"));
    let run = blo.args(["check", "p.blo", "--message-format", "json"]).current_dir(folder).output();
    let said = String::from_utf8(run.expect("the command runs").stdout).expect("text");
    said.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

fn errors(found: &[Value]) -> usize {
    found.iter().filter(|d| d["severity"] == "error").count()
}

/// True if a piece in backticks is part of a program: an expression, an item, a statement, an entry or a domain.
fn parses(piece: &str) -> bool {
    let piece = piece.replace("{ ... }", "{}").replace("\"...\"", "\"a\"").replace("...", "1");
    let piece = piece.trim_start_matches("+ ");
    let sound = |text: String| blo_grammar::parse(&text).is_sound();
    blo_grammar::parse_expression(piece).is_ok()
        || sound(piece.to_owned())
        || sound(format!("upper {{ {piece} }}"))
        || sound(format!("upper {{ var a {piece} }}"))
        || sound(format!("start {{ {piece} }}"))
        || sound(format!("known {{ {piece} }}"))
        || sound(format!("split {piece} into a: 1"))
        || sound(format!("let a = [a {piece}]"))
}

/// Pieces in backticks that look like programs: more than a word, and no command, flag or file.
fn pieces(help: &str) -> Vec<&str> {
    let quoted = help.split('`').skip(1).step_by(2);
    quoted
        .filter(|p| {
            p.contains([' ', '(', '[', '=']) && !p.starts_with("blo ") && !p.starts_with('-') && !p.contains(" -> ")
        })
        .collect()
}

/// Formulas, words and schematic pieces of messages, which are no pieces of programs.
const NO_PROGRAMS: [&str; 12] = [
    "==",
    "lower for",
    "lower { var ... }",
    "lower { var ...  minimize ... }",
    "lower for j in D",
    "cols(.)",
    "rows(.)",
    "height = 4, width = 4",
    "corrupt d.v (...)",
    "corrupt train.v (...)",
    "c_k = c*k^p, not c = 0.1*k^0.4",
    "|y - prox(y - f_y)|",
];

#[test]
fn pieces_of_programs_in_help_parse() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut seen, mut bad) = (0, BTreeSet::new());
    for program in programs() {
        for d in findings(folder.path(), &program) {
            for help in d["help"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                for piece in pieces(help) {
                    seen += 1;
                    if !NO_PROGRAMS.contains(&piece) && !parses(piece) {
                        bad.insert(format!("{}: `{piece}`", d["code"]));
                    }
                }
            }
        }
    }
    assert!(seen > 100, "{seen}");
    assert!(bad.is_empty(), "{bad:#?}");
}

/// Each safe fix alone, as an editor would make it.
#[test]
fn fixes_leave_less_wrong() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut seen, mut bad) = (0, Vec::new());
    for program in programs() {
        let before = findings(folder.path(), &program);
        for d in before.iter().filter(|d| d["fix"]["safe"] == true && d["severity"] == "error") {
            let mut edits: Vec<&Value> = d["fix"]["edits"].as_array().into_iter().flatten().collect();
            edits.reverse();
            let mut text = program.clone();
            for edit in edits {
                let at = |end: &str| edit["span"][end]["offset"].as_u64().expect("an offset") as usize;
                text.replace_range(at("start")..at("end"), edit["text"].as_str().expect("a text"));
            }
            seen += 1;
            let after = findings(folder.path(), &text);
            let again = after.iter().any(|a| a["code"] == d["code"] && a["message"] == d["message"]);
            // what a broken text hid may show once it is sound
            let hidden = d["code"].as_str().is_some_and(|c| c.starts_with("B01"));
            if !hidden && errors(&after) >= errors(&before) || hidden && again && errors(&after) >= errors(&before) {
                bad.push(format!("{}: {} in\n{program}", d["code"], d["fix"]["text"]));
            }
        }
    }
    assert!(seen > 20, "{seen}");
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}
