//! What is asked of a text table: the selected columns and the classes.

use blo_grammar::diagnostic::did_you_mean;

use super::cell::number;
use super::dialect::{COMMENT, DECIMAL, MISSING, SEPARATOR};
use super::given;
use crate::data::error::ReadErrorKind;
use crate::data::option::{OptionEntry, OptionError, OptionValue, Options};
use crate::limits::CLASSES;

pub(super) const OPTIONS: &[OptionEntry] = &[
    OptionEntry {
        name: "classes",
        doc: "The texts or numbers of the selected cells that become 0, 1, 2 and so on; a number n stands for 0 to n - 1.",
        words: &[],
    },
    OptionEntry {
        name: "column",
        doc: "A single column, by number from 1 or by name; the array is [rows].",
        words: &[],
    },
    OptionEntry {
        name: "columns",
        doc: "A range or list of numbers, or a list of names; the array is [rows, columns].",
        words: &[],
    },
    COMMENT,
    DECIMAL,
    OptionEntry { name: "header", doc: "Whether the first row holds names; found out if not given.", words: &[] },
    MISSING,
    SEPARATOR,
];

/// The number of axes that the options ask for.
pub(super) fn rank(options: &[(String, OptionValue)]) -> Option<usize> {
    Some(if given(options, "column") { 1 } else { 2 })
}

/// The selected columns, as written.
pub(super) enum Columns {
    All,
    Number(u64),
    Name(String),
    Range(u64, u64),
    Numbers(Vec<u64>),
    Names(Vec<String>),
}

impl Columns {
    pub(super) fn from_options(options: Options<'_>) -> Result<Columns, OptionError> {
        const ONE: &str = "a column number from 1 or a name";
        const MANY: &str = "a range or list of column numbers from 1, or a list of names";
        let number = |value: f64| OptionValue::whole(value).filter(|&number| number >= 1);
        match (options.get("column"), options.get("columns")) {
            (None, None) => Ok(Columns::All),
            (Some(_), Some(_)) => Err(OptionError::Conflict { first: "column", second: "columns" }),
            (Some(one), None) => match one {
                OptionValue::Text(name) => Ok(Columns::Name(name.clone())),
                OptionValue::Number(value) => {
                    number(*value).map(Columns::Number).ok_or_else(|| one.rejected("column", ONE))
                }
                _ => Err(one.rejected("column", ONE)),
            },
            (None, Some(many)) => match many {
                OptionValue::Range(from, to) if 1 <= *from && from <= to => {
                    Ok(Columns::Range(from.unsigned_abs(), to.unsigned_abs()))
                }
                OptionValue::Texts(names) if !names.is_empty() => Ok(Columns::Names(names.clone())),
                OptionValue::Numbers(values) if !values.is_empty() => {
                    let numbers: Option<Vec<u64>> = values.iter().map(|&value| number(value)).collect();
                    numbers.map(Columns::Numbers).ok_or_else(|| many.rejected("columns", MANY))
                }
                _ => Err(many.rejected("columns", MANY)),
            },
        }
    }

    /// Whether the array has rank 1.
    pub(super) fn single(&self) -> bool {
        matches!(self, Columns::Number(_) | Columns::Name(_))
    }

    /// The first column selected by name.
    pub(super) fn first_name(&self) -> Option<&str> {
        match self {
            Columns::Name(name) => Some(name),
            Columns::Names(names) => names.first().map(String::as_str),
            _ => None,
        }
    }

    /// Zero-based positions in a file of `width` columns with these `names`, which matter only to a selection by name.
    pub(super) fn positions(&self, width: usize, names: &[String]) -> Result<Vec<usize>, ReadErrorKind> {
        let by_number = |&column: &u64| match usize::try_from(column) {
            Ok(position @ 1..) if position <= width => Ok(position - 1),
            _ => Err(ReadErrorKind::ColumnOutOfRange { column, available: width }),
        };
        match self {
            Columns::All => Ok((0..width).collect()),
            Columns::Number(number) => Ok(vec![by_number(number)?]),
            Columns::Range(from, to) => Ok((by_number(from)?..=by_number(to)?).collect()),
            Columns::Numbers(numbers) => numbers.iter().map(by_number).collect(),
            Columns::Name(name) => Ok(vec![position(name, names)?]),
            Columns::Names(wanted) => wanted.iter().map(|name| position(name, names)).collect(),
        }
    }
}

fn position(name: &str, names: &[String]) -> Result<usize, ReadErrorKind> {
    let found: Vec<usize> = (0..names.len()).filter(|&i| names[i] == name.trim()).collect();
    match found[..] {
        [position] => Ok(position),
        [] => Err(ReadErrorKind::UnknownColumn {
            name: name.to_owned(),
            near: did_you_mean(name, names.iter().map(String::as_str)).map(str::to_owned),
            available: names.to_vec(),
        }),
        _ => Err(ReadErrorKind::AmbiguousColumn {
            name: name.to_owned(),
            columns: found.iter().map(|i| i + 1).collect(),
        }),
    }
}

/// The values of class cells, as written.
pub(super) enum Classes {
    Texts(Vec<String>),
    Numbers(Vec<f64>),
}

impl Classes {
    pub(super) fn from_options(options: Options<'_>) -> Result<Option<Classes>, OptionError> {
        if let Some(twice) = options.get("classes").and_then(Classes::twice) {
            return Err(OptionError::ClassTwice { class: twice });
        }
        match options.get("classes") {
            None => Ok(None),
            Some(OptionValue::Texts(texts)) if !texts.is_empty() => Ok(Some(Classes::Texts(texts.clone()))),
            Some(OptionValue::Numbers(numbers)) if !numbers.is_empty() => Ok(Some(Classes::Numbers(numbers.clone()))),
            // Labels 0 to n - 1 stand for themselves.
            Some(OptionValue::Number(n)) if (1.0..=CLASSES.value as f64).contains(n) && n.fract() == 0.0 => {
                Ok(Some(Classes::Numbers((0..*n as u32).map(f64::from).collect())))
            }
            Some(other) => Err(other.rejected("classes", "a number of classes, or a list of texts or numbers")),
        }
    }

    /// A class that is listed twice: its second label could not occur.
    fn twice(listed: &OptionValue) -> Option<String> {
        match listed {
            OptionValue::Texts(texts) => {
                let again = |i: &usize| texts[..*i].iter().any(|text| text.trim() == texts[*i].trim());
                (0..texts.len()).find(again).map(|i| texts[i].trim().to_owned())
            }
            OptionValue::Numbers(numbers) => {
                let again = |i: &usize| numbers[..*i].contains(&numbers[*i]);
                (0..numbers.len()).find(again).map(|i| numbers[i].to_string())
            }
            _ => None,
        }
    }

    /// The position of a cleaned cell among the classes.
    pub(super) fn label(&self, cell: &[u8]) -> Option<usize> {
        match self {
            Classes::Texts(texts) => texts.iter().position(|text| text.trim().as_bytes() == cell),
            Classes::Numbers(numbers) => {
                let value = number(cell)?;
                numbers.iter().position(|&class| class == value)
            }
        }
    }

    /// For a message.
    pub(super) fn shown(&self) -> String {
        match self {
            Classes::Texts(texts) => OptionValue::Texts(texts.clone()).to_string(),
            Classes::Numbers(numbers) => OptionValue::Numbers(numbers.clone()).to_string(),
        }
    }

    /// The class that resembles `text`.
    pub(super) fn near(&self, text: &str) -> Option<String> {
        match self {
            Classes::Texts(texts) => did_you_mean(text, texts.iter().map(String::as_str)).map(str::to_owned),
            Classes::Numbers(_) => None,
        }
    }
}
