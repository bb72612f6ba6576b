//! Items, statements and entries of blocks: one function per rule of the grammar.

use super::expression::Builder;
use super::walk::{Rule, Walk};
use crate::ast::{
    Assign, Binding, Column, Dimension, Domain, Expr, ExprKind, Fact, FactRelation, ItemKind, Lower, Name, Relation,
    Row, Statement, StatementKind,
};
use crate::diagnostic::Diagnostic;
use crate::message;
use crate::span::Span;
use crate::token::Token;
use pest::iterators::Pair;

impl Builder<'_, '_> {
    /// The span of a pair without the white space that pest counts in after an absent option.
    fn trimmed(&self, pair: &Pair<'_, Rule>) -> Span {
        let span = self.span(pair);
        let after = self.tokens.partition_point(|t| t.end() <= span.end as usize);
        match after.checked_sub(1).map(|i| &self.tokens[i]) {
            Some(last) if last.end() > span.start as usize => Span { start: span.start, end: last.end() as u32 },
            _ => span,
        }
    }

    pub(super) fn item(&mut self, pair: Pair<'_, Rule>) -> ItemKind {
        let rule = pair.as_rule();
        if rule == Rule::lower {
            return ItemKind::Lower(self.lower(pair));
        }
        let mut walk = Walk::new(pair.into_inner());
        match rule {
            Rule::problem => ItemKind::Problem { name: self.next_name(&mut walk), options: self.options(&mut walk) },
            Rule::param => ItemKind::Param {
                name: self.next_name(&mut walk),
                dims: self.dims(&mut walk).unwrap_or_default(),
                value: self.next_expr(&mut walk),
            },
            Rule::let_item => ItemKind::Let(self.binding(walk)),
            Rule::function => {
                let name = self.next_name(&mut walk);
                let params = self.names(&mut walk);
                self.once(params.iter());
                ItemKind::Function { name, params, body: self.next_expr(&mut walk) }
            }
            Rule::set_item => ItemKind::Set {
                name: self.next_name(&mut walk),
                dims: self.dims(&mut walk).unwrap_or_default(),
                value: self.next_expr(&mut walk),
            },
            Rule::data => ItemKind::Data(self.column(walk.want(Rule::column))),
            Rule::dataset => {
                let name = self.next_name(&mut walk);
                ItemKind::Dataset { name, columns: walk.map(|p| self.column(p)).collect() }
            }
            Rule::split => {
                let source = self.next_name(&mut walk);
                let options = self.options(&mut walk);
                ItemKind::Split { source, options, parts: walk.map(|p| self.part(p)).collect() }
            }
            Rule::corrupt => {
                let target = self.target(walk.want(Rule::target));
                ItemKind::Corrupt { target, options: self.options(&mut walk) }
            }
            Rule::episodes => ItemKind::Episodes {
                name: self.next_name(&mut walk),
                source: self.next_name(&mut walk),
                options: self.options(&mut walk),
            },
            Rule::upper => {
                let pessimistic = walk.maybe(Rule::pessimistic).map(|p| self.span(&p));
                ItemKind::Upper { pessimistic, body: self.block(walk.want(Rule::block)) }
            }
            Rule::start => ItemKind::Start(self.assigns(&mut walk)),
            Rule::known => ItemKind::Known(walk.map(|p| self.fact(p)).collect()),
            Rule::metric => ItemKind::Metric(self.binding(walk)),
            Rule::method => {
                let method = self.next_name(&mut walk);
                let preset = walk.maybe(Rule::name).map(|p| self.name(&p));
                ItemKind::Method { method, preset, options: self.assigns(&mut walk) }
            }
            Rule::expect => {
                let method = walk.maybe(Rule::name).map(|p| self.name(&p));
                let preset = walk.maybe(Rule::word).map(|p| self.name(&p));
                let options = self.options(&mut walk);
                ItemKind::Expect { method, preset, options, body: self.assertions(walk.want(Rule::assertions)) }
            }
            Rule::option => ItemKind::Option(self.assign(walk.want(Rule::assign))),
            Rule::import => ItemKind::Import(self.next_expr(&mut walk)),
            _ => unreachable!("{rule:?} is not an item"),
        }
    }

    pub(super) fn statement(&mut self, pair: Pair<'_, Rule>) -> Statement {
        let span = self.trimmed(&pair);
        let rule = pair.as_rule();
        let kind = if rule == Rule::lower {
            StatementKind::Lower(self.lower(pair))
        } else {
            let mut walk = Walk::new(pair.into_inner());
            match rule {
                Rule::var => self.var(walk),
                Rule::minimize => StatementKind::Minimize(self.next_expr(&mut walk)),
                Rule::maximize => StatementKind::Maximize(self.next_expr(&mut walk)),
                Rule::regularize => StatementKind::Regularize(self.next_expr(&mut walk)),
                Rule::let_item => StatementKind::Let(self.binding(walk)),
                Rule::subject => StatementKind::SubjectTo(self.rows(walk.want(Rule::rows))),
                _ => unreachable!("{rule:?} is not a statement"),
            }
        };
        Statement { kind, span, doc: super::reader::doc(self.all, span.start as usize) }
    }

    fn var(&mut self, mut walk: Walk<'_>) -> StatementKind {
        let name = self.next_name(&mut walk);
        let dims = self.dims(&mut walk).unwrap_or_default();
        let bound = walk.next();
        let domain = bound.map(|bound| {
            let value = self.next_expr(&mut walk);
            if let ExprKind::Compare { operator, .. } = value.kind {
                self.diagnostics.push(message::chained_bound(operator));
            }
            match bound.as_str() {
                ">=" | "≥" => Domain::AtLeast(value),
                "<=" | "≤" => Domain::AtMost(value),
                _ => Domain::In(value),
            }
        });
        StatementKind::Var { name, dims, domain }
    }

    fn lower(&mut self, pair: Pair<'_, Rule>) -> Lower {
        let span = self.trimmed(&pair);
        let mut walk = Walk::new(pair.into_inner());
        let keyword = self.span(&walk.want(Rule::lower_kw));
        let each = walk.maybe(Rule::generator).map(|g| self.generator(g));
        Lower { each, body: self.block(walk.want(Rule::block)), keyword, span }
    }

    fn block(&mut self, pair: Pair<'_, Rule>) -> Vec<Statement> {
        Walk::new(pair.into_inner()).map(|p| self.statement(p)).collect()
    }

    fn next_name(&self, walk: &mut Walk<'_>) -> Name {
        self.name(&walk.want(Rule::name))
    }

    fn names(&self, walk: &mut Walk<'_>) -> Vec<Name> {
        std::iter::from_fn(|| walk.maybe(Rule::name)).map(|p| self.name(&p)).collect()
    }

    fn next_expr(&mut self, walk: &mut Walk<'_>) -> Expr {
        self.expr(walk.want(Rule::expr))
    }

    fn binding(&mut self, mut walk: Walk<'_>) -> Binding {
        Binding { name: self.next_name(&mut walk), value: self.next_expr(&mut walk) }
    }

    pub(super) fn assign(&mut self, pair: Pair<'_, Rule>) -> Assign {
        let mut walk = Walk::new(pair.into_inner());
        let name = self.name(&walk.want(Rule::word));
        Assign { name, value: self.next_expr(&mut walk) }
    }

    fn options(&mut self, walk: &mut Walk<'_>) -> Vec<Assign> {
        let Some(options) = walk.maybe(Rule::options) else {
            return Vec::new();
        };
        let options: Vec<Assign> = Walk::new(options.into_inner()).map(|p| self.assign(p)).collect();
        self.once(options.iter().map(|o| &o.name));
        options
    }

    fn assigns(&mut self, walk: &mut Walk<'_>) -> Vec<Assign> {
        Walk::new(walk.want(Rule::assigns).into_inner()).map(|p| self.assign(p)).collect()
    }

    pub(super) fn column(&mut self, pair: Pair<'_, Rule>) -> Column {
        let mut walk = Walk::new(pair.into_inner());
        let name = self.next_name(&mut walk);
        Column { name, dims: self.dims(&mut walk), value: self.next_expr(&mut walk) }
    }

    fn part(&mut self, pair: Pair<'_, Rule>) -> (Name, Expr) {
        let mut walk = Walk::new(pair.into_inner());
        (self.next_name(&mut walk), self.next_expr(&mut walk))
    }

    fn target(&mut self, pair: Pair<'_, Rule>) -> Expr {
        let mut walk = Walk::new(pair.into_inner());
        let name = self.next_name(&mut walk);
        self.place(name, walk)
    }

    pub(super) fn fact(&mut self, pair: Pair<'_, Rule>) -> Fact {
        let mut span = self.trimmed(&pair);
        let mut walk = Walk::new(pair.into_inner());
        let target = self.fact_target(walk.want(Rule::fact_target));
        span.start = target.span.start;
        let relation = if walk.maybe(Rule::in_kw).is_some() { FactRelation::In } else { FactRelation::Equals };
        let value = self.next_expr(&mut walk);
        let each = walk.maybe(Rule::generator).map(|g| self.generator(g));
        Fact { target, relation, value, each, span }
    }

    fn fact_target(&mut self, pair: Pair<'_, Rule>) -> Expr {
        let mut parts = pair.into_inner();
        let Some(name) = parts.next() else { unreachable!("the grammar starts a fact with a name") };
        if name.as_rule() == Rule::call {
            return self.called(name);
        }
        let name = self.name(&name);
        self.place(name, parts)
    }

    fn dims(&mut self, walk: &mut Walk<'_>) -> Option<Vec<Dimension>> {
        let dims = walk.maybe(Rule::dims)?;
        let mut all = Vec::new();
        for dimension in Walk::new(dims.into_inner()) {
            for inner in dimension.into_inner() {
                all.push(match inner.as_rule() {
                    Rule::all => Dimension::Deferred(self.span(&inner)),
                    _ => Dimension::Size(self.expr(inner)),
                });
            }
        }
        Some(all)
    }

    fn rows(&mut self, pair: Pair<'_, Rule>) -> Vec<Row> {
        let rows: Vec<Row> = Walk::new(pair.into_inner()).map(|pair| self.row(pair)).collect();
        let rows = self.without_integers(rows);
        for pair in rows.windows(2) {
            let [previous, row] = pair else { continue };
            if row.name.is_none() && !self.is_separated(previous.span) {
                // `a y <= 1` may lack a `:` just as well
                let is_sure = !row.rest.is_empty() && !previous.rest.is_empty();
                self.diagnostics.push(message::rows_unseparated(previous.span, row.span, is_sure));
            }
        }
        rows
    }

    fn row(&mut self, pair: Pair<'_, Rule>) -> Row {
        let span = self.trimmed(&pair);
        let mut walk = Walk::new(pair.into_inner());
        let name = walk.maybe(Rule::row_name).map(|n| self.name(&Walk::new(n.into_inner()).want(Rule::name)));
        let (first, mut rest) = self.sides(walk.want(Rule::expr));
        match self.continued_row(&first, &rest) {
            Some(error) => self.diagnostics.push(error),
            None => {
                if let [_, (_, second, _), (_, third, _), ..] = rest.as_slice() {
                    self.diagnostics.push(message::long_chain(*third, *second));
                }
            }
        }
        rest.truncate(2);
        let (clauses, _) = self.comprehension(first, walk);
        Row { name, first: clauses.body, rest, generators: clauses.generators, condition: clauses.condition, span }
    }

    /// `y <= 1` with `-z <= 2` on the next line reads as `y <= 1 - z <= 2`.
    fn continued_row(&self, first: &Expr, rest: &[(Relation, Span, Expr)]) -> Option<Diagnostic> {
        let [(_, start, _), .., (_, end, last)] = rest else { return None };
        let index = |at: u32| self.tokens.partition_point(|t| t.start < at as usize);
        let starts_line = |t: &Token<'_>| t.first_on_line && (t.is("-") || t.is("(") || t.is("["));
        let at = (index(start.end) + 1..index(end.start)).find(|i| starts_line(&self.tokens[*i]))?;
        let places = (self.tokens[at - 1].span(), self.tokens[at].span());
        Some(message::row_or_two(places, first.span.to(last.span)))
    }

    /// Assertions need no separator at a line end; on one line two of them are more likely a forgotten operator.
    pub(super) fn assertions(&mut self, pair: Pair<'_, Rule>) -> Vec<Expr> {
        let mut all: Vec<Expr> = Vec::new();
        for pair in Walk::new(pair.into_inner()) {
            let next = self.expr(pair);
            if let Some(previous) = all.last().map(|p| p.span) {
                let gap = &self.source[previous.end as usize..next.span.start as usize];
                if !gap.contains(['\n', ';']) {
                    let at = self.tokens.partition_point(|t| t.start < next.span.start as usize);
                    if let (Some(left), Some(right)) =
                        (at.checked_sub(1).and_then(|i| self.tokens.get(i)), self.tokens.get(at))
                    {
                        self.diagnostics.push(message::two_assertions(left.span(), right.span()));
                    }
                }
            }
            all.push(next);
        }
        all
    }
}
