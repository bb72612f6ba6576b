//! Nodes to items: fused groups over `n` elements and kernel calls, in an order that can run. Each elementwise node
//! joins the first group of its length that comes after everything it reads; a sum over trailing axes joins the group
//! that makes its operand. Joining is always legal, since a node's readers are placed after it. What reaches memory is
//! decided last: only values that another item reads, or that are outputs.

use std::collections::HashMap;
use std::sync::Arc;

use super::carry::{self, Carry};
use super::compile::Role;
use super::item::{Call, Carried, Fused, GROUP, Group, Item, MapOperand, Origin, Part, Phase, Schedule, Value, What};
use super::scalar::Scalar;
use super::view::{Source, ValueId, View, count};
use super::{hoist, place, sink, tape};
use crate::graph::{Elem, Function, NodeId, Op, Reduction};
use crate::kernel::columns::Geometry;
use crate::kernel::pool::Pool;
use crate::shape::{SizeError, Sizes};

/// Orders a function's nodes.
pub(super) fn schedule<T: Scalar>(f: &Function, sizes: &Sizes, roles: &[Role]) -> Result<Schedule<T>, SizeError> {
    let invariant = hoist::invariant(f, roles);
    let empty = Schedule {
        values: Vec::new(),
        prologue: Vec::new(),
        fill: Vec::new(),
        body: Vec::new(),
        inputs: Vec::new(),
        unread: Vec::new(),
        lent: Vec::new(),
        outputs: Vec::new(),
        carried: Vec::new(),
        fills: Vec::new(),
        bounds: vec![usize::MAX; f.inputs.len()],
    };
    let mut b = Builder {
        f,
        sizes,
        invariant,
        varying: Phase::Body,
        used: Vec::new(),
        views: vec![None; f.graph().len()],
        copies: HashMap::new(),
        s: empty,
    };
    for (position, formal) in f.inputs.iter().enumerate() {
        let shape = formal.shape.sizes(sizes)?;
        let value = (formal.elem == Elem::Real).then(|| {
            let id = b.value(f.input(position), shape.clone(), Origin::Input(position));
            b.s.values[id].stored = true;
            b.views[position] = Some(View::dense(Source::Value(id), &shape));
            id
        });
        b.s.inputs.push(value);
    }
    let of_role = |role| (0..roles.len()).filter(|i| roles[*i] == role).filter_map(|i| b.s.inputs[i]).collect();
    (b.s.unread, b.s.lent) = (of_role(Role::Unread), of_role(Role::Lent));
    let carried = carry::carried(f, sizes, roles)?;
    let nodes = |of: fn(&Carry) -> NodeId| carried.iter().map(of).collect::<Vec<NodeId>>();
    b.s.fills = f.graph().reachable(&nodes(|c| c.node))[..f.inputs.len()].to_vec();
    let filled = b.fill(&nodes(|c| c.node))?;
    let needed = [f.outputs(), &nodes(|c| c.image)].concat();
    b.nodes(&needed)?;
    b.s.outputs = f.outputs().iter().map(|id| b.keep(*id)).collect();
    for (c, (current, filled)) in carried.iter().zip(filled) {
        let next = b.keep(c.image);
        b.s.carried.push(Carried { current, filled, next });
    }
    b.sink();
    b.mark_stored();
    Ok(b.s)
}

struct Builder<'f, T: Scalar> {
    f: &'f Function,
    sizes: &'f Sizes,
    invariant: Vec<bool>,
    /// The phase of what is not invariant: first the fill, then the body.
    varying: Phase,
    /// The nodes that are computed in it.
    used: Vec<bool>,
    views: Vec<Option<View>>,
    copies: HashMap<(Phase, View), ValueId>,
    s: Schedule<T>,
}

impl<T: Scalar> Builder<'_, T> {
    fn value(&mut self, node: NodeId, shape: Vec<usize>, origin: Origin) -> ValueId {
        self.s.values.push(Value { shape, origin, node, stored: false, kept: false });
        self.s.values.len() - 1
    }

    fn view(&self, id: NodeId) -> View {
        self.views[id.0 as usize].clone().expect("operands are scheduled first")
    }

    fn items(&mut self, phase: Phase) -> &mut Vec<Item<T>> {
        match phase {
            Phase::Prologue => &mut self.s.prologue,
            Phase::Fill => &mut self.s.fill,
            Phase::Body => &mut self.s.body,
        }
    }

    fn of_phase(&self, phase: Phase) -> &[Item<T>] {
        match phase {
            Phase::Prologue => &self.s.prologue,
            Phase::Fill => &self.s.fill,
            Phase::Body => &self.s.body,
        }
    }

    fn phase_of(&self, id: NodeId) -> Phase {
        if self.invariant[id.0 as usize] { Phase::Prologue } else { self.varying }
    }

    /// Computes the carried nodes from the state, and has the body read them where it would compute them. Per node the
    /// value that the body reads and the one that the fill makes.
    fn fill(&mut self, carried: &[NodeId]) -> Result<Vec<(ValueId, ValueId)>, SizeError> {
        self.varying = Phase::Fill;
        self.nodes(carried)?;
        let filled: Vec<ValueId> = carried.iter().map(|id| self.keep(*id)).collect();
        self.varying = Phase::Body;
        for id in self.f.graph().ids().skip(self.f.inputs.len()) {
            if !self.invariant[id.0 as usize] {
                self.views[id.0 as usize] = None;
            }
        }
        let mut pairs = Vec::with_capacity(carried.len());
        for (id, filled) in carried.iter().zip(filled) {
            let shape = self.s.values[filled].shape.clone();
            let current = self.value(*id, shape.clone(), Origin::Carried);
            self.s.values[current].stored = true;
            self.views[id.0 as usize] = Some(View::dense(Source::Value(current), &shape));
            pairs.push((current, filled));
        }
        Ok(pairs)
    }

    /// Schedules what the roots need and has no view yet.
    fn nodes(&mut self, roots: &[NodeId]) -> Result<(), SizeError> {
        let g = self.f.graph();
        let mut used = vec![false; g.len()];
        for r in roots {
            used[r.0 as usize] = true;
        }
        for id in g.ids().rev() {
            if used[id.0 as usize] && self.views[id.0 as usize].is_none() {
                for a in g.args(id) {
                    used[a.0 as usize] = true;
                }
            }
        }
        self.used = used;
        for id in g.ids().skip(self.f.inputs.len()) {
            // The second output of a Map has its view from the first.
            if self.used[id.0 as usize] && self.views[id.0 as usize].is_none() {
                self.node(id)?;
            }
        }
        Ok(())
    }

    fn node(&mut self, id: NodeId) -> Result<(), SizeError> {
        let (f, sizes) = (self.f, self.sizes);
        let node = f.graph().node(id);
        let shape = node.shape.sizes(sizes)?;
        let phase = self.phase_of(id);
        let args: Vec<View> = match node.op {
            Op::Map { .. } => Vec::new(),
            _ => node.args.iter().filter(|a| f.graph().node(**a).elem == Elem::Real).map(|a| self.view(*a)).collect(),
        };
        let view = match &node.op {
            Op::Input(_) => unreachable!("inputs come first and are not scheduled"),
            Op::Const(bits) => View::constant(f64::from_bits(*bits)),
            Op::Size(dim) => View::constant(ratio(dim.value(sizes)?)),
            Op::Iota => View::dense(Source::Iota, &shape),
            Op::Broadcast(mask) => args[0].broadcast(*mask, &shape),
            Op::Transpose(perm) => args[0].permute(perm),
            Op::Reshape => self.reshape(phase, &args[0], &shape, id),
            Op::Slice { axis, start, step } => {
                let (axis, start, step) = (*axis as usize, start.size(sizes)?, *step as usize);
                let last = start + shape[axis].saturating_sub(1) * step;
                assert!(shape[axis] == 0 || last < args[0].axes[axis].0, "a slice stays within its axis");
                args[0].slice(axis, start, step, shape[axis])
            }
            Op::Elementwise(e) => {
                let out = self.fuse(
                    phase,
                    count(&shape),
                    None,
                    id,
                    shape.clone(),
                    |out| Fused::Apply { f: *e, args: args.clone(), out },
                    &args,
                );
                View::dense(Source::Value(out), &shape)
            }
            Op::Reduce(how, mask) => self.reduce(phase, id, *how, *mask, &args[0], shape),
            Op::MatMul => {
                let (rows, columns) = (args[0].axes[0].0, args[1].axes[1].0);
                let a = self.matrix(phase, &args[0], rows == 1, id);
                let b = self.matrix(phase, &args[1], columns == 1, id);
                self.call(phase, What::MatMul, vec![a, b], id, shape)
            }
            Op::Pad { axis, start, step } => {
                let (axis, start) = (*axis as usize, start.size(sizes)?);
                let full = View::dense(Source::Iota, &shape);
                let places = full.slice(axis, start, *step as usize, args[0].axes[axis].0);
                let part = Part { offset: places.offset, strides: places.axes.iter().map(|a| a.1).collect() };
                self.call(phase, What::Place { parts: vec![part], zero: true }, args, id, shape)
            }
            Op::Concat(axis) => {
                let full = View::dense(Source::Iota, &shape);
                let strides: Vec<usize> = full.axes.iter().map(|a| a.1).collect();
                let mut start = 0;
                let mut parts = Vec::new();
                for a in &args {
                    parts.push(Part { offset: start * strides[*axis as usize], strides: strides.clone() });
                    start += a.axes[*axis as usize].0;
                }
                self.call(phase, What::Place { parts, zero: false }, args, id, shape)
            }
            Op::Gather(axis) => {
                let source = self.dense(phase, &args[0], id);
                let index = self.index(node.args[1], source.axes[*axis as usize].0);
                let (length, inner) = around(&source.shape(), *axis);
                self.call(phase, What::Gather { axis: length, inner, index }, vec![source], id, shape)
            }
            Op::Scatter(axis) => {
                let values = self.dense(phase, &args[0], id);
                let (length, inner) = around(&shape, *axis);
                let index = self.index(node.args[1], length);
                self.call(phase, What::Scatter { axis: length, inner, index }, vec![values], id, shape)
            }
            Op::Conv { part, stride, padding } => {
                let mut of = [&shape[..]; 3];
                let operands: Vec<Vec<usize>> = args.iter().map(View::shape).collect();
                for (other, operand) in part.others().iter().zip(&operands) {
                    of[*other as usize] = operand;
                }
                let geometry = Geometry::new(of[0], of[1], of[2], *stride as usize, *padding as usize);
                let args = args.iter().map(|a| self.dense(phase, a, id)).collect();
                self.call(phase, What::Conv { part: *part, geometry }, args, id, shape)
            }
            Op::Pick(windows) => {
                let pool = Pool::new(&args[0].shape(), &shape, windows.size as usize, windows.stride as usize);
                let args = args.iter().map(|a| self.dense(phase, a, id)).collect();
                self.call(phase, What::Pick(pool), args, id, shape)
            }
            Op::Put(windows) => {
                let pool = Pool::new(&shape, &args[1].shape(), windows.size as usize, windows.stride as usize);
                let args = args.iter().map(|a| self.dense(phase, a, id)).collect();
                self.call(phase, What::Put(pool), args, id, shape)
            }
            Op::Prox(kernel) => {
                let args = args.iter().map(|a| self.dense(phase, a, id)).collect();
                self.call(phase, What::Prox(*kernel), args, id, shape)
            }
            Op::Map { .. } => return self.map(phase, id),
        };
        self.views[id.0 as usize] = Some(view);
        Ok(())
    }

    /// The position of an index input, its bound lowered to the axis it points into.
    fn index(&mut self, id: NodeId, length: usize) -> usize {
        let position = self.f.input_position(id).expect("an index operand is an input");
        self.s.bounds[position] = self.s.bounds[position].min(length);
        position
    }

    fn reshape(&mut self, phase: Phase, view: &View, shape: &[usize], id: NodeId) -> View {
        match view.reshape(shape) {
            Some(view) => view,
            None => {
                let dense = self.dense(phase, view, id);
                dense.reshape(shape).expect("a contiguous array has every shape")
            }
        }
    }

    fn phase_of_source(&self, view: &View) -> Phase {
        match view.source {
            Source::Value(v) => match self.s.values[v].origin {
                Origin::Input(position) => self.phase_of(self.f.input(position)),
                Origin::Carried => Phase::Body,
                Origin::Item(phase, _) => phase,
            },
            Source::Const(_) | Source::Iota => Phase::Prologue,
        }
    }

    /// The same elements one after the other, copied if they are not.
    fn dense(&mut self, phase: Phase, view: &View, id: NodeId) -> View {
        if view.is_contiguous() {
            return view.clone();
        }
        // Copies of what is known before the body are made once.
        let phase = phase.min(self.phase_of_source(view));
        let shape = view.shape();
        let key = (phase, view.clone());
        if let Some(copy) = self.copies.get(&key) {
            return View::dense(Source::Value(*copy), &shape);
        }
        let arg = view.clone();
        let out = self.fuse(
            phase,
            view.count(),
            None,
            id,
            shape.clone(),
            |out| Fused::Copy { arg, out },
            std::slice::from_ref(view),
        );
        self.copies.insert(key, out);
        View::dense(Source::Value(out), &shape)
    }

    /// An operand of MatMul: rows or columns contiguous, and contiguous altogether where it is a vector.
    fn matrix(&mut self, phase: Phase, view: &View, vector: bool, id: NodeId) -> View {
        let [(m, row), (k, column)] = view.axes[..] else { unreachable!("MatMul has operands of rank 2") };
        let rows = column == 1 && row >= k;
        let columns = row == 1 && column >= m;
        let strided = !vector && m > 1 && k > 1 && (rows || columns);
        let real = matches!(view.source, Source::Value(_));
        if real && (strided || view.is_contiguous()) { view.clone() } else { self.dense(phase, view, id) }
    }

    /// The first item that may hold something that reads `views`.
    fn earliest(&self, phase: Phase, n: usize, views: &[View]) -> usize {
        let items = self.of_phase(phase);
        let after = |view: &View| {
            let Source::Value(v) = view.source else { return 0 };
            match self.s.values[v].origin {
                Origin::Item(p, at) if p == phase => {
                    let same = matches!(&items[at], Item::Group(g) if g.n == n) && self.is_whole(view, n);
                    // A sum is complete only after its group.
                    if same && !self.is_sum(v, at, phase) { at } else { at + 1 }
                }
                _ => 0,
            }
        };
        views.iter().map(after).max().unwrap_or(0)
    }

    fn is_whole(&self, view: &View, n: usize) -> bool {
        let Source::Value(v) = view.source else { return false };
        view.count() == n && count(&self.s.values[v].shape) == n && view.offset == 0 && view.is_contiguous()
    }

    fn is_sum(&self, v: ValueId, at: usize, phase: Phase) -> bool {
        let Item::Group(g) = &self.of_phase(phase)[at] else { return false };
        g.ops.iter().any(|op| matches!(op, Fused::Sum { out, .. } if *out == v))
    }

    /// Adds an operation over `n` elements to the first group that can take it.
    #[allow(clippy::too_many_arguments)]
    fn fuse(
        &mut self,
        phase: Phase,
        n: usize,
        run: Option<usize>,
        node: NodeId,
        shape: Vec<usize>,
        op: impl FnOnce(ValueId) -> Fused,
        reads: &[View],
    ) -> ValueId {
        let from = self.earliest(phase, n, reads);
        let items = self.items(phase);
        let takes = |item: &Item<T>| match item {
            Item::Group(g) if g.n == n => {
                let runs = run.is_none() || g.run.is_none() || g.run == run;
                if n <= tape::WIDTH { g.ops.len() < tape::OPERATIONS } else { g.ops.len() < GROUP && runs }
            }
            _ => false,
        };
        let at = (from..items.len()).find(|i| takes(&items[*i])).unwrap_or_else(|| {
            items.push(Item::Group(Group { n, run: None, ops: Vec::new() }));
            items.len() - 1
        });
        let out = self.value(node, shape, Origin::Item(phase, at));
        if let Item::Group(g) = &mut self.items(phase)[at] {
            g.run = g.run.or(run);
            g.ops.push(op(out));
        }
        out
    }

    fn call(&mut self, phase: Phase, what: What<T>, args: Vec<View>, id: NodeId, shape: Vec<usize>) -> View {
        let at = self.items(phase).len();
        let out = self.value(id, shape.clone(), Origin::Item(phase, at));
        self.items(phase).push(Item::Call(Call { what, args, outs: vec![out] }));
        View::dense(Source::Value(out), &shape)
    }

    fn reduce(&mut self, phase: Phase, id: NodeId, how: Reduction, mask: u8, arg: &View, shape: Vec<usize>) -> View {
        let rank = arg.axes.len();
        let reduced = |i: usize| mask >> i & 1 == 1;
        let lengths = arg.shape();
        let length: usize = (0..rank).filter(|i| reduced(*i)).map(|i| lengths[i]).product();
        let last = (0..rank).rev().find(|i| reduced(*i) && lengths[*i] != 1);
        let inner: usize = last.map_or(1, |last| lengths[last + 1..].iter().product());
        // Sums over leading or middle axes add whole rows; other reductions, and scattered axes, are brought to the end.
        let first = (0..rank).find(|i| reduced(*i) && lengths[*i] != 1).unwrap_or(0);
        let together = last.is_none_or(|last| (first..=last).all(|i| reduced(i) || lengths[i] == 1));
        if how == Reduction::Sum && inner > 1 && together && length > 1 && arg.count() > 0 {
            let outer = arg.count() / length / inner;
            let source = self.dense(phase, arg, id);
            return self.call(phase, What::SumMiddle { outer, length, inner }, vec![source], id, shape);
        }
        let mut order: Vec<u8> = (0..rank as u8).filter(|i| !reduced(*i as usize)).collect();
        order.extend((0..rank as u8).filter(|i| reduced(*i as usize)));
        let arg = arg.permute(&order);
        if how != Reduction::Sum {
            let source = self.dense(phase, &arg, id);
            return self.call(phase, What::Rows { how, length }, vec![source], id, shape);
        }
        if length == 0 {
            return View::constant(0.0).broadcast(0, &shape);
        }
        if length == 1 {
            return self.reshape(phase, &arg, &shape, id);
        }
        let op = arg.clone();
        let sum = |out| Fused::Sum { arg: op, length, out };
        let out = self.fuse(phase, arg.count(), Some(length), id, shape.clone(), sum, &[arg]);
        View::dense(Source::Value(out), &shape)
    }

    /// All outputs of one body over the same operands are one call.
    fn map(&mut self, phase: Phase, id: NodeId) -> Result<(), SizeError> {
        let g = self.f.graph();
        let node = g.node(id);
        let Op::Map { body, mapped, .. } = &node.op else { unreachable!("called for Map nodes") };
        let same = |other: &NodeId| {
            let o = g.node(*other);
            o.args == node.args
                && matches!(&o.op, Op::Map { body: b, mapped: m, .. } if m == mapped && (Arc::ptr_eq(b, body) || b == body))
        };
        let wanted = |i: &NodeId| self.used[i.0 as usize] && self.views[i.0 as usize].is_none();
        let siblings: Vec<NodeId> = g.ids().filter(|i| *i >= id && wanted(i)).filter(same).collect();
        let outputs: Vec<usize> = siblings
            .iter()
            .map(|s| match g.op(*s) {
                Op::Map { output, .. } => *output as usize,
                _ => unreachable!("siblings are Map nodes"),
            })
            .collect();
        let lead = node.shape.sizes(self.sizes)?[0];
        let (mut args, mut operands, mut roles) = (Vec::new(), Vec::new(), Vec::new());
        for (a, mapped) in node.args.iter().zip(mapped.iter().copied()) {
            let mut role = if mapped { Role::Varying } else { Role::Invariant };
            if g.node(*a).elem == Elem::Index {
                let position = self.f.input_position(*a).expect("an index operand is an input");
                operands.push(MapOperand::Index { position, mapped });
            } else {
                let view = self.view(*a);
                let view = self.dense(phase, &view, id);
                let lent = matches!(view.source, Source::Value(v) if self.s.lent.contains(&v));
                if lent && !mapped && self.is_whole(&view, view.count()) {
                    role = Role::Lent;
                }
                operands.push(MapOperand::Real { arg: args.len(), mapped, lent: role == Role::Lent });
                args.push(view);
            }
            roles.push(role);
        }
        let program = super::compile::<T>(&body.select(&outputs), self.sizes, &roles)?;
        for (k, a) in node.args.iter().enumerate().filter(|(_, a)| g.node(**a).elem == Elem::Index) {
            self.index(*a, program.bound(k));
        }
        let at = self.items(phase).len();
        let mut outs = Vec::new();
        for s in &siblings {
            let shape = g.shape(*s).sizes(self.sizes)?;
            let out = self.value(*s, shape.clone(), Origin::Item(phase, at));
            self.views[s.0 as usize] = Some(View::dense(Source::Value(out), &shape));
            outs.push(out);
        }
        let what = What::Map { body: Box::new(program), lead, operands };
        self.items(phase).push(Item::Call(Call { what, args, outs }));
        Ok(())
    }

    /// The value of a node in an array of its own, written in the present phase: every output is one, so that the
    /// caller may swap it away.
    fn keep(&mut self, id: NodeId) -> ValueId {
        let (view, phase) = (self.view(id), self.varying);
        let shape = view.shape();
        if let Source::Value(v) = view.source {
            let own = matches!(self.s.values[v].origin, Origin::Item(p, _) if p == phase);
            if own && !self.s.values[v].kept && self.is_whole(&view, count(&shape)) {
                self.s.values[v].kept = true;
                return v;
            }
        }
        let arg = view.clone();
        let out = self.fuse(phase, view.count(), None, id, shape, |out| Fused::Copy { arg, out }, &[view]);
        self.s.values[out].kept = true;
        out
    }

    fn sink(&mut self) {
        let mut later = vec![false; self.s.values.len()];
        for view in self.s.fill.iter().chain(&self.s.body).flat_map(place::reads) {
            if let Source::Value(v) = view.source {
                later[v] |= matches!(self.s.values[v].origin, Origin::Item(Phase::Prologue, _));
            }
        }
        sink::sink(&mut self.s.prologue, Phase::Prologue, &mut self.s.values, &|v| later[v]);
        sink::sink(&mut self.s.fill, Phase::Fill, &mut self.s.values, &|_| false);
        sink::sink(&mut self.s.body, Phase::Body, &mut self.s.values, &|_| false);
    }

    /// Decides what reaches memory.
    fn mark_stored(&mut self) {
        for phase in [Phase::Prologue, Phase::Fill, Phase::Body] {
            let items = std::mem::take(self.items(phase));
            for (at, item) in items.iter().enumerate() {
                let here = |v: &Value, view: &View, n: usize| {
                    v.origin == Origin::Item(phase, at) && view.count() == n && count(&v.shape) == n
                };
                match item {
                    Item::Group(g) => {
                        for op in &g.ops {
                            for view in op.reads() {
                                if let Source::Value(v) = view.source {
                                    let value = &mut self.s.values[v];
                                    value.stored |= !here(value, view, g.n);
                                }
                            }
                            if let Fused::Sum { out, .. } = op {
                                self.s.values[*out].stored = true;
                            }
                        }
                    }
                    Item::Call(c) => {
                        for view in &c.args {
                            if let Source::Value(v) = view.source {
                                self.s.values[v].stored = true;
                            }
                        }
                        for v in &c.outs {
                            self.s.values[*v].stored = true;
                        }
                    }
                }
            }
            *self.items(phase) = items;
        }
        for value in &mut self.s.values {
            value.stored |= value.kept;
        }
    }
}

/// The length of an axis and the elements per place on it.
fn around(shape: &[usize], axis: u8) -> (usize, usize) {
    let axis = axis as usize;
    (shape[axis], shape[axis + 1..].iter().product())
}

fn ratio(value: crate::shape::Rational) -> f64 {
    *value.numer() as f64 / *value.denom() as f64
}
