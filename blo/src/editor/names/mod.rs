//! What each name of a text refers to, from the tree alone: declarations with their scopes, and every place that names
//! one of them. It follows the rules by which the checker resolves names, and judges nothing.

mod collect;
mod expression;
mod items;

use std::collections::HashMap;

use blo_grammar::ast::Ast;
use blo_grammar::span::Span;

/// A level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// `upper`
    Upper,
    /// `lower`
    Lower,
}

/// What a name is the name of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SymbolKind {
    /// The problem itself.
    Problem,
    /// `param`
    Param,
    /// `let` of the file, or of a level.
    Let(Option<Side>),
    /// `fn`
    Function,
    /// `set`
    Set,
    /// `data`
    Data,
    /// `dataset`
    Dataset,
    /// A column of a dataset, or a mask of label noise.
    Column,
    /// A part of a split.
    Part,
    /// `episodes`
    Episodes,
    /// `var`
    Variable(Side),
    /// A parameter of a `fn`.
    Argument,
    /// The variable of a `for`.
    Index,
    /// A row of `subject to` with a name.
    Row(Side),
    /// `metric`
    Metric,
    /// A preset of a method.
    Preset,
}

impl SymbolKind {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            SymbolKind::Problem => "problem",
            SymbolKind::Param => "param",
            SymbolKind::Let(_) => "let",
            SymbolKind::Function => "fn",
            SymbolKind::Set => "set",
            SymbolKind::Data => "data",
            SymbolKind::Dataset => "dataset",
            SymbolKind::Column => "column",
            SymbolKind::Part => "part of a split",
            SymbolKind::Episodes => "episodes",
            SymbolKind::Variable(Side::Upper) => "upper variable",
            SymbolKind::Variable(Side::Lower) => "lower variable",
            SymbolKind::Argument => "argument",
            SymbolKind::Index => "index",
            SymbolKind::Row(_) => "row",
            SymbolKind::Metric => "metric",
            SymbolKind::Preset => "preset",
        }
    }
}

/// A declared name.
#[derive(Clone, Debug)]
pub struct Symbol {
    /// The name, normalized.
    pub name: String,
    /// What it names.
    pub kind: SymbolKind,
    /// The name in its declaration.
    pub span: Span,
    /// The whole declaration.
    pub declaration: Span,
    /// Where a local name can be seen; `None` for names of the file.
    pub scope: Option<Span>,
    /// The dataset of a column, the dataset or part that a part or episodes come from: a symbol.
    pub parent: Option<usize>,
    /// Its `##` lines.
    pub doc: Vec<String>,
}

/// A place that names a symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Occurrence {
    /// The place.
    pub span: Span,
    /// The symbol, by its position.
    pub symbol: usize,
    /// True where the name is declared.
    pub declares: bool,
}

/// All names of a text.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    /// The declarations.
    pub symbols: Vec<Symbol>,
    /// Every place, in the order of the text.
    pub occurrences: Vec<Occurrence>,
    /// Names of the file.
    globals: HashMap<String, usize>,
    metrics: HashMap<String, usize>,
    rows: HashMap<String, usize>,
    presets: HashMap<(String, String), usize>,
    columns: HashMap<(usize, String), usize>,
}

impl Names {
    /// The names of a tree.
    pub(super) fn of(ast: &Ast) -> Names {
        let mut names = Names::default();
        names.collect(ast);
        items::Walker::new(&mut names).file(ast);
        names.occurrences.sort_by_key(|o| (o.span, !o.declares));
        names.occurrences.dedup_by_key(|o| o.span);
        names
    }

    /// The occurrence that holds a place or ends there.
    pub(super) fn occurrence_at(&self, offset: usize) -> Option<Occurrence> {
        let after = self.occurrences.partition_point(|o| (o.span.end as usize) < offset);
        self.occurrences[after..].iter().take(2).rfind(|o| o.span.start as usize <= offset).copied()
    }

    /// The occurrence with this place.
    pub(super) fn occurrence(&self, span: Span) -> Option<Occurrence> {
        let at = self.occurrences.binary_search_by_key(&span, |o| o.span).ok()?;
        Some(self.occurrences[at])
    }

    /// All occurrences of a symbol, in the order of the text.
    pub(super) fn of_symbol(&self, symbol: usize) -> impl Iterator<Item = &Occurrence> {
        self.occurrences.iter().filter(move |o| o.symbol == symbol)
    }

    /// The symbols that an expression at a place may name.
    pub(super) fn visible(&self, offset: usize) -> impl Iterator<Item = &Symbol> {
        self.symbols.iter().filter(move |s| match (s.kind, s.scope) {
            (SymbolKind::Problem | SymbolKind::Column | SymbolKind::Row(_) | SymbolKind::Preset, _) => false,
            (_, Some(scope)) => scope.start as usize <= offset && offset <= scope.end as usize,
            (_, None) => true,
        })
    }

    /// The symbol of a name of the file.
    pub(super) fn global(&self, name: &str) -> Option<usize> {
        self.globals.get(name).or_else(|| self.metrics.get(name)).copied()
    }

    /// The columns of a dataset, a part of one, or episodes.
    pub(super) fn columns_of(&self, symbol: usize) -> impl Iterator<Item = &Symbol> {
        let dataset = self.dataset_of(symbol);
        self.symbols.iter().filter(move |s| s.kind == SymbolKind::Column && s.parent == dataset)
    }

    /// The dataset that a part or episodes come from in the end; a dataset itself.
    fn dataset_of(&self, symbol: usize) -> Option<usize> {
        let mut at = symbol;
        // a part that comes from itself is a mistake, and the search ends
        for _ in 0..self.symbols.len() {
            match self.symbols[at].kind {
                SymbolKind::Dataset => return Some(at),
                SymbolKind::Part | SymbolKind::Episodes => at = self.symbols[at].parent?,
                _ => return None,
            }
        }
        None
    }
}

impl Symbol {
    /// Names of different spaces may be the same: columns, rows, presets, the problem, and all others.
    pub(super) fn space(&self) -> u8 {
        match self.kind {
            SymbolKind::Problem => 0,
            SymbolKind::Column => 1,
            SymbolKind::Row(_) => 2,
            SymbolKind::Preset => 3,
            _ => 4,
        }
    }

    /// The dataset of a column.
    pub(super) fn parent_of_column(&self) -> Option<usize> {
        self.parent.filter(|_| self.kind == SymbolKind::Column)
    }
}
