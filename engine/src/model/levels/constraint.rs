//! Rows of `subject to`, and bounds of variables that move: relations become functions with a relation to zero. A row
//! that only bounds one variable is part of its set instead, so that every method with a projection can take it.

use blo_grammar::ast::{Expr, Name, Relation, Row};
use blo_grammar::span::Span;

use crate::calculus::{Analysis, Class, Verdict, convex};
use crate::elementwise;
use crate::graph::{Elem, Formal, Function, Graph, NodeId, Op, Reduction};
use crate::model::checker::{Checked, Checker, MovingEnd, Reported, Sided, Statements};
use crate::model::levels::row_names::FILTER;
use crate::model::meaning::{Kind, LoopArray};
use crate::model::message;
use crate::model::problem::{Constraint, ConstraintClass, ConstraintKind, DataItem, DataOrigin};
use crate::shape::{Dim, Shape};
use crate::sign::Sign;

impl<'a> Checker<'a> {
    /// The rows of a level; followers have the axis of their loop in front.
    pub(super) fn rows(&mut self, s: &Statements<'a>, each: Option<usize>) -> Checked<Vec<Sided>> {
        let mut all = Vec::new();
        let mut failed = false;
        let moved = self.meta_test.moved.is_some();
        for row in &s.rows {
            let sides = match self.notes.rows_ahead.remove(&row.span).filter(|_| !moved) {
                Some(sides) => Ok(sides),
                None => self.scoped(|c| c.row(row, each)),
            };
            let Ok(sides) = sides else {
                failed = true;
                continue;
            };
            if let Some(name) = row.name.as_ref().filter(|_| !moved) {
                self.keep_sides(&name.text, &sides);
            }
            all.extend(sides);
        }
        if failed { Err(Reported) } else { Ok(all) }
    }

    pub(super) fn row(&mut self, row: &Row, each: Option<usize>) -> Checked<Vec<Sided>> {
        self.relations(row)?;
        let mut own = Vec::new();
        for (variable, set) in &row.generators {
            own.push(self.open_loop(variable, set)?);
        }
        let expressions: Vec<&Expr> = std::iter::once(&row.first).chain(row.rest.iter().map(|(.., e)| e)).collect();
        let mut sides = Vec::new();
        for e in &expressions {
            sides.push(self.side(e)?);
        }
        let mut common = Shape::scalar();
        for (k, (relation, ..)) in row.rest.iter().enumerate() {
            let f = if *relation == Relation::Equal { elementwise::EQUAL } else { elementwise::LESS_EQUAL };
            let spans = (expressions[k].span, expressions[k + 1].span);
            let both = self.combine(f, &sides[k], &sides[k + 1], spans)?;
            if common.is_scalar() {
                common = both.shape;
            }
        }
        let loops: Vec<usize> = each.into_iter().chain(own.iter().copied()).collect();
        let keep = row.condition.as_ref().map(|e| self.kept(e, &own, row)).transpose()?;
        let mut nodes = Vec::new();
        for (side, e) in sides.iter().zip(&expressions) {
            let node = self.align(side, &loops, &common, e.span)?;
            nodes.push(match keep {
                Some((index, ref count)) => self.keep(node, index, count, usize::from(each.is_some()), own.len()),
                None => node,
            });
        }
        if self.graph.shape(nodes[0]).rank() > 4 {
            return self.fail(message::rank_above_four(row.span));
        }
        let text = || self.text(row.span).split_whitespace().collect::<Vec<_>>().join(" ");
        let (name, named) = row.name.as_ref().map_or_else(|| (text(), false), |n| (n.text.clone(), true));
        let all = row.rest.iter().enumerate().map(|(k, (relation, ..))| {
            let less_first = !matches!(relation, Relation::Greater | Relation::GreaterEqual);
            let (less, more) = if less_first { (nodes[k], nodes[k + 1]) } else { (nodes[k + 1], nodes[k]) };
            let is_equal = *relation == Relation::Equal;
            // of a chain, the side on which the middle is the larger one is the lower side
            let is_lower_side = row.rest.len() == 2 && (less_first == (k == 0));
            Sided {
                name: name.clone(),
                named,
                kind: if is_equal { ConstraintKind::Equality } else { ConstraintKind::Inequality },
                sign: if is_equal || is_lower_side { -1.0 } else { 1.0 },
                less,
                more,
                span: row.span,
            }
        });
        Ok(all.collect())
    }

    /// Refuses relations that are not constraints.
    fn relations(&mut self, row: &Row) -> Checked<()> {
        if row.rest.is_empty() {
            let text = self.quoted(row.first.span);
            return self.fail(message::row_without_relation(&row.first, &text));
        }
        for (relation, operator, _) in &row.rest {
            match relation {
                Relation::NotEqual => return self.fail(message::unequal_row(*operator)),
                Relation::Less | Relation::Greater if self.meta_test.moved.is_none() => {
                    self.diagnostics.push(message::strict_row(*operator, *relation == Relation::Less));
                }
                _ => {}
            }
        }
        let falls = |r: Relation| matches!(r, Relation::Greater | Relation::GreaterEqual);
        if let [(one, at, _), (two, operator, _)] = row.rest.as_slice() {
            if *one == Relation::Equal || *two == Relation::Equal {
                let equal = if *one == Relation::Equal { *at } else { *operator };
                return self.fail(message::equality_in_chain(equal, row.span));
            }
            if falls(*one) != falls(*two) {
                return self.fail(message::chain_directions(*operator, *at));
            }
        }
        Ok(())
    }

    fn side(&mut self, e: &Expr) -> Checked<LoopArray> {
        let a = self.array(e)?;
        if a.kind == Kind::Boolean {
            let d = message::expected_numbers(e.span, "a truth value");
            return self
                .fail(d.help("a relation within a side is a truth value: write the relation itself as the row"));
        }
        Ok(a)
    }

    /// The steps of a row's loops that its filter keeps, as positions in their product, and how many they are.
    fn kept(&mut self, condition: &Expr, own: &[usize], row: &Row) -> Checked<(NodeId, Dim)> {
        if own.is_empty() {
            return self.fail(message::filter_without_loop(condition.span));
        }
        let value = self.without_multipliers(FILTER, |c| c.condition(condition))?;
        if value.loops.iter().any(|l| !own.contains(l)) {
            return self.fail(message::filter_of_follower(condition.span));
        }
        if self.depends_on_variables(value.node) {
            return self.fail(message::condition_on_variable(condition.span));
        }
        let node = self.align(&value, own, &Shape::scalar(), condition.span)?;
        let Some(total) = own.iter().try_fold(Dim::constant(1), |t, l| t.mul(&self.loops[*l].length)) else {
            return self.fail(message::size_overflow(condition.span));
        };
        let node = self.graph.reshape(node, &Shape(vec![total.clone()]));
        let number = self.rows.data.len() + 1;
        let name = match &row.name {
            Some(name) if self.meta_test.moved.is_none() => name.text.clone(),
            _ => format!("row {number}"),
        };
        let length = Dim::symbol(&format!("|{name}|"));
        let shape = Shape(vec![length.clone()]);
        let formal = self.formals.len();
        let condition = Function::new(format!("condition of {name}"), &self.graph, self.formals.clone(), &[node]);
        self.formals.push(Formal { name: name.clone(), shape: shape.clone(), elem: Elem::Index });
        let origin = DataOrigin::Filter { condition, start: Dim::constant(0), step: 1, extent: total };
        let index = self.graph.input(formal, shape.clone(), Elem::Index);
        self.rows.data.push(DataItem { formal, name, shape, origin, kind: Kind::Real, span: row.span });
        Ok((index, length))
    }

    /// The kept steps of an array whose loops start at `axis`: one axis in their place.
    fn keep(&mut self, node: NodeId, index: NodeId, count: &Dim, axis: usize, loops: usize) -> NodeId {
        let mut shape = self.graph.shape(node).0.clone();
        let total = shape.drain(axis..axis + loops).try_fold(Dim::constant(1), |t, d| t.mul(&d));
        shape.insert(axis, total.unwrap_or_else(|| count.clone()));
        let flat = self.graph.reshape(node, &Shape(shape));
        self.graph.gather(flat, index, axis)
    }

    /// The row of an end that moves: `y <= p`.
    pub(super) fn moving_row(&mut self, name: &Name, end: &MovingEnd, each: Option<usize>) -> Checked<Sided> {
        let relation = if end.is_above { "<=" } else { ">=" };
        let text = format!("{} {relation} {}", name.text, self.text(end.span));
        let variable = self.name(&name.text, name.span)?;
        let variable = self.as_array(variable, name.span)?;
        let loops: Vec<usize> = each.into_iter().collect();
        let own = self.align(&variable, &loops, &variable.shape, name.span)?;
        let value = self.align(&end.value, &loops, &variable.shape, end.span)?;
        let (less, more) = if end.is_above { (own, value) } else { (value, own) };
        let kind = ConstraintKind::Inequality;
        Ok(Sided { name: text, named: false, kind, sign: 1.0, less, more, span: name.span.to(end.span) })
    }

    /// The constraints of a level whose variables are these formals.
    pub(super) fn constraints(
        &mut self,
        rows: &[Sided],
        own: &[usize],
        signs: &[Sign],
        is_lower: bool,
    ) -> Checked<Vec<Constraint>> {
        let mut all = Vec::new();
        let mut failed = false;
        for row in rows {
            let node = self.graph.sub(row.less, row.more);
            let value = Function::new(row.name.clone(), &self.graph, self.formals.clone(), &[node]);
            let others: Vec<usize> = (0..self.variable_count).filter(|i| !own.contains(i)).collect();
            let holds_own = own.iter().any(|i| value.depends_on(*i));
            let read = self.rows.data.iter().filter(|d| matches!(d.origin, DataOrigin::Multiplier { .. }));
            // multipliers of the lower level are the upper level's to limit
            let reads = !is_lower && read.into_iter().any(|d| value.depends_on(d.formal));
            let moving = reads || others.iter().any(|i| value.depends_on(*i));
            if !holds_own && (is_lower || !moving) {
                failed = true;
                let text = self.text(row.span);
                self.diagnostics.push(match moving {
                    true => message::row_of_upper_level(row.span, &text),
                    false => message::constant_row(row.span),
                });
                continue;
            }
            let shape = self.graph.shape(node).clone();
            let class = class(&value, signs, own, row.kind);
            self.kinks_of_row(&value, signs, row.span);
            let (name, named, kind, sign, span) = (row.name.clone(), row.named, row.kind, row.sign, row.span);
            all.push(Constraint { name, named, value, kind, sign, class, moving, shape, span });
        }
        if failed { Err(Reported) } else { Ok(all) }
    }

    /// Warns of an operation of a row that has no derivative somewhere; once per row.
    fn kinks_of_row(&mut self, value: &Function, signs: &[Sign], row: Span) {
        let all: Vec<usize> = (0..self.variable_count).collect();
        let analysis = Analysis::new(value, signs, &all);
        let Some((kink, used)) = analysis.kinks(value, value.outputs()[0]).first().copied() else { return };
        let at = value.graph().span_of(kink);
        let span = if row.contains(at) { at } else { row };
        if self.meta_test.moved.is_none() {
            let name = kink_name(value.graph(), kink);
            self.diagnostics.push(message::kinked_row(span, &name, used));
        }
    }
}

/// The operation that a kink belongs to, where its reduction makes a norm of it.
fn kink_name(g: &Graph, kink: NodeId) -> String {
    let absolute = matches!(g.op(kink), Op::Elementwise(f) if *f == elementwise::ABS);
    let reduced = (kink.0 + 1..g.len() as u32).map(NodeId).find_map(|id| match g.op(id) {
        Op::Reduce(reduction, _) if g.args(id)[0] == kink => Some(*reduction),
        _ => None,
    });
    let name = match (g.op(kink), reduced) {
        (_, Some(Reduction::Sum)) if absolute => "norm1",
        (_, Some(Reduction::Max)) if absolute => "norminf",
        // the smallest entry is `-max(-e)`
        (Op::Reduce(Reduction::Max, _), _) => match g.op(g.args(kink)[0]) {
            Op::Elementwise(f) if *f == elementwise::NEG => "smallest",
            _ => "largest",
        },
        (op, _) => return op.name().to_string(),
    };
    name.to_string()
}

/// What the calculus knows of a row in the variables of its level.
fn class(value: &Function, signs: &[Sign], own: &[usize], kind: ConstraintKind) -> ConstraintClass {
    let analysis = Analysis::new(value, signs, own);
    let root = value.outputs()[0];
    match analysis.class(root) {
        Class::Constant | Class::Affine => ConstraintClass::Affine,
        _ if kind == ConstraintKind::Inequality && convex(&analysis, root) == Verdict::Proved => {
            ConstraintClass::Convex
        }
        _ => ConstraintClass::Unknown,
    }
}

#[cfg(test)]
mod tests;
