//! What runs beside the upper step: lower solves, hypergradients, the search for a step length, and when it ends.

use blo_engine::model::has_tasks;
use blo_engine::stop::StopToken;
use blo_grammar::diagnostic::Diagnostic;
use serde::{Deserialize, Serialize};

use super::{IgjoInputs, IgjoOptions};
use crate::formula::bound_program::BoundProgram;
use crate::formula::set_bounds::set_bounds;
use crate::hypergradient::adjoint::Adjoint;
use crate::iteration::control::{Control, Iterate, Next, NextState, Verdict};
use crate::iteration::counts::Counts;
use crate::iteration::{Context, Rows, memory};
use crate::lower::solve::{LowerSolver, LowerStart};
use crate::lower::vectors::{dot, largest};
use crate::message;
use crate::options::value::Value;
use crate::tolerances::POLISHED;

/// Most evaluations of a lower solve.
const MOST: u64 = 20_000;

/// Trials of a search. A tenth of the step each time is far below rounding by then; other factors may need them all.
const MOST_REJECTED: u64 = 60;

/// The first step moves the largest entry by this share of `max(1, largest entry)`.
const FIRST_MOVE: f64 = 0.1;

/// A step grows and shrinks by at most this factor between iterations.
const LENGTHEN: f64 = 10.0;

/// Without a stated `decrease`: below this share of F, which lower solves do not tell from nothing, so many times in a
/// row. Steps of Barzilai-Borwein length may gain little once.
const UNSEEN: f64 = 1e-9;
const IN_A_ROW: u64 = 5;

/// Rounding of the objective, against it.
const ROUNDING: f64 = 1e-13;

/// What may help where the hypergradient is wrong.
const REMEDY: &str = "the lower level has more than one solution there, and the formula of the hypergradient does not hold: \
                      a larger `floor` keeps the penalties away from 0";

/// A point with its lower solution.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct SolvedPoint {
    /// All upper entries.
    x: Vec<f64>,
    y: Vec<Vec<f64>>,
    /// F there.
    value: f64,
    solved: bool,
}

/// What the control has learnt.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct IgjoMemory {
    here: SolvedPoint,
    trial: SolvedPoint,
    /// The hypergradient at the iterate.
    slope: Vec<f64>,
    step: f64,
    /// The residual of the iterate that the last step left, and what it is measured against.
    residual: f64,
    reference: f64,
    /// What the first trial of this search promised, `<G, x - x+>`.
    promised: f64,
    /// Trials of this search that failed.
    rejected: u64,
    /// Small decreases in a row.
    small: u64,
    /// No step length decreases the objective.
    stalled: bool,
    /// `init` was used: a later pass begins where the run sends it.
    began: bool,
    counts: Counts,
}

/// The control of a run: lower solves, hypergradients, the search.
pub(super) struct ArmijoSearch {
    choice: IgjoOptions,
    layout: IgjoInputs,
    tol: f64,
    solver: LowerSolver,
    adjoint: Adjoint,
    objective: BoundProgram<f64>,
    /// Per upper entry, minus infinity where there is none.
    floors: Vec<f64>,
    /// Entries whose start the caller has bound.
    bound: Vec<bool>,
    lengths: Vec<usize>,
    stop: StopToken,
    resamples: bool,
    /// The present tasks are new: the iterate has not been evaluated with them.
    fresh: bool,
    now: IgjoMemory,
}

impl ArmijoSearch {
    pub(super) fn new(
        context: &Context<'_>,
        choice: IgjoOptions,
        layout: IgjoInputs,
    ) -> Result<ArmijoSearch, Box<Diagnostic>> {
        let Context { problem, data, options } = *context;
        let threads = options.threads;
        let objective = BoundProgram::new(&problem.upper().objective, problem, data, threads)?;
        let (mut floors, mut bound, mut lengths) = (Vec::new(), Vec::new(), Vec::new());
        for variable in &problem.upper().variables {
            let length = objective.input(variable.formal).len();
            let is_bound = data.start.iter().any(|(formal, _)| *formal == variable.formal);
            let least =
                |[low, high]: [f64; 2]| if low >= 0.0 { choice.floor.clamp(low, high) } else { f64::NEG_INFINITY };
            floors.extend(set_bounds(variable, length, problem, data)?.into_iter().map(least));
            bound.extend(std::iter::repeat_n(is_bound, length));
            lengths.push(length);
        }
        Ok(ArmijoSearch {
            choice,
            layout,
            tol: options.tol,
            solver: LowerSolver::new(problem, data, threads)?,
            adjoint: Adjoint::new(problem, data, threads)?,
            objective,
            floors,
            bound,
            lengths,
            stop: data.stop.clone(),
            resamples: options.resample > 0 && has_tasks(problem),
            fresh: false,
            now: IgjoMemory::default(),
        })
    }

    fn arrays(&self, entries: &[f64]) -> Vec<Vec<f64>> {
        let mut rest = entries;
        let part = |length: &usize| {
            let (part, after) = rest.split_at(*length);
            rest = after;
            part.to_vec()
        };
        self.lengths.iter().map(part).collect()
    }

    fn write(&self, inputs: &[usize], entries: &[f64], iterate: &mut dyn Iterate) {
        self.arrays(entries).iter().zip(inputs).for_each(|(values, input)| iterate.write(*input, values));
    }

    /// The lower level solved at x, from a point.
    fn solve(&mut self, x: Vec<f64>, from: &[Vec<f64>]) -> SolvedPoint {
        let mut point = self.arrays(&x);
        let upper = point.len();
        point.extend_from_slice(from);
        let start = LowerStart { point: &point, reference: None, tolerance: POLISHED, limit: MOST };
        let stop = self.stop.clone();
        let lower = self.solver.solve(&start, &mut || stop.is_set());
        self.now.counts = self.now.counts.plus(lower.counts);
        let y = if lower.residual.is_finite() { lower.values } else { from.to_vec() };
        point.truncate(upper);
        for (values, input) in point.iter().chain(&y).zip(self.layout.upper.iter().chain(&self.layout.lower)) {
            self.objective.set(*input, values);
        }
        self.objective.run();
        SolvedPoint { x, y, value: self.objective.scalar(0), solved: lower.solved }
    }

    /// Makes a point with its lower solution the iterate, and differentiates there.
    fn go_to(&mut self, point: SolvedPoint, iterate: &mut dyn Iterate) {
        self.now.here = point;
        let before = self.adjoint.products();
        let x = self.arrays(&self.now.here.x);
        self.now.slope = self.adjoint.at(&x, &self.now.here.y).estimate.concat();
        let products = self.adjoint.products() - before;
        self.now.counts = self.now.counts.plus(Counts { hvp: products, grad_upper: 1, ..Counts::default() });
        for (values, input) in self.now.here.y.iter().zip(&self.layout.lower) {
            iterate.write(*input, values);
        }
        self.write(&self.layout.slope, &self.now.slope, iterate);
    }

    fn read(inputs: &[usize], iterate: &dyn Iterate) -> Vec<Vec<f64>> {
        let part = |input: &usize| {
            let mut values = vec![0.0; iterate.len(*input)];
            iterate.read(*input, &mut values);
            values
        };
        inputs.iter().map(part).collect()
    }

    fn first_step(&self) -> f64 {
        let size = largest(&self.now.here.x).max(1.0);
        let slope = largest(&self.now.slope);
        if slope > 0.0 && slope.is_finite() { size * FIRST_MOVE / slope } else { 1.0 }
    }

    /// The first trial of the next search, after the step from a point with its slope.
    fn next_step(&self, x: &[f64], slope: &[f64]) -> f64 {
        let step = self.now.step;
        if self.choice.step.is_some() {
            return step;
        }
        let change = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a - b).collect::<Vec<f64>>();
        let (moved, turned) = (change(&self.now.here.x, x), change(&self.now.slope, slope));
        let curved = dot(&moved, &turned);
        let next = if curved > 0.0 { dot(&moved, &moved) / curved } else { LENGTHEN * step };
        let next = next.clamp(step / LENGTHEN, step * LENGTHEN);
        if next.is_finite() && next > 0.0 { next } else { step }
    }

    fn reference(&self) -> f64 {
        if self.now.reference > 0.0 { self.now.reference } else { 1.0 }
    }

    fn is_stationary(&self) -> bool {
        self.now.residual <= self.tol * self.reference() && self.now.here.solved
    }

    /// True for a decrease that lower solves do not tell from nothing.
    fn is_unseen(&self, decrease: f64) -> bool {
        decrease <= UNSEEN * self.now.here.value.abs()
    }

    /// Counts small decreases; true where the run ends by them.
    fn has_settled(&mut self, decrease: f64, value: f64) -> bool {
        let (least, enough) = match self.choice.decrease {
            Some(least) => (least, 1),
            None => (UNSEEN * value.abs(), IN_A_ROW),
        };
        self.now.small = if decrease < least || decrease == 0.0 { self.now.small + 1 } else { 0 };
        self.now.small >= enough
    }

    /// After the last step on a draw of tasks, which does not end a run that draws others.
    fn end(&self, converged: bool) -> Next {
        if self.resamples { Next::Continue } else { Next::EndOfPass { converged, last: true } }
    }
}

impl Control for ArmijoSearch {
    fn begin(&mut self, iterate: &mut dyn Iterate) {
        let began = self.now.began;
        self.now = IgjoMemory { began: true, counts: self.now.counts, ..IgjoMemory::default() };
        let mut x = ArmijoSearch::read(&self.layout.upper, iterate).concat();
        if !began {
            for ((x, floor), is_bound) in x.iter_mut().zip(&self.floors).zip(&self.bound) {
                if *x < *floor && !is_bound {
                    *x = self.choice.init.max(*floor);
                }
            }
            self.write(&self.layout.upper, &x, iterate);
        }
        self.write(&self.layout.floor, &self.floors, iterate);
        let from = ArmijoSearch::read(&self.layout.lower, iterate);
        let point = self.solve(x, &from);
        self.go_to(point, iterate);
        self.now.step = self.choice.step.unwrap_or_else(|| self.first_step());
    }

    fn measure_against(&mut self, residual: f64) {
        self.now.reference = self.now.reference.max(residual);
    }

    fn scalars(&mut self, _: u64, values: &mut [f64]) {
        values[0] = if self.now.stalled { 0.0 } else { self.now.step };
    }

    fn judge(&mut self, _: u64, signals: &[f64], next: &dyn NextState) -> Verdict {
        let [residual, slope, moved] = [0, 1, 2].map(|signal: usize| signals[signal]);
        self.now.residual = residual.sqrt();
        if moved == 0.0 {
            // a slope of zero, or a step too short to be seen
            self.now.stalled = true;
        }
        if self.now.rejected == 0 {
            self.now.promised = -slope;
        }
        if self.now.stalled {
            return Verdict::Accept;
        }
        let mut x: Vec<Vec<f64>> = self.lengths.iter().map(|length| vec![0.0; *length]).collect();
        x.iter_mut().zip(&self.layout.parts).for_each(|(values, part)| next.read(*part, values));
        let from = std::mem::take(&mut self.now.here.y);
        self.now.trial = self.solve(x.concat(), &from);
        self.now.here.y = from;
        let IgjoMemory { here, trial, .. } = &self.now;
        let least = here.value + self.choice.armijo * slope.min(0.0) + ROUNDING * here.value.abs();
        if (trial.solved || !here.solved) && trial.value <= least {
            return Verdict::Accept;
        }
        self.now.rejected += 1;
        self.now.step *= self.choice.shrink;
        let unseen = self.choice.decrease.is_none() && self.is_unseen(-slope);
        self.now.stalled = unseen || self.now.rejected >= MOST_REJECTED;
        Verdict::Reject
    }

    fn accepted(&mut self, k: u64, iterate: &mut dyn Iterate) -> Next {
        if k <= 2 {
            self.now.reference = self.now.reference.max(self.now.residual);
        }
        if std::mem::take(&mut self.fresh) {
            let (x, from) = (
                ArmijoSearch::read(&self.layout.upper, iterate).concat(),
                ArmijoSearch::read(&self.layout.lower, iterate),
            );
            let point = self.solve(x, &from);
            self.go_to(point, iterate);
            let step = self.choice.step.unwrap_or_else(|| self.first_step());
            (self.now.step, self.now.rejected, self.now.stalled) = (step, 0, false);
            return Next::Continue;
        }
        let converged = self.is_stationary();
        if self.now.stalled {
            return self.end(converged);
        }
        let trial = std::mem::take(&mut self.now.trial);
        let (decrease, value) = (self.now.here.value - trial.value, trial.value);
        let (before, slope) = (std::mem::take(&mut self.now.here.x), std::mem::take(&mut self.now.slope));
        self.go_to(trial, iterate);
        self.now.step = self.next_step(&before, &slope);
        self.now.rejected = 0;
        let settled = self.has_settled(decrease, value);
        if converged || settled { self.end(converged) } else { Next::Continue }
    }

    fn select(&mut self, rows: &Rows) -> Result<(), Box<Diagnostic>> {
        self.fresh = true;
        self.solver.select(rows)?;
        self.adjoint.select(rows)?;
        self.objective.select(rows)
    }

    fn looks_ahead(&self) -> bool {
        true
    }

    fn decides_convergence(&self) -> bool {
        true
    }

    fn counts(&self) -> Counts {
        self.now.counts
    }

    fn lower_steps(&self) -> Option<u64> {
        Some(MOST)
    }

    fn warnings(&self) -> Vec<Diagnostic> {
        let mut found = self.adjoint.warnings();
        if self.now.stalled && !self.is_stationary() && !self.is_unseen(self.now.promised) {
            found.push(message::no_descent(self.now.residual, self.reference(), REMEDY));
        }
        found
    }

    fn chosen(&self) -> Vec<(&'static str, Value)> {
        let step = Value::Number(self.now.step);
        vec![("alpha_x", step), ("decrease", Value::Text("what lower solves leave of F"))]
    }

    fn save(&self, to: &mut Vec<u8>) {
        memory::pack(&self.now, to);
    }

    fn load(&mut self, saved: &[u8], iterate: &mut dyn Iterate) {
        self.now = memory::unpack(saved);
        self.fresh = false;
        self.write(&self.layout.floor, &self.floors, iterate);
        self.write(&self.layout.slope, &self.now.slope, iterate);
    }
}
