//! One level: its variables with their sets, its objective, its proximal part.

use std::collections::HashSet;

use blo_grammar::ast::{Dimension, Expr, ExprKind, Name, Sign as TermSign};
use blo_grammar::span::Span;

use crate::graph::{Elem, Formal, Function, NodeId};
use crate::model::checker::{Checked, Checker, Declared, Reported, Sided, Statements};
use crate::model::levels::row_names::{LOWER, SET};
use crate::model::levels::variable_set::Member;
use crate::model::meaning::{Kind, LoopArray, Meaning};
use crate::model::message;
use crate::model::problem::{Claim, Level, Need, SetUse, Variable};
use crate::shape::{Dim, Shape};

impl<'a> Checker<'a> {
    /// Reserves the first formals for the variables, then finds their shapes.
    pub(super) fn declare_variables(&mut self, upper: &Statements<'a>, lower: &Statements<'a>) -> Vec<Shape> {
        let all: Vec<_> = upper.variables.iter().chain(&lower.variables).collect();
        self.variable_count = all.len();
        for (name, ..) in &all {
            self.formals.push(Formal { name: name.text.clone(), shape: Shape::scalar(), elem: Elem::Real });
        }
        let steps = lower.each.map(|(_, set)| self.isolated(|c| c.follower_count(set)));
        for (i, (name, dims, _)) in all.iter().enumerate() {
            let own = dims.iter().map(|d| match d {
                Dimension::Size(e) => self.size(e).inspect(|size| self.require_entries(size, Need::Variable, e.span)),
                Dimension::Deferred(span) => self.fail(message::deferred_variable(*span)),
            });
            let mut sizes: Checked<Vec<Dim>> = own.collect();
            if let Some(steps) = steps.as_ref().filter(|_| i >= upper.variables.len()) {
                self.followers.variables.push(i);
                sizes = match (steps, sizes) {
                    (Ok(steps), Ok(sizes)) => Ok([steps.clone()].into_iter().chain(sizes).collect()),
                    _ => Err(Reported),
                };
            }
            if let Ok(sizes) = sizes {
                if sizes.len() > 4 {
                    self.diagnostics.push(message::rank_above_four(name.span));
                } else {
                    self.formals[i].shape = Shape(sizes);
                }
            }
        }
        // A variable may be named only once its shape is known: sizes cannot depend on variables.
        for (i, (name, ..)) in all.iter().enumerate() {
            self.declare(name, Declared::Variable(i));
        }
        self.formals[..all.len()].iter().map(|f| f.shape.clone()).collect()
    }

    /// States that a variable has entries: no method has anything to do without. Its size counts all the same, so that the
    /// rest of the file is judged by it.
    fn require_entries(&mut self, size: &Dim, needs: Need, span: Span) {
        // what is wrong with it is among the findings
        let _ = self.require(Claim::Some { length: size.clone(), needs }, span);
    }

    /// How many followers `lower for` has.
    fn follower_count(&mut self, set: &Expr) -> Checked<Dim> {
        self.scoped(|c| {
            let name = Name { text: "step".into(), span: set.span };
            let each = c.open_loop(&name, set)?;
            if let Meaning::Array(a) = c.name(&name.text, name.span)? {
                c.followers.numbers = a.position;
            }
            c.followers.tasks = c.loops[each].over;
            let count = c.loops[each].length.clone();
            c.require_entries(&count, Need::Followers, set.span);
            c.followers.count = Some(count.clone());
            Ok(count)
        })
    }

    /// Opens the loop over followers, in which their variables are plain arrays.
    pub(super) fn follow(&mut self, s: &Statements<'a>, formals: &[usize]) -> Checked<Option<usize>> {
        let Some((name, set)) = s.each else { return Ok(None) };
        let each = self.open_loop(name, set)?;
        for ((variable, ..), formal) in s.variables.iter().zip(formals) {
            let full = self.formals[*formal].shape.clone();
            if full.is_scalar() {
                return Err(Reported);
            }
            let node = self.graph.input(*formal, full.clone(), Elem::Real);
            let own = Shape(full.0.into_iter().skip(1).collect());
            self.bind(&variable.text, Meaning::Array(LoopArray::real(node, vec![each], own)));
        }
        Ok(Some(each))
    }

    /// A level whose variables are these formals.
    pub(crate) fn level(&mut self, s: &Statements<'a>, formals: &[usize], is_lower: bool) -> Checked<Level> {
        let level = |c: &mut Self| c.isolated(|c| c.scoped(|c| c.level_inner(s, formals, is_lower)));
        if is_lower { self.without_multipliers(LOWER, level) } else { level(self) }
    }

    fn level_inner(&mut self, s: &Statements<'a>, formals: &[usize], is_lower: bool) -> Checked<Level> {
        let mut failed = false;
        let each = self.follow(s, formals)?;
        for b in &s.lets {
            match self.expression(&b.value) {
                Ok(value) => {
                    self.names.of_levels.push((&b.name, value.clone()));
                    self.bind(&b.name.text, value);
                }
                Err(Reported) => failed = true,
            }
        }
        if is_lower && s.variables.is_empty() {
            self.diagnostics.push(message::lower_without_variables(s.keyword));
            failed = true;
        }
        let objective = self.only_objective(s, is_lower, each);
        let mut moving = Vec::new();
        let variables = self.variables(s, formals, is_lower, each, &mut moving);
        let regularizer = self.regularizer(s, is_lower, each);
        let rows = self.rows(s, each);
        let (Ok((node, maximize)), Ok(mut variables), Ok(regularizer), Ok(rows), false) =
            (objective, variables, regularizer, rows, failed)
        else {
            return Err(Reported);
        };
        let folds = (each.is_some(), regularizer.is_some());
        let rows = self.folded(moving.into_iter().chain(rows).collect(), &mut variables, folds)?;
        let signs = self.signs(&variables, is_lower);
        if !is_lower && s.variables.is_empty() {
            self.diagnostics.push(message::simple_bilevel(s.keyword));
        }
        let constraints = self.constraints(&rows, formals, &signs, is_lower)?;
        let letter = if is_lower { "f" } else { "F" };
        let node = if maximize { self.graph.neg(node) } else { node };
        let objective = Function::new(letter, &self.graph, self.formals.clone(), &[node]);
        if self.meta_test.moved.is_none() {
            self.stopped(&objective, is_lower);
            self.indefinite(&objective, &signs);
        }
        if is_lower && self.meta_test.moved.is_none() {
            let added = if maximize { TermSign::Minus } else { TermSign::Plus };
            self.kinks((s.objective[0].0, added), &objective, &signs, formals);
        }
        let value = regularizer.map(|r| Function::new("g", &self.graph, self.formals.clone(), &[r]));
        let terms = match regularizer {
            Some(r) => self.attach_prox(r, &mut variables, s, &signs)?,
            None => Vec::new(),
        };
        if self.meta_test.moved.is_none() {
            self.keep_objective(node, regularizer, maximize, is_lower);
        }
        Ok(Level { variables, objective, maximize, regularizer: value, terms, constraints })
    }

    /// The objective of a level as written, and whether it is maximized.
    fn only_objective(&mut self, s: &Statements<'a>, is_lower: bool, each: Option<usize>) -> Checked<(NodeId, bool)> {
        let level = if is_lower { "lower" } else { "upper" };
        match s.objective.as_slice() {
            [] => {
                let regularizer = s.regularizers.first().map(|e| e.span);
                self.fail(message::nothing_to_minimize(level, s.keyword, regularizer))
            }
            [(e, maximize, _)] => self.objective_of_all(e, each).map(|node| (node, *maximize)),
            [(_, _, one), (_, _, two), ..] => self.fail(message::two_objectives(*two, *one)),
        }
    }

    /// The variables of a level with their sets; ends that move become rows.
    fn variables(
        &mut self,
        s: &Statements<'a>,
        formals: &[usize],
        is_lower: bool,
        each: Option<usize>,
        moving: &mut Vec<Sided>,
    ) -> Checked<Vec<Variable>> {
        let mut variables = Vec::new();
        let mut failed = false;
        for ((name, _, domain), formal) in s.variables.iter().zip(formals) {
            let formal = *formal;
            let shape = self.formals[formal].shape.clone();
            let member = Member { name, shape: &shape, is_lower, is_follower: each.is_some(), may_move: true };
            let place = if is_lower { LOWER } else { SET };
            let set = domain.map(|d| match each {
                None => self.without_multipliers(place, |c| c.domain(d, member)),
                // Sets are the same for all followers: their loop variable is out of sight.
                Some(_) => {
                    self.followers.hidden = s.each.map(|(name, _)| name.text.clone());
                    let set = self.isolated(|c| c.domain(d, member));
                    self.followers.hidden = None;
                    set
                }
            });
            let own = if is_lower { None } else { self.varied().find(|(varied, _)| varied.text == name.text) };
            for end in std::mem::take(&mut self.notes.moving_ends) {
                match self.moving_row(name, &end, each) {
                    Ok(row) => moving.push(row),
                    Err(Reported) => failed = true,
                }
            }
            let set = set.map(Result::transpose).unwrap_or_default();
            let set = set.or_else(|| own.map(|(name, value)| self.set_of_varied(name, value)));
            match set.transpose() {
                Ok(set) => {
                    let set = set.map(|set| SetUse { each: each.is_some(), ..set });
                    let (name, span) = (name.text.clone(), name.span);
                    variables.push(Variable { name, formal, shape, set, prox: None, span });
                }
                Err(Reported) => failed = true,
            }
        }
        if failed { Err(Reported) } else { Ok(variables) }
    }

    pub(crate) fn objective(&mut self, e: &Expr) -> Checked<NodeId> {
        self.objective_of_all(e, None)
    }

    /// A number, summed over the followers if there are any.
    fn objective_of_all(&mut self, e: &Expr, each: Option<usize>) -> Checked<NodeId> {
        number_places(e, &mut self.notes.number_places);
        let a = self.array(e)?;
        if !a.is_scalar() {
            let shape = self.shape_text(&a.shape);
            let what = if self.reporting.in_metric { "a metric" } else { "an objective" };
            return self.fail(message::objective_not_scalar(e.span, what, &shape));
        }
        if a.kind == Kind::Boolean {
            return self.fail(match self.reporting.in_metric {
                true => message::comparison_as_metric(e.span),
                false => message::comparison_as_objective(e.span),
            });
        }
        let Some(each) = each else { return Ok(a.node) };
        let all = self.align(&a, &[each], &Shape::scalar(), e.span)?;
        Ok(self.graph.sum(all, 1))
    }

    /// The value of `regularize`, if any.
    fn regularizer(&mut self, s: &Statements<'a>, is_lower: bool, each: Option<usize>) -> Checked<Option<NodeId>> {
        let mut total: Option<NodeId> = None;
        for e in &s.regularizers {
            if !is_lower {
                return self.fail(message::not_supported_yet(
                    e.span,
                    "`regularize` in the upper level",
                    "write a smooth term into `minimize`, such as `sum(huber(x, 1/100))` for `norm1(x)`",
                ));
            }
            let node = self.objective_of_all(e, each)?;
            total = Some(match total {
                None => node,
                Some(sum) => self.graph.add(sum, node),
            });
        }
        Ok(total)
    }
}

/// The operators of an objective whose results are its terms.
fn number_places(e: &Expr, found: &mut HashSet<Span>) {
    match &e.kind {
        ExprKind::Sum(terms) => terms.iter().for_each(|(_, _, term)| number_places(term, found)),
        ExprKind::Negate(inner) | ExprKind::Paren(inner) => number_places(inner, found),
        ExprKind::Power { operator, .. } => drop(found.insert(*operator)),
        ExprKind::Product(factors) => {
            found.extend(factors.iter().map(|(_, operator, _)| *operator));
            // a power beside numbers has to be one itself
            let plain = |e: &Expr| matches!(e.kind, ExprKind::Number { .. });
            let mut others = factors.iter().filter(|(_, _, e)| !plain(e));
            if let (Some((_, _, factor)), None) = (others.next(), others.next()) {
                number_places(factor, found);
            }
        }
        _ => {}
    }
}
