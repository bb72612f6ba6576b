//! Every program of `specs/` and of the solve suite: it checks, its layout is canonical, its derivatives agree four ways,
//! and the size of its graph does not depend on the size of its arrays.

use blo_engine::diff::reverse::gradient;
use blo_engine::gradient_check;
use blo_engine::graph::verify::verify;
use blo_tests::suite::{data_problems, literature};
use blo_tests::{Program, programs, say};

#[test]
fn specs_check_without_a_finding() {
    for program in programs("specs").into_iter().chain(programs("tests/suite/solve")) {
        let (problem, mut diagnostics) = program.check(&[]);
        // That nothing is chosen above is no mistake.
        diagnostics.retain(|d| d.code != "N0407");
        assert!(diagnostics.is_empty(), "{}: {diagnostics:#?}", program.name);
        let problem = problem.expect("no diagnostics");
        for f in [&problem.upper().objective, &problem.lower().objective] {
            verify(f).expect("a legal graph");
        }
    }
}

#[test]
fn specs_are_canonical() {
    for program in programs("specs").into_iter().chain(programs("tests/suite/solve")) {
        let once = blo_grammar::format(&program.text, blo_grammar::Style::Keep).expect("sound");
        assert_eq!(once, program.text, "{} is not laid out canonically", program.name);
    }
}

#[test]
fn derivatives_of_specs_agree() {
    let folders = ["specs", "tests/suite/check", "tests/suite/tables"];
    for program in folders.into_iter().flat_map(programs) {
        let Some((problem, bindings, _)) = program.bound_or_skipped(small(&program.name)) else { continue };
        for check in gradient_check::check(&problem, &bindings, 0.3, 1).expect("small problems") {
            assert!(check.agrees, "{}: {check:#?}", program.name);
        }
    }
}

/// Sizes at which the oracle is quick.
pub(crate) fn small(name: &str) -> Params {
    match name {
        "few_shot" | "few_shot_conv" => &[("width", 2.0), ("ways", 2.0), ("tasks", 1.0), ("query", 1.0)],
        "cleaning_softmax" => &[("examples", 3.0)],
        "hyper_cleaning" => &[("examples", 3.0), ("hidden", 2.0)],
        "nas_small" => &[("examples", 3.0), ("width", 1.0)],
        _ => &[],
    }
}

#[test]
fn derivatives_of_the_solve_suite_agree() {
    for case in literature().into_iter().chain(data_problems()) {
        if let Some(why) = &case.absent {
            say(&format!("skipped {}: {why}", case.name));
            continue;
        }
        let (problem, bindings) = case.program.bound_with(&case.params, &case.files);
        for check in gradient_check::check(&problem, &bindings, 0.3, 1).expect("small problems") {
            assert!(check.agrees, "{}: {check:#?}", case.name);
        }
    }
}

/// Values of params.
pub(crate) type Params = &'static [(&'static str, f64)];

/// Nodes of the objectives and their gradients.
fn nodes(program: &Program, params: Params) -> Vec<usize> {
    let (problem, _) = program.check(params);
    let problem = problem.expect("sound");
    let variables: Vec<usize> = problem.variables().map(|v| v.formal).collect();
    let functions =
        [Some(&problem.upper().objective), Some(&problem.lower().objective), problem.lower().regularizer.as_ref()];
    let counts = functions.into_iter().flatten();
    counts.flat_map(|f| [f.operations(), gradient(f, &variables).operations()]).collect()
}

#[test]
fn graphs_do_not_grow_with_arrays() {
    let sizes: [(&str, Params, Params); 4] = [
        ("meha_eq19", &[("n", 10.0)], &[("n", 1e5)]),
        ("meha_eq20", &[("n", 10.0)], &[("n", 1e5)]),
        ("meha_eq21", &[("m", 60.0), ("J", 3.0), ("ones_each", 5.0)], &[("m", 3e5), ("J", 3e4), ("ones_each", 5e4)]),
        ("comprehensions", &[("n", 10.0)], &[("n", 1e5)]),
    ];
    let all: Vec<Program> = programs("specs").into_iter().chain(programs("tests/suite/check")).collect();
    for (name, small, large) in sizes {
        let program = all.iter().find(|p| p.name == name).expect("a program of the repository");
        assert_eq!(nodes(program, small), nodes(program, large), "{name}");
    }
}
