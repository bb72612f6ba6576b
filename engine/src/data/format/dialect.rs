//! How a text table is written: the separator, the decimal mark, comments, and what becomes of missing values. Here are
//! the options that state it; `sniff` finds out what a file looks like where nothing is stated and it does not read.

use super::cell;
use crate::data::option::{OptionEntry, OptionError, OptionValue, Options};

pub(super) const SEPARATOR: OptionEntry = OptionEntry {
    name: "separator",
    doc: "The character between cells, such as `\";\"`; `\" \"` stands for any number of blanks.",
    words: &[],
};
pub(super) const DECIMAL: OptionEntry =
    OptionEntry { name: "decimal", doc: "The decimal mark, `\".\"` or `\",\"`; default `\".\"`.", words: &[] };
pub(super) const COMMENT: OptionEntry = OptionEntry {
    name: "comment",
    doc: "The character that starts a comment, which ends with the line; no comments if not given.",
    words: &[],
};
pub(super) const MISSING: OptionEntry = OptionEntry {
    name: "missing",
    doc: "What becomes of a missing value: `error` (default), `drop` leaves its row out of all items that read the file, `mean` fills in the mean of the column.",
    words: &["drop", "error", "mean"],
};

/// What becomes of a missing value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// It is a mistake.
    Error,
    /// Its row goes.
    Drop,
    /// It becomes the mean of its column.
    Mean,
}

impl Missing {
    pub(super) fn from_options(options: Options<'_>) -> Result<Missing, OptionError> {
        let Some(given) = options.get("missing") else { return Ok(Missing::Error) };
        let mode = match given {
            OptionValue::Text(word) if word == "error" => Missing::Error,
            OptionValue::Text(word) if word == "drop" => Missing::Drop,
            OptionValue::Text(word) if word == "mean" => Missing::Mean,
            other => return Err(other.rejected("missing", "error, drop or mean")),
        };
        if mode == Missing::Mean && options.get("classes").is_some() {
            return Err(given.rejected("missing", "error or drop, since classes have no mean"));
        }
        Ok(mode)
    }
}

/// How a text table is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dialect {
    /// The format's name, for messages.
    pub(super) format: &'static str,
    /// Between cells; a blank stands for any number of blanks.
    pub(super) separator: u8,
    /// True where the separator is stated.
    pub(super) stated: bool,
    /// The decimal mark.
    pub(super) decimal: u8,
    /// What starts a comment.
    pub(super) comment: Option<u8>,
    /// What becomes of a missing value.
    pub(super) missing: Missing,
}

impl Dialect {
    /// Of the options of a format whose separator is `usual`.
    pub(super) fn from_options(format: &'static str, usual: u8, options: Options<'_>) -> Result<Dialect, OptionError> {
        const SEPARATORS: &str = "a single character such as \";\", no letter, digit, quote, point or minus";
        let stated = mark(options, "separator", SEPARATORS)?;
        let decimal = mark(options, "decimal", "\".\" or \",\"")?.unwrap_or(b'.');
        let comment = mark(options, "comment", "a single character such as \"#\"")?;
        let separator = stated.unwrap_or(usual);
        if separator.is_ascii_alphanumeric() || b"\"'.-+".contains(&separator) {
            return Err(rejected(options, "separator", SEPARATORS));
        }
        if !b".,".contains(&decimal) {
            return Err(rejected(options, "decimal", "\".\" or \",\""));
        }
        if decimal == separator {
            let expected = "another character than the separator; state `separator`, for example \";\"";
            return Err(rejected(options, "decimal", expected));
        }
        if comment.is_some_and(|c| c == separator || c == b'"' || c.is_ascii_digit() || c == b'-') {
            return Err(rejected(options, "comment", "a character that starts no cell, such as \"#\""));
        }
        let missing = Missing::from_options(options)?;
        Ok(Dialect { format, separator, stated: stated.is_some(), decimal, comment, missing })
    }

    /// The number of a cleaned cell.
    pub(super) fn number(self, cell: &[u8]) -> Option<f64> {
        if self.decimal == b'.' {
            return cell::number(cell);
        }
        // A point beside a decimal comma stands between thousands; longer numbers than this have no digits left.
        let mut text = [0; 64];
        let text = text.get_mut(..cell.len())?;
        for (to, from) in text.iter_mut().zip(cell) {
            *to = match from {
                b',' => b'.',
                b'.' => return None,
                other => *other,
            };
        }
        cell::number(text)
    }
}

fn rejected(options: Options<'_>, name: &'static str, expected: &'static str) -> OptionError {
    let usual = OptionValue::Text(String::new());
    options.get(name).unwrap_or(&usual).rejected(name, expected)
}

/// An option that is one ASCII character; a tabulator may be spelled out.
fn mark(options: Options<'_>, name: &'static str, expected: &'static str) -> Result<Option<u8>, OptionError> {
    let Some(value) = options.get(name) else { return Ok(None) };
    let OptionValue::Text(text) = value else { return Err(value.rejected(name, expected)) };
    match text.as_bytes() {
        [byte] if byte.is_ascii() && !matches!(byte, b'\n' | b'\r' | 0) => Ok(Some(*byte)),
        b"\\t" | b"tab" => Ok(Some(b'\t')),
        _ => Err(value.rejected(name, expected)),
    }
}

#[cfg(test)]
mod tests {
    use crate::data::format::csv::tests::{complaint, matrix, read, text};
    use crate::data::{Array, ReadErrorKind};

    #[test]
    fn separators_decimal_marks_and_comments_are_options() {
        let german = [("separator", text(";")), ("decimal", text(","))];
        assert_eq!(read("a;b\r\n1,5;-2e1\r\n\"3,25\";4\r\n", &german), matrix(2, 2, &[1.5, -20., 3.25, 4.]));
        assert_eq!(read("sep=;\n1,5;2\n", &german), matrix(1, 2, &[1.5, 2.]));
        let blanks = [("separator", text(" ")), ("comment", text("#"))];
        assert_eq!(read("# a b\n  1   2\n\n3 4 # end\n#\n", &blanks), matrix(2, 2, &[1., 2., 3., 4.]));
        assert_eq!(read("1|2\n", &[("separator", text("|"))]), matrix(1, 2, &[1., 2.]));
        assert_eq!(read("1\t2\n", &[("separator", text("tab"))]), matrix(1, 2, &[1., 2.]));
        let comments = [("comment", text("#"))];
        assert_eq!(read("\"a # b\",c\n1,2\n", &comments), matrix(1, 2, &[1., 2.]));
        assert_eq!(read("1\n# x\n2\n", &comments), matrix(2, 1, &[1., 2.]));
    }

    #[test]
    fn marks_that_cannot_work_are_refused() {
        assert!(complaint("1\n", &[("decimal", text(","))]).contains("state `separator`"));
        for (name, value) in [
            ("separator", "ab"),
            ("separator", "1"),
            ("separator", ""),
            ("separator", "\n"),
            ("decimal", ";"),
            ("comment", ","),
            ("missing", "drpo"),
        ] {
            let result = read("1\n", &[(name, text(value))]);
            assert!(matches!(result, Err(ReadErrorKind::Option(_))), "{name} = {value:?}: {result:?}");
        }
    }

    #[test]
    fn missing_values_are_dropped_or_filled() {
        let table = "a,b\n1,2\nNA,3\n4,?\n7,8\n";
        let mode = |word| [("missing", text(word))];
        assert_eq!(read(table, &mode("drop")), matrix(2, 2, &[1., 2., 7., 8.]));
        let filled = [1., 2., 4., 3., 4., 13. / 3., 7., 8.];
        assert_eq!(read(table, &mode("mean")), matrix(4, 2, &filled));
        assert!(complaint(table, &mode("error")).contains("`NA` marks a missing value; `missing = drop`"));
        let one = [("missing", text("drop")), ("column", text("a"))];
        assert_eq!(read(table, &one), Ok(Array::from(vec![1., 4., 7.])));
        assert_eq!(read("a,b\n1,\n2,\n", &mode("drop")), Err(ReadErrorKind::NoRowLeft { rows: 2 }));
        assert_eq!(read("a,b\n1,\n2,\n", &mode("mean")), Err(ReadErrorKind::NothingToAverage { column: 2 }));
        for mark in ["", "NA", "NaN", "nan", "?", "null", "-", "n/a", "#N/A", "None", "."] {
            let array = read(format!("a,b\n1,2\n3,{mark}\n"), &mode("drop"));
            assert_eq!(array, matrix(1, 2, &[1., 2.]), "{mark}");
        }
        // What is not a number and not missing stays a mistake, and so does an infinity.
        assert!(read("a,b\n1,x\n", &mode("drop")).is_err());
        assert!(read("a,b\n1,inf\n", &mode("mean")).is_err());
    }
}
