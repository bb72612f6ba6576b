//! Augmented Lagrangians against other solvers.

use super::*;
use crate::conic::{Affine, ConicProgram};
use crate::fixture::{data, problem};
use crate::formula::rows::rows;
use crate::formula::start_point::start_point;
use crate::lower::constrained::{ConstrainedLower, apart, bounds_of};
use crate::nlp;

fn solved(text: &str, tolerance: f64) -> (Problem, Bindings, Outcome) {
    let problem = problem(text);
    let data = data(&problem);
    let point = start_point::<f64>(&problem, &data, 1).unwrap();
    let (x, y) = point.split_at(problem.range(LevelId::UPPER).end);
    let limits = Limits { tolerance, iterations: 60, ..Limits::default() };
    let end = solver(&problem, &data, x, y).solve(&y.concat(), &limits).unwrap();
    (problem, data, end)
}

/// The solver at x.
pub(crate) fn solver(problem: &Problem, data: &Bindings, x: &[Vec<f64>], y: &[Vec<f64>]) -> Augmented {
    let lengths: Vec<usize> = y.iter().map(Vec::len).collect();
    let bounds = bounds_of(&problem.lower().variables, &lengths, problem, data).unwrap();
    let mut solver = Augmented::new(problem, data, 1, &rows(problem, LevelId::LOWER), &bounds).unwrap();
    problem.upper_inputs().into_iter().zip(x).for_each(|(input, x)| solver.set(input, x));
    solver
}

/// 1000 variables and 200 rows: the value and the multipliers of the conic solver.
#[test]
fn a_large_quadratic_program_as_the_conic_solver_has_it() {
    let (_, data, end) = solved(
        "param n = 1000
         param m = 200
         data q[n] = uniform(low = 0.5, high = 2, seed = 1)
         data c[n] = normal(seed = 2)
         data A[m, n] = normal(seed = 3)
         upper { var t in [0, 1]  minimize t }
         lower { var y[n] in [-1, 1]  minimize 1/2*sum(q.*y.^2) + c'*y
                 subject to { A*y <= -1 } }",
        1e-5,
    );
    assert_eq!(end.status, Status::Solved, "{end:?}");
    let numbers = |i: usize| match &data.values[i] {
        Bound::Real(numbers) => numbers.values().collect::<Vec<f64>>(),
        Bound::Index(_) => unreachable!("numbers"),
    };
    let (q, c, a) = (numbers(0), numbers(1), numbers(2));
    let mut conic = ConicProgram::default();
    let z = conic.variables(q.len(), 1.0);
    for i in z.clone() {
        conic.square_cost(q[i], i, 0.0);
        conic.cost(&Affine::default().plus(c[i], &Affine::variable(i)));
        for sign in [1.0, -1.0] {
            conic.nonnegative(Affine::constant(1.0).plus(sign, &Affine::variable(i)));
        }
    }
    let places: Vec<usize> = a
        .chunks_exact(q.len())
        .map(|row| {
            let terms = row.iter().enumerate().map(|(i, v)| (i, -v)).collect();
            conic.nonnegative(Affine { terms, constant: -1.0 })
        })
        .collect();
    let right = conic.solve().unwrap();
    assert!((end.value - right.value).abs() <= 1e-6 * right.value.abs(), "{} {}", end.value, right.value);
    let most = end.multipliers.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
    assert!(most > 1e-3);
    for (lam, place) in end.multipliers.iter().zip(&places) {
        assert!((lam - right.multipliers[*place]).abs() <= 1e-4 * most, "{lam} {}", right.multipliers[*place]);
    }
}

#[test]
fn what_an_end_is() {
    let level =
        |body: &str| format!("upper {{ var t in [0, 1]  minimize t }}  lower {{ {body} }}  start {{ y = 0.5 }}");
    let both = "var y[2]  minimize normsq(y) subject to { y[1] + y[2] == 2; y[1] - y[2] >= 1 }";
    let (.., end) = solved(&level(both), 1e-7);
    assert_eq!(end.status, Status::Solved, "{end:?}");
    assert!((end.z[0] - 1.5).abs() < 1e-6 && (end.z[1] - 0.5).abs() < 1e-6, "{end:?}");
    // 2 y = (-nu + lam, -nu - lam)
    assert!((end.multipliers[0].abs() - 2.0).abs() < 1e-5 && (end.multipliers[1] - 1.0).abs() < 1e-5, "{end:?}");
    let matrix = "var y[2, 2]  minimize normsq(y - [[1, 2], [3, 4]]) subject to { y <= 1.5 + t;  y[1, 1] == y[2, 2] }";
    let (.., end) = solved(&level(matrix), 1e-7);
    assert!(end.status == Status::Solved && end.rows.len() == 5, "{end:?}");
    assert!(end.z.iter().all(|z| (z - 1.5).abs() < 1e-6), "{end:?}");
    let none = "var y[2]  minimize normsq(y) subject to { y[1] + y[2] == 2; y[1] + y[2] <= 1 }";
    let (.., end) = solved(&level(none), 1e-7);
    assert_eq!(end.status, Status::Infeasible, "{end:?}");
}

/// Levels that both ways can hold: a chain of differences, a logistic loss in a ball with a row that holds x, dense rows in
/// a box with an equality.
const LEVELS: [&str; 3] = [
    "data q[n] = uniform(low = 0.5, high = 2, seed = 1)  data c[n] = normal(seed = 2)
     upper { var t  minimize t }
     lower { var y[n]  minimize 1/2*sum(q.*y.^2) + c'*y + 0.1*sum((y[2..n] - y[1..n-1]).^4)
         subject to { step: y[2..n] - y[1..n-1] <= 0.3 + t } }",
    "data U[n, n] = normal(seed = 3)  data b[n] = normal(seed = 4)
     upper { var t  minimize t }
     lower { var y[n] in ball2(1)  minimize sum(log(1 + exp(-(U*y).*b)))/n + 1e-3*normsq(y)
         subject to { sum(y) <= 0.1*t } }",
    "data q[n] = uniform(low = 0.5, high = 2, seed = 5)  data c[n] = normal(seed = 6)  data A[20, n] = normal(seed = 7)
     upper { var t  minimize t }
     lower { var y[n] in [-1, 1]  minimize 1/2*sum(q.*y.^2) + c'*y + sum(exp(y))/10
         subject to { A*y <= t - 1;  sum(y) == 3 } }",
];

fn level(text: &str, n: usize) -> (Problem, Bindings) {
    let problem = problem(&format!("param n = {n}\n{text}"));
    let data = data(&problem);
    (problem, data)
}

#[test]
fn products_and_dense_steps_find_the_same_points_and_multipliers() {
    for text in LEVELS {
        let (problem, data) = level(text, 110);
        for t in [-0.2, 0.4] {
            let (x, y) = ([vec![t]], [vec![0.0; 110]]);
            let mut lower = ConstrainedLower::new(&problem, &data, 1, 0).unwrap();
            lower.put(&x[0]);
            let dense = nlp::solve(&mut lower.program, &y[0], None, &Limits::default());
            let limits = Limits { iterations: 60, ..Limits::default() };
            let end = solver(&problem, &data, &x, &y).solve(&y[0], &limits).unwrap();
            assert_eq!((end.status, dense.status), (Status::Solved, Status::Solved), "{text}");
            assert!((end.value - dense.value).abs() <= 1e-9 * (1.0 + dense.value.abs()), "{text}");
            assert!(apart(&end.z, &dense.z) < 1e-7, "{text}");
            assert!(apart(&end.multipliers, &dense.multipliers) < 1e-6, "{text}");
            assert!(apart(&end.bound_multipliers, &dense.bound_multipliers) < 1e-6, "{text}");
            assert!(end.multipliers.iter().any(|v| *v > 1e-4), "{text}");
        }
    }
}

/// 2000 entries with 1999 rows, of which some hundred are active: a dense step would take minutes. The conditions are
/// written out here.
#[test]
fn a_level_of_two_thousand_entries_is_solved_to_its_conditions() {
    let n = 2000;
    let (problem, data) = level(LEVELS[0], n);
    let mut lower = ConstrainedLower::new(&problem, &data, 1, 0).unwrap();
    assert!(!lower.takes_dense_steps());
    lower.put(&[0.5]);
    let end = lower.descend(&vec![0.0; n]).unwrap();
    let numbers = |i: usize| match &data.values[i] {
        Bound::Real(numbers) => numbers.values().collect::<Vec<f64>>(),
        Bound::Index(_) => unreachable!("numbers"),
    };
    let (q, c, y, lam) = (numbers(0), numbers(1), &end.y, &end.multipliers);
    let step = |i: usize| y[i + 1] - y[i];
    let mut slope: Vec<f64> = (0..n).map(|i| q[i] * y[i] + c[i]).collect();
    for i in 0..n - 1 {
        let force = 0.4 * step(i).powi(3) + lam[i];
        slope[i + 1] += force;
        slope[i] -= force;
    }
    assert!(slope.iter().all(|s| s.abs() < 1e-8));
    assert!((0..n - 1).all(|i| step(i) <= 0.8 + 1e-8 && lam[i] >= 0.0 && lam[i] * (0.8 - step(i)) < 1e-8));
    let active = lam.iter().filter(|v| **v > 1e-3).count();
    assert!((100..1000).contains(&active), "{active}");
    // where rows contradict each other there is no solution, and none is made up
    let text = "upper { var t  minimize t }  lower { var y[n]  minimize normsq(y - t)
        subject to { y[1] + y[2] >= 1;  y[1] + y[2] <= 0 } }";
    let (problem, data) = level(text, n);
    let mut lower = ConstrainedLower::new(&problem, &data, 1, 0).unwrap();
    lower.put(&[0.5]);
    assert!(lower.descend(&vec![0.0; n]).is_none());
}
