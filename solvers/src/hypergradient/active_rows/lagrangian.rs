//! Products with derivatives of `L(x, y, lam) = f + lam'c`, where c are the rows of the lower level: those of `subject to`
//! and those of sets.

use blo_engine::diff::{gradient, jvp};
use blo_engine::graph::{Elem, Formal, Function, NodeId};
use blo_engine::model::Bindings;
use blo_engine::model::problem::{LevelId, Problem};
use blo_grammar::diagnostic::Diagnostic;

use crate::formula::bound_program::BoundProgram;
use crate::formula::problem_graph::{Part, ProblemGraph};
use crate::formula::rows::rows;

/// The compiled products, at a point.
pub(super) struct LagrangianProducts {
    /// `c_y' w`.
    pull: Product,
    /// `L_yy v`.
    hessian: Product,
    /// `L_xy v + c_x' w`.
    cross: Product,
    upper: Vec<(usize, usize)>,
    lower: Vec<(usize, usize)>,
    /// Inputs of arrays of rows with their lengths: lam, and w.
    multipliers: Vec<(usize, usize)>,
    weights: Vec<(usize, usize)>,
    /// Inputs of v: of the Hessian's product, whose directions are its last inputs, and of the other.
    vector: Vec<(usize, usize)>,
    cross_vector: Vec<(usize, usize)>,
    runs: u64,
}

/// A program, and for each variable that it has derivatives in, its output.
struct Product {
    program: BoundProgram<f64>,
    outputs: Vec<Option<usize>>,
}

impl Product {
    /// Derivatives, one after the other.
    fn run(&mut self, lengths: &[(usize, usize)]) -> Vec<f64> {
        self.program.run();
        let mut found = Vec::new();
        for (output, (_, length)) in self.outputs.iter().zip(lengths) {
            match output {
                Some(output) => found.extend_from_slice(self.program.output(*output)),
                None => found.resize(found.len() + length, 0.0),
            }
        }
        found
    }
}

impl LagrangianProducts {
    /// Compiles.
    ///
    /// # Errors
    /// When the memory cannot be allocated.
    pub(super) fn new(problem: &Problem, data: &Bindings, threads: u64) -> Result<LagrangianProducts, Box<Diagnostic>> {
        let rows = rows(problem, LevelId::LOWER);
        let mut p = ProblemGraph::new(problem);
        let (x, y) = (p.x(), p.y());
        let inputs = |p: &mut ProblemGraph<'_>, name: &str| -> Vec<NodeId> {
            let of_row = |f: &Function| Formal {
                name: format!("{name} of {}", f.name),
                shape: f.output_shape(0).clone(),
                elem: Elem::Real,
            };
            rows.iter().map(|r| p.input(of_row(&r.value))).collect()
        };
        let (lam, w) = (inputs(&mut p, "lam"), inputs(&mut p, "w"));
        let v = p.point("v", LevelId::LOWER);
        let sum = |p: &mut ProblemGraph<'_>, multipliers: &[NodeId]| {
            let values: Vec<Option<NodeId>> = rows.iter().map(|r| Some(p.at(&r.value, &x, &y)[0])).collect();
            let multipliers: Vec<Option<NodeId>> = multipliers.iter().map(|n| Some(*n)).collect();
            p.dot(&multipliers, &values)
        };
        let (of_lam, of_w) = (sum(&mut p, &lam), sum(&mut p, &w));
        let f = p.value(Part::Smooth, &x, &y);
        let whole = p.graph.add(f, of_lam);
        let lagrangian = p.function("Lagrangian", &[whole]);
        let weighted = p.function("weighted rows", &[of_w]);
        let (upper, lower) = (problem.upper_inputs(), problem.lower_inputs());

        let slope_in = used(&lagrangian, &lower);
        let formals = |used: &[usize], all: &[usize]| used.iter().map(|i| all[*i]).collect::<Vec<usize>>();
        let slope = gradient(&lagrangian, &formals(&slope_in, &lower));
        let arguments: Vec<NodeId> = (0..slope.inputs.len()).map(|i| NodeId(i as u32)).collect();
        let slopes = slope.instantiate(&mut p.graph, &arguments);
        let along: Vec<Option<NodeId>> = slope_in.iter().map(|i| Some(v.nodes[*i])).collect();
        let slopes: Vec<Option<NodeId>> = slopes.into_iter().map(Some).collect();
        let product = p.dot(&slopes, &along);
        let total = p.graph.add(product, of_w);
        let cross = p.function("change of the Lagrangian's slope", &[total]);

        let compiled = |f: &Function, used: Vec<usize>, count: usize, kept: &[usize]| {
            let mut outputs = vec![None; count];
            used.iter().enumerate().for_each(|(output, i)| outputs[*i] = Some(output));
            let program = BoundProgram::repeated(f, problem, data, threads, &[], kept)?;
            Ok::<Product, Box<Diagnostic>>(Product { program, outputs })
        };
        let variables = [upper.clone(), lower.clone()].concat();
        let pull_in = used(&weighted, &lower);
        let pull = gradient(&weighted, &formals(&pull_in, &lower));
        let pull = compiled(&pull, pull_in, lower.len(), &variables)?;
        let cross_in = used(&cross, &upper);
        let cross = gradient(&cross, &formals(&cross_in, &upper));
        let cross = compiled(&cross, cross_in, upper.len(), &[])?;
        let place = |nodes: &[NodeId]| nodes.iter().map(|n| p.position(*n)).collect::<Vec<usize>>();
        let kept = [variables, place(&lam)].concat();
        // directions are the last inputs
        let hessian = jvp(&slope, &formals(&slope_in, &lower));
        let directions: Vec<usize> = (slope.inputs.len()..hessian.inputs.len()).collect();
        let hessian = compiled(&hessian, slope_in.clone(), lower.len(), &kept)?;
        let lengths = |program: &BoundProgram<f64>, inputs: Vec<usize>| -> Vec<(usize, usize)> {
            inputs.into_iter().map(|i| (i, program.input(i).len())).collect()
        };
        let lower = lengths(&cross.program, lower);
        let mut vector: Vec<(usize, usize)> = lower.iter().map(|(_, n)| (usize::MAX, *n)).collect();
        slope_in.iter().zip(&directions).for_each(|(i, input)| vector[*i].0 = *input);
        Ok(LagrangianProducts {
            upper: lengths(&cross.program, upper),
            multipliers: lengths(&cross.program, place(&lam)),
            weights: lengths(&cross.program, place(&w)),
            lower,
            vector,
            cross_vector: lengths(&cross.program, place(&v.nodes)),
            pull,
            hessian,
            cross,
            runs: 0,
        })
    }

    /// Entries of each upper variable, of each lower variable.
    pub(super) fn upper_lengths(&self) -> &[(usize, usize)] {
        &self.upper
    }

    pub(super) fn lower_lengths(&self) -> Vec<usize> {
        self.lower.iter().map(|(_, n)| *n).collect()
    }

    /// What a product with the Hessian costs, in flops.
    pub(super) fn flops(&self) -> f64 {
        self.hessian.program.flops() as f64
    }

    /// Products so far.
    pub(super) fn runs(&self) -> u64 {
        self.runs
    }

    /// Moves to a point.
    pub(super) fn go_to(&mut self, x: &[f64], y: &[f64], multipliers: &[f64]) {
        for product in [&mut self.pull, &mut self.hessian, &mut self.cross] {
            put(&mut product.program, &self.upper, x);
            put(&mut product.program, &self.lower, y);
            put(&mut product.program, &self.multipliers, multipliers);
            product.program.refresh();
        }
    }

    /// `c_y' w`, w with an entry per row.
    pub(super) fn rows_times(&mut self, w: &[f64]) -> Vec<f64> {
        put(&mut self.pull.program, &self.weights, w);
        self.pull.run(&self.lower)
    }

    /// The gradient of a row.
    pub(super) fn row(&mut self, row: usize) -> Vec<f64> {
        let count = self.weights.iter().map(|(_, n)| n).sum();
        let w: Vec<f64> = (0..count).map(|i| f64::from(u8::from(i == row))).collect();
        self.rows_times(&w)
    }

    /// `L_yy v`.
    pub(super) fn hessian_times(&mut self, v: &[f64]) -> Vec<f64> {
        self.runs += 1;
        put(&mut self.hessian.program, &self.vector, v);
        self.hessian.run(&self.lower)
    }

    /// `L_xy v + c_x' w`, an entry per entry of x.
    pub(super) fn cross(&mut self, v: &[f64], w: &[f64]) -> Vec<f64> {
        self.runs += 1;
        put(&mut self.cross.program, &self.cross_vector, v);
        put(&mut self.cross.program, &self.weights, w);
        self.cross.run(&self.upper)
    }
}

/// The places of the inputs that a function depends on.
fn used(f: &Function, inputs: &[usize]) -> Vec<usize> {
    (0..inputs.len()).filter(|i| f.depends_on(inputs[*i])).collect()
}

/// Writes a list of entries into inputs; a place without an input takes none.
fn put(program: &mut BoundProgram<f64>, inputs: &[(usize, usize)], entries: &[f64]) {
    let mut rest = entries;
    for (input, length) in inputs {
        let (part, after) = rest.split_at(*length);
        if program.has_input(*input) {
            program.set(*input, part);
        }
        rest = after;
    }
}
