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
use blo_engine::model::problem::{LevelId, Problem};
use blo_engine::model::{Bindings, has_tasks};
use blo_engine::program::Scalar;
use blo_grammar::diagnostic::Diagnostic;

use choice::{Axes, Choice};
use control::Descent;

use crate::formula::problem_graph::{Block, ProblemGraph, StartsAt};
use crate::formula::report::{self, Stationarity};
use crate::formula::step_size::StepSize;
use crate::formula::upper_update;
use crate::hypergradient;
use crate::hypergradient::Derivatives;
use crate::hypergradient::check::HypergradientCheck;
use crate::iteration::control::Control;
use crate::iteration::report::ReportFormula;
use crate::iteration::{Built, Clock, Iteration, Make};
use crate::method::batches::BatchUse;
use crate::method::{Composition, Method, StepsStart, TakesRows, Unfit};
use crate::options;
use crate::options::run_options::{Precision, RunOptions};
use crate::options::schedule::Schedule;
use crate::options::settings::Settings;
use crate::small::search::is_out_of_reach;

pub(super) mod bda;
pub(super) mod bigsam;
mod check;
mod choice;
mod control;
pub(super) mod iaptt;
pub(super) mod implicit;
mod simple_bilevel;
pub(super) mod unrolled;
mod values;

/// The implementation of every method of the family; the choices are options.
pub(super) struct Composed {
    /// Its estimator differentiates solutions of lower levels with rows.
    pub(super) of_rows: bool,
}

/// Where the control finds what it reads and writes.
#[derive(Clone, Debug)]
struct DescentInputs {
    /// Positions of the upper variables, the lower variables and z among the inputs; z is empty without an auxiliary.
    upper: Vec<usize>,
    lower: Vec<usize>,
    auxiliary: Vec<usize>,
    /// Positions of the hypergradient: in the upper variables, in z.
    slope: Vec<usize>,
    /// Positions of the multipliers of the lower level's rows.
    multipliers: Vec<usize>,
    /// Positions of what the update rule remembers, of the upper variables first.
    memory: Vec<usize>,
}

impl DescentInputs {
    /// Positions of what the update rule remembers of z.
    fn memory_of_z(&self) -> &[usize] {
        let both = self.upper.len() + self.auxiliary.len();
        &self.memory[self.memory.len() / both * self.upper.len()..]
    }
}

/// The numbers that the control sets in every iteration, in this order.
#[derive(Clone, Copy, Debug)]
enum DescentNumber {
    /// Step of x.
    X,
    /// Step of z.
    Z,
    /// Adam's corrections.
    First,
    Second,
}

impl DescentNumber {
    const NAMES: [&str; 4] = ["alpha_x", "alpha_z", "unbiased_m", "unbiased_v"];
}

/// What a step tells the control, in this order.
#[derive(Clone, Copy, Debug)]
enum DescentSignal {
    /// `|u - Proj(u - G)|^2` at the point that the step leaves, u = (x, z).
    Residual,
    /// `<G, u+ - u>`.
    Slope,
    /// `|u+ - u|^2`.
    Moved,
}

impl Method for Composed {
    fn check(&self, settings: &Settings) -> Vec<Diagnostic> {
        let axes = Axes::of(settings);
        let (steps, estimator) = (axes.dynamics, axes.estimator::<f64>());
        let all = hypergradient::table::<f64>();
        let mut found = Vec::new();
        if !estimator.explicit && !steps.lower_only {
            let because = "it assumes that the steps end at a minimizer of the lower level alone";
            let names: Vec<&str> = all.iter().filter(|e| e.explicit).map(|e| e.name).collect();
            let other = format!("`dynamics = {}`", steps.name);
            found.push(options::message::cannot_combine(settings.get("gradient"), &other, because, &names));
        }
        if axes.start == StepsStart::Auxiliary && !estimator.of_start {
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

    fn unfit(&self, problem: &Problem, settings: &Settings) -> Option<Unfit> {
        let axes = Axes::of(settings);
        let (steps, estimator) = (axes.dynamics, axes.estimator::<f64>());
        if problem.upper().variables.is_empty() && steps.lower_only {
            return Some(Unfit {
                what: "an upper level without variables",
                because: "its lower steps do not contain the upper objective, which then has no influence",
            });
        }
        let lower = problem.lower();
        if !lower.constraints.is_empty() && (is_out_of_reach(problem) || has_tasks(problem)) {
            return Some(Unfit {
                what: "rows of a lower level with kinks, followers, or a cone or an l1 ball",
                because: "it solves the KKT conditions of one smooth lower level",
            });
        }
        (!estimator.nonsmooth && !problem.lower_is_smooth()).then_some(Unfit {
            what: "a lower level with a proximal part or a set",
            because: "its Hessian is built from the gradient of f, which does not vanish at a solution there",
        })
    }

    fn second_derivatives(&self, _: &Problem, settings: &Settings) -> Derivatives {
        Axes::of(settings).estimator::<f64>().second_derivatives
    }

    /// The lower steps and the hypergradient of an upper step look at one batch, so that the hypergradient is that of a
    /// function.
    fn batches(&self, problem: &Problem) -> BatchUse {
        let beyond = problem.upper().variables.is_empty() || !problem.lower().constraints.is_empty();
        if beyond { BatchUse::Never } else { BatchUse::Stated(&["alpha_x"]) }
    }

    fn rows(&self, _: &Problem) -> TakesRows {
        TakesRows { lower: self.of_rows, ..TakesRows::default() }
    }

    fn build(&self, p: ProblemGraph<'_>, settings: &Settings) -> Built {
        if p.problem().upper().variables.is_empty() {
            return simple_bilevel::build(p, settings);
        }
        let axes = Axes::of(settings);
        let Choice { alpha_x, alpha_z, .. } = Choice::<f64>::of(settings);
        let (iteration, layout) = iteration(p, settings.method.name, axes, [alpha_x.clone(), alpha_z.or(alpha_x)]);
        let control = match RunOptions::of(settings).precision {
            Precision::Single => control::<f32>(Choice::of(settings), layout),
            Precision::Double => control::<f64>(Choice::of(settings), layout),
        };
        Built { iteration, control, most: None }
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

    fn programs(&self, problem: &Problem, settings: &Settings) -> Vec<Function> {
        if problem.upper().variables.is_empty() {
            return Vec::new();
        }
        let axes = Axes::of(settings);
        let lower = axes.dynamics.on(problem);
        let mut programs = vec![lower.function.clone()];
        programs.extend(axes.estimator::<f64>().programs(problem, &lower));
        programs
    }

    fn composition(&self, problem: &Problem, settings: &Settings) -> Option<Composition> {
        if problem.upper().variables.is_empty() {
            return None;
        }
        let axes = Axes::of(settings);
        let lower = axes.dynamics.on(problem);
        let outline = axes.estimator::<f64>().outline(problem, &lower, settings);
        Some(Composition { lower, steps: settings.integer("K"), start: axes.start, outline })
    }
}

/// Makes the control of a run in a working precision.
fn control<T: Scalar>(choice: Choice<T>, layout: DescentInputs) -> Make<dyn Control> {
    Box::new(move |context| Ok(Box::new(Descent::new(context, choice.clone(), layout.clone())?)))
}

/// The upper step, `x+ = Proj_X(x - alpha_x d)`, and `z+ = Proj_Y(z - alpha_z d_z)`, where d is what the update rule
/// makes of the hypergradient. y is carried along: the control writes the lower steps' end.
fn iteration(
    mut p: ProblemGraph<'_>,
    method: &str,
    axes: Axes,
    stated: [Option<Schedule>; 2],
) -> (Iteration, DescentInputs) {
    let (x, y) = (p.x(), p.y());
    let rows = (!p.problem().lower().constraints.is_empty()).then(|| p.multipliers());
    let has_auxiliary = axes.start == StepsStart::Auxiliary;
    let z = has_auxiliary.then(|| p.state("z", LevelId::LOWER, StartsAt::Variables));
    let g_x = p.parameter("G", LevelId::UPPER);
    let g_z = has_auxiliary.then(|| p.parameter("G_z", LevelId::LOWER));
    let names = axes.update.memory();
    let memory_x: Vec<Block> = names.iter().map(|name| p.state(name, LevelId::UPPER, StartsAt::Zero)).collect();
    let memory_z: Vec<Block> = match has_auxiliary {
        true => names.iter().map(|name| p.state(&format!("{name}_z"), LevelId::LOWER, StartsAt::Zero)).collect(),
        false => Vec::new(),
    };
    let stated = stated.into_iter().chain(upper_update::correction_schedules().map(Some));
    let mut stated = DescentNumber::NAMES.into_iter().zip(stated);
    let numbers = std::array::from_fn::<_, 4, _>(|_| {
        let (name, schedule) = stated.next().expect("a schedule per number, stated or not");
        p.number(name, schedule, Clock::Iteration)
    });
    let unbiased = [numbers[DescentNumber::First as usize], numbers[DescentNumber::Second as usize]];
    let step_x = StepSize::from(numbers[DescentNumber::X as usize]);
    let step_z = StepSize::from(numbers[DescentNumber::Z as usize]);

    let (direction, memory_x_new) = directions(&mut p, &g_x, &memory_x, unbiased);
    let moved = p.descend(&x, &step_x, &direction);
    let x_new = p.project_upper(&moved, "x+");
    let mut signals = signals(&mut p, &x, &x_new, &g_x, LevelId::UPPER);
    let mut writes = vec![(x.clone(), x_new), (y.clone(), y.clone())];
    writes.extend(rows.iter().map(|lam| (lam.clone(), lam.clone())));
    let mut slope = p.positions(&g_x);
    let memory: Vec<usize> = memory_x.iter().chain(&memory_z).flat_map(|b| p.positions(b)).collect();
    let auxiliary = z.as_ref().zip(g_z.as_ref());
    if let Some((z, g_z)) = auxiliary {
        let (direction, memory_z_new) = directions(&mut p, g_z, &memory_z, unbiased);
        let moved = p.descend(z, &step_z, &direction);
        let z_new = p.project_lower(&moved, "z+");
        let of_z = self::signals(&mut p, z, &z_new, g_z, LevelId::LOWER);
        signals = std::array::from_fn(|i| p.graph.add(signals[i], of_z[i]));
        writes.push((z.clone(), z_new));
        writes.extend(memory_z.into_iter().zip(memory_z_new));
        slope.extend(p.positions(g_z));
    }
    writes.extend(memory_x.into_iter().zip(memory_x_new));
    let writes: Vec<(&Block, &Block)> = writes.iter().map(|(now, next)| (now, next)).collect();
    let stage = p.stage(method, &writes, &signals);
    let report = report(&mut p, &x, &y, &g_x, auxiliary);
    let layout = DescentInputs {
        upper: p.positions(&x),
        lower: p.positions(&y),
        auxiliary: z.as_ref().map_or_else(Vec::new, |z| p.positions(z)),
        slope,
        multipliers: rows.map_or_else(Vec::new, |lam| p.positions(&lam)),
        memory,
    };
    (p.iteration(vec![stage], report), layout)
}

/// The update rule's direction at a point, and its memory's next values.
fn directions(
    p: &mut ProblemGraph<'_>,
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

/// See [`DescentSignal`].
fn signals(p: &mut ProblemGraph<'_>, u: &Block, u_new: &Block, gradient: &Block, level: LevelId) -> [NodeId; 3] {
    let residual = residual_squared(p, u, gradient, level);
    let moved = p.difference(u_new, u);
    let along: Vec<Option<NodeId>> = gradient.nodes.iter().map(|n| Some(*n)).collect();
    [residual, p.dot(&along, &moved), p.norm_squared(&moved)]
}

/// `|u - Proj(u - G)|^2`
fn residual_squared(p: &mut ProblemGraph<'_>, u: &Block, gradient: &Block, level: LevelId) -> NodeId {
    let one = StepSize::from(p.graph.constant(1.0));
    let along: Vec<Option<NodeId>> = gradient.nodes.iter().map(|n| Some(*n)).collect();
    let moved = p.descend(u, &one, &along);
    let moved =
        if level == LevelId::UPPER { p.project_upper(&moved, "x - G") } else { p.project_lower(&moved, "z - G_z") };
    let away = p.difference(u, &moved);
    p.norm_squared(&away)
}

/// Stationarity is the projected hypergradient's length; the method's own counts z too.
fn report(p: &mut ProblemGraph<'_>, x: &Block, y: &Block, g_x: &Block, z: Option<(&Block, &Block)>) -> ReportFormula {
    let of_x = residual_squared(p, x, g_x, LevelId::UPPER);
    let all = match z {
        None => of_x,
        Some((z, g_z)) => {
            let of_z = residual_squared(p, z, g_z, LevelId::LOWER);
            p.graph.add(of_x, of_z)
        }
    };
    let residual = |p: &mut ProblemGraph<'_>, squares| p.graph.elementwise(elementwise::SQRT, &[squares]);
    // The hypergradient of a batch says nothing of stationarity on all rows.
    let measured = !p.has_batches();
    let [upper, method] = [of_x, all].map(|squares| measured.then(|| residual(p, squares)));
    report::standard(p, x, y, Stationarity { upper, method, gap: None })
}

#[cfg(test)]
mod tests;
