//! Arrays that start at a cache line, so that a vector of 64 bytes never touches two lines: eq. (18) at n = 1000 took 14 us
//! instead of 10 with 64-byte vectors on arrays at multiples of 16 bytes.
#![allow(unsafe_code)]

use std::ops::{Deref, DerefMut};

use crate::kernel::precision::Precision;

/// Bytes of a cache line.
const LINE: usize = 64;

/// A cache line of numbers, whatever their precision.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([u8; LINE]);

/// An array of a fixed length.
pub(crate) struct Array<T> {
    lines: Vec<Line>,
    len: usize,
    element: std::marker::PhantomData<T>,
}

impl<T: Precision> Array<T> {
    /// Zeros; `None` where the system refuses the memory.
    pub(crate) fn zeros(len: usize) -> Option<Array<T>> {
        let count = len.checked_mul(size_of::<T>())?.div_ceil(LINE);
        let mut lines = Vec::new();
        lines.try_reserve_exact(count).ok()?;
        // The bytes of zero are zeros in both precisions.
        lines.resize(count, Line([0; LINE]));
        Some(Array { lines, len, element: std::marker::PhantomData })
    }
}

impl<T> Default for Array<T> {
    fn default() -> Array<T> {
        Array { lines: Vec::new(), len: 0, element: std::marker::PhantomData }
    }
}

impl<T: Precision> Deref for Array<T> {
    type Target = [T];
    #[inline(always)]
    fn deref(&self) -> &[T] {
        // SAFETY: `lines` holds `len` numbers (`zeros`; none by default), all bytes are initialized, any bytes are a
        // number (`Precision` is sealed: f64 and f32), and a line's alignment is a multiple of a number's.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast::<T>(), self.len) }
    }
}

impl<T: Precision> DerefMut for Array<T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as in `deref`; the array is borrowed mutably.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast::<T>(), self.len) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_start_at_a_line_and_keep_their_numbers() {
        for n in [0, 1, 7, 8, 9, 1000] {
            let (mut a, mut b) = (Array::<f64>::zeros(n).unwrap(), Array::<f32>::zeros(n).unwrap());
            assert!(a.as_ptr().addr() % LINE == 0 && b.as_ptr().addr() % LINE == 0 || n == 0);
            assert!(a.len() == n && b.len() == n && a.iter().all(|v| *v == 0.0));
            a.iter_mut().zip(b.iter_mut()).enumerate().for_each(|(i, (a, b))| (*a, *b) = (i as f64, i as f32));
            let a = std::mem::take(&mut a);
            assert!(a.iter().zip(b.iter()).enumerate().all(|(i, (a, b))| *a == i as f64 && *b == i as f32));
        }
        assert!(Array::<f64>::zeros(usize::MAX).is_none());
        assert!(Array::<f64>::default().is_empty());
    }
}
