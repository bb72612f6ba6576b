//! `cargo xtask bench --against REV`: the release build of the working tree beside that of a revision, on a fixed list of
//! runs, in turn. Times per iteration are differences of two run lengths, taken from the rows of the runs, so that only
//! iterations count. The programs that run are those of the working tree, and generate their data.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// What is measured: a name and the arguments of `blo solve`.
struct Spec {
    name: &'static str,
    arguments: &'static str,
}

const EQ18: &str = "specs/meha_eq18.blo -m meha:tuned";
const EQ19: &str = "specs/meha_eq19.blo -m meha:tuned";
const NETWORK: &str = "benches/programs/cleaning_mlp.blo -m meha";
const REVERSE: &str = "benches/programs/cleaning_softmax.blo -m rhg --set start=fixed";
const CONVOLUTION: &str = "benches/programs/few_shot_conv.blo -m meha --precision f32";

/// The list: arguments that are common to several runs, the name, and what is its own.
const SPECS: [(&str, Spec); 14] = [
    (EQ19, Spec { name: "eq19 n=1", arguments: "-D n=1" }),
    (EQ19, Spec { name: "eq19 n=100", arguments: "-D n=100 --set alpha=0.0005" }),
    (EQ19, Spec { name: "eq19 n=1000", arguments: "-D n=1000 --set alpha=0.00005" }),
    (EQ19, Spec { name: "eq19 n=1e5", arguments: "-D n=100000 --set alpha=0.0000005" }),
    (EQ18, Spec { name: "eq18 n=100", arguments: "-D n=100" }),
    (EQ18, Spec { name: "eq18 n=1000", arguments: "-D n=1000" }),
    (EQ18, Spec { name: "eq18 n=1e5", arguments: "-D n=100000" }),
    (EQ18, Spec { name: "eq18 gamma=1 n=1000", arguments: "-D n=1000 --set gamma=1" }),
    (EQ18, Spec { name: "eq18 gamma=1 n=1e5", arguments: "-D n=100000 --set gamma=1" }),
    (NETWORK, Spec { name: "cleaning mlp f32", arguments: "--precision f32" }),
    (NETWORK, Spec { name: "cleaning mlp f64", arguments: "--precision f64" }),
    (REVERSE, Spec { name: "cleaning softmax f32", arguments: "--precision f32" }),
    (REVERSE, Spec { name: "cleaning softmax f64", arguments: "--precision f64" }),
    (CONVOLUTION, Spec { name: "few-shot conv f32", arguments: "" }),
];

/// Pairs of runs of each build.
const RUNS: usize = 7;

/// Seconds that a long run has more than a run of one iteration.
const SECONDS: f64 = 0.4;

/// The short run has this part of the iterations of the long one.
const SHORT: u64 = 8;

/// The least iterations of a long run; the short one has at least half of them: runs look at every iterate of the first
/// twenty, and more and more seldom later.
const LEAST: u64 = 40;

/// Measures the runs whose names contain `filter`; `show` gets a line for each as it is known.
///
/// # Errors
/// A sentence, when a build or a run fails.
pub fn against(root: &Path, revision: &str, filter: &str, show: &mut dyn FnMut(&str)) -> Result<(), String> {
    let chosen: Vec<&(&str, Spec)> = SPECS.iter().filter(|(_, spec)| spec.name.contains(filter)).collect();
    if chosen.is_empty() {
        let names: Vec<&str> = SPECS.iter().map(|(_, spec)| spec.name).collect();
        return Err(format!("no run has `{filter}` in its name; there are: {}", names.join(", ")));
    }
    let root = root.canonicalize().map_err(|e| format!("{}: {e}", root.display()))?;
    let old = build_revision(&root, revision)?;
    let new = build(&root, &root.join("target"))?;
    show(&format!("{:<22} {:>11} {:>11}  ratio new/old (quartiles)", "iteration", "old", "new"));
    for (common, spec) in chosen {
        let arguments: Vec<&str> =
            common.split(' ').chain(spec.arguments.split(' ')).filter(|a| !a.is_empty()).collect();
        let run = |blo: &Path, iterations| seconds(&root, blo, &arguments, iterations);
        let long = length(&|iterations| run(&old, iterations))?;
        let short = (long / SHORT).max(LEAST / 2);
        let each =
            |blo: &Path| Ok::<f64, String>((run(blo, long)? - run(blo, short)?).max(1e-9) / (long - short) as f64);
        let pairs = (0..RUNS).map(|_| Ok((each(&old)?, each(&new)?))).collect::<Result<Vec<_>, String>>()?;
        show(&row(spec.name, &pairs));
    }
    Ok(())
}

/// Medians of both and the ratio with its quartiles.
fn row(name: &str, pairs: &[(f64, f64)]) -> String {
    let [old, new] = [|p: &(f64, f64)| p.0, |p: &(f64, f64)| p.1].map(|pick| quartiles(pairs.iter().map(pick))[1]);
    let [low, middle, high] = quartiles(pairs.iter().map(|(old, new)| new / old));
    let unit = |seconds: f64| format!("{:.3} us", 1e6 * seconds);
    format!("{name:<22} {:>11} {:>11}  {middle:.2} ({low:.2} to {high:.2})", unit(old), unit(new))
}

/// The quartiles, between two values where they lie there.
fn quartiles(values: impl Iterator<Item = f64>) -> [f64; 3] {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    [0.25, 0.5, 0.75].map(|part| {
        let at = part * (sorted.len() - 1) as f64;
        let (low, high) = (sorted[at.floor() as usize], sorted[at.ceil() as usize]);
        low + (high - low) * at.fract()
    })
}

/// Iterations that take [`SECONDS`] more than one does, at least [`LEAST`].
fn length(run: &dyn Fn(u64) -> Result<f64, String>) -> Result<u64, String> {
    let (first, mut iterations) = (run(1)?, 1);
    loop {
        iterations *= 4;
        let more = run(iterations)? - first;
        if more >= SECONDS / 4.0 {
            return Ok(((iterations as f64 * SECONDS / more) as u64).max(LEAST));
        }
    }
}

/// Seconds of the iterations of a run.
fn seconds(root: &Path, blo: &Path, arguments: &[&str], iterations: u64) -> Result<f64, String> {
    let mut command = Command::new(blo);
    command
        .current_dir(root)
        .arg("solve")
        .args(arguments)
        .args(["--tol", "0", "--set", "polish=0", "--format", "jsonl"]);
    let output = command.args(["--max-iter", &iterations.to_string()]).output();
    let output = output.map_err(|e| format!("{}: {e}", blo.display()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let rows = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let last = rows.filter(|row| row["iteration"].as_u64() == Some(iterations)).reduce(|_, row| row);
    last.and_then(|row| row["seconds"].as_f64()).ok_or_else(|| {
        let said = String::from_utf8_lossy(&output.stderr);
        format!("`{} {}` has no iteration {iterations}\n{said}", blo.display(), arguments.join(" "))
    })
}

/// The release build of a revision, in a work tree of its own below `target`, which stays for the next time.
fn build_revision(root: &Path, revision: &str) -> Result<PathBuf, String> {
    let named = git(root, &["rev-parse", "--verify", "--short=12", &format!("{revision}^{{commit}}")])?;
    let tree = root.join("target/bench").join(named.trim());
    if !tree.join("Cargo.toml").exists() {
        git(root, &["worktree", "prune"])?;
        git(root, &["worktree", "add", "--detach", &tree.display().to_string(), named.trim()])?;
    }
    build(&tree, &root.join("target/bench/target"))
        .and_then(|blo| kept(&blo, &root.join("target/bench").join(format!("blo-{}", named.trim()))))
}

/// A copy of a build under a name of its own: the next revision is built in the same place.
fn kept(blo: &Path, to: &Path) -> Result<PathBuf, String> {
    std::fs::copy(blo, to).map_err(|e| format!("{}: {e}", to.display()))?;
    Ok(to.to_owned())
}

fn git(root: &Path, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new("git").current_dir(root).args(arguments).output().map_err(|e| format!("git: {e}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(format!("git {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim()))
}

/// The release build of a tree in a target directory.
fn build(tree: &Path, target: &Path) -> Result<PathBuf, String> {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(tree).args(["build", "--release", "--package", "blo-cli", "--target-dir"]).arg(target);
    let status = cargo.status().map_err(|e| format!("cargo: {e}"))?;
    if !status.success() {
        return Err(format!("cargo build failed in {}", tree.display()));
    }
    Ok(target.join("release").join(format!("blo{}", std::env::consts::EXE_SUFFIX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_the_ratios_of_pairs() {
        // the machine was twice as slow in one pair; the ratio does not see it
        let pairs = [(2e-6, 1e-6), (4e-6, 2e-6), (2e-6, 1e-6)];
        let row = row("eq19 n=1", &pairs);
        assert!(row.contains("2.000 us") && row.contains("1.000 us") && row.ends_with("0.50 (0.50 to 0.50)"), "{row}");
        assert_eq!(quartiles([4.0, 1.0, 2.0, 3.0].into_iter()), [1.75, 2.5, 3.25]);
    }

    #[test]
    fn a_run_lasts_as_long_as_it_should() {
        // 10 ms an iteration
        let found = length(&|iterations| Ok(0.01 * iterations as f64)).unwrap();
        assert!((SECONDS / 0.01 * 0.8..SECONDS / 0.01 * 1.3).contains(&(found as f64)), "{found}");
        assert_eq!(length(&|iterations| Ok(60.0 * iterations as f64)), Ok(LEAST));
    }

    #[test]
    fn the_programs_are_there() {
        for (common, _) in &SPECS {
            let file = common.split(' ').next().unwrap();
            assert!(crate::root().join(file).is_file(), "{file}");
        }
    }
}
