//! Reads the pieces of one text: items, their statements and entries, each by the pest grammar on its own. A piece that
//! fails is explained and, where it has a block, cut once more.

use super::explain;
use super::expression::Builder;
use super::walk::{BloParser, Rule};
use crate::ast::{Expr, Item, ItemKind, Lower, Statement};
use crate::cut::{Cut, MAX_ERRORS};
use crate::diagnostic::Diagnostic;
use crate::message;
use crate::span::Span;
use crate::token::{ITEM_KEYWORDS, Kind, Token, is_reserved};
use pest::Parser;
use pest::iterators::Pair;
use std::ops::Range;

/// Parses pieces of one text.
pub(super) struct Reader<'s, 'd> {
    pub(super) source: &'s str,
    pub(super) all: &'s [Token<'s>],
    pub(super) tokens: &'s [Token<'s>],
    pub(super) cut: Cut,
    pub(super) diagnostics: &'d mut Vec<Diagnostic>,
}

impl<'s> Reader<'s, '_> {
    pub(super) fn items(&mut self) -> Vec<Item> {
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
                let foreign = if keyword.is("subject") { self.foreign_words(start) } else { None };
                let misplaced = || message::misplaced_statement(keyword.span(), keyword.text);
                self.diagnostics.push(foreign.unwrap_or_else(misplaced));
                continue;
            }
            if let Some(kind) = self.item(start..end) {
                let span = self.span(start..end);
                items.push(Item { kind, span, doc: doc(self.all, self.tokens[start].start) });
            }
        }
        items
    }

    /// The whole text as one expression.
    pub(super) fn expression(&mut self) -> Option<Expr> {
        let range = 0..self.tokens.len();
        if range.is_empty() {
            let end = Span::new(self.source.len(), self.source.len());
            self.diagnostics.push(message::expected(end, "the end of the text", "a value"));
            return None;
        }
        match self.piece(Rule::expr_piece, &range) {
            Ok(pair) => Some(self.builder(self.tokens[0].start).expr(pair)),
            Err(mut stop) => {
                // no item may follow, so a stray word is not a misspelt keyword
                stop.wanted.retain(|rule| *rule != Rule::EOI);
                self.explain(&stop, &range);
                None
            }
        }
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

    /// A word that is followed by `=` or `in`, perhaps after indices, or that starts a line where no value can continue.
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
}

/// The `##` lines above the token at byte `start`, ordinary comments between them left out.
pub(super) fn doc(all: &[Token<'_>], start: usize) -> Vec<String> {
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
pub(super) struct Stop {
    /// The token it could not use; the end of the range if it wanted more.
    pub(super) token: usize,
    /// The rules that would have fitted.
    pub(super) wanted: Vec<Rule>,
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
