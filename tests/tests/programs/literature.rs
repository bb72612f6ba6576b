//! The small problems of the literature, from the default start and with no option: every answer is right, and says what is
//! known of it. `cargo xtask literature` writes the same as a page.

use blo_engine::data::Memory;
use blo_engine::model::{Settings, bind, check};
use blo_solvers::solution::verdict::Word;
use blo_solvers::{DEFAULT_METHOD, Request, Silent, Solution, Status, solve};
use blo_tests::programs;

/// A share of the optimum, or of 1, that F may be off by; rows may be off by so much.
const NEAR: f64 = 1e-3;
const MET: f64 = 1e-4;

fn answer(text: &str, name: &str) -> (Solution, f64) {
    let parsed = blo_grammar::parse(text);
    assert!(parsed.is_sound(), "{name}: {:?}", parsed.diagnostics);
    let problem = check(&parsed.ast, text, name, &Settings::default()).problem.expect("a sound program");
    let data = bind(&problem, &Memory::new(), 0).expect("a program without files");
    let request = Request::automatic(DEFAULT_METHOD).set("threads", "1");
    let solution = solve(&problem, &data, &request, &mut Silent).expect("a request that is right");
    let known = text.split("known { upper = ").nth(1).and_then(|rest| rest.split(' ').next()?.parse().ok());
    (solution, known.expect("an optimum"))
}

/// Every fourth problem, so that four tests share them and threads are used.
fn every_fourth(first: usize) {
    let mut wrong = Vec::new();
    for program in programs("tests/suite/literature").iter().skip(first).step_by(4) {
        let (solution, optimum) = answer(&program.text, &program.name);
        let upper = solution.upper.objective;
        let off = (upper - optimum).abs() / optimum.abs().max(1.0);
        let violation = solution.constraints.iter().map(|c| c.violation).fold(0.0, f64::max);
        let gap = solution.verdict.lower_gap / solution.lower.objective.abs().max(1.0);
        let known = matches!(solution.verdict.word, Word::Certified | Word::Plausible);
        if !(off <= NEAR && violation <= MET && gap <= MET && known && solution.status == Status::Converged) {
            wrong.push(format!(
                "{}: F = {upper}, not {optimum}; off by {violation:.1e}, gap {gap:.1e}, {}, {}",
                program.name,
                solution.verdict.word.text(),
                solution.status.text()
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_first_quarter_is_right() {
    every_fourth(0);
}

#[test]
fn the_second_quarter_is_right() {
    every_fourth(1);
}

#[test]
fn the_third_quarter_is_right() {
    every_fourth(2);
}

#[test]
fn the_fourth_quarter_is_right() {
    every_fourth(3);
}
