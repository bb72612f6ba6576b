//! A problem with one number x and one number y as a map: the lower objective on a grid, and the curve of lower solutions
//! over x. It is what a run is drawn on; it judges nothing.

use blo_engine::model::Bindings;
use blo_engine::model::problem::{LevelId, Problem};
use blo_engine::shape::Sizes;
use blo_grammar::diagnostic::Diagnostic;

use crate::audit::known::nearest_known;
use crate::lower::global::Effort;
use crate::reduced::Reduced;

/// Points of the grid along each axis, as many as the budget allows.
const GRID: [usize; 2] = [21, 121];

/// Values of x at which the lower level is solved, before the curve is refined at jumps.
const SCAN: usize = 121;

/// Most flops of the scan and of the grid, each: a second or so.
const BUDGET: f64 = 1e9;

/// Local solves beside those from points that are known, at each x.
const STARTS: usize = 4;

/// A step of y by this share of the curve's height is looked at more closely, with so many halvings.
const JUMP: f64 = 0.05;
const HALVINGS: u32 = 12;

/// What is left free around the points that a map has to show, as a share of their extent.
const MARGIN: f64 = 0.25;

/// A set is shown as a whole where it is at most so many times as wide as what has to be shown.
const WHOLE: f64 = 4.0;

/// The least extent of a map against the size of its numbers.
const LEAST: f64 = 1e-3;

/// A map of a problem.
#[derive(Clone, Debug, PartialEq)]
pub struct Landscape {
    /// The ends of x and of y.
    pub window: [[f64; 2]; 2],
    /// Points of the grid along each axis, equally spaced over the window with its ends.
    pub count: usize,
    /// `f + g` at the points of the grid, to be minimized; a row per y, NaN where it has no value.
    pub lower: Vec<f64>,
    /// The lower solutions that the upper level prefers, (x, y) by x; a piece ends where the solution jumps, or where none
    /// was found.
    pub solutions: Vec<Vec<[f64; 2]>>,
    /// The known point nearest to the end of the run.
    pub known: Option<[f64; 2]>,
}

/// Number of entries of the upper and of the lower variables, where there is no map because they are not one each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entries {
    /// Entries of the upper variables.
    pub upper: usize,
    /// Entries of the lower variables.
    pub lower: usize,
}

impl Entries {
    /// Of a problem with these sizes; what is not known yet counts as nothing.
    pub fn of(problem: &Problem, sizes: &Sizes) -> Entries {
        let entries = |level: LevelId| -> usize {
            let sizes = problem.level(level).variables.iter().map(|v| v.shape.sizes(sizes));
            sizes.map(|sizes| sizes.map_or(0, |s| s.iter().product())).sum()
        };
        Entries { upper: entries(LevelId::UPPER), lower: entries(LevelId::LOWER) }
    }

    /// One number x and one number y: what a map needs.
    pub fn are_two(self) -> bool {
        self == Entries { upper: 1, lower: 1 }
    }
}

/// Whether a problem with these sizes has a map: two numbers, and a lower level without rows.
pub fn has_landscape(problem: &Problem, sizes: &Sizes) -> bool {
    problem.lower().constraints.is_empty() && Entries::of(problem, sizes).are_two()
}

/// The map around the points (x, y) of a run. `seed` is that of the run.
///
/// # Errors
/// When the memory cannot be allocated.
pub fn landscape(
    problem: &Problem,
    data: &Bindings,
    points: &[[f64; 2]],
    seed: u64,
) -> Result<Result<Landscape, Entries>, Box<Diagnostic>> {
    let mut reduced = Reduced::new(problem, data, 1, seed)?;
    let entries = Entries { upper: reduced.len(), lower: reduced.lower.entries() };
    if !entries.are_two() {
        return Ok(Err(entries));
    }
    let end = points.last().map_or_else(|| vec![vec![0.0]; 2], |p| p.iter().map(|v| vec![*v]).collect());
    let known = nearest_known(problem, data, &end)?.map(|point| [point[0][0], point[1][0]]);
    let shown: Vec<[f64; 2]> =
        points.iter().copied().chain(known).filter(|p| p.iter().all(|v| v.is_finite())).collect();
    let xs = window(shown.iter().map(|p| p[0]), reduced.intervals()[0]);
    reduced.lower.budget = BUDGET;
    let solutions = pieces(&mut reduced, xs);
    let heights = shown.iter().chain(solutions.iter().flatten()).map(|p| p[1]);
    let ys = window(heights, reduced.lower.bounds()[0]);
    reduced.lower.budget = reduced.lower.spent + BUDGET;
    let affordable = (BUDGET / reduced.lower.cost()).sqrt() as usize;
    let count = affordable.clamp(GRID[0], GRID[1]);
    let mut lower = Vec::with_capacity(count * count);
    for row in 0..count {
        for column in 0..count {
            let [x, y] = [at(xs, column, count), at(ys, row, count)].map(|v| vec![vec![v]]);
            let value = reduced.lower.value_at(&x, &y).map_or(f64::NAN, |p| p.value);
            lower.push(value);
        }
    }
    Ok(Ok(Landscape { window: [xs, ys], count, lower, solutions, known }))
}

/// The point `i` of so many over an interval, whose ends are met exactly.
fn at([low, high]: [f64; 2], i: usize, count: usize) -> f64 {
    if i + 1 == count { high } else { low + (high - low) * (i as f64 / (count - 1) as f64) }
}

/// An interval around values, within a set; all of the set where that is not much wider.
fn window(values: impl Iterator<Item = f64>, [low, high]: [f64; 2]) -> [f64; 2] {
    let ends = values.fold([f64::INFINITY, f64::NEG_INFINITY], |[a, b], v| [a.min(v), b.max(v)]);
    let [a, b] = if ends[0] <= ends[1] { ends } else { [0.0, 0.0] };
    let size = a.abs().max(b.abs());
    let mut extent = b - a;
    if extent <= LEAST * size || extent == 0.0 {
        extent = size.max(1.0);
    }
    let is_whole = high - low <= WHOLE * extent && high > low;
    if is_whole {
        return [low.min(a), high.max(b)];
    }
    // iterates may lie outside of a set that holds their limit
    let end = |wide: f64, bound: f64, inner: f64, sign: f64| {
        if sign * (wide - bound) > 0.0 && sign * (bound - inner) >= 0.0 { bound } else { wide }
    };
    let wide = [a - MARGIN * extent, b + MARGIN * extent];
    let ends = [end(wide[0], low, a, -1.0), end(wide[1], high, b, 1.0)];
    // a set of one number is shown with what is beside it
    if ends[0] < ends[1] { ends } else { wide }
}

/// The curve of lower solutions over an interval, in pieces.
fn pieces(reduced: &mut Reduced, xs: [f64; 2]) -> Vec<Vec<[f64; 2]>> {
    let mut curve: Vec<Option<[f64; 2]>> = Vec::new();
    let mut last = Vec::new();
    for i in 0..SCAN {
        let point = solved(reduced, at(xs, i, SCAN), &last);
        last = point.into_iter().collect();
        curve.push(point);
    }
    let heights = || curve.iter().flatten().map(|p| p[1]);
    let height = heights().fold(f64::NEG_INFINITY, f64::max) - heights().fold(f64::INFINITY, f64::min);
    let mut pieces: Vec<Vec<[f64; 2]>> = vec![Vec::new()];
    for pair in curve.windows(2) {
        let [from, to] = [pair[0], pair[1]];
        let piece = pieces.last_mut().unwrap_or_else(|| unreachable!("there is one from the beginning"));
        if piece.is_empty() {
            piece.extend(from);
        }
        let (Some(from), Some(to)) = (from, to) else {
            pieces.push(Vec::new());
            continue;
        };
        let (before, after) = closer(reduced, from, to, JUMP * height);
        piece.extend(before);
        if !after.is_empty() {
            pieces.push(after);
        }
        let piece = pieces.last_mut().unwrap_or_else(|| unreachable!("there is one from the beginning"));
        piece.push(to);
    }
    pieces.retain(|piece| !piece.is_empty());
    pieces
}

/// Points between two neighbors whose solutions differ by more than `jump`: those before the place where it jumps and
/// those after it. Without a jump all are before it.
fn closer(reduced: &mut Reduced, from: [f64; 2], to: [f64; 2], jump: f64) -> (Vec<[f64; 2]>, Vec<[f64; 2]>) {
    let (mut before, mut after, mut ends) = (Vec::new(), Vec::new(), [from, to]);
    for _ in 0..HALVINGS {
        if (ends[1][1] - ends[0][1]).abs() <= jump {
            // the steep part has been walked through
            after.reverse();
            before.extend(after);
            return (before, Vec::new());
        }
        let Some(middle) = solved(reduced, f64::midpoint(ends[0][0], ends[1][0]), &ends) else { break };
        // the side with the larger step is looked at further
        if (middle[1] - ends[0][1]).abs() > (ends[1][1] - middle[1]).abs() {
            after.push(middle);
            ends[1] = middle;
        } else {
            before.push(middle);
            ends[0] = middle;
        }
    }
    if after.is_empty() {
        after.push(ends[1]);
    }
    after.reverse();
    (before, after)
}

/// The lower solution at x that the upper level prefers.
fn solved(reduced: &mut Reduced, x: f64, near: &[[f64; 2]]) -> Option<[f64; 2]> {
    let near: Vec<Vec<Vec<f64>>> = near.iter().map(|p| vec![vec![p[1]]]).collect();
    let warm: Vec<&[Vec<f64>]> = near.iter().map(Vec::as_slice).collect();
    let point = reduced.at(&[x], &warm, Effort { starts: STARTS, stream: reduced.evaluations })?;
    point.solved.then(|| [x, point.y[0][0]])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{data, problem};

    fn of(text: &str, points: &[[f64; 2]]) -> Landscape {
        let problem = problem(text);
        landscape(&problem, &data(&problem), points, 0).unwrap().expect("one x and one y")
    }

    #[test]
    fn a_smooth_curve_is_one_piece() {
        let text = "upper { var x in [0, 2]  minimize (x - 1)^2 + y^2 }  lower { var y  minimize (y - x^2)^2 }
                    known { x = 0.5;  y = 0.25 }";
        let map = of(text, &[[2.0, 0.0], [0.5, 0.25]]);
        assert_eq!(map.window[0], [0.0, 2.0]);
        assert_eq!(map.known, Some([0.5, 0.25]));
        let [piece] = &map.solutions[..] else { panic!("{:?}", map.solutions) };
        assert!(piece.iter().all(|[x, y]| (x * x - y).abs() < 1e-5) && piece.is_sorted_by(|a, b| a[0] <= b[0]));
        assert_eq!((map.lower.len(), map.count), (121 * 121, 121));
        // a row per y: the last point of the first row is the lower right corner
        let [[_, x], [y, _]] = map.window;
        assert!((map.lower[120] - (y - x * x).powi(2)).abs() < 1e-12);
        // what has to be seen is seen: the start, and the curve up to (2, 4)
        assert!(map.window[1][0] < 0.0 && map.window[1][1] > 4.0 - 1e-6, "{:?}", map.window);
    }

    #[test]
    fn a_jump_parts_the_curve_where_it_is() {
        // y = 1 for x < 1/4, y = 0 for x > 1/4
        let text = "upper { var x in [0, 1]  minimize 2*x - y*(4*x - 3) + 1 }
                    lower { var y in [0, 1]  minimize -2*x + y*(4*x - 1) - 2 }";
        let map = of(text, &[[0.0, 0.0]]);
        let ends: Vec<[f64; 2]> = map.solutions.iter().flat_map(|p| [p[0], p[p.len() - 1]]).collect();
        assert_eq!(map.window, [[0.0, 1.0]; 2]);
        assert!(map.solutions.len() >= 2 && (ends[1][0] - 0.25).abs() < 1e-3, "{ends:?}");
        assert!(ends[0][1] == 1.0 && ends[ends.len() - 1][1] == 0.0, "{ends:?}");
    }

    #[test]
    fn a_steep_curve_is_not_a_jump() {
        let text = "upper { var x in [-1, 1]  minimize x + y }
                    lower { var y  minimize (y - tanh(200*x))^2 }";
        let map = of(text, &[[0.0, 0.0]]);
        assert_eq!(map.solutions.len(), 1, "{:?}", map.solutions);
    }

    #[test]
    fn other_problems_have_no_map() {
        let problem = problem("upper { var x[2]  minimize normsq(x) }  lower { var y[3]  minimize normsq(y) }");
        assert_eq!(landscape(&problem, &data(&problem), &[], 0).unwrap(), Err(Entries { upper: 2, lower: 3 }));
    }

    #[test]
    fn windows_hold_what_has_to_be_seen() {
        let free = [f64::NEG_INFINITY, f64::INFINITY];
        assert_eq!(window([0.0, 4.0].into_iter(), free), [-1.0, 5.0]);
        assert_eq!(window([1.0].into_iter(), free), [0.75, 1.25]);
        assert_eq!(window([].into_iter(), free), [-0.25, 0.25]);
        assert_eq!(window([0.0, 4.0].into_iter(), [-0.5, 100.0]), [-0.5, 5.0]);
        assert_eq!(window([0.0, 4.0].into_iter(), [-1.0, 6.0]), [-1.0, 6.0]);
        assert_eq!(window([4.0].into_iter(), [4.0, 4.0]), [3.0, 5.0]);
        // a point outside of its set stays in the picture
        assert_eq!(window([-2.0, 4.0].into_iter(), [0.0, 100.0]), [-3.5, 5.5]);
    }
}
