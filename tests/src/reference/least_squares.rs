//! Positive definite systems, and the lasso by coordinate descent.

use faer::linalg::solvers::Solve;
use faer::{Mat, Side};

/// The solution of `H y = q` for a positive definite `H`.
///
/// # Panics
/// When `H` is not positive definite.
pub fn solve(h: &Mat<f64>, q: &[f64]) -> Vec<f64> {
    let factor = h.llt(Side::Lower).expect("a positive definite matrix");
    let right = Mat::from_fn(q.len(), 1, |i, _| q[i]);
    let mut y = factor.solve(&right);
    // one step of refinement: the flat ends of a search need the last digits
    let residual = &right - h * &y;
    y += factor.solve(&residual);
    (0..q.len()).map(|i| y[(i, 0)]).collect()
}

/// The minimizer of `y'G y/2 - q'y + weight |y|_1` by cyclic coordinate descent, until no coordinate moves by more than
/// the rounding of its predictions. `warm` is the start, zero if empty.
pub(super) fn lasso(gram: &Mat<f64>, moment: &[f64], weight: f64, warm: &[f64]) -> Vec<f64> {
    let n = moment.len();
    let mut y = if warm.is_empty() { vec![0.0; n] } else { warm.to_vec() };
    for _ in 0..100_000 {
        let mut moved: f64 = 0.0;
        for j in 0..n {
            let others: f64 = (0..n).filter(|i| *i != j).map(|i| gram[(j, i)] * y[i]).sum();
            let slope = moment[j] - others;
            let new = slope.signum() * (slope.abs() - weight).max(0.0) / gram[(j, j)];
            moved = moved.max((new - y[j]).abs() * gram[(j, j)].sqrt());
            y[j] = new;
        }
        if moved <= 1e-15 {
            break;
        }
    }
    y
}
