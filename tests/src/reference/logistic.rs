//! Logistic regression with a ridge, by Newton's method with halved steps.

use faer::Mat;

use super::Rows;
use super::least_squares::solve;

/// `mean log(1 + exp(-b_i a_i'y))`
pub(super) fn loss(rows: &Rows, y: &[f64]) -> f64 {
    let margins = rows.predict(y).into_iter().zip(&rows.targets).map(|(p, b)| p * b);
    margins.map(|m| (-m.abs()).exp().ln_1p() + (-m).max(0.0)).sum::<f64>() / rows.targets.len() as f64
}

/// The minimizer of the loss with `weight |y|^2/2`; `warm` is the start, zero if empty.
pub(super) fn minimize(rows: &Rows, weight: f64, warm: &[f64]) -> Vec<f64> {
    let (m, n) = (rows.features.nrows(), rows.features.ncols());
    let mut y = if warm.is_empty() { vec![0.0; n] } else { warm.to_vec() };
    let value = |y: &[f64]| loss(rows, y) + weight * y.iter().map(|v| v * v).sum::<f64>() / 2.0;
    for _ in 0..200 {
        // the probability of the wrong label
        let wrong: Vec<f64> =
            rows.predict(&y).iter().zip(&rows.targets).map(|(p, b)| 1.0 / (1.0 + (p * b).exp())).collect();
        let slope = |j: usize| {
            let fit: f64 = (0..m).map(|i| rows.features[(i, j)] * rows.targets[i] * wrong[i]).sum();
            weight * y[j] - fit / m as f64
        };
        let gradient: Vec<f64> = (0..n).map(slope).collect();
        let curved: Vec<f64> = wrong.iter().map(|w| w * (1.0 - w) / m as f64).collect();
        let scaled = Mat::from_fn(m, n, |i, j| rows.features[(i, j)] * curved[i].sqrt());
        let mut hessian = scaled.transpose() * &scaled;
        for j in 0..n {
            hessian[(j, j)] += weight;
        }
        let direction = solve(&hessian, &gradient);
        let decrement: f64 = direction.iter().zip(&gradient).map(|(d, g)| d * g).sum();
        if decrement <= 1e-26 {
            break;
        }
        let here = value(&y);
        let moved = |step: f64| y.iter().zip(&direction).map(|(v, d)| v - step * d).collect::<Vec<_>>();
        let mut step = 1.0;
        while value(&moved(step)) > here - 0.25 * step * decrement && step > 1e-3 {
            step /= 2.0;
        }
        // below the rounding of the objective the full Newton step is right
        y = moved(if decrement <= 1e-12 { 1.0 } else { step });
    }
    y
}
