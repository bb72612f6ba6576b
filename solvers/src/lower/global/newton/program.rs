//! The rounded lower objective as programs: its value with its gradient, and its Hessian.

use blo_engine::calculus::rounded;
use blo_engine::diff::{hvp, reverse};
use blo_engine::graph::{Function, NodeId};
use blo_engine::model::Bindings;
use blo_engine::model::problem::{LevelId, Problem};
use blo_grammar::diagnostic::Diagnostic;

use super::super::OVERHEAD;
use crate::formula::bound_program::BoundProgram;
use crate::formula::problem_graph::{Direction, ProblemGraph};

/// Outputs of the value program before the gradient.
const NUMBERS: usize = 3;

/// A point with what is known of f there.
#[derive(Clone, Debug)]
pub(super) struct Point {
    /// All entries, `[m]`.
    pub(super) y: Vec<f64>,
    /// f with its kinks rounded by the present radius.
    pub(super) smooth: f64,
    /// f.
    pub(super) exact: f64,
    /// The largest distance of a kink's operand from it.
    pub(super) distance: f64,
    /// The gradient of the rounded f, `[m]`.
    pub(super) gradient: Vec<f64>,
}

impl Point {
    /// What the rounding adds to f.
    pub(super) fn gap(&self) -> f64 {
        (self.smooth - self.exact).abs()
    }
}

/// The rounded lower objective on its data. The radius is an input, so that one compilation serves all radii.
pub(super) struct RoundedObjective {
    values: BoundProgram<f64>,
    /// The Hessian times a vector; what does not depend on the vector is computed once per Hessian.
    product: BoundProgram<f64>,
    upper: Vec<usize>,
    lower: Vec<usize>,
    lengths: Vec<usize>,
    radius: usize,
    vector: Vec<usize>,
    pub(super) radius_now: f64,
    /// The cost of all evaluations so far, in flops.
    pub(super) spent: f64,
    /// Runs of a program so far.
    pub(super) runs: u64,
}

impl RoundedObjective {
    /// `None` where f has no kink that can be rounded.
    ///
    /// # Errors
    /// When the memory cannot be allocated.
    pub(super) fn new(
        problem: &Problem,
        data: &Bindings,
        threads: u64,
    ) -> Result<Option<RoundedObjective>, Box<Diagnostic>> {
        let Some(smooth) = rounded(&problem.lower().objective) else { return Ok(None) };
        RoundedObjective::of(&smooth, problem, data, threads).map(Some)
    }

    /// Of an f without kinks: the radius has no influence.
    ///
    /// # Errors
    /// When the memory cannot be allocated.
    pub(super) fn of_smooth(
        problem: &Problem,
        data: &Bindings,
        threads: u64,
    ) -> Result<RoundedObjective, Box<Diagnostic>> {
        let mut p = ProblemGraph::new(problem);
        let (x, y) = (p.x(), p.y());
        let value = p.at(&problem.lower().objective, &x, &y)[0];
        let distance = p.graph.constant(0.0);
        p.scalar("radius");
        let smooth = p.function("f", &[value, distance]);
        RoundedObjective::of(&smooth, problem, data, threads)
    }

    fn of(
        smooth: &Function,
        problem: &Problem,
        data: &Bindings,
        threads: u64,
    ) -> Result<RoundedObjective, Box<Diagnostic>> {
        let (values, radius) = values(problem, smooth);
        let values = BoundProgram::new(&values, problem, data, threads)?;
        let (product, vector) = product(problem, smooth);
        let (upper, lower) = (problem.upper_inputs(), problem.lower_inputs());
        let kept: Vec<usize> = upper.iter().chain(&lower).copied().chain([radius]).collect();
        let product = BoundProgram::repeated(&product, problem, data, threads, &[], &kept)?;
        let lengths = lower.iter().map(|i| values.input(*i).len()).collect();
        Ok(RoundedObjective {
            values,
            product,
            upper,
            lower,
            lengths,
            radius,
            vector,
            radius_now: f64::NAN,
            spent: 0.0,
            runs: 0,
        })
    }

    /// Entries of each lower variable.
    pub(super) fn lengths(&self) -> &[usize] {
        &self.lengths
    }

    pub(super) fn set_x(&mut self, x: &[Vec<f64>]) {
        for (input, values) in self.upper.iter().zip(x) {
            self.values.set(*input, values);
            self.product.set(*input, values);
        }
    }

    pub(super) fn set_radius(&mut self, radius: f64) {
        self.radius_now = radius;
        self.values.set_scalar(self.radius, radius);
        self.product.set_scalar(self.radius, radius);
    }

    /// f at a point; `None` where it has no value or no slope, or where the work is to stop.
    pub(super) fn at(&mut self, y: Vec<f64>) -> Option<Point> {
        set(&mut self.values, &self.lower, &self.lengths, &y);
        self.values.run();
        self.runs += 1;
        self.spent += self.values.flops() as f64 + OVERHEAD;
        let [smooth, exact, distance] = std::array::from_fn(|i| self.values.scalar(i));
        let parts = 0..self.lower.len();
        let gradient: Vec<f64> = parts.flat_map(|i| self.values.output(NUMBERS + i).iter().copied()).collect();
        let known = !self.values.is_stopped() && smooth.is_finite() && exact.is_finite();
        (known && gradient.iter().all(|g| g.is_finite())).then_some(Point { y, smooth, exact, distance, gradient })
    }

    /// The Hessian of the rounded f, `[m, m]` by rows: one product per entry. `None` where it is not finite.
    pub(super) fn hessian(&mut self, y: &[f64]) -> Option<Vec<f64>> {
        let m = y.len();
        set(&mut self.product, &self.lower, &self.lengths, y);
        self.product.refresh();
        // what products share is about what a gradient takes
        self.spent += self.values.flops() as f64 + m as f64 * (self.product.flops() as f64 + OVERHEAD);
        self.runs += m as u64;
        let mut rows = Vec::with_capacity(m * m);
        let mut unit = vec![0.0; m];
        for i in 0..m {
            unit[i] = 1.0;
            set(&mut self.product, &self.vector, &self.lengths, &unit);
            unit[i] = 0.0;
            self.product.run();
            rows.extend((0..self.lower.len()).flat_map(|k| self.product.output(k).iter().copied()));
        }
        (!self.product.is_stopped() && rows.iter().all(|h: &f64| h.is_finite())).then_some(rows)
    }

    /// An array per lower variable.
    pub(super) fn split(&self, mut y: &[f64]) -> Vec<Vec<f64>> {
        let part = |length: &usize| {
            let (part, rest) = y.split_at(*length);
            y = rest;
            part.to_vec()
        };
        self.lengths.iter().map(part).collect()
    }
}

fn set(program: &mut BoundProgram<f64>, inputs: &[usize], lengths: &[usize], mut entries: &[f64]) {
    for (input, length) in inputs.iter().zip(lengths) {
        let (part, rest) = entries.split_at(*length);
        program.set(*input, part);
        entries = rest;
    }
}

/// The rounded f, f, the distance from the kinks, and the gradient of the rounded f in y; with the input of the radius.
fn values(problem: &Problem, smooth: &Function) -> (Function, usize) {
    let mut p = ProblemGraph::new(problem);
    let (x, y) = (p.x(), p.y());
    let radius = p.scalar("radius");
    let args = arguments(smooth, radius);
    let [value, distance] = smooth.instantiate(&mut p.graph, &args)[..] else {
        unreachable!("an objective has one output, and rounding adds one")
    };
    let exact = p.at(&problem.lower().objective, &x, &y)[0];
    let (places, formals) = places(problem, smooth);
    let slope = reverse::gradient(smooth, &formals).instantiate(&mut p.graph, &args);
    let mut gradient: Direction = vec![None; y.nodes.len()];
    places.into_iter().zip(slope).for_each(|(i, node)| gradient[i] = Some(node));
    let mut outputs = vec![value, exact, distance];
    outputs.extend(gradient.into_iter().zip(&y.nodes).map(|(d, y)| p.or_zero(d, *y)).collect::<Vec<_>>());
    (p.function("f without kinks", &outputs), p.position(radius))
}

/// The Hessian of the rounded f in y times a vector; with the inputs of the vector. The radius stands where [`values`] has
/// it.
fn product(problem: &Problem, smooth: &Function) -> (Function, Vec<usize>) {
    let mut p = ProblemGraph::new(problem);
    let y = p.y();
    let radius = p.scalar("radius");
    let v = p.point("v", LevelId::LOWER);
    let (places, formals) = places(problem, smooth);
    let mut args = arguments(smooth, radius);
    args.extend(places.iter().map(|i| v.nodes[*i]));
    let nodes = hvp(smooth, &formals).instantiate(&mut p.graph, &args);
    let mut image: Direction = vec![None; y.nodes.len()];
    places.into_iter().zip(nodes).for_each(|(i, node)| image[i] = Some(node));
    let outputs: Vec<NodeId> = image.into_iter().zip(&y.nodes).map(|(d, y)| p.or_zero(d, *y)).collect();
    (p.function("Hessian of f without kinks", &outputs), p.positions(&v))
}

/// The formals, and the radius at the end.
fn arguments(smooth: &Function, radius: NodeId) -> Vec<NodeId> {
    (0..smooth.inputs.len() - 1).map(|i| NodeId(i as u32)).chain([radius]).collect()
}

/// The lower variables that f depends on, and their formals.
fn places(problem: &Problem, smooth: &Function) -> (Vec<usize>, Vec<usize>) {
    let lower = problem.lower().variables.iter().map(|v| v.formal).enumerate();
    lower.filter(|(_, formal)| smooth.depends_on(*formal)).unzip()
}
