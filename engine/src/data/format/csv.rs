//! The csv and tsv formats: text tables with quotes, a header or none, and any line ends but a lone carriage return.
//!
//! `rows` fetches the rows, `table` knows what was asked and `cell` makes numbers; here they come together. Two rows are
//! fetched to find out about the header, then one at a time.

use std::collections::VecDeque;
use std::io::BufRead;

use csv::ByteRecord;

use super::cell::{Row, clean, utf8};
use super::dialect::{Dialect, Missing};
use super::header_row::detect;
use super::rows::Rows;
use super::sniff::Sample;
use super::table::{self, Classes, Columns};
use super::{Format, Header, HeaderRow, Loaded};
use crate::data::array::Array;
use crate::data::error::ReadErrorKind;
use crate::data::file_place::Place;
use crate::data::option::{OptionError, OptionValue, Options};
use crate::data::values::Values;

pub(super) static CSV: Format = Format {
    name: "csv",
    doc: "Comma-separated text, a matrix [rows, columns] or a single column [rows].",
    options: table::OPTIONS,
    shape_hint: SHAPE_HINT,
    is_text: true,
    #[cfg(test)]
    sample: || b"1,2\n3,4\n".to_vec(),
    rank: table::rank,
    gaps: Some(|reader, options| gaps(reader, "csv", b',', options)),
    header: |reader, options| header(reader, "csv", b',', options),
    read: |reader, options| read(reader, "csv", b',', options),
};

pub(super) static TSV: Format = Format {
    name: "tsv",
    doc: "Tab-separated text, with the options of csv.",
    options: table::OPTIONS,
    shape_hint: SHAPE_HINT,
    is_text: true,
    #[cfg(test)]
    sample: || b"1\t2\n3\t4\n".to_vec(),
    rank: table::rank,
    gaps: Some(|reader, options| gaps(reader, "tsv", b'\t', options)),
    header: |reader, options| header(reader, "tsv", b'\t', options),
    read: |reader, options| read(reader, "tsv", b'\t', options),
};

const SHAPE_HINT: &str = "rows come first; choose columns with `columns = 1..k` or `column = \"name\"`";

type Bytes = Box<dyn BufRead>;

/// Opens a table for a purpose. Where that fails because the file is written in another way, that is what is said.
fn with_table<T>(
    reader: Bytes,
    dialect: Result<Dialect, OptionError>,
    options: Options<'_>,
    purpose: impl FnOnce(Table) -> Result<T, ReadErrorKind>,
) -> Result<T, ReadErrorKind> {
    let (dialect, sample) = (dialect?, Sample::default());
    let result = Table::open(reader, dialect, options, sample.clone()).and_then(purpose);
    result.map_err(|kind| sample.explain(kind, dialect))
}

fn header(reader: Bytes, format: &'static str, usual: u8, options: Options<'_>) -> Result<Header, ReadErrorKind> {
    with_table(reader, Dialect::from_options(format, usual, options), options, |table| Ok(table.header()))
}

fn read(reader: Bytes, format: &'static str, usual: u8, options: Options<'_>) -> Result<Loaded, ReadErrorKind> {
    with_table(reader, Dialect::from_options(format, usual, options), options, |t| t.read(options.left_out))
}

fn gaps(reader: Bytes, format: &'static str, usual: u8, options: Options<'_>) -> Result<Vec<usize>, ReadErrorKind> {
    with_table(reader, Dialect::from_options(format, usual, options), options, Table::gaps)
}

/// An opened table: its first rows are read, its columns are known.
struct Table {
    rows: Rows,
    /// Data rows already fetched, with their lines.
    fetched: VecDeque<(ByteRecord, u64)>,
    names: Vec<String>,
    header_row: HeaderRow,
    selected: Vec<usize>,
    single: bool,
    /// True where no columns are selected.
    all: bool,
    classes: Option<Classes>,
    dialect: Dialect,
}

impl Table {
    fn open(reader: Bytes, dialect: Dialect, options: Options<'_>, sample: Sample) -> Result<Table, ReadErrorKind> {
        let columns = Columns::from_options(options)?;
        let classes = Classes::from_options(options)?;
        let declared = options.boolean("header")?;
        if let (Some(false), Some(name)) = (declared, columns.first_name()) {
            return Err(ReadErrorKind::NamesWithoutHeader { name: name.to_owned() });
        }
        let mut rows = Rows::open(reader, dialect, options, &sample)?;
        let mut fetched = VecDeque::new();
        while fetched.len() < 2 {
            let mut row = ByteRecord::new();
            match rows.next(&mut row)? {
                Some(line) => fetched.push_back((row, line)),
                None => break,
            }
        }
        let Some((first, first_line)) = fetched.front() else {
            return Err(ReadErrorKind::EmptyFile);
        };
        let (width, first_line) = (first.len(), *first_line);
        if first.iter().any(lone_return) {
            return Err(ReadErrorKind::CarriageReturn { line: first_line });
        }
        // Cells that another separator makes numbers would be read as texts, or as the wrong numbers.
        let one_number = width == 1 && classes.is_none();
        if let Some(found) = sample.look(dialect).filter(|_| sample.separates(dialect, one_number)) {
            return Err(found);
        }
        let header_row = match declared {
            Some(true) => HeaderRow::Given,
            Some(false) => HeaderRow::Absent,
            None if columns.first_name().is_some() => HeaderRow::Given,
            None => detect(first, fetched.get(1).map(|(row, _)| row), classes.as_ref(), dialect),
        };
        let mut names = Vec::new();
        if matches!(header_row, HeaderRow::Given | HeaderRow::Detected | HeaderRow::Believed) {
            for (i, cell) in first.iter().enumerate() {
                let place = Place::Cell { line: first_line, row: 0, column: i + 1, name: None };
                names.push(utf8(clean(cell), &place)?.to_owned());
            }
            fetched.pop_front();
        }
        let selected = columns.positions(width, &names)?;
        if fetched.is_empty() {
            return Err(ReadErrorKind::OnlyNames { line: first_line });
        }
        let (single, all) = (columns.single(), matches!(columns, Columns::All));
        Ok(Table { rows, fetched, names, header_row, selected, single, all, classes, dialect })
    }

    fn header(self) -> Header {
        let mut shape = vec![None];
        if !self.single {
            shape.push(Some(self.selected.len()));
        }
        // Data frames write their index without a name; that of `reset_index` files starts with this word.
        let unnamed = self.names.first().is_some_and(|name| name.is_empty() || name.starts_with("Unnamed: 0"));
        let index_column = self.all && unnamed && self.names.len() > 1;
        Header { shape, names: self.names, header_row: self.header_row, index_column }
    }

    /// Calls `each` with every data row until it fails.
    fn each(mut self, mut each: impl FnMut(&Table, Row<'_>) -> Result<(), ReadErrorKind>) -> Result<(), ReadErrorKind> {
        let mut count = 0;
        let fetched = std::mem::take(&mut self.fetched);
        for (i, (cells, line)) in fetched.iter().enumerate() {
            count += 1;
            let below = fetched.get(i + 1).map(|(cells, _)| cells);
            each(&self, Row { below, ..self.row(cells, *line, count) })?;
        }
        let mut cells = ByteRecord::new();
        while let Some(line) = self.rows.next(&mut cells)? {
            count += 1;
            each(&self, self.row(&cells, line, count))?;
        }
        Ok(())
    }

    /// All rows but those left out, which ascend.
    fn read(self, left_out: &[usize]) -> Result<Loaded, ReadErrorKind> {
        let (single, width) = (self.single, self.selected.len());
        let selected = self.selected.clone();
        let mut values = Values::new(width);
        let mut left_out = left_out.iter().peekable();
        let (mut rows, mut kept) = (0, 0);
        self.each(|table, row| {
            rows += 1;
            if left_out.next_if(|out| **out as u64 + 1 == row.row).is_some() {
                return Ok(());
            }
            kept += 1;
            for &column in &table.selected {
                values.push(row.value(column)?)?;
            }
            Ok(())
        })?;
        if kept == 0 {
            return Err(ReadErrorKind::NoRowLeft { rows });
        }
        let (values, filled) =
            values.filled().map_err(|k| ReadErrorKind::NothingToAverage { column: selected[k] + 1 })?;
        let shape = if single { vec![values.len()] } else { vec![kept, width] };
        Ok(Loaded { filled, ..Array::new(shape, values).into() })
    }

    /// The rows that lack a selected value, zero-based; none unless such rows are to be dropped.
    fn gaps(self) -> Result<Vec<usize>, ReadErrorKind> {
        let mut found = Vec::new();
        if self.dialect.missing == Missing::Drop {
            self.each(|table, row| {
                if table.selected.iter().any(|column| row.lacks(*column)) {
                    found.push(row.row as usize - 1);
                }
                Ok(())
            })?;
        }
        Ok(found)
    }

    /// A data row in its surroundings.
    fn row<'a>(&'a self, cells: &'a ByteRecord, line: u64, row: u64) -> Row<'a> {
        let dialect = self.dialect;
        Row { cells, line, row, below: None, names: &self.names, classes: self.classes.as_ref(), dialect }
    }
}

/// True when a cell holds a carriage return without a line feed, so that lines end in it alone.
fn lone_return(cell: &[u8]) -> bool {
    let cell = clean(cell);
    (0..cell.len()).any(|i| cell[i] == b'\r' && cell.get(i + 1) != Some(&b'\n'))
}

/// Whether the options ask for rows to be dropped.
pub(super) fn drops(options: &[(String, OptionValue)]) -> bool {
    options.iter().any(|(name, value)| name == "missing" && *value == OptionValue::Text("drop".to_owned()))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::data::format::format;
    use crate::data::{Memory, OptionValue};

    fn given(options: &[(&str, OptionValue)]) -> Vec<(String, OptionValue)> {
        options.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
    }

    pub(in crate::data::format) fn text(value: &str) -> OptionValue {
        OptionValue::Text(value.to_owned())
    }

    pub(in crate::data::format) fn texts(values: &[&str]) -> OptionValue {
        OptionValue::Texts(values.iter().map(|&value| value.to_owned()).collect())
    }

    pub(in crate::data::format) fn read(
        bytes: impl Into<Vec<u8>>,
        options: &[(&str, OptionValue)],
    ) -> Result<Array, ReadErrorKind> {
        let source = Memory::new().with("f", bytes);
        format("csv").expect("in the table").read(&source, "f", &given(options)).map_err(|error| *error.kind)
    }

    fn header(bytes: &str, options: &[(&str, OptionValue)]) -> Header {
        let source = Memory::new().with("f", bytes);
        format("csv").expect("in the table").header(&source, "f", &given(options)).expect("a header")
    }

    /// The message and the next step.
    pub(in crate::data::format) fn complaint(bytes: impl Into<Vec<u8>>, options: &[(&str, OptionValue)]) -> String {
        let kind = read(bytes, options).expect_err("a mistake");
        format!("{kind}; {}", kind.hint().unwrap_or_default())
    }

    pub(in crate::data::format) fn matrix(rows: usize, columns: usize, values: &[f64]) -> Result<Array, ReadErrorKind> {
        Ok(Array::new(vec![rows, columns], values.to_vec()))
    }

    #[test]
    fn byte_order_mark_crlf_blanks_quotes_and_trailing_lines_are_fine() {
        let expected = matrix(2, 2, &[1., 2., 3., 4.]);
        assert_eq!(read("1,2\n3,4", &[]), expected);
        assert_eq!(read("\u{feff}a,b\r\n 1 , \"2\"\r\n3,4\r\n\r\n \r\n", &[]), expected);
        assert_eq!(read("\n\"a\nb\",c\n1,2\n\n3,4\n\n\n", &[]), expected);
        let source = Memory::new().with("f", "a\tb\n1\t2\n3\t4\n");
        assert_eq!(format("tsv").expect("in the table").read(&source, "f", &[]).map_err(|e| *e.kind), expected);
    }

    #[test]
    fn columns_are_selected_by_number_range_and_name() {
        let bytes = "a,b,c\n1,2,3\n4,5,6\n";
        assert_eq!(read(bytes, &[("column", OptionValue::Number(3.))]), Ok(Array::from(vec![3., 6.])));
        assert_eq!(read(bytes, &[("column", text("b"))]), Ok(Array::from(vec![2., 5.])));
        assert_eq!(read(bytes, &[("columns", OptionValue::Range(2, 3))]), matrix(2, 2, &[2., 3., 5., 6.]));
        assert_eq!(read(bytes, &[("columns", texts(&["c", "a"]))]), matrix(2, 2, &[3., 1., 6., 4.]));
        assert_eq!(read(bytes, &[("columns", OptionValue::Numbers(vec![1.]))]), matrix(2, 1, &[1., 4.]));
    }

    #[test]
    fn the_header_is_known_without_reading_on() {
        let known = header("a,b\n1,2\n3,x\n", &[("column", text("b"))]);
        assert_eq!((known.shape, known.names), (vec![None], vec!["a".to_owned(), "b".to_owned()]));
        let known = header("1,2,3\n5.5,1,2\n", &[("columns", OptionValue::Range(1, 2))]);
        assert_eq!((known.shape, known.header_row), (vec![None, Some(2)], HeaderRow::Suspected));
    }

    #[test]
    fn a_wrongly_declared_header_is_explained() {
        let no = [("header", OptionValue::Boolean(false))];
        assert!(complaint("a,b\n1,2\n", &no).contains("line 1, column 1: `a` is not a number; if the first row"));
        let named = [("header", OptionValue::Boolean(false)), ("column", text("b"))];
        assert!(complaint("a,b\n1,2\n", &named).contains("`header = false` says"));
        assert!(complaint("1,2\n3,4\n", &[("column", text("b"))]).contains("the first row holds numbers"));
        let yes = [("header", OptionValue::Boolean(true))];
        assert_eq!(read("1,2\n3,4\n", &yes), matrix(1, 2, &[3., 4.]));
    }

    #[test]
    fn wrong_columns_are_explained() {
        let bytes = "age,sex\n1,2\n";
        assert!(complaint(bytes, &[("column", text("agee"))]).ends_with("did you mean `age`?"));
        assert!(complaint(bytes, &[("column", text("weight"))]).ends_with("the columns are `age`, `sex`"));
        let range = [("columns", OptionValue::Range(1, i64::MAX))];
        assert_eq!(read(bytes, &range), Err(ReadErrorKind::ColumnOutOfRange { column: i64::MAX as u64, available: 2 }));
        assert!(complaint("a,a\n1,2\n", &[("column", text("a"))]).starts_with("columns [1, 2] are all called `a`"));
        for value in [OptionValue::Number(0.), OptionValue::Number(1.5), OptionValue::Boolean(true)] {
            assert!(matches!(read(bytes, &[("column", value)]), Err(ReadErrorKind::Option(_))));
        }
        let both = [("column", text("age")), ("columns", texts(&["sex"]))];
        assert!(complaint(bytes, &both).starts_with("the options `column` and `columns` exclude each other"));
    }

    #[test]
    fn lines_that_end_in_a_carriage_return_alone_are_told() {
        assert_eq!(read("a,b\r1,2\r3,4\r", &[]), Err(ReadErrorKind::CarriageReturn { line: 1 }));
        assert_eq!(read("\n1\r2\r3", &[]), Err(ReadErrorKind::CarriageReturn { line: 2 }));
        assert_eq!(read("\"a\r\nb\",c\r\n1,2\r\n", &[]), matrix(1, 2, &[1., 2.]));
    }

    #[test]
    fn a_header_without_rows_is_no_data() {
        assert_eq!(read("\na,b\n", &[]), Err(ReadErrorKind::OnlyNames { line: 2 }));
        assert_eq!(read("1,2", &[("header", OptionValue::Boolean(true))]), Err(ReadErrorKind::OnlyNames { line: 1 }));
        assert_eq!(read("\n \n", &[]), Err(ReadErrorKind::EmptyFile));
    }
}
