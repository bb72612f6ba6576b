//! The outline of a text: its items with what they hold.

use blo_grammar::ast::{Expr, ItemKind, Lower, Name, Statement, StatementKind};
use blo_grammar::span::Span;

use super::document::Syntax;
use super::names::{Side, SymbolKind};

/// An entry of the outline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outlined {
    /// Its name, or the keyword where it has none.
    pub name: String,
    /// A few words beside it.
    pub detail: String,
    /// What it is; `None` for levels and other blocks without a name.
    pub kind: Option<SymbolKind>,
    /// All of it.
    pub span: Span,
    /// The name, within it.
    pub selection: Span,
    /// What it holds.
    pub children: Vec<Outlined>,
}

/// The items of a text in its order; pieces that do not parse are left out.
pub fn outline(syntax: &Syntax) -> Vec<Outlined> {
    let outlined = |(kind, span)| of_item(syntax, kind, span);
    syntax.ast.items.iter().map(|i| (&i.kind, i.span)).flat_map(outlined).collect()
}

fn named(name: &Name, kind: SymbolKind, span: Span) -> Outlined {
    let detail = kind.word().to_owned();
    Outlined { name: name.text.clone(), detail, kind: Some(kind), span, selection: name.span, children: Vec::new() }
}

/// A block without a name: its keyword stands for it.
fn block(word: &str, detail: String, span: Span, children: Vec<Outlined>) -> Outlined {
    let end = (span.start + word.len() as u32).min(span.end);
    Outlined { name: word.to_owned(), detail, kind: None, span, selection: Span { end, ..span }, children }
}

fn of_item(syntax: &Syntax, kind: &ItemKind, span: Span) -> Vec<Outlined> {
    let one = |name, kind| vec![named(name, kind, span)];
    match kind {
        ItemKind::Problem { name, .. } => one(name, SymbolKind::Problem),
        ItemKind::Param { name, .. } => one(name, SymbolKind::Param),
        ItemKind::Let(b) => one(&b.name, SymbolKind::Let(None)),
        ItemKind::Function { name, .. } => one(name, SymbolKind::Function),
        ItemKind::Set { name, .. } => one(name, SymbolKind::Set),
        ItemKind::Data(column) => one(&column.name, SymbolKind::Data),
        ItemKind::Dataset { name, columns } => {
            let of = |c: &blo_grammar::ast::Column| named(&c.name, SymbolKind::Column, c.name.span.to(c.value.span));
            let children = columns.iter().map(of).collect();
            vec![Outlined { children, ..named(name, SymbolKind::Dataset, span) }]
        }
        ItemKind::Split { source, parts, .. } => {
            let of = |(name, size): &(Name, Expr)| named(name, SymbolKind::Part, name.span.to(size.span));
            vec![block("split", source.text.clone(), span, parts.iter().map(of).collect())]
        }
        ItemKind::Corrupt { target, .. } => vec![block("corrupt", syntax.at(target.span).to_owned(), span, Vec::new())],
        ItemKind::Episodes { name, .. } => one(name, SymbolKind::Episodes),
        ItemKind::Upper { body, .. } => vec![block("upper", String::new(), span, statements(body, Side::Upper))],
        ItemKind::Lower(lower) => vec![of_lower(lower, span)],
        ItemKind::Start(_) => vec![block("start", String::new(), span, Vec::new())],
        ItemKind::Known(_) => vec![block("known", String::new(), span, Vec::new())],
        ItemKind::Metric(b) => one(&b.name, SymbolKind::Metric),
        ItemKind::Method { method, preset, .. } => {
            let name = preset.as_ref().map_or(method.text.clone(), |p| format!("{}:{}", method.text, p.text));
            let selection = preset.as_ref().map_or(method.span, |p| method.span.to(p.span));
            vec![Outlined { name, selection, ..named(method, SymbolKind::Preset, span) }]
        }
        ItemKind::Expect { method, .. } => {
            let detail = method.as_ref().map(|m| m.text.clone()).unwrap_or_default();
            vec![block("expect", detail, span, Vec::new())]
        }
        ItemKind::Option(a) => vec![block("option", a.name.text.clone(), span, Vec::new())],
        ItemKind::Import(_) => Vec::new(),
    }
}

fn of_lower(lower: &Lower, span: Span) -> Outlined {
    let each = lower.each.as_ref().map(|(name, _)| format!("for {}", name.text)).unwrap_or_default();
    block("lower", each, span, statements(&lower.body, Side::Lower))
}

fn statements(body: &[Statement], side: Side) -> Vec<Outlined> {
    let mut found = Vec::new();
    for s in body {
        match &s.kind {
            StatementKind::Var { name, .. } => found.push(named(name, SymbolKind::Variable(side), s.span)),
            StatementKind::Let(b) => found.push(named(&b.name, SymbolKind::Let(Some(side)), s.span)),
            StatementKind::Minimize(_) => found.push(block("minimize", String::new(), s.span, Vec::new())),
            StatementKind::Maximize(_) => found.push(block("maximize", String::new(), s.span, Vec::new())),
            StatementKind::Regularize(_) => found.push(block("regularize", String::new(), s.span, Vec::new())),
            StatementKind::SubjectTo(rows) => {
                let of = |r: &blo_grammar::ast::Row| r.name.as_ref().map(|n| named(n, SymbolKind::Row(side), r.span));
                let children = rows.iter().filter_map(of).collect();
                found.push(block("subject to", String::new(), s.span, children));
            }
            StatementKind::Lower(lower) => found.push(of_lower(lower, lower.span)),
        }
    }
    found
}
