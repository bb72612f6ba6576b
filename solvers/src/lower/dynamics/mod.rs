//! Lower-level dynamics: what one step towards the lower solution is, as a graph, and the numbers of the k-th step. A
//! dynamics is one file and its line in the table; its file alone names its options. How many steps there are, where they
//! start and how they are differentiated is said elsewhere, so that each dynamics combines with each of those.

use std::rc::Rc;

use blo_engine::graph::{Function, NodeId};
use blo_engine::model::problem::Problem;

use crate::formula::problem_graph::{Block, ProblemGraph};
use crate::iteration::counts::Counts;
use crate::lower::step_sizes::{EstimatedSteps, Wanted};
use crate::options::schedule::Schedule;
use crate::options::settings::Settings;
use crate::options::value::Value;

pub(crate) use gradient::lower_step;

mod aggregate;
mod average;
mod averaging;
mod gradient;
mod nesterov;

/// An entry of the table.
pub(crate) struct Dynamics {
    /// Its name as the value of the option `dynamics`.
    pub(crate) name: &'static str,
    /// The steps lead to a minimizer of the lower level, chosen without the upper one: what implicit hypergradients
    /// assume.
    pub(crate) lower_only: bool,
    /// One step from y.
    step: fn(&mut ProblemGraph<'_>) -> Parts,
    /// Reads its options.
    rule: fn(&Settings) -> Box<dyn StepRule>,
    /// Values of its options that nobody states, for results.
    automatic: fn(&EstimatedSteps) -> Vec<(&'static str, Value)>,
}

/// All dynamics, in the order in which messages list them.
pub(crate) static DYNAMICS: &[Dynamics] =
    &[gradient::GRADIENT, nesterov::NESTEROV, aggregate::AGGREGATE, averaging::AVERAGING];

/// Dynamics by name.
pub(crate) fn by_name(name: &str) -> &'static Dynamics {
    let found = DYNAMICS.iter().find(|d| d.name == name);
    found.unwrap_or_else(|| unreachable!("`{name}` is not among the words of the option `dynamics`"))
}

/// Values of the options of all dynamics that nobody states: a method may offer several dynamics.
pub(crate) fn automatic(sizes: &EstimatedSteps) -> Vec<(&'static str, Value)> {
    DYNAMICS.iter().flat_map(|d| (d.automatic)(sizes)).collect()
}

/// The options of a dynamics, read once: the numbers of its steps.
pub(crate) trait StepRule {
    /// The step sizes that no option states.
    fn wanted(&self) -> Wanted;

    /// Writes the scalars of step `k`, counted from 1, in the order of [`LowerStep::scalars`]. `carried` is
    /// [`FIRST_CARRIED`] before the first step and passed from step to step, for rules that are recursions. The same
    /// arguments give the same bits: a step that runs again asks again.
    fn scalars(&self, sizes: &EstimatedSteps, k: u64, carried: &mut f64, row: &mut [f64]);

    /// A positive weight of the upper objective in step `k`: the step's own, or a typical one where that step leaves F
    /// out. `None` for dynamics that follow the lower level alone.
    fn weight(&self, _: &EstimatedSteps, _: u64) -> Option<f64> {
        None
    }
}

/// What a rule carries before the first step.
pub(crate) const FIRST_CARRIED: f64 = 1.0;

/// What an entry adds to the graph.
struct Parts {
    /// y+, then the memory's next values.
    next: Vec<Block>,
    /// What a step remembers beside y; starts where y does.
    memory: Vec<Block>,
    /// Numbers that differ from step to step.
    scalars: Vec<NodeId>,
    /// The one that is the step size on the lower objective.
    lower_step: NodeId,
    /// The one that is the weight of the upper objective, if it has one.
    weight: Option<NodeId>,
}

/// One step as a function: inputs are the problem's formals, the memory and the scalars; outputs are y+ and the memory.
#[derive(Clone, Debug)]
pub(crate) struct LowerStep {
    pub(crate) function: Function,
    /// Inputs that become the outputs, in their order: one per lower variable, then as many per memory.
    pub(crate) state: Vec<usize>,
    /// Inputs that [`StepRule::scalars`] gives values to.
    pub(crate) scalars: Vec<usize>,
    /// The place among the scalars of the step size on the lower objective.
    pub(crate) lower_step: usize,
    /// The input that is the weight of the upper objective, if there is one.
    pub(crate) weight: Option<usize>,
    /// Evaluations in a step.
    pub(crate) counts: Counts,
}

impl Dynamics {
    /// The step on a problem.
    pub(crate) fn on(&self, problem: &Problem) -> LowerStep {
        let mut p = ProblemGraph::new(problem);
        let y = p.y();
        let parts = (self.step)(&mut p);
        let outputs: Vec<NodeId> = parts.next.iter().flat_map(|b| b.nodes.iter().copied()).collect();
        let now = std::iter::once(&y).chain(&parts.memory).flat_map(|b| b.nodes.iter());
        let place = parts.scalars.iter().position(|n| *n == parts.lower_step);
        LowerStep {
            function: p.function("lower step", &outputs),
            state: now.map(|n| p.position(*n)).collect(),
            scalars: parts.scalars.iter().map(|n| p.position(*n)).collect(),
            lower_step: place.expect("the step size is one of the scalars"),
            weight: parts.weight.map(|n| p.position(n)),
            counts: p.counts,
        }
    }

    /// The numbers of its steps, by its options.
    pub(crate) fn rule(&self, settings: &Settings) -> Rc<dyn StepRule> {
        (self.rule)(settings).into()
    }
}

/// A stated schedule's value at `k`, or the automatic one.
fn at(stated: &Option<Schedule>, k: u64, automatic: f64) -> f64 {
    stated.as_ref().map_or(automatic, |s| s.at(k))
}
