//! How runs end on small problems that invite a wrong answer: nothing bounded, a start outside of its set, a weight that
//! starts at zero, several lower minimizers. Points are compared with solutions found by hand.

use blo_engine::data::Memory;
use blo_solvers::Silent;
use blo_solvers::solution::verdict::Remark;
use blo_solvers::solution::{Solution, Status};
use blo_solvers::{Request, solve};
use blo_tests::{Program, root};

fn run(text: &str, method: &str) -> Solution {
    run_with(text, &Request::new(method))
}

fn run_with(text: &str, request: &Request) -> Solution {
    let program = Program { name: "ending".into(), folder: root(), text: text.into() };
    let (problem, data) = program.bound_with(&[], &Memory::new());
    solve(&problem, &data, request, &mut Silent).expect("a run that starts")
}

fn warns(solution: &Solution, code: &str) -> bool {
    solution.warnings.iter().any(|w| w.code == code)
}

#[test]
fn an_upper_level_without_a_minimum_diverges() {
    for upper in ["minimize y", "maximize x + y"] {
        let text = format!("upper {{ var x  {upper} }}  lower {{ var y  minimize (y - x)^2 }}");
        for method in ["meha", "rhg", "fhg", "cg", "neumann", "bda", "iaptt", "darts"] {
            let s = run(&text, method);
            assert_eq!(s.status, Status::Diverged, "{upper}, {method}: {} iterations", s.iterations);
            assert!(warns(&s, "W0606"), "{upper}, {method}: {:?}", s.warnings);
        }
    }
}

#[test]
fn a_start_outside_of_its_set_is_moved_into_it() {
    let text = "
        upper { var x in [2, 3]  minimize (x - 2.5)^2 + y^2 }
        lower { var y  minimize (x - 1)*y^2 - 4*y }";
    for method in ["meha", "rhg", "cg", "iaptt", "bda"] {
        let s = run(text, method);
        assert!((s.upper.objective - 1.25).abs() < 1e-3, "{method}: {}", s.upper.objective);
    }
}

#[test]
fn a_weight_leaves_zero() {
    let text = |target: f64| {
        format!(
            "upper {{ var x >= 0  minimize (y - {target})^2 }}
             lower {{ var y  minimize 0.5*(y - 1.5*{target})^2  regularize x*abs(y) }}"
        )
    };
    for method in ["meha", "rhg", "fhg", "cg", "neumann", "bda", "darts"] {
        for target in [2.0, -2.0] {
            let s = run(&text(target), method);
            let x = s.variable("x").unwrap().values[0];
            assert!((x - 1.0).abs() < 1e-3, "{method}, {target}: x = {x}");
        }
    }
}

#[test]
fn a_later_pass_that_runs_away_leaves_the_end_of_an_earlier_one() {
    let pricing = "
        upper { var p in [0.5, 10]  maximize (p - 0.5)*q }
        lower { var q  maximize 3*log(1 + q) - p*q }
        start { p = 1;  q = 1 }";
    let s = run(pricing, "meha");
    assert_eq!(s.status, Status::Converged);
    assert!((s.upper.objective - 1.05051).abs() < 1e-4, "{}", s.upper.objective);
}

#[test]
fn a_polish_that_runs_away_is_taken_back() {
    // x that moves rarely stays near 0, so that only the polish can run away
    let text = "upper { var x in [-1, 1]  minimize (y - 2)^2 + x^2 }  lower { var y  minimize x*y }";
    let s = run_with(text, &Request::new("meha").set("window", "500"));
    let y = s.variable("y").unwrap().values[0];
    assert!(y.abs() < 1e3, "y = {y:e}");
    // only x = 0 leaves the lower level a solution, and there every y is one
    assert!(s.status == Status::Unbounded && warns(&s, "W0629"), "{:?}", s.warnings);
}

#[test]
fn a_local_minimizer_of_the_lower_level_is_left_or_named() {
    type Lower = fn(f64, f64) -> f64;
    let wells: (&str, Lower) = (
        "upper { var x in [-1, 1]  minimize (y + 1)^2 + (x + 0.5)^2 }  lower { var y  minimize (y^2 - 1)^2 + 0.5*x*y }",
        |x, y| (y * y - 1.0).powi(2) + 0.5 * x * y,
    );
    let ends: (&str, Lower) = (
        "upper { var x in [-1, 1]  minimize (y + 1)^2 + x^2 }  lower { var y in [-1, 1.2]  minimize -y^2 + 0.01*x*y }",
        |x, y| -y * y + 0.01 * x * y,
    );
    for (text, f) in [wells, ends] {
        for method in ["meha", "rhg"] {
            let s = run(&format!("{text}  start {{ y = -1 }}"), method);
            let [x, y] = ["x", "y"].map(|name| s.variable(name).unwrap().values[0]);
            let least = (0..=2200).map(|i| f(x, -1.0 + f64::from(i) / 1000.0)).fold(f64::INFINITY, f64::min);
            let solved = f(x, y) <= least + 1e-5;
            assert!(solved || warns(&s, "W0607"), "{method}: {text}: x = {x}, y = {y}, {:?}", s.warnings);
        }
    }
}

#[test]
fn the_polish_stays_in_the_domain_of_the_lower_objective() {
    let text = "
        upper { var x in [0.1, 5]  minimize (x - 1)^2 + (y - 3)^2 }
        lower { var y  minimize x*y - log(y) }
        start { x = 1;  y = 1 }";
    for method in ["meha", "cg", "bda"] {
        let s = run(text, method);
        let (x, y) = (s.variable("x").unwrap().values[0], s.variable("y").unwrap().values[0]);
        assert!((x * y - 1.0).abs() < 1e-6, "{method}: the lower solution at {x} is not {y}");
    }
}

#[test]
fn a_run_that_returns_its_own_end_does_not_converge_where_a_better_point_is_known() {
    // at x = 0 both wells are as deep, and the upper level prefers the other one
    let wells = "
        upper { var x in [-1, 1]  minimize (x - 1/4)^2 + (y - 1)^2 }
        lower { var y in [-2, 2]  minimize (y^2 - 1)^2 + x*y }
        start { x = -1/2;  y = -1 }";
    let s = run_with(wells, &Request::new("rhg").set("polish", "0"));
    assert!(s.status == Status::Stalled || (s.upper.objective - 1.0 / 16.0).abs() < 1e-3, "{:?}", s.verdict);
    assert!(s.verdict.better.is_some() || s.status == Status::Converged, "{:?}", s.verdict);
    assert!((run(wells, "rhg").upper.objective - 1.0 / 16.0).abs() < 1e-3);
}

#[test]
fn an_ill_conditioned_lower_level_is_solved_to_the_digits_that_count() {
    // y = ((x1 + x2)/2, (x1 - x2)/2), and F is least at x = (7/3, 1/3); slopes see only the sum of y
    for weight in ["1e4", "1e5", "1e6"] {
        let text = format!(
            "upper {{ var x[2] in [-3, 3]  minimize normsq(y - [1, 2]) + normsq(x - [2, 1]) }}
             lower {{ var y[2]  minimize {weight}*(y[1] + y[2] - x[1])^2 + 1/{weight}*(y[1] - y[2] - x[2])^2 }}"
        );
        let s = run(&text, "auto");
        assert!((s.upper.objective - 5.0 / 3.0).abs() < 1e-4, "{weight}: {:?} {}", s.status, s.upper.objective);
        assert_eq!(s.status, Status::Converged, "{weight}");
    }
}

#[test]
fn an_upper_objective_without_a_least_value_over_the_lower_solutions_is_said_to_have_none() {
    let unbounded = [
        "upper { var x in [0, 2]  minimize (x - 1)^2 + y }  lower { var y  minimize x*y }",
        "upper { var x in [0, 1]  minimize y[1] - y[2] + x }  lower { var y[2]  minimize (y[1] + y[2] - x)^2 }",
        "upper { var x in [0, 1]  minimize y[1] - y[2] + x }
         lower { var y[2]  minimize y[1] + y[2]  subject to { a: y[1] + y[2] >= x } }",
        "upper { var x in [-1, 1]  maximize y }  lower { var y  maximize -x*y }",
        "upper { var x in [0, 1]  minimize y[1] + x }
         lower { var y[2]  minimize y[1]*x  subject to { a: y[1] <= 1;  b: y[2] >= x + y[1] } }",
        "upper { var x[2] in [-1, 1]  minimize x[1] + y[1] }  lower { var y[2]  minimize x'*y }",
    ];
    for text in unbounded {
        let s = run(text, "auto");
        assert!(matches!(s.status, Status::Diverged | Status::Unbounded), "{text}: {:?}", s.status);
        assert!(warns(&s, "W0630") || warns(&s, "W0629") || warns(&s, "W0606"), "{text}: {:?}", s.warnings);
    }
}

#[test]
fn y_that_runs_away_is_no_solution() {
    for text in [
        "upper { var x in [-1, 1]  minimize (x - 0.5)^2 + 0*y }  lower { var y  minimize exp(-y) + x^2 }",
        "upper { var x in [0, 1]  minimize x + 1/(1 + y) }  lower { var y >= 0  minimize x*y }",
    ] {
        let s = run(text, "auto");
        assert_ne!(s.status, Status::Converged, "{text}: {:?}", s.verdict);
        assert!(!s.verdict.word.is_good() || s.status == Status::Diverged, "{text}: {:?}", s.verdict);
    }
    // y is large where the data are
    let large = "upper { var x in [0, 1]  minimize (x - 0.5)^2 }  lower { var y  minimize (y/1e12 - x)^2 }";
    let s = run(large, "auto");
    assert!((s.variable("x").unwrap().values[0] - 0.5).abs() < 1e-3 && s.status == Status::Converged, "{:?}", s.status);
}

#[test]
fn the_upper_level_gets_the_lower_solution_that_it_prefers_where_it_is_not_convex() {
    let cases = [
        (
            "upper { var x in [-1, 1]  minimize (x - 1)^2 - y^2 }  lower { var y in [-3, 3]  minimize relu(x)^2*y^2 }",
            -8.0,
        ),
        (
            "upper { var x in [0, 2]  minimize (x - 1)^2 + y[1]*y[2] }
             lower { var y[3] in simplex(1)  minimize (y[3] - x/4)^2 }",
            0.0,
        ),
        (
            "upper { var x in [0, 2]  minimize (x - 1)^2 - normsq(y[1..4]) }
             lower { var y[5] in simplex(1)  minimize (y[5] - x/4)^2 }",
            -0.6,
        ),
        (
            "upper { var x in [0, 2]  minimize (x - 1)^2 + y[1]*y[2] }
             lower { var y[3] >= 0  minimize (y[3] - x/4)^2  subject to { a: y[1] + y[2] + y[3] == 1 } }",
            0.0,
        ),
    ];
    for (text, value) in cases {
        let s = run(text, "auto");
        assert!((s.upper.objective - value).abs() < 1e-4, "{text}: {}", s.upper.objective);
        assert_eq!(s.verdict.remark, Some(Remark::LocalChoice), "{text}: {:?}", s.verdict);
    }
    // one lower solution, or F convex over them: nothing to be said
    for text in [
        "upper { var x in [-1, 1]  minimize x - y^2 }  lower { var y  minimize (y - x)^2 + y^4 }",
        "upper { var x in [-1, 1]  minimize x + normsq(y) }  lower { var y[2]  minimize (y[1] + y[2] - x)^2 }",
    ] {
        assert_eq!(run(text, "auto").verdict.remark, None, "{text}");
    }
}
