//! Fused groups over at most 16 elements. Blocks would cost more to set up than to compute, so each operand is an array
//! whose length the compiler knows, in a slot: a single number takes about 2 ns per operation, ten numbers 4 ns.

use super::item::{Fused, Group};
use super::lower::{Lowering, arith};
use super::memory::Memory;
use super::operand::{From, Strided};
use super::scalar::Scalar;
use super::step::OPERANDS;
use super::view::{Source, ValueId, View};
use crate::kernel::block::Arith;
use crate::kernel::precision::BlockFn;
use crate::kernel::reduce;

/// Most elements of a tape.
pub(super) const WIDTH: usize = 16;

/// Most operations of a tape; slots are counted in 16 bits.
pub(super) const OPERATIONS: usize = 4096;

/// Loads fill the first slots, each operation the next one; then results are stored.
pub(crate) struct Tape<T: Scalar> {
    n: usize,
    loads: Vec<Load<T>>,
    ops: Vec<TapeOp<T>>,
    /// Slot and buffer.
    stores: Vec<(u16, u32)>,
    sums: Vec<TapeSum>,
}

enum Load<T: Scalar> {
    Const(T),
    /// One number, repeated.
    One {
        buffer: u32,
        offset: u32,
    },
    Row {
        buffer: u32,
        offset: u32,
    },
    Strided(Strided<T>),
}

/// An operation; operands are slots.
enum TapeOp<T> {
    Arith(Arith, u16, u16),
    Call { block: BlockFn<T>, args: [u16; OPERANDS], arity: u8 },
}

/// Sums of runs of a slot.
struct TapeSum {
    slot: u16,
    length: u8,
    out: u32,
}

impl<T: Scalar> Tape<T> {
    pub(super) fn lower(l: &Lowering, g: &Group) -> Tape<T> {
        let mut t = Tape { n: g.n, loads: Vec::new(), ops: Vec::new(), stores: Vec::new(), sums: Vec::new() };
        let own: Vec<ValueId> = g.ops.iter().map(Fused::out).collect();
        // What is the same to read is one slot, whatever its shape.
        let key = |view: &View| View { axes: view.collapse(), ..*view };
        let mut keys: Vec<View> = Vec::new();
        for view in g.ops.iter().flat_map(Fused::reads) {
            let inner = matches!(view.source, Source::Value(v) if own.contains(&v));
            if !inner && !keys.contains(&key(view)) {
                keys.push(key(view));
                t.loads.push(load(l, view));
            }
        }
        // The slot of each value made so far; a copy is its operand's slot.
        let mut made: Vec<(ValueId, u16)> = Vec::new();
        for op in &g.ops {
            let slot = |view: &View| match view.source {
                Source::Value(v) if own.contains(&v) => made.iter().rev().find(|m| m.0 == v).map(|m| m.1),
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

    /// Numbers that its slots take.
    pub(super) fn numbers(&self) -> usize {
        (self.loads.len() + self.ops.len()) * self.n
    }

    pub(super) fn run(&self, memory: &mut Memory<T>, slots: &mut [T]) {
        macro_rules! widths {
            ($($n:literal)*) => {
                match self.n {
                    0 => {}
                    $($n => self.run_width::<$n>(memory, slots.as_chunks_mut().0),)*
                    _ => unreachable!("longer groups are loops"),
                }
            };
        }
        widths!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16);
    }

    #[inline(always)]
    fn run_width<const N: usize>(&self, memory: &mut Memory<T>, slots: &mut [[T; N]]) {
        for (slot, load) in slots.iter_mut().zip(&self.loads) {
            match load {
                Load::Const(value) => *slot = [*value; N],
                Load::One { buffer, offset } => *slot = [memory.array(*buffer as usize)[*offset as usize]; N],
                Load::Row { buffer, offset } => {
                    *slot = *memory.array(*buffer as usize)[*offset as usize..].first_chunk().expect("n elements");
                }
                Load::Strided(from) => from.load(slot, memory, 0),
            }
        }
        for (op, next) in self.ops.iter().zip(self.loads.len()..) {
            match op {
                TapeOp::Arith(op, a, b) => {
                    let (a, b) = (&slots[*a as usize], &slots[*b as usize]);
                    slots[next] = match op {
                        Arith::Add => std::array::from_fn(|i| a[i] + b[i]),
                        Arith::Sub => std::array::from_fn(|i| a[i] - b[i]),
                        Arith::Mul => std::array::from_fn(|i| a[i] * b[i]),
                        Arith::Div => std::array::from_fn(|i| a[i] / b[i]),
                        Arith::Neg => a.map(|a| -a),
                        Arith::Copy => *a,
                    };
                }
                TapeOp::Call { block, args, arity } => {
                    let mut out = [T::default(); N];
                    let args: [&[T]; OPERANDS] = args.map(|a| &slots[a as usize][..]);
                    block(&mut out, &args[..*arity as usize]);
                    slots[next] = out;
                }
            }
        }
        for (slot, buffer) in &self.stores {
            *memory.own[*buffer as usize].first_chunk_mut().expect("n elements") = slots[*slot as usize];
        }
        for s in &self.sums {
            let out = &mut memory.own[s.out as usize];
            for (o, run) in out.iter_mut().zip(slots[s.slot as usize].chunks_exact(s.length as usize)) {
                *o = reduce::sum_block(run);
            }
        }
    }
}

fn load<T: Scalar>(l: &Lowering, view: &View) -> Load<T> {
    let place = |buffer: usize, offset: usize| (buffer as u32, u32::try_from(offset));
    match l.from(view) {
        From::Const(value) => Load::Const(value),
        From::Stored { buffer, offset } => match place(buffer, offset) {
            (buffer, Ok(offset)) if view.is_uniform() => Load::One { buffer, offset },
            (buffer, Ok(offset)) if view.is_contiguous() => Load::Row { buffer, offset },
            _ => Load::Strided(l.strided(view)),
        },
        From::Iota { .. } => Load::Strided(l.strided(view)),
    }
}
