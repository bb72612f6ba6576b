//! Runs that are stopped: by the interrupt key, after which everything is written, and by a kill, after which the last
//! checkpoint is whole. Going on from either gives the bits of a run that nobody stopped.
#![cfg(unix)]
// The bans keep engine and solvers off files; this test looks at the command's.
#![allow(clippy::disallowed_methods)]

use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn blo(folder: &Path, arguments: &[&str]) -> Command {
    let problem = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/transcript/problems/lasso.blo");
    let mut command = Command::new(env!("CARGO_BIN_EXE_blo"));
    command.args(["solve", problem, "--method", "meha:slow", "--tol", "0"]).args(arguments).current_dir(folder);
    command
}

fn output(folder: &Path, arguments: &[&str]) -> Output {
    blo(folder, arguments).output().expect("the command runs")
}

/// The result without the clock's part.
fn timeless(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stdout);
    let last = text.lines().last().unwrap_or_default();
    let mut result: Value = serde_json::from_str(last).unwrap_or_else(|e| panic!("{e}: {text} {output:?}"));
    result.as_object_mut().expect("one object").remove("seconds").expect("the times");
    result
}

/// The trace without the clock's part.
fn rows(path: PathBuf) -> Vec<Value> {
    let text = fs::read_to_string(path).expect("the trace");
    let rows = text.lines().map(|line| serde_json::from_str(line).expect("an object per line"));
    rows.map(|mut row: Value| {
        row.as_object_mut().expect("an object").remove("seconds");
        row
    })
    .collect()
}

#[test]
fn the_interrupt_key_ends_the_iteration_and_everything_is_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let all = ["--max-iter", "1000000000000", "--out", "r.npz", "--trace", "t.jsonl", "--checkpoint", "c"];
    let format = ["--format", "jsonl"];
    let mut child = blo(folder.path(), &[&all[..], &format].concat())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command runs");
    let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut first = String::new();
    out.read_line(&mut first).expect("a row");
    assert!(first.starts_with("{\"iteration\":0,"), "{first}");
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("a signal");
    assert!(sent.success());
    let mut rest = String::new();
    out.read_to_string(&mut rest).expect("text");
    assert_eq!(child.wait().expect("an end").code(), Some(130));
    let result: Value = serde_json::from_str(rest.lines().last().expect("the result")).expect("an object");
    assert_eq!((&result["status"], &result["polish"]), (&Value::from("interrupted"), &Value::Null));
    let iterations = result["iterations"].as_u64().expect("a number");
    let trace = rows(folder.path().join("t.jsonl"));
    assert_eq!(trace.last().expect("rows")["iteration"], iterations);
    assert!(fs::metadata(folder.path().join("r.npz")).expect("the result").len() > 0);
    // On from the checkpoint, and the same from the start: equal bits.
    let limit = (iterations + 500).to_string();
    let resumed = output(folder.path(), &["--max-iter", &limit, "--resume", "c", "--format", "json"]);
    let whole = output(folder.path(), &["--max-iter", &limit, "--format", "json"]);
    assert_eq!(timeless(&resumed), timeless(&whole));
}

#[test]
fn a_killed_run_goes_on_from_its_last_checkpoint() {
    let folder = tempfile::tempdir().expect("a folder");
    let common = ["--max-iter", "20000", "--format", "json", "--trace"];
    let whole = output(folder.path(), &[&common[..], &["whole.jsonl"]].concat());
    for (n, every) in [(1, "1"), (2, "37"), (5, "100"), (9, "333")] {
        let path = folder.path().join(format!("c{n}"));
        let name = format!("c{n}");
        let write = ["killed.jsonl", "--checkpoint", &name, "--every", every];
        let mut child = blo(folder.path(), &[&common[..], &write].concat())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the command runs");
        let (mut changes, mut seen) = (0, Vec::new());
        while changes < n && child.try_wait().expect("a state").is_none() {
            if let Ok(bytes) = fs::read(&path).map_err(drop).and_then(|b| if b == seen { Err(()) } else { Ok(b) }) {
                (changes, seen) = (changes + 1, bytes);
            }
            std::thread::yield_now();
        }
        // SIGKILL; a run that was faster than this loop has ended, and its last checkpoint is as good.
        let _ = child.kill();
        child.wait().expect("an end");
        let resumed = output(folder.path(), &[&common[..], &["resumed.jsonl", "--resume", &name]].concat());
        assert_eq!(timeless(&resumed), timeless(&whole), "after {n} checkpoints");
        assert_eq!(rows(folder.path().join("resumed.jsonl")), rows(folder.path().join("whole.jsonl")));
    }
}

#[test]
fn what_is_no_checkpoint_of_this_run_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let made = output(folder.path(), &["--max-iter", "50", "--checkpoint", "c", "--quiet"]);
    assert!(made.status.success(), "{made:?}");
    let bytes = fs::read(folder.path().join("c")).expect("the checkpoint");
    fs::write(folder.path().join("short"), &bytes[..bytes.len() / 2]).expect("a file");
    fs::write(folder.path().join("other"), "upper {}").expect("a file");
    let refused = |arguments: &[&str], code: i32, words: &str| {
        let run = output(folder.path(), arguments);
        let said = String::from_utf8_lossy(&run.stderr).into_owned();
        assert!(run.status.code() == Some(code) && said.contains(words), "{said}");
        assert!(run.stdout.is_empty());
    };
    refused(&["--resume", "short"], 1, "cut short");
    refused(&["--resume", "other"], 1, "not a checkpoint");
    refused(&["--resume", "none"], 1, "no such file");
    refused(&["--resume", "c", "--set", "beta=0.06"], 1, "`beta` = 0.05, now it is 0.06");
    refused(&["--resume", "c", "-D", "n=4"], 1, "params or data");
    refused(&["--checkpoint", "no/such/folder/c"], 1, "there is no folder");
    refused(&["--every", "5"], 2, "--checkpoint");
}
