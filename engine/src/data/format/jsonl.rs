//! JSON lines: one object per line, whose fields are the columns. The keys of the first object name the columns; the
//! order of keys in later lines does not matter, and keys that the first line lacks are left out.
//!
//! A selected field is a number or a truth value; texts need `classes`. A field that is missing or `null` is an error
//! at its line, as an empty cell of a text table is.

use std::io::{BufRead, Read};

use serde_json::{Map, Value};

use super::table::{Classes, Columns, rank};
use super::{Format, Header, HeaderRow};
use crate::data::array::{Array, Stored};
use crate::data::error::{NumberHint, ReadErrorKind};
use crate::data::file_place::{Place, shorten};
use crate::data::option::{OptionEntry, Options};
use crate::data::unpack::{peek, recognize};

pub(super) static JSONL: Format = Format {
    name: "jsonl",
    doc: "JSON lines, an object per line; a matrix [rows, columns] of its fields or a single field [rows].",
    options: &[
        OptionEntry {
            name: "classes",
            doc: "The texts or numbers of the selected fields that become 0, 1, 2 and so on; a number n stands for 0 to n - 1.",
        },
        OptionEntry {
            name: "column",
            doc: "A single field, by name or by its number in the first line; the array is [rows].",
        },
        OptionEntry {
            name: "columns",
            doc: "A list of names, or a range or list of numbers; the array is [rows, columns]. All fields if not given.",
        },
    ],
    shape_hint: "rows come first; choose fields with `columns = [\"a\", \"b\"]` or `column = \"a\"`",
    is_text: true,
    #[cfg(test)]
    sample: || b"{\"a\": 1, \"b\": 2}\n{\"a\": 3, \"b\": 4}\n".to_vec(),
    rank,
    header: |reader, options| {
        let table = Table::open(reader, options)?;
        let mut shape = vec![None];
        shape.extend((!table.single).then_some(Some(table.selected.len())));
        Ok(Header { shape, names: table.names, header_row: HeaderRow::Absent })
    },
    read: |reader, options| Table::open(reader, options)?.read().map(Stored::from),
};

type Object = Map<String, Value>;

/// An opened file: its first line is read, its columns are known.
struct Table {
    lines: Lines,
    first: Object,
    /// The keys of the first line.
    names: Vec<String>,
    /// Positions among the names.
    selected: Vec<usize>,
    single: bool,
    classes: Option<Classes>,
}

impl Table {
    fn open(reader: Box<dyn BufRead>, options: Options<'_>) -> Result<Table, ReadErrorKind> {
        let columns = Columns::from_options(options)?;
        let classes = Classes::from_options(options)?;
        let mut lines = Lines::open(reader)?;
        let first = lines.next()?.ok_or(ReadErrorKind::EmptyFile)?;
        let names: Vec<String> = first.keys().cloned().collect();
        let selected = columns.positions(names.len(), &names)?;
        Ok(Table { lines, first, names, selected, single: columns.single(), classes })
    }

    fn read(mut self) -> Result<Array, ReadErrorKind> {
        let mut values = Vec::new();
        let mut object = Some(std::mem::take(&mut self.first));
        while let Some(fields) = object {
            for &column in &self.selected {
                values.push(self.value(&fields, column)?);
            }
            object = self.lines.next()?;
        }
        let rows = self.lines.row as usize;
        let shape = if self.single { vec![rows] } else { vec![rows, self.selected.len()] };
        Ok(Array::new(shape, values))
    }

    /// The value of a field of the line read last.
    fn value(&self, fields: &Object, column: usize) -> Result<f64, ReadErrorKind> {
        let name = &self.names[column];
        let field = fields.get(name).unwrap_or(&Value::Null);
        let place =
            || Place::Cell { line: self.lines.line, row: self.lines.row, column: column + 1, name: Some(name.clone()) };
        let text = match field {
            Value::Null => return Err(ReadErrorKind::NotFinite { place: place(), text: String::new() }),
            Value::String(text) => text.trim().to_owned(),
            other => other.to_string(),
        };
        if let Some(classes) = &self.classes {
            return classes.label(text.as_bytes()).map(|label| label as f64).ok_or_else(|| {
                let (text, near) = (shorten(text.as_bytes()), classes.near(&text));
                ReadErrorKind::UnknownClass { place: place(), text, classes: classes.shown(), near, hint: None }
            });
        }
        match field {
            Value::Bool(truth) => Ok(f64::from(u8::from(*truth))),
            Value::Number(number) => match number.as_f64().filter(|value| value.is_finite()) {
                Some(value) => Ok(value),
                None => Err(ReadErrorKind::NotFinite { place: place(), text: shorten(text.as_bytes()) }),
            },
            _ => {
                let hint = field.is_string().then_some(NumberHint::Classes);
                Err(ReadErrorKind::NotANumber { place: place(), text: shorten(text.as_bytes()), hint })
            }
        }
    }
}

/// The objects of a file, one per line; blank lines do not count as rows.
struct Lines {
    reader: Box<dyn BufRead>,
    bytes: Vec<u8>,
    /// The line as an editor shows it.
    line: u64,
    /// Counts objects from 1.
    row: u64,
}

impl Lines {
    fn open(reader: Box<dyn BufRead>) -> Result<Lines, ReadErrorKind> {
        let (start, reader) = peek(reader, 6)?;
        if let Some(found) = recognize(&start) {
            return Err(not_jsonl(found.to_owned()));
        }
        let mark = if start.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        let mut reader: Box<dyn BufRead> = Box::new(reader);
        reader.by_ref().take(mark).read_to_end(&mut Vec::new())?;
        Ok(Lines { reader, bytes: Vec::new(), line: 0, row: 0 })
    }

    /// The next object, or `None` at the end.
    fn next(&mut self) -> Result<Option<Object>, ReadErrorKind> {
        loop {
            self.bytes.clear();
            if self.reader.read_until(b'\n', &mut self.bytes)? == 0 {
                return Ok(None);
            }
            self.line += 1;
            if !self.bytes.trim_ascii().is_empty() {
                break;
            }
        }
        self.row += 1;
        let text = std::str::from_utf8(self.bytes.trim_ascii_end()).map_err(|error| {
            let column = String::from_utf8_lossy(&self.bytes[..error.valid_up_to()]).chars().count() + 1;
            let place = Place::Cell { line: self.line, row: self.row, column, name: None };
            ReadErrorKind::NonUtf8 { place, byte: self.bytes[error.valid_up_to()] }
        })?;
        match serde_json::from_str(text) {
            Ok(Value::Object(fields)) => Ok(Some(fields)),
            Ok(other) => {
                let kind = match other {
                    Value::Array(_) => "a list",
                    Value::String(_) => "a text",
                    _ => "a single value",
                };
                Err(not_jsonl(format!("line {} is {kind}, expected an object such as {{\"a\": 1}}", self.line)))
            }
            Err(error) => {
                let why = error.to_string();
                // The parser counts lines within what it was given, which is one line.
                let why = why.split(" at line ").next().unwrap_or_default();
                Err(not_jsonl(format!("line {}, character {}: {why}", self.line, error.column())))
            }
        }
    }
}

fn not_jsonl(found: String) -> ReadErrorKind {
    ReadErrorKind::NotThisFormat { format: "jsonl", found }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::format::csv::tests::{matrix, text, texts};
    use crate::data::format::format;
    use crate::data::{Memory, OptionValue};

    fn given(options: &[(&str, OptionValue)]) -> Vec<(String, OptionValue)> {
        options.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
    }

    fn read(bytes: &str, options: &[(&str, OptionValue)]) -> Result<Array, ReadErrorKind> {
        let source = Memory::new().with("f", bytes);
        format("jsonl").expect("in the table").read(&source, "f", &given(options)).map_err(|error| *error.kind)
    }

    /// The message and the next step.
    fn complaint(bytes: &str, options: &[(&str, OptionValue)]) -> String {
        let kind = read(bytes, options).expect_err("a mistake");
        format!("{kind}; {}", kind.hint().unwrap_or_default())
    }

    const PEOPLE: &str = "\u{feff}{\"age\": 40, \"sex\": \"f\", \"fit\": true}\r\n\n{\"fit\": false, \"more\": [1], \"age\": 4.5e1, \"sex\": \"m\"}";

    #[test]
    fn fields_are_selected_by_name_and_number() {
        assert_eq!(read(PEOPLE, &[("column", text("age"))]), Ok(Array::from(vec![40., 45.])));
        assert_eq!(read(PEOPLE, &[("columns", texts(&["fit", "age"]))]), matrix(2, 2, &[1., 40., 0., 45.]));
        assert_eq!(read(PEOPLE, &[("column", OptionValue::Number(3.))]), Ok(Array::from(vec![1., 0.])));
        assert_eq!(read("{\"a\":1,\"b\":2}\n{\"b\":4,\"a\":3}\n", &[]), matrix(2, 2, &[1., 2., 3., 4.]));
        let classes = [("column", text("sex")), ("classes", texts(&["m", "f"]))];
        assert_eq!(read(PEOPLE, &classes), Ok(Array::from(vec![1., 0.])));
    }

    #[test]
    fn the_header_names_the_fields_of_the_first_line() {
        let source = Memory::new().with("f", PEOPLE);
        let header = format("jsonl").expect("in the table").header(&source, "f", &[]).expect("a header");
        assert_eq!(
            (header.shape, header.names),
            (vec![None, Some(3)], ["age", "sex", "fit"].map(String::from).to_vec())
        );
    }

    #[test]
    fn mistakes_are_located() {
        assert_eq!(
            complaint(PEOPLE, &[("column", text("sex"))]),
            "line 1, column 2 (`sex`): `f` is not a number; if the column holds classes, write `classes = [\"...\", \"...\"]`; else select other columns"
        );
        assert_eq!(
            complaint("{\"a\":1}\n\n{\"a\":null}", &[]),
            "line 3 (row 2), column 1 (`a`): the cell is empty; remove or fill in missing values before reading"
        );
        assert!(complaint("{\"a\":1}\n{\"b\":2}", &[]).starts_with("line 2, column 1 (`a`): the cell is empty"));
        assert!(complaint("{\"a\":[1]}", &[]).starts_with("line 1, column 1 (`a`): `[1]` is not a number; "));
        assert_eq!(
            complaint("{\"age\":1}", &[("column", text("agee"))]),
            "no column is called `agee`; did you mean `age`?"
        );
        assert_eq!(complaint("{\"a\":1}\n{\"a\" 2}", &[]), "not jsonl data: line 2, character 6: expected `:`; ");
        assert_eq!(
            complaint("[{\"a\":1}]", &[]),
            "not jsonl data: line 1 is a list, expected an object such as {\"a\": 1}; "
        );
        assert_eq!(read("\n \n", &[]), Err(ReadErrorKind::EmptyFile));
    }
}
