//! How steep the rows of `subject to` of the lower level are: the largest eigenvalue of `c_y'c_y` in a metric.

use blo_engine::diff::jvp;
use blo_engine::elementwise;
use blo_engine::graph::{Function, NodeId};
use blo_engine::model::Bindings;
use blo_engine::model::problem::{LevelId, Problem};
use blo_grammar::diagnostic::Diagnostic;

use super::{LowerArrays, fill};
use crate::formula::bound_program::BoundProgram;
use crate::formula::problem_graph::{Block, Direction, ProblemGraph};
use crate::iteration::Rows;

/// Power iterations per estimate. Every one starts at the same vector, so that estimates depend on the point alone.
const STEPS: usize = 12;
const STREAM: u64 = 0;

/// The compiled products.
pub(super) struct RowSlopes {
    program: BoundProgram<f64>,
    variables: Vec<usize>,
    vector: Vec<usize>,
    metric: Vec<usize>,
    start: LowerArrays,
}

impl RowSlopes {
    /// Compiles.
    ///
    /// # Errors
    /// When the memory cannot be allocated.
    pub(super) fn new(
        problem: &Problem,
        data: &Bindings,
        threads: u64,
        seed: u64,
    ) -> Result<RowSlopes, Box<Diagnostic>> {
        let mut p = ProblemGraph::new(problem);
        let (x, y) = (p.x(), p.y());
        let v = p.point("v", LevelId::LOWER);
        let metric = p.metric("P");
        let function = function(&mut p, (&x, &y), &v, &metric);
        let variables = [p.positions(&x), p.positions(&y)].concat();
        let program = BoundProgram::repeated(&function, problem, data, threads, &[], &variables)?;
        let vector = p.positions(&v);
        let mut start: LowerArrays = vector.iter().map(|input| vec![0.0; program.input(*input).len()]).collect();
        fill(seed, STREAM, &mut start);
        Ok(RowSlopes { program, variables, vector, metric: p.positions(&metric), start })
    }

    /// Moves to a point; the other programs of curvature take further inputs.
    pub(super) fn set(&mut self, input: usize, values: &[f64]) {
        if self.variables.contains(&input) {
            self.program.set(input, values);
        }
    }

    pub(super) fn select(&mut self, rows: &Rows) -> Result<(), Box<Diagnostic>> {
        self.program.select(rows)
    }

    /// The largest eigenvalue of `P^1/2 c_y'c_y P^1/2` at the point. May be NaN or infinite.
    pub(super) fn largest(&mut self, metric: &LowerArrays) -> f64 {
        self.program.refresh();
        for (i, input) in self.vector.iter().enumerate() {
            self.program.set(*input, &self.start[i]);
            self.program.set(self.metric[i], &metric[i]);
        }
        let mut value = 0.0;
        for _ in 0..STEPS {
            self.program.run();
            value = self.program.scalar(self.vector.len());
            if self.program.is_stopped() || !value.is_finite() || value == 0.0 {
                break;
            }
            for (output, input) in self.vector.iter().enumerate() {
                self.program.advance(output, *input);
            }
        }
        value
    }
}

/// With `u = v/|v|` in the inverse metric: the next vector `P c_y' c_y u`, then `|c_y u|^2`.
fn function(p: &mut ProblemGraph<'_>, (x, y): (&Block, &Block), v: &Block, metric: &Block) -> Function {
    let direction: Direction = v.nodes.iter().map(|n| Some(*n)).collect();
    let squares = p.inner(&direction, &direction, metric);
    let length = p.graph.elementwise(elementwise::SQRT, &[squares]);
    let u: Vec<NodeId> = v.nodes.iter().map(|n| p.graph.div(*n, length)).collect();
    let changes = changes(p, x, y, &u);
    let back = p.rows_times(LevelId::LOWER, LevelId::LOWER, (x, y), &changes);
    let next = p.scaled(&back, metric);
    let along: Direction = changes.iter().map(|n| Some(*n)).collect();
    let squares = p.norm_squared(&along);
    let mut outputs: Vec<NodeId> = (0..next.len()).map(|i| p.or_zero(next[i], y.nodes[i])).collect();
    outputs.push(squares);
    p.function("slopes of rows", &outputs)
}

/// `c_y u`, a node per constraint.
fn changes(p: &mut ProblemGraph<'_>, x: &Block, y: &Block, u: &[NodeId]) -> Vec<NodeId> {
    let problem = p.problem();
    let variables = &problem.lower().variables;
    let mut found = Vec::new();
    for constraint in &problem.lower().constraints {
        let used: Vec<usize> =
            (0..variables.len()).filter(|i| constraint.value.depends_on(variables[*i].formal)).collect();
        if used.is_empty() {
            found.push(p.graph.filled(0.0, &constraint.shape));
            continue;
        }
        let formals: Vec<usize> = used.iter().map(|i| variables[*i].formal).collect();
        let change = jvp(&constraint.value, &formals);
        let mut arguments = p.arguments(x, y);
        arguments.truncate(constraint.value.inputs.len());
        arguments.extend(used.iter().map(|i| u[*i]));
        found.push(change.instantiate(&mut p.graph, &arguments)[0]);
    }
    found
}
