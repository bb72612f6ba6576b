//! What a text table looks like that does not read as stated: another separator, decimal commas, comment lines. The
//! finding is a message with the options to write; nothing is read in another way than stated.

use std::cell::RefCell;
use std::rc::Rc;

use super::cell::{clean, number};
use super::dialect::Dialect;
use crate::data::error::ReadErrorKind;

/// Lines that are looked at.
const LINES: usize = 20;
/// Bytes of a line that are looked at.
const BYTES: usize = 4096;

/// Bytes of a file that are looked at.
pub(super) const PREFIX: usize = 1 << 16;

/// The first lines of a file.
#[derive(Clone, Default)]
pub(super) struct Sample(Rc<RefCell<Vec<Vec<u8>>>>);

impl Sample {
    /// Keeps the first lines of the beginning of a file; the last line may be cut.
    pub(super) fn keep(&self, start: &[u8]) {
        let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
        let whole = match start.iter().rposition(|byte| *byte == b'\n') {
            Some(end) if start.len() == PREFIX => &start[..end],
            _ => start,
        };
        let lines = whole.split(|byte| *byte == b'\n').take(LINES);
        *self.0.borrow_mut() = lines.map(|line| line[..line.len().min(BYTES)].trim_ascii_end().to_vec()).collect();
    }

    /// A finding about a file that reads wrongly as `dialect`, in place of what went wrong where it explains it.
    pub(super) fn explain(&self, kind: ReadErrorKind, dialect: Dialect) -> ReadErrorKind {
        let explained = matches!(
            kind,
            ReadErrorKind::NotANumber { .. }
                | ReadErrorKind::Ragged { .. }
                | ReadErrorKind::UnknownColumn { .. }
                | ReadErrorKind::UnknownClass { .. }
                | ReadErrorKind::ColumnOutOfRange { .. }
        );
        let found = if explained { self.look(dialect).or_else(|| self.above(dialect)) } else { None };
        let ends = matches!(&kind, ReadErrorKind::Missing { text, .. } if text.is_empty())
            || matches!(kind, ReadErrorKind::Ragged { expected, found, .. } if found == expected + 1);
        let missing = matches!(kind, ReadErrorKind::Missing { .. });
        found.or_else(|| if ends { self.ends(dialect, missing) } else { None }).unwrap_or(kind)
    }

    /// Lines of one cell above those of a table: a title, a date.
    fn above(&self, dialect: Dialect) -> Option<ReadErrorKind> {
        let lines = self.0.borrow();
        let widths: Vec<usize> = lines.iter().map(|line| cells(line, dialect.separator).len()).collect();
        let first = widths.iter().position(|width| *width > 1)?;
        let width = widths[first];
        let rows = widths[first..].iter().filter(|w| **w == width).count();
        let table = first > 0 && rows > 1 && widths[first..].iter().all(|w| *w == width || *w == 1);
        let titles = if first == 1 { "1 line".to_owned() } else { format!("{first} lines") };
        table.then(|| ReadErrorKind::Dialect {
            seen: format!("the table seems to start in line {}, below {titles} of another text", first + 1),
            write: "remove those lines from the file".to_owned(),
        })
    }

    /// A separator at the end of every line, after which there is nothing; `first_too` tells that the first line has it.
    fn ends(&self, dialect: Dialect, first_too: bool) -> Option<ReadErrorKind> {
        let lines = self.0.borrow();
        let text = table(&lines, dialect, dialect.comment);
        let (first, rest) = text.split_first()?;
        let ends = |line: &&[u8]| dialect.separator != b' ' && line.ends_with(&[dialect.separator]);
        if rest.is_empty() || ends(first) != first_too || !rest.iter().all(ends) {
            return None;
        }
        let width = cells(first, dialect.separator).len();
        let write = match first_too {
            true => format!("write `columns = 1..{}`, or remove the last separators", width - 1),
            false => "remove the last separator of each line".to_owned(),
        };
        let seen = "the lines end with a separator, so that there is a last column without values".to_owned();
        Some(ReadErrorKind::Dialect { seen, write })
    }

    /// Whether another separator fits the first lines better than the one in use. Blanks also stand within texts, so
    /// that they count only in lines of a single cell that should be a number.
    pub(super) fn separates(&self, dialect: Dialect, one_number: bool) -> bool {
        self.better(dialect).is_some_and(|mark| mark != b' ' || one_number)
    }

    /// What the first lines look like, if it is not `dialect`.
    pub(super) fn look(&self, dialect: Dialect) -> Option<ReadErrorKind> {
        let separator = self.better(dialect);
        let comment = self.unstated_comment(dialect);
        let used = separator.unwrap_or(dialect.separator);
        let lines = self.0.borrow();
        let commas = dialect.decimal == b'.' && used != b',' && decimal_commas(&table(&lines, dialect, comment), used);
        let nothing = separator.is_none() && !commas && comment.is_none();
        (!nothing).then(|| finding(dialect, separator, commas, comment))
    }

    fn unstated_comment(&self, dialect: Dialect) -> Option<u8> {
        if dialect.comment.is_some() { None } else { comment_mark(&self.0.borrow()) }
    }

    /// The separator that the lines announce, or that makes more numbers than the one in use.
    fn better(&self, dialect: Dialect) -> Option<u8> {
        if dialect.stated {
            return None;
        }
        let comment = self.unstated_comment(dialect);
        let lines = self.0.borrow();
        if let Some(mark) = announced(&lines).filter(|mark| *mark != dialect.separator) {
            return Some(mark);
        }
        let text = table(&lines, dialect, comment);
        let others = [b';', b'\t', b'|', b',', b' '].into_iter().filter(|s| *s != dialect.separator);
        let mut best = (None, fit(&text, dialect.separator).unwrap_or(0.0));
        // The first of the best: blanks come last, since they also stand within texts.
        for other in others {
            match fit(&text, other) {
                Some(share) if share > best.1 => best = (Some(other), share),
                _ => {}
            }
        }
        best.0
    }
}

/// The separator of a line `sep=;`, which some spreadsheets write.
fn announced(lines: &[Vec<u8>]) -> Option<u8> {
    match lines.first()?.as_slice() {
        [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', mark] if b";,|:\t".contains(mark) => Some(*mark),
        _ => None,
    }
}

/// The lines that hold cells.
fn table(lines: &[Vec<u8>], dialect: Dialect, comment: Option<u8>) -> Vec<&[u8]> {
    let mark = comment.or(dialect.comment);
    let skipped = usize::from(announced(lines).is_some());
    let lines = lines.iter().skip(skipped).map(Vec::as_slice);
    lines.filter(|l| !l.trim_ascii().is_empty() && mark.is_none_or(|m| !l.trim_ascii().starts_with(&[m]))).collect()
}

/// The message.
fn finding(dialect: Dialect, separator: Option<u8>, commas: bool, comment: Option<u8>) -> ReadErrorKind {
    let (mut seen, mut write) = (Vec::new(), Vec::new());
    let mut format = None;
    if let Some(mark) = separator {
        let (name, option) = match mark {
            b'\t' => ("tabs".to_owned(), None),
            b' ' => ("blanks".to_owned(), Some("separator = \" \"".to_owned())),
            mark => {
                let mark = char::from(mark);
                (format!("`{mark}`"), Some(format!("separator = \"{mark}\"")))
            }
        };
        seen.push(format!("the cells seem to be separated by {name}"));
        match mark {
            b'\t' => format = Some("tsv"),
            b',' if dialect.format == "tsv" => format = Some("csv"),
            _ => write.extend(option),
        }
    }
    if commas {
        seen.push("the decimal mark is a comma".to_owned());
        write.push("decimal = \",\"".to_owned());
    }
    if let Some(mark) = comment {
        let mark = char::from(mark);
        seen.push(format!("lines that start with `{mark}` seem to be comments"));
        write.push(format!("comment = \"{mark}\""));
    }
    let write = match (format, write.is_empty()) {
        (Some(format), true) => format!("read the file with `{format}`"),
        (Some(format), false) => format!("read the file with `{format}`, and write `{}`", write.join(", ")),
        (None, _) => format!("write `{}` after the name of the file", write.join(", ")),
    };
    ReadErrorKind::Dialect { seen: seen.join("; "), write }
}

/// A mark at the start of the first line or of lines that hold no number where other lines do.
fn comment_mark(lines: &[Vec<u8>]) -> Option<u8> {
    [b'#', b'%', b'!'].into_iter().find(|mark| {
        let starts = |line: &&Vec<u8>| line.trim_ascii().starts_with(&[*mark]);
        lines.iter().any(|line| starts(&line)) && lines.iter().any(|line| !line.is_empty() && !starts(&line))
    })
}

/// The cells of a line, quotes respected; blanks count once however many there are.
fn cells(line: &[u8], separator: u8) -> Vec<&[u8]> {
    let mut quoted = false;
    let parts = line.split(|byte| {
        quoted ^= *byte == b'"';
        !quoted && (*byte == separator || (separator == b' ' && *byte == b'\t'))
    });
    match separator {
        b' ' => parts.filter(|part| !part.is_empty()).collect(),
        _ => parts.collect(),
    }
}

/// The share of the cells below the first line that are numbers, where all lines have the same number of cells, two or
/// more; else `None`.
fn fit(lines: &[&[u8]], separator: u8) -> Option<f64> {
    let (first, rest) = lines.split_first()?;
    let width = cells(first, separator).len();
    if width < 2 || rest.is_empty() {
        return None;
    }
    let (mut count, mut numbers) = (0, 0);
    for line in rest {
        let cells = cells(line, separator);
        // A line of the sample may be cut.
        if cells.len() != width && line.len() < BYTES {
            return None;
        }
        count += cells.len();
        numbers += cells.iter().filter(|cell| number(&with_point(clean(cell))).is_some()).count();
    }
    (numbers > 0).then(|| numbers as f64 / count as f64)
}

fn with_point(cell: &[u8]) -> Vec<u8> {
    cell.iter().map(|b| if *b == b',' { b'.' } else { *b }).collect()
}

/// Whether cells are numbers only with a decimal comma, and none has a point.
fn decimal_commas(lines: &[&[u8]], separator: u8) -> bool {
    let cells = || lines.iter().flat_map(|line| cells(line, separator)).map(clean);
    let comma = |cell: &[u8]| number(cell).is_none() && number(&with_point(cell)).is_some();
    let point = |cell: &[u8]| cell.contains(&b'.') && number(cell).is_some();
    cells().any(comma) && !cells().any(point)
}

#[cfg(test)]
mod tests {
    use crate::data::format::csv::tests::{complaint, read, text, texts};

    #[test]
    fn what_is_seen_is_named_with_the_options_to_write() {
        let spreadsheet = "age;income;score\n23;1,5;3,1\n35;2,5;4,2\n";
        let wanted = "the cells seem to be separated by `;`; the decimal mark is a comma; write `separator = \";\", decimal = \",\"` after the name of the file";
        assert_eq!(complaint(spreadsheet, &[("columns", texts(&["age", "income"]))]), wanted);
        assert_eq!(complaint(spreadsheet, &[]), wanted);
        assert_eq!(complaint("1,5;2,5\n2,5;3,5\n", &[("column", crate::data::OptionValue::Number(1.))]), wanted);
        for (bytes, message) in [
            ("1;2\n3;4\n", "the cells seem to be separated by `;`; write `separator = \";\"`"),
            ("1\t2\n3\t4\n", "the cells seem to be separated by tabs; read the file with `tsv`"),
            ("1|2\n3|4\n", "the cells seem to be separated by `|`; write"),
            ("1 2.5\n3 4\n", "the cells seem to be separated by blanks; write `separator = \" \"`"),
            ("# from a program\n1,2\n3,4\n", "lines that start with `#` seem to be comments; write `comment = \"#\"`"),
            ("% a\n1 2\n3 4\n", "the cells seem to be separated by blanks; lines that start with `%`"),
            ("sep=;\n1;2\n3;4\n", "the cells seem to be separated by `;`; write"),
        ] {
            let found = complaint(bytes, &[]);
            assert!(found.starts_with(message), "{bytes:?}: {found}");
        }
        for (bytes, message) in [
            (
                "a,b,\n1,2,\n3,4,\n",
                "the lines end with a separator, so that there is a last column without values; write `columns = 1..2`",
            ),
            (
                "1,2,\n3,4,\n",
                "the lines end with a separator, so that there is a last column without values; write `columns = 1..2`",
            ),
            (
                "a,b\n1,2,\n3,4,\n",
                "the lines end with a separator, so that there is a last column without values; remove",
            ),
            (
                "Lab 3\nin May\na,b\n1,2\n3,4\n",
                "the table seems to start in line 3, below 2 lines of another text; remove",
            ),
            ("Lab 3\n1,2\n3,4\n", "the table seems to start in line 2, below 1 line of another text; remove"),
        ] {
            let found = complaint(bytes, &[]);
            assert!(found.starts_with(message), "{bytes:?}: {found}");
        }
        let stated = [("separator", text(";"))];
        assert!(complaint("1,5;2\n2;3\n", &stated).starts_with("the decimal mark is a comma; write `decimal"));
    }

    #[test]
    fn a_file_that_fits_keeps_its_own_message() {
        assert!(complaint("a,b\n1,2\n3,x;y\n", &[]).contains("`x;y` is not a number"));
        assert!(complaint("1,2\n3\n", &[]).starts_with("line 2 has 1 cell"));
        assert!(complaint("1,2\n3,\n", &[]).contains("the cell is empty"));
        assert!(complaint("a,b\n1,2,3\n4,5,6\n", &[]).starts_with("line 2 has 3 cells"));
        let words = "very good\nquite bad\nvery good\n";
        assert!(read(words, &[("classes", texts(&["very good", "quite bad"]))]).is_ok());
        let groups = "group 1\ngroup 2\n";
        assert!(read(groups, &[("classes", texts(&["group 1", "group 2"]))]).is_ok());
    }
}
