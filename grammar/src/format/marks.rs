//! What the layout asks the tree: where pieces start, which `-` is a sign, which sums are the ends of a range.

use crate::ast::{
    Argument, Assign, Ast, Column, Comprehension, Dimension, Domain, Expr, ExprKind, ItemKind, Lower, Row, Statement,
    StatementKind, Subscript,
};
use crate::span::Span;
use std::collections::{HashMap, HashSet};

/// A piece that may stand on a line of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Item,
    Statement,
    /// `name = value`, a fact or a column.
    Entry,
    Assertion,
    /// A row of `subject to`: whether it starts with a name.
    Row(bool),
}

/// Byte offsets with a meaning.
#[derive(Default)]
pub(super) struct Marks {
    /// First byte of each piece.
    pub(super) pieces: HashMap<u32, Piece>,
    /// Each `-` that is a sign.
    pub(super) signs: HashSet<u32>,
    /// Each `+` and `-` of a range's end, written without spaces: `h+1..n`.
    pub(super) tight: HashSet<u32>,
}

impl Marks {
    pub(super) fn of(ast: &Ast) -> Marks {
        let mut marks = Marks::default();
        for item in &ast.items {
            marks.piece(item.span, Piece::Item);
            marks.item(&item.kind);
        }
        marks
    }

    fn piece(&mut self, span: Span, piece: Piece) {
        self.pieces.insert(span.start, piece);
    }

    fn item(&mut self, item: &ItemKind) {
        match item {
            ItemKind::Problem { options, .. }
            | ItemKind::Episodes { options, .. }
            | ItemKind::Corrupt { options, .. } => {
                self.options(options);
            }
            ItemKind::Param { dims, value, .. } | ItemKind::Set { dims, value, .. } => {
                self.dims(dims);
                self.expr(value);
            }
            ItemKind::Let(binding) | ItemKind::Metric(binding) => self.expr(&binding.value),
            ItemKind::Function { body, .. } => self.expr(body),
            ItemKind::Data(column) => self.column(column),
            ItemKind::Dataset { columns, .. } => {
                for column in columns {
                    self.piece(column.name.span, Piece::Entry);
                    self.column(column);
                }
            }
            ItemKind::Split { options, parts, .. } => {
                self.options(options);
                parts.iter().for_each(|(_, size)| self.expr(size));
            }
            ItemKind::Upper { body, .. } => self.block(body),
            ItemKind::Lower(lower) => self.lower(lower),
            ItemKind::Start(assigns) | ItemKind::Method { options: assigns, .. } => {
                for assign in assigns {
                    self.piece(assign.name.span, Piece::Entry);
                    self.expr(&assign.value);
                }
            }
            ItemKind::Known(facts) => {
                for fact in facts {
                    self.piece(fact.span, Piece::Entry);
                    self.expr(&fact.target);
                    self.expr(&fact.value);
                    if let Some((_, set)) = &fact.each {
                        self.expr(set);
                    }
                }
            }
            ItemKind::Expect { options, body, .. } => {
                self.options(options);
                self.assertions(body);
            }
            ItemKind::Option(assign) => self.expr(&assign.value),
            ItemKind::Import(path) => self.expr(path),
        }
    }

    fn options(&mut self, options: &[Assign]) {
        options.iter().for_each(|o| self.expr(&o.value));
    }

    fn assertions(&mut self, body: &[Expr]) {
        for assertion in body {
            self.piece(assertion.span, Piece::Assertion);
            self.expr(assertion);
        }
    }

    fn row(&mut self, row: &Row) {
        self.piece(row.span, Piece::Row(row.name.is_some()));
        self.expr(&row.first);
        row.rest.iter().for_each(|(_, _, side)| self.expr(side));
        row.generators.iter().for_each(|(_, set)| self.expr(set));
        row.condition.iter().for_each(|e| self.expr(e));
    }

    fn column(&mut self, column: &Column) {
        self.dims(column.dims.as_deref().unwrap_or_default());
        self.expr(&column.value);
    }

    fn dims(&mut self, dims: &[Dimension]) {
        for dim in dims {
            if let Dimension::Size(size) = dim {
                self.expr(size);
            }
        }
    }

    fn lower(&mut self, lower: &Lower) {
        if let Some((_, set)) = &lower.each {
            self.expr(set);
        }
        self.block(&lower.body);
    }

    fn block(&mut self, body: &[Statement]) {
        for statement in body {
            self.piece(statement.span, Piece::Statement);
            match &statement.kind {
                StatementKind::Var { dims, domain, .. } => {
                    self.dims(dims);
                    if let Some(Domain::In(e) | Domain::AtLeast(e) | Domain::AtMost(e)) = domain {
                        self.expr(e);
                    }
                }
                StatementKind::Minimize(e) | StatementKind::Maximize(e) | StatementKind::Regularize(e) => self.expr(e),
                StatementKind::Let(binding) => self.expr(&binding.value),
                StatementKind::SubjectTo(rows) => rows.iter().for_each(|row| self.row(row)),
                StatementKind::Lower(lower) => self.lower(lower),
            }
        }
    }

    fn comprehension(&mut self, c: &Comprehension) {
        self.expr(&c.body);
        c.generators.iter().for_each(|(_, set)| self.expr(set));
        c.condition.iter().for_each(|e| self.expr(e));
    }

    fn range_end(&mut self, end: &Expr) {
        if let ExprKind::Sum(terms) = &end.kind {
            self.tight.extend(terms.iter().map(|(_, operator, _)| operator.start));
        }
        self.expr(end);
    }

    fn expr(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Number { .. } | ExprKind::Text(_) | ExprKind::Boolean(_) | ExprKind::Name(_) => {}
            ExprKind::Sum(terms) => terms.iter().for_each(|(_, _, e)| self.expr(e)),
            ExprKind::Product(factors) => factors.iter().for_each(|(_, _, e)| self.expr(e)),
            ExprKind::Negate(e) => {
                self.signs.insert(expr.span.start);
                self.expr(e);
            }
            ExprKind::Power { base: a, exponent: b, .. } | ExprKind::Compare { left: a, right: b, .. } => {
                self.expr(a);
                self.expr(b);
            }
            ExprKind::And(all) | ExprKind::Or(all) | ExprKind::Array(all) => all.iter().for_each(|e| self.expr(e)),
            ExprKind::Not(e) | ExprKind::Transpose(e) | ExprKind::Paren(e) | ExprKind::Field { base: e, .. } => {
                self.expr(e)
            }
            ExprKind::Range { start, end, step } => {
                self.range_end(start);
                self.range_end(end);
                step.iter().for_each(|e| self.expr(e));
            }
            ExprKind::Index { base, indices } => {
                self.expr(base);
                for index in indices {
                    if let Subscript::At(e) = index {
                        self.expr(e);
                    }
                }
            }
            ExprKind::Call { arguments, .. } => arguments.iter().for_each(|Argument { value, .. }| self.expr(value)),
            ExprKind::Reduce { comprehension, .. } | ExprKind::Comprehension(comprehension) => {
                self.comprehension(comprehension);
            }
            ExprKind::If { condition, then, otherwise } => {
                self.expr(condition);
                self.expr(then);
                self.expr(otherwise);
            }
        }
    }
}
