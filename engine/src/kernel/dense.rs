//! Matrix products. faer multiplies matrices; products with a vector are bound by memory and small ones by overhead,
//! so they have loops of their own, and so have narrow ones (`narrow`). Which loop runs depends on the sizes, on how
//! operands lie, and on the CPU.

use std::sync::{Mutex, PoisonError};

use faer::linalg::matmul::matmul as faer_matmul;
use faer::{Accum, MatMut, MatRef, Par};

use super::narrow;
use super::precision::Precision;
use super::reduce;

/// A rank-2 operand, from its first element on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Matrix<'a, T> {
    pub(crate) values: &'a [T],
    /// Distance between rows, or between columns when `by_columns`.
    pub(crate) stride: usize,
    /// True when columns are contiguous rather than rows.
    pub(crate) by_columns: bool,
}

/// Multiplications below which a plain triple loop beats the set-up of anything else.
const SMALL: usize = 128;

/// Multiplications from which a product is worth a second thread.
const PARALLEL: usize = 1 << 20;

/// Multiplications per element read from which a product is bound by arithmetic.
const REUSE: usize = 110;

/// Columns of a result below which it pays to compute it column by column, if the left operand lies that way: faer then
/// reads that operand, which is the larger one, along its contiguous side.
const NARROW: usize = 64;

/// Elements from which a product with a vector is worth a second thread.
const PARALLEL_VECTOR: usize = 1 << 17;

/// `out = a b`, row-major, for `a` of shape `[m, k]` and `b` of shape `[k, n]`, with as much scratch memory as [`scratch`] says.
pub(crate) fn matmul<T: Precision>(
    out: &mut [T],
    (a, b): (Matrix<T>, Matrix<T>),
    sizes @ [m, k, n]: [usize; 3],
    threads: usize,
    scratch: &mut [T],
) {
    if m * k * n <= SMALL {
        return small(out, a, b, sizes);
    }
    if n == 1 {
        return matvec(out, a.values, a.stride, a.by_columns, &b.values[..k], threads);
    }
    if m == 1 {
        return matvec(out, b.values, b.stride, !b.by_columns, &a.values[..k], threads);
    }
    if let Some(length) = narrow::scratch::<T>(a.by_columns, b.by_columns, sizes) {
        let threads = if m * k * n < PARALLEL { 1 } else { threads };
        return narrow::matmul(out, (a, b), sizes, threads, &mut scratch[..length]);
    }
    let length = by_columns(a.by_columns, sizes);
    if length == 0 {
        return blocks(MatMut::from_row_major_slice_mut(out, m, n), view(a, m, k), view(b, k, n), threads);
    }
    let columns = &mut scratch[..length];
    blocks(MatMut::from_column_major_slice_mut(columns, m, n), view(a, m, k), view(b, k, n), threads);
    for (j, column) in columns.chunks_exact(m).enumerate() {
        out[j..].iter_mut().step_by(n).zip(column).for_each(|(o, v)| *o = *v);
    }
}

/// Elements of scratch memory that a product takes; operands lie by columns or not.
pub(crate) fn scratch<T: Precision>([a_by_columns, b_by_columns]: [bool; 2], sizes: [usize; 3]) -> usize {
    narrow::scratch::<T>(a_by_columns, b_by_columns, sizes).unwrap_or_else(|| by_columns(a_by_columns, sizes))
}

/// Elements of a result that faer computes by columns, else zero.
fn by_columns(a_by_columns: bool, [m, k, n]: [usize; 3]) -> usize {
    let narrow = 1 < n && n <= NARROW && n < m;
    if a_by_columns && narrow && m * k * n > SMALL { m * n } else { 0 }
}

/// Multiplies block by block. Threads take blocks when they are free and never wait for each other within a product, as
/// they would inside faer: that is slow where another program wants a core. The blocks depend on sizes alone, and so do
/// the bits.
fn blocks<T: Precision>(out: MatMut<T>, a: MatRef<T>, b: MatRef<T>, threads: usize) {
    let whole = Block { out, a, b };
    let threads = if whole.work() < PARALLEL { 1 } else { threads };
    let left = Mutex::new(vec![whole]);
    on_threads(threads, &|| {
        while let Some(Block { out, a, b }) = next(&left) {
            faer_matmul(out, Accum::Replace, a, b, T::from_f64(1.0), Par::Seq);
        }
    });
}

/// A block of a product.
struct Block<'a, T> {
    out: MatMut<'a, T>,
    a: MatRef<'a, T>,
    b: MatRef<'a, T>,
}

impl<T> Block<'_, T> {
    /// Multiplications.
    fn work(&self) -> usize {
        self.out.nrows() * self.a.ncols() * self.out.ncols()
    }

    /// The block's halves along its longer side, unless they would be small, or cost much more than the whole.
    fn split(self) -> Result<[Self; 2], Self> {
        let (m, n) = (self.out.nrows(), self.out.ncols());
        let (rows, columns) = if m >= n { (m.div_ceil(2), n) } else { (m, n.div_ceil(2)) };
        let reuse = |m: usize, n: usize| m * n / (m + n);
        let costs_little = reuse(rows, columns) >= REUSE || 10 * reuse(rows, columns) >= 9 * reuse(m, n);
        if self.work() < 2 * PARALLEL || !costs_little {
            return Err(self);
        }
        let Block { out, a, b } = self;
        Ok(if m >= n {
            let ((low, high), (above, below)) = (out.split_at_row_mut(rows), a.split_at_row(rows));
            [Block { out: low, a: above, b }, Block { out: high, a: below, b }]
        } else {
            let ((low, high), (left, right)) = (out.split_at_col_mut(columns), b.split_at_col(columns));
            [Block { out: low, a, b: left }, Block { out: high, a, b: right }]
        })
    }
}

/// Takes the next block.
fn next<'a, T>(left: &Mutex<Vec<Block<'a, T>>>) -> Option<Block<'a, T>> {
    let mut left = left.lock().unwrap_or_else(PoisonError::into_inner);
    let mut block = left.pop()?;
    loop {
        match block.split() {
            Err(whole) => return Some(whole),
            Ok([low, high]) => {
                left.push(high);
                block = low;
            }
        }
    }
}

/// Runs jobs on threads, which take one when they are free.
pub(super) fn share<J>(threads: usize, jobs: impl Iterator<Item = J> + Send, run: &(impl Fn(J) + Sync)) {
    let left = Mutex::new(jobs);
    let next = || left.lock().unwrap_or_else(PoisonError::into_inner).next();
    on_threads(threads, &|| {
        while let Some(job) = next() {
            run(job);
        }
    });
}

/// Runs the same on some threads.
fn on_threads(threads: usize, run: &(impl Fn() + Sync)) {
    match threads {
        0 | 1 => run(),
        _ => {
            rayon::join(|| on_threads(threads / 2, run), || on_threads(threads - threads / 2, run));
        }
    }
}

fn view<T>(m: Matrix<T>, rows: usize, columns: usize) -> MatRef<T> {
    let x = m.values;
    match m.by_columns {
        true => {
            MatRef::from_column_major_slice_with_stride(&x[..(columns - 1) * m.stride + rows], rows, columns, m.stride)
        }
        false => {
            MatRef::from_row_major_slice_with_stride(&x[..(rows - 1) * m.stride + columns], rows, columns, m.stride)
        }
    }
}

fn small<T: Precision>(out: &mut [T], a: Matrix<T>, b: Matrix<T>, [m, k, n]: [usize; 3]) {
    let (ai, al) = if a.by_columns { (1, a.stride) } else { (a.stride, 1) };
    let (bl, bj) = if b.by_columns { (1, b.stride) } else { (b.stride, 1) };
    for i in 0..m {
        for j in 0..n {
            let mut sum = T::default();
            for l in 0..k {
                sum += a.values[i * ai + l * al] * b.values[l * bl + j * bj];
            }
            out[i * n + j] = sum;
        }
    }
}

/// `out = A v`. Rows are split between threads; the sum over `v` never is, so the bits do not depend on them.
fn matvec<T: Precision>(out: &mut [T], a: &[T], stride: usize, by_columns: bool, v: &[T], threads: usize) {
    if threads > 1 && out.len() > 1 && out.len() * v.len() >= PARALLEL_VECTOR {
        let half = out.len() / 2;
        let (low, high) = out.split_at_mut(half);
        let rest = if by_columns { &a[half..] } else { &a[half * stride..] };
        rayon::join(
            || matvec(low, a, stride, by_columns, v, threads / 2),
            || matvec(high, rest, stride, by_columns, v, threads - threads / 2),
        );
        return;
    }
    match by_columns {
        true => columns(out, a, stride, v),
        false => {
            for (i, o) in out.iter_mut().enumerate() {
                *o = reduce::dot(&a[i * stride..i * stride + v.len()], v);
            }
        }
    }
}

/// Adds columns four at a time into blocks of rows that stay in L1.
fn columns<T: Precision>(out: &mut [T], a: &[T], stride: usize, v: &[T]) {
    const ROWS: usize = 1024;
    out.fill(T::default());
    for (r, out) in out.chunks_mut(ROWS).enumerate() {
        let rows = out.len();
        let column = |j: usize| &a[j * stride + r * ROWS..][..rows];
        super::streaming(
            #[inline(always)]
            || {
                let mut j = 0;
                while j + 4 <= v.len() {
                    let (c0, c1, c2, c3) = (column(j), column(j + 1), column(j + 2), column(j + 3));
                    let (v0, v1, v2, v3) = (v[j], v[j + 1], v[j + 2], v[j + 3]);
                    for ((((o, c0), c1), c2), c3) in out.iter_mut().zip(c0).zip(c1).zip(c2).zip(c3) {
                        *o += (*c0 * v0 + *c1 * v1) + (*c2 * v2 + *c3 * v3);
                    }
                    j += 4;
                }
                while j < v.len() {
                    for (o, c) in out.iter_mut().zip(column(j)) {
                        *o += *c * v[j];
                    }
                    j += 1;
                }
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers whose sums of products are exact.
    fn numbers(n: usize, step: usize) -> Vec<f64> {
        (0..n).map(|i| (i * step % 17) as f64 - 8.0).collect()
    }

    #[test]
    fn blocks_and_threads_do_not_change_a_product() {
        for sizes @ [m, k, n] in [
            [700, 500, 40],
            [300, 2000, 10],
            [520, 130, 530],
            [3, 9, 700],
            [65, 65, 64],
            [70, 1100, 17],
            [130, 600, 7],
            [77, 53, 6],
        ] {
            let (a, b) = (numbers(m * k, 5), numbers(k * n, 7));
            for (a_by_columns, b_by_columns) in [(false, false), (true, false), (false, true), (true, true)] {
                let operand = |values, rows, columns, by_columns| Matrix {
                    values,
                    stride: if by_columns { rows } else { columns },
                    by_columns,
                };
                let operands = (operand(&a[..], m, k, a_by_columns), operand(&b[..], k, n, b_by_columns));
                let mut plain = vec![f64::NAN; m * n];
                small(&mut plain, operands.0, operands.1, sizes);
                for threads in 1..=3 {
                    let mut out = vec![f64::NAN; m * n];
                    matmul(
                        &mut out,
                        operands,
                        sizes,
                        threads,
                        &mut vec![f64::NAN; scratch::<f64>([a_by_columns, b_by_columns], sizes)],
                    );
                    assert_eq!(out, plain, "{sizes:?} by columns {a_by_columns} {b_by_columns}, {threads} threads");
                }
            }
        }
    }
}
