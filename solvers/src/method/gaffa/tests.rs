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
