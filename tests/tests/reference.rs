//! The reference solver against optima that were computed independently of it, before its own optima judge anything;
//! and the programs of the variants against the tasks that the reference solver solved.

use blo_engine::graph::Function;
use blo_tests::case::{evaluate, value};
use blo_tests::say;
use blo_tests::suite::CHANGES;
use blo_tests::variant::{Change, DATA_PROBLEMS};

#[test]
fn the_reference_solver_finds_the_known_optima() {
    for data_problem in &DATA_PROBLEMS {
        let case = data_problem.case(Change::Original);
        let (task, minima) = match (data_problem.task(Change::Original), data_problem.minima(Change::Original)) {
            (Ok(task), Ok(minima)) => (task, minima),
            (Err(why), _) | (_, Err(why)) => {
                say(&format!("skipped {}: {why}", case.name));
                continue;
            }
        };
        let (problem, bindings) = case.program.bound_with(&[], &case.files);
        let known = |f: &Option<Function>| value(f.as_ref().expect("stated"), &problem, &bindings);
        let (x, upper, lower) =
            (known(&problem.known.nearest[0]), known(&problem.known.upper), known(&problem.known.lower));
        let best = minima[0];
        let y = task.lower_solution(best.x, &[]);
        say(&format!("{}: {minima:?}", case.name));
        assert!((best.value / upper - 1.0).abs() <= 1e-9, "{}: F = {} against {upper}", case.name, best.value);
        assert!((best.x - x).abs() <= 1e-4, "{}: x = {} against {x}", case.name, best.x);
        // f moves with x, F does not
        assert!((task.lower(best.x, &y) / lower - 1.0).abs() <= 1e-5, "{}: f against {lower}", case.name);
        assert!(!best.at_end);
    }
}

#[test]
fn programs_of_variants_state_the_problem_that_was_solved() {
    for data_problem in &DATA_PROBLEMS {
        for change in CHANGES {
            let case = data_problem.case(change);
            let Ok(task) = data_problem.task(change) else { continue };
            let (problem, bindings) = case.program.bound_with(&[], &case.files);
            let x = value(problem.known.nearest[0].as_ref().expect("stated"), &problem, &bindings);
            let y = task.lower_solution(x, &[]);
            let at = [vec![x], y.clone()];
            let here = |f: &Function| evaluate(f, &problem, &bindings, &at)[0][0];
            let proximal = problem.lower().regularizer.as_ref().map_or(0.0, here);
            let (upper, lower) = (here(&problem.upper().objective), here(&problem.lower().objective) + proximal);
            let known = value(problem.known.upper.as_ref().expect("stated"), &problem, &bindings);
            assert!((upper / known - 1.0).abs() <= 1e-9, "{}: F = {upper} against {known}", case.name);
            let expected = task.lower(x, &y);
            assert!((lower / expected - 1.0).abs() <= 1e-9, "{}: f = {lower} against {expected}", case.name);
        }
    }
}
