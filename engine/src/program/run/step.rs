//! The instructions of a compiled program: plain data with every offset, stride and function pointer resolved, so that
//! the loop in `run` only dispatches.

use super::operand::{ArrayRange, Copied, MatrixRange, Strided};
use super::tape::Tape;
use crate::kernel::block::Arith;
use crate::kernel::columns::Geometry;
use crate::kernel::conv::Factor;
use crate::kernel::pool::Pool;
use crate::kernel::precision::{BlockFn, Precision};
use crate::program::limits::OPERANDS;

/// One instruction.
pub(crate) enum Step<T: Precision> {
    Tape(Tape<T>),
    Loop(FusedLoop<T>),
    MatMul {
        a: MatrixRange,
        b: MatrixRange,
        out: usize,
        m: usize,
        k: usize,
        n: usize,
    },
    SumMiddle {
        source: ArrayRange,
        out: usize,
        outer: usize,
        length: usize,
        inner: usize,
    },
    Rows {
        reduce: fn(&[T]) -> T,
        source: ArrayRange,
        out: usize,
        rows: usize,
        length: usize,
    },
    Gather {
        source: ArrayRange,
        index: usize,
        out: usize,
        axis: usize,
        inner: usize,
        n: usize,
    },
    Scatter {
        source: ArrayRange,
        index: usize,
        out: usize,
        axis: usize,
        inner: usize,
        n: usize,
    },
    Place {
        parts: Vec<Copied<T>>,
        out: usize,
        n: usize,
        zero: bool,
    },
    Conv {
        factor: Factor,
        geometry: Geometry,
        args: [ArrayRange; 2],
        out: usize,
        n: usize,
    },
    Pick {
        pool: Pool,
        args: [ArrayRange; 2],
        out: usize,
        n: usize,
    },
    Put {
        pool: Pool,
        args: [ArrayRange; 2],
        out: usize,
        n: usize,
    },
    /// `memo`: the value's number, where the last operands and their result are kept.
    Prox {
        apply: BlockFn<T>,
        args: Vec<ArrayRange>,
        out: usize,
        n: usize,
        memo: Option<usize>,
    },
    Map(Map),
}

/// A fused loop over `n` elements in blocks.
pub(crate) struct FusedLoop<T: Precision> {
    pub(crate) n: usize,
    /// Elements per block.
    pub(crate) span: usize,
    /// Blocks never cross a multiple of this.
    pub(crate) row: usize,
    pub(crate) uniforms: Vec<Uniform<T>>,
    pub(crate) ops: Vec<Micro<T>>,
    /// Buffers written in full.
    pub(crate) outs: Vec<usize>,
    pub(crate) sums: Vec<SumOut>,
    /// Number of block registers.
    pub(crate) registers: usize,
    /// Registers that hold a uniform operand throughout: register and uniform.
    pub(crate) filled: Vec<(usize, usize)>,
}

/// An operand that is the same for all elements.
pub(crate) enum Uniform<T> {
    Const(T),
    Stored { buffer: usize, offset: usize },
}

/// Where a sum goes.
pub(crate) struct SumOut {
    /// The buffer of the result.
    pub(crate) out: usize,
    /// The buffer of block sums, where a run has several blocks.
    pub(crate) partial: Option<usize>,
    /// Elements per run.
    pub(crate) length: usize,
}

/// A block operand.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Arg {
    Register(usize),
    /// What this loop wrote to an output.
    Out(usize),
    /// A buffer, element by element from the offset.
    Stored {
        buffer: usize,
        offset: usize,
    },
    Uniform(usize),
}

/// A block result.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Dest {
    Register(usize),
    Out(usize),
}

/// An operation on blocks.
pub(crate) enum Micro<T: Precision> {
    Arith { op: Arith, dest: Dest, a: Arg, b: Arg },
    Call { block: BlockFn<T>, dest: Dest, args: [Arg; OPERANDS], arity: usize },
    Load { dest: Dest, from: Strided<T> },
    Sum { sum: usize, arg: Arg },
}

/// A sub-program run per slice.
pub(crate) struct Map {
    /// Among the bodies of the program.
    pub(crate) body: usize,
    pub(crate) lead: usize,
    /// Per formal of the body: where it comes from.
    pub(crate) operands: Vec<MapInput>,
    /// Buffer and slice length per output.
    pub(crate) outs: Vec<(usize, usize)>,
}

/// An operand of a Map.
#[derive(Clone, Copy, Debug)]
pub(crate) enum MapInput {
    /// Copied slice by slice.
    Slices(ArrayRange),
    /// Copied once per run.
    Shared(ArrayRange),
    /// A whole buffer, which the body has while it runs.
    Swapped { buffer: usize },
    /// What is lent to the program is lent to the body.
    Lent { buffer: usize },
    /// Positions, by index buffer and slice length.
    IndexSlices { index: usize, len: usize },
    /// Positions, copied once per run.
    IndexShared { index: usize },
}
