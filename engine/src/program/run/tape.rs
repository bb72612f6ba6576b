//! Fused groups over at most 16 elements. Blocks would cost more to set up than to compute, so each operand is an array
//! whose length the compiler knows, in a slot: a single number takes about 2 ns per operation, ten numbers 4 ns.

use super::memory::Memory;
use super::operand::Strided;
use crate::kernel::loops::block::Arith;
use crate::kernel::precision::{BlockFn, Precision};
use crate::kernel::reduce;
use crate::program::limits::OPERANDS;

/// Loads fill the first slots, each operation the next one; then results are stored.
pub(crate) struct Tape<T: Precision> {
    pub(in crate::program) n: usize,
    pub(in crate::program) loads: Vec<Load<T>>,
    pub(in crate::program) ops: Vec<TapeOp<T>>,
    /// Slot and buffer.
    pub(in crate::program) stores: Vec<(u16, u32)>,
    pub(in crate::program) sums: Vec<TapeSum>,
}

pub(in crate::program) enum Load<T: Precision> {
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
pub(in crate::program) enum TapeOp<T> {
    Arith(Arith, u16, u16),
    Call { block: BlockFn<T>, args: [u16; OPERANDS], arity: u8 },
}

/// Sums of runs of a slot.
pub(in crate::program) struct TapeSum {
    pub(in crate::program) slot: u16,
    pub(in crate::program) length: u8,
    pub(in crate::program) out: u32,
}

impl<T: Precision> Tape<T> {
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
                    let each = match op {
                        Arith::Add => each(a, b, |a, b| a + b),
                        Arith::Sub => each(a, b, |a, b| a - b),
                        Arith::Mul => each(a, b, |a, b| a * b),
                        Arith::Div => each(a, b, |a, b| a / b),
                        Arith::Neg => each(a, b, |a, _| -a),
                    };
                    slots[next] = each;
                }
                TapeOp::Call { block, args: [i, j, k, m], arity } => {
                    let mut out = [T::default(); N];
                    let slot = |at: &u16| &slots[*at as usize][..];
                    let args: [&[T]; OPERANDS] = [slot(i), slot(j), slot(k), slot(m)];
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

/// A loop, since the compiler leaves `array::from_fn` a call per element where this is one of many operators.
#[inline(always)]
fn each<T: Precision, const N: usize>(a: &[T; N], b: &[T; N], f: impl Fn(T, T) -> T) -> [T; N] {
    let mut out = [T::default(); N];
    for i in 0..N {
        out[i] = f(a[i], b[i]);
    }
    out
}
