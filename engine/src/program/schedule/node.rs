//! Each operation as a view, an operation of a group, or a kernel call.

use super::builder::Builder;
use super::item::{Fused, Part, What};
use super::view::{Root, View, count};
use crate::graph::{Elem, NodeId, Op, Reduction};
use crate::kernel::columns::Geometry;
use crate::kernel::pool::Pool;
use crate::program::section::Section;
use crate::shape::{Rational, SizeError};

impl Builder<'_> {
    pub(super) fn node(&mut self, id: NodeId) -> Result<(), SizeError> {
        let (f, sizes) = (self.f, self.sizes);
        let node = f.graph().node(id);
        let shape = node.shape.sizes(sizes)?;
        let section = self.section_of(id);
        let args: Vec<View> = match node.op {
            Op::Map { .. } => Vec::new(),
            _ => node.args.iter().filter(|a| f.graph().node(**a).elem == Elem::Real).map(|a| self.view(*a)).collect(),
        };
        let view = match &node.op {
            Op::Input(_) => unreachable!("inputs come first and are not scheduled"),
            Op::Const(bits) => View::constant(f64::from_bits(*bits)),
            Op::Size(dim) => View::constant(ratio(dim.value(sizes)?)),
            Op::Iota => View::dense(Root::Iota, &shape),
            Op::Broadcast(mask) => args[0].broadcast(*mask, &shape),
            Op::Transpose(perm) => args[0].permute(perm),
            Op::Reshape => self.reshape(section, &args[0], &shape, id),
            Op::Slice { axis, start, step } => {
                let (axis, start, step) = (*axis as usize, start.place(shape[*axis as usize], sizes)?, *step as usize);
                let last = start + shape[axis].saturating_sub(1) * step;
                assert!(shape[axis] == 0 || last < args[0].axes[axis].0, "a slice stays within its axis");
                args[0].slice(axis, start, step, shape[axis])
            }
            Op::Elementwise(e) => {
                let out = self.fuse(
                    section,
                    count(&shape),
                    None,
                    id,
                    shape.clone(),
                    |out| Fused::Apply { f: *e, args: args.clone(), out },
                    &args,
                );
                View::dense(Root::Value(out), &shape)
            }
            Op::Reduce(how, mask) => self.reduce(section, id, *how, *mask, &args[0], shape),
            Op::MatMul => {
                let (rows, columns) = (args[0].axes[0].0, args[1].axes[1].0);
                let a = self.matrix(section, &args[0], rows == 1, id);
                let b = self.matrix(section, &args[1], columns == 1, id);
                self.call(section, What::MatMul, vec![a, b], id, shape)
            }
            Op::Pad { .. } | Op::Concat(_) => self.placed(section, args, id, shape)?,
            Op::Gather(axis) => {
                let source = self.dense(section, &args[0], id);
                let index = self.index(node.args[1], source.axes[*axis as usize].0);
                let (length, inner) = around(&source.shape(), *axis);
                self.call(section, What::Gather { axis: length, inner, index }, vec![source], id, shape)
            }
            Op::Scatter(axis) => {
                let values = self.dense(section, &args[0], id);
                let (length, inner) = around(&shape, *axis);
                let index = self.index(node.args[1], length);
                self.call(section, What::Scatter { axis: length, inner, index }, vec![values], id, shape)
            }
            Op::Conv { .. } | Op::Pick(_) | Op::Put(_) => self.windows(section, &args, id, shape),
            Op::Prox(kernel) => {
                let args = args.iter().map(|a| self.dense(section, a, id)).collect();
                self.call(section, What::Prox(*kernel), args, id, shape)
            }
            Op::Map { .. } => return self.map(section, id),
        };
        self.views[id.0 as usize] = Some(view);
        Ok(())
    }

    /// Operands written into parts of an array.
    fn placed(&mut self, section: Section, args: Vec<View>, id: NodeId, shape: Vec<usize>) -> Result<View, SizeError> {
        let full = View::dense(Root::Iota, &shape);
        let strides: Vec<usize> = full.axes.iter().map(|a| a.1).collect();
        let (parts, zero) = match self.f.graph().op(id) {
            Op::Pad { axis, start, step } => {
                let axis = *axis as usize;
                let few = args[0].axes[axis].0;
                let places = full.slice(axis, start.place(few, self.sizes)?, *step as usize, few);
                let part = Part { offset: places.offset, strides: places.axes.iter().map(|a| a.1).collect() };
                (vec![part], true)
            }
            Op::Concat(axis) => {
                let axis = *axis as usize;
                let starts = args.iter().scan(0, |start, a| {
                    let here = *start;
                    *start += a.axes[axis].0;
                    Some(here)
                });
                let part = |start: usize| Part { offset: start * strides[axis], strides: strides.clone() };
                (starts.map(part).collect(), false)
            }
            _ => unreachable!("called for pads and concatenations"),
        };
        Ok(self.call(section, What::Place { parts, zero }, args, id, shape))
    }

    /// Convolutions and the largest entries of windows.
    fn windows(&mut self, section: Section, args: &[View], id: NodeId, shape: Vec<usize>) -> View {
        let what = match self.f.graph().op(id) {
            Op::Conv { part, stride, padding } => {
                let mut of = [&shape[..]; 3];
                let operands: Vec<Vec<usize>> = args.iter().map(View::shape).collect();
                for (other, operand) in part.others().iter().zip(&operands) {
                    of[*other as usize] = operand;
                }
                let geometry = Geometry::new(of[0], of[1], of[2], *stride as usize, *padding as usize);
                What::Conv { part: *part, geometry }
            }
            Op::Pick(w) => What::Pick(Pool::new(&args[0].shape(), &shape, w.size as usize, w.stride as usize)),
            Op::Put(w) => What::Put(Pool::new(&shape, &args[1].shape(), w.size as usize, w.stride as usize)),
            _ => unreachable!("called for operations on windows"),
        };
        let args = args.iter().map(|a| self.dense(section, a, id)).collect();
        self.call(section, what, args, id, shape)
    }

    /// The position of an index input, its bound lowered to the axis it points into.
    pub(super) fn index(&mut self, id: NodeId, length: usize) -> usize {
        let position = self.f.input_position(id).expect("an index operand is an input");
        self.s.bounds[position] = self.s.bounds[position].min(length);
        position
    }

    fn reshape(&mut self, section: Section, view: &View, shape: &[usize], id: NodeId) -> View {
        match view.reshape(shape) {
            Some(view) => view,
            None => {
                let dense = self.dense(section, view, id);
                dense.reshape(shape).expect("a contiguous array has every shape")
            }
        }
    }

    fn reduce(
        &mut self,
        section: Section,
        id: NodeId,
        how: Reduction,
        mask: u8,
        arg: &View,
        shape: Vec<usize>,
    ) -> View {
        let rank = arg.axes.len();
        let reduced = |i: usize| mask >> i & 1 == 1;
        let lengths = arg.shape();
        let length: usize = (0..rank).filter(|i| reduced(*i)).map(|i| lengths[i]).product();
        let last = (0..rank).rev().find(|i| reduced(*i) && lengths[*i] != 1);
        let inner: usize = last.map_or(1, |last| lengths[last + 1..].iter().product());
        // Sums over leading or middle axes add whole rows; other reductions, and scattered axes, are brought to the end.
        let first = (0..rank).find(|i| reduced(*i) && lengths[*i] != 1).unwrap_or(0);
        let together = last.is_none_or(|last| (first..=last).all(|i| reduced(i) || lengths[i] == 1));
        if how == Reduction::Sum && inner > 1 && together && length > 1 && arg.count() > 0 {
            let outer = arg.count() / length / inner;
            let source = self.dense(section, arg, id);
            return self.call(section, What::SumMiddle { outer, length, inner }, vec![source], id, shape);
        }
        let mut order: Vec<u8> = (0..rank as u8).filter(|i| !reduced(*i as usize)).collect();
        order.extend((0..rank as u8).filter(|i| reduced(*i as usize)));
        let arg = arg.permute(&order);
        if how != Reduction::Sum {
            let source = self.dense(section, &arg, id);
            return self.call(section, What::Rows { how, length }, vec![source], id, shape);
        }
        if length == 0 {
            return View::constant(0.0).broadcast(0, &shape);
        }
        if length == 1 {
            return self.reshape(section, &arg, &shape, id);
        }
        let op = arg.clone();
        let sum = |out| Fused::Sum { arg: op, length, out };
        let out = self.fuse(section, arg.count(), Some(length), id, shape.clone(), sum, &[arg]);
        View::dense(Root::Value(out), &shape)
    }
}

/// The length of an axis and the elements per place on it.
fn around(shape: &[usize], axis: u8) -> (usize, usize) {
    let axis = axis as usize;
    (shape[axis], shape[axis + 1..].iter().product())
}

fn ratio(value: Rational) -> f64 {
    *value.numer() as f64 / *value.denom() as f64
}
