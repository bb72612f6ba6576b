//! `cargo xtask literature`: what the release build answers to the small problems of the literature, from the default start
//! and with no option, as tables by class in `docs/book/src/literature.md`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// The page.
const PAGE: &str = "docs/book/src/literature.md";

/// Shares of the optimum that an answer may be off by.
const NEAR: f64 = 1e-2;
const NEARER: f64 = 1e-3;

/// The largest violation of a row, and the largest gap of the lower level against its objective or 1.
const MET: f64 = 1e-4;

/// Problems on data, with their classes and the folder of the data; skipped without data.
const ON_DATA: [(&str, &str, &str); 7] = [
    ("tests/suite/solve/ridge_diabetes.blo", "strongly convex lower level; none set", "diabetes"),
    ("tests/suite/solve/logreg_sonar.blo", "strongly convex lower level; none set", "sonar"),
    ("tests/suite/solve/lasso_prostate.blo", "strongly convex lower level; none set", "prostate"),
    ("tests/suite/solve/nnls_sonar.blo", "strongly convex lower level; box set", "sonar"),
    ("tests/suite/solve/simplex_sonar.blo", "strongly convex lower level; simplex set", "sonar"),
    ("specs/ball_sonar.blo", "convex lower level; ball set that moves with x", "sonar"),
    ("specs/minnorm_colon.blo", "convex lower level; none set", "colon"),
];

/// An answer.
struct Answer {
    name: String,
    class: String,
    upper: f64,
    optimum: f64,
    violation: f64,
    /// Against the lower objective or 1.
    gap: f64,
    status: String,
    word: String,
    seconds: f64,
}

impl Answer {
    fn is_right(&self, share: f64) -> bool {
        let off = (self.upper - self.optimum).abs() / self.optimum.abs().max(1.0);
        off <= share && self.violation <= MET && self.gap <= MET
    }

    fn judged(&self) -> &'static str {
        match () {
            () if self.is_right(NEARER) => "1e-3",
            () if self.is_right(NEAR) => "1e-2",
            () if self.status == "converged" => "wrong, silent",
            () => "wrong, said",
        }
    }
}

/// Writes the page, and returns its summary.
///
/// # Errors
/// A sentence, when a file cannot be read or written or the command does not start.
pub fn write(root: &Path, blo: &Path, data: Option<&Path>) -> Result<String, String> {
    let folder = root.join("tests/suite/literature");
    let entries = std::fs::read_dir(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let mut files: Vec<PathBuf> = entries.filter_map(|e| Some(e.ok()?.path())).collect();
    files.sort();
    let mut answers = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).map_err(|e| format!("{}: {e}", file.display()))?;
        let class = text.lines().find_map(|line| line.strip_prefix("# Class: ")).unwrap_or("-");
        answers.push(answer(blo, &file, class.trim_end_matches('.'), None)?);
    }
    for (file, class, own) in ON_DATA {
        if let Some(data) = data {
            answers.push(answer(blo, &root.join(file), class, Some(&data.join(own)))?);
        }
    }
    let summary = summary(&answers);
    let page = root.join(PAGE);
    std::fs::write(&page, text(&answers, &summary)).map_err(|e| format!("{}: {e}", page.display()))?;
    Ok(summary)
}

fn answer(blo: &Path, file: &Path, class: &str, data: Option<&Path>) -> Result<Answer, String> {
    let mut command = Command::new(blo);
    command.args(["solve", "--format", "json", "--threads", "1"]).arg(file).stdin(Stdio::null()).stderr(Stdio::null());
    if let Some(data) = data {
        command.arg("--data-dir").arg(data);
    }
    let output = command.output().map_err(|e| format!("{}: {e}", blo.display()))?;
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
    let number = |path: &str| printed.pointer(path).and_then(Value::as_f64).unwrap_or(f64::NAN);
    let word = |path: &str| printed.pointer(path).and_then(Value::as_str).unwrap_or("-").to_owned();
    let upper = number("/upper/objective");
    let rows = printed["constraints"].as_object().into_iter().flatten();
    Ok(Answer {
        name: file.file_stem().map_or_else(String::new, |s| s.to_string_lossy().into_owned()),
        class: class.to_owned(),
        upper,
        optimum: known(file)?,
        violation: rows.map(|(_, row)| row["violation"].as_f64().unwrap_or(f64::NAN)).fold(0.0, f64::max),
        gap: number("/verdict/lower_gap") / number("/lower/objective").abs().max(1.0),
        status: word("/status"),
        word: word("/verdict/word"),
        seconds: number("/seconds/compile") + number("/seconds/solve"),
    })
}

/// `upper` of the file's `known`.
fn known(file: &Path) -> Result<f64, String> {
    let text = std::fs::read_to_string(file).map_err(|e| format!("{}: {e}", file.display()))?;
    let after = text.split("known {").nth(1).and_then(|rest| rest.split("upper = ").nth(1));
    let digits = after.map(|rest| rest.split([' ', ';', '\n', '}']).next().unwrap_or(""));
    digits.and_then(|d| d.parse().ok()).ok_or_else(|| format!("{}: no `known {{ upper = ... }}`", file.display()))
}

/// `79 problems: 79 right within 1e-2, ...`.
fn summary(answers: &[Answer]) -> String {
    let count = |test: &dyn Fn(&Answer) -> bool| answers.iter().filter(|a| test(a)).count();
    format!(
        "{} problems: {} right within 1e-2, {} within 1e-3, {} wrong and said, {} wrong and silent; median time {:.3} s",
        answers.len(),
        count(&|a| a.is_right(NEAR)),
        count(&|a| a.is_right(NEARER)),
        count(&|a| a.judged() == "wrong, said"),
        count(&|a| a.judged() == "wrong, silent"),
        median(answers.iter().map(|a| a.seconds).collect()),
    )
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn text(answers: &[Answer], summary: &str) -> String {
    let mut page = format!(
        "# Problems of the literature\n\n\
         Small bilevel problems with known optima, most of them from BOLIB (Zhou, Zemkoho, Tin, 2020), solved by `blo solve \
         FILE`: the default method, the default start, no option. An answer is right within a share of the best known upper \
         objective (or of 1), with rows violated by at most 1e-4 and a lower objective within 1e-4 of its least value. \
         `silent` counts answers that are wrong and claim to be `converged`. Times are of one thread.\n\n\
         `cargo xtask literature` writes this page with the release build; the problems on data need `--data-dir DIR`.\n\n\
         {summary}\n\n## By class\n\n\
         | lower level | problems | 1e-2 | 1e-3 | silent | median s |\n|---|---|---|---|---|---|\n"
    );
    let mut classes: Vec<&str> = answers.iter().map(|a| a.class.as_str()).collect();
    classes.sort_unstable();
    classes.dedup();
    for class in classes {
        let own: Vec<&Answer> = answers.iter().filter(|a| a.class == class).collect();
        let count = |test: &dyn Fn(&Answer) -> bool| own.iter().filter(|a| test(a)).count();
        let _ = writeln!(
            page,
            "| {} | {} | {} | {} | {} | {:.3} |",
            class.replace(" lower level", "").replace("none set", "no set"),
            own.len(),
            count(&|a| a.is_right(NEAR)),
            count(&|a| a.is_right(NEARER)),
            count(&|a| a.judged() == "wrong, silent"),
            median(own.iter().map(|a| a.seconds).collect()),
        );
    }
    page += "\n## One by one\n\n| problem | F | best known | right within | status | verdict | s |\n|---|---|---|---|---|---|---|\n";
    for a in answers {
        let _ = writeln!(
            page,
            "| `{}` | {:.6} | {:.6} | {} | {} | {} | {:.3} |",
            a.name,
            a.upper + 0.0,
            a.optimum,
            a.judged(),
            a.status,
            a.word,
            a.seconds
        );
    }
    page
}
