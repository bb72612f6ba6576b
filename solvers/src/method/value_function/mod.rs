//! Methods on the value function of the lower level: `F + penalty * (f(x, y) - min f(x, .))` and its relatives.

pub(super) mod bamm;
pub(super) mod bome;
pub(super) mod f2sa;
mod gap;
pub(super) mod gpbgd;
pub(super) mod vpbgd;

use blo_engine::model::problem::Problem;

/// True without a proximal part and sets on the lower level: its solutions are where its gradient vanishes.
fn is_smooth(problem: &Problem) -> bool {
    let lower = problem.lower();
    lower.regularizer.is_none() && lower.variables.iter().all(|v| v.set.is_none())
}

/// BDA eq. (5), on which the published methods have known end points.
#[cfg(test)]
mod counter_example {
    use crate::fixture::solved;
    use crate::options::request::Request;
    use crate::solution::Solution;

    pub(super) const TEXT: &str = "
        upper { var x in [-100, 100]   minimize 1/2*(x - y[2])^2 + 1/2*(y[1] - 1)^2 }
        lower { var y[2]   minimize 1/2*y[1]^2 - x*y[1] }
        known { x = 1;  y = 1 }";

    /// The largest distance of an entry to 1.
    pub(super) fn largest_error(s: &Solution) -> f64 {
        let of = |name: &str| s.variable(name).unwrap().values.iter().map(|v| (v - 1.0).abs()).fold(0.0, f64::max);
        of("x").max(of("y"))
    }

    /// The iterate after so many iterations.
    pub(super) fn after(text: &str, request: &Request, iterations: u64) -> Solution {
        solved(text, &request.clone().set("max_iter", iterations.to_string()).set("tol", "0"))
    }

    /// The first iteration after which every error is below 1e-3 is the expected one.
    pub(super) fn first_near(request: &Request, start: &str, expected: u64) {
        let text = format!("{TEXT}  start {{ {start} }}");
        let error = |k: u64| largest_error(&after(&text, request, k));
        let (before, then) = (error(expected - 1), error(expected));
        assert!(before >= 1e-3 && then < 1e-3, "iteration {expected}: {before:e}, then {then:e}");
    }
}
