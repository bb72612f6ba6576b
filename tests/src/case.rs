//! A case of the suite: a program with values for its params, its files, the optimum it should reach, and how near it
//! must come. What is known of an optimum comes from the program itself, or, where the program cannot state it, from a
//! solver of our own that shares nothing with the engine.

use blo_engine::data::Memory;
use blo_engine::graph::Function;
use blo_engine::model::problem::Problem;
use blo_engine::model::{Bindings, Bound};
use blo_engine::oracle::{self, Tensor, Value};
use blo_solvers::Solution;

use crate::program::Program;

/// A program to be solved.
pub struct Case {
    /// The program's name, its params and its variant, as shown.
    pub name: String,
    /// The program.
    pub program: Program,
    /// Values of its params.
    pub params: Vec<(&'static str, f64)>,
    /// Its files.
    pub files: Memory,
    /// What a solution must satisfy.
    pub bar: Bar,
    /// Where the optimum comes from.
    pub optimum: Optimum,
    /// Why the case cannot run here.
    pub absent: Option<String>,
}

/// How near the polished point must be to the optimum. Limits that are `None` are not judged.
#[derive(Clone, Copy, Debug)]
pub struct Bar {
    /// On `|F - F*| / |F*|`, absolute where `F* = 0`.
    pub upper: Option<f64>,
    /// What else shows that the lower level is solved.
    pub lower: LowerCheck,
    /// On `err` of every upper variable with a known value.
    pub x: Option<f64>,
    /// On `err` of every lower variable with a known value.
    pub y: Option<f64>,
    /// On the distance of the upper variables to the optimum; asks too that they lie strictly inside their sets.
    pub near: Option<f64>,
    /// On the lower residual, relative to its largest value at the start and after one iteration.
    pub residual: f64,
}

impl Bar {
    /// What every case is held to: the lower level solved, F within 1e-2.
    pub const LOOSE: Bar =
        Bar { upper: Some(1e-2), lower: LowerCheck::Stationary, x: None, y: None, near: None, residual: 1e-6 };
}

/// What shows that a lower level is solved, beyond its residual.
#[derive(Clone, Copy, Debug)]
pub enum LowerCheck {
    /// Nothing: every stationary point is a minimizer.
    Stationary,
    /// The least value is the known one, whatever x is: a bound on the relative difference.
    Constant(f64),
    /// The least value follows from the upper variables: a bound on the relative difference.
    Value {
        /// The least value at the x of a solution.
        least: fn(&Solution) -> f64,
        /// The bound.
        tolerance: f64,
    },
    /// The lower level has one number in an interval: its value against the least on a grid, relatively.
    Scan {
        /// The lower end.
        from: f64,
        /// The upper end.
        to: f64,
        /// The bound.
        tolerance: f64,
    },
}

/// A local solution of the bilevel problem.
#[derive(Clone, Debug, PartialEq)]
pub struct Minimum {
    /// Its name in reports.
    pub name: String,
    /// Its upper objective.
    pub upper: f64,
    /// The upper variable, where there is one.
    pub x: Option<f64>,
}

/// Where the optimum of a case comes from.
pub enum Optimum {
    /// The program's `known`.
    Known,
    /// The program's `known`, and local solutions with smaller merit.
    KnownAmong(Vec<Minimum>),
    /// The program's `known`, and the local solution that belongs to the lower solution found.
    KnownNear(fn(&Solution) -> Option<Minimum>),
    /// Computed for the bound problem: the optimum's objective and points.
    Computed(fn(&Problem, &Bindings) -> Point),
}

/// An optimum that a program cannot state.
#[derive(Clone, Debug)]
pub struct Point {
    /// Its upper objective.
    pub upper: f64,
    /// Its variables.
    pub variables: Vec<(&'static str, Vec<f64>)>,
}

/// The value of a `known` objective: a function of data alone.
pub fn value(function: &Function, problem: &Problem, bindings: &Bindings) -> f64 {
    evaluate(function, problem, bindings, &[])[0][0]
}

/// The outputs of a function at given values of the variables, zero where there are none.
pub fn evaluate(function: &Function, problem: &Problem, bindings: &Bindings, at: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let variables = problem.variables().enumerate().map(|(i, v)| {
        let shape = v.shape.sizes(&bindings.sizes).expect("sizes are known once data is bound");
        let count = shape.iter().product();
        Value::Real(Tensor::new(shape, at.get(i).cloned().unwrap_or_else(|| vec![0.0; count])))
    });
    let data = bindings.values.iter().map(Bound::value);
    let inputs: Vec<Value<f64>> = variables.chain(data).collect();
    oracle::evaluate(function, &bindings.sizes, &inputs).into_iter().map(|t| t.values).collect()
}
