//! Derivatives of optimal values in params against central differences of whole solves.

use blo_engine::data::Memory;
use blo_engine::model::{Settings, bind, check, vary};
use blo_solvers::solution::{Sensitivity, Solution};
use blo_solvers::{Request, Silent, sensitivity, solve};

/// Relative step of the differences.
const STEP: f64 = 1e-4;

/// What differences of solves to a tolerance of 1e-10 leave of the right derivative.
const NEAR: f64 = 2e-5;

struct Case {
    name: &'static str,
    text: &'static str,
    /// Params with derivatives; all others of the file have none.
    params: &'static [&'static str],
}

const CASES: [Case; 11] = [
    Case {
        name: "ridge",
        text: "param n = 12  param m = 3  param lambda = 0.3  param c = 2
            data A[n, m] = normal(seed = 1)  data b[n] = normal(seed = 2)
            upper { var x in [0, 9]  minimize mean((A*y - c*b).^2) + lambda*x^2 }
            lower { var y[m]  minimize normsq(A*y - b) + (x + lambda)*normsq(y) }  start { x = 1 }",
        params: &["lambda", "c"],
    },
    Case {
        name: "lasso",
        text: "param n = 20  param m = 6  param w = 0.4  param s = 0.3
            data A[n, m] = normal(seed = 3)  data b[n] = normal(seed = 4)  data t[m] = normal(seed = 5)
            upper { var x[m] in [-3, 3]  minimize normsq(y - t) + s*normsq(x) }
            lower { var y[m]  minimize 1/2*normsq(A*y - b) - x'*y + 0.1*normsq(y)  regularize w*norm1(y) }",
        params: &["w", "s"],
    },
    Case {
        name: "a box below whose bounds move",
        text: "param top = 0.6  param low = -0.2  param slope = 1.5
            upper { var x[2]  minimize normsq(y - [1, -0.7]) + 0.1*normsq(x - slope) }
            lower { var y[2] in [low, top]  minimize normsq(y - x + [0.3, 1.9]) }",
        params: &["top", "low", "slope"],
    },
    Case {
        name: "a box above whose bounds move",
        text: "param top = 0.4  param lambda = 0.3  param unused_bound = -5
            upper { var x[2] in [unused_bound, top]  minimize normsq(y - [1, 0]) + lambda*normsq(x) }
            lower { var y[2]  minimize normsq(y - x) + 0.2*y'*y }",
        params: &["top", "lambda", "unused_bound"],
    },
    Case {
        name: "a ball above whose radius moves",
        text: "param r = 0.8  upper { var x[3] in ball2(r)  minimize normsq(y - [1, 2, -1]) }
            lower { var y[3]  minimize normsq(y - 2*x) + 0.1*normsq(y) }",
        params: &["r"],
    },
    Case {
        name: "maximize above and below",
        text: "param price = 2  param cost = 0.5  param cap = 3
            upper { var x in [0, 5]  maximize price*y - cost*x^2 }
            lower { var y in [0, cap]  maximize y*x - 1/2*y^2 - 0.1*(y - 1)^2 }  start { x = 1 }",
        params: &["price", "cost", "cap"],
    },
    Case {
        name: "params that are defined by others",
        text: "param a = 0.7  param b = 2*a^2  param c = a + b
            upper { var x  minimize (y - c)^2 + b*x^2 }  lower { var y  minimize (y - a*x)^2 + 0.3*y^2 }",
        params: &["a", "b", "c"],
    },
    Case {
        name: "groups",
        text: "param w = 0.5  param target = 0.8
            let G = blocks(1..4, 2)
            upper { var x[4] in [-2, 2]  minimize normsq(y - target) + 0.2*normsq(x) }
            lower { var y[4]  minimize normsq(y - x - [1, 2, 0.1, 0.1])
                    regularize sum(w*norm2(y[G[j]]) for j in 1..2) }",
        params: &["w", "target"],
    },
    Case {
        name: "an array of a param, a function and a let",
        text: "param n = 3  param a = 0.4  param v[n] = [a*i for i in 1..n]  fn g(u) = exp(a*u)  let k = 1 + a
            upper { var x[n]  minimize normsq(y - v) + k*normsq(x) }
            lower { var y[n]  minimize sum(g(y)) + normsq(y - x) }",
        params: &["a"],
    },
    Case {
        name: "followers",
        text: "param mu = 0.3  param goal = 2
            upper { var x in [-4, 4]  minimize sum((y[j] - j*goal)^2 for j in 1..3) + x^2 }
            lower for j in 1..3 { var y  minimize (y - j*x)^2 + mu*y^2 }",
        params: &["mu", "goal"],
    },
    Case {
        name: "no lower variable is free of the upper ones, and a simple bilevel problem",
        text: "param a = 0.3  upper { minimize (y - a)^2 }  lower { var y  minimize (y - 2*a)^2 }",
        params: &["a"],
    },
];

fn settings(params: &[(String, f64)]) -> Settings {
    Settings { params: params.to_vec(), ..Settings::default() }
}

fn solved(text: &str, params: &[(String, f64)], method: &str) -> (Solution, Vec<Sensitivity>) {
    let parsed = blo_grammar::parse(text);
    let outcome = check(&parsed.ast, text, "case", &settings(params));
    let problem = outcome.problem.unwrap_or_else(|| panic!("{:#?}", outcome.diagnostics));
    let data = bind(&problem, &Memory::new(), 0).expect("there are no files to read");
    let request = Request::new(method).set("tol", "1e-10").set("polish", "20000");
    let solution = solve(&problem, &data, &request, &mut Silent).unwrap_or_else(|d| panic!("{d:#?}"));
    let varied = vary(&parsed.ast, text, "case", &settings(params));
    let found = sensitivity(&problem, &data, &varied, &solution, 1).expect("the memory is there");
    (solution, found)
}

fn method(case: &Case) -> &'static str {
    if case.text.contains("upper { minimize") { "bda" } else { "cg" }
}

/// The value of a param as the file has it, or as it is given.
fn value(text: &str, name: &str, given: &[(String, f64)]) -> f64 {
    if let Some((_, value)) = given.iter().find(|(n, _)| n == name) {
        return *value;
    }
    let varied = vary(&blo_grammar::parse(text).ast, text, "case", &settings(given));
    let problem = varied.problem.expect("a param varies");
    problem.varied.iter().find(|p| p.name == name).expect("the param varies").value
}

fn compare(case: &Case, given: &[(String, f64)]) {
    let (_, found) = solved(case.text, given, method(case));
    let known: Vec<&str> = found.iter().filter(|s| s.derivative.is_ok()).map(|s| s.name.as_str()).collect();
    assert_eq!(known, case.params, "{}: {found:?}", case.name);
    for s in &found {
        let Ok(exact) = s.derivative else { continue };
        let at = value(case.text, &s.name, given);
        let h = STEP * at.abs().max(0.1);
        let [up, down] = [h, -h].map(|h| {
            let mut params: Vec<(String, f64)> = given.iter().filter(|(n, _)| *n != s.name).cloned().collect();
            params.push((s.name.clone(), at + h));
            solved(case.text, &params, method(case)).0.upper.objective
        });
        let difference = (up - down) / (2.0 * h);
        let away = (difference - exact).abs();
        assert!(away <= NEAR * exact.abs().max(1.0), "{}, {}: {exact} and {difference}", case.name, s.name);
    }
}

#[test]
fn derivatives_in_params_are_those_of_whole_solves() {
    for case in &CASES {
        compare(case, &[]);
    }
}

#[test]
fn given_params_have_derivatives_where_they_are_given() {
    let ridge = &CASES[0];
    compare(ridge, &[("lambda".to_owned(), 0.9), ("c".to_owned(), 1.5)]);
    // one that is given is not defined by others any more
    let chain = &CASES[6];
    compare(chain, &[("b".to_owned(), 1.3)]);
}

#[test]
fn params_without_a_derivative_have_a_reason() {
    let why = |text: &str, method: &str| -> Vec<(String, String)> {
        let found = solved(text, &[], method).1;
        found.into_iter().filter_map(|s| Some((s.name, s.derivative.err()?.why))).collect()
    };
    let none = why(
        "param n = 2  param noise = 0.1  param first = 1  param idle = 4
            data e[n] = normal(sd = noise, seed = 1)
            upper { var x  minimize (y[first] - x)^2 + x^2 }  lower { var y[n]  minimize normsq(y - x - e) }
            start { x = idle }",
        "cg",
    );
    let names: Vec<&str> = none.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["idle", "n", "noise", "first"], "{none:?}");
    assert_eq!(none[0].1, "it does not enter the objectives");
    assert!(none[1..].iter().all(|(_, why)| why.starts_with("it has to be constant: ")), "{none:?}");
    // any y2 solves the lower level: what enters F alone has a derivative
    let text = "param a = 0.5  param b = 0.2  upper { var x  minimize (x - y2)^2 + (y1 - a)^2 }
        lower { var y1  var y2  minimize 1/2*y1^2 - b*x*y1 }";
    let none = why(text, "meha");
    assert!(none.len() == 1 && none[0].0 == "b" && none[0].1.contains("singular"), "{none:?}");
    // y leaves zero at x = 0.5, where F(x, y(x)) has a kink and its least value
    let text = "param w = 0.5  upper { var x in [0, 2]  minimize 3*y - x }
        lower { var y  minimize 1/2*(y - x)^2  regularize w*abs(y) }  start { x = 1 }";
    let none = why(text, "cg");
    assert!(none.len() == 1 && none[0].1.contains("kink"), "{none:?}");
    let none = why(
        "param a = 1  upper { var x  minimize a*x^2 + y^2 }  lower { var y  minimize (y - x)^2 + y^4 }
        start { x = 1e200 }",
        "cg",
    );
    assert!(none.len() == 1 && none[0].1 == "the run has no end point", "{none:?}");
}
