//! A nonlinear program as the iteration sees it: without fixed variables and without rows that are free, f and each row
//! divided by what makes its gradient at the start at most 100 (as IPOPT does; Wächter, Biegler, Math. Program. 106,
//! 2006, section 3.8). Everything that is reported is in the units of the program itself.

use super::problem::Nlp;
use crate::vectors::largest;

/// The largest gradient that is left as it is.
const STEEP: f64 = 100.0;

/// f and rows at a point.
#[derive(Clone, Debug)]
pub(super) struct Point {
    pub(super) z: Vec<f64>,
    pub(super) f: f64,
    pub(super) c: Vec<f64>,
}

/// Gradient of f `[n]`, Jacobian `[m, n]`.
#[derive(Clone, Debug)]
pub(super) struct Slopes {
    pub(super) gradient: Vec<f64>,
    pub(super) jacobian: Vec<f64>,
}

/// The program in free variables and rows that bind.
pub(super) struct Scaled<'a> {
    inner: &'a mut dyn Nlp,
    /// Places of the variables that are not fixed, and of the rows with a finite end.
    free: Vec<usize>,
    kept: Vec<usize>,
    pub(super) bounds: Vec<[f64; 2]>,
    pub(super) row_bounds: Vec<[f64; 2]>,
    pub(super) factor: f64,
    pub(super) row_factors: Vec<f64>,
    /// The whole point, with what is fixed.
    whole: Vec<f64>,
    rows: Vec<f64>,
    gradient: Vec<f64>,
    jacobian: Vec<f64>,
    hessian: Vec<f64>,
    multipliers: Vec<f64>,
    pub(super) evaluations: usize,
}

impl<'a> Scaled<'a> {
    /// Starts at the point of the bounds next to `start`; `None` where bounds contradict each other.
    pub(super) fn new(inner: &'a mut dyn Nlp, start: &[f64]) -> Option<Scaled<'a>> {
        let (all, all_rows) = (inner.bounds().to_vec(), inner.row_bounds().to_vec());
        let (n, m) = (all.len(), all_rows.len());
        if all.iter().chain(&all_rows).any(|[low, high]| low.is_nan() || high.is_nan() || low > high) {
            return None;
        }
        let free: Vec<usize> = (0..n).filter(|i| all[*i][0] < all[*i][1]).collect();
        let kept: Vec<usize> = (0..m).filter(|i| all_rows[*i].iter().any(|end| end.is_finite())).collect();
        let whole = start.iter().zip(&all).map(|(z, [low, high])| z.max(*low).min(*high)).collect();
        Some(Scaled {
            bounds: free.iter().map(|i| all[*i]).collect(),
            row_bounds: kept.iter().map(|i| all_rows[*i]).collect(),
            factor: 1.0,
            row_factors: vec![1.0; kept.len()],
            whole,
            rows: vec![0.0; m],
            gradient: vec![0.0; n],
            jacobian: vec![0.0; m * n],
            hessian: vec![0.0; n * n],
            multipliers: vec![0.0; m],
            evaluations: 0,
            inner,
            free,
            kept,
        })
    }

    /// The start, in the free variables.
    pub(super) fn start(&self) -> Vec<f64> {
        self.free.iter().map(|i| self.whole[*i]).collect()
    }

    /// Chooses the units of f and rows by gradients.
    pub(super) fn scale_by(&mut self, slopes: &Slopes) {
        let unit = |gradient: &[f64]| 1.0 / (largest(gradient) / STEEP).max(1.0);
        self.factor = unit(&slopes.gradient);
        let n = self.free.len();
        for (k, row) in self.kept.iter().enumerate() {
            self.row_factors[k] = unit(&slopes.jacobian[k * n..(k + 1) * n]);
            self.row_bounds[k] = self.inner.row_bounds()[*row].map(|end| end * self.row_factors[k]);
        }
    }

    pub(super) fn values(&mut self, z: &[f64]) -> Point {
        self.place(z);
        self.evaluations += 1;
        let f = self.inner.values(&self.whole, &mut self.rows) * self.factor;
        let c = self.kept.iter().zip(&self.row_factors).map(|(row, s)| s * self.rows[*row]).collect();
        Point { z: z.to_vec(), f, c }
    }

    pub(super) fn slopes(&mut self, z: &[f64]) -> Slopes {
        self.place(z);
        self.inner.slopes(&self.whole, &mut self.gradient, &mut self.jacobian);
        let n = self.whole.len();
        let mut jacobian = Vec::with_capacity(self.kept.len() * self.free.len());
        for (row, s) in self.kept.iter().zip(&self.row_factors) {
            jacobian.extend(self.free.iter().map(|i| s * self.jacobian[row * n + i]));
        }
        Slopes { gradient: self.free.iter().map(|i| self.factor * self.gradient[*i]).collect(), jacobian }
    }

    /// Hessian of `f + y' c`, `[n, n]`, symmetric to the bit.
    pub(super) fn hessian(&mut self, z: &[f64], y: &[f64]) -> Vec<f64> {
        self.place(z);
        for ((row, s), y) in self.kept.iter().zip(&self.row_factors).zip(y) {
            self.multipliers[*row] = s * y;
        }
        self.inner.hessian(&self.whole, self.factor, &self.multipliers, &mut self.hessian);
        let n = self.whole.len();
        let entry = |i: &usize, j: &usize| 0.5 * (self.hessian[i * n + j] + self.hessian[j * n + i]);
        self.free.iter().flat_map(|i| self.free.iter().map(move |j| entry(i, j))).collect()
    }

    /// Multipliers of the program's own rows in the units of this one.
    pub(super) fn taken_multipliers(&self, y: &[f64]) -> Vec<f64> {
        self.kept.iter().zip(&self.row_factors).map(|(row, s)| y[*row] * self.factor / s).collect()
    }

    /// All variables at a point.
    pub(super) fn whole(&self, z: &[f64]) -> Vec<f64> {
        let mut whole = self.whole.clone();
        self.free.iter().zip(z).for_each(|(i, z)| whole[*i] = *z);
        whole
    }

    /// Multipliers of all rows in the program's units.
    pub(super) fn given_multipliers(&self, y: &[f64]) -> Vec<f64> {
        let mut all = vec![0.0; self.rows.len()];
        for ((row, s), y) in self.kept.iter().zip(&self.row_factors).zip(y) {
            all[*row] = y * s / self.factor;
        }
        all
    }

    /// The program itself.
    pub(super) fn inner(&mut self) -> &mut dyn Nlp {
        self.inner
    }

    fn place(&mut self, z: &[f64]) {
        self.free.iter().zip(z).for_each(|(i, z)| self.whole[*i] = *z);
    }
}
