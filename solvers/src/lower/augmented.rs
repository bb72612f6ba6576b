//! A lower level with rows, solved at a fixed x by an augmented Lagrangian around the solver of lower levels without rows
//! ([`super::solve`]): `f + sum rho/2 |max(0, c + lam/rho)|^2 + sum rho/2 |h + nu/rho|^2` (Powell, Hestenes, Rockafellar;
//! safeguarded as ALGENCAN does it: Andreani, Birgin, Martinez, Schuverdt, SIAM J. Optim. 18, 2007). It needs gradients
//! only, and so serves levels of many variables; small ones have [`crate::nlp`], which is more accurate.
//!
//! Multipliers and penalties are data of the augmented objective. They change once per outer iteration, which then compiles
//! it again: against the evaluations in between that is little.

use blo_engine::data::Array;
use blo_engine::diff::gradient;
use blo_engine::elementwise;
use blo_engine::graph::{Elem, Formal, Function, Graph, NodeId};
use blo_engine::model::problem::{Constraint, ConstraintKind, LevelId, Problem};
use blo_engine::model::{Bindings, Bound};
use blo_grammar::diagnostic::Diagnostic;

use crate::formula::bound_program::BoundProgram;
use crate::formula::set_bounds::set_bounds;
use crate::lower::solve::{LowerSolution, LowerSolver, LowerStart};
use crate::nlp::functions::{lagrangian, together};
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

/// The solver at one x.
struct Augmented<'a> {
    problem: &'a Problem,
    /// The problem without rows, whose lower objective has multipliers and penalties as its last inputs.
    inner: Problem,
    data: Bindings,
    threads: u64,
    x: &'a [Vec<f64>],
    /// f and the rows.
    values: BoundProgram<f64>,
    /// The gradient of the Lagrangian, with the inputs of the multipliers, and the variables that it depends on.
    slopes: BoundProgram<f64>,
    multiplier_inputs: Vec<usize>,
    used: Vec<usize>,
    /// Entries of the lower variables and of the rows.
    lengths: Vec<usize>,
    row_lengths: Vec<usize>,
    bounds: Vec<[f64; 2]>,
    row_bounds: Vec<[f64; 2]>,
}

/// A local solution of the lower level near y, an array per lower variable; `limits.iterations` counts inner solves.
///
/// # Errors
/// When the memory cannot be allocated.
pub(crate) fn solve(
    problem: &Problem,
    data: &Bindings,
    threads: u64,
    (x, y): (&[Vec<f64>], &[Vec<f64>]),
    limits: &Limits,
) -> Result<Outcome, Box<Diagnostic>> {
    let mut solver = Augmented::new(problem, data, threads, x, y)?;
    solver.run(y, limits)
}

impl<'a> Augmented<'a> {
    fn new(
        problem: &'a Problem,
        data: &Bindings,
        threads: u64,
        x: &'a [Vec<f64>],
        y: &[Vec<f64>],
    ) -> Result<Augmented<'a>, Box<Diagnostic>> {
        let constraints = &problem.lower().constraints;
        let rows: Vec<Function> = constraints.iter().map(|c| c.value.clone()).collect();
        let all = together(&problem.lower().objective, &rows);
        let (of_lagrangian, factor, multiplier_inputs) = lagrangian(&all);
        let used: Vec<usize> = problem.lower_inputs().into_iter().filter(|i| of_lagrangian.depends_on(*i)).collect();
        let mut slopes = BoundProgram::new(&gradient(&of_lagrangian, &used), problem, data, threads)?;
        let mut values = BoundProgram::new(&all, problem, data, threads)?;
        slopes.set_scalar(factor, 1.0);
        for (input, of_x) in problem.upper_inputs().into_iter().zip(x) {
            values.set(input, of_x);
            slopes.set(input, of_x);
        }
        let mut bounds = Vec::new();
        for (variable, y) in problem.lower().variables.iter().zip(y) {
            bounds.extend(set_bounds(variable, y.len(), problem, data)?);
        }
        let row_lengths: Vec<usize> = (0..rows.len()).map(|i| values.output(i + 1).len()).collect();
        let ends = |c: &Constraint| [if c.kind == ConstraintKind::Equality { 0.0 } else { f64::NEG_INFINITY }, 0.0];
        let row_bounds = constraints.iter().zip(&row_lengths).flat_map(|(c, n)| vec![ends(c); *n]).collect();
        Ok(Augmented {
            inner: augmented(problem),
            problem,
            data: data.clone(),
            threads,
            x,
            values,
            slopes,
            multiplier_inputs,
            used,
            lengths: y.iter().map(Vec::len).collect(),
            row_lengths,
            bounds,
            row_bounds,
        })
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
        let error = |end: &Outcome| end.violation.max(end.stationarity.max(end.complementarity) / unit);
        let (mut tolerance, mut before, mut evaluations, mut idle) = (INNER[0], f64::INFINITY, 1, 0);
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
        let point = [self.x, y].concat();
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
        for (input, y) in self.problem.lower_inputs().into_iter().zip(y) {
            self.slopes.set(input, y);
        }
        let mut rest = lam;
        for (input, n) in self.multiplier_inputs.iter().zip(&self.row_lengths) {
            let (part, after) = rest.split_at(*n);
            self.slopes.set(*input, part);
            rest = after;
        }
        self.slopes.run();
        let mut slope = Vec::new();
        for (formal, n) in self.problem.lower_inputs().into_iter().zip(&self.lengths) {
            match self.used.iter().position(|u| *u == formal) {
                Some(output) => slope.extend_from_slice(self.slopes.output(output)),
                None => slope.extend(vec![0.0; *n]),
            }
        }
        slope
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

/// How far a value is outside of its ends.
fn outside(c: f64, [low, high]: [f64; 2]) -> f64 {
    (c - high).max(low - c).max(0.0)
}

/// The problem with the augmented Lagrangian for its lower objective: each array of rows brings the data `lam` and `rho` of
/// its shape, behind all other formals.
fn augmented(problem: &Problem) -> Problem {
    let mut inner = problem.clone();
    let lower = &mut inner.levels[LevelId::LOWER.index()];
    let constraints = std::mem::take(&mut lower.constraints);
    for (i, c) in constraints.iter().enumerate() {
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
    for (i, c) in constraints.iter().enumerate() {
        let (lam, rho) = (inputs[first + 2 * i], inputs[first + 2 * i + 1]);
        let value = at(&mut g, &c.value);
        let shift = g.div(lam, rho);
        let mut reached = g.add(value, shift);
        if c.kind == ConstraintKind::Inequality {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conic::{Affine, ConicProgram};
    use crate::fixture::{data, problem};
    use crate::formula::start_point::start_point;

    fn solved(text: &str, tolerance: f64) -> (Problem, Bindings, Outcome) {
        let problem = problem(text);
        let data = data(&problem);
        let point = start_point::<f64>(&problem, &data, 1).unwrap();
        let (x, y) = point.split_at(problem.range(LevelId::UPPER).end);
        let limits = Limits { tolerance, iterations: 60, ..Limits::default() };
        let end = solve(&problem, &data, 1, (x, y), &limits).unwrap();
        (problem, data, end)
    }

    /// 1000 variables and 200 rows: the value and the multipliers of the conic solver.
    #[test]
    fn a_large_quadratic_program_as_the_conic_solver_has_it() {
        let (_, data, end) = solved(
            "param n = 1000
             param m = 200
             data q[n] = uniform(low = 0.5, high = 2, seed = 1)
             data c[n] = normal(seed = 2)
             data A[m, n] = normal(seed = 3)
             upper { var t in [0, 1]  minimize t }
             lower { var y[n] in [-1, 1]  minimize 1/2*sum(q.*y.^2) + c'*y
                     subject to { A*y <= -1 } }",
            1e-5,
        );
        assert_eq!(end.status, Status::Solved, "{end:?}");
        let numbers = |i: usize| match &data.values[i] {
            Bound::Real(numbers) => numbers.values().collect::<Vec<f64>>(),
            Bound::Index(_) => unreachable!("numbers"),
        };
        let (q, c, a) = (numbers(0), numbers(1), numbers(2));
        let mut conic = ConicProgram::default();
        let z = conic.variables(q.len(), 1.0);
        for i in z.clone() {
            conic.square_cost(q[i], i, 0.0);
            conic.cost(&Affine::default().plus(c[i], &Affine::variable(i)));
            for sign in [1.0, -1.0] {
                conic.nonnegative(Affine::constant(1.0).plus(sign, &Affine::variable(i)));
            }
        }
        let places: Vec<usize> = a
            .chunks_exact(q.len())
            .map(|row| {
                let terms = row.iter().enumerate().map(|(i, v)| (i, -v)).collect();
                conic.nonnegative(Affine { terms, constant: -1.0 })
            })
            .collect();
        let right = conic.solve().unwrap();
        assert!((end.value - right.value).abs() <= 1e-6 * right.value.abs(), "{} {}", end.value, right.value);
        let most = end.multipliers.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
        assert!(most > 1e-3);
        for (lam, place) in end.multipliers.iter().zip(&places) {
            assert!((lam - right.multipliers[*place]).abs() <= 1e-4 * most, "{lam} {}", right.multipliers[*place]);
        }
    }

    #[test]
    fn what_an_end_is() {
        let level =
            |body: &str| format!("upper {{ var t in [0, 1]  minimize t }}  lower {{ {body} }}  start {{ y = 0.5 }}");
        let both = "var y[2]  minimize normsq(y) subject to { y[1] + y[2] == 2; y[1] - y[2] >= 1 }";
        let (.., end) = solved(&level(both), 1e-7);
        assert_eq!(end.status, Status::Solved, "{end:?}");
        assert!((end.z[0] - 1.5).abs() < 1e-6 && (end.z[1] - 0.5).abs() < 1e-6, "{end:?}");
        // 2 y = (-nu + lam, -nu - lam)
        assert!((end.multipliers[0].abs() - 2.0).abs() < 1e-5 && (end.multipliers[1] - 1.0).abs() < 1e-5, "{end:?}");
        let matrix =
            "var y[2, 2]  minimize normsq(y - [[1, 2], [3, 4]]) subject to { y <= 1.5 + t;  y[1, 1] == y[2, 2] }";
        let (.., end) = solved(&level(matrix), 1e-7);
        assert!(end.status == Status::Solved && end.rows.len() == 5, "{end:?}");
        assert!(end.z.iter().all(|z| (z - 1.5).abs() < 1e-6), "{end:?}");
        let none = "var y[2]  minimize normsq(y) subject to { y[1] + y[2] == 2; y[1] + y[2] <= 1 }";
        let (.., end) = solved(&level(none), 1e-7);
        assert_eq!(end.status, Status::Infeasible, "{end:?}");
    }
}
