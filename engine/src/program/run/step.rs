//! The instructions of a compiled program: plain data with every offset, stride and function pointer resolved, so that
//! the loop in `run` only dispatches.

use super::operand::{ArrayRange, Copied, MatrixRange, Strided};
use super::tape::Tape;
use crate::kernel::columns::Geometry;
use crate::kernel::conv::Factor;
use crate::kernel::loops::block::Loop;
use crate::kernel::pool::Pool;
use crate::kernel::precision::{BlockFn, Precision, RowsFn};
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
        reduce: RowsFn<T>,
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

/// A fused loop over `n` elements in blocks. Operands are places of a [`Frame`](crate::kernel::loops::frame::Frame): what it
/// reads, what it writes, registers, single numbers, in this order.
pub(crate) struct FusedLoop<T: Precision> {
    pub(crate) n: usize,
    /// Elements per block.
    pub(crate) span: usize,
    /// Blocks never cross a multiple of this.
    pub(crate) row: usize,
    /// Buffers that are read element by element, and from which on.
    pub(crate) reads: Vec<(usize, usize)>,
    /// Buffers written in full.
    pub(crate) outs: Vec<usize>,
    /// Number of block registers.
    pub(crate) registers: usize,
    pub(crate) uniforms: Vec<Uniform<T>>,
    pub(crate) ops: Vec<Micro<T, usize>>,
    /// Element operations per element.
    pub(crate) work: usize,
    pub(crate) sums: Vec<SumOut>,
    /// Registers that hold a uniform operand throughout: the place of the register, and the uniform.
    pub(crate) filled: Vec<(usize, usize)>,
}

impl<T: Precision> FusedLoop<T> {
    /// Number of places.
    pub(crate) fn places(&self) -> usize {
        self.reads.len() + self.outs.len() + self.registers + self.uniforms.len()
    }
}

/// An operand that is the same for all elements.
pub(crate) struct Uniform<T> {
    pub(crate) from: UniformFrom<T>,
    pub(crate) as_what: UniformAs,
}

/// Where a uniform operand is.
pub(crate) enum UniformFrom<T> {
    Const(T),
    Stored { buffer: usize, offset: usize },
}

/// What is taken of a uniform operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UniformAs {
    Itself,
    /// What is subtracted is added with the other sign.
    Negative,
    /// What divides, if multiplying will do; else NaN.
    Reciprocal,
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

/// An operation on blocks; `P` says where an operand or a result is.
pub(crate) enum Micro<T: Precision, P> {
    Arith { run: Loop<T>, dest: P, args: [P; 5] },
    Divide(Box<Divide<T, P>>),
    Call { block: BlockFn<T>, dest: P, args: [P; OPERANDS], arity: usize },
    Copy { dest: P, arg: P },
    Load { dest: P, from: Strided<T> },
    Sum { sum: usize, arg: P },
}

/// One or two operators that divide by a number: `fast` multiplies by its reciprocal where there is one.
pub(crate) struct Divide<T: Precision, P> {
    pub(crate) dest: P,
    pub(crate) reciprocal: P,
    pub(crate) fast: (Loop<T>, [P; 5]),
    pub(crate) exact: (Loop<T>, [P; 5]),
}

impl<T: Precision, P: Copy> Micro<T, P> {
    /// The operation with places of another kind.
    pub(crate) fn map<Q>(self, f: impl Fn(P) -> Q) -> Micro<T, Q> {
        match self {
            Micro::Arith { run, dest, args } => Micro::Arith { run, dest: f(dest), args: args.map(f) },
            Micro::Divide(d) => Micro::Divide(Box::new(Divide {
                dest: f(d.dest),
                reciprocal: f(d.reciprocal),
                fast: (d.fast.0, d.fast.1.map(&f)),
                exact: (d.exact.0, d.exact.1.map(&f)),
            })),
            Micro::Call { block, dest, args, arity } => Micro::Call { block, dest: f(dest), args: args.map(f), arity },
            Micro::Copy { dest, arg } => Micro::Copy { dest: f(dest), arg: f(arg) },
            Micro::Load { dest, from } => Micro::Load { dest: f(dest), from },
            Micro::Sum { sum, arg } => Micro::Sum { sum, arg: f(arg) },
        }
    }
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
