//! Whether the lower level is what a method assumes. The calculus of the engine proves; here numbers refute, each time
//! with a witness: a point of the sets and a direction in which the assumption fails. Hessian-vector products at several
//! points give a small matrix whose least eigenvector is the direction; it stays within the set, since it is built from
//! directions in which the projection moves. What is neither proved nor refuted is unknown.

use blo_engine::calculus::Verdict;
use blo_engine::calculus::{Assumption, Proof};
use blo_engine::data::symmetric;
use blo_engine::graph::Function;
use blo_engine::model::Bindings;
use blo_engine::model::problem::LevelId;
use blo_engine::model::problem::{Level, Problem};
use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::span::Span;

use crate::formula::bound_program::BoundProgram;
use crate::formula::problem_graph::{Block, Direction, Part, ProblemGraph};
use crate::formula::step_size::StepSize;
use crate::lower::eigen::eigen;
use crate::lower::solve::{LowerSolver, LowerStart};
use crate::lower::vectors::{dot, norm, orthogonal};
use crate::message;
use crate::method::METHODS;
use crate::options::entry::MethodEntry;
use crate::tolerances::POLISHED;

/// Points that are looked at: the start, and random ones near it.
const POINTS: usize = 5;

/// Directions of the matrix whose eigenvectors are looked at. Up to so many entries all of them.
const DIRECTIONS: usize = 64;

/// Flops that Hessian-vector products may take in all: with more data, fewer directions and points are looked at, so that
/// a judgement costs little beside a run. Where there are not even so many products nothing is.
const BUDGET: f64 = 4e9;
const LEAST: usize = 4;

/// Solving the lower level may take ten times that, and is not tried in fewer evaluations than this.
const LEAST_SOLVE: u64 = 100;

/// A curvature below this share of the largest is none.
const FLAT: f64 = 1e-10;

/// A negative curvature of this share of the largest is no rounding error.
const NEGATIVE: f64 = 1e-8;

/// Two values closer than this share are equal.
const EQUAL: f64 = 1e-11;

/// A residual below this is one of a solution.
const SOLVED: f64 = 1e-7;

/// What is known of an assumption.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// The assumption.
    pub assumption: Assumption,
    /// Proved by the calculus, refuted by a witness, or unknown.
    pub verdict: Verdict,
    /// Why, in a sentence: a proof's rule, or the witness.
    pub reason: String,
    /// The piece of the program where the calculus ended.
    pub blame: Option<Span>,
    /// What refutes it.
    pub witness: Option<Witness>,
}

/// A point and a direction in which an assumption fails.
#[derive(Clone, Debug, PartialEq)]
pub struct Witness {
    /// Values per variable, upper then lower.
    pub point: Vec<(String, Vec<f64>)>,
    /// A unit vector: values per lower variable.
    pub direction: Vec<(String, Vec<f64>)>,
}

impl Judgement {
    fn of(proof: &Proof) -> Judgement {
        Judgement {
            assumption: proof.assumption,
            verdict: proof.verdict,
            reason: proof.reason.to_owned(),
            blame: proof.blame,
            witness: None,
        }
    }

    fn refute(&mut self, witness: Witness, what: &str) {
        self.verdict = Verdict::Refuted;
        self.reason = format!("at {}, along {}, {what}", values(&witness.point), along(&witness.direction));
        self.blame = None;
        self.witness = Some(witness);
    }
}

/// What the calculus alone says, in the order of [`Assumption::ALL`].
pub fn proved(problem: &Problem) -> Vec<Judgement> {
    problem.proofs().iter().map(Judgement::of).collect()
}

/// Proofs, and refutations of what is `wanted` where numbers find one, in the order of [`Assumption::ALL`].
///
/// # Errors
/// When the arrays cannot be put into memory.
pub fn judge(
    problem: &Problem,
    data: &Bindings,
    threads: u64,
    wanted: &[Assumption],
) -> Result<Vec<Judgement>, Vec<Diagnostic>> {
    const SEED: u64 = 0;
    let mut found = proved(problem);
    let is_open = |j: &Judgement| j.verdict != Verdict::Proved && j.witness.is_none() && wanted.contains(&j.assumption);
    let is_convex = found[1].verdict == Verdict::Proved;
    // a second solution is one of a convex level only
    if !found.iter().any(|j| is_open(j) && (is_convex || j.assumption != Assumption::Singleton)) {
        return Ok(found);
    }
    let mut probe = Probe::new(problem, data, threads, SEED).map_err(|d| vec![*d])?;
    if probe.products < LEAST {
        return Ok(found);
    }
    let points = (probe.products / probe.directions).clamp(1, POINTS);
    let [strong, convex, smooth, singleton] = found.as_mut_slice() else { unreachable!("there are four assumptions") };
    for point in 0..points {
        probe.go_to(point);
        if (is_open(strong) || is_open(convex))
            && let Some(flat) = probe.flattest()
        {
            if convex.verdict == Verdict::Unknown && flat.least < -NEGATIVE * flat.largest {
                convex.refute(probe.witness(&flat.direction), &second_derivative(flat.least));
            }
            let level = flat.least <= FLAT * flat.largest;
            if strong.verdict != Verdict::Proved && strong.witness.is_none() && level {
                // less than rounding is none
                let shown = if flat.least.abs() <= FLAT * flat.largest { 0.0 } else { flat.least };
                strong.refute(probe.witness(&flat.direction), &second_derivative(shown));
            }
        }
        if is_open(smooth)
            && let Some(witness) = probe.kink(point)
        {
            smooth.refute(witness, "the first derivative jumps");
        }
    }
    if is_open(singleton) && is_convex {
        probe.go_to(0);
        if let Some(witness) = probe.second_solution().map_err(|d| vec![*d])? {
            singleton.refute(witness, "the lower level is solved on a whole segment");
        }
    }
    Ok(found)
}

/// A warning for each assumption of a method that is refuted. `span` is where the method is named.
///
/// # Errors
/// As [`judge`].
pub fn warnings(
    problem: &Problem,
    data: &Bindings,
    method: &MethodEntry,
    span: Span,
    threads: u64,
) -> Result<Vec<Diagnostic>, Vec<Diagnostic>> {
    let open = |j: &Judgement| method.requires.contains(&j.assumption) && j.verdict != Verdict::Proved;
    if !proved(problem).iter().any(open) {
        return Ok(Vec::new());
    }
    let found = judge(problem, data, threads, method.requires)?;
    let refuted = |a: &Assumption| found.iter().any(|j| j.assumption == *a && j.verdict == Verdict::Refuted);
    let fit = METHODS.iter().filter(|m| m.runs() && !m.entry.requires.iter().any(refuted));
    let fit: Vec<&str> = fit.map(|m| m.entry.name).collect();
    let wrong = found.iter().filter(|j| method.requires.contains(&j.assumption) && j.verdict == Verdict::Refuted);
    Ok(wrong.map(|j| message::assumption_refuted(span, method.name, j.assumption, &j.reason, &fit)).collect())
}

/// The least curvature among the directions that were tried.
struct Flat {
    least: f64,
    largest: f64,
    direction: Vec<f64>,
}

/// Compiled functions at a point.
struct Probe<'a> {
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
    products: usize,
    directions: usize,
    start: Vec<f64>,
    /// Entries of the variables, upper then lower.
    lengths: Vec<usize>,
    x: Vec<f64>,
    y: Vec<f64>,
}

impl<'a> Probe<'a> {
    fn new(problem: &'a Problem, data: &'a Bindings, threads: u64, seed: u64) -> Result<Probe<'a>, Box<Diagnostic>> {
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
        let mut start = BoundProgram::<f64>::new(&problem.start, problem, data, threads)?;
        start.run();
        let count = problem.variables().count();
        let start: Vec<Vec<f64>> = (0..count).map(|i| start.output(i).to_vec()).collect();
        let lengths: Vec<usize> = start.iter().map(Vec::len).collect();
        let (x, y) = (Vec::new(), Vec::new());
        let start = start.concat();
        let products = (BUDGET / product.flops() as f64).min((POINTS * DIRECTIONS) as f64) as usize;
        let directions = DIRECTIONS.min(products.div_ceil(2));
        Ok(Probe { problem, data, threads, seed, product, place, vector, products, directions, start, lengths, x, y })
    }

    fn upper(&self) -> usize {
        self.lengths[..self.problem.upper().variables.len()].iter().sum()
    }

    /// Moves to a point of the sets: the start, or a random one around it.
    fn go_to(&mut self, point: usize) {
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
    fn flattest(&mut self) -> Option<Flat> {
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
        Some(Flat { least, largest, direction })
    }

    /// A jump of the derivative on a segment between points of the set.
    fn kink(&mut self, point: usize) -> Option<Witness> {
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
        let mut slope = |t: f64| dot(&self.times(&at(t), &d).1, &d);
        let slopes: Vec<f64> = (0..=PIECES).map(|i| slope(i as f64 / PIECES as f64)).collect();
        let scale = slopes.iter().fold(0.0, |m: f64, s| m.max(s.abs()));
        let piece = (0..PIECES).max_by(|i, j| {
            let jump = |k: usize| (slopes[k + 1] - slopes[k]).abs();
            jump(*i).total_cmp(&jump(*j))
        })?;
        let (mut low, mut high) = (piece as f64 / PIECES as f64, (piece + 1) as f64 / PIECES as f64);
        let (mut before, mut after) = (slopes[piece], slopes[piece + 1]);
        for _ in 0..HALVINGS {
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
    fn second_solution(&mut self) -> Result<Option<Witness>, Box<Diagnostic>> {
        let limit = (10.0 * BUDGET / self.product.flops() as f64) as u64;
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
            if equal && apart && residual.max(its_residual) <= SOLVED * size {
                let length = norm(&moved_by);
                return Ok(Some(self.witness(&moved_by.iter().map(|v| v / length).collect::<Vec<_>>())));
            }
        }
        Ok(None)
    }

    fn witness(&self, direction: &[f64]) -> Witness {
        let named = |level: &Level, values: &[f64], first: usize| {
            let mut values = values.iter().copied();
            let lengths = self.lengths[first..].iter();
            let pairs = level.variables.iter().zip(lengths);
            pairs.map(|(v, n)| (v.name.clone(), values.by_ref().take(*n).collect())).collect::<Vec<_>>()
        };
        let (upper, lower) = (&self.problem.upper(), &self.problem.lower());
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
    let step = StepSize { number: p.graph.constant(1.0), metric: None };
    let gradient: Direction = p.gradient(Part::Smooth, LevelId::LOWER, &x, &y);
    let v = p.descend(&y, &step, &gradient);
    let moved: Block = p.prox(&v, &step, &x, "y - f_y");
    let residual = p.difference(&y, &moved);
    outputs.push(p.norm_squared(&residual));
    p.function("place", &outputs)
}

fn second_derivative(value: f64) -> String {
    format!("the second derivative is {}", few(value))
}

/// At most four digits.
fn few(v: f64) -> String {
    if v == 0.0 || !v.is_finite() {
        return if v == 0.0 { "0".into() } else { v.to_string() };
    }
    if !(1e-3..1e4).contains(&v.abs()) {
        return format!("{v:.2e}");
    }
    let places = (3 - v.abs().log10().floor() as i32).clamp(0, 6) as usize;
    let text = format!("{v:.places$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// `x = 0, y = [1, 2]`; of a long array the first entries.
fn values(parts: &[(String, Vec<f64>)]) -> String {
    const SHOWN: usize = 4;
    let part = |(name, values): &(String, Vec<f64>)| {
        let shown: Vec<String> = values.iter().take(SHOWN).map(|v| few(*v)).collect();
        match values.as_slice() {
            [_] => format!("{name} = {}", shown[0]),
            // one number stands for all
            [first, rest @ ..] if rest.iter().all(|v| v == first) => format!("{name} = {}", shown[0]),
            _ if values.len() > SHOWN => format!("{name} = [{}, ...]", shown.join(", ")),
            _ => format!("{name} = [{}]", shown.join(", ")),
        }
    };
    parts.iter().map(part).collect::<Vec<_>>().join(", ")
}

/// `y[2]` for a coordinate, else the parts that are not zero.
fn along(parts: &[(String, Vec<f64>)]) -> String {
    let used: Vec<(String, Vec<f64>)> =
        parts.iter().filter(|(_, values)| values.iter().any(|v| *v != 0.0)).cloned().collect();
    if let [(name, values)] = used.as_slice() {
        let positions: Vec<usize> = (0..values.len()).filter(|i| values[*i] != 0.0).collect();
        match positions.as_slice() {
            [_] if values.len() == 1 => return name.clone(),
            [at] => return format!("{name}[{}]", at + 1),
            _ => {}
        }
    }
    values(&used)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{MERELY_CONVEX, data, problem};
    use crate::method::by_name;

    fn judged(text: &str) -> Vec<Judgement> {
        let problem = problem(text);
        judge(&problem, &data(&problem), 1, &Assumption::ALL).unwrap()
    }

    fn verdicts(lower: &str) -> Vec<Verdict> {
        let text = format!("upper {{ var x in [1, 2]  minimize x^2 }}  lower {{ {lower} }}");
        judged(&text).iter().map(|j| j.verdict).collect()
    }

    use Verdict::{Proved, Refuted, Unknown};

    /// [BDA], eq. (5).
    const EQ5: &str = "upper { var x in [-100, 100]  minimize 1/2*(x - y[2])^2 + 1/2*(y[1] - 1)^2 }
        lower { var y[2]  minimize 1/2*y[1]^2 - x*y[1] }";

    #[test]
    fn an_absent_entry_is_the_direction_without_curvature() {
        let found = judged(EQ5);
        let verdicts: Vec<Verdict> = found.iter().map(|j| j.verdict).collect();
        assert_eq!(verdicts, [Refuted, Proved, Proved, Refuted]);
        assert_eq!(found[0].reason, "at x = 0, y = 0, along y[2], the second derivative is 0");
        assert_eq!(found[0].witness.as_ref().unwrap().direction, [("y".to_owned(), vec![0.0, 1.0])]);
        assert_eq!(found[3].reason, "at x = 0, y = 0, along y[2], the lower level is solved on a whole segment");
    }

    #[test]
    fn many_entries_are_looked_at_in_a_krylov_space() {
        let found = judged(MERELY_CONVEX);
        assert_eq!(found[0].verdict, Refuted);
        let witness = found[0].witness.as_ref().unwrap();
        assert!(witness.direction[0].1.iter().all(|v| v.abs() < 1e-7), "y1 is curved: {witness:?}");
    }

    #[test]
    fn refutations_are_true_and_need_the_set() {
        assert_eq!(verdicts("var y[2]  minimize normsq(y - x)"), [Proved; 4]);
        assert_eq!(verdicts("var y  minimize sin(x*y)"), [Refuted, Refuted, Proved, Unknown]);
        assert_eq!(verdicts("var y[2]  minimize sum(softplus(y)) - sum(y)/2"), [Unknown, Proved, Proved, Unknown]);
        assert_eq!(verdicts("var y in [-1, 1]  minimize relu(y) + y^2"), [Proved, Proved, Refuted, Proved]);
        assert_eq!(verdicts("var y in [2, 3]  minimize relu(y) + y^2"), [Proved, Proved, Unknown, Proved]);
        // flat along (1, 1, 1), which leaves the simplex; curved along the simplex
        let flat = "minimize sum((y[i] - y[1])^2 for i in 1..3) + x*y[1]";
        assert_eq!(verdicts(&format!("var y[3]  {flat}"))[0], Refuted);
        assert_eq!(verdicts(&format!("var y[3] in simplex(1)  {flat}"))[0], Unknown);
        // the prox term chooses among the minimizers of f
        assert_eq!(verdicts("var y[2]  minimize (sum(y) - x)^2  regularize normsq(y)")[3], Unknown);
        assert_eq!(verdicts("var y[2]  minimize (sum(y) - x)^2")[3], Refuted);
    }

    #[test]
    fn a_method_warns_of_what_its_theory_needs() {
        let problem = problem(EQ5);
        let of =
            |name: &str| warnings(&problem, &data(&problem), by_name(name).unwrap().entry, Span::default(), 1).unwrap();
        let cg = of("cg");
        assert_eq!(cg.len(), 1);
        assert!(
            cg[0].message.starts_with("method `cg` assumes a strongly convex lower level, and this one is not: at")
        );
        assert!(cg[0].help[0].contains("meha"), "{:?}", cg[0].help);
        assert!(of("bda").is_empty() && of("meha").is_empty());
        assert!(of("rhg")[0].message.contains("one solution"));
    }
}
