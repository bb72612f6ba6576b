//! Random search: James Bergstra, Yoshua Bengio, "Random search for hyper-parameter optimization", JMLR 2012.

use std::rc::Rc;

use blo_engine::data::symmetric;
use blo_engine::model::problem::Problem;

use super::trials::{Rule, Trial, search};
use super::{HIGH, LOW, TRIALS};
use crate::formula::problem_graph::ProblemGraph;
use crate::iteration::Built;
use crate::method::{Method, Unfit};
use crate::options::entry::MethodEntry;
use crate::options::settings::Settings;
use crate::reduced::space::Space;

/// The entry.
pub(in crate::method) static RANDOM: MethodEntry = MethodEntry {
    name: "random",
    doc: "the best of random points; positive variables are uniform on a log scale",
    citation: "Bergstra, Bengio, JMLR 2012",
    formula: &[
        "x_k uniform in the box of X, on a log scale where it is positive",
        "y_k in argmin f(x_k, .) + g(x_k, .)",
    ],
    requires: &[],
    options: &[TRIALS, LOW, HIGH],
};

/// The method.
pub(in crate::method) struct Random;

impl Method for Random {
    fn unfit(&self, problem: &Problem, _: &Settings) -> Option<Unfit> {
        super::without_upper_variables(problem)
    }

    fn build(&self, p: ProblemGraph<'_>, settings: &Settings) -> Built {
        search(p, Rc::new(Draw), super::reach(settings))
    }
}

/// A point that does not depend on the others.
struct Draw;

impl Rule for Draw {
    fn propose(&self, space: &Space, seed: u64, k: u64, _: &[Trial]) -> Vec<f64> {
        let mut random = symmetric(seed, k, "random search");
        (0..space.intervals.len()).map(|i| space.entry(i, f64::midpoint(1.0, random()))).collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::fixture::solved;
    use crate::options::request::Request;
    use crate::solution::Status;

    /// The best penalty of a ridge regression in one variable: y = 2/(1 + x), F = (y - 1)^2, so x = 1.
    const RIDGE: &str = "upper { var x >= 0  minimize (y - 1)^2 }
        lower { var y  minimize 1/2*(y - 2)^2 + 1/2*x*y^2 }  start { x = 5 }";

    #[test]
    fn the_best_of_a_hundred_points_is_near_the_optimum() {
        let s = solved(RIDGE, &Request::new("random"));
        assert_eq!((s.status, s.iterations), (Status::IterationLimit, 100));
        let (x, y) = (s.variable("x").unwrap().values[0], s.variable("y").unwrap().values[0]);
        assert!((x - 1.0).abs() < 0.15 && (y - 2.0 / (1.0 + x)).abs() < 1e-8, "{x} {y}");
        // More points are the same points and others: never worse.
        let more = solved(RIDGE, &Request::new("random").set("max_iter", "400"));
        assert!(more.upper.objective <= s.upper.objective);
    }

    #[test]
    fn another_seed_tries_other_points_and_the_same_seed_the_same() {
        let x = |seed: &str| {
            let s = solved(RIDGE, &Request::new("random").set("max_iter", "5").set("seed", seed));
            s.variable("x").unwrap().values[0]
        };
        assert!(x("1") == x("1") && x("1") != x("2"));
    }

    #[test]
    fn points_lie_in_sets_that_are_no_boxes() {
        let text = "upper { var x[3] in simplex(1)  minimize normsq(y - x) - x[2] }
            lower { var y[3]  minimize normsq(y - x) }";
        let s = solved(text, &Request::new("random"));
        let x = &s.variable("x").unwrap().values;
        assert!((x.iter().sum::<f64>() - 1.0).abs() < 1e-12 && x.iter().all(|v| *v >= 0.0), "{x:?}");
        assert!(x[1] > 0.9, "{x:?}");
        // and an optimum inside is found, too
        let inside = text.replace("- x[2]", "+ 10*normsq(x - [0.5, 0.2, 0.3])");
        let s = solved(&inside, &Request::new("random"));
        let x = &s.variable("x").unwrap().values;
        assert!(x.iter().zip([0.5, 0.2, 0.3]).all(|(x, best)| (x - best).abs() < 0.1), "{x:?}");
    }
}
