//! The arrays of a running program: its own, and those that are lent to it.

use crate::data::Shared;
use crate::kernel::loops::array::Array;
use crate::kernel::precision::Precision;

/// Arrays by number. Those that the program writes come first, so that reading one costs no more than if there were no
/// others.
pub(crate) struct Memory<T> {
    pub(super) own: Vec<Array<T>>,
    /// Read only; empty until the caller lends them.
    pub(super) lent: Vec<Shared<T>>,
}

impl<T: Precision> Memory<T> {
    /// The elements of an array.
    #[inline(always)]
    pub(crate) fn array(&self, number: usize) -> &[T] {
        match self.own.get(number) {
            Some(own) => own,
            None => &self.lent[number - self.own.len()],
        }
    }

    /// The elements from one of them on; none where the array ends before, as an empty one may.
    #[inline(always)]
    pub(crate) fn from(&self, number: usize, offset: usize) -> &[T] {
        self.array(number).get(offset..).unwrap_or_default()
    }
}
