//! Eigenvectors of symmetric matrices by faer, and the positive part of a matrix that is made of them, with its first two
//! derivatives. Matrices are row-major and square; S, H and K are read as their symmetric parts.
//!
//! With `S = Q diag(w) Q'` the positive part is `Q diag(max(w, 0)) Q'`, and its derivative in the direction H is
//! `Q (D .* (Q'HQ)) Q'` with the divided differences `D[i, j] = (max(w_i, 0) - max(w_j, 0))/(w_i - w_j)` (Daleckii and
//! Krein 1965; Higham, Functions of Matrices, 2008, section 3.2). They are bounded, also where eigenvalues meet.

use faer::diag::Diag;
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::evd::{ComputeEigenvectors, self_adjoint_evd, self_adjoint_evd_scratch};
use faer::prelude::default;
use faer::{Mat, MatRef, Par};

use super::cholesky::side;
use super::dense::{self, Matrix};

/// The columns of `out` are orthonormal eigenvectors of S, in the order of their eigenvalues; NaN where S is not finite.
pub(crate) fn eigenvectors(out: &mut [f64], s: &[f64]) {
    let n = side(s.len());
    let size = s.iter().fold(0.0, |m: f64, v| if v.is_nan() { f64::NAN } else { m.max(v.abs()) });
    if !size.is_finite() || s.iter().any(|v| v.is_nan()) {
        return out.fill(f64::NAN);
    }
    if n == 0 {
        return;
    }
    // Eigenvectors do not depend on the scale, and squares of entries stay within the range of numbers.
    let scale = if size > 0.0 { 1.0 / size } else { 1.0 };
    let scaled: Vec<f64> = symmetric(s).iter().map(|v| v * scale).collect();
    let mut values = Diag::<f64>::zeros(n);
    let mut vectors = Mat::<f64>::zeros(n, n);
    let scratch = self_adjoint_evd_scratch::<f64>(n, ComputeEigenvectors::Yes, Par::Seq, default());
    let mut memory = MemBuffer::new(scratch);
    let a = MatRef::from_row_major_slice(&scaled, n, n);
    let (into, stack) = (Some(vectors.as_mut()), MemStack::new(&mut memory));
    if self_adjoint_evd(a, values.as_mut(), into, Par::Seq, stack, default()).is_err() {
        return out.fill(f64::NAN);
    }
    for (i, row) in out.chunks_exact_mut(n).enumerate() {
        row.iter_mut().enumerate().for_each(|(j, v)| *v = vectors[(i, j)]);
    }
}

/// The nearest positive semidefinite matrix to S, whose eigenvectors are the columns of Q.
pub(crate) fn positive_part(out: &mut [f64], s: &[f64], q: &[f64]) {
    let n = side(s.len());
    let w = spectrum(s, q);
    // Of two sums that add up to S the one of fewer terms is nearer to it.
    let mut weighted = q.to_vec();
    for row in weighted.chunks_exact_mut(n.max(1)) {
        row.iter_mut().zip(&w).for_each(|(v, w)| *v *= w.max(0.0));
    }
    product(out, (&weighted, false), (q, true), n);
    mirror(out, n);
    if w.iter().any(|w| w.is_nan()) {
        out.fill(f64::NAN);
    }
}

/// The derivative of the positive part in the direction H.
pub(crate) fn slope(out: &mut [f64], s: &[f64], q: &[f64], h: &[f64]) {
    let n = side(s.len());
    let w = spectrum(s, q);
    let mut inner = rotated(h, q);
    for (i, row) in inner.chunks_exact_mut(n.max(1)).enumerate() {
        row.iter_mut().enumerate().for_each(|(j, v)| *v *= first_difference(w[i], w[j]));
    }
    rotate_back(out, &inner, q);
}

/// Its second derivative in the directions H and K: `Q M Q'` with
/// `M[i, j] = sum over k of D[i, k, j] (B[i, k] C[k, j] + C[i, k] B[k, j])`, `B = Q'HQ`, `C = Q'KQ`.
pub(crate) fn bend(out: &mut [f64], s: &[f64], q: &[f64], h: &[f64], k: &[f64]) {
    let n = side(s.len());
    let w = spectrum(s, q);
    let (b, c) = (rotated(h, q), rotated(k, q));
    let mut inner = vec![0.0; n * n];
    for i in 0..n {
        for l in 0..n {
            let (b_il, c_il) = (b[i * n + l], c[i * n + l]);
            for j in 0..n {
                let sum = b_il * c[l * n + j] + c_il * b[l * n + j];
                inner[i * n + j] += second_difference(w[i], w[l], w[j]) * sum;
            }
        }
    }
    rotate_back(out, &inner, q);
}

/// `(max(a, 0) - max(b, 0))/(a - b)`, and the derivative where both are the same; 0 at 0.
fn first_difference(a: f64, b: f64) -> f64 {
    match (a > 0.0, b > 0.0) {
        (true, true) => 1.0,
        (false, false) => 0.0,
        (true, false) => a / (a - b),
        (false, true) => b / (b - a),
    }
}

/// The divided difference of the first differences.
fn second_difference(a: f64, b: f64, c: f64) -> f64 {
    let (low, high) = (a.min(b).min(c), a.max(b).max(c));
    if low > 0.0 || high <= 0.0 {
        return 0.0;
    }
    let middle = (a.min(b)).max(c.min(a.max(b)));
    (first_difference(high, middle) - first_difference(low, middle)) / (high - low)
}

/// The eigenvalues, as Rayleigh quotients of the eigenvectors.
fn spectrum(s: &[f64], q: &[f64]) -> Vec<f64> {
    let n = side(s.len());
    let mut image = vec![0.0; n * n];
    product(&mut image, (&symmetric(s), false), (q, false), n);
    (0..n).map(|i| (0..n).map(|r| q[r * n + i] * image[r * n + i]).sum()).collect()
}

/// `Q' H Q`.
fn rotated(h: &[f64], q: &[f64]) -> Vec<f64> {
    let n = side(h.len());
    let (mut image, mut out) = (vec![0.0; n * n], vec![0.0; n * n]);
    product(&mut image, (&symmetric(h), false), (q, false), n);
    product(&mut out, (q, true), (&image, false), n);
    out
}

/// `Q M Q'`.
fn rotate_back(out: &mut [f64], m: &[f64], q: &[f64]) {
    let n = side(m.len());
    let mut image = vec![0.0; n * n];
    product(&mut image, (q, false), (m, false), n);
    product(out, (&image, false), (q, true), n);
    mirror(out, n);
}

/// `A B`, each of them transposed where it is marked.
fn product(out: &mut [f64], a: (&[f64], bool), b: (&[f64], bool), n: usize) {
    if n > 0 {
        let [a, b] = [a, b].map(|(values, by_columns)| Matrix { values, stride: n, by_columns });
        dense::matmul(out, (a, b), [n, n, n], 1, &mut []);
    }
}

fn symmetric(s: &[f64]) -> Vec<f64> {
    let n = side(s.len());
    (0..n * n).map(|i| 0.5 * s[i] + 0.5 * s[i % n * n + i / n]).collect()
}

/// Makes a matrix that is symmetric but for rounding exactly so.
fn mirror(out: &mut [f64], n: usize) {
    for i in 0..n {
        for j in 0..i {
            let mean = f64::midpoint(out[i * n + j], out[j * n + i]);
            (out[i * n + j], out[j * n + i]) = (mean, mean);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(s: &[f64]) -> Vec<f64> {
        let (mut q, mut out) = (vec![0.0; s.len()], vec![0.0; s.len()]);
        eigenvectors(&mut q, s);
        positive_part(&mut out, s, &q);
        out
    }

    fn near(a: &[f64], b: &[f64]) -> bool {
        a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-14)
    }

    #[test]
    fn known_positive_parts() {
        assert!(near(&part(&[2.0, 0.0, 0.0, -3.0]), &[2.0, 0.0, 0.0, 0.0]));
        // eigenvalues 3 and -1, eigenvectors (1, 1) and (1, -1)
        assert!(near(&part(&[1.0, 2.0, 2.0, 1.0]), &[1.5; 4]));
        // the part that is not symmetric does not count
        assert!(near(&part(&[1.0, 3.0, 1.0, 1.0]), &[1.5; 4]));
        assert!(near(&part(&[-4.0]), &[0.0]) && part(&[]).is_empty());
        assert!(part(&[1.0, f64::NAN, 0.0, 1.0]).iter().all(|v| v.is_nan()));
        assert!(part(&[1.0, f64::INFINITY, 0.0, 1.0]).iter().all(|v| v.is_nan()));
    }

    #[test]
    fn divided_differences_are_bounded_where_eigenvalues_meet() {
        assert_eq!(first_difference(2.0, 2.0), 1.0);
        assert_eq!(first_difference(1.0, -3.0), 0.25);
        assert_eq!(first_difference(0.0, 0.0), 0.0);
        assert_eq!(first_difference(1e-300, -1e300), 0.0);
        assert_eq!(second_difference(2.0, 1.0, 2.0), 0.0);
        // max(w, 0) through -1, 1 and 3: slopes 1/2 and 1 over a distance of 4
        assert_eq!(second_difference(3.0, -1.0, 1.0), 0.125);
        assert_eq!(second_difference(1.0, -1.0, 1.0), 0.25);
    }
}
