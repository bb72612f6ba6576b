//! The trials of a search: a rule proposes x, the lower level is solved there from its start, and the point with the least
//! upper objective is the iterate. An iteration is a trial.

use std::cmp::Ordering;
use std::rc::Rc;

use blo_engine::model::Bindings;
use blo_engine::model::problem::{LevelId, Problem, Variable};
use blo_grammar::diagnostic::Diagnostic;
use serde::{Deserialize, Serialize};

use crate::formula::bound_program::BoundProgram;
use crate::formula::problem_graph::ProblemGraph;
use crate::formula::report::{self, Stationarity};
use crate::formula::start_point::start_point;
use crate::iteration::control::{Control, Iterate};
use crate::iteration::counts::Counts;
use crate::iteration::external::External;
use crate::iteration::{Built, Context, Repeat, Rows, Stage, Work, memory};
use crate::lower::solve::{LowerSolver, LowerStart};
use crate::reduced::space::{Reach, Space};
use crate::tolerances::POLISHED;

/// Most evaluations of a lower solve.
const MOST: u64 = 20_000;

/// A point that was tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Trial {
    /// The entries of the upper variables as proposed.
    pub(super) x: Vec<f64>,
    /// The upper objective with the lower level solved.
    pub(super) value: f64,
    /// The lower level could be solved there.
    pub(super) solved: bool,
}

/// What a search is: where it looks next.
pub(super) trait Rule {
    /// The entries of the next point, from the seed of the run, the number of the proposal, counted from 1, and the trials
    /// before.
    fn propose(&self, space: &Space, seed: u64, k: u64, tried: &[Trial]) -> Vec<f64>;

    /// How many points it has to propose; `None` where there is always another one.
    ///
    /// # Errors
    /// When they are too many.
    fn points(&self, _: &Problem, _: &Space) -> Result<Option<u64>, Box<Diagnostic>> {
        Ok(None)
    }
}

/// A search by a rule.
pub(super) fn search(p: ProblemGraph<'_>, rule: Rc<dyn Rule>, reach: Reach) -> Built {
    let mut p = p;
    let (x, y) = (p.x(), p.y());
    let own = rule.clone();
    let make =
        move |context: &Context<'_>| Ok(Box::new(Trials::new(context, own.clone(), reach)?) as Box<dyn External>);
    let stage = Stage {
        name: "a trial: propose x, solve the lower level there".to_string(),
        work: Work::External(Box::new(make)),
        repeat: Repeat::Once,
        writes: x.nodes.iter().chain(&y.nodes).map(|n| p.part_of(*n)).collect(),
        begins: Vec::new(),
        counts: Counts::default(),
    };
    let report = report::standard(&mut p, &x, &y, Stationarity::default());
    let iteration = p.iteration(vec![stage], report);
    let control = move |context: &Context<'_>| {
        let Context { problem, data, options } = context;
        let space = Space::new(problem, data, options.threads, reach)?;
        let points = rule.points(problem, &space)?;
        let most = points.map(|points| points + u64::from(starts_elsewhere(problem, data)));
        Ok(Box::new(Counted { most }) as Box<dyn Control>)
    };
    Built { iteration, control: Box::new(control), most: None }
}

/// A search converges to nothing: it ends where its trials do, or where its rule has no other point.
struct Counted {
    most: Option<u64>,
}

impl Control for Counted {
    fn scalars(&mut self, _: u64, _: &mut [f64]) {}

    fn most(&self) -> Option<u64> {
        self.most
    }

    fn decides_convergence(&self) -> bool {
        true
    }
}

/// True where the caller has bound a start of an upper variable, which is tried first.
fn starts_elsewhere(problem: &Problem, data: &Bindings) -> bool {
    let is_bound = |v: &Variable| data.start.iter().any(|(formal, _)| *formal == v.formal);
    problem.upper().variables.iter().any(is_bound)
}

struct Trials {
    space: Space,
    rule: Rc<dyn Rule>,
    seed: u64,
    solver: LowerSolver,
    objective: BoundProgram<f64>,
    /// The upper variables where the caller has bound a start: tried first.
    first: Option<Vec<f64>>,
    /// The lower variables at their start.
    start: Vec<Vec<f64>>,
    /// Inputs of the upper and of the lower variables.
    inputs: Vec<usize>,
    counts: Counts,
    tried: Vec<Trial>,
}

impl Trials {
    fn new(context: &Context<'_>, rule: Rc<dyn Rule>, reach: Reach) -> Result<Trials, Box<Diagnostic>> {
        let Context { problem, data, options } = context;
        let mut start = start_point(problem, data, options.threads)?;
        let lower = start.split_off(problem.range(LevelId::LOWER).start);
        Ok(Trials {
            space: Space::new(problem, data, options.threads, reach)?,
            rule,
            seed: options.seed,
            solver: LowerSolver::new(problem, data, options.threads)?,
            objective: BoundProgram::new(&objective(problem), problem, data, options.threads)?,
            first: starts_elsewhere(problem, data).then(|| start.concat()),
            start: lower,
            inputs: problem.variables().map(|v| v.formal).collect(),
            counts: Counts::default(),
            tried: Vec::new(),
        })
    }

    /// The least value so far, of points whose lower level is solved if there are any.
    fn best(&self) -> Option<&Trial> {
        self.tried.iter().filter(|t| t.value.is_finite()).min_by(|a, b| a.order(b))
    }
}

impl Trial {
    /// The better one first: a point whose lower level is solved comes before one where it is not.
    pub(super) fn order(&self, other: &Trial) -> Ordering {
        let value = |t: &Trial| if t.value.is_nan() { f64::INFINITY } else { t.value };
        other.solved.cmp(&self.solved).then(value(self).total_cmp(&value(other)))
    }
}

impl External for Trials {
    fn describe(&self) -> Vec<(&'static str, String)> {
        vec![
            ("solves", "the lower level at the proposed x, from its start".to_owned()),
            ("evaluations", format!("{MOST} at most in a trial")),
        ]
    }

    fn run(&mut self, k: u64, iterate: &mut dyn Iterate, stop: &mut dyn FnMut() -> bool) {
        let first = self.first.clone().filter(|_| self.tried.is_empty());
        let number = k - u64::from(self.first.is_some() && first.is_none());
        let x = first.unwrap_or_else(|| self.rule.propose(&self.space, self.seed, number, &self.tried));
        let mut point = self.space.point(&x);
        let upper = point.len();
        point.extend(self.start.iter().cloned());
        let start = LowerStart { point: &point, reference: None, tolerance: POLISHED, limit: MOST };
        let lower = self.solver.solve(&start, stop);
        self.counts = self.counts.plus(lower.counts);
        point.truncate(upper);
        point.extend(lower.values);
        for (input, values) in self.inputs.iter().zip(&point) {
            self.objective.set(*input, values);
        }
        self.objective.run();
        let trial = Trial { x, value: self.objective.scalar(0), solved: lower.solved };
        let wins = trial.value.is_finite() && self.best().is_none_or(|best| trial.order(best).is_lt());
        self.tried.push(trial);
        if wins {
            self.inputs.iter().zip(&point).for_each(|(input, values)| iterate.write(*input, values));
        }
    }

    fn select(&mut self, rows: &Rows) -> Result<(), Box<Diagnostic>> {
        self.solver.select(rows)?;
        self.objective.select(rows)
    }

    fn counts(&self) -> Counts {
        self.counts
    }

    fn save(&self, to: &mut Vec<u8>) {
        memory::pack(&(&self.tried, self.counts), to);
    }

    fn load(&mut self, saved: &[u8]) {
        (self.tried, self.counts) = memory::unpack(saved);
    }
}

/// F.
fn objective(problem: &Problem) -> blo_engine::graph::Function {
    problem.upper().objective.clone()
}
