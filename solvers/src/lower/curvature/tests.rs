//! Eigenvalues, diagonals and slopes of small Hessians.

use super::*;
use crate::fixture::{data, problem};

/// f_yy = diag(1, 4, -2) for y1 and 9 for y2, F_yy = 6 for y2 and 0 for y1.
const TEXT: &str = "
    let d = [1, 4, -2]
    upper { var x   minimize x^2 + 3*y2^2 + sum(y1) }
    lower { var y1[3]   var y2 in [-1, 1]   minimize 1/2*sum(d .* y1.^2) + 9/2*y2^2 - x*y2 }";

fn curvature(text: &str) -> Curvature {
    let problem = problem(text);
    let mut curvature = Curvature::new(&problem, &data(&problem), 1, 0).unwrap();
    curvature.go_to(&mut |_, values| values.fill(0.5));
    curvature
}

#[test]
fn extreme_eigenvalues_are_those_of_the_hessians() {
    let mut curvature = curvature(TEXT);
    let ones = curvature.power.unit_metric();
    let mut of = |which, c| curvature.power.eigenvalue(which, c, &ones, 200, 1.0, 9.5);
    for (which, c, wanted) in [
        (Extreme::Lower, 1.0, 9.0),
        (Extreme::Upper, 1.0, 6.0),
        (Extreme::Both, 2.0, 12.0),
        (Extreme::Least, 1.0, -2.0),
    ] {
        let found = of(which, c);
        assert!((found - wanted).abs() < 1e-6, "{which:?}: {found}");
    }
}

#[test]
fn the_diagonal_is_exact_where_the_hessian_is_diagonal_and_makes_its_eigenvalues_one() {
    let mut curvature = curvature(TEXT);
    let mut lower = curvature.power.unit_metric();
    let mut upper = lower.clone();
    curvature.diagonals(2, &mut lower, &mut upper);
    assert_eq!(lower, [vec![1.0, 4.0, 2.0], vec![9.0]]);
    assert_eq!(upper, [vec![0.0; 3], vec![6.0]]);
    let inverse: LowerArrays = lower.iter().map(|d| d.iter().map(|v| 1.0 / v).collect()).collect();
    let found = curvature.power.eigenvalue(Extreme::Lower, 1.0, &inverse, 200, 1.0, 0.0);
    assert!((found - 1.0).abs() < 1e-6, "{found}");
}

/// Rows of ones: every entry of the Hessian is 100, and signs cancel.
#[test]
fn an_estimated_diagonal_survives_correlated_columns() {
    let text = "upper { var x   minimize x^2 }  lower { var y[100]   minimize 50*sum(y)^2 - x*y[1] }";
    let mut curvature = curvature(text);
    let mut lower = curvature.power.unit_metric();
    let mut upper = lower.clone();
    curvature.diagonals(0, &mut lower, &mut upper);
    assert!(lower[0].iter().all(|v| *v > 50.0 && *v < 1000.0), "{lower:?}");
    assert_eq!(upper[0], [0.0; 100]);
}

#[test]
fn slopes_are_norms_in_the_metric() {
    let mut curvature = curvature(TEXT);
    let metric: LowerArrays = vec![vec![0.25; 3], vec![4.0]];
    let slopes = curvature.slopes(&metric, 1.0);
    // F_y = (1, 1, 1; 3), y = 1/2 everywhere; |F_y|^2 = sum(P F_y^2), |y|^2 = sum(y^2/P).
    assert!((slopes.upper - (0.75f64 + 36.0).sqrt()).abs() < 1e-12, "{slopes:?}");
    assert!((slopes.point - (3.0f64 + 1.0 / 16.0).sqrt()).abs() < 1e-12, "{slopes:?}");
    // y1 moves by P f_y = (1/8, 1/2, -1/4), y2 to its bound: -1 - 1/2.
    let moved = (1.0f64 / 64.0 + 0.25 + 1.0 / 16.0) / 0.25 + 2.25 / 4.0;
    assert!((slopes.lower - moved.sqrt()).abs() < 1e-12, "{slopes:?}");
}

#[test]
fn hessians_of_quadratic_functions_are_constant() {
    assert!(curvature(TEXT).power.is_constant());
    for changed in [TEXT.replace("y1.^2", "y1.^4"), TEXT.replace("3*y2^2", "3*x*y2^2")] {
        assert!(!curvature(&changed).power.is_constant(), "{changed}");
    }
}

#[test]
fn wandering_stays_in_the_set_and_comes_back() {
    let mut curvature = curvature(TEXT);
    let y2 = curvature.power.inputs.lower[1];
    for _ in 0..20 {
        curvature.wander();
        assert!(curvature.power.program.input(y2)[0].abs() <= 1.0);
        curvature.come_back();
        assert_eq!(curvature.power.program.input(y2), [0.5]);
    }
}
