//! GAFFA, the gap function based first-order algorithm: single loop, lower levels with rows of `subject to`.
//! Wei Yao, Haian Yin, Shangzhi Zeng, Jin Zhang, ICLR 2025 (arXiv 2406.01992), rederived with a proximal part g.
//!
//! With the Lagrangian `L(x, y, z) = f + g + z'c` the regularized gap function is
//! `G(x,y,z) = max_lam L(x,y,lam) - |lam - z|^2/(2 gamma2) - min_theta L(x,theta,z) + |theta - y|^2/(2 gamma1)`.
//! It is not negative for y in Y and z >= 0, and where the lower level is convex it vanishes exactly at pairs (y, z) of a
//! solution and its multipliers. The method descends on `F/c_k + G`; theta tracks the minimizer, lam is in closed form.

mod automatic;

use blo_engine::calculus::Assumption;
use blo_engine::elementwise;
use blo_engine::graph::NodeId;
use blo_engine::model::problem::{LevelId, Problem};
use blo_grammar::diagnostic::Diagnostic;

use crate::formula::problem_graph::{Block, Direction, Part, ProblemGraph, StartsAt};
use crate::formula::report::{self, Stationarity};
use crate::formula::rows::multiplier_interval;
use crate::formula::step_size::StepSize;
use crate::iteration::control::{Control, Schedules};
use crate::iteration::report::ReportFormula;
use crate::iteration::{Built, Clock, Context};
use crate::method::continuation::{LONGEST, Names, PASSES, RowsRule, Rule, WeightName};
use crate::method::growth;
use crate::method::{Method, TakesRows};
use crate::options::entry::{Kind, MethodEntry, Range, StepOf, option};
use crate::options::request::{PresetChoice, Request};
use crate::options::schedule::Schedule;
use crate::options::settings::{Origin, Settings};
use crate::options::value::Value;

/// The entry.
pub(super) static GAFFA: MethodEntry = MethodEntry {
    name: "gaffa",
    doc: "single-loop, first-order descent on a regularized gap function; takes rows of the lower level",
    citation: "Yao, Yin, Zeng, Zhang, ICLR 2025 (arXiv 2406.01992)",
    formula: &[
        "theta+ = prox_{eta g~(x,.)}( theta - eta (f_y(x, theta) + c_y(x, theta)'z + (theta - y)/gamma1) )",
        "lam = max(0, z + gamma2 c(x, y));  d_z = (lam - z)/gamma2 - c(x, theta+)",
        "d_x = F_x/c_k + (f + g + lam'c)_x(x, y) - (f + g + z'c)_x(x, theta+)",
        "d_y = F_y/c_k + (f + lam'c)_y(x, y) - (y - theta+)/gamma1",
        "x+ = Proj_X( x - alpha d_x ),  y+ = prox_{alpha g~(x+,.)}( y - alpha d_y )",
        "z+ = z - alpha d_z within [0, r]; of equality rows lam without max, z+ within [-r, r]",
    ],
    requires: &[Assumption::Convex],
    options: &[
        option("alpha", "alpha_k", Kind::Schedule(Range::Positive), None, "step of x, y and z").steps(StepOf::Upper),
        option("eta", "eta_k", Kind::Schedule(Range::Positive), None, "step of theta").steps(StepOf::Lower),
        option("gamma1", "gamma_1", Kind::Number(Range::Positive), None, "proximal parameter of theta"),
        option("gamma2", "gamma_2", Kind::Number(Range::Positive), None, "proximal parameter of the multipliers"),
        option("c", "c_k", Kind::Schedule(Range::Positive), None, "penalty: c_k = c k^p, or a schedule instead of it"),
        option("p", "p", Kind::Number(Range::NonNegative), None, "growth of a stated c"),
        option("r", "r", Kind::Number(Range::Positive), Some("1e6"), "largest multiplier"),
        option("passes", "", Kind::Integer(1), None, "continuations in c from the start; the best end point counts"),
        option("window", "", Kind::Integer(4), None, "most iterations between two moves of x"),
        option("max_iter", "", Kind::Integer(0), Some("50000"), "stop after this many iterations"),
    ],
};

/// Steps and penalty: with all of them stated, the method runs as it is printed.
const STATED: [&str; 5] = ["alpha", "eta", "gamma1", "gamma2", "c"];

/// The safeguards, each off where the method runs as it is printed.
const SAFEGUARDS: [&str; 2] = ["passes", "window"];

/// Growth of a stated c, as in the authors' experiments.
const GROWTH: f64 = 0.3;

/// Moves of x that fit into a run at least.
const MOVES: u64 = 100;

/// Options that the control chooses.
const NAMES: Names = Names {
    step_y: None,
    step_companion: Some("eta"),
    gamma: Some("gamma1"),
    penalty: WeightName::OfLower("c"),
    texts: &[("alpha", "of x by the signs of d_x; of y and z by curvature")],
};

/// The method whose place this one takes on rows of the lower level.
pub(crate) const MEHA: &str = super::meha::MEHA.name;

/// The request that runs where `meha` meets rows of the lower level, which its envelope does not have: gaffa is its
/// extension by the same authors. A named preset of `meha` states steps of another iteration, and is refused.
pub(crate) fn takes_the_place(problem: &Problem, request: &Request) -> Option<Request> {
    let own = !matches!(request.preset, PresetChoice::Named(_));
    let applies = request.method == MEHA && own && !problem.lower().constraints.is_empty();
    applies.then(|| Request { method: GAFFA.name.to_string(), ..request.clone() })
}

/// The method.
pub(super) struct Gaffa;

/// The numbers of an iteration, as nodes.
struct Steps {
    eta: StepSize,
    gamma1: StepSize,
    gamma2: NodeId,
    c_k: StepSize,
    /// The largest multiplier.
    r: f64,
}

fn is_bare(settings: &Settings) -> bool {
    STATED.iter().all(|name| settings.get(name).value.is_some())
        && SAFEGUARDS.iter().all(|name| settings.get(name).origin == Origin::Automatic)
}

impl Method for Gaffa {
    fn complete(&self, settings: &mut Settings) {
        let bare = is_bare(settings);
        let stated = |name: &str| settings.get(name).value.is_some();
        let (alpha, c) = (stated("alpha"), stated("c"));
        let longest = (settings.integer("max_iter") / MOVES).clamp(4, LONGEST);
        settings.choose("passes", Some(Value::Integer(if bare || c { 1 } else { PASSES })));
        settings.choose(
            "window",
            Some(Value::Integer(if bare {
                1
            } else if alpha {
                20
            } else {
                longest
            })),
        );
        growth::choose(settings, GROWTH);
    }

    fn check(&self, settings: &Settings) -> Vec<Diagnostic> {
        growth::stated_twice(settings).into_iter().collect()
    }

    fn rows(&self, _: &Problem) -> TakesRows {
        TakesRows { lower: true, ..TakesRows::default() }
    }

    fn is_as_printed(&self, settings: &Settings, _: &[&str]) -> bool {
        is_bare(settings)
    }

    fn build(&self, p: ProblemGraph<'_>, settings: &Settings) -> Built {
        if is_bare(settings) {
            return printed(p, settings);
        }
        let rule = rule(settings, p.problem());
        let (iteration, layout) = automatic::iteration(p, rule.alpha.is_some(), settings.number("r"));
        Built { iteration, control: rule.control(layout), most: None }
    }
}

/// The method as it is printed, with stated steps.
fn printed(mut p: ProblemGraph<'_>, settings: &Settings) -> Built {
    let (z, x, y) = (p.multipliers(), p.x(), p.y());
    let theta = p.state("theta", LevelId::LOWER, StartsAt::Variables);
    let stated = [
        ("alpha", settings.schedule("alpha").clone()),
        ("eta", settings.schedule("eta").clone()),
        ("gamma1", Schedule::Constant(settings.number("gamma1"))),
        ("gamma2", Schedule::Constant(settings.number("gamma2"))),
        ("c_k", penalty(settings)),
    ];
    let [alpha, eta, gamma1, gamma2, c_k] = stated.map(|(name, value)| p.number(name, Some(value), Clock::Iteration));
    let (eta, gamma1, c_k) = (eta.into(), gamma1.into(), c_k.into());
    let s = Steps { eta, gamma1, gamma2, c_k, r: settings.number("r") };

    let theta_new = theta_step(&mut p, (&x, &y), &z, &theta, &s);
    let lam = maximizer(&mut p, (&x, &y), &z, &s);
    let alpha = StepSize::from(alpha);
    let d = d_x(&mut p, (&x, &y), &z, (&theta_new, &lam), &s);
    let v = p.descend(&x, &alpha, &d);
    let x_new = p.project_upper(&v, "x+");
    let d = d_y(&mut p, (&x, &y), (&theta_new, &lam), &s);
    let v = p.descend(&y, &alpha, &d);
    let y_new = p.prox(&v, &alpha, &x_new, "y+");
    let d = d_z(&mut p, &x, &z, (&theta_new, &lam), &s);
    let z_new = z_step(&mut p, &z, alpha.number, &d, s.r);

    let writes = [(&x, &x_new), (&y, &y_new), (&theta, &theta_new), (&z, &z_new)];
    let stage = p.stage("gaffa", &writes, &[]);
    p.look_at_all_rows();
    let theta_new = theta_step(&mut p, (&x, &y), &z, &theta, &s);
    let report = report(&mut p, (&x, &y), &z, &theta_new, &s);
    let iteration = p.iteration(vec![stage], report);
    let schedules = Schedules::of(&iteration.scalars);
    let control = move |_: &Context<'_>| Ok(Box::new(schedules.clone()) as Box<dyn Control>);
    Built { iteration, control: Box::new(control), most: None }
}

/// What the options say of the automatic rule. No extrapolation and no metric of entries: y, theta and z step against each
/// other, and all three are accelerated as one (`continuation/rows.rs`).
fn rule(settings: &Settings, problem: &Problem) -> Rule {
    let stated = |name: &str| settings.get(name).value.is_some().then(|| settings.number(name));
    let r = settings.number("r");
    let intervals = problem.lower().constraints.iter().map(|c| multiplier_interval(c, r)).collect();
    Rule {
        alpha: settings.stated("alpha").cloned(),
        beta: settings.stated("alpha").cloned(),
        eta: settings.stated("eta").cloned(),
        gamma: stated("gamma1"),
        c: settings.stated("c").map(|_| penalty(settings)),
        passes: settings.integer("passes"),
        window: settings.integer("window"),
        diagonal: false,
        momentum: false,
        rows: Some(RowsRule { gamma2: stated("gamma2"), intervals }),
        ..Rule::automatic(settings, problem, NAMES)
    }
}

/// `theta+ = prox_{eta g~(x,.)}( theta - eta (f_y(x,theta) + c_y(x,theta)'z + (theta - y)/gamma1) )`
fn theta_step(p: &mut ProblemGraph<'_>, (x, y): (&Block, &Block), z: &Block, theta: &Block, s: &Steps) -> Block {
    let f_y = p.gradient(Part::Smooth, LevelId::LOWER, x, theta);
    let of_rows = p.rows_times(LevelId::LOWER, LevelId::LOWER, (x, theta), &z.nodes);
    let from_y = p.difference(theta, y);
    let pull = p.over(&from_y, &s.gamma1);
    let d = p.plus(&f_y, &of_rows);
    let d = p.plus(&d, &pull);
    let v = p.descend(theta, &s.eta, &d);
    p.prox(&v, &s.eta, x, "theta+")
}

/// `lam = max(0, z + gamma2 c(x, y))` within [0, r]; of equality rows without the max, within [-r, r].
fn maximizer(p: &mut ProblemGraph<'_>, (x, y): (&Block, &Block), z: &Block, s: &Steps) -> Block {
    let rows = p.row_values(LevelId::LOWER, x, y);
    let mut nodes = Vec::new();
    for (z, c) in z.nodes.iter().zip(rows) {
        let change = p.graph.mul(s.gamma2, c);
        nodes.push(p.graph.add(*z, change));
    }
    Block { name: "lam".to_string(), nodes: p.multipliers_within(&nodes, s.r) }
}

/// `d_x = F_x/c_k + (f + g + lam'c)_x(x, y) - (f + g + z'c)_x(x, theta+)`
fn d_x(
    p: &mut ProblemGraph<'_>,
    (x, y): (&Block, &Block),
    z: &Block,
    (theta, lam): (&Block, &Block),
    s: &Steps,
) -> Direction {
    let big_f_x = p.gradient(Part::Upper, LevelId::UPPER, x, y);
    let mut d = p.over(&big_f_x, &s.c_k);
    for part in [Part::Smooth, Part::Proximal] {
        let here = p.gradient(part, LevelId::UPPER, x, y);
        let there = p.gradient(part, LevelId::UPPER, x, theta);
        let slope = p.minus(&here, &there);
        d = p.plus(&d, &slope);
    }
    let here = p.rows_times(LevelId::LOWER, LevelId::UPPER, (x, y), &lam.nodes);
    let there = p.rows_times(LevelId::LOWER, LevelId::UPPER, (x, theta), &z.nodes);
    let slope = p.minus(&here, &there);
    p.plus(&d, &slope)
}

/// `d_y = F_y/c_k + (f + lam'c)_y(x, y) - (y - theta+)/gamma1`
fn d_y(p: &mut ProblemGraph<'_>, (x, y): (&Block, &Block), (theta, lam): (&Block, &Block), s: &Steps) -> Direction {
    let big_f_y = p.gradient(Part::Upper, LevelId::LOWER, x, y);
    let weighted = p.over(&big_f_y, &s.c_k);
    let f_y = p.gradient(Part::Smooth, LevelId::LOWER, x, y);
    let of_rows = p.rows_times(LevelId::LOWER, LevelId::LOWER, (x, y), &lam.nodes);
    let from_theta = p.difference(y, theta);
    let pull = p.over(&from_theta, &s.gamma1);
    let d = p.plus(&weighted, &f_y);
    let d = p.plus(&d, &of_rows);
    p.minus(&d, &pull)
}

/// `d_z = (lam - z)/gamma2 - c(x, theta+)`
fn d_z(p: &mut ProblemGraph<'_>, x: &Block, z: &Block, (theta, lam): (&Block, &Block), s: &Steps) -> Direction {
    let rows = p.row_values(LevelId::LOWER, x, theta);
    let mut d = Vec::new();
    for ((lam, z), c) in lam.nodes.iter().zip(&z.nodes).zip(rows) {
        let apart = p.graph.sub(*lam, *z);
        let slope = p.graph.div(apart, s.gamma2);
        d.push(Some(p.graph.sub(slope, c)));
    }
    d
}

/// `z+ = z - alpha d_z`, within its interval.
fn z_step(p: &mut ProblemGraph<'_>, z: &Block, alpha: NodeId, d: &Direction, r: f64) -> Block {
    let moved = p.descend(z, &alpha.into(), d);
    Block { name: "z+".to_string(), nodes: p.multipliers_within(&moved, r) }
}

/// The residuals of the penalized problem by steps of unit length, times c_k, and the gap `G(x, y, z)` with theta+ for the
/// minimizer, so at most the true one.
fn report(p: &mut ProblemGraph<'_>, (x, y): (&Block, &Block), z: &Block, theta: &Block, s: &Steps) -> ReportFormula {
    let one = StepSize::from(p.graph.constant(1.0));
    let lam = maximizer(p, (x, y), z, s);
    let d = d_x(p, (x, y), z, (theta, &lam), s);
    let v = p.descend(x, &one, &d);
    let moved = p.project_upper(&v, "x - d_x");
    let of_x = p.difference(x, &moved);
    let d = d_y(p, (x, y), (theta, &lam), s);
    let v = p.descend(y, &one, &d);
    let moved = p.prox(&v, &one, x, "y - d_y");
    let of_y = p.difference(y, &moved);
    let d = d_z(p, x, z, (theta, &lam), s);
    let moved = z_step(p, z, one.number, &d, s.r);
    let of_z = p.difference(z, &moved);
    let [of_x, of_y, of_z] = [of_x, of_y, of_z].map(|d| p.norm_squared(&d));
    let lower = p.graph.add(of_y, of_z);
    let all = p.graph.add(of_x, lower);
    let [upper, method] = [of_x, all].map(|squares| {
        let norm = p.graph.elementwise(elementwise::SQRT, &[squares]);
        Some(p.graph.mul(s.c_k.number, norm))
    });
    let gap = gap(p, (x, y), z, (theta, &lam), s);
    report::standard(p, x, y, Stationarity { upper, method, gap: Some(gap) })
}

/// `L(x,y,lam) - |lam - z|^2/(2 gamma2) - L(x,theta,z) - |theta - y|^2/(2 gamma1)`
fn gap(
    p: &mut ProblemGraph<'_>,
    (x, y): (&Block, &Block),
    z: &Block,
    (theta, lam): (&Block, &Block),
    s: &Steps,
) -> NodeId {
    let [here, there] = [(y, lam), (theta, z)].map(|(y, multipliers)| {
        let [f, g] = [Part::Smooth, Part::Proximal].map(|part| p.value(part, x, y));
        let phi = p.graph.add(f, g);
        let rows: Direction = p.row_values(LevelId::LOWER, x, y).into_iter().map(Some).collect();
        let multipliers: Direction = multipliers.nodes.iter().map(|n| Some(*n)).collect();
        let of_rows = p.dot(&multipliers, &rows);
        p.graph.add(phi, of_rows)
    });
    let from_z = p.difference(lam, z);
    let squares = p.norm_squared(&from_z);
    let of_lam = p.graph.div(squares, s.gamma2);
    let from_theta = p.difference(y, theta);
    let scaled = p.over(&from_theta, &s.gamma1);
    let of_theta = p.dot(&from_theta, &scaled);
    let both = p.graph.add(of_lam, of_theta);
    let both = p.graph.scale(0.5, both);
    let apart = p.graph.sub(here, there);
    p.graph.sub(apart, both)
}

/// `c_k = c k^p` with k from 1, or c's own schedule.
fn penalty(settings: &Settings) -> Schedule {
    settings.schedule("c").growing(settings.number("p"))
}

#[cfg(test)]
mod tests;
