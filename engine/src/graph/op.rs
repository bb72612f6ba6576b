//! The closed set of operations. Only the table-indexed variants (`Elementwise`, `Prox`) are open: a new function or
//! prox is a table line, never a new variant. Arrays are row-major, rank 0 to 4.

use std::sync::Arc;

use super::function::Function;
use crate::elementwise::Elementwise;
use crate::model::shape::Dim;
use crate::prox::Kernel;

/// An operation; equal operations on equal operands with equal shape are one node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// A formal input, by position.
    Input(u32),
    /// A number, by its bits.
    Const(u64),
    /// The value of a symbolic size, a scalar.
    Size(Dim),
    /// `0, 1, ..., n - 1`.
    Iota,
    /// A table function; all operands have the node's shape.
    Elementwise(Elementwise),
    /// `[m, k] * [k, n]`; operands of rank 2.
    MatMul,
    /// Axis `i` of the result is axis `perm[i]` of the operand.
    Transpose(Vec<u8>),
    /// Reduces the axes in the bit mask, which disappear.
    Reduce(Reduction, u8),
    /// Repeats the operand; its axes are the axes of the result in the bit mask, in order.
    Broadcast(u8),
    /// The same elements in row-major order with another shape.
    Reshape,
    /// Elements `start, start + step, ...` of an axis; how many is the node's shape. Zero-based.
    Slice {
        /// The axis.
        axis: u8,
        /// First element.
        start: Dim,
        /// Stride, at least 1.
        step: u32,
    },
    /// The transpose of `Slice`: zeros but for the sliced places.
    Pad {
        /// The axis.
        axis: u8,
        /// First element.
        start: Dim,
        /// Stride, at least 1.
        step: u32,
    },
    /// Operands one after the other along the axis.
    Concat(u8),
    /// `(source, index)`: the entries of an axis at zero-based positions.
    Gather(u8),
    /// `(values, index)`: adds values into zeros at zero-based positions; the transpose of `Gather`.
    Scatter(u8),
    /// A prox or projection with a kernel of its own; operands as its table entry says.
    Prox(Kernel),
    /// A function applied to each slice of the leading axis of the mapped operands; others are shared.
    Map {
        /// The body.
        body: Arc<Function>,
        /// Per operand: mapped or shared.
        mapped: Vec<bool>,
        /// Which output of the body.
        output: u32,
    },
}

/// How a reduction combines elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reduction {
    /// Sum.
    Sum,
    /// Largest element.
    Max,
    /// `log(sum(exp(.)))`, shifted by the largest element.
    LogSumExp,
    /// Euclidean norm.
    Norm2,
}

impl Op {
    /// The constant's value.
    pub fn as_const(&self) -> Option<f64> {
        match self {
            Op::Const(bits) => Some(f64::from_bits(*bits)),
            _ => None,
        }
    }

    /// A short name for listings.
    pub fn name(&self) -> String {
        match self {
            Op::Input(_) => "input".into(),
            Op::Const(bits) => format!("{}", f64::from_bits(*bits)),
            Op::Size(dim) => format!("size {dim}"),
            Op::Iota => "iota".into(),
            Op::Elementwise(e) => e.entry().name.into(),
            Op::MatMul => "matmul".into(),
            Op::Transpose(_) => "transpose".into(),
            Op::Reduce(Reduction::Sum, _) => "sum".into(),
            Op::Reduce(Reduction::Max, _) => "max".into(),
            Op::Reduce(Reduction::LogSumExp, _) => "logsumexp".into(),
            Op::Reduce(Reduction::Norm2, _) => "norm2".into(),
            Op::Broadcast(_) => "broadcast".into(),
            Op::Reshape => "reshape".into(),
            Op::Slice { start, step: 1, .. } => format!("slice from {start}"),
            Op::Slice { start, step, .. } => format!("slice from {start} by {step}"),
            Op::Pad { .. } => "pad".into(),
            Op::Concat(_) => "concat".into(),
            Op::Gather(_) => "gather".into(),
            Op::Scatter(_) => "scatter".into(),
            Op::Prox(kernel) => kernel.entry().name.into(),
            Op::Map { body, .. } => format!("map {}", body.name),
        }
    }
}
