//! Items to instructions: views become ranges and strides, values become buffers and registers.

use super::compile::Role;
use super::item::{Call, Fused, Group, Item, MapOperand, Part, Schedule, What};
use super::operand::{Copied, From, MatrixRange, Range, Strided};
use super::place::Placement;
use super::plan::Plan;
use super::program::{Program, Slot};
use super::scalar::Scalar;
use super::step::{Arg, BLOCK, Dest, Loop, Map, MapInput, Micro, OPERANDS, PROX_OPERANDS, Step, SumOut, Uniform};
use super::tape::{self, Tape};
use super::view::{Source, ValueId, View, count};
use crate::elementwise::{self, Elementwise};
use crate::graph::{ConvPart, Elem, Function, Reduction};
use crate::kernel::block::Arith;
use crate::kernel::conv::Factor;
use crate::kernel::reduce;
use crate::shape::{SizeError, Sizes};

/// Lengths of the arrays of block sums that an item needs, per operation; 0 for none.
pub(super) fn partial_sums<T: Scalar>(item: &Item<T>) -> Vec<usize> {
    let Item::Group(g) = item else { return Vec::new() };
    let length = |op: &Fused| match op {
        Fused::Sum { length, .. } if *length > BLOCK => g.n / length * length.div_ceil(BLOCK),
        _ => 0,
    };
    g.ops.iter().map(length).collect()
}

/// Lowers everything.
pub(super) fn lower<T: Scalar>(
    f: &Function,
    s: Schedule<T>,
    placement: Placement,
    plan: Plan,
    sizes: &Sizes,
    roles: &[Role],
) -> Result<Program<T>, SizeError> {
    let Schedule { values, prologue, fill, body, inputs, unread: _, lent: _, outputs, carried, fills, bounds } = s;
    let mut indices = Vec::new();
    let mut slots = Vec::new();
    for (position, formal) in f.inputs.iter().enumerate() {
        let shape = formal.shape.sizes(sizes)?;
        let buffer = match inputs[position] {
            Some(v) => placement.of[v].expect("inputs have buffers"),
            None => {
                indices.push(count(&shape));
                indices.len() - 1
            }
        };
        let (bound, fills) = (bounds[position], fills[position]);
        slots.push(Slot { buffer, shape, index: formal.elem == Elem::Index, bound, fills });
    }
    let shapes: Vec<Vec<usize>> = values.iter().map(|v| v.shape.clone()).collect();
    let stored: Vec<bool> = values.iter().map(|v| v.stored).collect();
    let mut l = Lowering { shapes, stored, of: placement.of, own: placement.buffers.len(), inputs: &slots, maps: 0 };
    let swaps = carried.iter().map(|c| (l.buffer(c.next), l.buffer(c.current))).collect();
    let (prologue_steps, fill_steps) = (prologue.len(), fill.len());
    let items = prologue.into_iter().chain(fill).chain(body);
    let steps: Vec<Step<T>> = items
        .zip(&placement.partials)
        .map(|(item, partials)| match item {
            Item::Group(g) if g.n <= tape::WIDTH => Step::Tape(Tape::lower(&l, &g)),
            Item::Group(g) => Step::Loop(l.fused(&g, partials)),
            Item::Call(c) => l.call(c),
        })
        .collect();
    let output = |(k, v): (usize, &ValueId)| {
        let shape = f.output_shape(k).sizes(sizes)?;
        Ok(Slot { buffer: l.of[*v].expect("outputs have buffers"), shape, index: false, bound: 0, fills: false })
    };
    let outputs = outputs.iter().enumerate().map(output).collect::<Result<Vec<_>, SizeError>>()?;
    let state = roles.iter().enumerate().filter_map(|(position, role)| match role {
        Role::State(output) => Some((*output, position)),
        _ => None,
    });
    let state = state.collect();
    Ok(Program {
        name: f.name.clone(),
        inputs: slots,
        outputs,
        steps,
        prologue: prologue_steps,
        filled: prologue_steps + fill_steps,
        state,
        carried: swaps,
        buffers: placement.buffers,
        lent: placement.lent,
        indices,
        threads: 1,
        plan,
    })
}

pub(super) struct Lowering<'a> {
    shapes: Vec<Vec<usize>>,
    stored: Vec<bool>,
    of: Vec<Option<usize>>,
    /// Buffers from here on are lent.
    own: usize,
    inputs: &'a [Slot],
    maps: usize,
}

impl Lowering<'_> {
    pub(super) fn buffer(&self, v: ValueId) -> usize {
        self.of[v].expect("a value read from memory is stored")
    }

    fn range(&self, view: &View) -> Range {
        let Source::Value(v) = view.source else { unreachable!("kernel operands are arrays") };
        Range { buffer: self.buffer(v), offset: view.offset, len: view.count() }
    }

    pub(super) fn from<T: Scalar>(&self, view: &View) -> From<T> {
        match view.source {
            Source::Value(v) => From::Stored { buffer: self.buffer(v), offset: view.offset },
            Source::Const(bits) => From::Const(T::from_f64(f64::from_bits(bits))),
            Source::Iota => From::Iota { offset: view.offset },
        }
    }

    pub(super) fn strided<T: Scalar>(&self, view: &View) -> Strided<T> {
        Strided { from: self.from(view), axes: view.collapse() }
    }

    pub(super) fn is_stored(&self, v: ValueId) -> bool {
        self.stored[v]
    }

    fn fused<T: Scalar>(&self, g: &Group, partials: &[Option<usize>]) -> Loop<T> {
        let (span, row) = match g.run {
            Some(length) if length <= BLOCK => (BLOCK / length * length, g.n),
            Some(length) => (BLOCK, length),
            None => (BLOCK, g.n),
        };
        let empty = Loop {
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
        let mut b = Blocks {
            l: self,
            own,
            at: Vec::new(),
            loads: Vec::new(),
            uniforms: Vec::new(),
            free: Vec::new(),
            r: empty,
        };
        for (i, op) in g.ops.iter().enumerate() {
            b.op(g, i, op, partials.get(i).copied().flatten());
        }
        b.r
    }

    fn call<T: Scalar>(&mut self, c: Call<T>) -> Step<T> {
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
                Step::Prox { apply: T::prox_of(kernel), args: args.iter().map(|a| self.range(a)).collect(), out, n }
            }
            What::Map { body, lead, operands } => {
                let mut swapped = Vec::new();
                let operands = operands.iter().map(|o| self.operand(o, args, lead, &mut swapped)).collect();
                let outs = c.outs.iter().map(|v| (self.buffer(*v), count(&self.shapes[*v][1..]))).collect();
                self.maps += 1;
                Step::Map(Map { body, lead, operands, outs, workspace: self.maps - 1 })
            }
        }
    }

    fn pair(&self, args: &[View]) -> [Range; 2] {
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

    fn matrix(&self, view: &View) -> MatrixRange {
        let [(m, row), (k, column)] = view.axes[..] else { unreachable!("MatMul has operands of rank 2") };
        let Range { buffer, offset, .. } = self.range(view);
        let by_columns = m > 1 && k > 1 && column != 1;
        let contiguous = view.is_contiguous();
        let stride = if contiguous {
            k
        } else if by_columns {
            column
        } else {
            row
        };
        MatrixRange { buffer, offset, stride: stride.max(1), by_columns: by_columns && !contiguous }
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

/// Registers of one fused loop.
struct Blocks<'a, T: Scalar> {
    l: &'a Lowering<'a>,
    own: Vec<ValueId>,
    /// Where each value made so far is.
    at: Vec<(ValueId, Arg)>,
    /// Strided operands that are in a register now.
    loads: Vec<(View, usize)>,
    /// Uniform operands seen, with the register that repeats them.
    uniforms: Vec<(View, Option<usize>)>,
    free: Vec<usize>,
    r: Loop<T>,
}

impl<T: Scalar> Blocks<'_, T> {
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
            let needed = later.iter().any(|view| view.source == Source::Value(*v));
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
        let own = matches!(view.source, Source::Value(v) if self.own.contains(&v));
        own || view.is_uniform() || view.is_contiguous()
    }

    /// Where an operand is found; `as_block` when a single number will not do.
    fn arg(&mut self, view: &View, as_block: bool) -> Arg {
        if let Source::Value(v) = view.source
            && self.own.contains(&v)
        {
            return self.at.iter().find(|a| a.0 == v).expect("operands are made first").1;
        }
        if view.is_uniform() {
            return self.uniform(view, as_block);
        }
        if view.is_contiguous() {
            let Range { buffer, offset, .. } = self.l.range(view);
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
                From::Stored { buffer, offset } => Uniform::Stored { buffer, offset },
                From::Const(value) => Uniform::Const(value),
                From::Iota { .. } => unreachable!("a sequence is not uniform"),
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

/// The operator's own loop, if an elementwise function has one.
pub(super) fn arith(f: Elementwise) -> Option<Arith> {
    match f {
        elementwise::ADD => Some(Arith::Add),
        elementwise::SUB => Some(Arith::Sub),
        elementwise::MUL => Some(Arith::Mul),
        elementwise::DIV => Some(Arith::Div),
        elementwise::NEG => Some(Arith::Neg),
        _ => None,
    }
}

fn reduction<T: Scalar>(how: Reduction) -> fn(&[T]) -> T {
    match how {
        Reduction::Sum => reduce::sum,
        Reduction::Max => reduce::maximum,
        Reduction::LogSumExp => reduce::log_sum_exp,
        Reduction::Norm2 => reduce::norm2,
    }
}

fn factor(part: ConvPart) -> Factor {
    match part {
        ConvPart::Image => Factor::Image,
        ConvPart::Kernel => Factor::Kernel,
        ConvPart::Output => Factor::Output,
    }
}
