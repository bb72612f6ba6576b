//! Curvature of the lower level around an iterate: the largest and the least eigenvalue of a Hessian in a diagonal
//! metric by power iteration, and its diagonal by Hutchinson's estimator, all from one compiled Hessian-vector product
//! (always f64). It knows no method; what the numbers are good for is the method's business.
//!
//! With `H = f_yy + F_yy/c` and `P` the metric, eigenvalues are those of `P^1/2 H P^1/2`.

use blo_engine::data::symmetric;
use blo_engine::elementwise;
use blo_engine::graph::Function;
use blo_engine::model::Bindings;
use blo_engine::model::problem::Problem;
use blo_grammar::diagnostic::Diagnostic;

use crate::formula::bound_program::BoundProgram;
use crate::formula::problem_graph::{Block, Direction, Part, ProblemGraph};
use crate::formula::step_size::StepSize;
use crate::iteration::Rows;
use blo_engine::model::problem::LevelId;

/// One array per lower variable.
pub(crate) type Blocks = Vec<Vec<f64>>;

/// Rademacher probes per point of [`Curvature::diagonals`].
const PROBES: usize = 16;

/// Diagonals of up to so many entries are computed, longer ones estimated.
const EXACT: usize = 64;

/// Outputs of the function `slopes` before the projected point.
const SLOPES: usize = 3;

/// Compiled products, and the vectors that the power iterations have reached.
pub(crate) struct Curvature {
    power: BoundProgram<f64>,
    diagonal: BoundProgram<f64>,
    slope: BoundProgram<f64>,
    places: Places,
    constant: bool,
    varies: bool,
    vectors: [Blocks; 5],
    seed: u64,
    drawn: u64,
    products: u64,
    /// Memory that is used again: random numbers, a lower point, sums of the diagonals of f and F.
    random: Blocks,
    before: Blocks,
    sums: [Blocks; 2],
    trial: [Blocks; 2],
    squares: [Blocks; 2],
}

/// Positions of inputs.
struct Places {
    variables: Vec<usize>,
    lower: Vec<usize>,
    vector: Vec<usize>,
    metric: Vec<usize>,
    /// Weights of `f_yy` and `F_yy`.
    weights: [usize; 2],
    shift: usize,
}

/// Which extreme eigenvalue, of which Hessian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extreme {
    /// The largest absolute eigenvalue of `f_yy`.
    Lower,
    /// The largest absolute eigenvalue of `F_yy`.
    Upper,
    /// The largest absolute eigenvalue of `f_yy + F_yy/c`.
    Both,
    /// The least eigenvalue of `f_yy`.
    Least,
    /// The least eigenvalue of `F_yy`.
    LeastUpper,
}

/// Norms at a point, in a metric; see [`Curvature::slopes`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Slopes {
    /// `|F_y|`.
    pub(crate) upper: f64,
    /// `L |y - prox(y - f_y/L)|`.
    pub(crate) lower: f64,
    /// `|y|`.
    pub(crate) point: f64,
}

impl Curvature {
    /// Compiles for a problem.
    ///
    /// # Errors
    /// When the arrays cannot be put into memory.
    pub(crate) fn new(
        problem: &Problem,
        data: &Bindings,
        threads: u64,
        seed: u64,
    ) -> Result<Curvature, Box<Diagnostic>> {
        Curvature::of(problem, data, threads, seed, true)
    }

    /// Of the lower objective alone: F counts as zero, and nothing of it is computed.
    ///
    /// # Errors
    /// As [`Curvature::new`].
    pub(crate) fn of_lower(
        problem: &Problem,
        data: &Bindings,
        threads: u64,
        seed: u64,
    ) -> Result<Curvature, Box<Diagnostic>> {
        Curvature::of(problem, data, threads, seed, false)
    }

    fn of(
        problem: &Problem,
        data: &Bindings,
        threads: u64,
        seed: u64,
        both: bool,
    ) -> Result<Curvature, Box<Diagnostic>> {
        let (power, places) = power(problem, both);
        let constant = !places.variables.iter().any(|input| power.depends_on(*input));
        let varies = places.lower.iter().any(|input| power.depends_on(*input));
        let machine = |function| BoundProgram::<f64>::new(function, problem, data, threads);
        // Products at one point have everything but the vector in common.
        let power = BoundProgram::<f64>::repeated(&power, problem, data, threads, &[], &places.variables)?;
        let vector = |input: &usize| vec![0.0; power.input(*input).len()];
        let zeros: Blocks = places.vector.iter().map(vector).collect();
        Ok(Curvature {
            power,
            diagonal: machine(&diagonal(problem, both))?,
            slope: machine(&slopes(problem, both))?,
            vectors: std::array::from_fn(|_| zeros.clone()),
            places,
            constant,
            varies,
            seed,
            drawn: 0,
            products: 0,
            random: zeros.clone(),
            before: zeros.clone(),
            sums: [zeros.clone(), zeros.clone()],
            trial: [zeros.clone(), zeros.clone()],
            squares: [zeros.clone(), zeros],
        })
    }

    /// True when both Hessians are the same at every point.
    pub(crate) fn is_constant(&self) -> bool {
        self.constant
    }

    /// True when a Hessian depends on the lower variables.
    pub(crate) fn varies_with_y(&self) -> bool {
        self.varies
    }

    /// Moves to the point whose variables (upper, then lower) `read` copies out.
    pub(crate) fn go_to(&mut self, read: &mut dyn FnMut(usize, &mut [f64])) {
        for input in &self.places.variables {
            let values = self.power.input_mut(*input);
            read(*input, values);
            for machine in [&mut self.diagonal, &mut self.slope] {
                machine.set(*input, values);
            }
        }
        self.power.refresh();
    }

    /// Other tasks: positions for index inputs.
    ///
    /// # Errors
    /// When one is outside of what a program selects from.
    pub(crate) fn select(&mut self, rows: &Rows) -> Result<(), Box<Diagnostic>> {
        [&mut self.power, &mut self.diagonal, &mut self.slope].into_iter().try_for_each(|machine| machine.select(rows))
    }

    /// The metric of ones.
    pub(crate) fn unit_metric(&self) -> Blocks {
        self.places.metric.iter().map(|input| vec![1.0; self.power.input(*input).len()]).collect()
    }

    /// Hessian-vector products so far.
    pub(crate) fn products(&self) -> u64 {
        self.products
    }

    /// Goes to a lower point near the current one: every entry moved by up to `max(1, largest entry)`, and back into Y.
    pub(crate) fn wander(&mut self) {
        for (input, before) in self.places.lower.iter().zip(&mut self.before) {
            before.copy_from_slice(self.power.input(*input));
        }
        let far = self.before.iter().flatten().fold(1.0, |m: f64, v| m.max(v.abs()));
        self.draw();
        for (i, input) in self.places.lower.iter().enumerate() {
            let pairs = self.before[i].iter().zip(&self.random[i]);
            self.slope.input_mut(*input).iter_mut().zip(pairs).for_each(|(v, (b, n))| *v = b + far * n);
        }
        self.slope.run();
        for (i, input) in self.places.lower.iter().enumerate() {
            let inside = self.slope.output(SLOPES + i);
            self.power.set(*input, inside);
            self.diagonal.set(*input, inside);
        }
        self.power.refresh();
    }

    /// Back to the point before [`Curvature::wander`].
    pub(crate) fn come_back(&mut self) {
        for (input, values) in self.places.lower.iter().zip(&self.before) {
            for machine in [&mut self.power, &mut self.diagonal, &mut self.slope] {
                machine.set(*input, values);
            }
        }
        self.power.refresh();
    }

    /// An extreme eigenvalue by `steps` power iterations from where the last ones ended, with a share `noise` of a
    /// random direction mixed in first (the old vector may be blind to curvature that has appeared since). `largest`
    /// is a bound on the absolute eigenvalues; only the least one needs it. May be anything but finite.
    pub(crate) fn eigenvalue(
        &mut self,
        which: Extreme,
        c: f64,
        metric: &Blocks,
        steps: usize,
        noise: f64,
        largest: f64,
    ) -> f64 {
        let slot = which as usize;
        self.draw();
        let least = matches!(which, Extreme::Least | Extreme::LeastUpper);
        let shift = if least { largest } else { 0.0 };
        let weights = match which {
            Extreme::Lower | Extreme::Least => [1.0, 0.0],
            Extreme::Upper | Extreme::LeastUpper => [0.0, 1.0],
            Extreme::Both => [1.0, 1.0 / c],
        };
        for (input, weight) in self.places.weights.iter().zip(weights) {
            self.power.set_scalar(*input, weight);
        }
        self.power.set_scalar(self.places.shift, shift);
        let size = self.vectors[slot].iter().map(Vec::len).sum::<usize>() as f64;
        let norm = norm(&self.vectors[slot], metric);
        let norm = if norm > 0.0 && norm.is_finite() { norm } else { 1.0 };
        for (i, input) in self.places.vector.iter().enumerate() {
            self.power.set(self.places.metric[i], &metric[i]);
            let (old, random, metric) = (&self.vectors[slot][i], &self.random[i], &metric[i]);
            for (j, v) in self.power.input_mut(*input).iter_mut().enumerate() {
                *v = old[j] / norm + noise * random[j] * (entry(metric, j) / size).sqrt();
            }
        }
        let blocks = self.places.vector.len();
        let mut value = 0.0;
        for _ in 0..steps {
            self.power.run();
            self.products += 1;
            let (rayleigh, length) = (self.power.scalar(blocks), self.power.scalar(blocks + 1));
            value = if least { rayleigh } else { length };
            if !value.is_finite() || length == 0.0 {
                break;
            }
            for (output, input) in self.places.vector.iter().enumerate() {
                self.power.advance(output, *input);
            }
        }
        for (i, input) in self.places.vector.iter().enumerate() {
            let (vector, found) = (&mut self.vectors[slot][i], self.power.input(*input));
            if found.iter().all(|v| v.is_finite()) { vector.copy_from_slice(found) } else { vector.fill(0.0) }
        }
        value
    }

    /// The absolute diagonals of `f_yy` and `F_yy`, averaged over the point and so many near it; a block of one number
    /// gets the mean. Short ones are exact.
    ///
    /// The mean of `z .* Hz` over random signs z is the diagonal (Hutchinson 1990), but where columns are correlated its
    /// noise is larger than what it estimates. The mean of `(Hz).^2` is the sum of squares of each row, without
    /// cancellation, and a positive semidefinite H has `H_ii >= sum_j(H_ij^2)/trace(H)`; the larger of the two counts.
    pub(crate) fn diagonals(&mut self, near: usize, lower: &mut Blocks, upper: &mut Blocks) {
        self.sums.iter_mut().flatten().for_each(|sum| sum.fill(0.0));
        let mut points = 0.0;
        for point in 0..=near {
            if point > 0 {
                self.wander();
            }
            self.trial.iter_mut().flatten().for_each(|t| t.fill(0.0));
            if self.random.iter().map(Vec::len).sum::<usize>() <= EXACT {
                self.exact()
            } else {
                self.estimated()
            }
            if self.trial.iter().flatten().flatten().all(|v| v.is_finite()) {
                let pairs = self.sums.iter_mut().flatten().flatten().zip(self.trial.iter().flatten().flatten());
                pairs.for_each(|(sum, t)| *sum += t);
                points += 1.0;
            }
            if point > 0 {
                self.come_back();
            }
        }
        for (sums, out) in self.sums.iter().zip([lower, upper]) {
            for (sum, out) in sums.iter().zip(out) {
                let each = sum.iter().map(|v| v / f64::max(points, 1.0));
                if out.len() == sum.len() {
                    out.iter_mut().zip(each).for_each(|(out, v)| *out = v);
                } else {
                    out[0] = each.sum::<f64>() / sum.len().max(1) as f64;
                }
            }
        }
    }

    /// Writes the absolute diagonals at the point to `trial`, a product per entry.
    fn exact(&mut self) {
        for input in &self.places.vector {
            self.diagonal.input_mut(*input).fill(0.0);
        }
        let blocks = self.random.len();
        for i in 0..blocks {
            let input = self.places.vector[i];
            for j in 0..self.random[i].len() {
                self.diagonal.input_mut(input)[j] = 1.0;
                self.diagonal.run();
                self.products += 1;
                self.diagonal.input_mut(input)[j] = 0.0;
                for (part, trial) in self.trial.iter_mut().enumerate() {
                    trial[i][j] = self.diagonal.output(2 * part * blocks + i)[j].abs();
                }
            }
        }
    }

    /// Writes estimates of them to `trial`.
    fn estimated(&mut self) {
        let blocks = self.random.len();
        self.squares.iter_mut().flatten().for_each(|s| s.fill(0.0));
        for _ in 0..PROBES {
            self.draw();
            for (input, random) in self.places.vector.iter().zip(&self.random) {
                self.diagonal.input_mut(*input).iter_mut().zip(random).for_each(|(z, r)| *z = r.signum());
            }
            self.diagonal.run();
            self.products += 1;
            for part in 0..2 {
                for i in 0..blocks {
                    let add = |to: &mut [f64], values: &[f64]| {
                        to.iter_mut().zip(values).for_each(|(to, v)| *to += v / PROBES as f64);
                    };
                    add(&mut self.trial[part][i], self.diagonal.output(2 * part * blocks + i));
                    add(&mut self.squares[part][i], self.diagonal.output((2 * part + 1) * blocks + i));
                }
            }
        }
        for (trial, squares) in self.trial.iter_mut().zip(&self.squares) {
            let trace = trial.iter().flatten().sum::<f64>().abs();
            for (t, square) in trial.iter_mut().flatten().zip(squares.iter().flatten()) {
                *t = if trace > 0.0 { t.abs().max(square / trace) } else { t.abs() };
            }
        }
    }

    /// Norms of the slopes at the point, with `largest` the largest eigenvalue in the metric.
    pub(crate) fn slopes(&mut self, metric: &Blocks, largest: f64) -> Slopes {
        for (input, metric) in self.places.metric.iter().zip(metric) {
            self.slope.set(*input, metric);
        }
        self.slope.set_scalar(self.places.shift, 1.0 / largest);
        self.slope.run();
        let [upper, lower, point] = std::array::from_fn(|i| self.slope.scalar(i));
        Slopes { upper, lower: largest * lower, point }
    }

    /// What decides how it goes on.
    pub(crate) fn save(&self, to: &mut Vec<f64>) {
        to.extend([self.drawn as f64, self.products as f64]);
        to.extend(self.vectors.iter().flatten().flatten());
    }

    /// Goes back to what `save` wrote.
    pub(crate) fn load(&mut self, from: &mut dyn Iterator<Item = f64>) {
        [self.drawn, self.products] = std::array::from_fn(|_| from.next().unwrap_or_default() as u64);
        for slot in self.vectors.iter_mut().flatten().flatten() {
            *slot = from.next().unwrap_or_default();
        }
    }

    /// Fills `random` with numbers in [-1, 1); each call has a stream of its own.
    fn draw(&mut self) {
        self.drawn += 1;
        let mut numbers = symmetric(self.seed, self.drawn, "curvature");
        self.random.iter_mut().flatten().for_each(|r| *r = numbers());
    }
}

/// `sqrt(sum(v^2 / P))`.
fn norm(v: &Blocks, metric: &Blocks) -> f64 {
    let squares = |(v, p): (&Vec<f64>, &Vec<f64>)| v.iter().enumerate().map(|(j, v)| v * v / entry(p, j)).sum::<f64>();
    v.iter().zip(metric).map(squares).sum::<f64>().sqrt()
}

/// An entry of a metric that may be one number.
pub(crate) fn entry(metric: &[f64], j: usize) -> f64 {
    if metric.len() == 1 { metric[0] } else { metric[j] }
}

/// One power iteration. With `u = v/|v|` (norms of vectors are those of the inverse metric): the next vector
/// `P H u - shift u`, the Rayleigh quotient `u'Hu`, and the next vector's length.
fn power(problem: &Problem, both: bool) -> (Function, Places) {
    let mut p = ProblemGraph::new(problem);
    let (x, y) = (p.x(), p.y());
    let v = p.point("v", LevelId::LOWER);
    let metric = p.metric("P");
    let weights = [p.scalar("w_f"), p.scalar("w_F")];
    let shift = p.scalar("shift");
    let direction: Direction = v.nodes.iter().map(|n| Some(*n)).collect();
    let squares = p.inner(&direction, &direction, &metric);
    let length = p.graph.elementwise(elementwise::SQRT, &[squares]);
    let nodes = v.nodes.iter().map(|n| p.graph.div(*n, length)).collect();
    let u = Block { name: "u".to_string(), nodes };
    let [lower, upper] = [(Part::Smooth, weights[0]), (Part::Upper, weights[1])].map(|(part, weight)| {
        let image = image(&mut p, part, &x, &y, &u, both);
        image.into_iter().map(|n| n.map(|n| p.graph.mul(weight, n))).collect::<Direction>()
    });
    let image = p.plus(&lower, &upper);
    let direction: Direction = u.nodes.iter().map(|n| Some(*n)).collect();
    let rayleigh = p.dot(&direction, &image);
    let scaled = p.scaled(&image, &metric);
    let shifted = direction.iter().map(|n| n.map(|n| p.graph.mul(shift, n))).collect();
    let next = p.minus(&scaled, &shifted);
    let squares = p.inner(&next, &next, &metric);
    let next_length = p.graph.elementwise(elementwise::SQRT, &[squares]);
    let mut outputs: Vec<_> = (0..next.len()).map(|i| p.or_zero(next[i], y.nodes[i])).collect();
    outputs.extend([rayleigh, next_length]);
    let position = |b: &Block| b.nodes.iter().map(|n| p.position(*n)).collect::<Vec<_>>();
    let places = Places {
        variables: position(&x).into_iter().chain(position(&y)).collect(),
        lower: position(&y),
        vector: position(&v),
        metric: position(&metric),
        weights: weights.map(|w| p.position(w)),
        shift: p.position(shift),
    };
    (p.function("curvature", &outputs), places)
}

/// A Hessian of `part` in y times a vector; that of F counts as zero unless `both`.
fn image(p: &mut ProblemGraph<'_>, part: Part, x: &Block, y: &Block, v: &Block, both: bool) -> Direction {
    if part == Part::Upper && !both { vec![None; v.nodes.len()] } else { p.hessian_times(part, x, y, v) }
}

/// `z .* (f_yy z)`, `(f_yy z).^2` and the same of F, per variable. Inputs stand where those of [`power`] do.
fn diagonal(problem: &Problem, both: bool) -> Function {
    let mut p = ProblemGraph::new(problem);
    let (x, y) = (p.x(), p.y());
    let z = p.point("z", LevelId::LOWER);
    let mut outputs = Vec::new();
    for part in [Part::Smooth, Part::Upper] {
        let image = image(&mut p, part, &x, &y, &z, both);
        for (image, z) in image.iter().zip(&z.nodes) {
            let product = image.map(|n| p.graph.mul(*z, n));
            outputs.push(p.or_zero(product, *z));
        }
        for (image, z) in image.iter().zip(&z.nodes) {
            let square = image.map(|n| p.graph.mul(n, n));
            outputs.push(p.or_zero(square, *z));
        }
    }
    p.function("diagonal", &outputs)
}

/// The norms of [`Slopes`], and the projection of y onto Y. Inputs stand where those of [`power`] do; `shift` is the
/// step.
fn slopes(problem: &Problem, both: bool) -> Function {
    let mut p = ProblemGraph::new(problem);
    let (x, y) = (p.x(), p.y());
    p.point("v", LevelId::LOWER);
    let metric = p.metric("P");
    p.scalar("w_f");
    p.scalar("w_F");
    let step = StepSize { number: p.scalar("step"), metric: Some(metric.clone()) };
    let norm = |p: &mut ProblemGraph<'_>, d: &Direction| {
        let squares = p.inner(d, d, &metric);
        p.graph.elementwise(elementwise::SQRT, &[squares])
    };
    let upper = match both {
        true => p.gradient(Part::Upper, LevelId::LOWER, &x, &y),
        false => vec![None; y.nodes.len()],
    };
    let upper = p.scaled(&upper, &metric);
    let upper = norm(&mut p, &upper);
    let f_y = p.gradient(Part::Smooth, LevelId::LOWER, &x, &y);
    let v = p.descend(&y, &step, &f_y);
    let moved = p.prox(&v, &step, &x, "y - f_y");
    let lower = p.difference(&y, &moved);
    let lower = norm(&mut p, &lower);
    let point: Direction = y.nodes.iter().map(|n| Some(*n)).collect();
    let point = norm(&mut p, &point);
    let mut outputs = vec![upper, lower, point];
    outputs.extend(p.project_lower(&y.nodes, "in Y").nodes);
    p.function("slopes", &outputs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{data, problem};

    /// f_yy = diag(1, 4, -2) for y1 and 9 for y2, F_yy = 6 for y2 and 0 for y1.
    const TEXT: &str = "
        let d = [1, 4, -2]
        upper { var x   minimize x^2 + 3*y2^2 + sum(y1) }
        lower { var y1[3]   var y2 in [-1, 1]   minimize 1/2*sum(d .* y1.^2) + 9/2*y2^2 - x*y2 }";

    fn curvature(text: &str) -> Curvature {
        let problem = problem(text);
        let mut curvature = Curvature::new(&problem, &data(&problem), 1, 0).unwrap();
        curvature.go_to(&mut |_, values| values.fill(0.5));
        curvature
    }

    #[test]
    fn extreme_eigenvalues_are_those_of_the_hessians() {
        let mut curvature = curvature(TEXT);
        let ones = curvature.unit_metric();
        let mut of = |which, c| curvature.eigenvalue(which, c, &ones, 200, 1.0, 9.5);
        for (which, c, wanted) in [
            (Extreme::Lower, 1.0, 9.0),
            (Extreme::Upper, 1.0, 6.0),
            (Extreme::Both, 2.0, 12.0),
            (Extreme::Least, 1.0, -2.0),
        ] {
            let found = of(which, c);
            assert!((found - wanted).abs() < 1e-6, "{which:?}: {found}");
        }
    }

    #[test]
    fn the_diagonal_is_exact_where_the_hessian_is_diagonal_and_makes_its_eigenvalues_one() {
        let mut curvature = curvature(TEXT);
        let mut lower = curvature.unit_metric();
        let mut upper = lower.clone();
        curvature.diagonals(2, &mut lower, &mut upper);
        assert_eq!(lower, [vec![1.0, 4.0, 2.0], vec![9.0]]);
        assert_eq!(upper, [vec![0.0; 3], vec![6.0]]);
        let inverse: Blocks = lower.iter().map(|d| d.iter().map(|v| 1.0 / v).collect()).collect();
        let found = curvature.eigenvalue(Extreme::Lower, 1.0, &inverse, 200, 1.0, 0.0);
        assert!((found - 1.0).abs() < 1e-6, "{found}");
    }

    /// Rows of ones: every entry of the Hessian is 100, and signs cancel.
    #[test]
    fn an_estimated_diagonal_survives_correlated_columns() {
        let text = "upper { var x   minimize x^2 }  lower { var y[100]   minimize 50*sum(y)^2 - x*y[1] }";
        let mut curvature = curvature(text);
        let mut lower = curvature.unit_metric();
        let mut upper = lower.clone();
        curvature.diagonals(0, &mut lower, &mut upper);
        assert!(lower[0].iter().all(|v| *v > 50.0 && *v < 1000.0), "{lower:?}");
        assert_eq!(upper[0], [0.0; 100]);
    }

    #[test]
    fn slopes_are_norms_in_the_metric() {
        let mut curvature = curvature(TEXT);
        let metric: Blocks = vec![vec![0.25; 3], vec![4.0]];
        let slopes = curvature.slopes(&metric, 1.0);
        // F_y = (1, 1, 1; 3), y = 1/2 everywhere; |F_y|^2 = sum(P F_y^2), |y|^2 = sum(y^2/P).
        assert!((slopes.upper - (0.75f64 + 36.0).sqrt()).abs() < 1e-12, "{slopes:?}");
        assert!((slopes.point - (3.0f64 + 1.0 / 16.0).sqrt()).abs() < 1e-12, "{slopes:?}");
        // y1 moves by P f_y = (1/8, 1/2, -1/4), y2 to its bound: -1 - 1/2.
        let moved = (1.0f64 / 64.0 + 0.25 + 1.0 / 16.0) / 0.25 + 2.25 / 4.0;
        assert!((slopes.lower - moved.sqrt()).abs() < 1e-12, "{slopes:?}");
    }

    #[test]
    fn hessians_of_quadratic_functions_are_constant() {
        assert!(curvature(TEXT).is_constant());
        for changed in [TEXT.replace("y1.^2", "y1.^4"), TEXT.replace("3*y2^2", "3*x*y2^2")] {
            assert!(!curvature(&changed).is_constant(), "{changed}");
        }
    }

    #[test]
    fn wandering_stays_in_the_set_and_comes_back() {
        let mut curvature = curvature(TEXT);
        let y2 = curvature.places.lower[1];
        for _ in 0..20 {
            curvature.wander();
            assert!(curvature.power.input(y2)[0].abs() <= 1.0);
            curvature.come_back();
            assert_eq!(curvature.power.input(y2), [0.5]);
        }
    }
}
