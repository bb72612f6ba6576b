//! The loops that do the work, on slices of one of two precisions. They know nothing about graphs or programs.

pub(crate) mod cholesky;
pub(crate) mod columns;
pub(crate) mod conv;
pub(crate) mod dense;
pub(crate) mod layout;
pub(crate) mod loops;
pub(crate) mod math;
mod narrow;
pub(crate) mod pool;
pub mod precision;
pub(crate) mod pseudo_inverse;
pub(crate) mod reduce;
pub(crate) mod singular;
pub(crate) mod symmetric;

/// Choosing vectors takes longer than a loop over fewer numbers.
pub(crate) const SHORT: usize = 16;

/// Runs a loop that moves more than it computes on vectors of at most 32 bytes: arrays of data start at multiples of 16
/// bytes, so that every access of 64 would touch two cache lines.
#[inline(always)]
pub(crate) fn streaming<R>(run: impl FnOnce() -> R) -> R {
    loops::vectors::Vectors::narrow().run(run)
}
