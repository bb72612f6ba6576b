//! The table of file formats, and the one way to read a file: open, unpack, check the options, hand to the format.
//!
//! A format is a file in this folder, with its entry, and a line in [`FORMATS`]; it sees unpacked bytes and checked option names, and
//! knows neither paths nor sources. `header` reads as little as possible, for checking without loading.

use blo_grammar::diagnostic::did_you_mean;
use std::io::{self, BufRead};

use super::array::{Array, Stored};
use super::error::{ReadError, ReadErrorKind};
use super::file_source::Source;
use super::option::{OptionEntry, OptionValue, Options};
use super::unpack::unpack;
use crate::limits::EXPANSION;

mod cell;
mod csv;
mod dialect;
mod header_row;
mod idx;
mod jsonl;
mod libsvm;
mod lines;
mod npy;
mod npy_header;
mod npz;
mod rows;
mod sniff;
mod table;

/// A file format.
pub struct Format {
    /// The function's name in a problem.
    pub name: &'static str,
    /// One sentence for the user.
    pub doc: &'static str,
    /// The options it accepts.
    pub options: &'static [OptionEntry],
    /// What helps where its shape is not the declared one, as a sentence's end.
    pub shape_hint: &'static str,
    /// True where mistakes are located by line and column, false where by the index of an entry.
    pub is_text: bool,
    /// A small file without mistakes that needs no options.
    #[cfg(test)]
    sample: fn() -> Vec<u8>,
    rank: fn(&[(String, OptionValue)]) -> Option<usize>,
    header: fn(Box<dyn BufRead>, Options<'_>) -> Result<Header, ReadErrorKind>,
    /// Rows that the options want to be dropped, zero-based, ascending. Where a format has this, `read` leaves rows out.
    gaps: Option<Gaps>,
    read: fn(Box<dyn BufRead>, Options<'_>) -> Result<Loaded, ReadErrorKind>,
}

type Gaps = fn(Box<dyn BufRead>, Options<'_>) -> Result<Vec<usize>, ReadErrorKind>;

/// What has been read.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// The numbers.
    pub stored: Stored,
    /// Missing values that the mean of their column stands for.
    pub filled: usize,
}

impl From<Stored> for Loaded {
    fn from(stored: Stored) -> Loaded {
        Loaded { stored, filled: 0 }
    }
}

impl From<Array> for Loaded {
    fn from(array: Array) -> Loaded {
        Loaded::from(Stored::from(array))
    }
}

/// What is known of an array without reading all of its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The extents of the selected array; `None` where only reading tells.
    pub shape: Vec<Option<usize>>,
    /// Column names of the whole file, or names of an archive's arrays; empty where there are none.
    pub names: Vec<String>,
    /// How the first row of a text table was taken.
    pub header_row: HeaderRow,
    /// True where the first column of those selected has no name and all are selected: the index of a data frame?
    pub index_column: bool,
}

/// How the first row of a text table was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderRow {
    /// As names: `header = true`, or a column is selected by name.
    Given,
    /// As names: the first row has no number and the second has, or it is beyond doubt for another reason.
    Detected,
    /// As names, though it could be data: worth a warning.
    Believed,
    /// As data, or the format has no header row.
    Absent,
    /// As data, though it could be names, `0, 1, 2, ...` or years: worth a warning.
    Suspected,
}

/// Every format, sorted by name.
pub static FORMATS: &[&Format] =
    &[&csv::CSV, &idx::IDX, &jsonl::JSONL, &libsvm::LIBSVM, &npy::NPY, &npz::NPZ, &csv::TSV];

fn given(options: &[(String, OptionValue)], name: &str) -> bool {
    options.iter().any(|(known, _)| known == name)
}

/// How many classes the option `classes` names, where it is given and sound.
pub fn classes(options: &[(String, OptionValue)]) -> Option<usize> {
    match options.iter().find(|(name, _)| name == "classes").map(|(_, value)| value)? {
        OptionValue::Number(count) => OptionValue::whole(*count).map(|n| n as usize),
        OptionValue::Texts(texts) => Some(texts.len()),
        OptionValue::Numbers(numbers) => Some(numbers.len()),
        _ => None,
    }
}

/// The format of this name.
pub fn format(name: &str) -> Option<&'static Format> {
    FORMATS.iter().copied().find(|format| format.name == name)
}

impl Format {
    /// Reads as little of `path` as tells the shape. For npz that is the whole file.
    pub fn header(
        &self,
        source: &dyn Source,
        path: &str,
        options: &[(String, OptionValue)],
    ) -> Result<Header, ReadError> {
        self.with(source, path, options, &[], self.header)
    }

    /// The number of axes, as far as the options tell.
    pub fn rank(&self, options: &[(String, OptionValue)]) -> Option<usize> {
        (self.rank)(options)
    }

    /// Reads all of `path`; every value is finite. Linear in the size of the unpacked file.
    pub fn read(&self, source: &dyn Source, path: &str, options: &[(String, OptionValue)]) -> Result<Array, ReadError> {
        let left_out = self.gaps(source, path, options)?;
        self.load(source, path, options, &left_out).map(|loaded| loaded.stored.into_array())
    }

    /// The rows of `path`, zero-based and ascending, that `missing = drop` wants to be left out: those without a value
    /// in a selected column. Reads the file, unless nothing is to be dropped.
    pub fn gaps(
        &self,
        source: &dyn Source,
        path: &str,
        options: &[(String, OptionValue)],
    ) -> Result<Vec<usize>, ReadError> {
        match self.gaps {
            Some(gaps) if csv::drops(options) => self.with(source, path, options, &[], gaps),
            _ => Ok(Vec::new()),
        }
    }

    /// As [`Format::read`], but bytes stay bytes, and the rows at the places `left_out`, which ascend, are not there.
    pub fn load(
        &self,
        source: &dyn Source,
        path: &str,
        options: &[(String, OptionValue)],
        left_out: &[usize],
    ) -> Result<Loaded, ReadError> {
        let mut loaded = self.with(source, path, options, left_out, self.read)?;
        if self.gaps.is_none() && !left_out.is_empty() && !loaded.stored.shape().is_empty() {
            let mut left_out = left_out.iter().peekable();
            let rows = 0..loaded.stored.shape()[0];
            let kept: Vec<usize> = rows.filter(|row| left_out.next_if_eq(&row).is_none()).collect();
            loaded.stored = loaded.stored.rows(kept.into_iter());
        }
        Ok(loaded)
    }

    /// Wrong options come before a missing file: they are wrong whatever the file.
    fn with<T>(
        &self,
        source: &dyn Source,
        path: &str,
        options: &[(String, OptionValue)],
        left_out: &[usize],
        parse: fn(Box<dyn BufRead>, Options<'_>) -> Result<T, ReadErrorKind>,
    ) -> Result<T, ReadError> {
        let parsed = Options::check(self.name, self.options, options)
            .map_err(ReadErrorKind::from)
            .and_then(|options| parse(open(source, path)?, options.within(&source.limits(), left_out)));
        parsed.map_err(|kind| ReadError { path: path.to_owned(), kind: Box::new(kind) })
    }
}

fn open(source: &dyn Source, path: &str) -> Result<Box<dyn BufRead>, ReadErrorKind> {
    let raw = source.open(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => {
            if path == "-" {
                let remark = "standard input can hold the problem, not its data: name a file".to_owned();
                return ReadErrorKind::NotFound { near: None, remark: Some(remark) };
            }
            let names = source.names();
            let near = did_you_mean(path, names.iter().map(String::as_str));
            ReadErrorKind::NotFound { near: near.map(str::to_owned), remark: source.remark() }
        }
        _ => error.into(),
    })?;
    Ok(unpack(raw, source.limits().of(&EXPANSION))?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::data::unpack::tests::gzip;
    use crate::data::{Memory, OptionError};

    #[test]
    fn names_are_sorted_unique_and_documented() {
        assert!(FORMATS.windows(2).all(|pair| pair[0].name < pair[1].name));
        for entry in FORMATS {
            assert!(entry.doc.ends_with('.') && format(entry.name).is_some());
            assert!(entry.options.iter().all(|option| option.doc.ends_with('.')), "{}", entry.name);
        }
    }

    #[test]
    fn a_missing_file_names_its_neighbors() {
        let source = Memory::new().with("prostate.csv", "1").with("sonar.csv", "1");
        let error = super::csv::CSV.read(&source, "prostrate.csv", &[]).expect_err("missing");
        assert_eq!(error.to_string(), "prostrate.csv: file not found");
        assert_eq!(error.kind.hint().as_deref(), Some("did you mean `prostate.csv`?"));
    }

    #[test]
    fn standard_input_is_no_data_file() {
        let error = super::csv::CSV.read(&Memory::new().with("a", "1"), "-", &[]).expect_err("no file");
        assert!(error.kind.hint().is_some_and(|hint| hint.starts_with("standard input")), "{error:?}");
    }

    #[test]
    fn an_unknown_option_is_reported_even_without_the_file() {
        let options = [("colunm".to_owned(), OptionValue::Number(1.0))];
        let error = super::csv::CSV.header(&Memory::new(), "a.csv", &options).expect_err("unknown option");
        assert!(
            matches!(&*error.kind, ReadErrorKind::Option(OptionError::Unknown { near, .. }) if near.as_deref() == Some("column"))
        );
    }

    #[test]
    fn an_empty_file_is_an_error_in_every_format() {
        for bytes in [Vec::new(), gzip(b"")] {
            let source = Memory::new().with("f", bytes);
            for entry in FORMATS {
                let error = entry.read(&source, "f", &[]).expect_err("empty");
                assert_eq!(*error.kind, ReadErrorKind::EmptyFile, "{}", entry.name);
            }
        }
    }

    #[test]
    fn a_gzip_stream_cut_short_is_told_by_every_format() {
        for entry in FORMATS {
            let name = entry.name;
            let bytes = (entry.sample)();
            let packed = gzip(&bytes);
            let whole = Memory::new().with("f", packed.clone());
            assert!(entry.read(&whole, "f", &[]).is_ok(), "{name}");
            // Cut inside the data, and inside the checksum behind them.
            for end in [packed.len() / 2, packed.len() - 3] {
                let cut = Memory::new().with("f", &packed[..end]);
                let error = entry.read(&cut, "f", &[]).expect_err("cut");
                assert!(matches!(*error.kind, ReadErrorKind::TruncatedGzip { .. }), "{name}: {error}");
            }
        }
    }

    /// A file that is damaged in one to four places: a bit, a byte, its end, a piece of it.
    fn mutate(bytes: &[u8], seed: u64) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        let mut state = seed;
        let mut draw = |n: usize| {
            state = crate::data::splitmix64(state.wrapping_add(0x9e37_79b9_7f4a_7c15));
            (state % n.max(1) as u64) as usize
        };
        for _ in 0..=draw(4) {
            let at = draw(bytes.len() + 1);
            match draw(6) {
                0 if at < bytes.len() => bytes[at] ^= 1 << draw(8),
                1 if at < bytes.len() => bytes[at] = draw(256) as u8,
                2 => bytes.truncate(at),
                3 => bytes.insert(at, b"0123456789,;\t \"\n\r-.:{}[]e\0\xff"[draw(27)]),
                4 if at < bytes.len() => drop(bytes.remove(at)),
                _ => {
                    let end = (at + draw(20)).min(bytes.len());
                    let piece = bytes[at.min(end)..end].to_vec();
                    let to = draw(bytes.len() + 1);
                    bytes.splice(to..to, piece);
                }
            }
        }
        bytes
    }

    #[test]
    fn damaged_files_of_every_format_never_panic() {
        for entry in FORMATS {
            let sample = (entry.sample)();
            for seed in 0..250 {
                reads_without_panic(mutate(&sample, seed));
                reads_without_panic(mutate(&gzip(&sample), seed));
            }
        }
    }

    fn reads_without_panic(bytes: Vec<u8>) {
        let word = |name: &str, word: &str| (name.to_owned(), OptionValue::Text(word.to_owned()));
        let files = Memory::new().with("f", bytes.clone());
        for (separator, decimal, mode) in [(";", ",", "drop"), (" ", ".", "mean"), (",", ".", "drop")] {
            let options =
                [word("separator", separator), word("decimal", decimal), word("comment", "#"), word("missing", mode)];
            for format in [&super::csv::CSV, &super::csv::TSV] {
                if let Ok(array) = format.read(&files, "f", &options) {
                    assert!(array.values.iter().all(|v| v.is_finite()), "{bytes:?}");
                }
            }
            let _ = super::jsonl::JSONL.read(&files, "f", &options[3..]);
        }
        let source = Memory::new().with("f", bytes);
        for entry in FORMATS {
            let header = entry.header(&source, "f", &[]);
            if let Ok(array) = entry.read(&source, "f", &[]) {
                assert!(array.values.iter().all(|value| value.is_finite()));
                let shape = header.expect("what can be read has a header").shape;
                assert_eq!(shape.len(), array.rank());
                assert!(
                    shape.iter().zip(&array.shape).all(|(known, extent)| known.is_none_or(|known| known == *extent))
                );
            }
        }
    }

    proptest! {
        #[test]
        fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            reads_without_panic(bytes.clone());
            reads_without_panic(gzip(&bytes));
        }

        #[test]
        fn random_tables_never_panic(text in "[0-9a.,;\"\n\r\t ?-]{0,60}") {
            reads_without_panic(text.into_bytes());
        }

        #[test]
        fn random_idx_files_never_panic(code in 7u8..16, extents in proptest::collection::vec(prop_oneof![0u32..4, any::<u32>()], 0..6), tail in proptest::collection::vec(any::<u8>(), 0..80)) {
            reads_without_panic(idx::tests::idx(code, &extents, &tail));
        }

        #[test]
        fn random_sparse_rows_never_panic(text in "[0-9a:#\n\r ?+-]{0,60}") {
            reads_without_panic(text.into_bytes());
        }

        #[test]
        fn random_npy_headers_never_panic(text in "[{'](descr|shape|fortran_order|[<>|]f8|True|[0-9]{1,20}|[ '(){},:+x\\[-]){0,20}", tail in 0usize..40) {
            reads_without_panic(npy::tests::raw(&text, &vec![0; tail]));
        }

        #[test]
        fn random_npy_shapes_never_panic(shape in proptest::collection::vec(prop_oneof![0u64..4, any::<u64>()], 0..6), order: bool, tail in 0usize..80) {
            let extents: String = shape.iter().map(|n| format!("{n}, ")).collect();
            let order = if order { "True" } else { "False" };
            let text = format!("{{'descr': '<f8', 'fortran_order': {order}, 'shape': ({extents}), }}");
            reads_without_panic(npy::tests::raw(&text, &vec![0; tail]));
        }

        #[test]
        fn a_damaged_archive_never_panics(at in 0usize..400, byte: u8) {
            let mut bytes = npz::tests::archive(&[("x", &[1.0, 2.0]), ("y", &[3.0])]);
            let at = at % bytes.len();
            bytes[at] = byte;
            reads_without_panic(bytes);
        }
    }
}
