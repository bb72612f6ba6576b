//! Ranges, index arrays and subscripts. An affine subscript becomes a slice, an index array a gather, a member of a
//! list of equal blocks a reshape; nothing depends on how long the axis is.

use blo_grammar::ast::{Comprehension, Expr, ExprKind, Subscript};
use blo_grammar::span::Span;

use crate::graph::{Elem, Formal, Function, NodeId};
use crate::model::checker::{Checked, Checker};
use crate::model::meaning::{IndexArray, IndexBlocks, IndexRange, Kind, LoopArray, LoopPosition, Meaning};
use crate::model::message;
use crate::model::problem::{Claim, DataItem, DataOrigin};
use crate::shape::{Dim, Shape};

/// What an axis of the node under construction is.
#[derive(Clone, Copy, PartialEq)]
enum Axis {
    Loop(usize),
    Own,
    Gone,
}

impl Checker<'_> {
    /// `a..b by s`.
    pub(crate) fn range(&mut self, start: &Expr, end: &Expr, step: Option<&Expr>, span: Span) -> Checked<IndexRange> {
        let first = self.position_dim(start)?;
        let last = self.position_dim(end)?;
        self.require(Claim::Range { first: first.clone(), last: last.clone() }, span)?;
        let stride = match step {
            None => 1,
            Some(e) => {
                let a = self.scalar(e, "a stride")?;
                match self.number(&a)? {
                    Some(s) if s >= 1.0 && s.fract() == 0.0 && s < 1e9 => s as i64,
                    _ => return self.fail(message::bad_stride(e.span)),
                }
            }
        };
        let reach = last.sub(&first).and_then(|d| d.add(&Dim::constant(1)));
        let length = match (reach, stride) {
            (Some(length), 1) => length,
            (Some(reach), _) => self.strided_length(&reach, stride, span),
            (None, _) => return self.fail(message::size_overflow(span)),
        };
        Ok(IndexRange { start: first, stride, length })
    }

    /// The number of positions of a strided range is a size of its own: `ceil(reach/stride)` is not a polynomial.
    fn strided_length(&mut self, reach: &Dim, stride: i64, span: Span) -> Dim {
        if let Some(n) = reach.as_integer() {
            return Dim::constant((n.max(0) + stride - 1) / stride);
        }
        let symbol = format!("|{}|", self.text(span));
        self.size_checks.derived.retain(|d| d.symbol != symbol);
        self.size_checks.derived.push(crate::model::problem::DerivedSize {
            symbol: symbol.clone(),
            reach: reach.clone(),
            stride,
            span,
        });
        if let (Ok(value), None) = (reach.value(&self.sizes), self.sizes.get(&symbol)) {
            let n = value.floor().to_integer().max(0) as i64;
            self.sizes.set(&symbol, (n + stride - 1) / stride);
        }
        Dim::symbol(&symbol)
    }

    fn position_dim(&mut self, e: &Expr) -> Checked<Dim> {
        let a = self.scalar(e, "the end of a range")?;
        if a.kind.is_label() {
            return self.fail(message::label_as_index(e.span));
        }
        self.dim_of(&a, e.span, "the end of a range")
    }

    /// The exact size that a number stands for.
    pub(crate) fn dim_of(&mut self, a: &LoopArray, span: Span, what: &str) -> Checked<Dim> {
        if let Some(d) = &a.dim {
            return Ok(d.clone());
        }
        if self.depends_on_variables(a.node) {
            return self.fail(message::size_from_variable(span, what));
        }
        match self.number(a)? {
            Some(v) if v.fract() == 0.0 && v.abs() < 1e12 => Ok(Dim::constant(v as i64)),
            Some(v) => self.fail(message::size_not_whole(span, what, v)),
            None => self.fail(message::size_from_data(span, what)),
        }
    }

    /// `a[i, _]`.
    pub(crate) fn index(&mut self, base: &Expr, indices: &[Subscript], span: Span) -> Checked<Meaning> {
        let before = self.diagnostics.len();
        let found = self.indexed(base, indices, span);
        if found.is_err()
            && let Some((name, each)) = self.own_of_a_task(base, indices)
        {
            let subscripts = ["B0332", "B0333", "B0334", "B0335"];
            let added = self.diagnostics.iter_mut().skip(before).filter(|d| subscripts.contains(&d.code));
            added.for_each(|d| d.help.insert(0, message::own_of_a_task(&name, &each)));
        }
        found
    }

    /// `y` and `j` of `y[j]` within `lower for j`, where y is that of j already.
    fn own_of_a_task(&self, base: &Expr, indices: &[Subscript]) -> Option<(String, String)> {
        let local = |e: &Expr| -> Option<(String, &LoopArray)> {
            let ExprKind::Name(name) = &e.kind else { return None };
            match self.names.scopes.iter().rev().find_map(|scope| scope.get(name))? {
                Meaning::Array(a) => Some((name.clone(), a)),
                _ => None,
            }
        };
        let (name, own) = local(base).filter(|(_, a)| self.is_of_followers(a.node))?;
        indices.iter().find_map(|subscript| {
            let Subscript::At(e) = subscript else { return None };
            let (index, a) = local(e)?;
            let (LoopPosition::Affine { each, .. } | LoopPosition::Element { each, .. }) = a.position.as_ref()?;
            own.loops.contains(each).then(|| (name.clone(), index))
        })
    }

    fn indexed(&mut self, base: &Expr, indices: &[Subscript], span: Span) -> Checked<Meaning> {
        let base_value = self.expression(base)?;
        let is_stack = matches!(base_value, Meaning::Stack(_));
        let base_array = match base_value {
            Meaning::Blocks(b) => return self.member(&b, indices, span),
            Meaning::Array(a) => a,
            Meaning::Stack(a) => {
                if indices.len() != 1 {
                    let text = self.text(base.span);
                    return self.fail(message::stack_subscript(span, &text, indices.len()));
                }
                a
            }
            Meaning::Range(r) => self.as_array(Meaning::Range(r), base.span)?,
            other => return self.fail(message::not_indexable(base.span, &other.describe())),
        };
        if !is_stack && indices.len() != base_array.shape.rank() {
            let d = message::subscript_count(span, indices.len(), &base_array.shape, &self.text(base.span));
            return self.fail(self.declared_at(base, d));
        }
        let mut axes: Vec<Axis> = base_array.loops.iter().map(|l| Axis::Loop(*l)).collect();
        axes.extend(base_array.shape.0.iter().map(|_| Axis::Own));
        let mut node = base_array.node;
        let mut axis = base_array.loops.len();
        for subscript in indices {
            match subscript {
                Subscript::All(_) => axis += 1,
                Subscript::At(e) => {
                    let mut value = self.expression(e)?;
                    if is_stack {
                        if self.is_of_followers(node) {
                            value = self.place_of_follower(value, e.span)?;
                        }
                        node = self.followers_of(node, &value, base)?;
                    }
                    self.subscript(&mut node, &mut axes, &mut axis, value, e.span)?;
                }
            }
        }
        self.settle(node, axes, base_array.kind, span).map(Meaning::Array)
    }

    /// The followers that a subscript chooses from: where `j` runs through other tasks, `y[j]` is the lower level solved
    /// for those, which only a metric may ask for.
    fn followers_of(&mut self, stack: NodeId, subscript: &Meaning, base: &Expr) -> Checked<NodeId> {
        let crate::graph::Op::Input(formal) = *self.graph.op(stack) else { return Ok(stack) };
        let Meaning::Array(LoopArray { position: Some(LoopPosition::Affine { each, .. }), .. }) = subscript else {
            return Ok(stack);
        };
        let follower = self.followers.variables.iter().position(|f| *f == formal as usize);
        let (Some(follower), Some(tasks)) = (follower, self.loops[*each].over) else { return Ok(stack) };
        match self.followers.tasks {
            Some(own) if own == tasks => Ok(stack),
            Some(own) if self.reporting.in_metric => self.followers_on(own, tasks, follower, base.span),
            _ => {
                let text = self.text(base.span);
                self.fail(message::other_followers(base.span, &text))
            }
        }
    }

    fn is_of_followers(&self, node: NodeId) -> bool {
        matches!(*self.graph.op(node), crate::graph::Op::Input(f) if self.followers.variables.contains(&(f as usize)))
    }

    /// Where the follower of a `j` stands among all: in `lower for j in 2..4`, `y[2]` is the first.
    pub(crate) fn place_of_follower(&mut self, subscript: Meaning, span: Span) -> Checked<Meaning> {
        let (first, step) = match &self.followers.numbers {
            Some(LoopPosition::Affine { offset, stride, .. }) => (offset.clone(), *stride),
            Some(LoopPosition::Element { index, .. }) => {
                let own = *index;
                return match subscript {
                    Meaning::Array(LoopArray {
                        position: Some(LoopPosition::Element { each, index, .. }),
                        node,
                        loops,
                        shape,
                        kind,
                        dim,
                    }) if index == own => {
                        let position = Some(LoopPosition::Affine { each, offset: Dim::constant(1), stride: 1 });
                        Ok(Meaning::Array(LoopArray { node, loops, shape, kind, dim, position }))
                    }
                    _ => self.fail(message::followers_of_an_array(span)),
                };
            }
            None => return Ok(subscript),
        };
        if first.is_one() && step == 1 {
            return Ok(subscript);
        }
        let count = self.followers.count.as_ref().and_then(Dim::as_integer).unwrap_or(i64::MAX);
        let place = |c: &mut Self, j: &Dim| {
            let away = j.sub(&first);
            let steps = match (step, away.as_ref().and_then(Dim::as_integer)) {
                (1, _) => away,
                (_, Some(away)) if away % step == 0 => Some(Dim::constant(away / step)),
                _ => None,
            };
            match steps.and_then(|steps| steps.add(&Dim::constant(1))) {
                Some(place) if place.as_integer().is_none_or(|place| (1..=count).contains(&place)) => Ok(place),
                _ => c.fail(message::which_follower(span)),
            }
        };
        let steps = |c: &mut Self, stride: i64| match stride % step {
            0 => Ok(stride / step),
            _ => c.fail(message::which_follower(span)),
        };
        Ok(match subscript {
            Meaning::Array(LoopArray {
                position: Some(LoopPosition::Affine { each, offset, stride }),
                node,
                loops,
                shape,
                kind,
                dim,
            }) => {
                let position =
                    LoopPosition::Affine { each, offset: place(self, &offset)?, stride: steps(self, stride)? };
                Meaning::Array(LoopArray { node, loops, shape, kind, dim, position: Some(position) })
            }
            Meaning::Array(a) if a.is_scalar() && a.loops.is_empty() && !a.kind.is_label() => {
                let at = self.dim_of(&a, span, "an index")?;
                let at = place(self, &at)?;
                Meaning::Array(self.dim_array(at))
            }
            Meaning::Range(r) => {
                let (start, stride) = (place(self, &r.start)?, steps(self, r.stride)?);
                Meaning::Range(IndexRange { start, stride, length: r.length })
            }
            Meaning::Array(a) if a.kind.is_label() => Meaning::Array(a),
            _ => return self.fail(message::which_follower(span)),
        })
    }

    /// Applies one subscript to the axis and moves past it.
    fn subscript(
        &mut self,
        node: &mut NodeId,
        axes: &mut Vec<Axis>,
        axis: &mut usize,
        value: Meaning,
        span: Span,
    ) -> Checked<()> {
        let extent = self.graph.shape(*node).0[*axis].clone();
        let one = Dim::constant(1);
        match value {
            Meaning::Array(a) if a.kind.is_label() => return self.fail(message::label_as_index(span)),
            Meaning::Array(LoopArray { position: Some(position), .. }) => {
                let each = self.select(node, *axis, &position, &extent, span)?;
                axes[*axis] = Axis::Loop(each);
            }
            Meaning::Array(a) if a.is_scalar() && a.loops.is_empty() => {
                let at = self.dim_of(&a, span, "an index")?;
                self.require_within(&at, &at, &extent, span)?;
                let Some(zero_based) = at.sub(&one) else { return self.fail(message::size_overflow(span)) };
                *node = self.graph.slice(*node, *axis, &zero_based, 1, &one);
                axes[*axis] = Axis::Gone;
            }
            Meaning::Array(a) => return self.fail(message::bad_subscript(span, &Meaning::Array(a).describe())),
            Meaning::Range(r) => self.slice_range(node, *axis, &r, &extent, span)?,
            Meaning::Indices(i) => {
                self.require_within(&Dim::constant(1), &i.extent, &extent, span)?;
                *node = self.graph.gather(*node, i.index, *axis);
            }
            Meaning::Member(blocks, LoopPosition::Affine { each, offset, stride }) => {
                let first = offset.sub(&one).and_then(|o| o.mul(&blocks.width)).and_then(|o| o.add(&blocks.start));
                let steps = self.loops[each].length.clone();
                let length = steps.mul(&blocks.width);
                let (Some(first), Some(length), 1) = (first, length, stride) else {
                    return self.fail(message::bad_subscript(span, "every other member of a list"));
                };
                let range = IndexRange { start: first, stride: 1, length };
                self.slice_range(node, *axis, &range, &extent, span)?;
                let mut shape = self.graph.shape(*node).clone();
                shape.0[*axis] = steps;
                shape.0.insert(*axis + 1, blocks.width.clone());
                *node = self.graph.reshape(*node, &shape);
                axes[*axis] = Axis::Loop(each);
                axes.insert(*axis + 1, Axis::Own);
                *axis += 1;
            }
            other => return self.fail(message::bad_subscript(span, &other.describe())),
        }
        *axis += 1;
        Ok(())
    }

    /// Restricts an axis to the positions of a loop variable.
    fn select(&mut self, node: &mut NodeId, axis: usize, p: &LoopPosition, extent: &Dim, span: Span) -> Checked<usize> {
        match p {
            LoopPosition::Affine { each, offset, stride } => {
                let length = self.loops[*each].length.clone();
                let range = IndexRange { start: offset.clone(), stride: *stride, length };
                self.slice_range(node, axis, &range, extent, span)?;
                Ok(*each)
            }
            LoopPosition::Element { each, index, extent: last } => {
                self.require_within(&Dim::constant(1), last, extent, span)?;
                *node = self.graph.gather(*node, *index, axis);
                Ok(*each)
            }
        }
    }

    pub(crate) fn slice_range(
        &mut self,
        node: &mut NodeId,
        axis: usize,
        r: &IndexRange,
        extent: &Dim,
        span: Span,
    ) -> Checked<()> {
        let (Some(last), Some(start)) = (r.last(), r.start.sub(&Dim::constant(1))) else {
            return self.fail(message::size_overflow(span));
        };
        self.require_within(&r.start, &last, extent, span)?;
        let Ok(stride) = u32::try_from(r.stride) else { return self.fail(message::bad_stride(span)) };
        *node = self.graph.slice(*node, axis, &start, stride, &r.length);
        Ok(())
    }

    /// Drops indexed axes and brings loops to the front, in nesting order.
    fn settle(&mut self, node: NodeId, axes: Vec<Axis>, kind: Kind, span: Span) -> Checked<LoopArray> {
        let full = self.graph.shape(node).clone();
        let kept: Vec<usize> = (0..axes.len()).filter(|i| axes[*i] != Axis::Gone).collect();
        let dims = Shape(kept.iter().map(|i| full.0[*i].clone()).collect());
        let node = self.graph.reshape(node, &dims);
        let mut loops: Vec<(usize, usize)> = Vec::new();
        let mut own: Vec<usize> = Vec::new();
        for (at, i) in kept.iter().enumerate() {
            match axes[*i] {
                Axis::Loop(l) => loops.push((l, at)),
                _ => own.push(at),
            }
        }
        loops.sort_unstable();
        if loops.windows(2).any(|w| w[0].0 == w[1].0) {
            return self.fail(message::diagonal(span));
        }
        let perm: Vec<u8> = loops.iter().map(|(_, at)| *at as u8).chain(own.iter().map(|at| *at as u8)).collect();
        let shape = Shape(own.iter().map(|at| dims.0[*at].clone()).collect());
        let node = self.graph.permute(node, &perm);
        Ok(LoopArray { kind, ..LoopArray::real(node, loops.into_iter().map(|(l, _)| l).collect(), shape) })
    }

    /// `G[j]`: a member of a list.
    fn member(&mut self, blocks: &IndexBlocks, indices: &[Subscript], span: Span) -> Checked<Meaning> {
        let [Subscript::At(e)] = indices else { return self.fail(message::list_subscript(span)) };
        let a = self.array(e)?;
        if let Some(position) = a.position {
            if let LoopPosition::Affine { each, offset, stride } = &position {
                let length = self.loops[*each].length.clone();
                let range = IndexRange { start: offset.clone(), stride: *stride, length };
                let last = range.last();
                let (start, count) = (offset.clone(), blocks.count.clone());
                if let Some(last) = last {
                    self.require_within(&start, &last, &count, span)?;
                }
            }
            return Ok(Meaning::Member(blocks.clone(), position));
        }
        let at = self.dim_of(&a, e.span, "an index")?;
        let count = blocks.count.clone();
        self.require_within(&at, &at, &count, e.span)?;
        let offset = at.sub(&Dim::constant(1)).and_then(|d| d.mul(&blocks.width)).and_then(|d| d.add(&blocks.start));
        match offset {
            Some(start) => Ok(Meaning::Range(IndexRange { start, stride: 1, length: blocks.width.clone() })),
            None => self.fail(message::size_overflow(span)),
        }
    }

    /// `[i for i in S if c]`: the positions of a range where a condition on data holds.
    pub(crate) fn filtered(&mut self, c: &Comprehension, condition: &Expr, span: Span) -> Checked<Meaning> {
        let [(variable, set)] = c.generators.as_slice() else {
            return self.fail(message::filter_form(span));
        };
        let Meaning::Range(range) = self.expression(set)? else {
            return self.fail(message::filter_form(set.span));
        };
        let (Some(extent), Some(start)) = (range.last(), range.start.sub(&Dim::constant(1))) else {
            return self.fail(message::size_overflow(span));
        };
        self.require_within(&range.start, &extent, &extent, set.span)?;
        let node = self.scoped(|c2| {
            let each = c2.open_loop(variable, set)?;
            let body = c2.array(&c.body)?;
            let plain = matches!(&body.position, Some(LoopPosition::Affine { each: e, offset, stride })
                if *e == each && *offset == range.start && *stride == range.stride);
            if !plain {
                return c2.fail(message::filter_form(c.body.span));
            }
            let condition_value = c2.condition(condition)?;
            if condition_value.loops.iter().any(|l| *l != each) {
                return c2.fail(message::filter_form(condition.span));
            }
            if c2.depends_on_variables(condition_value.node) {
                return c2.fail(message::condition_on_variable(condition.span));
            }
            c2.align(&condition_value, &[each], &Shape::scalar(), condition.span)
        })?;
        let name = self.names.current_let.clone().unwrap_or_else(|| format!("rows {}", self.rows.data.len() + 1));
        let length = Dim::symbol(&format!("|{name}|"));
        let formal = self.formals.len();
        let shape = Shape(vec![length.clone()]);
        let condition = Function::new(format!("condition of {name}"), &self.graph, self.formals.clone(), &[node]);
        self.formals.push(Formal { name: name.clone(), shape: shape.clone(), elem: Elem::Index });
        let index = self.graph.input(formal, shape.clone(), Elem::Index);
        let step = range.stride as u32;
        let origin = DataOrigin::Filter { condition, start, step, extent: extent.clone() };
        self.rows.data.push(DataItem { formal, name, shape, origin, kind: Kind::Real, span });
        Ok(Meaning::Indices(IndexArray { index, length, extent }))
    }
}
