//! The table of cases: every program of `tests/suite/solve`, with its sizes and what it is held to.

use std::f64::consts::PI;

use blo_engine::data::Memory;
use blo_engine::model::problem::Problem;
use blo_engine::model::{Bindings, Bound};
use blo_solvers::Solution;
use faer::Mat;

use crate::case::{Bar, Case, LowerCheck, Minimum, Optimum, Point};
use crate::program::programs;
use crate::real_data;
use crate::reference::solve;
use crate::variant::{Change, DATA_PROBLEMS};

/// The variants of each data problem that the suite runs.
pub const CHANGES: [Change; 3] = [Change::Columns { seed: 1 }, Change::Units, Change::Exchanged];

type Params = &'static [(&'static str, f64)];

/// The cases without data files.
pub fn literature() -> Vec<Case> {
    let close = Bar { x: Some(1e-3), y: Some(1e-3), ..Bar::LOOSE };
    let sine = |upper| Bar { upper: Some(upper), lower: LowerCheck::Constant(1e-3), ..Bar::LOOSE };
    let scanned = |from, to| Bar { lower: LowerCheck::Scan { from, to, tolerance: 1e-4 }, ..Bar::LOOSE };
    let valued = |least| Bar { lower: LowerCheck::Value { least, tolerance: 1e-4 }, ..Bar::LOOSE };
    let known = || Optimum::Known;
    let rows: Vec<(&str, Params, Bar, Optimum)> = vec![
        ("bda_eq5", &[], close, known()),
        ("meha_eq18", &[("n", 50.0)], close, known()),
        ("meha_eq18", &[("n", 1000.0)], close, known()),
        ("meha_eq77", &[("n", 100.0)], close, known()),
        ("meha_eq77_dense", &[("n", 100.0)], close, Optimum::Computed(eq77)),
        ("meha_eq77_small", &[], close, known()),
        ("meha_eq20", &[("n", 2.0)], Bar { y: Some(2e-3), ..Bar::LOOSE }, known()),
        ("meha_eq20", &[("n", 100.0)], Bar { y: Some(2e-3), ..Bar::LOOSE }, known()),
        ("meha_eq19", &[("n", 1.0)], sine(0.02), Optimum::KnownNear(eq19)),
        ("meha_eq19", &[("n", 10.0)], sine(0.05), Optimum::KnownNear(eq19)),
        ("meha_eq18", &[("n", 5.0)], Bar::LOOSE, known()),
        ("iaptt_eq13", &[("n", 5.0)], Bar::LOOSE, known()),
        ("iaptt_eq13", &[("n", 50.0)], Bar::LOOSE, known()),
        ("iaptt_eq10", &[], sine(1e-2), Optimum::KnownAmong(eq10())),
        ("desilva1978", &[], Bar::LOOSE, known()),
        ("henderson_quandt1958", &[], Bar::LOOSE, known()),
        ("mitsos_barton2006_ex312", &[], scanned(-1.0, 1.0), known()),
        ("mitsos_barton2006_ex314", &[], scanned(-1.0, 1.0), known()),
        ("mitsos_barton2006_ex319", &[], scanned(-1.0, 1.0), known()),
        ("yezza1996_ex31", &[], Bar::LOOSE, known()),
        ("smd1", &[], Bar::LOOSE, known()),
        ("smd1", &[("from", 1.0)], Bar::LOOSE, known()),
        ("smd1", &[("p", 3.0), ("q", 4.0), ("r", 2.0), ("from", 2.5), ("angle", 0.0)], valued(squares), known()),
        ("smd5", &[], valued(squares), known()),
        ("smd5", &[("p", 2.0), ("q", 3.0), ("r", 3.0)], valued(squares), known()),
        ("smd8", &[], valued(size), known()),
        ("dempe2012", &[], scanned(0.0, 1.0), known()),
        ("mitsos_barton2006_ex313", &[], scanned(-1.0, 1.0), known()),
        ("mitsos_barton2006_ex315", &[], scanned(-1.0, 1.0), known()),
        ("mitsos_barton2006_ex316", &[], scanned(-1.0, 1.0), known()),
        ("meha_eq18", &[("n", 1.0)], Bar::LOOSE, known()),
        ("meha_eq19", &[("n", 2.0), ("from", 0.0)], sine(1e-2), Optimum::KnownNear(eq19)),
        ("meha_eq20", &[("n", 4.0), ("from", 0.0)], Bar::LOOSE, known()),
        ("meha_eq77", &[("n", 1.0)], Bar::LOOSE, known()),
        ("meha_eq77", &[("n", 4.0)], Bar::LOOSE, known()),
    ];
    let all = programs("tests/suite/solve");
    let case = |(program, params, bar, optimum): (&str, Params, Bar, Optimum)| {
        let found = all.iter().find(|p| p.name == program);
        let shown: String = params.iter().map(|(name, value)| format!(" {name}={value}")).collect();
        Case {
            name: format!("{program}{shown}"),
            program: found.unwrap_or_else(|| unreachable!("`{program}` is a program of the suite")).clone(),
            params: params.to_vec(),
            files: Memory::new(),
            bar,
            optimum,
            absent: None,
        }
    };
    rows.into_iter().map(case).collect()
}

/// The problems of the literature without constraints beyond sets, in the sizes and from the starts of the collections,
/// with those on data.
pub fn without_constraints() -> Vec<Case> {
    const NAMES: [&str; 28] = [
        "desilva1978",
        "henderson_quandt1958",
        "mitsos_barton2006_ex312",
        "mitsos_barton2006_ex313",
        "mitsos_barton2006_ex314",
        "mitsos_barton2006_ex315",
        "mitsos_barton2006_ex316",
        "mitsos_barton2006_ex319",
        "yezza1996_ex31",
        "dempe2012",
        "bda_eq5",
        "meha_eq18 n=1",
        "meha_eq18 n=5",
        "iaptt_eq13 n=5",
        "iaptt_eq10",
        "meha_eq19 n=1",
        "meha_eq19 n=2 from=0",
        "meha_eq19 n=10",
        "meha_eq20 n=2",
        "meha_eq20 n=4 from=0",
        "meha_eq77 n=1",
        "meha_eq77 n=4",
        "meha_eq77_small",
        "smd1",
        "smd1 p=3 q=4 r=2 from=2.5 angle=0",
        "smd5",
        "smd5 p=2 q=3 r=3",
        "smd8",
    ];
    const ON_DATA: [&str; 3] = ["ridge_diabetes", "lasso_prostate", "logreg_sonar"];
    let mut cases = literature();
    cases.retain(|c| NAMES.contains(&c.name.as_str()));
    cases.sort_by_key(|c| NAMES.iter().position(|n| *n == c.name));
    cases.extend(data_problems().into_iter().filter(|c| ON_DATA.contains(&c.name.as_str())));
    cases.push(minnorm());
    cases
}

/// The data problems as they are.
pub fn data_problems() -> Vec<Case> {
    DATA_PROBLEMS.iter().map(|p| p.case(Change::Original)).collect()
}

/// The variants of the data problems.
pub fn variants(changes: &[Change]) -> Vec<Case> {
    DATA_PROBLEMS.iter().flat_map(|p| changes.iter().map(|c| p.case(*c))).collect()
}

/// The least-norm problem of `specs`: it has no upper variable.
fn minnorm() -> Case {
    let program = programs("specs").into_iter().find(|p| p.name == "minnorm_colon");
    let (files, absent) = match real_data::bytes("colon", "colon.csv.gz") {
        Ok(bytes) => (Memory::new().with("colon.csv.gz", bytes), None),
        Err(why) => (Memory::new(), Some(why)),
    };
    Case {
        name: "minnorm_colon".to_owned(),
        program: program.unwrap_or_else(|| unreachable!("`minnorm_colon` is one of the specs")),
        params: Vec::new(),
        files,
        bar: Bar { lower: LowerCheck::Constant(1e-3), ..Bar::LOOSE },
        optimum: Optimum::Known,
        absent,
    }
}

/// The least lower value of the first and the fifth problem of SMD.
fn squares(solution: &Solution) -> f64 {
    variable(solution, "x1").iter().map(|x| x * x).sum()
}

/// The same of the eighth.
fn size(solution: &Solution) -> f64 {
    variable(solution, "x1").iter().map(|x| x.abs()).sum()
}

/// A variable of the problem.
fn variable<'a>(solution: &'a Solution, name: &str) -> &'a [f64] {
    solution.variable(name).map_or(&[], |v| &v.values)
}

/// `y* = (I + A)^-1 z0` and `x* = A y*`, from the same `W` that the program draws.
fn eq77(problem: &Problem, bindings: &Bindings) -> Point {
    let Some(Bound::Real(w)) = bindings.values.first() else { unreachable!("{} draws W", problem.name) };
    let w = w.to_array();
    let n = w.shape[0];
    let w = Mat::from_fn(n, n, |i, j| w.values[i * n + j]);
    let a = Mat::<f64>::identity(n, n) + w.transpose() * &w / n as f64;
    let y = solve(&(Mat::<f64>::identity(n, n) + &a), &vec![1.0; n]);
    let x: Vec<f64> = (0..n).map(|i| (0..n).map(|j| a[(i, j)] * y[j]).sum()).collect();
    let upper = x.iter().zip(&y).map(|(x, y)| ((x - 1.0).powi(2) + x * y) / 2.0).sum();
    Point { upper, variables: vec![("x", x), ("y", y)] }
}

/// The jumps of eq. (10) before the last one.
fn eq10() -> Vec<Minimum> {
    let jump = |k: f64| {
        let x = (4.0 * k + 3.0) * PI / 4.0;
        Minimum { name: format!("x = {}pi/4", 4.0 * k + 3.0), upper: -x, x: Some(x) }
    };
    vec![jump(1.0), jump(0.0)]
}

/// The local solution of eq. (19) that has the sine's minimizers which were found: with `C_i` the minimizer nearest to
/// `x + y_i - c_i`, the upper level is `(x - a)^2 + sum((C_i - x - a)^2)`.
fn eq19(solution: &Solution) -> Option<Minimum> {
    let (a, shift) = (2.0, 2.0);
    let x = solution.variable("x")?.values[0];
    let y = &solution.variable("y")?.values;
    let nearest = |v: f64| 2.0 * PI * ((v + PI / 2.0) / (2.0 * PI)).round() - PI / 2.0;
    let chosen: Vec<f64> = y.iter().map(|y| nearest(x + y - shift)).collect();
    let best = (a + chosen.iter().map(|c| c - a).sum::<f64>()) / (1.0 + y.len() as f64);
    let upper = (best - a).powi(2) + chosen.iter().map(|c| (c - best - a).powi(2)).sum::<f64>();
    Some(Minimum { name: format!("x = {best:.3}, F = {upper:.4}"), upper, x: Some(best) })
}
