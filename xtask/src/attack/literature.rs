//! The problems of the literature without constraints, with the default method and no option: what the release build
//! prints, and whether it is right. Runs are deterministic, so that the judge of the suites runs the same again.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use blo_engine::data::Source as _;
use blo_solvers::{DEFAULT_METHOD, Request, Silent};
use blo_tests::case::Case;
use blo_tests::judge::{Outcome, Verdict, run};
use blo_tests::suite::without_constraints;
use serde_json::Value;

/// A line per problem, and a line of counts.
///
/// # Errors
/// A sentence, when a case cannot be written or the command does not start.
pub fn literature(blo: &Path, folder: &Path) -> Result<Vec<String>, String> {
    let mut lines = vec![format!(
        "{:<34} {:>13} {:>13} {:<15} {:<18} {:>7}  {:<10} {}",
        "problem", "F", "F*", "status", "verdict", "s", "judged", "warnings and why"
    )];
    let (mut right, mut said, mut silent, mut absent) = (0, 0, 0, 0);
    for case in without_constraints() {
        if let Some(why) = &case.absent {
            lines.push(format!("{:<34} not judged: {why}", case.name));
            absent += 1;
            continue;
        }
        let begun = Instant::now();
        let printed = printed(&case, blo, &folder.join(name(&case)))?;
        let seconds = begun.elapsed().as_secs_f64();
        let outcome = run(&case, &Request::new(DEFAULT_METHOD), &mut Silent);
        let (judged, why) = judged(&outcome);
        match judged {
            "right" => right += 1,
            "silent" => silent += 1,
            _ => said += 1,
        }
        lines.push(line(&case, &printed, seconds, &outcome, (judged, &why)));
    }
    lines.push(format!("{right} right, {said} wrong and said, {silent} wrong and silent, {absent} not judged"));
    Ok(lines)
}

/// A local solution that is not the best one is wrong here; it is silent when nothing is said of it.
fn judged(outcome: &Outcome) -> (&'static str, String) {
    let why = match &outcome.verdict {
        Verdict::Solved(_) => return ("right", String::new()),
        Verdict::Local(why) => format!("local: {why}"),
        Verdict::Flagged(why) | Verdict::Unfinished(why) | Verdict::Wrong(why) => why.clone(),
        Verdict::Refused(why) | Verdict::Absent(why) => return ("refused", why.clone()),
    };
    let claims = outcome.solution.as_ref().is_some_and(blo_tests::answer::claims_a_solution);
    (if claims { "silent" } else { "said" }, why)
}

fn name(case: &Case) -> String {
    case.name.replace(|c: char| !c.is_ascii_alphanumeric(), "_")
}

/// What `blo solve --format json` prints.
fn printed(case: &Case, blo: &Path, folder: &Path) -> Result<Value, String> {
    let at = |path: &Path| path.display().to_string();
    let file = folder.join(format!("{}.blo", case.program.name));
    std::fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", at(folder)))?;
    std::fs::write(&file, &case.program.text).map_err(|e| format!("{}: {e}", at(&file)))?;
    for name in case.files.names() {
        let copied = case.files.open(&name).and_then(|mut from| {
            let mut to = std::fs::File::create(folder.join(&name))?;
            std::io::copy(&mut from, &mut to)
        });
        copied.map_err(|e| format!("{name}: {e}"))?;
    }
    let mut command = Command::new(blo);
    command.args(["solve", "--format", "json"]).arg(&file).stdin(Stdio::null()).stderr(Stdio::null());
    for (name, value) in &case.params {
        command.arg("-D").arg(format!("{name}={value}"));
    }
    let output = command.output().map_err(|e| format!("{}: {e}", at(blo)))?;
    Ok(serde_json::from_slice(&output.stdout).unwrap_or(Value::Null))
}

fn line(case: &Case, printed: &Value, seconds: f64, outcome: &Outcome, (judged, why): (&str, &str)) -> String {
    let text = |path: &str| printed.pointer(path).and_then(Value::as_str).unwrap_or("-");
    let upper = printed.pointer("/upper/objective").and_then(Value::as_f64).unwrap_or(f64::NAN);
    let warnings = printed["warnings"].as_array().into_iter().flatten();
    let codes: Vec<&str> = warnings.filter_map(|w| w["code"].as_str()).collect();
    let differs = if (upper - outcome.measures.upper).abs() > 1e-9 * upper.abs().max(1.0) {
        format!("  (this tree: F = {:.6}; is the release build older?)", outcome.measures.upper)
    } else {
        String::new()
    };
    format!(
        "{:<34} {upper:>13.6} {:>13.6} {:<15} {:<18} {seconds:>7.3}  {judged:<10} {} {why}{differs}",
        case.name,
        outcome.measures.optimum,
        text("/status"),
        text("/verdict/word"),
        codes.join(" ")
    )
}
