//! Why a piece does not parse, in the user's words. The grammar says where it stopped and what would have fitted;
//! the tokens around that place say which of the common mistakes it is.

use super::walk::Rule;
use super::{Reader, Stop};
use crate::diagnostic::did_you_mean;
use crate::message;
use crate::span::Span;
use crate::token::{ITEM_KEYWORDS, Kind, STATEMENT_KEYWORDS, Token, is_reserved};
use std::ops::Range;

const BINARY: [&str; 22] = [
    "+", "-", "*", "·", "/", ".*", "./", "^", ".^", "..", "<", "<=", "≤", ">", ">=", "≥", "==", "!=", "≠", "by", "and",
    "or",
];

impl Reader<'_, '_> {
    /// Reports the failure `stop` of the piece `range`.
    pub(super) fn explain(&mut self, stop: &Stop, range: &Range<usize>) {
        let error = self.reason(stop, range);
        self.diagnostics.push(error);
    }

    fn reason(&self, stop: &Stop, range: &Range<usize>) -> crate::diagnostic::Diagnostic {
        let at = stop.token;
        let inside = at < range.end;
        let token = if inside { Some(&self.tokens[at]) } else { None };
        let previous = if at > range.start { Some(&self.tokens[at - 1]) } else { None };
        let level = self.cut.depth[range.start] > 0;
        if let (Some(previous), Some(token)) = (previous, token)
            && let Some(error) = self.pair(at, previous, token, level)
        {
            return error;
        }
        let found = token.map(|t| (t.span(), t.text));
        let wants_name = stop.wanted.iter().any(|r| matches!(r, Rule::name | Rule::word));
        let wants_value = stop.wanted.iter().any(|r| matches!(r, Rule::number | Rule::expr));
        if let Some(previous) = previous {
            let operator = BINARY.contains(&previous.text) || previous.is("=") || previous.is("not");
            let keyword = is_reserved(previous.text) && wants_value;
            if operator || keyword || matches!(previous.text, "(" | "[" | ",") && wants_value {
                // what follows the piece shows the user where it ends
                let found = found.or_else(|| self.tokens.get(at).map(|t| (t.span(), t.text)));
                return match token {
                    Some(t) if t.kind == Kind::Word && is_reserved(t.text) && wants_name && !wants_value => {
                        message::keyword_as_name(t.span(), t.text)
                    }
                    Some(t) if BINARY.contains(&t.text) && !operator => message::missing_before(t.span(), t.text),
                    _ => message::missing_value(previous.text, previous.span(), found),
                };
            }
        }
        if let Some(token) = token
            && token.kind == Kind::Word
            && is_reserved(token.text)
            && wants_name
        {
            return message::keyword_as_name(token.span(), token.text);
        }
        let found_text = match token.or(self.tokens.get(at)) {
            Some(t) => format!("`{}`", shorten(t.text)),
            None => "the end of the text".to_owned(),
        };
        let span = match (token, previous) {
            (Some(token), _) => token.span(),
            (None, Some(previous)) => previous.span(),
            (None, None) => Span::default(),
        };
        let wanted = describe(&stop.wanted);
        if wanted == "`{`" {
            return message::missing_brace(self.tokens[range.start].text, span, &found_text);
        }
        message::expected(span, &found_text, &wanted)
    }

    /// Mistakes that show in two neighbouring tokens.
    fn pair(
        &self,
        at: usize,
        previous: &Token<'_>,
        token: &Token<'_>,
        level: bool,
    ) -> Option<crate::diagnostic::Diagnostic> {
        let after_value = previous.ends_value() || previous.is("}");
        if token.kind == Kind::Word && !is_reserved(token.text) && after_value {
            let all = ITEM_KEYWORDS.iter().chain(&STATEMENT_KEYWORDS).copied();
            let near = nearest_keyword(token.text, all);
            let next_starts = self.tokens.get(at + 1).is_some_and(|t| t.starts_value() || t.is("-") || t.is("{"));
            if near.is_some() && (next_starts || token.first_on_line) || token.first_on_line {
                return Some(self.unknown_start(at, level));
            }
        }
        if after_value && token.is("=") {
            return Some(message::equals_for_comparison(token.span()));
        }
        if previous.ends_value() && (token.starts_value() || token.is("not")) {
            let plain = |t: &Token<'_>| matches!(t.kind, Kind::Number | Kind::Word) && !is_reserved(t.text);
            let left = previous.kind == Kind::Number || plain(previous) || previous.is(")");
            let product = left && (plain(token) || token.is("(")) && !token.first_on_line && token.kind != Kind::Number;
            let texts = (shorten(previous.text), shorten(token.text));
            return Some(message::side_by_side(previous.span(), token.span(), texts, product));
        }
        None
    }
}

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
    let mut words: Vec<&str> = Vec::new();
    for rule in rules {
        if let Some(word) = word(*rule)
            && !words.contains(&word)
        {
            words.push(word);
        }
    }
    // operators could follow nearly everywhere: they are news only when nothing else fits
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
    Some(match rule {
        Rule::name | Rule::word => "a name",
        Rule::equals => "`=`",
        Rule::comma => "`,`",
        Rule::colon => "`:`",
        Rule::open_paren | Rule::options => "`(`",
        Rule::close_paren => "`)`",
        Rule::open_bracket | Rule::dims => "`[`",
        Rule::close_bracket => "`]`",
        Rule::open_brace | Rule::block | Rule::assigns | Rule::assertions => "`{`",
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
        Rule::expr | Rule::number | Rule::text | Rule::boolean | Rule::conditional | Rule::array | Rule::paren => {
            "a value"
        }
        Rule::call | Rule::objective | Rule::level_name | Rule::prefix => "a value",
        Rule::infix | Rule::index | Rule::transpose | Rule::field | Rule::dot => "an operator",
        Rule::EOI | Rule::semicolon => "the end",
        Rule::all => "`_`",
        _ => return None,
    })
}
