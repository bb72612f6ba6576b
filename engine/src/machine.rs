//! What the machine can do at best, for comparison with what instructions reach: the rate of a square product and that of
//! a copy which no cache holds. The clock is the caller's.

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};

use crate::kernel::precision::Precision;
use crate::profile::Clock;

/// Rates of the machine.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rates {
    /// Floating-point operations per second in a product of square matrices.
    pub flops: f64,
    /// Bytes per second, read and written, of a copy.
    pub bytes: f64,
}

/// Side of the matrices: three of them in double precision take 14 MB, and a product some milliseconds.
const SIDE: usize = 768;

/// Bytes of each of the two arrays of the copy.
const ARRAY: usize = 128 << 20;

/// Repetitions, of which the best counts: the others were disturbed.
const TIMES: usize = 7;

/// Measures in a precision with so many threads of the global rayon pool; takes about half a second and 256 MB.
pub fn rates<T: Precision>(threads: usize, clock: Clock) -> Rates {
    Rates { flops: product::<T>(threads, clock), bytes: copy(threads, clock) }
}

fn product<T: Precision>(threads: usize, clock: Clock) -> f64 {
    let numbers = |shift: usize| (0..SIDE * SIDE).map(|i| T::from_f64(((i + shift) % 7) as f64)).collect::<Vec<T>>();
    let (a, b, mut out) = (numbers(1), numbers(2), numbers(3));
    let par = if threads > 1 { Par::rayon(threads) } else { Par::Seq };
    let view = |values| MatRef::from_row_major_slice(values, SIDE, SIDE);
    let best = best(clock, || {
        let out = MatMut::from_row_major_slice_mut(&mut out, SIDE, SIDE);
        matmul(out, Accum::Replace, view(&a), view(&b), T::from_f64(1.0), par);
    });
    2.0 * (SIDE as f64).powi(3) / best
}

fn copy(threads: usize, clock: Clock) -> f64 {
    let length = ARRAY / size_of::<f64>();
    let (from, mut to) = (vec![1.0_f64; length], vec![0.0_f64; length]);
    let share = length.div_ceil(threads.max(1));
    let best = best(clock, || {
        rayon::scope(|scope| {
            for (to, from) in to.chunks_mut(share).zip(from.chunks(share)) {
                scope.spawn(move |_| to.copy_from_slice(from));
            }
        });
    });
    2.0 * ARRAY as f64 / best
}

/// Seconds of the best run after one that does not count.
fn best(clock: Clock, mut work: impl FnMut()) -> f64 {
    work();
    let one = |_| {
        let begun = clock();
        work();
        clock() - begun
    };
    // a clock that does not move makes no rate infinite
    (0..TIMES).map(one).fold(f64::INFINITY, f64::min).max(1e-9)
}
