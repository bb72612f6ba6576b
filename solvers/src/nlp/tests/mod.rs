//! Programs in closed form: what a solve finds, and what it says of what it has found.

mod complementarity;
mod hock_schittkowski;
mod jet;

use super::{Limits, Outcome, Status, solve};
use jet::{Formulas, Jet};

const INF: f64 = f64::INFINITY;
const FREE: [f64; 2] = [-INF, INF];
const POSITIVE: [f64; 2] = [0.0, INF];
const NEGATIVE: [f64; 2] = [-INF, 0.0];
const ZERO: [f64; 2] = [0.0, 0.0];

fn solved(mut problem: Formulas, start: &[f64]) -> Outcome {
    solve(&mut problem, start, None, &Limits::default())
}

/// Solved to the tolerance at this point.
#[track_caller]
fn assert_at(outcome: &Outcome, z: &[f64], tolerance: f64) {
    assert_eq!(outcome.status, Status::Solved, "{outcome:?}");
    assert!(outcome.violation <= 1e-9 && outcome.stationarity <= 1e-6, "{outcome:?}");
    assert!(outcome.z.iter().zip(z).all(|(a, b)| (a - b).abs() <= tolerance), "{outcome:?}");
}

fn v(z: &[Jet], i: usize) -> Jet {
    z[i].clone()
}

/// Rosenbrock's valley.
fn valley(z: &[Jet]) -> Jet {
    100.0 * (v(z, 1) - z[0].powi(2)).powi(2) + (1.0 - v(z, 0)).powi(2)
}

#[test]
fn without_rows() {
    assert_at(&solved(Formulas::new(&[FREE; 2], &[], |z| vec![valley(z)]), &[-1.2, 1.0]), &[1.0, 1.0], 1e-8);
    let bounded = Formulas::new(&[[-INF, 0.5], FREE], &[], |z| vec![valley(z)]);
    let outcome = solved(bounded, &[-1.2, 1.0]);
    assert_at(&outcome, &[0.5, 0.25], 1e-9);
    assert!((outcome.bound_multipliers[0] - 1.0).abs() < 1e-7, "{outcome:?}");
}

#[test]
fn a_maximum_and_a_saddle_are_left() {
    let double_well = Formulas::new(&[FREE; 2], &[], |z| vec![(z[0].powi(2) - 1.0).powi(2) + z[1].powi(2)]);
    let outcome = solved(double_well, &[0.0, 0.3]);
    assert!(outcome.status == Status::Solved && (outcome.z[0].abs() - 1.0).abs() < 1e-8, "{outcome:?}");
    // max z^2 within [-1, 2] from 0, and a row whose slope vanishes at the start
    let outcome = solved(Formulas::new(&[[-1.0, 2.0]], &[], |z| vec![-z[0].powi(2)]), &[0.0]);
    assert!(outcome.status == Status::Solved && outcome.value <= -1.0, "{outcome:?}");
    let circle = Formulas::new(&[FREE; 2], &[[1.0, 1.0]], |z| vec![v(z, 0) + v(z, 1), z[0].powi(2) + z[1].powi(2)]);
    assert_at(&solved(circle, &[0.0, 0.0]), &[-(0.5_f64.sqrt()), -(0.5_f64.sqrt())], 1e-8);
}

/// Hock-Schittkowski 71, with its multipliers.
#[test]
fn an_equality_an_inequality_and_bounds() {
    let problem = Formulas::new(&[[1.0, 5.0]; 4], &[[25.0, INF], [40.0, 40.0]], |z| {
        let squares = z[0].powi(2) + z[1].powi(2) + z[2].powi(2) + z[3].powi(2);
        let f = v(z, 0) * v(z, 3) * (v(z, 0) + v(z, 1) + v(z, 2)) + v(z, 2);
        vec![f, v(z, 0) * v(z, 1) * v(z, 2) * v(z, 3), squares]
    });
    let outcome = solved(problem, &[1.0, 5.0, 5.0, 1.0]);
    assert_at(&outcome, &[1.0, 4.742_999_64, 3.821_149_98, 1.379_408_29], 1e-7);
    let right = [-0.552_293_66, 0.161_468_56];
    assert!(outcome.multipliers.iter().zip(right).all(|(a, b)| (a - b).abs() < 1e-6), "{outcome:?}");
    assert!((outcome.bound_multipliers[0] + 1.087_871_23).abs() < 1e-6, "{outcome:?}");
    assert!(outcome.iterations <= 10, "{outcome:?}");
}

#[test]
fn a_curved_row_does_not_shorten_steps() {
    // Maratos: f = 2(z'z - 1) - z_1 on the unit circle
    let problem = Formulas::new(&[FREE; 2], &[ZERO], |z| {
        let circle = z[0].powi(2) + z[1].powi(2) - 1.0;
        vec![2.0 * circle.clone() - v(z, 0), circle]
    });
    let outcome = solved(problem, &[0.8, 0.6]);
    assert_at(&outcome, &[1.0, 0.0], 1e-8);
    assert!((outcome.multipliers[0] + 1.5).abs() < 1e-8 && outcome.iterations <= 10, "{outcome:?}");
}

#[test]
fn fixed_variables_and_free_rows_are_as_if_they_were_not_there() {
    let problem = Formulas::new(&[FREE, [2.0, 2.0], FREE], &[FREE, [-INF, 1.0], FREE], |z| {
        let f = (v(z, 0) - 3.0).powi(2) + (v(z, 1) - v(z, 2)).powi(2);
        vec![f, z[0].exp() * 1e300, v(z, 0), z[2].ln()]
    });
    let outcome = solved(problem, &[0.0, -7.0, 1.0]);
    assert_at(&outcome, &[1.0, 2.0, 2.0], 1e-9);
    assert!((outcome.multipliers[1] - 4.0).abs() < 1e-8, "{outcome:?}");
    let fixed = Formulas::new(&[[2.0, 2.0]], &[[-INF, 5.0]], |z| vec![-v(z, 0), v(z, 0) * 2.0]);
    let outcome = solved(fixed, &[0.0]);
    assert_at(&outcome, &[2.0], 0.0);
    assert_eq!(outcome.bound_multipliers, [1.0]);
    let contradicted = Formulas::new(&[[2.0, 2.0]], &[[-INF, 3.0]], |z| vec![-v(z, 0), v(z, 0) * 2.0]);
    assert_eq!(solved(contradicted, &[0.0]).status, Status::Infeasible);
}

#[test]
fn redundant_rows_and_rows_without_independent_slopes() {
    // the same plane three times
    let planes = Formulas::new(&[FREE; 2], &[[1.0, 1.0], [2.0, 2.0], [-1.0, -1.0]], |z| {
        let sum = v(z, 0) + v(z, 1);
        vec![z[0].powi(2) + 2.0 * z[1].powi(2), sum.clone(), 2.0 * sum.clone(), -sum]
    });
    assert_at(&solved(planes, &[5.0, -3.0]), &[2.0 / 3.0, 1.0 / 3.0], 1e-8);
    // two discs that touch: no multipliers at the only feasible point, which is found all the same
    let discs = Formulas::new(&[FREE; 2], &[NEGATIVE; 2], |z| {
        let disc = |c: f64| (v(z, 0) - c).powi(2) + z[1].powi(2) - 1.0;
        vec![v(z, 1), disc(-1.0), disc(1.0)]
    });
    let outcome = solved(discs, &[0.5, 0.5]);
    assert!(outcome.violation < 1e-6 && outcome.z.iter().all(|z| z.abs() < 1e-3), "{outcome:?}");
}

#[test]
fn complementarity_rows() {
    // min (x - 1)^2 + (y - 1)^2 with x, y >= 0 and x y <= eps: near (1, 0) or (0, 1), down to eps = 0
    for eps in [1e-2, 1e-4, 1e-6, 1e-8, 0.0] {
        let mut problem = Formulas::new(&[POSITIVE; 2], &[[-INF, eps]], |z| {
            vec![(v(z, 0) - 1.0).powi(2) + (v(z, 1) - 1.0).powi(2), v(z, 0) * v(z, 1)]
        });
        let outcome = solve(&mut problem, &[0.6, 0.5], None, &Limits::default());
        assert!(matches!(outcome.status, Status::Solved), "{eps}: {outcome:?}");
        assert!((outcome.z[0] - 1.0).abs() < 0.05 && outcome.z[1] < 0.05, "{eps}: {outcome:?}");
        assert!(outcome.iterations < 20, "{eps}: {outcome:?}");
    }
}

#[test]
fn no_point_meets_the_rows() {
    let linear = Formulas::new(&[FREE; 2], &[[1.0, INF], [-INF, 0.0]], |z| {
        let sum = v(z, 0) + v(z, 1);
        vec![z[0].powi(2) + z[1].powi(2), sum.clone(), sum]
    });
    assert_eq!(solved(linear, &[0.3, 0.1]).status, Status::Infeasible);
    let curved = Formulas::new(&[FREE], &[NEGATIVE], |z| vec![v(z, 0), z[0].powi(2) + 1.0]);
    let outcome = solved(curved, &[3.0]);
    assert!(outcome.status == Status::Infeasible && outcome.z[0].abs() < 1e-3, "{outcome:?}");
    let crossed = Formulas::new(&[[1.0, 0.0]], &[], |z| vec![v(z, 0)]);
    assert_eq!(solved(crossed, &[0.0]).status, Status::Infeasible);
}

#[test]
fn no_end_and_no_beginning() {
    let line = Formulas::new(&[FREE; 2], &[ZERO], |z| vec![v(z, 0), v(z, 0) - v(z, 1)]);
    assert_eq!(solved(line, &[0.0, 0.0]).status, Status::Unbounded);
    let logarithm = Formulas::new(&[FREE], &[], |z| vec![z[0].ln()]);
    assert_eq!(solved(logarithm, &[-1.0]).status, Status::NotFinite);
    // undefined left of 0, where the first steps point
    let edge = Formulas::new(&[FREE], &[], |z| vec![v(z, 0) - z[0].ln()]);
    assert_at(&solved(edge, &[5.0]), &[1.0], 1e-8);
}

#[test]
fn a_start_with_multipliers_at_the_solution_takes_no_step() {
    let rows = |z: &[Jet]| vec![z[0].exp() + z[1].powi(2) + z[1].sin() * v(z, 0), v(z, 0) + v(z, 1)];
    let first = solved(Formulas::new(&[FREE; 2], &[[1.0, INF]], rows), &[2.0, 2.0]);
    assert_eq!(first.status, Status::Solved);
    let mut again = Formulas::new(&[FREE; 2], &[[1.0, INF]], rows);
    let second = solve(&mut again, &first.z, Some(&first.multipliers), &Limits::default());
    assert_eq!((second.status, second.iterations), (Status::Solved, 0), "{second:?}");
}

#[test]
fn a_stop_and_a_limit_end_a_solve() {
    let limits = Limits { iterations: 2, ..Limits::default() };
    let mut problem = Formulas::new(&[FREE; 2], &[], |z| vec![valley(z)]);
    assert_eq!(solve(&mut problem, &[-1.2, 1.0], None, &limits).status, Status::IterationLimit);
    let limits = Limits::default();
    limits.stop.stop(blo_engine::stop::StopReason::Enough);
    assert_eq!(solve(&mut problem, &[-1.2, 1.0], None, &limits).status, Status::Stopped);
}
