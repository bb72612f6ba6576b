//! Groups as fused loops over blocks: which operand is in which register, read in place, or loaded first.

use super::address::Lowering;
use super::kernel::arith;
use crate::elementwise::Elementwise;
use crate::kernel::block::Arith;
use crate::program::limits::{BLOCK, OPERANDS};
use crate::program::run::operand::{ArrayRange, ReadFrom};
use crate::program::run::step::{Arg, Dest, FusedLoop, Micro, SumOut, Uniform};
use crate::program::scalar::Scalar;
use crate::program::schedule::item::{Fused, Group};
use crate::program::schedule::view::{Root, ValueId, View};

/// The loop of a group; `partials` are the buffers of its block sums.
pub(super) fn lower<T: Scalar>(l: &Lowering, g: &Group, partials: &[Option<usize>]) -> FusedLoop<T> {
    let (span, row) = match g.run {
        Some(length) if length <= BLOCK => (BLOCK / length * length, g.n),
        Some(length) => (BLOCK, length),
        None => (BLOCK, g.n),
    };
    let empty = FusedLoop {
        n: g.n,
        span,
        row,
        uniforms: Vec::new(),
        ops: Vec::new(),
        outs: Vec::new(),
        sums: Vec::new(),
        registers: 0,
        filled: Vec::new(),
    };
    let own = g.ops.iter().map(Fused::out).collect();
    let mut b =
        LoopBuilder { l, own, at: Vec::new(), loads: Vec::new(), uniforms: Vec::new(), free: Vec::new(), r: empty };
    for (i, op) in g.ops.iter().enumerate() {
        b.op(g, i, op, partials.get(i).copied().flatten());
    }
    b.r
}

/// Registers of one fused loop.
struct LoopBuilder<'a, T: Scalar> {
    l: &'a Lowering<'a>,
    own: Vec<ValueId>,
    /// Where each value made so far is.
    at: Vec<(ValueId, Arg)>,
    /// Strided operands that are in a register now.
    loads: Vec<(View, usize)>,
    /// Uniform operands seen, with the register that repeats them.
    uniforms: Vec<(View, Option<usize>)>,
    free: Vec<usize>,
    r: FusedLoop<T>,
}

impl<T: Scalar> LoopBuilder<'_, T> {
    fn register(&mut self) -> usize {
        self.free.pop().unwrap_or_else(|| {
            self.r.registers += 1;
            self.r.registers - 1
        })
    }

    fn op(&mut self, g: &Group, i: usize, op: &Fused, partial: Option<usize>) {
        match op {
            Fused::Apply { f, args, out } => {
                let arith = arith(*f);
                let args: Vec<Arg> = args.iter().map(|a| self.arg(a, arith.is_none())).collect();
                let dest = self.dest(*out);
                self.r.ops.push(apply(*f, arith, dest, &args));
            }
            Fused::Copy { arg, out } => {
                if self.direct(arg) {
                    let a = self.arg(arg, false);
                    let dest = self.dest(*out);
                    self.r.ops.push(Micro::Arith { op: Arith::Copy, dest, a, b: a });
                } else {
                    let dest = self.dest(*out);
                    self.r.ops.push(Micro::Load { dest, from: self.l.strided(arg) });
                }
            }
            Fused::Sum { arg, length, out } => {
                let arg = self.arg(arg, true);
                self.r.sums.push(SumOut { out: self.l.buffer(*out), partial, length: *length });
                self.r.ops.push(Micro::Sum { sum: self.r.sums.len() - 1, arg });
            }
        }
        self.release(g, i);
    }

    /// Frees the registers that no later operation reads.
    fn release(&mut self, g: &Group, i: usize) {
        let later: Vec<&View> = g.ops[i + 1..].iter().flat_map(Fused::reads).collect();
        let free = &mut self.free;
        self.at.retain(|(v, arg)| {
            let needed = later.iter().any(|view| view.source == Root::Value(*v));
            if let (false, Arg::Register(r)) = (needed, arg) {
                free.push(*r);
            }
            needed
        });
        self.loads.retain(|(view, r)| {
            let needed = later.contains(&view);
            if !needed {
                free.push(*r);
            }
            needed
        });
    }

    fn dest(&mut self, v: ValueId) -> Dest {
        let (dest, arg) = if self.l.stored[v] {
            self.r.outs.push(self.l.buffer(v));
            (Dest::Out(self.r.outs.len() - 1), Arg::Out(self.r.outs.len() - 1))
        } else {
            let r = self.register();
            (Dest::Register(r), Arg::Register(r))
        };
        self.at.push((v, arg));
        dest
    }

    /// True when no load is needed.
    fn direct(&self, view: &View) -> bool {
        let own = matches!(view.source, Root::Value(v) if self.own.contains(&v));
        own || view.is_uniform() || view.is_contiguous()
    }

    /// Where an operand is found; `as_block` when a single number will not do.
    fn arg(&mut self, view: &View, as_block: bool) -> Arg {
        if let Root::Value(v) = view.source
            && self.own.contains(&v)
        {
            return self.at.iter().find(|a| a.0 == v).expect("operands are made first").1;
        }
        if view.is_uniform() {
            return self.uniform(view, as_block);
        }
        if view.is_contiguous() {
            let ArrayRange { buffer, offset, .. } = self.l.range(view);
            return Arg::Stored { buffer, offset };
        }
        if let Some((_, r)) = self.loads.iter().find(|(v, _)| v == view) {
            return Arg::Register(*r);
        }
        let r = self.register();
        self.r.ops.push(Micro::Load { dest: Dest::Register(r), from: self.l.strided(view) });
        self.loads.push((view.clone(), r));
        Arg::Register(r)
    }

    fn uniform(&mut self, view: &View, as_block: bool) -> Arg {
        let one = View { axes: Vec::new(), ..*view };
        let at = self.uniforms.iter().position(|(v, _)| *v == one).unwrap_or_else(|| {
            self.r.uniforms.push(match self.l.from(view) {
                ReadFrom::Stored { buffer, offset } => Uniform::Stored { buffer, offset },
                ReadFrom::Const(value) => Uniform::Const(value),
                ReadFrom::Iota { .. } => unreachable!("a sequence is not uniform"),
            });
            self.uniforms.push((one, None));
            self.uniforms.len() - 1
        });
        if !as_block {
            return Arg::Uniform(at);
        }
        let filled = self.uniforms[at].1.unwrap_or_else(|| {
            // Never one that was freed: it is filled before the first block and kept to the last.
            self.r.registers += 1;
            self.r.filled.push((self.r.registers - 1, at));
            self.r.registers - 1
        });
        self.uniforms[at].1 = Some(filled);
        Arg::Register(filled)
    }
}

fn apply<T: Scalar>(f: Elementwise, arith: Option<Arith>, dest: Dest, args: &[Arg]) -> Micro<T> {
    let arity = args.len();
    match arith {
        Some(op) => Micro::Arith { op, dest, a: args[0], b: args[arity - 1] },
        None => {
            assert!(arity <= OPERANDS, "{} has too many operands", f.entry().name);
            let mut padded = [args[0]; OPERANDS];
            padded[..arity].copy_from_slice(args);
            Micro::Call { block: T::block_of(f.entry()), dest, args: padded, arity }
        }
    }
}
