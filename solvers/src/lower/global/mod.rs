//! The lower level at a fixed x, solved as globally as it gets, and the choice among its solutions: the least upper
//! objective, as the optimistic position has it. Everybody who needs more than one local solve asks here: the judgement of
//! a run's end, its probes and the search of `auto`.
//!
//! - A level that is proved convex and smooth takes one solve.
//! - One entry is looked at on a grid, and the best minima of the grid are refined without derivatives, so that kinks and
//!   several wells cost the same.
//! - Else local solves start from the points that are known, from the wells that were found at other x, from the best of
//!   some samples and from random points.
//!
//! Among solutions that are equally good, a solve of `f + eps F` from each (the viscosity selection of Attouch, SIAM J.
//! Optim. 1996) followed by one of f finds the one with the least F, also where solutions fill a face or a plane.

mod choice;
mod endless;
mod entry;
mod newton;
mod variant;
mod wells;

use blo_engine::calculus::{Analysis, Verdict};
use blo_engine::data::symmetric;
use blo_engine::graph::Function;
use blo_engine::model::Bindings;
use blo_engine::model::problem::Problem;
use blo_engine::stop::StopToken;
use blo_grammar::diagnostic::Diagnostic;

pub(crate) use self::choice::THOROUGH;
use self::newton::refine::Refined;
use self::newton::{Newton, Radius};
use self::variant::Variant;
use self::wells::Wells;
use crate::formula::bound_program::BoundProgram;
use crate::formula::problem_graph::{Part, ProblemGraph};
use crate::formula::set_bounds::{couples, hull, largest_bound, within_reach};
use crate::lower::solve::{LowerSolver, LowerStart};
use crate::lower::vectors::{distance, largest};

/// Lower objectives whose difference is below this share of their size and of what the start is above them are the same.
const TIE: f64 = 1e-8;

/// Scaled residual of a solution. A value of the reduced objective is compared with others, and its error is as large as
/// that of y.
const SOLVED: f64 = 1e-10;

/// Points this near to each other, relatively, are one.
const NEAR: f64 = 1e-4;

/// Every so many solves of a smooth level are looked at: whether its Hessian is ill-conditioned.
const LOOKED_AT: u64 = 16;

/// How far from zero an entry without bounds is looked for, at least.
const REACH: f64 = 10.0;

/// Samples for each start that is chosen among them.
const SAMPLES: usize = 30;

/// Most evaluations of a local solve, unless the budget is smaller.
const MOST: u64 = 20_000;

/// Most evaluations of a solve of another lower level, which only leads to one of this.
const AWAY: u64 = 1000;

/// Most evaluations of a solve along gradients where there are kinks, which it may not see.
const AT_KINKS: u64 = 200;

/// What an instruction list costs beside its arithmetic, in flops.
const OVERHEAD: f64 = 600.0;

/// What a solver does with every entry beside an evaluation, in flops: the memory of a quasi-Newton method, lengths,
/// copies, on one thread. It is some thirty arrays: where they are longer than this they are out of the caches, and an
/// entry takes as long as so many flops of a fused loop.
const OWN: f64 = 64.0;
const CACHED: usize = 8192;
const OUTSIDE: f64 = 1024.0;

/// A solution of the lower level at some x, as far as is known.
#[derive(Clone, Debug)]
pub(crate) struct LowerPoint {
    /// One array per lower variable.
    pub(crate) y: Vec<Vec<f64>>,
    /// `f + g` there.
    pub(crate) value: f64,
    /// F there.
    pub(crate) upper: f64,
    /// It is a minimizer up to rounding, by its residual or by its neighbours.
    pub(crate) solved: bool,
    /// No other solution is nearby: neighbours on both sides are higher.
    pub(crate) isolated: bool,
}

/// How hard to look.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    /// Local solves beside those from points that are known, where convexity is not proved.
    pub(crate) starts: usize,
    /// Whose stream random points come from.
    pub(crate) stream: u64,
}

/// What is known of the lower level before any numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts {
    /// f is proved convex in y: a local solution is one.
    pub(crate) convex: bool,
    /// There is only one solution.
    pub(crate) unique: bool,
    /// f has kinks in y that no prox knows.
    pub(crate) kinked: bool,
    /// f is affine in some lower variable: solutions jump with x, or fill faces.
    pub(crate) linear: bool,
    /// F may have several local minimizers over the solutions at one x.
    pub(crate) choice: bool,
}

impl Facts {
    /// True where a choice among lower solutions takes solves from many places.
    pub(crate) fn chooses(&self) -> bool {
        self.choice && self.convex
    }

    fn of(problem: &Problem) -> Facts {
        let [strong, convex, smooth, _] = problem.proofs().map(|p| p.verdict == Verdict::Proved);
        let f = &problem.lower().objective;
        let is_affine =
            |variable: usize| Analysis::new(f, &problem.signs(f), &[variable]).convexity(f.outputs()[0]).is_affine();
        let linear = problem.lower_inputs().into_iter().any(is_affine);
        let unique = strong && convex;
        Facts { convex, unique, kinked: !smooth, linear, choice: !unique && choice::is_local(problem) }
    }
}

/// The lower level of a problem on its data.
pub(crate) struct GlobalLower<'a> {
    problem: &'a Problem,
    data: &'a Bindings,
    threads: u64,
    seed: u64,
    pub(crate) facts: Facts,
    solver: LowerSolver,
    /// `f + eps F`, the largest eps first, once they were asked for; empty where F does not depend on y.
    tilted: Option<Vec<Variant>>,
    /// The solver of levels with kinks, where they are small and simple enough.
    newton: Option<Newton>,
    /// The last steps of solves of smooth levels that are small and may be ill-conditioned.
    last_steps: Option<Newton>,
    /// Solves by slopes so far, and whether one of them needed the last steps.
    polished: u64,
    is_delicate: bool,
    /// f without its kinks, the roundest first: for levels with kinks that `newton` does not solve.
    rounded: Vec<Variant>,
    values: BoundProgram<f64>,
    upper_inputs: Vec<usize>,
    lower_inputs: Vec<usize>,
    lengths: Vec<usize>,
    /// Intervals that hold the entries, infinite where there are none.
    bounds: Vec<[f64; 2]>,
    /// The projection onto Y, where intervals do not tell what lies in it.
    projection: Option<BoundProgram<f64>>,
    /// Solutions that were found at any x.
    wells: Wells,
    /// Starts of the last look at the lower level, beside those from points that are known: local solves, or points of a
    /// grid.
    pub(crate) tried: usize,
    /// How many solutions a choice looks at beside those it is given.
    pub(crate) others: usize,
    /// The last choice was among several solutions, and F is not proved convex over them.
    pub(crate) chosen_locally: bool,
    /// The direction in which f falls without end, where the last solve has found one.
    pub(crate) ray: Option<Vec<f64>>,
    /// The largest difference of lower objectives so far, where they are affine.
    widest: f64,
    /// The cost of all evaluations so far, in flops.
    pub(crate) spent: f64,
    /// Where spending ends: solves are cut short there.
    pub(crate) budget: f64,
    stop: StopToken,
}

/// `Proj_Y(y)`, where a set of the lower level couples entries.
fn coupled(problem: &Problem, lengths: &[usize]) -> Option<Function> {
    let mut pairs = problem.lower().variables.iter().zip(lengths);
    pairs.any(|(variable, length)| couples(variable, *length)).then(|| {
        let mut p = ProblemGraph::new(problem);
        let y = p.y();
        let inside = p.project_lower(&y.nodes, "y in Y");
        p.function("projection", &inside.nodes)
    })
}

impl<'a> GlobalLower<'a> {
    /// Compiles what every solve needs.
    ///
    /// # Errors
    /// When the memory cannot be allocated.
    pub(crate) fn new(
        problem: &'a Problem,
        data: &'a Bindings,
        threads: u64,
        seed: u64,
    ) -> Result<GlobalLower<'a>, Box<Diagnostic>> {
        let mut facts = Facts::of(problem);
        let values = BoundProgram::<f64>::new(&values(problem), problem, data, threads)?;
        let lower = &problem.lower().variables;
        let lengths: Vec<usize> = lower.iter().map(|v| values.input(v.formal).len()).collect();
        let mut bounds = Vec::new();
        for (variable, length) in lower.iter().zip(&lengths) {
            bounds.extend(hull(variable, *length, problem, data)?);
        }
        let projection = coupled(problem, &lengths);
        let projection = projection.map(|f| BoundProgram::new(&f, problem, data, threads)).transpose()?;
        let (mut rounded, mut newton) = (Vec::new(), None);
        if facts.kinked {
            rounded = variant::rounded(problem);
            // what cannot be rounded has a derivative almost everywhere, and is left as it is
            facts.kinked = !rounded.is_empty();
            newton = Newton::new(problem, data, threads)?;
        }
        let last_steps = if !facts.kinked { Newton::of_smooth(problem, data, threads)? } else { None };
        Ok(GlobalLower {
            facts,
            solver: LowerSolver::new(problem, data, threads)?,
            tilted: None,
            newton,
            last_steps,
            polished: 0,
            is_delicate: false,
            rounded,
            values,
            upper_inputs: problem.upper_inputs(),
            lower_inputs: problem.lower_inputs(),
            lengths,
            bounds,
            projection,
            wells: Wells::default(),
            tried: 0,
            others: choice::IN_PASSING,
            chosen_locally: false,
            ray: None,
            widest: 0.0,
            spent: 0.0,
            budget: f64::INFINITY,
            stop: data.stop.clone(),
            problem,
            data,
            threads,
            seed,
        })
    }

    /// True where the level is known to have one solution at each x that solves by slopes come near to, and not to the last
    /// digits that F may depend on.
    pub(crate) fn is_delicate(&self) -> bool {
        self.is_delicate
    }

    /// The largest finite bound of an entry.
    pub(crate) fn largest_bound(&self) -> f64 {
        largest_bound(&self.bounds)
    }

    /// Intervals that hold the entries.
    pub(crate) fn bounds(&self) -> &[[f64; 2]] {
        &self.bounds
    }

    /// Entries of the lower variables.
    pub(crate) fn entries(&self) -> usize {
        self.bounds.len()
    }

    /// True where nothing more may be computed.
    pub(crate) fn is_over(&self) -> bool {
        self.spent >= self.budget || self.stop.is_set()
    }

    /// The cost of a prox-gradient map.
    pub(crate) fn cost(&self) -> f64 {
        self.solver.flops() as f64 + OVERHEAD
    }

    /// The cost of an evaluation within a solve, by a map of this cost.
    fn with_own(&self, map: f64) -> f64 {
        let each = if self.entries() > CACHED { OUTSIDE } else { OWN };
        map + each * self.entries() as f64
    }

    /// True where one solve from anywhere is enough.
    fn takes_one_solve(&self) -> bool {
        self.facts.convex && (!self.facts.kinked || self.newton.is_some())
    }

    /// True where a grid is looked at.
    fn is_by_grid(&self) -> bool {
        self.entries() == 1 && !self.takes_one_solve() && self.projection.is_none()
    }

    /// The solutions at x that were found, the least lower objective first: from each of the known points `warm`, and from
    /// elsewhere where one solve is not enough.
    pub(crate) fn minimizers(&mut self, x: &[Vec<f64>], warm: &[&[Vec<f64>]], effort: Effort) -> Vec<LowerPoint> {
        (self.ray, self.tried) = (None, 0);
        if self.entries() == 0 {
            return self.value_at(x, &[]).into_iter().collect();
        }
        let mut found = Vec::new();
        let (once, by_grid) = (self.takes_one_solve(), self.is_by_grid());
        for y in warm {
            if by_grid && self.facts.kinked && self.newton.is_none() {
                continue;
            }
            found.extend(self.descend(x, y));
            if once && found.last().is_some_and(|p: &LowerPoint| p.solved) {
                return found;
            }
        }
        if by_grid {
            found.extend(self.minimizers_of_one_entry(x, warm));
        } else if !self.facts.convex {
            for y in self.wells_at(x, warm) {
                found.extend(self.descend(x, &y));
            }
            for y in self.starts(x, warm, effort) {
                if self.is_over() {
                    break;
                }
                found.extend(self.descend(x, &y));
                self.tried += 1;
            }
            let recombined = self.recombined(x, &found);
            found.extend(recombined);
        }
        if self.ray.is_some() {
            return Vec::new();
        }
        found.retain(|p| p.value.is_finite());
        found.sort_by(|a, b| a.value.total_cmp(&b.value));
        found.first().into_iter().for_each(|least| self.remember(least));
        self.distinct(found)
    }

    /// F and `f + g` at a point.
    pub(crate) fn value_at(&mut self, x: &[Vec<f64>], y: &[Vec<f64>]) -> Option<LowerPoint> {
        for (input, values) in self.upper_inputs.iter().zip(x) {
            self.values.set(*input, values);
        }
        for (input, values) in self.lower_inputs.iter().zip(y) {
            self.values.set(*input, values);
        }
        self.values.run();
        self.spent += self.values.flops() as f64 + OVERHEAD;
        let [upper, smooth, proximal] = std::array::from_fn(|i| self.values.scalar(i));
        let value = smooth + proximal;
        let known = !self.stop.is_set() && value.is_finite() && !upper.is_nan();
        known.then(|| LowerPoint { y: y.to_vec(), value, upper, solved: false, isolated: false })
    }

    /// A local solution from a start.
    pub(crate) fn descend(&mut self, x: &[Vec<f64>], y: &[Vec<f64>]) -> Option<LowerPoint> {
        let by_newton = self.by_newton(x, y, Radius::Wide);
        if by_newton.as_ref().is_some_and(|p| p.solved) {
            return by_newton;
        }
        let by_slopes = self.by_slopes(x, by_newton.as_ref().map_or(y, |p| &p.y));
        let both = [by_newton, by_slopes].into_iter().flatten();
        both.min_by(|a, b| a.value.total_cmp(&b.value)).filter(|_| self.ray.is_none())
    }

    /// The solution of a level with kinks; `None` where there is another way for it.
    fn by_newton(&mut self, x: &[Vec<f64>], y: &[Vec<f64>], start: Radius) -> Option<LowerPoint> {
        let allowance = self.budget - self.spent;
        let newton = self.newton.as_mut()?;
        let before = newton.spent();
        let found = newton.solve(x, y, start, allowance);
        self.spent += newton.spent() - before;
        let found = found?;
        let value = self.value_at(x, &found.y)?;
        Some(LowerPoint { solved: found.settled, ..value })
    }

    /// A local solution from a start, by steps along gradients.
    fn by_slopes(&mut self, x: &[Vec<f64>], y: &[Vec<f64>]) -> Option<LowerPoint> {
        let mut y = y.to_vec();
        let mut rounded = std::mem::take(&mut self.rounded);
        for variant in &mut rounded {
            if let Some(found) = self.run_variant(variant, x, &y) {
                y = found;
            }
        }
        let smoothed = (!rounded.is_empty()).then(|| self.value_at(x, &y)).flatten();
        self.rounded = rounded;
        let plain = self.polish(x, &y);
        // at a kink the residual says nothing, and the objective everything, unless Newton's method has found no solution
        let solved = self.newton.is_none();
        match (smoothed, plain) {
            (Some(a), Some(b)) if a.value <= b.value => Some(LowerPoint { solved, ..a }),
            (Some(_), Some(b)) => Some(LowerPoint { solved: solved || b.solved, ..b }),
            (a, b) => b.or(a),
        }
    }

    /// The solve of the level as it is.
    fn polish(&mut self, x: &[Vec<f64>], y: &[Vec<f64>]) -> Option<LowerPoint> {
        if self.is_delicate && self.facts.convex {
            // where slopes take thousands of steps, Newton's method takes a few
            let begun = self.value_at(x, y)?;
            let ended = self.refined(x, begun);
            if ended.solved {
                return Some(ended);
            }
        }
        let point: Vec<Vec<f64>> = x.iter().chain(y).cloned().collect();
        let most = if self.facts.kinked { AT_KINKS } else { MOST };
        let cost = self.with_own(self.cost());
        let limit = self.limit(cost).min(most);
        let start = LowerStart { point: &point, reference: None, tolerance: SOLVED, limit };
        let stop = self.stop.clone();
        let found = self.solver.solve(&start, &mut || stop.is_set());
        self.spent += found.evaluations as f64 * cost;
        self.ray = self.ray.take().or(found.unbounded);
        if found.residual.is_infinite() || self.ray.is_some() {
            return None;
        }
        let value = self.value_at(x, &found.values)?;
        // a solve that the budget has cut short proves nothing
        let by_slopes = LowerPoint { solved: found.solved && found.evaluations < limit, ..value };
        Some(self.refined(x, by_slopes))
    }

    /// The end of a solve by slopes after the last steps, where there are any to make.
    fn refined(&mut self, x: &[Vec<f64>], found: LowerPoint) -> LowerPoint {
        let Some(newton) = &mut self.last_steps else { return found };
        self.polished += 1;
        // curvature may change with x: once in a while a solve is looked at
        if !self.is_delicate && !self.polished.is_power_of_two() && !self.polished.is_multiple_of(LOOKED_AT) {
            return found;
        }
        let before = newton.spent();
        let refined = newton.refine(x, &found.y, self.budget - self.spent);
        self.spent += newton.spent() - before;
        let Refined::Moved { y, settled } = refined else { return found };
        self.is_delicate = true;
        match self.value_at(x, &y) {
            Some(there) if there.value <= found.value + choice::ROUNDING * found.value.abs() => {
                LowerPoint { solved: settled, ..there }
            }
            _ => LowerPoint { solved: false, ..found },
        }
    }

    fn run_variant(&mut self, variant: &mut Variant, x: &[Vec<f64>], y: &[Vec<f64>]) -> Option<Vec<Vec<f64>>> {
        if self.is_over() {
            return None;
        }
        let solver = variant.solver(self.data, self.threads)?;
        let map = solver.flops() as f64 + OVERHEAD;
        let cost = self.with_own(map);
        let limit = self.limit(cost).min(AWAY);
        let point: Vec<Vec<f64>> = x.iter().chain(y).cloned().collect();
        let start = LowerStart { point: &point, reference: None, tolerance: SOLVED, limit };
        let found = solver.solve(&start, &mut || self.stop.is_set());
        self.spent += found.evaluations as f64 * cost;
        found.residual.is_finite().then_some(found.values)
    }

    /// Evaluations that the budget has left, for a solve.
    fn limit(&self, cost: f64) -> u64 {
        ((self.budget - self.spent) / cost).clamp(0.0, MOST as f64) as u64
    }

    /// Where random local solves start: the best of samples, apart from each other, and random ones.
    fn starts(&mut self, x: &[Vec<f64>], warm: &[&[Vec<f64>]], effort: Effort) -> Vec<Vec<Vec<f64>>> {
        let reach = self.reach(warm);
        let count = SAMPLES * effort.starts;
        let mut samples = Vec::new();
        for sample in 0..count as u64 {
            let mut random = symmetric(self.seed, effort.stream * 100_000 + sample, "lower starts");
            let near = warm.first().filter(|_| sample % 6 == 0);
            let near = near.map(|y| y.iter().flatten().copied().collect::<Vec<f64>>());
            let entries = reach.iter().enumerate().map(|(i, [low, high])| match &near {
                Some(y) => (y[i] + 0.1 * (high - low) * random()).clamp(*low, *high),
                None => low + (high - low) * f64::midpoint(1.0, random()),
            });
            let y = self.inside(&entries.collect::<Vec<f64>>());
            if self.is_over() {
                break;
            }
            samples.push((self.value_at(x, &y).map_or(f64::INFINITY, |p| p.value), y));
        }
        let random = effort.starts / 2;
        let mut chosen: Vec<Vec<Vec<f64>>> = samples.iter().take(random).map(|(_, y)| y.clone()).collect();
        samples.sort_by(|a, b| a.0.total_cmp(&b.0));
        let width = reach.iter().map(|[low, high]| high - low).fold(0.0, f64::max);
        for (_, y) in samples {
            if chosen.len() >= effort.starts {
                break;
            }
            if chosen.iter().all(|c| distance(c, &y) > 0.1 * width) {
                chosen.push(y);
            }
        }
        chosen
    }

    /// The box in which starts are drawn: the bounds, and around zero and the known points where there are none.
    fn reach(&self, warm: &[&[Vec<f64>]]) -> Vec<[f64; 2]> {
        let entries: Vec<Vec<f64>> = warm.iter().map(|y| y.iter().flatten().copied().collect()).collect();
        let reach = |(i, bounds): (usize, &[f64; 2])| {
            within_reach(*bounds, entries.iter().fold(REACH, |m, y| m.max(2.0 * y[i].abs())))
        };
        self.bounds.iter().enumerate().map(reach).collect()
    }

    /// The nearest point of Y to entries within its intervals, an array per lower variable.
    fn inside(&mut self, entries: &[f64]) -> Vec<Vec<f64>> {
        let y = self.split(entries);
        let Some(projection) = &mut self.projection else { return y };
        for (input, values) in self.lower_inputs.iter().zip(&y) {
            projection.set(*input, values);
        }
        projection.run();
        (0..y.len()).map(|variable| projection.output(variable).to_vec()).collect()
    }

    /// An array per lower variable.
    fn split(&self, mut entries: &[f64]) -> Vec<Vec<f64>> {
        let part = |length: &usize| {
            let (part, rest) = entries.split_at(*length);
            entries = rest;
            part.to_vec()
        };
        self.lengths.iter().map(part).collect()
    }

    /// Points that differ, the better of those that do not.
    fn distinct(&self, sorted: Vec<LowerPoint>) -> Vec<LowerPoint> {
        let mut kept: Vec<LowerPoint> = Vec::new();
        for p in sorted {
            let size = largest(p.y.iter().flatten());
            match kept.iter_mut().find(|k| distance(&k.y, &p.y) <= NEAR * size) {
                Some(same) => same.isolated |= p.isolated,
                None => kept.push(p),
            }
        }
        kept
    }
}

/// `F`, `f` and `g` at (x, y).
fn values(problem: &Problem) -> blo_engine::graph::Function {
    let mut p = ProblemGraph::new(problem);
    let (x, y) = (p.x(), p.y());
    let outputs = [Part::Upper, Part::Smooth, Part::Proximal].map(|part| p.value(part, &x, &y));
    p.function("both objectives", &outputs)
}
