//! One method per operation: each computes the shape of the result, so that callers write formulas.

use std::sync::Arc;

use super::function::Function;
use super::graph::{Graph, NodeId};
use super::op::{ConvPart, Op, Reduction, Windows};
use crate::elementwise;
use crate::shape::{Dim, Shape};

impl Graph {
    /// Sum of two operands.
    pub fn add(&mut self, a: NodeId, b: NodeId) -> NodeId {
        self.elementwise(elementwise::ADD, &[a, b])
    }

    /// Difference.
    pub fn sub(&mut self, a: NodeId, b: NodeId) -> NodeId {
        self.elementwise(elementwise::SUB, &[a, b])
    }

    /// Elementwise product.
    pub fn mul(&mut self, a: NodeId, b: NodeId) -> NodeId {
        self.elementwise(elementwise::MUL, &[a, b])
    }

    /// Elementwise quotient.
    pub fn div(&mut self, a: NodeId, b: NodeId) -> NodeId {
        self.elementwise(elementwise::DIV, &[a, b])
    }

    /// Negative.
    pub fn neg(&mut self, a: NodeId) -> NodeId {
        self.elementwise(elementwise::NEG, &[a])
    }

    /// Product with a number.
    pub fn scale(&mut self, factor: f64, a: NodeId) -> NodeId {
        let c = self.constant(factor);
        self.mul(c, a)
    }

    /// Matrix product of rank-2 operands.
    pub fn matmul(&mut self, a: NodeId, b: NodeId) -> NodeId {
        let (sa, sb) = (self.shape(a), self.shape(b));
        debug_assert!(sa.rank() == 2 && sb.rank() == 2 && sa.0[1] == sb.0[0], "matmul {sa} {sb}");
        let shape = Shape(vec![sa.0[0].clone(), sb.0[1].clone()]);
        self.push(Op::MatMul, vec![a, b], shape)
    }

    /// Permutes axes.
    pub fn permute(&mut self, a: NodeId, perm: &[u8]) -> NodeId {
        let shape = Shape(perm.iter().map(|p| self.shape(a).0[*p as usize].clone()).collect());
        self.push(Op::Transpose(perm.to_vec()), vec![a], shape)
    }

    /// The transpose of a rank-2 operand.
    pub fn transpose(&mut self, a: NodeId) -> NodeId {
        self.permute(a, &[1, 0])
    }

    /// Reduces the axes in the mask.
    pub fn reduce(&mut self, how: Reduction, a: NodeId, axes: u8) -> NodeId {
        let kept = self.shape(a).0.iter().enumerate().filter(|(i, _)| axes >> i & 1 == 0).map(|(_, d)| d.clone());
        let shape = Shape(kept.collect());
        self.push(Op::Reduce(how, axes), vec![a], shape)
    }

    /// Sums over the axes in the mask.
    pub fn sum(&mut self, a: NodeId, axes: u8) -> NodeId {
        self.reduce(Reduction::Sum, a, axes)
    }

    /// Sums everything.
    pub fn sum_all(&mut self, a: NodeId) -> NodeId {
        let axes = all_axes(self.shape(a));
        self.sum(a, axes)
    }

    /// Repeats `a` so that its axes are the axes of `shape` in the mask.
    pub fn broadcast(&mut self, a: NodeId, axes: u8, shape: &Shape) -> NodeId {
        debug_assert_eq!(self.shape(a).0, kept_dims(shape, axes), "broadcast axes");
        self.push(Op::Broadcast(axes), vec![a], shape.clone())
    }

    /// The same elements with another shape.
    pub fn reshape(&mut self, a: NodeId, shape: &Shape) -> NodeId {
        debug_assert_eq!(self.shape(a).count(), shape.count(), "reshape {} to {shape}", self.shape(a));
        self.push(Op::Reshape, vec![a], shape.clone())
    }

    /// `length` elements of an axis from `start` (zero-based) by `step`.
    pub fn slice(&mut self, a: NodeId, axis: usize, start: &Dim, step: u32, length: &Dim) -> NodeId {
        let mut shape = self.shape(a).clone();
        shape.0[axis] = length.clone();
        self.push(Op::Slice { axis: axis as u8, start: start.clone(), step }, vec![a], shape)
    }

    /// Zeros of `length` along the axis except at the places `start, start + step, ...`, which hold `a`.
    pub fn pad(&mut self, a: NodeId, axis: usize, start: &Dim, step: u32, length: &Dim) -> NodeId {
        let mut shape = self.shape(a).clone();
        shape.0[axis] = length.clone();
        self.push(Op::Pad { axis: axis as u8, start: start.clone(), step }, vec![a], shape)
    }

    /// Operands one after the other along an axis.
    pub fn concat(&mut self, parts: &[NodeId], axis: usize) -> NodeId {
        let mut shape = self.shape(parts[0]).clone();
        for p in &parts[1..] {
            let d = self.shape(*p).0[axis].clone();
            shape.0[axis] = shape.0[axis].add(&d).unwrap_or(d);
        }
        self.push(Op::Concat(axis as u8), parts.to_vec(), shape)
    }

    /// Entries of an axis at the positions of a rank-1 index node.
    pub fn gather(&mut self, a: NodeId, index: NodeId, axis: usize) -> NodeId {
        let mut shape = self.shape(a).clone();
        shape.0[axis] = self.shape(index).0[0].clone();
        self.push(Op::Gather(axis as u8), vec![a, index], shape)
    }

    /// Adds `a` into zeros of `length` along an axis at the positions of an index node.
    pub fn scatter(&mut self, a: NodeId, index: NodeId, axis: usize, length: &Dim) -> NodeId {
        let mut shape = self.shape(a).clone();
        shape.0[axis] = length.clone();
        self.push(Op::Scatter(axis as u8), vec![a, index], shape)
    }

    /// A part of a convolution's form from the other two, in their order; its shape does not follow from theirs.
    pub fn conv(&mut self, part: ConvPart, stride: u32, padding: u32, operands: [NodeId; 2], shape: &Shape) -> NodeId {
        self.push(Op::Conv { part, stride, padding }, operands.to_vec(), shape.clone())
    }

    /// What `values` has at the largest entry of each window of `key`, both `[m, h, w]`; `counts` are the numbers of
    /// windows down and across.
    pub fn pick(&mut self, windows: Windows, key: NodeId, values: NodeId, counts: [Dim; 2]) -> NodeId {
        let mut shape = vec![self.shape(key).0[0].clone()];
        shape.extend(counts);
        self.push(Op::Pick(windows), vec![key, values], Shape(shape))
    }

    /// Adds a value per window into zeros at the largest entry of that window of `key`.
    pub fn put(&mut self, windows: Windows, key: NodeId, values: NodeId) -> NodeId {
        let shape = self.shape(key).clone();
        self.push(Op::Put(windows), vec![key, values], shape)
    }

    /// One output of a function mapped over the leading axis of the operands marked in `mapped`.
    pub fn map(&mut self, body: &Arc<Function>, mapped: &[bool], output: usize, args: &[NodeId]) -> NodeId {
        let lead = args.iter().zip(mapped).find(|(_, m)| **m).map(|(a, _)| self.shape(*a).0[0].clone());
        let mut shape = vec![lead.expect("a Map has at least one mapped operand")];
        shape.extend(body.output_shape(output).0.iter().cloned());
        let op = Op::Map { body: body.clone(), mapped: mapped.to_vec(), output: output as u32 };
        self.push(op, args.to_vec(), Shape(shape))
    }

    /// The Euclidean norm of all entries.
    pub fn norm2(&mut self, v: NodeId) -> NodeId {
        if self.shape(v).is_scalar() {
            return self.elementwise(elementwise::ABS, &[v]);
        }
        let axes = all_axes(self.shape(v));
        self.reduce(Reduction::Norm2, v, axes)
    }

    /// `min(max(v, lo), hi)`; an end that is known to be infinite costs nothing.
    ///
    /// Reverse mode gives the projection's Jacobian: 1 for an entry strictly inside, 0 for one outside, and an outside
    /// entry's derivative goes to the end that holds it.
    pub fn clip(&mut self, v: NodeId, lo: NodeId, hi: NodeId) -> NodeId {
        let mut y = v;
        if self.as_const(lo) != Some(f64::NEG_INFINITY) {
            y = self.elementwise(elementwise::MAX, &[y, lo]);
        }
        if self.as_const(hi) != Some(f64::INFINITY) {
            y = self.elementwise(elementwise::MIN, &[y, hi]);
        }
        y
    }
}

/// The mask of all axes of a shape.
pub fn all_axes(shape: &Shape) -> u8 {
    ((1u16 << shape.rank()) - 1) as u8
}

fn kept_dims(shape: &Shape, axes: u8) -> Vec<Dim> {
    shape.0.iter().enumerate().filter(|(i, _)| axes >> i & 1 == 1).map(|(_, d)| d.clone()).collect()
}
