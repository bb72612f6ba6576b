//! The second pass: every name of items and statements looked up. Expressions are in `expression.rs`.

use std::collections::HashMap;

use blo_engine::data;
use blo_grammar::ast::{
    Assign, Ast, Column, Dimension, Domain, Expr, ExprKind, Fact, Item, ItemKind, Lower, Name, Row, Statement,
    StatementKind,
};
use blo_grammar::span::Span;
use blo_solvers::by_name;
use blo_solvers::options::entry::Kind;

use super::{Names, Occurrence, Side, Symbol, SymbolKind};

/// The walk with the local names that it sees.
pub(super) struct Walker<'a> {
    pub(super) names: &'a mut Names,
    pub(super) scopes: Vec<HashMap<String, usize>>,
    /// In metrics and assertions, names of metrics have a meaning.
    pub(super) in_metric: bool,
}

impl<'a> Walker<'a> {
    pub(super) fn new(names: &'a mut Names) -> Walker<'a> {
        Walker { names, scopes: Vec::new(), in_metric: false }
    }

    /// Looks up all names of a file.
    pub(super) fn file(&mut self, ast: &Ast) {
        for item in &ast.items {
            self.item(item);
        }
    }

    /// Says that a place names a symbol.
    pub(super) fn refer(&mut self, span: Span, symbol: Option<usize>) {
        if let Some(symbol) = symbol {
            self.names.occurrences.push(Occurrence { span, symbol, declares: false });
        }
    }

    /// Declares a local name.
    pub(super) fn local(&mut self, name: &Name, kind: SymbolKind, declaration: Span, scope: Span, doc: &[String]) {
        let symbol = self.names.add(Symbol {
            name: name.text.clone(),
            kind,
            span: name.span,
            declaration,
            scope: Some(scope),
            parent: None,
            doc: doc.to_vec(),
        });
        if let Some(innermost) = self.scopes.last_mut() {
            innermost.insert(name.text.clone(), symbol);
        }
    }

    pub(super) fn scoped(&mut self, body: impl FnOnce(&mut Self)) {
        self.scopes.push(HashMap::new());
        body(self);
        self.scopes.pop();
    }

    fn item(&mut self, item: &Item) {
        match &item.kind {
            ItemKind::Problem { options, .. } => self.values(options),
            ItemKind::Param { dims, value, .. } | ItemKind::Set { dims, value, .. } => {
                self.dims(dims);
                self.expression(value);
            }
            ItemKind::Let(b) => self.expression(&b.value),
            ItemKind::Function { params, body, .. } => self.scoped(|w| {
                for param in params {
                    w.local(param, SymbolKind::Argument, param.span, item.span, &[]);
                }
                w.expression(body);
            }),
            ItemKind::Data(column) => self.column(column),
            ItemKind::Dataset { columns, .. } => columns.iter().for_each(|c| self.column(c)),
            ItemKind::Split { source, options, parts } => {
                self.refer(source.span, self.names.globals.get(&source.text).copied());
                self.values(options);
                parts.iter().for_each(|(_, size)| self.expression(size));
            }
            ItemKind::Corrupt { target, options } => {
                self.expression(target);
                // `to` and `mask` hold words
                let values = options.iter().filter(|o| !matches!(o.name.text.as_str(), "to" | "mask"));
                values.for_each(|o| self.expression(&o.value));
            }
            ItemKind::Episodes { source, options, .. } => {
                self.refer(source.span, self.names.globals.get(&source.text).copied());
                self.values(options);
            }
            ItemKind::Upper { body, .. } => self.scoped(|w| w.level(body, Side::Upper, item.span)),
            ItemKind::Lower(lower) => self.lower(lower),
            ItemKind::Start(assigns) => {
                for a in assigns {
                    self.refer(a.name.span, self.names.globals.get(&a.name.text).copied());
                    self.expression(&a.value);
                }
            }
            ItemKind::Known(facts) => facts.iter().for_each(|fact| self.fact(fact)),
            ItemKind::Metric(b) => self.reported(|w| w.expression(&b.value)),
            ItemKind::Method { method, options, .. } => self.options(&method.text, options),
            ItemKind::Expect { method, preset, options, body } => {
                if let (Some(method), Some(preset)) = (method, preset) {
                    let key = (method.text.clone(), preset.text.clone());
                    self.refer(preset.span, self.names.presets.get(&key).copied());
                }
                self.options(method.as_ref().map_or("auto", |m| &m.text), options);
                self.reported(|w| body.iter().for_each(|e| w.expression(e)));
            }
            ItemKind::Option(a) => self.options("auto", std::slice::from_ref(a)),
            ItemKind::Import(_) => {}
        }
    }

    fn reported(&mut self, body: impl FnOnce(&mut Self)) {
        self.in_metric = true;
        body(self);
        self.in_metric = false;
    }

    fn values(&mut self, options: &[Assign]) {
        options.iter().for_each(|o| self.expression(&o.value));
    }

    /// Values of a method's options: numbers may hold params, and `k` is the iteration.
    fn options(&mut self, method: &str, options: &[Assign]) {
        for o in options {
            let entry = by_name(method).and_then(|m| m.entry.option(&o.name.text));
            if entry.is_some_and(|e| matches!(e.kind, Kind::Word(_))) {
                continue;
            }
            let before = self.names.occurrences.len();
            self.expression(&o.value);
            let symbols = &self.names.symbols;
            let later = self.names.occurrences.split_off(before);
            let params = later.into_iter().filter(|o| {
                let symbol = &symbols[o.symbol];
                symbol.kind == SymbolKind::Param && symbol.name != "k"
            });
            self.names.occurrences.extend(params);
        }
    }

    pub(super) fn dims(&mut self, dims: &[Dimension]) {
        for d in dims {
            if let Dimension::Size(e) = d {
                self.expression(e);
            }
        }
    }

    fn column(&mut self, column: &Column) {
        self.dims(column.dims.as_deref().unwrap_or_default());
        let ExprKind::Call { function, arguments } = &column.value.kind else {
            return self.expression(&column.value);
        };
        let format = data::format(&function.text).map(|f| f.options);
        let options = format.or_else(|| data::generator(&function.text).map(|g| g.options)).unwrap_or_default();
        for a in arguments {
            let entry = a.name.as_ref().and_then(|n| options.iter().find(|o| o.name == n.text));
            let is_word = matches!(a.value.kind, ExprKind::Name(_)) && entry.is_some_and(|o| !o.words.is_empty());
            if !is_word {
                self.expression(&a.value);
            }
        }
    }

    fn lower(&mut self, lower: &Lower) {
        if let Some((_, set)) = &lower.each {
            self.expression(set);
        }
        self.scoped(|w| {
            if let Some((name, set)) = &lower.each {
                w.local(name, SymbolKind::Index, name.span.to(set.span), lower.span, &[]);
            }
            w.level(&lower.body, Side::Lower, lower.span);
        });
    }

    /// The `let`s of a level come first, wherever they stand; each sees those before it.
    fn level(&mut self, body: &[Statement], side: Side, scope: Span) {
        for statement in body {
            if let StatementKind::Let(b) = &statement.kind {
                self.expression(&b.value);
                let kind = SymbolKind::Let(Some(side));
                self.local(&b.name, kind, statement.span, scope, &statement.doc);
            }
        }
        for statement in body {
            match &statement.kind {
                StatementKind::Var { dims, domain, .. } => {
                    self.dims(dims);
                    if let Some(Domain::In(e) | Domain::AtLeast(e) | Domain::AtMost(e)) = domain {
                        self.expression(e);
                    }
                }
                StatementKind::Minimize(e) | StatementKind::Maximize(e) | StatementKind::Regularize(e) => {
                    self.expression(e);
                }
                StatementKind::Let(_) => {}
                StatementKind::SubjectTo(rows) => rows.iter().for_each(|row| self.row(row)),
                StatementKind::Lower(lower) => self.lower(lower),
            }
        }
    }

    fn row(&mut self, row: &Row) {
        self.generated(&row.generators, row.span, |w| {
            w.expression(&row.first);
            row.rest.iter().for_each(|(_, _, side)| w.expression(side));
            row.condition.iter().for_each(|c| w.expression(c));
        });
    }

    /// The body of generators, which it sees; each sees those before it.
    pub(super) fn generated(&mut self, generators: &[(Name, Expr)], scope: Span, body: impl FnOnce(&mut Self)) {
        self.scoped(|w| {
            for (name, set) in generators {
                w.expression(set);
                w.local(name, SymbolKind::Index, name.span.to(set.span), scope, &[]);
            }
            body(w);
        });
    }

    fn fact(&mut self, fact: &Fact) {
        self.generated(fact.each.as_slice(), fact.span, |w| {
            w.expression(&fact.target);
            w.expression(&fact.value);
        });
    }
}
