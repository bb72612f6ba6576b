//! Rows of `subject to` as other languages write them: names with an index, as in AMPL and JuMP, a loop before its
//! row, memberships, integers.

use super::expression::Builder;
use super::reader::Reader;
use crate::ast::{ExprKind, Row};
use crate::diagnostic::{Diagnostic, Edit};
use crate::message;
use crate::span::Span;
use crate::token::{Kind, Token};
use std::ops::Range;

/// True for a word that other languages write for integers.
pub(super) fn asks_for_integers(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    matches!(word.as_str(), "integer" | "integers" | "int" | "binary" | "bin" | "bool" | "boolean")
}

impl Reader<'_, '_> {
    /// The mistake at token `at` of a block of rows.
    pub(super) fn foreign_row(&self, at: usize, range: &Range<usize>) -> Option<Diagnostic> {
        let open = range.start + 2;
        if !self.tokens[range.start].is("subject") || at <= open || at >= range.end {
            return None;
        }
        let depth = self.cut.depth[open] + 1;
        self.indexed_name(at, open + 1..range.end, depth)
            .or_else(|| self.loop_before_row(at, open + 1..range.end, depth))
            .or_else(|| self.membership(at, depth))
    }

    /// The position after the bracket that opens at `open`.
    fn closed(&self, open: usize, end: usize) -> Option<usize> {
        let depth = self.cut.depth[open];
        (open + 1..end).find(|&k| self.tokens[k].kind == Kind::Close && self.cut.depth[k] == depth).map(|k| k + 1)
    }

    /// The end of the row that holds token `from`: its `;`, the name of the next row, or the end of the block.
    fn row_end(&self, from: usize, end: usize, depth: usize) -> usize {
        let named = |k: usize| {
            let mut next = k + 1;
            if self.tokens.get(next).is_some_and(|t| t.is("[") || t.is("{")) {
                next = self.closed(next, end).unwrap_or(next);
            }
            self.tokens[k].kind == Kind::Word && self.tokens.get(next).is_some_and(|t| t.is(":"))
        };
        let ends = |k: &usize| {
            self.cut.depth[*k] < depth || self.cut.depth[*k] == depth && (self.tokens[*k].is(";") || named(*k))
        };
        (from..end).find(ends).unwrap_or(end)
    }

    /// `r[i]: y[i] <= 1 for i in 1..n`, `r{i in 1..n}: y[i] <= 1`
    fn indexed_name(&self, at: usize, rows: Range<usize>, depth: usize) -> Option<Diagnostic> {
        let opens = |k: &usize| {
            let next = &self.tokens[k + 1];
            self.tokens[*k].kind == Kind::Word && self.cut.depth[*k] == depth && (next.is("[") || next.is("{"))
        };
        let name = (rows.start..at).rev().find(opens)?;
        let after = self.closed(name + 1, rows.end)?;
        if !self.tokens.get(after).is_some_and(|t| t.is(":")) || after >= rows.end || at > after {
            return None;
        }
        let index = self.tokens[name + 1].span().to(self.tokens[after - 1].span());
        let inner = name + 2..after - 1;
        let end = self.row_end(after + 1, rows.end, depth);
        let body = self.tokens[after + 1..end].iter();
        let has_loop = body.clone().any(|t| t.is("for"));
        let loops = self.generators(inner);
        let example = self.row_text(name, after + 1..end, (!has_loop).then_some(loops.as_deref()).flatten());
        let mut edits = vec![Edit { span: index, text: String::new() }];
        if let (false, Some(loops)) = (has_loop, &loops) {
            let last = self.tokens[end - 1].span();
            edits.push(Edit { span: Span { start: last.end, end: last.end }, text: format!(" {loops}") });
        }
        let sure = has_loop || loops.is_some();
        Some(message::indexed_row(index, self.tokens[name].text, &example, sure.then_some(edits)))
    }

    /// `i in 1..n, j in 1..m` as loops of a comprehension.
    fn generators(&self, inner: Range<usize>) -> Option<String> {
        let depth = self.cut.depth.get(inner.start)?;
        let commas = inner.clone().filter(|&k| self.tokens[k].is(",") && self.cut.depth[k] == *depth);
        let mut starts = vec![inner.start];
        starts.extend(commas.map(|k| k + 1));
        let mut loops = Vec::new();
        for (n, start) in starts.iter().enumerate() {
            let end = starts.get(n + 1).map_or(inner.end, |next| next - 1);
            let has_set = end > start + 2
                && self.tokens[start + 1].is("in")
                && !self.tokens[*start..end].iter().any(|t| t.is(":"));
            if self.tokens[*start].kind != Kind::Word || !has_set {
                return None;
            }
            loops.push(format!("for {}", &self.source[self.tokens[*start].start..self.tokens[end - 1].end()]));
        }
        Some(loops.join(" "))
    }

    /// The row as the language writes it, if it is short; else the form.
    fn row_text(&self, name: usize, body: Range<usize>, loops: Option<&str>) -> String {
        const LONGEST: usize = 50;
        let name = self.tokens[name].text;
        let form = format!("{name}: y[i] <= 1 for i in 1..n");
        let (Some(first), Some(last)) = (self.tokens[body.clone()].first(), self.tokens[body].last()) else {
            return form;
        };
        let row = self.source[first.start..last.end()].split_whitespace().collect::<Vec<_>>().join(" ");
        let loops = loops.map(|l| format!(" {l}")).unwrap_or_default();
        let has_loop = !loops.is_empty() || row.contains("for ");
        let text = format!("{name}: {row}{loops}");
        if has_loop && text.len() <= LONGEST { text } else { form }
    }

    /// `for i in 1..n: y[i] <= 1`
    fn loop_before_row(&self, at: usize, rows: Range<usize>, depth: usize) -> Option<Diagnostic> {
        let starts = |k: &usize| {
            let previous = &self.tokens[k - 1];
            let opens = previous.is(";") || previous.is("{") || previous.is(":") || self.tokens[*k].first_on_line;
            self.tokens[*k].is("for") && self.cut.depth[*k] == depth && opens
        };
        let start = (rows.start..=at).rev().find(starts)?;
        let is_stop = at == start || self.tokens[at].is(":") || self.tokens[at].is("{");
        is_stop.then(|| message::loop_before_row(self.tokens[start].span()))
    }

    /// `y in [0, 1]`
    fn membership(&self, at: usize, depth: usize) -> Option<Diagnostic> {
        let (token, previous) = (&self.tokens[at], &self.tokens[at - 1]);
        if !(token.is("in") || token.is("∈")) || self.cut.depth[at] != depth || !previous.ends_value() {
            return None;
        }
        let left = Span::new(self.operand_start(at - 1), previous.end());
        let first = self.tokens.partition_point(|t| t.start < left.start as usize);
        if self.tokens[first - 1].ends_value() {
            // `forall i in 1..n`
            return self.foreign_words(first - 1);
        }
        let next = self.tokens.get(at + 1);
        let integers = |t: &Token<'_>| asks_for_integers(t.text) || matches!(t.text, "ℤ" | "Z" | "ℕ" | "N");
        let name = &self.source[left.range()];
        if next.is_some_and(integers) || next.is_some_and(|t| t.is("{")) {
            return Some(message::no_integers(next?.span(), name));
        }
        Some(message::membership_row(left.to(token.span()), name))
    }
}

impl Builder<'_, '_> {
    /// Reports `y is integer`, `y binary` and `integer(y)`, whose words read as rows without a relation, and leaves out
    /// the rows that they are.
    pub(super) fn without_integers(&mut self, rows: Vec<Row>) -> Vec<Row> {
        let mut kept: Vec<Row> = Vec::new();
        let mut rest = rows.into_iter().peekable();
        while let Some(row) = rest.next() {
            let mut run = vec![row];
            while let Some(next) =
                rest.next_if(|next| next.name.is_none() && !self.is_separated(run[run.len() - 1].span))
            {
                run.push(next);
            }
            let words = run.iter().filter(|r| r.rest.is_empty()).count();
            let asks = run.iter().filter(|r| r.rest.is_empty()).find_map(|r| match &r.first.kind {
                ExprKind::Name(word) if words > 1 && asks_for_integers(word) => Some((r.span, None)),
                ExprKind::Call { function, arguments } if asks_for_integers(&function.text) => {
                    Some((r.span, arguments.first().map(|a| a.value.span)))
                }
                _ => None,
            });
            let Some((word, argument)) = asks else {
                kept.extend(run);
                continue;
            };
            let named = |r: &&Row| r.rest.is_empty() && r.span != word && r.span != argument.unwrap_or(word);
            let subject = argument.or_else(|| run.iter().find(named).map(|r| r.first.span));
            let name = subject.and_then(|span| self.source.get(span.range())).unwrap_or("x");
            self.diagnostics.push(message::no_integers(word, name));
            kept.extend(run.into_iter().filter(|r| !r.rest.is_empty()));
        }
        kept
    }

    /// True where a `;` follows the row at `span`.
    pub(super) fn is_separated(&self, span: Span) -> bool {
        let at = self.tokens.partition_point(|t| t.start < span.end as usize);
        self.tokens.get(at).is_some_and(|t| t.is(";"))
    }
}
