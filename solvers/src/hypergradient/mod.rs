//! Hypergradients: the derivative of `F(x, y_K(x))` in the upper variables, exact or estimated, from a trajectory of
//! lower-level steps. An estimator is one file and its line in the table; its file alone names its options. It knows
//! neither the dynamics that made the trajectory nor what the method does with the hypergradient.

use blo_engine::graph::{Function, NodeId};
use blo_engine::model::Bindings;
use blo_engine::model::problem::{LevelId, Problem};
use blo_engine::program::Scalar;
use blo_grammar::diagnostic::Diagnostic;

use crate::formula::bound_program::BoundProgram;
use crate::formula::problem_graph::{Direction, Part, ProblemGraph};
use crate::iteration::Rows;
use crate::iteration::counts::Counts;
use crate::lower::dynamics::LowerStep;
use crate::lower::trajectory::Trajectory;
use crate::options::settings::Settings;
use outline::Outline;

pub(crate) mod active_rows;
pub(crate) mod adjoint;
pub(crate) mod check;
mod conjugate;
mod fixed_point;
mod forward;
mod neumann;
mod one_stage;
pub(crate) mod outline;
mod rank_one;
mod reverse;

/// Makes the estimator of a run; holds the options that belong to it.
pub(crate) type MakeEstimator<T> = Box<dyn Fn(&Setup<'_>) -> Result<Box<dyn Hypergradient<T>>, Box<Diagnostic>>>;

/// An entry of the table, for a working precision.
pub(crate) struct Estimator<T: Scalar> {
    /// Its name as the value of the option `gradient`.
    pub(crate) name: &'static str,
    /// It differentiates the steps themselves, whatever they are; else it assumes that they end at a minimizer of the
    /// lower level alone.
    pub(crate) explicit: bool,
    /// It has a derivative in the start of the steps.
    pub(crate) of_start: bool,
    /// It takes a proximal part and sets on the lower level.
    pub(crate) nonsmooth: bool,
    /// It is made for this many steps.
    pub(crate) only_steps: Option<u64>,
    /// It is the derivative of the objective, up to rounding; else an estimate.
    pub(crate) exact: bool,
    /// The second derivatives of f that it needs.
    pub(crate) second_derivatives: Derivatives,
    /// Reads its options.
    read: fn(&Settings) -> MakeEstimator<T>,
    /// What it computes, for `plan`.
    programs: fn(&Problem, &LowerStep) -> Vec<Function>,
    /// How its programs are put together, for what writes them down; `None` where nothing does.
    outline: fn(&Problem, &LowerStep, &Settings) -> Option<Outline>,
}

/// The second derivatives of f in a method's update. Step sizes that nobody states are measured by products with them in
/// any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Derivatives {
    /// None.
    First,
    /// Their products with vectors.
    Products,
    /// The solution of a linear system with `f_yy`.
    System,
}

impl Derivatives {
    /// As written in tables.
    pub fn text(self) -> &'static str {
        match self {
            Derivatives::First => "no",
            Derivatives::Products => "products",
            Derivatives::System => "system",
        }
    }
}

/// All estimators, in the order in which messages list them.
pub(crate) fn table<T: Scalar>() -> [Estimator<T>; 8] {
    [
        reverse::reverse(),
        reverse::truncated(),
        reverse::pessimistic(),
        forward::entry(),
        conjugate::entry(),
        neumann::entry(),
        one_stage::entry(),
        rank_one::entry(),
    ]
}

/// An estimator by name.
pub(crate) fn by_name<T: Scalar>(name: &str) -> Estimator<T> {
    let found = table().into_iter().find(|e| e.name == name);
    found.unwrap_or_else(|| unreachable!("`{name}` is not among the words of the option `gradient`"))
}

/// What an estimator is made from.
#[derive(Clone, Copy)]
pub(crate) struct Setup<'a> {
    pub(crate) problem: &'a Problem,
    pub(crate) data: &'a Bindings,
    pub(crate) threads: u64,
    pub(crate) lower: &'a LowerStep,
}

impl<T: Scalar> Estimator<T> {
    /// What makes the estimator of a run, by its options.
    pub(crate) fn read(&self, settings: &Settings) -> MakeEstimator<T> {
        (self.read)(settings)
    }

    /// What it computes.
    pub(crate) fn programs(&self, problem: &Problem, lower: &LowerStep) -> Vec<Function> {
        (self.programs)(problem, lower)
    }

    /// How its programs are put together.
    pub(crate) fn outline(&self, problem: &Problem, lower: &LowerStep, settings: &Settings) -> Option<Outline> {
        (self.outline)(problem, lower, settings)
    }
}

/// An estimator of a run.
pub(crate) trait Hypergradient<T: Scalar> {
    /// The program that evaluates F for it.
    fn ends(&mut self) -> &mut Ends<T>;

    /// Takes the steps from `start` at the x that the trajectory has, and gives the objective that is descended on:
    /// `F(x, y_K)`, unless the estimator looks at another step.
    fn objective(&mut self, trajectory: &mut Trajectory<T>, start: &[Vec<T>]) -> f64 {
        trajectory.go(start, &mut |_, _| {});
        self.ends().at_end(trajectory)
    }

    /// The hypergradient after [`Hypergradient::objective`]: an array per upper variable, and one per lower variable for
    /// the start of the steps, which stays unchanged where the estimator has no derivative in it.
    fn gradient(&mut self, trajectory: &mut Trajectory<T>, x: &mut [Vec<T>], start: &mut [Vec<T>]);

    /// Other tasks: positions for the index inputs of all its programs.
    ///
    /// # Errors
    /// When one is outside of what a program selects from.
    fn select(&mut self, rows: &Rows) -> Result<(), Box<Diagnostic>>;

    /// Evaluations beside those of the steps.
    fn counts(&self) -> Counts;

    /// A linear system need not be solved better than to this share of its right side, while y is not known better.
    fn tolerate(&mut self, _: f64) {}

    /// Multipliers of the lower level's rows at the last solution, an entry per row; those of `subject to` come first.
    fn multipliers(&self) -> Option<&[f64]> {
        None
    }

    /// The entries of x where the last solve of the lower level has found nothing.
    fn unsolved_at(&self) -> Option<&[f64]> {
        None
    }

    /// Warnings at the end of a run.
    fn warnings(&self) -> Vec<Diagnostic> {
        Vec::new()
    }
}

/// F with its partial gradients at a point.
pub(crate) struct Ends<T: Scalar> {
    machine: BoundProgram<T>,
    upper: Vec<usize>,
    lower: Vec<usize>,
    counts: Counts,
    runs: u64,
}

impl<T: Scalar> Ends<T> {
    fn new(setup: &Setup<'_>) -> Result<Ends<T>, Box<Diagnostic>> {
        let (function, counts) = ends(setup.problem);
        let machine = BoundProgram::new(&function, setup.problem, setup.data, setup.threads)?;
        let formals = |level: &blo_engine::model::problem::Level| level.variables.iter().map(|v| v.formal).collect();
        let (upper, lower) = (formals(setup.problem.upper()), formals(setup.problem.lower()));
        Ok(Ends { machine, upper, lower, counts, runs: 0 })
    }

    fn select(&mut self, rows: &Rows) -> Result<(), Box<Diagnostic>> {
        self.machine.select(rows)
    }

    /// Evaluates where a trajectory has come to; gives F.
    fn at_end(&mut self, t: &Trajectory<T>) -> f64 {
        for (variable, input) in self.lower.iter().enumerate() {
            self.machine.set(*input, t.y(variable));
        }
        self.run(t)
    }

    /// Evaluates at a lower point; gives F.
    fn at(&mut self, t: &Trajectory<T>, y: &[Vec<T>]) -> f64 {
        for (values, input) in y.iter().zip(&self.lower) {
            self.machine.set(*input, values);
        }
        self.run(t)
    }

    /// Evaluates at a point: an array per upper and per lower variable.
    fn at_point(&mut self, x: &[Vec<T>], y: &[Vec<T>]) -> f64 {
        for (values, input) in x.iter().chain(y).zip(self.upper.iter().chain(&self.lower)) {
            self.machine.set(*input, values);
        }
        self.machine.run();
        self.runs += 1;
        self.machine.scalar(0)
    }

    fn run(&mut self, t: &Trajectory<T>) -> f64 {
        for (variable, input) in self.upper.iter().enumerate() {
            self.machine.set(*input, t.x(variable));
        }
        self.machine.run();
        self.runs += 1;
        self.machine.scalar(0)
    }

    /// `F_x`.
    fn upper(&self, variable: usize) -> &[T] {
        self.machine.output(1 + variable)
    }

    /// `F_y`.
    fn lower(&self, variable: usize) -> &[T] {
        self.machine.output(1 + self.upper.len() + variable)
    }

    /// `|F_y|` where F was evaluated last.
    pub(crate) fn lower_slope(&self) -> f64 {
        let values = (0..self.lower.len()).flat_map(|variable| self.lower(variable));
        values.map(|v| v.to_f64().powi(2)).sum::<f64>().sqrt()
    }

    fn counts(&self) -> Counts {
        self.counts.times(self.runs)
    }
}

/// `F`, `F_x` and `F_y`, an output per variable.
fn ends(problem: &Problem) -> (Function, Counts) {
    let mut p = ProblemGraph::new(problem);
    let (x, y) = (p.x(), p.y());
    let mut outputs = vec![p.value(Part::Upper, &x, &y)];
    for (wrt, block) in [(LevelId::UPPER, &x), (LevelId::LOWER, &y)] {
        let gradient = p.gradient(Part::Upper, wrt, &x, &y);
        outputs.extend(dense(&mut p, &gradient, &block.nodes));
    }
    (p.function("upper objective and its gradient", &outputs), p.counts)
}

/// A direction without gaps.
fn dense(p: &mut ProblemGraph<'_>, d: &Direction, like: &[NodeId]) -> Vec<NodeId> {
    d.iter().zip(like).map(|(d, like)| p.or_zero(*d, *like)).collect()
}
