//! Values that a sweep goes through: lists, ranges, and numbers at equal distances or ratios.

use blo_solvers::at_commas;

use super::value::{assignment, definition};

/// No flag lists more values.
const MOST: usize = 10_000;

/// A name with the values that it takes, each as a flag would have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Axis {
    pub(crate) name: String,
    pub(crate) values: Vec<String>,
}

/// `lambda=logspace(-3, 1, 20)`, `n=1..10`, `delta=0.1,0.2`: every value is one that `-D` takes.
pub(crate) fn defined_axis(text: &str) -> Result<Axis, String> {
    let (name, list) = assignment(text)?;
    let axis = axis(&name, &list)?;
    for value in &axis.values {
        definition(&format!("{name}={value}"))?;
    }
    Ok(axis)
}

/// The values of a list, in its order.
pub(crate) fn axis(name: &str, list: &str) -> Result<Axis, String> {
    let mut values = Vec::new();
    let parts = at_commas(list);
    if parts.is_empty() || list.trim_end().ends_with(',') || list.trim_start().starts_with(',') {
        return Err(format!("`{name}={list}`: a value is missing; write `{name}=8,16,64`"));
    }
    for part in parts {
        let found = match spaced(part)? {
            Some(numbers) => numbers,
            None => range(part)?.unwrap_or_else(|| vec![part.to_owned()]),
        };
        values.extend(found);
        if values.len() > MOST {
            return Err(format!("`{name}` takes more than {MOST} values"));
        }
    }
    if let Some(again) = (0..values.len()).find(|i| values[..*i].contains(&values[*i])) {
        return Err(format!("`{name}` takes the value `{}` twice", values[again]));
    }
    Ok(Axis { name: name.to_owned(), values })
}

/// `linspace(a, b, n)`: from a to b; `logspace(a, b, n)`: from 10^a to 10^b.
fn spaced(part: &str) -> Result<Option<Vec<String>>, String> {
    let (name, inner) = match part.strip_suffix(')').and_then(|p| p.split_once('(')) {
        Some((name, inner)) if ["linspace", "logspace"].contains(&name.trim()) => (name.trim(), inner),
        _ => return Ok(None),
    };
    let wrong = |why: &str| format!("`{part}`: {why}; write `{name}(from, to, count)`");
    let [from, to, count] = at_commas(inner)[..] else { return Err(wrong("it takes three numbers")) };
    let number = |text: &str| match text.parse::<f64>() {
        Ok(v) if v.is_finite() => Ok(v),
        _ => Err(wrong(&format!("`{text}` is not a number"))),
    };
    let (from, to) = (number(from)?, number(to)?);
    let count = match count.parse::<usize>() {
        Ok(n) if (1..=MOST).contains(&n) => n,
        _ => return Err(wrong(&format!("`{count}` is not a count from 1 to {MOST}"))),
    };
    let at =
        |i: usize| if i + 1 == count && i > 0 { to } else { from + (to - from) * i as f64 / (count.max(2) - 1) as f64 };
    let values = (0..count).map(at).map(|v| if name == "logspace" { power_of_ten(v) } else { v });
    let values: Vec<f64> = values.collect();
    if values.iter().any(|v| !v.is_finite() || name == "logspace" && *v == 0.0) {
        return Err(wrong("a value is out of the range of numbers"));
    }
    Ok(Some(values.into_iter().map(text).collect()))
}

/// 10^v; of a whole number the power that is written so.
fn power_of_ten(v: f64) -> f64 {
    let written = if v.fract() == 0.0 { format!("1e{v}").parse().ok() } else { None };
    written.unwrap_or_else(|| 10f64.powf(v))
}

/// A number with all its digits.
fn text(v: f64) -> String {
    if v == 0.0 || (1e-5..1e15).contains(&v.abs()) { format!("{}", v + 0.0) } else { format!("{v:e}") }
}

/// `1..10`: whole numbers, both ends among them.
fn range(part: &str) -> Result<Option<Vec<String>>, String> {
    let Some((from, to)) = part.split_once("..") else { return Ok(None) };
    let (Ok(from), Ok(to)) = (from.trim().parse::<i64>(), to.trim().parse::<i64>()) else {
        return Err(format!("`{part}` is not a range of whole numbers; write it like 1..10"));
    };
    let count = i128::from(to) - i128::from(from) + 1;
    if count < 1 {
        return Err(format!("`{part}` is empty: it goes from the smaller number to the larger one"));
    }
    if count > MOST as i128 {
        return Err(format!("`{part}` has more than {MOST} values"));
    }
    Ok(Some((from..=to).map(|v| v.to_string()).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(list: &str) -> Vec<String> {
        axis("a", list).unwrap_or_else(|e| panic!("{list}: {e}")).values
    }

    #[test]
    fn lists_ranges_and_spaces_are_values() {
        assert_eq!(values("8, 16,64"), ["8", "16", "64"]);
        assert_eq!(values("-1..2"), ["-1", "0", "1", "2"]);
        assert_eq!(values("linspace(0, 1, 5)"), ["0", "0.25", "0.5", "0.75", "1"]);
        assert_eq!(values("logspace(-7,1,9)")[..3], ["1e-7", "1e-6", "0.00001"]);
        assert_eq!(values("logspace(-1,1,3),0.5"), ["0.1", "1", "10", "0.5"]);
        assert_eq!(values("linspace(3,9,1)"), ["3"]);
        assert_eq!(values("min(1, k),1/k"), ["min(1, k)", "1/k"]);
        let ends = values("logspace(-0.5, 0.25, 7)");
        let numbers: Vec<f64> = ends.iter().map(|v| v.parse().expect("a number")).collect();
        assert!(numbers.len() == 7 && numbers.is_sorted() && numbers[6] == 10f64.powf(0.25), "{numbers:?}");
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (list, part) in [
            ("", "missing"),
            ("1,", "missing"),
            ("linspace(1, 2)", "three numbers"),
            ("logspace(a, 2, 3)", "`a`"),
            ("linspace(1, 2, 0)", "`0`"),
            ("linspace(1, 2, 1.5)", "`1.5`"),
            ("logspace(0, 400, 3)", "out of the range"),
            ("logspace(-400, 0, 3)", "out of the range"),
            ("5..1", "`5..1` is empty"),
            ("1..x", "`1..x`"),
            ("0..9999999999", "more than"),
            ("1,2,1", "`1` twice"),
        ] {
            let said = axis("a", list).expect_err(list);
            assert!(said.contains(part), "{list}: {said}");
        }
        assert!(defined_axis("n=1,two,3").is_err_and(|said| said.contains("`two` is not a number")));
        assert_eq!(defined_axis("n = 1..3").map(|a| a.values), Ok(vec!["1".into(), "2".into(), "3".into()]));
    }
}
