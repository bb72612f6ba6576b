//! Extreme eigenvalues of the Hessians of the lower level by power iteration. What needs no more of curvature than that
//! compiles no more. In f32 they are as good as its steps: a few power iterations leave an error far above rounding.

use blo_engine::data::symmetric;
use blo_engine::model::Bindings;
use blo_engine::model::problem::Problem;
use blo_engine::program::Scalar;
use blo_grammar::diagnostic::Diagnostic;
use serde::{Deserialize, Serialize};

use super::products::{CurvatureInputs, power};
use super::{LowerArrays, entry};
use crate::formula::bound_program::BoundProgram;
use crate::iteration::Rows;

/// Compiled products, and the eigenvectors that the power iterations have reached.
pub(crate) struct PowerIteration<T: Scalar = f64> {
    pub(super) program: BoundProgram<T>,
    pub(super) inputs: CurvatureInputs,
    constant: bool,
    varies: bool,
    seed: u64,
    pub(super) memory: CurvatureMemory,
    /// Working memory: random numbers.
    pub(super) random: LowerArrays,
}

/// All that later estimates depend on, for a checkpoint.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct CurvatureMemory {
    /// The eigenvectors, one per [`Extreme`]; empty where none was asked for.
    vectors: [LowerArrays; 5],
    /// Streams of random numbers so far.
    drawn: u64,
    /// Hessian-vector products so far.
    pub(super) products: u64,
}

/// Which extreme eigenvalue, of which Hessian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extreme {
    /// The largest absolute eigenvalue of `f_yy`.
    Lower,
    /// The largest absolute eigenvalue of `F_yy`.
    Upper,
    /// The largest absolute eigenvalue of `f_yy + F_yy/c`.
    Both,
    /// The least eigenvalue of `f_yy`.
    Least,
    /// The least eigenvalue of `F_yy`.
    LeastUpper,
}

impl<T: Scalar> PowerIteration<T> {
    /// Compiles for a problem. Unless it is of `both` levels, F counts as zero, and nothing of it is computed.
    ///
    /// # Errors
    /// When the memory cannot be allocated.
    pub(crate) fn new(
        problem: &Problem,
        data: &Bindings,
        threads: u64,
        seed: u64,
        both: bool,
    ) -> Result<PowerIteration<T>, Box<Diagnostic>> {
        let (function, inputs) = power(problem, both);
        let constant = !inputs.variables.iter().any(|input| function.depends_on(*input));
        let varies = inputs.lower.iter().any(|input| function.depends_on(*input));
        // Products at one point have everything but the vector in common.
        let program = BoundProgram::repeated(&function, problem, data, threads, &[], &inputs.variables)?;
        let random = inputs.vector.iter().map(|input| vec![0.0; program.input(*input).len()]).collect();
        let memory = CurvatureMemory { vectors: Default::default(), drawn: 0, products: 0 };
        Ok(PowerIteration { program, inputs, constant, varies, seed, memory, random })
    }

    /// True when both Hessians are the same at every point.
    pub(crate) fn is_constant(&self) -> bool {
        self.constant
    }

    /// True when a Hessian depends on the lower variables.
    pub(crate) fn varies_with_y(&self) -> bool {
        self.varies
    }

    /// Moves to the point whose variables (upper, then lower) `read` copies out.
    pub(crate) fn go_to(&mut self, read: &mut dyn FnMut(usize, &mut [f64])) {
        for input in &self.inputs.variables {
            let slots = self.program.input_mut(*input);
            let mut values = vec![0.0; slots.len()];
            read(*input, &mut values);
            write(slots, &values);
        }
        self.program.refresh();
    }

    /// Other tasks: positions for index inputs.
    ///
    /// # Errors
    /// When one is outside of what the program selects from.
    pub(crate) fn select(&mut self, rows: &Rows) -> Result<(), Box<Diagnostic>> {
        self.program.select(rows)
    }

    /// The metric of ones.
    pub(crate) fn unit_metric(&self) -> LowerArrays {
        self.inputs.metric.iter().map(|input| vec![1.0; self.program.input(*input).len()]).collect()
    }

    /// True where the work is to stop: what was estimated last means nothing.
    pub(crate) fn is_stopped(&self) -> bool {
        self.program.is_stopped()
    }

    /// Hessian-vector products so far.
    pub(crate) fn products(&self) -> u64 {
        self.memory.products
    }

    /// An extreme eigenvalue by `steps` power iterations from the eigenvector of the last ones, after mixing in a share
    /// `noise` of a random direction (the old vector may have no part in curvature that has appeared since). `largest`
    /// bounds the absolute eigenvalues; only the least eigenvalue needs it. May be NaN or infinite.
    pub(crate) fn eigenvalue(
        &mut self,
        which: Extreme,
        c: f64,
        metric: &LowerArrays,
        steps: usize,
        noise: f64,
        largest: f64,
    ) -> f64 {
        let slot = which as usize;
        self.draw();
        let least = matches!(which, Extreme::Least | Extreme::LeastUpper);
        let shift = if least { largest } else { 0.0 };
        let weights = match which {
            Extreme::Lower | Extreme::Least => [1.0, 0.0],
            Extreme::Upper | Extreme::LeastUpper => [0.0, 1.0],
            Extreme::Both => [1.0, 1.0 / c],
        };
        for (input, weight) in self.inputs.weights.iter().zip(weights) {
            self.program.set_scalar(*input, weight);
        }
        self.program.set_scalar(self.inputs.shift, shift);
        if self.memory.vectors[slot].is_empty() {
            self.memory.vectors[slot] = self.random.iter().map(|r| vec![0.0; r.len()]).collect();
        }
        let size = self.memory.vectors[slot].iter().map(Vec::len).sum::<usize>() as f64;
        let norm = norm(&self.memory.vectors[slot], metric);
        let norm = if norm > 0.0 && norm.is_finite() { norm } else { 1.0 };
        for (i, input) in self.inputs.vector.iter().enumerate() {
            write(self.program.input_mut(self.inputs.metric[i]), &metric[i]);
            let (old, random, metric) = (&self.memory.vectors[slot][i], &self.random[i], &metric[i]);
            for (j, v) in self.program.input_mut(*input).iter_mut().enumerate() {
                *v = T::from_f64(old[j] / norm + noise * random[j] * (entry(metric, j) / size).sqrt());
            }
        }
        let blocks = self.inputs.vector.len();
        let mut value = 0.0;
        for _ in 0..steps {
            self.program.run();
            self.memory.products += 1;
            if self.program.is_stopped() {
                break;
            }
            let (rayleigh, length) = (self.program.scalar(blocks), self.program.scalar(blocks + 1));
            value = if least { rayleigh } else { length };
            if !value.is_finite() || length == 0.0 {
                break;
            }
            for (output, input) in self.inputs.vector.iter().enumerate() {
                self.program.advance(output, *input);
            }
        }
        for (i, input) in self.inputs.vector.iter().enumerate() {
            let (vector, found) = (&mut self.memory.vectors[slot][i], self.program.input(*input));
            if found.iter().all(|v| v.finite()) {
                vector.iter_mut().zip(found).for_each(|(to, v)| *to = v.to_f64());
            } else {
                vector.fill(0.0);
            }
        }
        value
    }

    /// All that later estimates depend on.
    pub(crate) fn memory(&self) -> &CurvatureMemory {
        &self.memory
    }

    /// Goes back to what was remembered.
    pub(crate) fn recall(&mut self, memory: CurvatureMemory) {
        self.memory = memory;
    }

    /// Fills `random` with numbers in [-1, 1); each call has a stream of its own.
    pub(super) fn draw(&mut self) {
        self.memory.draw(self.seed, &mut self.random);
    }

    /// The same for arrays of the caller.
    pub(super) fn draw_into(&mut self, random: &mut LowerArrays) {
        self.memory.draw(self.seed, random);
    }
}

impl CurvatureMemory {
    /// Fills arrays with numbers of the next stream.
    fn draw(&mut self, seed: u64, random: &mut LowerArrays) {
        self.drawn += 1;
        fill(seed, self.drawn, random);
    }
}

/// Fills arrays with the numbers of a stream, in [-1, 1).
pub(crate) fn fill(seed: u64, stream: u64, random: &mut LowerArrays) {
    let mut numbers = symmetric(seed, stream, "curvature");
    random.iter_mut().flatten().for_each(|r| *r = numbers());
}

fn write<T: Scalar>(to: &mut [T], values: &[f64]) {
    to.iter_mut().zip(values).for_each(|(to, v)| *to = T::from_f64(*v));
}

/// `sqrt(sum(v^2 / P))`.
fn norm(v: &LowerArrays, metric: &LowerArrays) -> f64 {
    let squares = |(v, p): (&Vec<f64>, &Vec<f64>)| v.iter().enumerate().map(|(j, v)| v * v / entry(p, j)).sum::<f64>();
    v.iter().zip(metric).map(squares).sum::<f64>().sqrt()
}
