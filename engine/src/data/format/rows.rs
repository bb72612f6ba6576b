//! The rows of a text table: cells split by the `csv` crate, lines numbered as an editor shows them, all of one width.
//!
//! The crate's own line numbers are those at which it starts looking for a row, before blank lines; here they are
//! corrected, and from the same count follow blank lines inside the table and quotes that are never closed.

use std::cell::Cell;
use std::io::{self, BufRead, Read};
use std::rc::Rc;

use csv::{ByteRecord, ErrorKind, Reader, ReaderBuilder, Terminator};

use super::cell::clean;
use super::dialect::Dialect;
use super::lines::Lines;
use super::sniff::{PREFIX, Sample};
use crate::data::error::ReadErrorKind;
use crate::data::option::Options;
use crate::data::unpack::peek;

/// The rows of a file with their line numbers, all of one width.
pub(super) struct Rows {
    reader: Reader<Text>,
    /// Bytes that the row in progress has taken.
    taken: Rc<Cell<u64>>,
    /// Cells of the first row.
    width: Option<usize>,
    /// The last blank line since the row before.
    blank: Option<u64>,
    /// True where blank lines may have been comments.
    comments: bool,
}

/// Lines as the `csv` crate takes them: comments gone, runs of blanks made one where they separate cells.
struct Text {
    lines: Lines,
    dialect: Dialect,
    /// Most cells of a line.
    cells: u64,
    /// Most bytes of a row that spans lines.
    most: u64,
    taken: Rc<Cell<u64>>,
    line: Vec<u8>,
    at: usize,
    /// True within quotes.
    quoted: bool,
    ended: bool,
}

impl Text {
    /// Fetches a line. One more line break ends the last row like all others, which makes lines countable.
    fn fetch(&mut self) -> Result<(), ReadErrorKind> {
        self.at = 0;
        self.line.clear();
        let number = self.lines.line;
        let Some(line) = self.lines.next()? else {
            if !self.ended {
                self.line.push(b'\n');
            }
            self.ended = true;
            return Ok(());
        };
        let announces = |mark: u8| line.trim_ascii_end().eq_ignore_ascii_case(&[b's', b'e', b'p', b'=', mark]);
        if number == 0 && announces(self.dialect.separator) {
            self.line.push(b'\n');
        } else if self.dialect.comment.is_some() || self.dialect.separator == b' ' {
            rewrite(line, self.dialect, &mut self.quoted, &mut self.line);
        } else {
            self.line.extend_from_slice(line);
        }
        let separator = self.dialect.separator;
        if self.line.len() as u64 > self.cells
            && self.line.iter().filter(|byte| **byte == separator).count() as u64 >= self.cells
        {
            return Err(ReadErrorKind::ManyCells { line: number + 1, most: self.cells });
        }
        Ok(())
    }
}

impl Read for Text {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.line.len() {
            self.fetch()?;
        }
        let rest = &self.line[self.at..];
        let n = rest.len().min(buffer.len());
        buffer[..n].copy_from_slice(&rest[..n]);
        self.at += n;
        // Blank lines before a row are not part of it.
        if self.taken.get() > 0 || !rest.trim_ascii().is_empty() {
            self.taken.set(self.taken.get() + n as u64);
        }
        if self.taken.get() > self.most.saturating_mul(2) {
            return Err(ReadErrorKind::UnclosedQuote { line: 0 }.into());
        }
        Ok(n)
    }
}

/// Copies a line without its comment; runs of blanks outside of quotes become one where blanks separate cells.
fn rewrite(line: &[u8], dialect: Dialect, quoted: &mut bool, into: &mut Vec<u8>) {
    let blanks = dialect.separator == b' ';
    let end = line.len() - if line.ends_with(b"\n") { 1 } else { 0 };
    let mut gap = false;
    for byte in &line[..end] {
        *quoted ^= *byte == b'"';
        if !*quoted && dialect.comment == Some(*byte) {
            break;
        }
        if blanks && !*quoted && matches!(byte, b' ' | b'\t' | b'\r') {
            gap = true;
            continue;
        }
        if std::mem::take(&mut gap) && !into.is_empty() {
            into.push(b' ');
        }
        into.push(*byte);
    }
    into.extend_from_slice(&line[end..]);
}

impl Rows {
    /// The rows of a file; its first lines are kept in `sample`.
    pub(super) fn open(
        reader: Box<dyn BufRead>,
        dialect: Dialect,
        options: Options<'_>,
        sample: &Sample,
    ) -> Result<Rows, ReadErrorKind> {
        let taken = Rc::new(Cell::new(0));
        let (start, reader) = peek(reader, PREFIX)?;
        sample.keep(&start);
        let reader = Box::new(reader);
        let text = Text {
            lines: Lines::open(reader, dialect.format, options)?,
            dialect,
            cells: options.cells,
            most: options.line,
            taken: taken.clone(),
            line: Vec::new(),
            at: 0,
            quoted: false,
            ended: false,
        };
        let reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(dialect.separator)
            // With the default terminator the line feed of CRLF is counted to the next row. The carriage return is
            // trimmed with the other blanks.
            .terminator(Terminator::Any(b'\n'))
            .buffer_capacity(1 << 16)
            .from_reader(text);
        Ok(Rows { reader, taken, width: None, blank: None, comments: dialect.comment.is_some() })
    }

    /// Fetches the next row and returns its first line, or `None` at the end.
    pub(super) fn next(&mut self, row: &mut ByteRecord) -> Result<Option<u64>, ReadErrorKind> {
        loop {
            let start = self.reader.position().line();
            self.taken.set(0);
            let more = self.reader.read_byte_record(row).map_err(|error| match error.into_kind() {
                ErrorKind::Io(error) => match error.into() {
                    // A row that long holds a quote that swallows all lines.
                    ReadErrorKind::UnclosedQuote { .. } => ReadErrorKind::UnclosedQuote { line: start },
                    other => other,
                },
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
                Some(line) if expected == 1 && !self.comments => Err(ReadErrorKind::BlankLine { line }),
                _ => Ok(Some(line)),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::limits::Limits;

    /// Line and first cell of each row.
    fn rows(text: &str) -> Result<Vec<(u64, String)>, ReadErrorKind> {
        rows_of(text, 1 << 20)
    }

    fn rows_of(text: &str, most: u64) -> Result<Vec<(u64, String)>, ReadErrorKind> {
        let mut limits = Limits::default();
        limits.set("line", most).expect("a limit");
        let options = Options::check("csv", &[], &[])?.within(&limits, &[]);
        let dialect = Dialect::from_options("csv", b',', options)?;
        let reader = Box::new(Cursor::new(text.as_bytes().to_vec()));
        let mut rows = Rows::open(reader, dialect, options, &Sample::default())?;
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
        let swallowing = format!("1,2\n\n3,\"4\n{}", "5,6\n".repeat(100));
        assert_eq!(rows_of(&swallowing, 50), Err(ReadErrorKind::UnclosedQuote { line: 2 }));
        assert_eq!(rows_of(&"\n".repeat(1000), 50), Ok(Vec::new()));
        assert_eq!(rows("1,\"2"), Err(ReadErrorKind::UnclosedQuote { line: 1 }));
    }
}
