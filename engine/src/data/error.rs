//! Everything that can be wrong with a data file, with the file, row and column where it is wrong.
//!
//! The variants are data: the caller knows the place in the problem and makes the diagnostic. `Display` gives the one
//! sentence, [`ReadErrorKind::hint`] the next step. Texts taken from files are shortened, arrays are never printed.

use std::io;

use super::file_place::{Place, shorten};
use super::option::OptionError;

/// A file that cannot be read as asked.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{path}: {kind}")]
pub struct ReadError {
    /// The path as written in the problem.
    pub path: String,
    /// What is wrong.
    #[source]
    pub kind: Box<ReadErrorKind>,
}

/// The likely reason for a text where a number or class was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberHint {
    /// The first row holds names.
    Header,
    /// The column holds classes.
    Classes,
    /// A date or a time.
    Date,
    /// Marks between thousands.
    Thousands,
    /// A percent sign.
    Percent,
    /// A currency sign or another unit.
    Unit,
    /// The decimal mark is a comma.
    DecimalComma,
    /// The decimal mark is a point.
    DecimalPoint,
    /// A number in quotes.
    Quoted,
    /// No target at the start of a line.
    Target,
    /// Several targets.
    Targets,
    /// A number as Fortran writes it, or of another base.
    Notation,
}

impl NumberHint {
    fn text(self) -> String {
        match self {
            NumberHint::Header => "if the first row holds names, write `header = true`",
            NumberHint::Classes => {
                r#"if the column holds classes, write `classes = ["...", "..."]`; else select other columns"#
            }
            NumberHint::Date => "this looks like a date; write a number of days or years into the file instead",
            NumberHint::Thousands => "this looks like a number with marks between thousands; remove them in the file",
            NumberHint::Percent => "remove the percent signs in the file",
            NumberHint::Unit => "remove the signs beside the numbers in the file",
            NumberHint::DecimalComma => "if the comma is the decimal mark, write `decimal = \",\"`",
            NumberHint::Quoted => "it is a text; write the number without quotes",
            NumberHint::Target => "the target stands first in a line: `1 1:0.5 4:2`",
            NumberHint::Targets => "a line has one target; split the targets into files of their own",
            NumberHint::Notation => "write decimal numbers such as 1e3",
            NumberHint::DecimalPoint => "`decimal = \",\"` is stated, but the file has points; leave it out",
        }
        .to_owned()
    }
}

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ReadErrorKind {
    /// There is no such file.
    #[error("file not found")]
    NotFound {
        /// The name in the source that resembles it.
        near: Option<String>,
        /// What the source says of the places where it looked.
        remark: Option<String>,
    },
    /// The file cannot be read.
    #[error("cannot be read: {reason}")]
    Io {
        /// The operating system's words.
        reason: String,
    },
    /// There are no bytes, or no rows below the header.
    #[error("no data in the file")]
    EmptyFile,
    /// More data follow a carriage return in the first row, which is not part of a line end.
    #[error("line {line} has a carriage return without a line feed")]
    CarriageReturn {
        /// The line.
        line: u64,
    },
    /// There is a row of names and nothing below it.
    #[error("no data below the names in line {line}")]
    OnlyNames {
        /// The line of the names.
        line: u64,
    },
    /// The bytes are of another format.
    #[error("not {format} data: {found}")]
    NotThisFormat {
        /// The format asked for.
        format: &'static str,
        /// What was found instead.
        found: String,
    },
    /// The gzip stream ends too early.
    #[error("the gzip stream ends early, after {bytes} unpacked bytes")]
    TruncatedGzip {
        /// Bytes that could be unpacked.
        bytes: u64,
    },
    /// Bytes that are neither gzip nor zero follow the last gzip member.
    #[error("other bytes follow the end of the gzip stream, after {bytes} unpacked bytes")]
    AfterGzip {
        /// Bytes that were unpacked.
        bytes: u64,
    },
    /// A zip archive without its directory, which stands at the end.
    #[error("the archive is cut short: it ends after {bytes} bytes, without its list of arrays")]
    TruncatedArchive {
        /// Bytes of the file.
        bytes: u64,
    },
    /// A packed file becomes too large.
    #[error("{packed} packed bytes become more than {} MB", unpacked >> 20)]
    Expands {
        /// Bytes unpacked so far.
        unpacked: u64,
        /// Bytes they came from.
        packed: u64,
    },
    /// A line of text is too long.
    #[error("line {line} is longer than {most} bytes")]
    LongLine {
        /// The line.
        line: u64,
        /// The limit.
        most: u64,
    },
    /// A line of text has too many cells.
    #[error("line {line} has more than {most} cells")]
    ManyCells {
        /// The line.
        line: u64,
        /// The limit.
        most: u64,
    },
    /// The memory for the numbers is not there.
    #[error("cannot allocate {megabytes} MB for the numbers of the file")]
    NoMemory {
        /// Megabytes asked for.
        megabytes: u64,
    },
    /// The text is written in another way than asked for.
    #[error("{seen}")]
    Dialect {
        /// What is seen.
        seen: String,
        /// What to write.
        write: String,
    },
    /// A selected cell holds no value.
    #[error("{place}: {}", if text.is_empty() { "the cell is empty".to_owned() } else { format!("`{text}` marks a missing value") })]
    Missing {
        /// The cell.
        place: Place,
        /// Its text, shortened; empty for an empty cell.
        text: String,
    },
    /// A column of missing values has no mean.
    #[error("column {column} holds no value, so it has no mean")]
    NothingToAverage {
        /// The column, from 1.
        column: usize,
    },
    /// Every row has a missing value.
    #[error("each of the {rows} rows has a missing value")]
    NoRowLeft {
        /// Rows of the file.
        rows: usize,
    },
    /// A comment says that sparse indices count from 0.
    #[error("line {line} says that indices count from 0")]
    ZeroBased {
        /// The line.
        line: u64,
    },
    /// Compressed data do not unpack.
    #[error("the compressed data are damaged: {reason}")]
    Damaged {
        /// The decoder's words.
        reason: String,
    },
    /// A binary array ends too early.
    #[error("the file ends after {found} of {declared} declared values")]
    TooShort {
        /// Values the header declares.
        declared: u64,
        /// Values present.
        found: u64,
    },
    /// More bytes follow the end of a binary array.
    #[error("{rest} bytes follow the {declared} declared values")]
    TooLong {
        /// Values the header declares.
        declared: u64,
        /// Bytes behind them.
        rest: u64,
    },
    /// The declared extents exceed the address space.
    #[error("the declared shape {shape:?} is too large")]
    TooLarge {
        /// As declared.
        shape: Vec<u64>,
    },
    /// More than four axes.
    #[error("the array has {} axes, shape {shape:?}; at most 4 are supported", shape.len())]
    RankTooHigh {
        /// As declared.
        shape: Vec<u64>,
    },
    /// Elements are not real numbers, integers or booleans.
    #[error("elements of type {found} are not supported")]
    UnsupportedType {
        /// As declared.
        found: String,
    },
    /// A row has more or fewer cells than the first.
    #[error("line {line} has {}, the rows before it have {expected}", cells(*found))]
    Ragged {
        /// The line.
        line: u64,
        /// Cells of the first row.
        expected: usize,
        /// Cells of this one.
        found: usize,
    },
    /// A blank line between the rows of a single column, where it could be a missing value.
    #[error("line {line} is blank, but rows follow")]
    BlankLine {
        /// The line.
        line: u64,
    },
    /// A field of a line of JSON that the first line does not have.
    #[error("line {line} has a field `{name}` that the first line lacks")]
    NewField {
        /// The line.
        line: u64,
        /// The field, shortened.
        name: String,
    },
    /// A field that a line of JSON has twice.
    #[error("line {line} has the field `{name}` twice")]
    RepeatedField {
        /// The line.
        line: u64,
        /// The field, shortened.
        name: String,
    },
    /// A quote that is opened and never closed.
    #[error("a quote opened in the row at line {line} is never closed")]
    UnclosedQuote {
        /// Where the row starts.
        line: u64,
    },
    /// A selected or header cell is not UTF-8.
    #[error("{place}: byte 0x{byte:02x} is not UTF-8")]
    NonUtf8 {
        /// The cell.
        place: Place,
        /// The offending byte.
        byte: u8,
    },
    /// A selected cell is not a number.
    #[error("{place}: `{text}` is not a number")]
    NotANumber {
        /// The cell.
        place: Place,
        /// Its text, shortened.
        text: String,
        /// The likely reason.
        hint: Option<NumberHint>,
    },
    /// A missing value, NaN, an infinity or an overflow.
    #[error("{place}: {}", if text.is_empty() { "the cell is empty".to_owned() } else { format!("`{text}` is not a finite number") })]
    NotFinite {
        /// The cell.
        place: Place,
        /// Its text, shortened; empty for an empty cell.
        text: String,
    },
    /// An integer that f64 cannot hold.
    #[error("{place}: the integer {text} exceeds the precision of f64")]
    NotExact {
        /// The entry.
        place: Place,
        /// The integer.
        text: String,
    },
    /// A byte of an array of booleans that is neither 0 nor 1.
    #[error("{place}: the byte is neither 0 nor 1, in an array of booleans")]
    NotABoolean {
        /// The entry.
        place: Place,
    },
    /// A cell that is none of the classes.
    #[error("{place}: `{text}` is none of the classes {classes}")]
    UnknownClass {
        /// The cell.
        place: Place,
        /// Its text, shortened.
        text: String,
        /// The classes, as written.
        classes: String,
        /// The class that resembles it.
        near: Option<String>,
        /// The likely reason.
        hint: Option<NumberHint>,
    },
    /// A label that is none of the classes, which are numbered from 0.
    #[error("{place}: {label} is not a label; {classes} classes have the labels 0..{}", classes - 1)]
    LabelOutOfRange {
        /// The entry.
        place: Place,
        /// Its value.
        label: String,
        /// The number of classes, at least 1.
        classes: usize,
    },
    /// A cell of a sparse row that is not `index:value`.
    #[error("{place}: `{text}` is not a feature; write `index:value`")]
    NotAFeature {
        /// The cell.
        place: Place,
        /// Its text, shortened.
        text: String,
    },
    /// A sparse index counts from 0.
    #[error("{place}: `{text}` has index 0; indices count from 1")]
    IndexZero {
        /// The cell.
        place: Place,
        /// Its text, shortened.
        text: String,
    },
    /// Sparse indices do not ascend.
    #[error("{place}: index {index} comes after index {before}")]
    IndexOrder {
        /// The cell.
        place: Place,
        /// Its index.
        index: usize,
        /// The index of the cell before it.
        before: usize,
    },
    /// A sparse index beyond the declared number of features.
    #[error("{place}: index {index} is above `features = {features}`")]
    IndexTooLarge {
        /// The cell.
        place: Place,
        /// Its index.
        index: usize,
        /// The option.
        features: usize,
    },
    /// A sparse index so large that nearly all of the dense array would be zero, and nobody asked for that.
    #[error("{place}: index {index} makes an array [{rows}, {features}] with only {nonzero} nonzero numbers")]
    TooSparse {
        /// The cell.
        place: Place,
        /// Its index, the largest of the file.
        index: usize,
        /// Features that this makes.
        features: usize,
        /// Rows of the file.
        rows: usize,
        /// Entries that are not 0.
        nonzero: usize,
    },
    /// No column has this name.
    #[error("no column is called `{name}`")]
    UnknownColumn {
        /// As written.
        name: String,
        /// The name that resembles it.
        near: Option<String>,
        /// All names of the file.
        available: Vec<String>,
    },
    /// Several columns have this name.
    #[error("columns {columns:?} are all called `{name}`")]
    AmbiguousColumn {
        /// As written.
        name: String,
        /// Their numbers.
        columns: Vec<usize>,
    },
    /// A column number beyond the last column.
    #[error("there is no column {column}; the file has {available}")]
    ColumnOutOfRange {
        /// As written.
        column: u64,
        /// Columns of the file.
        available: usize,
    },
    /// A column is selected by name and `header = false`.
    #[error("`{name}` selects a column by name, but `header = false` says that the columns have no names")]
    NamesWithoutHeader {
        /// The first such name.
        name: String,
    },
    /// The archive has no array of this name.
    #[error("no array is called `{name}`")]
    UnknownKey {
        /// As written.
        name: String,
        /// The name that resembles it.
        near: Option<String>,
        /// All names of the archive.
        available: Vec<String>,
    },
    /// The archive has several arrays and none was chosen.
    #[error("the archive has {} arrays", available.len())]
    KeyNeeded {
        /// All names of the archive.
        available: Vec<String>,
    },
    /// An option cannot be used.
    #[error(transparent)]
    Option(#[from] OptionError),
}

impl ReadErrorKind {
    /// What is wrong with packed data, where that is the reason for a failure to read.
    pub(super) fn of_source(error: &io::Error) -> Option<ReadErrorKind> {
        error.get_ref()?.downcast_ref::<ReadErrorKind>().cloned()
    }

    /// One next step, as a phrase without a full stop, where there is a useful one.
    pub fn hint(&self) -> Option<String> {
        match self {
            ReadErrorKind::NotFound { near, remark } => {
                let parts: Vec<String> = remark.clone().into_iter().chain(did_you_mean(near)).collect();
                (!parts.is_empty()).then(|| parts.join("; "))
            }
            ReadErrorKind::UnknownColumn { near, available, .. } => did_you_mean(near).or_else(|| {
                if !available.is_empty() && available.iter().all(|name| name.parse::<f64>().is_ok()) {
                    return Some("the first row holds numbers; select the column by its number".to_owned());
                }
                Some(format!("the columns are {}", listed(available)))
            }),
            ReadErrorKind::UnknownKey { near, available, .. } => {
                did_you_mean(near).or_else(|| Some(format!("the arrays are {}", listed(available))))
            }
            ReadErrorKind::KeyNeeded { available } => Some(format!("choose one with `key = `: {}", listed(available))),
            ReadErrorKind::NotANumber { hint, .. } => hint.map(NumberHint::text),
            ReadErrorKind::UnknownClass { near, hint, .. } => did_you_mean(near).or_else(|| hint.map(NumberHint::text)),
            ReadErrorKind::Ragged { line: 2, expected, found } if *found == expected + 1 => {
                Some("rows with names need a cell above the names: in R, write `col.names = NA`".to_owned())
            }
            ReadErrorKind::Ragged { found, expected, .. } if found < expected => {
                Some("fill in what is missing; an empty cell needs its separator too".to_owned())
            }
            ReadErrorKind::Ragged { .. } => Some("put cells that contain the separator in quotes".to_owned()),
            ReadErrorKind::NotFinite { .. } => Some("remove or fill in missing values before reading".to_owned()),
            ReadErrorKind::LabelOutOfRange { .. } => Some("give the number of classes of the whole file".to_owned()),
            ReadErrorKind::IndexZero { .. } => {
                Some("if the indices of the file count from 0, write `base = 0` for each item that reads it".to_owned())
            }
            ReadErrorKind::ZeroBased { .. } => Some("write `base = 0`, or `base = 1` if it is wrong".to_owned()),
            ReadErrorKind::BlankLine { .. } => {
                Some("remove the line, or write NA into it if a value is missing".to_owned())
            }
            ReadErrorKind::Missing { .. } => Some(
                "`missing = drop` leaves such rows out, `missing = mean` fills in the mean of the column".to_owned(),
            ),
            ReadErrorKind::NewField { .. } => {
                Some("write it into every line, or select fields with `columns = [\"...\"]`".to_owned())
            }
            ReadErrorKind::RepeatedField { .. } => Some("give every field of a line a name of its own".to_owned()),
            ReadErrorKind::NothingToAverage { .. } => Some("select other columns".to_owned()),
            ReadErrorKind::NoRowLeft { .. } => Some("select fewer columns, or write `missing = mean`".to_owned()),
            ReadErrorKind::Dialect { write, .. } => Some(write.clone()),
            ReadErrorKind::AfterGzip { .. } => Some("unpack the file and pack it again".to_owned()),
            ReadErrorKind::Expands { .. } => {
                Some("if that is right, unpack the file, or allow it with `--limit expansion=2000`".to_owned())
            }
            ReadErrorKind::LongLine { most, .. } => {
                Some(format!("write a row per line; `--limit line={}` allows longer lines", most.saturating_mul(10)))
            }
            ReadErrorKind::ManyCells { most, .. } => {
                Some(format!("write a row per line; `--limit cells={}` allows more cells", most.saturating_mul(10)))
            }
            ReadErrorKind::NotAFeature { .. } => Some("a line is a target and its features: `1 1:0.5 4:2`".to_owned()),
            ReadErrorKind::UnsupportedType { .. } => {
                Some("save real numbers, in Python `numpy.save(\"a.npy\", a.astype(\"float64\"))`".to_owned())
            }
            ReadErrorKind::NotThisFormat { format: "jsonl", found } if found.contains("list") => {
                Some("write an object per line, in pandas `to_json(orient=\"records\", lines=True)`".to_owned())
            }
            ReadErrorKind::IndexOrder { .. } => Some("sort each row by index, every index once".to_owned()),
            ReadErrorKind::CarriageReturn { .. } => {
                Some("save the file with line feeds at the ends of the lines".to_owned())
            }
            ReadErrorKind::TooSparse { features, .. } => {
                Some(format!("if the index is right, write `features = {features}`"))
            }
            ReadErrorKind::AmbiguousColumn { .. } => Some("select the column by its number".to_owned()),
            ReadErrorKind::NamesWithoutHeader { .. } => Some("leave out `header` or select by number".to_owned()),
            ReadErrorKind::NonUtf8 { .. } => Some("save the file as UTF-8".to_owned()),
            ReadErrorKind::TruncatedGzip { .. } | ReadErrorKind::TruncatedArchive { .. } => {
                Some("download the file again".to_owned())
            }
            ReadErrorKind::Option(error) => error.hint(),
            _ => None,
        }
    }
}

impl From<io::Error> for ReadErrorKind {
    fn from(error: io::Error) -> ReadErrorKind {
        ReadErrorKind::of_source(&error).unwrap_or_else(|| ReadErrorKind::Io { reason: error.to_string() })
    }
}

impl From<ReadErrorKind> for io::Error {
    /// The way of a finding through the readers above.
    fn from(kind: ReadErrorKind) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, kind)
    }
}

fn cells(count: usize) -> String {
    if count == 1 { "1 cell".to_owned() } else { format!("{count} cells") }
}

fn did_you_mean(near: &Option<String>) -> Option<String> {
    near.as_ref().map(|name| format!("did you mean `{}`?", shorten(name.as_bytes())))
}

/// Names in backticks, each on one line, cut after twelve.
fn listed(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(12).map(|name| format!("`{}`", shorten(name.as_bytes()))).collect();
    let rest = if names.len() > 12 { format!(" and {} more", names.len() - 12) } else { String::new() };
    shown.join(", ") + &rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_of_names_are_cut() {
        let available: Vec<String> = (0..20).map(|i| format!("c{i}")).collect();
        let hint = ReadErrorKind::KeyNeeded { available }.hint().expect("a hint");
        assert!(hint.ends_with("`c11` and 8 more"), "{hint}");
        let hint = ReadErrorKind::KeyNeeded { available: vec!["a\nb".repeat(50)] }.hint().expect("a hint");
        assert!(!hint.contains('\n') && hint.len() < 100, "{hint}");
    }
}
