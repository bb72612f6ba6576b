//! The options of a file format or generator, `csv("a.csv", column = 3)`, as plain values.
//!
//! The checker turns expressions into these; formats and generators know neither syntax tree nor spans.

use std::fmt;

use blo_grammar::diagnostic::did_you_mean;

use crate::limits::{CELLS, EXPANSION, LINE, Limits};

/// The value of one option.
#[derive(Clone, Debug, PartialEq)]
pub enum OptionValue {
    /// `1`, `0.5`
    Number(f64),
    /// `"Y"`
    Text(String),
    /// `true`
    Boolean(bool),
    /// `1..10`, both ends included
    Range(i64, i64),
    /// `["R", "M"]`
    Texts(Vec<String>),
    /// `[2, 4]`
    Numbers(Vec<f64>),
}

/// An option that a format or generator accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OptionEntry {
    /// As written in a problem.
    pub name: &'static str,
    /// One sentence for the user.
    pub doc: &'static str,
    /// The words that are its values, written without quotes; empty where it takes other values.
    pub words: &'static [&'static str],
}

/// An option that cannot be used as written.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum OptionError {
    /// The format or generator has no option of this name.
    #[error("`{of}` has no option `{name}`")]
    Unknown {
        /// The format or generator.
        of: String,
        /// The option as written.
        name: String,
        /// The accepted name that resembles it.
        near: Option<String>,
        /// All accepted names.
        accepted: Vec<String>,
    },
    /// The option is given twice.
    #[error("option `{name}` is given twice")]
    Repeated {
        /// The option.
        name: String,
    },
    /// The value is of another kind or out of range.
    #[error("option `{name}` is {found}, expected {expected}")]
    Value {
        /// The option.
        name: &'static str,
        /// What it may be.
        expected: &'static str,
        /// The value as written.
        found: String,
    },
    /// A class stands twice in `classes`.
    #[error("`classes` has `{class}` twice")]
    ClassTwice {
        /// The class.
        class: String,
    },
    /// Two options exclude each other.
    #[error("the options `{first}` and `{second}` exclude each other")]
    Conflict {
        /// One of them.
        first: &'static str,
        /// The other.
        second: &'static str,
    },
}

impl OptionError {
    /// One next step, as a phrase without a full stop, where there is a useful one.
    pub fn hint(&self) -> Option<String> {
        match self {
            OptionError::Unknown { near: Some(near), .. } => Some(format!("did you mean `{near}`?")),
            OptionError::Unknown { accepted, .. } if accepted.is_empty() => Some("it has no options".to_owned()),
            OptionError::Unknown { accepted, .. } => Some(format!("its options are `{}`", accepted.join("`, `"))),
            OptionError::Conflict { first, second } => Some(format!("leave out `{first}` or `{second}`")),
            OptionError::ClassTwice { .. } => Some("each class has one label: leave one of them out".to_owned()),
            OptionError::Repeated { .. } | OptionError::Value { .. } => None,
        }
    }
}

/// Options whose names have been checked against what the format or generator accepts.
#[derive(Clone, Copy)]
pub(super) struct Options<'a> {
    given: &'a [(String, OptionValue)],
    /// Most bytes of a line of text.
    pub(super) line: u64,
    /// Most cells of a line of text.
    pub(super) cells: u64,
    /// Most bytes that a packed byte may become.
    pub(super) expansion: u64,
    /// Rows to leave out, zero-based, ascending.
    pub(super) left_out: &'a [usize],
}

impl<'a> Options<'a> {
    /// Checks the names, in the order written; `of` is the format or generator.
    pub(super) fn check(
        of: &str,
        entries: &[OptionEntry],
        given: &'a [(String, OptionValue)],
    ) -> Result<Self, OptionError> {
        for (i, (name, _)) in given.iter().enumerate() {
            let accepted = || entries.iter().map(|entry| entry.name);
            if !accepted().any(|known| known == name) {
                return Err(OptionError::Unknown {
                    of: of.to_owned(),
                    name: name.clone(),
                    near: did_you_mean(name, accepted()).map(str::to_owned),
                    accepted: accepted().map(str::to_owned).collect(),
                });
            }
            if given[..i].iter().any(|(earlier, _)| earlier == name) {
                return Err(OptionError::Repeated { name: name.clone() });
            }
        }
        Ok(Options { given, line: LINE.value, cells: CELLS.value, expansion: EXPANSION.value, left_out: &[] })
    }

    /// The same options under limits, for all rows but some.
    pub(super) fn within(self, limits: &Limits, left_out: &'a [usize]) -> Self {
        Options { line: limits.of(&LINE), cells: limits.of(&CELLS), expansion: limits.of(&EXPANSION), left_out, ..self }
    }

    /// The value of `name`, if given.
    pub(super) fn get(self, name: &str) -> Option<&'a OptionValue> {
        self.given.iter().find(|(given, _)| given == name).map(|(_, value)| value)
    }

    /// `true` or `false`.
    pub(super) fn boolean(self, name: &'static str) -> Result<Option<bool>, OptionError> {
        match self.get(name) {
            None => Ok(None),
            Some(OptionValue::Boolean(value)) => Ok(Some(*value)),
            Some(other) => Err(other.rejected(name, "true or false")),
        }
    }

    /// A finite number.
    pub(super) fn number(self, name: &'static str) -> Result<Option<f64>, OptionError> {
        match self.get(name) {
            None => Ok(None),
            Some(OptionValue::Number(value)) if value.is_finite() => Ok(Some(*value)),
            Some(other) => Err(other.rejected(name, "a finite number")),
        }
    }
}

impl OptionValue {
    /// The error that this value does not suit option `name`.
    pub(super) fn rejected(&self, name: &'static str, expected: &'static str) -> OptionError {
        OptionError::Value { name, expected, found: self.to_string() }
    }

    /// A whole number from 0 to 2^53, the largest below which f64 holds every one.
    pub fn whole(value: f64) -> Option<u64> {
        ((0.0..=9_007_199_254_740_992.0).contains(&value) && value.fract() == 0.0).then_some(value as u64)
    }
}

impl fmt::Display for OptionValue {
    /// As written in a problem; a list is cut after four entries.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fn list(f: &mut fmt::Formatter<'_>, entries: &[impl fmt::Debug]) -> fmt::Result {
            let shown: Vec<String> = entries.iter().take(4).map(|entry| format!("{entry:?}")).collect();
            let rest = if entries.len() > 4 { ", ..." } else { "" };
            write!(f, "[{}{rest}]", shown.join(", "))
        }
        match self {
            // The form with an exponent where the other has a line of zeros.
            OptionValue::Number(value) if value.abs() >= 1e16 => write!(f, "{value:e}"),
            OptionValue::Number(value) => write!(f, "{value}"),
            OptionValue::Text(value) => write!(f, "{value:?}"),
            OptionValue::Boolean(value) => write!(f, "{value}"),
            OptionValue::Range(from, to) => write!(f, "{from}..{to}"),
            OptionValue::Texts(values) => list(f, values),
            OptionValue::Numbers(values) => list(f, values),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTRIES: [OptionEntry; 2] =
        [OptionEntry { name: "mean", doc: "", words: &[] }, OptionEntry { name: "seed", doc: "", words: &[] }];

    fn given(name: &str, value: OptionValue) -> Vec<(String, OptionValue)> {
        vec![(name.to_owned(), value)]
    }

    #[test]
    fn an_unknown_option_names_its_neighbors() {
        let options = given("sede", OptionValue::Number(1.0));
        let error = Options::check("normal", &ENTRIES, &options).err().expect("`sede` is not an option");
        assert_eq!(error.to_string(), "`normal` has no option `sede`");
        assert_eq!(error.hint().as_deref(), Some("did you mean `seed`?"));
    }

    #[test]
    fn a_repeated_option_is_refused() {
        let mut options = given("seed", OptionValue::Number(1.0));
        options.extend(options.clone());
        assert!(matches!(Options::check("normal", &ENTRIES, &options), Err(OptionError::Repeated { .. })));
    }

    #[test]
    fn kinds_are_checked_and_shown_as_written() {
        let options = given("mean", OptionValue::Texts(vec!["a".into(), "b".into()]));
        let checked = Options::check("normal", &ENTRIES, &options).expect("known option");
        let error = checked.number("mean").expect_err("a list is not a number");
        assert_eq!(error.to_string(), r#"option `mean` is ["a", "b"], expected a finite number"#);
        assert_eq!(checked.boolean("seed"), Ok(None));
    }
}
