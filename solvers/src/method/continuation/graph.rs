//! What a method puts into its graph for [`Continuation`](super::Continuation): the numbers that the control sets, the
//! signals that it reads, points to extrapolate from, and moves of x whose size follows the signs of the method's own
//! direction (Rprop: Riedmiller and Braun 1993), so that neither the scale of F nor that of x matters.
//!
//! Lower points step from extrapolated points (Nesterov 1983) in a diagonal metric. Which of it is in use is the control's
//! choice: extrapolation 0, metric 1 and a move in every iteration leave the method's own formulas.

use blo_engine::elementwise;
use blo_engine::graph::NodeId;
use blo_engine::model::problem::{LevelId, Variable};
use blo_engine::shape::Shape;

use crate::formula::problem_graph::{Block, Direction, ProblemGraph, StartsAt};
use crate::formula::step_size::StepSize;
use crate::iteration::Clock;

/// A step size grows by this factor while the sign of its direction stays, and shrinks by the other where it turns.
/// Rprop's published pair.
const GROW: f64 = 1.2;
const SHRINK: f64 = 0.5;
/// What a change of an entry of the direction away from zero counts, against one towards it.
const ON: f64 = 0.25;

/// The numbers that the control sets in every iteration, in this order. All methods have them all, and use what they need;
/// the names are the control's, whatever options of the same name a method has.
#[derive(Clone, Copy, Debug)]
pub(in crate::method) enum Number {
    Alpha,
    Beta,
    Eta,
    Gamma,
    C,
    /// Extrapolation of the companion.
    AheadCompanion,
    /// Extrapolation of y.
    AheadY,
    /// Not 0: remember d_x, to compare later ones with it.
    Look,
    /// Not 0: x moves.
    Move,
}

impl Number {
    const NAMES: [&str; 9] = ["alpha", "beta", "eta", "gamma", "c_k", "a_theta", "a_y", "look", "move"];
    /// Where those of a method with rows stand: gamma2 and the step of the multipliers.
    pub(super) const OF_ROWS: usize = Number::NAMES.len();
}

/// What a step tells the control. The signals of all stages, one after the other, have this order.
#[derive(Clone, Copy, Debug)]
pub(super) enum Signal {
    /// Above 0: the extrapolation of the companion points uphill.
    TurnCompanion,
    /// Above 0: that of y does.
    TurnY,
    /// `|y+ - y~|^2` in the inverse metric of y.
    StepY,
    /// `|d_x|^2`.
    Slope,
    /// The square of how far d_x has gone from the one remembered towards another move.
    Change,
    /// The largest step of an entry of x, against `max(1, |x|)`.
    StepX,
    /// Of a method with a barrier: the multiplier that holds y where it is.
    BarrierRest,
    /// Of a method with a barrier: by how much its multiplier rises per unit of its strength.
    BarrierShape,
}

/// Where the control finds what it reads and writes among the inputs.
#[derive(Clone, Debug)]
pub(in crate::method) struct Layout {
    /// The variables of both levels.
    pub(super) variables: Vec<usize>,
    /// Number of upper variables.
    pub(super) upper: usize,
    /// The companion, its last value, the last value of y.
    pub(super) companion: Vec<usize>,
    pub(super) companion_before: Vec<usize>,
    pub(super) y_before: Vec<usize>,
    /// Step sizes of x.
    pub(super) delta: Vec<usize>,
    /// Metric of the companion, of y.
    pub(super) metric_companion: Vec<usize>,
    pub(super) metric_y: Vec<usize>,
    /// Multipliers of rows that step with y; most methods have none.
    pub(in crate::method) multipliers: Vec<usize>,
}

/// The second lower array of a method: a copy of y, or a multiplier.
pub(in crate::method) struct Companion {
    /// The method's symbol.
    pub(in crate::method) name: &'static str,
    /// Where it starts.
    pub(in crate::method) origin: StartsAt,
}

/// The inputs of an iteration whose x waits until its direction has settled.
pub(in crate::method) struct Settling {
    pub(in crate::method) x: Block,
    pub(in crate::method) y: Block,
    /// Empty for a method without one.
    pub(in crate::method) companion: Block,
    companion_before: Block,
    y_before: Block,
    /// The direction that later ones are compared with.
    seen: Block,
    /// The last moves of x: signs where steps are by entry, displacements elsewhere.
    moved: Block,
    /// Step sizes of x.
    delta: Block,
    metric_companion: Block,
    metric_y: Block,
    numbers: [NodeId; Number::NAMES.len()],
}

/// What becomes of x, and the signals of that.
pub(in crate::method) struct Moves {
    pub(in crate::method) x: Block,
    pub(in crate::method) pairs: Vec<(Block, Block)>,
    pub(in crate::method) signals: [NodeId; 3],
}

impl Settling {
    pub(in crate::method) fn declare(p: &mut ProblemGraph<'_>, companion: Option<Companion>) -> Settling {
        let lower = |p: &mut ProblemGraph<'_>, name: &str, origin: StartsAt| p.state(name, LevelId::LOWER, origin);
        let step_shape = |v: &Variable| if by_entry(v) { v.shape.clone() } else { Shape::default() };
        let nothing = || Block { name: String::new(), nodes: Vec::new() };
        let (now, before) = companion.map_or((nothing(), nothing()), |c| {
            (lower(p, c.name, c.origin), lower(p, &format!("{} before", c.name), c.origin))
        });
        Settling {
            x: p.x(),
            y: p.y(),
            companion: now,
            companion_before: before,
            y_before: lower(p, "y before", StartsAt::Variables),
            seen: p.state("d_x seen", LevelId::UPPER, StartsAt::Zero),
            moved: p.state("moved", LevelId::UPPER, StartsAt::Zero),
            delta: p.state_of("delta", LevelId::UPPER, StartsAt::Zero, &step_shape),
            metric_companion: p.metric("P_theta"),
            metric_y: p.metric("P_y"),
            numbers: Number::NAMES.map(|name| p.number(name, None, Clock::Iteration)),
        }
    }

    pub(in crate::method) fn number(&self, number: Number) -> NodeId {
        self.numbers[number as usize]
    }

    /// A number in the metric of the companion.
    pub(in crate::method) fn by_companion(&self, number: Number) -> StepSize {
        StepSize { number: self.number(number), metric: Some(self.metric_companion.clone()) }
    }

    /// A number in the metric of y.
    pub(in crate::method) fn by_y(&self, number: Number) -> StepSize {
        StepSize { number: self.number(number), metric: Some(self.metric_y.clone()) }
    }

    /// The metric of y.
    pub(in crate::method) fn metric_y(&self) -> &Block {
        &self.metric_y
    }

    /// The point that the companion steps from.
    pub(in crate::method) fn companion_ahead(&self, p: &mut ProblemGraph<'_>) -> Block {
        let name = format!("{}~", self.companion.name);
        p.extrapolate(&self.companion, &self.companion_before, self.number(Number::AheadCompanion), &name)
    }

    /// The point that y steps from.
    pub(in crate::method) fn y_ahead(&self, p: &mut ProblemGraph<'_>) -> Block {
        p.extrapolate(&self.y, &self.y_before, self.number(Number::AheadY), "y~")
    }

    /// What a stage that moves the companion writes.
    pub(in crate::method) fn companion_pairs<'a>(&'a self, new: &'a Block) -> [(&'a Block, &'a Block); 2] {
        [(&self.companion, new), (&self.companion_before, &self.companion)]
    }

    /// What a stage that moves y writes.
    pub(in crate::method) fn y_pairs<'a>(&'a self, new: &'a Block) -> [(&'a Block, &'a Block); 2] {
        [(&self.y, new), (&self.y_before, &self.y)]
    }

    /// The signal of a step of the companion.
    pub(in crate::method) fn companion_turn(&self, p: &mut ProblemGraph<'_>, ahead: &Block, new: &Block) -> NodeId {
        turn(p, ahead, new, &self.companion, &self.metric_companion)
    }

    /// The signals of a step of y.
    pub(in crate::method) fn y_signals(&self, p: &mut ProblemGraph<'_>, ahead: &Block, new: &Block) -> [NodeId; 2] {
        let turn = turn(p, ahead, new, &self.y, &self.metric_y);
        let step = p.difference(new, ahead);
        [turn, p.inner(&step, &step, &self.metric_y)]
    }

    /// What becomes of x along a direction. `stated_alpha`: it moves by `alpha d`.
    pub(in crate::method) fn moves(&self, p: &mut ProblemGraph<'_>, d: &Direction, stated_alpha: bool) -> Moves {
        let Settling { x, seen, moved, delta, .. } = self;
        let d: Vec<NodeId> = d.iter().zip(&x.nodes).map(|(d, x)| p.or_zero(*d, *x)).collect();
        let walk = match stated_alpha {
            true => stated(p, x, &d, moved, delta, self.number(Number::Alpha)),
            false => by_signs(p, x, &d, moved, delta),
        };
        let x_new = self.choose(p, Number::Move, &walk.x, x, "x+");
        let moved_new = self.choose(p, Number::Move, &walk.moved, moved, "moved+");
        let delta_new = self.choose(p, Number::Move, &walk.delta, delta, "delta+");
        let seen_new = self.choose(p, Number::Look, &d, seen, "seen+");
        let along: Direction = d.iter().map(|n| Some(*n)).collect();
        let slope = p.norm_squared(&along);
        let doubt = self.doubt(p, &d);
        let change = p.norm_squared(&doubt);
        let pairs = [(x, &x_new), (seen, &seen_new), (moved, &moved_new), (delta, &delta_new)];
        let pairs = pairs.into_iter().map(|(now, next)| (now.clone(), next.clone())).collect();
        Moves { x: x_new, pairs, signals: [slope, change, walk.largest] }
    }

    /// How far `d` has gone towards another move since it was last looked at. A move by signs does not ask how large an
    /// entry is, so that the way away from zero counts less; none at all would let x run ahead of y, whose lag then adds to
    /// `d` with the same sign.
    fn doubt(&self, p: &mut ProblemGraph<'_>, d: &[NodeId]) -> Direction {
        let problem = p.problem();
        let entries = d.iter().zip(&self.seen.nodes).zip(&problem.upper().variables);
        let mut each = Vec::new();
        for ((d, seen), variable) in entries {
            let change = p.graph.sub(*seen, *d);
            each.push(Some(match by_entry(variable) {
                true => {
                    let sign = p.graph.elementwise(elementwise::SIGN, &[*d]);
                    let back = p.graph.mul(change, sign);
                    let on = p.graph.scale(-ON, back);
                    p.graph.elementwise(elementwise::MAX, &[back, on])
                }
                false => change,
            }));
        }
        each
    }

    /// New values where a switch is on, else the old ones.
    fn choose(&self, p: &mut ProblemGraph<'_>, switch: Number, new: &[NodeId], old: &Block, name: &str) -> Block {
        let pairs = new.iter().zip(&old.nodes);
        let nodes = pairs.map(|(new, old)| p.select(self.number(switch), *new, *old)).collect();
        Block { name: name.to_string(), nodes }
    }

    /// Where the control finds it all; makes the metrics parameters. Comes after the report.
    pub(in crate::method) fn layout(&self, p: &mut ProblemGraph<'_>) -> Layout {
        p.declare_parameters(&self.metric_companion);
        p.declare_parameters(&self.metric_y);
        Layout {
            variables: [p.positions(&self.x), p.positions(&self.y)].concat(),
            upper: self.x.nodes.len(),
            companion: p.positions(&self.companion),
            companion_before: p.positions(&self.companion_before),
            y_before: p.positions(&self.y_before),
            delta: p.positions(&self.delta),
            metric_companion: p.positions(&self.metric_companion),
            metric_y: p.positions(&self.metric_y),
            multipliers: Vec::new(),
        }
    }
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
