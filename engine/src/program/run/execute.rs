//! The instruction loop. A step takes the buffers it writes out of the workspace, reads the others, and puts them back.

use std::mem::{swap, take};

use super::fused::fused;
use super::memo::Memo;
use super::program::Program;
use super::step::{Map, MapInput, Step};
use super::workspace::Workspace;
use crate::kernel::{conv, dense, layout, reduce};
use crate::profile::{Clock, Timed};
use crate::program::limits::PROX_OPERANDS;
use crate::program::scalar::Scalar;

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
        ws.borrow();
        self.prologue_steps(ws, after);
        ws.give_back();
    }

    fn run_with(&self, ws: &mut Workspace<T>, after: &mut impl FnMut(usize)) {
        ws.borrow();
        self.run_steps(ws, after);
        ws.give_back();
    }

    fn prologue_steps(&self, ws: &mut Workspace<T>, after: &mut impl FnMut(usize)) {
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

    fn run_steps(&self, ws: &mut Workspace<T>, after: &mut impl FnMut(usize)) {
        if ws.unprepared {
            self.prologue_steps(ws, after);
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
                let mut scratch = take(&mut ws.scratch);
                let operands = (a.of(&ws.memory), b.of(&ws.memory));
                dense::matmul(o, operands, [*m, *k, *n], self.threads, &mut scratch);
                ws.scratch = scratch;
            }),
            Step::SumMiddle { source, out, outer, length, inner } => write(ws, *out, outer * inner, |o, ws| {
                reduce::sum_middle(o, source.of(&ws.memory), *length, *inner);
            }),
            Step::Rows { reduce: by_rows, source, out, rows, length } => write(ws, *out, *rows, |o, ws| {
                reduce::on_threads(*by_rows, o, source.of(&ws.memory), *length, self.threads);
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
pub(super) fn write<T: Scalar>(
    ws: &mut Workspace<T>,
    out: usize,
    n: usize,
    f: impl FnOnce(&mut [T], &mut Workspace<T>),
) {
    let mut buffer = take(&mut ws.memory.own[out]);
    f(&mut buffer[..n], ws);
    ws.memory.own[out] = buffer;
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
