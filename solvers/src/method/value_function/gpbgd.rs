//! G-PBGD, penalty-based bilevel gradient descent on the lower gradient: Han Shen, Tianyi Chen, ICML 2023, section 4.2.
//! It descends on `F + lambda/2 |f_y|^2`, so it needs products with second derivatives of f and no lower-level steps.
//!
//! Without a stated `alpha` it works in coordinates in which the diagonal of the lower Hessian is one, `y = P^1/2 u`: the
//! penalty is `lambda/2 <f_y, P f_y>` there, with the same zeros. The square of a Hessian has the square of its condition
//! number, and without the change of coordinates columns of different scale would bring the method to a halt.

use blo_engine::calculus::Assumption;
use blo_engine::elementwise;
use blo_engine::graph::NodeId;
use blo_engine::model::problem::{LevelId, Problem};

use super::vpbgd::STATED_PENALTY;
use crate::formula::problem_graph::{Block, Direction, Part, ProblemGraph};
use crate::formula::report::{self, Stationarity};
use crate::formula::step_size::StepSize;
use crate::iteration::report::ReportFormula;
use crate::iteration::{Built, Clock};
use crate::method::by_role::by_role;
use crate::method::continuation::graph::{Number, Settling};
use crate::method::continuation::{Names, Rule, WeightName};
use crate::method::{Method, Unfit};
use crate::options::entry::{Kind, MANY_ITERATIONS, MethodEntry, Range, StepOf, option};
use crate::options::schedule::Schedule;
use crate::options::settings::Settings;
use crate::options::value::Value;

/// The entry.
pub(in crate::method) static GPBGD: MethodEntry = MethodEntry {
    name: "gpbgd",
    doc: "gradient descent on F + lambda/2 |f_y|^2",
    citation: "Shen, Chen, ICML 2023, section 4.2",
    formula: &[
        "x+ = Proj_X( x - alpha (F_x + lambda f_yx' f_y(x, y)) )",
        "y+ = y - alpha (F_y + lambda f_yy f_y(x, y))",
    ],
    requires: &[Assumption::Smooth],
    options: &[
        option("alpha", "alpha", Kind::Schedule(Range::Positive), None, "step of (x, y)").steps(StepOf::Upper),
        option("lambda", "gamma", Kind::Schedule(Range::Positive), None, "penalty; a schedule ramps it"),
        MANY_ITERATIONS,
    ],
};

/// Options that the control chooses.
const NAMES: Names = Names {
    step_y: None,
    step_companion: None,
    gamma: None,
    penalty: WeightName::OfLower("lambda"),
    texts: &[("alpha", "by curvature in y, by signs in x")],
};

/// The method.
pub(in crate::method) struct Gpbgd;

impl Method for Gpbgd {
    fn complete(&self, settings: &mut Settings) {
        if settings.stated("alpha").is_some() {
            settings.choose("lambda", Some(Value::Schedule(Schedule::Constant(STATED_PENALTY))));
        }
    }

    fn unfit(&self, problem: &Problem, _: &Settings) -> Option<Unfit> {
        (!problem.lower_is_smooth()).then_some(Unfit {
            what: "a lower level with a proximal part or a set",
            because: "its penalty is the lower gradient, which does not vanish at a solution there",
        })
    }

    fn build(&self, p: ProblemGraph<'_>, settings: &Settings) -> Built {
        match settings.stated("alpha").cloned() {
            Some(alpha) => stated(p, settings, alpha),
            None => automatic(p, settings),
        }
    }
}

/// The derivatives of half the square of the lower gradient.
struct Penalty {
    x: Direction,
    y: Direction,
    /// Twice its value.
    squares: NodeId,
}

impl Penalty {
    /// Of `<f_y, P f_y>/2` at (x, y); P is the identity without a metric.
    fn at(p: &mut ProblemGraph<'_>, x: &Block, y: &Block, metric: Option<&Block>) -> Penalty {
        let slope = p.gradient(Part::Smooth, LevelId::LOWER, x, y);
        let scaled = metric.map_or_else(|| slope.clone(), |metric| p.scaled(&slope, metric));
        let nodes = scaled.iter().zip(&y.nodes).map(|(d, like)| p.or_zero(*d, *like)).collect();
        let v = Block { name: "f_y".to_string(), nodes };
        let squares = p.dot(&slope, &scaled);
        let (in_x, in_y) = (p.mixed_times(Part::Smooth, x, y, &v), p.hessian_times(Part::Smooth, x, y, &v));
        Penalty { x: in_x, y: in_y, squares }
    }
}

/// The method as it is printed.
fn stated(mut p: ProblemGraph<'_>, settings: &Settings, alpha: Schedule) -> Built {
    let (x, y) = (p.x(), p.y());
    let alpha = p.number("alpha", Some(alpha), Clock::Iteration);
    let lambda = p.number("lambda", Some(settings.schedule("lambda").clone()), Clock::Iteration);
    let penalty = Penalty::at(&mut p, &x, &y, None);
    let mut along = |part: &Direction, level| {
        let upper = p.gradient(Part::Upper, level, &x, &y);
        let weighed = p.times(part, lambda);
        p.plus(&upper, &weighed)
    };
    let (d_x, d_y) = (along(&penalty.x, LevelId::UPPER), along(&penalty.y, LevelId::LOWER));
    let moved = p.descend(&x, &alpha.into(), &d_x);
    let x_new = p.project_upper(&moved, "x+");
    let y_new = Block { name: "y+".to_string(), nodes: p.descend(&y, &alpha.into(), &d_y) };
    let stage = p.stage("gpbgd", &[(&x, &x_new), (&y, &y_new)], &[]);
    let report = report(&mut p, &x, &y, lambda);
    let iteration = p.iteration(vec![stage], report);
    let control = by_role(&iteration, Vec::new(), None);
    Built { iteration, control, most: None }
}

/// The same direction in rescaled coordinates, under the control of a continuation in lambda.
fn automatic(mut p: ProblemGraph<'_>, settings: &Settings) -> Built {
    let rule = Rule::automatic(settings, p.problem(), NAMES).with_penalty(settings.stated("lambda").cloned());
    let rule = Rule { squared: true, ..rule };
    let now = Settling::declare(&mut p, None);
    let Settling { x, y, .. } = &now;
    let lambda = now.number(Number::C);
    let along = |p: &mut ProblemGraph<'_>, level, x: &Block, y: &Block| {
        let penalty = Penalty::at(p, x, y, Some(now.metric_y()));
        let upper = p.gradient(Part::Upper, level, x, y);
        let weighed = p.over(&upper, &lambda.into());
        p.plus(&weighed, if level == LevelId::UPPER { &penalty.x } else { &penalty.y })
    };
    let d = along(&mut p, LevelId::UPPER, x, y);
    let moves = now.moves(&mut p, &d, false);
    let ahead = now.y_ahead(&mut p);
    let d = along(&mut p, LevelId::LOWER, &moves.x, &ahead);
    let y_new = Block { name: "y+".to_string(), nodes: p.descend(&ahead, &now.by_y(Number::Beta), &d) };
    let of_y = now.y_signals(&mut p, &ahead, &y_new);
    let mut pairs = now.y_pairs(&y_new).to_vec();
    pairs.extend(moves.pairs.iter().map(|(now, next)| (now, next)));
    let no_turn = p.graph.constant(0.0);
    let stage = p.stage("gpbgd", &pairs, &[&[no_turn], &of_y[..], &moves.signals].concat());
    let report = report(&mut p, x, y, lambda);
    let layout = now.layout(&mut p);
    Built { iteration: p.iteration(vec![stage], report), control: rule.control(layout), most: None }
}

/// The length of the projected direction of `F + lambda/2 |f_y|^2` and that of its part in x.
fn report(p: &mut ProblemGraph<'_>, x: &Block, y: &Block, lambda: NodeId) -> ReportFormula {
    let penalty = Penalty::at(p, x, y, None);
    let one = StepSize::from(p.graph.constant(1.0));
    let along = |p: &mut ProblemGraph<'_>, part: &Direction, level| {
        let upper = p.gradient(Part::Upper, level, x, y);
        let weighed = p.times(part, lambda);
        p.plus(&upper, &weighed)
    };
    let d = along(p, &penalty.x, LevelId::UPPER);
    let v = p.descend(x, &one, &d);
    let moved = p.project_upper(&v, "x - d_x");
    let of_x = p.difference(x, &moved);
    let of_y = along(p, &penalty.y, LevelId::LOWER);
    let (of_x, of_y) = (p.norm_squared(&of_x), p.norm_squared(&of_y));
    let both = p.graph.add(of_x, of_y);
    let [upper, method] = [of_x, both].map(|squares| Some(p.graph.elementwise(elementwise::SQRT, &[squares])));
    let gap = Some(p.graph.scale(0.5, penalty.squares));
    report::standard(p, x, y, Stationarity { upper, method, gap })
}

#[cfg(test)]
mod tests {
    use crate::fixture::{MERELY_CONVEX, polished, problem};
    use crate::method::value_function::counter_example::{TEXT, first_near, largest_error};
    use crate::options::request::Request;
    use crate::pipeline::prepare;

    /// `f_yx' f_y = -(y1 - x)` there, the x-part of V-PBGD's penalty once its inner steps have converged, so that the
    /// end points are V-PBGD's but for their first digits.
    #[test]
    fn the_counter_example_takes_as_long_as_with_the_value_gap() {
        for (lambda, expected) in [("1", 96), ("10", 731), ("100", 7097)] {
            let request = Request::new("gpbgd").set("alpha", format!("0.3/{lambda}")).set("lambda", lambda);
            first_near(&request, "x = 0;  y = 2", expected);
        }
    }

    #[test]
    fn automatic_options_solve_the_same() {
        for text in [MERELY_CONVEX, TEXT] {
            let s = polished(text, &Request::new("gpbgd:auto"));
            assert!(s.error("x").unwrap().err < 1e-2 && s.verdict.found_by.is_none(), "{:?}", s.errors);
        }
        assert!(largest_error(&polished(TEXT, &Request::new("gpbgd:auto"))) < 1e-2);
    }

    #[test]
    fn a_set_below_is_refused_with_methods_that_take_it() {
        let text = "upper { var x  minimize (y - 1)^2 }  lower { var y >= 0  minimize (y - x)^2 }";
        let Err(found) = prepare(&problem(text), &Request::new("gpbgd")) else { panic!("it was taken") };
        assert_eq!(found[0].code, "B0617");
        assert!(found[0].help[0].contains("vpbgd") && !found[0].help[0].contains("gpbgd"), "{found:?}");
    }
}
