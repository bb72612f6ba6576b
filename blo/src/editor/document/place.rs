//! Where a cursor stands, told by the words before it: half-typed programs have no tree there.

use blo_grammar::span::Span;
use blo_grammar::token::{Kind, STATEMENT_KEYWORDS, is_reserved};

use super::Syntax;

/// A block that braces enclose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::editor) enum Block {
    /// `upper { ... }`
    Upper,
    /// `lower { ... }`
    Lower,
    /// `subject to { ... }`
    Rows,
    /// `dataset d { ... }`
    Dataset,
    /// `start { ... }`
    Start,
    /// `known { ... }`
    Known,
    /// `expect ... { ... }`
    Expect,
    /// `method NAME { ... }`
    Method(String),
    /// A brace that belongs to nothing.
    Other,
}

/// An open `(` or `[`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::editor) struct Bracket {
    /// The bracket.
    pub(in crate::editor) token: usize,
    /// True for the options of an item: `split d (seed = 1)`.
    pub(in crate::editor) is_head: bool,
    /// The word right before it, if it is the `(` of a call.
    pub(in crate::editor) callee: Option<usize>,
    /// The commas before the place.
    pub(in crate::editor) commas: usize,
    /// The `key` of `key =` where the place is in the value of an option.
    pub(in crate::editor) key: Option<usize>,
}

/// What the place is within.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::editor) enum Inside {
    /// The program.
    Code,
    /// A comment.
    Comment,
    /// A string: its token.
    Text(usize),
    /// A number.
    Number,
}

/// The surroundings of a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::editor) struct Place {
    /// What it is within.
    pub(in crate::editor) inside: Inside,
    /// The word that is being typed, up to the place; empty where there is none.
    pub(in crate::editor) typed: Span,
    /// The last token before that.
    pub(in crate::editor) previous: Option<usize>,
    /// True when what is typed is the first on its line.
    pub(in crate::editor) first_on_line: bool,
    /// The braces around it, outermost first.
    pub(in crate::editor) blocks: Vec<Block>,
    /// The brackets around it within the innermost block, outermost first.
    pub(in crate::editor) brackets: Vec<Bracket>,
    /// The keyword that started the item at hand.
    pub(in crate::editor) item: Option<usize>,
    /// The keyword that started the item, statement or block entry at hand.
    pub(in crate::editor) start: Option<usize>,
    /// The `key` of `key =` in a block of options, or of `start`, where the place is in its value.
    pub(in crate::editor) key: Option<usize>,
}

impl Place {
    /// Looks at the words before a place.
    pub(in crate::editor) fn of(syntax: &Syntax, offset: usize) -> Place {
        let at = syntax.token_at(offset).map(|t| (t, syntax.tokens[t]));
        let inside = match at {
            _ if is_in_comment(syntax, offset) => Inside::Comment,
            Some((i, t)) if is_within_text(syntax, i, t.kind, offset) => Inside::Text(i),
            Some((_, t)) if t.kind == Kind::Number && (t.span.start as usize) < offset => Inside::Number,
            _ => Inside::Code,
        };
        let typed = match at {
            Some((_, t)) if t.kind == Kind::Word && (t.span.start as usize) < offset => {
                Span { start: t.span.start, end: offset as u32 }
            }
            _ => Span::new(offset, offset),
        };
        let count = syntax.tokens.partition_point(|t| t.span.start < typed.start);
        // a string that holds the place is not before it
        let count = if let Inside::Text(token) = inside { count.min(token) } else { count };
        let mut reader =
            Reader { syntax, frames: Vec::new(), item: None, start: None, key: None, level: None, in_head: false };
        for token in (0..count).filter(|t| syntax.tokens[*t].kind != Kind::Comment) {
            reader.read(token);
        }
        let previous = syntax.before(count);
        let line = |at: u32| syntax.lines.position(&syntax.text, at as usize, super::Encoding::Utf8).line;
        let first_on_line = previous.is_none_or(|p| line(syntax.tokens[p].span.end) < line(typed.start));
        let mut blocks = Vec::new();
        let mut brackets = Vec::new();
        for frame in reader.frames {
            match frame {
                Frame::Brace(block) => {
                    blocks.push(block);
                    brackets.clear();
                }
                Frame::Bracket(bracket) => brackets.push(bracket),
            }
        }
        let (item, start, key) = (reader.item, reader.start, reader.key);
        Place { inside, typed, previous, first_on_line, blocks, brackets, item, start, key }
    }

    /// The innermost block.
    pub(in crate::editor) fn block(&self) -> Option<&Block> {
        self.blocks.last()
    }

    /// The innermost bracket that is a call, with the word that is called.
    pub(in crate::editor) fn call(&self) -> Option<(&Bracket, usize)> {
        self.brackets.iter().rev().find_map(|b| Some((b, b.callee?)))
    }
}

/// A comment goes on to the end of its line, with the spaces there.
fn is_in_comment(syntax: &Syntax, offset: usize) -> bool {
    let before = syntax.tokens.partition_point(|t| (t.span.start as usize) < offset);
    let last = before.checked_sub(1).map(|t| syntax.tokens[t]);
    last.is_some_and(|t| {
        let between = syntax.text.get(t.span.start as usize..offset);
        t.kind == Kind::Comment && between.is_some_and(|text| !text.contains('\n'))
    })
}

/// A string holds a place between its quotes, and one that never ends to the end of its line.
fn is_within_text(syntax: &Syntax, token: usize, kind: Kind, offset: usize) -> bool {
    let span = syntax.tokens[token].span;
    let (start, end) = (span.start as usize, span.end as usize);
    match kind {
        Kind::Text => start < offset && offset < end,
        Kind::OpenText => start < offset,
        _ => false,
    }
}

enum Frame {
    Brace(Block),
    Bracket(Bracket),
}

struct Reader<'a> {
    syntax: &'a Syntax,
    frames: Vec<Frame>,
    item: Option<usize>,
    start: Option<usize>,
    key: Option<usize>,
    /// The keyword of a block whose brace is still to come.
    level: Option<usize>,
    /// The next `(` holds the options of the item.
    in_head: bool,
}

impl Reader<'_> {
    fn read(&mut self, token: usize) {
        let word = self.syntax.tokens[token];
        let text = self.syntax.word(token);
        if word.starts {
            return self.keyword(token, text);
        }
        match (word.kind, text) {
            (Kind::Open, "{") => {
                self.in_head = false;
                let block = self.block();
                self.frames.push(Frame::Brace(block));
                (self.start, self.key) = (None, None);
            }
            (Kind::Open, bracket) => {
                let before = self.syntax.before(token).filter(|_| bracket == "(");
                let is_head = std::mem::take(&mut self.in_head) && bracket == "(";
                let callee = before.filter(|b| {
                    if is_head {
                        return false;
                    }
                    let word = self.syntax.tokens[*b];
                    word.kind == Kind::Word && !is_reserved(self.syntax.word(*b))
                });
                self.frames.push(Frame::Bracket(Bracket { token, is_head, callee, commas: 0, key: None }));
            }
            (Kind::Close, "}") => {
                self.close(|f| matches!(f, Frame::Brace(_)));
                (self.start, self.key) = (None, None);
                if self.frames.is_empty() {
                    self.item = None;
                }
            }
            (Kind::Close, _) => self.close(|f| matches!(f, Frame::Bracket(_))),
            (Kind::Symbol, ",") => {
                if let Some(Frame::Bracket(b)) = self.frames.last_mut() {
                    (b.commas, b.key) = (b.commas + 1, None);
                }
            }
            (Kind::Word, "into") => self.in_head = false,
            (Kind::Symbol, ";") => (self.start, self.key) = (None, None),
            (Kind::Symbol, "=") => {
                let key = self.syntax.before(token);
                match self.frames.last_mut() {
                    Some(Frame::Bracket(b)) => b.key = key,
                    _ => self.key = key,
                }
            }
            // an entry of a block begins with a word that `=` follows
            _ if matches!(self.frames.last(), Some(Frame::Brace(_))) && self.starts_entry(token) => {
                (self.start, self.key) = (Some(token), None);
            }
            _ => {}
        }
    }

    fn starts_entry(&self, token: usize) -> bool {
        self.syntax.tokens[token].kind == Kind::Word && self.syntax.is(self.syntax.after(token), "=")
    }

    fn keyword(&mut self, token: usize, text: &str) {
        // a keyword is in no bracket that was closed
        while matches!(self.frames.last(), Some(Frame::Bracket(_))) {
            self.frames.pop();
        }
        let in_level = matches!(self.frames.last(), Some(Frame::Brace(Block::Upper | Block::Lower | Block::Rows)));
        if !(in_level && STATEMENT_KEYWORDS.contains(&text)) {
            self.frames.clear();
        }
        if self.frames.is_empty() {
            self.item = Some(token);
        }
        (self.start, self.key, self.level) = (Some(token), None, Some(token));
        self.in_head = matches!(text, "problem" | "split" | "corrupt" | "episodes" | "expect");
    }

    fn close(&mut self, fits: impl Fn(&Frame) -> bool) {
        if let Some(at) = self.frames.iter().rposition(fits) {
            self.frames.truncate(at);
        }
    }

    fn block(&mut self) -> Block {
        let Some(keyword) = self.level.take() else { return Block::Other };
        match self.syntax.word(keyword) {
            "upper" => Block::Upper,
            "lower" => Block::Lower,
            "subject" => Block::Rows,
            "dataset" => Block::Dataset,
            "start" => Block::Start,
            "known" => Block::Known,
            "expect" => Block::Expect,
            "method" => {
                let name = self.syntax.after(keyword).map(|t| self.syntax.word(t).to_owned());
                Block::Method(name.unwrap_or_default())
            }
            _ => Block::Other,
        }
    }
}
