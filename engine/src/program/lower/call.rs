//! Kernel calls as instructions.

use super::address::Lowering;
use super::kernel::{factor, reduction};
use crate::program::limits::PROX_OPERANDS;
use crate::program::run::operand::{ArrayRange, Copied};
use crate::program::run::step::{Map, MapInput, Step};
use crate::program::scalar::Scalar;
use crate::program::schedule::item::{Call, MapOperand, Part, What};
use crate::program::schedule::view::{View, count};

impl Lowering<'_> {
    /// The instruction of a call.
    pub(super) fn call<T: Scalar>(&self, c: Call) -> Step<T> {
        let out = self.buffer(c.outs[0]);
        let n = count(&self.shapes[c.outs[0]]);
        let args = &c.args;
        match c.what {
            What::MatMul => {
                let (m, k, columns) = (args[0].axes[0].0, args[0].axes[1].0, args[1].axes[1].0);
                Step::MatMul { a: self.matrix(&args[0]), b: self.matrix(&args[1]), out, m, k, n: columns }
            }
            What::SumMiddle { outer, length, inner } => {
                Step::SumMiddle { source: self.range(&args[0]), out, outer, length, inner }
            }
            What::Rows { how, length } => {
                Step::Rows { reduce: reduction(how), source: self.range(&args[0]), out, rows: n, length }
            }
            What::Gather { axis, inner, index } => {
                let index = self.inputs[index].buffer;
                Step::Gather { source: self.range(&args[0]), index, out, axis, inner, n }
            }
            What::Scatter { axis, inner, index } => {
                let index = self.inputs[index].buffer;
                Step::Scatter { source: self.range(&args[0]), index, out, axis, inner, n }
            }
            What::Place { parts, zero } => {
                let part = |(p, view): (&Part, &View)| Copied {
                    from: self.from(view),
                    to: p.offset,
                    axes: join(view.axes.iter().zip(&p.strides).map(|((n, read), write)| (*n, *read, *write))),
                };
                Step::Place { parts: parts.iter().zip(args).map(part).collect(), out, n, zero }
            }
            What::Conv { part, geometry } => {
                Step::Conv { factor: factor(part), geometry, args: self.pair(args), out, n }
            }
            What::Pick(pool) => Step::Pick { pool, args: self.pair(args), out, n },
            What::Put(pool) => Step::Put { pool, args: self.pair(args), out, n },
            What::Prox(kernel) => {
                assert!(args.len() <= PROX_OPERANDS, "{} has too many operands", kernel.entry().name);
                let memo = kernel.entry().remembers.then_some(c.outs[0]);
                Step::Prox {
                    apply: T::prox_of(kernel),
                    args: args.iter().map(|a| self.range(a)).collect(),
                    out,
                    n,
                    memo,
                }
            }
            What::Map { body, lead, operands } => {
                let mut swapped = Vec::new();
                let operands = operands.iter().map(|o| self.operand(o, args, lead, &mut swapped)).collect();
                let outs = c.outs.iter().map(|v| (self.buffer(*v), count(&self.shapes[*v][1..]))).collect();
                Step::Map(Map { body, lead, operands, outs })
            }
        }
    }

    fn pair(&self, args: &[View]) -> [ArrayRange; 2] {
        [self.range(&args[0]), self.range(&args[1])]
    }

    fn operand(&self, o: &MapOperand, args: &[View], lead: usize, swapped: &mut Vec<usize>) -> MapInput {
        match *o {
            MapOperand::Real { arg, mapped: true, .. } => MapInput::Slices(self.range(&args[arg])),
            MapOperand::Real { arg, lent: true, .. } => MapInput::Lent { buffer: self.range(&args[arg]).buffer },
            MapOperand::Real { arg, .. } => {
                let range = self.range(&args[arg]);
                if range.offset > 0 || range.buffer >= self.own || swapped.contains(&range.buffer) {
                    return MapInput::Shared(range);
                }
                swapped.push(range.buffer);
                MapInput::Swapped { buffer: range.buffer }
            }
            MapOperand::Index { position, mapped } => {
                let slot = &self.inputs[position];
                match mapped {
                    true => MapInput::IndexSlices { index: slot.buffer, len: count(&slot.shape) / lead.max(1) },
                    false => MapInput::IndexShared { index: slot.buffer },
                }
            }
        }
    }
}

/// Joins neighbouring axes that one pair of strides serves, dropping those of length one.
fn join(axes: impl Iterator<Item = (usize, usize, usize)>) -> Vec<(usize, usize, usize)> {
    let mut joined: Vec<(usize, usize, usize)> = Vec::new();
    for (n, read, write) in axes.filter(|a| a.0 != 1) {
        match joined.last_mut() {
            Some(o) if o.1 == n * read && o.2 == n * write => *o = (o.0 * n, read, write),
            _ => joined.push((n, read, write)),
        }
    }
    joined
}
