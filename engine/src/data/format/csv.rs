//! The csv and tsv formats: text tables with quotes, a header or none, and any line ends but a lone carriage return.
//!
//! `rows` fetches the rows, `table` knows what was asked and `cell` makes numbers; here they come together. Two rows are
//! fetched to find out about the header, then one at a time.

use std::collections::VecDeque;
use std::io::BufRead;

use csv::ByteRecord;

use super::cell::{Row, clean, utf8};
use super::rows::{Flavour, Rows};
use super::table::{self, Classes, Columns, detect};
use super::{Format, Header, HeaderRow};
use crate::data::array::{Array, Stored};
use crate::data::error::ReadErrorKind;
use crate::data::file_place::Place;
use crate::data::option::Options;

pub(super) static CSV: Format = Format {
    name: "csv",
    doc: "Comma-separated text, a matrix [rows, columns] or a single column [rows].",
    options: table::OPTIONS,
    shape_hint: SHAPE_HINT,
    is_text: true,
    #[cfg(test)]
    sample: || b"1,2\n3,4\n".to_vec(),
    rank: table::rank,
    header: |reader, options| Table::open(reader, Flavour::COMMA, options).map(|table| table.header()),
    read: |reader, options| Table::open(reader, Flavour::COMMA, options)?.read().map(Stored::from),
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
    header: |reader, options| Table::open(reader, Flavour::TAB, options).map(|table| table.header()),
    read: |reader, options| Table::open(reader, Flavour::TAB, options)?.read().map(Stored::from),
};

const SHAPE_HINT: &str = "rows come first; choose columns with `columns = 1..k` or `column = \"name\"`";

/// An opened table: its first rows are read, its columns are known.
struct Table {
    rows: Rows,
    /// Data rows already fetched, with their lines.
    fetched: VecDeque<(ByteRecord, u64)>,
    names: Vec<String>,
    header_row: HeaderRow,
    selected: Vec<usize>,
    single: bool,
    classes: Option<Classes>,
    flavour: Flavour,
}

impl Table {
    fn open(reader: Box<dyn BufRead>, flavour: Flavour, options: Options<'_>) -> Result<Table, ReadErrorKind> {
        let columns = Columns::from_options(options)?;
        let classes = Classes::from_options(options)?;
        let declared = options.boolean("header")?;
        if let (Some(false), Some(name)) = (declared, columns.first_name()) {
            return Err(ReadErrorKind::NamesWithoutHeader { name: name.to_owned() });
        }
        let mut rows = Rows::open(reader, flavour)?;
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
        let header_row = match declared {
            Some(true) => HeaderRow::Given,
            Some(false) => HeaderRow::Absent,
            None if columns.first_name().is_some() => HeaderRow::Given,
            None => {
                let second = fetched.get(1).map(|(row, _)| row);
                detect(first, second, &columns.positions(width, &[])?, classes.as_ref())
            }
        };
        let mut names = Vec::new();
        if matches!(header_row, HeaderRow::Given | HeaderRow::Detected) {
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
        let single = columns.single();
        Ok(Table { rows, fetched, names, header_row, selected, single, classes, flavour })
    }

    fn header(self) -> Header {
        let mut shape = vec![None];
        if !self.single {
            shape.push(Some(self.selected.len()));
        }
        Header { shape, names: self.names, header_row: self.header_row }
    }

    pub(in crate::data::format) fn read(mut self) -> Result<Array, ReadErrorKind> {
        let mut values = Vec::new();
        let mut count = 0;
        let fetched = std::mem::take(&mut self.fetched);
        for (i, (cells, line)) in fetched.iter().enumerate() {
            count += 1;
            let below = fetched.get(i + 1).map(|(cells, _)| cells);
            self.convert(Row { below, ..self.row(cells, *line, count) }, &mut values)?;
        }
        let mut cells = ByteRecord::new();
        while let Some(line) = self.rows.next(&mut cells)? {
            count += 1;
            self.convert(self.row(&cells, line, count), &mut values)?;
        }
        let shape = if self.single { vec![values.len()] } else { vec![count as usize, self.selected.len()] };
        Ok(Array::new(shape, values))
    }

    /// Appends the selected cells of a data row.
    fn convert(&self, row: Row<'_>, values: &mut Vec<f64>) -> Result<(), ReadErrorKind> {
        for &column in &self.selected {
            values.push(row.value(column)?);
        }
        Ok(())
    }

    /// A data row in its surroundings.
    fn row<'a>(&'a self, cells: &'a ByteRecord, line: u64, row: u64) -> Row<'a> {
        let Flavour { separator, .. } = self.flavour;
        Row { cells, line, row, below: None, names: &self.names, classes: self.classes.as_ref(), separator }
    }
}

/// True when a cell holds a carriage return without a line feed, so that lines end in it alone.
fn lone_return(cell: &[u8]) -> bool {
    let cell = clean(cell);
    (0..cell.len()).any(|i| cell[i] == b'\r' && cell.get(i + 1) != Some(&b'\n'))
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
