//! One version of a text with what its words tell: lines, tokens, tree, names. Knows nothing of the check.

mod lines;
mod place;

use blo_grammar::ast::Ast;
use blo_grammar::span::Span;
use blo_grammar::token::{Kind, Token, scan};
use blo_grammar::{is_start, parse};

pub use lines::{Encoding, Lines, Position};
pub(super) use place::{Block, Bracket, Inside, Place};

use crate::editor::names::Names;

/// A version of a text.
#[derive(Debug)]
pub struct Syntax {
    /// The text.
    pub text: String,
    /// Its lines.
    pub lines: Lines,
    /// The pieces that parse.
    pub ast: Ast,
    /// True when all of them do.
    pub is_sound: bool,
    pub(super) tokens: Vec<Word>,
    pub(super) names: Names,
}

/// A token, without its text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word {
    pub(super) kind: Kind,
    pub(super) span: Span,
    /// True for a keyword that starts an item or a statement.
    pub(super) starts: bool,
}

impl Syntax {
    /// Reads a text. Takes time in proportion to it, and never fails.
    pub fn new(text: String) -> Syntax {
        let parsed = parse(&text);
        let tokens = words(&text);
        let names = Names::of(&parsed.ast);
        let (lines, is_sound) = (Lines::new(&text), parsed.is_sound());
        Syntax { lines, ast: parsed.ast, is_sound, tokens, names, text }
    }

    /// The text of a span; empty where it is none of the text.
    pub(super) fn at(&self, span: Span) -> &str {
        self.text.get(span.range()).unwrap_or_default()
    }

    /// The text of a token.
    pub(super) fn word(&self, token: usize) -> &str {
        self.tokens.get(token).map_or("", |t| self.at(t.span))
    }

    /// The token that holds a place or ends there; of two that meet, the one that is a word.
    pub(super) fn token_at(&self, offset: usize) -> Option<usize> {
        let after = self.tokens.partition_point(|t| (t.span.end as usize) < offset);
        let touching = (after..self.tokens.len()).take(2);
        let touching: Vec<usize> = touching.filter(|t| self.tokens[*t].span.start as usize <= offset).collect();
        let is_word = |t: &&usize| self.tokens[**t].kind == Kind::Word;
        touching.iter().find(is_word).or_else(|| touching.last()).copied()
    }

    /// The next token that is no comment.
    pub(super) fn after(&self, token: usize) -> Option<usize> {
        (token + 1..self.tokens.len()).find(|t| self.tokens[*t].kind != Kind::Comment)
    }

    /// The token before that is no comment.
    pub(super) fn before(&self, token: usize) -> Option<usize> {
        (0..token.min(self.tokens.len())).rev().find(|t| self.tokens[*t].kind != Kind::Comment)
    }

    /// True where a token is a word, symbol or bracket of this text.
    pub(super) fn is(&self, token: Option<usize>, text: &str) -> bool {
        let Some(t) = token else { return false };
        self.word(t) == text && !matches!(self.tokens[t].kind, Kind::Text | Kind::Comment)
    }
}

fn words(text: &str) -> Vec<Word> {
    let all = scan(text);
    let code: Vec<Token<'_>> = all.iter().filter(|t| t.kind != Kind::Comment).copied().collect();
    let mut next = 0;
    all.iter()
        .map(|t| {
            let mut starts = false;
            if t.kind != Kind::Comment {
                starts = is_start(&code, next);
                next += 1;
            }
            Word { kind: t.kind, span: t.span(), starts }
        })
        .collect()
}
