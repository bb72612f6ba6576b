//! Expressions to graph nodes: names, operators, conditionals and literals. `comprehension` has those with loops.

use std::sync::Arc;

use blo_grammar::ast::{Expr, ExprKind, Factor, Name, Relation, Sign as TermSign};
use blo_grammar::span::Span;

use crate::elementwise::{self, Elementwise};
use crate::graph::{Elem, Formal, Function, Graph, NodeId, Op};
use crate::model::checker::{Checked, Checker, OpenLoop};
use crate::model::meaning::{IndexRange, Kind, LoopArray, LoopPosition, Meaning};
use crate::model::message;
use crate::model::names::comprehension::union;
use crate::shape::{Dim, Shape};

impl Checker<'_> {
    /// The meaning of an expression.
    pub(super) fn expression(&mut self, e: &Expr) -> Checked<Meaning> {
        let outer = std::mem::replace(&mut self.graph.span, e.span);
        let value = self.expression_inner(e);
        self.graph.span = outer;
        value
    }

    fn expression_inner(&mut self, e: &Expr) -> Checked<Meaning> {
        let array = match &e.kind {
            ExprKind::Number { value, .. } => self.number_literal(*value),
            ExprKind::Text(text) => return Ok(Meaning::Text(text.clone())),
            ExprKind::Boolean(b) => return Ok(Meaning::Boolean(*b)),
            ExprKind::Paren(inner) => return self.expression(inner),
            ExprKind::Name(name) => return self.name(name, e.span),
            ExprKind::Sum(terms) => self.sum_chain(terms)?,
            ExprKind::Product(factors) => self.product_chain(factors)?,
            ExprKind::Negate(inner) => {
                let a = self.array(inner)?;
                self.negate(&a)
            }
            ExprKind::Power { base, exponent, elementwise, operator } => {
                self.power(base, exponent, *elementwise, *operator, e.span)?
            }
            ExprKind::Compare { relation, left, right, operator } => {
                let (a, b) = (self.array(left)?, self.array(right)?);
                self.compare(*relation, &a, &b, *operator, (left.span, right.span))?
            }
            ExprKind::And(parts) => self.logic(elementwise::AND, parts)?,
            ExprKind::Or(parts) => self.logic(elementwise::OR, parts)?,
            ExprKind::Not(inner) => {
                let a = self.boolean(inner)?;
                let node = self.graph.elementwise(elementwise::NOT, &[a.node]);
                LoopArray { node, dim: None, position: None, ..a }
            }
            ExprKind::Range { start, end, step } => {
                return self.range(start, end, step.as_deref(), e.span).map(Meaning::Range);
            }
            ExprKind::Index { base, indices } => return self.index(base, indices, e.span),
            ExprKind::Call { function, arguments } => return self.call(function, arguments, e.span),
            ExprKind::Reduce { function, comprehension } => self.reduction(function, comprehension, e.span)?,
            ExprKind::Comprehension(c) => return self.comprehension(c, e.span),
            ExprKind::Array(parts) => self.array_literal(parts, e.span)?,
            ExprKind::Field { base, field } => return self.field(base, field),
            ExprKind::Transpose(inner) => {
                let a = self.array(inner)?;
                self.transposed(&a, e.span)?
            }
            ExprKind::If { condition, then, otherwise } => self.conditional(condition, then, otherwise, e.span)?,
        };
        Ok(Meaning::Array(array))
    }

    /// An expression that must be numbers.
    pub(super) fn array(&mut self, e: &Expr) -> Checked<LoopArray> {
        let value = self.expression(e)?;
        self.as_array(value, e.span)
    }

    /// A value as numbers: a range becomes the array of its positions.
    pub(super) fn as_array(&mut self, value: Meaning, span: Span) -> Checked<LoopArray> {
        match value {
            Meaning::Array(a) => Ok(a),
            Meaning::Range(r) => Ok(self.range_values(&r)),
            Meaning::Dataset(view) => Ok(self.dim_array(self.rows.tables.views[view].rows.clone())),
            Meaning::Episodes(e) => Ok(self.dim_array(self.rows.tables.episodes[e].tasks())),
            Meaning::Stack(_) => {
                let text = self.text(span);
                self.fail(message::one_of_many(span, &text))
            }
            other => self.fail(message::expected_numbers(span, &other.describe())),
        }
    }

    /// An expression that must be a number free of loops.
    pub(super) fn scalar(&mut self, e: &Expr, what: &str) -> Checked<LoopArray> {
        let a = self.array(e)?;
        if !a.is_scalar() || !a.loops.is_empty() {
            return self.fail(message::expected_scalar(e.span, what, &a.shape));
        }
        Ok(a)
    }

    pub(super) fn boolean(&mut self, e: &Expr) -> Checked<LoopArray> {
        let a = self.array(e)?;
        if a.kind != Kind::Boolean {
            return self.fail(message::expected_boolean(e.span, &Meaning::Array(a).describe()));
        }
        Ok(a)
    }

    /// The condition of a comprehension: true or false for every step.
    pub(super) fn condition(&mut self, e: &Expr) -> Checked<LoopArray> {
        let a = self.boolean(e)?;
        if !a.is_scalar() {
            let shape = self.shape_text(&a.shape);
            return self.fail(message::condition_is_array(e.span, &shape));
        }
        Ok(a)
    }

    pub(super) fn number_literal(&mut self, value: f64) -> LoopArray {
        let node = self.graph.constant(value);
        let dim = Dim::from_f64(value);
        LoopArray { node, loops: Vec::new(), shape: Shape::scalar(), kind: Kind::Real, dim, position: None }
    }

    /// A size as a number.
    pub(super) fn dim_array(&mut self, dim: Dim) -> LoopArray {
        let node = self.graph.size(&dim);
        LoopArray { node, loops: Vec::new(), shape: Shape::scalar(), kind: Kind::Real, dim: Some(dim), position: None }
    }

    fn range_values(&mut self, r: &IndexRange) -> LoopArray {
        let iota = self.graph.iota(&r.length);
        let stride = self.graph.constant(r.stride as f64);
        let start = self.graph.size(&r.start);
        let scaled = self.graph.mul(iota, stride);
        let node = self.graph.add(scaled, start);
        LoopArray::real(node, Vec::new(), Shape(vec![r.length.clone()]))
    }

    fn sum_chain(&mut self, terms: &[(TermSign, Span, Expr)]) -> Checked<LoopArray> {
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

    fn product_chain(&mut self, factors: &[(Factor, Span, Expr)]) -> Checked<LoopArray> {
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

    fn negate(&mut self, a: &LoopArray) -> LoopArray {
        let node = self.graph.neg(a.node);
        let dim = a.dim.as_ref().and_then(|d| d.mul(&Dim::constant(-1)));
        let node = dim.as_ref().filter(|_| a.loops.is_empty()).map_or(node, |d| self.graph.size(d));
        LoopArray { node, loops: a.loops.clone(), shape: a.shape.clone(), kind: Kind::Real, dim, position: None }
    }

    /// An elementwise function of two arrays of one shape, or of an array and a number.
    pub(super) fn combine(
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
        let left = self.align(a, &loops, &shape);
        let right = self.align(b, &loops, &shape);
        let node = self.graph.elementwise(f, &[left, right]);
        Ok(LoopArray { node, loops, shape, kind: Kind::Real, dim: None, position: shifted(f, a, b) })
    }

    /// The node of an array repeated to more loops, and from a number to a shape.
    pub(super) fn align(&mut self, a: &LoopArray, loops: &[usize], shape: &Shape) -> NodeId {
        let mut target: Vec<Dim> = loops.iter().map(|l| self.loops[*l].length.clone()).collect();
        let mut axes = 0u8;
        for (i, l) in loops.iter().enumerate() {
            axes |= u8::from(a.loops.contains(l)) << i;
        }
        for (i, d) in shape.0.iter().enumerate() {
            target.push(d.clone());
            axes |= u8::from(!a.is_scalar()) << (loops.len() + i);
        }
        self.graph.broadcast(a.node, axes, &Shape(target))
    }

    pub(super) fn times(
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
                c.align(&v, &loops, &column)
            };
            let (x, y) = (to_column(self, a), to_column(self, b));
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
        if loops.len() + 2 > 6 {
            return self.fail(message::too_many_loops(operator));
        }
        let mut formals = Vec::new();
        let mut operands = Vec::new();
        for (v, rows, columns) in [a, b] {
            let slice = Shape(vec![rows.clone(), columns.clone()]);
            let stacked = Shape(vec![steps.clone(), rows.clone(), columns.clone()]);
            let varies = !v.loops.is_empty();
            let all = if varies { self.align(v, loops, &v.shape) } else { v.node };
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

    fn transposed(&mut self, a: &LoopArray, span: Span) -> Checked<LoopArray> {
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

    fn power(&mut self, base: &Expr, exponent: &Expr, dotted: bool, operator: Span, span: Span) -> Checked<LoopArray> {
        let a = self.array(base)?;
        let b = self.array(exponent)?;
        if !dotted && (!a.is_scalar() || !b.is_scalar()) {
            let text = self.text(base.span);
            let to = self.text(exponent.span);
            let number = self.notes.number_places.contains(&operator);
            return self.fail(message::power_of_array(operator, span, &a.shape, (base.span, &text), &to, number));
        }
        let number = self.number(&b);
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

    fn compare(
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

    fn logic(&mut self, f: Elementwise, parts: &[Expr]) -> Checked<LoopArray> {
        let mut result = self.boolean(&parts[0])?;
        let mut span = parts[0].span;
        for e in &parts[1..] {
            let right = self.boolean(e)?;
            result = self.combine(f, &result, &right, (span, e.span))?;
            span = span.to(e.span);
        }
        Ok(LoopArray { kind: Kind::Boolean, ..result })
    }

    fn conditional(&mut self, condition: &Expr, then: &Expr, otherwise: &Expr, span: Span) -> Checked<LoopArray> {
        let c = self.boolean(condition)?;
        if !self.reporting.in_metric && self.depends_on_variables(c.node) {
            return self.fail(message::condition_on_variable(condition.span));
        }
        let (a, b) = (self.array(then)?, self.array(otherwise)?);
        let mut shape = Shape::scalar();
        for (part, at) in [(&c, condition.span), (&a, then.span), (&b, otherwise.span)] {
            if shape.is_scalar() {
                shape = part.shape.clone();
            } else if !part.is_scalar() && !self.same_shape(&shape, &part.shape)? {
                return self.fail(message::branches_differ(span, at, &shape, &part.shape));
            }
        }
        let loops = union(&union(&c.loops, &a.loops), &b.loops);
        let nodes: Vec<NodeId> = [&c, &a, &b].iter().map(|p| self.align(p, &loops, &shape)).collect();
        let node = self.graph.elementwise(elementwise::SELECT, &nodes);
        Ok(LoopArray::real(node, loops, shape))
    }

    fn array_literal(&mut self, parts: &[Expr], span: Span) -> Checked<LoopArray> {
        if parts.is_empty() {
            return self.fail(message::empty_array(span));
        }
        let values: Vec<LoopArray> = parts.iter().map(|p| self.array(p)).collect::<Checked<_>>()?;
        if let Some((_, p)) = values.iter().zip(parts).find(|(v, _)| !v.is_scalar()) {
            return self.fail(message::nested_array(p.span));
        }
        let loops = values.iter().fold(Vec::new(), |l, v| union(&l, &v.loops));
        let mut dims: Vec<Dim> = loops.iter().map(|l| self.loops[*l].length.clone()).collect();
        dims.push(Dim::constant(1));
        let single = Shape(dims);
        let mut nodes = Vec::new();
        for v in &values {
            let node = self.align(v, &loops, &Shape::scalar());
            nodes.push(self.graph.reshape(node, &single));
        }
        let node = self.graph.concat(&nodes, loops.len());
        let shape = Shape(vec![Dim::constant(values.len() as i64)]);
        Ok(LoopArray::real(node, loops, shape))
    }

    /// Opens a loop over an index set and binds its variable.
    pub(super) fn open_loop(&mut self, name: &Name, set: &Expr) -> Checked<usize> {
        let value = self.expression(set)?;
        let each = self.loops.len();
        let over = if let Meaning::Episodes(e) = value { Some(e) } else { None };
        let (length, position, values) = match value {
            Meaning::Range(r) => {
                let values = self.range_values(&r).node;
                let position = LoopPosition::Affine { each, offset: r.start.clone(), stride: r.stride };
                (r.length, position, values)
            }
            Meaning::Indices(i) => {
                let range = IndexRange { start: Dim::constant(1), stride: 1, length: i.extent.clone() };
                let all = self.range_values(&range).node;
                let values = self.graph.gather(all, i.index, 0);
                (i.length, LoopPosition::Element { each, index: i.index }, values)
            }
            Meaning::Episodes(e) => {
                let length = self.rows.tables.episodes[e].tasks();
                let range = IndexRange { start: Dim::constant(1), stride: 1, length: length.clone() };
                let values = self.range_values(&range).node;
                (length, LoopPosition::Affine { each, offset: range.start, stride: 1 }, values)
            }
            other => return self.fail(message::not_an_index_set(set.span, &other.describe())),
        };
        self.loops.push(OpenLoop { length, over });
        let variable = LoopArray {
            node: values,
            loops: vec![each],
            shape: Shape::scalar(),
            kind: Kind::Real,
            dim: None,
            position: Some(position),
        };
        self.bind(&name.text, Meaning::Array(variable));
        Ok(each)
    }

    /// True when a node needs a variable of either level.
    pub(super) fn depends_on_variables(&self, node: NodeId) -> bool {
        let used = self.graph.reachable(&[node]);
        self.graph.ids().any(|id| {
            used[id.0 as usize] && matches!(self.graph.op(id), Op::Input(i) if (*i as usize) < self.variable_count)
        })
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
