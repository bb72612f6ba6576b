//! A small attack with the seeds that a large one begins with.

use std::path::Path;

use xtask::attack::{Kind, attack};

fn try_all(kind: Kind) -> xtask::attack::Report {
    let folder = tempfile::tempdir().expect("a folder");
    let blo = Path::new(env!("CARGO_BIN_EXE_blo"));
    let report = attack(&xtask::root(), blo, kind, 0..500, folder.path()).expect("the attack runs");
    assert_eq!(report.faults, Vec::<String>::new());
    assert_eq!(report.cases, 500);
    report
}

#[test]
fn mutated_programs_end_as_documented() {
    assert!(try_all(Kind::Programs).sound > 50);
}

#[test]
fn fixes_keep_the_meaning() {
    let report = try_all(Kind::Fixes);
    assert!(report.fixed > 30 && report.compared > 5, "{report:?}");
}
