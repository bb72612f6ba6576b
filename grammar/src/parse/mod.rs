//! Text to syntax tree. The text is scanned into tokens, cut into items by keywords and bracket depth, and each item
//! is parsed by the pest grammar on its own; an item that fails is cut once more, into statements or entries. So one
//! run reports many errors, each where the user made it, and the tree holds all pieces that are sound.

mod explain;
mod expression;
mod foreign;
mod foreign_rows;
mod item;
mod reader;
mod walk;

use crate::ast::{Ast, Expr};
use crate::cut;
use crate::diagnostic::Diagnostic;
use crate::message;
use crate::span::Span;
use crate::token::{Kind, Token, scan};
pub use foreign::CALLED;
use reader::Reader;

/// A text may have this many bytes. pest keeps about 160 bytes per operator or operand.
pub const MAX_BYTES: usize = 2 << 20;

/// The result of a parse. The tree is complete when no diagnostic is an error; otherwise the pieces with errors are
/// missing from it, so later phases should not complain of what they do not find.
#[derive(Clone, Debug, PartialEq)]
pub struct Parsed {
    /// The sound pieces.
    pub ast: Ast,
    /// The errors in source order.
    pub diagnostics: Vec<Diagnostic>,
}

impl Parsed {
    /// True when the text has no syntax error.
    pub fn is_sound(&self) -> bool {
        !self.diagnostics.iter().any(Diagnostic::is_error)
    }
}

/// Turns the bytes of a file into text: a byte order mark is dropped, other encodings are refused with the place of
/// the first bad byte. Spans refer to the returned text.
///
/// # Errors
/// One diagnostic when the bytes are not UTF-8 or more than [`MAX_BYTES`].
#[expect(clippy::result_large_err, reason = "once per file, and every phase hands diagnostics on by value")]
pub fn decode(bytes: &[u8]) -> Result<String, Diagnostic> {
    if bytes.len() > MAX_BYTES {
        return Err(message::too_large(bytes.len(), MAX_BYTES));
    }
    let kind = match bytes {
        [0x1f, 0x8b, ..] => Some("gzip data"),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Some("UTF-16 text"),
        [0x93, b'N', b'U', b'M', b'P', b'Y', ..] => Some("an npy array"),
        [b'P', b'K', 3, 4, ..] => Some("a zip archive"),
        _ => None,
    };
    if let Some(kind) = kind {
        return Err(message::not_text(kind));
    }
    let bytes = bytes.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(error) => {
            let at = error.valid_up_to();
            let line = bytes[..at].iter().filter(|b| **b == b'\n').count() + 1;
            Err(message::not_utf8(at, line, bytes[at]))
        }
    }
}

/// Parses a text. Never fails and never panics: errors are in the result, in source order.
pub fn parse(source: &str) -> Parsed {
    if source.len() > MAX_BYTES {
        let diagnostics = vec![message::too_large(source.len(), MAX_BYTES)];
        return Parsed { ast: Ast::default(), diagnostics };
    }
    parse_any_length(source)
}

/// [`parse`] without the limit on the length, for a text that the formatter has made longer.
pub(crate) fn parse_any_length(source: &str) -> Parsed {
    let all = scan(source);
    let tokens: Vec<Token<'_>> = all.iter().filter(|t| t.kind != Kind::Comment).copied().collect();
    let mut diagnostics = Vec::new();
    turned_text(source, &mut diagnostics);
    let cut = cut::cut(source, &tokens, &mut diagnostics);
    let mut ast = Ast::default();
    if !cut.too_deep {
        let mut reader = Reader { source, all: &all, tokens: &tokens, cut, diagnostics: &mut diagnostics };
        ast.items = reader.items();
    }
    in_source_order(&mut diagnostics);
    Parsed { ast, diagnostics }
}

/// Parses a text that is one expression, such as the value of a flag. Spans refer to `text`.
///
/// # Errors
/// When the text is not exactly one expression; what is wrong, in source order.
pub fn parse_expression(text: &str) -> Result<Expr, Vec<Diagnostic>> {
    if text.len() > MAX_BYTES {
        return Err(vec![message::too_large(text.len(), MAX_BYTES)]);
    }
    let all = scan(text);
    let tokens: Vec<Token<'_>> = all.iter().filter(|t| t.kind != Kind::Comment).copied().collect();
    let mut diagnostics = Vec::new();
    let cut = cut::cut(text, &tokens, &mut diagnostics);
    let mut expression = None;
    if diagnostics.is_empty() {
        let mut reader = Reader { source: text, all: &all, tokens: &tokens, cut, diagnostics: &mut diagnostics };
        expression = reader.expression();
    }
    in_source_order(&mut diagnostics);
    match expression {
        Some(expression) if diagnostics.is_empty() => Ok(expression),
        _ => Err(diagnostics),
    }
}

/// Characters that turn the order in which text is shown, in code, strings and comments alike.
const TURNS: [(char, &str); 9] = [
    ('\u{202A}', "LEFT-TO-RIGHT EMBEDDING"),
    ('\u{202B}', "RIGHT-TO-LEFT EMBEDDING"),
    ('\u{202C}', "POP DIRECTIONAL FORMATTING"),
    ('\u{202D}', "LEFT-TO-RIGHT OVERRIDE"),
    ('\u{202E}', "RIGHT-TO-LEFT OVERRIDE"),
    ('\u{2066}', "LEFT-TO-RIGHT ISOLATE"),
    ('\u{2067}', "RIGHT-TO-LEFT ISOLATE"),
    ('\u{2068}', "FIRST STRONG ISOLATE"),
    ('\u{2069}', "POP DIRECTIONAL ISOLATE"),
];

fn turned_text(source: &str, diagnostics: &mut Vec<Diagnostic>) {
    let named = |(at, c): (usize, char)| {
        let name = TURNS.iter().find(|(turn, _)| *turn == c)?.1;
        Some(message::turned_text(Span::new(at, at + c.len_utf8()), u32::from(c), name))
    };
    diagnostics.extend(source.char_indices().filter_map(named).take(cut::MAX_ERRORS));
}

/// How many items and statements a text seems to have: its keywords, whether or not the pieces parse. Lines that start
/// as comments of other languages are left out.
pub fn statements(source: &str) -> usize {
    let all = scan(source);
    let mut foreign = false;
    let tokens: Vec<Token<'_>> = all
        .iter()
        .filter(|t| {
            if t.first_on_line {
                foreign = t.text == "//";
            }
            t.kind != Kind::Comment && !foreign
        })
        .copied()
        .collect();
    (0..tokens.len()).filter(|&i| cut::is_start(&tokens, i)).count()
}

/// Sorts diagnostics and leaves one where the cut and the grammar both saw the same mistake.
fn in_source_order(diagnostics: &mut Vec<Diagnostic>) {
    diagnostics.sort_by_key(|d| (d.primary.span.start, d.primary.span.end));
    diagnostics.dedup_by(|b, a| a.primary.span == b.primary.span && a.code == b.code);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ast::{ExprKind, ItemKind, StatementKind};

    #[test]
    fn docs_belong_to_what_follows() {
        let source = "## one\n# not this\n##two\nproblem p\nlet a = 1 ## no\nupper {\n  ## three\n  var x\n}";
        let parsed = parse(source);
        assert_eq!(parsed.ast.items[0].doc, ["one", "two"]);
        assert!(parsed.ast.items[1].doc.is_empty() && parsed.ast.items[2].doc.is_empty());
        let ItemKind::Upper { body, .. } = &parsed.ast.items[2].kind else { panic!("an upper level") };
        assert_eq!(body[0].doc, ["three"]);
    }

    #[test]
    fn keywords_may_be_keys_and_fields_and_objectives() {
        let source = "problem p (start = 1, in = 2)\nlet a = f(data = d.split, set = upper.x)\nmetric g = upper - lower upper { }";
        let parsed = parse(source);
        assert!(parsed.is_sound(), "{:?}", parsed.diagnostics);
        assert_eq!(parsed.ast.items.len(), 4);
    }

    #[test]
    fn white_space_means_nothing_where_braces_pair() {
        let parsed = parse("upper {\nlet a = 1\nvar x minimize\nx lower { var y } }");
        assert!(parsed.is_sound(), "{:?}", parsed.diagnostics);
        let ItemKind::Upper { body, .. } = &parsed.ast.items[0].kind else { panic!("an upper level") };
        assert!(matches!(body[3].kind, StatementKind::Lower(_)));
    }

    #[test]
    fn one_expression_has_spans_of_its_own_text() {
        let text = " 0.1/(k + 1)^0.5 # decays";
        let expression = parse_expression(text).expect("an expression");
        assert_eq!(&text[expression.span.range()], "0.1/(k + 1)^0.5");
        assert_eq!(parse_expression("implicit").expect("a name").kind, ExprKind::Name("implicit".to_owned()));
    }

    #[test]
    fn what_is_not_one_expression_is_refused() {
        for (text, code) in [
            ("", "B0116"),
            ("  # nothing", "B0116"),
            ("1 2", "B0105"),
            ("1 +", "B0106"),
            ("(1", "B0107"),
            ("1}", "B0108"),
            ("1;", "B0116"),
            ("1\nb = 2", "B0105"),
            ("1 } method m { K = 2", "B0108"),
            ("let a = 1", "B0116"),
            ("minimize", "B0116"),
            ("1\nminimise 2", "B0105"),
        ] {
            let found = parse_expression(text).expect_err("not an expression");
            assert_eq!(found[0].code, code, "{text}: {found:?}");
        }
    }

    #[test]
    fn sound_pieces_survive_errors() {
        let parsed = parse("upper {\n var x\n minimize 2 x\n let b = 1\n}\nparam n = 3 +\nlet c = n");
        assert_eq!(parsed.diagnostics.len(), 2);
        assert_eq!(parsed.ast.items.len(), 2);
        let ItemKind::Upper { body, .. } = &parsed.ast.items[0].kind else { panic!("an upper level") };
        assert_eq!(body.len(), 2);
    }
}
