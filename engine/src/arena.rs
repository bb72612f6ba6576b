//! Memory that programs share which do not run at the same time. Most of what a large program writes nobody reads after
//! the run, so that a workspace keeps only the rest and borrows such arrays from run to run. The arena then takes what the
//! largest of the programs takes, not the sum, and pages that the system has cleared once serve all of them.
//!
//! The i-th largest array of each program is the i-th of the arena, in either precision. When a workspace goes, the arena
//! shrinks to what the others need.

use std::mem::take;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::kernel::loops::array::Lines;

/// Bytes from which an array is worth borrowing: a short one is computed with in the time that takes.
pub(crate) const WORTH: usize = 1 << 16;

/// The memory that programs of a run share. Clones are one arena; programs with one arena may run at the same time, and
/// then take more.
#[derive(Clone, Debug, Default)]
pub struct Arena(Arc<Mutex<Shared>>);

#[derive(Debug, Default)]
struct Shared {
    /// Empty where it is borrowed.
    free: Vec<Lines>,
    leases: Vec<Needs>,
    /// Leases so far.
    made: u64,
    peak: usize,
}

/// What a workspace takes, in bytes.
#[derive(Debug)]
struct Needs {
    lease: u64,
    own: usize,
    /// What it borrows, the largest first.
    borrowed: Vec<usize>,
}

/// A workspace's right to borrow.
pub(crate) struct Lease {
    arena: Arena,
    number: u64,
    /// Bytes of each array, the largest first.
    borrowed: Vec<usize>,
}

impl Arena {
    /// Bytes of all workspaces of this arena, what they share counted once.
    pub fn held_bytes(&self) -> usize {
        self.lock().held()
    }

    /// The most that [`Arena::held_bytes`] has been.
    pub fn peak_bytes(&self) -> usize {
        self.lock().peak
    }

    /// Makes room for arrays of so many bytes, the largest first; `own` is what the workspace takes beside them. `None`
    /// where the system refuses the memory.
    pub(crate) fn lease(&self, own: usize, borrowed: Vec<usize>) -> Option<Lease> {
        debug_assert!(borrowed.is_sorted_by(|a, b| a >= b), "the largest first");
        let mut shared = self.lock();
        if shared.free.len() < borrowed.len() {
            shared.free.resize_with(borrowed.len(), Lines::default);
        }
        for (lines, bytes) in shared.free.iter_mut().zip(&borrowed) {
            if lines.bytes() < *bytes && !lines.resize(*bytes) {
                return None;
            }
        }
        shared.made += 1;
        let number = shared.made;
        shared.leases.push(Needs { lease: number, own, borrowed: borrowed.clone() });
        shared.peak = shared.peak.max(shared.held());
        Some(Lease { arena: self.clone(), number, borrowed })
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    fn held(&self) -> usize {
        let own: usize = self.leases.iter().map(|needs| needs.own).sum();
        own + (0..self.free.len()).map(|i| self.needed(i)).sum::<usize>()
    }

    /// What array `i` has to hold.
    fn needed(&self, i: usize) -> usize {
        self.leases.iter().filter_map(|needs| needs.borrowed.get(i)).copied().max().unwrap_or(0)
    }
}

impl Lease {
    /// Hands out all arrays of the lease.
    pub(crate) fn borrow(&self, mut to: impl FnMut(usize, Lines)) {
        let mut shared = self.arena.lock();
        for (i, bytes) in self.borrowed.iter().enumerate() {
            let mut lines = take(&mut shared.free[i]);
            // it is short only where another program of the arena runs at the same time
            let fits = lines.bytes() >= *bytes || lines.resize(*bytes);
            assert!(fits, "cannot allocate {bytes} bytes for a program that runs beside another one");
            to(i, lines);
        }
    }

    /// Takes them back.
    pub(crate) fn give_back(&self, mut from: impl FnMut(usize) -> Lines) {
        let mut shared = self.arena.lock();
        for i in 0..self.borrowed.len() {
            let lines = from(i);
            if lines.bytes() > shared.free[i].bytes() {
                shared.free[i] = lines;
            }
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut shared = self.arena.lock();
        shared.leases.retain(|needs| needs.lease != self.number);
        for i in 0..self.borrowed.len() {
            let needed = shared.needed(i);
            if shared.free[i].bytes() > needed {
                shared.free[i].resize(needed);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arena_takes_what_its_largest_program_takes() {
        let arena = Arena::default();
        let first = arena.lease(100, vec![3 * WORTH, WORTH]).unwrap();
        assert_eq!(arena.held_bytes(), 100 + 4 * WORTH);
        let second = arena.lease(10, vec![4 * WORTH, WORTH, WORTH]).unwrap();
        assert_eq!(arena.held_bytes(), 110 + 6 * WORTH);
        drop(second);
        assert_eq!(arena.held_bytes(), 100 + 4 * WORTH);
        drop(first);
        assert_eq!((arena.held_bytes(), arena.peak_bytes()), (0, 110 + 6 * WORTH));
        assert!(arena.lock().free.iter().all(|lines| lines.bytes() == 0));
    }

    #[test]
    fn programs_that_run_at_the_same_time_have_arrays_of_their_own() {
        let arena = Arena::default();
        let leases = [WORTH, 2 * WORTH].map(|bytes| arena.lease(0, vec![bytes]).unwrap());
        let mut out: Vec<Lines> = Vec::new();
        leases.iter().for_each(|lease| lease.borrow(|_, lines| out.push(lines)));
        assert!(out[0].bytes() >= WORTH && out[1].bytes() == 2 * WORTH);
        leases.iter().for_each(|lease| lease.give_back(|_| out.pop().unwrap()));
        assert_eq!(arena.lock().free[0].bytes(), 2 * WORTH);
    }

    #[test]
    fn more_than_there_is_is_refused() {
        let arena = Arena::default();
        assert!(arena.lease(0, vec![usize::MAX / 2]).is_none());
        assert_eq!(arena.held_bytes(), 0);
    }
}
