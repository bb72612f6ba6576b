//! Whether the first row of a text table holds names, where nothing states it. The whole row is looked at, whatever
//! columns are selected: all items that read a file have to find the same rows.
//!
//! - No number in it, and one below: names.
//! - A text above a number, or a row that only names make sense of (years above values): names, with a warning.
//! - An empty first cell, then `0, 1, 2` or `1, 2, 3`: names, as data frames write them beside their index.
//! - Numbers that increase by one: data, with a warning, since some programs number columns without names.
//! - Anything else is data: a name that is kept is an error at line 1, a row that is lost would be silent.

use csv::ByteRecord;

use super::HeaderRow;
use super::cell::{clean, missing, odd_number, truth};
use super::dialect::Dialect;
use super::table::Classes;

/// What a cell says about its row.
#[derive(Clone, Copy, PartialEq)]
enum Cell {
    Missing,
    Number(f64),
    /// `true` and the like.
    Value,
    /// One of the classes.
    Label,
    Text,
}

impl Cell {
    fn whole(self) -> Option<i64> {
        match self {
            Cell::Number(v) if v.fract() == 0.0 && v.abs() < 1e15 => Some(v as i64),
            _ => None,
        }
    }
}

/// How to take the first row where nothing declares it.
pub(super) fn detect(
    first: &ByteRecord,
    second: Option<&ByteRecord>,
    classes: Option<&Classes>,
    dialect: Dialect,
) -> HeaderRow {
    let cell = |bytes: &[u8]| {
        let bytes = clean(bytes);
        match dialect.number(bytes) {
            _ if missing(bytes) => Cell::Missing,
            Some(value) => Cell::Number(value),
            None if truth(bytes).is_some() && bytes.len() > 3 => Cell::Value,
            // `1,5` is a value in another dialect, which is an error of its own; it must not be lost as a name.
            None if odd_number(bytes, dialect.decimal) => Cell::Value,
            None if classes.is_some_and(|c| c.label(bytes).is_some()) => Cell::Label,
            None => Cell::Text,
        }
    };
    let row: Vec<Cell> = first.iter().map(cell).collect();
    let below: Option<Vec<Cell>> = second.map(|row| row.iter().map(cell).collect());
    let texts: Vec<&[u8]> =
        first.iter().zip(&row).filter(|(_, kind)| **kind == Cell::Text).map(|(bytes, _)| clean(bytes)).collect();
    let below_has_value = below.as_ref().is_none_or(|b| b.iter().any(|c| matches!(c, Cell::Number(_) | Cell::Value)));
    if !row.iter().any(|c| matches!(c, Cell::Number(_) | Cell::Value | Cell::Label)) {
        let twice = texts.iter().enumerate().any(|(i, text)| texts[..i].contains(text));
        return match (texts.is_empty() || !below_has_value, twice) {
            (true, _) => HeaderRow::Absent,
            (false, true) => HeaderRow::Believed,
            (false, false) => HeaderRow::Detected,
        };
    }
    let Some(below) = below else { return numbers_alone(&row, None) };
    let index = clean(&first[0]).is_empty() && below[0] != Cell::Missing;
    if index && row[1..].iter().all(|c| c.whole().is_some()) {
        return beside_an_index(&row[1..], &below);
    }
    let above_number = row.iter().zip(&below).any(|(a, b)| *a == Cell::Text && matches!(b, Cell::Number(_)));
    if above_number {
        return HeaderRow::Believed;
    }
    if texts.is_empty() {
        return numbers_alone(&row, Some(&below));
    }
    beside_texts(&row, &below)
}

/// Whole numbers after an empty cell.
fn beside_an_index(names: &[Cell], below: &[Cell]) -> HeaderRow {
    let starts = names.first().and_then(|c| c.whole());
    match starts {
        Some(0 | 1) if consecutive(names) => HeaderRow::Detected,
        // A text or a first number of an index below: the first column names rows.
        Some(_) if distinct(names) && (below[0] == Cell::Text || matches!(below[0].whole(), Some(0 | 1))) => {
            HeaderRow::Believed
        }
        _ => HeaderRow::Suspected,
    }
}

/// A row of numbers.
fn numbers_alone(row: &[Cell], below: Option<&[Cell]>) -> HeaderRow {
    let starts = row.first().and_then(|c| c.whole());
    let fractions = below.is_some_and(|b| b.iter().all(|c| c.whole().is_none()));
    let above_others = below.is_none_or(|b| !consecutive(b));
    let numbered = above_others
        && consecutive(row)
        && (row.len() >= 3 || row.len() == 2 && matches!(starts, Some(0 | 1)) && fractions);
    let years = row.len() >= 2 && below.is_some_and(|b| years_above(row, b));
    if numbered || years { HeaderRow::Suspected } else { HeaderRow::Absent }
}

/// Numbers among texts that stand above texts: `country, 1990, 1991` above `France, 2.5, 3.5`.
fn beside_texts(row: &[Cell], below: &[Cell]) -> HeaderRow {
    let pairs: Vec<(Cell, Cell)> =
        row.iter().zip(below).filter(|(c, _)| matches!(c, Cell::Number(_))).map(|(a, b)| (*a, *b)).collect();
    let (numbers, under): (Vec<Cell>, Vec<Cell>) = pairs.into_iter().unzip();
    if numbers.len() < 2 || numbers.iter().any(|c| c.whole().is_none()) {
        return HeaderRow::Absent;
    }
    if consecutive(&numbers) && !consecutive(&under) || years_above(&numbers, &under) {
        return HeaderRow::Believed;
    }
    if under.iter().all(|c| c.whole().is_none()) { HeaderRow::Suspected } else { HeaderRow::Absent }
}

/// Whole numbers, each one more than the one before.
fn consecutive(row: &[Cell]) -> bool {
    let whole: Option<Vec<i64>> = row.iter().map(|c| c.whole()).collect();
    whole.is_some_and(|w| !w.is_empty() && w.windows(2).all(|p| p[1] == p[0] + 1))
}

fn distinct(row: &[Cell]) -> bool {
    (0..row.len()).all(|i| !row[..i].contains(&row[i]))
}

/// Different years above something else.
fn years_above(row: &[Cell], below: &[Cell]) -> bool {
    let year = |c: &Cell| c.whole().is_some_and(|n| (1800..=2100).contains(&n));
    row.iter().all(year) && distinct(row) && !below.iter().all(year)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::format::dialect::Missing;

    const COMMA: Dialect = Dialect {
        format: "csv",
        separator: b',',
        stated: false,
        decimal: b'.',
        comment: None,
        missing: Missing::Error,
    };

    fn detected(first: &str, second: &str, classes: &[&str]) -> HeaderRow {
        let classes = (!classes.is_empty()).then(|| Classes::Texts(classes.iter().map(|&c| c.to_owned()).collect()));
        let row = |text: &str| ByteRecord::from(text.split(',').collect::<Vec<_>>());
        detect(&row(first), Some(&row(second)), classes.as_ref(), COMMA)
    }

    #[test]
    fn the_table_of_first_rows() {
        use HeaderRow::{Absent, Believed, Detected, Suspected};
        for (first, second, expected) in [
            ("a,b", "1,2", Detected),
            (",b", "1,2", Detected),
            ("a,b", "true,x", Detected),
            ("no,name", "1,2", Detected),
            (",0,1,2", "0,0.5,1.5,2", Detected),
            (",0", "0,5.1", Detected),
            (",1,2", "a,5,6", Detected),
            (",1990,1991", "0,5,6", Believed),
            (",1990,2000", "France,5,6", Believed),
            (",2,7", "3,5,6", Suspected),
            (",5.1,3.5", "1,5,6", Absent),
            (",5,6", ",7,8", Absent),
            ("a,a", "1,2", Believed),
            ("a,1990", "5,6", Believed),
            ("x,1", "2,3", Believed),
            ("country,1990,1991", "France,2.5,3.5", Believed),
            ("country,1990,2000", "France,2.5,3.5", Believed),
            ("sex,3,7", "M,2.5,3.5", Suspected),
            ("country,1990", "x,2", Absent),
            ("M,0.455,0.365", "F,0.5,0.4", Absent),
            ("0,1,2", "5.1,3.5,1.4", Suspected),
            ("1,2,3", "5.1,3.5,1.4", Suspected),
            ("0,1", "5.1,3.5", Suspected),
            ("0,1", "1,0", Absent),
            ("1990,1991", "5.1,3.5", Suspected),
            ("1990,2000", "5,3", Suspected),
            ("1990,1990", "5,3", Absent),
            ("1990,1950", "2000,1960", Absent),
            ("7,8,9", "5,3,1", Suspected),
            ("0", "5.1", Absent),
            ("1,2,3", "1,2,3", Absent),
            ("12%,3", "1,2", Absent),
            ("1st,2nd", "1,2", Detected),
            ("name,2024-01,2024-02", "a,1,2", Detected),
            ("1,R", "2,M", Absent),
            ("?,NaN", "1,2", Absent),
            ("true,false", "false,true", Absent),
            ("R", "M", Absent),
            ("5,0,0,0", "3,0,0,0", Absent),
        ] {
            assert_eq!(detected(first, second, &[]), expected, "{first} above {second}");
        }
    }

    #[test]
    fn classes_are_no_names() {
        assert_eq!(detected("a,label", "1,R", &["R", "M"]), HeaderRow::Detected);
        assert_eq!(detected("R", "M", &["R", "M"]), HeaderRow::Absent);
        assert_eq!(detected("R", "1", &["R", "1"]), HeaderRow::Absent);
    }
}
