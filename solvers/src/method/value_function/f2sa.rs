//! F2SA, fully first-order: Jeongyeol Kwon, Dohyun Kwon, Stephen Wright, Robert Nowak, ICML 2023, Algorithm 1 with
//! deterministic gradients. z follows the lower solution, y the minimizer of `F + lambda f`, and x goes along the
//! difference of their slopes while lambda grows. The surrogate is that of V-PBGD; what differs is that y, too, takes T
//! steps before x moves. The paper has neither proximal parts nor sets; the formulas of `gap` admit them.
//!
//! Without a stated `alpha` the same directions run under the control of `method/continuation`.

use blo_engine::calculus::Assumption;
use blo_engine::model::problem::{LevelId, Problem};
use blo_grammar::diagnostic::Diagnostic;

use super::gap::{self, Weight};
use crate::formula::problem_graph::{ProblemGraph, StartsAt};
use crate::iteration::{Built, Clock, Repeat, Stage};
use crate::method::Method;
use crate::method::batches::BatchUse;
use crate::method::by_role::by_role;
use crate::method::continuation::graph::{Companion, Number, Settling};
use crate::method::continuation::{Names, Rule, WeightName};
use crate::options;
use crate::options::entry::{Kind, MANY_ITERATIONS, MethodEntry, Range, StepOf, option};
use crate::options::schedule::{Formula, Schedule};
use crate::options::settings::Settings;
use crate::options::value::Value;

/// The entry.
pub(in crate::method) static F2SA: MethodEntry = MethodEntry {
    name: "f2sa",
    doc: "fully first-order method with a growing multiplier on the value gap",
    citation: "Kwon, Kwon, Wright, Nowak, ICML 2023, Alg. 1",
    formula: &[
        "z+ = T steps z = prox_{gamma g~(x,.)}( z - gamma f_y(x, z) ) from the last z",
        "y+ = T steps y = prox_{alpha lambda g~(x,.)}( y - alpha (F_y + lambda f_y(x, y)) ) from the last y",
        "x+ = Proj_X( x - xi alpha (F_x + lambda ((f_x + g_x)(x, y+) - (f_x + g_x)(x, z+))) )",
    ],
    requires: &[Assumption::StronglyConvex],
    options: &[
        option("T", "T", Kind::Integer(1), Some("10"), "steps of z and of y per iteration"),
        option("alpha", "alpha_k", Kind::Schedule(Range::Positive), None, "step of y").steps(StepOf::Upper),
        option("gamma", "gamma_k", Kind::Schedule(Range::Positive), None, "step of the lower-level copy z")
            .steps(StepOf::Lower),
        option("xi", "xi", Kind::Number(Range::Positive), None, "step of x against a stated alpha; automatic is 1"),
        option("lambda", "lambda_k", Kind::Schedule(Range::Positive), None, "multiplier; k^(1/3) with a stated alpha"),
        MANY_ITERATIONS,
    ],
};

/// Options that the control chooses.
const NAMES: Names = Names {
    step_y: None,
    step_companion: Some("gamma"),
    gamma: None,
    penalty: WeightName::OfLower("lambda"),
    texts: &[("alpha", "by curvature"), ("xi", "by the signs of d_x")],
};

/// The method.
pub(in crate::method) struct F2sa;

impl Method for F2sa {
    fn complete(&self, settings: &mut Settings) {
        if settings.stated("alpha").is_some() {
            let root = Formula::Product(vec![(false, Formula::Number(1.0)), (true, Formula::Number(3.0))]);
            let grows = Formula::Power(Box::new(Formula::K), Box::new(root));
            settings.choose("lambda", Some(Value::Schedule(Schedule::Expression(grows))));
            settings.choose("xi", Some(Value::Number(1.0)));
        }
    }

    fn check(&self, settings: &Settings) -> Vec<Diagnostic> {
        let (xi, alone) = (settings.get("xi"), settings.stated("alpha").is_none());
        let stated = alone && xi.value.is_some();
        stated.then(|| options::message::without(xi, "alpha")).into_iter().collect()
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
    let z = p.state("z", LevelId::LOWER, StartsAt::Variables);
    let gamma = p.lower_step("gamma", settings.stated("gamma").cloned());
    let alpha = p.number("alpha", Some(alpha), Clock::Iteration);
    let lambda = p.number("lambda", Some(settings.schedule("lambda").clone()), Clock::Iteration);
    let xi = p.number("xi", Some(Schedule::Constant(settings.number("xi"))), Clock::Iteration);
    let (repeat, weight) = (Repeat::Times(settings.integer("T")), Weight::OnGap(lambda));

    let next = gap::lower_step(&mut p, &x, &z, &gamma.into(), "z+");
    let of_z = Stage { repeat, ..p.stage("steps of z", &[(&z, &next)], &[]) };
    let next = gap::y_step(&mut p, &x, &y, &alpha.into(), weight);
    let of_y = Stage { repeat, ..p.stage("steps of y", &[(&y, &next)], &[]) };
    let step = p.graph.mul(xi, alpha);
    let d = gap::d_x(&mut p, &x, &y, &z, weight);
    let moved = p.descend(&x, &step.into(), &d);
    let next = p.project_upper(&moved, "x+");
    let of_x = p.stage("f2sa", &[(&x, &next)], &[]);
    let report = gap::report(&mut p, &x, &y, &z, lambda);

    let found = settings.stated("gamma").is_none().then_some("gamma");
    let end = p.positions(&z);
    let iteration = p.iteration(vec![of_z, of_y, of_x], report);
    let control = by_role(&iteration, end, found);
    Built { iteration, control, most: None }
}

/// The same directions under the control of a continuation in lambda.
fn automatic(mut p: ProblemGraph<'_>, settings: &Settings) -> Built {
    let rule = Rule::automatic(settings, p.problem(), NAMES).with_penalty(settings.stated("lambda").cloned());
    let rule = Rule { eta: settings.stated("gamma").cloned(), ..rule };
    let now = Settling::declare(&mut p, Some(Companion { name: "z", origin: StartsAt::Variables }));
    let Settling { x, y, companion: z, .. } = &now;
    let (lambda, weight) = (now.number(Number::C), Weight::OnUpper(now.number(Number::C)));
    let repeat = Repeat::Times(settings.integer("T"));

    let ahead = now.companion_ahead(&mut p);
    let next = gap::lower_step(&mut p, x, &ahead, &now.by_companion(Number::Eta), "z+");
    let turn = now.companion_turn(&mut p, &ahead, &next);
    let of_z = Stage { repeat, ..p.stage("steps of z", &now.companion_pairs(&next), &[turn]) };
    let ahead = now.y_ahead(&mut p);
    let next = gap::y_step(&mut p, x, &ahead, &now.by_y(Number::Beta), weight);
    let signals = now.y_signals(&mut p, &ahead, &next);
    let of_y = Stage { repeat, ..p.stage("steps of y", &now.y_pairs(&next), &signals) };
    let d = gap::d_x(&mut p, x, y, z, weight);
    let moves = now.moves(&mut p, &d, false);
    let pairs: Vec<_> = moves.pairs.iter().map(|(now, next)| (now, next)).collect();
    let of_x = p.stage("f2sa", &pairs, &moves.signals);
    let report = gap::report(&mut p, x, y, z, lambda);
    let layout = now.layout(&mut p);
    Built { iteration: p.iteration(vec![of_z, of_y, of_x], report), control: rule.control(layout), most: None }
}

#[cfg(test)]
mod tests {
    use crate::fixture::{MERELY_CONVEX, polished, problem};
    use crate::method::resolve::resolve;
    use crate::method::value_function::counter_example::{TEXT, first_near, largest_error};
    use crate::options::request::Request;

    #[test]
    fn the_counter_example_takes_103_iterations() {
        let request = Request::new("f2sa").set("alpha", "0.3*k^(-1/3)").set("gamma", "0.5");
        first_near(&request, "x = 0;  y = 2", 103);
    }

    #[test]
    fn a_step_of_x_belongs_to_a_stated_step_of_y() {
        let found = |request: Request| resolve(&problem(TEXT), &request).err().map(|d| d[0].code);
        assert_eq!(found(Request::new("f2sa:auto").set("xi", "2")), Some("B0606"));
        assert_eq!(found(Request::new("f2sa:auto").set("xi", "2").set("alpha", "0.1")), None);
    }

    #[test]
    fn automatic_options_solve_the_same() {
        for text in [MERELY_CONVEX, TEXT] {
            let s = polished(text, &Request::new("f2sa:auto"));
            assert!(s.error("x").unwrap().err < 1e-2 && s.verdict.found_by.is_none(), "{:?}", s.errors);
        }
        assert!(largest_error(&polished(TEXT, &Request::new("f2sa:auto"))) < 1e-2);
    }
}
