//! MEHA, the Moreau envelope based Hessian-free algorithm: single loop, first order, nonsmooth lower levels.
//! Risheng Liu, Zhu Liu, Wei Yao, Shangzhi Zeng, Jin Zhang, ICML 2024, Algorithm 1.
//! With `phi = f + g`, `g~ = g + indicator(Y)` and the envelope `v_gamma(x,y) = min_theta phi(x,theta) +
//! |theta - y|^2/(2 gamma)` it descends on `F + c_k (phi - v_gamma)`; theta tracks the envelope's minimiser.

use blo_engine::elementwise;
use blo_engine::model::problem::Problem;
use blo_engine::program::Scalar;
use blo_grammar::diagnostic::Diagnostic;

use stated::{Bounds, Stated, Watched};

use crate::formula::problem_graph::{Block, Direction, Part, ProblemGraph, StartsAt};
use crate::formula::report::{self, Stationarity};
use crate::formula::step_size::StepSize;
use crate::iteration::control::{Control, Schedules};
use crate::iteration::report::ReportFormula;
use crate::iteration::{Built, Clock, Context};
use crate::lower::curvature::PowerIteration;
use crate::lower::term_modulus::TermModulus;
use crate::method::Method;
use crate::method::batches::BatchUse;
use crate::method::continuation::{LONGEST, Names, PASSES, Rule, WeightName, outside_of_theory};
use crate::method::growth;
use crate::options;
use crate::options::entry::{Kind, MANY_ITERATIONS, MethodEntry, Range, StepOf, option};
use crate::options::run_options::Precision;
use crate::options::schedule::Schedule;
use crate::options::settings::{Origin, Settings};
use crate::options::value::Value;
use blo_engine::model::problem::LevelId;

/// The entry.
pub(super) static MEHA: MethodEntry = MethodEntry {
    name: "meha",
    doc: "single-loop, first-order descent on a Moreau envelope penalty; takes prox terms and sets on both levels",
    citation: "Liu, Liu, Yao, Zeng, Zhang, ICML 2024, Algorithm 1, eqs. (9)-(13)",
    formula: &[
        "theta+ = prox_{eta g~(x,.)}( theta - eta (f_y(x, theta) + (theta - y)/gamma) )",
        "x+ = Proj_X( x - alpha (F_x(x, y)/c_k + f_x(x, y) + g_x(x, y) - f_x(x, theta+) - g_x(x, theta+)) )",
        "y+ = prox_{beta g~(x+,.)}( y - beta (F_y(x+, y)/c_k + f_y(x+, y) - (y - theta+)/gamma) )",
    ],
    requires: &[],
    options: &[
        option("alpha", "alpha_k", Kind::Schedule(Range::Positive), None, "step of x").steps(StepOf::Upper),
        option("beta", "beta_k", Kind::Schedule(Range::Positive), None, "step of y").steps(StepOf::Lower),
        option("eta", "eta_k", Kind::Schedule(Range::Positive), None, "step of theta").steps(StepOf::Lower),
        option("gamma", "gamma", Kind::Number(Range::Positive), None, "parameter of the envelope"),
        option("c", "c_k", Kind::Schedule(Range::Positive), None, "penalty: c_k = c k^p, or a schedule instead of it"),
        option("p", "p", Kind::Number(Range::NonNegative), None, "growth of a stated c, below 1/2"),
        option("metric", "", Kind::Word(&["diagonal", "none"]), None, "metric of the steps of theta and y"),
        option("momentum", "", Kind::Word(&["nesterov", "none"]), None, "extrapolation of theta and y, if f is convex"),
        option("passes", "", Kind::Integer(1), None, "continuations in c from the start; the best end point counts"),
        option("window", "", Kind::Integer(4), None, "most iterations between two moves of x"),
        MANY_ITERATIONS,
    ],
};

mod safeguarded;
mod stated;

pub(super) struct Meha;

/// The scalars of an iteration, as nodes.
struct Steps {
    beta: StepSize,
    eta: StepSize,
    gamma: StepSize,
    c_k: StepSize,
}

/// Steps and penalty: with all of them stated, Algorithm 1 runs as it is printed.
const STATED: [&str; 5] = ["alpha", "beta", "eta", "gamma", "c"];

/// The safeguards, each off where Algorithm 1 runs as it is printed.
const SAFEGUARDS: [&str; 4] = ["metric", "momentum", "passes", "window"];

/// Moves of x that fit into a run at least: c grows from its first to its last value in 8 stages of up to 15 moves, which
/// take the first pass, and 60 % of the iterations.
const MOVES: u64 = 200;

/// The longest window of runs that are too short for so many moves, a twentieth of their iterations at most: in 500
/// iterations of a network, x that moves every 4 of them runs ahead of y.
const SHORT_RUN: u64 = 25;

/// Options that the control chooses.
const NAMES: Names = Names {
    step_y: Some("beta"),
    step_companion: Some("eta"),
    gamma: Some("gamma"),
    penalty: WeightName::OfLower("c"),
    texts: &[("alpha", "by the signs of d_x")],
};

/// True when no safeguard is in use.
fn is_bare(settings: &Settings) -> bool {
    STATED.iter().all(|name| settings.get(name).value.is_some())
        && SAFEGUARDS.iter().all(|name| settings.get(name).origin == Origin::Automatic)
}

impl Method for Meha {
    fn complete(&self, settings: &mut Settings) {
        let bare = is_bare(settings);
        let stated = |name: &str| settings.get(name).value.is_some();
        let (alpha, c) = (stated("alpha"), stated("c"));
        let word = |bare_value, value| Some(Value::Word(if bare { bare_value } else { value }));
        let number = |bare_value: u64, value| Some(Value::Integer(if bare { bare_value } else { value }));
        settings.choose("metric", word("none", "diagonal"));
        settings.choose("momentum", word("none", "nesterov"));
        settings.choose("passes", number(1, if c { 1 } else { PASSES }));
        let iterations = settings.integer("max_iter");
        let longest = (iterations / MOVES).max((iterations / 20).min(SHORT_RUN)).clamp(4, LONGEST);
        settings.choose("window", number(1, if alpha { 20 } else { longest }));
        let constant_c = matches!(settings.get("c").value, Some(Value::Schedule(Schedule::Constant(_))));
        settings.choose("p", Some(Value::Number(if constant_c { 0.49 } else { 0.0 })));
    }

    fn check(&self, settings: &Settings) -> Vec<Diagnostic> {
        let p = settings.get("p");
        let mut found: Vec<Diagnostic> = growth::stated_twice(settings).into_iter().collect();
        if let Some(Value::Number(value)) = p.value
            && value >= 0.5
        {
            found.push(options::message::penalty_grows_too_fast(p, value));
        }
        found
    }

    fn batches(&self, _: &Problem) -> BatchUse {
        BatchUse::Stated(&STATED)
    }

    fn is_as_printed(&self, settings: &Settings, _: &[&str]) -> bool {
        is_bare(settings)
    }

    fn build(&self, p: ProblemGraph<'_>, settings: &Settings) -> Built {
        if is_bare(settings) {
            return bare(p, settings);
        }
        let rule = rule(settings, p.problem());
        let (iteration, layout) = safeguarded::iteration(p, rule.alpha.is_some());
        Built { iteration, control: rule.control(layout), most: None }
    }
}

/// Algorithm 1 as it is printed, with stated steps.
fn bare(mut p: ProblemGraph<'_>, settings: &Settings) -> Built {
    let (x, y) = (p.x(), p.y());
    let theta = p.state("theta", LevelId::LOWER, StartsAt::Variables);
    let stated = [
        ("alpha", settings.schedule("alpha").clone()),
        ("beta", settings.schedule("beta").clone()),
        ("eta", settings.schedule("eta").clone()),
        ("gamma", Schedule::Constant(settings.number("gamma"))),
        ("c_k", penalty(settings)),
    ];
    let [alpha, beta, eta, gamma, c_k] = stated.map(|(name, value)| p.number(name, Some(value), Clock::Iteration));
    let s = Steps { beta: beta.into(), eta: eta.into(), gamma: gamma.into(), c_k: c_k.into() };

    let theta_new = theta_step(&mut p, &x, &y, &theta, &s);
    let x_new = x_step(&mut p, &x, &y, &theta_new, &alpha.into(), &s);
    let y_new = y_step(&mut p, &x_new, &y, &theta_new, &s);

    let stage = p.stage("meha", &[(&x, &x_new), (&y, &y_new), (&theta, &theta_new)], &[]);
    p.look_at_all_rows();
    let theta_new = theta_step(&mut p, &x, &y, &theta, &s);
    let report = report(&mut p, &x, &y, &theta_new, &s);
    let convex = p.problem().lower_is_convex();
    let (watched, iterations) = (Watched::of(settings), settings.integer("max_iter"));
    let iteration = p.iteration(vec![stage], report);
    let schedules = Schedules::of(&iteration.scalars);
    let control = move |context: &Context<'_>| {
        let bounds = Bounds { watched: watched.clone(), convex, iterations };
        match context.options.precision {
            Precision::Single => stated_control::<f32>(context, schedules.clone(), bounds),
            Precision::Double => stated_control::<f64>(context, schedules.clone(), bounds),
        }
    };
    Built { iteration, control: Box::new(control), most: None }
}

/// What the options say of the automatic rule.
fn rule(settings: &Settings, problem: &Problem) -> Rule {
    Rule {
        alpha: settings.stated("alpha").cloned(),
        beta: settings.stated("beta").cloned(),
        eta: settings.stated("eta").cloned(),
        gamma: settings.get("gamma").value.is_some().then(|| settings.number("gamma")),
        c: settings.stated("c").map(|_| penalty(settings)),
        passes: settings.integer("passes"),
        window: settings.integer("window"),
        momentum: settings.word("momentum") == "nesterov",
        diagonal: settings.word("metric") == "diagonal",
        convex: problem.lower_is_convex(),
        method: MEHA.name,
        squared: false,
        barrier: None,
        rows: None,
        iterations: settings.integer("max_iter"),
        tolerance: settings.number("tol"),
        names: NAMES,
        widths: Vec::new(),
    }
}

fn modulus(context: &Context<'_>) -> Result<TermModulus, Box<Diagnostic>> {
    TermModulus::new(context.problem, context.data, context.options.threads)
}

fn stated_control<T: Scalar>(
    context: &Context<'_>,
    schedules: Schedules,
    bounds: Bounds,
) -> Result<Box<dyn Control>, Box<Diagnostic>> {
    let Context { problem, data, options } = *context;
    let curvature = PowerIteration::<T>::new(problem, data, options.threads, options.seed, false)?;
    let warnings = outside_of_theory(problem, MEHA.name);
    Ok(Box::new(Stated::new(schedules, bounds, (curvature, modulus(context)?), warnings)))
}

/// `theta+ = prox_{eta g~(x,.)}( theta - eta( f_y(x,theta) + (theta - y)/gamma ) )`, eq. (9)
fn theta_step(p: &mut ProblemGraph<'_>, x: &Block, y: &Block, theta: &Block, s: &Steps) -> Block {
    let f_y = p.gradient(Part::Smooth, LevelId::LOWER, x, theta);
    let from_y = p.difference(theta, y);
    let pull = p.over(&from_y, &s.gamma);
    let d = p.plus(&f_y, &pull);
    let v = p.descend(theta, &s.eta, &d);
    p.prox(&v, &s.eta, x, "theta+")
}

/// `d_x = F_x(x,y)/c_k + f_x(x,y) + g_x(x,y) - f_x(x,theta+) - g_x(x,theta+)`, eq. (10)
fn d_x(p: &mut ProblemGraph<'_>, x: &Block, y: &Block, theta_new: &Block, s: &Steps) -> Direction {
    let big_f_x = p.gradient(Part::Upper, LevelId::UPPER, x, y);
    let mut d = p.over(&big_f_x, &s.c_k);
    for part in [Part::Smooth, Part::Proximal] {
        let here = p.gradient(part, LevelId::UPPER, x, y);
        let there = p.gradient(part, LevelId::UPPER, x, theta_new);
        let slope = p.minus(&here, &there);
        d = p.plus(&d, &slope);
    }
    d
}

/// `x+ = Proj_X( x - alpha d_x )`, eq. (11)
fn x_step(p: &mut ProblemGraph<'_>, x: &Block, y: &Block, theta_new: &Block, alpha: &StepSize, s: &Steps) -> Block {
    let d = d_x(p, x, y, theta_new, s);
    let v = p.descend(x, alpha, &d);
    p.project_upper(&v, "x+")
}

/// `d_y = F_y(x,y)/c_k + f_y(x,y) - (y - theta+)/gamma`, eq. (12)
fn d_y(p: &mut ProblemGraph<'_>, x: &Block, y: &Block, theta_new: &Block, s: &Steps) -> Direction {
    let big_f_y = p.gradient(Part::Upper, LevelId::LOWER, x, y);
    let weighted = p.over(&big_f_y, &s.c_k);
    let f_y = p.gradient(Part::Smooth, LevelId::LOWER, x, y);
    let from_theta = p.difference(y, theta_new);
    let pull = p.over(&from_theta, &s.gamma);
    let d = p.plus(&weighted, &f_y);
    p.minus(&d, &pull)
}

/// `y+ = prox_{beta g~(x+,.)}( y - beta d_y(x+, y) )`, eq. (13): the new x, the old y.
fn y_step(p: &mut ProblemGraph<'_>, x_new: &Block, y: &Block, theta_new: &Block, s: &Steps) -> Block {
    let d = d_y(p, x_new, y, theta_new, s);
    let v = p.descend(y, &s.beta, &d);
    p.prox(&v, &s.beta, x_new, "y+")
}

/// The residual of eq. (15), `R_k = dist(0, dF + c_k (df + dg - dv_gamma) + N)`, with theta+ for the envelope's
/// minimiser. The distance to a subdifferential has no closed form for every g, so it is measured by the prox-gradient
/// map with unit step of `F/c_k + phi - v_gamma`, times c_k; without g and bounds that is eq. (15) itself.
/// Its x-part estimates the norm of the hypergradient (Lemma A.13) and is the upper residual.
/// The gap is `phi(x,y) - v_gamma(x,y)`, the envelope taken at theta+ (so at most the true gap).
fn report(p: &mut ProblemGraph<'_>, x: &Block, y: &Block, theta_new: &Block, s: &Steps) -> ReportFormula {
    let one = StepSize::from(p.graph.constant(1.0));
    let dx = d_x(p, x, y, theta_new, s);
    let v = p.descend(x, &one, &dx);
    let x_moved = p.project_upper(&v, "x - d_x");
    let dx = p.difference(x, &x_moved);
    let dy = d_y(p, x, y, theta_new, s);
    let v = p.descend(y, &one, &dy);
    let y_moved = p.prox(&v, &one, x, "y - d_y");
    let dy = p.difference(y, &y_moved);
    let (x_squares, y_squares) = (p.norm_squared(&dx), p.norm_squared(&dy));
    let squares = p.graph.add(x_squares, y_squares);
    let scaled = |p: &mut ProblemGraph<'_>, squares| {
        let norm = p.graph.elementwise(elementwise::SQRT, &[squares]);
        p.graph.mul(s.c_k.number, norm)
    };
    let upper_residual = scaled(p, x_squares);
    let method_residual = scaled(p, squares);

    let [f, g] = [Part::Smooth, Part::Proximal].map(|part| p.value(part, x, y));
    let phi = p.graph.add(f, g);
    let (f_theta, g_theta) = (p.value(Part::Smooth, x, theta_new), p.value(Part::Proximal, x, theta_new));
    let phi_theta = p.graph.add(f_theta, g_theta);
    let from_theta = p.difference(y, theta_new);
    let scaled = p.over(&from_theta, &s.gamma);
    let product = p.dot(&from_theta, &scaled);
    let distance = p.graph.scale(0.5, product);
    let envelope = p.graph.add(phi_theta, distance);
    let gap = p.graph.sub(phi, envelope);

    let own = Stationarity { upper: Some(upper_residual), method: Some(method_residual), gap: Some(gap) };
    report::standard(p, x, y, own)
}

/// `c_k = c (k+1)^p` with k from 0, which is `c k^p` with k from 1; or c's own schedule.
fn penalty(settings: &Settings) -> Schedule {
    settings.schedule("c").growing(settings.number("p"))
}

#[cfg(test)]
mod tests {
    use blo_engine::oracle::{self, Tensor, Value as Input};

    use crate::fixture::{LASSO, MERELY_CONVEX, data, problem, solved};
    use crate::iteration::report::Report;
    use crate::options::request::Request;
    use crate::pipeline::{plan, prepare};

    /// One step of Algorithm 1 on eq. (20) with n = 2, written out by hand.
    fn by_hand(x: [f64; 2], y: [f64; 2], theta: [f64; 2], s: [f64; 5]) -> [[f64; 2]; 3] {
        let [alpha, beta, eta, gamma, c] = s;
        let v = [0.5, -0.5];
        let soft = |u: f64, t: f64| u - u.clamp(-t, t);
        let mut next = [[0.0; 2]; 3];
        for i in 0..2 {
            let new_theta = soft(theta[i] - eta * ((theta[i] - v[i]) + (theta[i] - y[i]) / gamma), eta * x[i]);
            let new_x = (x[i] - alpha * (y[i].abs() - new_theta.abs())).clamp(0.0, 1.0);
            let d_y = 1.0 / c + (y[i] - v[i]) - (y[i] - new_theta) / gamma;
            let new_y = soft(y[i] - beta * d_y, beta * new_x);
            (next[0][i], next[1][i], next[2][i]) = (new_x, new_y, new_theta);
        }
        next
    }

    #[test]
    fn one_step_is_algorithm_1() {
        let problem = problem(LASSO);
        let iteration = prepare(&problem, &Request::new("meha:paper")).unwrap().built.iteration;
        let (x, y, theta, s) = ([0.4, 0.7], [0.3, -0.9], [0.2, 0.8], [0.3, 0.2, 0.15, 2.0, 5.0]);
        let array = |v: [f64; 2]| Input::Real(Tensor::new(vec![2], v.to_vec()));
        let mut inputs = vec![array(x), array(y), array(theta)];
        inputs.extend(s.map(|v| Input::Real(Tensor::scalar(v))));
        let found = oracle::evaluate::<f64>(iteration.last().function().unwrap(), &data(&problem).sizes, &inputs);
        for (found, wanted) in found.iter().zip(by_hand(x, y, theta, s)) {
            assert!(found.values.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-15), "{found:?} {wanted:?}");
        }
    }

    #[test]
    fn the_residual_vanishes_at_a_stationary_point_of_the_penalty() {
        // min (x - 1)^2 + c (f - v) with f = (y - x)^2/2: at x = y = theta = 1 everything is stationary.
        let text = "upper { var x  minimize (x - 1)^2 }  lower { var y  minimize (y - x)^2/2 }
            method meha { alpha = 0.1;  beta = 0.1;  eta = 0.2;  gamma = 1;  c = 3;  p = 0 }";
        let problem = problem(text);
        let iteration = prepare(&problem, &Request::new("meha")).unwrap().built.iteration;
        let report = |x: f64, y: f64| {
            let inputs = [x, y, y, 0.1, 0.1, 0.5, 1.0, 3.0].map(|v| Input::Real(Tensor::scalar(v)));
            let formula = &iteration.report;
            let outputs = oracle::evaluate::<f64>(&formula.function, &data(&problem).sizes, &inputs);
            formula.read(|i| outputs[i].values[0])
        };
        let zero = Some(0.0);
        let stationary = Report { upper_residual: zero, method_residual: zero, gap: zero, ..Report::default() };
        assert_eq!(report(1.0, 1.0), stationary);
        // x = 1, y = 3, eta = 1/2: theta+ = 3 - ((3 - 1) + 0)/2 = 2, the minimiser, so the residual is exact:
        // R_x = c (f_x(y) - f_x(theta)) = 3 (-2 + 1), R_y = c (f_y - (y - theta)/gamma) = 3 (2 - 1).
        let r = report(1.0, 3.0);
        assert_eq!((r.upper, r.smooth, r.regularizer), (0.0, 2.0, 0.0));
        assert_eq!((r.lower_residual, r.upper_residual, r.upper_slope), (2.0, Some(3.0), 0.0));
        assert!((r.method_residual.unwrap() - 18f64.sqrt()).abs() < 1e-15);
        // v_gamma = 1/2 + 1/2.
        assert_eq!(r.gap, Some(1.0));
    }

    #[test]
    fn nodes_carry_the_papers_names() {
        let problem = problem(MERELY_CONVEX);
        let iteration = prepare(&problem, &Request::new("meha:tuned")).unwrap().built.iteration;
        let g = iteration.last().function().unwrap().graph();
        let labels: Vec<&str> = g.ids().filter_map(|id| g.label_of(id)).collect();
        for wanted in ["theta.y1", "f_y1(x, theta)", "F_x(x, y)", "F_y2(x+, y)", "theta+.y2", "x+", "y+.y1"] {
            assert!(labels.contains(&wanted), "{wanted} among {labels:?}");
        }
        let lasso = problem_plan(LASSO);
        assert!(lasso.contains("= prox_{eta g(x, .)}: ") && lasso.contains("= Proj_X: "), "{lasso}");
    }

    fn problem_plan(text: &str) -> String {
        let problem = problem(text);
        plan(&problem, &data(&problem).sizes, &Request::new("meha:paper")).unwrap()[0].to_string()
    }

    /// Reference: an independent implementation of Algorithm 1, from 0; iterations at which the error of x first is at
    /// most 1e-3 and stays there.
    #[test]
    fn eq_18_is_solved_in_the_reference_iterations() {
        let after = |preset: &str, k: u64| {
            let request = Request::new(&format!("meha:{preset}")).set("max_iter", k.to_string());
            solved(MERELY_CONVEX, &request).error("x").unwrap().err
        };
        assert!(after("tuned", 53) > 1e-3 && after("tuned", 54) <= 1e-3);
        assert!(after("tuned", 107) > 1e-3 && (108..=150).all(|k| after("tuned", k) <= 1e-3));
        assert!(after("slow", 634) > 1e-3 && after("slow", 635) <= 1e-3);
        let s = solved(MERELY_CONVEX, &Request::new("meha:tuned").set("max_iter", "54"));
        assert!(["x", "y1", "y2"].iter().all(|v| s.error(v).unwrap().err <= 1e-3));
    }

    /// Reference: an independent implementation. The bad constants are the paper's.
    #[test]
    fn eq_77_and_eq_19_follow_the_reference() {
        let eq_77 = "param n = 10  upper { var x[n]  minimize 1/2*normsq(x - 1) + 1/2*normsq(y) }
            lower { var y[n]  minimize 1/2*normsq(y) - x'*y }  known { x = fill(1/2, n)  y = fill(1/2, n) }
            method meha paper { alpha = 1.5;  beta = 0.8;  eta = 0.8;  gamma = 10;  c = 33.3 }
            method meha tuned { alpha = 1.66;  beta = 0.315;  eta = 0.288;  gamma = 5.05;  c = 11.2;  p = 0.48 }";
        let solves_at = |preset: &str, k: u64| {
            let err = |k: u64| {
                let request = Request::new(&format!("meha:{preset}")).set("max_iter", k.to_string());
                solved(eq_77, &request).error("x").unwrap().err
            };
            err(k - 1) > 1e-3 && err(k) <= 1e-3
        };
        assert!(solves_at("tuned", 38) && solves_at("paper", 1679));
        let eq_19 = "upper { var x  minimize (x - 2)^2 + (y - 4)^2 }  lower { var y  minimize sin(x + y - 2) }
            start { x = -6 }
            method meha paper { alpha = 5e-4;  beta = 5e-4;  eta = 1e-3;  gamma = 200;  c = 0.02 }
            method meha tuned { alpha = 0.05;  beta = 0.05;  eta = 0.05;  gamma = 0.3;  c = 1 }";
        let x = |preset: &str, k: &str| {
            let request = Request::new(&format!("meha:{preset}")).set("max_iter", k).set("tol", "0");
            solved(eq_19, &request).variable("x").unwrap().values[0]
        };
        for (preset, k, wanted) in [("paper", "800", 1.798), ("paper", "20000", 2.267), ("tuned", "800", 2.302)] {
            assert!((x(preset, k) - wanted).abs() < 5e-4, "{preset} {k}");
        }
    }

    #[test]
    fn prox_and_box_on_eq_20() {
        let s = solved(LASSO, &Request::new("meha:better").set("max_iter", "20000"));
        let y = &s.variable("y").unwrap().values;
        assert!(y[0] == 0.0 && (y[1] + 0.508).abs() < 0.02, "{y:?}");
        assert!(s.error("x").unwrap().err < 1e-12, "{:?}", s.variable("x"));
    }
}
