//! The command and the Rust API give the same answers: they are made of the same calls.

#![allow(clippy::disallowed_methods)]

use std::process::Command;

use blo::{Options, Problem};
use serde_json::Value;

use crate::document::root;

/// What the command prints for a file of `specs/`, on both streams.
fn command(arguments: &[&str]) -> (String, String) {
    let run = Command::new(env!("CARGO_BIN_EXE_blo")).args(arguments).current_dir(root()).env("NO_COLOR", "1").output();
    let run = run.expect("the command runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&run.stdout), text(&run.stderr))
}

/// A result without what no two runs share.
fn timeless(mut result: Value) -> Value {
    result["seconds"] = Value::Null;
    result
}

fn spec(name: &str) -> (Problem, String) {
    let file = format!("specs/{name}.blo");
    (Problem::from_path(root().join(&file)).expect("a sound file"), file)
}

#[test]
fn a_solution_has_the_bits_of_the_commands() {
    for (name, method) in [("ridge_study", "auto"), ("ridge_study", "meha:stated"), ("meha_eq18", "rhg")] {
        let (problem, file) = spec(name);
        let (printed, _) = command(&["solve", &file, "-m", method, "--threads", "1", "--format", "json"]);
        let solution = problem.solve(&Options::new().method(method).threads(1)).expect("a result");
        let printed: Value = serde_json::from_str(&printed).expect("an object");
        assert_eq!(timeless(printed), timeless(solution.to_json()), "{name} with {method}");
    }
}

#[test]
fn texts_are_those_of_the_command() {
    let (problem, file) = spec("ridge_study");
    assert_eq!(blo::explain(&problem).expect("a text"), command(&["explain", &file]).0);
    let plan = blo::plan(&problem, &Options::new().method("rhg").threads(1)).expect("a plan");
    assert_eq!(plan.to_string(), command(&["plan", &file, "-m", "rhg", "--threads", "1"]).0);
    assert_eq!(blo::format(problem.text()).expect("a layout"), problem.text());
    let (summary, _) = command(&["solve", &file, "--threads", "1"]);
    let summary = summary.split_once("\n\n").map_or("", |(_, summary)| summary);
    let timeless = |text: &str| text.lines().filter(|l| !l.starts_with("time")).map(str::to_owned).collect::<Vec<_>>();
    let solution = problem.solve(&Options::new().threads(1)).expect("a result");
    assert_eq!(timeless(&solution.to_string()), timeless(summary));
}

#[test]
fn mistakes_read_alike() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in [
        ("syntax", "upper { var x\n  minimise x^2 }\nlower { var y  minimize y^2 }"),
        ("name", "upper { var x  minimize x^2 + z }\nlower { var y  minimize (y - x)^2 }"),
        (
            "file",
            "data a[_] = csv(\"a.csv\")\nupper { var x  minimize x^2 + sum(a) }\nlower { var y  minimize (y - x)^2 }",
        ),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("a file of the test");
        let error =
            Problem::from_path(&path).and_then(|problem| problem.solve(&Options::new())).expect_err("a mistake");
        let (_, said) = command(&["solve", path.to_str().expect("a plain path")]);
        assert_eq!(error.to_string().trim_end(), said.trim_end(), "{name}");
    }
}
