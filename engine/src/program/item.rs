//! What the schedule is made of: values, and the items that compute them in order.

use super::program::Program;
use super::scalar::Scalar;
use super::view::{ValueId, View};
use crate::elementwise::Elementwise;
use crate::graph::{ConvPart, NodeId, Reduction};
use crate::kernel::columns::Geometry;
use crate::kernel::pool::Pool;
use crate::opaque::Kernel;

/// Most operations of a group over more than one element: each may need a register block, and all should fit in L1.
pub(super) const GROUP: usize = 24;

/// When an item runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Phase {
    /// After a change of an invariant input.
    Prologue,
    /// After a change of the state from outside: what is carried from one run to the next.
    Fill,
    /// In every run.
    Body,
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    Input(usize),
    /// Computed by the run before, or by the fill.
    Carried,
    Item(Phase, usize),
}

/// An array of the program.
#[derive(Clone, Debug)]
pub(super) struct Value {
    pub(super) shape: Vec<usize>,
    pub(super) origin: Origin,
    /// The node whose value it is, for listings.
    pub(super) node: NodeId,
    /// False while only its own group reads it.
    pub(super) stored: bool,
    /// True for what is swapped away between runs, an output or the next value of what is carried, and for what the
    /// fill leaves: it has a buffer that nothing else is put into.
    pub(super) kept: bool,
}

/// A value that outlives a run.
#[derive(Clone, Debug)]
pub(super) struct Carried {
    /// What the body reads.
    pub(super) current: ValueId,
    /// What the fill makes, in the buffer of `current`.
    pub(super) filled: ValueId,
    /// What the body makes; its buffer is swapped with that of `current`.
    pub(super) next: ValueId,
}

/// An operation of a fused group.
#[derive(Clone, Debug)]
pub(super) enum Fused {
    Apply {
        f: Elementwise,
        args: Vec<View>,
        out: ValueId,
    },
    Copy {
        arg: View,
        out: ValueId,
    },
    /// Sums runs of `length` elements.
    Sum {
        arg: View,
        length: usize,
        out: ValueId,
    },
}

/// A fused loop over `n` elements.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) n: usize,
    /// The run length that its sums agree on.
    pub(super) run: Option<usize>,
    pub(super) ops: Vec<Fused>,
}

/// A strided write of a view into part of an array.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) offset: usize,
    pub(super) strides: Vec<usize>,
}

/// What a kernel call does.
pub(super) enum What<T: Scalar> {
    MatMul,
    /// Sums the middle of `[outer, length, inner]`.
    SumMiddle {
        outer: usize,
        length: usize,
        inner: usize,
    },
    /// Reduces runs of `length`.
    Rows {
        how: Reduction,
        length: usize,
    },
    Gather {
        axis: usize,
        inner: usize,
        index: usize,
    },
    Scatter {
        axis: usize,
        inner: usize,
        index: usize,
    },
    /// Writes each operand into its part; zeros elsewhere when `zero`.
    Place {
        parts: Vec<Part>,
        zero: bool,
    },
    Conv {
        part: ConvPart,
        geometry: Geometry,
    },
    Pick(Pool),
    Put(Pool),
    Prox(Kernel),
    Map {
        body: Box<Program<T>>,
        lead: usize,
        operands: Vec<MapOperand>,
    },
}

/// How an operand reaches the body of a Map.
#[derive(Clone, Copy, Debug)]
pub(super) enum MapOperand {
    /// Real operand number `arg` of the call, sliced when `mapped`; `lent` to the body when it is lent to the program.
    Real { arg: usize, mapped: bool, lent: bool },
    /// The index input at `position`.
    Index { position: usize, mapped: bool },
}

/// A kernel call; operands are contiguous but for `MatMul` (rows or columns contiguous) and `Place` (any view).
pub(super) struct Call<T: Scalar> {
    pub(super) what: What<T>,
    pub(super) args: Vec<View>,
    pub(super) outs: Vec<ValueId>,
}

pub(super) enum Item<T: Scalar> {
    Group(Group),
    Call(Call<T>),
}

/// Everything in order.
pub(super) struct Schedule<T: Scalar> {
    pub(super) values: Vec<Value>,
    pub(super) prologue: Vec<Item<T>>,
    pub(super) fill: Vec<Item<T>>,
    pub(super) body: Vec<Item<T>>,
    /// The value of each real input.
    pub(super) inputs: Vec<Option<ValueId>>,
    /// Values of inputs that take no memory.
    pub(super) unread: Vec<ValueId>,
    /// Values of inputs that the caller lends.
    pub(super) lent: Vec<ValueId>,
    /// The value of each output.
    pub(super) outputs: Vec<ValueId>,
    pub(super) carried: Vec<Carried>,
    /// Per input: what is carried depends on it.
    pub(super) fills: Vec<bool>,
    /// Per index input: positions must be below.
    pub(super) bounds: Vec<usize>,
}

impl<T: Scalar> Schedule<T> {
    /// All items in the order of their phases.
    pub(super) fn items(&self) -> impl Iterator<Item = (&Item<T>, Phase)> {
        let prologue = self.prologue.iter().map(|i| (i, Phase::Prologue));
        let fill = self.fill.iter().map(|i| (i, Phase::Fill));
        prologue.chain(fill).chain(self.body.iter().map(|i| (i, Phase::Body)))
    }
}

impl Fused {
    /// The views it reads.
    pub(super) fn reads(&self) -> &[View] {
        match self {
            Fused::Apply { args, .. } => args,
            Fused::Copy { arg, .. } | Fused::Sum { arg, .. } => std::slice::from_ref(arg),
        }
    }

    /// The value it makes.
    pub(super) fn out(&self) -> ValueId {
        match self {
            Fused::Apply { out, .. } | Fused::Copy { out, .. } | Fused::Sum { out, .. } => *out,
        }
    }
}
