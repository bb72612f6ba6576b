//! Functions of a problem as a nonlinear program: some of their inputs are its variables, one after the other in one list
//! of entries; the other inputs are data, which are bound, and parameters, which are set.

use blo_engine::diff::{gradient, jvp};
use blo_engine::graph::{Elem, Formal, Function, Graph, NodeId};
use blo_engine::model::Bindings;
use blo_engine::model::problem::Problem;
use blo_engine::shape::Shape;
use blo_grammar::diagnostic::Diagnostic;

use super::Nlp;
use crate::formula::bound_program::BoundProgram;

/// The program.
pub(crate) struct FunctionNlp {
    /// f, then the rows.
    values: BoundProgram<f64>,
    /// Their change along a direction; what does not depend on the direction is computed once per point.
    slopes: BoundProgram<f64>,
    /// The change of the Lagrangian's gradient along a direction.
    curvature: BoundProgram<f64>,
    /// The inputs that are variables, with their lengths.
    variables: Vec<(usize, usize)>,
    /// The inputs of directions.
    slope_directions: Vec<usize>,
    curvature_directions: Vec<usize>,
    /// The inputs of the factor of f and of the multipliers of each row array.
    factor: usize,
    multipliers: Vec<usize>,
    /// Which of the variables the outputs of `curvature` are for.
    curved: Vec<usize>,
    lengths: Vec<usize>,
    bounds: Vec<[f64; 2]>,
    row_bounds: Vec<[f64; 2]>,
}

impl FunctionNlp {
    /// `min objective` under rows that are arrays, over the inputs `variables`; all ends are infinite. Functions may have
    /// more inputs than the problem has formals, the same ones.
    ///
    /// # Errors
    /// When the memory cannot be allocated.
    pub(crate) fn new(
        problem: &Problem,
        data: &Bindings,
        threads: u64,
        objective: &Function,
        rows: &[Function],
        variables: &[usize],
    ) -> Result<FunctionNlp, Box<Diagnostic>> {
        let all = together(objective, rows);
        let values = BoundProgram::new(&all, problem, data, threads)?;
        let changes = jvp(&all, variables);
        let slope_directions: Vec<usize> = (all.inputs.len()..changes.inputs.len()).collect();
        let kept: Vec<usize> = (0..all.inputs.len()).filter(|i| !is_data(problem, *i)).collect();
        let slopes = BoundProgram::repeated(&changes, problem, data, threads, &[], &kept)?;
        let (lagrangian, factor, multipliers) = lagrangian(&all);
        let curved: Vec<usize> = (0..variables.len()).filter(|i| lagrangian.depends_on(variables[*i])).collect();
        let used: Vec<usize> = curved.iter().map(|i| variables[*i]).collect();
        let products = jvp(&gradient(&lagrangian, &used), &used);
        let curvature_directions: Vec<usize> = (lagrangian.inputs.len()..products.inputs.len()).collect();
        let kept: Vec<usize> = (0..lagrangian.inputs.len()).filter(|i| !is_data(problem, *i)).collect();
        let curvature = BoundProgram::repeated(&products, problem, data, threads, &[], &kept)?;
        let variables: Vec<(usize, usize)> = variables.iter().map(|i| (*i, values.input(*i).len())).collect();
        let lengths: Vec<usize> = (1..=rows.len()).map(|o| values.output(o).len()).collect();
        let entries = variables.iter().map(|(_, n)| n).sum();
        let count = lengths.iter().sum();
        let free = [f64::NEG_INFINITY, f64::INFINITY];
        Ok(FunctionNlp {
            values,
            slopes,
            curvature,
            variables,
            slope_directions,
            curvature_directions,
            factor,
            multipliers,
            curved,
            lengths,
            bounds: vec![free; entries],
            row_bounds: vec![free; count],
        })
    }

    /// Entries of each array of rows.
    pub(crate) fn row_lengths(&self) -> &[usize] {
        &self.lengths
    }

    /// Entries of an input.
    pub(crate) fn length(&self, input: usize) -> usize {
        self.values.input(input).len()
    }

    /// Sets an input that is no variable.
    pub(crate) fn set(&mut self, input: usize, values: &[f64]) {
        for program in [&mut self.values, &mut self.slopes, &mut self.curvature] {
            if program.has_input(input) {
                program.set(input, values);
            }
        }
    }

    /// The ends of the variables' entries.
    pub(crate) fn set_bounds(&mut self, bounds: &[[f64; 2]]) {
        self.bounds.copy_from_slice(bounds);
    }

    /// The ends of the rows, array by array.
    pub(crate) fn set_row_bounds(&mut self, ends: &[[f64; 2]]) {
        self.row_bounds.copy_from_slice(ends);
    }
}

impl Nlp for FunctionNlp {
    fn bounds(&self) -> &[[f64; 2]] {
        &self.bounds
    }

    fn row_bounds(&self) -> &[[f64; 2]] {
        &self.row_bounds
    }

    fn values(&mut self, z: &[f64], rows: &mut [f64]) -> f64 {
        put(&mut self.values, &self.variables, z);
        self.values.run();
        let mut rest = rows;
        for (i, length) in self.lengths.iter().enumerate() {
            let (part, after) = rest.split_at_mut(*length);
            part.copy_from_slice(self.values.output(i + 1));
            rest = after;
        }
        self.values.scalar(0)
    }

    fn slopes(&mut self, z: &[f64], gradient: &mut [f64], jacobian: &mut [f64]) {
        put(&mut self.slopes, &self.variables, z);
        self.slopes.refresh();
        let mut column = 0;
        for (direction, (_, length)) in self.slope_directions.iter().zip(&self.variables) {
            for i in 0..*length {
                let entry = column + i;
                let [low, high] = self.bounds[entry];
                if low == high {
                    // a fixed variable has no direction
                    gradient[entry] = 0.0;
                    jacobian.iter_mut().skip(entry).step_by(z.len()).for_each(|slot| *slot = 0.0);
                    continue;
                }
                self.slopes.input_mut(*direction)[i] = 1.0;
                self.slopes.run();
                self.slopes.input_mut(*direction)[i] = 0.0;
                gradient[entry] = self.slopes.scalar(0);
                let mut row = 0;
                for (array, count) in self.lengths.iter().enumerate() {
                    for (k, change) in self.slopes.output(array + 1).iter().enumerate() {
                        jacobian[(row + k) * z.len() + entry] = *change;
                    }
                    row += count;
                }
            }
            column += length;
        }
    }

    fn hessian(&mut self, z: &[f64], factor: f64, multipliers: &[f64], hessian: &mut [f64]) {
        hessian.fill(0.0);
        put(&mut self.curvature, &self.variables, z);
        self.curvature.set_scalar(self.factor, factor);
        let mut rest = multipliers;
        for (input, length) in self.multipliers.iter().zip(&self.lengths) {
            let (part, after) = rest.split_at(*length);
            self.curvature.set(*input, part);
            rest = after;
        }
        self.curvature.refresh();
        let firsts: Vec<usize> = self
            .variables
            .iter()
            .scan(0, |at, (_, n)| {
                *at += n;
                Some(*at - n)
            })
            .collect();
        for (direction, variable) in self.curvature_directions.iter().zip(&self.curved) {
            for i in 0..self.variables[*variable].1 {
                let entry = firsts[*variable] + i;
                let [low, high] = self.bounds[entry];
                if low == high {
                    continue;
                }
                self.curvature.input_mut(*direction)[i] = 1.0;
                self.curvature.run();
                self.curvature.input_mut(*direction)[i] = 0.0;
                for (output, other) in self.curved.iter().enumerate() {
                    for (k, h) in self.curvature.output(output).iter().enumerate() {
                        hessian[(firsts[*other] + k) * z.len() + entry] = *h;
                    }
                }
            }
        }
    }
}

fn put(program: &mut BoundProgram<f64>, variables: &[(usize, usize)], z: &[f64]) {
    let mut rest = z;
    for (input, length) in variables {
        let (part, after) = rest.split_at(*length);
        program.set(*input, part);
        rest = after;
    }
}

/// True for an input that is bound once: data which no run computes.
pub(crate) fn is_data(problem: &Problem, input: usize) -> bool {
    let data = problem.variables().count()..problem.formals.len();
    data.contains(&input) && !problem.is_solved_for(input)
}

/// One function of all outputs, over the longest list of inputs.
pub(crate) fn together(objective: &Function, rows: &[Function]) -> Function {
    let all = || std::iter::once(objective).chain(rows);
    let inputs = all().map(|f| &f.inputs).max_by_key(|inputs| inputs.len()).cloned().unwrap_or_default();
    let mut g = Graph::new();
    let nodes = inputs_of(&mut g, &inputs);
    let outputs: Vec<NodeId> = all().map(|f| f.instantiate(&mut g, &nodes[..f.inputs.len()])[0]).collect();
    Function::new(objective.name.clone(), &g, inputs, &outputs)
}

fn inputs_of(g: &mut Graph, inputs: &[Formal]) -> Vec<NodeId> {
    inputs.iter().enumerate().map(|(i, f)| g.input(i, f.shape.clone(), f.elem)).collect()
}

/// `factor f + multipliers'c`, with the inputs of the factor and of the multipliers of each array of rows.
pub(crate) fn lagrangian(all: &Function) -> (Function, usize, Vec<usize>) {
    let first = all.inputs.len();
    let mut inputs = all.inputs.clone();
    let further = |name: String, shape: Shape| Formal { name, shape, elem: Elem::Real };
    inputs.push(further("factor".into(), Shape::scalar()));
    let arrays = 1..all.outputs().len();
    inputs.extend(arrays.clone().map(|o| further(format!("multiplier {o}"), all.output_shape(o).clone())));
    let mut g = Graph::new();
    let nodes = inputs_of(&mut g, &inputs);
    let outputs = all.instantiate(&mut g, &nodes[..first]);
    let mut sum = g.mul(nodes[first], outputs[0]);
    for o in arrays {
        let product = g.mul(nodes[first + o], outputs[o]);
        let product = g.sum_all(product);
        sum = g.add(sum, product);
    }
    let function = Function::new(format!("Lagrangian of {}", all.name), &g, inputs, &[sum]);
    (function, first, (first + 1..first + all.outputs().len()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{data, problem};
    use blo_engine::model::problem::LevelId;

    /// Scalars and arrays, a variable that f does not hold, one that is linear everywhere, a row that holds x.
    const TEXT: &str = "
        param n = 3
        data A[4, n] = normal(seed = 3)
        upper { var x[2]  minimize normsq(x) + sum(u) + v + w }
        lower {
          var u[n]   var v   var w in [-1, 1]
          minimize sum(exp(0.3*u)) + x[1]*u[1]*u[2] + (A[1, _]'*u)^2*v + log(1 + u[3]^2) + w
          subject to {
            A*u.^3 - v*w == x[2];
            sin(u) <= v^2;
            w*u[1] <= 1
          }
        }";

    fn program() -> (FunctionNlp, Vec<f64>) {
        let problem = problem(TEXT);
        let rows: Vec<Function> = problem.rows(LevelId::LOWER).iter().map(|r| r.value.clone()).collect();
        let f = &problem.lower().objective;
        let mut program = FunctionNlp::new(&problem, &data(&problem), 1, f, &rows, &problem.lower_inputs()).unwrap();
        program.set(0, &[0.7, -0.2]);
        (program, vec![0.4, -0.9, 1.3, 0.6, -0.5])
    }

    /// The value, rows, gradient and Jacobian.
    fn all(program: &mut FunctionNlp, z: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let (n, m) = (z.len(), program.row_bounds().len());
        let (mut rows, mut gradient, mut jacobian) = (vec![0.0; m], vec![0.0; n], vec![0.0; m * n]);
        let value = program.values(z, &mut rows);
        program.slopes(z, &mut gradient, &mut jacobian);
        ([vec![value], rows].concat(), [gradient, jacobian].concat())
    }

    #[test]
    fn slopes_and_hessians_are_those_of_differences() {
        let (mut program, z) = program();
        let n = z.len();
        assert_eq!(program.row_lengths(), [4, 3, 1]);
        let m = program.row_bounds().len();
        let (_, slopes) = all(&mut program, &z);
        let weights: Vec<f64> = (0..=m).map(|i| 0.4 - 0.3 * f64::from(i as u32)).collect();
        let mut hessian = vec![f64::NAN; n * n];
        program.hessian(&z, weights[0], &weights[1..], &mut hessian);
        let step = 1e-5;
        for j in 0..n {
            let [above, below] = [step, -step].map(|s| {
                let mut z = z.clone();
                z[j] += s;
                all(&mut program, &z)
            });
            for i in 0..=m {
                let difference = (above.0[i] - below.0[i]) / (2.0 * step);
                assert!((slopes[i * n + j] - difference).abs() < 1e-8, "{i} {j}: {} {difference}", slopes[i * n + j]);
            }
            for k in 0..n {
                let bend = |i: usize| (above.1[i * n + k] - below.1[i * n + k]) / (2.0 * step);
                let difference: f64 = weights.iter().enumerate().map(|(i, w)| w * bend(i)).sum();
                assert!((hessian[k * n + j] - difference).abs() < 1e-7, "{k} {j}: {} {difference}", hessian[k * n + j]);
            }
        }
    }

    #[test]
    fn a_fixed_variable_has_no_column_and_parameters_count() {
        let (mut program, z) = program();
        let n = z.len();
        let (values, slopes) = all(&mut program, &z);
        let mut bounds = vec![[f64::NEG_INFINITY, f64::INFINITY]; n];
        bounds[1] = [z[1], z[1]];
        program.set_bounds(&bounds);
        let (_, without) = all(&mut program, &z);
        for (at, (a, b)) in slopes.iter().zip(&without).enumerate() {
            assert_eq!(*b, if at % n == 1 { 0.0 } else { *a });
        }
        // the first rows are h - x_2
        program.set(0, &[0.7, 0.8]);
        let (moved, _) = all(&mut program, &z);
        assert!((1..=4).all(|i| (values[i] - moved[i] - 1.0).abs() < 1e-14) && values[5..] == moved[5..]);
    }
}
