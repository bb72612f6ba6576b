use blo_engine::data::symmetric;

use super::*;
use crate::fixture::{data, problem};
use crate::hypergradient::Setup;
use crate::lower::dynamics;
use crate::lower::dynamics::StepRule;
use crate::lower::step_sizes::{EstimatedSteps, Wanted};
use std::rc::Rc;

struct Still;

impl StepRule for Still {
    fn wanted(&self) -> Wanted {
        Wanted::default()
    }

    fn scalars(&self, _: &EstimatedSteps, _: u64, _: &mut f64, row: &mut [f64]) {
        row.fill(0.0);
    }
}

/// A quadratic program with rows that move, two bounds, and an equality.
const QP: &str = "param n = 12  param k = 5
    data Q[n, n] = normal(mean = 0, sd = 1, seed = 1)
    data A[k, n] = normal(mean = 0, sd = 1, seed = 2)
    data T[k, 3] = normal(mean = 0, sd = 0.3, seed = 3)
    data B[n, 3] = normal(mean = 0, sd = 1, seed = 5)
    data t[n] = normal(mean = 0, sd = 1, seed = 4)
    upper { var x[3] in [-5, 5]  minimize 1/2*normsq(y - t) + y'*(B*x) }
    lower { var y[n] in [-0.4, 3]  minimize 1/2*normsq(Q*y)/n + 1/20*normsq(y) - x'*(B'*y)
        subject to { rows: A*y <= 1/5 + T*x;  total: sum(y) == x[1] } }";

/// Rows whose curvature matters: a ball that grows, and a product.
const CURVED: &str = "param n = 4
    data t[n] = normal(mean = 0, sd = 1, seed = 4)
    upper { var x[2] in [-5, 5]  minimize normsq(y - 1) + y[1]*x[2] }
    lower { var y[n]  minimize normsq(y - 2*t) + x[2]*y[2]
        subject to { ball: normsq(y) <= exp(x[1]);  product: y[1] + x[1]*y[2]^2 <= 1/2 } }";

fn estimator(text: &str, solver: Solver, dense: usize) -> (ActiveRows<f64>, Trajectory<f64>) {
    let problem = problem(text);
    let data = data(&problem);
    let lower = dynamics::by_name("gradient").on(&problem);
    let setup = Setup { problem: &problem, data: &data, threads: 1, lower: &lower };
    let mut rows = ActiveRows::<f64>::new(&setup, solver).unwrap();
    rows.dense = dense;
    let rule: Rc<dyn StepRule> = Rc::new(Still);
    (rows, Trajectory::new(&problem, &data, 1, lower, (rule, 1), 1e6).unwrap())
}

fn objective(rows: &mut ActiveRows<f64>, t: &mut Trajectory<f64>, x: &[f64], n: usize) -> f64 {
    t.set_x(0).copy_from_slice(x);
    rows.objective(t, &[vec![0.0; n]])
}

fn gradient(rows: &mut ActiveRows<f64>, t: &mut Trajectory<f64>, x: &[f64], n: usize) -> Vec<f64> {
    objective(rows, t, x, n);
    let mut g = [vec![0.0; x.len()]];
    rows.gradient(t, &mut g, &mut []);
    g[0].clone()
}

const CONJUGATE: Solver = Solver::Conjugate(Stop { rtol: 1e-12, atol: 0.0, most: 100 });

#[test]
fn hypergradients_agree_with_differences() {
    for (text, n, m) in [(QP, 12, 3), (CURVED, 4, 2)] {
        let (mut rows, mut t) = estimator(text, CONJUGATE, DENSE);
        let mut active = 0;
        for draw in 0..5 {
            let mut random = symmetric(7, draw, "active rows");
            let x: Vec<f64> = (0..m).map(|_| 0.7 * random()).collect();
            let g = gradient(&mut rows, &mut t, &x, n);
            active += rows.multipliers.iter().filter(|v| v.abs() > 1e-6).count();
            for i in 0..m {
                let h = 1e-5;
                let [above, below] = [h, -h].map(|h| {
                    let mut x = x.clone();
                    x[i] += h;
                    objective(&mut rows, &mut t, &x, n)
                });
                let difference = (above - below) / (2.0 * h);
                assert!((g[i] - difference).abs() < 1e-5 * difference.abs().max(1.0), "{draw} {i}: {g:?} {difference}");
            }
        }
        assert!(active > 5 && rows.warnings().is_empty(), "{active} {:?}", rows.warnings());
    }
}

#[test]
fn large_systems_are_solved_alike() {
    let x = [0.3, -0.2, 0.4];
    let (mut rows, mut t) = estimator(QP, CONJUGATE, DENSE);
    let dense = gradient(&mut rows, &mut t, &x, 12);
    for solver in [CONJUGATE, Solver::Neumann(100_000)] {
        let (mut rows, mut t) = estimator(QP, solver, 0);
        let other = gradient(&mut rows, &mut t, &x, 12);
        let worst = dense.iter().zip(&other).fold(0.0, |m: f64, (a, b)| m.max((a - b).abs()));
        assert!(worst < 1e-8, "{solver:?}: {dense:?} {other:?}");
    }
}

#[test]
fn rows_that_depend_on_each_other_are_told() {
    let text = "upper { var x in [-5, 5]  minimize (y - 1)^2 }
        lower { var y  minimize (y - 3)^2  subject to { one: y <= x;  two: 2*y <= 2*x } }";
    let (mut rows, mut t) = estimator(text, CONJUGATE, DENSE);
    let g = gradient(&mut rows, &mut t, &[0.0], 1);
    assert!((g[0] + 2.0).abs() < 1e-8, "{g:?}");
    let told: Vec<&str> = rows.warnings().iter().map(|d| d.code).collect();
    assert_eq!(told, ["W0637"]);
}

#[test]
fn a_row_that_just_touches_is_told() {
    // y = min(x, 1)
    let text =
        "upper { var x in [-5, 5]  minimize y }  lower { var y  minimize (y - 1)^2  subject to { row: y <= x } }";
    for (x, told) in [(0.5, false), (1.0, true), (1.5, false)] {
        let (mut rows, mut t) = estimator(text, CONJUGATE, DENSE);
        gradient(&mut rows, &mut t, &[x], 1);
        assert_eq!(!rows.warnings().is_empty(), told, "{x} {:?}", rows.seen);
    }
}

/// On generated problems with one x, against the least value on a grid of it: from near the best point of the grid, `cg` must
/// not end above it.
#[test]
fn descents_end_no_higher_than_a_grid() {
    use crate::fixture::polished;
    use crate::options::request::Request;

    let mut bent = 0;
    for seed in 1..=8 {
        let text = format!(
            "param n = 4  param k = 5
            data Q[n, n] = normal(mean = 0, sd = 1, seed = {seed})
            data A[k, n] = normal(mean = 0, sd = 1, seed = {})
            data T[k] = normal(mean = 0, sd = 1, seed = {})
            data t[n] = normal(mean = 0, sd = 1, seed = {})
            upper {{ var x in [-2, 2]  minimize 1/2*normsq(y - t) + 1/10*x^2 }}
            lower {{ var y[n]  minimize 1/2*normsq(Q*y) + 1/20*normsq(y) - x*sum(y)
                subject to {{ rows: A*y <= 3/2 + T*x }} }}",
            seed + 100,
            seed + 200,
            seed + 300,
        );
        let problem = problem(&text);
        let data = data(&problem);
        let mut lower = ConstrainedLower::new(&problem, &data, 1, 0).unwrap();
        let mut best = (f64::INFINITY, 0.0);
        for i in 0..=400 {
            let x = [-2.0 + f64::from(i) / 100.0];
            let Some(solved) = lower.solutions(&x, &[&[0.0; 4]], 1).into_iter().next() else { continue };
            bent += usize::from(solved.multipliers.iter().any(|v| *v > 1e-6));
            let upper = lower.measure(&x, &solved.y).unwrap().upper;
            best = if upper < best.0 { (upper, x[0]) } else { best };
        }
        let text = format!("{text}  start {{ x = {} }}", (best.1 + 0.05).min(2.0));
        let s = polished(&text, &Request::new("cg"));
        assert!(s.upper.objective <= best.0 + 1e-6, "{seed}: {} {best:?}", s.upper.objective);
    }
    assert!(bent > 400, "{bent}");
}
