//! A problem whose rows of the upper level are terms of its objective: the augmented Lagrangian of Powell, Hestenes and
//! Rockafellar (Rockafellar, SIAM J. Control 12, 1974),
//! `F + sum(max(0, lam + rho G)^2 - lam^2)/(2 rho)` for `G <= 0`, `F + nu'H + rho |H|^2/2` for `H = 0`.
//! Multipliers and rho are data of the problem: a method that knows no rows sees an objective, and whoever runs it writes
//! them between runs.

use super::bind::Bindings;
use super::problem::{ConstraintKind, Problem};
use crate::data::Array;
use crate::elementwise;
use crate::graph::{Elem, Formal, Function, Graph, NodeId};
use crate::shape::{Shape, Sizes};

/// The problem with terms for rows.
#[derive(Clone, Debug)]
pub struct Augmented {
    /// The problem; its last formals are the multipliers of each constraint of the upper level, and rho.
    pub problem: Problem,
    shapes: Vec<Shape>,
}

/// The augmented Lagrangian of a problem in the rows of its upper level.
pub fn augmented(problem: &Problem) -> Augmented {
    let mut formals = problem.formals.clone();
    let first = formals.len();
    let constraints = &problem.upper().constraints;
    let shapes: Vec<Shape> = constraints.iter().map(|c| c.shape.clone()).collect();
    for c in constraints {
        let name = format!("multiplier of `{}`", c.name);
        formals.push(Formal { name, shape: c.shape.clone(), elem: Elem::Real });
    }
    formals.push(Formal { name: "rho".to_string(), shape: Shape::default(), elem: Elem::Real });
    let objective = objective(problem, &formals, first);
    let mut relaxed = Problem { formals: formals.clone(), ..problem.clone() };
    relaxed.levels.iter_mut().for_each(|level| level.widen(&formals));
    let upper = &mut relaxed.levels[0];
    upper.objective = objective;
    upper.constraints.clear();
    Augmented { problem: relaxed, shapes }
}

fn objective(problem: &Problem, formals: &[Formal], first: usize) -> Function {
    let mut g = Graph::new();
    let inputs: Vec<NodeId> = formals.iter().enumerate().map(|(i, f)| g.input(i, f.shape.clone(), f.elem)).collect();
    let upper = problem.upper();
    let at = |g: &mut Graph, f: &Function| f.instantiate(g, &inputs[..f.inputs.len()])[0];
    let mut total = at(&mut g, &upper.objective);
    let rho = inputs[first + upper.constraints.len()];
    let (zero, two) = (g.constant(0.0), g.constant(2.0));
    for (i, c) in upper.constraints.iter().enumerate() {
        let (value, lam) = (at(&mut g, &c.value), inputs[first + i]);
        let change = g.mul(rho, value);
        let moved = g.add(lam, change);
        let moved = match c.kind {
            ConstraintKind::Inequality => g.elementwise(elementwise::MAX, &[moved, zero]),
            ConstraintKind::Equality => moved,
        };
        let [after, before] = [moved, lam].map(|m| {
            let square = g.mul(m, m);
            g.sum_all(square)
        });
        let gain = g.sub(after, before);
        let double = g.mul(two, rho);
        let term = g.div(gain, double);
        total = g.add(total, term);
    }
    Function::new(upper.objective.name.clone(), &g, formals.to_vec(), &[total])
}

impl Augmented {
    /// The data of the problem, with these multipliers, a list per constraint, and rho. Without multipliers they are zero.
    pub fn bound(&self, data: &Bindings, multipliers: Option<&[Vec<f64>]>, rho: f64) -> Bindings {
        let mut data = data.clone();
        for (i, shape) in self.shapes.iter().enumerate() {
            let sizes = sizes_of(shape, &data.sizes);
            let count = sizes.iter().product();
            let values = multipliers.map_or_else(|| vec![0.0; count], |m| m[i].clone());
            data.values.push(Array::new(sizes, values).into());
        }
        data.values.push(Array::new(Vec::new(), vec![rho]).into());
        data
    }
}

fn sizes_of(shape: &Shape, sizes: &Sizes) -> Vec<usize> {
    shape.sizes(sizes).expect("a row of bound data has sizes")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Memory;
    use crate::model::{Settings, bind, check};
    use crate::oracle::{self, Tensor, Value};

    #[test]
    fn the_terms_are_those_of_the_formula() {
        let text = "upper { var x  minimize x^2  subject to { low: x >= 1;  sum: x + y == 5 } }
            lower { var y  minimize (y - x)^2 }";
        let problem = check(&blo_grammar::parse(text).ast, text, "p", &Settings::default()).problem.unwrap();
        let relaxed = augmented(&problem);
        assert!(relaxed.problem.upper().constraints.is_empty());
        let data = bind(&problem, &Memory::new(), 0).unwrap();
        let bound = relaxed.bound(&data, Some(&[vec![3.0], vec![-2.0]]), 4.0);
        assert_eq!(bound.values.len(), 3);
        // G = 1 - x = 0.5, H = x + y - 5 = -2.5
        let numbers = [0.5, 2.0, 3.0, -2.0, 4.0];
        let inputs: Vec<Value<f64>> =
            numbers.iter().map(|v| Value::Real(Tensor { shape: Vec::new(), values: vec![*v] })).collect();
        let found = oracle::evaluate(&relaxed.problem.upper().objective, &data.sizes, &inputs);
        let expected = 0.25 + ((3.0f64 + 2.0).powi(2) - 9.0) / 8.0 + (-2.0 * -2.5) + 2.0 * 2.5f64.powi(2);
        assert!((found[0].values[0] - expected).abs() < 1e-12, "{found:?} {expected}");
    }
}
