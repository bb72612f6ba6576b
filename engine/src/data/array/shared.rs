//! Numbers of one precision that programs read in place, whoever holds them: a vector of the engine, or memory of a caller.

use std::fmt;
use std::ops::{Deref, Range};
use std::sync::{Arc, Weak};

/// Who holds numbers: anything that shows the same slice as long as it lives.
pub type Owner<T> = dyn AsRef<[T]> + Send + Sync;

/// Read-only numbers; a clone shares them, and they live as long as somebody has a clone.
pub struct Shared<T> {
    owner: Arc<Owner<T>>,
    range: Range<usize>,
}

/// Numbers that live while somebody else shares them.
pub(super) struct WeakShared<T> {
    owner: Weak<Owner<T>>,
    range: Range<usize>,
}

impl<T> Shared<T> {
    /// All numbers of an owner. Nothing is copied. The owner must show the same slice every time: it is asked again
    /// whenever a program reads.
    pub fn new(owner: Arc<Owner<T>>) -> Shared<T> {
        let range = 0..(*owner).as_ref().len();
        Shared { owner, range }
    }

    /// A range of them, without a copy.
    ///
    /// # Panics
    /// If the range does not lie within: a bug of the caller.
    #[must_use]
    pub fn part(&self, part: Range<usize>) -> Shared<T> {
        assert!(part.start <= part.end && part.end <= self.range.len(), "{part:?} of {} numbers", self.range.len());
        let start = self.range.start;
        Shared { owner: self.owner.clone(), range: start + part.start..start + part.end }
    }

    pub(super) fn downgrade(&self) -> WeakShared<T> {
        WeakShared { owner: Arc::downgrade(&self.owner), range: self.range.clone() }
    }
}

impl<T> WeakShared<T> {
    pub(super) fn upgrade(&self) -> Option<Shared<T>> {
        self.owner.upgrade().map(|owner| Shared { owner, range: self.range.clone() })
    }
}

impl<T: Send + Sync + 'static> Default for WeakShared<T> {
    fn default() -> WeakShared<T> {
        WeakShared { owner: Weak::<Vec<T>>::new(), range: 0..0 }
    }
}

impl<T> Deref for Shared<T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        &(*self.owner).as_ref()[self.range.clone()]
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Shared<T> {
        Shared { owner: self.owner.clone(), range: self.range.clone() }
    }
}

impl<T: Send + Sync + 'static> From<Vec<T>> for Shared<T> {
    fn from(values: Vec<T>) -> Shared<T> {
        Shared::new(Arc::new(values))
    }
}

impl<T: Send + Sync + 'static> Default for Shared<T> {
    fn default() -> Shared<T> {
        Shared::from(Vec::new())
    }
}

impl<T> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} numbers", self.range.len())
    }
}

impl<T> fmt::Debug for WeakShared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} numbers of others", self.range.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_lent_numbers_is_the_same_memory() {
        let held: Arc<Vec<f64>> = Arc::new(vec![1.0, 2.0, 3.0, 4.0]);
        let all = Shared::new(held.clone());
        let part = all.part(1..4).part(1..2);
        assert_eq!(*part, [3.0]);
        assert!(std::ptr::eq(&part[0], &held[2]));
        let weak = part.downgrade();
        drop((all, part));
        assert_eq!(weak.upgrade().as_deref(), Some(&[3.0][..]));
        drop(held);
        assert!(weak.upgrade().is_none());
    }
}
