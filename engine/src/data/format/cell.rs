//! A cell of a text table: a number, a class, or an error that says where, what and probably why.
//!
//! Nothing is guessed: missing values, infinities and unknown classes are errors. Blanks and quotes around a cell do not
//! count, and only selected cells are looked at.

use csv::ByteRecord;

use super::dialect::{Dialect, Missing};
use super::table::Classes;
use crate::data::error::{NumberHint, ReadErrorKind};
use crate::data::file_place::{Place, shorten};

/// A data row in its surroundings.
pub(super) struct Row<'a> {
    /// The cells of all columns.
    pub(super) cells: &'a ByteRecord,
    /// The line as an editor shows it.
    pub(super) line: u64,
    /// Counts data rows from 1.
    pub(super) row: u64,
    /// The next row, if at hand; a hint looks there.
    pub(super) below: Option<&'a ByteRecord>,
    /// Column names, if the file has any.
    pub(super) names: &'a [String],
    /// What the selected cells hold instead of numbers.
    pub(super) classes: Option<&'a Classes>,
    /// How the table is written.
    pub(super) dialect: Dialect,
}

impl Row<'_> {
    /// The value of the cell in this zero-based column; `None` where it is missing and may be.
    pub(super) fn value(&self, column: usize) -> Result<Option<f64>, ReadErrorKind> {
        match (self.classes, self.dialect.number(self.cells[column].trim_ascii())) {
            (None, Some(value)) if value.is_finite() => Ok(Some(value)),
            _ => self.value_slowly(column),
        }
    }

    /// True where a cell in this column is missing: it is none of the classes and one of the marks.
    pub(super) fn lacks(&self, column: usize) -> bool {
        let cell = clean(&self.cells[column]);
        missing(cell) && self.classes.is_none_or(|classes| classes.label(cell).is_none())
    }

    /// Everything but a plain number: classes, words, quotes after blanks, and the errors.
    fn value_slowly(&self, column: usize) -> Result<Option<f64>, ReadErrorKind> {
        let cell = clean(&self.cells[column]);
        let value = match self.classes {
            Some(classes) => classes.label(cell).map(|label| label as f64),
            None => self.dialect.number(cell).or_else(|| truth(cell)),
        };
        if let Some(value) = value.filter(|value| value.is_finite()) {
            return Ok(Some(value));
        }
        let name = self.names.get(column).filter(|name| !name.is_empty()).cloned();
        let place = Place::Cell { line: self.line, row: self.row, column: column + 1, name };
        utf8(cell, &place)?;
        let text = shorten(cell);
        if missing(cell) {
            // Rows that are dropped never come here, so that one in a file that has changed since is told.
            return match self.dialect.missing {
                Missing::Mean => Ok(None),
                Missing::Error | Missing::Drop => Err(ReadErrorKind::Missing { place, text }),
            };
        }
        if value.is_some() {
            return Err(ReadErrorKind::NotFinite { place, text });
        }
        let Some(classes) = self.classes else {
            return Err(ReadErrorKind::NotANumber { place, text, hint: self.hint(column, cell) });
        };
        let hint = self.could_be_names().then_some(NumberHint::Header);
        let near = classes.near(&text);
        Err(ReadErrorKind::UnknownClass { place, text, classes: classes.shown(), near, hint })
    }

    /// Why a cell is probably not a number.
    fn hint(&self, column: usize, cell: &[u8]) -> Option<NumberHint> {
        let below = self.below.map(|below| clean(&below[column]));
        let number_below = below.is_some_and(|below| self.dialect.number(below).is_some());
        Some(match shape_of(cell, self.dialect.decimal) {
            Some(hint) => hint,
            None if self.could_be_names() => NumberHint::Header,
            None if self.row == 1 && self.names.is_empty() && number_below => NumberHint::Header,
            None => NumberHint::Classes,
        })
    }

    /// Whether this is a first row taken as data that has no number.
    fn could_be_names(&self) -> bool {
        self.row == 1 && self.names.is_empty() && !has_number(self.cells)
    }
}

/// A cell without the blanks and quotes around it. The csv parser leaves quotes that follow a blank.
pub(super) fn clean(cell: &[u8]) -> &[u8] {
    match cell.trim_ascii() {
        [b'"', inner @ .., b'"'] => inner.trim_ascii(),
        trimmed => trimmed,
    }
}

/// The number a cell holds; NaN and infinities count as numbers here.
pub(super) fn number(cell: &[u8]) -> Option<f64> {
    std::str::from_utf8(cell).ok()?.parse().ok()
}

/// Whether a cleaned cell is empty or one of the usual marks of a missing value.
pub(super) fn missing(cell: &[u8]) -> bool {
    matches!(cell, b"" | b"?" | b"." | b"-" | b"*")
        || [&b"na"[..], b"n/a", b"#n/a", b"nan", b"null", b"none", b"missing"]
            .iter()
            .any(|mark| cell.eq_ignore_ascii_case(mark))
}

/// What a text that begins like a number looks like.
fn shape_of(cell: &[u8], decimal: u8) -> Option<NumberHint> {
    let text = std::str::from_utf8(cell).ok()?;
    let digits = |text: &str| text.bytes().any(|b| b.is_ascii_digit());
    let plain = |text: &str| number(text.trim().as_bytes()).is_some();
    if !digits(text) {
        return None;
    }
    if let Some(rest) = text.strip_suffix('%') {
        return plain(&rest.replace(',', ".")).then_some(NumberHint::Percent);
    }
    // 2024-01-31, 31.1.2024, 1/31/24, with or without a time behind it
    let day = text.split(['T', ' ']).next().unwrap_or(text);
    for mark in ['-', '/', '.'] {
        let parts: Vec<&str> = day.split(mark).collect();
        let short = |p: &&str| (1..=4).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_digit());
        let grouped = mark == '.' && parts[1..].iter().all(|p| p.len() == 3);
        if parts.len() == 3 && parts.iter().all(short) && !grouped {
            return Some(NumberHint::Date);
        }
    }
    if text.split(':').count() >= 2 && text.bytes().all(|b| b.is_ascii_digit() || b":.".contains(&b)) {
        return Some(NumberHint::Date);
    }
    if decimal == b'.' && text.matches(',').count() == 1 && plain(&text.replace(',', ".")) {
        let (whole, fraction) = text.split_once(',')?;
        let thousands = fraction.len() == 3 && whole.trim_start_matches('-') != "0" && digits(whole);
        return Some(if thousands { NumberHint::Thousands } else { NumberHint::DecimalComma });
    }
    if decimal == b',' && plain(text) && text.matches('.').count() == 1 {
        return Some(NumberHint::DecimalPoint);
    }
    let bare: String = text.chars().filter(|c| !"., \u{a0}\u{202f}'\u{2019}_".contains(*c)).collect();
    if plain(&bare) {
        return Some(NumberHint::Thousands);
    }
    // 1d3, 0x1F
    let fortran = text.len() > 2 && plain(&text.replace(['d', 'D'], "e"));
    if fortran || text.len() > 2 && (text.starts_with("0x") || text.starts_with("0X")) {
        return Some(NumberHint::Notation);
    }
    let without = text.trim_matches(|c: char| !c.is_ascii_digit() && !"+-.,".contains(c));
    let unit = without.len() < text.len() && text.len() - without.len() <= 4;
    (unit && plain(&without.replace(',', ""))).then_some(NumberHint::Unit)
}

/// Whether a cell is a number in another way of writing than the one stated.
pub(super) fn odd_number(cell: &[u8], decimal: u8) -> bool {
    use NumberHint::{DecimalComma, DecimalPoint, Percent, Thousands};
    matches!(shape_of(cell, decimal), Some(DecimalComma | DecimalPoint | Percent | Thousands))
}

/// `true` and `false`, `yes` and `no`: 1 and 0, in the spellings that programs write.
pub(super) fn truth(cell: &[u8]) -> Option<f64> {
    match cell {
        b"true" | b"True" | b"TRUE" | b"yes" | b"Yes" | b"YES" => Some(1.0),
        b"false" | b"False" | b"FALSE" | b"no" | b"No" | b"NO" => Some(0.0),
        _ => None,
    }
}

/// Whether any cell of the row is a number.
pub(super) fn has_number(row: &ByteRecord) -> bool {
    row.iter().any(|cell| number(clean(cell)).is_some_and(f64::is_finite))
}

/// The text of a cell, or the byte that is not UTF-8.
pub(super) fn utf8<'a>(cell: &'a [u8], place: &Place) -> Result<&'a str, ReadErrorKind> {
    std::str::from_utf8(cell)
        .map_err(|error| ReadErrorKind::NonUtf8 { place: place.clone(), byte: cell[error.valid_up_to()] })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::format::csv::tests::{complaint, matrix, read, texts};
    use crate::data::{Array, OptionValue};

    #[test]
    fn classes_become_numbers() {
        let sonar = "0.1,R\n0.2,M\n0.3, \"R\"\n";
        let select = [("column", OptionValue::Number(2.)), ("classes", texts(&["R", "M"]))];
        assert_eq!(read(sonar, &select), Ok(Array::from(vec![0., 1., 0.])));
        assert_eq!(
            read("2\n4\n2.0\n", &[("classes", OptionValue::Numbers(vec![2., 4.]))]),
            matrix(3, 1, &[0., 1., 0.])
        );
        assert_eq!(
            complaint("a,label\n1,rock\n2,rok\n", &[select[0].clone(), ("classes", texts(&["rock", "metal"]))]),
            r#"line 3 (row 2), column 2 (`label`): `rok` is none of the classes ["rock", "metal"]; did you mean `rock`?"#
        );
        let hint = complaint("label\nR\nM\n", &[("column", OptionValue::Number(1.)), select[1].clone()]);
        assert!(hint.contains("line 1, column 1: `label`") && hint.contains("header = true"), "{hint}");
    }

    #[test]
    fn texts_among_numbers_are_placed_and_explained() {
        for (bytes, message) in [
            ("1,2\n3,x\n", "line 2, column 2: `x` is not a number; if the column holds classes"),
            (
                "a,b\nc,d\n1,2\n",
                "line 1, column 1: `a` is not a number; if the first row holds names, write `header = true`",
            ),
            (
                "1,\"2,5\"\n",
                "line 1, column 2: `2,5` is not a number; if the comma is the decimal mark, write `decimal",
            ),
            ("1,\"2,500\"\n", "line 1, column 2: `2,500` is not a number; this looks like a number with marks"),
            ("1,2'500\n", "line 1, column 2: `2'500` is not a number; this looks like a number with marks"),
            ("1,12%\n", "line 1, column 2: `12%` is not a number; remove the percent signs"),
            ("1,$12\n", "line 1, column 2: `$12` is not a number; remove the signs"),
            ("1,12 kg\n", "line 1, column 2: `12 kg` is not a number; remove the signs"),
            ("1,2024-01-31\n", "line 1, column 2: `2024-01-31` is not a number; this looks like a date"),
            ("1,31.1.2024 10:00\n", "line 1, column 2: `31.1.2024 10:00` is not a number; this looks like a date"),
            ("1,10:30\n", "line 1, column 2: `10:30` is not a number; this looks like a date"),
        ] {
            let found = complaint(bytes, &[]);
            assert!(found.starts_with(message), "{bytes:?}: {found}");
        }
    }

    #[test]
    fn missing_and_infinite_values_are_errors() {
        for mark in ["inf", "-Infinity", "1e999"] {
            let result = read(format!("a,b\n1,2\n3,{mark}\n"), &[]);
            let place = Place::Cell { line: 3, row: 2, column: 2, name: Some("b".into()) };
            assert_eq!(result, Err(ReadErrorKind::NotFinite { place, text: mark.into() }));
        }
        let place = Place::Cell { line: 2, row: 2, column: 1, name: None };
        assert_eq!(read("1,2\nNA,3\n", &[]), Err(ReadErrorKind::Missing { place, text: "NA".into() }));
        assert_eq!(read("1,?\n2,3\n", &[("column", OptionValue::Number(1.))]), Ok(Array::from(vec![1., 2.])));
    }

    #[test]
    fn words_of_truth_are_numbers() {
        let text = "a,b\ntrue,no\nFalse,YES\n1,0\n";
        assert_eq!(read(text, &[]), matrix(3, 2, &[1., 0., 0., 1., 1., 0.]));
        assert!(read("a\ntruth\n1\n", &[]).is_err());
    }

    #[test]
    fn bytes_that_are_not_text_are_placed() {
        let place = Place::Cell { line: 2, row: 2, column: 2, name: None };
        assert_eq!(read(b"1,2\n3,4\xe9\n", &[]), Err(ReadErrorKind::NonUtf8 { place, byte: 0xe9 }));
        // Only what is selected matters.
        assert!(read(b"1,2\n3,4\xe9\n", &[("column", OptionValue::Number(1.))]).is_ok());
        assert!(complaint(b"\xff\xfe1\0", &[]).contains("UTF-16"));
    }

    #[test]
    fn cells_are_cleaned() {
        assert_eq!(clean(b" \"R\" \r"), b"R");
        assert_eq!(clean(b"\""), b"\"");
        assert_eq!(number(clean(b" +1e-3\r")), Some(0.001));
        assert!(missing(b"N/A") && missing(b"") && !missing(b"0"));
    }
}
