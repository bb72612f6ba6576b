//! A primal active-set method for `min y'H y/2 - q'y` over `y >= 0`, with or without `sum(y) = s`: exact up to rounding
//! once the right support is found (Lawson and Hanson 1974, chapter 23, with one multiplier more for the sum).

use faer::Mat;

use super::least_squares::solve;

/// Multipliers above minus this, relative to `q`, count as zero.
const SLACK: f64 = 1e-12;

/// The minimizer for a positive definite `H`; `warm` is a feasible start, or empty.
///
/// # Panics
/// When the support keeps changing: a bug.
pub(super) fn minimize(h: &Mat<f64>, q: &[f64], sum: Option<f64>, warm: &[f64]) -> Vec<f64> {
    let n = q.len();
    let mut y = if warm.is_empty() { vertex(h, q, sum) } else { warm.to_vec() };
    let mut support: Vec<usize> = (0..n).filter(|i| y[*i] > 0.0).collect();
    let scale = q.iter().fold(0.0_f64, |a, v| a.max(v.abs()));
    for _ in 0..100 * n {
        let (target, multiplier) = on_support(h, q, sum, &support);
        // the longest step towards the target that keeps every weight of the support nonnegative
        let blocks = |(k, i): (usize, &usize)| (target[k] < 0.0).then(|| y[*i] / (y[*i] - target[k]));
        let step = support.iter().enumerate().filter_map(blocks).fold(1.0, f64::min);
        for (k, i) in support.iter().enumerate() {
            y[*i] += step * (target[k] - y[*i]);
        }
        if step < 1.0 {
            support.retain(|i| {
                let stays = y[*i] > 1e-300_f64.max(1e-14 * y.iter().fold(0.0_f64, |a, v| a.max(*v)));
                if !stays {
                    y[*i] = 0.0;
                }
                stays
            });
            continue;
        }
        for (k, i) in support.iter().enumerate() {
            y[*i] = target[k];
        }
        // the bound whose release decreases the objective most
        let slope = |i: usize| (0..n).map(|j| h[(i, j)] * y[j]).sum::<f64>() - q[i] + multiplier;
        let free = (0..n).filter(|i| !support.contains(i)).map(|i| (slope(i), i));
        match free.min_by(|a, b| a.0.total_cmp(&b.0)) {
            Some((least, i)) if least < -SLACK * scale => support.push(i),
            _ => return y,
        }
    }
    panic!("the active set cycles")
}

/// The minimizer among the weights of a support, without their bounds, and the multiplier of the sum.
fn on_support(h: &Mat<f64>, q: &[f64], sum: Option<f64>, support: &[usize]) -> (Vec<f64>, f64) {
    let m = support.len();
    let part = Mat::from_fn(m, m, |i, j| h[(support[i], support[j])]);
    let right: Vec<f64> = support.iter().map(|i| q[*i]).collect();
    if m == 0 {
        return (Vec::new(), 0.0);
    }
    let free = solve(&part, &right);
    let Some(sum) = sum else { return (free, 0.0) };
    let towards = solve(&part, &vec![1.0; m]);
    let multiplier = (free.iter().sum::<f64>() - sum) / towards.iter().sum::<f64>();
    (free.iter().zip(&towards).map(|(u, v)| u - multiplier * v).collect(), multiplier)
}

/// Zero, or the best corner of the simplex.
fn vertex(h: &Mat<f64>, q: &[f64], sum: Option<f64>) -> Vec<f64> {
    let mut y = vec![0.0; q.len()];
    if let Some(s) = sum {
        let value = |i: &usize| s * s * h[(*i, *i)] / 2.0 - s * q[*i];
        let best = (0..q.len()).min_by(|a, b| value(a).total_cmp(&value(b)));
        y[best.expect("a weight to choose")] = s;
    }
    y
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn projections_are_special_cases() {
        let identity = Mat::from_fn(3, 3, |i, j| if i == j { 1.0 } else { 0.0 });
        assert_eq!(minimize(&identity, &[1.0, -2.0, 0.5], None, &[]), [1.0, 0.0, 0.5]);
        let y = minimize(&identity, &[1.0, -2.0, 0.5], Some(1.0), &[]);
        let expected = [0.75, 0.0, 0.25];
        assert!(y.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-15), "{y:?}");
    }
}
