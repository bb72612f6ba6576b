//! Names within expressions.

use blo_grammar::ast::{Expr, ExprKind, Subscript};

use super::SymbolKind;
use super::items::Walker;

impl Walker<'_> {
    /// The symbol that a name stands for here.
    fn lookup(&self, name: &str) -> Option<usize> {
        let local = self.scopes.iter().rev().find_map(|s| s.get(name));
        let metric = || self.names.metrics.get(name).filter(|_| self.in_metric);
        local.or_else(metric).or_else(|| self.names.globals.get(name)).copied()
    }

    /// Looks up every name of an expression.
    pub(super) fn expression(&mut self, e: &Expr) {
        match &e.kind {
            ExprKind::Number { .. } | ExprKind::Text(_) | ExprKind::Boolean(_) => {}
            ExprKind::Name(name) => self.refer(e.span, self.lookup(name)),
            ExprKind::Sum(terms) => terms.iter().for_each(|(_, _, t)| self.expression(t)),
            ExprKind::Product(factors) => factors.iter().for_each(|(_, _, f)| self.expression(f)),
            ExprKind::And(parts) | ExprKind::Or(parts) | ExprKind::Array(parts) => {
                parts.iter().for_each(|p| self.expression(p));
            }
            ExprKind::Negate(inner) | ExprKind::Not(inner) | ExprKind::Transpose(inner) | ExprKind::Paren(inner) => {
                self.expression(inner);
            }
            ExprKind::Power { base, exponent, .. } => {
                self.expression(base);
                self.expression(exponent);
            }
            ExprKind::Compare { left, right, .. } => {
                self.expression(left);
                self.expression(right);
            }
            ExprKind::Range { start, end, step } => {
                self.expression(start);
                self.expression(end);
                step.iter().for_each(|s| self.expression(s));
            }
            ExprKind::Index { base, indices } => {
                self.expression(base);
                for index in indices {
                    if let Subscript::At(e) = index {
                        self.expression(e);
                    }
                }
            }
            ExprKind::Call { function, arguments } => {
                let own = self.names.globals.get(&function.text).copied();
                self.refer(function.span, own);
                let of_row = own.is_none() && matches!(function.text.as_str(), "multiplier" | "violation");
                for a in arguments {
                    match &a.value.kind {
                        ExprKind::Name(row) if of_row && a.name.is_none() => {
                            self.refer(a.value.span, self.names.rows.get(row).copied());
                        }
                        _ => self.expression(&a.value),
                    }
                }
            }
            ExprKind::Reduce { comprehension: c, .. } | ExprKind::Comprehension(c) => {
                self.generated(&c.generators, e.span, |w| {
                    w.expression(&c.body);
                    c.condition.iter().for_each(|e| w.expression(e));
                });
            }
            ExprKind::Field { base, field } => {
                self.expression(base);
                let dataset = self.rows(base).and_then(|symbol| self.names.dataset_of(symbol));
                let column = dataset.and_then(|d| self.names.columns.get(&(d, field.text.clone())).copied());
                let of_episodes = is_share(&field.text) && self.is_episodes(base);
                self.refer(field.span, column.filter(|_| !of_episodes));
            }
            ExprKind::If { condition, then, otherwise } => {
                self.expression(condition);
                self.expression(then);
                self.expression(otherwise);
            }
        }
    }

    /// The dataset, part or episodes that an expression is the rows of: `train`, `D.tr`.
    fn rows(&self, e: &Expr) -> Option<usize> {
        match &e.kind {
            ExprKind::Name(name) => self.lookup(name),
            ExprKind::Paren(inner) => self.rows(inner),
            ExprKind::Field { base, field } if is_share(&field.text) && self.is_episodes(base) => self.rows(base),
            _ => None,
        }
    }

    fn is_episodes(&self, e: &Expr) -> bool {
        let ExprKind::Name(name) = &e.kind else { return false };
        self.lookup(name).is_some_and(|s| self.names.symbols[s].kind == SymbolKind::Episodes)
    }
}

/// The shares of episodes.
fn is_share(field: &str) -> bool {
    matches!(field, "tr" | "val")
}
