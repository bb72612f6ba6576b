//! What the schedule is made of: values, and the items that compute them in order.

use super::view::{ValueId, View};
use crate::elementwise::Elementwise;
use crate::graph::{ConvPart, Function, NodeId, Reduction};
use crate::kernel::columns::Geometry;
use crate::kernel::pool::Pool;
use crate::opaque::Kernel;
use crate::program::role::Role;
use crate::program::section::Section;

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::program) enum Maker {
    Input(usize),
    /// Computed by the run before, or by the fill.
    Carried,
    Item(Section, usize),
}

/// An array of the program.
#[derive(Clone, Debug)]
pub(in crate::program) struct ProgramValue {
    pub(in crate::program) shape: Vec<usize>,
    pub(in crate::program) maker: Maker,
    /// The node whose value it is, for listings.
    pub(in crate::program) node: NodeId,
    /// False while only its own group reads it.
    pub(in crate::program) stored: bool,
    /// True for what is swapped away between runs, an output or the next value of what is carried, and for what the
    /// fill leaves: it has a buffer that nothing else is put into.
    pub(in crate::program) kept: bool,
}

/// A value that outlives a run.
#[derive(Clone, Debug)]
pub(in crate::program) struct CarriedValue {
    /// What the body reads.
    pub(in crate::program) current: ValueId,
    /// What the fill makes, in the buffer of `current`.
    pub(in crate::program) filled: ValueId,
    /// What the body makes; its buffer is swapped with that of `current`.
    pub(in crate::program) next: ValueId,
}

/// An operation of a fused group.
#[derive(Clone, Debug)]
pub(in crate::program) enum Fused {
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
pub(in crate::program) struct Group {
    pub(in crate::program) n: usize,
    /// The run length that its sums agree on.
    pub(in crate::program) run: Option<usize>,
    pub(in crate::program) ops: Vec<Fused>,
}

/// A strided write of a view into part of an array.
#[derive(Clone, Debug)]
pub(in crate::program) struct Part {
    pub(in crate::program) offset: usize,
    pub(in crate::program) strides: Vec<usize>,
}

/// What a kernel call does.
pub(in crate::program) enum What {
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
        /// Among the bodies of the schedule.
        body: usize,
        lead: usize,
        operands: Vec<MapOperand>,
    },
}

/// How an operand reaches the body of a Map.
#[derive(Clone, Copy, Debug)]
pub(in crate::program) enum MapOperand {
    /// Real operand number `arg` of the call, sliced when `mapped`; `lent` to the body when it is lent to the program.
    Real { arg: usize, mapped: bool, lent: bool },
    /// The index input at `position`.
    Index { position: usize, mapped: bool },
}

/// A kernel call; operands are contiguous but for `MatMul` (rows or columns contiguous) and `Place` (any view).
pub(in crate::program) struct Call {
    pub(in crate::program) what: What,
    pub(in crate::program) args: Vec<View>,
    pub(in crate::program) outs: Vec<ValueId>,
}

pub(in crate::program) enum Item {
    Group(Group),
    Call(Call),
}

/// Everything in order.
#[derive(Default)]
pub(in crate::program) struct Schedule {
    pub(in crate::program) values: Vec<ProgramValue>,
    pub(in crate::program) prologue: Vec<Item>,
    pub(in crate::program) fill: Vec<Item>,
    pub(in crate::program) body: Vec<Item>,
    /// The value of each real input.
    pub(in crate::program) inputs: Vec<Option<ValueId>>,
    /// Values of inputs that take no memory.
    pub(in crate::program) unread: Vec<ValueId>,
    /// Values of inputs that the caller lends.
    pub(in crate::program) lent: Vec<ValueId>,
    /// The value of each output.
    pub(in crate::program) outputs: Vec<ValueId>,
    pub(in crate::program) carried: Vec<CarriedValue>,
    /// Per input: what is carried depends on it.
    pub(in crate::program) fills: Vec<bool>,
    /// Per index input: positions must be below.
    pub(in crate::program) bounds: Vec<usize>,
    /// The bodies of Maps.
    pub(in crate::program) bodies: Vec<MapBody>,
}

/// What a Map runs per slice.
pub(in crate::program) struct MapBody {
    pub(in crate::program) function: Function,
    pub(in crate::program) roles: Vec<Role>,
    pub(in crate::program) schedule: Schedule,
}

impl Item {
    /// The views it reads.
    pub(in crate::program) fn reads(&self) -> Box<dyn Iterator<Item = &View> + '_> {
        match self {
            Item::Group(g) => Box::new(g.ops.iter().flat_map(|op| op.reads())),
            Item::Call(c) => Box::new(c.args.iter()),
        }
    }

    /// The values it makes, stored or not.
    pub(in crate::program) fn writes(&self) -> Vec<ValueId> {
        match self {
            Item::Group(g) => g.ops.iter().map(|op| op.out()).collect(),
            Item::Call(c) => c.outs.clone(),
        }
    }
}

impl Schedule {
    /// All items in the order of their phases.
    pub(in crate::program) fn items(&self) -> impl Iterator<Item = (&Item, Section)> {
        let prologue = self.prologue.iter().map(|i| (i, Section::Prologue));
        let fill = self.fill.iter().map(|i| (i, Section::Fill));
        prologue.chain(fill).chain(self.body.iter().map(|i| (i, Section::Body)))
    }
}

impl Fused {
    /// The views it reads.
    pub(in crate::program) fn reads(&self) -> &[View] {
        match self {
            Fused::Apply { args, .. } => args,
            Fused::Copy { arg, .. } | Fused::Sum { arg, .. } => std::slice::from_ref(arg),
        }
    }

    /// The value it makes.
    pub(in crate::program) fn out(&self) -> ValueId {
        match self {
            Fused::Apply { out, .. } | Fused::Copy { out, .. } | Fused::Sum { out, .. } => *out,
        }
    }
}
