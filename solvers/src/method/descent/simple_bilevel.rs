//! A problem without upper variables, a simple bilevel problem: among the minimizers of the lower level the one with the
//! least upper objective. Dynamics that contain F find it by themselves; an iteration is one of their steps.

use blo_engine::elementwise;
use blo_engine::graph::NodeId;
use blo_engine::model::Bindings;
use blo_engine::model::problem::Problem;
use blo_grammar::diagnostic::Diagnostic;

use crate::formula::bound_program::Rows;
use crate::formula::problem_graph::{Block, Counts, FirstOrder, Part};
use crate::formula::residual;
use crate::iteration::control::{Control, Iterate, NextState, Verdict};
use crate::iteration::{Iteration, Scalar, Start, State};
use crate::lower::dynamics::{self, Dynamics, Sizes};
use crate::lower::step_sizes::{Estimates, Known};
use crate::options::schedule::Schedule;
use crate::options::settings::Settings;
use crate::options::value::Value;

/// One step of the dynamics.
pub(super) fn iteration(problem: &Problem, settings: &Settings) -> Iteration {
    let lower = dynamics::by_name(settings.word("dynamics")).on(problem);
    // Objectives and residuals of the true problem, and, in the place of stationarity, `|y - y+|/w` with w the weight of
    // the upper step, which is `|F_y + lambda f_y|` with the dynamics' own multiplier lambda of the lower level's
    // optimality. A step whose weight is zero says nothing of F, so the measure has a weight of its own.
    let mut p = FirstOrder::new(problem);
    let (x, y) = (p.x(), p.y());
    let numbers: Vec<_> = lower.scalars.iter().map(|i| p.scalar(&lower.function.inputs[*i].name)).collect();
    let weight = p.scalar("w of the residual");
    let inputs: Vec<NodeId> = (0..lower.function.inputs.len()).map(|i| NodeId(i as u32)).collect();
    let step = lower.function.instantiate(&mut p.graph, &inputs);
    let step = p.function(settings.method.name, &step);
    let mut measured = inputs;
    let last = *lower.scalars.last().expect("dynamics with F have a weight");
    measured[last] = weight;
    let next = lower.function.instantiate(&mut p.graph, &measured);
    let next = Block { name: "y+".to_string(), nodes: next };
    let moved = p.difference(&y, &next);
    let squares = p.norm_squared(&moved);
    let moved = p.graph.elementwise(elementwise::SQRT, &[squares]);
    let stationarity = p.graph.div(moved, weight);
    let part = |(output, input): (usize, &usize)| State {
        name: step.inputs[*input].name.clone(),
        input: *input,
        shape: step.inputs[*input].shape.clone(),
        start: Start::Variable(output % problem.lower().variables.len()),
    };
    let scalar = |node: &NodeId| {
        let input = p.position(*node);
        Scalar { name: step.inputs[input].name.clone(), input, value: Schedule::Constant(1.0) }
    };
    let scalars: Vec<Scalar> = numbers.iter().chain([&weight]).map(scalar).collect();
    let state = lower.state.iter().enumerate().map(part).collect();
    let [big_f, f, g] = [Part::Upper, Part::Smooth, Part::Proximal].map(|part| p.value(part, &x, &y));
    let lower_residual = residual::lower(&mut p, &x, &y);
    let upper_slope = residual::upper_slope(&mut p, &x, &y);
    let gap = p.graph.constant(f64::NAN);
    let outputs = [big_f, f, g, lower_residual, stationarity, stationarity, gap, upper_slope];
    let report = p.function("report", &outputs);
    Iteration { state, scalars, parameters: Vec::new(), report, counts: lower.counts, step }
}

/// Gives every step its numbers.
pub(super) struct Averaged {
    dynamics: &'static Dynamics,
    settings: Settings,
    estimates: Estimates,
    sizes: Sizes,
}

impl Averaged {
    pub(super) fn new(problem: &Problem, data: &Bindings, settings: &Settings) -> Result<Averaged, Box<Diagnostic>> {
        Ok(Averaged {
            dynamics: dynamics::by_name(settings.word("dynamics")),
            settings: settings.clone(),
            estimates: Estimates::new(problem, data, settings)?,
            sizes: Sizes::default(),
        })
    }
}

impl Control for Averaged {
    fn begin(&mut self, iterate: &mut dyn Iterate) {
        self.sizes = self.estimates.at(Known::Nothing, &mut |input, values| iterate.read(input, values));
    }

    fn scalars(&mut self, k: u64, values: &mut [f64]) {
        let (weight, numbers) = values.split_last_mut().expect("the iteration has them");
        self.dynamics.fill_one(&self.settings, &self.sizes, k, numbers);
        *weight = self.dynamics.weight(&self.settings, &self.sizes, k);
    }

    fn judge(&mut self, _: u64, _: &[f64], _: &dyn NextState) -> Verdict {
        Verdict::Accept
    }

    fn select(&mut self, rows: &Rows) -> Result<(), Box<Diagnostic>> {
        self.estimates.select(rows)
    }

    fn counts(&self) -> Counts {
        self.estimates.counts()
    }

    fn chosen(&self) -> Vec<(&'static str, Value)> {
        let mut chosen = self.sizes.chosen();
        chosen.push(("alpha_x", Value::Text("not used: nothing to choose above")));
        chosen
    }

    fn save(&self) -> Vec<f64> {
        self.sizes.to_numbers().to_vec()
    }

    fn load(&mut self, saved: &[f64], _: &mut dyn Iterate) {
        self.sizes = Sizes::from_numbers(saved.try_into().expect("`save` wrote this many"));
    }
}
