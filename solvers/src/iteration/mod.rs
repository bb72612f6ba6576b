//! A method's iteration as data, built once: stages that run one after the other, the state that they change, the numbers
//! that they take, and what is reported of the state. The driver runs it, `plan` prints it.
//!
//! A stage is a pure function of the state, the data and some numbers, run once, a number of times, or while it asks for
//! more; T inner steps are a stage repeated T times, never T copies in a graph. A stage that no graph can hold (a search
//! proposal, a conic solve) is external.

pub mod control;
pub mod counts;
pub mod external;
pub(crate) mod memory;
pub mod report;

use std::fmt;

use blo_engine::graph::Function;
use blo_engine::model::Bindings;
use blo_engine::model::problem::Problem;
use blo_engine::shape::Shape;
use blo_grammar::diagnostic::Diagnostic;

use crate::options::run_options::RunOptions;
use crate::options::schedule::Schedule;
use control::Control;
use counts::Counts;
use external::External;
use report::ReportFormula;

/// Positions for index inputs, by formal: other tasks.
pub type Rows = [(usize, Vec<usize>)];

/// The iteration of a method on a problem.
#[derive(Debug)]
pub struct Iteration {
    /// What an iteration runs, in this order. Only the last one is judged, and taken back where its steps are rejected.
    pub stages: Vec<Stage>,
    /// What an iteration changes: upper variables, lower variables, further states.
    pub state: Vec<State>,
    /// What the driver sets before each iteration.
    pub scalars: Vec<Scalar>,
    /// What the control sets now and then.
    pub parameters: Vec<Parameter>,
    /// What is reported, over the same inputs.
    pub report: ReportFormula,
}

/// What a method makes of a problem.
pub struct Built {
    /// What runs.
    pub iteration: Iteration,
    /// Makes what chooses the numbers of the iterations.
    pub control: Make<dyn Control>,
    /// Most iterations, where the method has its own limit beside the option.
    pub most: Option<u64>,
}

/// Makes a part of a run once the data are known.
pub type Make<T> = Box<dyn Fn(&Context<'_>) -> Result<Box<T>, Box<Diagnostic>>>;

/// What the parts of a run are made from.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The problem.
    pub problem: &'a Problem,
    /// Its data.
    pub data: &'a Bindings,
    /// The options of every method.
    pub options: &'a RunOptions,
}

/// A part of an iteration.
#[derive(Debug)]
pub struct Stage {
    /// What it is, in a word or two.
    pub name: String,
    /// What runs.
    pub work: Work,
    /// How often.
    pub repeat: Repeat,
    /// Parts of the state that it changes, by position in [`Iteration::state`]. No two stages change the same part.
    pub writes: Vec<usize>,
    /// Parts that begin as copies of others when the stage begins: `(part, copied part)`.
    pub begins: Vec<(usize, usize)>,
    /// Evaluations in one run.
    pub counts: Counts,
}

/// What a stage runs.
pub enum Work {
    /// Inputs: the formals of the problem, further states, parameters, scalars. Outputs: a new value per part that the
    /// stage writes, then signals, which are scalars.
    Graph(Box<Function>),
    /// Something that no graph can hold.
    External(Make<dyn External>),
}

impl fmt::Debug for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Work::Graph(function) => function.fmt(f),
            Work::External(_) => f.write_str("external"),
        }
    }
}

/// How often a stage runs in an iteration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// Once.
    Once,
    /// So many times.
    Times(u64),
    /// Until its first signal is 0 or less, at most so many times.
    While {
        /// The most runs.
        most: u64,
    },
}

impl Stage {
    /// The graph, if the stage has one.
    pub fn function(&self) -> Option<&Function> {
        match &self.work {
            Work::Graph(function) => Some(function),
            Work::External(_) => None,
        }
    }

    /// Number of signals of a run.
    pub(crate) fn signals(&self) -> usize {
        self.function().map_or(0, |f| f.outputs().len() - self.writes.len())
    }
}

impl Iteration {
    /// The stage that is judged.
    #[cfg(test)]
    pub(crate) fn last(&self) -> &Stage {
        self.stages.last().expect("a method has a stage")
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
    /// Its values, where the options state them; else the control chooses.
    pub stated: Option<Schedule>,
    /// What the schedule counts.
    pub clock: Clock,
    /// What it is for, where nothing is stated.
    pub role: Role,
}

impl Scalar {
    /// True for a number that changes from run to run of a stage.
    pub(crate) fn is_by_run(&self) -> bool {
        self.clock == Clock::Run && matches!(self.stated, Some(Schedule::Expression(_)))
    }
}

/// What a scalar without a stated value is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A step on the lower objective in y.
    LowerStep,
    /// Something that the method's own control knows.
    Own,
}

/// What `k` counts in the schedule of a scalar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// Iterations.
    Iteration,
    /// Runs of a repeated stage within an iteration.
    Run,
}
