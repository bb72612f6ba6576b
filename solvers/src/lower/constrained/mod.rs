//! The lower level with rows, at a fixed x, solved as globally as it gets: local solutions of the nonlinear program from
//! several starts, the choice among solutions, and multipliers. Entries of x and of y are plain lists here, in the order of
//! the formals.
//!
//! - A local solve is by dense steps ([`crate::nlp`]), of many entries by products ([`large`]), of a strongly convex
//!   quadratic program by its dual ([`conic`]).
//! - A level that is proved convex takes one solve, whose multipliers bound its value from below.
//! - One entry is looked at on a grid, and the best minima of the grid are refined.
//! - Else local solves start from the points that are known, from the best of some samples and from random points, which
//!   are moved onto rows that leave little room ([`thin`]).

mod conic;
mod large;
mod multipliers;
mod starts;
mod thin;
mod tie;
mod values;

use blo_engine::calculus::{Analysis, Verdict, convex};
use blo_engine::data::symmetric;
use blo_engine::graph::Function;
use blo_engine::model::Bindings;
use blo_engine::model::problem::{LevelId, Problem, Variable};
use blo_grammar::diagnostic::Diagnostic;

pub(crate) use self::tie::{STRICT, THOROUGH, TIE};
pub(crate) use self::values::Measured;
use self::values::Values;
use crate::formula::bound_program::BoundProgram;
use crate::formula::rows::{Rows, rows};
use crate::formula::set_bounds::{set_bounds, within_reach};
use crate::formula::start_point::start_point;
use crate::lower::augmented::Augmented;
use crate::nlp::functions::FunctionNlp;
use crate::nlp::{self, Limits, Status};

/// A violation below this is none: of the lower level by itself, and of both levels together.
pub(crate) const FEASIBLE: f64 = 1e-6;
pub(crate) const JOINTLY: f64 = 1e-5;

/// A point is lower-optimal within this share of the lower objective, or of how far it varies where that is less; rounding
/// leaves the second share.
const OPTIMAL: f64 = 3e-6;
const ROUNDING: f64 = 1e-12;

/// Samples that tell how far the lower objective varies.
const SPREAD: u64 = 40;

/// Points this near to each other, relatively, are one.
const NEAR: f64 = 1e-4;

/// What a solve costs beside its evaluations, per iteration, in flops: a quadratic program, by its variables and rows.
const QUADRATIC: f64 = 50_000.0;
const PER_PAIR: f64 = 800.0;

/// What an evaluation costs beside its arithmetic, in flops.
const OVERHEAD: f64 = 600.0;

/// A solution of the lower level at some x.
#[derive(Clone, Debug)]
pub(crate) struct Solved {
    pub(crate) y: Vec<f64>,
    /// f there.
    pub(crate) value: f64,
    /// A multiplier per row, positive where the row is at its upper end.
    pub(crate) multipliers: Vec<f64>,
    /// A multiplier per entry, positive at its upper bound.
    pub(crate) bound_multipliers: Vec<f64>,
}

/// What is known of the lower level before any numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts {
    /// f and all rows are proved convex in y, from their formulas or by a factor of a matrix of data: a local solution is
    /// one.
    pub(crate) convex: bool,
    /// There is only one solution.
    pub(crate) unique: bool,
    /// No row of the lower level depends on x.
    pub(crate) fixed: bool,
    /// F does not depend on y, nor do the rows of the upper level.
    pub(crate) indifferent: bool,
    /// F and the rows of the upper level are proved convex in y: the choice among solutions of a convex level is one solve.
    pub(crate) convex_choice: bool,
}

impl Facts {
    fn of(problem: &Problem, rows: &[Vec<Rows>; 2]) -> Facts {
        let [strong, own, smooth, _] = problem.proofs().map(|p| p.verdict == Verdict::Proved);
        let lower = problem.lower_inputs();
        let convex = own && smooth;
        let reads = |f: &Function, inputs: &[usize]| inputs.iter().any(|i| f.depends_on(*i));
        let upper = problem.upper_inputs();
        let objective = &problem.upper().objective;
        let analysis = Analysis::new(objective, &problem.signs(objective), &lower);
        let convex_choice = analysis.convexity(objective.outputs()[0]).is_convex();
        Facts {
            convex,
            unique: convex && strong,
            convex_choice: convex_choice && rows[0].iter().all(|r| is_convex(problem, r, &lower)),
            fixed: !rows[1].iter().any(|r| reads(&r.value, &upper)),
            indifferent: !reads(&problem.upper().objective, &lower) && !rows[0].iter().any(|r| reads(&r.value, &lower)),
        }
    }
}

/// True where rows are proved convex in some inputs, and equalities affine.
pub(crate) fn is_convex(problem: &Problem, rows: &Rows, inputs: &[usize]) -> bool {
    let analysis = Analysis::new(&rows.value, &problem.signs(&rows.value), inputs);
    let output = rows.value.outputs()[0];
    if rows.equality { analysis.convexity(output).is_affine() } else { convex(&analysis, output) == Verdict::Proved }
}

/// The lower level of a problem on its data.
pub(crate) struct ConstrainedLower {
    pub(crate) facts: Facts,
    /// `min f` under the rows of the lower level.
    pub(crate) program: FunctionNlp,
    /// Where the lower level is a quadratic program of many entries.
    quadratic: Option<conic::QuadraticLower>,
    /// Where it has too many entries for dense steps.
    large: Option<Augmented>,
    tie: tie::Tie,
    /// How many points beside the solutions a choice among them begins from.
    pub(crate) others: usize,
    /// The last choice was among several solutions, and one solve does not make it.
    pub(crate) chosen_locally: bool,
    pub(crate) values: Values,
    upper_inputs: Vec<(usize, usize)>,
    /// Intervals that hold the entries of y, infinite where there are none.
    pub(crate) bounds: Vec<[f64; 2]>,
    /// The same of x.
    pub(crate) upper_bounds: Vec<[f64; 2]>,
    /// Whether a row is an equality.
    pub(crate) equalities: Vec<bool>,
    /// Multipliers for the upper level to read, instead of those that fit a point best.
    pub(crate) pinned: Option<Vec<f64>>,
    /// How far f varies over where its entries are looked for, at the start of x.
    spread: f64,
    /// The direction in which f falls without end, where the last solve has found one.
    pub(crate) ray: Option<Vec<f64>>,
    /// When a solve ends.
    pub(crate) limits: Limits,
    seed: u64,
    /// Whose numbers the next samples are.
    pub(crate) stream: u64,
    /// The cost of all that was done so far, in flops.
    pub(crate) spent: f64,
    /// Where spending ends.
    pub(crate) budget: f64,
}

/// The bounds of all entries of some variables.
pub(crate) fn bounds_of(
    variables: &[Variable],
    lengths: &[usize],
    problem: &Problem,
    data: &Bindings,
) -> Result<Vec<[f64; 2]>, Box<Diagnostic>> {
    let mut bounds = Vec::new();
    for (variable, length) in variables.iter().zip(lengths) {
        bounds.extend(set_bounds(variable, *length, problem, data)?);
    }
    Ok(bounds)
}

/// The ends of each of the rows.
pub(crate) fn ends(equality: bool) -> [f64; 2] {
    [if equality { 0.0 } else { f64::NEG_INFINITY }, 0.0]
}

impl ConstrainedLower {
    /// Compiles what every solve needs.
    ///
    /// # Errors
    /// When the memory cannot be allocated.
    pub(crate) fn new(
        problem: &Problem,
        data: &Bindings,
        threads: u64,
        seed: u64,
    ) -> Result<ConstrainedLower, Box<Diagnostic>> {
        let rows = [LevelId::UPPER, LevelId::LOWER].map(|level| rows(problem, level));
        let start = BoundProgram::<f64>::new(&problem.start, problem, data, threads)?;
        let lengths: Vec<usize> = problem.variables().map(|v| start.output(v.formal).len()).collect();
        let (above, below) = lengths.split_at(problem.range(LevelId::UPPER).end);
        let bounds = bounds_of(&problem.lower().variables, below, problem, data)?;
        let upper_bounds = bounds_of(&problem.upper().variables, above, problem, data)?;
        let functions: Vec<Function> = rows[1].iter().map(|r| r.value.clone()).collect();
        let (f, variables) = (&problem.lower().objective, problem.lower_inputs());
        let mut program = FunctionNlp::new(problem, data, threads, f, &functions, &variables)?;
        let equalities: Vec<bool> =
            rows[1].iter().zip(program.row_lengths()).flat_map(|(r, n)| vec![r.equality; *n]).collect();
        program.set_bounds(&bounds);
        program.set_row_bounds(&equalities.iter().map(|e| ends(*e)).collect::<Vec<_>>());
        let values = Values::new(problem, data, threads, [&rows[1], &rows[0]], bounds.clone())?;
        let quadratic = conic::QuadraticLower::new(problem, data, threads, (&rows[1], &equalities), &bounds)?;
        let is_large = bounds.len() > large::LARGE && problem.lower().regularizer.is_none();
        let large = is_large.then(|| Augmented::new(problem, data, threads, &rows[1], &bounds)).transpose()?;
        let mut made = ConstrainedLower {
            quadratic,
            large,
            facts: Facts::of(problem, &rows),
            tie: tie::Tie::new(problem, data, threads, &rows, &bounds)?,
            others: tie::IN_PASSING,
            chosen_locally: false,
            program,
            values,
            upper_inputs: problem.upper_inputs().into_iter().zip(above.iter().copied()).collect(),
            bounds,
            upper_bounds,
            equalities,
            pinned: None,
            spread: f64::INFINITY,
            ray: None,
            limits: Limits { stop: data.stop.clone(), ..Limits::default() },
            seed,
            stream: 0,
            spent: 0.0,
            budget: f64::INFINITY,
        };
        let mut start = start_point::<f64>(problem, data, threads)?;
        let y = start.split_off(problem.range(LevelId::LOWER).start).concat();
        made.spread = made.spread_at(&start.concat(), &y);
        Ok(made)
    }

    /// True where nothing more may be computed.
    pub(crate) fn is_over(&self) -> bool {
        self.spent >= self.budget
    }

    /// How far f varies over samples at x, and from there to y.
    fn spread_at(&mut self, x: &[f64], y: &[f64]) -> f64 {
        let mut random = symmetric(self.seed, 0, "spread of f");
        let mut ends = [f64::INFINITY, f64::NEG_INFINITY];
        for sample in 0..SPREAD {
            let entry = |b: &[f64; 2]| {
                let [low, high] = within_reach(*b, 1.0);
                low + (high - low) * f64::midpoint(1.0, random())
            };
            let at: Vec<f64> = if sample == 0 { y.to_vec() } else { self.bounds.iter().map(entry).collect() };
            if let Some(m) = self.values.at(x, &at) {
                ends = [ends[0].min(m.lower), ends[1].max(m.lower)];
            }
        }
        let spread = ends[1] - ends[0];
        if spread > 0.0 { spread } else { f64::INFINITY }
    }

    /// What a lower objective may be above the least one.
    pub(crate) fn tolerance(&self, least: f64) -> f64 {
        let size = 1.0 + least.abs();
        (OPTIMAL * size.min(self.spread)).max(ROUNDING * size)
    }

    /// The limits of a solve with so many variables and rows: within what is left of the budget.
    pub(crate) fn limits(&self, size: usize, iterations: usize) -> Limits {
        let left = ((self.budget - self.spent) / per_iteration(size)).clamp(1.0, iterations as f64);
        Limits { iterations: left as usize, ..self.limits.clone() }
    }

    /// Objectives and violations at a point.
    pub(crate) fn measure(&mut self, x: &[f64], y: &[f64]) -> Option<Measured> {
        self.spent += self.values.flops() + OVERHEAD;
        if self.values.read_multipliers() {
            let multipliers = self.pinned.clone().unwrap_or_else(|| {
                self.put(x);
                self.multipliers(y).0
            });
            self.values.set_multipliers(&multipliers);
        }
        self.values.at(x, y)
    }

    /// Puts x into the program of the lower level.
    pub(crate) fn put(&mut self, x: &[f64]) {
        let mut rest = x;
        for (input, length) in &self.upper_inputs {
            let (part, after) = rest.split_at(*length);
            self.program.set(*input, part);
            self.tie.set(*input, part);
            self.quadratic.iter_mut().for_each(|q| q.set(*input, part));
            self.large.iter_mut().for_each(|l| l.set(*input, part));
            rest = after;
        }
    }

    /// A local solution at the x that is in place; `None` where the solve did not end well, which is no evidence.
    pub(crate) fn descend(&mut self, y: &[f64]) -> Option<Solved> {
        if let Some(solved) = self.quadratic.as_mut().and_then(|q| q.solve(&mut self.program)) {
            self.spent += QUADRATIC + self.values.flops();
            let proved = self.quadratic.as_ref().is_some_and(conic::QuadraticLower::is_convex_everywhere);
            self.facts.convex |= proved;
            self.facts.unique |= proved;
            return Some(solved);
        }
        let mut found = self.by_products(y);
        if !found.as_ref().is_some_and(large::is_an_end) && self.takes_dense_steps() {
            let from = found.as_ref().map_or(y, |end| &end.z);
            let multipliers = found.as_ref().map(|end| &end.multipliers[..]);
            let end = nlp::solve(&mut self.program, from, multipliers, &self.limits);
            self.spent += cost(&end, self.values.flops());
            found = Some(end);
        }
        let end = found?;
        if end.status == Status::Unbounded {
            let way: Vec<f64> = end.z.iter().zip(y).map(|(a, b)| a - b).collect();
            let length = way.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
            self.ray = Some(way.iter().map(|v| v / length).collect());
        }
        let good = matches!(end.status, Status::Solved | Status::Acceptable) && end.violation <= FEASIBLE;
        (good && end.value.is_finite()).then_some(Solved {
            y: end.z,
            value: end.value,
            multipliers: end.multipliers,
            bound_multipliers: end.bound_multipliers,
        })
    }

    /// The y that violates the rows least at x, from y, where no step lessens the violation.
    pub(crate) fn least_violation(&mut self, x: &[f64], y: &[f64]) -> Option<Vec<f64>> {
        self.put(x);
        let end = nlp::solve(&mut self.program, y, None, &self.limits);
        self.spent += cost(&end, self.values.flops());
        let found = end.status == Status::Infeasible && end.z.iter().all(|v| v.is_finite());
        found.then_some(end.z)
    }

    /// The solutions at x that were found, the least objective first: from each of the known points `warm`, and from `k`
    /// other places where one solve is not enough.
    pub(crate) fn solutions(&mut self, x: &[f64], warm: &[&[f64]], k: usize) -> Vec<Solved> {
        self.put(x);
        self.ray = None;
        let mut found = Vec::new();
        for y in warm {
            found.extend(self.descend(y));
            if self.facts.convex && !found.is_empty() {
                return found;
            }
        }
        for y in self.starts(x, warm, k) {
            if self.is_over() && !found.is_empty() {
                break;
            }
            found.extend(self.descend(&y));
            if self.facts.convex && !found.is_empty() {
                return found;
            }
        }
        found.sort_by(|a, b| a.value.total_cmp(&b.value));
        let mut distinct: Vec<Solved> = Vec::new();
        for s in found {
            if distinct.iter().all(|d| apart(&d.y, &s.y) > NEAR) {
                distinct.push(s);
            }
        }
        distinct
    }
}

/// The largest distance of entries, against the size of the points or 1.
pub(crate) fn apart(a: &[f64], b: &[f64]) -> f64 {
    let size = a.iter().chain(b).fold(1.0, |m: f64, v| m.max(v.abs()));
    a.iter().zip(b).fold(0.0, |m: f64, (a, b)| m.max((a - b).abs())) / size
}

/// What an iteration of a solve costs with so many variables and rows, in flops, beside evaluations.
fn per_iteration(size: usize) -> f64 {
    QUADRATIC + PER_PAIR * (size as f64).powi(2)
}

/// What a solve has cost, in flops.
pub(crate) fn cost(end: &nlp::Outcome, flops: f64) -> f64 {
    end.iterations as f64 * per_iteration(end.z.len() + end.rows.len()) + end.evaluations as f64 * (flops + OVERHEAD)
}
