//! What `meha:auto` makes of the solve suite: no step size is given, only an iteration limit. Points are judged after
//! the polish. The same table with times: `cargo run -p blo-tests --release --features automatic_table --bin automatic_table`.

use blo_solvers::Request;
use blo_solvers::Silent;
use blo_tests::case::Case;
use blo_tests::judge::{Verdict, run};
use blo_tests::say;
use blo_tests::suite::{CHANGES, data_problems, literature, variants};

/// Verdicts of the cases that could run, with their names.
fn verdicts(cases: &[Case]) -> Vec<(String, Verdict)> {
    let request = Request::new("meha:auto").set("max_iter", "50000");
    let mut found = Vec::new();
    for case in cases {
        let outcome = run(case, &request, &mut Silent);
        say(&format!("{}: {:?} {:?}", case.name, outcome.verdict, outcome.measures));
        match outcome.verdict {
            Verdict::Absent(why) => say(&format!("skipped {}: {why}", case.name)),
            verdict => found.push((case.name.clone(), verdict)),
        }
    }
    found
}

fn is_solved(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Solved(_))
}

/// A verdict that does not mislead: solved, a local solution, or a failure that the run reports.
fn is_honest(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Solved(_) | Verdict::Local(_) | Verdict::Flagged(_))
}

/// Cases that end in a local solution within their purpose: several lower minimizers, or several upper minima.
const MAY_BE_LOCAL: [&str; 2] = ["meha_eq19 n=10", "nnls_sonar"];

#[test]
fn the_papers_problems_are_solved() {
    let cases: Vec<Case> = literature().into_iter().take(10).collect();
    for (name, verdict) in verdicts(&cases) {
        let local = MAY_BE_LOCAL.contains(&name.as_str()) && matches!(verdict, Verdict::Local(_));
        assert!(is_solved(&verdict) || local, "{name}: {verdict:?}");
    }
}

#[test]
fn the_data_problems_are_solved() {
    for (name, verdict) in verdicts(&data_problems()) {
        let local = MAY_BE_LOCAL.contains(&name.as_str()) && matches!(verdict, Verdict::Local(_));
        assert!(is_solved(&verdict) || local, "{name}: {verdict:?}");
    }
}

#[test]
fn four_fifths_of_the_variants_are_solved() {
    let found = verdicts(&variants(&CHANGES));
    let missed: Vec<&(String, Verdict)> = found.iter().filter(|(_, v)| !is_solved(v)).collect();
    assert!(5 * missed.len() <= found.len(), "{missed:#?}");
}

#[test]
fn nine_tenths_of_the_other_problems_are_solved_or_flagged() {
    let cases: Vec<Case> = literature().into_iter().skip(10).collect();
    let found = verdicts(&cases);
    let misleading: Vec<&(String, Verdict)> = found.iter().filter(|(_, v)| !is_honest(v)).collect();
    assert!(10 * misleading.len() <= found.len(), "{misleading:#?}");
}
