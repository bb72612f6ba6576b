//! The reduced objective against values found by hand.

use super::*;
use crate::fixture::{data, problem};

fn at(text: &str, x: &[f64]) -> ReducedPoint {
    let problem = problem(text);
    let data = data(&problem);
    let mut reduced = Reduced::new(&problem, &data, 1, 0).unwrap();
    reduced.at(x, &[], Effort { starts: 6, stream: 0 }).unwrap()
}

#[test]
fn the_upper_level_chooses_among_lower_solutions() {
    let toll = "upper { var p in [0, 20]  maximize p*y }  lower { var y in [0, 1]  minimize (p - 4)*y }";
    for (p, value) in [(1.0, 1.0), (3.9, 3.9), (4.0, 4.0), (4.1, 0.0)] {
        assert!((at(toll, &[p]).upper + value).abs() < 1e-6, "{p}");
    }
    // y2 is free: the best one counts
    let flat = "upper { var x  minimize 1/2*(x - y[2])^2 + 1/2*(y[1] - 1)^2 }
        lower { var y[2]  minimize 1/2*y[1]^2 - x*y[1] }";
    for x in [0.0, 1.0, 2.5] {
        let point = at(flat, &[x]);
        let value = 0.5 * (x - 1.0) * (x - 1.0);
        assert!((point.upper - value).abs() < 1e-6 && point.solved, "{x}: {point:?}");
    }
}

#[test]
fn the_choice_leaves_saddles_and_finds_the_best_of_several_local_ones() {
    // F is concave over the solutions, and y starts where its slope is 0
    let square = "upper { var x in [-1, 1]  minimize (x - 1)^2 - y^2 }
        lower { var y in [-3, 3]  minimize relu(x)^2*y^2 }";
    for (x, value) in [(0.0, -8.0), (-0.5, -6.75), (1.0, 0.0)] {
        assert!((at(square, &[x]).upper - value).abs() < 1e-6, "{x}: {:?}", at(square, &[x]));
    }
    // y1 = y2 is a maximizer of y1 y2 over a face
    let face = "upper { var x in [0, 2]  minimize (x - 1)^2 + y[1]*y[2] }
        lower { var y[3] in simplex(1)  minimize (y[3] - x/4)^2 }";
    assert!(at(face, &[1.0]).upper < 1e-6, "{:?}", at(face, &[1.0]));
    // F has several minima over the segment y1 + 2 y2 = 0
    let waves = "upper { var x in [-1, 1]  minimize sin(3*y[1]) + 0.2*y[2] + x^2 }
        lower { var y[2] in [-4, 4]  minimize (y[1] + 2*y[2] - x)^2 }";
    let value = |i: i32| {
        let y = f64::from(i) * 1e-4;
        (3.0 * y).sin() - 0.1 * y
    };
    let least = (-40_000..=40_000).map(value).fold(f64::INFINITY, f64::min);
    let (problem, data) = (problem(waves), data(&problem(waves)));
    let mut reduced = Reduced::new(&problem, &data, 1, 0).unwrap();
    let point = reduced.choosing(&[0.0], &[&[vec![1.0, 1.0]]], Effort { starts: 6, stream: 0 }).unwrap();
    assert!((point.upper - least).abs() < 1e-4, "{least}: {point:?}");
}

#[test]
fn a_ray_of_the_upper_objective_over_lower_solutions_is_one() {
    let is_ray = |text: &str, y: &[f64]| {
        let problem = problem(text);
        let data = data(&problem);
        let mut reduced = Reduced::new(&problem, &data, 1, 0).unwrap();
        let far = ReducedPoint {
            x: vec![0.5],
            y: vec![y.to_vec()],
            upper: 0.0,
            lower: 0.0,
            solved: true,
            tied: false,
            wells: 0,
        };
        reduced.ray_to(&far).is_some()
    };
    let plane = |upper: &str| {
        format!("upper {{ var x in [0, 1]  minimize {upper} }}  lower {{ var y[2]  minimize (y[1] + y[2] - x)^2 }}")
    };
    let far = [-1e7, 1e7];
    assert!(is_ray(&plane("y[1] - y[2] + x"), &far) && is_ray(&plane("x - y[1]^2"), &far));
    // these have a least value, or come to none that is far below
    assert!(!is_ray(&plane("y[2] - y[1] + x"), &far) && !is_ray(&plane("x + 1/(1 + y[1]^2)"), &far));
    assert!(!is_ray(&plane("(y[1] + 1e7)^2"), &far), "a minimizer far away is none");
}

#[test]
fn a_lower_objective_that_is_never_least_is_told_from_a_flat_one() {
    let endless = |lower: &str, y: &[f64]| {
        let text =
            format!("upper {{ var x in [0, 1]  minimize x + normsq(y) }}  lower {{ var y[2]  minimize {lower} }}");
        let problem = problem(&text);
        let data = data(&problem);
        let mut reduced = Reduced::new(&problem, &data, 1, 0).unwrap();
        let solution = reduced.lower.descend(&[vec![0.5]], &[y.to_vec()]).unwrap();
        let point =
            ReducedPoint { x: vec![0.5], y: solution.y, upper: 0.0, lower: 0.0, solved: true, tied: false, wells: 0 };
        reduced.has_no_minimizer(&point)
    };
    for lower in ["exp(-y[1]) + (y[2] - x)^2", "exp(-y[1] - y[2]) + x^2", "softplus(-y[1] - 2*y[2])"] {
        assert!(endless(lower, &[0.0, 0.0]), "{lower}");
    }
    for lower in ["relu(1 - y[1])^2 + (y[2] - x)^2", "(y[1] + y[2] - x)^2", "(y[1] - 1)^4 + y[2]^4", "normsq(y - x)"] {
        for start in [[0.0, 0.0], [5.0, 3.0]] {
            assert!(!endless(lower, &start), "{lower}");
        }
    }
}

#[test]
fn the_deepest_well_counts() {
    let wells = "let deep = -5*exp(-(y + 0.5)^2/0.18)
        let shallow = -(2 + p)*exp(-(y - 3)^2/0.18)
        upper { var p in [-1, 1]  minimize (y - 3)^2 + p^2 + p }
        lower { var y in [-1, 5]  minimize deep + shallow + 0.01*y }
        start { y = 2.9 }";
    let point = at(wells, &[-0.5]);
    assert!((point.upper - 12.001_260).abs() < 1e-4, "{point:?}");
    let in_two = "upper { var x  minimize (y[1] - x)^2 + y[2]^2 }
        lower { var y[2] in [-3, 3]  minimize (y[1]^2 - 1)^2 + 0.1*y[1] + (y[2] - x)^2 }
        start { y = 1 }";
    let point = at(in_two, &[0.5]);
    assert!((point.y[0][0] + 1.012_273).abs() < 1e-4 && (point.y[0][1] - 0.5).abs() < 1e-6, "{point:?}");
}

const WELLS: &str = "upper { var x in [-2, 2]
      minimize (y[1] - 0.3)^2 + (y[2] - 0.9)^2 + 0.5*(x - 0.5)^2 }
    lower { var y[2] in [-2, 2]
      minimize (y[1]^2 - 1)^2 + (y[2]^2 - 1)^2 - 1.1*y[1]*y[2] + x*y[1] - 0.4*x*y[2] - 1.8*sin(2*y[1] + y[2]) + 0.8*y[1] }
    start { y = [0.44, 1.02] }";

/// At x = 0.5721 the lower objective is -3.7489 at its deepest well and -1.1749 at the one that F prefers.
#[test]
fn a_well_that_is_known_from_another_x_counts_here() {
    let problem = problem(WELLS);
    let data = data(&problem);
    let mut reduced = Reduced::new(&problem, &data, 1, 0).unwrap();
    let alone = Effort { starts: 0, stream: 0 };
    let shallow = reduced.at(&[0.5721], &[], alone).unwrap();
    assert!((shallow.lower + 1.1749).abs() < 1e-3, "{shallow:?}");
    assert_eq!(reduced.again(&shallow).lower, shallow.lower);
    let elsewhere = reduced.at(&[-0.5], &[], Effort { starts: 40, stream: 0 }).unwrap();
    assert!(elsewhere.lower < -2.7, "{elsewhere:?}");
    let deep = reduced.at(&[0.5721], &[&shallow.y], alone).unwrap();
    assert!((deep.lower + 3.7489).abs() < 1e-3, "{deep:?}");
    assert_eq!(reduced.again(&shallow).lower, deep.lower);
}

#[test]
fn a_value_that_is_too_good_is_found_out() {
    let problem = problem(WELLS);
    let data = data(&problem);
    let mut reduced = Reduced::new(&problem, &data, 1, 0).unwrap();
    let shallow = reduced.at(&[0.5721], &[], Effort { starts: 0, stream: 0 }).unwrap();
    let (tested, holds) = reduced.tested(&shallow, 40);
    assert!(!holds && (tested.lower + 3.7489).abs() < 1e-3 && tested.upper > 4.0, "{tested:?}");
    assert_eq!(reduced.lower.tried, 40);
    let (same, holds) = reduced.tested(&tested, 40);
    assert!(holds && same.y == tested.y, "{same:?}");
}

/// A well per entry, whose depths change places at 40 different x: starts at random never find all of the deeper ones.
#[test]
fn wells_of_many_entries_are_found_one_by_one() {
    let problem = problem(
        "param n = 40
         upper { var x in [-1, 1]  minimize normsq(y) + x }
         lower { var y[n] in [-2, 2]  minimize sum((y[i]^2 - 1)^2 + (i/n - 1/2 + 0.02*x)*y[i] for i in 1..n) }",
    );
    let data = data(&problem);
    let mut reduced = Reduced::new(&problem, &data, 1, 0).unwrap();
    let point = reduced.thorough(&[1.0], &[], 6).unwrap();
    let wrong = |(i, y): (usize, &f64)| ((i + 1) as f64 / 40.0 - 0.48) * y > 0.0;
    assert_eq!(point.y[0].iter().enumerate().filter(|p| wrong(*p)).count(), 0, "{point:?}");
}

#[test]
fn kinks_of_the_lower_level_are_solved() {
    let copy = "upper { var x in [0, 1]  minimize (x - 0.5)^2 + y }
        lower { var y in [0, 1]  minimize max(y - x, x - y) + 0.1*y }";
    assert!((at(copy, &[0.5]).y[0][0] - 0.5).abs() < 1e-6);
    let hinge = "upper { var x in [-6, 6]  minimize normsq(y) }
        lower { var y[2]  minimize 1/2*normsq(y) + relu(1 - y[1] - y[2]) }";
    // the kink is at y1 + y2 = 1, and the nearest point of it is (1/2, 1/2)
    let point = at(hinge, &[0.0]);
    assert!(point.y[0].iter().all(|v| (v - 0.5).abs() < 1e-4), "{point:?}");
}

#[test]
fn a_search_ends_at_a_jump() {
    let problem = problem("upper { var p in [0, 20]  maximize p*y }  lower { var y in [0, 1]  minimize (p - 4)*y }");
    let data = data(&problem);
    let mut reduced = Reduced::new(&problem, &data, 1, 0).unwrap();
    reduced.scale_by(&[&[1.0]]);
    let start = reduced.at(&[1.0], &[], Effort { starts: 2, stream: 0 }).unwrap();
    let end = reduced.pattern_search(&start, 1.0);
    assert!((end.upper + 4.0).abs() < 1e-6, "{end:?}");
}

#[test]
fn ties_of_a_linear_follower_are_found() {
    let problem = problem(
        "upper { var x in [-2, 2]
           maximize -(0.38*(x - 0.2)^2 + 0.89*(y[1] - 1.05)^2 + 1.79*(y[2] - 0.09)^2) }
         lower { var y[2] in [0, 2.64]  minimize (1.42*x - 0.03)*y[1] + (0.34*x - 1.4)*y[2] }",
    );
    let data = data(&problem);
    let mut reduced = Reduced::new(&problem, &data, 1, 0).unwrap();
    let start = reduced.at(&[0.2], &[], Effort { starts: 2, stream: 0 }).unwrap();
    reduced.scale_by(&[&[0.0], &[0.2]]);
    // y1 is free where 1.42 x = 0.03
    let tie = reduced.tied(&[0.1], &[vec![2.64, 2.64]], &start.y).unwrap();
    assert!((tie.x[0] - 0.03 / 1.42).abs() < 1e-9 && (tie.y[0][0] - 1.05).abs() < 1e-3, "{tie:?}");
    let scan = reduced.scan(&[&start]);
    let ties = reduced.ties(&scan);
    assert!(ties.iter().any(|t| (t.upper - 11.6517).abs() < 1e-2), "{ties:#?}");
}

#[test]
fn only_entries_at_a_finite_end_are_at_a_bound() {
    let problem = problem(
        "upper { var a >= 0  var b  var c <= 3  var d in [0, 1]  minimize a^2 + b^2 + c^2 + d^2 + y }
        lower { var y  minimize (y - a)^2 }",
    );
    let data = data(&problem);
    let reduced = Reduced::new(&problem, &data, 1, 0).unwrap();
    assert_eq!(reduced.at_bounds(&[7.0, 0.0, 2.0, 0.5]), [0; 0]);
    assert_eq!(reduced.at_bounds(&[0.0, -9.0, 3.0, 1.0]), [0, 2, 3]);
}

#[test]
fn a_solution_has_all_the_digits_that_the_upper_objective_depends_on() {
    // y1 + y2 = x1 and y1 - y2 = x2, the second with a weight that no slope shows
    for weight in [1e3_f64, 1e4, 1e5, 1e6] {
        let text = format!(
            "upper {{ var x[2] in [-3, 3]  minimize normsq(y - [1, 2]) + normsq(x - [2, 1]) }}
             lower {{ var y[2]  minimize {weight:e}*(y[1] + y[2] - x[1])^2 + {:e}*(y[1] - y[2] - x[2])^2 }}",
            1.0 / weight
        );
        let point = at(&text, &[1.7, -0.3]);
        assert!((point.y[0][0] - 0.7).abs() < 1e-5 && (point.y[0][1] - 1.0).abs() < 1e-5, "{weight}: {point:?}");
        assert!(point.solved, "{weight}");
    }
}
