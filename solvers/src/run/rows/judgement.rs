//! The end of a run of a problem with rows: y against the lower level solved from elsewhere under its rows, x against a
//! solve of the KKT conditions from the end, and the multipliers of both levels.

use blo_engine::data::Array;
use blo_engine::graph::{Function, NodeId};
use blo_engine::model::problem::{ConstraintKind, DataItem, LevelId};
use blo_engine::program::Scalar;
use blo_grammar::diagnostic::Diagnostic;

use crate::formula::bound_program::BoundProgram;
use crate::formula::problem_graph::ProblemGraph;
use crate::formula::rows::multiplier_name;
use crate::lower::constrained::{ConstrainedLower, JOINTLY, Measured, Solved, THOROUGH, TIE, apart};
use crate::message::{self, Unmet};
use crate::run::finish::Ending;
use crate::run::reported_metrics::Inputs;
use crate::run::rows::ray::UpperRay;
use crate::run::state::Run;
use crate::small::feasibility::Feasibility;
use crate::small::search::{Around, Incumbent, MOST_STARTS, PER_LOWER_ENTRY, SMALL, STARTS, Small, is_out_of_reach};
use crate::solution::Status;
use crate::solution::constraint::{ConstraintEnd, ends};
use crate::solution::verdict::{Known, Open, Place, Remark, Verdict, Word};

/// A better point gains at least this share of the upper objective.
const BETTER: f64 = 1e-5;

/// How often a search goes on from a better point that the judgement has found.
pub(crate) const ROUNDS: usize = 3;

/// The budget of the judgement, in flops.
const BUDGET: f64 = 1e9;

/// Multipliers of the rows of `subject to` of both levels, a list per constraint.
#[derive(Clone, Debug, Default)]
pub(crate) struct Multipliers {
    pub(crate) upper: Option<Vec<Vec<f64>>>,
    pub(crate) lower: Option<Vec<Vec<f64>>>,
}

impl<T: Scalar> Run<'_, T> {
    /// Judges the end of a run with rows, and moves y to the solution that it stands for, where the run may do so; a search
    /// goes to a better point nearby, up to `rounds` times.
    ///
    /// # Errors
    /// When the memory cannot be allocated.
    pub(crate) fn judge_rows(&mut self, ending: &mut Ending, rounds: usize) -> Result<(), Box<Diagnostic>> {
        let problem = self.problem;
        if is_out_of_reach(problem) {
            // the solver of levels with rows knows no proximal part
            ending.status = self.without_judgement(ending.status);
            return Ok(());
        }
        let mut lower = ConstrainedLower::new(problem, self.given, self.options.threads, self.options.seed)?;
        lower.budget = BUDGET;
        let [above, below] = [LevelId::UPPER, LevelId::LOWER].map(|level| problem.range(level));
        let x = ending.point[above].concat();
        let mut y = ending.point[below].concat();
        let others = if lower.facts.convex { 1 } else { (PER_LOWER_ENTRY * y.len()).clamp(STARTS, MOST_STARTS) };
        let solutions = lower.solutions(&x, &[&y], others);
        let mut place = None;
        let reads = problem.upper_reads_multipliers();
        if reads {
            // they belong to the point, and are not unique
            let first = problem.variables().count();
            let own = ending.point[first..first + problem.lower().constraints.len()].concat();
            lower.pinned = Some(own);
        }
        if self.is_refined() && !solutions.is_empty() && !reads {
            place = self.settle_lower(ending, &mut lower, (&x, &mut y), &solutions)?;
        }
        if solutions.is_empty() && lower.ray.is_some() {
            (ending.ray, ending.status) = (lower.ray.take(), Status::Unbounded);
            return Ok(());
        }
        let measured = lower.measure(&x, &y);
        if measured.is_none_or(|m| m.violation() > JOINTLY) {
            if rounds > 0 && self.options.search.is_some() && self.leave_infeasible(ending, &lower, [&x, &y])? {
                self.judge_rows(ending, rounds - 1)?;
                return self.take_back(ending, &mut lower, [x, y]);
            }
            return self.conclude_infeasible(ending, &lower, [&x, &y]);
        }
        let Some(measured) = measured else { return Ok(()) };
        let least = solutions.first().map(|s| s.value);
        ending.multipliers.lower = self.lower_multipliers(&mut lower, &x, &y, &solutions);
        lower.put(&x);
        (ending.many_multipliers, ending.local) = (lower.has_many_multipliers(&y), !lower.facts.convex);
        // what the upper level reads has to be multipliers
        let unknown = reads && ending.multipliers.lower.is_none();
        let word = least.filter(|_| !unknown).map_or(Word::None, |least| word(&lower, measured.lower, least));
        self.put_multipliers(ending)?;
        let (around, better) = self.look_around(ending, (&x, &y), &measured)?;
        if let Some(better) = better.as_ref().filter(|_| self.options.search.is_some() && rounds > 0) {
            self.move_all_to(ending, better)?;
            return self.judge_rows(ending, rounds - 1);
        }
        let far = better.iter().map(|i| &i.x).chain([&x]);
        let ray = far.into_iter().find_map(|far| self.upper_ray(&mut lower, far));
        if let Some(ray) = ray.or_else(|| self.ray_in_y(&mut lower, &x, &y)) {
            return self.conclude_unbounded(ending, ray);
        }
        let (word, remark) = match self.runs_away(&mut lower, &x, &y) {
            true => (Word::None, Some(Remark::RunsAway)),
            false => (word, lower.chosen_locally.then_some(Remark::LocalChoice)),
        };
        let better = better.map(|i| Known { x: i.x, upper: problem.upper().sign() * i.upper });
        let solved = word.is_good() && better.is_none() && around.complete;
        ending.verdict = Verdict {
            word,
            lower_gap: least.map_or(f64::NAN, |least| (measured.lower - least).max(0.0)),
            starts: if lower.facts.convex { 0 } else { others as u64 },
            probes: around.probes,
            better,
            found_by: place,
            open: (!around.complete).then_some(Open::CutShort),
            remark,
            ..Verdict::default()
        };
        ending.doubtful = !solved;
        ending.status = if solved { Status::Converged } else { self.without_judgement(ending.status) };
        if solved && self.options.search.is_some() {
            ending.failure = None;
        }
        Ok(())
    }

    /// Moves y to the lower point that the end stands for; says where that is from if it is another point.
    fn settle_lower(
        &mut self,
        ending: &mut Ending,
        lower: &mut ConstrainedLower,
        (x, y): (&[f64], &mut Vec<f64>),
        solutions: &[Solved],
    ) -> Result<Option<Place>, Box<Diagnostic>> {
        let own = lower.measure(x, y);
        let chosen = self.chosen(lower, x, y, solutions);
        let Some((better, from)) = chosen.filter(|(better, _)| better != y) else { return Ok(None) };
        let searched = self.options.search.is_some();
        let moved = own.is_some_and(|m| m.violation() <= JOINTLY) && apart(&better, y) > BETTER;
        *y = better;
        self.move_lower_to(ending, y)?;
        Ok(Some(from).filter(|_| moved && !searched))
    }

    /// The end of a run whose upper objective falls along a ray: the first point on it, where the run may go there.
    fn conclude_unbounded(&mut self, ending: &mut Ending, ray: UpperRay) -> Result<(), Box<Diagnostic>> {
        if self.is_refined() {
            self.move_all_to(ending, &Incumbent { x: ray.x, y: ray.y, multipliers: None, upper: f64::NAN })?;
        }
        ending.multipliers = Multipliers::default();
        (ending.upper_ray, ending.status, ending.failure) = (Some((ray.level, ray.direction)), Status::Unbounded, None);
        Ok(())
    }

    /// The lower point that the end stands for: the local solution that y leads to, or one that the upper level prefers.
    fn chosen(
        &self,
        lower: &mut ConstrainedLower,
        x: &[f64],
        y: &[f64],
        solutions: &[Solved],
    ) -> Option<(Vec<f64>, Place)> {
        let least = solutions.first()?.value;
        let tolerance = lower.tolerance(least);
        let good = |m: &Measured| m.violation() <= JOINTLY && m.lower - least <= tolerance;
        let near = solutions.iter().find(|s| apart(&s.y, y) <= NEAR).map(|s| s.y.clone());
        let near = near.and_then(|near| lower.measure(x, &near).filter(good).map(|m| (m.upper, near)));
        let own = lower.measure(x, y).filter(good).map(|m| (m.upper, y.to_vec()));
        let here = near.or(own);
        let others = std::mem::replace(&mut lower.others, THOROUGH);
        let preferred = lower.prefer(x, solutions, TIE);
        lower.others = others;
        let preferred = preferred.and_then(|c| lower.measure(x, &c.y).filter(good).map(|m| (m.upper, c.y)));
        match (here, preferred) {
            (Some((upper, _)), Some((other, y))) if other < upper - BETTER * (1.0 + upper.abs()) => {
                Some((y, Place::Preferred))
            }
            (Some((_, y)), _) => Some((y, Place::Deeper)),
            (None, Some((_, y))) => Some((y, Place::Deeper)),
            (None, None) => Some((solutions[0].y.clone(), Place::Deeper)),
        }
    }

    /// Makes a point that meets the rows the end of a search whose method had none to begin with; true if there is one.
    fn leave_infeasible(
        &mut self,
        ending: &mut Ending,
        lower: &ConstrainedLower,
        point: [&[f64]; 2],
    ) -> Result<bool, Box<Diagnostic>> {
        let Some([x, y]) = (match self.feasibility(lower, true)?.feasible(point) {
            Some(found) => Some(found),
            None => self.feasibility(lower, false)?.feasible(point),
        }) else {
            return Ok(false);
        };
        self.move_all_to(ending, &Incumbent { x, y, multipliers: None, upper: f64::NAN })?;
        (ending.status, ending.failure) = (Status::Stalled, None);
        Ok(true)
    }

    /// Where leaving a point has led to one that violates the rows more, the end is that point again.
    fn take_back(
        &mut self,
        ending: &mut Ending,
        lower: &mut ConstrainedLower,
        [x, y]: [Vec<f64>; 2],
    ) -> Result<(), Box<Diagnostic>> {
        let [above, below] = [LevelId::UPPER, LevelId::LOWER].map(|level| self.problem.range(level));
        let there = lower.measure(&ending.point[above].concat(), &ending.point[below].concat());
        let here = lower.measure(&x, &y).map_or(f64::INFINITY, |m| m.violation());
        if ending.status == Status::Stalled
            && there.is_none_or(|m| m.violation().is_nan() || m.violation() > here.max(JOINTLY))
        {
            self.move_all_to(ending, &Incumbent { x, y, multipliers: None, upper: f64::NAN })?;
            ending.multipliers = Multipliers::default();
        }
        Ok(())
    }

    /// The rows of both levels as a program.
    fn feasibility(&self, lower: &ConstrainedLower, with_objective: bool) -> Result<Feasibility, Box<Diagnostic>> {
        Feasibility::new(self.problem, self.given, self.options.threads, lower, with_objective)
    }

    /// The end of a run that meets the rows nowhere it knows: the point that violates them least, where the run may go there.
    fn conclude_infeasible(
        &mut self,
        ending: &mut Ending,
        lower: &ConstrainedLower,
        point: [&[f64]; 2],
    ) -> Result<(), Box<Diagnostic>> {
        ending.status = self.without_judgement(ending.status);
        let Some(([x, y], proved)) = self.feasibility(lower, false)?.least_violation(point) else { return Ok(()) };
        if self.is_refined() {
            self.move_all_to(ending, &Incumbent { x, y, multipliers: None, upper: f64::NAN })?;
        }
        if proved {
            ending.status = Status::Infeasible;
            ending.failure = None;
        }
        Ok(())
    }

    /// A method that solves the lower level has nothing to differentiate where no y meets its rows, or where f falls there
    /// without end: the end of the run is that x.
    pub(crate) fn explain_by_lower_rows(&mut self, ending: &mut Ending) -> Result<(), Box<Diagnostic>> {
        let Some(x) = self.control.unsolved_at().map(<[f64]>::to_vec) else { return Ok(()) };
        let y = ending.point[self.problem.range(LevelId::LOWER)].concat();
        if x.iter().chain(&y).any(|v| !v.is_finite()) {
            return Ok(());
        }
        let (threads, seed) = (self.options.threads, self.options.seed);
        let mut lower = ConstrainedLower::new(self.problem, self.given, threads, seed)?;
        lower.budget = BUDGET;
        let unsolved = lower.solutions(&x, &[&y], STARTS).is_empty();
        if let Some(ray) = lower.ray.take().filter(|_| unsolved) {
            let to = Incumbent { x, y, multipliers: None, upper: f64::NAN };
            self.move_all_to(ending, &to)?;
            (ending.ray, ending.status, ending.failure) = (Some(ray), Status::Unbounded, None);
            return Ok(());
        }
        let Some(y) = lower.least_violation(&x, &y).filter(|_| unsolved) else { return Ok(()) };
        let mut rows = self.feasibility(&lower, false)?;
        if let Some((_, true)) = rows.least_violation([&x, &y]) {
            return self.conclude_infeasible(ending, &lower, [&x, &y]);
        }
        let elsewhere = rows.feasible([&x, &y]).map(|[x, _]| self.upper_in_words(&x));
        self.move_all_to(ending, &Incumbent { x, y, multipliers: None, upper: f64::NAN })?;
        if let Some(failure) = &mut ending.failure {
            failure.lower_is_empty = true;
        }
        ending.feasible_x = elsewhere.flatten();
        Ok(())
    }

    /// `x = 1;  z = [1, 2]`, as a `start` block has it, where it is short.
    fn upper_in_words(&self, x: &[f64]) -> Option<String> {
        const LONGEST: usize = 4;
        let mut rest = x;
        let mut parts = Vec::new();
        for v in &self.problem.upper().variables {
            let (own, after) = rest.split_at(self.shape(v.formal).iter().product());
            rest = after;
            let entries: Vec<String> = own.iter().map(|v| message::few(*v + 0.0)).collect();
            match own {
                [_] if self.shape(v.formal).is_empty() => parts.push(format!("{} = {}", v.name, entries[0])),
                _ if own.len() <= LONGEST && self.shape(v.formal).len() == 1 => {
                    parts.push(format!("{} = [{}]", v.name, entries.join(", ")));
                }
                _ => return None,
            }
        }
        Some(parts.join(";  "))
    }

    /// The warning about rows that do not hold at the end.
    pub(crate) fn rows_not_met(&self, ending: &Ending, ends: &[ConstraintEnd]) -> Option<Diagnostic> {
        let worst = ends.iter().max_by(|a, b| a.violation.total_cmp(&b.violation))?;
        let others = ends.iter().filter(|e| e.violation > JOINTLY).count().saturating_sub(1);
        let row = self.problem.rows(worst.level).iter().find(|c| c.name == worst.name);
        let span = row.map_or_else(Default::default, |c| c.span);
        let unmet = match &ending.failure {
            Some(failure) if failure.lower_is_empty => Unmet::ByLower(ending.feasible_x.as_deref()),
            _ if ending.status == Status::Infeasible => Unmet::ByAll,
            _ => Unmet::SoFar,
        };
        (worst.violation > JOINTLY).then(|| message::rows_not_met(span, (&worst.name, worst.violation), others, unmet))
    }

    /// Puts the multipliers of the lower level into the state, where a method has them there: the residual is measured with
    /// them.
    fn put_multipliers(&mut self, ending: &mut Ending) -> Result<(), Box<Diagnostic>> {
        let Some(all) = &ending.multipliers.lower else { return Ok(()) };
        let names: Vec<String> = self.problem.lower().constraints.iter().map(multiplier_name).collect();
        let mut parts = self.iteration.state.iter().zip(&mut ending.point).filter(|(s, _)| names.contains(&s.name));
        for values in all {
            if let Some((_, part)) = parts.next() {
                part.copy_from_slice(values);
            }
        }
        let report = self.report_at(&ending.point)?;
        ending.report.lower_residual = report.lower_residual;
        Ok(())
    }

    /// Makes a point of a search the end.
    fn move_all_to(&mut self, ending: &mut Ending, to: &Incumbent) -> Result<(), Box<Diagnostic>> {
        let upper = self.problem.range(LevelId::UPPER);
        let lengths: Vec<usize> = ending.point[upper.clone()].iter().map(Vec::len).collect();
        ending.point[upper.clone()].clone_from_slice(&split(&to.x, &lengths));
        if let Some(multipliers) = &to.multipliers {
            let first = self.problem.variables().count();
            let parts = first..first + self.problem.lower().constraints.len();
            let lengths: Vec<usize> = ending.point[parts.clone()].iter().map(Vec::len).collect();
            ending.point[parts].clone_from_slice(&split(multipliers, &lengths));
        }
        self.move_lower_to(ending, &to.y)
    }

    fn move_lower_to(&mut self, ending: &mut Ending, y: &[f64]) -> Result<(), Box<Diagnostic>> {
        let mut rest = y;
        let lower: Vec<Vec<f64>> = ending.point[self.problem.range(LevelId::LOWER)]
            .iter()
            .map(|part| {
                let (values, after) = rest.split_at(part.len());
                rest = after;
                values.to_vec()
            })
            .collect();
        self.put_lower(&mut ending.point, &lower);
        let report = self.report_at(&ending.point)?;
        ending.report = crate::iteration::report::Report { gap: None, ..report };
        Ok(())
    }

    /// A list per constraint: those that the upper level has read, of the solve that has led to y, or that fit y best.
    /// `None` where none fit: y is a solution without multipliers.
    fn lower_multipliers(
        &self,
        lower: &mut ConstrainedLower,
        x: &[f64],
        y: &[f64],
        solutions: &[Solved],
    ) -> Option<Vec<Vec<f64>>> {
        let exact = solutions.iter().find(|s| apart(&s.y, y) <= EXACT).map(|s| s.multipliers.clone());
        lower.put(x);
        let pinned = lower.pinned.clone();
        // of many multipliers the least ones are shown, whatever a solve has ended with
        let many = lower.has_many_multipliers(y);
        let candidates = [pinned.clone(), exact.filter(|_| pinned.is_none() && !many)];
        let mut fitting = candidates.into_iter().flatten().find(|all| lower.fits(y, all));
        if fitting.is_none() && pinned.is_none() {
            let best = lower.multipliers(y).0;
            fitting = Some(best).filter(|all| lower.fits(y, all));
        }
        let lengths = &lower.program.row_lengths()[..self.problem.lower().constraints.len()];
        fitting.map(|all| split(&all, lengths))
    }

    /// What is known around the end, and a better point where there is one; the multipliers of the upper level's rows are
    /// kept on the way.
    fn look_around(
        &self,
        ending: &mut Ending,
        (x, y): (&[f64], &[f64]),
        measured: &Measured,
    ) -> Result<(Around, Option<Incumbent>), Box<Diagnostic>> {
        let upper = &self.problem.upper().constraints;
        if x.is_empty() && upper.is_empty() {
            return Ok((Around { complete: true, ..Around::default() }, None));
        }
        let (threads, seed) = (self.options.threads, self.options.seed);
        let mut small = Small::new(self.problem, self.given, threads, seed, [x.to_vec(), y.to_vec()])?;
        small.lower.budget = BUDGET;
        if let Some(search) = self.options.search.filter(|_| x.len() + y.len() > SMALL) {
            small.lower.budget = search.effort * BUDGET;
            small.search_in_x(x, y);
            small.lower.budget = small.lower.spent + BUDGET.max(search.effort * BUDGET);
        }
        let enough = match self.options.search {
            Some(_) => f64::INFINITY,
            None => 10.0 * BETTER * (1.0 + measured.upper.abs()),
        };
        let around = small.around(x, y, enough);
        if let Some(multipliers) = &around.multipliers {
            ending.multipliers.upper = Some(split(multipliers, &small.upper_row_lengths()[..upper.len()]));
        }
        let gains = |i: &Incumbent| i.upper < measured.upper - BETTER * (1.0 + measured.upper.abs());
        let better = small.incumbent.filter(gains).filter(|_| measured.violation() <= JOINTLY);
        Ok((around, better))
    }

    /// What metrics and assertions read of the multipliers at the end: formals with values, NaN where nobody knows them.
    pub(crate) fn reported_multipliers(&self, ending: &Ending) -> Inputs {
        self.multiplier_values(&ending.multipliers)
    }

    /// The same at an iterate, whose state may hold the multipliers of the lower level.
    pub(crate) fn multipliers_of_state(&self, point: &[Vec<f64>]) -> Inputs {
        let part = |name: String| self.iteration.state.iter().position(|s| s.name == name).map(|i| point[i].clone());
        let lower = self.problem.lower().constraints.iter().map(|c| part(multiplier_name(c))).collect();
        self.multiplier_values(&Multipliers { upper: None, lower })
    }

    fn multiplier_values(&self, all: &Multipliers) -> Inputs {
        let value = |(item, level, name): (&DataItem, LevelId, &str)| {
            let known = if level == LevelId::UPPER { &all.upper } else { &all.lower };
            let sizes = item.shape.sizes(&self.data.sizes).expect("a multiplier of a run has sizes");
            let entries: usize = sizes.iter().product();
            let mut sum = vec![if known.is_some() { 0.0 } else { f64::NAN }; entries];
            let rows = self.problem.rows(level).iter().zip(known.iter().flatten());
            for (constraint, values) in rows.filter(|(c, _)| c.name == name) {
                sum.iter_mut().zip(values).for_each(|(s, v)| *s += constraint.sign * v);
            }
            (item.formal, sum)
        };
        self.problem.multiplier_inputs().map(value).collect()
    }

    /// The values of all rows at the end, those of the upper level first.
    fn rows_at_end(&self, ending: &Ending) -> Result<BoundProgram<f64>, Box<Diagnostic>> {
        let (problem, threads) = (self.problem, self.options.threads);
        let mut program = BoundProgram::<f64>::in_any_case(&rows(problem), problem, &self.data, threads)?;
        for v in problem.variables() {
            program.set(v.formal, &ending.point[v.formal]);
        }
        program.run();
        Ok(program)
    }

    /// The multipliers of the upper level's rows may come from near the end: a row that the end leaves slack has the
    /// multiplier 0, and nobody knows that of a row which the end violates.
    pub(crate) fn settle_multipliers(&self, ending: &mut Ending) -> Result<(), Box<Diagnostic>> {
        if ending.multipliers.upper.is_none() || ending.report.is_unknown() {
            return Ok(());
        }
        let program = self.rows_at_end(ending)?;
        let all = ending.multipliers.upper.iter_mut().flatten().zip(&self.problem.upper().constraints);
        for (i, (own, constraint)) in all.enumerate() {
            let equality = constraint.kind == ConstraintKind::Equality;
            for (lam, row) in own.iter_mut().zip(program.output(i)) {
                let off = if equality { row.abs() } else { *row };
                if off > JOINTLY {
                    *lam = f64::NAN;
                } else if !equality && -row > SLACK {
                    *lam = 0.0;
                }
            }
        }
        Ok(())
    }

    /// The rows of both levels at the end.
    pub(crate) fn constraints(&self, ending: &Ending) -> Result<Vec<ConstraintEnd>, Box<Diagnostic>> {
        let problem = self.problem;
        if !problem.has_rows() || ending.report.is_unknown() {
            return Ok(Vec::new());
        }
        let program = self.rows_at_end(ending)?;
        let mut output = 0;
        let mut found = Vec::new();
        for (level, multipliers) in
            [(LevelId::UPPER, &ending.multipliers.upper), (LevelId::LOWER, &ending.multipliers.lower)]
        {
            let constraints = problem.rows(level);
            let values: Vec<Array> = constraints
                .iter()
                .enumerate()
                .map(|(i, c)| {
                    let sizes = c.shape.sizes(&self.data.sizes).expect("a row of a run has sizes");
                    Array::new(sizes, program.output(output + i).to_vec())
                })
                .collect();
            output += constraints.len();
            found.extend(ends(constraints, level, &values, multipliers.as_deref()));
        }
        Ok(found)
    }
}

/// What is known of y, by its lower objective and the least one that was found.
fn word(lower: &ConstrainedLower, value: f64, least: f64) -> Word {
    match () {
        () if value - least > lower.tolerance(least) => Word::NotLowerOptimal,
        () if lower.facts.convex => Word::Certified,
        () => Word::Plausible,
    }
}

/// A row this far from its end is slack.
const SLACK: f64 = 1e-3;

/// Points this near are one to the user, and to the last digits.
const NEAR: f64 = 1e-2;
const EXACT: f64 = 1e-6;

/// Entries as lists of so many.
fn split(entries: &[f64], lengths: &[usize]) -> Vec<Vec<f64>> {
    let mut rest = entries;
    let part = |length: &usize| {
        let (part, after) = rest.split_at(*length);
        rest = after;
        part.to_vec()
    };
    lengths.iter().map(part).collect()
}

/// The values of all rows, those of the upper level first.
fn rows(problem: &blo_engine::model::Problem) -> Function {
    let mut p = ProblemGraph::new(problem);
    let (x, y) = (p.x(), p.y());
    let nodes: Vec<NodeId> =
        [LevelId::UPPER, LevelId::LOWER].into_iter().flat_map(|level| p.row_values(level, &x, &y)).collect();
    p.function("rows", &nodes)
}
