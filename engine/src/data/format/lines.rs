//! The lines of a text file, none longer than the limit, whatever the file is: csv, JSON lines and libsvm read through
//! here. A byte order mark is passed over, and what is no text is named.

use std::io::{BufRead, Read};

use crate::data::error::ReadErrorKind;
use crate::data::option::Options;
use crate::data::unpack::{peek, recognize};

/// Lines with their numbers.
pub(super) struct Lines {
    reader: Box<dyn BufRead>,
    bytes: Vec<u8>,
    /// The line fetched last, as an editor counts.
    pub(super) line: u64,
    most: u64,
}

impl Lines {
    /// The lines of a file that should be of this format.
    pub(super) fn open(
        reader: Box<dyn BufRead>,
        format: &'static str,
        options: Options<'_>,
    ) -> Result<Lines, ReadErrorKind> {
        let (start, reader) = peek(reader, 6)?;
        if let Some(found) = recognize(&start) {
            return Err(ReadErrorKind::NotThisFormat { format, found: found.to_owned() });
        }
        let mark = if start.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        let mut reader: Box<dyn BufRead> = Box::new(reader);
        reader.by_ref().take(mark).read_to_end(&mut Vec::new())?;
        Ok(Lines { reader, bytes: Vec::new(), line: 0, most: options.line })
    }

    /// The next line with its line end, or `None` at the end of the file.
    pub(super) fn next(&mut self) -> Result<Option<&[u8]>, ReadErrorKind> {
        self.bytes.clear();
        let read = self.reader.by_ref().take(self.most.saturating_add(1)).read_until(b'\n', &mut self.bytes)?;
        if read == 0 {
            return Ok(None);
        }
        self.line += 1;
        if read as u64 > self.most {
            return Err(ReadErrorKind::LongLine { line: self.line, most: self.most });
        }
        Ok(Some(&self.bytes))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::limits::Limits;

    fn lines(text: &[u8], most: u64) -> Result<Vec<Vec<u8>>, ReadErrorKind> {
        let mut limits = Limits::default();
        limits.set("line", most).expect("a limit");
        let options = Options::check("csv", &[], &[])?.within(&limits, &[]);
        let mut lines = Lines::open(Box::new(Cursor::new(text.to_vec())), "csv", options)?;
        let mut all = Vec::new();
        while let Some(line) = lines.next()? {
            all.push(line.to_vec());
        }
        Ok(all)
    }

    #[test]
    fn lines_keep_their_ends_and_lose_a_byte_order_mark() {
        let all = [&b"1\r\n"[..], b"\n", b"23"].map(<[u8]>::to_vec).to_vec();
        assert_eq!(lines("\u{feff}1\r\n\n23".as_bytes(), 3), Ok(all));
    }

    #[test]
    fn a_long_line_is_told_with_its_number() {
        assert_eq!(lines(b"1\n2345\n", 4), Err(ReadErrorKind::LongLine { line: 2, most: 4 }));
        assert!(matches!(lines(&[b'1'; 100], 99), Err(ReadErrorKind::LongLine { line: 1, .. })));
    }

    #[test]
    fn what_is_not_text_is_named() {
        for (bytes, word) in
            [(&b"a\0b\0c\0d\0"[..], "UTF-16"), (b"PAR1....", "Parquet"), (b"\xd0\xcf\x11\xe0....", "spreadsheet")]
        {
            let said = lines(bytes, 100).expect_err("no text").to_string();
            assert!(said.contains(word), "{said}");
        }
    }
}
