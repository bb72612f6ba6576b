//! Curvature of the lower level around an iterate: the largest and the least eigenvalue of a Hessian in a diagonal
//! metric by power iteration, its diagonal, and norms of slopes, from compiled Hessian-vector products that are always in
//! f64. It knows no method; each method decides what to do with the numbers.
//!
//! With `H = f_yy + F_yy/c` and `P` the metric, eigenvalues are those of `P^1/2 H P^1/2`. Where the lower level has rows, the
//! Lagrangian takes the place of f, with the multipliers of the iteration: they are its first inputs after the formals.

mod diagonal;
mod power;
mod products;
mod rows;

use blo_engine::model::Bindings;
use blo_engine::model::problem::Problem;
use blo_grammar::diagnostic::Diagnostic;

pub(crate) use self::diagonal::{DiagonalFunction, EXACT, HessianDiagonals};
pub(crate) use self::power::{CurvatureMemory, Extreme, PowerIteration, fill};
use self::products::{SLOPES, slopes};
use self::rows::RowSlopes;
use crate::formula::bound_program::BoundProgram;
use crate::iteration::Rows;

/// One array per lower variable.
pub(crate) type LowerArrays = Vec<Vec<f64>>;

/// Extreme eigenvalues, diagonals and slopes of both objectives in y.
pub(crate) struct Curvature {
    pub(crate) power: PowerIteration,
    diagonal: HessianDiagonals,
    slope: BoundProgram<f64>,
    /// Where the lower level has rows.
    rows: Option<RowSlopes>,
    /// Working memory: a lower point, sums of the diagonals of f and F.
    before: LowerArrays,
    sums: [LowerArrays; 2],
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
        let power = PowerIteration::new(problem, data, threads, seed, true)?;
        let zeros: LowerArrays = power.random.clone();
        Ok(Curvature {
            power,
            diagonal: HessianDiagonals::new(&DiagonalFunction::new(problem, true), problem, data, threads)?,
            slope: BoundProgram::new(&slopes(problem, true), problem, data, threads)?,
            rows: match problem.lower().constraints.is_empty() {
                true => None,
                false => Some(RowSlopes::new(problem, data, threads, seed)?),
            },
            before: zeros.clone(),
            sums: [zeros.clone(), zeros],
        })
    }

    /// Moves to the point whose variables (upper, then lower) `read` copies out.
    pub(crate) fn go_to(&mut self, read: &mut dyn FnMut(usize, &mut [f64])) {
        let Curvature { power, diagonal, slope, rows, .. } = self;
        power.go_to(&mut |input, values| {
            read(input, values);
            diagonal.set(input, values);
            slope.set(input, values);
            rows.iter_mut().for_each(|r| r.set(input, values));
        });
    }

    /// Other tasks: positions for index inputs.
    ///
    /// # Errors
    /// When one is outside of what a program selects from.
    pub(crate) fn select(&mut self, rows: &Rows) -> Result<(), Box<Diagnostic>> {
        self.diagonal.select(rows)?;
        self.power.select(rows)?;
        self.rows.iter_mut().try_for_each(|r| r.select(rows))?;
        self.slope.select(rows)
    }

    /// Goes to a lower point near the current one: every entry moved by up to `max(1, largest entry)`, and back into Y.
    pub(crate) fn wander(&mut self) {
        for (input, before) in self.power.inputs.lower.iter().zip(&mut self.before) {
            before.copy_from_slice(self.power.program.input(*input));
        }
        let far = self.before.iter().flatten().fold(1.0, |m: f64, v| m.max(v.abs()));
        self.power.draw();
        for (i, input) in self.power.inputs.lower.iter().enumerate() {
            let pairs = self.before[i].iter().zip(&self.power.random[i]);
            self.slope.input_mut(*input).iter_mut().zip(pairs).for_each(|(v, (b, n))| *v = b + far * n);
        }
        self.slope.run();
        for (i, input) in self.power.inputs.lower.iter().enumerate() {
            let inside = self.slope.output(SLOPES + i);
            self.power.program.set(*input, inside);
            self.diagonal.set(*input, inside);
        }
        self.power.program.refresh();
    }

    /// Back to the point before [`Curvature::wander`].
    pub(crate) fn come_back(&mut self) {
        for (input, values) in self.power.inputs.lower.iter().zip(&self.before) {
            for machine in [&mut self.power.program, &mut self.slope] {
                machine.set(*input, values);
            }
            self.diagonal.set(*input, values);
        }
        self.power.program.refresh();
    }

    /// The largest eigenvalue of `c_y'c_y` in a metric at the point; 0 without rows.
    pub(crate) fn slope_of_rows(&mut self, metric: &LowerArrays) -> f64 {
        self.rows.as_mut().map_or(0.0, |r| r.largest(metric))
    }

    /// Norms of the slopes at the point, with `largest` the largest eigenvalue in the metric.
    pub(crate) fn slopes(&mut self, metric: &LowerArrays, largest: f64) -> Slopes {
        for (input, metric) in self.power.inputs.metric.iter().zip(metric) {
            self.slope.set(*input, metric);
        }
        self.slope.set_scalar(self.power.inputs.shift, 1.0 / largest);
        self.slope.run();
        let [upper, lower, point] = std::array::from_fn(|i| self.slope.scalar(i));
        Slopes { upper, lower: largest * lower, point }
    }
}

/// An entry of a metric that may be one number.
pub(crate) fn entry(metric: &[f64], j: usize) -> f64 {
    if metric.len() == 1 { metric[0] } else { metric[j] }
}

#[cfg(test)]
mod tests;
