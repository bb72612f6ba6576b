use crate::fixture::{polished, solved};
use crate::options::request::Request;
use crate::solution::Solution;

/// A quadratic lower level whose row moves with x: x = y = 1/2, with the multiplier 1.
const HALF: &str = "upper { var x  minimize (x - 1)^2 + y^2 }
    lower { var y  minimize y^2  subject to { row: y >= x } }  start { x = 2;  y = 0 }";

/// A linear lower level: the follower takes all that it may, y = x = 2.95, with the multiplier 1.
const MOVING_BOUND: &str = "upper { var x in [0, 5]  minimize (y - 3)^2 + 0.1*x }
    lower { var y in [0, 10]  minimize -y  subject to { row: y <= x } }  start { x = 1;  y = 0 }";

/// With an equality: y = x/n, so that x = (sum(t) + 0.1)/(1 + 0.1) = 1 for these t.
const EQUALITY: &str = "param n = 4  let t = [if i <= 2 then 1 else -0.5 for i in 1..n]
    upper { var x in [-5, 5]  minimize 1/2*normsq(y - t) + 1/8*(x - 1)^2 }
    lower { var y[n]  minimize 1/2*normsq(y)  subject to { total: sum(y) == x } }  start { x = 0;  y = 0 }";

/// Curvatures from 1 to 1/300, and rows that couple entries and move with x.
const ILL_CONDITIONED: &str = "param n = 12  param p = 5
    let w = [exp(-0.5*i) for i in 1..n]
    let t = [sin(1.7*i) for i in 1..n]
    let C = [cos(1.3*i*k) for k in 1..p for i in 1..n]
    let E = [sin(2.1*k + j) for k in 1..p for j in 1..3]
    upper { var x[3] in [-2, 2]  minimize 1/2*mean((y - 0.5*t).^2) + 0.05*normsq(x) }
    lower { var y[n]  minimize 1/2*sum(w.*(y - t).^2)  subject to { rows: C*y <= E*x + 0.1 } }";

/// Logistic regression over a ball that grows with x; the rows are not orthogonal.
const BALL: &str = "param n = 6  param r = 40
    let A = [sin(1.9*i + 0.37*i*j) + 0.8*cos(0.7*i) for i in 1..r for j in 1..n]
    let b = [if sin(2.3*i) + 0.4*cos(0.7*i) > 0 then 1 else -1 for i in 1..r]
    let V = [sin(1.9*i + 0.37*i*j + 1.2) + 0.8*cos(0.7*i) for i in 1..r for j in 1..n]
    upper { var x in [-3, 3]  minimize mean(log(1 + exp(-b.*(V*y)))) }
    lower { var y[n]  minimize mean(log(1 + exp(-b.*(A*y))))  subject to { ball: normsq(y) <= exp(2*x) } }";

fn value(s: &Solution, name: &str) -> f64 {
    s.variable(name).unwrap().values[0]
}

fn multiplier(s: &Solution) -> f64 {
    s.constraints[0].multiplier.as_ref().unwrap().values[0]
}

#[test]
fn closed_forms_are_found_without_stated_steps() {
    for (text, x, y) in [(HALF, 0.5, 0.5), (MOVING_BOUND, 2.95, 2.95), (EQUALITY, 1.0, 0.25)] {
        let s = polished(text, &Request::new("gaffa"));
        assert!((value(&s, "x") - x).abs() < 1e-3 && (value(&s, "y") - y).abs() < 1e-3, "{:?}", s.upper);
    }
    assert!((multiplier(&polished(HALF, &Request::new("gaffa"))) - 1.0).abs() < 1e-3);
}

/// As good as implicit gradients through the active rows. Plain steps settle too slowly for both.
#[test]
fn badly_conditioned_levels_are_solved() {
    for text in [ILL_CONDITIONED, BALL] {
        let [gaffa, cg] = ["gaffa", "cg"].map(|name| polished(text, &Request::new(name)).upper.objective);
        assert!(gaffa < cg + 1e-5 * (1.0 + cg.abs()), "{gaffa} {cg}");
    }
}

/// At x = 0 the follower has no room, and plain steps of y, theta and z stay there.
#[test]
fn a_start_without_room_is_left() {
    let s = polished(&MOVING_BOUND.replace("x = 1", "x = 0"), &Request::new("gaffa"));
    assert!((value(&s, "x") - 2.95).abs() < 1e-3, "{:?}", s.upper);
}

#[test]
fn meha_means_gaffa_where_the_lower_level_has_rows() {
    let [meha, gaffa] = ["meha", "gaffa"].map(|name| solved(HALF, &Request::new(name).set("max_iter", "300")));
    assert_eq!((meha.method, meha.iterations), ("gaffa", gaffa.iterations));
    assert_eq!(value(&meha, "x"), value(&gaffa, "x"));
    assert!(meha.warnings.iter().any(|d| d.code == "N0636"), "{:?}", meha.warnings);
    assert!(!gaffa.warnings.iter().any(|d| d.code == "N0636"));
}

/// The formulas once more, in numbers, for `(x - 1)^2 + y^2` above and `y^2` with `x - y <= 0` below.
#[test]
fn stated_steps_run_as_printed() {
    let (alpha, eta, gamma1, gamma2, c, p) = (0.03, 0.1, 2.0, 0.5, 1.5, 0.25);
    let (mut x, mut y, mut theta, mut z) = (2.0f64, 0.0f64, 0.0f64, 0.0f64);
    for k in 1..=40 {
        let c_k = c * f64::from(k).powf(p);
        theta -= eta * (2.0 * theta - z + (theta - y) / gamma1);
        let lam = (z + gamma2 * (x - y)).max(0.0);
        let d_x = 2.0 * (x - 1.0) / c_k + lam - z;
        let d_y = 2.0 * y / c_k + 2.0 * y - lam - (y - theta) / gamma1;
        let d_z = (lam - z) / gamma2 - (x - theta);
        (x, y, z) = (x - alpha * d_x, y - alpha * d_y, (z - alpha * d_z).max(0.0));
    }
    let request = Request::new("gaffa").set("alpha", "0.03").set("eta", "0.1").set("gamma1", "2").set("gamma2", "0.5");
    // the look at y that follows a run is not asked for: its tolerance would replace the iterate
    let s = solved(HALF, &request.set("c", "1.5").set("p", "0.25").set("max_iter", "40").set("tol", "0"));
    assert!((value(&s, "x") - x).abs() < 1e-12, "{} {x}", value(&s, "x"));
    assert_eq!(s.iterations, 40);
}
