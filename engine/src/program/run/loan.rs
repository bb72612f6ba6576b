//! What a workspace borrows from an [`Arena`] while its program runs: the arrays that hold nothing between runs.

use super::memory::Memory;
use super::program::Program;
use super::workspace::{OutOfMemory, Workspace};
use crate::arena::{Arena, Lease, WORTH};
use crate::kernel::loops::array::{Array, Lines};
use crate::program::scalar::Scalar;

/// The arrays that a workspace borrows, and its right to them.
pub(super) struct Loans {
    lease: Lease,
    /// The largest first.
    loans: Vec<Loan>,
}

/// An array that is borrowed.
struct Loan {
    /// The way to the body of a Map that it belongs to.
    maps: Vec<usize>,
    buffer: usize,
    len: usize,
}

impl Loans {
    pub(super) fn of<T: Scalar>(program: &Program<T>, arena: &Arena) -> Result<Loans, OutOfMemory> {
        let bytes = |loan: &Loan| loan.len * size_of::<T>();
        let mut loans = program.loans();
        loans.retain(|loan| bytes(loan) >= WORTH);
        loans.sort_by_key(|loan| std::cmp::Reverse(loan.len));
        let total = program.memory_bytes();
        let own = total - loans.iter().map(|loan| bytes(loan) as u128).sum::<u128>();
        let rounded = loans.iter().map(|loan| Lines::rounded(bytes(loan))).collect();
        let lease = arena.lease(own as usize, rounded).ok_or(OutOfMemory { bytes: total })?;
        Ok(Loans { lease, loans })
    }

    /// Whether a buffer is borrowed.
    pub(super) fn holds(&self, maps: &[usize], buffer: usize) -> bool {
        self.loans.iter().any(|loan| loan.buffer == buffer && loan.maps == maps)
    }
}

impl<T: Scalar> Program<T> {
    /// Arrays that hold nothing between runs. A body of a Map gets all that it reads in each run of its program.
    fn loans(&self) -> Vec<Loan> {
        let loan = |buffer: usize| Loan { maps: Vec::new(), buffer, len: self.buffers[buffer] };
        let mut loans: Vec<Loan> = self.transient.iter().copied().map(loan).collect();
        for (i, body) in self.bodies.iter().enumerate() {
            let kept = (0..body.buffers.len()).filter(|buffer| !body.transient.contains(buffer));
            let kept = kept.map(|buffer| Loan { maps: Vec::new(), buffer, len: body.buffers[buffer] });
            for mut loan in kept.chain(body.loans()) {
                loan.maps.insert(0, i);
                loans.push(loan);
            }
        }
        loans
    }
}

impl<T: Scalar> Workspace<T> {
    /// Takes what only a run needs out of the arena.
    #[inline]
    pub(super) fn borrow(&mut self) {
        let Workspace { loans, memory, maps, .. } = self;
        let Some(Loans { lease, loans }) = loans.as_ref().filter(|l| !l.loans.is_empty()) else { return };
        lease.borrow(|i, lines| *array(&loans[i], memory, maps) = Array::within(lines, loans[i].len));
    }

    /// Puts it back.
    #[inline]
    pub(super) fn give_back(&mut self) {
        let Workspace { loans, memory, maps, .. } = self;
        let Some(Loans { lease, loans }) = loans.as_ref().filter(|l| !l.loans.is_empty()) else { return };
        lease.give_back(|i| std::mem::take(array(&loans[i], memory, maps)).into_lines());
    }
}

/// Where a borrowed array goes.
fn array<'w, T: Scalar>(
    loan: &Loan,
    mut memory: &'w mut Memory<T>,
    mut maps: &'w mut [Workspace<T>],
) -> &'w mut Array<T> {
    for i in &loan.maps {
        let Workspace { memory: own, maps: inner, .. } = &mut maps[*i];
        (memory, maps) = (own, inner);
    }
    &mut memory.own[loan.buffer]
}
