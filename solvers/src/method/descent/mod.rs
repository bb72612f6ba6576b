//! Methods that descend along a hypergradient. Each is a choice on four axes, and a name is a preset of it:
//!
//! | option | says |
//! |---|---|
//! | `dynamics` | what the K lower-level steps are (`dynamics/`) |
//! | `start` | where they start: at y0, at the last y_K, or at an auxiliary z that is optimized with x |
//! | `gradient` | how their end is differentiated (`hypergradient/`) |
//! | `update` | how the hypergradient moves x (`update.rs`) |
//!
//! The iteration's graph is the upper step; the lower steps and the hypergradient are programs of their own, which the
//! control runs (`descent.rs`). A problem without upper variables is the dynamics itself, a step an iteration
//! (`simple.rs`).

use blo_engine::elementwise;
use blo_engine::graph::{Function, NodeId};
use blo_engine::model::Bindings;
use blo_engine::model::problem::Problem;
use blo_grammar::diagnostic::Diagnostic;

use control::Descent;

use crate::formula::problem_graph::{Block, FirstOrder, Part, Wrt};
use crate::formula::residual;
use crate::formula::step_size::StepSize;
use crate::formula::upper_update;
use crate::hypergradient;
use crate::iteration::control::Control;
use crate::iteration::{Iteration, Parameter, Scalar, Start, State};
use crate::lower::dynamics;
use crate::message;
use crate::method::{HypergradientCheck, Method};
use crate::options;
use crate::options::schedule::Schedule;
use crate::options::settings::Settings;

pub(super) mod bda;
pub(super) mod bigsam;
mod check;
mod control;
pub(super) mod iaptt;
pub(super) mod implicit;
mod simple_bilevel;
pub(super) mod unrolled;
mod values;

/// The implementation of every method of the family; the choices are options.
pub(super) struct Composed;

/// Where the control finds what it reads and writes.
#[derive(Clone, Debug)]
struct Layout {
    /// Positions of the upper variables, the lower variables and z among the inputs; z is empty without an auxiliary.
    upper: Vec<usize>,
    lower: Vec<usize>,
    auxiliary: Vec<usize>,
    /// Positions of the hypergradient: in the upper variables, in z.
    slope: Vec<usize>,
    /// Positions of what the update rule remembers, of the upper variables first.
    memory: Vec<usize>,
}

impl Layout {
    /// Positions of what the update rule remembers of z.
    fn memory_of_z(&self) -> &[usize] {
        let both = self.upper.len() + self.auxiliary.len();
        &self.memory[self.memory.len() / both * self.upper.len()..]
    }
}

/// The numbers that the control sets in every iteration, in this order.
#[derive(Clone, Copy, Debug)]
enum Number {
    /// Step of x.
    X,
    /// Step of z.
    Z,
    /// Adam's corrections.
    First,
    Second,
}

impl Number {
    const NAMES: [&str; 4] = ["alpha_x", "alpha_z", "unbiased_m", "unbiased_v"];
}

/// What a step tells the control, in this order.
#[derive(Clone, Copy, Debug)]
enum Signal {
    /// `|u - Proj(u - G)|^2` at the point that the step leaves, u = (x, z).
    Residual,
    /// `<G, u+ - u>`.
    Slope,
    /// `|u+ - u|^2`.
    Moved,
}

impl Method for Composed {
    fn check(&self, settings: &Settings) -> Vec<Diagnostic> {
        let [dynamics_, start, gradient] = ["dynamics", "start", "gradient"].map(|name| settings.word(name));
        let steps = dynamics::by_name(dynamics_);
        let estimator = hypergradient::by_name::<f64>(gradient);
        let all = hypergradient::table::<f64>();
        let mut found = Vec::new();
        if !estimator.explicit && !steps.lower_only {
            let because = "it assumes that the steps end at a minimizer of the lower level alone";
            let names: Vec<&str> = all.iter().filter(|e| e.explicit).map(|e| e.name).collect();
            let other = format!("`dynamics = {dynamics_}`");
            found.push(options::message::cannot_combine(settings.get("gradient"), &other, because, &names));
        }
        if start == "auxiliary" && !estimator.of_start {
            let because = "it has no derivative in the start of the steps";
            let names: Vec<&str> = all.iter().filter(|e| e.of_start).map(|e| e.name).collect();
            found.push(options::message::cannot_combine(
                settings.get("gradient"),
                "`start = auxiliary`",
                because,
                &names,
            ));
        }
        if let Some(most) = estimator.only_steps
            && settings.integer("K") != most
        {
            let because = format!("it is the derivative of {most} step");
            let names: Vec<&str> = all.iter().filter(|e| e.only_steps.is_none()).map(|e| e.name).collect();
            let other = format!("`K = {}`", settings.integer("K"));
            found.push(options::message::cannot_combine(settings.get("gradient"), &other, &because, &names));
        }
        found
    }

    fn suits(&self, problem: &Problem, settings: &Settings) -> Vec<Diagnostic> {
        let estimator = hypergradient::by_name::<f64>(settings.word("gradient"));
        let steps = dynamics::by_name(settings.word("dynamics"));
        let name = settings.method.name;
        let mut found = Vec::new();
        if problem.upper().variables.is_empty() && steps.lower_only {
            found.push(message::cannot_take(
                settings.span,
                name,
                "an upper level without variables",
                "its lower steps do not contain the upper objective, which then has no influence",
                "bda, bigsam, meha",
            ));
        }
        let smooth = problem.lower().regularizer.is_none() && problem.lower().variables.iter().all(|v| v.set.is_none());
        if !estimator.nonsmooth && !smooth {
            found.push(message::cannot_take(
                settings.span,
                name,
                "a lower level with a proximal part or a set",
                "its Hessian is built from the gradient of f, which does not vanish at a solution there",
                "meha, rhg, cg, neumann, bda",
            ));
        }
        found
    }

    fn iteration(&self, problem: &Problem, settings: &Settings) -> Iteration {
        match problem.upper().variables.is_empty() {
            true => simple_bilevel::iteration(problem, settings),
            false => iteration(problem, settings).0,
        }
    }

    fn control(
        &self,
        problem: &Problem,
        data: &Bindings,
        settings: &Settings,
        _: &Iteration,
    ) -> Result<Box<dyn Control>, Box<Diagnostic>> {
        if problem.upper().variables.is_empty() {
            return Ok(Box::new(simple_bilevel::Averaged::new(problem, data, settings)?));
        }
        let (_, layout) = iteration(problem, settings);
        Ok(match settings.word("precision") {
            "f32" => Box::new(Descent::<f32>::new(problem, data, settings, layout)?),
            _ => Box::new(Descent::<f64>::new(problem, data, settings, layout)?),
        })
    }

    fn check_hypergradient(
        &self,
        problem: &Problem,
        data: &Bindings,
        settings: &Settings,
        (spread, seed): (f64, u64),
    ) -> Result<Option<Vec<HypergradientCheck>>, Box<Diagnostic>> {
        if problem.upper().variables.is_empty() {
            return Ok(None);
        }
        check::check(problem, data, settings, spread, seed).map(Some)
    }

    fn chooses(&self) -> &'static [&'static str] {
        &["s_l", "s_u", "s", "t", "alpha", "w", "beta", "alpha_x", "alpha_z"]
    }

    fn programs(&self, problem: &Problem, settings: &Settings) -> Vec<Function> {
        if problem.upper().variables.is_empty() {
            return Vec::new();
        }
        let lower = dynamics::by_name(settings.word("dynamics")).on(problem);
        let mut programs = vec![lower.function.clone()];
        programs.extend(hypergradient::by_name::<f64>(settings.word("gradient")).programs(problem, &lower));
        programs
    }
}

/// The upper step, `x+ = Proj_X(x - alpha_x d)`, and `z+ = Proj_Y(z - alpha_z d_z)`, where d is what the update rule
/// makes of the hypergradient. y is carried along: the control writes the lower steps' end.
fn iteration(problem: &Problem, settings: &Settings) -> (Iteration, Layout) {
    let mut p = FirstOrder::new(problem);
    let (x, y) = (p.x(), p.y());
    let z = (settings.word("start") == "auxiliary").then(|| p.lower_state("z"));
    let rule = settings.word("update");
    let g_x = p.upper_state("G");
    let g_z = z.is_some().then(|| p.lower_state("G_z"));
    let remembered = upper_update::memory(rule);
    let names = ["m", "v"];
    let memory_x: Vec<Block> = (0..remembered).map(|i| p.upper_state(names[i])).collect();
    let memory_z: Vec<Block> = match z {
        None => Vec::new(),
        Some(_) => (0..remembered).map(|i| p.lower_state(&format!("{}_z", names[i]))).collect(),
    };
    let numbers = Number::NAMES.map(|name| p.scalar(name));
    let unbiased = [numbers[Number::First as usize], numbers[Number::Second as usize]];
    let step_x = StepSize::from(numbers[Number::X as usize]);
    let step_z = StepSize::from(numbers[Number::Z as usize]);

    let memory_nodes: Vec<NodeId> = memory_x.iter().chain(&memory_z).flat_map(|b| b.nodes.iter().copied()).collect();

    let (direction, next_memory_x) = directions(&mut p, &g_x, &memory_x, unbiased);
    let moved = p.descend(&x, &step_x, &direction);
    let x_new = p.project_upper(&moved, "x+");
    let mut parts: Vec<(Block, Block, Start)> =
        vec![(x.clone(), x_new.clone(), Start::Variable(0)), (y.clone(), y.clone(), Start::Variable(x.nodes.len()))];
    let mut signals = signals(&mut p, &x, &x_new, &g_x, Wrt::X);
    let lower_start = Start::Variable(x.nodes.len());
    let memory = |parts: &mut Vec<(Block, Block, Start)>, old: Vec<Block>, new: Vec<Block>| {
        parts.extend(old.into_iter().zip(new).map(|(old, new)| (old, new, Start::Zero)));
    };
    let mut slope: Vec<NodeId> = g_x.nodes.clone();
    let mut auxiliary = Vec::new();
    if let (Some(z), Some(g_z)) = (&z, &g_z) {
        let (direction, next_memory_z) = directions(&mut p, g_z, &memory_z, unbiased);
        let moved = p.descend(z, &step_z, &direction);
        let z_new = p.project_lower(&moved, "z+");
        let of_z = self::signals(&mut p, z, &z_new, g_z, Wrt::Y);
        signals = std::array::from_fn(|i| p.graph.add(signals[i], of_z[i]));
        parts.push((z.clone(), z_new, lower_start));
        memory(&mut parts, memory_z, next_memory_z);
        slope.extend(&g_z.nodes);
        auxiliary = z.nodes.iter().map(|n| p.position(*n)).collect();
    }
    memory(&mut parts, memory_x, next_memory_x);
    let mut outputs: Vec<NodeId> = parts.iter().flat_map(|(_, new, _)| new.nodes.iter().copied()).collect();
    outputs.extend(signals);
    let counts = p.counts;
    let step = p.function(settings.method.name, &outputs);
    let report = report(&mut p, &x, &y, &g_x, z.as_ref().zip(g_z.as_ref()));

    let mut state = Vec::new();
    for (block, _, start) in &parts {
        for (i, node) in block.nodes.iter().enumerate() {
            let input = p.position(*node);
            let start = match start {
                Start::Variable(first) => Start::Variable(first + i),
                Start::Zero => Start::Zero,
            };
            let formal = &step.inputs[input];
            state.push(State { name: formal.name.clone(), input, shape: formal.shape.clone(), start });
        }
    }
    let position = |nodes: &[NodeId]| nodes.iter().map(|n| p.position(*n)).collect::<Vec<_>>();
    let layout = Layout {
        upper: position(&x.nodes),
        lower: position(&y.nodes),
        auxiliary,
        slope: position(&slope),
        memory: position(&memory_nodes),
    };
    let parameters = layout.slope.iter().map(|i| Parameter { name: step.inputs[*i].name.clone(), input: *i });
    let scalars = Number::NAMES.iter().zip(numbers).map(|(name, node)| Scalar {
        name: (*name).to_string(),
        input: p.position(node),
        value: Schedule::Constant(1.0),
    });
    let (parameters, scalars) = (parameters.collect(), scalars.collect());
    (Iteration { step, state, parameters, scalars, report, counts }, layout)
}

/// The update rule's direction at a point, and its memory's next values.
fn directions(
    p: &mut FirstOrder<'_>,
    gradient: &Block,
    memory: &[Block],
    unbiased: [NodeId; 2],
) -> (Vec<Option<NodeId>>, Vec<Block>) {
    let mut direction = Vec::new();
    let mut next: Vec<Vec<NodeId>> = vec![Vec::new(); memory.len()];
    for (i, gradient) in gradient.nodes.iter().enumerate() {
        let remembered: Vec<NodeId> = memory.iter().map(|b| b.nodes[i]).collect();
        let found = upper_update::direction(p, *gradient, &remembered, unbiased);
        direction.push(Some(found.node));
        next.iter_mut().zip(found.memory).for_each(|(next, m)| next.push(m));
    }
    let blocks = next.into_iter().zip(memory);
    (direction, blocks.map(|(nodes, old)| Block { name: format!("{}+", old.name), nodes }).collect())
}

/// See [`Signal`].
fn signals(p: &mut FirstOrder<'_>, u: &Block, u_new: &Block, gradient: &Block, level: Wrt) -> [NodeId; 3] {
    let residual = residual_squared(p, u, gradient, level);
    let moved = p.difference(u_new, u);
    let along: Vec<Option<NodeId>> = gradient.nodes.iter().map(|n| Some(*n)).collect();
    [residual, p.dot(&along, &moved), p.norm_squared(&moved)]
}

/// `|u - Proj(u - G)|^2`
fn residual_squared(p: &mut FirstOrder<'_>, u: &Block, gradient: &Block, level: Wrt) -> NodeId {
    let one = StepSize::from(p.graph.constant(1.0));
    let along: Vec<Option<NodeId>> = gradient.nodes.iter().map(|n| Some(*n)).collect();
    let moved = p.descend(u, &one, &along);
    let moved = match level {
        Wrt::X => p.project_upper(&moved, "x - G"),
        Wrt::Y => p.project_lower(&moved, "z - G_z"),
    };
    let away = p.difference(u, &moved);
    p.norm_squared(&away)
}

/// Objectives and residuals of the true problem at (x, y). Stationarity is the projected hypergradient's length; the
/// method's own counts z too.
fn report(p: &mut FirstOrder<'_>, x: &Block, y: &Block, g_x: &Block, z: Option<(&Block, &Block)>) -> Function {
    let of_x = residual_squared(p, x, g_x, Wrt::X);
    let all = match z {
        None => of_x,
        Some((z, g_z)) => {
            let of_z = residual_squared(p, z, g_z, Wrt::Y);
            p.graph.add(of_x, of_z)
        }
    };
    let [upper_residual, method_residual] =
        [of_x, all].map(|squares| p.graph.elementwise(elementwise::SQRT, &[squares]));
    let [big_f, f, g] = [Part::Upper, Part::Smooth, Part::Proximal].map(|part| p.value(part, x, y));
    let lower_residual = residual::lower(p, x, y);
    let upper_slope = residual::upper_slope(p, x, y);
    let gap = p.graph.constant(f64::NAN);
    p.function("report", &[big_f, f, g, lower_residual, upper_residual, method_residual, gap, upper_slope])
}

#[cfg(test)]
mod tests;
