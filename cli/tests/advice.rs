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

/// What stands for something in a piece, and an instance of it.
const PLACEHOLDERS: [(&str, &str); 10] = [
    ("var ...", "var a"),
    ("[...]", "[2]"),
    ("\"...\"", "\"a\""),
    ("... for", "1 for"),
    ("{ ... }", "{ }"),
    // options of an item, arguments of a function
    ("(...) = ...", "(a) = 1"),
    ("*(...)", "*(1)"),
    ("(.)", "(a)"),
    ("(...)", "(a = 1)"),
    ("...", "1"),
];

/// Where a piece may stand: it is an item, a statement, a row, an entry, a domain, a clause, options, a head, an operator.
const PLACES: [&str; 16] = [
    "@",
    "upper { @ }",
    "upper { var a @ }",
    "upper { subject to { @ } }",
    "start { @ }",
    "known { @ }",
    "expect { @ }",
    "split @ into a: 1",
    "episodes a from b @",
    "let a = [a @]",
    "let a = @",
    "let a = f(b, @)",
    "@ { var a }",
    "@ j in D { var a }",
    "let a = b @ c",
    "let a @ 1",
];

/// True if a piece in backticks, with instances for its placeholders, is part of a program.
fn parses(piece: &str) -> bool {
    let instance = PLACEHOLDERS.iter().fold(piece.to_owned(), |text, (mark, instance)| text.replace(mark, instance));
    PLACES.iter().any(|place| blo_grammar::parse(&place.replace('@', &instance)).is_sound())
}

#[test]
fn pieces_that_are_no_programs_do_not_parse() {
    for piece in
        ["c_k = c*k^p, not c = 2", "|y|", "minimize", "a b", "x[1", "write it", "lower {", "var", "= b", "a = = b"]
    {
        assert!(!parses(piece), "{piece}");
    }
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

#[test]
fn pieces_of_programs_in_help_parse() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut seen, mut bad) = (0, BTreeSet::new());
    for program in programs() {
        for d in findings(folder.path(), &program) {
            for help in d["help"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                for piece in pieces(help) {
                    seen += 1;
                    if !parses(piece) {
                        bad.insert(format!("{}: `{piece}`", d["code"]));
                    }
                }
            }
        }
    }
    assert!(seen > 100, "{seen}");
    assert!(bad.is_empty(), "{bad:#?}");
}

/// Errors of the syntax, of the model, and of methods; each hides those after it.
fn errors_by_phase(found: &[Value]) -> [usize; 3] {
    let count = |phase: fn(&str) -> bool| {
        found.iter().filter(|d| d["severity"] == "error" && d["code"].as_str().is_some_and(phase)).count()
    };
    [
        count(|code| code.starts_with("B01")),
        count(|code| !code.starts_with("B01") && !code.starts_with("B06")),
        count(|code| code.starts_with("B06")),
    ]
}

/// The program after the edits of a finding's fix, as an editor would make them.
fn edited(program: &str, finding: &Value) -> String {
    let mut edits: Vec<&Value> = finding["fix"]["edits"].as_array().into_iter().flatten().collect();
    edits.reverse();
    let mut text = program.to_owned();
    for edit in edits {
        let at = |end: &str| edit["span"][end]["offset"].as_u64().expect("an offset") as usize;
        text.replace_range(at("start")..at("end"), edit["text"].as_str().expect("a text"));
    }
    text
}

/// Each fix alone, guesses too.
#[test]
fn fixes_leave_less_wrong() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut safe, mut guesses, mut bad) = (0, 0, Vec::new());
    for program in programs() {
        let before = findings(folder.path(), &program);
        for d in before.iter().filter(|d| !d["fix"].is_null() && d["severity"] == "error") {
            *if d["fix"]["safe"] == true { &mut safe } else { &mut guesses } += 1;
            let after = findings(folder.path(), &edited(&program, d));
            let (was, is) = (errors_by_phase(&before), errors_by_phase(&after));
            // one mistake hides another
            let same = |a: &&Value| a["primary"] == d["primary"] && a["message"] == d["message"];
            let next = is == was && !after.iter().any(|a| same(&a));
            if is >= was && !next {
                bad.push(format!("{}: {} in\n{program}", d["code"], d["fix"]["text"]));
            }
        }
    }
    assert!(safe > 15 && guesses > 35, "{safe} {guesses}");
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}

/// What is near by spelling, and no help: the name is taken, takes other arguments, or is another thing.
#[test]
fn guesses_that_mend_nothing_are_not_shown() {
    const LOWER: &str = "lower { var y   minimize (y - x)^2 }\n";
    const LEVELS: &str = "upper { var x   minimize x^2 }\nlower { var y   minimize (y - x)^2 }\n";
    let folder = tempfile::tempdir().expect("a folder");
    for (program, code) in [
        (format!("{LEVELS}method meha {{ max_iter = 5;  maxiter = 7 }}\n"), "B0603"),
        (format!("{LEVELS}method meha {{ max_iter = 5 }}\nmethod mehaa {{ K = 5 }}\n"), "B0601"),
        (format!("data A[3] = normal(seed = 1, sed = 2)\n{LEVELS}metric m = sum(A)\n"), "B0210"),
        (format!("let a = [1, 2]\n{LEVELS}metric m = norm1x(a, 1)\n"), "B0205"),
        (format!("upper {{ var x   minimize x^2 + 0x10 }}\n{LOWER}"), "B0113"),
        (format!("let b = 3\nupper {{ var x   minimize x^2 + 1e-3f }}\n{LOWER}"), "B0105"),
        (format!("let t = [1, 2]\n{LEVELS}metric m = t'*t'\n"), "B0302"),
        (format!("{LEVELS}metric m = log10(2)\n"), "B0205"),
        (format!("fn f(x): return x\n{LEVELS}"), "B0116"),
    ] {
        let found = findings(folder.path(), &program);
        let d = found.iter().find(|d| d["code"] == code).unwrap_or_else(|| panic!("{code} in\n{program}: {found:?}"));
        let asks =
            d["help"].as_array().into_iter().flatten().any(|h| h.as_str().is_some_and(|h| h.contains("did you")));
        if code != "B0113" {
            assert!(d["fix"].is_null() && !asks, "{d}\nin\n{program}");
        }
        assert_ne!(d["fix"]["safe"], true, "{program}");
    }
}

/// Advice on the reports that gave it, taken up by hand: the program that it makes is solved.
#[test]
fn advice_leads_to_the_solution() {
    let folder = tempfile::tempdir().expect("a folder");
    // B0414: the factor in the place of a set that moves, and a start where it is not zero; p = 2.95
    let moving = "let y = p*u\nupper { var p in [0, 5]   minimize (y - 3)^2 + 0.1*p }\n\
                  lower { var u in [0, 1]   minimize -y }\nstart { p = 1;  u = 0.5 }\n\
                  known { p = 2.95;  u = 1;  upper = 0.2975 }\n\
                  expect (tol = 1e-8) { err(p) <= 1e-4; err(u) <= 1e-4 }\n";
    // the penalty of `y <= x` in both objectives; x = y = 1.5 with a constraint
    let penalty = "upper { var x in [0, 3]   minimize (x - 1)^2 + (y - 2)^2 + 100*max(y - x, 0)^2 }\n\
                   lower { var y in [0, 3]   minimize (y - 2)^2 + 100*max(y - x, 0)^2 }\n\
                   expect { abs(x - 1.5) <= 0.01; abs(y - x) <= 0.01 }\n";
    // the same of BilevelJuMP's own linear example, its variables bounded; F = 92/15 with constraints
    let linear = "let h = [x + y - 8, 8 - 4*x - y, 2*x + y - 13, 2*x - 7*y]\nlet penalty = 100*sum(max(h, 0).^2)\n\
                  upper { var y in [0, 8]   minimize 3*x + y + penalty }\n\
                  lower { var x in [0, 5]   minimize -x + penalty }\nexpect { abs(upper - 92/15) <= 0.001 }\n";
    for (name, program) in [("moving", moving), ("penalty", penalty), ("linear", linear)] {
        std::fs::write(folder.path().join("p.blo"), program).expect("a file");
        let mut blo = Command::new(env!("CARGO_BIN_EXE_blo"));
        let run = blo.args(["test", "p.blo"]).current_dir(folder.path()).output().expect("the command runs");
        let said = String::from_utf8_lossy(&run.stdout).into_owned();
        assert_eq!(run.status.code(), Some(0), "{name}: {said}");
    }
}
