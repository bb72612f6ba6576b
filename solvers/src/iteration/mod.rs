//! A method's iteration as data: a pure function from (state, data, scalars) to the next state, and what is reported
//! of a state. The driver runs it, `plan` prints it.

pub mod control;

use blo_engine::graph::Function;
use blo_engine::shape::Shape;

use crate::formula::problem_graph::Counts;
use crate::options::schedule::Schedule;

/// The iteration of a method on a problem.
#[derive(Clone, Debug)]
pub struct Iteration {
    /// Inputs: the formals of the problem, further states, parameters, scalars. One output per entry of `state`, then signals:
    /// scalars that the method's [`Control`](crate::iteration::control::Control) judges the step by.
    pub step: Function,
    /// What an iteration changes: upper variables, lower variables, further states.
    pub state: Vec<State>,
    /// What the driver sets before each iteration.
    pub scalars: Vec<Scalar>,
    /// What the control sets now and then.
    pub parameters: Vec<Parameter>,
    /// Over the same inputs; see [`Report`].
    pub report: Function,
    /// Evaluations in one step.
    pub counts: Counts,
}

impl Iteration {
    /// Number of signals of a step.
    pub(crate) fn signals(&self) -> usize {
        self.step.outputs().len() - self.state.len()
    }
}

/// A part of the state.
#[derive(Clone, Debug)]
pub struct State {
    /// The variable's name, or the paper's symbol.
    pub name: String,
    /// Its position among the inputs.
    pub input: usize,
    /// Its shape.
    pub shape: Shape,
    /// Where it starts.
    pub start: Start,
}

/// Where a part of the state starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// At the start of a variable, by its place among the variables of both levels.
    Variable(usize),
    /// At zero; the control may write other values before the first step.
    Zero,
}

/// An input that is neither state nor number: the control writes it when it chooses to.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// The paper's symbol.
    pub name: String,
    /// Its position among the inputs.
    pub input: usize,
}

/// A scalar input.
#[derive(Clone, Debug)]
pub struct Scalar {
    /// The paper's symbol.
    pub name: String,
    /// Its position among the inputs.
    pub input: usize,
    /// Its value, where the method states one; its control may choose others.
    pub value: Schedule,
}

/// What is reported of a state: the outputs of [`Iteration::report`], in this order, all scalars.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Report {
    /// The upper objective, to be minimized.
    pub upper: f64,
    /// The smooth part of the lower objective, to be minimized.
    pub smooth: f64,
    /// The proximal part.
    pub regularizer: f64,
    /// `|y - prox_g(y - f_y)|`, of the true problem.
    pub lower_residual: f64,
    /// Stationarity in the upper variables.
    pub upper_residual: f64,
    /// Stationarity of the method's own problem.
    pub method_residual: f64,
    /// How far the lower objective is above its least value, as far as the method knows it; NaN if it does not.
    pub gap: f64,
    /// `|y - Proj_Y(y - F_y)|`: zero where y minimizes the upper objective alone.
    pub upper_slope: f64,
}

impl Report {
    /// Number of outputs.
    pub const LENGTH: usize = 8;

    /// From the outputs.
    pub fn from_outputs(values: [f64; Report::LENGTH]) -> Report {
        let [upper, smooth, regularizer, lower_residual, upper_residual, method_residual, gap, upper_slope] = values;
        Report { upper, smooth, regularizer, lower_residual, upper_residual, method_residual, gap, upper_slope }
    }

    /// The first objective or residual that is not finite.
    pub fn first_bad(&self) -> Option<&'static str> {
        let all = [
            ("the upper objective", self.upper),
            ("the lower objective", self.smooth),
            ("the proximal part", self.regularizer),
            ("the lower residual", self.lower_residual),
            ("the upper residual", self.upper_residual),
            ("the method's residual", self.method_residual),
        ];
        all.iter().find(|(_, v)| !v.is_finite()).map(|(name, _)| *name)
    }
}
