//! Where in a file something is, and what stands there, for messages.

use std::fmt;

/// A place inside a file. Everything counts from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A cell of a text table.
    Cell {
        /// The line as an editor shows it; the header counts.
        line: u64,
        /// The row of the array; the header does not count. 0 for the header itself.
        row: u64,
        /// The column of the file, whatever the selection.
        column: usize,
        /// The column's name, where the file has a header.
        name: Option<String>,
    },
    /// An entry of a binary array, by its index.
    Entry {
        /// One number per axis.
        index: Vec<usize>,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Cell { line, row, column, name } => {
                write!(f, "line {line}")?;
                if *row != 0 && row != line {
                    write!(f, " (row {row})")?;
                }
                write!(f, ", column {column}")?;
                name.as_ref().map_or(Ok(()), |name| write!(f, " (`{}`)", shorten(name.as_bytes())))
            }
            Place::Entry { index } => write!(f, "entry {index:?}"),
        }
    }
}

/// The text of a cell for a message: at most 40 characters, control characters escaped.
pub(super) fn shorten(bytes: &[u8]) -> String {
    // A character has at most four bytes, so the first 200 bytes decide.
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(200)]);
    let mut short: String = text
        .chars()
        .take(40)
        .flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] })
        .collect();
    if text.chars().count() > 40 {
        short.push_str("...");
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_shows_line_row_and_column() {
        let mut place = Place::Cell { line: 3, row: 2, column: 4, name: Some("Y".into()) };
        assert_eq!(place.to_string(), "line 3 (row 2), column 4 (`Y`)");
        place = Place::Cell { line: 3, row: 2, column: 4, name: Some("a\nb".repeat(100)) };
        let shown = place.to_string();
        assert!(shown.starts_with("line 3 (row 2), column 4 (`a\\nba\\nb") && shown.ends_with("...`)"), "{shown}");
        place = Place::Cell { line: 3, row: 3, column: 4, name: None };
        assert_eq!(place.to_string(), "line 3, column 4");
        assert_eq!(Place::Entry { index: vec![1, 2] }.to_string(), "entry [1, 2]");
    }

    #[test]
    fn long_and_unprintable_texts_are_tamed() {
        assert_eq!(shorten(&[b'a'; 1000]), "a".repeat(40) + "...");
        assert_eq!(shorten(b"a\nb"), "a\\nb");
        assert_eq!(shorten("äöü".repeat(100).as_bytes()).chars().count(), 43);
    }
}
