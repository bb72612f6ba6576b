//! What each word is, for colours: the kinds of the protocol, with variables told apart by their level.

use blo_grammar::span::Span;
use blo_grammar::token::{Kind, is_reserved};

use super::document::{Inside, Place, Syntax};
use super::names::{Side, SymbolKind};
use super::tables;

/// The kinds of words, by the names of the protocol.
pub const TYPES: [&str; 11] = [
    "keyword",
    "comment",
    "string",
    "number",
    "operator",
    "variable",
    "parameter",
    "property",
    "function",
    "type",
    "namespace",
];

/// What is said of a word beside its kind, a bit each. The last two are our own: the level of a variable.
pub const MODIFIERS: [&str; 6] = ["declaration", "readonly", "defaultLibrary", "documentation", "upper", "lower"];

const DECLARATION: u32 = 1;
const READONLY: u32 = 1 << 1;
const LIBRARY: u32 = 1 << 2;
const DOCUMENTATION: u32 = 1 << 3;
const UPPER: u32 = 1 << 4;
const LOWER: u32 = 1 << 5;

/// A word with what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coloured {
    /// The word.
    pub span: Span,
    /// One of [`TYPES`].
    pub kind: &'static str,
    /// A bit per entry of [`MODIFIERS`].
    pub modifiers: u32,
}

/// Every word of a text that has a kind, in its order. None goes over the end of a line.
pub fn semantic_tokens(syntax: &Syntax) -> Vec<Coloured> {
    let mut found = Vec::with_capacity(syntax.tokens.len());
    for (i, t) in syntax.tokens.iter().enumerate() {
        let (kind, modifiers) = match t.kind {
            Kind::Comment if syntax.at(t.span).starts_with("##") => ("comment", DOCUMENTATION),
            Kind::Comment => ("comment", 0),
            Kind::Text | Kind::OpenText => ("string", 0),
            Kind::Number => ("number", 0),
            Kind::Symbol if !matches!(syntax.word(i), "," | ";" | ":" | "." | "_") => ("operator", 0),
            Kind::Word => match of_word(syntax, i) {
                Some(found) => found,
                None => continue,
            },
            _ => continue,
        };
        found.push(Coloured { span: t.span, kind, modifiers });
    }
    found
}

fn of_word(syntax: &Syntax, token: usize) -> Option<(&'static str, u32)> {
    let (span, word) = (syntax.tokens[token].span, syntax.word(token));
    let after = syntax.after(token);
    if let Some(o) = syntax.names.occurrence(span) {
        let declared = if o.declares { DECLARATION } else { 0 };
        let (kind, modifiers) = of_symbol(syntax.names.symbols[o.symbol].kind);
        return Some((kind, modifiers | declared));
    }
    let before = syntax.before(token);
    if syntax.is(before, ".") {
        return Some(("property", 0));
    }
    // a key or an option, which may be spelt like a keyword
    if syntax.is(after, "=") && !syntax.tokens[token].starts {
        return Some(("property", 0));
    }
    if is_reserved(word) {
        return Some(("keyword", 0));
    }
    if syntax.is(after, "(") {
        let known = tables::function(word).is_some() || tables::source(word).is_some();
        return match () {
            () if known => Some(("function", LIBRARY)),
            () if tables::set_word(word).is_some() => Some(("type", LIBRARY)),
            () => syntax.names.global(word).map(|s| of_symbol(syntax.names.symbols[s].kind)),
        };
    }
    if syntax.is(before, "method") || syntax.is(before, "with") {
        return Some(("function", LIBRARY));
    }
    if tables::set_word(word).is_some() {
        return Some(("type", LIBRARY));
    }
    if matches!(word, "pi" | "inf") {
        return Some(("variable", READONLY | LIBRARY));
    }
    if tables::soft(word).is_some() && is_soft_here(syntax, token) {
        return Some(("keyword", 0));
    }
    // in a piece that does not parse
    syntax.names.global(word).map(|s| of_symbol(syntax.names.symbols[s].kind))
}

/// True where a word that may be a name is the keyword of its item.
fn is_soft_here(syntax: &Syntax, token: usize) -> bool {
    let place = Place::of(syntax, syntax.tokens[token].span.start as usize);
    let item = place.start.or(place.item).map_or("", |t| syntax.word(t));
    let fits = matches!(
        (item, syntax.word(token)),
        ("episodes", "from") | ("split", "into") | ("upper", "pessimistic") | ("subject", "to") | ("expect", "with")
    );
    fits && place.inside == Inside::Code
}

fn of_symbol(kind: SymbolKind) -> (&'static str, u32) {
    match kind {
        SymbolKind::Problem | SymbolKind::Dataset | SymbolKind::Part | SymbolKind::Episodes => ("namespace", 0),
        SymbolKind::Param | SymbolKind::Data => ("variable", READONLY),
        SymbolKind::Let(None) | SymbolKind::Metric => ("variable", 0),
        SymbolKind::Let(Some(side)) | SymbolKind::Variable(side) | SymbolKind::Row(side) => {
            ("variable", if side == Side::Upper { UPPER } else { LOWER })
        }
        SymbolKind::Function | SymbolKind::Preset => ("function", 0),
        SymbolKind::Set => ("type", 0),
        SymbolKind::Column => ("property", 0),
        SymbolKind::Argument | SymbolKind::Index => ("parameter", 0),
    }
}
