//! A problem without upper variables, a simple bilevel problem: among the minimizers of the lower level the one with the
//! least upper objective. Dynamics that contain F find it by themselves; an iteration is one of their steps.

use std::rc::Rc;

use blo_engine::elementwise;
use blo_engine::graph::NodeId;
use blo_grammar::diagnostic::Diagnostic;

use crate::formula::problem_graph::{Block, ProblemGraph};
use crate::formula::report::{self, Stationarity};
use crate::iteration::Rows;
use crate::iteration::control::{Control, Iterate};
use crate::iteration::counts::Counts;
use crate::iteration::{Built, Clock, Context, Stage, memory};
use crate::lower::dynamics::{self, StepRule};
use crate::lower::step_sizes::{EstimatedSteps, LowerStepSizes, PointKind};
use crate::method::descent::choice::Axes;
use crate::options::settings::Settings;
use crate::options::value::Value;

/// One step of the dynamics.
pub(super) fn build(mut p: ProblemGraph<'_>, settings: &Settings) -> Built {
    let problem = p.problem();
    let dynamics = Axes::of(settings).dynamics;
    let lower = dynamics.on(problem);
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
    measured[lower.weight.expect("dynamics with F have a weight")] = weight;
    let next = Block { name: "y+".to_string(), nodes: lower.function.instantiate(&mut p.graph, &measured) };
    let moved = p.difference(&y, &next);
    let squares = p.norm_squared(&moved);
    let moved = p.graph.elementwise(elementwise::SQRT, &[squares]);
    let stationarity = Some(p.graph.div(moved, weight));
    let own = Stationarity { upper: stationarity, method: stationarity, gap: None };
    let report = report::standard(&mut p, &x, &y, own);
    let iteration = p.iteration(vec![stage], report);
    let rule = dynamics.rule(settings);
    let control = move |context: &Context<'_>| Ok(Box::new(Averaged::new(context, rule.clone())?) as Box<dyn Control>);
    Built { iteration, control: Box::new(control), most: None }
}

/// Gives every step its numbers.
struct Averaged {
    rule: Rc<dyn StepRule>,
    step_sizes: LowerStepSizes,
    sizes: EstimatedSteps,
}

impl Averaged {
    fn new(context: &Context<'_>, rule: Rc<dyn StepRule>) -> Result<Averaged, Box<Diagnostic>> {
        let Context { problem, data, options } = *context;
        let step_sizes = LowerStepSizes::new(problem, data, rule.wanted(), options.threads, options.seed)?;
        Ok(Averaged { rule, step_sizes, sizes: EstimatedSteps::default() })
    }
}

impl Control for Averaged {
    fn begin(&mut self, iterate: &mut dyn Iterate) {
        self.sizes = self.step_sizes.at(PointKind::First, &mut |input, values| iterate.read(input, values));
    }

    fn scalars(&mut self, k: u64, values: &mut [f64]) {
        let (weight, numbers) = values.split_last_mut().expect("the iteration has them");
        let mut carried = dynamics::FIRST_CARRIED;
        self.rule.scalars(&self.sizes, k, &mut carried, numbers);
        *weight = self.rule.weight(&self.sizes, k).expect("dynamics with F have a weight");
    }

    fn select(&mut self, rows: &Rows) -> Result<(), Box<Diagnostic>> {
        self.step_sizes.select(rows)
    }

    fn counts(&self) -> Counts {
        self.step_sizes.counts()
    }

    fn chosen(&self) -> Vec<(&'static str, Value)> {
        let mut chosen = dynamics::automatic(&self.sizes);
        chosen.push(("alpha_x", Value::Text("not used: nothing to choose above")));
        chosen
    }

    fn save(&self, to: &mut Vec<u8>) {
        memory::pack(&self.sizes, to);
    }

    fn load(&mut self, saved: &[u8], _: &mut dyn Iterate) {
        self.sizes = memory::unpack(saved);
    }
}
