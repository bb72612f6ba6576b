//! Curvature of the lower level around an iterate: the largest and the least eigenvalue of a Hessian in a diagonal
//! metric by power iteration, its diagonal, and norms of slopes, from compiled Hessian-vector products that are always in
//! f64. It knows no method; each method decides what to do with the numbers.
//!
//! With `H = f_yy + F_yy/c` and `P` the metric, eigenvalues are those of `P^1/2 H P^1/2`.

mod diagonal;
mod products;

use blo_engine::data::symmetric;
use blo_engine::model::Bindings;
use blo_engine::model::problem::Problem;
use blo_grammar::diagnostic::Diagnostic;
use serde::{Deserialize, Serialize};

pub(crate) use self::diagonal::{DiagonalFunction, EXACT, HessianDiagonals};
use self::products::{CurvatureInputs, SLOPES, power, slopes};
use crate::formula::bound_program::BoundProgram;
use crate::iteration::Rows;

/// One array per lower variable.
pub(crate) type LowerArrays = Vec<Vec<f64>>;

/// Compiled products, and the eigenvectors that the power iterations have reached.
pub(crate) struct Curvature {
    power: BoundProgram<f64>,
    diagonal: HessianDiagonals,
    slope: BoundProgram<f64>,
    inputs: CurvatureInputs,
    constant: bool,
    varies: bool,
    seed: u64,
    memory: CurvatureMemory,
    /// Working memory: random numbers, a lower point, sums of the diagonals of f and F.
    random: LowerArrays,
    before: LowerArrays,
    sums: [LowerArrays; 2],
}

/// All that later estimates depend on, for a checkpoint.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct CurvatureMemory {
    /// The eigenvectors, one per [`Extreme`].
    vectors: [LowerArrays; 5],
    /// Streams of random numbers so far.
    drawn: u64,
    /// Hessian-vector products so far.
    products: u64,
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

/// Norms at a point, in a metric; see [`Curvature::slopes`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Slopes {
    /// `|F_y|`.
    pub(crate) upper: f64,
    /// `L |y - prox(y - f_y/L)|`.
    pub(crate) lower: f64,
    /// `|y|`.
    pub(crate) point: f64,
}

impl Curvature {
    /// Compiles for a problem.
    ///
    /// # Errors
    /// When the memory cannot be allocated.
    pub(crate) fn new(
        problem: &Problem,
        data: &Bindings,
        threads: u64,
        seed: u64,
    ) -> Result<Curvature, Box<Diagnostic>> {
        Curvature::of(problem, data, threads, seed, true)
    }

    /// Of the lower objective alone: F counts as zero, and nothing of it is computed.
    ///
    /// # Errors
    /// As [`Curvature::new`].
    pub(crate) fn of_lower(
        problem: &Problem,
        data: &Bindings,
        threads: u64,
        seed: u64,
    ) -> Result<Curvature, Box<Diagnostic>> {
        Curvature::of(problem, data, threads, seed, false)
    }

    fn of(
        problem: &Problem,
        data: &Bindings,
        threads: u64,
        seed: u64,
        both: bool,
    ) -> Result<Curvature, Box<Diagnostic>> {
        let (power, inputs) = power(problem, both);
        let constant = !inputs.variables.iter().any(|input| power.depends_on(*input));
        let varies = inputs.lower.iter().any(|input| power.depends_on(*input));
        let machine = |function| BoundProgram::<f64>::new(function, problem, data, threads);
        // Products at one point have everything but the vector in common.
        let power = BoundProgram::<f64>::repeated(&power, problem, data, threads, &[], &inputs.variables)?;
        let vector = |input: &usize| vec![0.0; power.input(*input).len()];
        let zeros: LowerArrays = inputs.vector.iter().map(vector).collect();
        Ok(Curvature {
            power,
            diagonal: HessianDiagonals::new(&DiagonalFunction::new(problem, both), problem, data, threads)?,
            slope: machine(&slopes(problem, both))?,
            inputs,
            constant,
            varies,
            seed,
            memory: CurvatureMemory { vectors: std::array::from_fn(|_| zeros.clone()), drawn: 0, products: 0 },
            random: zeros.clone(),
            before: zeros.clone(),
            sums: [zeros.clone(), zeros],
        })
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
            let values = self.power.input_mut(*input);
            read(*input, values);
            self.diagonal.set(*input, values);
            self.slope.set(*input, values);
        }
        self.power.refresh();
    }

    /// Other tasks: positions for index inputs.
    ///
    /// # Errors
    /// When one is outside of what a program selects from.
    pub(crate) fn select(&mut self, rows: &Rows) -> Result<(), Box<Diagnostic>> {
        self.diagonal.select(rows)?;
        [&mut self.power, &mut self.slope].into_iter().try_for_each(|machine| machine.select(rows))
    }

    /// The metric of ones.
    pub(crate) fn unit_metric(&self) -> LowerArrays {
        self.inputs.metric.iter().map(|input| vec![1.0; self.power.input(*input).len()]).collect()
    }

    /// True where the work is to stop: what was estimated last means nothing.
    pub(crate) fn is_stopped(&self) -> bool {
        self.power.is_stopped()
    }

    /// Hessian-vector products so far.
    pub(crate) fn products(&self) -> u64 {
        self.memory.products
    }

    /// Goes to a lower point near the current one: every entry moved by up to `max(1, largest entry)`, and back into Y.
    pub(crate) fn wander(&mut self) {
        for (input, before) in self.inputs.lower.iter().zip(&mut self.before) {
            before.copy_from_slice(self.power.input(*input));
        }
        let far = self.before.iter().flatten().fold(1.0, |m: f64, v| m.max(v.abs()));
        self.draw();
        for (i, input) in self.inputs.lower.iter().enumerate() {
            let pairs = self.before[i].iter().zip(&self.random[i]);
            self.slope.input_mut(*input).iter_mut().zip(pairs).for_each(|(v, (b, n))| *v = b + far * n);
        }
        self.slope.run();
        for (i, input) in self.inputs.lower.iter().enumerate() {
            let inside = self.slope.output(SLOPES + i);
            self.power.set(*input, inside);
            self.diagonal.set(*input, inside);
        }
        self.power.refresh();
    }

    /// Back to the point before [`Curvature::wander`].
    pub(crate) fn come_back(&mut self) {
        for (input, values) in self.inputs.lower.iter().zip(&self.before) {
            for machine in [&mut self.power, &mut self.slope] {
                machine.set(*input, values);
            }
            self.diagonal.set(*input, values);
        }
        self.power.refresh();
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
            self.power.set_scalar(*input, weight);
        }
        self.power.set_scalar(self.inputs.shift, shift);
        let size = self.memory.vectors[slot].iter().map(Vec::len).sum::<usize>() as f64;
        let norm = norm(&self.memory.vectors[slot], metric);
        let norm = if norm > 0.0 && norm.is_finite() { norm } else { 1.0 };
        for (i, input) in self.inputs.vector.iter().enumerate() {
            self.power.set(self.inputs.metric[i], &metric[i]);
            let (old, random, metric) = (&self.memory.vectors[slot][i], &self.random[i], &metric[i]);
            for (j, v) in self.power.input_mut(*input).iter_mut().enumerate() {
                *v = old[j] / norm + noise * random[j] * (entry(metric, j) / size).sqrt();
            }
        }
        let blocks = self.inputs.vector.len();
        let mut value = 0.0;
        for _ in 0..steps {
            self.power.run();
            self.memory.products += 1;
            if self.power.is_stopped() {
                break;
            }
            let (rayleigh, length) = (self.power.scalar(blocks), self.power.scalar(blocks + 1));
            value = if least { rayleigh } else { length };
            if !value.is_finite() || length == 0.0 {
                break;
            }
            for (output, input) in self.inputs.vector.iter().enumerate() {
                self.power.advance(output, *input);
            }
        }
        for (i, input) in self.inputs.vector.iter().enumerate() {
            let (vector, found) = (&mut self.memory.vectors[slot][i], self.power.input(*input));
            if found.iter().all(|v| v.is_finite()) { vector.copy_from_slice(found) } else { vector.fill(0.0) }
        }
        value
    }

    /// Norms of the slopes at the point, with `largest` the largest eigenvalue in the metric.
    pub(crate) fn slopes(&mut self, metric: &LowerArrays, largest: f64) -> Slopes {
        for (input, metric) in self.inputs.metric.iter().zip(metric) {
            self.slope.set(*input, metric);
        }
        self.slope.set_scalar(self.inputs.shift, 1.0 / largest);
        self.slope.run();
        let [upper, lower, point] = std::array::from_fn(|i| self.slope.scalar(i));
        Slopes { upper, lower: largest * lower, point }
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
    fn draw(&mut self) {
        self.memory.draw(self.seed, &mut self.random);
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

/// `sqrt(sum(v^2 / P))`.
fn norm(v: &LowerArrays, metric: &LowerArrays) -> f64 {
    let squares = |(v, p): (&Vec<f64>, &Vec<f64>)| v.iter().enumerate().map(|(j, v)| v * v / entry(p, j)).sum::<f64>();
    v.iter().zip(metric).map(squares).sum::<f64>().sqrt()
}

/// An entry of a metric that may be one number.
pub(crate) fn entry(metric: &[f64], j: usize) -> f64 {
    if metric.len() == 1 { metric[0] } else { metric[j] }
}

#[cfg(test)]
mod tests;
