//! Names of rows: what `multiplier(name)` and `violation(name)` are about, and where multipliers may stand.

use std::rc::Rc;

use blo_grammar::ast::Row;
use blo_grammar::span::Span;

use crate::graph::{Function, NodeId};
use crate::model::checker::{Checked, Checker, Reported, Sided, Statements};
use crate::model::message;
use crate::model::problem::{DataItem, DataOrigin, Known, Level, LevelId, Variable};
use crate::shape::Shape;

/// What messages call the places without multipliers.
pub(super) const LOWER: &str = "the lower level";
pub(super) const SET: &str = "a set";
pub(super) const CONSTANT: &str = "a constant";
pub(super) const FILTER: &str = "a filter";

impl<'a> Checker<'a> {
    /// The names of the rows of both levels.
    pub(super) fn declare_rows(&mut self, upper: &Statements<'a>, lower: &Rc<Statements<'a>>) {
        self.notes.lower = Some((lower.clone(), (upper.variables.len()..self.variable_count).collect()));
        for (level, statements) in [(LevelId::UPPER, upper), (LevelId::LOWER, &**lower)] {
            for name in statements.rows.iter().filter_map(|row| row.name.as_ref()) {
                let global = self.names.globals.get(&name.text).map(|(_, at)| *at);
                match global.or_else(|| self.notes.rows.get(&name.text).map(|(_, at)| *at)) {
                    Some(first) => self.diagnostics.push(message::declared_twice(&name.text, name.span, first)),
                    None => drop(self.notes.rows.insert(name.text.clone(), (level, name.span))),
                }
            }
        }
    }

    pub(super) fn keep_sides(&mut self, name: &str, sides: &[Sided]) {
        let sides = sides.iter().map(|s| (s.kind, s.less, s.more)).collect();
        self.notes.row_sides.insert(name.to_string(), sides);
    }

    /// The shape of a row with a name. The upper level may ask for one of the lower level, which comes after it.
    pub(in crate::model) fn row_shape(&mut self, name: &str) -> Checked<Shape> {
        if !self.notes.row_sides.contains_key(name) {
            let Some((lower, formals)) = self.notes.lower.clone() else { return Err(Reported) };
            let found = lower.rows.iter().find(|row| row.name.as_ref().is_some_and(|n| n.text == name));
            let Some(row) = found.copied() else { return Err(Reported) };
            let in_metric = std::mem::replace(&mut self.reporting.in_metric, false);
            let outer = self.notes.row_ahead.replace((name.to_string(), self.names.resolving.len()));
            let sides =
                self.without_multipliers(LOWER, |c| c.isolated(|c| c.scoped(|c| c.row_ahead(&lower, &formals, row))));
            self.notes.row_ahead = outer;
            self.reporting.in_metric = in_metric;
            let sides = sides?;
            self.keep_sides(name, &sides);
            self.notes.rows_ahead.insert(row.span, sides);
        }
        let (_, less, _) = self.notes.row_sides[name][0];
        Ok(self.graph.shape(less).clone())
    }

    fn row_ahead(&mut self, lower: &Statements<'a>, formals: &[usize], row: &Row) -> Checked<Vec<Sided>> {
        let each = self.follow(lower, formals)?;
        for b in &lower.lets {
            let value = self.expression(&b.value)?;
            self.bind(&b.name.text, value);
        }
        self.scoped(|c| c.row(row, each))
    }

    /// Runs where no multiplier may stand. Names are resolved where they are declared, so
    /// [`Checker::multipliers_in_place`] looks for what a `let` brings here.
    pub(super) fn without_multipliers<T>(&mut self, place: &'static str, body: impl FnOnce(&mut Self) -> T) -> T {
        let outer = self.reporting.no_multipliers.replace(place);
        let result = body(self);
        self.reporting.no_multipliers = outer;
        result
    }

    /// The row that is looked at because of its multiplier, when the definition of `name` asked for that: the row then
    /// holds its own multiplier, by way of `name`.
    pub(in crate::model) fn row_that_holds_itself(&self, name: &str) -> Option<&str> {
        let (row, before) = self.notes.row_ahead.as_ref()?;
        let at = self.names.resolving.iter().position(|n| n == name)?;
        Some(row.as_str()).filter(|_| at < *before)
    }

    /// A row whose multiplier the node holds.
    pub(in crate::model) fn multiplier_in(&self, node: NodeId) -> Option<String> {
        if self.reporting.multipliers.is_empty() {
            return None;
        }
        let value = Function::new("condition", &self.graph, self.formals.clone(), &[node]);
        let mut read = self.rows.data.iter().filter_map(|item| match &item.origin {
            DataOrigin::Multiplier { name, .. } => Some((item.formal, name)),
            _ => None,
        });
        read.find(|(formal, _)| value.depends_on(*formal)).map(|(_, name)| name.clone())
    }

    /// Multipliers are what solving the lower level gives: nothing that comes before it may hold one.
    pub(super) fn multipliers_in_place(&mut self, upper: &Level, lower: &Level, start: &Function, known: &Known) {
        let found: Vec<(usize, String, Span)> = self
            .rows
            .data
            .iter()
            .filter_map(|item| match &item.origin {
                DataOrigin::Multiplier { name, .. } => Some((item.formal, name.clone(), item.span)),
                _ => None,
            })
            .collect();
        for (formal, name, span) in found {
            // functions have the formals of their time
            let holds = |f: &Function| formal < f.inputs.len() && f.depends_on(formal);
            let set = |v: &Variable| v.set.as_ref().is_some_and(|s| holds(&s.parameters));
            let data = |d: &DataItem| matches!(&d.origin, DataOrigin::Filter { condition, .. } if holds(condition));
            let known = [&known.upper, &known.lower].into_iter().chain(&known.nearest).flatten();
            let place = if lower.functions().any(holds) {
                LOWER
            } else if upper.variables.iter().any(set) {
                SET
            } else if holds(start) || known.into_iter().any(holds) {
                CONSTANT
            } else if self.rows.data.iter().any(data) {
                FILTER
            } else {
                continue;
            };
            self.diagnostics.push(message::multiplier_out_of_place(span, &name, place));
        }
    }
}
