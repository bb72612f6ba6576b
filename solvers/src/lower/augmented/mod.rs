//! A lower level with rows, solved at a fixed x by an augmented Lagrangian around the solver of lower levels without rows
//! ([`super::solve`]): `f + sum rho/2 |max(0, c + lam/rho)|^2 + sum rho/2 |h + nu/rho|^2` (Powell, Hestenes, Rockafellar;
//! safeguarded as ALGENCAN does it: Andreani, Birgin, Martinez, Schuverdt, SIAM J. Optim. 18, 2007). It needs gradients
//! only, and so serves levels of many variables; small ones have [`crate::nlp`], which is more accurate.
//!
//! Multipliers and penalties are data of the augmented objective. They change once per outer iteration, which then compiles
//! it again: against the evaluations in between that is little.
//!
//! An end that is near is made exact by Newton's method on what it finds active ([`polish`]).

mod polish;
#[cfg(test)]
pub(crate) mod tests;

use blo_engine::data::Array;
use blo_engine::diff::{gradient, jvp};
use blo_engine::elementwise;
use blo_engine::graph::{Elem, Formal, Function, Graph, NodeId};
use blo_engine::model::problem::{LevelId, Problem};
use blo_engine::model::{Bindings, Bound};
use blo_grammar::diagnostic::Diagnostic;

use crate::formula::bound_program::BoundProgram;
use crate::formula::rows::{Rows, is_beyond_rows};
use crate::lower::solve::{LowerSolution, LowerSolver, LowerStart};
use crate::nlp::functions::{is_data, lagrangian, together};
use crate::nlp::residual::{Residual, violation};
use crate::nlp::{Limits, Outcome, Status};
use crate::vectors::largest;

/// The penalty grows by this factor where rows and complementarity did not come down to that share.
const GROW: f64 = 10.0;
const PROGRESS: f64 = 0.5;

/// The first penalty, and the largest.
const FIRST: [f64; 2] = [1e-3, 10.0];
const HIGHEST: f64 = 1e10;

/// The largest multiplier.
const MULTIPLIER: f64 = 1e9;

/// Tolerances of inner solves: the first, the factor from one to the next, the last.
const INNER: [f64; 3] = [1e-4, 0.1, 1e-11];

/// Evaluations of an inner solve, at most.
const EVALUATIONS: u64 = 20_000;

/// A gradient up to this size at the start leaves the tolerance as it is.
const STEEP: f64 = 100.0;

/// Stationarity of an inner solve, as a share of what is steep, from which on its rows tell whether the penalty is right.
const NEAR: f64 = 1e-2;

/// Inner solves without half the error, after which no more is to be had.
const IDLE: usize = 6;

/// A point within this many times the tolerance is acceptable.
const ACCEPTABLE: f64 = 1e3;

/// Newton's method begins where the error, as a share of what is steep, is this small, and again after each such factor.
const POLISHED: f64 = 1e-3;
const CLOSER: f64 = 0.1;

/// The solver of a lower level.
pub(crate) struct Augmented {
    problem: Problem,
    /// The problem without rows, whose lower objective has multipliers and penalties as its last inputs.
    inner: Problem,
    data: Bindings,
    threads: u64,
    x: Vec<Vec<f64>>,
    /// f and the rows.
    values: BoundProgram<f64>,
    /// The gradient of the Lagrangian, with the inputs of the factor of f and of the multipliers, and the variables that it
    /// depends on.
    slopes: BoundProgram<f64>,
    factor: usize,
    multiplier_inputs: Vec<usize>,
    used: Vec<usize>,
    /// Its change along a direction, with the inputs of the direction.
    curvature: BoundProgram<f64>,
    directions: Vec<usize>,
    /// The slopes of rows do not depend on y.
    affine: bool,
    /// Entries of the lower variables and of the rows.
    lengths: Vec<usize>,
    row_lengths: Vec<usize>,
    bounds: Vec<[f64; 2]>,
    row_bounds: Vec<[f64; 2]>,
}

impl Augmented {
    /// Compiles for the rows of the lower level, those of sets included, and the bounds of its entries.
    ///
    /// # Errors
    /// When the memory cannot be allocated.
    pub(crate) fn new(
        problem: &Problem,
        data: &Bindings,
        threads: u64,
        rows: &[Rows],
        bounds: &[[f64; 2]],
    ) -> Result<Augmented, Box<Diagnostic>> {
        let functions: Vec<Function> = rows.iter().map(|r| r.value.clone()).collect();
        let all = together(&problem.lower().objective, &functions);
        let (of_lagrangian, factor, multiplier_inputs) = lagrangian(&all);
        let used: Vec<usize> = problem.lower_inputs().into_iter().filter(|i| of_lagrangian.depends_on(*i)).collect();
        let slope = gradient(&of_lagrangian, &used);
        let changes = jvp(&slope, &used);
        let directions = (slope.inputs.len()..changes.inputs.len()).collect();
        let kept: Vec<usize> = (0..slope.inputs.len()).filter(|i| !is_data(problem, *i)).collect();
        let curvature = BoundProgram::repeated(&changes, problem, data, threads, &[], &kept)?;
        let slopes = BoundProgram::new(&slope, problem, data, threads)?;
        let values = BoundProgram::new(&all, problem, data, threads)?;
        let entries = |input: usize| values.input(input).len();
        let lengths = problem.lower_inputs().into_iter().map(entries).collect();
        let x = problem.upper_inputs().into_iter().map(|input| vec![0.0; entries(input)]).collect();
        let row_lengths: Vec<usize> = (0..rows.len()).map(|i| values.output(i + 1).len()).collect();
        let ends = |r: &Rows| [if r.equality { 0.0 } else { f64::NEG_INFINITY }, 0.0];
        let row_bounds = rows.iter().zip(&row_lengths).flat_map(|(r, n)| vec![ends(r); *n]).collect();
        Ok(Augmented {
            inner: augmented(problem, rows),
            affine: functions.iter().all(|row| is_affine(row, &problem.lower_inputs())),
            problem: problem.clone(),
            data: data.clone(),
            threads,
            x,
            values,
            slopes,
            factor,
            multiplier_inputs,
            used,
            curvature,
            directions,
            lengths,
            row_lengths,
            bounds: bounds.to_vec(),
            row_bounds,
        })
    }

    /// Sets an upper variable.
    pub(crate) fn set(&mut self, input: usize, values: &[f64]) {
        let place = self.problem.upper_inputs().into_iter().position(|i| i == input);
        self.x[place.expect("an input of the upper level")].copy_from_slice(values);
        for program in [&mut self.values, &mut self.slopes, &mut self.curvature] {
            if program.has_input(input) {
                program.set(input, values);
            }
        }
    }

    /// What an evaluation of the augmented Lagrangian costs, in flops.
    pub(crate) fn flops(&self) -> f64 {
        self.slopes.flops() as f64
    }

    /// A local solution near y at the x that is in place; `limits.iterations` counts inner solves.
    ///
    /// # Errors
    /// When the memory cannot be allocated.
    pub(crate) fn solve(&mut self, y: &[f64], limits: &Limits) -> Result<Outcome, Box<Diagnostic>> {
        let y = self.split(y);
        self.run(&y, limits)
    }

    /// Entries as an array per lower variable.
    fn split(&self, y: &[f64]) -> Vec<Vec<f64>> {
        let mut rest = y;
        let part = |n: &usize| {
            let (part, after) = rest.split_at(*n);
            rest = after;
            part.to_vec()
        };
        self.lengths.iter().map(part).collect()
    }

    fn run(&mut self, start: &[Vec<f64>], limits: &Limits) -> Result<Outcome, Box<Diagnostic>> {
        let mut y = start.to_vec();
        let (value, rows) = self.values_at(&y);
        let mut lam = vec![0.0; rows.len()];
        let slope = largest(&self.slope(&y, &lam));
        let unit = (slope / STEEP).max(1.0);
        let squares: f64 = rows.iter().zip(&self.row_bounds).map(|(c, b)| outside(*c, *b).powi(2)).sum();
        let mut rho = (10.0 * value.abs().max(1.0) / (0.5 * squares).max(1.0)).clamp(FIRST[0], FIRST[1]);
        let mut best = self.outcome(&y, &lam, Status::IterationLimit);
        if !value.is_finite() || !slope.is_finite() || rows.iter().any(|c| !c.is_finite()) {
            return Ok(Outcome { status: Status::NotFinite, ..best });
        }
        let error = |end: &Outcome| error(end, unit);
        let (mut tolerance, mut before, mut evaluations, mut idle) = (INNER[0], f64::INFINITY, 1, 0);
        let mut near = POLISHED;
        for iteration in 1..=limits.iterations {
            let solution = self.inner_solve(&y, &lam, rho, (tolerance, limits))?;
            evaluations += usize::try_from(solution.evaluations).unwrap_or(usize::MAX);
            y = solution.values;
            let left = self.update(&y, &mut lam, rho);
            let mut end = self.outcome(&y, &lam, Status::IterationLimit);
            (end.iterations, end.evaluations) = (iteration, evaluations);
            idle = if error(&end) < PROGRESS * error(&best) { 0 } else { idle + 1 };
            if error(&end) < error(&best) || best.iterations == 0 {
                best = end.clone();
            }
            let falls = solution.unbounded.is_some();
            if limits.stop.is_set() {
                return Ok(Outcome { status: Status::Stopped, ..best });
            }
            if error(&end) <= limits.tolerance {
                return Ok(Outcome { status: Status::Solved, ..end });
            }
            if error(&end) <= near {
                near = CLOSER * error(&end);
                let polished = self.polished(&end, unit, limits);
                evaluations += polished.evaluations;
                if error(&polished) <= limits.tolerance {
                    return Ok(Outcome { status: Status::Solved, iterations: iteration, evaluations, ..polished });
                }
            }
            if falls && rho >= HIGHEST && end.violation <= limits.tolerance {
                return Ok(Outcome { status: Status::Unbounded, ..end });
            }
            if idle >= IDLE && tolerance <= INNER[2] && (rho >= HIGHEST || left <= limits.tolerance) {
                break;
            }
            // an end that is far from a minimizer says nothing of the penalty
            let accurate = end.stationarity <= NEAR * unit || tolerance <= INNER[2];
            if falls || accurate && left > limits.tolerance && left > PROGRESS * before {
                rho = (GROW * rho).min(HIGHEST);
            }
            before = left;
            tolerance = (INNER[1] * tolerance).max(INNER[2]);
        }
        let status = match error(&best) <= ACCEPTABLE * limits.tolerance {
            true => Status::Acceptable,
            false if best.violation > ACCEPTABLE * limits.tolerance && rho >= HIGHEST => Status::Infeasible,
            false if idle >= IDLE => Status::Stalled,
            false => Status::IterationLimit,
        };
        Ok(Outcome { status, ..best })
    }

    /// Steps with the multipliers. How far rows are from their ends, or from where their multipliers end.
    fn update(&mut self, y: &[Vec<f64>], lam: &mut [f64], rho: f64) -> f64 {
        let (_, rows) = self.values_at(y);
        let mut left: f64 = 0.0;
        for ((lam, c), bounds) in lam.iter_mut().zip(&rows).zip(&self.row_bounds) {
            let equality = bounds[0] == bounds[1];
            left = left.max(if equality { c.abs() } else { c.max(-*lam / rho).abs() });
            let next = (*lam + rho * c).min(MULTIPLIER);
            *lam = if equality { next.max(-MULTIPLIER) } else { next.max(0.0) };
        }
        left
    }

    /// The minimizer of the augmented Lagrangian.
    fn inner_solve(
        &mut self,
        y: &[Vec<f64>],
        lam: &[f64],
        rho: f64,
        (tolerance, limits): (f64, &Limits),
    ) -> Result<LowerSolution, Box<Diagnostic>> {
        let known = self.problem.formals.len() - self.problem.variables().count();
        self.data.values.truncate(known);
        let mut rest = lam;
        for n in &self.row_lengths {
            let (part, after) = rest.split_at(*n);
            // programs read the entries, whatever the rank
            let array = |values: Vec<f64>| Bound::from(Array::new(vec![values.len()], values));
            self.data.values.extend([array(part.to_vec()), array(vec![rho; *n])]);
            rest = after;
        }
        let mut solver = LowerSolver::new(&self.inner, &self.data, self.threads)?;
        let point = [&self.x, y].concat();
        let start = LowerStart { point: &point, reference: None, tolerance, limit: EVALUATIONS };
        Ok(solver.solve(&start, &mut || limits.stop.is_set()))
    }

    fn values_at(&mut self, y: &[Vec<f64>]) -> (f64, Vec<f64>) {
        for (input, y) in self.problem.lower_inputs().into_iter().zip(y) {
            self.values.set(input, y);
        }
        self.values.run();
        let rows = (0..self.row_lengths.len()).flat_map(|i| self.values.output(i + 1).to_vec()).collect();
        (self.values.scalar(0), rows)
    }

    /// The gradient of the Lagrangian.
    fn slope(&mut self, y: &[Vec<f64>], lam: &[f64]) -> Vec<f64> {
        self.weighted_slope(y, 1.0, lam)
    }

    /// The gradient of `factor f + lam'c`.
    fn weighted_slope(&mut self, y: &[Vec<f64>], factor: f64, lam: &[f64]) -> Vec<f64> {
        put(&mut self.slopes, &self.problem.lower_inputs(), y);
        self.slopes.set_scalar(self.factor, factor);
        let mut rest = lam;
        for (input, n) in self.multiplier_inputs.iter().zip(&self.row_lengths) {
            let (part, after) = rest.split_at(*n);
            self.slopes.set(*input, part);
            rest = after;
        }
        self.slopes.run();
        gathered(&self.problem, &self.slopes, &self.used, &self.lengths)
    }

    fn outcome(&mut self, y: &[Vec<f64>], lam: &[f64], status: Status) -> Outcome {
        let (value, rows) = self.values_at(y);
        let slope = self.slope(y, lam);
        let z = y.concat();
        let (residual, bound_multipliers) = Residual::with((&z, &self.bounds), (&rows, &self.row_bounds), &slope, lam);
        Outcome {
            z,
            value,
            violation: violation(&rows, &self.row_bounds).1,
            rows,
            multipliers: lam.to_vec(),
            bound_multipliers,
            stationarity: residual.stationarity,
            complementarity: residual.complementarity,
            status,
            iterations: 0,
            evaluations: 1,
        }
    }
}

/// What is left of the conditions, stationarity in units of what is steep.
fn error(end: &Outcome, unit: f64) -> f64 {
    end.violation.max(end.stationarity.max(end.complementarity) / unit)
}

/// True where the slopes of a function do not depend on some inputs.
fn is_affine(function: &Function, inputs: &[usize]) -> bool {
    let used: Vec<usize> = inputs.iter().copied().filter(|i| function.depends_on(*i)).collect();
    let change = (!used.is_empty()).then(|| jvp(function, &used));
    change.is_none_or(|change| !inputs.iter().any(|i| change.depends_on(*i)))
}

/// Writes arrays into the inputs that a program has.
fn put(program: &mut BoundProgram<f64>, inputs: &[usize], arrays: &[Vec<f64>]) {
    for (input, values) in inputs.iter().zip(arrays) {
        if program.has_input(*input) {
            program.set(*input, values);
        }
    }
}

/// Outputs for some of the lower variables as entries of all of them.
fn gathered(problem: &Problem, program: &BoundProgram<f64>, used: &[usize], lengths: &[usize]) -> Vec<f64> {
    let mut entries = Vec::new();
    for (formal, n) in problem.lower_inputs().into_iter().zip(lengths) {
        match used.iter().position(|u| *u == formal) {
            Some(output) => entries.extend_from_slice(program.output(output)),
            None => entries.extend(vec![0.0; *n]),
        }
    }
    entries
}

/// How far a value is outside of its ends.
fn outside(c: f64, [low, high]: [f64; 2]) -> f64 {
    (c - high).max(low - c).max(0.0)
}

/// The problem with the augmented Lagrangian for its lower objective: each array of rows brings the data `lam` and `rho` of
/// its shape, behind all other formals. Sets that are rows are no sets any more.
fn augmented(problem: &Problem, rows: &[Rows]) -> Problem {
    let mut inner = problem.clone();
    let lower = &mut inner.levels[LevelId::LOWER.index()];
    lower.constraints.clear();
    for variable in lower.variables.iter_mut().filter(|v| !is_beyond_rows(v)) {
        if variable.set.as_ref().is_some_and(|s| !s.set.is_box) {
            (variable.set, variable.prox) = (None, None);
        }
    }
    for (i, c) in rows.iter().enumerate() {
        let further = |name: String| Formal { name, shape: c.value.output_shape(0).clone(), elem: Elem::Real };
        inner.formals.extend([further(format!("lam{i}")), further(format!("rho{i}"))]);
    }
    let mut g = Graph::new();
    let inputs: Vec<NodeId> =
        inner.formals.iter().enumerate().map(|(i, f)| g.input(i, f.shape.clone(), f.elem)).collect();
    let at = |g: &mut Graph, f: &Function| f.instantiate(g, &inputs[..f.inputs.len()])[0];
    let mut sum = at(&mut g, &lower.objective);
    let first = problem.formals.len();
    let (zero, half) = (g.constant(0.0), g.constant(0.5));
    for (i, c) in rows.iter().enumerate() {
        let (lam, rho) = (inputs[first + 2 * i], inputs[first + 2 * i + 1]);
        let value = at(&mut g, &c.value);
        let shift = g.div(lam, rho);
        let mut reached = g.add(value, shift);
        if !c.equality {
            reached = g.elementwise(elementwise::MAX, &[reached, zero]);
        }
        let square = g.mul(reached, reached);
        let weighted = g.mul(rho, square);
        let total = g.sum_all(weighted);
        let part = g.mul(half, total);
        sum = g.add(sum, part);
    }
    lower.objective = Function::new("augmented Lagrangian", &g, inner.formals.clone(), &[sum]);
    inner
}
