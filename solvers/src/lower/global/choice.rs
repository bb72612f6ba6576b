//! The choice among lower solutions of one value: the one with the least upper objective. A solve of `f + eps F` from a
//! solution, followed by one of f, leads to a local minimizer of F over the solutions. Where F is not proved convex in y
//! there may be several, and the solution to begin with may be a saddle: the choice begins from others as well, which
//! solves of f from points all over the set lead to.

use blo_engine::calculus::{Analysis, Verdict, convex};
use blo_engine::data::symmetric;
use blo_engine::model::problem::Problem;

use super::newton::Radius;
use super::variant::{self, Variant};
use super::{GlobalLower, LowerPoint, NEAR, TIE};
use crate::lower::vectors::{distance, largest};

/// Below this share of their size lower objectives are the same in every digit that F can show, which must differ by the
/// other share to count.
const EXACT: f64 = 1e-11;
const SEEN: f64 = 1e-4;

/// What rounding leaves of the largest difference of lower objectives at any x.
pub(super) const ROUNDING: f64 = 1e-13;

/// Minimizers among which the upper level chooses.
const MOST_TIED: usize = 6;

/// Points whose solves look for other solutions: in passing, and where a point is to be the result.
pub(super) const IN_PASSING: usize = 6;
pub(crate) const THOROUGH: usize = 36;

/// Of the solutions that were found, F is lowered from one in so many, the best of them.
const LOWERED: usize = 3;

/// Where so many solves lead to one solution it is the only one: those of a convex level are a convex set.
const ALIKE: usize = 2;

/// Share of what the budget has left that one choice may take.
const SHARE: f64 = 0.05;

/// True where F depends on y and is not proved convex in it.
pub(super) fn is_local(problem: &Problem) -> bool {
    let (upper, lower) = (&problem.upper().objective, problem.lower_inputs());
    let analysis = Analysis::new(upper, &problem.signs(upper), &lower);
    lower.iter().any(|i| upper.depends_on(*i)) && convex(&analysis, upper.outputs()[0]) != Verdict::Proved
}

impl GlobalLower<'_> {
    /// The solution at x that the upper level prefers, of minimizers that are sorted by their lower objective. What the
    /// objective is above them at the points `warm` tells what a difference is.
    pub(crate) fn optimistic(
        &mut self,
        x: &[Vec<f64>],
        minimizers: &[LowerPoint],
        warm: &[&[Vec<f64>]],
    ) -> Option<LowerPoint> {
        let first = minimizers.first()?;
        self.chosen_locally = false;
        if self.facts.unique {
            return Some(first.clone());
        }
        let spread = (self.highest(x, warm) - first.value).max(0.0);
        let scale = first.value.abs().max(spread.min(1e3 * first.value.abs().max(1.0)));
        let mut rounding = 0.0;
        if self.facts.linear {
            // where x is at a tie, solutions, corners and the start may have one value up to rounding of its terms, which
            // show at another x
            self.widest = self.widest.max(scale);
            rounding = ROUNDING * self.widest;
        }
        let enough = first.value + rounding.max(TIE * scale);
        let exact = first.value + rounding.max(EXACT * scale);
        let tied = || minimizers.iter().take(MOST_TIED).filter(|p| p.value <= enough);
        let mut best = first.clone();
        let mut take = |p: LowerPoint| {
            if p.value <= enough && p.upper < best.upper {
                best = p;
            }
        };
        for minimizer in tied() {
            let tilted = if minimizer.isolated { None } else { self.tilt(x, minimizer, exact) };
            [Some(minimizer.clone()), tilted].into_iter().flatten().for_each(&mut take);
        }
        if self.facts.choice {
            let others = if self.facts.convex { self.elsewhere(x, first, warm, enough) } else { Vec::new() };
            self.chosen_locally = !others.is_empty() || tied().count() > 1;
            for other in others {
                let tilted = self.tilt(x, &other, exact);
                [Some(other), tilted].into_iter().flatten().for_each(&mut take);
            }
        }
        Some(best)
    }

    /// The highest lower objective at known points, and at two corners where solutions are corners.
    fn highest(&mut self, x: &[Vec<f64>], warm: &[&[Vec<f64>]]) -> f64 {
        let mut values: Vec<f64> = warm.iter().filter_map(|y| Some(self.value_at(x, y)?.value)).collect();
        if self.facts.linear {
            let reach = self.reach(warm);
            for end in 0..2 {
                let corner = self.inside(&reach.iter().map(|ends| ends[end]).collect::<Vec<f64>>());
                values.extend(self.value_at(x, &corner).map(|p| p.value));
            }
        }
        values.into_iter().fold(f64::NEG_INFINITY, f64::max)
    }

    /// Other solutions than the first one: from known points, and from points all over the set, the same ones at every x. The
    /// ones with the least F, and of those that are one only one.
    fn elsewhere(&mut self, x: &[Vec<f64>], first: &LowerPoint, warm: &[&[Vec<f64>]], enough: f64) -> Vec<LowerPoint> {
        let end = self.spent + SHARE * (self.budget - self.spent).max(0.0);
        let reach = self.reach(&warm[warm.len().saturating_sub(1)..]);
        let known = warm.len().saturating_sub(1);
        let mut found = vec![first.clone()];
        for number in 0..known + self.others {
            let alike = number >= known + ALIKE && found.len() == 1;
            if alike || self.is_over() || self.spent > end {
                break;
            }
            let y = match warm.get(number + 1) {
                Some(y) => y.to_vec(),
                None => {
                    let mut random = symmetric(self.seed, (number - known) as u64, "lower choices");
                    let entry = |[low, high]: &[f64; 2]| low + (high - low) * f64::midpoint(1.0, random());
                    self.inside(&reach.iter().map(entry).collect::<Vec<f64>>())
                }
            };
            let there = self.descend(x, &y).filter(|p| p.solved && p.value <= enough);
            let size = largest(y.iter().flatten()).max(1.0);
            let other = there.filter(|p| found.iter().all(|f| distance(&f.y, &p.y) > NEAR * size));
            found.extend(other);
        }
        found.remove(0);
        found.sort_by(|a, b| a.upper.total_cmp(&b.upper));
        found.truncate(self.others.div_ceil(LOWERED));
        found
    }

    /// The solution of the same value with the least upper objective, from one of them.
    fn tilt(&mut self, x: &[Vec<f64>], from: &LowerPoint, exact: f64) -> Option<LowerPoint> {
        let made = self.tilted.take();
        let mut tilted = made.unwrap_or_else(|| variant::tilted(self.problem, self.data, x, &from.y));
        let found = match self.newton {
            Some(_) => tilted.last_mut().and_then(|least| self.tilt_at_kinks(least, x, from)),
            None if tilted.is_empty() => None,
            None => self.tilt_by_slopes(&mut tilted, x, from, exact),
        };
        self.tilted = Some(tilted);
        found
    }

    /// The same by steps along gradients, through all variants.
    fn tilt_by_slopes(
        &mut self,
        tilted: &mut [Variant],
        x: &[Vec<f64>],
        from: &LowerPoint,
        exact: f64,
    ) -> Option<LowerPoint> {
        let mut y = from.y.clone();
        for variant in tilted {
            if let Some(found) = self.run_variant(variant, x, &y) {
                y = found;
            }
        }
        // the tilt has moved y off the solutions by a little, and F with it; but where solutions fill a face, a slope of
        // rounding errors would lead away from the best of them
        let moved = self.value_at(x, &y)?;
        let solved = self.descend(x, &y)?;
        let better = moved.upper < solved.upper - SEEN * solved.upper.abs().max((from.upper - solved.upper).abs());
        Some(if moved.value <= exact && better { LowerPoint { solved: solved.solved, ..moved } } else { solved })
    }

    /// The same by Newton's method. The last solve, of f alone, starts narrow: a wide one goes to the middle of the solutions.
    fn tilt_at_kinks(&mut self, least: &mut Variant, x: &[Vec<f64>], from: &LowerPoint) -> Option<LowerPoint> {
        let allowance = self.budget - self.spent;
        let found = least.newton(self.data, self.threads).and_then(|newton| {
            let before = newton.spent();
            let found = newton.solve(x, &from.y, Radius::Wide, allowance);
            self.spent += newton.spent() - before;
            found
        });
        self.by_newton(x, &found?.y, Radius::Narrow)
    }
}
