//! The projection of x and y together on the rows of the lower level, which are affine in both, and on boxes.

use blo_engine::diff::jvp;
use blo_engine::graph::Function;
use blo_engine::model::problem::{LevelId, Problem};
use blo_grammar::diagnostic::Diagnostic;

use crate::conic::{Affine, ConicProgram};
use crate::formula::rows::rows;
use crate::iteration::Context;
use crate::iteration::control::Iterate;
use crate::iteration::external::External;
use crate::lower::constrained::bounds_of;
use crate::nlp::Nlp;
use crate::nlp::functions::FunctionNlp;

/// Whether a function is affine in all variables together: its changes hold none of them.
pub(super) fn is_affine(problem: &Problem, value: &Function) -> bool {
    let used: Vec<usize> = problem.variables().map(|v| v.formal).filter(|i| value.depends_on(*i)).collect();
    let change = jvp(value, &used);
    !used.iter().any(|i| change.depends_on(*i))
}

/// The joint set C: `low <= u <= high`, and rows `a'u + b <= 0`, or zero.
pub(super) struct JointSet {
    bounds: Vec<[f64; 2]>,
    rows: Vec<(Affine, bool)>,
    /// Inputs of the point to be projected, and of x and y.
    from: Vec<usize>,
    to: Vec<usize>,
}

impl JointSet {
    pub(super) fn new(context: &Context<'_>, from: Vec<usize>) -> Result<JointSet, Box<Diagnostic>> {
        let Context { problem, data, options } = context;
        let to: Vec<usize> = problem.variables().map(|v| v.formal).collect();
        let rows = rows(problem, LevelId::LOWER);
        let functions: Vec<Function> = rows.iter().map(|r| r.value.clone()).collect();
        let objective = &problem.lower().objective;
        let mut program = FunctionNlp::new(problem, data, options.threads, objective, &functions, &to)?;
        let lengths: Vec<usize> = to.iter().map(|i| program.length(*i)).collect();
        let variables: Vec<_> = problem.variables().cloned().collect();
        let bounds = bounds_of(&variables, &lengths, problem, data)?;
        let equalities: Vec<bool> =
            rows.iter().zip(program.row_lengths()).flat_map(|(r, n)| vec![r.equality; *n]).collect();
        let n = bounds.len();
        let zeros = vec![0.0; n];
        let (mut values, mut slope) = (vec![0.0; equalities.len()], vec![0.0; n]);
        let mut jacobian = vec![0.0; n * equalities.len()];
        program.values(&zeros, &mut values);
        program.slopes(&zeros, &mut slope, &mut jacobian);
        let affine = |(i, equality): (usize, &bool)| {
            let row = jacobian[i * n..(i + 1) * n].iter().copied().enumerate();
            (Affine { terms: row.filter(|(_, a)| *a != 0.0).collect(), constant: values[i] }, *equality)
        };
        let rows = equalities.iter().enumerate().map(affine).collect();
        Ok(JointSet { bounds, rows, from, to })
    }

    /// The nearest point of C; the point itself, within its box, where there is none.
    fn nearest(&self, point: &[f64]) -> Vec<f64> {
        let clamped = |v: f64, [low, high]: [f64; 2]| v.max(low).min(high);
        let inside: Vec<f64> = point.iter().zip(&self.bounds).map(|(v, b)| clamped(*v, *b)).collect();
        let value = |row: &Affine| row.terms.iter().map(|(i, a)| a * inside[*i]).sum::<f64>() + row.constant;
        if self.rows.iter().all(|(row, equality)| !*equality && value(row) <= 0.0) {
            return inside;
        }
        // as a step from the point within the box, so that the tolerance of the program is one of the step
        let mut program = ConicProgram::default();
        let step = program.variables(point.len(), 1.0);
        for (i, v) in step.enumerate() {
            program.square_cost(1.0, v, point[i] - inside[i]);
        }
        for (row, equality) in &self.rows {
            let row = Affine { terms: row.terms.clone(), constant: value(row) };
            match equality {
                true => program.zero(row),
                false => {
                    program.nonnegative(Affine::default().plus(-1.0, &row));
                }
            }
        }
        for (i, [low, high]) in self.bounds.iter().enumerate() {
            let v = Affine::variable(i);
            if high.is_finite() {
                program.nonnegative(Affine::constant(high - inside[i]).plus(-1.0, &v));
            }
            if low.is_finite() {
                program.nonnegative(Affine::constant(inside[i] - low).plus(1.0, &v));
            }
        }
        match program.solve() {
            Some(found) => {
                let moved = inside.iter().zip(&found.point).map(|(v, d)| v + d);
                moved.zip(&self.bounds).map(|(v, b)| clamped(v, *b)).collect()
            }
            None => inside,
        }
    }
}

impl External for JointSet {
    fn describe(&self) -> Vec<(&'static str, String)> {
        let equalities = self.rows.iter().filter(|(_, equality)| *equality).count();
        vec![
            ("solves", "min |u - v|^2 over u = (x, y) in the joint set of rows and boxes".to_owned()),
            ("variables", self.bounds.len().to_string()),
            ("rows", format!("{}, {equalities} of them equalities", self.rows.len())),
        ]
    }

    fn run(&mut self, _: u64, iterate: &mut dyn Iterate, _: &mut dyn FnMut() -> bool) {
        let mut point = Vec::new();
        for input in &self.from {
            let mut part = vec![0.0; iterate.len(*input)];
            iterate.read(*input, &mut part);
            point.append(&mut part);
        }
        let found = self.nearest(&point);
        let mut rest = found.as_slice();
        for input in &self.to {
            let (part, after) = rest.split_at(iterate.len(*input));
            iterate.write(*input, part);
            rest = after;
        }
    }
}
