//! Groups over few elements as tapes: every operand is a slot.

use super::address::Lowering;
use super::kernel::arith;
use crate::program::limits::OPERANDS;
use crate::program::run::operand::ReadFrom;
use crate::program::run::tape::{Load, Tape, TapeOp, TapeSum};
use crate::program::scalar::Scalar;
use crate::program::schedule::item::{Fused, Group};
use crate::program::schedule::view::{Root, ValueId, View};

/// The tape of a group.
pub(super) fn lower<T: Scalar>(l: &Lowering, g: &Group) -> Tape<T> {
    let mut t = Tape { n: g.n, loads: Vec::new(), ops: Vec::new(), stores: Vec::new(), sums: Vec::new() };
    let own: Vec<ValueId> = g.ops.iter().map(Fused::out).collect();
    // What is the same to read is one slot, whatever its shape.
    let key = |view: &View| View { axes: view.collapse(), ..*view };
    let mut keys: Vec<View> = Vec::new();
    for view in g.ops.iter().flat_map(Fused::reads) {
        let inner = matches!(view.source, Root::Value(v) if own.contains(&v));
        if !inner && !keys.contains(&key(view)) {
            keys.push(key(view));
            t.loads.push(load(l, view));
        }
    }
    // The slot of each value made so far; a copy is its operand's slot.
    let mut made: Vec<(ValueId, u16)> = Vec::new();
    for op in &g.ops {
        let slot = |view: &View| match view.source {
            Root::Value(v) if own.contains(&v) => made.iter().rev().find(|m| m.0 == v).map(|m| m.1),
            _ => keys.iter().position(|k| *k == key(view)).map(|at| at as u16),
        };
        let args: Vec<u16> = op.reads().iter().map(|a| slot(a).expect("operands come first")).collect();
        let at = match op {
            Fused::Sum { length, out, .. } => {
                let (length, out) = (*length as u8, l.buffer(*out) as u32);
                t.sums.push(TapeSum { slot: args[0], length, out });
                continue;
            }
            Fused::Copy { .. } => args[0],
            Fused::Apply { f, .. } => {
                t.ops.push(match arith(*f) {
                    Some(op) => TapeOp::Arith(op, args[0], args[args.len() - 1]),
                    None => {
                        let mut padded = [0; OPERANDS];
                        padded[..args.len()].copy_from_slice(&args);
                        TapeOp::Call { block: T::block_of(f.entry()), args: padded, arity: args.len() as u8 }
                    }
                });
                (t.loads.len() + t.ops.len() - 1) as u16
            }
        };
        made.push((op.out(), at));
        if l.is_stored(op.out()) {
            t.stores.push((at, l.buffer(op.out()) as u32));
        }
    }
    t
}

fn load<T: Scalar>(l: &Lowering, view: &View) -> Load<T> {
    let place = |buffer: usize, offset: usize| (buffer as u32, u32::try_from(offset));
    match l.from(view) {
        ReadFrom::Const(value) => Load::Const(value),
        ReadFrom::Stored { buffer, offset } => match place(buffer, offset) {
            (buffer, Ok(offset)) if view.is_uniform() => Load::One { buffer, offset },
            (buffer, Ok(offset)) if view.is_contiguous() => Load::Row { buffer, offset },
            _ => Load::Strided(l.strided(view)),
        },
        ReadFrom::Iota { .. } => Load::Strided(l.strided(view)),
    }
}
