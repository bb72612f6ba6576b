//! A rule for every operation of a graph: what it is in StableHLO. The match is over the closed enum, so that a new operation
//! does not compile without its rule. Where an operand has leading axes, so has the result, and axes count behind them.

use blo_engine::graph::{NodeId, Op, Reduction};

use super::block::Value;
use super::body::{Body, Led};
use super::tables;
use crate::export::kept::Refused;

impl Body<'_, '_> {
    /// The value of a node on those of its operands.
    ///
    /// # Errors
    /// When the operation is refused.
    pub(super) fn rule(&mut self, id: NodeId) -> Result<Led, Refused> {
        let function = self.function;
        let node = function.graph().node(id);
        let shape = self.shape(id);
        if let Op::Map { body, mapped, output } = &node.op {
            return self.mapped(body, mapped, *output as usize, &node.args);
        }
        if let (Op::Broadcast(_), Some(number)) = (&node.op, node.args.first().and_then(|a| self.number(*a))) {
            return Ok((self.block.real(number, &shape), false));
        }
        match node.op {
            Op::MatMul => return Ok(self.product(node.args[0], node.args[1])),
            Op::Gather(axis) => return Ok(self.placed(&node.args, usize::from(axis), None)),
            Op::Scatter(axis) => {
                let axis = usize::from(axis);
                return Ok(self.placed(&node.args, axis, Some(shape[axis])));
            }
            _ => {}
        }
        let operands: Vec<Led> = node.args.iter().map(|a| self.value(*a)).collect();
        let led = operands.iter().any(|(_, led)| *led);
        let whole = |(value, has): Led, body: &mut Self| if has == led { value } else { body.repeated(&value) };
        let args: Vec<Value> = operands.into_iter().map(|operand| whole(operand, self)).collect();
        let lead = self.lead_of(led);
        let depth = lead.len();
        let result = [lead.as_slice(), &shape].concat();
        let sizes = self.module.sizes;
        let block = &mut self.block;
        let value = match &node.op {
            Op::Input(_) | Op::Const(_) | Op::Size(_) => unreachable!("inputs and numbers have their values"),
            Op::MatMul | Op::Gather(_) | Op::Scatter(_) | Op::Map { .. } => unreachable!("they are done"),
            Op::Iota => {
                let ty = block.real_type(&shape);
                block.iota(0, ty)
            }
            Op::Elementwise(e) => self.entry(tables::elementwise(e.entry().name), e.entry().name, &args)?,
            Op::Prox(kernel) => self.entry(tables::opaque(kernel.entry().name), kernel.entry().name, &args)?,
            Op::Transpose(perm) => {
                let perm: Vec<usize> = (0..depth).chain(perm.iter().map(|p| depth + usize::from(*p))).collect();
                block.transpose(&args[0], &perm)
            }
            Op::Reduce(how, mask) => self.reduced(*how, &axes(*mask, depth), &args[0]),
            Op::Broadcast(mask) => {
                let dims: Vec<usize> = (0..depth).chain(axes(*mask, depth)).collect();
                block.broadcast(&args[0], &dims, &result)
            }
            Op::Reshape => block.reshape(&args[0], &result),
            Op::Slice { axis, start, step } => {
                let count = shape[*axis as usize];
                let first = start.place(count, sizes).unwrap_or(0);
                block.slice(&args[0], depth + *axis as usize, first, count, *step as usize)
            }
            Op::Pad { axis, start, step } => {
                let axis = depth + *axis as usize;
                let first = start.place(args[0].shape()[axis], sizes).unwrap_or(0);
                block.pad(&args[0], axis, first, result[axis], *step as usize)
            }
            Op::Concat(axis) => block.concat(&args, depth + *axis as usize),
            Op::Conv { part, stride, padding } => {
                block.conv(*part, &args, &shape, [*stride as usize, *padding as usize])
            }
            Op::Pick(windows) => block.pick(&args, &result, *windows),
            Op::Put(windows) => block.put(&args, &result, *windows),
        };
        Ok((value, led))
    }

    fn entry(&mut self, rule: tables::Rule, name: &str, args: &[Value]) -> Result<Value, Refused> {
        let refused = |why: &str| Refused { what: format!("`{name}`"), why: why.to_owned(), node: None };
        rule.apply(&mut self.block, args).map_err(refused)
    }

    /// `[m, k] * [k, n]`; only a factor that differs between slices has leading axes.
    fn product(&mut self, a: NodeId, b: NodeId) -> Led {
        let (a, b) = (self.value(a), self.value(b));
        let depth = self.lead.len();
        let block = &mut self.block;
        let value = match (a, b) {
            ((a, false), (b, false)) => return (block.dot(&a, &b, 0, [1, 0]), false),
            ((a, true), (b, true)) => block.dot(&a, &b, depth, [depth + 1, depth]),
            ((a, true), (b, false)) => block.dot(&a, &b, 0, [depth + 1, 0]),
            ((a, false), (b, true)) => {
                // the rows of a come first, and belong behind the leading axes
                let product = block.dot(&a, &b, 0, [1, depth]);
                let perm: Vec<usize> = (1..=depth).chain([0, depth + 1]).collect();
                block.transpose(&product, &perm)
            }
        };
        (value, true)
    }

    /// Entries of an axis at positions or, where the length of the axis is given, entries added into zeros there. Positions
    /// that all slices share have no leading axes.
    fn placed(&mut self, args: &[NodeId], axis: usize, length: Option<usize>) -> Led {
        let ((array, led), (index, index_led)) = (self.value(args[0]), self.value(args[1]));
        let depth = self.lead.len();
        let array = if index_led && !led { self.repeated(&array) } else { array };
        let (shared, axis) = match (led || index_led, index_led) {
            (true, true) => (depth, axis),
            (true, false) => (0, depth + axis),
            (false, _) => (0, axis),
        };
        let value = match length {
            None => self.block.gather(&array, &index, shared, axis),
            Some(length) => self.block.scatter(&array, &index, shared, axis, length),
        };
        (value, led || index_led)
    }

    fn reduced(&mut self, how: Reduction, axes: &[usize], a: &Value) -> Value {
        let block = &mut self.block;
        match how {
            Reduction::Sum => block.sum(a, axes),
            Reduction::Max => block.largest(a, axes),
            Reduction::LogSumExp => {
                let largest = block.largest(a, axes);
                // an infinite largest entry shifts nothing
                let finite = block.finite(&largest);
                let zero = block.real(0.0, largest.shape());
                let shift = block.select(&finite, &largest, &zero);
                let kept: Vec<usize> = (0..a.rank()).filter(|i| !axes.contains(i)).collect();
                let all = block.broadcast(&shift, &kept, a.shape());
                let less = block.binary("subtract", a, &all);
                let power = block.unary("exponential", &less);
                let sum = block.sum(&power, axes);
                let log = block.unary("log", &sum);
                block.binary("add", &log, &shift)
            }
            Reduction::Norm2 => {
                let squared = block.binary("multiply", a, a);
                let sum = block.sum(&squared, axes);
                block.unary("sqrt", &sum)
            }
        }
    }
}

/// The axes in a mask, behind leading ones.
fn axes(mask: u8, depth: usize) -> Vec<usize> {
    (0..8).filter(|axis| mask >> axis & 1 == 1).map(|axis| depth + axis).collect()
}
