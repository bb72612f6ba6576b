//! A problem without upper variables, a simple bilevel problem: among the minimizers of the lower level the one with the
//! least upper objective. Dynamics that contain F find it by themselves; an iteration is one of their steps.

use blo_engine::elementwise;
use blo_engine::graph::NodeId;
use blo_engine::model::Bindings;
use blo_engine::model::problem::Problem;
use blo_grammar::diagnostic::Diagnostic;

use crate::formula::problem_graph::{Block, ProblemGraph};
use crate::formula::report::{self, Stationarity};
use crate::iteration::Rows;
use crate::iteration::control::{Control, Iterate};
use crate::iteration::counts::Counts;
use crate::iteration::{Built, Clock, Context, Stage, memory};
use crate::lower::dynamics::{self, Dynamics, Sizes};
use crate::lower::step_sizes::{Estimates, Known};
use crate::options::settings::Settings;
use crate::options::value::Value;

/// One step of the dynamics.
pub(super) fn build(mut p: ProblemGraph<'_>, settings: &Settings) -> Built {
    let problem = p.problem();
    let lower = dynamics::by_name(settings.word("dynamics")).on(problem);
    // In the place of stationarity `|y - y+|/w` with w the weight of the upper step, which is `|F_y + lambda f_y|` with the
    // dynamics' own multiplier lambda of the lower level's optimality. A step whose weight is zero says nothing of F, so the
    // measure has a weight of its own.
    let (x, y) = (p.x(), p.y());
    for input in &lower.scalars {
        p.number(&lower.function.inputs[*input].name, None, Clock::Iteration);
    }
    let weight = p.number("w of the residual", None, Clock::Iteration);
    let inputs: Vec<NodeId> = (0..lower.function.inputs.len()).map(|i| NodeId(i as u32)).collect();
    let y_new = Block { name: "y+".to_string(), nodes: lower.function.instantiate(&mut p.graph, &inputs) };
    let stage = Stage { counts: lower.counts, ..p.stage(settings.method.name, &[(&y, &y_new)], &[]) };
    let mut measured = inputs;
    let last = *lower.scalars.last().expect("dynamics with F have a weight");
    measured[last] = weight;
    let next = Block { name: "y+".to_string(), nodes: lower.function.instantiate(&mut p.graph, &measured) };
    let moved = p.difference(&y, &next);
    let squares = p.norm_squared(&moved);
    let moved = p.graph.elementwise(elementwise::SQRT, &[squares]);
    let stationarity = Some(p.graph.div(moved, weight));
    let own = Stationarity { upper: stationarity, method: stationarity, gap: None };
    let report = report::standard(&mut p, &x, &y, own);
    let iteration = p.iteration(vec![stage], report);
    let settings = settings.clone();
    let control = move |context: &Context<'_>| {
        Ok(Box::new(Averaged::new(context.problem, context.data, &settings)?) as Box<dyn Control>)
    };
    Built { iteration, control: Box::new(control) }
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

    fn save(&self) -> Vec<u8> {
        memory::pack(&self.sizes.to_numbers())
    }

    fn load(&mut self, saved: &[u8], _: &mut dyn Iterate) {
        self.sizes = Sizes::from_numbers(memory::unpack(saved));
    }
}
