//! What people write who come from another language, where a piece does not parse: words for constraints and
//! quantifiers, `:` for ranges and axes, types, integers, commas between entries.

use super::foreign_rows::asks_for_integers;
use super::reader::{Reader, Stop};
use super::walk::Rule;
use crate::diagnostic::{Diagnostic, Edit};
use crate::message;
use crate::span::Span;
use crate::token::{Kind, Token, is_reserved};
use std::ops::Range;

/// Functions of one argument that people write without parentheses; what they mean is not known here.
pub const CALLED: [&str; 34] = [
    "abs", "argmax", "atan", "ceil", "cos", "cosh", "diag", "erf", "exp", "floor", "gelu", "inv", "log", "log1p",
    "logdet", "mean", "norm1", "norm2", "norminf", "normsq", "relu", "round", "sigmoid", "sign", "silu", "sin", "sinh",
    "softplus", "sqrt", "square", "stop", "sum", "tan", "tanh",
];

const CONSTRAINTS: &str = "rows stand in a block of their level: `subject to { x + y <= 3;  y >= x }`";
const LOOPS: &str = "a loop stands behind its term or row: `sum(x[i] for i in 1..n)`, `x[i] <= 1 for i in 1..n`";
const NAMES: &str = "give the parts names above it: `let a = ...`";
const REMAINDERS: &str = "the remainder is `mod(a, b)`, whole-number division `floor(a/b)`";
const BATCHES: &str = "there are no batches: each step uses all rows; `episodes` draws few-shot tasks";

/// Phrases by their tokens; longer ones first.
const PHRASES: [(&[&str], &str); 20] = [
    (&["s", ".", "t", "."], CONSTRAINTS),
    (&["s", ".", "t"], CONSTRAINTS),
    (&["st"], CONSTRAINTS),
    (&["such", "that"], CONSTRAINTS),
    (&["subjectto"], CONSTRAINTS),
    (&["subj", "to"], CONSTRAINTS),
    (&["subject", "to"], CONSTRAINTS),
    (&["constraint"], CONSTRAINTS),
    (&["constraints"], CONSTRAINTS),
    (&["constr"], CONSTRAINTS),
    (&["forall"], LOOPS),
    (&["foreach"], LOOPS),
    (&["for", "all"], LOOPS),
    (&["for", "each"], LOOPS),
    (&["where"], NAMES),
    (&["mod"], REMAINDERS),
    (&["rem"], REMAINDERS),
    (&["div"], REMAINDERS),
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
        if start.is("subject") && at == range.start + 2 && previous.is_some_and(|t| t.is("to")) {
            return self.foreign_words(range.start);
        }
        if let Some(error) = self.foreign_row(at, range).or_else(|| self.integers(at, range)) {
            return Some(error);
        }
        if wants(Rule::equals)
            && let Some(error) = self.definition(at, range)
        {
            return Some(error);
        }
        if wants(Rule::equals)
            && matches!(start.text, "param" | "let" | "data" | "set" | "metric")
            && previous.is_some_and(|p| p.kind == Kind::Word || p.is("]"))
        {
            match token {
                Some(t) if t.is("==") => return Some(message::equals_in_definition(t.span())),
                None => {
                    let name = self.tokens[..range.end].get(range.start + 1)?;
                    return Some(message::without_value(previous?.span(), start.text, name.text));
                }
                _ => {}
            }
        }
        let (token, previous) = (token?, previous?);
        if let Some(error) = self.written_elsewhere(at, range) {
            return Some(error);
        }
        // `for all` fails behind its `for`, or behind `all`, which the grammar has read as a name
        let for_at = [at - 1, at.saturating_sub(2)].into_iter().find(|&k| self.tokens[k].is("for"));
        if let Some(error) = for_at.filter(|&k| k > range.start).and_then(|k| self.foreign_words(k)) {
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
            // `var x, z >= 0` may bound both
            let after = self.tokens[..range.end].get(at + 2);
            let shared =
                after.is_some_and(|t| ["in", ">=", "<=", ">", "<", "≥", "≤", "∈", "["].iter().any(|w| t.is(w)));
            return Some(message::one_variable(token.span(), next.map(|t| t.text), shared));
        }
        if token.is(":") && start.is("var") && self.cut.depth[at] == self.cut.depth[range.start] {
            return Some(message::no_types(token.span()));
        }
        self.colon(token, previous, at).or_else(|| self.comma(token, at))
    }

    /// A definition without its `=`.
    fn definition(&self, at: usize, range: &Range<usize>) -> Option<Diagnostic> {
        let start = &self.tokens[range.start];
        let token = self.tokens[..range.end].get(at)?;
        let next = self.tokens[..range.end].get(at + 1);
        match start.text {
            "fn" if self.tokens[at - 1].is(")") => Some(message::function_body(token.span(), token.text)),
            "param" if token.is(":") || token.kind == Kind::Word && !token.first_on_line => {
                Some(message::no_param_types(token.span(), self.tokens[range.start + 1].text))
            }
            _ if token.is("<") && next.is_some_and(|t| t.is("-") && t.start == token.end()) => {
                Some(message::arrow_in_definition(token.span().to(next?.span())))
            }
            _ => None,
        }
    }

    /// Formulas and statements as other languages write them.
    fn written_elsewhere(&self, at: usize, range: &Range<usize>) -> Option<Diagnostic> {
        let (token, previous, start) = (&self.tokens[at], &self.tokens[at - 1], &self.tokens[range.start]);
        let before = |k: usize, text: &str| at >= range.start + k && self.tokens[at - k].is(text);
        let outside = self.cut.depth[at] == self.cut.depth[range.start];
        let objective = matches!(start.text, "minimize" | "maximize" | "regularize");
        let sums = |t: &Token<'_>| matches!(t.text, "sum" | "sum_" | "prod" | "prod_");
        if token.is(":") && objective && outside && at <= range.start + 2 {
            let named = Span { start: start.span().end, end: token.span().end };
            return Some(message::named_objective(named, start.text));
        }
        if start.is("var") && outside && previous.kind == Kind::Word && (token.is("{") || token.is("(")) {
            return Some(message::shape_in_brackets(token.span()));
        }
        let in_sum = token.is("in") && before(2, "(") && at > range.start + 2 && sums(&self.tokens[at - 3]);
        if token.is("{") && sums(previous) || in_sum {
            let sum = if in_sum { &self.tokens[at - 3] } else { previous };
            return Some(message::loop_before_term(sum.span().to(token.span()), sum.text));
        }
        if previous.ends_value() && token.is("if") && !token.first_on_line {
            return Some(message::condition_behind(token.span()));
        }
        if token.is(":") {
            let open = self.tokens[range.start..at].iter().rev().find(|t| t.is("if") || t.is("then"));
            return open.filter(|t| t.is("if")).map(|_| message::colon_for_then(token.span()));
        }
        let digits = |t: Option<&Token<'_>>| t.is_some_and(|t| t.kind == Kind::Number && t.start == token.end());
        let tight = previous.kind == Kind::Number && previous.end() == token.start;
        if token.is(",") && outside && tight && digits(self.tokens[..range.end].get(at + 1)) {
            return Some(message::decimal_comma(token.span()));
        }
        None
    }

    /// `0x10`, `1_000`: a word that is part of the number before it.
    pub(super) fn literal(&self, number: &Token<'_>, word: &Token<'_>) -> Option<Diagnostic> {
        if number.kind != Kind::Number || word.kind != Kind::Word || number.end() != word.start {
            return None;
        }
        let span = number.span().to(word.span());
        let plain = format!("{}{}", number.text, word.text.replace('_', ""));
        if word.text.starts_with('_') && plain.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
            return Some(message::grouped_digits(span, &plain));
        }
        let mut letters = word.text.chars();
        let base = match letters.next()? {
            'x' | 'X' => 16,
            'b' | 'B' => 2,
            'o' | 'O' => 8,
            _ => return None,
        };
        let digits = letters.as_str();
        let whole = number.text == "0" && !digits.is_empty() && digits.chars().all(|c| c.is_digit(base));
        whole.then(|| message::other_base(span, u64::from_str_radix(digits, base).ok().filter(|v| *v < 1 << 53)))
    }

    /// What follows a value that is called, or looks like it: `np.sum(x)`, `zeros(3, 3)(1, 2)`.
    pub(super) fn called(&self, at: usize, floor: usize) -> Option<Diagnostic> {
        let (token, previous) = (&self.tokens[at], &self.tokens[at - 1]);
        if !token.is("(") || token.start != previous.end() {
            return None;
        }
        if previous.kind == Kind::Word && at >= floor + 3 && self.tokens[at - 2].is(".") {
            let prefix = Span::new(self.operand_start(at - 1), self.tokens[at - 2].end());
            return Some(message::function_with_prefix(prefix, previous.span(), previous.text));
        }
        let depth = self.cut.depth[at];
        let inner = self.tokens[at + 1..].iter().zip(&self.cut.depth[at + 1..]).take_while(|(_, d)| **d > depth);
        let pair = inner.into_iter().any(|(t, d)| t.is(",") && *d == depth + 1);
        let left = &self.source[self.operand_start(at - 1)..previous.end()];
        (pair && previous.kind == Kind::Close).then(|| message::entry_in_parentheses(token.span(), left))
    }

    /// A phrase of another language that starts at token `i`.
    pub(super) fn foreign_words(&self, i: usize) -> Option<Diagnostic> {
        let is = |at: usize, word: &&str| self.tokens.get(at).is_some_and(|t| t.text.eq_ignore_ascii_case(word));
        let (words, help) = PHRASES.iter().find(|(words, _)| words.iter().enumerate().all(|(k, w)| is(i + k, w)))?;
        let last = &self.tokens[i + words.len() - 1];
        // a name may be such a word where it is given a value or called
        if self.tokens.get(i + words.len()).is_some_and(|t| t.is("=") || words.len() == 1 && t.is("(")) {
            return None;
        }
        let span = self.tokens[i].span().to(last.span());
        let error = message::foreign_words(span, &self.source[span.range()], help);
        let edits = if *help == CONSTRAINTS { self.as_block(i, i + words.len()) } else { None };
        Some(match edits {
            Some(edits) => error.fix("write the rows as a block", edits),
            None => error,
        })
    }

    /// Edits that make a block of the rows after the words `i..first` of a level.
    fn as_block(&self, i: usize, first: usize) -> Option<Vec<Edit>> {
        let depth = self.cut.depth[i];
        let open = (0..i).rev().find(|&k| self.tokens[k].is("{") && self.cut.depth[k] + 1 == depth)?;
        let head = (0..open).rev().find(|&k| self.cut.starts[k])?;
        if !matches!(self.tokens[head].text, "upper" | "lower") {
            return None;
        }
        let first = first + usize::from(self.tokens.get(first).is_some_and(|t| t.is(":")));
        let words = Span { start: self.tokens[i].span().start, end: self.tokens[first - 1].span().end };
        if self.tokens.get(first).is_some_and(|t| t.is("{")) {
            return Some(vec![Edit { span: words, text: "subject to".to_owned() }]);
        }
        let ends = |k: &usize| self.cut.depth[*k] < depth || self.cut.starts[*k];
        let end = (first..self.tokens.len()).find(ends).unwrap_or(self.tokens.len());
        let last = (first..end).rev().find(|&k| !self.tokens[k].is(";"))?;
        let mut edits = vec![Edit { span: words, text: "subject to {".to_owned() }];
        let commas = (first..last).filter(|&k| self.tokens[k].is(",") && self.cut.depth[k] == depth);
        edits.extend(commas.map(|k| Edit { span: self.tokens[k].span(), text: ";".to_owned() }));
        let close = self.tokens[last].span().end;
        edits.push(Edit { span: Span { start: close, end: close }, text: " }".to_owned() });
        Some(edits)
    }

    /// `var x in {0, 1}`, `var x integer`, `var x : binary`
    fn integers(&self, at: usize, range: &Range<usize>) -> Option<Diagnostic> {
        let (token, previous) = (self.tokens[..range.end].get(at)?, self.tokens.get(at.checked_sub(1)?)?);
        let word = |t: &Token<'_>| asks_for_integers(t.text);
        let name = self.tokens[range.clone()].iter().skip_while(|t| !t.is("var")).nth(1).map_or("x", |t| t.text);
        let is_var = self.tokens[range.start].is("var") || self.tokens[range.start..at].iter().any(|t| t.is("var"));
        let next = self.tokens[..range.end].get(at + 1);
        let after = if token.is(":") { next.filter(|t| word(t)) } else { Some(token).filter(|t| word(t)) };
        if let (true, Some(after)) = (is_var && previous.ends_value(), after) {
            return Some(message::no_integers(after.span(), name));
        }
        let in_set = token.is("{") && (previous.is("in") || previous.is("∈"));
        (in_set && next.is_some_and(|t| t.kind == Kind::Number)).then(|| message::no_integers(token.span(), name))
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
        if previous.is("[") || previous.is(",") || previous.ends_value() && next.is_some_and(|t| t.is("]")) {
            return Some(message::open_range(token.span()));
        }
        // outside of brackets a colon is rarely a range
        let within = self.tokens[..at].iter().rev().find(|t| t.kind == Kind::Open || t.is("in") || t.is("="));
        let ends = previous.ends_value() && next.is_some_and(|t| t.starts_value() || t.is("-"));
        let range = ends && within.is_some_and(|t| !t.is("{"));
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
