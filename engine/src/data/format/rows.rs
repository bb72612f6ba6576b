//! The rows of a text table: cells split by the `csv` crate, lines numbered as an editor shows them, all of one width.
//!
//! The crate's own line numbers are those at which it starts looking for a row, before blank lines; here they are
//! corrected, and from the same count follow blank lines inside the table and quotes that are never closed.

use std::io::{BufRead, Read};

use csv::{ByteRecord, ErrorKind, Reader, ReaderBuilder, Terminator};

use super::cell::clean;
use crate::data::error::ReadErrorKind;
use crate::data::unpack::{peek, recognize};

/// The character between the cells.
#[derive(Clone, Copy)]
pub(super) struct Flavour {
    /// The format's name, for messages.
    pub(super) format: &'static str,
    /// One ASCII character.
    pub(super) separator: u8,
}

impl Flavour {
    pub(super) const COMMA: Flavour = Flavour { format: "csv", separator: b',' };
    pub(super) const TAB: Flavour = Flavour { format: "tsv", separator: b'\t' };
}

/// The rows of a file with their line numbers, all of one width.
pub(super) struct Rows {
    reader: Reader<Box<dyn Read>>,
    /// Cells of the first row.
    width: Option<usize>,
    /// The last blank line since the row before.
    blank: Option<u64>,
}

impl Rows {
    pub(super) fn open(reader: Box<dyn BufRead>, flavour: Flavour) -> Result<Rows, ReadErrorKind> {
        let (start, reader) = peek(reader, 6)?;
        if let Some(found) = recognize(&start) {
            return Err(ReadErrorKind::NotThisFormat { format: flavour.format, found: found.to_owned() });
        }
        // The csv crate passes over a byte order mark only where its first read delivers it whole; `peek` sees to that.
        // One more line break ends the last row like all others, which makes lines countable (see `next`).
        let reader: Box<dyn Read> = Box::new(reader.chain(&b"\n"[..]));
        let reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(flavour.separator)
            // With the default terminator the line feed of CRLF is counted to the next row. The carriage return is
            // trimmed with the other blanks.
            .terminator(Terminator::Any(b'\n'))
            .buffer_capacity(1 << 16)
            .from_reader(reader);
        Ok(Rows { reader, width: None, blank: None })
    }

    /// Fetches the next row and returns its first line, or `None` at the end.
    pub(super) fn next(&mut self, row: &mut ByteRecord) -> Result<Option<u64>, ReadErrorKind> {
        loop {
            let start = self.reader.position().line();
            let more = self.reader.read_byte_record(row).map_err(|error| match error.into_kind() {
                ErrorKind::Io(error) => error.into(),
                other => ReadErrorKind::Io { reason: format!("{other:?}") },
            })?;
            if !more {
                return Ok(None);
            }
            // A row takes its own line break and those inside quotes; what is left over are blank lines before it.
            // Without a line break of its own, a quote has swallowed it.
            let taken = self.reader.position().line() - start;
            let inside = row.as_slice().iter().filter(|&&byte| byte == b'\n').count() as u64;
            if taken <= inside {
                return Err(ReadErrorKind::UnclosedQuote { line: start });
            }
            let line = start + taken - inside - 1;
            if line > start {
                self.blank = Some(line - 1);
            }
            if row.len() == 1 && clean(&row[0]).is_empty() {
                self.blank = Some(line);
                continue;
            }
            let expected = *self.width.get_or_insert_with(|| {
                self.blank = None;
                row.len()
            });
            if row.len() != expected {
                return Err(ReadErrorKind::Ragged { line, expected, found: row.len() });
            }
            return match self.blank.take() {
                Some(line) if expected == 1 => Err(ReadErrorKind::BlankLine { line }),
                _ => Ok(Some(line)),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    /// Line and first cell of each row.
    fn rows(text: &str) -> Result<Vec<(u64, String)>, ReadErrorKind> {
        let mut rows = Rows::open(Box::new(Cursor::new(text.as_bytes().to_vec())), Flavour::COMMA)?;
        let (mut row, mut found) = (ByteRecord::new(), Vec::new());
        while let Some(line) = rows.next(&mut row)? {
            found.push((line, String::from_utf8_lossy(clean(&row[0])).into_owned()));
        }
        Ok(found)
    }

    #[test]
    fn lines_are_those_of_an_editor() {
        let expected = Ok(vec![(1, "a".to_owned()), (4, "b".to_owned()), (5, "c\nc".to_owned()), (7, "d".to_owned())]);
        let text = "a,1\n\n \nb,2\n\"c\nc\",3\nd,4";
        assert_eq!(rows(text), expected);
        assert_eq!(rows(&(text.to_owned() + "\n\n")), expected);
        let crlf = rows("a,1\r\n\r\nb,2\r\nc,3\r\n").map(|rows| rows.iter().map(|row| row.0).collect());
        assert_eq!(crlf, Ok(vec![1, 3, 4]));
    }

    #[test]
    fn rows_of_another_width_are_refused() {
        assert_eq!(rows("1,2\n\n3,4,5\n"), Err(ReadErrorKind::Ragged { line: 3, expected: 2, found: 3 }));
        assert_eq!(rows("1,2\n3\n"), Err(ReadErrorKind::Ragged { line: 2, expected: 2, found: 1 }));
    }

    #[test]
    fn a_blank_line_inside_a_single_column_could_be_a_missing_value() {
        assert_eq!(rows("1\n\n3\n"), Err(ReadErrorKind::BlankLine { line: 2 }));
        assert_eq!(rows("1\n2\n \r\n3\n"), Err(ReadErrorKind::BlankLine { line: 3 }));
        assert_eq!(rows("\n\n1\n3\n\n\n").map(|rows| rows.len()), Ok(2));
    }

    #[test]
    fn a_quote_that_is_never_closed_is_found() {
        assert_eq!(rows("1,2\n3,\"4\n5,6\n7,8\n"), Err(ReadErrorKind::UnclosedQuote { line: 2 }));
        assert_eq!(rows("1,\"2"), Err(ReadErrorKind::UnclosedQuote { line: 1 }));
    }
}
