//! Cuts a token sequence into items by keywords and bracket depth, and reports what can be seen without parsing:
//! tokens of other languages, unterminated strings, brackets that do not pair, nesting beyond the limit. pest stops
//! at its first error, so cutting is what lets one run report several. Keywords are reserved, so a keyword inside
//! `(` or `[` proves that the bracket was never closed.

use crate::diagnostic::Diagnostic;
use crate::message;
use crate::token::{ITEM_KEYWORDS, Kind, STATEMENT_KEYWORDS, Token};

/// Brackets and `if`s may nest this deep; pest and every later pass recurse.
pub(crate) const MAX_DEPTH: usize = 256;

/// No more errors than this are reported: a binary file would give one per byte.
pub const MAX_ERRORS: usize = 1000;

/// What the cut knows of the text. Vectors run parallel to the tokens (comments excluded).
pub(crate) struct Cut {
    /// Number of brackets open around each token; a bracket itself counts as outside.
    pub(crate) depth: Vec<usize>,
    /// True where a keyword starts an item or a statement.
    pub(crate) starts: Vec<bool>,
    /// True where an error was already reported: the piece around it is not parsed.
    pub(crate) broken: Vec<bool>,
    /// The first token of each item.
    pub(crate) items: Vec<usize>,
    /// True when the text nests too deep to be parsed at all.
    pub(crate) too_deep: bool,
}

/// The head of a level has at most this many tokens: `lower for j in blocks(1..n, 3)`.
const HEAD: usize = 64;

struct Frame {
    token: usize,
    /// Stands for a missing `{` after `upper` or `lower`.
    missing: bool,
    /// `if`s since the last separator; their branches nest.
    ifs: usize,
}

/// Cuts `tokens` (no comments among them) and reports the errors seen on the way.
///
/// White space means nothing where the braces pair. Where one is never closed, `let` and `lower` may belong to the
/// open block or start an item, and a second run lets the indentation decide.
pub(crate) fn cut(source: &str, tokens: &[Token<'_>], diagnostics: &mut Vec<Diagnostic>) -> Cut {
    let mut first = Cutter::new(source, tokens, false);
    first.run();
    let cutter = if first.open_brace {
        let mut second = Cutter::new(source, tokens, true);
        second.run();
        second
    } else {
        first
    };
    diagnostics.extend(cutter.diagnostics);
    cutter.cut
}

/// True for a keyword that starts an item or statement at token `i`: not a field, an argument's key, or the value
/// `upper` or `lower`. Comments are not among the tokens.
pub fn is_start(tokens: &[Token<'_>], i: usize) -> bool {
    let token = &tokens[i];
    if token.kind != Kind::Word || !(ITEM_KEYWORDS.contains(&token.text) || STATEMENT_KEYWORDS.contains(&token.text)) {
        return false;
    }
    let next = tokens.get(i + 1);
    let previous = i.checked_sub(1).map(|p| &tokens[p]);
    // a field may have any name, but a line ends a field that was never written: `x.` before `let`
    if previous.is_some_and(|p| p.is(".")) && !token.first_on_line || next.is_some_and(|t| t.is("=")) {
        return false;
    }
    if !matches!(token.text, "upper" | "lower") {
        return true;
    }
    let Some(next) = next else {
        return token.first_on_line;
    };
    if next.is("{") || next.is("pessimistic") || next.is("for") && token.text == "lower" {
        return true;
    }
    if !previous.is_none_or(|p| p.ends_value() || p.is("}") || p.is(";")) {
        return false;
    }
    // a head with a mistake in it, or with its `{` missing
    let line = tokens[i + 1..].iter().take(HEAD).take_while(|t| !t.first_on_line);
    STATEMENT_KEYWORDS.contains(&next.text) || token.first_on_line && line.into_iter().any(|t| t.is("{"))
}

struct Cutter<'a> {
    source: &'a str,
    tokens: &'a [Token<'a>],
    by_indent: bool,
    /// A `{` was never closed.
    open_brace: bool,
    diagnostics: Vec<Diagnostic>,
    stack: Vec<Frame>,
    outer_ifs: usize,
    /// All `if`s open in the stack.
    open_ifs: usize,
    /// The last string that its line cut off.
    open_text: Option<usize>,
    /// The indentation of each token's line, where it decides.
    indents: Vec<usize>,
    cut: Cut,
}

/// For each token, the width of the white space before the first token of its line.
fn indents(source: &str, tokens: &[Token<'_>]) -> Vec<usize> {
    let mut indents = Vec::with_capacity(tokens.len());
    let mut current = 0;
    for token in tokens {
        // a comment may stand first on a line, but nothing follows it there
        if token.first_on_line {
            let before = source[..token.start].bytes().rev();
            current = before.take_while(|c| matches!(c, b' ' | b'\t')).count();
        }
        indents.push(current);
    }
    indents
}

impl<'a> Cutter<'a> {
    fn new(source: &'a str, tokens: &'a [Token<'a>], by_indent: bool) -> Cutter<'a> {
        let n = tokens.len();
        let cut = Cut {
            depth: Vec::with_capacity(n),
            starts: vec![false; n],
            broken: vec![false; n],
            items: Vec::new(),
            too_deep: false,
        };
        Cutter {
            source,
            tokens,
            by_indent,
            open_brace: false,
            diagnostics: Vec::new(),
            stack: Vec::new(),
            outer_ifs: 0,
            open_ifs: 0,
            open_text: None,
            indents: if by_indent { indents(source, tokens) } else { Vec::new() },
            cut,
        }
    }

    fn run(&mut self) {
        let mut i = 0;
        while i < self.tokens.len() {
            let next = self.step(i);
            // tokens that were skipped together, such as the words of a `//` comment
            while self.cut.depth.len() < next {
                self.cut.depth.push(self.stack.len());
            }
            if self.stack.len() + self.open_ifs > MAX_DEPTH {
                self.report(message::too_deep(self.tokens[i].span()));
                self.cut.too_deep = true;
                return;
            }
            i = next;
        }
        let end = self.tokens.len();
        while !self.stack.is_empty() {
            self.never_closed(end);
        }
    }

    /// Handles token `i` and returns the index of the next one to look at.
    fn step(&mut self, i: usize) -> usize {
        let token = &self.tokens[i];
        match token.kind {
            Kind::Word => {
                if is_start(self.tokens, i) {
                    self.keyword(i);
                } else if token.text == "if" {
                    *self.ifs() += 1;
                    self.open_ifs += 1;
                }
            }
            Kind::Symbol if matches!(token.text, "," | ";" | "=") => self.forget_ifs(),
            Kind::Symbol if token.text == "." => self.point(i),
            Kind::Open => {
                self.cut.depth.push(self.stack.len());
                self.stack.push(Frame { token: i, missing: false, ifs: 0 });
            }
            Kind::Close => self.close(i),
            Kind::OpenText => {
                self.open_text = Some(i);
                self.report(message::open_text(token.span()));
                self.cut.broken[i] = true;
            }
            Kind::Unknown => return self.unknown(i),
            _ => {}
        }
        i + 1
    }

    fn report(&mut self, error: Diagnostic) {
        if self.diagnostics.len() < MAX_ERRORS {
            self.diagnostics.push(error);
        }
    }

    fn ifs(&mut self) -> &mut usize {
        match self.stack.last_mut() {
            Some(frame) => &mut frame.ifs,
            None => &mut self.outer_ifs,
        }
    }

    fn forget_ifs(&mut self) {
        let closed = std::mem::take(self.ifs());
        self.open_ifs -= closed;
    }

    fn pop(&mut self) -> Option<Frame> {
        let frame = self.stack.pop()?;
        self.open_ifs -= frame.ifs;
        Some(frame)
    }

    /// `1.`, the one mistake with a point that the grammar would describe badly.
    fn point(&mut self, i: usize) {
        let Some(number) = i.checked_sub(1).map(|p| &self.tokens[p]) else {
            return;
        };
        if number.kind == Kind::Number {
            self.report(message::bare_point(number.span().to(self.tokens[i].span()), number.text));
            self.cut.broken[i] = true;
        }
    }

    fn unknown(&mut self, i: usize) -> usize {
        let token = &self.tokens[i];
        self.cut.broken[i] = true;
        if matches!(token.text, "//" | "/*" | "%") && token.first_on_line || token.text == "//" {
            let line = self.source[token.start..].find('\n').map_or(self.source.len(), |n| token.start + n);
            self.report(self.comment(i, line));
            let rest = self.tokens[i..].iter().take_while(|t| t.start < line).count();
            return i + rest.max(1);
        }
        // `\sum`, but not `A\b`
        if token.text == "\\"
            && let Some(command) = self.tokens.get(i + 1).filter(|t| t.start == token.end() && t.kind == Kind::Word)
            && !(i > 0 && self.tokens[i - 1].ends_value() && self.tokens[i - 1].end() == token.start)
        {
            self.report(message::latex(token.span().to(command.span()), command.text));
            return i + 1;
        }
        // one report for a run such as `@@@@`
        let mut last = i;
        while self
            .tokens
            .get(last + 1)
            .is_some_and(|t| t.kind == Kind::Unknown && t.text == token.text && t.start == self.tokens[last].end())
        {
            last += 1;
        }
        self.report(message::unknown_token(token.span().to(self.tokens[last].span()), token.text));
        last + 1
    }

    /// `//` and its kin at token `i`, whose line ends at byte `line`.
    fn comment(&self, i: usize, line: usize) -> Diagnostic {
        let token = &self.tokens[i];
        if token.first_on_line {
            return message::foreign_comment(token.span());
        }
        let (previous, next) = (&self.tokens[i - 1], self.tokens.get(i + 1).filter(|t| t.start < line));
        match next {
            // `n//2`, `n // 2`, `n // m`, but not `x // the sum`
            Some(next) if previous.ends_value() && next.starts_value() => {
                let after = self.tokens.get(i + 2).filter(|t| t.start < line);
                let tight = next.start == token.end() || next.kind != Kind::Word;
                let alone = after.is_none_or(|t| t.kind != Kind::Word);
                if tight || alone && after.is_some() {
                    return message::whole_division(token.span(), previous.text, next.text);
                }
                message::trailing_comment(token.span())
            }
            _ => message::trailing_comment(token.span()),
        }
    }

    fn keyword(&mut self, i: usize) {
        let token = &self.tokens[i];
        while let Some(frame) = self.stack.last() {
            let opener = &self.tokens[frame.token];
            let inside = if frame.missing || opener.is("{") { self.may_stand_in_block(i) } else { false };
            if inside {
                break;
            }
            self.never_closed(i);
        }
        self.forget_ifs();
        self.cut.starts[i] = true;
        if self.stack.is_empty() {
            self.cut.items.push(i);
        }
        if matches!(token.text, "upper" | "lower") {
            self.expect_block(i);
        }
    }

    /// Whether the keyword at `i` may be meant as a statement of the open block.
    fn may_stand_in_block(&self, i: usize) -> bool {
        let token = &self.tokens[i];
        if !STATEMENT_KEYWORDS.contains(&token.text) {
            return false;
        }
        let Some(frame) = self.stack.last() else {
            return false;
        };
        if self.by_indent && matches!(token.text, "let" | "lower") {
            return !token.first_on_line || self.indent(i) > self.indent(frame.token);
        }
        true
    }

    /// The width of the white space before the line of token `i`.
    fn indent(&self, i: usize) -> usize {
        self.indents[i]
    }

    /// Reports `upper` or `lower` without `{` and reads on as if it were there.
    fn expect_block(&mut self, i: usize) {
        for (j, token) in self.tokens.iter().enumerate().skip(i + 1).take(HEAD) {
            if token.is("{") {
                return;
            }
            if STATEMENT_KEYWORDS.contains(&token.text) {
                self.report(message::missing_block(self.tokens[j - 1].span(), self.tokens[i].text, token.span()));
                self.cut.broken[i] = true;
                self.cut.depth.push(self.stack.len());
                self.stack.push(Frame { token: i, missing: true, ifs: 0 });
                return;
            }
            if ITEM_KEYWORDS.contains(&token.text) || token.kind == Kind::Close && token.text == "}" {
                return;
            }
        }
    }

    fn close(&mut self, i: usize) {
        let token = &self.tokens[i];
        let wanted = match token.text {
            ")" => "(",
            "]" => "[",
            _ => "{",
        };
        if self.stack.iter().any(|f| fits_at(self.tokens, f, wanted)) {
            while self.stack.last().is_some_and(|f| !fits_at(self.tokens, f, wanted)) {
                self.never_closed(i);
            }
            self.pop();
            self.cut.depth.push(self.stack.len());
            return;
        }
        self.cut.broken[i] = true;
        match self.stack.last() {
            Some(frame) if !frame.missing && !self.tokens[frame.token].is("{") && wanted != "{" => {
                let opener = &self.tokens[frame.token];
                self.report(message::wrong_closing(token.span(), token.text, opener.span(), opener.text));
                self.pop();
            }
            _ => self.report(message::stray_closing(token.span(), token.text)),
        }
        self.cut.depth.push(self.stack.len());
    }

    /// Pops the innermost bracket and reports it; `next` is the token that proves it (the token count at the end).
    fn never_closed(&mut self, next: usize) {
        let Some(frame) = self.pop() else { return };
        if frame.missing {
            return;
        }
        self.cut.broken[frame.token] = true;
        let opener = &self.tokens[frame.token];
        self.open_brace |= opener.is("{");
        if !opener.is("{") && self.open_text.is_some_and(|text| text > frame.token) {
            return; // the string that never ended has swallowed the closing bracket
        }
        let previous = next.checked_sub(1).map_or(opener.span(), |p| self.tokens[p].span());
        let next = self.tokens.get(next).map(|t| (t.span(), t.text));
        self.report(message::never_closed(opener.span(), opener.text, previous, next));
    }
}

fn fits_at(tokens: &[Token<'_>], frame: &Frame, wanted: &str) -> bool {
    if frame.missing { wanted == "{" } else { tokens[frame.token].is(wanted) }
}
