//! Operators: sums, products, powers, comparisons and logic of arrays under loops.

use std::sync::Arc;

use blo_grammar::ast::{Expr, Factor, Relation, Sign as TermSign};
use blo_grammar::span::Span;

use crate::elementwise::{self, Elementwise};
use crate::graph::{Elem, Formal, Function, Graph, NodeId};
use crate::model::checker::{Checked, Checker};
use crate::model::meaning::{Kind, LoopArray, LoopPosition};
use crate::model::message;
use crate::model::names::comprehension::union;
use crate::shape::{Dim, Shape};

/// Most axes of an array, one for each loop that it varies with included. A node has eight: derivatives need some of them.
const AXES: usize = 6;

impl Checker<'_> {
    pub(super) fn sum_chain(&mut self, terms: &[(TermSign, Span, Expr)]) -> Checked<LoopArray> {
        let mut total: Option<(LoopArray, Span)> = None;
        let mut failed = None;
        for (sign, _, term) in terms {
            // A mistake in one term does not hide those in the others.
            let value = match self.array(term) {
                Ok(value) => value,
                Err(reported) => {
                    failed = Some(reported);
                    continue;
                }
            };
            total = Some(match total {
                None if *sign == TermSign::Minus => (self.negate(&value), term.span),
                None => (value, term.span),
                Some((left, span)) => {
                    let f = if *sign == TermSign::Plus { elementwise::ADD } else { elementwise::SUB };
                    match self.combine(f, &left, &value, (span, term.span)) {
                        Ok(sum) => (sum, span.to(term.span)),
                        Err(reported) => {
                            failed = Some(reported);
                            (left, span)
                        }
                    }
                }
            });
        }
        match (failed, total) {
            (None, Some((sum, _))) => Ok(sum),
            (Some(reported), _) => Err(reported),
            (None, None) => unreachable!("a sum has at least one term"),
        }
    }

    pub(super) fn product_chain(&mut self, factors: &[(Factor, Span, Expr)]) -> Checked<LoopArray> {
        let (_, _, first) = &factors[0];
        let mut product = self.array(first)?;
        let mut span = first.span;
        for (factor, operator, e) in &factors[1..] {
            let right = self.array(e)?;
            let spans = (span, e.span);
            product = match factor {
                Factor::Times => self.times(&product, &right, *operator, spans)?,
                Factor::DotTimes => self.combine(elementwise::MUL, &product, &right, spans)?,
                Factor::DotOver => self.combine(elementwise::DIV, &product, &right, spans)?,
                Factor::Over if right.is_scalar() => self.combine(elementwise::DIV, &product, &right, spans)?,
                Factor::Over => {
                    return self.fail(message::divide_by_array(*operator, &product.shape, &right.shape, spans));
                }
            };
            span = span.to(e.span);
        }
        Ok(product)
    }

    pub(super) fn negate(&mut self, a: &LoopArray) -> LoopArray {
        let node = self.graph.neg(a.node);
        let dim = a.dim.as_ref().and_then(|d| d.mul(&Dim::constant(-1)));
        let node = dim.as_ref().filter(|_| a.loops.is_empty()).map_or(node, |d| self.graph.size(d));
        LoopArray { node, loops: a.loops.clone(), shape: a.shape.clone(), kind: Kind::Real, dim, position: None }
    }

    /// An elementwise function of two arrays of one shape, or of an array and a number.
    pub(in crate::model) fn combine(
        &mut self,
        f: Elementwise,
        a: &LoopArray,
        b: &LoopArray,
        spans: (Span, Span),
    ) -> Checked<LoopArray> {
        let shape = if a.is_scalar() {
            b.shape.clone()
        } else if b.is_scalar() {
            a.shape.clone()
        } else {
            if !self.same_shape(&a.shape, &b.shape)? {
                let d = self.shape_mismatch(f, a, b, spans);
                return self.fail(d);
            }
            a.shape.clone()
        };
        let dim = exact(f, a, b);
        if let Some(dim) = dim.clone().filter(|_| a.loops.is_empty() && b.loops.is_empty()) {
            return Ok(self.dim_array(dim));
        }
        let loops = union(&a.loops, &b.loops);
        let left = self.align(a, &loops, &shape, spans.0.to(spans.1))?;
        let right = self.align(b, &loops, &shape, spans.0.to(spans.1))?;
        let node = self.graph.elementwise(f, &[left, right]);
        Ok(LoopArray { node, loops, shape, kind: Kind::Real, dim: None, position: shifted(f, a, b) })
    }

    /// The node of an array repeated to more loops, and from a number to a shape. `span` is what asks for it.
    pub(in crate::model) fn align(
        &mut self,
        a: &LoopArray,
        loops: &[usize],
        shape: &Shape,
        span: Span,
    ) -> Checked<NodeId> {
        self.require_axes(loops.len() + shape.rank(), span)?;
        let mut target: Vec<Dim> = loops.iter().map(|l| self.loops[*l].length.clone()).collect();
        let mut axes = 0u8;
        for (i, l) in loops.iter().enumerate() {
            axes |= u8::from(a.loops.contains(l)) << i;
        }
        for (i, d) in shape.0.iter().enumerate() {
            target.push(d.clone());
            axes |= u8::from(!a.is_scalar()) << (loops.len() + i);
        }
        Ok(self.graph.broadcast(a.node, axes, &Shape(target)))
    }

    /// Refuses arrays of more axes, those of loops included, than a node has room for.
    pub(in crate::model) fn require_axes(&mut self, axes: usize, span: Span) -> Checked<()> {
        if axes > AXES { self.fail(message::too_many_axes(span, axes, AXES)) } else { Ok(()) }
    }

    pub(in crate::model) fn times(
        &mut self,
        a: &LoopArray,
        b: &LoopArray,
        operator: Span,
        spans: (Span, Span),
    ) -> Checked<LoopArray> {
        if a.is_scalar() || b.is_scalar() {
            return self.combine(elementwise::MUL, a, b, spans);
        }
        if a.shape.rank() > 2 || b.shape.rank() > 2 {
            return self.fail(message::product_rank(operator, &a.shape, &b.shape, spans));
        }
        if a.shape.rank() == 1 && b.shape.rank() == 1 {
            let number = self.notes.number_places.contains(&operator);
            let d = message::column_product(operator, &a.shape, spans, number, |s| self.text(s));
            return self.fail(d);
        }
        let one = Dim::constant(1);
        // As matrices: columns are [n, 1].
        let matrix =
            |s: &Shape| if s.rank() == 1 { (s.0[0].clone(), one.clone()) } else { (s.0[0].clone(), s.0[1].clone()) };
        let ((m, k), (k2, n)) = (matrix(&a.shape), matrix(&b.shape));
        if !self.same_dim(&k, &k2)? {
            let d = self.product_mismatch(a, b, operator, spans);
            return self.fail(d);
        }
        // What the language calls the result: row*column is a number, matrix*column a column.
        let shape = match (b.shape.rank(), m.is_one()) {
            (1, true) => Shape::scalar(),
            (1, false) => Shape(vec![m.clone()]),
            _ => Shape(vec![m.clone(), n.clone()]),
        };
        let loops = union(&a.loops, &b.loops);
        self.require_axes(loops.len() + 2, operator)?;
        let batch =
            |c: &Checker<'_>, ls: &[usize]| -> Vec<Dim> { ls.iter().map(|l| c.loops[*l].length.clone()).collect() };
        let with = |mut dims: Vec<Dim>, rest: &[&Dim]| {
            dims.extend(rest.iter().map(|d| (*d).clone()));
            Shape(dims)
        };
        let node = if m.is_one() && n.is_one() {
            let column = Shape(vec![k.clone()]);
            let to_column = |c: &mut Checker<'_>, v: &LoopArray| {
                let flat = with(batch(c, &v.loops), &[&k]);
                let node = c.graph.reshape(v.node, &flat);
                let v = LoopArray::real(node, v.loops.clone(), column.clone());
                c.align(&v, &loops, &column, operator)
            };
            let (x, y) = (to_column(self, a)?, to_column(self, b)?);
            let product = self.graph.mul(x, y);
            self.graph.sum(product, 1 << loops.len())
        } else if a.loops.is_empty() && b.loops.is_empty() {
            let x = self.graph.reshape(a.node, &Shape(vec![m.clone(), k.clone()]));
            let y = self.graph.reshape(b.node, &Shape(vec![k.clone(), n.clone()]));
            self.graph.matmul(x, y)
        } else if a.loops.is_empty() && n.is_one() && b.loops.len() == 1 {
            // A matrix times a column per loop step is one product with the stacked columns.
            let x = self.graph.reshape(a.node, &Shape(vec![m.clone(), k.clone()]));
            let across = self.graph.transpose(x);
            let stacked = self.graph.reshape(b.node, &with(batch(self, &b.loops), &[&k]));
            self.graph.matmul(stacked, across)
        } else if b.loops.is_empty() {
            // The rows of all steps are rows of one product.
            let steps = a.loops.iter().try_fold(m.clone(), |rows, l| rows.mul(&self.loops[*l].length));
            let Some(rows) = steps else { return self.fail(message::size_overflow(operator)) };
            let stacked = self.graph.reshape(a.node, &Shape(vec![rows, k.clone()]));
            let y = self.graph.reshape(b.node, &Shape(vec![k.clone(), n.clone()]));
            self.graph.matmul(stacked, y)
        } else {
            self.product_per_step((a, &m, &k), (b, &k, &n), &loops, operator)?
        };
        let node = self.graph.reshape(node, &with(batch(self, &loops), &shape.0.iter().collect::<Vec<_>>()));
        Ok(LoopArray::real(node, loops, shape))
    }

    /// A product for each loop step, of shape `[steps, m, n]`: both factors or the right one vary.
    fn product_per_step(
        &mut self,
        a: (&LoopArray, &Dim, &Dim),
        b: (&LoopArray, &Dim, &Dim),
        loops: &[usize],
        operator: Span,
    ) -> Checked<NodeId> {
        let steps = loops.iter().try_fold(Dim::constant(1), |count, l| count.mul(&self.loops[*l].length));
        let Some(steps) = steps else { return self.fail(message::size_overflow(operator)) };
        let mut formals = Vec::new();
        let mut operands = Vec::new();
        for (v, rows, columns) in [a, b] {
            let slice = Shape(vec![rows.clone(), columns.clone()]);
            let stacked = Shape(vec![steps.clone(), rows.clone(), columns.clone()]);
            let varies = !v.loops.is_empty();
            let all = if varies { self.align(v, loops, &v.shape, operator)? } else { v.node };
            operands.push(self.graph.reshape(all, if varies { &stacked } else { &slice }));
            formals.push(Formal { name: "factor".into(), shape: slice, elem: Elem::Real });
        }
        let mut g = Graph::new();
        let [x, y] = [0, 1].map(|i| g.input(i, formals[i].shape.clone(), Elem::Real));
        let product = g.matmul(x, y);
        let body = Arc::new(Function::new("product", &g, formals, &[product]));
        let mapped = [!a.0.loops.is_empty(), !b.0.loops.is_empty()];
        Ok(self.graph.map(&body, &mapped, 0, &operands))
    }

    pub(super) fn transposed(&mut self, a: &LoopArray, span: Span) -> Checked<LoopArray> {
        let count = a.loops.len();
        let dims: Vec<Dim> = a.loops.iter().map(|l| self.loops[*l].length.clone()).collect();
        match a.shape.rank() {
            0 => Ok(a.clone()),
            1 => {
                let shape = Shape(vec![Dim::constant(1), a.shape.0[0].clone()]);
                let full = Shape(dims.into_iter().chain(shape.0.iter().cloned()).collect());
                let node = self.graph.reshape(a.node, &full);
                Ok(LoopArray::real(node, a.loops.clone(), shape))
            }
            2 => {
                let mut perm: Vec<u8> = (0..count as u8).collect();
                perm.extend([count as u8 + 1, count as u8]);
                let node = self.graph.permute(a.node, &perm);
                let shape = Shape(vec![a.shape.0[1].clone(), a.shape.0[0].clone()]);
                Ok(LoopArray::real(node, a.loops.clone(), shape))
            }
            _ => self.fail(message::transpose_rank(span, &a.shape)),
        }
    }

    pub(super) fn power(
        &mut self,
        base: &Expr,
        exponent: &Expr,
        dotted: bool,
        operator: Span,
        span: Span,
    ) -> Checked<LoopArray> {
        let a = self.array(base)?;
        let b = self.array(exponent)?;
        if !dotted && (!a.is_scalar() || !b.is_scalar()) {
            let text = self.text(base.span);
            let to = self.text(exponent.span);
            let number = self.notes.number_places.contains(&operator);
            return self.fail(message::power_of_array(operator, span, &a.shape, (base.span, &text), &to, number));
        }
        let number = self.number(&b)?;
        let one_node = |node, a: &LoopArray| LoopArray::real(node, a.loops.clone(), a.shape.clone());
        let square = |c: &mut Checker<'_>, n: NodeId| c.graph.elementwise(elementwise::SQUARE, &[n]);
        if let (Some(d), Some(n)) = (&a.dim, b.dim.as_ref().and_then(Dim::as_integer)) {
            let exact = (0..n.min(4)).try_fold(Dim::constant(1), |p, _| p.mul(d));
            if let Some(dim) = exact.filter(|_| (0..=4).contains(&n)) {
                return Ok(self.dim_array(dim));
            }
        }
        match number {
            Some(1.0) => Ok(a),
            Some(2.0) => {
                let node = square(self, a.node);
                Ok(one_node(node, &a))
            }
            Some(3.0) => {
                let two = square(self, a.node);
                let node = self.graph.mul(two, a.node);
                Ok(one_node(node, &a))
            }
            Some(4.0) => {
                let two = square(self, a.node);
                let node = square(self, two);
                Ok(one_node(node, &a))
            }
            _ => self.combine(elementwise::POW, &a, &b, (base.span, exponent.span)),
        }
    }

    pub(super) fn compare(
        &mut self,
        relation: Relation,
        a: &LoopArray,
        b: &LoopArray,
        _operator: Span,
        spans: (Span, Span),
    ) -> Checked<LoopArray> {
        let (f, swap) = match relation {
            Relation::Less => (elementwise::LESS, false),
            Relation::LessEqual => (elementwise::LESS_EQUAL, false),
            Relation::Greater => (elementwise::LESS, true),
            Relation::GreaterEqual => (elementwise::LESS_EQUAL, true),
            Relation::Equal => (elementwise::EQUAL, false),
            Relation::NotEqual => (elementwise::NOT_EQUAL, false),
        };
        let (x, y) = if swap { (b, a) } else { (a, b) };
        let spans = if swap { (spans.1, spans.0) } else { spans };
        let result = self.combine(f, x, y, spans)?;
        Ok(LoopArray { kind: Kind::Boolean, dim: None, position: None, ..result })
    }

    pub(super) fn logic(&mut self, f: Elementwise, parts: &[Expr]) -> Checked<LoopArray> {
        let mut result = self.boolean(&parts[0])?;
        let mut span = parts[0].span;
        for e in &parts[1..] {
            let right = self.boolean(e)?;
            result = self.combine(f, &result, &right, (span, e.span))?;
            span = span.to(e.span);
        }
        Ok(LoopArray { kind: Kind::Boolean, ..result })
    }
}

/// The exact value of an operation on sizes.
fn exact(f: Elementwise, a: &LoopArray, b: &LoopArray) -> Option<Dim> {
    let (x, y) = (a.dim.as_ref()?, b.dim.as_ref()?);
    match f {
        elementwise::ADD => x.add(y),
        elementwise::SUB => x.sub(y),
        elementwise::MUL => x.mul(y),
        elementwise::DIV => x.div(y),
        _ => None,
    }
}

/// The position of `i + 1`, `n - i`, `2*i`, where strides stay positive.
fn shifted(f: Elementwise, a: &LoopArray, b: &LoopArray) -> Option<LoopPosition> {
    let (position, dim, first) = match (&a.position, &b.position, &a.dim, &b.dim) {
        (Some(p), None, _, Some(d)) => (p, d, true),
        (None, Some(p), Some(d), _) => (p, d, false),
        _ => return None,
    };
    let LoopPosition::Affine { each, offset, stride } = position else { return None };
    let (offset, stride) = match f {
        elementwise::ADD => (offset.add(dim)?, *stride),
        elementwise::SUB if first => (offset.sub(dim)?, *stride),
        elementwise::MUL => (offset.mul(dim)?, stride.checked_mul(dim.as_integer()?)?),
        _ => return None,
    };
    (stride > 0).then_some(LoopPosition::Affine { each: *each, offset, stride })
}
