//! Cholesky factors by faer, and the solves with them. Matrices are row-major and square.

use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::cholesky::llt::factor;
use faer::linalg::triangular_solve::{solve_lower_triangular_in_place, solve_upper_triangular_in_place};
use faer::prelude::default;
use faer::{MatMut, MatRef, Par};

use super::precision::Precision;

/// The side of a matrix of so many entries.
pub(crate) fn side(entries: usize) -> usize {
    entries.isqrt()
}

/// The lower triangular L with `L*L' = (S + S')/2` and zeros above. NaN everywhere when that is not positive definite.
pub(crate) fn factor<T: Precision>(out: &mut [T], s: &[T]) {
    let n = side(s.len());
    let half = T::from_f64(0.5);
    let mut finite = true;
    for i in 0..n {
        for j in 0..=i {
            out[i * n + j] = half * s[i * n + j] + half * s[j * n + i];
            finite &= out[i * n + j].finite();
        }
        out[i * n + i + 1..(i + 1) * n].fill(T::default());
    }
    if n == 0 {
        return;
    }
    let par = Par::Seq;
    let mut memory = MemBuffer::new(factor::cholesky_in_place_scratch::<T>(n, par, default()));
    let stack = MemStack::new(&mut memory);
    let a = MatMut::from_row_major_slice_mut(out, n, n);
    let done = finite && factor::cholesky_in_place(a, default(), par, stack, default()).is_ok();
    if !done {
        out.fill(T::from_f64(f64::NAN));
    }
}

/// `out = (L*L')^-1 b` for the factor L and `b` of shape `[n, k]`.
pub(crate) fn solve<T: Precision>(out: &mut [T], l: &[T], b: &[T]) {
    let n = side(l.len());
    out.copy_from_slice(b);
    if out.is_empty() || n == 0 {
        return;
    }
    let k = b.len() / n;
    let l = MatRef::from_row_major_slice(l, n, n);
    solve_lower_triangular_in_place(l, MatMut::from_row_major_slice_mut(out, n, k), Par::Seq);
    solve_upper_triangular_in_place(l.transpose(), MatMut::from_row_major_slice_mut(out, n, k), Par::Seq);
}

/// `log(det(L*L'))`.
pub(crate) fn logdet<T: Precision>(l: &[T]) -> T {
    let n = side(l.len());
    (0..n).fold(T::default(), |sum, i| sum + T::from_f64(2.0) * l[i * n + i].logarithm())
}
