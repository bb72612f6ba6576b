//! Lower levels with kinks that no prox knows, by a projected Newton method with a continuation: f with its kinks rounded
//! off by a radius is minimized to high accuracy, and the radius shrinks to almost nothing.
//!
//! Each radius takes a few steps of Newton's method with the exact Hessian, bounds being held as Bertsekas has it (SIAM J.
//! Control Optim. 20, 1982: the two-metric projection, its active set and its search along the projected arc). Solutions
//! of small radii lie on a curve that is smooth in the radius (the operand of an active kink is a multiple of it), so that
//! the next one starts from the line through the last two. All points are compared by the true f, and the best is returned.
//!
//! First-order steps fail here: the curvature of a rounded kink is the inverse of the radius.

mod program;
pub(super) mod refine;
mod system;

use blo_engine::model::Bindings;
use blo_engine::model::problem::{Problem, Variable};
use blo_engine::stop::StopToken;
use blo_grammar::diagnostic::Diagnostic;

use self::program::{Point, RoundedObjective};
use crate::formula::set_bounds::set_bounds;
use crate::lower::vectors::largest;

/// Most entries of the lower variables. A step takes a product per entry and a continuation about forty steps: beyond this
/// they cost more than the first-order solves of [`super::variant::rounded`].
const MOST_ENTRIES: usize = 40;

/// Factor of the radius from one solve to the next.
const SHRINK: f64 = 0.1;

/// Solves of a continuation: the last radius is 1e-12 of the first.
const RADII: usize = 13;

/// Solves before a small difference of the rounded and the true f counts: at large radii terms of both signs may cancel.
const LEAST_RADII: usize = 5;

/// The rounding of f at which a continuation ends, as a share of what f has fallen by.
const ROUNDED: f64 = 1e-11;

/// What is left to gain where a solution counts as one, as a share of what f has fallen by.
const SETTLED: f64 = 1e-8;

/// The change of f that is rounding, as a share of f.
const NOISE: f64 = 1e-14;

/// Runs of programs in a solve, at most: the first-order solves take as many.
const MOST_RUNS: u64 = 3000;

/// Newton steps for one radius, at most.
const STEPS: usize = 50;

/// Halvings of a step, at most.
const HALVINGS: usize = 40;

/// Damping that rounding does not explain: the Hessian has a negative eigenvalue.
const CONCAVE: f64 = 1e-6;

/// Share of the slope's promise that a step has to keep (Armijo).
const ARMIJO: f64 = 1e-4;

/// How near to a bound an entry is held by it, as a share of its interval or of y.
const HELD: f64 = 1e-12;

/// Where a continuation starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Radius {
    /// The kinks' distances from their operands, so that no kink is seen at first.
    Wide,
    /// A small part of that, which leaves a point among many solutions where it is.
    Narrow,
}

/// The part of the first radius that a narrow start has.
const NARROW: f64 = 1e-7;

/// The end of a solve.
#[derive(Clone, Debug)]
pub(super) struct NewtonEnd {
    /// An array per lower variable.
    pub(super) y: Vec<Vec<f64>>,
    /// It is a local minimizer up to rounding.
    pub(super) settled: bool,
}

/// A direction of descent.
struct Direction {
    d: Vec<f64>,
    /// Half of its slope, which is what f falls by along it where it is quadratic.
    promise: f64,
    /// A direction of negative curvature, where there is one.
    aside: Option<Vec<f64>>,
}

/// The solver of a lower level with kinks.
pub(super) struct Newton {
    objective: RoundedObjective,
    bounds: Vec<[f64; 2]>,
    stop: StopToken,
    /// The longest step that is tried.
    reach: f64,
    /// What the first radius adds to f at the start.
    unit: f64,
    /// The point of the least f so far.
    best: Option<(f64, Vec<f64>)>,
    /// Where spending ends, in flops and in runs.
    budget: f64,
    most: u64,
}

impl Newton {
    /// `None` where this method does not apply: f has no kink that can be rounded, a set is not a box, there is a
    /// proximal part, or there are too many entries.
    ///
    /// # Errors
    /// When the memory cannot be allocated.
    pub(super) fn new(problem: &Problem, data: &Bindings, threads: u64) -> Result<Option<Newton>, Box<Diagnostic>> {
        if !has_only_boxes(problem) {
            return Ok(None);
        }
        let objective = RoundedObjective::new(problem, data, threads)?;
        objective.map_or(Ok(None), |objective| Newton::of(objective, problem, data))
    }

    /// For an f without kinks; `None` where a set is not a box, there is a proximal part, or there are too many entries.
    ///
    /// # Errors
    /// When the memory cannot be allocated.
    pub(super) fn of_smooth(
        problem: &Problem,
        data: &Bindings,
        threads: u64,
    ) -> Result<Option<Newton>, Box<Diagnostic>> {
        // programs of a large level are not worth their memory
        let size = |v: &Variable| v.shape.sizes(&data.sizes).map_or(usize::MAX, |s| s.iter().product());
        let entries = problem.lower().variables.iter().map(size).fold(0, usize::saturating_add);
        if !has_only_boxes(problem) || entries > MOST_ENTRIES {
            return Ok(None);
        }
        Newton::of(RoundedObjective::of_smooth(problem, data, threads)?, problem, data)
    }

    fn of(objective: RoundedObjective, problem: &Problem, data: &Bindings) -> Result<Option<Newton>, Box<Diagnostic>> {
        let lower = problem.lower();
        let mut bounds = Vec::new();
        for (variable, length) in lower.variables.iter().zip(objective.lengths()) {
            bounds.extend(set_bounds(variable, *length, problem, data)?);
        }
        if bounds.len() > MOST_ENTRIES {
            return Ok(None);
        }
        let stop = data.stop.clone();
        Ok(Some(Newton { objective, bounds, stop, reach: 0.0, unit: 0.0, best: None, budget: f64::INFINITY, most: 0 }))
    }

    /// The cost of all solves so far, in flops.
    pub(super) fn spent(&self) -> f64 {
        self.objective.spent
    }

    /// A local solution at x from the start y, within so many flops; `None` where f has no value at the start.
    pub(super) fn solve(&mut self, x: &[Vec<f64>], y: &[Vec<f64>], start: Radius, allowance: f64) -> Option<NewtonEnd> {
        self.budget = self.objective.spent + allowance;
        self.most = self.objective.runs + MOST_RUNS;
        self.best = None;
        self.objective.set_x(x);
        let y: Vec<f64> = y.iter().flatten().copied().collect();
        let mut here = self.begin(self.projected(y), start)?;
        // also where y starts at a solution, f has a unit: what a wide radius adds to it
        let first = here.exact + self.unit;
        let mut previous: Option<Vec<f64>> = None;
        let mut settled = false;
        for radius in 0..RADII {
            let (end, left) = self.minimize(here);
            let (least, _) = self.best.as_ref()?;
            let fallen = first - least;
            let rest = left + end.gap();
            settled = rest <= SETTLED * fallen || rest <= NOISE * end.exact.abs() || rest <= f64::MIN_POSITIVE;
            let enough = end.gap() <= ROUNDED * fallen || end.gap() <= NOISE * end.exact.abs();
            // a first radius that has turned out small beside the kinks' distances saw some of them too early
            let grows = radius == 0 && start == Radius::Wide && end.distance > 10.0 * self.objective.radius_now;
            let next = if grows { end.distance } else { SHRINK * self.objective.radius_now };
            let followed = previous.map(|p| on_line(&p, &end.y, SHRINK)).filter(|_| !grows);
            if (enough && radius >= LEAST_RADII) || radius + 1 == RADII || self.is_over() {
                self.extrapolate(followed, &end.y);
                break;
            }
            self.objective.set_radius(next);
            let starts = [Some(end.y.clone()), followed].into_iter().flatten();
            let starts: Vec<Point> = starts.filter_map(|y| self.at(self.projected(y))).collect();
            here = starts.into_iter().min_by(|a, b| a.smooth.total_cmp(&b.smooth))?;
            previous = (!grows).then_some(end.y);
        }
        let (_, y) = self.best.take()?;
        Some(NewtonEnd { y: self.objective.split(&y), settled })
    }

    /// The start, with the first radius: the largest distance of a kink's operand, or the size of y and of its intervals
    /// where all operands are at their kinks.
    fn begin(&mut self, y: Vec<f64>, start: Radius) -> Option<Point> {
        let interval = |[low, high]: &[f64; 2]| if (high - low).is_finite() { high - low } else { 0.0 };
        let width = self.bounds.iter().map(interval).fold(0.0, f64::max);
        let size = largest(&y);
        self.objective.set_radius(1.0);
        let distance = self.objective.at(y.clone())?.distance;
        let candidates = [distance, size, width, 1.0];
        let wide = candidates.into_iter().find(|r| r.is_finite() && *r > 0.0).unwrap_or(1.0);
        self.reach = 10.0 * wide.max(size);
        self.objective.set_radius(wide);
        self.unit = self.objective.at(y.clone())?.gap();
        self.objective.set_radius(if start == Radius::Wide { wide } else { NARROW * wide });
        self.at(y)
    }

    /// Where the curve of solutions ends, by the line through the last two: `followed` is on it, one radius further.
    fn extrapolate(&mut self, followed: Option<Vec<f64>>, end: &[f64]) {
        if let Some(next) = followed {
            let limit = on_line(end, &next, 1.0 / (1.0 / SHRINK - 1.0));
            let limit = self.projected(limit);
            self.at(limit);
        }
    }

    /// The minimizer for the present radius, and what may be left to gain there.
    fn minimize(&mut self, mut here: Point) -> (Point, f64) {
        let mut left = f64::INFINITY;
        for _ in 0..STEPS {
            if self.is_over() {
                break;
            }
            let Some(Direction { d, promise, aside }) = self.direction(&here) else { break };
            left = if aside.is_some() { f64::INFINITY } else { promise };
            let enough = (1e-6 * here.gap()).max(NOISE * here.exact.abs());
            if let Some(aside) = aside.filter(|_| promise <= enough) {
                let Some(next) = self.off_saddle(&here, &aside) else { break };
                here = next;
                continue;
            }
            // the last step is worth an evaluation, and not more
            let halvings = if promise <= enough { 1 } else { HALVINGS };
            let Some(next) = self.search(&here, &d, halvings) else { break };
            here = next;
            if promise <= enough {
                break;
            }
        }
        (here, left)
    }

    /// A lower point near one where f has no slope and a direction `aside` of negative curvature.
    fn off_saddle(&mut self, here: &Point, aside: &[f64]) -> Option<Point> {
        let radius = self.objective.radius_now;
        let moved = |t: f64| here.y.iter().zip(aside).map(|(y, d)| y + t * d).collect();
        let points = [moved(radius), moved(-radius)].map(|y| self.at(self.projected(y)));
        points.into_iter().flatten().filter(|p| p.smooth < here.smooth).min_by(|a, b| a.smooth.total_cmp(&b.smooth))
    }

    /// The Newton step of the entries that no bound holds, the others going to their bounds. `None` where f has no Hessian.
    fn direction(&mut self, here: &Point) -> Option<Direction> {
        let m = here.y.len();
        let size = largest(&here.y);
        let mut d = vec![0.0; m];
        let mut free = Vec::new();
        for (i, (y, [low, high])) in here.y.iter().zip(&self.bounds).enumerate() {
            let near = HELD * (high - low).min(size);
            match here.gradient[i] {
                g if g > 0.0 && *y <= low + near => d[i] = low - y,
                g if g < 0.0 && *y >= high - near => d[i] = high - y,
                _ => free.push(i),
            }
        }
        if free.is_empty() {
            return Some(Direction { d, promise: 0.0, aside: None });
        }
        let hessian = self.objective.hessian(&here.y)?;
        self.objective.spent += (free.len() as f64).powi(3) / 3.0;
        let row = |i: usize| free.iter().map(move |j| i * m + j);
        let part: Vec<f64> = free.iter().flat_map(|i| row(*i)).map(|at| hessian[at]).collect();
        let gradient: Vec<f64> = free.iter().map(|i| here.gradient[*i]).collect();
        let (step, damping) = system::step(&part, &gradient, self.reach)?;
        let factor = (self.reach / largest(&step)).min(1.0);
        for (i, s) in free.iter().zip(&step) {
            d[*i] = factor * s;
        }
        let slope: f64 = step.iter().zip(&gradient).map(|(s, g)| -factor * s * g).sum();
        let concave = (damping > CONCAVE).then(|| system::concave(&part, free.len())).flatten();
        let aside = concave.map(|v| {
            let mut all = vec![0.0; m];
            free.iter().zip(v).for_each(|(i, v)| all[*i] = v);
            all
        });
        Some(Direction { d, promise: 0.5 * slope, aside })
    }

    /// A point on the projected arc along d at which f has fallen as its slope promises; `None` where there is none but for
    /// rounding.
    fn search(&mut self, here: &Point, d: &[f64], halvings: usize) -> Option<Point> {
        let mut t = 1.0;
        for _ in 0..halvings {
            if self.is_over() {
                return None;
            }
            let y = self.projected(here.y.iter().zip(d).map(|(y, d)| y + t * d).collect());
            if y == here.y {
                return None;
            }
            let slope: f64 = here.gradient.iter().zip(y.iter().zip(&here.y)).map(|(g, (a, b))| g * (a - b)).sum();
            let kept = |next: &Point| slope < 0.0 && next.smooth <= here.smooth + ARMIJO * slope;
            if let Some(next) = self.at(y).filter(kept) {
                if t == 1.0 && largest(d) >= 0.99 * self.reach {
                    self.reach *= 4.0;
                }
                return Some(next);
            }
            t *= 0.5;
        }
        None
    }

    /// f at a point, which may be the best one.
    fn at(&mut self, y: Vec<f64>) -> Option<Point> {
        let point = self.objective.at(y)?;
        if self.best.as_ref().is_none_or(|(least, _)| point.exact < *least) {
            self.best = Some((point.exact, point.y.clone()));
        }
        Some(point)
    }

    fn projected(&self, mut y: Vec<f64>) -> Vec<f64> {
        y.iter_mut().zip(&self.bounds).for_each(|(v, [low, high])| *v = v.max(*low).min(*high));
        y
    }

    fn is_over(&self) -> bool {
        self.objective.spent >= self.budget || self.objective.runs >= self.most || self.stop.is_set()
    }
}

/// True where entries of y are held by intervals, and by nothing else.
fn has_only_boxes(problem: &Problem) -> bool {
    let lower = problem.lower();
    let boxes = lower.variables.iter().all(|v| v.set.as_ref().is_none_or(|s| s.set.is_box));
    boxes && lower.regularizer.is_none() && lower.constraints.is_empty()
}

/// `b + t (b - a)`.
fn on_line(a: &[f64], b: &[f64], t: f64) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| b + t * (b - a)).collect()
}

#[cfg(test)]
mod tests;
