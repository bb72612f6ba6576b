//! Runs that are stopped: by the interrupt key, after which everything is written, and by a kill, after which the last
//! checkpoint is whole. Going on from either gives the bits of a run that nobody stopped.
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

/// Presses the key after the first line of a command, which must end with its exit code; that line, and what follows.
fn interrupted(command: &mut Command) -> [String; 2] {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the command runs");
    let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
    let [mut first, mut rest] = [String::new(), String::new()];
    out.read_line(&mut first).expect("a row");
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("a signal");
    assert!(sent.success());
    out.read_to_string(&mut rest).expect("text");
    assert_eq!(child.wait().expect("an end").code(), Some(130));
    [first, rest]
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
    let [first, rest] = interrupted(&mut blo(folder.path(), &[&all[..], &format].concat()));
    assert!(first.starts_with("{\"iteration\":0,"), "{first}");
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
        // What the kill has left of a checkpoint goes with the next run that writes it.
        fs::write(folder.path().join(format!(".{name}.blo-Kill3d.tmp")), "half").expect("a file");
        let more = ["continued.jsonl", "--resume", &name, "--checkpoint", &name];
        let continued = output(folder.path(), &[&common[..], &more].concat());
        assert_eq!(timeless(&continued), timeless(&whole), "after {n} checkpoints");
        let left = fs::read_dir(folder.path()).expect("a folder").flatten().map(|e| e.file_name());
        let hidden: Vec<_> = left.filter(|name| name.as_encoded_bytes().starts_with(b".")).collect();
        assert!(hidden.is_empty(), "{hidden:?}");
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
        let said = String::from_utf8_lossy(&run.stderr).split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(run.status.code() == Some(code) && said.contains(words), "{said}");
        assert!(run.stdout.is_empty());
    };
    refused(&["--resume", "short"], 1, "cut short");
    refused(&["--resume", "other"], 1, "not a checkpoint");
    refused(&["--resume", "none"], 1, "no such file");
    refused(&["--resume", "c", "--set", "beta=0.06"], 1, "`beta` = 0.05, now it is 0.06");
    refused(&["--resume", "c", "-D", "n=4"], 1, "params or data");
    refused(&["--checkpoint", "no/such/folder/c"], 1, "there is no folder");
    refused(&["--checkpoint", "."], 1, "this is a folder");
    refused(&["--every", "5"], 2, "--checkpoint");
}

#[test]
fn every_ending_leaves_a_checkpoint_to_continue_from() {
    let folder = tempfile::tempdir().expect("a folder");
    // Its own end, the limit, the tolerance; a limit that was reached is raised.
    let endings: [(&[&str], &str); 3] = [
        (&["--method", "meha:auto", "--tol", "0", "--max-iter", "300"], "300"),
        (&["--method", "meha:slow", "--tol", "0", "--max-iter", "95"], "217"),
        (&["--method", "meha:slow", "--tol", "0.5", "--max-iter", "1000"], "1000"),
    ];
    let problem = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/transcript/problems/lasso.blo");
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_blo"));
        command.args(["solve", problem, "--format", "json"]).args(arguments).current_dir(folder.path());
        command.output().expect("the command runs")
    };
    for (n, (arguments, limit)) in endings.into_iter().enumerate() {
        let name = format!("c{n}");
        let first = run(&[arguments, &["--checkpoint", &name, "--every", "1000000"]].concat());
        assert!(first.status.success(), "{first:?}");
        let farther = [&arguments[..arguments.len() - 1], &[limit]].concat();
        let resumed = run(&[&farther[..], &["--resume", &name]].concat());
        assert_eq!(timeless(&resumed), timeless(&run(&farther)), "{farther:?}");
    }
}

#[test]
fn a_limit_on_time_ends_lower_steps_and_gives_a_result() {
    let folder = tempfile::tempdir().expect("a folder");
    // One upper step takes minutes: nothing but the token ends this run.
    let text = "upper { var x in [-8, 4]  minimize (y - 1)^2 }  lower { var y  minimize (y - x)^2 + exp(x)*y^2 }
        method rhg { K = 10000000 }";
    fs::write(folder.path().join("p.blo"), text).expect("a file");
    let solve = ["solve", "p.blo", "--method", "rhg", "--set", "memory=1000", "--max-time", "0.3s", "--format", "json"];
    let mut command = Command::new(env!("CARGO_BIN_EXE_blo"));
    let run = command.args(solve).current_dir(folder.path()).output().expect("the command runs");
    let result = timeless(&run);
    assert_eq!((run.status.code(), &result["status"]), (Some(0), &Value::from("time_limit")));
    assert!(result["upper"]["variables"]["x"].is_number(), "{result}");
}

#[test]
fn a_file_that_cannot_be_written_costs_nothing_but_itself() {
    let folder = tempfile::tempdir().expect("a folder");
    // A device that is always full, under a name with an ending.
    if std::os::unix::fs::symlink("/dev/full", folder.path().join("r.json")).is_err()
        || !Path::new("/dev/full").exists()
    {
        return;
    }
    let run = output(folder.path(), &["--max-iter", "20", "--format", "json", "--out", "r.json", "--trace", "t.csv"]);
    assert_eq!(run.status.code(), Some(7), "{run:?}");
    assert_eq!(timeless(&run)["iterations"], 20);
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    assert!(said.contains("r.json: cannot be written: the disk is full"), "{said}");
    assert!(fs::metadata(folder.path().join("t.csv")).expect("the trace").len() > 0);
}

#[test]
fn a_save_that_fails_on_the_way_is_named_at_the_end() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("gone")).expect("a folder");
    let more = ["--max-iter", "1000000000000", "--checkpoint", "gone/c", "--every", "1", "--format", "jsonl"];
    let mut child =
        blo(folder.path(), &more).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the command runs");
    let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut first = String::new();
    out.read_line(&mut first).expect("a row");
    let mut said = BufReader::new(child.stderr.take().expect("a pipe"));
    // A checkpoint may be on its way while the folder goes.
    while folder.path().join("gone").exists() {
        let _ = fs::remove_dir_all(folder.path().join("gone"));
    }
    let mut warning = String::new();
    said.read_line(&mut warning).expect("a warning");
    assert!(warning.starts_with("warning: a checkpoint is not saved: gone/c: cannot be written"), "{warning}");
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("a signal");
    assert!(sent.success());
    let mut rest = String::new();
    out.read_to_string(&mut rest).expect("text");
    let mut end = String::new();
    said.read_to_string(&mut end).expect("text");
    assert_eq!(child.wait().expect("an end").code(), Some(130));
    assert!(rest.lines().last().is_some_and(|line| line.contains("\"interrupted\"")), "{rest}");
    assert!(end.contains("error: gone/c: cannot be written"), "{end}");
}

#[test]
fn files_have_the_mode_that_the_umask_gives() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a folder");
    let files = ["--out", "r.npz", "--trace", "t.csv", "--checkpoint", "c"];
    let problem = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/transcript/problems/lasso.blo");
    for (umask, mode) in [("022", 0o644), ("077", 0o600), ("002", 0o664)] {
        let line = format!("umask {umask}; exec \"$0\" \"$@\"");
        let mut command = Command::new("sh");
        command.args(["-c", &line, env!("CARGO_BIN_EXE_blo"), "solve", problem, "--max-iter", "20", "--quiet"]);
        let run = command.args(files).current_dir(folder.path()).output().expect("the command runs");
        assert!(run.status.success(), "{run:?}");
        for name in ["r.npz", "t.csv", "c"] {
            let path = folder.path().join(name);
            assert_eq!(fs::metadata(&path).expect("the file").permissions().mode() & 0o777, mode, "{name} {umask}");
            fs::remove_file(path).expect("it is there");
        }
    }
}

#[test]
fn rows_are_of_no_consequence_and_may_hold_the_variables() {
    let folder = tempfile::tempdir().expect("a folder");
    let common = ["--max-iter", "600", "--format", "json"];
    let whole = output(folder.path(), &common);
    for every in [1u64, 7] {
        let step = every.to_string();
        let more = ["--trace", "t.csv", "--trace-every", &step, "--trace-variables"];
        let traced = output(folder.path(), &[&common[..], &more].concat());
        assert_eq!(timeless(&traced), timeless(&whole));
        let text = fs::read_to_string(folder.path().join("t.csv")).expect("the trace");
        let title = text.lines().next().unwrap_or_default();
        assert!(title.ends_with(",size,x[1],x[2],y[1],y[2]"), "{title}");
        let width = title.split(',').count();
        assert!(text.lines().all(|line| line.split(',').count() == width), "{text}");
        let rows = text.lines().skip(1).filter_map(|line| line.split(',').next()?.parse::<u64>().ok());
        let multiples: Vec<u64> = rows.filter(|k| k.is_multiple_of(every)).collect();
        let wanted: Vec<u64> = (0..=600u64).filter(|k| k.is_multiple_of(every)).collect();
        assert_eq!(multiples, wanted);
    }
}

#[test]
fn the_interrupt_key_ends_reproduce_without_the_numbers_of_a_run_that_it_cut() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_blo"));
    command.args(["reproduce", "bda-table2-small"]).current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    // the title, which the first of nine runs follows
    let [first, rest] = interrupted(&mut command);
    assert_eq!(rest, "", "after {first}");
}
