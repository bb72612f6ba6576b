//! JSON lines: one object per line, whose fields are the columns. The keys of the first object name the columns; the
//! order of keys in later lines does not matter. A key that stands twice in a line is an error, and so is one that the
//! first line lacks, unless columns are selected.
//!
//! A selected field is a number or a truth value; texts need `classes`. A field that is missing or `null` is an error
//! at its line, as an empty cell of a text table is, unless `missing` says what becomes of it.

use std::collections::HashSet;
use std::fmt;
use std::io::BufRead;

use serde::Deserializer;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde_json::{Map, Value};

use super::cell::missing;
use super::dialect::{MISSING, Missing};
use super::lines::Lines as TextLines;
use super::table::{Classes, Columns, rank};
use super::{Format, Header, HeaderRow, Loaded};
use crate::data::array::Array;
use crate::data::error::{NumberHint, ReadErrorKind};
use crate::data::file_place::{Place, shorten};
use crate::data::option::{OptionEntry, Options};
use crate::data::values::Values;

pub(super) static JSONL: Format = Format {
    name: "jsonl",
    doc: "JSON lines, an object per line; a matrix [rows, columns] of its fields or a single field [rows].",
    options: &[
        OptionEntry {
            name: "classes",
            doc: "The texts or numbers of the selected fields that become 0, 1, 2 and so on; a number n stands for 0 to n - 1.",
            words: &[],
        },
        OptionEntry {
            name: "column",
            doc: "A single field, by name or by its number in the first line; the array is [rows].",
            words: &[],
        },
        OptionEntry {
            name: "columns",
            doc: "A list of names, or a range or list of numbers; the array is [rows, columns]. All fields if not given.",
            words: &[],
        },
        MISSING,
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
        Ok(Header { shape, names: table.names, header_row: HeaderRow::Absent, index_column: false })
    },
    gaps: Some(|reader, options| Table::open(reader, options)?.gaps()),
    read: |reader, options| Table::open(reader, options)?.read(options.left_out),
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
    /// Every field is selected: none may be left out.
    all: bool,
    classes: Option<Classes>,
    missing: Missing,
}

impl Table {
    fn open(reader: Box<dyn BufRead>, options: Options<'_>) -> Result<Table, ReadErrorKind> {
        let columns = Columns::from_options(options)?;
        let classes = Classes::from_options(options)?;
        let missing = Missing::from_options(options)?;
        let mut lines = Lines { text: TextLines::open(reader, "jsonl", options)?, row: 0 };
        let first = lines.next()?.ok_or(ReadErrorKind::EmptyFile)?;
        let names: Vec<String> = first.keys().cloned().collect();
        let selected = columns.positions(names.len(), &names)?;
        let (single, all) = (columns.single(), matches!(columns, Columns::All));
        Ok(Table { lines, first, names, selected, single, all, classes, missing })
    }

    fn read(mut self, left_out: &[usize]) -> Result<Loaded, ReadErrorKind> {
        let mut values = Values::new(self.selected.len());
        let mut left_out = left_out.iter().peekable();
        let mut kept = 0;
        let mut object = Some(std::mem::take(&mut self.first));
        while let Some(fields) = object {
            if left_out.next_if(|out| **out as u64 + 1 == self.lines.row).is_none() {
                kept += 1;
                self.knows(&fields)?;
                for &column in &self.selected {
                    values.push(self.value(&fields, column)?)?;
                }
            }
            object = self.lines.next()?;
        }
        if kept == 0 {
            return Err(ReadErrorKind::NoRowLeft { rows: self.lines.row as usize });
        }
        let (values, filled) =
            values.filled().map_err(|k| ReadErrorKind::NothingToAverage { column: self.selected[k] + 1 })?;
        let shape = if self.single { vec![kept] } else { vec![kept, self.selected.len()] };
        Ok(Loaded { filled, ..Array::new(shape, values).into() })
    }

    /// Refuses a field that the first line lacks, where all are read.
    fn knows(&self, fields: &Object) -> Result<(), ReadErrorKind> {
        let known = |name: &str| self.names.iter().any(|n| n == name);
        // as many fields as names, none of them twice and none of them missing, are those of the first line
        let strange = fields.keys().find(|name| self.all && !known(name));
        strange.map_or(Ok(()), |name| {
            let (line, name) = (self.lines.text.line, shorten(name.as_bytes()));
            Err(ReadErrorKind::NewField { line, name })
        })
    }

    /// The rows that lack a selected value, zero-based; none unless such rows are to be dropped.
    fn gaps(mut self) -> Result<Vec<usize>, ReadErrorKind> {
        let mut found = Vec::new();
        let mut object = Some(std::mem::take(&mut self.first)).filter(|_| self.missing == Missing::Drop);
        while let Some(fields) = object {
            if self.selected.iter().any(|column| self.lacks(&fields, *column)) {
                found.push(self.lines.row as usize - 1);
            }
            object = self.lines.next()?;
        }
        Ok(found)
    }

    /// True where a field is absent, `null`, or a text that marks a missing value.
    fn lacks(&self, fields: &Object, column: usize) -> bool {
        match fields.get(&self.names[column]) {
            None | Some(Value::Null) => true,
            Some(Value::String(text)) => {
                let text = text.trim().as_bytes();
                missing(text) && self.classes.as_ref().is_none_or(|classes| classes.label(text).is_none())
            }
            _ => false,
        }
    }

    /// The value of a field of the line read last.
    fn value(&self, fields: &Object, column: usize) -> Result<Option<f64>, ReadErrorKind> {
        let name = &self.names[column];
        let field = fields.get(name).unwrap_or(&Value::Null);
        let place = || Place::Cell {
            line: self.lines.text.line,
            row: self.lines.row,
            column: column + 1,
            name: Some(name.clone()),
        };
        if self.lacks(fields, column) {
            let text = field.as_str().map_or_else(String::new, |text| shorten(text.trim().as_bytes()));
            return match self.missing {
                Missing::Mean => Ok(None),
                Missing::Error | Missing::Drop => Err(ReadErrorKind::Missing { place: place(), text }),
            };
        }
        let text = match field {
            Value::String(text) => text.trim().to_owned(),
            other => other.to_string(),
        };
        if let Some(classes) = &self.classes {
            return classes.label(text.as_bytes()).map(|label| Some(label as f64)).ok_or_else(|| {
                let (text, near) = (shorten(text.as_bytes()), classes.near(&text));
                ReadErrorKind::UnknownClass { place: place(), text, classes: classes.shown(), near, hint: None }
            });
        }
        match field {
            Value::Bool(truth) => Ok(Some(f64::from(u8::from(*truth)))),
            Value::Number(number) => match number.as_f64().filter(|value| value.is_finite()) {
                Some(value) => Ok(Some(value)),
                None => Err(ReadErrorKind::NotFinite { place: place(), text: shorten(text.as_bytes()) }),
            },
            _ => {
                let quoted = field.is_string() && text.parse::<f64>().is_ok();
                let hint = match quoted {
                    true => Some(NumberHint::Quoted),
                    false => field.is_string().then_some(NumberHint::Classes),
                };
                Err(ReadErrorKind::NotANumber { place: place(), text: shorten(text.as_bytes()), hint })
            }
        }
    }
}

/// The objects of a file, one per line; blank lines do not count as rows.
struct Lines {
    text: TextLines,
    /// Counts objects from 1.
    row: u64,
}

impl Lines {
    /// The next object, or `None` at the end.
    fn next(&mut self) -> Result<Option<Object>, ReadErrorKind> {
        let bytes = loop {
            match self.text.next()? {
                None => return Ok(None),
                Some(bytes) if bytes.trim_ascii().is_empty() => {}
                Some(bytes) => break bytes.to_vec(),
            }
        };
        let line = self.text.line;
        self.row += 1;
        let text = std::str::from_utf8(bytes.trim_ascii_end()).map_err(|error| {
            let column = String::from_utf8_lossy(&bytes[..error.valid_up_to()]).chars().count() + 1;
            let place = Place::Cell { line, row: self.row, column, name: None };
            ReadErrorKind::NonUtf8 { place, byte: bytes[error.valid_up_to()] }
        })?;
        match serde_json::from_str(text) {
            Ok(Value::Object(fields)) => match repeated(text) {
                Some(name) => Err(ReadErrorKind::RepeatedField { line, name: shorten(name.as_bytes()) }),
                None => Ok(Some(fields)),
            },
            Ok(other) => {
                let kind = match other {
                    Value::Array(_) => "a list",
                    Value::String(_) => "a text",
                    _ => "a single value",
                };
                Err(not_jsonl(format!("line {line} is {kind}, expected an object such as {{\"a\": 1}}")))
            }
            Err(error) => {
                let why = error.to_string();
                // The parser counts lines within what it was given, which is one line.
                let why = why.split(" at line ").next().unwrap_or_default();
                Err(not_jsonl(format!("line {line}, character {}: {why}", error.column())))
            }
        }
    }
}

/// A key that an object has twice: of these a map keeps the last one.
fn repeated(text: &str) -> Option<String> {
    /// Collects keys and skips values.
    struct Keys;

    impl<'de> Visitor<'de> for Keys {
        type Value = Option<String>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Option<String>, A::Error> {
            let (mut keys, mut twice) = (HashSet::new(), None);
            while let Some((key, _)) = map.next_entry::<String, IgnoredAny>()? {
                if let Some(key) = keys.replace(key) {
                    twice.get_or_insert(key);
                }
            }
            Ok(twice)
        }
    }

    let mut reader = serde_json::Deserializer::from_str(text);
    reader.deserialize_map(Keys).ok().flatten()
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
            "line 3 (row 2), column 1 (`a`): the cell is empty; `missing = drop` leaves such rows out, `missing = mean` fills in the mean of the column"
        );
        let gaps = "{\"a\":1,\"b\":5}\n{\"a\":null,\"b\":6}\n{\"b\":7}\n{\"a\":3,\"b\":\"NA\"}\n";
        assert_eq!(read(gaps, &[("missing", text("drop"))]), matrix(1, 2, &[1., 5.]));
        assert_eq!(read(gaps, &[("missing", text("mean"))]), matrix(4, 2, &[1., 5., 2., 6., 2., 7., 3., 6.]));
        assert!(
            complaint("{\"a\":1}\n{\"b\":2}", &[("column", text("a"))])
                .starts_with("line 2, column 1 (`a`): the cell is empty")
        );
        assert!(complaint("{\"a\":[1]}", &[]).starts_with("line 1, column 1 (`a`): `[1]` is not a number; "));
        assert_eq!(
            complaint("{\"age\":1}", &[("column", text("agee"))]),
            "no column is called `agee`; did you mean `age`?"
        );
        assert_eq!(complaint("{\"a\":1}\n{\"a\" 2}", &[]), "not jsonl data: line 2, character 6: expected `:`; ");
        assert_eq!(
            complaint("[{\"a\":1}]", &[]),
            "not jsonl data: line 1 is a list, expected an object such as {\"a\": 1}; write an object per line, in pandas \
             `to_json(orient=\"records\", lines=True)`"
        );
        assert_eq!(read("\n \n", &[]), Err(ReadErrorKind::EmptyFile));
    }

    #[test]
    fn no_field_is_lost() {
        let later = "{\"a\":1}\n\n{\"a\":2,\"b\":3}";
        assert_eq!(
            complaint(later, &[]),
            "line 3 has a field `b` that the first line lacks; write it into every line, or select fields with `columns = [\"...\"]`"
        );
        assert_eq!(read(later, &[("columns", texts(&["a"]))]), matrix(2, 1, &[1., 2.]));
        let twice = "{\"a\":1}\n{\"a\":2,\"c\":[1],\"a\":3}";
        assert_eq!(
            complaint(twice, &[("column", text("a"))]),
            "line 2 has the field `a` twice; give every field of a line a name of its own"
        );
        // the same text behind an escape
        assert!(complaint("{\"a\":1,\"\\u0061\":2}", &[]).starts_with("line 1 has the field `a` twice"));
    }
}
