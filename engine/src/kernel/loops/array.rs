//! Arrays that start at a cache line, so that a vector of 64 bytes never touches two lines: eq. (18) at n = 1000 took 14 us
//! instead of 10 with 64-byte vectors on arrays at multiples of 16 bytes.
#![allow(unsafe_code)]

use std::ops::{Deref, DerefMut};

use crate::kernel::precision::Precision;

/// Bytes of a cache line.
const LINE: usize = 64;

/// A cache line of numbers, whatever their precision.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Line([u8; LINE]);

/// Memory for one array after another, of either precision.
#[derive(Debug, Default)]
pub(crate) struct Lines(Vec<Line>);

impl Lines {
    /// Whole lines for so many bytes.
    pub(crate) fn rounded(bytes: usize) -> usize {
        bytes.next_multiple_of(LINE)
    }

    /// How many bytes there are.
    pub(crate) fn bytes(&self) -> usize {
        self.0.len() * LINE
    }

    /// Grows or shrinks to so many bytes, rounded up to lines; false where the system refuses the memory.
    pub(crate) fn resize(&mut self, bytes: usize) -> bool {
        let count = bytes.div_ceil(LINE);
        if count > self.0.len() && self.0.try_reserve_exact(count - self.0.len()).is_err() {
            return false;
        }
        self.0.resize(count, Line([0; LINE]));
        self.0.shrink_to_fit();
        true
    }
}

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

    /// An array in memory that held another one: its numbers are what was left there.
    ///
    /// # Panics
    /// If the memory is too short: a bug of the caller.
    pub(crate) fn within(lines: Lines, len: usize) -> Array<T> {
        assert!(len <= lines.bytes() / size_of::<T>(), "the memory holds the array");
        Array { lines: lines.0, len, element: std::marker::PhantomData }
    }

    /// The memory, for another array.
    pub(crate) fn into_lines(self) -> Lines {
        Lines(self.lines)
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
        // SAFETY: `lines` holds `len` numbers (`zeros`, `within`; none by default), all bytes are initialized, any bytes are a
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

    #[test]
    fn memory_holds_one_array_after_another() {
        let mut lines = Lines::default();
        assert!(lines.resize(100) && lines.bytes() == 128);
        let mut wide = Array::<f64>::within(lines, 12);
        wide.fill(1.5);
        let at = wide.as_ptr().addr();
        let narrow = Array::<f32>::within(wide.into_lines(), 32);
        assert_eq!((narrow.len(), narrow.as_ptr().addr(), narrow[0].to_bits()), (32, at, 0));
        let mut lines = narrow.into_lines();
        assert!(lines.resize(64) && lines.bytes() == 64 && !lines.resize(usize::MAX));
    }
}
