//! Text to syntax tree. The text is scanned into tokens, cut into items by keywords and bracket depth, and each item
//! is parsed by the pest grammar on its own; an item that fails is cut once more, into statements or entries. So one
//! run reports many errors, each where the user made it, and the tree holds all pieces that are sound.

mod explain;
mod expression;
mod item;
mod walk;

use crate::ast::{Ast, Item, ItemKind, Lower, Statement};
use crate::cut::{self, Cut, MAX_ERRORS};
use crate::diagnostic::Diagnostic;
use crate::message;
use crate::span::Span;
use crate::token::{ITEM_KEYWORDS, Kind, STATEMENT_KEYWORDS, Token, is_reserved, scan};
use expression::Builder;
use pest::Parser;
use pest::iterators::Pair;
use std::ops::Range;
use walk::{BloParser, Rule};

/// A text may have this many bytes. pest keeps about 160 bytes per operator or operand.
pub const MAX_BYTES: usize = 4 << 20;

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
    let cut = cut::cut(source, &tokens, &mut diagnostics);
    let mut ast = Ast::default();
    if !cut.too_deep {
        let mut reader = Reader { source, all: &all, tokens: &tokens, cut, diagnostics: &mut diagnostics };
        ast.items = reader.items();
    }
    diagnostics.sort_by_key(|d| (d.primary.span.start, d.primary.span.end));
    // two views of one mistake, seen once by the cut and once by the grammar
    diagnostics.dedup_by(|b, a| a.primary.span == b.primary.span && a.code == b.code);
    Parsed { ast, diagnostics }
}

/// Parses pieces of one text.
struct Reader<'s, 'd> {
    source: &'s str,
    all: &'s [Token<'s>],
    tokens: &'s [Token<'s>],
    cut: Cut,
    diagnostics: &'d mut Vec<Diagnostic>,
}

impl<'s> Reader<'s, '_> {
    fn items(&mut self) -> Vec<Item> {
        let starts = self.cut.items.clone();
        let mut items = Vec::new();
        self.stray(0..starts.first().copied().unwrap_or(self.tokens.len()));
        for (k, &start) in starts.iter().enumerate() {
            if self.diagnostics.len() > MAX_ERRORS {
                break;
            }
            let end = starts.get(k + 1).copied().unwrap_or(self.tokens.len());
            let keyword = &self.tokens[start];
            if !ITEM_KEYWORDS.contains(&keyword.text) {
                self.diagnostics.push(message::misplaced_statement(keyword.span(), keyword.text));
                continue;
            }
            if let Some(kind) = self.item(start..end) {
                let span = self.span(start..end);
                items.push(Item { kind, span, doc: doc(self.all, self.tokens[start].start) });
            }
        }
        items
    }

    /// Reports tokens that belong to no item; they stand before the first keyword.
    fn stray(&mut self, range: Range<usize>) {
        let rest = self.skip_semicolons(range);
        if rest.is_empty() || self.is_broken(&rest) {
            return;
        }
        let error = self.unknown_start(rest.start, false);
        self.diagnostics.push(error);
        self.misspelt_items(rest.start + 1..rest.end);
    }

    fn skip_semicolons(&self, mut range: Range<usize>) -> Range<usize> {
        while !range.is_empty() && self.tokens[range.start].is(";") {
            range.start += 1;
        }
        range
    }

    fn is_broken(&self, range: &Range<usize>) -> bool {
        self.cut.broken[range.clone()].contains(&true)
    }

    /// The place of some tokens, separators at their end aside.
    fn span(&self, mut range: Range<usize>) -> Span {
        while range.len() > 1 && self.tokens[range.end - 1].is(";") {
            range.end -= 1;
        }
        self.tokens[range.start].span().to(self.tokens[range.end - 1].span())
    }

    /// Parses tokens by `rule`. On failure, gives the token where the grammar stopped.
    fn piece(&self, rule: Rule, range: &Range<usize>) -> Result<Pair<'s, Rule>, Stop> {
        let base = self.tokens[range.start].start;
        let end = self.tokens[range.end - 1].end();
        match BloParser::parse(rule, &self.source[base..end]) {
            Ok(mut pairs) => match pairs.next().and_then(|p| p.into_inner().next()) {
                Some(pair) => Ok(pair),
                None => Err(Stop { token: range.start, wanted: Vec::new() }),
            },
            Err(error) => Err(Stop::new(&error, base, self.tokens, range)),
        }
    }

    fn builder(&mut self, base: usize) -> Builder<'s, '_> {
        Builder {
            base,
            source: self.source,
            all: self.all,
            tokens: self.tokens,
            diagnostics: &mut *self.diagnostics,
            too_high: false,
        }
    }

    fn item(&mut self, range: Range<usize>) -> Option<ItemKind> {
        let base = self.tokens[range.start].start;
        if !self.is_broken(&range) {
            match self.piece(Rule::item_piece, &range) {
                Ok(pair) => return Some(self.builder(base).item(pair)),
                Err(stop) if !self.has_block(&range) => return self.cut_at(stop, range),
                Err(_) => {}
            }
        }
        self.broken_item(range)
    }

    /// The rest of an item may be misspelt items: `param n = 5 metrik a = 1`. The part before it is then sound.
    fn cut_at(&mut self, stop: Stop, range: Range<usize>) -> Option<ItemKind> {
        let at_keyword = self.explain(&stop, &range);
        self.misspelt_items(stop.token + 1..range.end);
        if stop.token == range.start || !at_keyword {
            return None;
        }
        let before = range.start..stop.token;
        let pair = self.piece(Rule::item_piece, &before).ok()?;
        let base = self.tokens[range.start].start;
        Some(self.builder(base).item(pair))
    }

    /// Reports words at line starts that look like a keyword, or like an item without one.
    fn misspelt_items(&mut self, range: Range<usize>) {
        for i in range {
            if self.diagnostics.len() > MAX_ERRORS {
                return;
            }
            let (token, previous) = (&self.tokens[i], &self.tokens[i - 1]);
            if token.kind != Kind::Word || !token.first_on_line || self.cut.depth[i] > 0 || is_reserved(token.text) {
                continue;
            }
            let near = explain::nearest_keyword(token.text, ITEM_KEYWORDS.iter().copied()).is_some();
            let assigns = self.tokens.get(i + 1).is_some_and(|t| t.is("="));
            if (near || assigns) && (previous.ends_value() || previous.is("}")) {
                let error = self.unknown_start(i, false);
                self.diagnostics.push(error);
            }
        }
    }

    fn has_block(&self, range: &Range<usize>) -> bool {
        self.block(range).is_some()
    }

    /// The tokens between the braces of an item whose braces are there (or, for a level, stood in for).
    fn block(&self, range: &Range<usize>) -> Option<Range<usize>> {
        let keyword = self.tokens[range.start].text;
        if !matches!(keyword, "upper" | "lower" | "start" | "known" | "method" | "dataset") {
            return None;
        }
        let outer = self.cut.depth[range.start];
        let open = range.clone().find(|&i| self.tokens[i].is("{") && self.cut.depth[i] == outer);
        let first = match open {
            Some(open) => open + 1,
            None if matches!(keyword, "upper" | "lower") => {
                range.clone().skip(1).find(|&i| self.cut.starts[i] && self.cut.depth[i] > outer)?
            }
            None => return None,
        };
        let end = (first..range.end).find(|&i| self.tokens[i].is("}") && self.cut.depth[i] == outer);
        Some(first..end.unwrap_or(range.end))
    }

    /// An item that does not parse as a whole: its head and the pieces of its block, each on its own.
    fn broken_item(&mut self, range: Range<usize>) -> Option<ItemKind> {
        let block = self.block(&range)?;
        let keyword = self.tokens[range.start].text;
        let before = self.diagnostics.len();
        let broken = self.is_broken(&range);
        let kind = match keyword {
            "upper" | "lower" => {
                let kind = self.head(range.start..block.start, self.span(range.clone()));
                let statements = self.statements(block.clone());
                kind.map(|mut kind| {
                    match &mut kind {
                        ItemKind::Upper { body, .. } | ItemKind::Lower(Lower { body, .. }) => *body = statements,
                        _ => unreachable!("a level is upper or lower"),
                    }
                    kind
                })
            }
            "start" | "method" => self.entries(Rule::assign_piece, block.clone()),
            "known" => self.entries(Rule::fact_piece, block.clone()),
            "dataset" => self.entries(Rule::column_piece, block.clone()),
            _ => None,
        };
        // what follows the block, such as a misspelt item
        let after = self.skip_semicolons((block.end + 1).min(range.end)..range.end);
        if !after.is_empty() && !self.is_broken(&after) {
            let error = self.unknown_start(after.start, false);
            self.diagnostics.push(error);
        }
        if self.diagnostics.len() == before && !broken {
            // the pieces are sound, so the head is not
            if let Err(stop) = self.piece(Rule::item_piece, &range) {
                self.explain(&stop, &range);
            }
            return None;
        }
        kind
    }

    /// The head of a level, its body empty for now.
    fn head(&mut self, range: Range<usize>, span: Span) -> Option<ItemKind> {
        let base = self.tokens[range.start].start;
        let pair = match self.piece(Rule::head_piece, &range) {
            Ok(pair) => pair,
            Err(stop) => {
                self.explain(&stop, &range);
                return None;
            }
        };
        let keyword = self.tokens[range.start].span();
        let lower = pair.as_rule() == Rule::lower_head;
        let mut builder = self.builder(base);
        let (mut pessimistic, mut each) = (None, None);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::generator => each = Some(builder.generator(part)),
                Rule::pessimistic => pessimistic = Some(builder.span(&part)),
                _ => {}
            }
        }
        let body = Vec::new();
        Some(if lower {
            ItemKind::Lower(Lower { each, body, keyword, span })
        } else {
            ItemKind::Upper { pessimistic, body }
        })
    }

    /// The statements of a level, cut at keywords.
    fn statements(&mut self, block: Range<usize>) -> Vec<Statement> {
        let Some(depth) = block.clone().next().map(|i| self.cut.depth[i]) else {
            return Vec::new();
        };
        let starts: Vec<usize> = block.clone().filter(|&i| self.cut.starts[i] && self.cut.depth[i] <= depth).collect();
        let lead = self.skip_semicolons(block.start..starts.first().copied().unwrap_or(block.end));
        if !lead.is_empty() && !self.is_broken(&lead) {
            let error = self.unknown_start(lead.start, true);
            self.diagnostics.push(error);
        }
        let mut statements = Vec::new();
        for (k, &start) in starts.iter().enumerate() {
            if self.diagnostics.len() > MAX_ERRORS {
                break;
            }
            let range = start..starts.get(k + 1).copied().unwrap_or(block.end);
            statements.extend(self.statement(range));
        }
        statements
    }

    fn statement(&mut self, range: Range<usize>) -> Option<Statement> {
        if self.is_broken(&range) {
            return None;
        }
        let base = self.tokens[range.start].start;
        match self.piece(Rule::statement_piece, &range) {
            Ok(pair) => Some(self.builder(base).statement(pair)),
            Err(stop) => {
                // a misspelt keyword ends a sound statement
                let sound = range.start..stop.token;
                if !self.explain(&stop, &range) || sound.is_empty() {
                    return None;
                }
                let pair = self.piece(Rule::statement_piece, &sound).ok()?;
                Some(self.builder(base).statement(pair))
            }
        }
    }

    /// Reports the errors of a block's entries one by one. The item itself is dropped.
    fn entries(&mut self, rule: Rule, block: Range<usize>) -> Option<ItemKind> {
        let starts: Vec<usize> = block.clone().filter(|&i| i == block.start || self.starts_entry(i, &block)).collect();
        for (k, &start) in starts.iter().enumerate() {
            if self.diagnostics.len() > MAX_ERRORS {
                break;
            }
            let range = self.skip_semicolons(start..starts.get(k + 1).copied().unwrap_or(block.end));
            if range.is_empty() || self.is_broken(&range) {
                continue;
            }
            let base = self.tokens[range.start].start;
            match self.piece(rule, &range) {
                Ok(pair) => {
                    // for the errors that only the builder sees
                    let mut builder = self.builder(base);
                    match rule {
                        Rule::assign_piece => drop(builder.assign(pair)),
                        Rule::fact_piece => drop(builder.fact(pair)),
                        _ => drop(builder.column(pair)),
                    }
                }
                Err(stop) => drop(self.explain(&stop, &range)),
            }
        }
        None
    }

    /// A word that is followed by `=` or `in`, perhaps after indices, or that starts a line where no value can go on.
    fn starts_entry(&self, i: usize, block: &Range<usize>) -> bool {
        let (token, previous) = (&self.tokens[i], &self.tokens[i - 1]);
        let depth = self.cut.depth[block.start];
        if self.cut.depth[i] != depth || token.kind != Kind::Word {
            return false;
        }
        if previous.is(";") {
            return true;
        }
        if !previous.ends_value() || matches!(token.text, "for" | "if" | "then" | "else" | "in" | "by" | "and" | "or") {
            return false;
        }
        let mut next = i + 1;
        while next < block.end
            && (self.cut.depth[next] > depth || self.tokens[next].text == "[" || self.tokens[next].text == "]")
        {
            next += 1;
        }
        token.first_on_line
            || next < block.end
                && (self.tokens[next].is("=") || self.tokens[next].is("in") || self.tokens[next].is("∈"))
    }

    /// The error for a token that should have been a keyword.
    fn unknown_start(&self, i: usize, in_level: bool) -> Diagnostic {
        let token = &self.tokens[i];
        if token.kind != Kind::Word {
            let found = format!("`{}`", explain::shorten(token.text));
            return message::expected(token.span(), &found, if in_level { "a statement" } else { "an item" });
        }
        let known: &[&str] = if in_level { &STATEMENT_KEYWORDS } else { &ITEM_KEYWORDS };
        let nearest = explain::nearest_keyword(token.text, known.iter().copied());
        let assigns = self.tokens.get(i + 1).is_some_and(|t| t.is("="));
        if nearest.is_none() && assigns && !is_reserved(token.text) {
            return message::bare_assignment(token.span(), token.text, in_level);
        }
        message::unknown_keyword(token.span(), token.text, nearest, in_level)
    }
}

/// The `##` lines above the token at byte `start`, ordinary comments between them left out.
fn doc(all: &[Token<'_>], start: usize) -> Vec<String> {
    let at = all.partition_point(|t| t.start < start);
    let above = all[..at].iter().rev().take_while(|t| t.kind == Kind::Comment && t.first_on_line);
    let mut lines: Vec<String> = above
        .filter_map(|t| t.text.strip_prefix("##"))
        .map(|line| line.strip_prefix(' ').unwrap_or(line).to_owned())
        .collect();
    lines.reverse();
    lines
}

/// Where the grammar stopped.
struct Stop {
    /// The token it could not use; the end of the range if it wanted more.
    token: usize,
    /// The rules that would have fitted.
    wanted: Vec<Rule>,
}

impl Stop {
    fn new(error: &pest::error::Error<Rule>, base: usize, tokens: &[Token<'_>], range: &Range<usize>) -> Stop {
        let at = base
            + match error.location {
                pest::error::InputLocation::Pos(at) => at,
                pest::error::InputLocation::Span((at, _)) => at,
            };
        let token = tokens.partition_point(|t| t.end() <= at).clamp(range.start, range.end);
        let wanted = match &error.variant {
            pest::error::ErrorVariant::ParsingError { positives, .. } => positives.clone(),
            pest::error::ErrorVariant::CustomError { .. } => Vec::new(),
        };
        Stop { token, wanted }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ast::StatementKind;

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
    fn sound_pieces_survive_errors() {
        let parsed = parse("upper {\n var x\n minimize 2 x\n let b = 1\n}\nparam n = 3 +\nlet c = n");
        assert_eq!(parsed.diagnostics.len(), 2);
        assert_eq!(parsed.ast.items.len(), 2);
        let ItemKind::Upper { body, .. } = &parsed.ast.items[0].kind else { panic!("an upper level") };
        assert_eq!(body.len(), 2);
    }
}
