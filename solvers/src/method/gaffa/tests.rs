use crate::fixture::solved;
use crate::options::request::Request;
use crate::solution::Solution;

/// x = y = 1/2, with the multiplier 1: METHODS of a quadratic lower level whose row moves with x.
const HALF: &str = "upper { var x  minimize (x - 1)^2 + y^2 }
    lower { var y  minimize y^2  subject to { row: y >= x } }  start { x = 2;  y = 0 }";

/// The follower takes all that it may: y = x = 2.95 with the multiplier 1.
const MOVING_BOUND: &str = "upper { var x in [0, 5]  minimize (y - 3)^2 + 0.1*x }
    lower { var y in [0, 10]  minimize -y  subject to { row: y <= x } }  start { x = 1;  y = 0 }";

fn value(s: &Solution, name: &str) -> f64 {
    s.variable(name).unwrap().values[0]
}

#[test]
fn the_closed_forms_are_found_without_stated_steps() {
    for (text, x, y) in [(HALF, 0.5, 0.5), (MOVING_BOUND, 2.95, 2.95)] {
        let s = solved(text, &Request::new("gaffa"));
        eprintln!(
            "{:?} {} {} {} {:?} {:?}",
            s.status,
            s.iterations,
            value(&s, "x"),
            value(&s, "y"),
            s.constraints,
            s.options
        );
        assert!((value(&s, "x") - x).abs() < 2e-2 && (value(&s, "y") - y).abs() < 2e-2, "{:?}", s.constraints);
    }
}
