//! Characters that a terminal would obey instead of showing them: control characters of both blocks, and those that turn
//! the order of text. Comments, texts, paths and names of a file may hold them; what is written for people may not.

use std::borrow::Cow;

/// Stands for a character that has no picture.
const UNKNOWN: char = '\u{fffd}';

/// The text with such characters shown; line ends and tabs stay.
pub fn visible(text: &str) -> Cow<'_, str> {
    shown(text, |c| matches!(c, '\n' | '\t'))
}

/// The text on one line.
pub fn on_one_line(text: &str) -> Cow<'_, str> {
    shown(text, |_| false)
}

/// What a renderer with colors has written: it shows the first block of control characters itself.
pub fn within_styles(text: &str) -> Cow<'_, str> {
    shown(text, |c| c.is_ascii())
}

fn shown(text: &str, stays: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.chars().any(|c| !stays(c) && is_hidden(c)) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(|c| if stays(c) || !is_hidden(c) { c } else { picture(c) }).collect())
}

fn is_hidden(c: char) -> bool {
    let turns = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || turns || matches!(c, '\u{2028}' | '\u{2029}')
}

/// Unicode has pictures of the control characters of ASCII.
fn picture(c: char) -> char {
    match u32::from(c) {
        9 => ' ',
        code @ 0..=31 => char::from_u32(0x2400 + code).unwrap_or(UNKNOWN),
        127 => '\u{2421}',
        _ => UNKNOWN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_shown() {
        let text = "a\tb\u{1b}[31m\u{9b}31m\u{7f}\u{202e}\r\n\u{7}λ";
        assert_eq!(visible(text), "a\tb␛[31m\u{fffd}31m␡\u{fffd}␍\n␇λ");
        assert_eq!(on_one_line(text), "a b␛[31m\u{fffd}31m␡\u{fffd}␍␊␇λ");
        assert_eq!(within_styles(text), text.replace(['\u{9b}', '\u{202e}'], "\u{fffd}"));
        assert!(matches!(visible("λ ≤ 1\n"), Cow::Borrowed(_)));
    }
}
