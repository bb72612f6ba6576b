//! SOBA: Mathieu Dagréou, Pierre Ablin, Samuel Vaiter, Thomas Moreau, NeurIPS 2022, with exact gradients or batches of
//! rows. One loop: at the same (x, y, v), y takes a step on f, v one on the linear system `f_yy v = -F_y`, and x one along
//! the hypergradient `F_x + f_yx' v`. The sign of v is the paper's; that of BAMM is the other. The paper has no sets; here
//! x is projected onto its own.
//!
//! Without a stated `gamma` the same directions run under the control of `method/continuation`. There is no penalty to
//! raise: its weight of F against f is zero throughout, so that only windows and steps of x are its choice.

use blo_engine::calculus::Assumption;
use blo_engine::elementwise;
use blo_engine::model::problem::{LevelId, Problem};

use crate::formula::problem_graph::{Block, Direction, Part, ProblemGraph, StartsAt};
use crate::formula::report::{self, Stationarity};
use crate::formula::step_size::StepSize;
use crate::iteration::report::ReportFormula;
use crate::iteration::{Built, Clock};
use crate::method::batches::BatchUse;
use crate::method::by_role::by_role;
use crate::method::continuation::graph::{Companion, Number, Settling};
use crate::method::continuation::{Names, Rule, WeightName};
use crate::method::{Method, Unfit};
use crate::options::entry::{Kind, MANY_ITERATIONS, MethodEntry, Range, StepOf, option};
use crate::options::schedule::Schedule;
use crate::options::settings::Settings;

/// The entry.
pub(in crate::method) static SOBA: MethodEntry = MethodEntry {
    name: "soba",
    doc: "one step of y, of the Hessian system and of x at once per iteration",
    citation: "Dagréou, Ablin, Vaiter, Moreau, NeurIPS 2022, Alg. 1",
    formula: &[
        "y+ = y - rho f_y(x, y);  v+ = v - rho (f_yy v + F_y(x, y))",
        "x+ = Proj_X( x - gamma (F_x(x, y) + f_yx' v) )",
    ],
    requires: &[Assumption::Smooth, Assumption::StronglyConvex],
    options: &[
        option("rho", "rho_k", Kind::Schedule(Range::Positive), None, "step of y and of v").steps(StepOf::Lower),
        option("gamma", "gamma_k", Kind::Schedule(Range::Positive), None, "step of x").steps(StepOf::Upper),
        MANY_ITERATIONS,
    ],
};

/// Options that the control chooses.
const NAMES: Names = Names {
    // in the metric of the control the step is not one that could be stated
    step_y: None,
    step_companion: None,
    gamma: None,
    penalty: WeightName::Hidden,
    texts: &[("rho", "by curvature"), ("gamma", "by the signs of d_x")],
};

/// The method.
pub(in crate::method) struct Soba;

impl Method for Soba {
    fn unfit(&self, problem: &Problem, _: &Settings) -> Option<Unfit> {
        (!problem.lower_is_smooth()).then_some(Unfit {
            what: "a lower level with a proximal part or a set",
            because: "its linear system is that of a solution where the lower gradient vanishes",
        })
    }

    fn batches(&self, _: &Problem) -> BatchUse {
        BatchUse::Stated(&["gamma"])
    }

    fn build(&self, p: ProblemGraph<'_>, settings: &Settings) -> Built {
        match settings.stated("gamma").cloned() {
            Some(gamma) => stated(p, settings, gamma),
            None => automatic(p, settings),
        }
    }
}

/// `f_yy v + F_y`
fn system(p: &mut ProblemGraph<'_>, x: &Block, y: &Block, v: &Block) -> Direction {
    let image = p.hessian_times(Part::Smooth, x, y, v);
    let upper = p.gradient(Part::Upper, LevelId::LOWER, x, y);
    p.plus(&image, &upper)
}

/// `F_x + f_yx' v`
fn hypergradient(p: &mut ProblemGraph<'_>, x: &Block, y: &Block, v: &Block) -> Direction {
    let upper = p.gradient(Part::Upper, LevelId::UPPER, x, y);
    let through = p.mixed_times(Part::Smooth, x, y, v);
    p.plus(&upper, &through)
}

/// The method as it is printed: every direction at the old (x, y, v).
fn stated(mut p: ProblemGraph<'_>, settings: &Settings, gamma: Schedule) -> Built {
    let (x, y) = (p.x(), p.y());
    let v = p.state("v", LevelId::LOWER, StartsAt::Zero);
    let rho = match settings.stated("rho").cloned() {
        Some(rho) => p.number("rho", Some(rho), Clock::Iteration),
        None => p.lower_step("rho", None),
    };
    let gamma = p.number("gamma", Some(gamma), Clock::Iteration);

    let d_y = p.gradient(Part::Smooth, LevelId::LOWER, &x, &y);
    let y_new = Block { name: "y+".to_string(), nodes: p.descend(&y, &rho.into(), &d_y) };
    let d_v = system(&mut p, &x, &y, &v);
    let v_new = Block { name: "v+".to_string(), nodes: p.descend(&v, &rho.into(), &d_v) };
    let d_x = hypergradient(&mut p, &x, &y, &v);
    let moved = p.descend(&x, &gamma.into(), &d_x);
    let x_new = p.project_upper(&moved, "x+");
    let stage = p.stage("soba", &[(&x, &x_new), (&y, &y_new), (&v, &v_new)], &[]);
    let report = report(&mut p, &x, &y, &v);

    let found = settings.stated("rho").is_none().then_some("rho");
    let end = p.positions(&y);
    let iteration = p.iteration(vec![stage], report);
    let control = by_role(&iteration, end, found);
    Built { iteration, control, most: None }
}

/// The same directions under the control of a continuation whose weight of F is zero.
fn automatic(mut p: ProblemGraph<'_>, settings: &Settings) -> Built {
    let rule = Rule::automatic(settings, p.problem(), NAMES).with_penalty(Some(Schedule::Constant(f64::INFINITY)));
    let rule = Rule { beta: settings.stated("rho").cloned(), eta: settings.stated("rho").cloned(), ..rule };
    let now = Settling::declare(&mut p, Some(Companion { name: "v", origin: StartsAt::Zero }));
    let Settling { x, y, companion: v, .. } = &now;

    let ahead = now.companion_ahead(&mut p);
    let d_v = system(&mut p, x, y, &ahead);
    let nodes = p.descend(&ahead, &now.by_companion(Number::Eta), &d_v);
    let v_new = Block { name: "v+".to_string(), nodes };
    let turn = now.companion_turn(&mut p, &ahead, &v_new);
    let d_x = hypergradient(&mut p, x, y, v);
    let moves = now.moves(&mut p, &d_x, false);
    let ahead = now.y_ahead(&mut p);
    let d_y = p.gradient(Part::Smooth, LevelId::LOWER, &moves.x, &ahead);
    let y_new = Block { name: "y+".to_string(), nodes: p.descend(&ahead, &now.by_y(Number::Beta), &d_y) };
    let of_y = now.y_signals(&mut p, &ahead, &y_new);
    let mut pairs = [now.y_pairs(&y_new), now.companion_pairs(&v_new)].concat();
    pairs.extend(moves.pairs.iter().map(|(now, next)| (now, next)));
    let stage = p.stage("soba", &pairs, &[&[turn], &of_y[..], &moves.signals].concat());
    let report = report(&mut p, x, y, v);
    let layout = now.layout(&mut p);
    Built { iteration: p.iteration(vec![stage], report), control: rule.control(layout), most: None }
}

/// The projected hypergradient, and with it `f_y` and the residual of v's system.
fn report(p: &mut ProblemGraph<'_>, x: &Block, y: &Block, v: &Block) -> ReportFormula {
    p.look_at_all_rows();
    let d_x = hypergradient(p, x, y, v);
    let one = StepSize::from(p.graph.constant(1.0));
    let moved = p.descend(x, &one, &d_x);
    let moved = p.project_upper(&moved, "x - d_x");
    let of_x = p.difference(x, &moved);
    let of_y = p.gradient(Part::Smooth, LevelId::LOWER, x, y);
    let of_v = system(p, x, y, v);
    let [of_x, of_y, of_v] = [of_x, of_y, of_v].map(|d| p.norm_squared(&d));
    let lower = p.graph.add(of_y, of_v);
    let all = p.graph.add(of_x, lower);
    let [upper, method] = [of_x, all].map(|squares| Some(p.graph.elementwise(elementwise::SQRT, &[squares])));
    report::standard(p, x, y, Stationarity { upper, method, gap: None })
}

#[cfg(test)]
mod tests {
    use crate::fixture::{data, polished, problem, solved};
    use crate::options::request::Request;
    use crate::pipeline::prepare;
    use crate::reduced_gradient::reduced_gradient;
    use crate::solution::Solution;

    /// `y(x) = x`, and the reduced objective is `(x - 1)^2/2 + x^2/2`: its minimum is at 1/2.
    const LINE: &str = "
        upper { var x  minimize 1/2*(x - 1)^2 + 1/2*y^2 }
        lower { var y  minimize 1/2*y^2 - x*y }
        known { x = 1/2;  y = 1/2;  upper = 1/4 }";

    /// A Hessian and mixed derivatives that depend on x and y, and an x that is not stationary.
    const CURVED: &str = "
        upper { var x  var w[2]  minimize (y[1] - 2)^2 + y[1]*y[2]*w[1] + x^2 + x*w[2] }
        lower { var y[2]  minimize 1/2*exp(x)*y[1]^2 + y[2]^2 + y[2]^4/4 + y[1]*y[2]/2 - w'*y }
        start { x = 0.3;  w = 0.7;  y = 0.1 }";

    fn number(s: &Solution, name: &str) -> f64 {
        s.variable(name).unwrap().values[0]
    }

    /// The iterate after so many iterations.
    fn after(text: &str, request: &Request, iterations: u64) -> Solution {
        solved(text, &request.clone().set("max_iter", iterations.to_string()).set("tol", "0"))
    }

    /// The formulas of the paper for this problem, by hand.
    #[test]
    fn all_directions_are_at_the_old_point() {
        let request = Request::new("soba").set("rho", "0.5").set("gamma", "0.1");
        let (mut x, mut y, mut v) = (0.0f64, 0.0f64, 0.0f64);
        for k in 1..=5 {
            (x, y, v) = (x - 0.1 * (x - 1.0 - v), y - 0.5 * (y - x), v - 0.5 * (v + y));
            let s = after(LINE, &request, k);
            let (dx, dy) = (number(&s, "x") - x, number(&s, "y") - y);
            assert!(dx.abs() < 1e-15 && dy.abs() < 1e-15, "iteration {k}: {dx:e}, {dy:e}");
        }
    }

    /// BAMM for a strongly convex lower level is the same iteration once its steps do not decay.
    #[test]
    fn bamm_without_average_and_decay_has_the_same_iterates() {
        let own = Request::new("soba").set("rho", "0.2").set("gamma", "0.05");
        let bamm = Request::new("bamm").set("rule", "strong").set("tau", "0").set("beta", "0.2");
        let bamm = bamm.set("eta", "0.2").set("alpha", "0.05");
        let [own, bamm] = [own, bamm].map(|request| after(CURVED, &request, 50));
        for name in ["x", "w", "y"] {
            let [own, bamm] = [&own, &bamm].map(|s| &s.variable(name).unwrap().values);
            assert!(own.iter().zip(bamm).all(|(a, b)| (a - b).abs() < 1e-12), "{name}: {own:?}, {bamm:?}");
        }
    }

    #[test]
    fn the_end_point_is_the_closed_form() {
        for request in [
            Request::new("soba").set("rho", "0.5").set("gamma", "0.1"),
            Request::new("soba").set("gamma", "0.1"),
            Request::new("soba").set("rho", "0.5"),
            Request::new("soba"),
        ] {
            let s = polished(LINE, &request);
            assert!(s.error("x").unwrap().err < 1e-5 && s.verdict.found_by.is_none(), "{request:?}: {:?}", s.errors);
        }
    }

    /// With an x that hardly moves, y and v settle, and the direction of x is the gradient of the reduced objective.
    #[test]
    fn the_direction_of_x_tends_to_the_hypergradient() {
        let s = after(CURVED, &Request::new("soba").set("rho", "0.3").set("gamma", "1e-14"), 2000);
        let problem = problem(CURVED);
        let found = reduced_gradient(&problem, &data(&problem), 1, 0).unwrap().unwrap();
        let squares = found.gradient.iter().flat_map(|(_, g)| &g.values).map(|g| g * g);
        let (own, expected) = (s.residuals.upper, squares.sum::<f64>().sqrt());
        assert!(found.exact && expected > 1.0 && (own - expected).abs() < 1e-9, "{own}, {expected}");
        assert!((s.residuals.method - own).abs() < 1e-9, "y and v have not settled: {}", s.residuals.method);
    }

    /// The control has a `gamma` of its own, which is no step of x.
    #[test]
    fn a_step_that_is_too_long_is_named_and_nothing_else() {
        let s = polished(LINE, &Request::new("soba").set("rho", "10"));
        let found = s.warnings.iter().find(|d| d.code == "W0606").unwrap();
        assert!(found.help.iter().any(|help| help.contains("`rho`")), "{found:?}");
        assert!(found.help.iter().all(|help| !help.contains("gamma")), "{found:?}");
    }

    #[test]
    fn a_set_and_a_proximal_part_below_are_refused() {
        for text in [
            "upper { var x  minimize (y - 1)^2 }  lower { var y >= 0  minimize (y - x)^2 }",
            "upper { var x  minimize (y - 1)^2 }  lower { var y  minimize (y - x)^2  regularize abs(y) }",
        ] {
            let Err(found) = prepare(&problem(text), &Request::new("soba")) else { panic!("it was taken") };
            assert_eq!(found[0].code, "B0617");
            assert!(found[0].help[0].contains("vpbgd") && !found[0].help[0].contains("soba"), "{found:?}");
        }
    }
}
