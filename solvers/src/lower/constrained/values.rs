//! Both objectives and all rows at a point, from one program.

use blo_engine::graph::{Function, NodeId};
use blo_engine::model::Bindings;
use blo_engine::model::problem::{LevelId, Problem};
use blo_grammar::diagnostic::Diagnostic;

use crate::formula::bound_program::BoundProgram;
use crate::formula::problem_graph::{Part, ProblemGraph};
use crate::formula::rows::Rows;

/// What is known of a point without solving anything.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measured {
    /// F.
    pub(crate) upper: f64,
    /// f.
    pub(crate) lower: f64,
    /// The largest violation of a row or bound of the lower level.
    pub(crate) lower_violation: f64,
    /// The largest violation of a row of the upper level.
    pub(crate) upper_violation: f64,
}

impl Measured {
    /// Of both levels.
    pub(crate) fn violation(&self) -> f64 {
        self.lower_violation.max(self.upper_violation)
    }
}

/// The program.
pub(crate) struct Values {
    program: BoundProgram<f64>,
    /// Whether each array of rows is of equalities: the lower level's, then the upper level's.
    equalities: [Vec<bool>; 2],
    variables: Vec<(usize, usize)>,
    /// The inputs of multipliers of the lower level's constraints, with their lengths, where the upper level reads them.
    multipliers: Vec<(usize, usize)>,
    upper_entries: usize,
    pub(crate) bounds: Vec<[f64; 2]>,
}

impl Values {
    pub(crate) fn new(
        problem: &Problem,
        data: &Bindings,
        threads: u64,
        rows: [&[Rows]; 2],
        bounds: Vec<[f64; 2]>,
    ) -> Result<Values, Box<Diagnostic>> {
        let (function, multipliers) = function(problem, rows);
        let program = BoundProgram::new(&function, problem, data, threads)?;
        let multipliers = multipliers.into_iter().map(|input| (input, program.input(input).len())).collect();
        let variables: Vec<(usize, usize)> =
            problem.variables().map(|v| (v.formal, program.input(v.formal).len())).collect();
        let upper_entries = variables[..problem.range(LevelId::UPPER).end].iter().map(|(_, n)| n).sum();
        let equalities = rows.map(|rows| rows.iter().map(|r| r.equality).collect());
        Ok(Values { program, equalities, variables, multipliers, upper_entries, bounds })
    }

    /// Entries of each level.
    pub(crate) fn entries(&self) -> [usize; 2] {
        [self.upper_entries, self.bounds.len()]
    }

    /// True where the upper level reads multipliers of the lower one.
    pub(crate) fn read_multipliers(&self) -> bool {
        !self.multipliers.is_empty()
    }

    /// Sets them; those of the constraints come first in the list.
    pub(crate) fn set_multipliers(&mut self, multipliers: &[f64]) {
        let mut rest = multipliers;
        for (input, length) in &self.multipliers {
            let (part, after) = rest.split_at(*length);
            self.program.set(*input, part);
            rest = after;
        }
    }

    /// The cost of an evaluation, in flops.
    pub(crate) fn flops(&self) -> f64 {
        self.program.flops() as f64
    }

    /// What there is at (x, y); `None` where an objective or a row has no value, or where the work is to stop.
    pub(crate) fn at(&mut self, x: &[f64], y: &[f64]) -> Option<Measured> {
        let mut entries = x.iter().chain(y).copied();
        for (input, length) in &self.variables {
            let part: Vec<f64> = entries.by_ref().take(*length).collect();
            self.program.set(*input, &part);
        }
        self.program.run();
        let [upper, lower] = [self.program.scalar(0), self.program.scalar(1)];
        let mut output = 2;
        let [mut lower_violation, upper_violation] = [0, 1].map(|level| {
            let mut worst = 0.0;
            for equality in &self.equalities[level] {
                for value in self.program.output(output) {
                    let off = if *equality { value.abs() } else { value.max(0.0) };
                    worst = if off.is_nan() || off > worst { off } else { worst };
                }
                output += 1;
            }
            worst
        });
        for (v, [low, high]) in y.iter().zip(&self.bounds) {
            lower_violation = lower_violation.max(low - v).max(v - high);
        }
        let known =
            !self.program.is_stopped() && [lower, lower_violation, upper_violation].iter().all(|v| v.is_finite());
        (known && !upper.is_nan()).then_some(Measured { upper, lower, lower_violation, upper_violation })
    }
}

/// `F, f`, then the rows of the lower level and those of the upper level; with the inputs of multipliers.
fn function(problem: &Problem, rows: [&[Rows]; 2]) -> (Function, Vec<usize>) {
    let mut p = ProblemGraph::new(problem);
    let (x, y) = (p.x(), p.y());
    let multipliers = if problem.upper_reads_multipliers() {
        let block = p.multipliers();
        p.positions(&block)
    } else {
        Vec::new()
    };
    let mut outputs: Vec<NodeId> = [Part::Upper, Part::Smooth].map(|part| p.value(part, &x, &y)).to_vec();
    outputs.extend(rows.iter().flat_map(|rows| rows.iter()).map(|r| p.at(&r.value, &x, &y)[0]));
    (p.function("objectives and rows", &outputs), multipliers)
}
