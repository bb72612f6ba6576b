//! `kkt`: the conditions of Karush, Kuhn and Tucker of the lower level as rows of one nonlinear program, with relaxed
//! complementarity; an iteration is a relaxation. For small problems: it takes second derivatives of everything.

use blo_engine::model::problem::{LevelId, Problem};
use blo_grammar::diagnostic::Diagnostic;

use super::{Method, TakesRows, Unfit};
use crate::formula::problem_graph::ProblemGraph;
use crate::formula::report::{self, Stationarity};
use crate::hypergradient::Derivatives;
use crate::iteration::control::{Control, Iterate};
use crate::iteration::counts::Counts;
use crate::iteration::external::External;
use crate::iteration::{Built, Context, Make, Repeat, Stage, Work, memory};
use crate::lower::constrained::ConstrainedLower;
use crate::nlp::{self, Limits};
use crate::options::entry::{Kind, MethodEntry, option};
use crate::options::settings::Settings;
use crate::small::kkt::{Kkt, RELAXATIONS, relaxations};
use crate::small::search::is_out_of_reach;

/// The entry.
pub(super) static KKT: MethodEntry = MethodEntry {
    name: "kkt",
    doc: "the lower level's KKT conditions as rows, with complementarity relaxed less and less; for small problems",
    citation: "Scholtes, SIAM J. Optim. 11, 2001; Leyffer, Lopez-Calva, Nocedal, SIAM J. Optim. 17, 2006",
    formula: &[
        "(x, y, lam, nu) in argmin F(x, y) under the rows of both levels,",
        "    f_y + c_y' lam + h_y' nu = 0,  lam >= 0,  lam (-c) <= eps_k row by row (bounds of y are rows)",
        "eps_k = 1, 1e-1, ..., 1e-6, 1e-8, each from the solution of the one before",
    ],
    requires: &[],
    options: &[option("max_iter", "", Kind::Integer(0), Some("8"), "relaxations, from the first one on, of 8")],
};

/// The method.
pub(super) struct KktConditions;

/// Why a method of KKT points cannot take a problem.
pub(super) fn beyond_kkt(problem: &Problem) -> Option<Unfit> {
    is_out_of_reach(problem).then_some(Unfit {
        what: "a lower level with kinks, or a cone, an l1 ball or a set of each follower",
        because: "its KKT conditions are equations where the objective is smooth and sets are smooth inequalities",
    })
}

impl Method for KktConditions {
    fn unfit(&self, problem: &Problem, _: &Settings) -> Option<Unfit> {
        beyond_kkt(problem)
    }

    fn rows(&self, _: &Problem) -> TakesRows {
        TakesRows { upper: true, lower: true, multipliers: true }
    }

    fn build(&self, p: ProblemGraph<'_>, _: &Settings) -> Built {
        let make = |context: &Context<'_>| Ok(Box::new(Homotopy::new(context)?) as Box<dyn External>);
        by_points(p, "a solve of the relaxed KKT conditions", Box::new(make), RELAXATIONS.len() as u64)
    }

    fn second_derivatives(&self, _: &Problem, _: &Settings) -> Derivatives {
        Derivatives::System
    }
}

/// An iteration that writes a point with its multipliers, at most so often: [`Inputs`] says how.
pub(super) fn by_points(mut p: ProblemGraph<'_>, name: &str, make: Make<dyn External>, most: u64) -> Built {
    let (x, y) = (p.x(), p.y());
    let lam = p.multipliers();
    let stage = Stage {
        name: name.to_string(),
        work: Work::External(make),
        repeat: Repeat::Once,
        writes: x.nodes.iter().chain(&y.nodes).chain(&lam.nodes).map(|n| p.part_of(*n)).collect(),
        begins: Vec::new(),
        counts: Counts::default(),
    };
    let report = report::standard(&mut p, &x, &y, Stationarity::default());
    let iteration = p.iteration(vec![stage], report);
    let control = move |_: &Context<'_>| Ok(Box::new(Until { most }) as Box<dyn Control>);
    Built { iteration, control: Box::new(control), most: None }
}

/// A run of so many iterations, whose end says nothing of convergence.
struct Until {
    most: u64,
}

impl Control for Until {
    fn scalars(&mut self, _: u64, _: &mut [f64]) {}

    fn most(&self) -> Option<u64> {
        Some(self.most)
    }

    fn decides_convergence(&self) -> bool {
        true
    }

    fn leaves_the_start(&self) -> bool {
        true
    }
}

/// The inputs of a point: variables of both levels, and multipliers of the lower level's constraints.
pub(super) struct Inputs {
    variables: Vec<usize>,
    multipliers: Vec<usize>,
}

impl Inputs {
    /// Those of a graph that [`ProblemGraph::multipliers`] has extended first.
    pub(super) fn of(problem: &Problem) -> Inputs {
        let first = problem.formals.len();
        Inputs {
            variables: problem.variables().map(|v| v.formal).collect(),
            multipliers: (first..first + problem.lower().constraints.len()).collect(),
        }
    }

    /// The entries of the upper and of the lower variables.
    pub(super) fn read(&self, problem: &Problem, iterate: &dyn Iterate) -> [Vec<f64>; 2] {
        let entries = |inputs: &[usize]| {
            let part = |i: &usize| {
                let mut values = vec![0.0; iterate.len(*i)];
                iterate.read(*i, &mut values);
                values
            };
            inputs.iter().flat_map(part).collect::<Vec<f64>>()
        };
        let (above, below) = self.variables.split_at(problem.range(LevelId::UPPER).end);
        [entries(above), entries(below)]
    }

    /// Writes entries of the variables, one after the other, and of the multipliers.
    pub(super) fn write(&self, iterate: &mut dyn Iterate, entries: &[f64], multipliers: &[f64]) {
        for (inputs, values) in [(&self.variables, entries), (&self.multipliers, multipliers)] {
            let mut rest = values;
            for input in inputs {
                let (part, after) = rest.split_at(iterate.len(*input).min(rest.len()));
                if !part.is_empty() {
                    iterate.write(*input, part);
                }
                rest = after;
            }
        }
    }
}

struct Homotopy {
    problem: Problem,
    lower: ConstrainedLower,
    kkt: Kkt,
    inputs: Inputs,
    /// The last solution.
    z: Vec<f64>,
}

impl Homotopy {
    fn new(context: &Context<'_>) -> Result<Homotopy, Box<Diagnostic>> {
        let Context { problem, data, options } = context;
        let lower = ConstrainedLower::new(problem, data, options.threads, options.seed)?;
        let kkt = Kkt::new(problem, data, options.threads, &lower)?;
        Ok(Homotopy { problem: (*problem).clone(), lower, kkt, inputs: Inputs::of(problem), z: Vec::new() })
    }
}

impl External for Homotopy {
    fn run(&mut self, k: u64, iterate: &mut dyn Iterate, _: &mut dyn FnMut() -> bool) {
        if self.z.is_empty() {
            let [x, y] = self.inputs.read(&self.problem, iterate);
            self.z = self.kkt.begin(&mut self.lower, &x, &y);
        }
        let Some(eps) = RELAXATIONS.get(k as usize - 1) else { return };
        let limits = self.lower.limits.clone();
        let point = self.kkt.follow(&self.z, &[*eps], &mut |program, z, iterations| {
            Some(nlp::solve(program, z, None, &Limits { iterations, ..limits.clone() }))
        });
        let Some(point) = point else { return };
        self.z = point.z;
        let layout = &self.kkt.layout;
        self.inputs.write(iterate, &self.z[..layout.y.end], &self.z[layout.multipliers.clone()]);
    }

    fn describe(&self) -> Vec<(&'static str, String)> {
        let eps = format!("{}, an iteration each, from the last solution", relaxations());
        [("eps", eps)].into_iter().chain(self.kkt.describe()).collect()
    }

    fn save(&self, to: &mut Vec<u8>) {
        memory::pack(&self.z, to);
    }

    fn load(&mut self, saved: &[u8]) {
        self.z = memory::unpack(saved);
    }
}
