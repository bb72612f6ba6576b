//! Products of a large matrix and a narrow one, such as data times the weights of a few classes. A square product is bound
//! by arithmetic, so that it pays to pack operands; here the large matrix is read about once, and packing it would cost as
//! much as the product. These loops read it where it lies, along its contiguous side, with sums in registers.
//!
//! Twenty sums of 64 bytes are what makes it fast, so a CPU with fewer or shorter vectors leaves such products to faer. The
//! order of a sum depends on sizes alone, not on threads.

use std::iter::zip;

use super::dense::{Matrix, share};
use super::loops::vectors::Vectors;
use super::precision::Precision;

/// Most columns of the narrow matrix.
const COLUMNS: usize = 32;

/// Columns whose sums are in registers at a time.
const GROUP: usize = 5;

/// Multiplications from which these loops are worth their set-up.
const WORK: usize = 1 << 14;

/// Bytes of a row, or of a column of the narrow matrix, that are multiplied at a time: five of them and four rows fit L1.
const DEPTH: usize = 4096;

/// Rows that stay in L2 while the groups of columns pass.
const ROWS: usize = 32;

/// Rows whose outer products are added while the sums are in registers.
const TALL: usize = 512;

/// Bytes of a matrix of doubles by rows that caches do not hold: reading it is the time of a product, and faer, which
/// prefetches, reads it faster. Singles are worth it from memory too.
const FAR: usize = 24 << 20;

/// Numbers in 64 bytes.
const fn lanes<T>() -> usize {
    64 / size_of::<T>()
}

/// Columns of the large matrix that a job of [`transposed`] takes.
const fn strip<T>() -> usize {
    4 * lanes::<T>()
}

/// Elements of scratch memory of the product `[m, k]` times `[k, n]`, if it is one for these loops.
pub(super) fn scratch<T: Precision>(a_by_columns: bool, b_by_columns: bool, [m, k, n]: [usize; 3]) -> Option<usize> {
    let (long, other) = if a_by_columns { (m, k) } else { (k, m) };
    let fits = (2..=COLUMNS).contains(&n) && long >= 2 * lanes::<T>() && other >= 4 * n && m * k * n >= WORK;
    let far = !a_by_columns && size_of::<T>() == 8 && m * k * size_of::<T>() > FAR;
    if !fits || far || !Vectors::best().are_wide() {
        return None;
    }
    match (a_by_columns, b_by_columns) {
        (false, false) => Some(n * k),
        (false, true) => Some(0),
        (true, false) => Some(m.next_multiple_of(strip::<T>()) * n),
        (true, true) => None,
    }
}

/// `out = a b`, row-major, with as much scratch memory as [`scratch`] says.
pub(super) fn matmul<T: Precision>(
    out: &mut [T],
    (a, b): (Matrix<T>, Matrix<T>),
    sizes: [usize; 3],
    threads: usize,
    scratch: &mut [T],
) {
    match size_of::<T>() {
        4 => on_lanes::<T, 16>(out, a, b, sizes, threads, scratch),
        _ => on_lanes::<T, 8>(out, a, b, sizes, threads, scratch),
    }
}

fn on_lanes<T: Precision, const L: usize>(
    out: &mut [T],
    a: Matrix<T>,
    b: Matrix<T>,
    [m, k, n]: [usize; 3],
    threads: usize,
    scratch: &mut [T],
) {
    let vectors = Vectors::best();
    if a.by_columns {
        let jobs = zip(out.chunks_mut(strip::<T>() * n), scratch.chunks_mut(strip::<T>() * n)).enumerate();
        return share(threads, jobs, &|(i, (out, sums))| {
            let a = Matrix { values: &a.values[i * strip::<T>()..], ..a };
            vectors.run(
                #[inline(always)]
                || transposed::<T, L, 4>(out, sums, (a, b), [k, n]),
            );
        });
    }
    let columns = if b.by_columns { b } else { by_columns(scratch, b, k) };
    let rows = m.div_ceil(8 * threads.max(1)).next_multiple_of(ROWS);
    share(threads, out.chunks_mut(rows * n).enumerate(), &|(i, out)| {
        let a = Matrix { values: &a.values[i * rows * a.stride..], ..a };
        vectors.run(
            #[inline(always)]
            || forward::<T, L, 4>(out, (a, columns), [k, n]),
        );
    });
}

/// The same matrix, its columns of length `k` one after the other.
fn by_columns<'a, T: Precision>(scratch: &'a mut [T], b: Matrix<T>, k: usize) -> Matrix<'a, T> {
    for (j, column) in scratch.chunks_exact_mut(k).enumerate() {
        column.iter_mut().zip(b.values[j..].iter().step_by(b.stride)).for_each(|(o, v)| *o = *v);
    }
    Matrix { values: scratch, stride: k, by_columns: true }
}

/// Calls a loop that is compiled for groups of every width, for each group of `n` columns.
macro_rules! by_groups {
    ($n:expr, $run:ident::<$($size:tt),*>($first:ident, $($arg:expr),*)) => {{
        let groups = $n.div_ceil(GROUP);
        for g in 0..groups {
            let ($first, end) = (g * $n / groups, (g + 1) * $n / groups);
            match end - $first {
                2 => $run::<$($size),*, 2>($first, $($arg),*),
                3 => $run::<$($size),*, 3>($first, $($arg),*),
                4 => $run::<$($size),*, 4>($first, $($arg),*),
                _ => $run::<$($size),*, GROUP>($first, $($arg),*),
            }
        }
    }};
}

/// Some rows of a product, `R` at a time; `a` lies by rows, `b` by columns.
#[inline(always)]
fn forward<T: Precision, const L: usize, const R: usize>(
    out: &mut [T],
    (a, b): (Matrix<T>, Matrix<T>),
    [k, n]: [usize; 2],
) {
    let most = DEPTH / size_of::<T>();
    out.fill(T::default());
    for (block, out) in out.chunks_mut(ROWS * n).enumerate() {
        for start in (0..k).step_by(most) {
            let depth = most.min(k - start);
            let a = (&a.values[block * ROWS * a.stride + start..], a.stride);
            let b = (&b.values[start..], b.stride);
            by_groups!(n, group::<T, L, R>(first, out, a, b, [depth, n]));
        }
    }
}

/// Adds to `J` columns of a block of rows.
#[inline(always)]
fn group<T: Precision, const L: usize, const R: usize, const J: usize>(
    first: usize,
    out: &mut [T],
    (a, stride): (&[T], usize),
    (b, length): (&[T], usize),
    [depth, n]: [usize; 2],
) {
    let columns: [&[T]; J] = std::array::from_fn(|j| &b[(first + j) * length..][..depth]);
    let m = out.len() / n;
    let whole = m - m % R;
    let mut sums = [[[T::default(); L]; J]; R];
    for i in (0..whole).step_by(R) {
        let rows = std::array::from_fn(|r| &a[(i + r) * stride..][..depth]);
        tile::<T, L, R, J>(&mut out[i * n..], rows, columns, (n, first), &mut sums);
    }
    for i in whole..m {
        tile::<T, L, 1, J>(&mut out[i * n..], [&a[i * stride..][..depth]], columns, (n, first), &mut sums);
    }
}

/// Adds the inner products of some rows and some columns.
#[inline(always)]
fn tile<T: Precision, const L: usize, const R: usize, const J: usize>(
    out: &mut [T],
    rows: [&[T]; R],
    columns: [&[T]; J],
    (n, first): (usize, usize),
    sums: &mut [[[T; L]; J]],
) {
    let steps = rows[0].len() / L;
    let (xs, ys) = (rows.map(|x| &x.as_chunks::<L>().0[..steps]), columns.map(|y| &y.as_chunks::<L>().0[..steps]));
    let mut own = [[[T::default(); L]; J]; R];
    for s in 0..steps {
        for j in 0..J {
            let y = ys[j][s];
            for r in 0..R {
                let x = xs[r][s];
                for l in 0..L {
                    own[r][j][l] = x[l].multiply_add(y[l], own[r][j][l]);
                }
            }
        }
    }
    // Reading single sums of `own` would keep all of it in memory throughout.
    *sums.first_chunk_mut::<R>().expect("a row of sums per row") = own;
    for ((out, sums), x) in out.chunks_mut(n).zip(sums).zip(rows) {
        for ((o, sum), y) in out[first..].iter_mut().zip(sums).zip(columns) {
            let rest = zip(&x[steps * L..], &y[steps * L..]).fold(T::default(), |s, (x, y)| s + *x * *y);
            *o += total(sum) + rest;
        }
    }
}

/// The sum of 8 or 16 numbers.
#[inline(always)]
fn total<T: Precision, const L: usize>(v: &[T; L]) -> T {
    let eight: [T; 8] = std::array::from_fn(|i| if L == 16 { v[i] + v[(i + 8) % L] } else { v[i] });
    let four: [T; 4] = std::array::from_fn(|i| eight[i] + eight[i + 4]);
    (four[0] + four[2]) + (four[1] + four[3])
}

/// Some rows of a product, at most a strip of them, `V` times `L` at a time; `a` lies by columns, `b` by rows.
#[inline(always)]
fn transposed<T: Precision, const L: usize, const V: usize>(
    out: &mut [T],
    sums: &mut [T],
    (a, b): (Matrix<T>, Matrix<T>),
    [k, n]: [usize; 2],
) {
    let width = out.len() / n;
    let length = width.next_multiple_of(L);
    let sums = &mut sums[..n * length];
    sums.fill(T::default());
    for start in (0..k).step_by(TALL) {
        let count = TALL.min(k - start);
        let a = (&a.values[start * a.stride..], a.stride);
        let b = (&b.values[start * b.stride..], b.stride);
        by_groups!(n, outer::<T, L, V>(first, sums, a, b, [count, width]));
    }
    for (l, out) in out.chunks_exact_mut(n).enumerate() {
        out.iter_mut().zip(sums[l..].iter().step_by(length)).for_each(|(o, v)| *o = *v);
    }
}

/// Adds `count` outer products to `J` columns of a strip.
#[inline(always)]
fn outer<T: Precision, const L: usize, const V: usize, const J: usize>(
    first: usize,
    sums: &mut [T],
    (a, stride): (&[T], usize),
    (b, n): (&[T], usize),
    [count, width]: [usize; 2],
) {
    let length = width.next_multiple_of(L);
    let (sums, b) = (&mut sums[first * length..], &b[first..]);
    let mut at = 0;
    while at + V * L <= width {
        let x = |i: usize| *a[i * stride + at..].as_chunks::<L>().0.first_chunk::<V>().expect("V times L columns");
        added::<T, L, V, J>(&mut sums[at..], length, x, (b, n), count);
        at += V * L;
    }
    while at + L <= width {
        let x = |i: usize| [*a[i * stride + at..].first_chunk::<L>().expect("L columns")];
        added::<T, L, 1, J>(&mut sums[at..], length, x, (b, n), count);
        at += L;
    }
    if at < width {
        let x = |i: usize| {
            let mut x = [T::default(); L];
            x[..width - at].copy_from_slice(&a[i * stride + at..i * stride + width]);
            [x]
        };
        added::<T, L, 1, J>(&mut sums[at..], length, x, (b, n), count);
    }
}

/// Adds `count` outer products of a part of a strip and `J` numbers.
#[inline(always)]
fn added<T: Precision, const L: usize, const V: usize, const J: usize>(
    sums: &mut [T],
    length: usize,
    x: impl Fn(usize) -> [[T; L]; V],
    (b, n): (&[T], usize),
    count: usize,
) {
    let place = |j: usize, v: usize| j * length + v * L;
    let mut own: [[[T; L]; V]; J] =
        std::array::from_fn(|j| std::array::from_fn(|v| *sums[place(j, v)..].first_chunk().expect("L sums")));
    for i in 0..count {
        let x = x(i);
        let y: &[T; J] = b[i * n..].first_chunk().expect("J columns");
        for j in 0..J {
            for v in 0..V {
                for l in 0..L {
                    own[j][v][l] = x[v][l].multiply_add(y[j], own[j][v][l]);
                }
            }
        }
    }
    for j in 0..J {
        for v in 0..V {
            *sums[place(j, v)..].first_chunk_mut().expect("L sums") = own[j][v];
        }
    }
}
