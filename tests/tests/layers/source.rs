//! Rust text as far as the layer test needs it: words and signs with their lines, without comments, strings and code
//! that only tests compile. Not a parser: it knows where an item ends and nothing of what it means.

/// A word or a sign of a source text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) text: &'a str,
    /// From 1.
    pub(super) line: usize,
}

impl Token<'_> {
    /// True for names and keywords.
    pub(super) fn is_word(&self) -> bool {
        self.text.starts_with(|c: char| c.is_alphabetic() || c == '_')
    }
}

/// All tokens of a text; a string or a number is one token that is no word.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let (mut at, mut line) = (0, 1);
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let length = length(rest, c);
        let piece = &rest[..length];
        let shown = match c {
            '/' if rest.starts_with("//") || rest.starts_with("/*") => None,
            _ if c.is_whitespace() => None,
            // what it says could be mistaken for code
            _ if piece.contains('"') || piece.starts_with('\'') => Some("\"\""),
            _ => Some(piece),
        };
        found.extend(shown.map(|text| Token { text, line }));
        line += piece.matches('\n').count();
        at += length;
    }
    found
}

/// The length of the token at the start of `rest`, whose first character is `c`.
fn length(rest: &str, c: char) -> usize {
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return block_comment(rest);
    }
    let prefix = rest.find(|c| !matches!(c, 'b' | 'c' | 'r')).unwrap_or(0);
    if let Some(length) = raw_string(rest, prefix) {
        return length;
    }
    if prefix <= 2 && rest[prefix..].starts_with('"') {
        return prefix + quoted(&rest[prefix..], '"');
    }
    if c == '\'' {
        let mut after = rest.chars().skip(1);
        let (second, third) = (after.next(), after.next());
        // a lifetime has no closing quote behind its first letter
        let lifetime = second != Some('\\') && third != Some('\'');
        return if lifetime { 1 } else { quoted(rest, '\'') };
    }
    if c.is_alphanumeric() || c == '_' {
        return rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
    }
    if rest.starts_with("::") { 2 } else { c.len_utf8() }
}

fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        if rest[at..].starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if rest[at..].starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                break;
            }
        } else {
            at += rest[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    at
}

/// `r#"..."#` behind a prefix that ends in `r`.
fn raw_string(rest: &str, prefix: usize) -> Option<usize> {
    let body = rest[..prefix].ends_with('r').then(|| &rest[prefix..])?;
    let hashes = body.find(|c| c != '#')?;
    let start = body[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    Some(prefix + hashes + 1 + start.find(&end).map_or(start.len(), |at| at + end.len()))
}

fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    rest.len()
}

/// The tokens that a build without tests compiles, and the names of modules in other files that only tests have.
pub(super) fn without_tests<'a>(tokens: &[Token<'a>]) -> (Vec<Token<'a>>, Vec<&'a str>) {
    let (mut kept, mut modules) = (Vec::new(), Vec::new());
    let mut at = 0;
    while at < tokens.len() {
        let Some(end) = test_attribute(tokens, at) else {
            kept.push(tokens[at]);
            at += 1;
            continue;
        };
        let last = item_end(tokens, end);
        let item = &tokens[end..last];
        if let Some(name) = item.iter().position(|t| t.text == "mod").and_then(|m| item.get(m + 1)) {
            modules.push(name.text);
        }
        at = last;
    }
    (kept, modules)
}

/// The end of `#[cfg(test)]` or `#[test]`, if one starts at `at`.
fn test_attribute(tokens: &[Token<'_>], at: usize) -> Option<usize> {
    let words: Vec<&str> = tokens[at..].iter().take(7).map(|t| t.text).collect();
    match words.as_slice() {
        ["#", "[", "cfg", "(", "test", ")", "]"] => Some(at + 7),
        ["#", "[", "test", "]", ..] => Some(at + 4),
        _ => None,
    }
}

/// One past the last token of the item at `start`: its `;`, or the `}` of its body.
pub(super) fn item_end(tokens: &[Token<'_>], start: usize) -> usize {
    let is_use = tokens[start..].iter().take(6).take_while(|t| t.text != ";").any(|t| t.text == "use");
    let mut depth = 0;
    for (i, token) in tokens.iter().enumerate().skip(start) {
        match token.text {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" => depth -= 1,
            "}" => {
                depth -= 1;
                if depth == 0 && !is_use {
                    return i + 1;
                }
            }
            ";" if depth == 0 => return i + 1,
            _ => {}
        }
    }
    tokens.len()
}

/// A function with a body: name, first line, number of lines from `fn` to its last brace.
pub(super) fn functions<'a>(tokens: &[Token<'a>]) -> Vec<(&'a str, usize, usize)> {
    let mut found = Vec::new();
    for (i, pair) in tokens.windows(2).enumerate() {
        if pair[0].text != "fn" || !pair[1].is_word() {
            continue;
        }
        let end = item_end(tokens, i);
        if tokens[end - 1].text == "}" {
            found.push((pair[1].text, pair[0].line, tokens[end - 1].line - pair[0].line + 1));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<&str> {
        tokens(text).iter().map(|t| t.text).collect()
    }

    #[test]
    fn comments_and_strings_are_no_code() {
        assert_eq!(texts("a /* b /* c */ d */ e // f\n g"), ["a", "e", "g"]);
        assert_eq!(
            texts(r##"x("use crate::a", r#"y"z"#, b"w", '"', 'l', &'a b, '\'')"##)[..5],
            ["x", "(", "\"\"", ",", "\"\""]
        );
        assert_eq!(texts("rest::broken")[..], ["rest", "::", "broken"]);
        assert_eq!(tokens("a\n\n\"\n\"b").last().map(|t| t.line), Some(4));
    }

    #[test]
    fn what_only_tests_compile_is_left_out() {
        let all = tokens(
            "use a; #[cfg(test)] use b::{c}; fn d() {} #[cfg(test)] mod e; #[cfg(test)] mod f { g } #[test] fn h() {} i",
        );
        let (kept, modules) = without_tests(&all);
        let kept: Vec<&str> = kept.iter().map(|t| t.text).collect();
        assert_eq!(kept, ["use", "a", ";", "fn", "d", "(", ")", "{", "}", "i"]);
        assert_eq!(modules, ["e", "f"]);
    }

    #[test]
    fn functions_have_lengths() {
        let text = "trait A {\n fn a();\n fn b(x: [u8; 3]) -> u8 {\n if true { 1 } else { 2 }\n }\n}\nfn c() {}";
        assert_eq!(functions(&tokens(text)), [("b", 3, 3), ("c", 7, 1)]);
    }
}
