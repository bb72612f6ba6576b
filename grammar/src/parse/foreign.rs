//! What people write who come from another language, where a piece does not parse: words for constraints and
//! quantifiers, `:` for ranges and axes, types, integers, commas between entries.

use super::reader::{Reader, Stop};
use super::walk::Rule;
use crate::diagnostic::Diagnostic;
use crate::message;
use crate::token::{Kind, Token, is_reserved};
use std::ops::Range;

const CONSTRAINTS: &str = "bounds belong to the variable: `var x >= 0`; for another constraint `h <= 0` add a penalty to \
                           both objectives: `+ 100*max(h, 0)^2`";
const LOOPS: &str = "a loop stands behind its term: `sum(x[i] for i in 1..n)`";
const NAMES: &str = "give the parts names above it: `let a = ...`";
const BATCHES: &str = "there are no batches: each step uses all rows; `episodes` draws few-shot tasks";

/// Phrases by their tokens; longer ones first.
const PHRASES: [(&[&str], &str); 16] = [
    (&["s", ".", "t", "."], CONSTRAINTS),
    (&["s", ".", "t"], CONSTRAINTS),
    (&["st"], CONSTRAINTS),
    (&["such", "that"], CONSTRAINTS),
    (&["subjectto"], CONSTRAINTS),
    (&["subj", "to"], CONSTRAINTS),
    (&["constraint"], CONSTRAINTS),
    (&["constraints"], CONSTRAINTS),
    (&["constr"], CONSTRAINTS),
    (&["forall"], LOOPS),
    (&["foreach"], LOOPS),
    (&["for", "all"], LOOPS),
    (&["for", "each"], LOOPS),
    (&["where"], NAMES),
    (&["batch"], BATCHES),
    (&["batch_size"], BATCHES),
];

impl Reader<'_, '_> {
    /// The mistake at `stop` if it is one of another language.
    pub(super) fn foreign(&self, stop: &Stop, range: &Range<usize>) -> Option<Diagnostic> {
        let at = stop.token;
        let start = &self.tokens[range.start];
        let token = self.tokens[..range.end].get(at);
        let previous = if at > range.start { Some(&self.tokens[at - 1]) } else { None };
        let wants = |rule: Rule| stop.wanted.contains(&rule);
        if start.is("subject")
            && token.is_some_and(|t| !t.is("{"))
            && self.tokens[range.start + 1..].first().is_some_and(|t| t.is("to"))
        {
            let span = start.span().to(self.tokens[range.start + 1].span());
            return Some(message::foreign_words(span, "subject to", CONSTRAINTS));
        }
        if let Some(error) = self.integers(at, range) {
            return Some(error);
        }
        if wants(Rule::equals)
            && matches!(start.text, "param" | "let" | "data" | "set" | "metric")
            && previous.is_some_and(|p| p.kind == Kind::Word || p.is("]"))
        {
            return match token {
                Some(t) if t.is("==") => Some(message::equals_in_definition(t.span())),
                None => {
                    let name = self.tokens[..range.end].get(range.start + 1)?;
                    Some(message::without_value(previous?.span(), start.text, name.text))
                }
                _ => None,
            };
        }
        let (token, previous) = (token?, previous?);
        // `for all` fails behind its `for`, a word that the grammar has read
        if previous.is("for")
            && let Some(error) = self.foreign_words(at - 1)
        {
            return Some(error);
        }
        if previous.ends_value()
            && !(wants(Rule::comma) && token.is("batch"))
            && let Some(error) = self.foreign_words(at)
        {
            return Some(error);
        }
        if token.is(",")
            && previous.ends_value()
            && start.is("var")
            && self.cut.depth[at] == self.cut.depth[range.start]
        {
            let next = self.tokens[..range.end].get(at + 1).filter(|t| t.kind == Kind::Word && !is_reserved(t.text));
            return Some(message::one_variable(token.span(), next.map(|t| t.text)));
        }
        if token.is(":") && start.is("var") && self.cut.depth[at] == self.cut.depth[range.start] {
            return Some(message::no_types(token.span()));
        }
        self.colon(token, previous, at).or_else(|| self.comma(token, at))
    }

    /// A phrase of another language that starts at token `i`.
    pub(super) fn foreign_words(&self, i: usize) -> Option<Diagnostic> {
        let is = |at: usize, word: &&str| self.tokens.get(at).is_some_and(|t| t.text.eq_ignore_ascii_case(word));
        let (words, help) = PHRASES.iter().find(|(words, _)| words.iter().enumerate().all(|(k, w)| is(i + k, w)))?;
        let last = &self.tokens[i + words.len() - 1];
        // a name may be such a word where it is given a value
        if self.tokens.get(i + words.len()).is_some_and(|t| t.is("=")) {
            return None;
        }
        let span = self.tokens[i].span().to(last.span());
        Some(message::foreign_words(span, &self.source[span.range()], help))
    }

    /// `var x in {0, 1}`, `var x integer`, `var x : binary`
    fn integers(&self, at: usize, range: &Range<usize>) -> Option<Diagnostic> {
        let (token, previous) = (self.tokens[..range.end].get(at)?, self.tokens.get(at.checked_sub(1)?)?);
        let word = |t: &Token<'_>| {
            let text = t.text.to_ascii_lowercase();
            matches!(text.as_str(), "integer" | "integers" | "int" | "binary" | "bin" | "bool" | "boolean")
        };
        let is_var = self.tokens[range.start].is("var") || self.tokens[range.start..at].iter().any(|t| t.is("var"));
        let next = self.tokens[..range.end].get(at + 1);
        let after = if token.is(":") { next.filter(|t| word(t)) } else { Some(token).filter(|t| word(t)) };
        if let (true, Some(after)) = (is_var && previous.ends_value(), after) {
            return Some(message::no_integers(after.span()));
        }
        let in_set = token.is("{") && (previous.is("in") || previous.is("∈"));
        (in_set && next.is_some_and(|t| t.kind == Kind::Number)).then(|| message::no_integers(token.span()))
    }

    /// `A[tr, :]`, `1:3`
    fn colon(&self, token: &Token<'_>, previous: &Token<'_>, at: usize) -> Option<Diagnostic> {
        if !token.is(":") {
            return None;
        }
        let next = self.tokens.get(at + 1);
        if (previous.is("[") || previous.is(",")) && next.is_some_and(|t| t.is("]") || t.is(",")) {
            return Some(message::colon_axis(token.span()));
        }
        let range = previous.ends_value() && next.is_some_and(|t| t.starts_value() || t.is("-"));
        (range && previous.kind != Kind::Text).then(|| message::colon_range(token.span()))
    }

    /// `known { x = 1, y = 1 }`
    fn comma(&self, token: &Token<'_>, at: usize) -> Option<Diagnostic> {
        if !token.is(",") {
            return None;
        }
        let depth = self.cut.depth[at].checked_sub(1)?;
        let open = (0..at).rev().find(|&i| self.tokens[i].kind == Kind::Open && self.cut.depth[i] == depth)?;
        let head = (0..open).rev().find(|&i| self.cut.starts[i])?;
        let block = matches!(self.tokens[head].text, "known" | "start" | "method" | "expect" | "dataset" | "subject");
        (self.tokens[open].is("{") && block).then(|| message::comma_between(token.span(), self.tokens[head].text))
    }
}
