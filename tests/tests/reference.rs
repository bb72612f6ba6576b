//! The reference solver against optima that were computed independently of it, before its own optima judge anything.

use blo_tests::case::value;
use blo_tests::variant::{Change, DATA_PROBLEMS};

#[test]
fn the_reference_solver_finds_the_known_optima() {
    for data_problem in &DATA_PROBLEMS {
        let case = data_problem.case(Change::Original);
        let minima = match data_problem.minima(Change::Original) {
            Ok(minima) => minima,
            Err(why) => {
                eprintln!("skipped {}: {why}", case.name);
                continue;
            }
        };
        let (problem, bindings) = case.program.bound_with(&[], &case.files);
        let known = |f: &Option<blo_engine::graph::Function>| value(f.as_ref().expect("known"), &problem, &bindings);
        let (x, upper, lower) =
            (known(&problem.known.nearest[0]), known(&problem.known.upper), known(&problem.known.lower));
        let task = data_problem.task(&vec![1.0; 60], false).expect("the data was there");
        let best = minima[0];
        let y = task.lower_solution(best.x, &[]);
        eprintln!("{}: {minima:?}", case.name);
        assert!((best.value / upper - 1.0).abs() <= 1e-9, "{}: F = {} against {upper}", case.name, best.value);
        assert!((best.x - x).abs() <= 1e-4, "{}: x = {} against {x}", case.name, best.x);
        assert!((task.lower(best.x, &y) / lower - 1.0).abs() <= 1e-5, "{}: f against {lower}", case.name);
        assert!(!best.at_end);
    }
}
