//! Lines and characters of a text. Editors count characters in UTF-16 unless both sides agree on bytes, and their lines
//! end in `\n`, `\r\n` or `\r`.

use blo_grammar::span::Span;

/// What a character of a position is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// A byte.
    Utf8,
    /// A unit of UTF-16.
    #[default]
    Utf16,
    /// A scalar value.
    Utf32,
}

/// A place as editors count it, both from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: u32,
    /// Characters before it on the line.
    pub character: u32,
}

/// Where the lines of a text begin.
#[derive(Clone, Debug, Default)]
pub struct Lines {
    starts: Vec<usize>,
}

impl Lines {
    /// Finds the lines.
    pub fn new(text: &str) -> Lines {
        let bytes = text.as_bytes();
        let mut starts = vec![0];
        for (i, b) in bytes.iter().enumerate() {
            if *b == b'\n' || *b == b'\r' && bytes.get(i + 1) != Some(&b'\n') {
                starts.push(i + 1);
            }
        }
        Lines { starts }
    }

    /// The position of a byte of the text; one within a character is at its beginning.
    pub fn position(&self, text: &str, offset: usize, encoding: Encoding) -> Position {
        let mut offset = offset.min(text.len());
        while !text.is_char_boundary(offset) {
            offset -= 1;
        }
        let line = self.starts.partition_point(|s| *s <= offset).saturating_sub(1);
        let before = text.get(self.starts[line]..offset).unwrap_or_default();
        Position { line: line as u32, character: length(before, encoding) }
    }

    /// The byte at a position. A position beyond its line is at the line's end, one beyond the text at the text's end, one
    /// within a character at its beginning.
    pub fn offset(&self, text: &str, position: Position, encoding: Encoding) -> usize {
        let Some(start) = self.starts.get(position.line as usize).copied() else { return text.len() };
        let end = self.starts.get(position.line as usize + 1).copied().unwrap_or(text.len());
        let line = text.get(start..end).unwrap_or_default().trim_end_matches(['\r', '\n']);
        let mut left = position.character;
        for (at, c) in line.char_indices() {
            let units = units(c, encoding);
            if left < units {
                return start + at;
            }
            left -= units;
        }
        start + line.len()
    }

    /// The positions of a span.
    pub fn range(&self, text: &str, span: Span, encoding: Encoding) -> [Position; 2] {
        [span.start, span.end].map(|at| self.position(text, at as usize, encoding))
    }
}

/// The characters of a text.
pub(in crate::editor) fn length(text: &str, encoding: Encoding) -> u32 {
    text.chars().map(|c| units(c, encoding)).sum()
}

fn units(c: char, encoding: Encoding) -> u32 {
    let units = match encoding {
        Encoding::Utf8 => c.len_utf8(),
        Encoding::Utf16 => c.len_utf16(),
        Encoding::Utf32 => 1,
    };
    units as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "let α = 1\r\n# 🦀 β\rx\n\ny";

    #[test]
    fn every_character_goes_there_and_back_in_every_encoding() {
        let lines = Lines::new(TEXT);
        for encoding in [Encoding::Utf8, Encoding::Utf16, Encoding::Utf32] {
            for (at, c) in TEXT.char_indices().filter(|(_, c)| !matches!(c, '\n' | '\r')) {
                let position = lines.position(TEXT, at, encoding);
                assert_eq!(lines.offset(TEXT, position, encoding), at, "{c} {position:?} {encoding:?}");
            }
        }
    }

    #[test]
    fn greek_letters_and_emoji_have_the_width_that_was_agreed_on() {
        let lines = Lines::new(TEXT);
        let of = |what: &str, encoding| {
            let p = lines.position(TEXT, TEXT.find(what).expect("it is there"), encoding);
            (p.line, p.character)
        };
        assert_eq!(of("β", Encoding::Utf16), (1, 5));
        assert_eq!(of("β", Encoding::Utf8), (1, 7));
        assert_eq!(of("β", Encoding::Utf32), (1, 4));
        assert_eq!(of("= 1", Encoding::Utf16), (0, 6));
        assert_eq!((of("x", Encoding::Utf8), of("y", Encoding::Utf8)), ((2, 0), (4, 0)));
    }

    #[test]
    fn what_lies_outside_is_at_the_nearest_place() {
        let lines = Lines::new(TEXT);
        let at = |line, character| lines.offset(TEXT, Position { line, character }, Encoding::Utf16);
        assert_eq!(at(0, 99), "let α = 1".len());
        assert_eq!(at(9, 0), TEXT.len());
        // between the halves of the crab
        assert_eq!(at(1, 3), TEXT.find('🦀').expect("it is there"));
        assert_eq!(lines.position(TEXT, 9_999, Encoding::Utf8), Position { line: 4, character: 1 });
        assert_eq!(Lines::new("").offset("", Position { line: 3, character: 3 }, Encoding::Utf8), 0);
    }
}
