//! Small dense linear algebra, row-major: Cholesky, a pivoted QR of the normals of active rows, and eigenvectors.

use faer::diag::Diag;
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::evd::{ComputeEigenvectors, self_adjoint_evd, self_adjoint_evd_scratch};
use faer::prelude::default;
use faer::{Mat, MatRef, Par};

use crate::vectors::{dot, largest, norm};

/// A column is in the span of others where less than this share of it is left.
const RANK: f64 = 1e-10;

/// Puts L with `L L' = S` into the lower triangle; false where a pivot is at most `least`.
pub(crate) fn cholesky(s: &mut [f64], n: usize, least: f64) -> bool {
    for j in 0..n {
        let (above, below) = s.split_at_mut((j + 1) * n);
        let row = &mut above[j * n..];
        let pivot = row[j] - dot(&row[..j], &row[..j]);
        if pivot.is_nan() || pivot <= least {
            return false;
        }
        row[j] = pivot.sqrt();
        for other in below.chunks_exact_mut(n) {
            other[j] = (other[j] - dot(&other[..j], &row[..j])) / row[j];
        }
    }
    true
}

/// Solves `L L' v = b` in place.
pub(crate) fn cholesky_solve(l: &[f64], n: usize, b: &mut [f64]) {
    for i in 0..n {
        b[i] = (b[i] - dot(&l[i * n..i * n + i], &b[..i])) / l[i * n + i];
    }
    for i in (0..n).rev() {
        let inner: f64 = (i + 1..n).map(|k| l[k * n + i] * b[k]).sum();
        b[i] = (b[i] - inner) / l[i * n + i];
    }
}

/// `S v` of a matrix `[rows, n]`.
pub(crate) fn times(s: &[f64], v: &[f64]) -> Vec<f64> {
    s.chunks_exact(v.len().max(1)).map(|row| dot(row, v)).collect()
}

/// Eigenvalues, and their vectors as the columns of `[n, n]`; `None` where numbers are not finite.
pub(super) fn eigen(s: &[f64], n: usize) -> Option<(Vec<f64>, Vec<f64>)> {
    if s.iter().any(|v| !v.is_finite()) {
        return None;
    }
    let mut values = Diag::<f64>::zeros(n);
    let mut vectors = Mat::<f64>::zeros(n, n);
    let mut memory = MemBuffer::new(self_adjoint_evd_scratch::<f64>(n, ComputeEigenvectors::Yes, Par::Seq, default()));
    let (a, into) = (MatRef::from_row_major_slice(s, n, n), Some(vectors.as_mut()));
    self_adjoint_evd(a, values.as_mut(), into, Par::Seq, MemStack::new(&mut memory), default()).ok()?;
    let entries = (0..n).flat_map(|i| (0..n).map(move |j| (i, j)));
    Some(((0..n).map(|i| values[i]).collect(), entries.map(|at| vectors[at]).collect()))
}

/// `C P = Q R` of columns of length n, the longest remainder first (Businger, Golub 1965). The first [`Qr::rank`] columns
/// of Q span what the columns of C span, the rest is orthogonal to them.
pub(crate) struct Qr {
    n: usize,
    /// Unit vectors v of the reflections `I - 2 v v'`, whose product is Q.
    reflections: Vec<Vec<f64>>,
    /// Columns of R, each with its place in C.
    columns: Vec<(usize, Vec<f64>)>,
}

impl Qr {
    /// Columns that depend on the others have no part in it.
    pub(crate) fn new(n: usize, columns: impl Iterator<Item = Vec<f64>>) -> Qr {
        let mut left: Vec<(usize, f64, Vec<f64>)> =
            columns.enumerate().map(|(at, c)| (at, norm(&c), c)).filter(|c| c.1 > 0.0).collect();
        let mut qr = Qr { n, reflections: Vec::new(), columns: Vec::new() };
        while qr.rank() < n {
            let k = qr.rank();
            let shares: Vec<f64> = left.iter().map(|c| norm(&c.2[k..]) / c.1).collect();
            let Some(next) = (0..left.len()).max_by(|a, b| shares[*a].total_cmp(&shares[*b]).then(b.cmp(a))) else {
                break;
            };
            if shares[next] <= RANK {
                break;
            }
            let (at, _, mut column) = left.remove(next);
            let size = norm(&column[k..]);
            let mut v = vec![0.0; n];
            v[k..].copy_from_slice(&column[k..]);
            v[k] += size.copysign(column[k]);
            let length = norm(&v);
            v.iter_mut().for_each(|e| *e /= length);
            // v is zero before k
            for (_, _, other) in &mut left {
                reflect(&v[k..], &mut other[k..]);
            }
            reflect(&v[k..], &mut column[k..]);
            column.truncate(k + 1);
            qr.reflections.push(v);
            qr.columns.push((at, column));
        }
        qr
    }

    pub(crate) fn rank(&self) -> usize {
        self.columns.len()
    }

    /// The columns of C that Q's first columns are made of, in order.
    pub(crate) fn pivots(&self) -> impl Iterator<Item = usize> + '_ {
        self.columns.iter().map(|(at, _)| *at)
    }

    /// `Q' v`.
    pub(crate) fn apply_transposed(&self, v: &mut [f64]) {
        self.reflections.iter().enumerate().for_each(|(k, r)| reflect(&r[k..], &mut v[k..]));
    }

    /// `Q v`.
    pub(crate) fn apply(&self, v: &mut [f64]) {
        self.reflections.iter().enumerate().rev().for_each(|(k, r)| reflect(&r[k..], &mut v[k..]));
    }

    /// `Q' S Q` of a symmetric matrix, or `Q S Q'`.
    pub(crate) fn rotate(&self, s: &mut [f64], into_basis: bool) {
        let n = self.n;
        let reflect_both = |v: &Vec<f64>| {
            // (I - 2vv') S (I - 2vv') = S - v w' - w v' with w = 2 S v - 2 (v'Sv) v
            let mut w = times(s, v);
            let inner = dot(&w, v);
            w.iter_mut().zip(v).for_each(|(w, v)| *w = 2.0 * (*w - inner * v));
            for i in 0..n {
                for j in 0..n {
                    s[i * n + j] -= v[i] * w[j] + w[i] * v[j];
                }
            }
        };
        match into_basis {
            true => self.reflections.iter().for_each(reflect_both),
            false => self.reflections.iter().rev().for_each(reflect_both),
        }
    }

    /// `u` with `R' u = b`, where b has an entry per pivot.
    pub(crate) fn solve_transposed(&self, b: &mut [f64]) {
        for (k, (_, column)) in self.columns.iter().enumerate() {
            b[k] = (b[k] - dot(&column[..k], &b[..k])) / column[k];
        }
    }

    /// `u` with `R u = b`.
    pub(crate) fn solve(&self, b: &mut [f64]) {
        for (k, (_, column)) in self.columns.iter().enumerate().rev() {
            b[k] /= column[k];
            let share = b[k];
            b[..k].iter_mut().zip(column).for_each(|(b, r)| *b -= share * r);
        }
    }
}

fn reflect(v: &[f64], a: &mut [f64]) {
    let share = 2.0 * dot(v, a);
    a.iter_mut().zip(v).for_each(|(a, v)| *a -= share * v);
}

/// The largest entry's size.
pub(super) fn size(s: &[f64]) -> f64 {
    largest(s)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_factor_solves_and_a_dependent_column_is_left_out() {
        let columns = [vec![1.0, 2.0, 0.0], vec![2.0, 4.0, 0.0], vec![0.0, 1.0, 3.0]];
        let qr = Qr::new(3, columns.iter().cloned());
        assert_eq!(qr.rank(), 2);
        for (k, at) in qr.pivots().enumerate() {
            let mut image = columns[at].clone();
            qr.apply_transposed(&mut image);
            assert!(image[k + 1..].iter().all(|v| v.abs() < 1e-14), "{image:?}");
            qr.apply(&mut image);
            assert!(image.iter().zip(&columns[at]).all(|(a, b)| (a - b).abs() < 1e-14));
        }
        let s = [4.0, 1.0, 0.5, 1.0, 3.0, -1.0, 0.5, -1.0, 2.0];
        let mut there = s;
        qr.rotate(&mut there, true);
        qr.rotate(&mut there, false);
        assert!(there.iter().zip(&s).all(|(a, b)| (a - b).abs() < 1e-13));
        let mut l = s;
        assert!(cholesky(&mut l, 3, 0.0));
        let mut v = vec![1.0, -2.0, 0.5];
        cholesky_solve(&l, 3, &mut v);
        assert!(times(&s, &v).iter().zip([1.0, -2.0, 0.5]).all(|(a, b)| (a - b).abs() < 1e-14));
        let (values, vectors) = eigen(&s, 3).unwrap();
        let first: Vec<f64> = (0..3).map(|i| vectors[3 * i]).collect();
        assert!(times(&s, &first).iter().zip(&first).all(|(a, b)| (a - values[0] * b).abs() < 1e-13));
    }
}
