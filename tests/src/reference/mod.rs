//! Solves the data problems of the suite without anything of the engine: the lower level exactly (normal equations,
//! coordinate descent, active sets, Newton), the upper level by a dense search over its one variable. Slow, plainly
//! right, and checked against optima that were computed in another language altogether.

mod active_set;
mod least_squares;
mod logistic;
mod search;

use faer::{Col, Mat};

pub use least_squares::solve;
pub use search::{Interval, LocalMinimum, minima};

/// A lower level with a parameter `x` whose exponential is a weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Model {
    /// `|A y - b|^2/(2 m) + exp(x) |y|^2/2`
    Ridge,
    /// `|A y - b|^2/(2 m) + exp(x) |y|_1`
    Lasso,
    /// As ridge, over `y >= 0`.
    Nonnegative,
    /// As ridge, over the unit simplex.
    Simplex,
    /// `mean log(1 + exp(-b_i a_i'y)) + exp(x) |y|^2/2`, `b_i` in {-1, 1}
    Logistic,
}

/// Rows of data with their targets.
#[derive(Clone, Debug)]
pub struct Rows {
    /// `[m, n]`
    pub features: Mat<f64>,
    /// `[m]`
    pub targets: Vec<f64>,
}

/// Choosing the weight of a model on held-out rows.
#[derive(Clone, Debug)]
pub struct Task {
    model: Model,
    train: Rows,
    valid: Rows,
    /// `A'A/m` and `A'b/m` of the training rows.
    gram: Mat<f64>,
    moment: Vec<f64>,
}

impl Rows {
    /// The predictions `A y`.
    pub fn predict(&self, y: &[f64]) -> Vec<f64> {
        let product = &self.features * Col::from_fn(y.len(), |j| y[j]);
        product.iter().copied().collect()
    }

    /// `|A y - b|^2/(2 m)`
    fn half_mean_square(&self, y: &[f64]) -> f64 {
        let squares = self.predict(y).iter().zip(&self.targets).map(|(p, b)| (p - b) * (p - b)).sum::<f64>();
        squares / (2.0 * self.targets.len() as f64)
    }
}

impl Task {
    /// A model on data.
    pub fn new(model: Model, train: Rows, valid: Rows) -> Task {
        let m = train.targets.len() as f64;
        let a = &train.features;
        let gram = Mat::from_fn(a.ncols(), a.ncols(), |i, j| {
            (0..a.nrows()).map(|row| a[(row, i)] * a[(row, j)]).sum::<f64>() / m
        });
        let moment = |j: usize| (0..a.nrows()).map(|row| a[(row, j)] * train.targets[row]).sum::<f64>() / m;
        let moment = (0..a.ncols()).map(moment).collect();
        Task { model, train, valid, gram, moment }
    }

    /// The lower level's solution at `x`; `warm` is where to start, feasible or empty.
    pub fn lower_solution(&self, x: f64, warm: &[f64]) -> Vec<f64> {
        let weight = x.exp();
        match self.model {
            Model::Ridge => solve(&self.ridged(weight), &self.moment),
            Model::Lasso => least_squares::lasso(&self.gram, &self.moment, weight, warm),
            Model::Nonnegative => active_set::minimize(&self.ridged(weight), &self.moment, None, warm),
            Model::Simplex => active_set::minimize(&self.ridged(weight), &self.moment, Some(1.0), warm),
            Model::Logistic => logistic::minimize(&self.train, weight, warm),
        }
    }

    /// The lower level's objective.
    pub fn lower(&self, x: f64, y: &[f64]) -> f64 {
        let fit = match self.model {
            Model::Logistic => logistic::loss(&self.train, y),
            _ => self.train.half_mean_square(y),
        };
        let size: f64 = match self.model {
            Model::Lasso => y.iter().map(|v| v.abs()).sum(),
            _ => y.iter().map(|v| v * v).sum::<f64>() / 2.0,
        };
        fit + x.exp() * size
    }

    /// The upper level's objective.
    pub fn upper(&self, y: &[f64]) -> f64 {
        match self.model {
            Model::Logistic => logistic::loss(&self.valid, y),
            _ => self.valid.half_mean_square(y),
        }
    }

    /// Every local minimum over an interval of `x`, the best one first.
    pub fn minima(&self, interval: Interval) -> Vec<LocalMinimum> {
        let mut warm = Vec::new();
        let mut value = |x: f64| {
            warm = self.lower_solution(x, &warm);
            self.upper(&warm)
        };
        minima(&mut value, interval)
    }

    /// `A'A/m + weight I`
    fn ridged(&self, weight: f64) -> Mat<f64> {
        let n = self.gram.ncols();
        Mat::from_fn(n, n, |i, j| self.gram[(i, j)] + if i == j { weight } else { 0.0 })
    }
}
