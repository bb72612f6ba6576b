//! Runs in f32 beside runs in f64 on every program of `specs/`, and on two threads beside one: iterates and objectives
//! agree, iteration by iteration.
//!
//! How far f32 may be away: an iteration is a chain of at most [`ROUNDINGS`] roundings, each a relative error of half of
//! [`f32::EPSILON`] in a number that is not larger than the largest of its array, and data and start are rounded once.
//! Errors add up where iterations do not stretch them, as those of descent methods with sound steps do not. After k
//! iterations the bound is `(k + 1) ROUNDINGS EPSILON` of the largest entry. What stretches errors is in [`STRETCHED`].

use blo_engine::model::{Bindings, Problem};
use blo_solvers::solution::trace::Row;
use blo_solvers::{Observer, Request, plan, solve};
use blo_tests::programs;

use crate::programs::specs::Params;

/// Iterations that are compared.
const ITERATIONS: &str = "12";

/// See above. Sums are in blocks and pairs, so that their length hardly counts.
const ROUNDINGS: f64 = 32.0;

/// Program and method, how much more the run may be away, and why.
const STRETCHED: [(&str, &str, f64, &str); 8] = [
    ("bda_eq5", "darts", 16.0, "a derivative is a difference over epsilon = 0.01, which divides roundings by it"),
    ("cleaning_softmax", "rhg", 32.0, "lower steps are estimated in each precision; .3 of the bound with s_l stated"),
    ("cleaning_softmax", "iaptt", 4.0, "the same; .1 of the bound with s_l stated"),
    (
        "cleaning_softmax",
        "bigsam:plain",
        16.0,
        "Adam: a step is as long where a gradient is rounding; .1 with plain steps",
    ),
    ("cleaning_softmax", "trhg:plain", 4.0, "the same; .3 with plain steps"),
    ("cleaning_softmax", "meha:paper", 2.0, "1.1 times at iteration 4, not traced"),
    ("few_shot_conv", "meha:paper", 4096.0, "200 times at iteration 8: derivatives of pools and relus jump"),
    ("hyper_cleaning", "meha:paper", 64.0, "a net on three rows: from iteration 4 on, errors double in each"),
];

/// Sizes at which a run takes a moment.
fn small(name: &str) -> Params {
    match name {
        "meha_eq21" => &[("m", 60.0), ("J", 6.0), ("rows_each", 20.0), ("ones_each", 5.0)],
        // its presets have batches of 64 rows
        "nas_small" => &[("examples", 80.0), ("width", 1.0)],
        _ => crate::programs::specs::small(name),
    }
}

/// The methods that a program states steps for, and the automatic MEHA; searches compare points, and have no iterates.
fn methods(problem: &Problem) -> Vec<String> {
    let searches = ["grid", "random", "tpe"];
    let stated = problem.presets.iter().filter(|p| !searches.contains(&p.method.text.as_str()));
    let named = |name: &Option<_>, method: &str| match name {
        Some(name) => format!("{method}:{name}"),
        None => method.to_string(),
    };
    let names = stated.map(|p| named(&p.preset.as_ref().map(|n| n.text.clone()), &p.method.text));
    // no other method takes multipliers in the upper level
    let automatic = if problem.upper_reads_multipliers() { "kkt" } else { "meha:auto" };
    names.chain([automatic.to_string()]).collect()
}

/// The rows of a run, one per iteration.
#[derive(Default)]
struct Rows(Vec<Row>);

impl Observer for Rows {
    fn row_every(&self) -> u64 {
        1
    }
    fn wants_variables(&self) -> bool {
        true
    }
    fn row(&mut self, row: &Row) {
        self.0.push(row.clone());
    }
}

fn rows(problem: &Problem, data: &Bindings, request: &Request) -> Vec<Row> {
    let mut rows = Rows::default();
    let request = request.clone().set("polish", "0");
    solve(problem, data, &request, &mut rows).unwrap_or_else(|d| panic!("{}: {d:#?}", request.method));
    rows.0
}

/// Objectives, then variables, as arrays.
fn arrays(row: &Row) -> Vec<Vec<f64>> {
    [vec![row.upper], vec![row.lower]].into_iter().chain(row.variables.iter().cloned()).collect()
}

/// How far a row is from another, against the largest entry of each array, or 1.
fn distance(row: &Row, other: &Row) -> f64 {
    let pairs = arrays(row).into_iter().zip(arrays(other));
    let of_arrays = pairs.map(|(a, b)| {
        let largest = a.iter().fold(1.0f64, |m, v| m.max(v.abs()));
        let apart = a.iter().zip(&b).map(|(a, b)| (a - b).abs() / largest);
        // NaN is far away from everything
        apart.fold(0.0, |m, d| if d <= m { m } else { d })
    });
    of_arrays.fold(0.0, |m, d| if d <= m { m } else { d })
}

fn assert_same_bits(rows: &[Row], others: &[Row], what: &str) {
    assert_eq!(rows.len(), others.len(), "{what}");
    for (row, other) in rows.iter().zip(others) {
        let bits = |row: &Row| arrays(row).concat().iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        assert!(bits(row) == bits(other), "{what} differs on two threads at iteration {}", row.iteration);
    }
}

#[test]
fn specs_agree_in_both_precisions_and_on_two_threads() {
    for program in programs("specs") {
        let Some((problem, data, _)) = program.bound_or_skipped(small(&program.name)) else { continue };
        for method in methods(&problem) {
            let what = format!("{} by {method}", program.name);
            let request = Request::new(&method).set("max_iter", ITERATIONS);
            let double = rows(&problem, &data, &request.clone().set("threads", "1"));
            if method == "meha:auto" {
                assert_same_bits(&double, &rows(&problem, &data, &request.clone().set("threads", "2")), &what);
            }
            let single = rows(&problem, &data, &request.set("threads", "1").set("precision", "f32"));
            let stretched = STRETCHED.iter().find(|(name, m, ..)| *name == program.name && *m == method);
            let factor = ROUNDINGS * stretched.map_or(1.0, |(_, _, factor, _)| *factor);
            assert!(double.len() > 1 && single.len() > 1, "{what}");
            for (a, b) in double.iter().zip(&single) {
                // another pass may be the best one
                if (a.iteration, a.pass) != (b.iteration, b.pass) {
                    break;
                }
                let most = factor * (a.iteration + 1) as f64 * f64::from(f32::EPSILON);
                assert!(distance(a, b) <= most, "{what} at {}: {} > {most}", a.iteration, distance(a, b));
            }
        }
    }
}

/// The system of an implicit hypergradient is solved as far as f32 goes, and not iterated on its noise.
#[test]
fn implicit_hypergradients_agree_in_both_precisions() {
    let program = programs("specs").into_iter().find(|p| p.name == "completion").expect("a spec");
    let (problem, data) = program.bound(&[]);
    let request = Request::new("cg:auto").set("max_iter", "1");
    let [double, single] = ["f64", "f32"].map(|p| rows(&problem, &data, &request.clone().set("precision", p)));
    let (a, b) = (double[0].residuals.upper, single[0].residuals.upper);
    assert!((a - b).abs() <= ROUNDINGS * f64::from(f32::EPSILON) * a, "{a} {b}");
}

/// Sizes at which loops and products with matrices run on two threads.
#[test]
fn large_problems_have_the_same_bits_on_two_threads() {
    // few lower steps, since what is judged of the end takes longest
    let descents = ["rhg(K = 10)", "bda(K = 10)", "cg(K = 10)", "rank1(K = 10)", "darts", "f2sa", "meha:tuned"];
    let cases: [(&str, Params, &[&str]); 3] = [
        ("meha_eq18", &[("n", 40_000.0)], &["meha:tuned", "bome", "bamm"]),
        ("meha_eq77", &[("n", 400.0)], &descents),
        ("minnorm", &[("m", 140.0), ("n", 1000.0)], &["bigsam(K = 10)"]),
    ];
    for (name, params, methods) in cases {
        let program = programs("specs").into_iter().find(|p| p.name == name).expect("a spec");
        let (problem, data) = program.bound(params);
        for method in methods {
            let request = Request::new(method).set("max_iter", "1").set("threads", "1");
            let plans = plan(&problem, &data.sizes, &request).expect("a method for it");
            let largest = plans.iter().flat_map(|p| &p.lines).map(|l| l.flops).max();
            assert!(largest.is_some_and(|flops| flops >= 1 << 18), "{name} by {method}: {largest:?} flops");
            let one = rows(&problem, &data, &request);
            let two = rows(&problem, &data, &request.set("threads", "2"));
            assert_same_bits(&one, &two, &format!("{name} by {method}"));
        }
    }
}
