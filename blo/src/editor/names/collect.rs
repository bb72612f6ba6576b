//! The first pass: what a file declares for all of it. Items may come in any order, so this comes before any name is
//! looked up. Of a name that is declared twice the first counts, as for the checker.

use blo_grammar::ast::{Ast, ExprKind, Item, ItemKind, Name, Row, Statement, StatementKind};
use blo_grammar::span::Span;

use super::{Names, Occurrence, Side, Symbol, SymbolKind};

impl Names {
    /// Adds a symbol and the place where it is declared.
    pub(super) fn add(&mut self, symbol: Symbol) -> usize {
        let at = self.symbols.len();
        self.occurrences.push(Occurrence { span: symbol.span, symbol: at, declares: true });
        self.symbols.push(symbol);
        at
    }

    fn declare(&mut self, name: &Name, kind: SymbolKind, (declaration, doc): (Span, &[String])) -> usize {
        let at = self.add(Symbol {
            name: name.text.clone(),
            kind,
            span: name.span,
            declaration,
            scope: None,
            parent: None,
            doc: doc.to_vec(),
        });
        let name = name.text.clone();
        match kind {
            SymbolKind::Problem | SymbolKind::Column | SymbolKind::Preset => {}
            SymbolKind::Metric => {
                self.metrics.entry(name).or_insert(at);
            }
            SymbolKind::Row(_) => {
                self.rows.entry(name).or_insert(at);
            }
            _ => {
                self.globals.entry(name).or_insert(at);
            }
        }
        at
    }

    /// Declares what all of the file sees.
    pub(super) fn collect(&mut self, ast: &Ast) {
        for item in &ast.items {
            self.item(item);
        }
        self.link(ast);
    }

    fn item(&mut self, item: &Item) {
        let about = (item.span, &item.doc[..]);
        match &item.kind {
            ItemKind::Problem { name, .. } => {
                self.declare(name, SymbolKind::Problem, about);
            }
            ItemKind::Param { name, .. } => {
                self.declare(name, SymbolKind::Param, about);
            }
            ItemKind::Let(b) => {
                self.declare(&b.name, SymbolKind::Let(None), about);
            }
            ItemKind::Function { name, .. } => {
                self.declare(name, SymbolKind::Function, about);
            }
            ItemKind::Set { name, .. } => {
                self.declare(name, SymbolKind::Set, about);
            }
            ItemKind::Data(column) => {
                self.declare(&column.name, SymbolKind::Data, about);
            }
            ItemKind::Dataset { name, columns } => {
                let dataset = self.declare(name, SymbolKind::Dataset, about);
                for column in columns {
                    let own = column.name.span.to(column.value.span);
                    self.column(dataset, &column.name, own);
                }
            }
            ItemKind::Split { parts, .. } => {
                for (name, size) in parts {
                    self.declare(name, SymbolKind::Part, (name.span.to(size.span), &item.doc));
                }
            }
            ItemKind::Episodes { name, .. } => {
                self.declare(name, SymbolKind::Episodes, about);
            }
            ItemKind::Upper { body, .. } => self.level(body, Side::Upper),
            ItemKind::Lower(lower) => self.level(&lower.body, Side::Lower),
            ItemKind::Metric(b) => {
                self.declare(&b.name, SymbolKind::Metric, about);
            }
            ItemKind::Method { method, preset: Some(preset), .. } => {
                let at = self.declare(preset, SymbolKind::Preset, about);
                self.presets.entry((method.text.clone(), preset.text.clone())).or_insert(at);
            }
            _ => {}
        }
    }

    fn column(&mut self, dataset: usize, name: &Name, declaration: Span) {
        let at = self.declare(name, SymbolKind::Column, (declaration, &[]));
        self.symbols[at].parent = Some(dataset);
        self.columns.entry((dataset, name.text.clone())).or_insert(at);
    }

    fn level(&mut self, body: &[Statement], side: Side) {
        for statement in body {
            match &statement.kind {
                StatementKind::Var { name, .. } => {
                    self.declare(name, SymbolKind::Variable(side), (statement.span, &statement.doc));
                }
                StatementKind::SubjectTo(rows) => rows.iter().for_each(|row| self.row(row, side)),
                StatementKind::Lower(lower) => self.level(&lower.body, Side::Lower),
                _ => {}
            }
        }
    }

    fn row(&mut self, row: &Row, side: Side) {
        if let Some(name) = &row.name {
            self.declare(name, SymbolKind::Row(side), (row.span, &[]));
        }
    }

    /// Says where parts and episodes come from, and adds the masks of label noise as columns.
    fn link(&mut self, ast: &Ast) {
        let parents = ast.items.iter().flat_map(|item| match &item.kind {
            ItemKind::Split { source, parts, .. } => parts.iter().map(|(name, _)| (name, source)).collect(),
            ItemKind::Episodes { name, source, .. } => vec![(name, source)],
            _ => Vec::new(),
        });
        for (name, source) in parents {
            let parent = self.globals.get(&source.text).copied();
            if let Some(own) = self.symbols.iter().position(|s| s.span == name.span) {
                self.symbols[own].parent = parent;
            }
        }
        for item in &ast.items {
            let ItemKind::Corrupt { target, options } = &item.kind else { continue };
            let mask = options.iter().find(|o| o.name.text == "mask");
            let Some((mask, ExprKind::Name(text))) = mask.map(|m| (m, &m.value.kind)) else { continue };
            let ExprKind::Field { base, .. } = &target.kind else { continue };
            let ExprKind::Name(source) = &base.kind else { continue };
            let dataset = self.globals.get(source).and_then(|source| self.dataset_of(*source));
            if let Some(dataset) = dataset {
                self.column(dataset, &Name { text: text.clone(), span: mask.value.span }, item.span);
            }
        }
    }
}
