//! Algorithm 1 with safeguards, as a graph. The formulas are those of `meha`; what is added:
//! theta and y step from extrapolated points (Nesterov 1983) in a diagonal metric; x moves only when the control says
//! so, by steps whose size follows the signs of its own direction (Rprop: Riedmiller and Braun 1993), so that neither
//! the scale of F nor that of x matters; signals tell the control what the step did.
//!
//! Which of it is in use is the control's choice: with extrapolation 0, metric 1 and a move in every iteration the
//! steps of theta and y are eqs. (9) and (13).

use blo_engine::elementwise;
use blo_engine::graph::NodeId;
use blo_engine::model::problem::Variable;
use blo_engine::shape::Shape;

use super::{Steps, d_x, d_y, report, theta_step};
use crate::formula::problem_graph::{Block, Direction, ProblemGraph, StartsAt};
use crate::formula::step_size::StepSize;
use crate::iteration::{Clock, Iteration};
use blo_engine::model::problem::LevelId;

/// A step size grows by this factor while the sign of its direction stays, and shrinks by the other where it turns.
/// Rprop's published pair.
const GROW: f64 = 1.2;
const SHRINK: f64 = 0.5;

/// The numbers that the control sets in every iteration, in this order.
#[derive(Clone, Copy, Debug)]
pub(super) enum Number {
    Alpha,
    Beta,
    Eta,
    Gamma,
    C,
    /// Extrapolation of theta.
    AheadTheta,
    /// Extrapolation of y.
    AheadY,
    /// Not 0: remember d_x, to compare later ones with it.
    Look,
    /// Not 0: x moves.
    Move,
}

impl Number {
    pub(super) const NAMES: [&str; 9] = ["alpha", "beta", "eta", "gamma", "c_k", "a_theta", "a_y", "look", "move"];
}

/// What a step tells the control, in this order.
#[derive(Clone, Copy, Debug)]
pub(super) enum Signal {
    /// `|d_x|^2`.
    Slope,
    /// `|d_x - the one remembered|^2`.
    Change,
    /// Above 0: the extrapolation of theta points uphill.
    TurnTheta,
    /// Above 0: that of y does.
    TurnY,
    /// `|y+ - y~|^2` in the inverse metric of y.
    StepY,
    /// The largest step of an entry of x, against `max(1, |x|)`.
    StepX,
}

/// Where the control finds what it reads and writes among the inputs.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    /// The variables of both levels.
    pub(super) variables: Vec<usize>,
    /// Number of upper variables.
    pub(super) upper: usize,
    /// Theta, its last value, the last value of y.
    pub(super) theta: Vec<usize>,
    pub(super) theta_before: Vec<usize>,
    pub(super) y_before: Vec<usize>,
    /// Step sizes of x.
    pub(super) delta: Vec<usize>,
    /// Metric of theta, of y.
    pub(super) metric_theta: Vec<usize>,
    pub(super) metric_y: Vec<usize>,
}

/// The inputs of the iteration.
struct Inputs {
    x: Block,
    y: Block,
    theta: Block,
    theta_before: Block,
    y_before: Block,
    /// The direction that later ones are compared with.
    seen: Block,
    /// The last moves of x: signs where steps are by entry, displacements elsewhere.
    moved: Block,
    /// Step sizes of x.
    delta: Block,
    metric_theta: Block,
    metric_y: Block,
    numbers: [NodeId; Number::NAMES.len()],
}

impl Inputs {
    fn declare(p: &mut ProblemGraph<'_>) -> Inputs {
        let lower = |p: &mut ProblemGraph<'_>, name: &str| p.state(name, LevelId::LOWER, StartsAt::Variables);
        let step_shape = |v: &Variable| if by_entry(v) { v.shape.clone() } else { Shape::default() };
        Inputs {
            x: p.x(),
            y: p.y(),
            theta: lower(p, "theta"),
            theta_before: lower(p, "theta before"),
            y_before: lower(p, "y before"),
            seen: p.state("d_x seen", LevelId::UPPER, StartsAt::Zero),
            moved: p.state("moved", LevelId::UPPER, StartsAt::Zero),
            delta: p.state_of("delta", LevelId::UPPER, StartsAt::Zero, &step_shape),
            metric_theta: p.metric("P_theta"),
            metric_y: p.metric("P_y"),
            numbers: Number::NAMES.map(|name| p.number(name, None, Clock::Iteration)),
        }
    }

    fn number(&self, number: Number) -> NodeId {
        self.numbers[number as usize]
    }

    fn steps(&self) -> Steps {
        let by =
            |number: Number, metric: &Block| StepSize { number: self.number(number), metric: Some(metric.clone()) };
        Steps {
            beta: by(Number::Beta, &self.metric_y),
            eta: by(Number::Eta, &self.metric_theta),
            gamma: by(Number::Gamma, &self.metric_theta),
            c_k: self.number(Number::C).into(),
        }
    }

    /// New values where a switch is on, else the old ones.
    fn choose(&self, p: &mut ProblemGraph<'_>, switch: Number, new: &[NodeId], old: &Block, name: &str) -> Block {
        let pairs = new.iter().zip(&old.nodes);
        let nodes = pairs.map(|(new, old)| p.select(self.number(switch), *new, *old)).collect();
        Block { name: name.to_string(), nodes }
    }

    fn layout(&self, p: &ProblemGraph<'_>) -> Layout {
        Layout {
            variables: [p.positions(&self.x), p.positions(&self.y)].concat(),
            upper: self.x.nodes.len(),
            theta: p.positions(&self.theta),
            theta_before: p.positions(&self.theta_before),
            y_before: p.positions(&self.y_before),
            delta: p.positions(&self.delta),
            metric_theta: p.positions(&self.metric_theta),
            metric_y: p.positions(&self.metric_y),
        }
    }
}

/// The iteration. `stated_alpha`: x moves by `alpha d_x`, as in eq. (11).
pub(super) fn iteration(mut p: ProblemGraph<'_>, stated_alpha: bool) -> (Iteration, Layout) {
    let now = Inputs::declare(&mut p);
    let Inputs { x, y, theta, seen, moved, delta, .. } = &now;
    let s = now.steps();

    let ahead = p.extrapolate(theta, &now.theta_before, now.number(Number::AheadTheta), "theta~");
    let theta_new = theta_step(&mut p, x, y, &ahead, &s);
    let turn_theta = turn(&mut p, &ahead, &theta_new, theta, &now.metric_theta);

    let d = d_x(&mut p, x, y, &theta_new, &s);
    let d: Vec<NodeId> = d.iter().zip(&x.nodes).map(|(d, x)| p.or_zero(*d, *x)).collect();
    let walk = match stated_alpha {
        true => stated(&mut p, x, &d, moved, delta, now.number(Number::Alpha)),
        false => by_signs(&mut p, x, &d, moved, delta),
    };
    let x_new = now.choose(&mut p, Number::Move, &walk.x, x, "x+");
    let moved_new = now.choose(&mut p, Number::Move, &walk.moved, moved, "moved+");
    let delta_new = now.choose(&mut p, Number::Move, &walk.delta, delta, "delta+");
    let seen_new = now.choose(&mut p, Number::Look, &d, seen, "seen+");

    let ahead = p.extrapolate(y, &now.y_before, now.number(Number::AheadY), "y~");
    let direction = d_y(&mut p, &x_new, &ahead, &theta_new, &s);
    let v = p.descend(&ahead, &s.beta, &direction);
    let y_new = p.prox(&v, &s.beta, &x_new, "y+");
    let turn_y = turn(&mut p, &ahead, &y_new, y, &now.metric_y);

    let along: Direction = d.iter().map(|n| Some(*n)).collect();
    let slope = p.norm_squared(&along);
    let looked = Block { name: String::new(), nodes: d };
    let change = p.difference(&looked, seen);
    let change = p.norm_squared(&change);
    let step_y = p.difference(&y_new, &ahead);
    let step_y = p.inner(&step_y, &step_y, &now.metric_y);
    let signals = [slope, change, turn_theta, turn_y, step_y, walk.largest];

    let parts = [
        (x, &x_new),
        (y, &y_new),
        (theta, &theta_new),
        (&now.theta_before, theta),
        (&now.y_before, y),
        (seen, &seen_new),
        (moved, &moved_new),
        (delta, &delta_new),
    ];
    let stage = p.stage("meha", &parts, &signals);
    let report = report(&mut p, x, y, theta, &s);
    let layout = now.layout(&p);
    p.declare_parameters(&now.metric_theta);
    p.declare_parameters(&now.metric_y);
    (p.iteration(vec![stage], report), layout)
}

/// True when x moves by one step size per entry: where the set does not couple entries, signs alone are a direction.
fn by_entry(variable: &Variable) -> bool {
    variable.set.as_ref().is_none_or(|s| s.set.is_box)
}

/// `<z~ - z+, z+ - z>` in the inverse metric: above 0, the step goes back on the extrapolation, which then starts anew
/// (O'Donoghue and Candes 2015, the gradient scheme).
fn turn(p: &mut ProblemGraph<'_>, ahead: &Block, new: &Block, old: &Block, metric: &Block) -> NodeId {
    let (back, on) = (p.difference(ahead, new), p.difference(new, old));
    p.inner(&back, &on, metric)
}

/// What a move of x would be.
struct Walk {
    x: Vec<NodeId>,
    moved: Vec<NodeId>,
    delta: Vec<NodeId>,
    largest: NodeId,
}

/// `x+ = Proj_X( x - alpha d_x )`, eq. (11)
fn stated(p: &mut ProblemGraph<'_>, x: &Block, d: &[NodeId], moved: &Block, delta: &Block, alpha: NodeId) -> Walk {
    let d: Direction = d.iter().map(|n| Some(*n)).collect();
    let v = p.descend(x, &alpha.into(), &d);
    let x_new = p.project_upper(&v, "x+").nodes;
    let mut largest = p.graph.constant(0.0);
    for (old, new) in x.nodes.iter().zip(&x_new) {
        let change = p.graph.sub(*old, *new);
        let step = p.graph.elementwise(elementwise::ABS, &[change]);
        largest = relative(p, largest, step, *new);
    }
    Walk { x: x_new, moved: moved.nodes.clone(), delta: delta.nodes.clone(), largest }
}

/// The larger of `largest` and the largest entry of `step ./ max(1, |x|)`.
fn relative(p: &mut ProblemGraph<'_>, largest: NodeId, step: NodeId, x: NodeId) -> NodeId {
    let one = p.graph.constant(1.0);
    let size = p.graph.elementwise(elementwise::ABS, &[x]);
    let size = p.graph.elementwise(elementwise::MAX, &[size, one]);
    let ratio = p.graph.div(step, size);
    let most = p.largest(ratio);
    p.graph.elementwise(elementwise::MAX, &[largest, most])
}

/// By entry: `x+ = Proj_X( x - delta+ .* s )` with `s = sign(d_x)`, or 0 where the set holds x against it. For a set that
/// couples entries the direction is `d_x/|d_x|` with one step size, and "the same sign" is a positive inner product of
/// displacements. Step sizes grow while signs stay and shrink where they turn.
fn by_signs(p: &mut ProblemGraph<'_>, x: &Block, d: &[NodeId], moved: &Block, delta: &Block) -> Walk {
    let problem = p.problem();
    let zero = p.graph.constant(0.0);
    let mut walk = Walk { x: Vec::new(), moved: Vec::new(), delta: Vec::new(), largest: zero };
    for (i, variable) in problem.upper().variables.iter().enumerate() {
        let (x, moved, delta) = (x.nodes[i], moved.nodes[i], delta.nodes[i]);
        let separate = by_entry(variable);
        let direction = match separate {
            true => p.graph.elementwise(elementwise::SIGN, &[d[i]]),
            false => {
                let squares = p.norm_squared(&vec![Some(d[i])]);
                let length = p.graph.elementwise(elementwise::SQRT, &[squares]);
                p.graph.elementwise(elementwise::SAFE_DIV, &[d[i], length])
            }
        };
        let go = |p: &mut ProblemGraph<'_>, step: NodeId| {
            let change = p.graph.mul(step, direction);
            let v = p.graph.sub(x, change);
            p.project_variable(variable, v)
        };
        let tried = go(p, delta);
        let displacement = p.graph.sub(x, tried);
        let (now, agreement) = match separate {
            true => {
                let now = p.graph.elementwise(elementwise::SIGN, &[displacement]);
                (now, p.graph.mul(now, moved))
            }
            false => (displacement, p.dot(&vec![Some(displacement)], &vec![Some(moved)])),
        };
        let agreement = p.graph.elementwise(elementwise::SIGN, &[agreement]);
        // 1 + (GROW - 1) or 1 - (1 - SHRINK) or 1.
        let [grown, shrunk, same] = [GROW, SHRINK, 1.0].map(|f| p.graph.scale(f, delta));
        let up = p.graph.elementwise(elementwise::MAX, &[agreement, zero]);
        let kept = p.select(agreement, shrunk, same);
        let delta_new = p.select(up, grown, kept);
        let x_new = go(p, delta_new);
        let free = p.graph.elementwise(elementwise::ABS, &[now]);
        let free = p.graph.elementwise(elementwise::SIGN, &[free]);
        let step = p.graph.mul(delta_new, free);
        walk.largest = relative(p, walk.largest, step, x_new);
        walk.x.push(x_new);
        walk.moved.push(now);
        walk.delta.push(delta_new);
    }
    walk
}

#[cfg(test)]
mod tests {
    use crate::fixture::{LASSO, MERELY_CONVEX, solved};
    use crate::options::request::Request;

    /// Without momentum and metric and with every step stated, the safeguarded iteration is Algorithm 1.
    #[test]
    fn with_every_safeguard_off_it_is_algorithm_1() {
        for (text, preset) in [(LASSO, "meha:better"), (MERELY_CONVEX, "meha:slow")] {
            let bare = Request::new(preset).set("max_iter", "60").set("tol", "0");
            let off = bare.clone().set("momentum", "none").set("metric", "none");
            let (bare, off) = (solved(text, &bare), solved(text, &off));
            assert_eq!((bare.iterations, off.iterations), (60, 60));
            let pairs = bare.upper.variables.iter().chain(&bare.lower.variables);
            for ((name, a), (_, b)) in pairs.zip(off.upper.variables.iter().chain(&off.lower.variables)) {
                let close = a.values.iter().zip(&b.values).all(|(a, b)| (a - b).abs() <= 1e-12 * a.abs().max(1.0));
                assert!(close, "{name}: {a:?} {b:?}");
            }
        }
    }
}
