//! Fused loops: blocks of all operands go through all operations, on one thread or on several.

use std::mem::take;
use std::ops;

use super::execute::write;
use super::memory::Memory;
use super::step::{FusedLoop, Micro, UniformAs, UniformFrom};
use super::workspace::Workspace;
use crate::kernel::loops::array::Array;
use crate::kernel::loops::block::reciprocal;
use crate::kernel::loops::frame::{Frame, Table};
use crate::kernel::reduce;
use crate::program::limits::{GROUP, OPERANDS};
use crate::program::scalar::Scalar;
use crate::stop::StopToken;

/// Element operations from which a fused loop is worth a second thread.
const PARALLEL: usize = 1 << 18;

/// Runs a loop.
pub(super) fn fused<T: Scalar>(l: &FusedLoop<T>, ws: &mut Workspace<T>, threads: usize) {
    if l.n == 0 {
        return;
    }
    for (u, value) in l.uniforms.iter().zip(&mut ws.numbers) {
        let number = match u.from {
            UniformFrom::Const(c) => c,
            UniformFrom::Stored { buffer, offset } => ws.memory.array(buffer)[offset],
        };
        *value = match u.as_what {
            UniformAs::Itself => number,
            UniformAs::Negative => -number,
            UniformAs::Reciprocal => reciprocal(number).unwrap_or(T::from_f64(f64::NAN)),
        };
    }
    for b in l.outs.iter().copied().chain(l.sums.iter().map(|s| s.partial.unwrap_or(s.out))) {
        ws.taken.push(take(&mut ws.memory.own[b]));
    }
    let per_row = l.row.div_ceil(l.span);
    let blocks = l.n / l.row * per_row;
    let (outs, sums) = ws.taken.split_at_mut(l.outs.len());
    let (memory, stop) = (&ws.memory, ws.stop.as_ref());
    let (table, tables) = ws.tables.split_first_mut().expect("a table per thread");
    let (registers, others) = ws.registers.split_first_mut().expect("registers per thread");
    let frame = frame(l, memory, &ws.numbers, outs, (table, registers));
    if threads > 1 && l.n * l.work >= PARALLEL {
        let length = |k: usize| if l.sums[k].partial.is_some() { blocks } else { l.n / l.sums[k].length };
        let mut sums = slices(sums, length);
        let chunk = Chunk { l, memory, stop, frame, sums: &mut sums, blocks: 0..blocks, per_row };
        split(chunk, (tables, others), threads);
    } else {
        Chunk { l, memory, stop, frame, sums, blocks: 0..blocks, per_row }.run();
    }
    for b in l.sums.iter().map(|s| s.partial.unwrap_or(s.out)).rev() {
        ws.memory.own[b] = ws.taken.pop().expect("as many as were taken");
    }
    for b in l.outs.iter().rev() {
        ws.memory.own[*b] = ws.taken.pop().expect("as many as were taken");
    }
    for s in &l.sums {
        if let Some(partial) = s.partial {
            write(ws, s.out, l.n / s.length, |out, ws| {
                for (o, p) in out.iter_mut().zip(ws.memory.own[partial].chunks(per_row)) {
                    *o = reduce::pairwise(p);
                }
            });
        }
    }
}

/// The operands of a loop.
fn frame<'a, T: Scalar>(
    l: &FusedLoop<T>,
    memory: &'a Memory<T>,
    numbers: &'a [T],
    outs: &'a mut [Array<T>],
    (table, registers): (&'a mut Table<T>, &'a mut [T]),
) -> Frame<'a, T> {
    let mut frame = Frame::new(table, l.n, l.span.min(l.n));
    for (buffer, offset) in &l.reads {
        frame.read(&memory.array(*buffer)[*offset..*offset + l.n]);
    }
    for out in outs {
        frame.write(&mut out[..l.n]);
    }
    frame.registers(registers, l.registers);
    frame.numbers(&numbers[..l.uniforms.len()]);
    frame
}

type Slices<'a, T> = [&'a mut [T]; GROUP];

fn slices<T: Scalar>(from: &mut [Array<T>], n: impl Fn(usize) -> usize) -> Slices<'_, T> {
    let mut all: Slices<T> = std::array::from_fn(|_| Default::default());
    for (k, (slice, v)) in all.iter_mut().zip(from).enumerate() {
        *slice = &mut v[..n(k)];
    }
    all
}

/// Some blocks of a loop, with the parts of the results that belong to them.
struct Chunk<'a, 's, T: Scalar, S> {
    l: &'a FusedLoop<T>,
    memory: &'a Memory<T>,
    stop: Option<&'a StopToken>,
    /// The operands from the first of the blocks on.
    frame: Frame<'a, T>,
    /// Block sums, or sums of runs where a block holds whole runs.
    sums: &'s mut [S],
    blocks: ops::Range<usize>,
    per_row: usize,
}

/// Halves the blocks until there is a chunk per thread.
fn split<'a, T: Scalar>(
    mut chunk: Chunk<'a, '_, T, &mut [T]>,
    (tables, registers): (&'a mut [Table<T>], &'a mut [Array<T>]),
    threads: usize,
) {
    if threads < 2 || chunk.blocks.len() < 2 {
        return chunk.run();
    }
    let Chunk { l, memory, stop, per_row, .. } = chunk;
    let first = threads / 2;
    let (start, end) = (chunk.blocks.start, chunk.blocks.end);
    let middle = start + (end - start) * first / threads;
    let at = chunk.start(middle) - chunk.start(start);
    let (low_tables, high_tables) = tables.split_at_mut(first - 1);
    let (low_registers, high_registers) = registers.split_at_mut(first - 1);
    let (table, high_tables) = high_tables.split_first_mut().expect("a table per thread");
    let (own, high_registers) = high_registers.split_first_mut().expect("registers per thread");
    let frame = chunk.frame.split_at(at, table, own);
    let mut sums: Slices<T> = std::array::from_fn(|_| Default::default());
    for ((low, high), s) in chunk.sums.iter_mut().zip(&mut sums).zip(&l.sums) {
        let at = if s.partial.is_some() { middle - start } else { at / s.length };
        (*low, *high) = take(low).split_at_mut(at);
    }
    chunk.blocks.end = middle;
    let high = Chunk { l, memory, stop, frame, sums: &mut sums, blocks: middle..end, per_row };
    rayon::join(
        || split(chunk, (low_tables, low_registers), first),
        || split(high, (high_tables, high_registers), threads - first),
    );
}

impl<T: Scalar, S: Default + ops::DerefMut<Target = [T]>> Chunk<'_, '_, T, S> {
    /// The first element of a block.
    #[inline]
    fn start(&self, block: usize) -> usize {
        block / self.per_row * self.l.row + block % self.per_row * self.l.span
    }

    fn run(mut self) {
        let l = self.l;
        let uniforms = l.places() - l.uniforms.len();
        if !l.filled.is_empty() {
            self.frame.go_to(0, l.span.min(self.own_elements()));
            for (register, u) in &l.filled {
                self.frame.apply(*register, |out, others| out.fill(others.block(uniforms + *u)[0]));
            }
        }
        let base = self.start(self.blocks.start);
        for b in self.blocks.clone() {
            if self.stop.is_some_and(StopToken::is_set) {
                return;
            }
            let start = self.start(b);
            self.frame.go_to(start - base, l.span.min(l.row - start % l.row));
            self.block(start - base, start, b);
        }
    }

    /// Elements of the blocks of this chunk.
    fn own_elements(&self) -> usize {
        self.start(self.blocks.end).min(self.l.n) - self.start(self.blocks.start)
    }

    /// All operations on a block, which begins at `own` of the chunk and at `start` of the whole loop, and is number `b`.
    #[inline]
    fn block(&mut self, own: usize, start: usize, b: usize) {
        for op in &self.l.ops {
            match op {
                Micro::Arith { run, dest, args: [i, j, k, m, o] } => self.frame.apply(*dest, |out, x| {
                    run.run(out, [x.block(*i), x.block(*j), x.block(*k), x.block(*m), x.block(*o)]);
                }),
                Micro::Divide(d) => {
                    let one = self.frame.block(d.reciprocal)[0];
                    let (run, [i, j, k, m, o]) = if one.not_a_number() { &d.exact } else { &d.fast };
                    self.frame.apply(d.dest, |out, x| {
                        run.run(out, [x.block(*i), x.block(*j), x.block(*k), x.block(*m), x.block(*o)]);
                    });
                }
                Micro::Call { block, dest, args: [i, j, k, m], arity } => self.frame.apply(*dest, |out, x| {
                    let args: [&[T]; OPERANDS] = [x.block(*i), x.block(*j), x.block(*k), x.block(*m)];
                    block(out, &args[..*arity]);
                }),
                Micro::Copy { dest, arg } => self.frame.apply(*dest, |out, x| out.copy_from_slice(x.block(*arg))),
                Micro::Load { dest, from } => {
                    let memory = self.memory;
                    self.frame.apply(*dest, |out, _| from.load(out, memory, start));
                }
                Micro::Sum { sum, arg } => self.sum(*sum, *arg, own, b),
            }
        }
    }

    #[inline]
    fn sum(&mut self, sum: usize, arg: usize, own: usize, b: usize) {
        let x = self.frame.block(arg);
        let (s, out) = (&self.l.sums[sum], &mut self.sums[sum]);
        if s.partial.is_some() {
            out[b - self.blocks.start] = reduce::sum_block(x);
        } else {
            let first = own / s.length;
            for (o, run) in out[first..].iter_mut().zip(x.chunks_exact(s.length)) {
                *o = reduce::sum_block(run);
            }
        }
    }
}
