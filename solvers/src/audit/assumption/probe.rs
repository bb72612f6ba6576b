//! Numbers that refute assumptions: Hessian-vector products, values and projections at a point of the sets.

use blo_engine::data::symmetric;
use blo_engine::graph::Function;
use blo_engine::model::Bindings;
use blo_engine::model::problem::{Level, LevelId, Problem};
use blo_grammar::diagnostic::Diagnostic;

use super::eigen::eigen;
use super::witness::Witness;
use crate::formula::bound_program::BoundProgram;
use crate::formula::problem_graph::{Part, ProblemGraph};
use crate::formula::report;
use crate::formula::start_point::start_point;
use crate::lower::solve::{LowerSolver, LowerStart};
use crate::lower::vectors::{dot, norm, orthogonal};
use crate::tolerances::POLISHED;

/// Points that are tried: the start, and random ones near it.
pub(super) const POINTS: usize = 5;

/// Directions of the matrix whose eigenvectors are computed; coordinates where there are no more entries.
const DIRECTIONS: usize = 64;

/// Most floating-point operations in all Hessian-vector products: with more data we try fewer directions and points, so
/// that a judgment costs little beside a run.
const BUDGET: f64 = 4e9;

/// Of a run with a limit on time, the judgment may take these in each of its seconds: a tenth of what a core does.
const FLOPS_PER_SECOND: f64 = 1e8;

/// Operations per entry of y that a step of the lower solver takes beside the map that it evaluates.
const PER_ENTRY: f64 = 60.0;

/// Solving the lower level may take ten times the budget; we do not try where that allows fewer evaluations than this.
const LEAST_SOLVE: u64 = 100;

/// A curvature below this share of the largest is zero up to rounding.
pub(super) const FLAT: f64 = 1e-10;

/// Two values closer than this share are equal.
const EQUAL: f64 = 1e-11;

/// A point solves the lower level where the residual is below this share of the point's size.
const STATIONARY: f64 = 1e-7;

/// The least curvature among the directions that were tried.
pub(super) struct Flattest {
    pub(super) least: f64,
    pub(super) largest: f64,
    pub(super) direction: Vec<f64>,
}

/// Compiled functions at a point.
pub(super) struct Probe<'a> {
    problem: &'a Problem,
    data: &'a Bindings,
    threads: u64,
    seed: u64,
    /// `f_yy v` and `f_y`.
    product: BoundProgram<f64>,
    /// The projections of x and y, `f + g`, and the squared residual of the lower level.
    place: BoundProgram<f64>,
    vector: Vec<usize>,
    /// Hessian-vector products that may be spent, and those of one point.
    pub(super) products: usize,
    pub(super) directions: usize,
    /// Evaluations that solving the lower level may take.
    evaluations: u64,
    start: Vec<f64>,
    /// Entries of the variables, upper then lower.
    lengths: Vec<usize>,
    x: Vec<f64>,
    y: Vec<f64>,
}

impl<'a> Probe<'a> {
    pub(super) fn new(
        problem: &'a Problem,
        data: &'a Bindings,
        threads: u64,
        seed: u64,
        seconds: f64,
    ) -> Result<Probe<'a>, Box<Diagnostic>> {
        let mut p = ProblemGraph::new(problem);
        let (x, y) = (p.x(), p.y());
        let v = p.point("v", LevelId::LOWER);
        let mut outputs = Vec::new();
        let image = p.hessian_times(Part::Smooth, &x, &y, &v);
        let gradient = p.gradient(Part::Smooth, LevelId::LOWER, &x, &y);
        for part in [image, gradient] {
            outputs.extend(part.iter().zip(&y.nodes).map(|(n, like)| p.or_zero(*n, *like)).collect::<Vec<_>>());
        }
        let vector = v.nodes.iter().map(|n| p.position(*n)).collect();
        let product = BoundProgram::new(&p.function("second derivatives", &outputs), problem, data, threads)?;
        let place = BoundProgram::new(&place(problem), problem, data, threads)?;
        let start: Vec<Vec<f64>> = start_point(problem, data, threads)?;
        let lengths: Vec<usize> = start.iter().map(Vec::len).collect();
        let (x, y) = (Vec::new(), Vec::new());
        let start = start.concat();
        let budget = BUDGET.min(FLOPS_PER_SECOND * seconds);
        let (n, flops) =
            (lengths[problem.upper().variables.len()..].iter().sum::<usize>() as f64, product.flops() as f64);
        // a direction is made orthogonal to those before it, twice
        let each = |directions: usize| flops + 4.0 * n * directions as f64;
        let fits = |d: &usize| 2.0 * *d as f64 * each(*d) <= budget;
        let directions = (1..=DIRECTIONS).rev().find(fits).unwrap_or(0);
        let products = (budget / each(directions)).min((POINTS * DIRECTIONS) as f64) as usize;
        let evaluations = (10.0 * budget / (flops + PER_ENTRY * n)) as u64;
        Ok(Probe {
            problem,
            data,
            threads,
            seed,
            product,
            place,
            vector,
            products,
            directions,
            evaluations,
            start,
            lengths,
            x,
            y,
        })
    }

    /// True where the work is to stop: what was found last means nothing.
    pub(super) fn is_stopped(&self) -> bool {
        self.data.stop.is_set()
    }

    fn upper(&self) -> usize {
        self.lengths[..self.problem.upper().variables.len()].iter().sum()
    }

    /// Moves to a point of the sets: the start, or a random one around it.
    pub(super) fn go_to(&mut self, point: usize) {
        let mut random = symmetric(self.seed, point as u64, "assumptions");
        let far = self.start.iter().fold(1.0, |m: f64, v| m.max(v.abs()));
        let move_by = |v: &f64| if point == 0 { *v } else { v + far * random() };
        let all: Vec<f64> = self.start.iter().map(move_by).collect();
        let (x, y) = all.split_at(self.upper());
        (self.x, self.y) = self.inside(x, y);
    }

    /// Puts x and y into a machine whose first inputs are the variables.
    fn put(machine: &mut BoundProgram<f64>, lengths: &[usize], x: &[f64], y: &[f64]) {
        let mut values = x.iter().chain(y);
        for (input, length) in lengths.iter().enumerate() {
            let slots = machine.input_mut(input).iter_mut().take(*length);
            slots.zip(&mut values).for_each(|(slot, v)| *slot = *v);
        }
    }

    fn run_place(&mut self, x: &[f64], y: &[f64]) {
        Probe::put(&mut self.place, &self.lengths, x, y);
        self.place.run();
    }

    /// The nearest points of the sets.
    fn inside(&mut self, x: &[f64], y: &[f64]) -> (Vec<f64>, Vec<f64>) {
        self.run_place(x, y);
        let outputs = |range: std::ops::Range<usize>| range.flat_map(|i| self.place.output(i).to_vec()).collect();
        let upper = self.problem.upper().variables.len();
        (outputs(0..upper), outputs(upper..self.lengths.len()))
    }

    /// `f + g` and the lower residual at a lower point.
    fn lower_value(&mut self, y: &[f64]) -> (f64, f64) {
        let x = self.x.clone();
        self.run_place(&x, y);
        let first = self.lengths.len();
        (self.place.scalar(first), self.place.scalar(first + 1).sqrt())
    }

    fn times(&mut self, y: &[f64], v: &[f64]) -> (Vec<f64>, Vec<f64>) {
        Probe::put(&mut self.product, &self.lengths, &self.x, y);
        let mut values = v.iter();
        for input in &self.vector {
            self.product.input_mut(*input).iter_mut().zip(&mut values).for_each(|(slot, v)| *slot = *v);
        }
        self.product.run();
        let count = self.vector.len();
        let [image, gradient] =
            [0..count, count..2 * count].map(|r| r.flat_map(|i| self.product.output(i).to_vec()).collect());
        (image, gradient)
    }

    /// The part of a direction that stays in the set: how its projection moves, from both sides.
    fn tangent(&mut self, v: &[f64]) -> Vec<f64> {
        let (x, y) = (self.x.clone(), self.y.clone());
        let step = 1e-3 * norm(&y).max(1.0) / norm(v).max(f64::MIN_POSITIVE);
        let mut side = |sign: f64| {
            let moved: Vec<f64> = y.iter().zip(v).map(|(y, v)| y + sign * step * v).collect();
            self.inside(&x, &moved).1
        };
        let (ahead, behind) = (side(1.0), side(-1.0));
        ahead.iter().zip(&behind).map(|(a, b)| (a - b) / (2.0 * step)).collect()
    }

    /// The direction of least curvature at the point, among coordinates or, where there are many, in a Krylov space.
    pub(super) fn flattest(&mut self) -> Option<Flattest> {
        let n = self.y.len();
        let y = self.y.clone();
        let mut random = symmetric(self.seed, 0, "directions");
        let (mut basis, mut images): (Vec<Vec<f64>>, Vec<Vec<f64>>) = (Vec::new(), Vec::new());
        for k in 0..n.min(self.directions) {
            let mut candidate = match images.last() {
                _ if n <= self.directions => (0..n).map(|i| f64::from(u8::from(i == k))).collect(),
                Some(image) => orthogonal(image, &basis).unwrap_or_default(),
                None => Vec::new(),
            };
            if candidate.is_empty() {
                candidate = (0..n).map(|_| random()).collect();
            }
            if self.is_stopped() {
                return None;
            }
            let Some(direction) = orthogonal(&self.tangent(&candidate), &basis) else { continue };
            let (image, _) = self.times(&y, &direction);
            if !image.iter().all(|v| v.is_finite()) {
                return None;
            }
            basis.push(direction);
            images.push(image);
        }
        let matrix: Vec<Vec<f64>> = basis.iter().map(|q| images.iter().map(|w| dot(q, w)).collect()).collect();
        let pairs = eigen(matrix);
        let largest = pairs.iter().fold(0.0, |m: f64, (value, _)| m.max(value.abs()));
        let (least, weights) = pairs.into_iter().min_by(|a, b| a.0.total_cmp(&b.0))?;
        let mut direction = vec![0.0; n];
        for (q, weight) in basis.iter().zip(&weights) {
            direction.iter_mut().zip(q).for_each(|(d, q)| *d += weight * q);
        }
        Some(Flattest { least, largest, direction })
    }

    /// A jump of the derivative on a segment between points of the set.
    pub(super) fn kink(&mut self, point: usize) -> Option<Witness> {
        const PIECES: usize = 32;
        const HALVINGS: usize = 40;
        const JUMP: f64 = 1e-6;
        let mut random = symmetric(self.seed, point as u64, "segments");
        let far = self.y.iter().fold(1.0, |m: f64, v| m.max(v.abs()));
        let x = self.x.clone();
        let ends = [1.0, -1.0].map(|sign| self.y.iter().map(|v| v + sign * far * random()).collect::<Vec<_>>());
        let [a, b] = ends.map(|end| self.inside(&x, &end).1);
        let d: Vec<f64> = a.iter().zip(&b).map(|(a, b)| b - a).collect();
        let at = |t: f64| -> Vec<f64> { a.iter().zip(&d).map(|(a, d)| a + t * d).collect() };
        let stop = &self.data.stop;
        let mut slope = |t: f64| if stop.is_set() { 0.0 } else { dot(&self.times(&at(t), &d).1, &d) };
        let slopes: Vec<f64> = (0..=PIECES).map(|i| slope(i as f64 / PIECES as f64)).collect();
        let scale = slopes.iter().fold(0.0, |m: f64, s| m.max(s.abs()));
        let piece = (0..PIECES).max_by(|i, j| {
            let jump = |k: usize| (slopes[k + 1] - slopes[k]).abs();
            jump(*i).total_cmp(&jump(*j))
        })?;
        let (mut low, mut high) = (piece as f64 / PIECES as f64, (piece + 1) as f64 / PIECES as f64);
        let (mut before, mut after) = (slopes[piece], slopes[piece + 1]);
        for _ in 0..HALVINGS {
            if stop.is_set() {
                return None;
            }
            let middle = f64::midpoint(low, high);
            let value = slope(middle);
            if (value - before).abs() > (after - value).abs() {
                (high, after) = (middle, value);
            } else {
                (low, before) = (middle, value);
            }
        }
        if (after - before).abs() <= JUMP * scale || !scale.is_finite() {
            return None;
        }
        let length = norm(&d);
        let direction: Vec<f64> = d.iter().map(|v| v / length).collect();
        self.y = at(f64::midpoint(low, high));
        Some(self.witness(&direction))
    }

    /// A solution of a convex lower level with another beside it.
    pub(super) fn second_solution(&mut self) -> Result<Option<Witness>, Box<Diagnostic>> {
        let limit = self.evaluations;
        if limit < LEAST_SOLVE {
            return Ok(None);
        }
        let mut point = Vec::new();
        let all = [self.x.as_slice(), self.y.as_slice()].concat();
        let mut values = all.iter().copied();
        for length in &self.lengths {
            point.push(values.by_ref().take(*length).collect::<Vec<f64>>());
        }
        let (_, reference) = self.lower_value(&self.y.clone());
        let start = LowerStart {
            point: &point,
            reference: Some(reference.max(1.0)),
            tolerance: POLISHED,
            limit: limit.min(10 * (POINTS * DIRECTIONS) as u64),
        };
        let mut solver = LowerSolver::new(self.problem, self.data, self.threads)?;
        self.y = solver.solve(&start, &mut || false).values.concat();
        let Some(flat) = self.flattest().filter(|f| f.least <= FLAT * f.largest) else { return Ok(None) };
        let size = norm(&self.y).max(1.0);
        let (value, residual) = self.lower_value(&self.y.clone());
        for step in [1.0, -1.0, 0.1, -0.1] {
            let moved: Vec<f64> = self.y.iter().zip(&flat.direction).map(|(y, d)| y + step * size * d).collect();
            let other = self.inside(&self.x.clone(), &moved).1;
            let moved_by: Vec<f64> = other.iter().zip(&self.y).map(|(a, b)| a - b).collect();
            let (there, its_residual) = self.lower_value(&other);
            let equal = (there - value).abs() <= EQUAL * value.abs().max(1.0);
            let apart = norm(&moved_by) > 0.01 * size;
            if equal && apart && residual.max(its_residual) <= STATIONARY * size {
                let length = norm(&moved_by);
                return Ok(Some(self.witness(&moved_by.iter().map(|v| v / length).collect::<Vec<_>>())));
            }
        }
        Ok(None)
    }

    pub(super) fn witness(&self, direction: &[f64]) -> Witness {
        let named = |level: &Level, values: &[f64], first: usize| {
            let mut values = values.iter().copied();
            let lengths = self.lengths[first..].iter();
            let pairs = level.variables.iter().zip(lengths);
            pairs.map(|(v, n)| (v.name.clone(), values.by_ref().take(*n).collect())).collect::<Vec<_>>()
        };
        let (upper, lower) = (self.problem.upper(), self.problem.lower());
        let first = upper.variables.len();
        let mut point = named(upper, &self.x, 0);
        point.extend(named(lower, &self.y, first));
        // the sign of a direction says nothing, and tiny entries are rounding
        let largest = direction.iter().fold(0.0, |m: f64, v| if v.abs() > m.abs() { *v } else { m });
        let clean = |v: &f64| if v.abs() < 1e-9 * largest.abs() { 0.0 } else { v * largest.signum() };
        let direction: Vec<f64> = direction.iter().map(clean).collect();
        Witness { point, direction: named(lower, &direction, first) }
    }
}

/// Projections of every variable, `f + g`, and the squared residual `|y - prox_g(y - f_y)|^2`.
fn place(problem: &Problem) -> Function {
    let mut p = ProblemGraph::new(problem);
    let (x, y) = (p.x(), p.y());
    let mut outputs = p.project_upper(&x.nodes, "in X").nodes;
    outputs.extend(p.project_lower(&y.nodes, "in Y").nodes);
    let (f, g) = (p.value(Part::Smooth, &x, &y), p.value(Part::Proximal, &x, &y));
    outputs.push(p.graph.add(f, g));
    let residual = report::lower_residual(&mut p, &x, &y);
    outputs.push(p.graph.mul(residual, residual));
    p.function("place", &outputs)
}
