//! Why a piece does not parse, in the user's words. The grammar says where it stopped and what would have fitted;
//! the tokens around that place say which of the common mistakes it is.

use super::foreign::CALLED;
use super::reader::{Reader, Stop};
use super::walk::Rule;
use crate::diagnostic::{Certainty, Diagnostic, did_you_mean};
use crate::message;
use crate::span::Span;
use crate::token::{ITEM_KEYWORDS, Kind, STATEMENT_KEYWORDS, Token, is_reserved};
use std::ops::Range;

const BINARY: [&str; 22] = [
    "+", "-", "*", "·", "/", ".*", "./", "^", ".^", "..", "<", "<=", "≤", ">", ">=", "≥", "==", "!=", "≠", "by", "and",
    "or",
];

impl Reader<'_, '_> {
    /// Reports the failure `stop` of the piece `range`; true when a misspelt or missing keyword stopped it, so that
    /// what stands before it may be sound.
    pub(super) fn explain(&mut self, stop: &Stop, range: &Range<usize>) -> bool {
        let error = self.reason(stop, range);
        let keyword = error.code == message::UNKNOWN_KEYWORD;
        self.diagnostics.push(error);
        keyword
    }

    fn reason(&self, stop: &Stop, range: &Range<usize>) -> Diagnostic {
        let at = stop.token;
        if let Some(error) = self.foreign(stop, range) {
            return error;
        }
        let token = self.tokens[..range.end].get(at);
        let previous = if at > range.start { Some(&self.tokens[at - 1]) } else { None };
        if let (Some(previous), Some(token)) = (previous, token)
            && let Some(error) = self.neighbors(stop, previous, token, self.cut.depth[range.start] > 0)
        {
            return error;
        }
        let wants = |rules: &[Rule]| stop.wanted.iter().any(|r| rules.contains(r));
        let wants_name = wants(&[Rule::name, Rule::word]);
        let wants_value = wants(&VALUES);
        if let Some(token) = token
            && token.kind == Kind::Word
            && is_reserved(token.text)
            && wants_name
            && !wants_value
        {
            return message::keyword_as_name(token.span(), token.text);
        }
        // what follows the piece shows the user where it ends
        let next = token.or(self.tokens.get(at));
        if let Some(previous) = previous {
            let operator = BINARY.contains(&previous.text) || matches!(previous.text, "-" | "=" | "not");
            let opens = matches!(previous.text, "(" | "[" | ",") || is_reserved(previous.text);
            if operator || opens && wants_value {
                return match token {
                    Some(t) if BINARY.contains(&t.text) && !BINARY.contains(&previous.text) => {
                        message::missing_before(t.span(), t.text)
                    }
                    _ => message::missing_value(previous.text, previous.span(), next.map(|t| (t.span(), t.text))),
                };
            }
        }
        let found = match next {
            Some(t) => format!("`{}`", shorten(t.text)),
            None => "the end of the text".to_owned(),
        };
        let span = token.or(previous).map_or(Span::default(), Token::span);
        if wants(&[Rule::open_brace, Rule::block, Rule::assigns, Rule::assertions, Rule::rows])
            && token.is_none_or(|t| !wants_name || t.is("}"))
            && !self.tokens[at..range.end].iter().any(|t| t.is("{"))
        {
            return message::missing_brace(self.tokens[range.start].text, span, &found);
        }
        message::expected(span, &found, &describe(&stop.wanted))
    }

    /// Mistakes that show in two neighboring tokens.
    fn neighbors(&self, stop: &Stop, previous: &Token<'_>, token: &Token<'_>, level: bool) -> Option<Diagnostic> {
        let after_value = previous.ends_value() || previous.is("}") || previous.is(";");
        let may_end = stop.wanted.iter().any(|r| matches!(r, Rule::EOI | Rule::semicolon));
        if may_end && after_value && token.kind == Kind::Word && !is_reserved(token.text) {
            let all = ITEM_KEYWORDS.iter().chain(&STATEMENT_KEYWORDS).copied();
            let next_starts =
                self.tokens.get(stop.token + 1).is_some_and(|t| t.starts_value() || matches!(t.text, "-" | "{" | ":"));
            if token.first_on_line || previous.is(";") || next_starts && nearest_keyword(token.text, all).is_some() {
                return Some(self.unknown_start(stop.token, level));
            }
        }
        if !stop.wanted.contains(&Rule::infix) || !previous.ends_value() {
            return None;
        }
        if token.is("=") {
            return Some(message::equals_for_comparison(token.span()));
        }
        if token.starts_value() || token.is("not") {
            if self.tokens.get(stop.token + 1).is_some_and(|t| t.is(":")) {
                return Some(message::expected(token.span(), &format!("`{}`", shorten(token.text)), "`,`"));
            }
            if let Some(error) = self.literal(previous, token).or_else(|| self.called(stop.token, 0)) {
                return Some(error);
            }
            let left = self.operand_start(stop.token - 1);
            let left = Span::new(left, previous.end());
            let in_list = stop.wanted.contains(&Rule::comma);
            let product = self.product_between(stop.token, in_list);
            let right = if token.is("(") { "(...)" } else { shorten(token.text) };
            let texts = (&self.source[left.range()], right);
            if CALLED.contains(&texts.0) && token.kind == Kind::Word {
                return Some(message::argument_beside(left, token.span(), texts));
            }
            return Some(message::side_by_side(left, token.span(), texts, product));
        }
        None
    }

    /// How sure it is that a `*` is missing before a token; `None` where it is not.
    fn product_between(&self, token: usize, in_list: bool) -> Option<Certainty> {
        let (left, right, next) = (&self.tokens[token - 1], &self.tokens[token], self.tokens.get(token + 1));
        let is_number = left.kind == Kind::Number;
        let is_factor = right.kind == Kind::Word && !is_reserved(right.text) || right.is("(");
        // two names in a list lack a comma just as likely; `2 x = 3` is not a product, nor is what starts another word
        if left.kind == Kind::Text
            || right.first_on_line
            || !is_factor
            || in_list && !is_number
            || next.is_some_and(|t| t.is("=") || t.is("{") || t.is(":"))
        {
            return None;
        }
        // `a/2x` may be `a/(2*x)`, and `a^2x` be `a^(2*x)`
        let mut before = self.tokens[..token - 1].iter().rev().skip_while(|t| t.is("-") || t.is("+"));
        let binds = before.next().is_some_and(|t| ["/", "./", "^", ".^"].iter().any(|o| t.is(o)));
        // `0.1f` and `2L` are numbers of C and its kin, `2i` one of MATLAB, and `5e--4` was to have an exponent
        let suffix = ["f", "F", "d", "D", "e", "E", "l", "L", "u", "U", "i", "j"].contains(&right.text);
        // `1.5d3` is one of Fortran
        let fortran = right.text.strip_prefix(['d', 'D']).is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()));
        let is_literal = (suffix || fortran) && right.span().start == left.span().end;
        let safe = is_number && !binds && !is_literal && !next.is_some_and(|t| t.is("."));
        Some(if safe { Certainty::Safe } else { Certainty::Suggestion })
    }

    /// The error for a token that should have been a keyword.
    pub(super) fn unknown_start(&self, i: usize, in_level: bool) -> Diagnostic {
        let token = &self.tokens[i];
        if token.kind != Kind::Word {
            let found = format!("`{}`", shorten(token.text));
            return message::expected(token.span(), &found, if in_level { "a statement" } else { "an item" });
        }
        if let Some(error) = self.foreign_words(i) {
            return error;
        }
        let known: &[&str] = if in_level { &STATEMENT_KEYWORDS } else { &ITEM_KEYWORDS };
        let nearest = nearest_keyword(token.text, known.iter().copied());
        let assigns = self.tokens.get(i + 1).is_some_and(|t| t.is("="));
        if nearest.is_none() && !in_level && self.defines_function(i) {
            return message::bare_function(token.span(), token.text);
        }
        if nearest.is_none() && assigns && !is_reserved(token.text) {
            return message::bare_assignment(token.span(), token.text, in_level);
        }
        message::unknown_keyword(token.span(), token.text, nearest, in_level)
    }

    /// `f(x) = x^2` at token `i`.
    fn defines_function(&self, i: usize) -> bool {
        let depth = self.cut.depth[i];
        let opens = self.tokens.get(i + 1).is_some_and(|t| t.is("("));
        let close = (i + 2..self.tokens.len()).find(|&k| self.cut.depth[k] <= depth || self.tokens[k].is(")"));
        opens && close.and_then(|k| self.tokens.get(k + 1)).is_some_and(|t| t.is("="))
    }

    /// The first byte of the operand that ends with token `i`, as far as brackets and fields tell.
    pub(super) fn operand_start(&self, mut i: usize) -> usize {
        loop {
            let token = &self.tokens[i];
            if matches!(token.text, "'" | "ᵀ") && i > 0 {
                i -= 1;
            } else if token.kind == Kind::Close {
                let depth = self.cut.depth[i];
                let open = (0..i).rev().find(|&j| self.tokens[j].kind == Kind::Open && self.cut.depth[j] == depth);
                let Some(open) = open else { return token.start };
                let called = open > 0 && self.tokens[open - 1].ends_value();
                if !called {
                    return self.tokens[open].start;
                }
                i = open - 1;
            } else if token.kind == Kind::Word && i > 1 && self.tokens[i - 1].is(".") {
                i -= 2;
            } else {
                return token.start;
            }
        }
    }
}

/// Rules that start a value.
const VALUES: [Rule; 14] = [
    Rule::expr,
    Rule::number,
    Rule::text,
    Rule::boolean,
    Rule::conditional,
    Rule::array,
    Rule::paren,
    Rule::call,
    Rule::objective,
    Rule::prefix,
    Rule::argument,
    Rule::subscript,
    Rule::dimension,
    Rule::all,
];

/// The keyword that `word` is a misspelling of. British spellings and plurals are near enough; names of one or two
/// letters are near to everything.
pub(super) fn nearest_keyword<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let fixed = match word {
        "min" | "minimise" | "minimum" => Some("minimize"),
        "max" | "maximise" | "maximum" => Some("maximize"),
        "regularise" | "regularizer" | "prox" => Some("regularize"),
        "variable" | "variables" => Some("var"),
        "parameter" | "const" => Some("param"),
        "function" | "def" | "func" => Some("fn"),
        "leader" | "outer" => Some("upper"),
        "follower" | "inner" => Some("lower"),
        _ => None,
    };
    let known: Vec<&str> = known.collect();
    match fixed {
        Some(word) => known.into_iter().find(|k| *k == word),
        None if word.chars().count() < 3 => None,
        None => did_you_mean(word, known),
    }
}

/// At most 30 characters of a token.
pub(super) fn shorten(text: &str) -> &str {
    match text.char_indices().nth(30) {
        Some((end, _)) => &text[..end],
        None => text,
    }
}

/// What the grammar wanted, as a list for people.
fn describe(rules: &[Rule]) -> String {
    // after a complete operand nearly everything may follow; only what closes or separates is news
    let operand = rules.contains(&Rule::infix);
    let mut words: Vec<&str> = Vec::new();
    for rule in rules {
        if operand && matches!(rule, Rule::open_paren | Rule::open_bracket | Rule::index | Rule::EOI | Rule::semicolon)
        {
            continue;
        }
        if let Some(word) = word(*rule)
            && !words.contains(&word)
        {
            words.push(word);
        }
    }
    if words.len() > 1 {
        words.retain(|w| *w != "an operator" && *w != "the end");
    }
    match words.as_slice() {
        [] => "something else".to_owned(),
        [one] => (*one).to_owned(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}

fn word(rule: Rule) -> Option<&'static str> {
    if VALUES.contains(&rule) {
        return Some("a value");
    }
    Some(match rule {
        Rule::name | Rule::word | Rule::part | Rule::fact | Rule::target | Rule::column => "a name",
        Rule::assign | Rule::named => "`name = value`",
        Rule::equals => "`=`",
        Rule::comma => "`,`",
        Rule::colon => "`:`",
        Rule::open_paren | Rule::options => "`(`",
        Rule::close_paren => "`)`",
        Rule::open_bracket | Rule::dims => "`[`",
        Rule::close_bracket => "`]`",
        Rule::open_brace | Rule::block | Rule::assigns | Rule::assertions | Rule::rows => "`{`",
        Rule::close_brace => "`}`",
        Rule::for_kw | Rule::generator => "`for`",
        Rule::in_kw => "`in`",
        Rule::then_kw => "`then`",
        Rule::else_kw => "`else`",
        Rule::into_kw => "`into`",
        Rule::from_kw => "`from`",
        Rule::with_kw => "`with`",
        Rule::to_kw => "`to`",
        Rule::if_kw | Rule::filter => "`if`",
        Rule::bound => "`>=` or `<=`",
        Rule::infix | Rule::index | Rule::transpose | Rule::field | Rule::dot => "an operator",
        Rule::EOI | Rule::semicolon => "the end",
        _ => return None,
    })
}
