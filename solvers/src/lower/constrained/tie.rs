//! The choice among lower solutions that are equally good: the one with the least upper objective, as the optimistic
//! position has it. Where solutions fill a face or a plane, the level set of f is too flat to move along, and the plane of
//! its slope takes its place (Mangasarian, Operations Research Letters 7, 1988).

use blo_engine::data::symmetric;
use blo_engine::graph::Function;
use blo_engine::model::Bindings;
use blo_engine::model::problem::{LevelId, Problem};
use blo_grammar::diagnostic::Diagnostic;

use super::{ConstrainedLower, FEASIBLE, JOINTLY, NEAR, Solved, apart, cost, ends};
use crate::formula::problem_graph::{Part, ProblemGraph};
use crate::formula::rows::Rows;
use crate::nlp::functions::FunctionNlp;
use crate::nlp::{self, Nlp};

/// Lower objectives whose difference is below this share of their size are the same. A direct search, which goes where
/// such a tolerance pays, takes the second one.
pub(crate) const TIE: f64 = 1e-7;
pub(crate) const STRICT: f64 = 1e-9;

/// A choice this far from the solution that it leads to is another one.
const SAME: f64 = 0.1;

/// Solutions among which the upper level chooses.
const MOST_TIED: usize = 6;

/// Points all over the set that a choice begins from, too, where F has several minimizers over the solutions: in passing,
/// and where a point is to be the result.
pub(super) const IN_PASSING: usize = 3;
pub(crate) const THOROUGH: usize = 16;

/// Where so many solves from such points lead to one solution it is the only one: those of a convex level are a convex set.
const ALIKE: usize = 2;

/// A choice that has moved by less has not moved.
const MOVED: f64 = 1e-6;

/// What a violation of the upper level weighs against its objective.
const PENALTY: f64 = 1e3;

/// A point that the upper level prefers.
#[derive(Clone, Debug)]
pub(crate) struct Chosen {
    pub(crate) y: Vec<f64>,
    /// F with a penalty for what it violates.
    pub(crate) merit: f64,
}

/// `min F` over points that are as good for the lower level.
pub(super) struct Tie {
    /// Under `f <= v` and all rows of both levels.
    level: FunctionNlp,
    /// Under `f_y(y) = f_y(y*)`, `f_y(y*)'(y - y*) <= 0` and all rows.
    flat: FunctionNlp,
    /// The inputs of the flat program that hold `f_y(y*)`, with their lengths.
    slope: Vec<(usize, usize)>,
    row_ends: Vec<[f64; 2]>,
}

impl Tie {
    pub(super) fn new(
        problem: &Problem,
        data: &Bindings,
        threads: u64,
        rows: &[Vec<Rows>; 2],
        bounds: &[[f64; 2]],
    ) -> Result<Tie, Box<Diagnostic>> {
        let (f, upper) = (&problem.lower().objective, &problem.upper().objective);
        let variables = problem.lower_inputs();
        let all: Vec<&Rows> = rows[1].iter().chain(&rows[0]).collect();
        let others = || all.iter().map(|r| r.value.clone());
        let functions: Vec<Function> = std::iter::once(f.clone()).chain(others()).collect();
        let mut level = FunctionNlp::new(problem, data, threads, upper, &functions, &variables)?;
        level.set_bounds(bounds);
        let row_ends: Vec<[f64; 2]> =
            all.iter().zip(&level.row_lengths()[1..]).flat_map(|(r, n)| vec![ends(r.equality); *n]).collect();
        let mut p = ProblemGraph::new(problem);
        let (x, y) = (p.x(), p.y());
        let slope = p.point("slope", LevelId::LOWER);
        let gradient = p.gradient(Part::Smooth, LevelId::LOWER, &x, &y);
        let gradient: Vec<_> = gradient.into_iter().zip(&y.nodes).map(|(d, y)| p.or_zero(d, *y)).collect();
        let [left, right] = [&slope, &y].map(|b| b.nodes.iter().copied().map(Some).collect());
        let along = p.dot(&left, &right);
        let mut functions: Vec<Function> = gradient.iter().map(|g| p.function("f_y", &[*g])).collect();
        functions.push(p.function("f_y(y*)'y", &[along]));
        functions.extend(others());
        let mut flat = FunctionNlp::new(problem, data, threads, upper, &functions, &variables)?;
        flat.set_bounds(bounds);
        let lengths = flat.row_lengths()[..variables.len()].to_vec();
        let slope = p.positions(&slope).into_iter().zip(lengths).collect();
        Ok(Tie { level, flat, slope, row_ends })
    }

    pub(super) fn set(&mut self, input: usize, values: &[f64]) {
        self.level.set(input, values);
        self.flat.set(input, values);
    }
}

impl ConstrainedLower {
    /// The solution at x that the upper level prefers, of solutions that are sorted by their objective.
    pub(crate) fn prefer(&mut self, x: &[f64], solutions: &[Solved], tie: f64) -> Option<Chosen> {
        let first = solutions.first()?;
        self.chosen_locally = false;
        let best = self.judged(x, &first.y)?;
        let as_it_is = self.facts.unique || self.facts.indifferent || self.values.read_multipliers();
        if as_it_is || !self.is_choice_made() {
            return Some(best);
        }
        self.put(x);
        let width = tie * (1.0 + first.value.abs());
        let mut best = best;
        let tied = solutions.iter().take(MOST_TIED).filter(|s| s.value <= first.value + 10.0 * width);
        let mut starts: Vec<Vec<f64>> = tied.map(|s| s.y.clone()).collect();
        let known = starts.len();
        starts.extend(self.elsewhere(first, width));
        self.chosen_locally = starts.len() > 1 && !(self.facts.convex && self.facts.convex_choice);
        for (number, start) in starts.iter().enumerate() {
            if number >= known && self.is_over() {
                break;
            }
            let mut found = self.on_level(start, first.value + width);
            if found.as_ref().is_none_or(|y| apart(y, start) <= MOVED) {
                found = self.on_plane(start).or(found);
            }
            // what the width allows is given back: F would gain by its root
            let exact = found.as_ref().and_then(|y| self.descend(y).map(|s| s.y).filter(|s| apart(s, y) <= SAME));
            for y in exact.iter().chain(found.iter().filter(|_| exact.is_none())).chain(Some(start)) {
                let Some(m) = self.values.at(x, y) else { continue };
                let tied = m.lower <= first.value + 2.0 * width && m.lower_violation <= FEASIBLE;
                let better = |c: &Chosen| c.merit < best.merit;
                if let Some(chosen) = self.judged(x, y).filter(|c| tied && better(c)) {
                    best = chosen;
                }
            }
        }
        Some(best)
    }

    /// Where the choice begins from beside the solutions: points all over the set, the same ones at every x. None where one
    /// solve makes the choice, or the level turns out to have one solution.
    fn elsewhere(&mut self, first: &Solved, width: f64) -> Vec<Vec<f64>> {
        let mut points = Vec::new();
        if !self.facts.convex || self.facts.convex_choice {
            return points;
        }
        let reach = self.reach(&[]);
        let mut several = false;
        for number in 0..self.others {
            if self.is_over() || number == ALIKE && !several {
                break;
            }
            let mut random = symmetric(self.seed, number as u64, "lower choices");
            let y: Vec<f64> =
                reach.iter().map(|[low, high]| low + (high - low) * f64::midpoint(1.0, random())).collect();
            // a solution, for the solve on the level set to begin within the rows
            let there = self.descend(&y).filter(|s| s.value <= first.value + width).map_or(y, |s| s.y);
            several |= apart(&there, &first.y) > NEAR;
            points.push(there);
        }
        if several { points } else { Vec::new() }
    }

    /// A point with its merit for the upper level.
    fn judged(&mut self, x: &[f64], y: &[f64]) -> Option<Chosen> {
        let m = self.measure(x, y)?;
        let beyond = if m.upper_violation <= JOINTLY { 0.0 } else { m.upper_violation };
        Some(Chosen { y: y.to_vec(), merit: m.upper + PENALTY * (1.0 + m.upper.abs()) * beyond })
    }

    fn on_level(&mut self, from: &[f64], most: f64) -> Option<Vec<f64>> {
        let mut ends = vec![[f64::NEG_INFINITY, most]];
        ends.extend(&self.tie.row_ends);
        self.tie.level.set_row_bounds(&ends);
        let end = nlp::solve(&mut self.tie.level, from, None, &self.limits);
        self.spent += cost(&end, self.values.flops());
        (end.violation <= FEASIBLE).then_some(end.z)
    }

    fn on_plane(&mut self, from: &[f64]) -> Option<Vec<f64>> {
        let m = from.len();
        let (mut gradient, mut jacobian) = (vec![0.0; m], vec![0.0; m * self.equalities.len()]);
        self.program.slopes(from, &mut gradient, &mut jacobian);
        let mut rest = gradient.as_slice();
        for (input, length) in &self.tie.slope {
            let (part, after) = rest.split_at(*length);
            self.tie.flat.set(*input, part);
            rest = after;
        }
        let along: f64 = gradient.iter().zip(from).map(|(g, y)| g * y).sum();
        let mut ends: Vec<[f64; 2]> = gradient.iter().map(|g| [*g, *g]).collect();
        ends.push([f64::NEG_INFINITY, along]);
        ends.extend(&self.tie.row_ends);
        self.tie.flat.set_row_bounds(&ends);
        let end = nlp::solve(&mut self.tie.flat, from, None, &self.limits);
        self.spent += cost(&end, self.values.flops());
        (end.violation <= FEASIBLE).then_some(end.z)
    }
}
