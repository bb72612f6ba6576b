//! The instruction loop. A step takes the buffers it writes out of the workspace, reads the others, and puts them back.

use std::mem::{swap, take};
use std::ops;

use super::memo::Memo;
use super::memory::Memory;
use super::program::Program;
use super::step::{Arg, Dest, FusedLoop, Map, MapInput, Micro, Step, Uniform};
use super::workspace::Workspace;
use crate::kernel::block::{self, Operand};
use crate::kernel::{conv, dense, layout, reduce};
use crate::profile::{Clock, Timed};
use crate::program::limits::{GROUP, OPERANDS, PROX_OPERANDS};
use crate::program::scalar::Scalar;
use crate::stop::StopToken;

/// Element operations from which a fused loop is worth a second thread.
const PARALLEL: usize = 1 << 18;

impl<T: Scalar> Program<T> {
    /// Computes what depends on invariant inputs only: after one of them has changed.
    pub fn prologue(&self, ws: &mut Workspace<T>) {
        self.prologue_with(ws, &mut |_| ());
    }

    /// Computes the outputs. Does not fail, and after the first run does not allocate (but for packing inside faer). A
    /// run that its token ends leaves outputs that mean nothing.
    pub fn run(&self, ws: &mut Workspace<T>) {
        self.run_with(ws, &mut |_| ());
    }

    /// [`Program::prologue`], which adds the times of its instructions.
    pub fn timed_prologue(&self, ws: &mut Workspace<T>, times: &mut Timed, clock: Clock) {
        self.prologue_with(ws, &mut stopwatch(times, clock));
    }

    /// [`Program::run`], which adds the times of its instructions.
    pub fn timed_run(&self, ws: &mut Workspace<T>, times: &mut Timed, clock: Clock) {
        self.run_with(ws, &mut stopwatch(times, clock));
    }

    /// `after` is told the number of every instruction that has run; where it does nothing it costs nothing.
    fn prologue_with(&self, ws: &mut Workspace<T>, after: &mut impl FnMut(usize)) {
        (ws.stale, ws.unprepared) = (true, false);
        for (i, step) in self.steps[..self.prologue].iter().enumerate() {
            if ws.is_stopped() {
                ws.unprepared = true;
                return;
            }
            self.step(step, ws);
            after(i);
        }
    }

    fn run_with(&self, ws: &mut Workspace<T>, after: &mut impl FnMut(usize)) {
        if ws.unprepared {
            self.prologue_with(ws, after);
        }
        let first = if take(&mut ws.stale) { self.prologue } else { self.filled };
        for (i, step) in self.steps[first..].iter().enumerate() {
            if ws.is_stopped() {
                ws.stale = true;
                return;
            }
            self.step(step, ws);
            after(first + i);
        }
    }

    fn step(&self, step: &Step<T>, ws: &mut Workspace<T>) {
        match step {
            Step::Tape(t) => t.run(&mut ws.memory, &mut ws.numbers),
            Step::Loop(l) => fused(l, ws, self.threads),
            Step::MatMul { a, b, out, m, k, n } => write(ws, *out, m * n, |o, ws| {
                dense::matmul(o, a.of(&ws.memory), b.of(&ws.memory), [*m, *k, *n], self.threads);
            }),
            Step::SumMiddle { source, out, outer, length, inner } => write(ws, *out, outer * inner, |o, ws| {
                reduce::sum_middle(o, source.of(&ws.memory), *length, *inner);
            }),
            Step::Rows { reduce, source, out, rows, length } => write(ws, *out, *rows, |o, ws| {
                let x = source.of(&ws.memory);
                for (r, o) in o.iter_mut().enumerate() {
                    *o = reduce(&x[r * length..(r + 1) * length]);
                }
            }),
            Step::Gather { source, index, out, axis, inner, n } => write(ws, *out, *n, |o, ws| {
                layout::gather(o, source.of(&ws.memory), &ws.indices[*index], *axis, *inner);
            }),
            Step::Scatter { source, index, out, axis, inner, n } => write(ws, *out, *n, |o, ws| {
                layout::scatter(o, source.of(&ws.memory), &ws.indices[*index], *axis, *inner);
            }),
            Step::Place { parts, out, n, zero } => write(ws, *out, *n, |o, ws| {
                if *zero {
                    o.fill(T::default());
                }
                for p in parts {
                    p.write(o, &ws.memory);
                }
            }),
            Step::Conv { factor, geometry, args, out, n } => write(ws, *out, *n, |o, ws| {
                let mut scratch = take(&mut ws.scratch);
                let operands = args.map(|a| a.of(&ws.memory));
                conv::conv(*factor, geometry, o, operands, &mut scratch, (self.threads, ws.stop.as_ref()));
                ws.scratch = scratch;
            }),
            Step::Pick { pool, args, out, n } => write(ws, *out, *n, |o, ws| {
                pool.pick(o, args[0].of(&ws.memory), args[1].of(&ws.memory));
            }),
            Step::Put { pool, args, out, n } => write(ws, *out, *n, |o, ws| {
                pool.put(o, args[0].of(&ws.memory), args[1].of(&ws.memory));
            }),
            Step::Prox { apply, args, out, n, memo } => write(ws, *out, *n, |o, ws| {
                let mut memos = take(&mut ws.memos);
                let mut operands: [&[T]; PROX_OPERANDS] = [&[]; PROX_OPERANDS];
                for (o, a) in operands.iter_mut().zip(args) {
                    *o = a.of(&ws.memory);
                }
                match memo {
                    None => apply(o, &operands[..args.len()]),
                    Some(value) => Memo::of(&mut memos, *value).apply(*apply, o, &operands[..args.len()]),
                }
                ws.memos = memos;
            }),
            Step::Map(m) => map(m, &self.bodies[m.body], ws),
        }
    }
}

/// Adds the time since the instruction before, with one reading of the clock.
fn stopwatch(times: &mut Timed, clock: Clock) -> impl FnMut(usize) {
    let mut last = clock();
    move |i| {
        let now = clock();
        let instruction = &mut times.instructions[i];
        instruction.runs += 1;
        instruction.seconds += now - last;
        last = now;
    }
}

#[inline(always)]
fn write<T: Scalar>(ws: &mut Workspace<T>, out: usize, n: usize, f: impl FnOnce(&mut [T], &mut Workspace<T>)) {
    let mut buffer = take(&mut ws.memory.own[out]);
    f(&mut buffer[..n], ws);
    ws.memory.own[out] = buffer;
}

fn fused<T: Scalar>(l: &FusedLoop<T>, ws: &mut Workspace<T>, threads: usize) {
    if l.n == 0 {
        return;
    }
    for (u, value) in l.uniforms.iter().zip(&mut ws.numbers) {
        *value = match u {
            Uniform::Const(c) => *c,
            Uniform::Stored { buffer, offset } => ws.memory.array(*buffer)[*offset],
        };
    }
    for b in l.outs.iter().copied().chain(l.sums.iter().map(|s| s.partial.unwrap_or(s.out))) {
        ws.taken.push(take(&mut ws.memory.own[b]));
    }
    let per_row = l.row.div_ceil(l.span);
    let blocks = l.n / l.row * per_row;
    let (outs, sums) = ws.taken.split_at_mut(l.outs.len());
    let (memory, uniforms, stop) = (&ws.memory, &ws.numbers[..], ws.stop.as_ref());
    if threads > 1 && l.n * l.ops.len() >= PARALLEL {
        let length = |k: usize| if l.sums[k].partial.is_some() { blocks } else { l.n / l.sums[k].length };
        let (mut outs, mut sums) = (slices(outs, |_| l.n), slices(sums, length));
        let chunk = Chunk { l, memory, uniforms, stop, outs: &mut outs, sums: &mut sums, blocks: 0..blocks, per_row };
        split(chunk, &mut ws.registers, threads);
    } else {
        Chunk { l, memory, uniforms, stop, outs, sums, blocks: 0..blocks, per_row }.run(&mut ws.registers);
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

type Slices<'a, T> = [&'a mut [T]; GROUP];

fn slices<T: Scalar>(from: &mut [Vec<T>], n: impl Fn(usize) -> usize) -> Slices<'_, T> {
    let mut all: Slices<T> = Default::default();
    for (k, (slice, v)) in all.iter_mut().zip(from).enumerate() {
        *slice = &mut v[..n(k)];
    }
    all
}

/// Some blocks of a loop, with the parts of the results that belong to them: whole buffers, or slices per thread.
struct Chunk<'a, T: Scalar, S> {
    l: &'a FusedLoop<T>,
    memory: &'a Memory<T>,
    uniforms: &'a [T],
    stop: Option<&'a StopToken>,
    outs: &'a mut [S],
    /// Block sums, or sums of runs where a block holds whole runs.
    sums: &'a mut [S],
    blocks: ops::Range<usize>,
    per_row: usize,
}

/// Halves the blocks until there is a chunk per thread.
fn split<T: Scalar>(mut chunk: Chunk<T, &mut [T]>, registers: &mut [Vec<T>], threads: usize) {
    if threads < 2 || chunk.blocks.len() < 2 {
        return chunk.run(registers);
    }
    let Chunk { l, memory, uniforms, stop, per_row, .. } = chunk;
    let first = threads / 2;
    let (start, end) = (chunk.blocks.start, chunk.blocks.end);
    let middle = start + (end - start) * first / threads;
    let at = chunk.start(middle) - chunk.start(start);
    let (mut outs, mut sums): (Slices<T>, Slices<T>) = Default::default();
    for (low, high) in chunk.outs.iter_mut().zip(&mut outs) {
        (*low, *high) = take(low).split_at_mut_checked(at).unwrap_or_default();
    }
    for ((low, high), s) in chunk.sums.iter_mut().zip(&mut sums).zip(&l.sums) {
        let at = if s.partial.is_some() { middle - start } else { at / s.length };
        (*low, *high) = take(low).split_at_mut(at);
    }
    chunk.blocks.end = middle;
    let high = Chunk { l, memory, uniforms, stop, outs: &mut outs, sums: &mut sums, blocks: middle..end, per_row };
    let (low_registers, high_registers) = registers.split_at_mut(l.registers * first);
    rayon::join(|| split(chunk, low_registers, first), || split(high, high_registers, threads - first));
}

impl<T: Scalar, S: Default + ops::DerefMut<Target = [T]>> Chunk<'_, T, S> {
    /// The first element of a block.
    #[inline]
    fn start(&self, block: usize) -> usize {
        block / self.per_row * self.l.row + block % self.per_row * self.l.span
    }

    fn run(mut self, registers: &mut [Vec<T>]) {
        let l = self.l;
        let length = l.span.min(l.n);
        for (r, u) in &l.filled {
            registers[*r][..length].fill(self.uniforms[*u]);
        }
        if l.n <= l.span {
            return self.block(At { start: 0, own: 0, len: l.n }, 0, registers);
        }
        let base = self.start(self.blocks.start);
        for b in self.blocks.clone() {
            if self.stop.is_some_and(StopToken::is_set) {
                return;
            }
            let start = self.start(b);
            let len = l.span.min(l.row - start % l.row);
            self.block(At { start, own: start - base, len }, b, registers);
        }
    }

    #[inline]
    fn block(&mut self, at: At, b: usize, registers: &mut [Vec<T>]) {
        for op in &self.l.ops {
            self.op(op, at, b, registers);
        }
    }

    #[inline]
    fn op(&mut self, op: &Micro<T>, at: At, b: usize, registers: &mut [Vec<T>]) {
        match op {
            Micro::Arith { op, dest, a, b } => self.write(*dest, at, registers, |out, c, r| {
                block::arith(*op, out, c.operand(*a, at, r), c.operand(*b, at, r));
            }),
            Micro::Call { block, dest, args, arity } => self.write(*dest, at, registers, |out, c, r| {
                let args: [&[T]; OPERANDS] = args.map(|a| c.slice(a, at, r));
                block(out, &args[..*arity]);
            }),
            Micro::Load { dest, from } => {
                self.write(*dest, at, registers, |out, c, _| from.load(out, c.memory, at.start));
            }
            Micro::Sum { sum, arg } => {
                let mut out = take(&mut self.sums[*sum]);
                let x = self.slice(*arg, at, registers);
                let s = &self.l.sums[*sum];
                if s.partial.is_some() {
                    out[b - self.blocks.start] = reduce::sum_block(x);
                } else {
                    let first = at.own / s.length;
                    for (o, run) in out[first..].iter_mut().zip(x.chunks_exact(s.length)) {
                        *o = reduce::sum_block(run);
                    }
                }
                self.sums[*sum] = out;
            }
        }
    }

    #[inline(always)]
    fn write(&mut self, dest: Dest, at: At, registers: &mut [Vec<T>], f: impl FnOnce(&mut [T], &Self, &[Vec<T>])) {
        match dest {
            Dest::Register(r) => {
                let mut out = take(&mut registers[r]);
                f(&mut out[..at.len], self, registers);
                registers[r] = out;
            }
            Dest::Out(o) => {
                let mut out = take(&mut self.outs[o]);
                f(&mut out[at.own..at.own + at.len], self, registers);
                self.outs[o] = out;
            }
        }
    }

    #[inline(always)]
    fn slice<'s>(&'s self, arg: Arg, at: At, registers: &'s [Vec<T>]) -> &'s [T] {
        match arg {
            Arg::Register(r) => &registers[r][..at.len],
            Arg::Out(o) => &self.outs[o][at.own..at.own + at.len],
            Arg::Stored { buffer, offset } => &self.memory.array(buffer)[offset + at.start..offset + at.start + at.len],
            Arg::Uniform(_) => unreachable!("a register repeats a uniform operand of a block function"),
        }
    }

    #[inline(always)]
    fn operand<'s>(&'s self, arg: Arg, at: At, registers: &'s [Vec<T>]) -> Operand<'s, T> {
        match arg {
            Arg::Uniform(u) => Operand::One(self.uniforms[u]),
            _ => Operand::Many(self.slice(arg, at, registers)),
        }
    }
}

/// A block: its first element in the loop and in the chunk's results, and its length.
#[derive(Clone, Copy)]
struct At {
    start: usize,
    own: usize,
    len: usize,
}

fn map<T: Scalar>(m: &Map, body: &Program<T>, ws: &mut Workspace<T>) {
    let Workspace { memory, indices, maps, .. } = ws;
    let sub = &mut maps[m.body];
    for (slot, operand) in body.inputs.iter().zip(&m.operands) {
        match *operand {
            MapInput::Shared(range) => sub.memory.own[slot.buffer].copy_from_slice(range.of(memory)),
            MapInput::Swapped { buffer } => swap(&mut memory.own[buffer], &mut sub.memory.own[slot.buffer]),
            MapInput::IndexShared { index } => sub.indices[slot.buffer].copy_from_slice(&indices[index]),
            MapInput::Slices(_) | MapInput::IndexSlices { .. } | MapInput::Lent { .. } => {}
        }
    }
    body.prologue(sub);
    for i in 0..m.lead {
        if sub.is_stopped() {
            break;
        }
        for (slot, operand) in body.inputs.iter().zip(&m.operands) {
            match *operand {
                MapInput::Slices(range) => {
                    let len = range.len / m.lead;
                    sub.memory.own[slot.buffer].copy_from_slice(&range.of(memory)[i * len..(i + 1) * len]);
                }
                MapInput::IndexSlices { index, len } => {
                    sub.indices[slot.buffer].copy_from_slice(&indices[index][i * len..(i + 1) * len]);
                }
                _ => {}
            }
        }
        body.run(sub);
        for (k, (out, len)) in m.outs.iter().enumerate() {
            memory.own[*out][i * len..(i + 1) * len].copy_from_slice(body.output(sub, k));
        }
    }
    for (slot, operand) in body.inputs.iter().zip(&m.operands) {
        if let MapInput::Swapped { buffer } = *operand {
            swap(&mut memory.own[buffer], &mut sub.memory.own[slot.buffer]);
        }
    }
}
