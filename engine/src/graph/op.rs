//! The closed set of operations. Only the table-indexed variants (`Elementwise`, `Prox`) are open: a new function or
//! prox is a table line, never a new variant. Arrays are row-major, rank 0 to 4.

use std::sync::Arc;

use super::function::Function;
use crate::elementwise::Elementwise;
use crate::opaque::Kernel;
use crate::shape::Dim;

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
    /// The transpose of `Slice`: zeros except at the sliced places.
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
    /// One of the three derivatives of a convolution's trilinear form; operands are the other two arrays, in the order of
    /// [`ConvPart`].
    Conv {
        /// The array that results.
        part: ConvPart,
        /// Distance between windows, at least 1.
        stride: u32,
        /// Zeros around every image.
        padding: u32,
    },
    /// `(key, values)`, both `[m, h, w]`: of every window of the key its largest entry's place, and what `values` has
    /// there. `Pick(u, u)` is the maximum.
    Pick(Windows),
    /// `(key, values)`, `[m, h, w]` and one value per window: the transpose of `Pick`, adding each value into zeros at the
    /// place of the largest entry of its window of the key.
    Put(Windows),
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

/// The arrays of the form `T(u, W, v) = sum(v[i,o,p,q] W[o,c,a,b] u[i, c, p*stride + a - padding, q*stride + b - padding])`,
/// zero outside of the images. Each is the derivative of T in itself, a bilinear map of the other two; so a convolution
/// and everything that differentiation makes of it are these three.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConvPart {
    /// `u`, images `[i, c, h, w]`; of `(W, v)` the transposed convolution.
    Image,
    /// `W`, kernels `[o, c, a, b]`; of `(u, v)` the correlation of images and outputs.
    Kernel,
    /// `v`, outputs `[i, o, p, q]`; of `(u, W)` the convolution.
    Output,
}

impl ConvPart {
    /// The other two, in order: the operands of the operation.
    pub fn others(self) -> [ConvPart; 2] {
        match self {
            ConvPart::Image => [ConvPart::Kernel, ConvPart::Output],
            ConvPart::Kernel => [ConvPart::Image, ConvPart::Output],
            ConvPart::Output => [ConvPart::Image, ConvPart::Kernel],
        }
    }
}

/// Square windows on images `[h, w]`, the first at the corner; what does not fill a window is in none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Windows {
    /// Rows and columns of a window, at least 1.
    pub size: u32,
    /// Distance between windows, at least 1.
    pub stride: u32,
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

/// The place of a zero-based start as the language counts it.
fn first(start: &Dim) -> String {
    start.add(&Dim::constant(1)).map_or_else(|| format!("{start} + 1"), |d| d.to_string())
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
            Op::Slice { start, step: 1, .. } => format!("slice from {}", first(start)),
            Op::Slice { start, step, .. } => format!("slice from {} by {step}", first(start)),
            Op::Pad { .. } => "pad".into(),
            Op::Concat(_) => "concat".into(),
            Op::Gather(_) => "gather".into(),
            Op::Scatter(_) => "scatter".into(),
            Op::Conv { part: ConvPart::Output, .. } => "conv".into(),
            Op::Conv { part: ConvPart::Image, .. } => "conv transposed".into(),
            Op::Conv { part: ConvPart::Kernel, .. } => "conv correlated".into(),
            Op::Pick(_) => "pick".into(),
            Op::Put(_) => "put".into(),
            Op::Prox(kernel) => kernel.entry().name.into(),
            Op::Map { body, .. } => format!("map {}", body.name),
        }
    }
}
