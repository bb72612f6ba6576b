//! Expressions to graph nodes: names, operators, conditionals and literals. `comprehension` has those with loops.

mod operator;

use blo_grammar::ast::{Expr, ExprKind};
use blo_grammar::span::Span;

use crate::elementwise;
use crate::graph::NodeId;
use crate::limits;
use crate::model::checker::{Checked, Checker, Reported};
use crate::model::meaning::{IndexRange, Kind, LoopArray, Meaning};
use crate::model::message;
use crate::model::names::comprehension::union;
use crate::shape::{Dim, Shape};

/// How many parts the formulas of a file may have.
const PARTS: usize = limits::PARTS.value as usize;

/// How many expressions may stand within one another.
const NESTING: usize = limits::NESTING.value as usize;

impl Checker<'_> {
    /// The meaning of an expression.
    pub(in crate::model) fn expression(&mut self, e: &Expr) -> Checked<Meaning> {
        if self.enough() {
            return Err(Reported);
        }
        self.names.parts += 1;
        if self.names.parts > PARTS {
            // Said once: every later part fails for the same reason.
            return if self.names.parts == PARTS + 1 {
                self.fail(message::too_many_parts(e.span, PARTS))
            } else {
                Err(Reported)
            };
        }
        if self.names.depth >= NESTING {
            return self.fail(message::nested_too_deep(e.span, NESTING));
        }
        self.names.depth += 1;
        let outer = std::mem::replace(&mut self.graph.span, e.span);
        let value = self.expression_inner(e);
        self.graph.span = outer;
        self.names.depth -= 1;
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
    pub(in crate::model) fn array(&mut self, e: &Expr) -> Checked<LoopArray> {
        let value = self.expression(e)?;
        self.as_array(value, e.span)
    }

    /// A value as numbers: a range becomes the array of its positions.
    pub(in crate::model) fn as_array(&mut self, value: Meaning, span: Span) -> Checked<LoopArray> {
        match value {
            Meaning::Array(a) => Ok(a),
            Meaning::Range(r) => Ok(self.range_values(&r)),
            Meaning::Dataset(view) => {
                let rows = self.rows_of(view);
                Ok(self.dim_array(rows))
            }
            Meaning::Episodes(e) => Ok(self.dim_array(self.rows.tables.episodes[e].tasks())),
            Meaning::Stack(_) => {
                let text = self.text(span);
                self.fail(message::one_of_many(span, &text))
            }
            other => self.fail(message::expected_numbers(span, &other.describe())),
        }
    }

    /// An expression that must be a number free of loops.
    pub(in crate::model) fn scalar(&mut self, e: &Expr, what: &str) -> Checked<LoopArray> {
        let a = self.array(e)?;
        if !a.is_scalar() || !a.loops.is_empty() {
            return self.fail(message::expected_scalar(e.span, what, &a.shape));
        }
        Ok(a)
    }

    pub(in crate::model) fn boolean(&mut self, e: &Expr) -> Checked<LoopArray> {
        let a = self.array(e)?;
        if a.kind != Kind::Boolean {
            return self.fail(message::expected_boolean(e.span, &Meaning::Array(a).describe()));
        }
        Ok(a)
    }

    /// The condition of a comprehension: true or false for every step.
    pub(in crate::model) fn condition(&mut self, e: &Expr) -> Checked<LoopArray> {
        let a = self.boolean(e)?;
        if !a.is_scalar() {
            let shape = self.shape_text(&a.shape);
            return self.fail(message::condition_is_array(e.span, &shape));
        }
        Ok(a)
    }

    pub(in crate::model) fn number_literal(&mut self, value: f64) -> LoopArray {
        let node = self.graph.constant(value);
        let dim = Dim::from_f64(value);
        LoopArray { node, loops: Vec::new(), shape: Shape::scalar(), kind: Kind::Real, dim, position: None }
    }

    /// A size as a number.
    pub(in crate::model) fn dim_array(&mut self, dim: Dim) -> LoopArray {
        let node = self.graph.size(&dim);
        LoopArray { node, loops: Vec::new(), shape: Shape::scalar(), kind: Kind::Real, dim: Some(dim), position: None }
    }

    pub(in crate::model) fn range_values(&mut self, r: &IndexRange) -> LoopArray {
        let iota = self.graph.iota(&r.length);
        let stride = self.graph.constant(r.stride as f64);
        let start = self.graph.size(&r.start);
        let scaled = self.graph.mul(iota, stride);
        let node = self.graph.add(scaled, start);
        LoopArray::real(node, Vec::new(), Shape(vec![r.length.clone()]))
    }

    fn conditional(&mut self, condition: &Expr, then: &Expr, otherwise: &Expr, span: Span) -> Checked<LoopArray> {
        let c = self.boolean(condition)?;
        if !self.reporting.in_metric && self.depends_on_variables(c.node) {
            return self.fail(message::condition_on_variable(condition.span));
        }
        if let Some(row) = self.multiplier_in(c.node).filter(|_| !self.reporting.in_metric) {
            let d = message::multiplier_out_of_place(condition.span, &row, "a condition");
            return self.fail(d);
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
        let nodes: Vec<NodeId> =
            [&c, &a, &b].iter().map(|p| self.align(p, &loops, &shape, span)).collect::<Checked<_>>()?;
        let node = self.graph.elementwise(elementwise::SELECT, &nodes);
        Ok(LoopArray::real(node, loops, shape))
    }

    /// `[a, b]`: a vector of numbers; of arrays of one shape their stack, so that `[[2, 4], [1, 3]]` is a matrix by rows.
    fn array_literal(&mut self, parts: &[Expr], span: Span) -> Checked<LoopArray> {
        if parts.is_empty() {
            return self.fail(message::empty_array(span));
        }
        let values: Vec<LoopArray> = parts.iter().map(|p| self.array(p)).collect::<Checked<_>>()?;
        let each = values[0].shape.clone();
        if each.rank() >= 4 {
            return self.fail(message::rank_above_four(span));
        }
        for (v, p) in values.iter().zip(parts).skip(1) {
            if !self.same_shape(&each, &v.shape)? {
                let (first, this) = (self.shape_text(&each), self.shape_text(&v.shape));
                return self.fail(message::unequal_rows(p.span, &this, parts[0].span, &first));
            }
        }
        let loops = values.iter().fold(Vec::new(), |l, v| union(&l, &v.loops));
        let mut dims: Vec<Dim> = loops.iter().map(|l| self.loops[*l].length.clone()).collect();
        dims.push(Dim::constant(1));
        dims.extend(each.0.iter().cloned());
        self.require_axes(dims.len(), span)?;
        let single = Shape(dims);
        let mut nodes = Vec::new();
        for v in &values {
            let node = self.align(v, &loops, &each, span)?;
            nodes.push(self.graph.reshape(node, &single));
        }
        let node = self.graph.concat(&nodes, loops.len());
        let mut shape = vec![Dim::constant(values.len() as i64)];
        shape.extend(each.0);
        Ok(LoopArray::real(node, loops, Shape(shape)))
    }

    /// True when a node needs a variable of either level.
    pub(in crate::model) fn depends_on_variables(&mut self, node: NodeId) -> bool {
        self.first_input.of(&self.graph, node).is_some_and(|i| i < self.variable_count)
    }
}
