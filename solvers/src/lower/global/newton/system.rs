//! Newton's equations, damped until their matrix is positive definite.

/// A pivot below this share of its diagonal entry is rounding.
const PIVOT: f64 = 1e-15;

/// The first damping, and by how much it grows.
const DAMPING: [f64; 2] = [1e-14, 10.0];

/// How often the damping grows.
const TRIES: usize = 30;

/// Steps of inverse iteration.
const INVERSE: usize = 4;

/// The solution d of `(H + lambda D) d = -g` with the least lambda of 0, 1e-14, 1e-13, ... for which the matrix is positive
/// definite; `D_i = |H_ii| + |g_i|/reach` has the units of H in each entry, also where f is linear. H is `[n, n]` by rows,
/// g is `[n]`. With lambda; `None` where
/// none does.
pub(super) fn step(hessian: &[f64], gradient: &[f64], reach: f64) -> Option<(Vec<f64>, f64)> {
    let n = gradient.len();
    let mut scale: Vec<f64> = (0..n).map(|i| hessian[i * n + i].abs() + gradient[i].abs() / reach).collect();
    let most = scale.iter().fold(0.0, |m: f64, s| m.max(*s));
    let floor = if most > 0.0 { f64::EPSILON * most } else { 1.0 };
    scale.iter_mut().for_each(|s| *s = s.max(floor));
    let mut damping = 0.0;
    for _ in 0..TRIES {
        let mut factor = hessian.to_vec();
        for i in 0..n {
            factor[i * n + i] += damping * scale[i];
        }
        if cholesky(&mut factor, n, &scale) {
            let d = solve(&factor, gradient);
            return d.iter().all(|v| v.is_finite()).then_some((d, damping));
        }
        damping = if damping == 0.0 { DAMPING[0] } else { damping * DAMPING[1] };
    }
    None
}

/// The least pivot of H, `[n, n]` by rows, as a share of its diagonal entry; `None` where H is not positive definite.
pub(super) fn least_pivot(hessian: &[f64], n: usize) -> Option<f64> {
    let scale: Vec<f64> = (0..n).map(|i| hessian[i * n + i]).collect();
    let mut factor = hessian.to_vec();
    let is_definite = scale.iter().all(|s| *s > 0.0) && cholesky(&mut factor, n, &scale);
    is_definite.then(|| (0..n).map(|i| factor[i * n + i].powi(2) / scale[i]).fold(1.0, f64::min))
}

/// A unit vector of negative curvature of H, `[n, n]` by rows, that is not positive definite: a few steps of inverse
/// iteration with the least damping of [`step`].
pub(super) fn concave(hessian: &[f64], n: usize) -> Option<Vec<f64>> {
    let mut v: Vec<f64> = (1..=n as u32).map(|i| f64::from(i).cos()).collect();
    for _ in 0..INVERSE {
        // a long reach: the vector must not change the damping
        let (d, _) = step(hessian, &v, f64::MAX)?;
        let length = d.iter().fold(0.0, |sum: f64, v| sum + v * v).sqrt();
        v = d.iter().map(|v| v / length).collect();
    }
    v.iter().all(|v| v.is_finite()).then_some(v)
}

/// Puts L with `L L' = (S + S')/2` into the lower triangle of S; false where a pivot is not positive.
fn cholesky(s: &mut [f64], n: usize, scale: &[f64]) -> bool {
    for j in 0..n {
        for i in j..n {
            let inner: f64 = (0..j).map(|k| s[i * n + k] * s[j * n + k]).sum();
            let entry = if i == j { s[j * n + j] } else { 0.5 * (s[i * n + j] + s[j * n + i]) };
            s[i * n + j] = entry - inner;
        }
        let pivot = s[j * n + j];
        if pivot.is_nan() || pivot <= PIVOT * scale[j] {
            return false;
        }
        let root = pivot.sqrt();
        (j..n).for_each(|i| s[i * n + j] /= root);
    }
    true
}

/// `-(L L')^-1 g`.
fn solve(l: &[f64], gradient: &[f64]) -> Vec<f64> {
    let n = gradient.len();
    let mut d: Vec<f64> = gradient.iter().map(|g| -g).collect();
    for i in 0..n {
        let inner: f64 = (0..i).map(|k| l[i * n + k] * d[k]).sum();
        d[i] = (d[i] - inner) / l[i * n + i];
    }
    for i in (0..n).rev() {
        let inner: f64 = (i + 1..n).map(|k| l[k * n + i] * d[k]).sum();
        d[i] = (d[i] - inner) / l[i * n + i];
    }
    d
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_solve_the_equations_and_descend_where_they_cannot() {
        let (h, g) = ([4.0, 1.0, 0.0, 1.0, 3.0, -1.0, 0.0, -1.0, 2.0], [1.0, -2.0, 0.5]);
        let (d, damping) = step(&h, &g, 1.0).unwrap();
        assert_eq!(damping, 0.0);
        for i in 0..3 {
            let image: f64 = (0..3).map(|j| h[3 * i + j] * d[j]).sum();
            assert!((image + g[i]).abs() < 1e-14, "{d:?}");
        }
        for h in [[1.0, 2.0, 2.0, 1.0], [0.0; 4], [-1.0, 0.0, 0.0, -1e6], [1.0, 1.0, 1.0, 1.0]] {
            let g = [0.3, -0.1];
            let (d, _) = step(&h, &g, 10.0).unwrap();
            assert!(g[0] * d[0] + g[1] * d[1] < 0.0, "{h:?}: {d:?}");
        }
    }
}
