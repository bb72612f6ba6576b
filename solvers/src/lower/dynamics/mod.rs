//! Lower-level dynamics: what one step towards the lower solution is, as a graph, and the numbers of the k-th one. A
//! dynamics is one file and its line in the table; how many steps there are, where they start and how they are
//! differentiated is said elsewhere, so any of them goes with any.

use blo_engine::graph::{Function, NodeId};
use blo_engine::model::problem::Problem;

use crate::formula::problem_graph::{Block, ProblemGraph};
use crate::iteration::counts::Counts;
use crate::options::settings::Settings;
use crate::options::value::Value;

pub(crate) use gradient::lower_step;

mod aggregate;
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
    /// The scalars of step `k`, counted from 1, in the order of [`Parts::scalars`]. The number is 1 before the first step
    /// and carried from step to step, for rules that are recursions.
    numbers: fn(&Settings, &Sizes, u64, &mut f64, &mut [f64]),
}

/// All dynamics, in the order in which messages list them.
pub(crate) static DYNAMICS: &[Dynamics] =
    &[gradient::GRADIENT, nesterov::NESTEROV, aggregate::AGGREGATE, averaging::AVERAGING];

/// Dynamics by name.
pub(crate) fn by_name(name: &str) -> &'static Dynamics {
    let found = DYNAMICS.iter().find(|d| d.name == name);
    found.unwrap_or_else(|| unreachable!("`{name}` is not among the words of the option `dynamics`"))
}

/// What an entry adds to the graph.
struct Parts {
    /// y+, then the memory's next values.
    next: Vec<Block>,
    /// What a step remembers beside y; starts where y does.
    memory: Vec<Block>,
    /// Numbers that differ from step to step.
    scalars: Vec<NodeId>,
}

/// Step sizes for a problem at a point, for those that are not stated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Sizes {
    /// On the lower objective: one over the largest curvature of f in y.
    pub(crate) lower: f64,
    /// On the upper objective in y: `2/(L_F + sigma_F)`, of the extreme curvatures of F in y; `1/L_F` where F is not
    /// strongly convex.
    pub(crate) upper: f64,
    /// How much a step of that size shrinks distances, `(L_F - sigma_F)/(L_F + sigma_F)`; 1 where F is not strongly
    /// convex.
    pub(crate) contraction: f64,
}

impl Default for Sizes {
    fn default() -> Sizes {
        Sizes { lower: 1.0, upper: 1.0, contraction: 1.0 }
    }
}

impl Sizes {
    /// The largest curvature of F that the sizes are for.
    pub(crate) fn curvature_of_upper(&self) -> f64 {
        if self.contraction < 1.0 { (1.0 + self.contraction) / self.upper } else { 1.0 / self.upper }
    }

    /// All of it, for a checkpoint.
    pub(crate) fn to_numbers(self) -> [f64; 3] {
        [self.lower, self.upper, self.contraction]
    }

    pub(crate) fn from_numbers([lower, upper, contraction]: [f64; 3]) -> Sizes {
        Sizes { lower, upper, contraction }
    }

    /// Values of the options that nobody has stated.
    pub(crate) fn chosen(&self) -> Vec<(&'static str, Value)> {
        let [lower, upper] = [self.lower, self.upper].map(Value::Number);
        vec![
            ("s_l", lower.clone()),
            ("t", lower),
            ("s_u", upper.clone()),
            ("s", upper),
            ("beta", Value::Number(self.contraction)),
            ("alpha", Value::Text("0.5/k, or by beta")),
            ("w", Value::Text("min(2/(k (1 - beta)), 1 - eps)")),
        ]
    }
}

/// One step as a function: inputs are the problem's formals, the memory and the scalars; outputs are y+ and the memory.
#[derive(Clone, Debug)]
pub(crate) struct LowerStep {
    pub(crate) function: Function,
    /// Inputs that become the outputs, in their order: one per lower variable, then as many per memory.
    pub(crate) state: Vec<usize>,
    /// Inputs that [`Dynamics::fill`] gives values to.
    pub(crate) scalars: Vec<usize>,
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
        LowerStep {
            function: p.function("lower step", &outputs),
            state: now.map(|n| p.position(*n)).collect(),
            scalars: parts.scalars.iter().map(|n| p.position(*n)).collect(),
            counts: p.counts,
        }
    }

    /// Writes the scalars of steps 1, 2, ..., a row of `width` each.
    pub(crate) fn fill(&self, settings: &Settings, sizes: &Sizes, width: usize, table: &mut [f64]) {
        let mut memo = 1.0;
        for (i, row) in table.chunks_exact_mut(width).enumerate() {
            (self.numbers)(settings, sizes, i as u64 + 1, &mut memo, row);
        }
    }

    /// The weight of F in step `k`, where steps do not depend on those before; where they leave F out, what it would be
    /// by the rule of Proposition 1.
    pub(crate) fn weight(&self, settings: &Settings, sizes: &Sizes, k: u64) -> f64 {
        let mut row = [0.0; 3];
        self.fill_one(settings, sizes, k, &mut row);
        if row[2] > 0.0 {
            row[2]
        } else {
            aggregate::proposition(settings, 1.0, aggregate::contraction(settings, sizes), k)
        }
    }

    /// Writes the scalars of step `k`, where steps do not depend on those before.
    pub(crate) fn fill_one(&self, settings: &Settings, sizes: &Sizes, k: u64, row: &mut [f64]) {
        (self.numbers)(settings, sizes, k, &mut 1.0, row);
    }
}

/// A stated schedule's value at `k`, or the automatic one.
fn number(settings: &Settings, name: &str, k: u64, automatic: f64) -> f64 {
    settings.stated(name).map_or(automatic, |s| s.at(k))
}
