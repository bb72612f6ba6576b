//! Lower levels that are hard to solve, by way of the polish at the end of short runs.

mod rays;
mod units;

use blo_engine::model::{Bindings, Bound, Problem};

use super::{LowerSolution, LowerSolver, LowerStart};
use crate::fixture::{LASSO, MERELY_CONVEX, data, polished, problem, solved};
use crate::options::request::Request;
use crate::solution::Solution;

/// A problem with its data, for solves from several points.
struct Level {
    problem: Problem,
    data: Bindings,
}

impl Level {
    fn new(text: &str) -> Level {
        let problem = problem(text);
        let data = data(&problem);
        Level { problem, data }
    }

    fn solver(&self) -> LowerSolver {
        LowerSolver::new(&self.problem, &self.data, 1).unwrap()
    }

    /// The values of a data item.
    fn numbers(&self, name: &str) -> Vec<f64> {
        let first = self.problem.variables().count();
        let item = self.problem.data.iter().find(|d| d.name == name).unwrap();
        match &self.data.values[item.formal - first] {
            Bound::Real(numbers) => numbers.values().collect(),
            Bound::Index(_) => panic!("{name} is an index"),
        }
    }
}

/// A solve from a point, to 1e-9 of its scale.
fn solve_from(solver: &mut LowerSolver, point: &[Vec<f64>]) -> LowerSolution {
    solver.solve(&LowerStart { point, reference: None, tolerance: 1e-9, limit: 5000 }, &mut || false)
}

/// The solve of a text from a point, by a solver of its own.
fn found(text: &str, point: &[Vec<f64>]) -> LowerSolution {
    solve_from(&mut Level::new(text).solver(), point)
}

/// A few steps of MEHA, then the polish.
fn short(text: &str, polish: u64) -> Solution {
    let options = [("alpha", "1e-6"), ("beta", "1e-6"), ("eta", "1e-6"), ("gamma", "1"), ("c", "1")];
    let request = options.iter().fold(Request::new("meha:auto"), |r, (name, value)| r.set(*name, *value));
    polished(text, &request.set("max_iter", "2").set("polish", polish.to_string()))
}

/// Least squares of condition `10^digits` in `n` unknowns, with a known minimum.
fn ill_conditioned(digits: u32, g: &str) -> String {
    format!(
        "param n = 60   let d = [10^(-{digits}*(i - 1)/(2*(n - 1))) for i in 1..n]
         data Q[5*n, n] = normal(seed = 3)
         let r = Q*(d .* ones(n))
         upper {{ var x in [0, 1]  minimize (x - 1)^2 }}
         lower {{ var y[n]  minimize 1/2*normsq(Q*(d .* y) - r) {g} }}
         start {{ y = 3 }}"
    )
}

/// Residual after the polish as a part of the one before.
fn left(s: &Solution) -> f64 {
    s.residuals.lower / s.polish.unwrap().residual
}

fn values<'a>(s: &'a Solution, name: &str) -> &'a [f64] {
    &s.variable(name).unwrap().values
}

#[test]
fn ill_conditioned_lower_levels_are_solved() {
    let cases = [
        (3, "", 60),
        (5, "", 60),
        (6, "", 60),
        (5, "regularize 1e-3*norm1(y)", 60),
        (6, "regularize 1e-6*normsq(y)", 60),
    ];
    for (digits, g, most) in cases {
        let s = short(&ill_conditioned(digits, g), 20_000);
        assert!(left(&s) <= 2e-9 && s.polish.unwrap().iterations < most, "{digits} {g}: {:?}", s.polish);
        assert!(s.warnings.is_empty(), "{:?}", s.warnings);
    }
    let s = short(&ill_conditioned(6, ""), 10);
    assert_eq!(s.polish.unwrap().iterations, 10);
    assert!(left(&s) < 1.0, "{:?}", s.residuals);
}

#[test]
fn the_polished_point_is_reported_and_the_iterate_before_kept_apart() {
    let (raw, s) = (short(LASSO, 0), short(LASSO, 20_000));
    let polish = s.polish.unwrap();
    assert_eq!((polish.upper, polish.lower), (raw.upper.objective, raw.lower.objective));
    assert_eq!((raw.polish, s.variable("x")), (None, raw.variable("x")));
    assert_eq!(s.rows, raw.rows);
    // y = soft(v, x) with v = (1/2, -1/2) and x next to 1/2: the prox leaves exact zeros.
    let (x, y) = (values(&s, "x"), values(&s, "y"));
    let soft = [(0.5 - x[0]).max(0.0), -(0.5 - x[1]).max(0.0)];
    assert!((y[0] - soft[0]).abs() < 1e-8 && (y[1] - soft[1]).abs() < 1e-8, "{x:?} {y:?}");
    assert!(s.lower.objective < raw.lower.objective && s.upper.objective == y[0] + y[1]);
    assert!(s.residuals.upper == raw.residuals.upper && s.counts.grad_lower > raw.counts.grad_lower);
    assert_eq!(raw.warnings[0].code, "W0604");
}

#[test]
fn every_kind_of_lower_level_is_polished() {
    let simplex = "upper { var x in [0, 1]  minimize x }
        lower { var y[3] in simplex(1)  minimize 1/2*normsq(y - [3/4, 1/4, -2]) }  start { y = 1/3 }";
    let y = short(simplex, 100);
    let expected = [0.75, 0.25, 0.0];
    assert!(values(&y, "y").iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-8), "{:?}", y.variable("y"));
    let boxed = "upper { var x in [0, 1]  minimize x }
        lower { var y[2] in [0, 1]  var z >= -1  minimize (y[1] - 3)^2 + (y[2] + z)^2 + exp(z) }";
    let s = short(boxed, 1000);
    assert!(left(&s) < 1e-8 && values(&s, "y")[0] == 1.0 && values(&s, "z")[0] < 0.0, "{:?}", s.lower);
    // y2 has no influence on the lower level and keeps its value.
    let (raw, s) = (short(MERELY_CONVEX, 0), short(MERELY_CONVEX, 100));
    assert_eq!(raw.variable("y2"), s.variable("y2"));
    assert!(values(&s, "y1").iter().zip(values(&s, "x")).all(|(y, x)| (y - x).abs() < 1e-8));
}

#[test]
fn it_stays_in_its_basin() {
    let lowest = -std::f64::consts::FRAC_PI_2;
    for start in ["-4.6", "-3", "-1.6", "0", "1", "1.5", "1.57"] {
        let text = format!(
            "upper {{ var x  minimize x^2 }}  lower {{ var y  var z  minimize sin(y) + 1e-2*sin(z) }}
             start {{ y = {start}  z = {start} }}"
        );
        let s = short(&text, 20_000);
        for name in ["y", "z"] {
            assert!((values(&s, name)[0] - lowest).abs() < 1e-2, "{start} {name}: {:?}", s.variable(name));
        }
    }
}

#[test]
fn single_precision_runs_are_polished_in_double() {
    let request = Request::new("meha:tuned").set("max_iter", "120").set("precision", "f32");
    let (raw, s) = (solved(MERELY_CONVEX, &request), polished(MERELY_CONVEX, &request));
    assert!(s.residuals.lower < 1e-12 && raw.residuals.lower > 1e-9, "{:?} {:?}", raw.residuals, s.residuals);
}

#[test]
fn a_solve_forgets_the_one_before() {
    let problem = problem(&ill_conditioned(3, "+ x*normsq(y)"));
    let data = data(&problem);
    let mut solver = LowerSolver::new(&problem, &data, 1).unwrap();
    let points = [(0.0, 3.0), (1.0, -2.0), (0.5, 40.0)].map(|(x, y)| [vec![x], vec![y; 60]]);
    let solve = |solver: &mut LowerSolver, point: &[Vec<f64>]| {
        let start = LowerStart { point, reference: None, tolerance: 1e-9, limit: 5000 };
        let found = solver.solve(&start, &mut || false);
        assert!(found.solved, "{}", found.residual);
        (found.values, found.evaluations)
    };
    for point in points.iter().chain(points.iter().rev()) {
        let fresh = solve(&mut LowerSolver::new(&problem, &data, 1).unwrap(), point);
        assert_eq!(solve(&mut solver, point), fresh);
    }
}
