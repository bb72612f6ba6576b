//! Text within the columns of a page. Pieces of programs in backticks, flags and paths stay whole, for whoever copies
//! them; one that is wider than the page has a line of its own.

use textwrap::core::Word;
use textwrap::{Options, WordSeparator, WordSplitter};

/// Columns of a stream that is not a terminal.
pub const PAGE: usize = 80;

/// A text in lines of at most `width` columns.
pub fn broken(text: &str, width: usize) -> Vec<String> {
    let lines = text.split('\n').flat_map(|line| textwrap::wrap(line, options(width.max(1))));
    lines.map(|line| line.into_owned()).collect()
}

/// A text in lines of at most `page` columns, each with `indent` before it, and those after the first with two blanks
/// more.
pub fn paragraph(text: &str, indent: &str, page: usize) -> String {
    let next = format!("{indent}  ");
    textwrap::fill(text, options(page).initial_indent(indent).subsequent_indent(&next)) + "\n"
}

/// Where lines may be broken.
pub fn options<'a>(width: usize) -> Options<'a> {
    let separator = WordSeparator::Custom(|line| Box::new(words(line).into_iter()));
    Options::new(width).break_words(false).word_separator(separator).word_splitter(WordSplitter::NoHyphenation)
}

/// The words of a line with the blanks that follow them; a piece in backticks is one word, and so is `name = value`.
fn words(line: &str) -> Vec<Word<'_>> {
    let closed = line.matches('`').count().is_multiple_of(2);
    let (mut words, mut start, mut quoted) = (Vec::new(), 0, false);
    for (at, c) in line.char_indices() {
        let equals = line[..at].ends_with(" = ") || line[at..].starts_with("= ");
        let begins = at > start && c != ' ' && line[..at].ends_with(' ') && !equals;
        if begins && !quoted {
            words.push(Word::from(&line[start..at]));
            start = at;
        }
        quoted ^= c == '`' && closed;
    }
    if start < line.len() {
        words.push(Word::from(&line[start..]));
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_and_flags_stay_whole() {
        let wanted = ["write", "`x + y`, or", "`--max-iter`"];
        assert_eq!(broken("write `x + y`, or `--max-iter`", 12), wanted);
        assert_eq!(broken("a `b c d e f` g", 4), ["a", "`b c d e f`", "g"]);
        assert_eq!(broken("it's ` alone", 6), ["it's `", "alone"]);
        assert_eq!(broken("with alpha = 1, c = 2", 12), ["with", "alpha = 1,", "c = 2"]);
        assert_eq!(broken("", 6), [""]);
        assert_eq!(broken("a\nb", 6), ["a", "b"]);
    }

    #[test]
    fn a_paragraph_hangs() {
        assert_eq!(paragraph("one two three", " ", 8), " one two\n   three\n");
    }
}
