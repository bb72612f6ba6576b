//! What the text alone tells of an expression: number, column, row or matrix. It decides how a product, a sum of entries or
//! a number beside a column is written; where it tells nothing, the notation is one that is right for all.

use std::collections::HashMap;

use blo_grammar::ast::{
    Ast, Column, Dimension, Expr, ExprKind, Factor, Item, ItemKind, Name, Statement, StatementKind, Subscript,
};

use super::function::{Gives, gives};

/// What an expression is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A number.
    Scalar,
    /// One axis.
    Column,
    /// A transposed column.
    Row,
    /// Two axes.
    Matrix,
    /// Nothing that the text tells.
    Unknown,
}

impl Kind {
    fn of_axes(axes: usize) -> Kind {
        match axes {
            0 => Kind::Scalar,
            1 => Kind::Column,
            2 => Kind::Matrix,
            _ => Kind::Unknown,
        }
    }

    fn axes(self) -> Option<usize> {
        match self {
            Kind::Scalar => Some(0),
            Kind::Column => Some(1),
            Kind::Matrix => Some(2),
            Kind::Row | Kind::Unknown => None,
        }
    }
}

/// What names stand for.
#[derive(Clone, Debug, Default)]
pub(super) struct Kinds {
    names: HashMap<String, Kind>,
}

impl Kinds {
    /// Of all declarations of a program.
    pub(super) fn of(ast: &Ast) -> Kinds {
        let mut kinds = Kinds::default();
        kinds.names.insert("pi".to_owned(), Kind::Scalar);
        kinds.names.insert("inf".to_owned(), Kind::Scalar);
        // declarations first: a `let` may stand before what it names
        for item in &ast.items {
            kinds.declare(item);
        }
        for item in &ast.items {
            kinds.bind(item);
        }
        kinds
    }

    fn declare(&mut self, item: &Item) {
        match &item.kind {
            ItemKind::Param { name, dims, .. } => self.insert(name, Kind::of_axes(dims.len())),
            ItemKind::Data(column) => self.column(column),
            ItemKind::Upper { body, .. } => self.statements(body),
            ItemKind::Lower(lower) => self.statements(&lower.body),
            _ => {}
        }
    }

    fn column(&mut self, column: &Column) {
        self.insert(
            &column.name,
            column.dims.as_ref().map_or(Kind::Unknown, |dims: &Vec<Dimension>| Kind::of_axes(dims.len())),
        );
    }

    fn statements(&mut self, body: &[Statement]) {
        for statement in body {
            if let StatementKind::Var { name, dims, .. } = &statement.kind {
                self.insert(name, Kind::of_axes(dims.len()));
            }
        }
    }

    fn bind(&mut self, item: &Item) {
        let body = match &item.kind {
            ItemKind::Let(binding) => {
                let kind = self.kind(&binding.value);
                return self.insert(&binding.name, kind);
            }
            ItemKind::Upper { body, .. } => body,
            ItemKind::Lower(lower) => &lower.body,
            _ => return,
        };
        for statement in body {
            if let StatementKind::Let(binding) = &statement.kind {
                let kind = self.kind(&binding.value);
                self.insert(&binding.name, kind);
            }
        }
    }

    fn insert(&mut self, name: &Name, kind: Kind) {
        self.names.insert(name.text.clone(), kind);
    }

    /// True where the program declares the name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.names.contains_key(name)
    }

    /// The same with a local name.
    pub(super) fn with(&self, name: &str, kind: Kind) -> Kinds {
        let mut kinds = self.clone();
        kinds.names.insert(name.to_owned(), kind);
        kinds
    }

    /// What an expression is.
    pub(super) fn kind(&self, expr: &Expr) -> Kind {
        match &expr.kind {
            ExprKind::Number { .. } | ExprKind::Boolean(_) | ExprKind::Reduce { .. } => Kind::Scalar,
            ExprKind::Name(name) => self.names.get(name).copied().unwrap_or(Kind::Unknown),
            ExprKind::Paren(e) | ExprKind::Negate(e) | ExprKind::Not(e) => self.kind(e),
            ExprKind::Power { base, .. } => self.kind(base),
            ExprKind::Sum(terms) => terms.iter().map(|(_, _, e)| self.kind(e)).reduce(larger).unwrap_or(Kind::Unknown),
            ExprKind::Product(factors) => {
                let mut kinds = factors.iter().map(|(factor, _, e)| (*factor, self.kind(e)));
                let first = kinds.next().map_or(Kind::Unknown, |(_, kind)| kind);
                kinds.fold(first, |left, (factor, right)| product(left, factor, right))
            }
            ExprKind::Compare { left, right, .. } => larger(self.kind(left), self.kind(right)),
            ExprKind::And(all) | ExprKind::Or(all) => {
                all.iter().map(|e| self.kind(e)).reduce(larger).unwrap_or(Kind::Unknown)
            }
            ExprKind::Range { .. } => Kind::Column,
            ExprKind::Comprehension(comprehension) => match self.kind(&comprehension.body) {
                _ if comprehension.generators.len() > 1 => Kind::Unknown,
                Kind::Scalar => Kind::Column,
                _ => Kind::Unknown,
            },
            ExprKind::Array(entries) => match entries.first().map(|e| &e.kind) {
                Some(ExprKind::Array(_)) => Kind::Matrix,
                _ => Kind::Column,
            },
            ExprKind::Index { base, indices } => self.indexed(base, indices),
            ExprKind::Transpose(e) => match self.kind(e) {
                Kind::Scalar => Kind::Scalar,
                Kind::Column => Kind::Row,
                Kind::Row => Kind::Column,
                Kind::Matrix => Kind::Matrix,
                Kind::Unknown => Kind::Unknown,
            },
            ExprKind::If { then, otherwise, .. } => larger(self.kind(then), self.kind(otherwise)),
            ExprKind::Call { function, arguments } => match gives(&function.text, arguments.len()) {
                Gives::Scalar => Kind::Scalar,
                Gives::Same => arguments.iter().map(|a| self.kind(&a.value)).reduce(larger).unwrap_or(Kind::Unknown),
                Gives::Column => Kind::Column,
                Gives::Matrix => Kind::Matrix,
                Gives::Unknown => Kind::Unknown,
            },
            ExprKind::Text(_) | ExprKind::Field { .. } => Kind::Unknown,
        }
    }

    fn indexed(&self, base: &Expr, indices: &[Subscript]) -> Kind {
        let mut axes = 0;
        for index in indices {
            axes += match index {
                Subscript::All(_) => 1,
                Subscript::At(e) => match self.kind(e) {
                    Kind::Scalar => 0,
                    Kind::Column => 1,
                    _ => return Kind::Unknown,
                },
            };
        }
        match self.kind(base).axes() {
            Some(all) if all >= indices.len() => Kind::of_axes(axes + all - indices.len()),
            _ => Kind::Unknown,
        }
    }
}

/// What entrywise arithmetic of two gives.
fn larger(a: Kind, b: Kind) -> Kind {
    match (a, b) {
        (Kind::Scalar, other) | (other, Kind::Scalar) => other,
        (a, b) if a == b => a,
        _ => Kind::Unknown,
    }
}

pub(super) fn product(left: Kind, factor: Factor, right: Kind) -> Kind {
    match (factor, left, right) {
        (_, Kind::Unknown, _) | (_, _, Kind::Unknown) => Kind::Unknown,
        (Factor::Times, Kind::Scalar, other) | (Factor::Times, other, Kind::Scalar) => other,
        (Factor::Times, Kind::Row, Kind::Column) => Kind::Scalar,
        (Factor::Times, Kind::Matrix, Kind::Column) => Kind::Column,
        (Factor::Times, Kind::Row, Kind::Matrix) => Kind::Row,
        (Factor::Times, Kind::Column, Kind::Row) | (Factor::Times, Kind::Matrix, Kind::Matrix) => Kind::Matrix,
        (Factor::Times, _, _) => Kind::Unknown,
        (Factor::Over, left, _) => left,
        (Factor::DotTimes | Factor::DotOver, a, b) => larger(a, b),
    }
}
