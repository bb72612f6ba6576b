//! Where the values of a schedule lie in memory.

use crate::program::run::Slot;
use crate::program::run::operand::{ArrayRange, MatrixRange, ReadFrom, Strided};
use crate::program::scalar::Scalar;
use crate::program::schedule::view::{Root, ValueId, View};

/// What is known of the values of a schedule.
pub(super) struct Lowering<'a> {
    pub(super) shapes: Vec<Vec<usize>>,
    pub(super) stored: Vec<bool>,
    pub(super) of: Vec<Option<usize>>,
    /// Buffers from here on are lent.
    pub(super) own: usize,
    pub(super) inputs: &'a [Slot],
}

impl Lowering<'_> {
    pub(super) fn buffer(&self, v: ValueId) -> usize {
        self.of[v].expect("a value read from memory is stored")
    }

    pub(super) fn range(&self, view: &View) -> ArrayRange {
        let Root::Value(v) = view.source else { unreachable!("kernel operands are arrays") };
        ArrayRange { buffer: self.buffer(v), offset: view.offset, len: view.count() }
    }

    pub(super) fn from<T: Scalar>(&self, view: &View) -> ReadFrom<T> {
        match view.source {
            Root::Value(v) => ReadFrom::Stored { buffer: self.buffer(v), offset: view.offset },
            Root::Const(bits) => ReadFrom::Const(T::from_f64(f64::from_bits(bits))),
            Root::Iota => ReadFrom::Iota { offset: view.offset },
        }
    }

    pub(super) fn strided<T: Scalar>(&self, view: &View) -> Strided<T> {
        Strided { from: self.from(view), axes: view.collapse() }
    }

    pub(super) fn is_stored(&self, v: ValueId) -> bool {
        self.stored[v]
    }

    pub(super) fn matrix(&self, view: &View) -> MatrixRange {
        let [(m, row), (k, column)] = view.axes[..] else { unreachable!("MatMul has operands of rank 2") };
        let ArrayRange { buffer, offset, .. } = self.range(view);
        let by_columns = m > 1 && k > 1 && column != 1;
        let contiguous = view.is_contiguous();
        let stride = if contiguous {
            k
        } else if by_columns {
            column
        } else {
            row
        };
        MatrixRange { buffer, offset, stride: stride.max(1), by_columns: by_columns && !contiguous }
    }
}
