//! Singular values by faer. Matrices are row-major.

use faer::diag::Diag;
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::svd::{ComputeSvdVectors, svd, svd_scratch};
use faer::prelude::default;
use faer::{Mat, MatRef, Par};

use super::precision::Precision;

/// `Y = U S V'` with r = min(rows, columns) values: U is `[rows, r]`, V is `[columns, r]`.
pub(crate) struct Spectrum<T> {
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    pub(crate) values: Vec<T>,
    pub(crate) left: Vec<T>,
    pub(crate) right: Vec<T>,
}

/// The singular values of a matrix. NaN everywhere when an entry is not finite.
pub(crate) fn decompose<T: Precision>(y: &[T], columns: usize) -> Spectrum<T> {
    let rows = y.len().checked_div(columns).unwrap_or(0);
    let r = rows.min(columns);
    let filled = |value: T| Spectrum {
        rows,
        columns,
        values: vec![value; r],
        left: vec![value; rows * r],
        right: vec![value; columns * r],
    };
    let zero = T::default();
    let largest = y.iter().fold(zero, |m, y| if y.magnitude() > m { y.magnitude() } else { m });
    if r == 0 || !y.iter().all(|y| y.finite()) {
        return filled(T::from_f64(f64::NAN));
    }
    if largest == zero {
        // what rotates nothing is of no account
        return filled(zero);
    }
    // Squares of entries of any size fit, once the largest is 1.
    let scaled: Vec<T> = y.iter().map(|y| *y / largest).collect();
    let (mut s, mut u, mut v) = (Diag::<T>::zeros(r), Mat::<T>::zeros(rows, r), Mat::<T>::zeros(columns, r));
    let thin = ComputeSvdVectors::Thin;
    let par = Par::Seq;
    let mut memory = MemBuffer::new(svd_scratch::<T>(rows, columns, thin, thin, par, default()));
    let matrix = MatRef::from_row_major_slice(&scaled, rows, columns);
    let stack = MemStack::new(&mut memory);
    if svd(matrix, s.as_mut(), Some(u.as_mut()), Some(v.as_mut()), par, stack, default()).is_err() {
        return filled(T::from_f64(f64::NAN));
    }
    let flat = |a: &Mat<T>, n: usize| (0..n * r).map(|at| a[(at / r, at % r)]).collect();
    let values = (0..r).map(|k| s.column_vector()[k] * largest).collect();
    Spectrum { rows, columns, values, left: flat(&u, rows), right: flat(&v, columns) }
}
