//! Points that meet the rows and sets of both levels, whatever the objectives say of them. Knows nothing of lower solutions:
//! where no point meets the rows, no lower solution does, either.

use blo_engine::graph::Function;
use blo_engine::model::Bindings;
use blo_engine::model::problem::{LevelId, Problem};
use blo_grammar::diagnostic::Diagnostic;

use crate::formula::problem_graph::ProblemGraph;
use crate::formula::rows::rows;
use crate::lower::constrained::{ConstrainedLower, FEASIBLE, ends, is_convex};
use crate::nlp::functions::FunctionNlp;
use crate::nlp::{self, Status};

/// The rows of both levels as one program in x and y.
pub(crate) struct Feasibility {
    program: FunctionNlp,
    limits: nlp::Limits,
    /// All rows are proved convex in x and y together.
    is_convex: bool,
}

impl Feasibility {
    /// Compiles the program, with the upper objective or without one: F may have no value where the rows are not met, and no
    /// minimum there; where it has, it leads to a better point.
    ///
    /// # Errors
    /// When the memory cannot be allocated.
    pub(crate) fn new(
        problem: &Problem,
        data: &Bindings,
        threads: u64,
        lower: &ConstrainedLower,
        with_objective: bool,
    ) -> Result<Feasibility, Box<Diagnostic>> {
        let all = [LevelId::LOWER, LevelId::UPPER].map(|level| rows(problem, level)).concat();
        let both: Vec<usize> = problem.variables().map(|v| v.formal).collect();
        let mut p = ProblemGraph::new(problem);
        let zero = p.graph.constant(0.0);
        let nothing = p.function("no objective", &[zero]);
        let objective = if with_objective { &problem.upper().objective } else { &nothing };
        let values: Vec<Function> = all.iter().map(|r| r.value.clone()).collect();
        let mut program = FunctionNlp::new(problem, data, threads, objective, &values, &both)?;
        program.set_bounds(&[&lower.upper_bounds[..], &lower.bounds].concat());
        let lengths = program.row_lengths().to_vec();
        let bounds: Vec<[f64; 2]> = all.iter().zip(lengths).flat_map(|(r, n)| vec![ends(r.equality); n]).collect();
        program.set_row_bounds(&bounds);
        let is_convex = all.iter().all(|r| is_convex(problem, r, &both));
        Ok(Feasibility { program, limits: lower.limits.clone(), is_convex })
    }

    /// The point that violates the rows least, from (x, y), where no step lessens the violation; and whether every other
    /// point violates them, too.
    pub(crate) fn least_violation(&mut self, [x, y]: [&[f64]; 2]) -> Option<([Vec<f64>; 2], bool)> {
        let end = nlp::solve(&mut self.program, &[x, y].concat(), None, &self.limits);
        let found = end.status == Status::Infeasible && end.z.iter().all(|v| v.is_finite());
        found.then(|| (split(end.z, x.len()), self.is_convex))
    }

    /// A point near (x, y) that meets the rows.
    pub(crate) fn feasible(&mut self, [x, y]: [&[f64]; 2]) -> Option<[Vec<f64>; 2]> {
        let end = nlp::solve(&mut self.program, &[x, y].concat(), None, &self.limits);
        let found = end.violation <= FEASIBLE && end.z.iter().all(|v| v.is_finite());
        found.then(|| split(end.z, x.len()))
    }
}

fn split(mut z: Vec<f64>, at: usize) -> [Vec<f64>; 2] {
    let y = z.split_off(at);
    [z, y]
}
