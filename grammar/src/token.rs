//! A flat scan of the text into tokens, comments included. The parser proper is the pest grammar; these tokens
//! serve what a grammar cannot: cutting the text into pieces, naming a mistake in the user's words, and layout.
//! The scan never fails: what it does not know becomes an `Unknown` token.

use crate::span::Span;
use pest::unicode::{XID_CONTINUE, XID_START};

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An identifier or keyword.
    Word,
    /// A number.
    Number,
    /// A string literal.
    Text,
    /// A string literal that its line ends before its closing quote.
    OpenText,
    /// `# ...` or `## ...`, without the line end.
    Comment,
    /// `( [ {`
    Open,
    /// `) ] }`
    Close,
    /// An operator or separator of the language.
    Symbol,
    /// An operator of another language, or a character with no meaning here.
    Unknown,
}

/// One token.
#[derive(Clone, Copy, Debug)]
pub struct Token<'a> {
    /// What it is.
    pub kind: Kind,
    /// Its text.
    pub text: &'a str,
    /// First byte in the source.
    pub start: usize,
    /// True when no other token stands before it on its line.
    pub first_on_line: bool,
}

impl Token<'_> {
    /// One past the last byte.
    pub fn end(&self) -> usize {
        self.start + self.text.len()
    }

    /// Its place.
    pub fn span(&self) -> Span {
        Span::new(self.start, self.end())
    }

    /// True for the word, symbol or bracket `text`.
    pub fn is(&self, text: &str) -> bool {
        self.text == text && !matches!(self.kind, Kind::Text | Kind::Comment)
    }

    /// True when an expression may end here.
    pub fn ends_value(&self) -> bool {
        match self.kind {
            Kind::Number | Kind::Text => true,
            Kind::Word => !is_reserved(self.text) || matches!(self.text, "true" | "false" | "upper" | "lower"),
            Kind::Close => self.text != "}",
            Kind::Symbol => matches!(self.text, "'" | "ᵀ"),
            _ => false,
        }
    }

    /// True when an expression may start here, a sign or `not` aside.
    pub fn starts_value(&self) -> bool {
        match self.kind {
            Kind::Number | Kind::Text => true,
            Kind::Word => !is_reserved(self.text) || matches!(self.text, "true" | "false" | "upper" | "lower" | "if"),
            Kind::Open => self.text != "{",
            _ => false,
        }
    }
}

/// Words that start an item.
pub const ITEM_KEYWORDS: [&str; 19] = [
    "problem", "param", "let", "fn", "set", "data", "dataset", "split", "corrupt", "episodes", "upper", "lower",
    "start", "known", "metric", "method", "expect", "option", "import",
];

/// Words that start a statement of a level.
pub const STATEMENT_KEYWORDS: [&str; 7] = ["var", "minimize", "maximize", "regularize", "let", "subject", "lower"];

/// Words of expressions that cannot be names.
pub const OPERATOR_WORDS: [&str; 11] = ["if", "then", "else", "for", "in", "by", "and", "or", "not", "true", "false"];

/// True for words that cannot be names.
pub fn is_reserved(word: &str) -> bool {
    ITEM_KEYWORDS.contains(&word) || STATEMENT_KEYWORDS.contains(&word) || OPERATOR_WORDS.contains(&word)
}

/// Symbols of the language, longest first.
const SYMBOLS: [&str; 28] = [
    "==", "!=", "<=", ">=", "..", ".*", "./", ".^", "≤", "≥", "≠", "∈", "ᵀ", "·", "+", "-", "*", "/", "^", "'", "=",
    "<", ">", ",", ";", ":", ".", "_",
];

/// Operators of other languages that would otherwise scan as two of ours; checked first.
const FOREIGN: [&str; 17] =
    ["===", "!==", "**", "&&", "||", "//", "/*", "=>", "=<", "<>", "~=", ":=", "+=", "-=", "*=", "/=", ".'"];

/// The byte order mark, skipped like a space.
const BYTE_ORDER_MARK: char = '\u{FEFF}';

fn starts_word(c: char) -> bool {
    XID_START(c) && c != 'ᵀ'
}

// `·` and its canonical twin are XID_CONTINUE, yet `x·y` must be a product; `ᵀ` is a letter, yet `Aᵀ` a transpose.
fn continues_word(c: char) -> bool {
    XID_CONTINUE(c) && !matches!(c, 'ᵀ' | '·' | '\u{387}')
}

/// Scans the whole text.
pub fn scan(source: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let (mut at, mut first_on_line) = (0, true);
    while let Some(c) = source[at..].chars().next() {
        if c == '\n' {
            first_on_line = true;
        }
        if c.is_whitespace() || c == BYTE_ORDER_MARK {
            at += c.len_utf8();
            continue;
        }
        let (kind, length) = token(&source[at..], c);
        tokens.push(Token { kind, text: &source[at..at + length], start: at, first_on_line });
        at += length;
        first_on_line = false;
    }
    tokens
}

fn token(rest: &str, c: char) -> (Kind, usize) {
    if c == '#' {
        let line = rest.find('\n').unwrap_or(rest.len());
        return (Kind::Comment, rest[..line].trim_end().len());
    }
    if c == '"' {
        return text(rest);
    }
    let second = rest[c.len_utf8()..].chars().next();
    if c.is_ascii_digit() || c == '.' && second.is_some_and(|s| s.is_ascii_digit()) {
        return (Kind::Number, number(rest.as_bytes()));
    }
    if starts_word(c) || c == '_' && second.is_some_and(continues_word) {
        return (Kind::Word, rest.find(|c| !continues_word(c)).unwrap_or(rest.len()));
    }
    if "([{".contains(c) {
        return (Kind::Open, 1);
    }
    if ")]}".contains(c) {
        return (Kind::Close, 1);
    }
    // `2*=` and the like cannot be ours, but `a=-1`, `x<=-1` and `1..-n` are: only whole foreign operators count.
    if let Some(found) = FOREIGN.iter().find(|s| rest.starts_with(**s)) {
        return (Kind::Unknown, found.len());
    }
    match SYMBOLS.iter().find(|s| rest.starts_with(**s)) {
        Some(found) => (Kind::Symbol, found.len()),
        None => (Kind::Unknown, c.len_utf8()),
    }
}

fn text(rest: &str) -> (Kind, usize) {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            '\n' => return (Kind::OpenText, rest[..at].trim_end().len().max(1)),
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return (Kind::Text, at + 1),
            _ => {}
        }
    }
    (Kind::OpenText, rest.trim_end().len().max(1))
}

/// The length of the number at the start: digits, a point only before a digit, an exponent only with digits.
fn number(bytes: &[u8]) -> usize {
    let digits = |mut at: usize| {
        while bytes.get(at).is_some_and(u8::is_ascii_digit) {
            at += 1;
        }
        at
    };
    let mut end = digits(0);
    if bytes.get(end) == Some(&b'.') && bytes.get(end + 1).is_some_and(u8::is_ascii_digit) {
        end = digits(end + 1);
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let after = digits(end + 1 + sign);
        if after > end + 1 + sign {
            end = after;
        }
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(source: &str) -> Vec<&str> {
        scan(source).iter().map(|t| t.text).collect()
    }

    #[test]
    fn a_point_belongs_to_a_number_only_before_a_digit() {
        assert_eq!(
            texts("1..n 2.*x 1./x 1.5e-3 .5 1e"),
            ["1", "..", "n", "2", ".*", "x", "1", "./", "x", "1.5e-3", ".5", "1", "e"]
        );
    }

    #[test]
    fn transposes_and_dots_end_a_name() {
        assert_eq!(texts("Aᵀ·x₁ αβ_1"), ["A", "ᵀ", "·", "x", "₁", "αβ_1"]);
    }

    #[test]
    fn strings_end_with_their_line() {
        let tokens = scan("a = \"b\\\" # no\nc");
        assert_eq!(tokens[2].kind, Kind::OpenText);
        assert_eq!(tokens[3].text, "c");
    }
}
