//! The text format of LIBSVM: a target, then `index:value` for the nonzero features of a row, indices ascending from 1,
//! or from 0 with `base = 0`. The result is dense: the features [rows, features], or the first column as numbers or labels.
//!
//! What the format forbids is an error at its line and place: an index of zero, indices that do not ascend, a cell that
//! is not a number. `qid:` groups of rankings are passed over. Text after `#` is a comment, as LIBSVM's own tools take it.

use std::io::BufRead;

use super::cell::number;
use super::lines::Lines as TextLines;
use super::table::Classes;
use super::{Format, Header, HeaderRow, Loaded, given};
use crate::data::array::{Array, volume};
use crate::data::error::{NumberHint, ReadErrorKind};
use crate::data::file_place::{Place, shorten};
use crate::data::option::{OptionEntry, OptionError, OptionValue, Options};
use crate::data::values::{Values, zeros};
use crate::limits::NUMBERS;

const OPTIONS: &[OptionEntry] = &[
    OptionEntry { name: "base", doc: "Whether indices count from 1 (default) or from 0.", words: &[] },
    OptionEntry {
        name: "classes",
        doc: "Reads the target: the numbers that become labels 0, 1, 2 and so on.",
        words: &[],
    },
    OptionEntry { name: "features", doc: "How many features there are; default the largest index.", words: &[] },
    OptionEntry { name: "target", doc: "Whether the target is read, as numbers, instead of the features.", words: &[] },
];

pub(super) static LIBSVM: Format = Format {
    name: "libsvm",
    doc: "Text rows of a target and `index:value` features, a dense matrix [rows, features] or the targets [rows].",
    options: OPTIONS,
    shape_hint: "rows come first; say how many features there are with `features =`, else it is the largest index",
    is_text: true,
    #[cfg(test)]
    sample: || b"1 1:2\n-1 2:3\n".to_vec(),
    rank: |options| Some(if given(options, "classes") || given(options, "target") { 1 } else { 2 }),
    header,
    gaps: None,
    read: |reader, options| read(reader, options).map(Loaded::from),
};

/// Beyond `SMALL` numbers, so many for each entry and row of the file are believed to be meant: text collections have a
/// nonzero in some hundreds or thousands. More is one wrong index, or has to be declared with `features`.
const MOST_PER_ENTRY: usize = 10_000;
/// An array of up to this many numbers (8 MB) is made without a question.
const SMALL: usize = 1 << 20;

fn header(reader: Box<dyn BufRead>, options: Options<'_>) -> Result<Header, ReadErrorKind> {
    let asked = Asked::from_options(options)?;
    let mut lines = Lines::open(reader, options)?;
    if lines.next()?.is_none() {
        return Err(ReadErrorKind::EmptyFile);
    }
    let shape = match asked {
        Asked::Features(features) => vec![None, features],
        Asked::Target(_) => vec![None],
    };
    Ok(Header { shape, names: Vec::new(), header_row: HeaderRow::Absent, index_column: false })
}

/// The entries of all rows, 12 bytes each where the dense array takes 8 for each of its numbers.
struct Entries {
    features: Vec<u32>,
    values: Values,
    /// Where each row ends.
    ends: Vec<usize>,
}

impl Entries {
    fn push(&mut self, feature: u32, value: f64) -> Result<(), ReadErrorKind> {
        let megabytes = (self.features.len() >> 17) as u64;
        if self.features.len() == self.features.capacity() {
            self.features
                .try_reserve(self.features.len() / 2 + 1024)
                .map_err(|_| ReadErrorKind::NoMemory { megabytes })?;
        }
        self.features.push(feature);
        self.values.push(Some(value))
    }
}

fn read(reader: Box<dyn BufRead>, options: Options<'_>) -> Result<Array, ReadErrorKind> {
    let asked = Asked::from_options(options)?;
    let base = base(options)?.unwrap_or(1);
    let mut lines = Lines::open(reader, options)?;
    let mut targets = Values::new(1);
    let mut entries = Entries { features: Vec::new(), values: Values::new(1), ends: Vec::new() };
    let (mut width, mut widest, mut row) = (0, None, 0);
    while let Some(line) = lines.next()? {
        row += 1;
        let row = Row { cells: &line, line: lines.text.line, row, base };
        match &asked {
            Asked::Target(classes) => targets.push(Some(row.target(classes.as_ref())?))?,
            Asked::Features(most) => {
                row.target(None)?;
                let count = row.features(*most, &mut entries)?;
                entries.ends.push(entries.features.len());
                if count > width {
                    (width, widest) = (count, Some(row.place(row.cells().count())));
                }
            }
        }
    }
    if row == 0 {
        return Err(ReadErrorKind::EmptyFile);
    }
    let all = |values: Values| values.filled().map_or_else(|_| Vec::new(), |(values, _)| values);
    match asked {
        Asked::Target(_) => Ok(Array::from(all(targets))),
        Asked::Features(features) => {
            let widest = widest.filter(|_| features.is_none());
            let index = (width + base).saturating_sub(1);
            dense(entries.ends, entries.features, all(entries.values), features.unwrap_or(width), widest, index)
        }
    }
}

/// The dense array of the entries; `widest` is the place of the largest index where no number of features is given.
fn dense(
    ends: Vec<usize>,
    features: Vec<u32>,
    entries: Vec<f64>,
    width: usize,
    widest: Option<Place>,
    index: usize,
) -> Result<Array, ReadErrorKind> {
    let shape = vec![ends.len(), width];
    let too_large = ReadErrorKind::TooLarge { shape: shape.iter().map(|n| *n as u64).collect() };
    let count = volume(&shape);
    let believed = SMALL.max(MOST_PER_ENTRY.saturating_mul(entries.len() + shape[0]));
    if let Some(place) = widest
        && count.is_none_or(|n| n > believed)
    {
        let nonzero = entries.iter().filter(|value| **value != 0.0).count();
        return Err(ReadErrorKind::TooSparse { place, index, features: width, rows: shape[0], nonzero });
    }
    let count = count.filter(|n| *n as u64 <= NUMBERS.value).ok_or(too_large)?;
    let mut values = zeros(count)?;
    let mut start = 0;
    for (row, end) in ends.into_iter().enumerate() {
        for k in start..end {
            values[row * width + features[k] as usize] = entries[k];
        }
        start = end;
    }
    Ok(Array::new(shape, values))
}

/// What indices count from, if it is said.
fn base(options: Options<'_>) -> Result<Option<usize>, OptionError> {
    match options.get("base") {
        None => Ok(None),
        Some(OptionValue::Number(0.0)) => Ok(Some(0)),
        Some(OptionValue::Number(1.0)) => Ok(Some(1)),
        Some(other) => Err(other.rejected("base", "0 or 1")),
    }
}

/// What is read of a row.
enum Asked {
    /// The features, and how many there are if that is said.
    Features(Option<usize>),
    /// The target, as labels if classes are given.
    Target(Option<Classes>),
}

impl Asked {
    fn from_options(options: Options<'_>) -> Result<Asked, OptionError> {
        const COUNT: &str = "a whole number from 1";
        let features = match options.get("features") {
            None => None,
            Some(OptionValue::Number(v)) => match OptionValue::whole(*v) {
                Some(n) if n >= 1 => Some(n as usize),
                _ => return Err(OptionValue::Number(*v).rejected("features", COUNT)),
            },
            Some(other) => return Err(other.rejected("features", COUNT)),
        };
        let classes = Classes::from_options(options)?;
        let target = options.boolean("target")?.unwrap_or(classes.is_some());
        match (target, features, classes) {
            (true, Some(_), Some(_)) => Err(OptionError::Conflict { first: "classes", second: "features" }),
            (true, Some(_), None) => Err(OptionError::Conflict { first: "features", second: "target" }),
            (true, None, classes) => Ok(Asked::Target(classes)),
            (false, _, Some(_)) => Err(OptionError::Conflict { first: "classes", second: "target" }),
            (false, features, None) => Ok(Asked::Features(features)),
        }
    }
}

/// The lines that hold something, counted as an editor does.
struct Lines {
    text: TextLines,
    /// True where the base is stated, so that comments need not be believed.
    stated: bool,
}

impl Lines {
    fn open(reader: Box<dyn BufRead>, options: Options<'_>) -> Result<Lines, ReadErrorKind> {
        Ok(Lines { text: TextLines::open(reader, "libsvm", options)?, stated: base(options)?.is_some() })
    }

    /// The next line that is not blank, without its comment.
    fn next(&mut self) -> Result<Option<Vec<u8>>, ReadErrorKind> {
        loop {
            let Some(line) = self.text.next()? else { return Ok(None) };
            let end = line.iter().position(|b| *b == b'#').unwrap_or(line.len());
            let (line, comment) = line.split_at(end);
            // scikit-learn writes `# Column indices are zero-based`.
            let zero = || String::from_utf8_lossy(comment).to_ascii_lowercase().contains("zero-based");
            if !self.stated && !comment.is_empty() && zero() {
                return Err(ReadErrorKind::ZeroBased { line: self.text.line });
            }
            if !line.trim_ascii().is_empty() {
                return Ok(Some(line.to_vec()));
            }
        }
    }
}

/// A row in its surroundings.
struct Row<'a> {
    cells: &'a [u8],
    line: u64,
    row: u64,
    /// What indices count from.
    base: usize,
}

impl Row<'_> {
    fn cells(&self) -> impl Iterator<Item = &[u8]> {
        self.cells.split(u8::is_ascii_whitespace).filter(|c| !c.is_empty())
    }

    fn place(&self, column: usize) -> Place {
        Place::Cell { line: self.line, row: self.row, column, name: None }
    }

    fn target(&self, classes: Option<&Classes>) -> Result<f64, ReadErrorKind> {
        let cell = self.cells().next().unwrap_or_default();
        let Some(classes) = classes else { return self.value(cell, cell, 1) };
        match classes.label(cell) {
            Some(label) => Ok(label as f64),
            None => {
                self.value(cell, cell, 1)?;
                let text = shorten(cell);
                let near = classes.near(&text);
                let place = self.place(1);
                Err(ReadErrorKind::UnknownClass { place, text, classes: classes.shown(), near, hint: None })
            }
        }
    }

    /// Appends the features; returns how many columns they need.
    fn features(&self, most: Option<usize>, entries: &mut Entries) -> Result<usize, ReadErrorKind> {
        let mut before = None;
        for (k, cell) in self.cells().enumerate().skip(1) {
            let place = || self.place(k + 1);
            let text = || shorten(cell);
            let Some(colon) = cell.iter().position(|b| *b == b':') else {
                return Err(ReadErrorKind::NotAFeature { place: place(), text: text() });
            };
            // The query of a ranking says nothing of the features.
            if k == 1 && cell[..colon].eq_ignore_ascii_case(b"qid") {
                continue;
            }
            let index = std::str::from_utf8(&cell[..colon]).ok().and_then(|t| t.parse::<usize>().ok());
            let Some(index) = index else {
                return Err(ReadErrorKind::NotAFeature { place: place(), text: text() });
            };
            if index < self.base {
                return Err(ReadErrorKind::IndexZero { place: place(), text: text() });
            }
            if let Some(before) = before.filter(|before| index <= *before) {
                return Err(ReadErrorKind::IndexOrder { place: place(), index, before });
            }
            let feature = index - self.base;
            if let Some(features) = most.filter(|m| feature >= *m) {
                return Err(ReadErrorKind::IndexTooLarge { place: place(), index, features });
            }
            let value = self.value(&cell[colon + 1..], cell, k + 1)?;
            let Ok(column) = u32::try_from(feature) else {
                let shape = vec![self.row, (feature as u64).saturating_add(1)];
                return Err(ReadErrorKind::TooLarge { shape });
            };
            entries.push(column, value)?;
            before = Some(index);
        }
        Ok(before.map_or(0, |last| last + 1 - self.base))
    }

    fn value(&self, text: &[u8], cell: &[u8], column: usize) -> Result<f64, ReadErrorKind> {
        match number(text) {
            Some(v) if v.is_finite() => Ok(v),
            Some(_) => Err(ReadErrorKind::NotFinite { place: self.place(column), text: shorten(cell) }),
            None => {
                let hint = match (column, cell.contains(&b':'), cell.contains(&b',')) {
                    (1, true, _) => Some(NumberHint::Target),
                    (1, false, true) => Some(NumberHint::Targets),
                    _ => None,
                };
                Err(ReadErrorKind::NotANumber { place: self.place(column), text: shorten(cell), hint })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn read_with(text: &str, options: &[(String, OptionValue)]) -> Result<Array, ReadErrorKind> {
        let options = Options::check("libsvm", OPTIONS, options)?;
        read(Box::new(Cursor::new(text.as_bytes().to_vec())), options)
    }

    fn said(text: &str) -> String {
        read_with(text, &[]).expect_err("a mistake").to_string()
    }

    #[test]
    fn rows_are_dense_and_lines_may_be_blank() {
        let text = "\u{feff}+1 2:0.5 3:1e2 # note\r\n\r\n-1 1:-3\n";
        let array = Array::new(vec![2, 3], vec![0., 0.5, 100., -3., 0., 0.]);
        assert_eq!(read_with(text, &[]), Ok(array));
        let wide = [("features".to_owned(), OptionValue::Number(5.0))];
        assert_eq!(read_with(text, &wide).map(|a| a.shape), Ok(vec![2, 5]));
    }

    #[test]
    fn targets_are_numbers_or_labels() {
        let text = "+1 1:1\n-1 1:1\n";
        let target = [("target".to_owned(), OptionValue::Boolean(true))];
        assert_eq!(read_with(text, &target), Ok(Array::from(vec![1., -1.])));
        let classes = [("classes".to_owned(), OptionValue::Numbers(vec![-1.0, 1.0]))];
        assert_eq!(read_with(text, &classes), Ok(Array::from(vec![1., 0.])));
        let error = read_with("1 1:1\n2 1:1\n", &classes).expect_err("2 is not a class");
        assert_eq!(error.to_string(), "line 2, column 1: `2` is none of the classes [-1.0, 1.0]");
    }

    #[test]
    fn mistakes_have_a_line_and_a_column() {
        assert_eq!(said("1 1:1\n\n1 0:1\n"), "line 3 (row 2), column 2: `0:1` has index 0; indices count from 1");
        assert_eq!(said("1 1:1 3:1 2:1\n"), "line 1, column 4: index 2 comes after index 3");
        assert_eq!(said("1 1:1 1:2\n"), "line 1, column 3: index 1 comes after index 1");
        assert_eq!(said("1 1:abc\n"), "line 1, column 2: `1:abc` is not a number");
        assert_eq!(said("1 1:nan\n"), "line 1, column 2: `1:nan` is not a finite number");
        assert_eq!(said("1 abc\n"), "line 1, column 2: `abc` is not a feature; write `index:value`");
        assert_eq!(said("1 -1:2\n"), "line 1, column 2: `-1:2` is not a feature; write `index:value`");
        assert_eq!(said("yes 1:2\n"), "line 1, column 1: `yes` is not a number");
        let two = [("features".to_owned(), OptionValue::Number(2.0))];
        let error = read_with("1 3:1\n", &two).expect_err("too large");
        assert_eq!(error.to_string(), "line 1, column 2: index 3 is above `features = 2`");
    }

    #[test]
    fn indices_may_count_from_zero_and_queries_are_passed_over() {
        let zero = [("base".to_owned(), OptionValue::Number(0.0))];
        assert_eq!(read_with("1 0:5 2:7\n", &zero), Ok(Array::new(vec![1, 3], vec![5., 0., 7.])));
        let hint = read_with("1 0:5 2:7\n", &[]).expect_err("base 1").hint().unwrap_or_default();
        assert!(hint.contains("`base = 0`"), "{hint}");
        let announced = "# Generated by dump_svmlight_file\n# Column indices are zero-based\n1 0:5\n";
        assert_eq!(read_with(announced, &[]), Err(ReadErrorKind::ZeroBased { line: 2 }));
        assert_eq!(read_with(announced, &zero), Ok(Array::new(vec![1, 1], vec![5.])));
        assert_eq!(read_with("2 qid:7 1:5\n1 QID:7 1:6\n", &[]), Ok(Array::new(vec![2, 1], vec![5., 6.])));
        let two = [zero[0].clone(), ("features".to_owned(), OptionValue::Number(2.0))];
        assert!(read_with("1 1:5\n", &two).is_ok());
        let error = read_with("1 2:5\n", &two).expect_err("too large");
        assert!(matches!(error, ReadErrorKind::IndexTooLarge { index: 2, features: 2, .. }), "{error}");
        assert!(read_with("1 1:5\n", &[("base".to_owned(), OptionValue::Number(2.0))]).is_err());
    }

    #[test]
    fn a_huge_index_is_refused_before_memory_is_taken() {
        assert_eq!(
            said("1 1:1\n-1 2:1 4000000000:1\n"),
            "line 2, column 3: index 4000000000 makes an array [2, 4000000000] with only 3 nonzero numbers"
        );
        let error = read_with("1 1:1 1000000000:1\n", &[]).expect_err("8 GB for 18 bytes");
        assert_eq!(error.hint().as_deref(), Some("if the index is right, write `features = 1000000000`"));
        assert_eq!(said("1 99999999999999:1\n"), "the declared shape [1, 99999999999999] is too large");
        let declared = |n: f64| read_with("1 2:1\n", &[("features".to_owned(), OptionValue::Number(n))]);
        assert!(matches!(declared(1e15), Err(ReadErrorKind::TooLarge { .. })));
        assert_eq!(declared(2e6).map(|a| a.shape), Ok(vec![1, 2_000_000]));
        assert_eq!(read_with("1 1000000:1\n", &[]).map(|a| a.shape), Ok(vec![1, 1_000_000]));
        assert_eq!(read_with(" \n# nothing\n", &[]), Err(ReadErrorKind::EmptyFile));
    }
}
