//! Where a search looks: for each entry of the upper variables an interval, on a log scale where it holds positive numbers
//! only.

use blo_engine::model::problem::{Problem, Variable};
use blo_grammar::diagnostic::Diagnostic;

use crate::formula::bound_program::BoundProgram;
use crate::formula::problem_graph::ProblemGraph;
use crate::iteration::Context;

/// The ends of an interval without bounds of its own.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reach {
    pub(super) low: f64,
    pub(super) high: f64,
}

/// The values of one entry.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Interval {
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
    pub(super) fn at(&self, share: f64) -> f64 {
        match self.logarithmic {
            true => self.low * (self.high / self.low).powf(share),
            false => self.low + share * (self.high - self.low),
        }
    }
}

/// All entries of the upper variables, one after the other.
pub(super) struct Space {
    pub(super) intervals: Vec<Interval>,
    /// Number of entries of each variable.
    pub(super) lengths: Vec<usize>,
    /// The projection onto the sets.
    projection: BoundProgram<f64>,
}

impl Space {
    /// The space of a problem.
    ///
    /// # Errors
    /// When a program cannot be allocated.
    pub(super) fn new(context: &Context<'_>, reach: Reach) -> Result<Space, Box<Diagnostic>> {
        let Context { problem, data, options } = context;
        let projection = BoundProgram::new(&projection(problem), problem, data, options.threads)?;
        let (mut intervals, mut lengths) = (Vec::new(), Vec::new());
        for variable in &problem.upper().variables {
            let length = projection.input(variable.formal).len();
            let [low, high] = bounds(variable, context)?;
            let end = |ends: &[f64], i: usize| if ends.len() == 1 { ends[0] } else { ends[i] };
            intervals.extend((0..length).map(|i| Interval::of(end(&low, i), end(&high, i), reach)));
            lengths.push(length);
        }
        Ok(Space { intervals, lengths, projection })
    }

    /// A point as arrays per variable, moved into the sets.
    pub(super) fn point(&mut self, entries: &[f64]) -> Vec<Vec<f64>> {
        let mut rest = entries;
        for (variable, length) in self.lengths.iter().enumerate() {
            let (part, after) = rest.split_at(*length);
            self.projection.set(variable, part);
            rest = after;
        }
        self.projection.run();
        (0..self.lengths.len()).map(|variable| self.projection.output(variable).to_vec()).collect()
    }
}

/// The ends of a variable's interval; infinite where its set is none.
fn bounds(variable: &Variable, context: &Context<'_>) -> Result<[Vec<f64>; 2], Box<Diagnostic>> {
    let Some(set) = variable.set.as_ref().filter(|s| s.set.is_box) else {
        return Ok([vec![f64::NEG_INFINITY], vec![f64::INFINITY]]);
    };
    let mut ends = BoundProgram::<f64>::new(&set.parameters, context.problem, context.data, 1)?;
    ends.run();
    Ok([ends.output(0).to_vec(), ends.output(1).to_vec()])
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
