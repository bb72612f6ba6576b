//! Where a search over the upper variables looks: for each entry of the upper variables an interval, on a log scale where it holds positive numbers
//! only.

use blo_engine::model::Bindings;
use blo_engine::model::problem::Problem;
use blo_grammar::diagnostic::Diagnostic;

use crate::formula::bound_program::BoundProgram;
use crate::formula::problem_graph::ProblemGraph;
use crate::formula::set_bounds::{couples, hull, set_bounds};

/// The ends of an interval without bounds of its own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reach {
    pub(crate) low: f64,
    pub(crate) high: f64,
}

/// The values of one entry.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Interval {
    low: f64,
    high: f64,
    logarithmic: bool,
}

impl Interval {
    /// An interval from bounds that may be infinite; linear where the set couples entries, as their sizes are then not
    /// of their own.
    fn of([low, high]: [f64; 2], coupled: bool, reach: Reach) -> Interval {
        if low >= 0.0 && !coupled {
            let high = if high.is_finite() { high } else { low.max(1.0) * reach.high };
            let least = if low > 0.0 { low } else { reach.low.min(high) };
            return Interval { low: least, high, logarithmic: least < high };
        }
        let low = if low.is_finite() { low } else { -reach.high };
        let high = if high.is_finite() { high } else { reach.high.max(low) };
        Interval { low, high, logarithmic: false }
    }

    /// The value at a share from 0 to 1 of the way.
    pub(crate) fn at(&self, share: f64) -> f64 {
        match self.logarithmic {
            true => self.low * (self.high / self.low).powf(share),
            false => self.low + share * (self.high - self.low),
        }
    }

    /// The share at which a value is; one half where all shares have one value.
    pub(crate) fn share(&self, value: f64) -> f64 {
        let share = match self.logarithmic {
            true => (value / self.low).ln() / (self.high / self.low).ln(),
            false => (value - self.low) / (self.high - self.low),
        };
        if share.is_finite() { share } else { 0.5 }
    }
}

/// All entries of the upper variables, one after the other.
pub(crate) struct Space {
    pub(crate) intervals: Vec<Interval>,
    /// The bounds of each entry, infinite where there are none.
    pub(crate) bounds: Vec<[f64; 2]>,
    /// An interval that holds each entry, infinite where there is none; its ends are no bounds where the set couples
    /// entries.
    pub(crate) hull: Vec<[f64; 2]>,
    /// True for an entry whose set couples it with others.
    pub(crate) coupled: Vec<bool>,
    /// Number of entries of each variable.
    pub(crate) lengths: Vec<usize>,
    /// The projection onto the sets.
    projection: BoundProgram<f64>,
}

impl Space {
    /// The space of a problem.
    ///
    /// # Errors
    /// When a program cannot be allocated.
    pub(crate) fn new(
        problem: &Problem,
        data: &Bindings,
        threads: u64,
        reach: Reach,
    ) -> Result<Space, Box<Diagnostic>> {
        let projection = BoundProgram::new(&projection(problem), problem, data, threads)?;
        let (mut bounds, mut held, mut coupled, mut lengths) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for variable in &problem.upper().variables {
            let length = projection.input(variable.formal).len();
            bounds.extend(set_bounds(variable, length, problem, data)?);
            held.extend(hull(variable, length, problem, data)?);
            coupled.extend(vec![couples(variable, length); length]);
            lengths.push(length);
        }
        let intervals = held.iter().zip(&coupled).map(|(ends, coupled)| Interval::of(*ends, *coupled, reach)).collect();
        Ok(Space { intervals, bounds, hull: held, coupled, lengths, projection })
    }

    /// The value of an entry at a share from 0 to 1 of where a search looks. Points of a set that couples entries are
    /// projected from a box twice as wide as the set, so that its faces and corners are met as well as its inside.
    pub(crate) fn entry(&self, i: usize, share: f64) -> f64 {
        let wide = if self.coupled[i] { 2.0 * share - 0.5 } else { share };
        self.intervals[i].at(wide)
    }

    /// The share of an entry at a value, from 0 to 1.
    pub(crate) fn share(&self, i: usize, value: f64) -> f64 {
        let share = self.intervals[i].share(value);
        (if self.coupled[i] { 0.5 * share + 0.25 } else { share }).clamp(0.0, 1.0)
    }

    /// A point as arrays per variable, moved into the sets.
    pub(crate) fn point(&mut self, entries: &[f64]) -> Vec<Vec<f64>> {
        for (variable, part) in self.arrays(entries).iter().enumerate() {
            self.projection.set(variable, part);
        }
        self.projection.run();
        (0..self.lengths.len()).map(|variable| self.projection.output(variable).to_vec()).collect()
    }

    /// Entries as arrays per variable.
    pub(crate) fn arrays(&self, entries: &[f64]) -> Vec<Vec<f64>> {
        let mut rest = entries;
        let part = |length: &usize| {
            let (part, after) = rest.split_at(*length);
            rest = after;
            part.to_vec()
        };
        self.lengths.iter().map(part).collect()
    }
}

/// `Proj_X(x)`, one output per upper variable.
fn projection(problem: &Problem) -> blo_engine::graph::Function {
    let mut p = ProblemGraph::new(problem);
    let x = p.x();
    let inside = p.project_upper(&x.nodes, "x in X");
    p.function("projection", &inside.nodes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const REACH: Reach = Reach { low: 1e-3, high: 10.0 };

    #[test]
    fn positive_intervals_are_on_a_log_scale() {
        let penalty = Interval::of([0.0, f64::INFINITY], false, REACH);
        assert_eq!([penalty.at(0.0), penalty.at(1.0)], [1e-3, 10.0]);
        assert!((penalty.at(0.5) - 0.1).abs() < 1e-15);
        assert_eq!(Interval::of([2.0, 8.0], false, REACH).at(0.5), 4.0);
        assert_eq!(Interval::of([0.0, 1.0], true, REACH).at(0.5), 0.5);
        assert_eq!(Interval::of([f64::NEG_INFINITY, f64::INFINITY], true, REACH).at(0.0), -10.0);
    }

    #[test]
    fn values_have_their_shares() {
        for interval in [Interval::of([0.0, 8.0], false, REACH), Interval::of([-8.0, 4.0], false, REACH)] {
            assert!([0.0, 0.3, 1.0].iter().all(|s| (interval.share(interval.at(*s)) - s).abs() < 1e-14));
        }
        assert_eq!(Interval::of([5.0, 5.0], false, REACH).share(5.0), 0.5);
    }

    #[test]
    fn others_are_linear_and_within_their_bounds() {
        let free = Interval::of([f64::NEG_INFINITY, f64::INFINITY], false, REACH);
        assert_eq!([free.at(0.0), free.at(0.5), free.at(1.0)], [-10.0, 0.0, 10.0]);
        assert_eq!(Interval::of([-8.0, 4.0], false, REACH).at(0.5), -2.0);
        assert_eq!(Interval::of([f64::NEG_INFINITY, -20.0], false, REACH).at(1.0), -20.0);
        assert_eq!(Interval::of([5.0, 5.0], false, REACH).at(0.3), 5.0);
        assert_eq!(Interval::of([0.0, 0.0], false, REACH).at(0.3), 0.0);
    }
}
