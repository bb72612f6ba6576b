//! What `blo test specs` does, in one process: every `known` point is one, and every assertion of the programs in `specs/`
//! and of the solve suite holds. Programs whose data are not there say so and pass.

use blo_engine::model;
use blo_grammar::diagnostic::Severity;
use blo_solvers::Silent;
use blo_solvers::audit::known::{Effort, check_known};
use blo_solvers::{judge, planned_runs, solve};
use blo_tests::suite::literature;
use blo_tests::{programs, say};

#[test]
fn specs_keep_what_they_promise() {
    let (asserted, known) = promises("specs");
    assert!(asserted >= 20 && known >= 6, "{asserted} assertions, {known} known points");
}

/// Problems whose x must be good for data that it was not chosen on.
#[test]
fn what_is_learnt_transfers() {
    let (asserted, _) = promises("tests/suite/learn");
    assert!(asserted >= 5, "{asserted} assertions");
}

/// A program per entry of a table that no spec uses, with its optimum by hand.
#[test]
fn entries_of_tables_solve_their_problems() {
    let (asserted, known) = promises("tests/suite/tables");
    assert!(asserted >= 12 && known >= 4, "{asserted} assertions, {known} known points");
}

/// Checks the programs of a folder; gives the number of assertions and of objectives that are known.
fn promises(folder: &str) -> (usize, usize) {
    let (mut asserted, mut known) = (0, 0);
    for program in programs(folder) {
        let Some((problem, bindings, folders)) = program.bound_or_skipped(&[]) else { continue };
        let contradictions = check_known(&problem, &bindings, None, Effort::Solve).expect("memory");
        let contradictions: Vec<_> = contradictions.iter().filter(|d| d.severity != Severity::Note).collect();
        assert!(contradictions.is_empty(), "{}: {contradictions:#?}", program.name);
        known += usize::from(problem.known.upper.is_some());
        for run in planned_runs(&problem, &[]).unwrap_or_else(|d| panic!("{}: {d:#?}", program.name)) {
            let data = model::bind(&problem, &folders, run.seed).expect("bound before");
            let solution = solve(&problem, &data, &run.request, &mut Silent);
            let solution = solution.unwrap_or_else(|d| panic!("{}: {d:#?}", program.name));
            for i in &run.expectations {
                let judgements = judge(&problem, &data, &problem.expectations[*i], &solution).expect("memory");
                for j in judgements {
                    assert!(j.holds, "{}: {:#?}", program.name, j.finding);
                    asserted += 1;
                }
            }
        }
    }
    (asserted, known)
}

#[test]
fn known_points_of_the_solve_suite_are_ones() {
    for case in literature() {
        if let Some(why) = &case.absent {
            say(&format!("skipped {}: {why}", case.name));
            continue;
        }
        let (problem, bindings) = case.program.bound_with(&case.params, &case.files);
        let found = check_known(&problem, &bindings, None, Effort::Solve).expect("memory");
        let found: Vec<_> = found.iter().filter(|d| d.severity != Severity::Note).collect();
        assert!(found.is_empty(), "{}: {found:#?}", case.name);
    }
}
