//! What an expression means while it is checked: an array under some comprehension loops, an index set, or an argument
//! word. The node of an array carries one leading axis per loop, outermost first, then the array's own axes.

use crate::graph::NodeId;
pub(super) use crate::model::problem::{Kind, Share};
use crate::shape::{Dim, Shape};

/// The meaning of an expression.
#[derive(Clone, Debug)]
pub(super) enum Meaning {
    /// Numbers.
    Array(LoopArray),
    /// `a..b by s`.
    Range(IndexRange),
    /// An index array with a length of its own.
    Indices(IndexArray),
    /// A list of consecutive index arrays of equal length.
    Blocks(IndexBlocks),
    /// The member of a list chosen by a loop variable.
    Member(IndexBlocks, LoopPosition),
    /// A dataset or a part of one; as a number it is its number of rows.
    Dataset(usize),
    /// Few-shot tasks.
    Episodes(usize),
    /// Their support or their query rows.
    Rows(usize, Share),
    /// One array per task or follower: `y[j]` is an array, `y` alone is not.
    Stack(LoopArray),
    /// A string.
    Text(String),
    /// `true` or `false`.
    Boolean(bool),
}

/// An array under loops.
#[derive(Clone, Debug)]
pub(super) struct LoopArray {
    /// Its node, of shape `[loops..., shape...]`.
    pub(super) node: NodeId,
    /// The loops it varies with, outermost first.
    pub(super) loops: Vec<usize>,
    /// Its own shape.
    pub(super) shape: Shape,
    /// What its numbers stand for.
    pub(super) kind: Kind,
    /// Its exact value as a size, for scalars that have one.
    pub(super) dim: Option<Dim>,
    /// Its value as a position within a loop, for subscripts.
    pub(super) position: Option<LoopPosition>,
}

impl LoopArray {
    pub(super) fn real(node: NodeId, loops: Vec<usize>, shape: Shape) -> LoopArray {
        LoopArray { node, loops, shape, kind: Kind::Real, dim: None, position: None }
    }

    pub(super) fn is_scalar(&self) -> bool {
        self.shape.is_scalar()
    }
}

/// One-based positions that a loop variable, or an affine function of it, runs through.
#[derive(Clone, Debug)]
pub(super) enum LoopPosition {
    /// `offset + stride t`, `t = 0, 1, ...` within the loop.
    Affine {
        /// The loop.
        each: usize,
        /// The first position.
        offset: Dim,
        /// The distance.
        stride: i64,
    },
    /// The entries of an index array.
    Element {
        /// The loop.
        each: usize,
        /// The index node.
        index: NodeId,
        /// No entry is above this.
        extent: Dim,
    },
}

/// One-based positions `start, start + stride, ...`.
#[derive(Clone, Debug)]
pub(super) struct IndexRange {
    /// First position.
    pub(super) start: Dim,
    /// Distance, at least 1.
    pub(super) stride: i64,
    /// Number of positions.
    pub(super) length: Dim,
}

impl IndexRange {
    /// The last position.
    pub(super) fn last(&self) -> Option<Dim> {
        self.length.sub(&Dim::constant(1))?.mul(&Dim::constant(self.stride))?.add(&self.start)
    }
}

/// An index array whose entries are known with the data.
#[derive(Clone, Debug)]
pub(super) struct IndexArray {
    /// The index node (zero-based positions).
    pub(super) index: NodeId,
    /// Its length.
    pub(super) length: Dim,
    /// No entry is above this.
    pub(super) extent: Dim,
}

/// `count` consecutive index arrays of `width` positions from `start`.
#[derive(Clone, Debug)]
pub(super) struct IndexBlocks {
    pub(super) start: Dim,
    pub(super) count: Dim,
    pub(super) width: Dim,
}

impl Meaning {
    /// What a function's body can see of an argument, its numbers aside: two calls whose arguments are alike fail alike.
    pub(super) fn likeness(&self) -> String {
        match self {
            Meaning::Array(a) | Meaning::Stack(a) => {
                format!("{} {:?} {:?} {:?} {:?}", self.describe(), a.kind, a.loops, a.dim, a.position)
            }
            other => format!("{other:?}"),
        }
    }

    /// What it is, for messages.
    pub(super) fn describe(&self) -> String {
        match self {
            Meaning::Array(a) if a.kind == Kind::Boolean => format!("a boolean array of shape {}", a.shape),
            Meaning::Array(a) if a.kind.is_label() => format!("an array of labels of shape {}", a.shape),
            Meaning::Array(a) if a.is_scalar() => "a number".into(),
            Meaning::Array(a) => format!("an array of shape {}", a.shape),
            Meaning::Range(_) => "a range".into(),
            Meaning::Indices(_) => "an index array".into(),
            Meaning::Blocks(_) => "a list of index arrays".into(),
            Meaning::Member(..) => "an index array".into(),
            Meaning::Dataset(_) => "a dataset".into(),
            Meaning::Episodes(_) => "episodes".into(),
            Meaning::Rows(..) => "the rows of episodes".into(),
            Meaning::Stack(a) => format!("a list of arrays of shape {}", Shape(a.shape.0[1..].to_vec())),
            Meaning::Text(_) => "a string".into(),
            Meaning::Boolean(_) => "true or false".into(),
        }
    }
}
