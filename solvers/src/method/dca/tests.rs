use super::unfit;
use crate::fixture::{data, problem, solved};
use crate::lower::solve::{LowerSolver, LowerStart};
use crate::options::request::Request;
use crate::pipeline::solve;
use crate::run::observer::Silent;
use crate::solution::Solution;
use crate::solution::verdict::Word;

fn accurate(iterations: &str) -> Request {
    Request::new("vfidca").set("rho", "0.1").set("tol", "1e-7").set("max_iter", iterations)
}

fn values(s: &Solution, name: &str) -> Vec<f64> {
    s.variable(name).unwrap().values.clone()
}

fn near(found: &[f64], right: &[f64], error: f64) -> bool {
    found.len() == right.len() && found.iter().zip(right).all(|(a, b)| (a - b).abs() <= error)
}

/// The lower level solved at the x of a solution by prox-gradient steps.
fn lower_solution(text: &str, s: &Solution) -> Vec<f64> {
    let problem = problem(text);
    let data = data(&problem);
    let mut point: Vec<Vec<f64>> = problem.variables().map(|v| values(s, &v.name)).collect();
    point[problem.upper().variables.len()..].iter_mut().for_each(|y| y.fill(0.1));
    let start = LowerStart { point: &point, reference: None, tolerance: 1e-12, limit: 100_000 };
    let lower = LowerSolver::new(&problem, &data, 1).unwrap().solve(&start, &mut || false);
    assert!(lower.solved);
    lower.values.concat()
}

#[test]
fn the_best_penalty_of_an_orthogonal_lasso() {
    // y = soft(a, x)
    let (a, b) = ([3.0, -2.0, 0.5], [2.0, -1.2, 0.1]);
    let s = solved(
        "let a = [3, -2, 0.5]  let b = [2, -1.2, 0.1]
         upper { var x >= 0  minimize 1/2*normsq(y - b) }
         lower { var y[3]  minimize 1/2*normsq(y - a)  regularize x*norm1(y) }  start { x = 0.3 }",
        &accurate("60"),
    );
    let value = |x: f64| {
        let y = a.map(|a: f64| a.signum() * (a.abs() - x).max(0.0));
        y.iter().zip(b).map(|(y, b)| (y - b).powi(2) / 2.0).sum::<f64>()
    };
    let best = (0..3000).map(|i| f64::from(i) * 1e-3).min_by(|p, q| value(*p).total_cmp(&value(*q))).unwrap();
    assert!(near(&values(&s, "x"), &[best], 5e-3), "{best}: {:?}", values(&s, "x"));
    assert!((s.upper.objective - value(best)).abs() < 1e-4, "{} {}", s.upper.objective, value(best));
}

#[test]
fn a_logarithm_of_a_penalty_is_the_logarithm_of_the_best() {
    let at = |x: &str, g: &str, start: &str| {
        let text = format!(
            "let a = [3, -2, 0.5]  let b = [2, -1.2, 0.1]
             upper {{ var {x}  minimize 1/2*normsq(y - b) }}
             lower {{ var y[3]  minimize 1/2*normsq(y - a)  regularize {g}*norm1(y) }}  start {{ x = {start} }}"
        );
        values(&solved(&text, &accurate("60")), "x")[0]
    };
    let (plain, logarithm) = (at("x >= 0", "x", "0.3"), at("x", "exp(x)", "-1.2"));
    assert!((logarithm.exp() - plain).abs() < 5e-3, "{plain} {logarithm}");
    assert!((at("x in [-9, -1]", "exp(x)", "-2") + 1.0).abs() < 1e-3);
}

#[test]
fn the_best_ridge() {
    // y = a/(1 + 2x): the multiple of a that is nearest to b
    let (a, b) = ([3.0, -2.0], [2.0, -1.2]);
    let s = solved(
        "let a = [3, -2]  let b = [2, -1.2]
         upper { var x >= 0  minimize 1/2*normsq(y - b) }
         lower { var y[2]  minimize 1/2*normsq(y - a)  regularize x*normsq(y) }  start { x = 1 }",
        &accurate("60"),
    );
    let share = (a[0] * b[0] + a[1] * b[1]) / (a[0] * a[0] + a[1] * a[1]);
    let x = (1.0 / share - 1.0) / 2.0;
    assert!(near(&values(&s, "x"), &[x], 1e-3), "{x}: {:?}", values(&s, "x"));
    assert!(near(&values(&s, "y"), &a.map(|a| share * a), 1e-3));
}

#[test]
fn weights_of_groups_shrink_each_to_its_best_length() {
    // y_G = a_G (1 - x_G/|a_G|), the best factor is a_G'b_G/|a_G|^2, the third group is best at 0
    let s = solved(
        "let a = [3, 4, 2, 0, 1, 1]  let b = [1.5, 2, 1.5, 0.5, -1, 0]  let G = blocks(1..6, 3)
         upper { var x[3] >= 0  minimize 1/2*normsq(y - b) }
         lower { var y[6]  minimize 1/2*normsq(y - a)  regularize sum(x[j]*norm2(y[G[j]]) for j in 1..3) }
         start { x = 0.2 }",
        &accurate("80"),
    );
    let (x, y) = (values(&s, "x"), values(&s, "y"));
    assert!(near(&x[..2], &[2.5, 0.5], 1e-2) && x[2] > 1.4, "{x:?}");
    assert!(near(&y, &[1.5, 2.0, 1.5, 0.0, 0.0, 0.0], 1e-2), "{y:?}");
}

/// Every atom, entries and groups, and a part with a weight of its own.
const MIXED: &str = "param n = 6
    data A[12, n] = normal(seed = 1)  data C[12, n] = normal(seed = 2)  data D[12, 3] = normal(seed = 3)
    data b[12] = normal(seed = 4)
    data A_valid[12, n] = normal(seed = 5)  data C_valid[12, n] = normal(seed = 6)  data d[12] = normal(seed = 7)
    let G = blocks(1..n, 2)
    upper { var x[n] >= 0  var g[2] >= 0  var w >= 0  minimize 1/2*normsq(A_valid*y + C_valid*v + w1[1] + t - d) }
    lower { var y[n]  var v[n]  var w1[3]  var t
            minimize 1/2*normsq(A*y + C*v + D*w1 + t - b)
            regularize sum((x[i] + 0.1)*abs(y[i]) for i in 1..n) + sum(2*g[j]*norm2(v[G[j]]) for j in 1..2)
                       + w*norminf(w1) + w*t^2 }
    start { x = 0.1;  g = 0.1;  w = 0.1 }";

#[test]
fn multipliers_are_the_weights_of_the_penalized_problem() {
    for iterations in ["1", "4"] {
        let s = solved(MIXED, &accurate(iterations));
        let (found, right) = (["y", "v", "w1", "t"].map(|name| values(&s, name)).concat(), lower_solution(MIXED, &s));
        assert!(near(&found, &right, 1e-5), "{found:?} {right:?}");
    }
}

#[test]
fn the_upper_objective_falls_and_bits_stay() {
    let start = solved(MIXED, &accurate("0")).upper.objective;
    let ends = [(); 2].map(|()| solved(MIXED, &accurate("30")));
    assert!(ends[0].upper.objective < start, "{start} {}", ends[0].upper.objective);
    let bits = |s: &Solution| values(s, "y").iter().map(|v| v.to_bits()).collect::<Vec<u64>>();
    assert_eq!(bits(&ends[0]), bits(&ends[1]));
}

#[test]
fn penalties_stay_within_their_bounds() {
    for (set, right) in [("[0.2, 0.6]", 0.6), ("[1.5, 2]", 1.5), (">= 1.5", 1.5)] {
        let inside = if set.starts_with('>') { set.to_string() } else { format!("in {set}") };
        let text = format!(
            "let a = [3, -2, 0.5]  let b = [2, -1.2, 0.1]
             upper {{ var x {inside}  minimize 1/2*normsq(y - b) }}
             lower {{ var y[3]  minimize 1/2*normsq(y - a)  regularize x*norm1(y) }}  start {{ x = {right} }}"
        );
        let s = solved(&text, &accurate("40"));
        assert!(near(&values(&s, "x"), &[right], 1e-3), "{set}: {:?}", values(&s, "x"));
        assert!(near(&values(&s, "y"), &lower_solution(&text, &s), 1e-5), "{set}");
    }
}

#[test]
fn stated_levels_and_the_published_stop() {
    let s = solved(MIXED, &Request::new("vfidca").set("r0", "1").set("max_iter", "50"));
    assert!(s.iterations < 50 && s.upper.objective.is_finite(), "{}", s.iterations);
}

#[test]
fn what_is_not_conic_is_refused_with_the_reason() {
    let cases = [
        ("x >= 0", "y^2", "(y - 1)^2", "x*abs(y)", None),
        ("x", "y^2", "(y - 1)^2", "exp(x)*abs(y)", None),
        ("x >= 0", "y^2", "(y - 1)^2", "(x + exp(x))*abs(y)", Some("this weight")),
        ("x >= 0", "y^2", "(y - 1)^2", "abs(y)", Some("a lower level without penalties in x")),
        ("x >= 0", "y^2 + x", "(y - 1)^2", "x*abs(y)", Some("an upper objective in x")),
        ("x >= 0", "y^2", "(y - x)^2", "x*abs(y)", Some("a lower objective in x")),
        ("x >= 0", "y^2", "(y - 1)^2", "x^2*abs(y)", Some("this weight")),
        ("x >= 0", "y^2", "softplus(y)", "x*abs(y)", Some("this lower objective")),
        ("x >= 0", "y^4", "(y - 1)^2", "x*abs(y)", Some("this upper objective")),
        ("x >= 0", "-y^2", "(y - 1)^2", "x*abs(y)", Some("this upper objective")),
    ];
    for (x, upper, lower, g, right) in cases {
        let text = format!("upper {{ var {x}  minimize {upper} }} lower {{ var y  minimize {lower} regularize {g} }}");
        assert_eq!(unfit(&problem(&text)).map(|u| u.what), right, "{text}");
    }
    let simplex = "upper { var x[2] in simplex(1)  minimize normsq(y) }
        lower { var y[2]  minimize normsq(y - 1)  regularize sum(x[i]*abs(y[i]) for i in 1..2) }";
    assert_eq!(unfit(&problem(simplex)).map(|u| u.what), Some("sets that are no boxes"));
}

/// As `meha_eq21`: more coefficients than rows, and numbers in the thousands. `upper` and `lower` scale F, and f with g.
fn groups(upper: f64, lower: f64) -> String {
    format!(
        "param m = 60  let G = blocks(1..m, 6)  let truth = [if i <= 20 then 1 else 0 for i in 1..m]
         data A[20, m] = normal(seed = 1)  data B[20, m] = normal(seed = 2)
         data e[20] = normal(seed = 3)  data h[20] = normal(seed = 4)
         let b = A*truth + 3*e  let d = B*truth + 3*h
         upper {{ var x[6] >= 0  minimize {upper}*normsq(B*y - d) }}
         lower {{ var y[m]  minimize {lower}*normsq(A*y - b)
                  regularize sum({lower}*x[j]*norm2(y[G[j]]) for j in 1..6) }}
         start {{ x = 1 }}"
    )
}

/// F at the start with its lower level solved.
fn of_start(text: &str) -> f64 {
    solved(text, &Request::new("igjo").set("max_iter", "0")).upper.objective
}

#[test]
fn automatic_constants_descend_where_the_published_ones_ignore_the_lower_level() {
    let text = groups(50.0, 50.0);
    let automatic = solved(&text, &Request::new("vfidca"));
    assert!(automatic.iterations < 50, "it ends by its own test: {}", automatic.iterations);
    assert!(automatic.warnings.iter().all(|w| w.code != "W0632"), "{:?}", automatic.warnings);
    assert_eq!(automatic.verdict.word, Word::Certified);
    let published = ["rho=0.1", "delta=5", "c=0.01", "a0=1", "r0=10", "tol=0.1"];
    let published = published.iter().fold(Request::new("vfidca"), |r, o| {
        let (name, value) = o.split_once('=').unwrap();
        r.set(name, value)
    });
    let (start, published) = (of_start(&text), solved(&text, &published).upper.objective);
    let found = automatic.upper.objective;
    assert!(found < 0.9 * start && found < 0.9 * published, "{found} {start} {published}");
}

#[test]
fn automatic_constants_go_the_same_way_whatever_the_units_are() {
    let plain = solved(&groups(1.0, 1.0), &Request::new("vfidca"));
    // powers of 4, whose roots are exact: nothing is rounded differently, and no other step is taken
    for upper in [1024.0, 1.0 / 1024.0] {
        let scaled = solved(&groups(upper, 1.0), &Request::new("vfidca"));
        assert_eq!(scaled.upper.objective / upper, plain.upper.objective, "{upper}");
        assert_eq!(values(&scaled, "x"), values(&plain, "x"), "{upper}");
    }
    // a solve that ends elsewhere within its tolerance may lead to other steps
    for (upper, lower) in [(1e3, 1.0), (1e-3, 1.0), (1.0, 1e3), (1.0, 1e-3)] {
        let scaled = solved(&groups(upper, lower), &Request::new("vfidca"));
        let (found, right) = (scaled.upper.objective / upper, plain.upper.objective);
        assert!((found - right).abs() <= 5e-2 * right, "{upper} {lower}: {found} {right}");
    }
}

#[test]
fn automatic_constants_are_reported_and_stated_ones_stay() {
    let text = groups(1.0, 1.0);
    let option = |s: &Solution, name: &str| s.options.iter().find(|o| o.name == name).unwrap().value.to_string();
    let number = |s: &Solution, name: &str| option(s, name).parse::<f64>().unwrap();
    let s = solved(&text, &Request::new("vfidca").set("max_iter", "2"));
    assert!(number(&s, "a0") > 1.0 && number(&s, "rho") > 0.0);
    assert!((number(&s, "delta") / number(&s, "a0") - 5.0).abs() < 1e-12);
    let stated = Request::new("vfidca").set("max_iter", "2").set("a0", "7").set("rho", "0.5");
    let s = solved(&text, &stated);
    assert_eq!(["a0", "delta", "rho"].map(|name| number(&s, name)), [7.0, 35.0, 0.5]);
}

#[test]
fn the_best_iterate_is_handed_back() {
    // F is 168, 151, 159, 193 with this penalty, and y leaves the lower level
    let after = |k: u64| {
        let request = Request::new("vfidca").set("a0", "5").set("delta", "1e-3").set("tol", "0");
        let s = solved(&groups(1.0, 1.0), &request.set("max_iter", k.to_string()));
        s.rows.last().unwrap().upper
    };
    let best = after(2);
    assert!(best < 0.95 * after(1));
    assert_eq!([after(3), after(4), after(6)], [best; 3]);
}

#[test]
fn an_optimum_at_the_start_is_the_end() {
    let text = "let a = [3, -2]  upper { var x >= 0  minimize 1/2*normsq(y - a) }
        lower { var y[2]  minimize 1/2*normsq(y - a)  regularize x*norm1(y) }  start { x = 0 }";
    let s = solved(text, &Request::new("vfidca"));
    assert!(s.upper.objective < 1e-9, "{}", s.upper.objective);
    assert!(s.warnings.is_empty(), "{:?}", s.warnings);
}

#[test]
fn what_only_the_numbers_show_is_refused_with_the_methods_that_fit() {
    let text = "upper { var x in [-1, 0]  minimize y^2 }
        lower { var y  minimize (y - 1)^2  regularize -x*abs(y) }";
    let problem = problem(text);
    let request = Request::new("vfidca");
    let Err(found) = solve(&problem, &data(&problem), &request, &mut Silent) else { panic!("it was taken") };
    let help = found[0].help.join(" ");
    assert!(found[0].message.contains("these penalties"), "{found:?}");
    // a proximal part is nothing for bome, and vfidca has refused by itself
    assert!(help.contains("meha") && !help.contains("bome") && !help.contains("vfidca"), "{help}");
}
