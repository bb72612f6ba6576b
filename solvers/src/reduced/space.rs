//! Where a search over the upper variables looks: for each entry of the upper variables an interval, on a log scale where it holds positive numbers
//! only.

use blo_engine::model::Bindings;
use blo_engine::model::problem::Problem;
use blo_grammar::diagnostic::Diagnostic;

use crate::formula::bound_program::BoundProgram;
use crate::formula::problem_graph::ProblemGraph;
use crate::formula::set_bounds::set_bounds;

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
    /// An interval from bounds that may be infinite.
    fn of(low: f64, high: f64, reach: Reach) -> Interval {
        if low >= 0.0 {
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
}

/// All entries of the upper variables, one after the other.
pub(crate) struct Space {
    pub(crate) intervals: Vec<Interval>,
    /// The bounds of each entry, infinite where there are none.
    pub(crate) bounds: Vec<[f64; 2]>,
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
        let (mut bounds, mut lengths) = (Vec::new(), Vec::new());
        for variable in &problem.upper().variables {
            let length = projection.input(variable.formal).len();
            bounds.extend(set_bounds(variable, length, problem, data)?);
            lengths.push(length);
        }
        let intervals = bounds.iter().map(|[low, high]| Interval::of(*low, *high, reach)).collect();
        Ok(Space { intervals, bounds, lengths, projection })
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
        let penalty = Interval::of(0.0, f64::INFINITY, REACH);
        assert_eq!([penalty.at(0.0), penalty.at(1.0)], [1e-3, 10.0]);
        assert!((penalty.at(0.5) - 0.1).abs() < 1e-15);
        assert_eq!(Interval::of(2.0, 8.0, REACH).at(0.5), 4.0);
    }

    #[test]
    fn others_are_linear_and_within_their_bounds() {
        let free = Interval::of(f64::NEG_INFINITY, f64::INFINITY, REACH);
        assert_eq!([free.at(0.0), free.at(0.5), free.at(1.0)], [-10.0, 0.0, 10.0]);
        assert_eq!(Interval::of(-8.0, 4.0, REACH).at(0.5), -2.0);
        assert_eq!(Interval::of(f64::NEG_INFINITY, -20.0, REACH).at(1.0), -20.0);
        assert_eq!(Interval::of(5.0, 5.0, REACH).at(0.3), 5.0);
        assert_eq!(Interval::of(0.0, 0.0, REACH).at(0.3), 0.0);
    }
}
