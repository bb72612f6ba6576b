//! The reduced objective `phi(x) = min {F(x, y) : y in S(x)}`, S(x) the solutions of the lower level: what a bilevel
//! problem minimizes, whatever the method. It is expensive and need not be continuous, but it judges every end point
//! alike, it tells where a derivative is zero for want of information, and a few evaluations of it find what a method has
//! missed. All work is on a budget that is counted in operations, so that it depends on nothing but the problem.

mod confirm;
mod descent;
mod probe;
mod quasi_newton;
mod region;
mod runaway;
mod scan;
pub(crate) mod search;
pub(crate) mod space;
mod tie;

use std::cmp::Ordering;

use blo_engine::model::Bindings;
use blo_engine::model::problem::{LevelId, Problem};
use blo_grammar::diagnostic::Diagnostic;

pub(crate) use self::probe::Around;
use self::space::{Reach, Space};
use crate::formula::bound_program::BoundProgram;
use crate::formula::set_bounds::largest_bound;
use crate::formula::start_point::start_point;
use crate::hypergradient::adjoint::Adjoint;
use crate::lower::global::{Effort, GlobalLower, LowerPoint};

/// Where entries without bounds are looked for: up to so far from zero, and on a log scale down to so little.
const REACH: Reach = Reach { low: 1e-3, high: 10.0 };

/// Differences of the reduced objective below this share of it are what solves of the lower level leave.
const ROUNDING: f64 = 1e-9;

/// A step is long enough where it changes the objective by this share; a shorter one grows by this factor.
const SEEN: f64 = 1e-3;
const LONGER: f64 = 100.0;

/// Iterations of the system of a hypergradient: steps along it are judged by the objective.
const MOST_PRODUCTS: u64 = 200;
const LEAST_PRODUCTS: f64 = 10.0;

/// A point so many times as large as those of the run has run away.
const AWAY: f64 = 1e8;

/// Entries whose steps are lengthened.
const CALIBRATED: usize = 20;

/// A value of the reduced objective with the points that it stands for.
#[derive(Clone, Debug)]
pub(crate) struct ReducedPoint {
    /// The entries of the upper variables.
    pub(crate) x: Vec<f64>,
    /// One array per lower variable.
    pub(crate) y: Vec<Vec<f64>>,
    /// `F(x, y)`, to be minimized.
    pub(crate) upper: f64,
    /// `f + g` there.
    pub(crate) lower: f64,
    /// y is a minimizer as far as the solves tell.
    pub(crate) solved: bool,
    /// There are other minimizers, and x was chosen so that there are.
    pub(crate) tied: bool,
    /// How many wells of the lower level were known then.
    pub(crate) wells: u64,
}

impl ReducedPoint {
    /// The better one first.
    pub(crate) fn order(&self, other: &ReducedPoint) -> Ordering {
        other.solved.cmp(&self.solved).then(self.upper.total_cmp(&other.upper))
    }

    /// True where it is better than another one: a solved point comes before one that is not.
    pub(crate) fn is_better(&self, other: &ReducedPoint) -> bool {
        match (self.solved, other.solved) {
            (true, false) => self.upper.is_finite(),
            (false, true) => false,
            _ => self.upper < other.upper,
        }
    }
}

/// The reduced objective of a problem on its data.
pub(crate) struct Reduced<'a> {
    pub(crate) lower: GlobalLower<'a>,
    space: Space,
    /// The start of the lower variables, which every evaluation may start from.
    start: Vec<Vec<f64>>,
    /// A length per upper entry: what counts as a step.
    scales: Vec<f64>,
    /// The least and the largest value of points that count: of the run, and near to them.
    range: [f64; 2],
    /// Evaluations so far.
    pub(crate) evaluations: u64,
    /// Points of the scan of a search.
    seen: Vec<ReducedPoint>,
    /// A better point was so far away that the objective has no least value, as far as a search can tell.
    pub(crate) far_away: Option<ReducedPoint>,
    /// The largest entries of x and of y that are near.
    reach: f64,
    lower_reach: f64,
    /// Hypergradients, once they were asked for; `None` within where the memory cannot be had.
    adjoint: Option<Option<Adjoint>>,
    /// `F_x` and `f_x + g_x`, once they were asked for.
    slopes: Option<BoundProgram<f64>>,
    problem: &'a Problem,
    data: &'a Bindings,
    threads: u64,
    seed: u64,
}

impl<'a> Reduced<'a> {
    /// Compiles for a problem.
    ///
    /// # Errors
    /// When the memory cannot be allocated.
    pub(crate) fn new(
        problem: &'a Problem,
        data: &'a Bindings,
        threads: u64,
        seed: u64,
    ) -> Result<Reduced<'a>, Box<Diagnostic>> {
        let mut start = start_point::<f64>(problem, data, threads)?;
        let space = Space::new(problem, data, threads, REACH)?;
        Ok(Reduced {
            lower: GlobalLower::new(problem, data, threads, seed)?,
            start: start.split_off(problem.range(LevelId::LOWER).start),
            scales: vec![1.0; space.intervals.len()],
            space,
            range: [f64::INFINITY, f64::NEG_INFINITY],
            evaluations: 0,
            seen: Vec::new(),
            far_away: None,
            reach: f64::INFINITY,
            lower_reach: f64::INFINITY,
            adjoint: None,
            slopes: None,
            problem,
            data,
            threads,
            seed,
        })
    }

    /// Number of upper entries.
    pub(crate) fn len(&self) -> usize {
        self.scales.len()
    }

    /// The entries of a point that are at a bound of their own, with room between both.
    pub(crate) fn at_bounds(&self, x: &[f64]) -> Vec<usize> {
        let is_at = |i: &usize| {
            let [low, high] = self.space.bounds[*i];
            let near = |end: f64| end.is_finite() && (x[*i] - end).abs() <= ROUNDING * end.abs().max(self.scales[*i]);
            high > low && (near(low) || near(high))
        };
        (0..x.len()).filter(is_at).collect()
    }

    /// Intervals that hold the upper entries, infinite where there are none.
    pub(crate) fn intervals(&self) -> &[[f64; 2]] {
        &self.space.hull
    }

    /// True without upper variables.
    pub(crate) fn is_empty(&self) -> bool {
        self.scales.is_empty()
    }

    /// Takes the lengths of steps from points that belong to the run, such as its start and its end: how far they are
    /// apart, how large they are, and how far bounds are apart.
    pub(crate) fn scale_by(&mut self, points: &[&[f64]]) {
        let largest = points.iter().flat_map(|p| p.iter()).fold(1.0, |m: f64, v| m.max(v.abs()));
        self.reach = (AWAY * largest).max(largest_bound(&self.space.hull));
        for (i, scale) in self.scales.iter_mut().enumerate() {
            let [low, high] = self.space.hull[i];
            let values = points.iter().map(|p| p[i]);
            let size = values.clone().fold(0.0, |m: f64, v| m.max(v.abs()));
            let apart = values.clone().fold(f64::NEG_INFINITY, f64::max) - values.fold(f64::INFINITY, f64::min);
            let width = high - low;
            let length = if width.is_finite() { width / 4.0 } else { size.max(apart) };
            *scale = if length > 0.0 && length.is_finite() { length } else { 1.0 };
        }
    }

    /// Lengthens the steps of entries without bounds until the objective at a point tells them from nothing: where a run
    /// has not moved, its own length says nothing of the problem's.
    pub(crate) fn calibrate(&mut self, at: &ReducedPoint) {
        for i in 0..self.len().min(CALIBRATED) {
            let [low, high] = self.space.hull[i];
            while self.scales[i] < 1.0 && (high - low).is_infinite() {
                let mut x = at.x.clone();
                x[i] += self.scales[i];
                let effort = self.in_passing();
                let Some(there) = self.at(&x, &[&at.y], effort) else { break };
                if (there.upper - at.upper).abs() > SEEN * at.upper.abs().max(there.upper.abs()) {
                    break;
                }
                self.scales[i] *= LONGER;
            }
        }
    }

    /// How far the lower objective falls at a point's x from the start of y to the point; 0 where that is not known.
    pub(crate) fn drop_at(&mut self, at: &ReducedPoint) -> f64 {
        let x = self.space.point(&at.x);
        let above = self.drop_to(&x, at.lower);
        if above.is_finite() { above } else { 0.0 }
    }

    /// How far the lower objective falls at x from the start of y to a value.
    fn drop_to(&mut self, x: &[Vec<f64>], value: f64) -> f64 {
        self.lower.value_at(x, &self.start).map_or(0.0, |start| (start.value - value).max(0.0))
    }

    /// Lets a point count for the range of values.
    pub(crate) fn see(&mut self, point: &ReducedPoint) {
        if point.solved {
            self.range = [self.range[0].min(point.upper), self.range[1].max(point.upper)];
        }
    }

    /// What differences of the objective are measured against: the range of values at points that count.
    fn spread(&self) -> f64 {
        (self.range[1] - self.range[0]).max(0.0)
    }

    /// A difference of the objective that counts at a point: a share of the spread, above rounding.
    pub(crate) fn noticeable(&self, at: &ReducedPoint, share: f64) -> f64 {
        (share * self.spread()).max(ROUNDING * at.upper.abs())
    }

    /// The value at entries x, moved into X, with the lower level solved from the points `warm` and from elsewhere.
    /// `None` where the budget is spent or nothing finite was found.
    pub(crate) fn at(&mut self, x: &[f64], warm: &[&[Vec<f64>]], effort: Effort) -> Option<ReducedPoint> {
        if self.lower.is_over() {
            return None;
        }
        self.evaluations += 1;
        let arrays = self.space.point(x);
        let start = std::mem::take(&mut self.start);
        let mut starts: Vec<&[Vec<f64>]> = warm.to_vec();
        if warm.is_empty() || !self.lower.facts.convex {
            starts.push(&start);
        }
        let minimizers = self.lower.minimizers(&arrays, &starts, effort);
        starts.push(&start);
        let chosen = self.lower.optimistic(&arrays, &minimizers, &starts);
        self.start = start;
        let LowerPoint { y, value, upper, solved, .. } = chosen?;
        let x: Vec<f64> = arrays.into_iter().flatten().collect();
        let wells = self.lower.wells_found();
        if !upper.is_finite() || x.iter().any(|v| !v.is_finite()) {
            return None;
        }
        if self.is_far(&x, &y) {
            let point = ReducedPoint { x, y, upper, lower: value, solved, tied: false, wells };
            if self.far_away.as_ref().is_none_or(|far| point.is_better(far)) {
                self.far_away = Some(point);
            }
            return None;
        }
        Some(ReducedPoint { x, y, upper, lower: value, solved, tied: false, wells })
    }

    /// The lower objective where a single solve that begins at y ends, if it ends at a minimizer.
    pub(crate) fn solved_from(&mut self, x: &[f64], y: &[Vec<f64>]) -> Option<f64> {
        let arrays = self.space.point(x);
        self.lower.descend(&arrays, y).filter(|end| end.solved).map(|end| end.value)
    }

    /// The hypergradient at a point, where there is one and the budget allows it.
    fn gradient(&mut self, at: &ReducedPoint) -> Option<Vec<f64>> {
        if self.lower.is_over() || self.lower.facts.kinked {
            return None;
        }
        let (problem, data, threads) = (self.problem, self.data, self.threads);
        let affordable = (self.lower.budget - self.lower.spent) / (2.0 * self.lower.cost());
        if affordable < LEAST_PRODUCTS {
            return None;
        }
        let adjoint = self.adjoint.get_or_insert_with(|| Adjoint::new(problem, data, threads).ok()).as_mut()?;
        adjoint.allow((affordable as u64).min(MOST_PRODUCTS));
        let before = adjoint.products();
        let gradient = adjoint.at(&self.space.point(&at.x), &at.y).total.map(|total| total.concat());
        let products = adjoint.products() - before;
        self.lower.spent += 2.0 * products as f64 * self.lower.cost();
        gradient
    }

    /// The effort of an evaluation in passing.
    fn in_passing(&self) -> Effort {
        let starts = if self.lower.is_known_by_parts() { 1 } else { 2 };
        Effort { starts, stream: self.evaluations }
    }
}

#[cfg(test)]
mod tests;
