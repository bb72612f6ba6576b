//! BOME: the value function as a constraint, whose multiplier is found in closed form.
//! Bo Liu, Mao Ye, Stephen Wright, Peter Stone, Qiang Liu, NeurIPS 2022, Algorithm 1.
//! With `q = f(x, y) - f(x, yh)`, yh taken as constant, it goes along the direction nearest to that of F along which q
//! falls at least as fast as the barrier says. Sets of the upper level are projected onto, which the paper leaves out.
//!
//! Without a stated `xi` the same direction runs under the control of `method/continuation`. While x rests, y settles at
//! `F_y + lambda f_y = 0`, where the formula of the barrier gives lambda + eta: so the multiplier is taken there, at each
//! move of x, and does not fall. In between it rests; taken in every iteration it would fall to eta whenever x has moved,
//! and y would leave the lower solution. yh goes on from its last value, since x is the same.

use blo_engine::calculus::Assumption;
use blo_engine::elementwise;
use blo_engine::graph::NodeId;
use blo_engine::model::problem::{LevelId, Problem};

use super::gap;
use crate::formula::problem_graph::{Block, Direction, Part, ProblemGraph, StartsAt};
use crate::formula::report::{self, Stationarity};
use crate::formula::step_size::StepSize;
use crate::iteration::{Built, Clock, Repeat, Stage};
use crate::method::batches::BatchUse;
use crate::method::by_role::by_role;
use crate::method::continuation::graph::Settling;
use crate::method::continuation::{Barrier, Names, Rule, WeightName};
use crate::method::{Method, Unfit};
use crate::options::entry::{Kind, MANY_ITERATIONS, MethodEntry, Range, StepOf, option};
use crate::options::schedule::Schedule;
use crate::options::settings::Settings;
use crate::options::value::Value;

/// The entry.
pub(in crate::method) static BOME: MethodEntry = MethodEntry {
    name: "bome",
    doc: "first-order value function method with a dynamic barrier",
    citation: "Liu, Ye, Wright, Stone, Liu, NeurIPS 2022, Alg. 1",
    formula: &[
        "yh = T steps yh - s_l f_y(x, yh) from y;  dq = (f_x(x, y) - f_x(x, yh), f_y(x, y))",
        "lambda = max( (phi - <dF, dq>)/(|dq|^2 + 1e-8), 0 ),  phi = eta |dq|^2 or eta (f(x, y) - f(x, yh))",
        "x+ = Proj_X( x - xi (F_x + lambda dq_x) ),  y+ = y - xi (F_y + lambda dq_y)",
    ],
    requires: &[Assumption::Smooth],
    options: &[
        option("T", "T", Kind::Integer(1), Some("10"), "lower-level steps per iteration"),
        option("s_l", "alpha", Kind::Schedule(Range::Positive), None, "step of the lower-level steps")
            .steps(StepOf::Lower),
        option("eta", "eta", Kind::Schedule(Range::Positive), None, "strength of the barrier; 0.5 with a stated xi"),
        option("xi", "xi", Kind::Schedule(Range::Positive), None, "step of (x, y)").steps(StepOf::Upper),
        option("control", "phi", Kind::Word(&["gradient", "value"]), Some("gradient"), "barrier eta |dq|^2 or eta q"),
        MANY_ITERATIONS,
    ],
};

/// Options that the control chooses.
const NAMES: Names = Names {
    step_y: None,
    step_companion: Some("s_l"),
    gamma: None,
    penalty: WeightName::Hidden,
    texts: &[("xi", "by curvature in y, by signs in x"), ("eta", "from lambda/15 to lambda")],
};

/// Added to `|dq|^2`, so that lambda is finite where q is stationary (the authors' code).
const ADDED: f64 = 1e-8;

/// The barrier beside a stated step: the authors' value for their toy problem.
const STATED_ETA: f64 = 0.5;

/// The method.
pub(in crate::method) struct Bome;

impl Method for Bome {
    fn complete(&self, settings: &mut Settings) {
        if settings.stated("xi").is_some() {
            settings.choose("eta", Some(Value::Schedule(Schedule::Constant(STATED_ETA))));
        }
    }

    fn unfit(&self, problem: &Problem, _: &Settings) -> Option<Unfit> {
        (!problem.lower_is_smooth()).then_some(Unfit {
            what: "a lower level with a proximal part or a set",
            because: "it measures the lower level by its gradient, which does not vanish at a solution there",
        })
    }

    fn batches(&self, _: &Problem) -> BatchUse {
        BatchUse::Stated(&["xi"])
    }

    fn build(&self, p: ProblemGraph<'_>, settings: &Settings) -> Built {
        match settings.stated("xi").cloned() {
            Some(xi) => stated(p, settings, xi),
            None => automatic(p, settings),
        }
    }
}

/// True where the barrier is on the value of q, not on its slope.
fn is_on_value(settings: &Settings) -> bool {
    settings.word("control") == "value"
}

/// Algorithm 1 as it is printed.
fn stated(mut p: ProblemGraph<'_>, settings: &Settings, xi: Schedule) -> Built {
    let (x, y) = (p.x(), p.y());
    let yh = p.state("yh", LevelId::LOWER, StartsAt::Variables);
    let s_l = p.lower_step("s_l", settings.stated("s_l").cloned());
    let eta = p.number("eta", Some(settings.schedule("eta").clone()), Clock::Iteration);
    let xi = StepSize::from(p.number("xi", Some(xi), Clock::Iteration));

    let next = gap::lower_step(&mut p, &x, &yh, &s_l.into(), "yh+");
    let begins = yh.nodes.iter().zip(&y.nodes).map(|(yh, y)| (p.part_of(*yh), p.part_of(*y))).collect();
    let repeat = Repeat::Times(settings.integer("T"));
    let inner = Stage { repeat, begins, ..p.stage("lower steps", &[(&yh, &next)], &[]) };
    let direction = BarrierDirection::new(&mut p, [&x, &y, &yh], eta, is_on_value(settings));
    let moved = p.descend(&x, &xi, &direction.x);
    let x_new = p.project_upper(&moved, "x+");
    let y_new = Block { name: "y+".to_string(), nodes: p.descend(&y, &xi, &direction.y) };
    let outer = p.stage("bome", &[(&x, &x_new), (&y, &y_new)], &[]);
    p.look_at_all_rows();
    let direction = BarrierDirection::new(&mut p, [&x, &y, &yh], eta, is_on_value(settings));
    let own = stationarity(&mut p, &x, &direction);
    let report = report::standard(&mut p, &x, &y, own);

    let found = settings.stated("s_l").is_none().then_some("s_l");
    let end = p.positions(&yh);
    let iteration = p.iteration(vec![inner, outer], report);
    let control = by_role(&iteration, end, found);
    Built { iteration, control, most: None }
}

/// `dF + lambda dq`.
struct BarrierDirection {
    x: Direction,
    y: Direction,
    q: NodeId,
}

impl BarrierDirection {
    /// At (x, y), with yh for the lower solution.
    fn new(p: &mut ProblemGraph<'_>, [x, y, yh]: [&Block; 3], eta: NodeId, on_value: bool) -> BarrierDirection {
        let big_f = [LevelId::UPPER, LevelId::LOWER].map(|level| p.gradient(Part::Upper, level, x, y));
        let f_x = p.gradient(Part::Smooth, LevelId::UPPER, x, y);
        let f_x_there = p.gradient(Part::Smooth, LevelId::UPPER, x, yh);
        let dq = [p.minus(&f_x, &f_x_there), p.gradient(Part::Smooth, LevelId::LOWER, x, y)];
        let q = value_gap(p, x, y, yh);

        let both = |p: &mut ProblemGraph<'_>, a: &[Direction; 2], b: &[Direction; 2]| {
            let (in_x, in_y) = (p.dot(&a[0], &b[0]), p.dot(&a[1], &b[1]));
            p.graph.add(in_x, in_y)
        };
        let (squares, along) = (both(p, &dq, &dq), both(p, &big_f, &dq));
        let phi = p.graph.mul(eta, if on_value { q } else { squares });
        let missing = p.graph.sub(phi, along);
        let added = p.graph.constant(ADDED);
        let size = p.graph.add(squares, added);
        let lambda = p.graph.div(missing, size);
        let zero = p.graph.constant(0.0);
        let lambda = p.graph.elementwise(elementwise::MAX, &[lambda, zero]);
        p.graph.label(lambda, "lambda");
        let [x, y] = std::array::from_fn(|i| {
            let weighted = p.times(&dq[i], lambda);
            p.plus(&big_f[i], &weighted)
        });
        BarrierDirection { x, y, q }
    }
}

/// `q = f(x, y) - f(x, yh)`
fn value_gap(p: &mut ProblemGraph<'_>, x: &Block, y: &Block, yh: &Block) -> NodeId {
    let (f, f_there) = (p.value(Part::Smooth, x, y), p.value(Part::Smooth, x, yh));
    p.graph.sub(f, f_there)
}

/// The length of the projected direction, that of its part in x, and q as the gap.
fn stationarity(p: &mut ProblemGraph<'_>, x: &Block, direction: &BarrierDirection) -> Stationarity {
    let one = StepSize::from(p.graph.constant(1.0));
    let moved = p.descend(x, &one, &direction.x);
    let moved = p.project_upper(&moved, "x - d_x");
    let of_x = p.difference(x, &moved);
    let (x_squares, y_squares) = (p.norm_squared(&of_x), p.norm_squared(&direction.y));
    let both = p.graph.add(x_squares, y_squares);
    let [upper, method] = [x_squares, both].map(|s| Some(p.graph.elementwise(elementwise::SQRT, &[s])));
    Stationarity { upper, method, gap: Some(direction.q) }
}

/// The same direction under the control of a continuation, whose penalty is the multiplier of the barrier.
fn automatic(p: ProblemGraph<'_>, settings: &Settings) -> Built {
    let rule = Rule::automatic(settings, p.problem(), NAMES);
    let barrier = Some(Barrier { eta: settings.stated("eta").cloned() });
    let rule = Rule { eta: settings.stated("s_l").cloned(), barrier, ..rule };
    super::settled(p, settings, "bome", rule, |p, now| multiplier(p, now, is_on_value(settings)).to_vec())
}

/// At fixed x, `lambda = -<F_y, f_y>/|f_y|^2 + eta phi/|f_y|^2` in the metric of y: both fractions.
fn multiplier(p: &mut ProblemGraph<'_>, now: &Settling, on_value: bool) -> [NodeId; 2] {
    let Settling { x, y, companion: yh, .. } = now;
    let [upper, lower] = [Part::Upper, Part::Smooth].map(|part| p.gradient(part, LevelId::LOWER, x, y));
    let scaled = p.scaled(&lower, now.metric_y());
    let (along, squares) = (p.dot(&upper, &scaled), p.dot(&lower, &scaled));
    let rest = p.graph.elementwise(elementwise::SAFE_DIV, &[along, squares]);
    let shape = match on_value {
        true => {
            let q = value_gap(p, x, y, yh);
            p.graph.elementwise(elementwise::SAFE_DIV, &[q, squares])
        }
        false => p.graph.constant(1.0),
    };
    [p.graph.neg(rest), shape]
}

#[cfg(test)]
mod tests {
    use crate::fixture::{MERELY_CONVEX, data, polished, problem, solved};
    use crate::options::request::Request;
    use crate::pipeline::{plan, prepare};
    use crate::solution::Solution;

    /// BDA eq. (5), from (3, (3, 3)).
    const COUNTER_EXAMPLE: &str = "
        upper { var x in [-100, 100]   minimize 1/2*(x - y[2])^2 + 1/2*(y[1] - 1)^2 }
        lower { var y[2]   minimize 1/2*y[1]^2 - x*y[1] }
        start { x = 3;  y = 3 }
        known { x = 1;  y = 1 }
        method bome { s_l = 0.5;  xi = 0.5;  eta = 0.5;  T = 10 }";

    fn largest_error(s: &Solution) -> f64 {
        let of = |name: &str| s.variable(name).unwrap().values.iter().map(|v| (v - 1.0).abs()).fold(0.0, f64::max);
        of("x").max(of("y"))
    }

    #[test]
    fn the_counter_example_takes_52_iterations() {
        let error = |k: u64| {
            let request = Request::new("bome").set("max_iter", k.to_string()).set("tol", "0");
            largest_error(&solved(COUNTER_EXAMPLE, &request))
        };
        assert!(error(51) >= 1e-3 && error(52) < 1e-3, "{} {}", error(51), error(52));
    }

    #[test]
    fn automatic_steps_solve_what_stated_ones_do() {
        let s = polished(COUNTER_EXAMPLE, &Request::new("bome:auto"));
        assert!(largest_error(&s) < 1e-5, "{:?}", s.residuals);
        let s = polished(MERELY_CONVEX, &Request::new("bome:auto"));
        assert!(s.error("x").unwrap().err < 1e-2, "{:?}", s.errors);
    }

    #[test]
    fn a_thousand_inner_steps_make_no_longer_graph() {
        let problem = problem(COUNTER_EXAMPLE);
        let sizes = data(&problem).sizes;
        let lines = |steps: &str| {
            let plans = plan(&problem, &sizes, &Request::new("bome").set("T", steps)).unwrap();
            plans.iter().map(|p| p.lines.len()).collect::<Vec<_>>()
        };
        assert_eq!(lines("10"), lines("1000"));
        let s = solved(COUNTER_EXAMPLE, &Request::new("bome").set("T", "1000").set("max_iter", "3"));
        // 1000 gradients in y below, and 4 in x and y above, of which F_y, f_x and f_y are partial gradients.
        assert_eq!(s.counts.grad_lower, 3 * (1000 + 3));
    }

    #[test]
    fn the_barrier_may_be_on_the_value() {
        let s = solved(COUNTER_EXAMPLE, &Request::new("bome").set("control", "value").set("max_iter", "500"));
        assert!(largest_error(&s) < 1e-2, "{:?}", s.variable("y"));
    }

    /// The multiplier rises by eta at each move of x, whichever barrier it is, and the bias of the end is its inverse.
    #[test]
    fn without_a_stated_step_both_barriers_end_nearer_with_a_stronger_one() {
        let text = "upper { var x  minimize 1/2*(x - 1)^2 + 1/2*y^2 }  lower { var y  minimize 1/2*y^2 - x*y }";
        let error = |control: &str, eta: &str| {
            let request = Request::new("bome").set("control", control).set("eta", eta).set("max_iter", "400");
            (solved(text, &request).variable("x").unwrap().values[0] - 0.5).abs()
        };
        for control in ["gradient", "value"] {
            let (weak, strong) = (error(control, "1e-4"), error(control, "10"));
            assert!(strong < 0.1 * weak && strong < 1e-2, "{control}: {weak:e} {strong:e}");
        }
    }

    #[test]
    fn a_proximal_part_is_refused_with_methods_that_take_it() {
        let text = "upper { var x >= 0  minimize (y - 1)^2 }  lower { var y  minimize (y - 2)^2  regularize x*abs(y) }";
        let Err(found) = prepare(&problem(text), &Request::new("bome")) else { panic!("it was taken") };
        assert_eq!(found[0].code, "B0617");
        assert!(found[0].help[0].contains("meha") && !found[0].help[0].contains("bome"), "{found:?}");
    }
}
