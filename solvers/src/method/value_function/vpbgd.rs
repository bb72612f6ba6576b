//! V-PBGD, penalty-based bilevel gradient descent on the value gap: Han Shen, Tianyi Chen, ICML 2023, Algorithm 1.
//! It descends on `F + lambda (phi(x, y) - phi(x, yh))` in (x, y) at once, yh following the lower solution by T steps that
//! begin where the last ones ended. The paper has `g = 0`; the formulas of `gap` admit a proximal part and sets.
//!
//! Without a stated `alpha` the same direction runs under the control of `method/continuation`: y steps by its curvature,
//! x waits until its direction has settled, and lambda is raised in stages, so that the bias of a fixed one goes away.

use blo_engine::model::problem::{LevelId, Problem};

use super::gap::{self, Weight};
use crate::formula::problem_graph::{ProblemGraph, StartsAt};
use crate::iteration::{Built, Clock, Repeat, Stage};
use crate::method::Method;
use crate::method::batches::BatchUse;
use crate::method::by_role::by_role;
use crate::method::continuation::{Names, Rule, WeightName};
use crate::options::entry::{Kind, MANY_ITERATIONS, MethodEntry, Range, StepOf, option};
use crate::options::schedule::Schedule;
use crate::options::settings::Settings;
use crate::options::value::Value;

/// The entry.
pub(in crate::method) static VPBGD: MethodEntry = MethodEntry {
    name: "vpbgd",
    doc: "gradient descent on F + lambda (phi - min phi); takes prox terms and sets on both levels",
    citation: "Shen, Chen, ICML 2023, Alg. 1",
    formula: &[
        "yh+ = T steps yh = prox_{beta g~(x,.)}( yh - beta f_y(x, yh) ) from the last yh",
        "x+ = Proj_X( x - alpha (F_x + lambda ((f_x + g_x)(x, y) - (f_x + g_x)(x, yh+))) )",
        "y+ = prox_{alpha lambda g~(x,.)}( y - alpha (F_y + lambda f_y(x, y)) )",
    ],
    requires: &[],
    options: &[
        option("T", "T", Kind::Integer(1), Some("10"), "lower-level steps per iteration"),
        option("beta", "beta", Kind::Schedule(Range::Positive), None, "step of the lower-level steps")
            .steps(StepOf::Lower),
        option("alpha", "alpha", Kind::Schedule(Range::Positive), None, "step of (x, y)").steps(StepOf::Upper),
        option("lambda", "gamma", Kind::Schedule(Range::Positive), None, "penalty; a schedule ramps it"),
        MANY_ITERATIONS,
    ],
};

/// Options that the control chooses.
const NAMES: Names = Names {
    step_y: None,
    step_companion: Some("beta"),
    gamma: None,
    penalty: WeightName::OfLower("lambda"),
    texts: &[("alpha", "by curvature in y, by signs in x")],
};

/// The penalty beside a stated step, which fits one penalty alone: the authors' value for their toy problem.
pub(super) const STATED_PENALTY: f64 = 10.0;

/// The method.
pub(in crate::method) struct Vpbgd;

impl Method for Vpbgd {
    fn complete(&self, settings: &mut Settings) {
        if settings.stated("alpha").is_some() {
            settings.choose("lambda", Some(Value::Schedule(Schedule::Constant(STATED_PENALTY))));
        }
    }

    fn batches(&self, _: &Problem) -> BatchUse {
        BatchUse::Stated(&["alpha"])
    }

    fn build(&self, p: ProblemGraph<'_>, settings: &Settings) -> Built {
        match settings.stated("alpha").cloned() {
            Some(alpha) => stated(p, settings, alpha),
            None => automatic(p, settings),
        }
    }
}

/// Algorithm 1 as it is printed.
fn stated(mut p: ProblemGraph<'_>, settings: &Settings, alpha: Schedule) -> Built {
    let (x, y) = (p.x(), p.y());
    let yh = p.state("yh", LevelId::LOWER, StartsAt::Variables);
    let beta = p.lower_step("beta", settings.stated("beta").cloned());
    let alpha = p.number("alpha", Some(alpha), Clock::Iteration);
    let lambda = p.number("lambda", Some(settings.schedule("lambda").clone()), Clock::Iteration);

    let next = gap::lower_step(&mut p, &x, &yh, &beta.into(), "yh+");
    let repeat = Repeat::Times(settings.integer("T"));
    let inner = Stage { repeat, ..p.stage("lower steps", &[(&yh, &next)], &[]) };
    let weight = Weight::OnGap(lambda);
    let d = gap::d_x(&mut p, &x, &y, &yh, weight);
    let moved = p.descend(&x, &alpha.into(), &d);
    let x_new = p.project_upper(&moved, "x+");
    let y_new = gap::y_step(&mut p, &x, &y, &alpha.into(), weight);
    let outer = p.stage("vpbgd", &[(&x, &x_new), (&y, &y_new)], &[]);
    let report = gap::report(&mut p, &x, &y, &yh, lambda);

    let found = settings.stated("beta").is_none().then_some("beta");
    let end = p.positions(&yh);
    let iteration = p.iteration(vec![inner, outer], report);
    let control = by_role(&iteration, end, found);
    Built { iteration, control, most: None }
}

/// The same direction under the control of a continuation in lambda.
fn automatic(p: ProblemGraph<'_>, settings: &Settings) -> Built {
    let rule = Rule::automatic(settings, p.problem(), NAMES).with_penalty(settings.stated("lambda").cloned());
    let rule = Rule { eta: settings.stated("beta").cloned(), ..rule };
    super::settled(p, settings, "vpbgd", rule, |_, _| Vec::new())
}

#[cfg(test)]
mod tests {
    use crate::fixture::{LASSO, MERELY_CONVEX, polished};
    use crate::method::value_function::counter_example::{after, first_near, largest_error};
    use crate::options::request::Request;

    #[test]
    fn the_counter_example_takes_96_731_and_7096_iterations() {
        for (lambda, expected) in [("1", 96), ("10", 731), ("100", 7096)] {
            let alpha = format!("0.3/{lambda}");
            let request = Request::new("vpbgd").set("beta", "0.5").set("alpha", &alpha).set("lambda", lambda);
            first_near(&request, "x = 0;  y = 2", expected);
        }
    }

    /// Two steps at a set and a proximal part by hand: T = 1, all numbers 1/2, on
    /// `F = (y - 3)^2/2 + x^2/2`, `f = (y - 2)^2/2`, `g = x |y|`, `x >= 0`, from (1, 1).
    #[test]
    fn a_proximal_part_is_weighed_by_the_penalty() {
        let text = "upper { var x >= 0  minimize 1/2*(y - 3)^2 + 1/2*x^2 }
            lower { var y  minimize 1/2*(y - 2)^2  regularize x*abs(y) }  start { x = 1;  y = 1 }";
        let request = Request::new("vpbgd").set("T", "1").set("lambda", "0.5").set("alpha", "0.5").set("beta", "0.5");
        let soft = |v: f64, t: f64| v - v.clamp(-t, t);
        let (mut x, mut y, mut yh) = (1.0_f64, 1.0_f64, 1.0_f64);
        for _ in 0..2 {
            yh = soft(yh - 0.5 * (yh - 2.0), 0.5 * x);
            let d_x = x + 0.5 * (y.abs() - yh.abs());
            let d_y = (y - 3.0) + 0.5 * (y - 2.0);
            (x, y) = ((x - 0.5 * d_x).max(0.0), soft(y - 0.5 * d_y, 0.25 * x));
        }
        let s = after(text, &request, 2);
        let near = |name: &str, v: f64| (s.variable(name).unwrap().values[0] - v).abs() < 1e-12;
        assert!(near("x", x) && near("y", y), "{:?} {:?}, not {x} {y}", s.variable("x"), s.variable("y"));
    }

    #[test]
    fn automatic_options_solve_the_same_and_a_lasso() {
        let s = polished(MERELY_CONVEX, &Request::new("vpbgd:auto"));
        assert!(s.error("x").unwrap().err < 1e-2 && s.verdict.found_by.is_none(), "{:?}", s.errors);
        let s = polished(LASSO, &Request::new("vpbgd:auto"));
        assert!((s.upper.objective + 0.5).abs() < 1e-2 && s.verdict.found_by.is_none(), "{:?}", s.upper);
        let s = polished(super::super::counter_example::TEXT, &Request::new("vpbgd:auto"));
        assert!(largest_error(&s) < 1e-2, "{:?}", s.residuals);
    }
}
