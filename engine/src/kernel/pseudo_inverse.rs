//! The Moore-Penrose inverse by faer, for matrices of any rank.

use faer::diag::Diag;
use faer::dyn_stack::{MemBuffer, MemStack, StackReq};
use faer::linalg::householder::{
    apply_block_householder_sequence_on_the_left_in_place_scratch,
    apply_block_householder_sequence_on_the_left_in_place_with_conj,
};
use faer::linalg::qr::col_pivoting::factor::{qr_in_place, qr_in_place_scratch};
use faer::linalg::qr::no_pivoting::factor::recommended_block_size;
use faer::linalg::svd::{ComputeSvdVectors, svd, svd_scratch};
use faer::linalg::triangular_solve::solve_upper_triangular_in_place;
use faer::prelude::default;
use faer::{Conj, Mat, MatRef, Par};

/// A pivot or singular value counts as zero below this many units in the last place of the largest, per row or column.
const ROUNDING: f64 = 16.0 * f64::EPSILON;

/// The transpose of the inverse of `A`, which has so many rows: an array of A's shape. NaN where A is not finite.
///
/// Independent rows have `A^+ = A' (A A')^-1`, which the QR factors of A' give without the squared condition number:
/// `A' P = Q R` and `(A^+)' = P R^-1 Q'`. Otherwise the singular values tell what the rank is.
pub(crate) fn transposed(out: &mut [f64], a: &[f64], rows: usize) {
    let size = a.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
    if !size.is_finite() || a.iter().any(|v| v.is_nan()) {
        return out.fill(f64::NAN);
    }
    out.fill(0.0);
    if rows == 0 || size == 0.0 {
        return;
    }
    let columns = a.len() / rows;
    // A row of A is a column of its transpose.
    let scaled: Vec<f64> = a.iter().map(|v| v / size).collect();
    let transpose = MatRef::from_column_major_slice(&scaled, columns, rows);
    if !independent(out, transpose) {
        of_any_rank(out, transpose);
    }
    out.iter_mut().for_each(|v| *v /= size);
}

/// From the QR factors of a matrix with independent columns; false where they are not, and `out` is as it was.
fn independent(out: &mut [f64], matrix: MatRef<'_, f64>) -> bool {
    let (n, m) = matrix.shape();
    if m > n {
        return false;
    }
    let block = recommended_block_size::<f64>(n, m);
    let mut factors = matrix.to_owned();
    let mut reflectors = Mat::<f64>::zeros(block, m);
    let (mut order, mut back) = (vec![0usize; m], vec![0usize; m]);
    let scratch = StackReq::or(
        qr_in_place_scratch::<usize, f64>(n, m, block, Par::Seq, default()),
        apply_block_householder_sequence_on_the_left_in_place_scratch::<f64>(n, block, m),
    );
    let mut memory = MemBuffer::new(scratch);
    let stack = MemStack::new(&mut memory);
    qr_in_place(factors.as_mut(), reflectors.as_mut(), &mut order, &mut back, Par::Seq, stack, default());
    let least = ROUNDING * n as f64 * factors[(0, 0)].abs();
    if (0..m).any(|i| factors[(i, i)].abs() <= least) {
        return false;
    }
    let mut q = Mat::<f64>::identity(n, m);
    apply_block_householder_sequence_on_the_left_in_place_with_conj(
        factors.as_ref(),
        reflectors.as_ref(),
        Conj::No,
        q.as_mut(),
        Par::Seq,
        MemStack::new(&mut memory),
    );
    let mut solved = q.transpose().to_owned();
    solve_upper_triangular_in_place(factors.get(..m, ..), solved.as_mut(), Par::Seq);
    for (i, place) in order.iter().enumerate() {
        out[place * n..(place + 1) * n].iter_mut().enumerate().for_each(|(j, v)| *v = solved[(i, j)]);
    }
    true
}

/// From the singular values of `A'`, of shape `[n, m]`: `(A^+)' = V W^+ U'` for `A' = U W V'`.
fn of_any_rank(out: &mut [f64], matrix: MatRef<'_, f64>) {
    let (n, m) = matrix.shape();
    let rank = n.min(m);
    let mut values = Diag::<f64>::zeros(rank);
    let (mut u, mut v) = (Mat::<f64>::zeros(n, rank), Mat::<f64>::zeros(m, rank));
    let thin = ComputeSvdVectors::Thin;
    let mut memory = MemBuffer::new(svd_scratch::<f64>(n, m, thin, thin, Par::Seq, default()));
    let stack = MemStack::new(&mut memory);
    let done = svd(matrix, values.as_mut(), Some(u.as_mut()), Some(v.as_mut()), Par::Seq, stack, default());
    if done.is_err() {
        return out.fill(f64::NAN);
    }
    let w: Vec<f64> = (0..rank).map(|k| values.column_vector()[k]).collect();
    let least = ROUNDING * n.max(m) as f64 * w[0];
    for k in (0..rank).filter(|k| w[*k] > least) {
        for (i, row) in out.chunks_exact_mut(n).enumerate() {
            row.iter_mut().enumerate().for_each(|(j, x)| *x += v[(i, k)] / w[k] * u[(j, k)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The four conditions of Penrose on X with `A` of shape `[m, n]` and `X = G'`.
    fn check(a: &[f64], m: usize, tolerance: f64) {
        let n = a.len() / m;
        let mut g = vec![0.0; a.len()];
        transposed(&mut g, a, m);
        let product = |x: &[f64], y: &[f64], [p, q, r]: [usize; 3]| -> Vec<f64> {
            (0..p * r).map(|i| (0..q).map(|k| x[i / r * q + k] * y[k * r + i % r]).sum()).collect()
        };
        let x: Vec<f64> = (0..n * m).map(|i| g[i % m * n + i / m]).collect();
        let (ax, xa) = (product(a, &x, [m, n, m]), product(&x, a, [n, m, n]));
        let close = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < tolerance * b.abs().max(1.0));
        assert!(close(&product(&ax, a, [m, m, n]), a), "{x:?}");
        assert!(close(&product(&xa, &x, [n, n, m]), &x), "{x:?}");
        assert!((0..m * m).all(|i| (ax[i] - ax[i % m * m + i / m]).abs() < tolerance), "{ax:?}");
        assert!((0..n * n).all(|i| (xa[i] - xa[i % n * n + i / n]).abs() < tolerance), "{xa:?}");
    }

    #[test]
    fn inverses_of_every_rank() {
        check(&[3.0, 1.0, -2.0, 0.5, 4.0, 1.0], 2, 1e-14);
        check(&[3.0, 1.0, -2.0, 0.5, 4.0, 1.0], 3, 1e-14);
        check(&[1.0, 2.0, 3.0, 2.0, 4.0, 6.0, 0.0, 1.0, 0.0], 3, 1e-13);
        check(&[0.0, 2.0, 0.0, 0.0, 0.0, 0.0], 2, 1e-14);
        let wide: Vec<f64> = (0..7 * 40).map(|i| (f64::from(i) * 0.618).fract() - 0.4).collect();
        check(&wide, 7, 1e-12);
        check(&wide, 40, 1e-12);
    }

    #[test]
    fn zero_and_what_is_not_finite() {
        let mut g = [1.0; 4];
        transposed(&mut g, &[0.0; 4], 2);
        assert_eq!(g, [0.0; 4]);
        transposed(&mut g, &[1.0, f64::NAN, 0.0, 1.0], 2);
        assert!(g.iter().all(|v| v.is_nan()));
        transposed(&mut [], &[], 0);
        // far from 1
        transposed(&mut g, &[1e200, 0.0, 0.0, 2e200], 2);
        assert!((g[0] / 1e-200 - 1.0).abs() < 1e-14 && (g[3] / 5e-201 - 1.0).abs() < 1e-14, "{g:?}");
    }
}
