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

use crate::first_order::{Block, Direction, FirstOrder, Part, Wrt};
use crate::machine::Machine;
use crate::metric::StepSize;

/// One array per lower variable.
pub(crate) type Blocks = Vec<Vec<f64>>;

/// Rademacher probes per point of [`Curvature::diagonals`].
const PROBES: usize = 6;

/// Compiled products, and the vectors that the power iterations have reached.
pub(crate) struct Curvature {
    power: Machine<f64>,
    diagonal: Machine<f64>,
    slope: Machine<f64>,
    places: Places,
    vectors: [Blocks; 4],
    seed: u64,
    drawn: u64,
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
        let (power, places) = power(problem);
        let machine = |function| Machine::<f64>::new(function, problem, data, threads);
        let power = machine(&power)?;
        let vector = |input: &usize| vec![0.0; power.input(*input).len()];
        let zeros: Blocks = places.vector.iter().map(vector).collect();
        Ok(Curvature {
            power,
            diagonal: machine(&diagonal(problem))?,
            slope: machine(&slopes(problem))?,
            vectors: [zeros.clone(), zeros.clone(), zeros.clone(), zeros],
            places,
            seed,
            drawn: 0,
        })
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
    }

    /// A lower point near the current one, every entry moved by up to `max(1, largest entry)`, and back into Y by
    /// `slopes`' projection; returns the point before.
    pub(crate) fn wander(&mut self) -> Blocks {
        let before: Blocks = self.places.lower.iter().map(|i| self.power.input(*i).to_vec()).collect();
        let far = before.iter().flatten().fold(1.0, |m: f64, v| m.max(v.abs()));
        let noise = self.uniform();
        let moved: Blocks =
            before.iter().zip(&noise).map(|(b, n)| b.iter().zip(n).map(|(b, n)| b + far * n).collect()).collect();
        self.put(&moved);
        self.slope.run();
        let first = 3;
        let inside: Blocks = (0..before.len()).map(|i| self.slope.output(first + i).to_vec()).collect();
        self.put(&inside);
        before
    }

    /// Sets the lower point.
    pub(crate) fn put(&mut self, point: &Blocks) {
        for (input, values) in self.places.lower.iter().zip(point) {
            for machine in [&mut self.power, &mut self.diagonal, &mut self.slope] {
                machine.set(*input, values);
            }
        }
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
        let random = self.uniform();
        let shift = if which == Extreme::Least { largest } else { 0.0 };
        let weights = match which {
            Extreme::Lower | Extreme::Least => [1.0, 0.0],
            Extreme::Upper => [0.0, 1.0],
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
            let (old, random, metric) = (&self.vectors[slot][i], &random[i], &metric[i]);
            for (j, v) in self.power.input_mut(*input).iter_mut().enumerate() {
                *v = old[j] / norm + noise * random[j] * (entry(metric, j) / size).sqrt();
            }
        }
        let blocks = self.places.vector.len();
        let mut value = 0.0;
        for _ in 0..steps {
            self.power.run();
            let (rayleigh, length) = (self.power.scalar(blocks), self.power.scalar(blocks + 1));
            value = if which == Extreme::Least { rayleigh } else { length };
            if !value.is_finite() || length == 0.0 {
                break;
            }
            for (output, input) in self.places.vector.iter().enumerate() {
                self.power.advance(output, *input);
            }
        }
        for (i, input) in self.places.vector.iter().enumerate() {
            self.vectors[slot][i].copy_from_slice(self.power.input(*input));
        }
        value
    }

    /// The absolute diagonals of `f_yy` and `F_yy`, averaged over the point and two near it; a variable whose metric is
    /// one number has its mean.
    pub(crate) fn diagonals(&mut self, metric: &Blocks) -> (Blocks, Blocks) {
        let zeros: Blocks = self.vectors[0].iter().map(|v| vec![0.0; v.len()]).collect();
        let (mut lower, mut upper) = (zeros.clone(), zeros);
        let mut points = 0.0;
        for point in 0..3 {
            let before = (point > 0).then(|| self.wander());
            let (mut at_lower, mut at_upper) = (lower.clone(), upper.clone());
            for _ in 0..PROBES {
                let signs = self.uniform();
                for (i, signs) in signs.iter().enumerate() {
                    let input = self.places.vector[i];
                    self.diagonal.input_mut(input).iter_mut().zip(signs).for_each(|(z, s)| *z = s.signum());
                }
                self.diagonal.run();
                let blocks = signs.len();
                for (i, (l, u)) in at_lower.iter_mut().zip(&mut at_upper).enumerate() {
                    l.iter_mut().zip(self.diagonal.output(i)).for_each(|(l, d)| *l += d);
                    u.iter_mut().zip(self.diagonal.output(blocks + i)).for_each(|(u, d)| *u += d);
                }
            }
            if at_lower.iter().chain(&at_upper).flatten().all(|v| v.is_finite()) {
                (lower, upper) = (at_lower, at_upper);
                points += PROBES as f64;
            }
            if let Some(before) = before {
                self.put(&before);
            }
        }
        let finish = |blocks: Blocks| {
            let each = blocks.into_iter().zip(metric);
            each.map(|(block, metric)| {
                let absolute: Vec<f64> = block.iter().map(|v| v.abs() / f64::max(points, 1.0)).collect();
                if metric.len() == absolute.len() { absolute } else { vec![mean(&absolute)] }
            })
            .collect()
        };
        (finish(lower), finish(upper))
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
        to.push(self.drawn as f64);
        to.extend(self.vectors.iter().flatten().flatten());
    }

    /// Goes back to what `save` wrote.
    pub(crate) fn load(&mut self, from: &mut dyn Iterator<Item = f64>) {
        self.drawn = from.next().unwrap_or_default() as u64;
        for slot in self.vectors.iter_mut().flatten().flatten() {
            *slot = from.next().unwrap_or_default();
        }
    }

    /// Numbers in [-1, 1), one per entry of the lower level; each call has a stream of its own.
    fn uniform(&mut self) -> Blocks {
        self.drawn += 1;
        let mut numbers = symmetric(self.seed, self.drawn, "curvature");
        self.vectors[0].iter().map(|v| v.iter().map(|_| numbers()).collect()).collect()
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

fn mean(values: &[f64]) -> f64 {
    if values.is_empty() { 0.0 } else { values.iter().sum::<f64>() / values.len() as f64 }
}

/// One power iteration. With `u = v/|v|` (norms of vectors are those of the inverse metric): the next vector
/// `P H u - shift u`, the Rayleigh quotient `u'Hu`, and the next vector's length.
fn power(problem: &Problem) -> (Function, Places) {
    let mut p = FirstOrder::new(problem);
    let (x, y) = (p.x(), p.y());
    let v = p.lower_state("v");
    let metric = p.metric("P");
    let weights = [p.scalar("w_f"), p.scalar("w_F")];
    let shift = p.scalar("shift");
    let direction: Direction = v.nodes.iter().map(|n| Some(*n)).collect();
    let squares = p.inner(&direction, &direction, &metric);
    let length = p.graph.elementwise(elementwise::SQRT, &[squares]);
    let nodes = v.nodes.iter().map(|n| p.graph.div(*n, length)).collect();
    let u = Block { name: "u".to_string(), nodes };
    let [lower, upper] = [(Part::Smooth, weights[0]), (Part::Upper, weights[1])].map(|(part, weight)| {
        let image = p.hessian_times(part, &x, &y, &u);
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

/// `z .* (f_yy z)` and `z .* (F_yy z)`, per variable: with random signs z their mean is the diagonal (Hutchinson 1990).
/// Inputs stand where those of [`power`] do.
fn diagonal(problem: &Problem) -> Function {
    let mut p = FirstOrder::new(problem);
    let (x, y) = (p.x(), p.y());
    let z = p.lower_state("z");
    let mut outputs = Vec::new();
    for part in [Part::Smooth, Part::Upper] {
        let image = p.hessian_times(part, &x, &y, &z);
        for (i, z) in z.nodes.iter().enumerate() {
            let product = image[i].map(|n| p.graph.mul(*z, n));
            outputs.push(p.or_zero(product, *z));
        }
    }
    p.function("diagonal", &outputs)
}

/// The norms of [`Slopes`], and the projection of y onto Y. Inputs stand where those of [`power`] do; `shift` is the
/// step.
fn slopes(problem: &Problem) -> Function {
    let mut p = FirstOrder::new(problem);
    let (x, y) = (p.x(), p.y());
    p.lower_state("v");
    let metric = p.metric("P");
    p.scalar("w_f");
    p.scalar("w_F");
    let step = StepSize { number: p.scalar("step"), metric: Some(metric.clone()) };
    let norm = |p: &mut FirstOrder<'_>, d: &Direction| {
        let squares = p.inner(d, d, &metric);
        p.graph.elementwise(elementwise::SQRT, &[squares])
    };
    let upper = p.gradient(Part::Upper, Wrt::Y, &x, &y);
    let upper = p.scaled(&upper, &metric);
    let upper = norm(&mut p, &upper);
    let f_y = p.gradient(Part::Smooth, Wrt::Y, &x, &y);
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
