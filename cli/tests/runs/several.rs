//! Runs side by side: methods with one budget, over seeds, and values of a sweep.
// The bans keep engine and solvers off files; this test looks at the command's.
#![allow(clippy::disallowed_methods)]

use serde_json::Value;
use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use super::said;

/// The target depends on the seed, and rho on it. The solution y of the lower level is 2/(1 + rho).
const SEEDED: &str = "problem seeded
data t[3] = normal(sd = 0.1)
param shift = 0
upper { var rho in [0, 4]  minimize (w - 1 - shift)^2 + normsq(t)*rho^2 }
lower { var w  minimize (w - 2)^2 + rho*w^2 }
start { rho = 3 }
known { rho = 1 }
metric size = sum(t)
";

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("p.blo"), SEEDED).expect("a file");
    folder
}

fn call(folder: &Path, arguments: &str) -> String {
    let (text, code) = said(folder, arguments);
    assert_eq!(code, Some(0), "{arguments}: {text}");
    text
}

/// The lines of a table in a file, each cell by its title.
fn rows(folder: &Path, name: &str) -> Vec<HashMap<String, String>> {
    let text = fs::read_to_string(folder.join(name)).expect("a table");
    let mut lines = text.lines().map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
    let titles = lines.next().expect("titles");
    lines.map(|cells| titles.iter().cloned().zip(cells).collect()).collect()
}

fn number(row: &HashMap<String, String>, title: &str) -> f64 {
    row.get(title).and_then(|cell| cell.parse().ok()).unwrap_or_else(|| panic!("{title}: {row:?}"))
}

/// Titles whose cells are the same however a run is run.
fn timeless(mut row: HashMap<String, String>) -> HashMap<String, String> {
    row.retain(|title, _| !title.ends_with("seconds") && title != "memory");
    row
}

#[test]
fn a_run_of_a_comparison_is_the_one_that_solve_runs() {
    let folder = folder();
    call(folder.path(), "compare p.blo -m rhg,meha --seeds 3 --out t.csv");
    let rows = rows(folder.path(), "t.csv");
    assert_eq!(rows.len(), 6);
    for row in &rows {
        let line = format!("solve p.blo -m {} --seed {} --format json", row["method"], row["seed"]);
        let result: Value = serde_json::from_str(&call(folder.path(), &line)).expect("a result");
        assert_eq!(number(row, "upper"), result["upper"]["objective"].as_f64().expect("a number"), "{line}");
        assert_eq!(number(row, "size"), result["metrics"]["size"].as_f64().expect("a number"), "{line}");
        assert_eq!(number(row, "iterations"), result["iterations"].as_f64().expect("a number"), "{line}");
    }
    // seeds make other data, the same for every method
    let sizes = |seed: &str| -> Vec<&String> {
        rows.iter().filter(|row| row["seed"] == seed).map(|row| &row["size"]).collect()
    };
    assert!(sizes("1")[0] == sizes("1")[1] && sizes("1")[0] != sizes("2")[0]);
}

#[test]
fn means_are_of_the_runs_in_the_file() {
    let folder = folder();
    call(folder.path(), "compare p.blo -m rhg --seeds 4 --out t.json");
    let text = fs::read_to_string(folder.path().join("t.json")).expect("a file");
    let found: Value = serde_json::from_str(&text).expect("JSON");
    let method = &found["methods"][0];
    let runs = method["runs"].as_array().expect("runs");
    let values: Vec<f64> = runs.iter().filter_map(|run| run["measured"]["upper"].as_f64()).collect();
    let mean = values.iter().sum::<f64>() / 4.0;
    let spread = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 3.0).sqrt();
    let close = |a: &Value, b: f64| (a.as_f64().expect("a number") - b).abs() <= 1e-12 * b.abs();
    assert!(values.len() == 4 && spread > 0.0, "{values:?}");
    assert!(close(&method["mean"]["upper"], mean) && close(&method["spread"]["upper"], spread), "{method}");
    assert!(runs.iter().all(|run| run["result"]["upper"]["variables"]["rho"].is_number()));
}

#[test]
fn a_failed_seed_is_counted_and_shown() {
    let folder = folder();
    // log(x) has no value at the start of some seeds
    let text = "data t = normal()  upper { var x  minimize (x - 1)^2 }  lower { var y  minimize (y - log(x))^2 }  start { x = t }
        method meha { alpha = 0.1;  beta = 0.1;  eta = 0.2;  gamma = 1;  c = 1 }";
    fs::write(folder.path().join("q.blo"), text).expect("a file");
    let printed = call(folder.path(), "compare q.blo -m meha --seeds 6 --out t.csv");
    let rows = rows(folder.path(), "t.csv");
    let failed: Vec<&str> = rows.iter().filter(|row| row["failed"] == "1").map(|row| row["seed"].as_str()).collect();
    assert!(rows.len() == 6 && !failed.is_empty() && failed.len() < 6, "{rows:?}");
    assert!(printed.contains(&format!("{} of 6", 6 - failed.len())), "{printed}");
    for seed in failed {
        assert!(printed.contains(&format!("`meha`, seed {seed}: NOT FINITE")), "{printed}");
    }
}

#[test]
fn a_condition_stops_a_run_and_changes_none_of_its_iterates() {
    let folder = folder();
    call(folder.path(), "compare p.blo -m meha,rhg --until 'err(rho) <= 0.2 and residual_lower < 9' --out t.csv");
    call(folder.path(), "solve p.blo -m meha --trace meha.csv --trace-every 1 --trace-variables -q");
    let held = rows(folder.path(), "t.csv").swap_remove(0);
    let iteration = number(&held, "until_iteration");
    assert_eq!((held["status"].as_str(), number(&held, "iterations")), ("held", iteration));
    assert_eq!(number(&held, "until_gradients"), number(&held, "gradients"));
    let first = rows(folder.path(), "meha.csv").into_iter().find(|row| (number(row, "rho") - 1.0).abs() <= 0.2);
    assert_eq!(first.map(|row| number(&row, "iteration")), Some(iteration));
    // one that never holds leaves the run as it is
    call(folder.path(), "compare p.blo -m meha,cg --until 'rho > 100' --out never.csv");
    call(folder.path(), "compare p.blo -m meha,cg --out plain.csv");
    for (mut never, plain) in rows(folder.path(), "never.csv").into_iter().zip(rows(folder.path(), "plain.csv")) {
        never.retain(|title, cell| !title.starts_with("until") || !cell.is_empty());
        assert_eq!(timeless(never), timeless(plain));
    }
}

#[test]
fn budgets_end_runs_that_would_go_on() {
    let folder = folder();
    let line = "compare p.blo -m meha,rhg --tol 0 --max-iter 1000000000 --out t.csv";
    call(folder.path(), &format!("{line} --grad-budget 500"));
    for row in rows(folder.path(), "t.csv") {
        assert_eq!(row["status"], "budget", "{row:?}");
        assert!(number(&row, "gradients") >= 500.0, "{row:?}");
        let all = number(&row, "grad_lower") + number(&row, "grad_upper") + 2.0 * number(&row, "hvp");
        assert_eq!(number(&row, "gradients"), all);
    }
    // an upper step of minutes: nothing but the clock ends this run, and its point is polished all the same
    let text = "upper { var x in [-8, 4]  minimize (y - 1)^2 }  lower { var y  minimize (y - x)^2 + exp(x)*y^2 }
        method rhg { K = 10000000 }";
    fs::write(folder.path().join("long.blo"), text).expect("a file");
    call(folder.path(), "compare long.blo -m rhg --set memory=1000 --budget 0.2s --out t.csv");
    let row = &rows(folder.path(), "t.csv")[0];
    assert!(row["status"] == "budget" && number(row, "residual_lower") < 1e-6, "{row:?}");
}

#[test]
fn curves_are_those_of_the_methods() {
    let folder = folder();
    call(folder.path(), "compare p.blo -m meha,'rhg(K = 20)' -D shift=0.5 --plot p.svg");
    let text = fs::read_to_string(folder.path().join("p.svg")).expect("a picture");
    for said in ["meha", "rhg(K", "largest error of a variable", "iterations", "shift", "seed 0"] {
        assert!(text.contains(said), "{said}");
    }
    call(folder.path(), "compare p.blo -m meha --plot p.svg --of residual_lower");
    assert!(fs::read_to_string(folder.path().join("p.svg")).expect("a picture").contains("residual_lower"));
    let (text, code) = said(folder.path(), "compare p.blo -m meha --plot p.svg --of residual_lowr");
    assert!(code == Some(2) && text.contains("`residual_lower`"), "{text}");
}

#[test]
fn a_sweep_does_not_depend_on_how_many_run_at_a_time() {
    let folder = folder();
    let sweep = |more: &str| -> Vec<HashMap<String, String>> {
        call(
            folder.path(),
            &format!("sweep p.blo -m rhg -D 'shift=linspace(0,0.4,3)' --set K=5,50 --out t.csv {more}"),
        );
        rows(folder.path(), "t.csv").into_iter().map(timeless).collect()
    };
    let plain = sweep("");
    let points: Vec<[&str; 2]> = plain.iter().map(|row| ["shift", "K"].map(|title| row[title].as_str())).collect();
    assert_eq!(points, [["0", "5"], ["0", "50"], ["0.2", "5"], ["0.2", "50"], ["0.4", "5"], ["0.4", "50"]]);
    assert_eq!(plain, sweep("--jobs 3"));
    // a point of the grid is a run of `solve`
    let line = "solve p.blo -m rhg -D shift=0.2 --set K=5 --format json";
    let result: Value = serde_json::from_str(&call(folder.path(), line)).expect("a result");
    assert_eq!(number(&plain[2], "upper"), result["upper"]["objective"].as_f64().expect("a number"));
    let warm = sweep("--warm");
    assert_eq!(warm, sweep("--warm --jobs 2"));
    assert!(warm.iter().map(|row| row["warm"].as_str()).eq(["0", "1", "0", "1", "0", "1"]), "{warm:?}");
    let total = |rows: &[HashMap<String, String>]| rows.iter().map(|row| number(row, "iterations")).sum::<f64>();
    assert!(total(&warm) < total(&plain), "{warm:?} {plain:?}");
}

#[test]
fn a_sweep_is_drawn_over_its_values() {
    let folder = folder();
    let line = "sweep p.blo -m rhg --set K=5,50 -D 'shift=linspace(0,0.4,3)' --along shift --plot p.svg";
    let (text, code) = said(folder.path(), &format!("{line} --of 'err(rho)'"));
    assert_eq!(code, Some(0), "{text}");
    let text = fs::read_to_string(folder.path().join("p.svg")).expect("a picture");
    for said in ["err(rho)", "shift", "method rhg", "K = 50"] {
        assert!(text.contains(said), "{said}: {text}");
    }
    assert!(!text.contains("iterations"));
    let (text, code) = said(folder.path(), &format!("{line} --of residual_lowr"));
    assert!(code == Some(2) && text.contains("did you mean `residual_lower`?"), "{text}");
    // what may be drawn is what the file has
    call(folder.path(), "sweep p.blo -m rhg --set K=5,50 --out t.csv");
    let table = fs::read_to_string(folder.path().join("t.csv")).expect("a table");
    let titles: Vec<&str> = table.lines().next().expect("titles").split(',').collect();
    let (text, code) = said(folder.path(), &format!("{line} --of nothing_like_it"));
    let listed = text.split("it may be ").nth(1).expect("a list").replace('\n', " ");
    let listed: Vec<&str> = listed.split(',').map(str::trim).collect();
    assert_eq!((code, listed.as_slice()), (Some(2), &titles[5..titles.len() - 2]));
    let (text, code) = said(folder.path(), "sweep p.blo -m rhg --set start=warm,cold --plot p.svg");
    assert!(code == Some(2) && text.contains("not a number"), "{text}");
}

#[test]
fn a_warm_sweep_over_sizes_begins_each_from_its_own_start() {
    let folder = folder();
    let text = "param n = 2  upper { var x[n]  minimize normsq(x - y) + normsq(y - 1) }  lower { var y[n]  minimize normsq(y - x) }";
    fs::write(folder.path().join("n.blo"), text).expect("a file");
    let printed = call(folder.path(), "sweep n.blo -m rhg -D n=2..4 --warm --out t.json");
    assert!(printed.contains("0 of 3 runs began where"), "{printed}");
    let found: Value =
        serde_json::from_str(&fs::read_to_string(folder.path().join("t.json")).expect("a file")).expect("JSON");
    let points = found["points"].as_array().expect("points");
    assert!(points.iter().map(|p| p["n"].as_f64()).eq([Some(2.0), Some(3.0), Some(4.0)]), "{found}");
}

#[test]
fn the_interrupt_key_keeps_what_has_run() {
    if !Path::new("/proc/self/cmdline").exists() {
        // nobody tells which run there is
        return;
    }
    let folder = folder();
    let endless = "'rhg(max_iter = 3)' 'meha(max_iter = 1000000000000, tol = 0, alpha = 0.01, beta = 0.01, eta = 0.1, gamma = 1, c = 1)'";
    for (line, run) in [
        (format!("compare p.blo -m {endless} --out t.csv"), "1,0"),
        ("sweep p.blo -m 'meha(alpha = 0.01, beta = 0.01, eta = 0.1, gamma = 1, c = 1)' --tol 0 --set max_iter=3,1000000000000 --out t.csv".to_owned(), "1"),
    ] {
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("exec \"$BLO\" {line}")]).env("BLO", env!("CARGO_BIN_EXE_blo"));
        shell.current_dir(folder.path()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let command = shell.spawn().expect("the command runs");
        while !runs(command.id(), run) {
            std::thread::yield_now();
        }
        let sent = Command::new("kill").args(["-INT", &command.id().to_string()]).status().expect("a signal");
        assert!(sent.success());
        let ended = command.wait_with_output().expect("an end");
        let text = String::from_utf8_lossy(&ended.stdout).into_owned();
        assert_eq!(ended.status.code(), Some(130), "{line}: {text} {}", String::from_utf8_lossy(&ended.stderr));
        let rows = fs::read_to_string(folder.path().join("t.csv")).expect("the file");
        let lines: Vec<&str> = rows.lines().collect();
        // the run that was stopped has a row if it had begun to iterate
        assert!((2..=3).contains(&lines.len()) && !lines[1].contains("interrupted"), "{rows}");
        assert!(lines.len() == 2 && text.contains("Interrupted") || lines[2].contains("interrupted"), "{rows} {text}");
        fs::remove_file(folder.path().join("t.csv")).expect("it is there");
    }
}

/// True where a child of a process does this run.
fn runs(parent: u32, run: &str) -> bool {
    let children = fs::read_dir(format!("/proc/{parent}/task")).into_iter().flatten().flatten();
    let children = children.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    let children: Vec<String> =
        children.flat_map(|c| c.split_whitespace().map(str::to_owned).collect::<Vec<_>>()).collect();
    children.iter().any(|child| {
        let line = fs::read_to_string(format!("/proc/{child}/cmdline")).unwrap_or_default();
        let words: Vec<&str> = line.split('\0').collect();
        words.windows(2).any(|pair| pair == ["--one-run", run])
    })
}
