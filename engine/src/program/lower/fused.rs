//! Groups as fused loops over blocks: which operand is in which register, read in place, or loaded first.

use super::address::Lowering;
use super::kernel::arith;
use super::pairs::{Paired, pairs};
use crate::elementwise::Elementwise;
use crate::kernel::loops::block::{Arith, First, Loop, Second};
use crate::kernel::loops::vectors::Vectors;
use crate::program::limits::{BLOCK, CACHE, LEAST, OPERANDS};
use crate::program::run::operand::{ArrayRange, ReadFrom};
use crate::program::run::step::{Divide, FusedLoop, Micro, SumOut, Uniform, UniformAs, UniformFrom};
use crate::program::scalar::Scalar;
use crate::program::schedule::item::{Fused, Group};
use crate::program::schedule::view::{Root, ValueId, View};

/// The loop of a group; `partials` are the buffers of its block sums.
pub(super) fn lower<T: Scalar>(l: &Lowering, g: &Group, partials: &[Option<usize>], vectors: Vectors) -> FusedLoop<T> {
    let (span, row) = match g.run {
        Some(length) if length <= BLOCK => (BLOCK / length * length, g.n),
        Some(length) => (BLOCK, length),
        None => (BLOCK, g.n),
    };
    let mut b = LoopBuilder {
        l,
        vectors,
        own: g.ops.iter().map(Fused::out).collect(),
        at: Vec::new(),
        loads: Vec::new(),
        repeated: Vec::new(),
        free: Vec::new(),
        ops: Vec::new(),
        reads: Vec::new(),
        outs: Vec::new(),
        uniforms: Vec::new(),
        uniform_views: Vec::new(),
        sums: Vec::new(),
        registers: 0,
        filled: Vec::new(),
    };
    let all = pairs(&g.ops, |v| l.stored[v]);
    for (i, paired) in all.iter().enumerate() {
        b.op(paired, partials.get(paired.at).copied().flatten());
        let later: Vec<&View> = all[i + 1..].iter().flat_map(Paired::reads).collect();
        b.release(&later);
    }
    b.finish(g, (span, row))
}

/// Where an operand or a result is.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Arg {
    /// Among what is read in place.
    Read(usize),
    /// What this loop wrote to an output.
    Out(usize),
    Register(usize),
    Uniform(usize),
}

/// Registers of one fused loop.
struct LoopBuilder<'a, T: Scalar> {
    l: &'a Lowering<'a>,
    vectors: Vectors,
    own: Vec<ValueId>,
    /// Where each value made so far is.
    at: Vec<(ValueId, Arg)>,
    /// Strided operands that are in a register now.
    loads: Vec<(View, usize)>,
    /// Uniform operands that a register repeats.
    repeated: Vec<(usize, usize)>,
    free: Vec<usize>,
    ops: Vec<Micro<T, Arg>>,
    reads: Vec<(usize, usize)>,
    outs: Vec<usize>,
    uniforms: Vec<Uniform<T>>,
    /// What the uniforms are of.
    uniform_views: Vec<(View, UniformAs)>,
    sums: Vec<SumOut>,
    registers: usize,
    filled: Vec<(usize, usize)>,
}

/// An operator with the kinds of its operands: a loop's part, and what it reads.
struct Form<F> {
    operator: F,
    args: [Arg; 2],
}

impl<T: Scalar> LoopBuilder<'_, T> {
    /// The loop: places are counted, and the span is what leaves all operands of a block in the first cache.
    fn finish(self, g: &Group, (span, row): (usize, usize)) -> FusedLoop<T> {
        let (reads, outs, registers) = (self.reads.len(), self.outs.len(), self.registers);
        let blocks = (reads + outs + registers).max(1);
        let fits = (CACHE / size_of::<T>() / blocks / LEAST * LEAST).clamp(LEAST, BLOCK);
        // Sums are of blocks of one length, whatever else is in the loop.
        let span = if g.run.is_none() { fits } else { span };
        let place = |arg| match arg {
            Arg::Read(i) => i,
            Arg::Out(i) => reads + i,
            Arg::Register(i) => reads + outs + i,
            Arg::Uniform(i) => reads + outs + registers + i,
        };
        FusedLoop {
            n: g.n,
            span,
            row,
            reads: self.reads,
            outs: self.outs,
            registers,
            uniforms: self.uniforms,
            ops: self.ops.into_iter().map(|op| op.map(place)).collect(),
            work: g.ops.len(),
            sums: self.sums,
            filled: self.filled.iter().map(|(r, u)| (place(Arg::Register(*r)), *u)).collect(),
        }
    }

    fn register(&mut self) -> usize {
        self.free.pop().unwrap_or_else(|| {
            self.registers += 1;
            self.registers - 1
        })
    }

    fn op(&mut self, paired: &Paired, partial: Option<usize>) {
        match paired.op {
            Fused::Apply { f, args, out } => match arith(*f) {
                Some(_) => self.arith(paired, *out),
                None => {
                    let args: Vec<Arg> = args.iter().map(|a| self.block(a)).collect();
                    let dest = self.dest(*out);
                    self.ops.push(call(*f, dest, &args));
                }
            },
            Fused::Copy { arg, out } => {
                let op = if self.direct(arg) {
                    let arg = self.block(arg);
                    Micro::Copy { dest: self.dest(*out), arg }
                } else {
                    Micro::Load { dest: self.dest(*out), from: self.l.strided(arg) }
                };
                self.ops.push(op);
            }
            Fused::Sum { arg, length, out } => {
                let arg = self.block(arg);
                self.sums.push(SumOut { out: self.l.buffer(*out), partial, length: *length });
                self.ops.push(Micro::Sum { sum: self.sums.len() - 1, arg });
            }
        }
    }

    /// One operator, or two, or a step along what they give.
    fn arith(&mut self, paired: &Paired, out: ValueId) {
        let direction = paired.direction.as_deref().unwrap_or(paired);
        // What divides by a number is put down twice: the fast way and the exact one.
        let mut divisor = None;
        let forms = [false, true].map(|exact| self.form(direction, exact, &mut divisor));
        let step = paired.direction.is_some().then(|| self.step(paired, direction.op.out()));
        let dest = self.dest(out);
        let [fast, exact] = forms.map(|(first, second, [a, b, c])| {
            // Nothing reads the last two where there is no step.
            let [d, s] = step.unwrap_or([a, a]);
            (Loop::of(self.vectors, first, second, step.is_some()), [a, b, c, d, s])
        });
        self.ops.push(match divisor {
            None => Micro::Arith { run: fast.0, dest, args: fast.1 },
            Some(reciprocal) => Micro::Divide(Box::new(Divide { dest, reciprocal, fast, exact })),
        });
    }

    /// The operators of a loop and their operands.
    fn form(&mut self, paired: &Paired, exact: bool, divisor: &mut Option<Arg>) -> (First, Second, [Arg; 3]) {
        let Fused::Apply { f, args, .. } = paired.op else { unreachable!("operators are paired") };
        let op = arith(*f).expect("operators are paired");
        let Some((Fused::Apply { f, args: first, .. }, operand)) = paired.inner else {
            // Without a second operator nothing reads the third operand.
            let form = self.first(op, args, exact, divisor);
            return (form.operator, Second::Keep, [form.args[0], form.args[1], form.args[0]]);
        };
        let first_op = arith(*f).expect("operators are paired");
        let form = self.first(first_op, first, exact, divisor);
        let (second, c) = self.second(op, args, operand, exact, divisor);
        (form.operator, second, [form.args[0], form.args[1], c])
    }

    /// The `d` and the `s` of a step along a direction.
    fn step(&mut self, paired: &Paired, direction: ValueId) -> [Arg; 2] {
        let (Fused::Apply { args: from, .. }, Some((Fused::Apply { args: scaled, .. }, _))) = (paired.op, paired.inner)
        else {
            unreachable!("a step is a pair")
        };
        let is_direction = |view: &&View| view.source == Root::Value(direction);
        let size = scaled.iter().find(|view| !is_direction(view)).expect("a direction has a factor");
        [self.block(&from[0]), self.uniform(size, UniformAs::Itself)]
    }

    /// The first operator of a loop.
    fn first(&mut self, op: Arith, args: &[View], exact: bool, divisor: &mut Option<Arg>) -> Form<First> {
        if op == Arith::Neg {
            let args = [self.block(&args[0]), self.uniform(&View::constant(-1.0), UniformAs::Itself)];
            return Form { operator: First::MulOne, args };
        }
        let one = [self.is_one(&args[0]), self.is_one(&args[1])];
        let (a, b) = (&args[0], &args[1]);
        let form = |operator, x: Arg, y: Arg| Form { operator, args: [x, y] };
        match (op, one) {
            (Arith::Add, [false, false]) => form(First::Add, self.block(a), self.block(b)),
            (Arith::Add, [true, false]) => form(First::AddOne, self.block(b), self.uniform(a, UniformAs::Itself)),
            (Arith::Add, _) => form(First::AddOne, self.block(a), self.uniform(b, UniformAs::Itself)),
            (Arith::Sub, [false, false]) => form(First::Sub, self.block(a), self.block(b)),
            (Arith::Sub, [true, false]) => form(First::OneSub, self.uniform(a, UniformAs::Itself), self.block(b)),
            (Arith::Sub, _) => form(First::AddOne, self.block(a), self.uniform(b, UniformAs::Negative)),
            (Arith::Mul, [false, false]) => form(First::Mul, self.block(a), self.block(b)),
            (Arith::Mul, [true, false]) => form(First::MulOne, self.block(b), self.uniform(a, UniformAs::Itself)),
            (Arith::Mul, _) => form(First::MulOne, self.block(a), self.uniform(b, UniformAs::Itself)),
            (Arith::Div, [false, false]) => form(First::Div, self.block(a), self.block(b)),
            (Arith::Div, [true, false]) => form(First::OneDiv, self.uniform(a, UniformAs::Itself), self.block(b)),
            (Arith::Div, _) => {
                let (operator, by) = self.divisor(b, exact, divisor, (First::MulOne, First::DivOne));
                form(operator, self.block(a), by)
            }
            (Arith::Neg, _) => unreachable!("it is a product"),
        }
    }

    /// The second operator of a loop, whose operand `operand` is the result of the first, and its other operand.
    fn second(
        &mut self,
        op: Arith,
        args: &[View],
        operand: usize,
        exact: bool,
        divisor: &mut Option<Arg>,
    ) -> (Second, Arg) {
        if op == Arith::Neg {
            return (Second::MulOne, self.uniform(&View::constant(-1.0), UniformAs::Itself));
        }
        let other = &args[1 - operand];
        match (op, self.is_one(other), operand) {
            (Arith::Add, false, _) => (Second::Add, self.block(other)),
            (Arith::Add, true, _) => (Second::AddOne, self.uniform(other, UniformAs::Itself)),
            (Arith::Sub, false, 0) => (Second::Sub, self.block(other)),
            (Arith::Sub, true, 0) => (Second::AddOne, self.uniform(other, UniformAs::Negative)),
            (Arith::Sub, false, _) => (Second::SubFrom, self.block(other)),
            (Arith::Sub, true, _) => (Second::SubFromOne, self.uniform(other, UniformAs::Itself)),
            (Arith::Mul, false, _) => (Second::Mul, self.block(other)),
            (Arith::Mul, true, _) => (Second::MulOne, self.uniform(other, UniformAs::Itself)),
            _ => self.divisor(other, exact, divisor, (Second::MulOne, Second::DivOne)),
        }
    }

    /// A number that divides.
    fn divisor<F>(&mut self, view: &View, exact: bool, divisor: &mut Option<Arg>, (fast, slow): (F, F)) -> (F, Arg) {
        if exact {
            return (slow, self.uniform(view, UniformAs::Itself));
        }
        let arg = self.uniform(view, UniformAs::Reciprocal);
        *divisor = Some(arg);
        (fast, arg)
    }

    /// Frees the registers that no later operation reads.
    fn release(&mut self, later: &[&View]) {
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

    fn dest(&mut self, v: ValueId) -> Arg {
        let arg = if self.l.stored[v] {
            self.outs.push(self.l.buffer(v));
            Arg::Out(self.outs.len() - 1)
        } else {
            Arg::Register(self.register())
        };
        self.at.push((v, arg));
        arg
    }

    fn is_own(&self, view: &View) -> bool {
        matches!(view.source, Root::Value(v) if self.own.contains(&v))
    }

    /// One number for all elements.
    fn is_one(&self, view: &View) -> bool {
        view.is_uniform() && !self.is_own(view)
    }

    /// True when no load is needed.
    fn direct(&self, view: &View) -> bool {
        self.is_own(view) || view.is_uniform() || view.is_contiguous()
    }

    /// Where a block of an operand is found.
    fn block(&mut self, view: &View) -> Arg {
        if self.is_own(view) {
            let made = self.at.iter().find(|a| view.source == Root::Value(a.0));
            return made.expect("operands are made first").1;
        }
        if view.is_uniform() {
            return self.repeat(view);
        }
        if view.is_contiguous() {
            let ArrayRange { buffer, offset, .. } = self.l.range(view);
            let at = self.reads.iter().position(|r| *r == (buffer, offset));
            return Arg::Read(at.unwrap_or_else(|| {
                self.reads.push((buffer, offset));
                self.reads.len() - 1
            }));
        }
        if let Some((_, r)) = self.loads.iter().find(|(v, _)| v == view) {
            return Arg::Register(*r);
        }
        let r = self.register();
        self.ops.push(Micro::Load { dest: Arg::Register(r), from: self.l.strided(view) });
        self.loads.push((view.clone(), r));
        Arg::Register(r)
    }

    /// A uniform operand as a block.
    fn repeat(&mut self, view: &View) -> Arg {
        let Arg::Uniform(u) = self.uniform(view, UniformAs::Itself) else { unreachable!("a uniform operand") };
        let known = self.repeated.iter().find(|r| r.0 == u).map(|r| r.1);
        Arg::Register(known.unwrap_or_else(|| {
            // Never one that was freed: it is filled before the first block and kept to the last.
            self.registers += 1;
            self.filled.push((self.registers - 1, u));
            self.repeated.push((u, self.registers - 1));
            self.registers - 1
        }))
    }

    /// A uniform operand as a number.
    fn uniform(&mut self, view: &View, as_what: UniformAs) -> Arg {
        let key = (View { axes: Vec::new(), ..*view }, as_what);
        let at = self.uniform_views.iter().position(|known| *known == key);
        Arg::Uniform(at.unwrap_or_else(|| {
            let from = match self.l.from(view) {
                ReadFrom::Stored { buffer, offset } => UniformFrom::Stored { buffer, offset },
                ReadFrom::Const(value) => UniformFrom::Const(value),
                ReadFrom::Iota { .. } => unreachable!("a sequence is not uniform"),
            };
            self.uniforms.push(Uniform { from, as_what });
            self.uniform_views.push(key);
            self.uniforms.len() - 1
        }))
    }
}

fn call<T: Scalar>(f: Elementwise, dest: Arg, args: &[Arg]) -> Micro<T, Arg> {
    let arity = args.len();
    assert!(arity <= OPERANDS, "{} has too many operands", f.entry().name);
    let mut padded = [args[0]; OPERANDS];
    padded[..arity].copy_from_slice(args);
    Micro::Call { block: T::block_of(f.entry()), dest, args: padded, arity }
}
