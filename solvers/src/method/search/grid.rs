//! Grid search over the upper entries, or over the upper variables with one value for all entries of an array: the
//! baseline of papers on learnt hyperparameters.

use std::rc::Rc;

use blo_engine::model::problem::{Problem, Variable};
use blo_grammar::diagnostic::Diagnostic;

use super::trials::{Rule, Trial, search};
use super::{HIGH, LOW};
use crate::formula::problem_graph::ProblemGraph;
use crate::iteration::Built;
use crate::method::{Method, Unfit, refusal};
use crate::options::entry::{Kind, MANY_ITERATIONS, MethodEntry, option};
use crate::options::settings::Settings;
use crate::reduced::space::Space;

/// The words of the option `over`.
const ENTRIES: &str = "entries";
const VARIABLES: &str = "variables";

/// Points of the largest grid, unless more iterations are asked for.
const MOST: u64 = 10_000;

/// Why a grid is refused, with what to do.
const TOO_MANY: Unfit = Unfit {
    what: "so many upper entries",
    because: "the grid has more points than `max_iter`; lower `points`, or state `over = variables`, which gives all entries of \
              an array one value",
};

/// The entry.
pub(in crate::method) static GRID: MethodEntry = MethodEntry {
    name: "grid",
    doc: "the best point of a grid; positive variables have points on a log scale",
    citation: "as in Gao, Ye, Yin, Zeng, Zhang, ICML 2022, section 4",
    formula: &[
        "x_k in a grid over the box of X, on a log scale where it is positive",
        "y_k in argmin f(x_k, .) + g(x_k, .)",
    ],
    requires: &[],
    options: &[
        option("points", "", Kind::Between(2, 10_000), Some("10"), "points along each axis of the grid"),
        option(
            "over",
            "",
            Kind::Word(&[ENTRIES, VARIABLES]),
            Some(ENTRIES),
            "an axis per entry, or per variable, all of whose entries are then at the same place of their intervals",
        ),
        LOW,
        HIGH,
        MANY_ITERATIONS,
    ],
};

/// The method.
pub(in crate::method) struct Grid;

impl Method for Grid {
    fn unfit(&self, problem: &Problem, settings: &Settings) -> Option<Unfit> {
        super::without_upper_variables(problem).or_else(|| {
            // sizes that data say are judged once there are data
            let count = |v: &Variable| Some(v.shape.sizes(&problem.sizes).ok()?.iter().product::<usize>());
            let lengths: Option<Vec<usize>> = problem.upper().variables.iter().map(count).collect();
            Points::of(settings).count(&lengths?).is_none().then_some(TOO_MANY)
        })
    }

    fn build(&self, p: ProblemGraph<'_>, settings: &Settings) -> Built {
        search(p, Rc::new(Points::of(settings)), super::reach(settings))
    }
}

/// What an axis of the grid is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Axes {
    Entries,
    Variables,
}

/// The points of a grid.
struct Points {
    /// Points along an axis.
    along: u64,
    axes: Axes,
    /// The most that are taken.
    most: u64,
}

impl Points {
    fn of(settings: &Settings) -> Points {
        let axes = if settings.word("over") == VARIABLES { Axes::Variables } else { Axes::Entries };
        Points { along: settings.integer("points"), axes, most: settings.integer("max_iter").max(MOST) }
    }

    /// The axis of each entry of variables with so many entries, and how many axes there are.
    fn axes(&self, lengths: &[usize]) -> (Vec<usize>, usize) {
        match self.axes {
            Axes::Entries => ((0..lengths.iter().sum()).collect(), lengths.iter().sum()),
            Axes::Variables => (lengths.iter().enumerate().flat_map(|(i, n)| vec![i; *n]).collect(), lengths.len()),
        }
    }

    /// All points; `None` where they are too many.
    fn count(&self, lengths: &[usize]) -> Option<u64> {
        let axes = u32::try_from(self.axes(lengths).1).ok()?;
        self.along.checked_pow(axes).filter(|count| *count <= self.most)
    }
}

impl Rule for Points {
    /// The points in an order that comes to all parts of the box early, should the run end before the grid does: every
    /// `stride`-th one, around and around.
    fn propose(&self, space: &Space, _: u64, k: u64, _: &[Trial]) -> Vec<f64> {
        let count = self.count(&space.lengths).unwrap_or(self.most);
        let mut place = (k - 1) % count * stride(count) % count;
        let (axis_of, axes) = self.axes(&space.lengths);
        let mut shares = vec![0.0; axes];
        for share in &mut shares {
            *share = (place % self.along) as f64 / (self.along - 1) as f64;
            place /= self.along;
        }
        axis_of.iter().enumerate().map(|(i, axis)| space.entry(i, shares[*axis])).collect()
    }

    fn points(&self, problem: &Problem, space: &Space) -> Result<Option<u64>, Box<Diagnostic>> {
        if let Some(count) = self.count(&space.lengths) {
            return Ok(Some(count));
        }
        let span = problem.upper().variables[0].span;
        Err(Box::new(refusal(problem, GRID.name, span, &TOO_MANY)))
    }
}

/// A number without a common divisor, near the golden section: multiples of it fill the range evenly.
fn stride(count: u64) -> u64 {
    let divisor = |mut a: u64, mut b: u64| {
        while b > 0 {
            (a, b) = (b, a % b);
        }
        a
    };
    let first = (0.618_033_988_75 * count as f64) as u64;
    (first.max(1)..).find(|s| divisor(*s, count) == 1).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{problem, solved};
    use crate::options::request::Request;
    use crate::pipeline::solve;
    use crate::run::observer::Silent;
    use crate::solution::Status;

    /// The optimum is a point of the default grid: 1e-3*1e4^(7/9).
    const AT_A_POINT: &str = "param best = 1e-3*1e4^(7/9)
        upper { var x[2] >= 0  minimize (y[1] - best)^2 + (y[2] - 10)^2 }
        lower { var y[2]  minimize normsq(y - x) }";

    #[test]
    fn every_point_is_tried_once() {
        let s = solved(AT_A_POINT, &Request::new("grid"));
        // the best of them is the optimum
        assert_eq!((s.status, s.iterations), (Status::Converged, 100));
        let x = &s.variable("x").unwrap().values;
        assert!((x[0] - 1e-3 * 1e4f64.powf(7.0 / 9.0)).abs() < 1e-12 && (x[1] - 10.0).abs() < 1e-12, "{x:?}");
        // a part of the grid
        let s = solved(AT_A_POINT, &Request::new("grid").set("max_iter", "30"));
        assert_eq!((s.status, s.iterations), (Status::IterationLimit, 30));
        for count in [2, 9, 100, 1000, 59_049] {
            let step = stride(count);
            let mut seen = vec![false; count as usize];
            (0..count).for_each(|k| seen[(k * step % count) as usize] = true);
            assert!(seen.iter().all(|s| *s), "{count}");
        }
    }

    #[test]
    fn all_entries_of_an_array_can_have_one_value() {
        let text = "upper { var x[30] in [-1, 1]  var z in [0, 2]  minimize normsq(y - 1/5) + (z - 1)^2 }
            lower { var y[30]  minimize normsq(y - x) }";
        let s = solved(text, &Request::new("grid").set("over", "variables").set("points", "11"));
        assert_eq!(s.iterations, 121);
        assert!(s.variable("x").unwrap().values.iter().all(|x| (x - 0.2).abs() < 1e-12));
        let problem = problem(text);
        let data = crate::fixture::data(&problem);
        let refused = solve(&problem, &data, &Request::new("grid"), &mut Silent).unwrap_err();
        assert!(refused[0].message.contains("over = variables"), "{refused:?}");
        assert!(!crate::method::that_take(&problem).contains(&"grid"));
    }
}
