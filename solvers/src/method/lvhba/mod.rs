//! LV-HBA, the proximal Lagrangian value function based Hessian-free algorithm: single loop, lower levels with affine rows.
//! Wei Yao, Chengming Yu, Shangzhi Zeng, Jin Zhang, ICLR 2024.
//!
//! The value function is that of the saddle problem `min_theta max_lam f(x,theta) + lam'c(x,theta) + |theta - y|^2/(2 gamma1)
//! - |lam - z|^2/(2 gamma2)`; (theta, lam) take a step towards its saddle, (x, y) a projected step along the difference of f
//! and that function, and z follows lam. The projection is on the joint set C of x and y: the sets of the variables, which are
//! boxes, and the rows, which are affine in x and y together, a quadratic program (`projection.rs`).

mod projection;
mod steps;

use blo_engine::calculus::Assumption;
use blo_engine::elementwise;
use blo_engine::graph::NodeId;
use blo_engine::model::problem::{LevelId, Problem};
use blo_grammar::diagnostic::Diagnostic;

use projection::{JointSet, is_affine};
use steps::{Chosen, NumberOf};

use crate::formula::problem_graph::{Block, Direction, Part, ProblemGraph, StartsAt};
use crate::formula::report::{self, Stationarity};
use crate::formula::step_size::StepSize;
use crate::iteration::control::Control;
use crate::iteration::counts::Counts;
use crate::iteration::external::External;
use crate::iteration::report::ReportFormula;
use crate::iteration::{Built, Clock, Context, Repeat, Stage, Work};
use crate::method::growth;
use crate::method::{Method, TakesRows, Unfit};
use crate::options::entry::{Kind, MANY_ITERATIONS, MethodEntry, Range, StepOf, option};
use crate::options::schedule::Schedule;
use crate::options::settings::Settings;

/// The entry.
pub(super) static LVHBA: MethodEntry = MethodEntry {
    name: "lvhba",
    doc: "single-loop, first-order descent on a proximal Lagrangian value function; takes affine rows of the lower level",
    citation: "Yao, Yu, Zeng, Zhang, ICLR 2024",
    formula: &[
        "theta+ = Proj_Y( theta - eta (f_y(x, theta) + c_y(x, theta)'lam + (theta - y)/gamma1) )",
        "lam+ = lam - eta (-c(x, theta) + (lam - z)/gamma2) within [0, r]",
        "d_x = F_x/c_k + f_x(x, y) - f_x(x, theta+) - c_x(x, theta+)'lam+",
        "d_y = F_y/c_k + f_y(x, y) - (y - theta+)/gamma1",
        "(x, y)+ = Proj_C( (x, y) - alpha d );  z+ = z + beta (lam+ - z)/gamma2 within [0, r]",
        "of equality rows lam+ and z+ within [-r, r]",
    ],
    requires: &[Assumption::Smooth, Assumption::Convex],
    options: &[
        option("alpha", "alpha_k", Kind::Schedule(Range::Positive), None, "step of x and y").steps(StepOf::Upper),
        option("beta", "beta_k", Kind::Schedule(Range::Positive), None, "step of z; gamma2/4 by default"),
        option("eta", "eta_k", Kind::Schedule(Range::Positive), None, "step of theta and lam").steps(StepOf::Lower),
        option("gamma1", "gamma_1", Kind::Number(Range::Positive), None, "proximal parameter of theta"),
        option("gamma2", "gamma_2", Kind::Number(Range::Positive), None, "proximal parameter of lam"),
        option("c", "c_k", Kind::Schedule(Range::Positive), Some("1"), "penalty: c_k = c k^p, or a schedule"),
        option("p", "p", Kind::Number(Range::NonNegative), None, "growth of c, below 1/2; 0.3 by default"),
        option("r", "r", Kind::Number(Range::Positive), Some("1e6"), "largest multiplier"),
        MANY_ITERATIONS,
    ],
};

/// Growth of c.
const GROWTH: f64 = 0.3;

/// The method.
pub(super) struct Lvhba;

impl Method for Lvhba {
    fn complete(&self, settings: &mut Settings) {
        growth::choose(settings, GROWTH);
    }

    fn check(&self, settings: &Settings) -> Vec<Diagnostic> {
        growth::stated_twice(settings).into_iter().collect()
    }

    fn unfit(&self, problem: &Problem, _: &Settings) -> Option<Unfit> {
        let boxes = problem.variables().all(|v| v.set.as_ref().is_none_or(|s| s.set.is_box));
        if problem.lower().regularizer.is_some() || !boxes {
            return Some(Unfit {
                what: "a proximal part or a set that is not a box",
                because: "it projects x and y together, by a quadratic program",
            });
        }
        let affine = problem.lower().constraints.iter().all(|c| is_affine(problem, &c.value));
        (!affine).then_some(Unfit {
            what: "a row that is not affine in x and y together",
            because: "it projects x and y on the rows, by a quadratic program",
        })
    }

    fn rows(&self, _: &Problem) -> TakesRows {
        TakesRows { lower: true, ..TakesRows::default() }
    }

    fn build(&self, mut p: ProblemGraph<'_>, settings: &Settings) -> Built {
        let lam = p.multipliers();
        let (x, y) = (p.x(), p.y());
        let z = p.row_state("z");
        let theta = p.state("theta", LevelId::LOWER, StartsAt::Variables);
        let ahead = [
            p.state("x ahead", LevelId::UPPER, StartsAt::Variables),
            p.state("y ahead", LevelId::LOWER, StartsAt::Variables),
        ];
        let c = penalty(settings);
        let mut number = |which: NumberOf| {
            let stated = match which {
                NumberOf::Penalty => Some(c.clone()),
                NumberOf::Gamma1 | NumberOf::Gamma2 => settings
                    .get(which.name())
                    .value
                    .is_some()
                    .then(|| Schedule::Constant(settings.number(which.name()))),
                _ => settings.stated(which.name()).cloned(),
            };
            p.number(which.name(), stated, Clock::Iteration)
        };
        let [alpha, beta, eta, eta_lam, gamma1, gamma2, c_k] = NumberOf::ALL.map(&mut number);
        let r = settings.number("r");
        let s = Steps { eta: eta.into(), eta_lam, gamma1: gamma1.into(), gamma2, c_k: c_k.into(), r };

        let (theta_new, lam_new) = saddle_step(&mut p, (&x, &y), (&theta, &lam), &z, &s);
        let [d_x, d_y] = directions(&mut p, (&x, &y), (&theta_new, &lam_new), &s);
        let alpha = StepSize::from(alpha);
        let x_ahead = Block { name: "x - alpha d_x".to_string(), nodes: p.descend(&x, &alpha, &d_x) };
        let y_ahead = Block { name: "y - alpha d_y".to_string(), nodes: p.descend(&y, &alpha, &d_y) };
        let z_new = z_step(&mut p, (&z, &lam_new), beta, &s);
        let writes =
            [(&theta, &theta_new), (&lam, &lam_new), (&z, &z_new), (&ahead[0], &x_ahead), (&ahead[1], &y_ahead)];
        let steps = p.stage("steps", &writes, &[]);
        let inputs = [p.positions(&ahead[0]), p.positions(&ahead[1])].concat();
        let make =
            move |context: &Context<'_>| Ok(Box::new(JointSet::new(context, inputs.clone())?) as Box<dyn External>);
        let projection = Stage {
            name: "a projection on the rows".to_string(),
            work: Work::External(Box::new(make)),
            repeat: Repeat::Once,
            writes: x.nodes.iter().chain(&y.nodes).map(|n| p.part_of(*n)).collect(),
            begins: Vec::new(),
            counts: Counts::default(),
        };
        let report = report(&mut p, (&x, &y), (&theta, &lam), &s);
        let iteration = p.iteration(vec![steps, projection], report);
        let scalars = iteration.scalars.clone();
        let first_c = c.at(1);
        let control = move |context: &Context<'_>| {
            Ok(Box::new(Chosen::new(context, scalars.clone(), first_c)?) as Box<dyn Control>)
        };
        Built { iteration, control: Box::new(control), most: None }
    }
}

/// The numbers of an iteration, as nodes.
struct Steps {
    eta: StepSize,
    /// The step of lam: eta where that is stated.
    eta_lam: NodeId,
    gamma1: StepSize,
    gamma2: NodeId,
    c_k: StepSize,
    /// The largest multiplier.
    r: f64,
}

/// theta+ and lam+, both from the old pair.
fn saddle_step(
    p: &mut ProblemGraph<'_>,
    (x, y): (&Block, &Block),
    (theta, lam): (&Block, &Block),
    z: &Block,
    s: &Steps,
) -> (Block, Block) {
    let f_y = p.gradient(Part::Smooth, LevelId::LOWER, x, theta);
    let of_rows = p.rows_times(LevelId::LOWER, LevelId::LOWER, (x, theta), &lam.nodes);
    let from_y = p.difference(theta, y);
    let pull = p.over(&from_y, &s.gamma1);
    let d = p.plus(&f_y, &of_rows);
    let d = p.plus(&d, &pull);
    let v = p.descend(theta, &s.eta, &d);
    let theta_new = p.project_lower(&v, "theta+");
    let rows = p.row_values(LevelId::LOWER, x, theta);
    let mut moved = Vec::new();
    for ((lam, z), c) in lam.nodes.iter().zip(&z.nodes).zip(rows) {
        let apart = p.graph.sub(*lam, *z);
        let pull = p.graph.div(apart, s.gamma2);
        let d = p.graph.sub(pull, c);
        let change = p.graph.mul(s.eta_lam, d);
        moved.push(p.graph.sub(*lam, change));
    }
    let nodes = p.multipliers_within(&moved, s.r);
    (theta_new, Block { name: "lam+".to_string(), nodes })
}

/// d_x and d_y.
fn directions(
    p: &mut ProblemGraph<'_>,
    (x, y): (&Block, &Block),
    (theta, lam): (&Block, &Block),
    s: &Steps,
) -> [Direction; 2] {
    let big_f_x = p.gradient(Part::Upper, LevelId::UPPER, x, y);
    let weighted = p.over(&big_f_x, &s.c_k);
    let here = p.gradient(Part::Smooth, LevelId::UPPER, x, y);
    let there = p.gradient(Part::Smooth, LevelId::UPPER, x, theta);
    let of_rows = p.rows_times(LevelId::LOWER, LevelId::UPPER, (x, theta), &lam.nodes);
    let slope = p.minus(&here, &there);
    let slope = p.minus(&slope, &of_rows);
    let d_x = p.plus(&weighted, &slope);
    let big_f_y = p.gradient(Part::Upper, LevelId::LOWER, x, y);
    let weighted = p.over(&big_f_y, &s.c_k);
    let f_y = p.gradient(Part::Smooth, LevelId::LOWER, x, y);
    let from_theta = p.difference(y, theta);
    let pull = p.over(&from_theta, &s.gamma1);
    let d = p.plus(&weighted, &f_y);
    [d_x, p.minus(&d, &pull)]
}

/// `z + beta (lam+ - z)/gamma2`, within its interval.
fn z_step(p: &mut ProblemGraph<'_>, (z, lam): (&Block, &Block), beta: NodeId, s: &Steps) -> Block {
    let mut moved = Vec::new();
    for (z, lam) in z.nodes.iter().zip(&lam.nodes) {
        let apart = p.graph.sub(*lam, *z);
        let slope = p.graph.div(apart, s.gamma2);
        let change = p.graph.mul(beta, slope);
        moved.push(p.graph.add(*z, change));
    }
    Block { name: "z+".to_string(), nodes: p.multipliers_within(&moved, s.r) }
}

/// How far y is from theta: zero where y solves the proximal lower level. Stationarity in x is not measured, since the
/// projection on C is no formula.
fn report(
    p: &mut ProblemGraph<'_>,
    (x, y): (&Block, &Block),
    (theta, _): (&Block, &Block),
    s: &Steps,
) -> ReportFormula {
    let apart = p.difference(y, theta);
    let apart = p.over(&apart, &s.gamma1);
    let squares = p.norm_squared(&apart);
    let method = p.graph.elementwise(elementwise::SQRT, &[squares]);
    report::standard(p, x, y, Stationarity { upper: None, method: Some(method), gap: None })
}

/// `c_k = c k^p` with k from 1, or c's own schedule.
fn penalty(settings: &Settings) -> Schedule {
    settings.schedule("c").growing(settings.number("p"))
}

#[cfg(test)]
mod tests {
    use crate::fixture::solved;
    use crate::options::request::Request;

    /// The linearly constrained test of the paper's experiments: y1 = x + 1, and y2 is free but for its sum, so that
    /// x = -3/10, y1 = 7/10, y2 = -2/5.
    const LLC: &str = "param n = 100
        upper { var x[n]  minimize 1/2*normsq(x - y2) + 1/2*normsq(y1 - 1) }
        lower { var y1[n]  var y2[n]  minimize 1/2*normsq(y1) - x'*y1 + sum(y2)
            subject to { sums: sum(x) + sum(y1) + sum(y2) == 0 } }";

    #[test]
    fn the_test_of_the_paper_is_solved() {
        let s = solved(LLC, &Request::new("lvhba").set("c", "5"));
        for (name, value) in [("x", -0.3), ("y1", 0.7), ("y2", -0.4)] {
            let worst = s.variable(name).unwrap().values.iter().fold(0.0, |m: f64, v| m.max((v - value).abs()));
            assert!(worst < 1e-2, "{name} {worst}");
        }
    }
}
