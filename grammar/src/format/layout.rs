//! One pass of the layout: the tokens with new white space between them.

use super::Style;
use super::marks::{Marks, Piece};
use crate::token::{Kind, Token, is_reserved, scan};
use std::collections::HashSet;

/// Lays `source` out. `keep_gaps` keeps wider gaps that align a token with one on a neighboring line.
pub(super) fn layout(source: &str, marks: &Marks, style: Style, keep_gaps: bool) -> String {
    // separators are written again
    let tokens: Vec<Token<'_>> = scan(source).into_iter().filter(|t| !t.is(";")).collect();
    let places = places(source, &tokens);
    let gaps = if keep_gaps { aligned(source, &tokens, &places) } else { HashSet::new() };
    let mut writer = Writer {
        source,
        tokens: &tokens,
        following: &following(&tokens),
        places: &places,
        gaps,
        marks,
        style,
        out: String::with_capacity(source.len()),
        column: 0,
        shift: 0,
        blocks: Vec::new(),
        open: 0,
        continued: false,
        item: "",
        in_head: false,
        last_statement: "",
    };
    writer.run();
    writer.out
}

/// Line and column (in characters) of each token.
fn places(source: &str, tokens: &[Token<'_>]) -> Vec<(usize, usize)> {
    let (mut line, mut column, mut at) = (0, 0, 0);
    let mut places = Vec::with_capacity(tokens.len());
    for token in tokens {
        for c in source[at..token.start].chars() {
            (line, column) = if c == '\n' { (line + 1, 0) } else { (line, column + 1) };
        }
        at = token.start;
        places.push((line, column));
    }
    places
}

/// For each token, and for the end: the first token from there on that is no comment, or the number of tokens.
fn following(tokens: &[Token<'_>]) -> Vec<usize> {
    let mut next = vec![tokens.len(); tokens.len() + 1];
    for (i, token) in tokens.iter().enumerate().rev() {
        next[i] = if token.kind == Kind::Comment { next[i + 1] } else { i };
    }
    next
}

/// The tokens after a gap of two or more spaces that stand below or above another token after a gap.
fn aligned(source: &str, tokens: &[Token<'_>], places: &[(usize, usize)]) -> HashSet<usize> {
    let gap = |i: usize| {
        let before = i.checked_sub(1).map_or(0, |p| tokens[p].end());
        source[before..tokens[i].start].bytes().filter(|b| *b == b' ').count()
    };
    let inner = |i: usize| !tokens[i].first_on_line && tokens[i].kind != Kind::Comment;
    let columns: HashSet<(usize, usize)> =
        (0..tokens.len()).filter(|&i| inner(i) && gap(i) > 0).map(|i| places[i]).collect();
    let neighbor = |(line, column): (usize, usize)| {
        columns.contains(&(line + 1, column)) || line > 0 && columns.contains(&(line - 1, column))
    };
    (0..tokens.len()).filter(|&i| inner(i) && gap(i) > 1 && neighbor(places[i])).collect()
}

struct Block {
    one_line: bool,
    /// A piece has been written.
    begun: bool,
}

struct Writer<'a> {
    source: &'a str,
    tokens: &'a [Token<'a>],
    /// As [`following`] has it.
    following: &'a [usize],
    places: &'a [(usize, usize)],
    gaps: HashSet<usize>,
    marks: &'a Marks,
    style: Style,
    out: String,
    /// Characters on the current line so far.
    column: usize,
    /// How far the current line moved against the source.
    shift: isize,
    blocks: Vec<Block>,
    /// Open `(` and `[`.
    open: usize,
    /// The piece has had a line break outside brackets.
    continued: bool,
    /// The keyword of the item.
    item: &'a str,
    /// Before the block, `into` or the end of an item: where a `(` holds options.
    in_head: bool,
    last_statement: &'a str,
}

impl<'a> Writer<'a> {
    fn run(&mut self) {
        for i in 0..self.tokens.len() {
            self.separate(i);
            self.token(i);
        }
        if !self.out.is_empty() {
            self.out.push('\n');
        }
    }

    fn write(&mut self, text: &str) {
        self.out.push_str(text);
        self.column += text.chars().count();
    }

    fn piece(&self, i: usize) -> Option<Piece> {
        // a comment has no start in the tree, so offsets cannot be confused
        self.marks.pieces.get(&(self.tokens[i].start as u32)).copied()
    }

    /// The number of line ends between token `i` and the one before.
    fn line_ends(&self, i: usize) -> usize {
        match i.checked_sub(1) {
            Some(p) => self.source[self.tokens[p].end()..self.tokens[i].start].matches('\n').count(),
            None => 0,
        }
    }

    /// Starts a line for token `i`; `blank` allows one empty line before it.
    fn line(&mut self, i: usize, levels: usize, blank: bool) {
        if i > 0 {
            self.out.push('\n');
            if blank && self.line_ends(i) > 1 {
                self.out.push('\n');
            }
        }
        let width = 2 * levels;
        self.out.extend(std::iter::repeat_n(' ', width));
        self.column = width;
        self.shift = width as isize - self.places[i].1 as isize;
    }

    fn spaces(&mut self, i: usize, least: usize) {
        let mut width = least;
        if least > 0 && self.gaps.contains(&i) {
            // the gap as written, its semicolon aside
            let before = self.tokens[i - 1].end();
            let written = self.source[before..self.tokens[i].start].bytes().filter(|b| *b == b' ').count();
            width = least.max(written);
        }
        self.out.extend(std::iter::repeat_n(' ', width));
        self.column += width;
    }

    fn one_line(&self) -> bool {
        self.blocks.last().is_some_and(|b| b.one_line)
    }

    /// The indentation of a line that continues an expression.
    fn continuation(&mut self, token: &Token<'_>) -> usize {
        self.continued |= self.open == 0;
        let open = self.open.saturating_sub(usize::from(token.kind == Kind::Close));
        // an absurdly nested text gets no absurdly wide margin
        self.blocks.len() + (usize::from(self.continued) + open).min(16)
    }

    fn separate(&mut self, i: usize) {
        let token = &self.tokens[i];
        let Some(previous) = i.checked_sub(1).map(|p| &self.tokens[p]) else {
            return self.line(i, 0, false);
        };
        if token.kind == Kind::Comment {
            return self.separate_comment(i, previous);
        }
        match self.piece(i) {
            Some(Piece::Item) => return self.line(i, 0, true),
            Some(piece) => return self.separate_piece(i, piece),
            None => {}
        }
        if token.is("}") {
            return match self.blocks.last() {
                Some(Block { one_line: true, begun: true }) => self.spaces(i, 1),
                Some(Block { one_line: true, begun: false }) => {}
                _ => self.line(i, self.blocks.len().saturating_sub(1), false),
            };
        }
        let broken = self.line_ends(i) > 0 && !(token.is("{") || token.is(","));
        if previous.kind == Kind::Comment || broken {
            let levels = self.continuation(token);
            return self.line(i, levels, false);
        }
        let least = self.between(previous, token);
        self.spaces(i, least);
    }

    fn separate_comment(&mut self, i: usize, previous: &Token<'_>) {
        let token = &self.tokens[i];
        if token.first_on_line {
            // a comment belongs to what follows it
            let next = self.following[i];
            let structural = self.tokens.get(next).is_none_or(|t| self.piece(next).is_some() || t.is("}"));
            if structural {
                return self.line(i, self.blocks.len(), !previous.is("{"));
            }
            let levels = self.continuation(token);
            return self.line(i, levels, false);
        }
        let wanted = self.places[i].1.saturating_add_signed(self.shift);
        let width = wanted.saturating_sub(self.column).max(2);
        self.out.extend(std::iter::repeat_n(' ', width));
        self.column += width;
    }

    fn separate_piece(&mut self, i: usize, piece: Piece) {
        let token = &self.tokens[i];
        let previous = &self.tokens[i - 1];
        let first = !self.blocks.last().is_some_and(|b| b.begun);
        if let Some(block) = self.blocks.last_mut() {
            block.begun = true;
        }
        if self.one_line() {
            if !first && piece != Piece::Statement {
                self.write(";");
            }
            return self.spaces(i, if first { 1 } else { 2 });
        }
        // variables may share a line, as in a table
        if !first && token.is("var") && self.last_statement == "var" && self.line_ends(i) == 0 {
            return self.spaces(i, 2);
        }
        self.line(i, self.blocks.len(), !previous.is("{"));
    }

    /// The spaces between two tokens of one line.
    fn between(&self, previous: &Token<'_>, token: &Token<'_>) -> usize {
        let is_sign = |t: &Token<'_>| self.marks.signs.contains(&(t.start as u32)) && t.is("-");
        if previous.kind == Kind::Open && !previous.is("{") || token.is(",") || token.kind == Kind::Close {
            return 0;
        }
        if previous.is(",") {
            return 1;
        }
        if is_sign(previous) || previous.is(".") || token.is(".") || token.is("'") || token.is("ᵀ") || token.is(":") {
            return 0;
        }
        if previous.is(":") {
            return usize::from(self.item != "expect");
        }
        for operator in [previous, token] {
            if operator.kind != Kind::Symbol || std::ptr::eq(operator, token) && is_sign(token) {
                continue;
            }
            match operator.text {
                "*" | "·" | "/" | "^" | ".^" | ".." => return 0,
                "+" | "-" if self.marks.tight.contains(&(operator.start as u32)) => return 0,
                // elementwise products read better with spaces when the factors are long: the author decides
                ".*" | "./" => return usize::from(previous.end() < token.start),
                "'" | "ᵀ" => {}
                _ => return 1,
            }
        }
        let calls =
            previous.kind == Kind::Word && (!is_reserved(previous.text) || matches!(previous.text, "upper" | "lower"));
        if token.is("(") && calls {
            return usize::from(self.in_head && self.open == 0);
        }
        let indexed = calls
            || matches!(previous.kind, Kind::Close | Kind::Text | Kind::Number)
            || previous.is("'")
            || previous.is("ᵀ");
        if token.is("[") && indexed {
            return 0;
        }
        1
    }

    fn token(&mut self, i: usize) {
        let token = self.tokens[i];
        if self.piece(i).is_some() || token.is("}") {
            self.continued = false;
        }
        match self.piece(i) {
            Some(Piece::Item) => {
                self.item = token.text;
                self.in_head = matches!(token.text, "problem" | "split" | "corrupt" | "episodes" | "expect");
            }
            Some(Piece::Statement) => self.last_statement = token.text,
            _ => {}
        }
        match token.kind {
            Kind::Open if token.is("{") => {
                self.blocks.push(Block { one_line: self.fits_one_line(i), begun: false });
                self.in_head = false;
                self.last_statement = "";
            }
            Kind::Close if token.is("}") => {
                self.blocks.pop();
                self.last_statement = "";
            }
            Kind::Open => self.open += 1,
            Kind::Close => self.open = self.open.saturating_sub(1),
            Kind::Word if token.text == "into" => self.in_head = false,
            _ => {}
        }
        let text = self.spelling(i);
        self.write(text);
        if token.kind != Kind::Comment && !token.is("{") && !self.one_line() && self.next_would_continue(i) {
            self.write(";");
        }
    }

    /// An assertion that starts with a sign or a bracket would continue the one that ends at `i` if there were no `;`, and
    /// a row without a name needs it before it.
    fn next_would_continue(&self, i: usize) -> bool {
        let next = self.following[i + 1];
        let Some(token) = self.tokens.get(next) else { return false };
        match self.piece(next) {
            Some(Piece::Assertion) => token.kind != Kind::Word,
            Some(Piece::Row(named)) => !named && !self.starts_block(i),
            _ => false,
        }
    }

    /// True where nothing but comments stands between token `i` and the `{` before it.
    fn starts_block(&self, i: usize) -> bool {
        self.tokens[..=i].iter().rev().find(|t| t.kind != Kind::Comment).is_some_and(|t| t.is("{"))
    }

    /// A block stays on one line when the author put it on one.
    fn fits_one_line(&self, open: usize) -> bool {
        let mut depth = 0_usize;
        for token in &self.tokens[open..] {
            if token.first_on_line && depth > 0 || token.kind == Kind::Comment {
                return false;
            }
            depth += usize::from(token.is("{"));
            depth -= usize::from(token.is("}"));
            if depth == 0 {
                return true;
            }
        }
        false
    }

    fn spelling(&self, i: usize) -> &'a str {
        let token = &self.tokens[i];
        let field = i.checked_sub(1).is_some_and(|p| self.tokens[p].is("."));
        let key = self.tokens.get(i + 1).is_some_and(|t| t.is("="));
        match (self.style, token.kind, token.text) {
            (Style::Ascii, Kind::Symbol, text) => match text {
                "≤" => "<=",
                "≥" => ">=",
                "≠" => "!=",
                "∈" => "in",
                "ᵀ" => "'",
                "·" => "*",
                _ => text,
            },
            (Style::Unicode, Kind::Symbol, text) => match text {
                "<=" => "≤",
                ">=" => "≥",
                "!=" => "≠",
                "'" => "ᵀ",
                "*" => "·",
                _ => text,
            },
            (Style::Unicode, Kind::Word, "in") if !field && !key => "∈",
            (_, _, text) => text,
        }
    }
}
