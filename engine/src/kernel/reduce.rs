//! Reductions in a fixed order: 32 running sums within a block of 512, then pairs of blocks. The order depends on the
//! length alone, never on threads, vector width or what was fused, and the rounding error grows with log n.

use super::math;
use super::precision::{Precision, RowsFn};

const WIDTH: usize = 8;
const LANES: usize = 4 * WIDTH;

/// Elements from which running sums pay.
const LONG: usize = 2 * LANES;

/// Elements of all rows from which reducing them is worth a second thread.
const PARALLEL: usize = 1 << 15;

/// Elements that are summed with running sums before pairs are formed.
const RUN: usize = 512;

/// The sum of at most one block.
pub(crate) fn sum_block<T: Precision>(x: &[T]) -> T {
    if x.len() < LONG {
        return x.iter().fold(T::default(), |s, v| s + *v);
    }
    super::streaming(
        #[inline(always)]
        || {
            let (chunks, rest) = x.as_chunks::<LANES>();
            let mut lanes = Lanes::default();
            for x in chunks {
                lanes.add(|i| x[i]);
            }
            rest.iter().fold(lanes.total(), |s, v| s + *v)
        },
    )
}

/// The inner product of at most one block.
pub(crate) fn dot_block<T: Precision>(x: &[T], y: &[T]) -> T {
    if x.len() < LONG {
        return short_dot(x, y);
    }
    super::streaming(
        #[inline(always)]
        || long_dot(x, y),
    )
}

#[inline(always)]
fn short_dot<T: Precision>(x: &[T], y: &[T]) -> T {
    x.iter().zip(y).fold(T::default(), |s, (a, b)| s + *a * *b)
}

#[inline(always)]
fn long_dot<T: Precision>(x: &[T], y: &[T]) -> T {
    let ((xs, x), (ys, y)) = (x.as_chunks::<LANES>(), y.as_chunks::<LANES>());
    let mut lanes = Lanes::default();
    for (x, y) in xs.iter().zip(ys) {
        lanes.add(|i| x[i] * y[i]);
    }
    x.iter().zip(y).fold(lanes.total(), |s, (a, b)| s + *a * *b)
}

/// Running sums, as four short arrays: the compiler keeps these in vector registers, and one long array in memory.
#[derive(Default)]
struct Lanes<T>([T; WIDTH], [T; WIDTH], [T; WIDTH], [T; WIDTH]);

impl<T: Precision> Lanes<T> {
    #[inline(always)]
    fn add(&mut self, x: impl Fn(usize) -> T) {
        for i in 0..WIDTH {
            self.0[i] += x(i);
        }
        for i in 0..WIDTH {
            self.1[i] += x(WIDTH + i);
        }
        for i in 0..WIDTH {
            self.2[i] += x(2 * WIDTH + i);
        }
        for i in 0..WIDTH {
            self.3[i] += x(3 * WIDTH + i);
        }
    }

    #[inline(always)]
    fn total(&self) -> T {
        let s: [T; WIDTH] = std::array::from_fn(|i| (self.0[i] + self.1[i]) + (self.2[i] + self.3[i]));
        ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]))
    }
}

/// Adds block sums pairwise.
pub(crate) fn pairwise<T: Precision>(x: &[T]) -> T {
    match x.len() {
        0 => T::default(),
        1 => x[0],
        n => {
            let half = n.next_power_of_two() / 2;
            pairwise(&x[..half]) + pairwise(&x[half..])
        }
    }
}

/// The inner product of any length.
pub(crate) fn dot<T: Precision>(x: &[T], y: &[T]) -> T {
    if x.len() <= RUN {
        return dot_block(x, y);
    }
    let half = x.len().next_power_of_two() / 2;
    dot(&x[..half], &y[..half]) + dot(&x[half..], &y[half..])
}

/// Sums the middle axis of `[outer, length, inner]`: rows are added 64 at a time, over columns that fit a register file.
pub(crate) fn sum_middle<T: Precision>(out: &mut [T], x: &[T], length: usize, inner: usize) {
    const COLUMNS: usize = 64;
    const ROWS: usize = 64;
    if inner == 0 || length == 0 {
        return out.fill(T::default());
    }
    for (out, x) in out.chunks_exact_mut(inner).zip(x.chunks_exact(length * inner)) {
        super::streaming(
            #[inline(always)]
            || {
                for (c, out) in out.chunks_mut(COLUMNS).enumerate() {
                    let mut total = [T::default(); COLUMNS];
                    for rows in x.chunks(ROWS * inner) {
                        let mut part = [T::default(); COLUMNS];
                        for row in rows.chunks_exact(inner) {
                            let row = &row[c * COLUMNS..c * COLUMNS + out.len()];
                            for (p, v) in part.iter_mut().zip(row) {
                                *p += *v;
                            }
                        }
                        for (t, p) in total.iter_mut().zip(&part) {
                            *t += *p;
                        }
                    }
                    out.copy_from_slice(&total[..out.len()]);
                }
            },
        );
    }
}

/// The sum of any length.
pub(crate) fn sum<T: Precision>(x: &[T]) -> T {
    if x.len() <= RUN {
        return sum_block(x);
    }
    let half = x.len().next_power_of_two() / 2;
    sum(&x[..half]) + sum(&x[half..])
}

/// The largest element; NaN if there is one.
pub(crate) fn maximum<T: Precision>(x: &[T]) -> T {
    x.iter().fold(T::LOWEST, |m, v| if *v <= m || m.not_a_number() { m } else { *v })
}

/// `m + log(sum(exp(x - m)))` with `m` the largest element; where `m` is infinite or NaN it is the result.
pub(crate) fn log_sum_exp<T: Precision>(x: &[T]) -> T {
    let m = maximum(x);
    if !m.finite() {
        return m;
    }
    let (mut shifted, mut powers) = ([T::default(); RUN], [T::default(); RUN]);
    let total = x.chunks(RUN).fold(T::default(), |total, x| {
        let (shifted, powers) = (&mut shifted[..x.len()], &mut powers[..x.len()]);
        shifted.iter_mut().zip(x).for_each(|(s, v)| *s = *v - m);
        math::exp(powers, &[shifted]);
        total + sum_block(powers)
    });
    m + math::one(math::log, &[total])
}

/// [`log_sum_exp`] of rows, with the same bits: the exponentials of short ones are taken together.
pub(crate) fn log_sum_exp_rows<T: Precision>(out: &mut [T], x: &[T], length: usize) {
    if length == 0 || 2 * length > RUN {
        return rows(out, x, length, log_sum_exp);
    }
    let (mut first, mut second) = ([T::default(); RUN], [T::default(); RUN]);
    let count = RUN / length;
    for (out, x) in out.chunks_mut(count).zip(x.chunks(count * length)) {
        let (shifted, powers) = (&mut first[..x.len()], &mut second[..x.len()]);
        let each = out.iter_mut().zip(x.chunks_exact(length)).zip(shifted.chunks_exact_mut(length));
        for ((m, row), shifted) in each {
            *m = maximum(row);
            shifted.iter_mut().zip(row).for_each(|(s, v)| *s = *v - *m);
        }
        math::exp(powers, &[shifted]);
        let (totals, logs) = (&mut first[..out.len()], &mut second);
        totals.iter_mut().zip(logs.chunks_exact(length)).for_each(|(t, powers)| *t = T::default() + sum_block(powers));
        let logs = &mut logs[..out.len()];
        math::log(logs, &[totals]);
        out.iter_mut().zip(logs).filter(|(m, _)| m.finite()).for_each(|(m, log)| *m += *log);
    }
}

/// Reduces rows, each thread some of them.
pub(crate) fn on_threads<T: Precision>(reduce: RowsFn<T>, out: &mut [T], x: &[T], length: usize, threads: usize) {
    if threads < 2 || out.len() < 2 || x.len() < PARALLEL {
        return reduce(out, x, length);
    }
    let half = out.len() * (threads / 2) / threads;
    let ((low, high), (first, rest)) = (out.split_at_mut(half), x.split_at(half * length));
    rayon::join(
        || on_threads(reduce, low, first, length, threads / 2),
        || on_threads(reduce, high, rest, length, threads - threads / 2),
    );
}

/// Reduces row by row; a row may be empty.
#[inline(always)]
pub(crate) fn rows<T: Precision>(out: &mut [T], x: &[T], length: usize, reduce: impl Fn(&[T]) -> T) {
    for (r, o) in out.iter_mut().enumerate() {
        *o = reduce(&x[r * length..(r + 1) * length]);
    }
}

/// Calls a loop that is compiled for rows of every small length, or what serves the longer ones.
macro_rules! by_length {
    ($length:expr, $short:ident($($arg:expr),*), $long:expr) => {
        match $length {
            1 => $short::<T, 1>($($arg),*),
            2 => $short::<T, 2>($($arg),*),
            3 => $short::<T, 3>($($arg),*),
            4 => $short::<T, 4>($($arg),*),
            5 => $short::<T, 5>($($arg),*),
            6 => $short::<T, 6>($($arg),*),
            7 => $short::<T, 7>($($arg),*),
            8 => $short::<T, 8>($($arg),*),
            9 => $short::<T, 9>($($arg),*),
            10 => $short::<T, 10>($($arg),*),
            11 => $short::<T, 11>($($arg),*),
            12 => $short::<T, 12>($($arg),*),
            13 => $short::<T, 13>($($arg),*),
            14 => $short::<T, 14>($($arg),*),
            15 => $short::<T, 15>($($arg),*),
            16 => $short::<T, 16>($($arg),*),
            _ => $long,
        }
    };
}

/// The norms of rows, with the bits of [`norm2`].
pub(crate) fn norm2_rows<T: Precision>(out: &mut [T], x: &[T], length: usize) {
    const ROWS: usize = 64;
    if length == 0 {
        return out.fill(T::default());
    }
    let mut squares = [T::default(); ROWS];
    for (out, x) in out.chunks_mut(ROWS).zip(x.chunks(ROWS.saturating_mul(length))) {
        let squares = &mut squares[..out.len()];
        let usual = super::streaming(
            #[inline(always)]
            || {
                by_length!(length, short_squares(squares, x), long_squares(squares, x, length));
                out.iter_mut().zip(&*squares).for_each(|(o, s)| *o = s.root());
                squares.iter().fold(true, |usual, s| usual & is_usual(*s))
            },
        );
        if !usual {
            rows(out, x, length, norm2);
        }
    }
}

#[inline(always)]
fn short_squares<T: Precision, const N: usize>(out: &mut [T], x: &[T]) {
    for (o, row) in out.iter_mut().zip(x.as_chunks::<N>().0) {
        *o = row.iter().fold(T::default(), |s, v| s + *v * *v);
    }
}

/// Does not choose vectors anew for every row, as [`dot`] would.
#[inline(always)]
fn long_squares<T: Precision>(out: &mut [T], x: &[T], length: usize) {
    match length {
        0..LONG => rows(out, x, length, |row| short_dot(row, row)),
        LONG..=RUN => rows(out, x, length, |row| long_dot(row, row)),
        _ => rows(out, x, length, |row| dot(row, row)),
    }
}

/// Rows times a factor each.
pub(crate) fn scale_rows<T: Precision>(out: &mut [T], x: &[T], factors: &[T]) {
    let length = x.len() / factors.len().max(1);
    super::streaming(
        #[inline(always)]
        || by_length!(length, scale_short(out, x, factors), scale_long(out, x, factors, length)),
    );
}

#[inline(always)]
fn scale_short<T: Precision, const N: usize>(out: &mut [T], x: &[T], factors: &[T]) {
    let rows = out.as_chunks_mut::<N>().0.iter_mut().zip(x.as_chunks::<N>().0);
    for ((out, x), f) in rows.zip(factors) {
        // read before anything is written, so that the compiler may use vectors
        *out = x.map(|v| v * *f);
    }
}

#[inline(always)]
fn scale_long<T: Precision>(out: &mut [T], x: &[T], factors: &[T], length: usize) {
    let rows = out.chunks_exact_mut(length.max(1)).zip(x.chunks_exact(length.max(1)));
    for ((out, x), f) in rows.zip(factors) {
        out.iter_mut().zip(x).for_each(|(o, v)| *o = *v * *f);
    }
}

/// The Euclidean norm. The plain sum of squares is used unless it leaves the normal range; then the elements are scaled
/// by the largest magnitude first, so that neither overflow nor underflow spoils the result.
pub(crate) fn norm2<T: Precision>(x: &[T]) -> T {
    let squares = dot(x, x);
    if is_usual(squares) { squares.root() } else { scaled_norm(x) }
}

/// A sum of squares whose root is the norm, without a loss.
#[inline(always)]
fn is_usual<T: Precision>(squares: T) -> bool {
    squares.finite() && squares > T::from_f64(1e-30)
}

/// The norm of what is nearly zero, enormous, or not finite.
#[cold]
fn scaled_norm<T: Precision>(x: &[T]) -> T {
    let largest =
        x.iter().fold(T::default(), |m, v| if v.magnitude() <= m || m.not_a_number() { m } else { v.magnitude() });
    if largest == T::default() || !largest.finite() {
        return largest;
    }
    let scaled = x.iter().fold(T::default(), |s, v| s + (*v / largest) * (*v / largest));
    largest * scaled.root()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_every_length_are_exact_on_integers() {
        for n in [0, 1, 31, 32, 63, 64, 65, 511, 512, 513, 1537, 5000] {
            let x: Vec<f64> = (0..n).map(f64::from).collect();
            let want = f64::from(n) * f64::from(n - 1) / 2.0;
            assert_eq!(sum(&x), want.max(0.0), "{n}");
            assert_eq!(dot(&x, &vec![2.0; x.len()]), 2.0 * want.max(0.0), "{n}");
        }
    }

    #[test]
    fn a_sum_is_its_block_sums_in_pairs() {
        let x: Vec<f32> = (0..2100).map(|i| (i as f32).sin()).collect();
        let blocks: Vec<f32> = x.chunks(RUN).map(sum_block).collect();
        assert_eq!(sum(&x), pairwise(&blocks));
    }

    #[test]
    fn norms_do_not_overflow() {
        assert!((norm2(&[3e200f64, 4e200]) / 5e200 - 1.0).abs() < 1e-15);
        assert!((norm2(&[3e-200f64, 4e-200]) / 5e-200 - 1.0).abs() < 1e-15);
        assert_eq!(norm2::<f64>(&[0.0, -0.0]), 0.0);
        assert!(norm2(&[f64::NAN, 1.0]).is_nan());
        assert_eq!(norm2(&[f64::NEG_INFINITY, 1.0]), f64::INFINITY);
        assert!((norm2(&[3e20f32, 4e20]) / 5e20 - 1.0).abs() < 1e-6);
    }

    #[test]
    fn norms_of_rows_are_those_of_each_row() {
        for length in [0, 1, 2, 9, 10, 63, 64, 100, 700] {
            for rows in [0, 1, 7, 8, 9, 25] {
                let special = [0.0, 1e200, 1e-200, f64::INFINITY, f64::NAN];
                let number = |i: usize| if i % 23 == 5 { special[i / 23 % 5] } else { (i as f64).sin() };
                let x: Vec<f64> = (0..rows * length).map(number).collect();
                let mut out = vec![-1.0; rows];
                norm2_rows(&mut out, &x, length);
                for (r, o) in out.iter().enumerate() {
                    let want = norm2(&x[r * length..(r + 1) * length]);
                    assert!(o.to_bits() == want.to_bits() || o.is_nan() && want.is_nan(), "{length} {rows} {r}");
                }
            }
        }
    }

    #[test]
    fn maxima_and_log_sum_exp_at_the_edges() {
        assert_eq!(maximum::<f64>(&[]), f64::NEG_INFINITY);
        assert!(maximum(&[1.0, f64::NAN, 2.0]).is_nan());
        assert_eq!(log_sum_exp(&[1000.0f64, 1000.0]), 1000.0 + 2f64.ln());
        assert_eq!(log_sum_exp::<f64>(&[f64::NEG_INFINITY; 2]), f64::NEG_INFINITY);
        assert_eq!(log_sum_exp::<f64>(&[]), f64::NEG_INFINITY);
    }

    #[test]
    fn log_sum_exp_of_rows_is_that_of_each_row_on_any_threads() {
        for (rows, length) in [(0, 3), (3, 0), (1, 1), (101, 10), (7, 256), (5, 257), (3, 1100), (4001, 10)] {
            let special = [800.0, -800.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN];
            let number = |i: usize| if i % 97 == 5 { special[i / 97 % 5] } else { (i as f64).sin() };
            let x: Vec<f64> = (0..rows * length).map(number).collect();
            for threads in 1..=3 {
                let mut out = vec![-1.0; rows];
                on_threads(log_sum_exp_rows, &mut out, &x, length, threads);
                for (r, o) in out.iter().enumerate() {
                    let row = &x[r * length..(r + 1) * length];
                    assert_eq!(o.to_bits(), log_sum_exp(row).to_bits(), "{rows} {length} {r}");
                    let m = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                    if row.iter().all(|v| !v.is_nan()) && m.is_finite() {
                        let want = m + row.iter().map(|v| (v - m).exp()).sum::<f64>().ln();
                        assert!((o - want).abs() <= 1e-14 * (1.0 + want.abs()), "{rows} {length} {r}: {o} {want}");
                    }
                }
            }
        }
    }

    #[test]
    fn middle_sums_add_rows() {
        let x: Vec<f64> = (0..2 * 130 * 70).map(|i| f64::from(i % 17)).collect();
        let mut out = vec![0.0; 2 * 70];
        sum_middle(&mut out, &x, 130, 70);
        for (i, o) in out.iter().enumerate() {
            let (a, c) = (i / 70, i % 70);
            assert_eq!(*o, (0..130).map(|b| x[(a * 130 + b) * 70 + c]).sum::<f64>());
        }
    }
}
