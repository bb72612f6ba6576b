//! The diagonals of both Hessians: exact where they are short, else by Hutchinson's estimator.

use blo_engine::graph::Function;
use blo_engine::model::problem::{LevelId, Problem};

use super::products::image;
use super::{Curvature, LowerArrays};
use crate::formula::problem_graph::{Part, ProblemGraph};

/// Rademacher probes per point of [`Curvature::diagonals`].
const PROBES: usize = 16;

/// Diagonals of up to so many entries are computed, longer ones estimated.
const EXACT: usize = 64;

impl Curvature {
    /// The absolute diagonals of `f_yy` and `F_yy`, averaged over the point and so many near it; a block of one number
    /// gets the mean. Short ones are exact.
    ///
    /// The mean of `z .* Hz` over random signs z is the diagonal (Hutchinson 1990), but where columns are correlated its
    /// noise is larger than what it estimates. The mean of `(Hz).^2` is the sum of squares of each row, without
    /// cancellation, and a positive semidefinite H has `H_ii >= sum_j(H_ij^2)/trace(H)`; the larger of the two counts.
    pub(crate) fn diagonals(&mut self, near: usize, lower: &mut LowerArrays, upper: &mut LowerArrays) {
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
        for input in &self.inputs.vector {
            self.diagonal.input_mut(*input).fill(0.0);
        }
        let blocks = self.random.len();
        for i in 0..blocks {
            let input = self.inputs.vector[i];
            for j in 0..self.random[i].len() {
                self.diagonal.input_mut(input)[j] = 1.0;
                self.diagonal.run();
                self.memory.products += 1;
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
            for (input, random) in self.inputs.vector.iter().zip(&self.random) {
                self.diagonal.input_mut(*input).iter_mut().zip(random).for_each(|(z, r)| *z = r.signum());
            }
            self.diagonal.run();
            self.memory.products += 1;
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
}

/// `z .* (f_yy z)`, `(f_yy z).^2` and the same of F, per variable. Inputs stand where those of [`power`](super::products::power) do.
pub(super) fn diagonal(problem: &Problem, both: bool) -> Function {
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
