//! IGJO, iterative gradient-based joint optimization: Jean Feng, Noah Simon, "Gradient-based regularization parameter
//! selection for problems with nonsmooth penalty functions", J. Comput. Graph. Stat. 2018, Algorithm 1.
//!
//! The lower level is solved to the end at every x. Where its nonzero coordinates (or groups) stay nonzero, the solution
//! is a smooth function of x on them, and its derivative solves a linear system: the system of the prox-gradient map
//! that `cg` has too, whose range is these coordinates. A projected step along the hypergradient is shortened until the
//! reduced objective itself, with the lower level solved at the trial, decreases enough (Armijo).
//!
//! With a stated `alpha_x` the search starts there and the step only shrinks, as in the authors' code, where it starts
//! at 1. That length has the units of x and F. Without it the first step moves x a little, and later trials have
//! Barzilai-Borwein length (Birgin, Martinez, Raydan, SIAM J. Optim. 2000).

use blo_engine::calculus::Assumption;
use blo_engine::elementwise;
use blo_engine::graph::{Function, NodeId};
use blo_engine::model::problem::{LevelId, Problem};

mod control;

use control::ArmijoSearch;

use crate::formula::problem_graph::{Block, Direction, ProblemGraph};
use crate::formula::report::{self, Stationarity};
use crate::formula::step_size::StepSize;
use crate::hypergradient::{self, Derivatives};
use crate::iteration::control::Control;
use crate::iteration::{Built, Clock, Context};
use crate::lower::dynamics;
use crate::method::{Method, Unfit};
use crate::options::entry::{Kind, MethodEntry, Range, option};
use crate::options::settings::Settings;

/// Implicit gradients with a line search.
pub(in crate::method) static IGJO: MethodEntry = MethodEntry {
    name: "igjo",
    doc: "implicit differentiation on the nonzero lower coordinates with an Armijo search",
    citation: "Feng, Simon, J. Comput. Graph. Stat. 2018",
    formula: &[
        "y = argmin f(x, .) + g(x, .), solved to the end;  I: its nonzero coordinates",
        "G = F_x - phi_xy q,  phi_yy q = F_y on I",
        "x+ = max( Proj_X(x - t G), floor ),  t shrunk until F(x+, y(x+)) <= F(x, y) + armijo <G, x+ - x>",
    ],
    requires: &[Assumption::Smooth, Assumption::StronglyConvex],
    options: &[
        option(
            "alpha_x",
            "t",
            Kind::Number(Range::Positive),
            None,
            "first step, which only shrinks (1 in the authors' code); automatic also lengthens it",
        ),
        option("armijo", "", Kind::Number(Range::Unit), Some("1e-3"), "sufficient decrease"),
        option("shrink", "", Kind::Number(Range::Unit), Some("0.1"), "step reduction"),
        option(
            "floor",
            "",
            Kind::Number(Range::NonNegative),
            Some("1e-6"),
            "smallest value of upper entries that are bounded by 0 or more",
        ),
        option(
            "decrease",
            "",
            Kind::Number(Range::NonNegative),
            None,
            "stop below this decrease (5e-8 in the authors' code)",
        ),
        option(
            "init",
            "",
            Kind::Number(Range::Positive),
            Some("1e-2"),
            "first value of such entries where the file starts below the floor, as without a `start`",
        ),
    ],
};

/// The method.
pub(in crate::method) struct Igjo;

/// Its options.
#[derive(Clone, Copy, Debug)]
struct IgjoOptions {
    step: Option<f64>,
    armijo: f64,
    shrink: f64,
    floor: f64,
    decrease: Option<f64>,
    init: f64,
}

impl IgjoOptions {
    fn of(settings: &Settings) -> IgjoOptions {
        let stated = |name: &str| settings.get(name).value.is_some().then(|| settings.number(name));
        IgjoOptions {
            step: stated("alpha_x"),
            armijo: settings.number("armijo"),
            shrink: settings.number("shrink"),
            floor: settings.number("floor"),
            decrease: stated("decrease"),
            init: settings.number("init"),
        }
    }
}

/// Where the control finds what it reads and writes: positions among the inputs.
#[derive(Clone, Debug)]
struct IgjoInputs {
    upper: Vec<usize>,
    lower: Vec<usize>,
    slope: Vec<usize>,
    floor: Vec<usize>,
    /// The parts of x in the state.
    parts: Vec<usize>,
}

impl Method for Igjo {
    fn unfit(&self, problem: &Problem, _: &Settings) -> Option<Unfit> {
        problem.upper().variables.is_empty().then_some(Unfit {
            what: "an upper level without variables",
            because: "its lower solves do not contain the upper objective, which then has no influence",
        })
    }

    fn programs(&self, problem: &Problem, _: &Settings) -> Vec<Function> {
        let lower = dynamics::by_name("gradient").on(problem);
        hypergradient::by_name::<f64>("cg").programs(problem, &lower)
    }

    fn second_derivatives(&self, _: &Problem, _: &Settings) -> Derivatives {
        Derivatives::System
    }

    fn build(&self, mut p: ProblemGraph<'_>, settings: &Settings) -> Built {
        let choice = IgjoOptions::of(settings);
        let (x, y) = (p.x(), p.y());
        let (slope, floor) = (p.parameter("G", LevelId::UPPER), p.parameter("floor", LevelId::UPPER));
        let t = p.number("t", None, Clock::Iteration);
        let x_new = step(&mut p, &x, &slope, t, &floor, "x+");
        let one = p.graph.constant(1.0);
        let unit = step(&mut p, &x, &slope, one, &floor, "x - G");
        let away = p.difference(&x, &unit);
        let residual = p.norm_squared(&away);
        let moved = p.difference(&x_new, &x);
        let signals = [residual, p.dot(&direction(&slope), &moved), p.norm_squared(&moved)];
        let stage = p.stage("igjo", &[(&x, &x_new), (&y, &y)], &signals);
        let length = Some(p.graph.elementwise(elementwise::SQRT, &[residual]));
        let report = report::standard(&mut p, &x, &y, Stationarity { upper: length, method: length, gap: None });
        let layout = IgjoInputs {
            upper: p.positions(&x),
            lower: p.positions(&y),
            slope: p.positions(&slope),
            floor: p.positions(&floor),
            parts: x.nodes.iter().map(|node| p.part_of(*node)).collect(),
        };
        let control = move |context: &Context<'_>| {
            Ok(Box::new(ArmijoSearch::new(context, choice, layout.clone())?) as Box<dyn Control>)
        };
        Built { iteration: p.iteration(vec![stage], report), control: Box::new(control), most: None }
    }
}

/// `max( Proj_X(x - t G), floor )`, the projection onto the part of X above the floor, which only boxes have.
fn step(p: &mut ProblemGraph<'_>, x: &Block, slope: &Block, t: NodeId, floor: &Block, name: &str) -> Block {
    let moved = p.descend(x, &StepSize::from(t), &direction(slope));
    let inside = p.project_upper(&moved, name);
    let pairs = inside.nodes.iter().zip(&floor.nodes);
    let nodes = pairs.map(|(x, floor)| p.graph.elementwise(elementwise::MAX, &[*x, *floor])).collect();
    Block { name: name.to_string(), nodes }
}

fn direction(block: &Block) -> Direction {
    block.nodes.iter().map(|node| Some(*node)).collect()
}

#[cfg(test)]
mod tests {
    use crate::fixture::{problem, solved};
    use crate::options::request::Request;
    use crate::pipeline::prepare;
    use crate::solution::{Solution, Status};

    /// `y = soft(b, x)`.
    const LASSO: &str = "let b = [3, -2, 0.5, 0.1]  let c = [2.2, -1.6, -0.2, -0.3]
        upper { var x >= 0  minimize 1/2*normsq(y - c) }
        lower { var y[4]  minimize 1/2*normsq(y - b)  regularize x*norm1(y) }";

    /// `y_g = max(1 - x_g/|b_g|, 0) b_g`: with `<b_g, c_g> = s |b_g|^2` the best x_g is `(1 - s) |b_g|`, here 2 and 1, and
    /// any from 5 in the third group, whose s is negative.
    const GROUPS: &str = "let G = blocks(1..6, 3)
        let b = [3, 4, 0, 2, 3, 4]  let c = [1.8 + 4, 2.4 - 3, 7, 1, -1, -1]
        upper { var x[3] >= 0  minimize 1/2*normsq(y - c) }
        lower { var y[6]  minimize 1/2*normsq(y - b)  regularize sum(x[j]*norm2(y[G[j]]) for j in 1..3) }";

    /// `y = b/(1 + x)`, best at `1 + x = |b|^2/<b, c>`.
    const RIDGE: &str = "let b = [3, -2]  let c = [1, -1]
        upper { var x >= 0  minimize 1/2*normsq(y - c) }
        lower { var y[2]  minimize 1/2*normsq(y - b) + x/2*normsq(y) }";

    fn published() -> Request {
        Request::new("igjo").set("alpha_x", "1").set("decrease", "5e-8")
    }

    fn x(s: &Solution) -> &[f64] {
        &s.variable("x").unwrap().values
    }

    fn lasso_value(x: f64) -> f64 {
        let pairs = [(3.0, 2.2), (-2.0, -1.6), (0.5, -0.2), (0.1, -0.3)];
        let each = pairs.map(|(b, c): (f64, f64)| 0.5 * (b.signum() * (b.abs() - x).max(0.0) - c).powi(2));
        each.iter().sum()
    }

    #[test]
    fn the_weight_of_an_orthogonal_lasso_is_the_best_of_a_fine_scan() {
        let scan = (0..=400_000).map(|i| f64::from(i) * 1e-5);
        let best = scan.min_by(|a, b| lasso_value(*a).total_cmp(&lasso_value(*b))).unwrap();
        for request in [published(), Request::new("igjo")] {
            let s = solved(LASSO, &request);
            assert!((x(&s)[0] - best).abs() < 1e-3, "{best} {:?} {:?}", x(&s), s.status);
            assert!((s.upper.objective - lasso_value(x(&s)[0])).abs() < 1e-9);
            assert!(s.upper.objective <= lasso_value(best) + 1e-6);
        }
    }

    #[test]
    fn the_weight_of_a_ridge_is_the_closed_form() {
        for (request, error) in [(published(), 1e-2), (Request::new("igjo"), 1e-5)] {
            let s = solved(RIDGE, &request);
            assert!((x(&s)[0] - (13.0 / 5.0 - 1.0)).abs() < error, "{:?} {:?}", x(&s), s.status);
        }
    }

    #[test]
    fn groups_get_their_own_weights() {
        for (request, error) in [(published(), 1e-2), (Request::new("igjo"), 1e-4)] {
            let s = solved(GROUPS, &request);
            let [first, second, third] = x(&s) else { panic!("three groups") };
            let near = (first - 2.0).abs() < error && (second - 1.0).abs() < error && *third >= 5.0 - error;
            assert!(near, "{:?} {:?}", x(&s), s.status);
        }
    }

    #[test]
    fn a_run_ends_below_the_stated_decrease_and_not_before() {
        let coarse = solved(RIDGE, &published().set("decrease", "1e-2"));
        let fine = solved(RIDGE, &published());
        assert!(coarse.iterations < fine.iterations, "{} {}", coarse.iterations, fine.iterations);
        let uppers: Vec<f64> = fine.rows.iter().map(|row| row.upper).collect();
        assert!(uppers.is_sorted_by(|a, b| a >= b), "{uppers:?}");
        assert!(fine.upper.objective < coarse.upper.objective);
        assert_ne!(coarse.status, Status::Converged, "a small decrease alone is no stationary point");
    }

    #[test]
    fn steps_are_those_of_the_search() {
        // from 0.01: y = b/1.01, G = -<y - c, b>/1.01^2
        let s = solved(RIDGE, &published().set("max_iter", "1"));
        let y = [3.0 / 1.01, -2.0 / 1.01];
        let slope = -((y[0] - 1.0) * 3.0 - (y[1] + 1.0) * 2.0) / (1.01f64 * 1.01);
        let value = |x: f64| 0.5 * ((3.0 / (1.0 + x) - 1.0f64).powi(2) + (1.0 - 2.0 / (1.0 + x)).powi(2));
        let tried = (0..9).map(|power| f64::powi(0.1, power));
        let step = tried.into_iter().find(|t| value(0.01 - t * slope) <= value(0.01) - 1e-3 * t * slope * slope);
        assert!((x(&s)[0] - (0.01 - step.unwrap() * slope)).abs() < 1e-8, "{:?} {step:?}", x(&s));
    }

    #[test]
    fn a_stated_start_is_used_and_penalties_without_one_begin_at_init() {
        let none = |text: &str, init: &str| {
            let s = solved(text, &published().set("init", init).set("max_iter", "0"));
            x(&s).to_vec()
        };
        assert_eq!(none(RIDGE, "0.25"), [0.25]);
        assert_eq!(none(&format!("{RIDGE} start {{ x = 4 }}"), "0.25"), [4.0]);
        // no penalty: it may be negative
        assert_eq!(none(&RIDGE.replace("x >= 0", "x in [-0.5, 9]"), "0.25"), [0.0]);
    }

    #[test]
    fn penalties_stay_above_the_floor() {
        let text = RIDGE.replace("c = [1, -1]", "c = [6, -4]");
        assert_eq!(x(&solved(&text, &published())), [1e-6]);
        assert_eq!(x(&solved(&text, &published().set("floor", "1e-3"))), [1e-3]);
    }

    #[test]
    fn runs_are_deterministic() {
        for text in [LASSO, GROUPS] {
            let (a, b) = (solved(text, &Request::new("igjo")), solved(text, &Request::new("igjo")));
            let uppers = |s: &Solution| s.rows.iter().map(|row| row.upper.to_bits()).collect::<Vec<_>>();
            assert_eq!(uppers(&a), uppers(&b));
            assert_eq!((a.variable("x"), a.variable("y")), (b.variable("x"), b.variable("y")));
        }
    }

    #[test]
    fn an_upper_level_without_variables_is_refused() {
        let text = "upper { minimize normsq(y) }  lower { var y[2]  minimize normsq(y - 1) }";
        let Err(found) = prepare(&problem(text), &Request::new("igjo")) else { panic!("it was taken") };
        assert_eq!(found[0].code, "B0617");
        assert!(found[0].message.starts_with("method igjo cannot take an upper level without variables"));
    }
}
