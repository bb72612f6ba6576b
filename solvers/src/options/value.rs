//! What an option may hold, and how an expression becomes such a value: the one place that judges kinds and ranges.

use blo_grammar::ast::{Expr, ExprKind};
use blo_grammar::diagnostic::Diagnostic;

use super::message;
use crate::options::entry::{Kind, OptionEntry};
use crate::options::schedule::{Schedule, schedule};

/// The value of an option.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A number.
    Number(f64),
    /// A whole number.
    Integer(u64),
    /// A number or a formula in `k`.
    Schedule(Schedule),
    /// A word.
    Word(&'static str),
    /// What a method does where no number says it; never read from a file.
    Text(&'static str),
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Value::Number(value) => write!(f, "{value}"),
            Value::Integer(value) => write!(f, "{value}"),
            Value::Schedule(schedule) => schedule.fmt(f),
            Value::Word(word) | Value::Text(word) => f.write_str(word),
        }
    }
}

/// The value that an expression gives an option.
///
/// # Errors
/// Another kind, out of range, or names without a value; located in the expression.
pub(crate) fn value(
    entry: &OptionEntry,
    e: &Expr,
    params: &dyn Fn(&str) -> Option<f64>,
) -> Result<Value, Vec<Diagnostic>> {
    if let Kind::Word(words) = entry.kind {
        let written = match &e.kind {
            ExprKind::Name(word) | ExprKind::Text(word) => Some(word.as_str()),
            _ => None,
        };
        let known = words.iter().find(|word| Some(**word) == written);
        return known
            .map(|word| Value::Word(word))
            .ok_or_else(|| vec![message::wrong_word(e.span, entry, written, words)]);
    }
    let given = schedule(e, params)?;
    let wrong = |found: String| Err(vec![message::wrong_value(e.span, entry, &found)]);
    // As it was typed: 2^64 as a number of the language is another number.
    let typed = |v: f64| if let ExprKind::Number { text, .. } = &e.kind { text.clone() } else { v.to_string() };
    if let Schedule::Constant(v) = given
        && v.is_infinite()
        && matches!(entry.kind, Kind::Number(_) | Kind::Schedule(_))
        && !is_inf(e)
    {
        // `inf` as such may mean "without bound"; what a formula makes infinite is a mistake in it
        return wrong(typed(v));
    }
    match (entry.kind, &given) {
        (Kind::Number(_) | Kind::Integer(_) | Kind::Between(..), Schedule::Expression(formula)) => {
            wrong(format!("the schedule `{formula}`"))
        }
        (Kind::Integer(_) | Kind::Between(..), Schedule::Constant(v)) => {
            let (least, most) = entry.kind.whole_numbers();
            if v.fract() != 0.0 || *v < least as f64 {
                wrong(typed(*v))
            } else if *v > most as f64 {
                Err(vec![message::too_large(e.span, entry, &typed(*v), most)])
            } else {
                Ok(Value::Integer(*v as u64))
            }
        }
        (Kind::Number(range), Schedule::Constant(v)) => {
            if range.contains(*v) {
                Ok(Value::Number(*v))
            } else {
                wrong(typed(*v))
            }
        }
        (Kind::Schedule(range), Schedule::Constant(v)) if !range.contains(*v) => wrong(typed(*v)),
        (Kind::Schedule(range), Schedule::Expression(formula)) => {
            // A formula is judged where a wrong one shows: at the start, and far out.
            let fits = |value: f64| range.contains(value) && value.is_finite();
            match [1, 2, 3, 10, 100, 10_000].into_iter().find(|k| !fits(given.at(*k))) {
                Some(k) => wrong(format!("`{formula}`, which is {} at k = {k}", given.at(k))),
                None => Ok(Value::Schedule(given)),
            }
        }
        (Kind::Schedule(_), _) => Ok(Value::Schedule(given)),
        (Kind::Word(_), _) => unreachable!("words were handled above"),
    }
}

/// True for `inf` itself.
fn is_inf(e: &Expr) -> bool {
    match &e.kind {
        ExprKind::Name(name) => name == "inf",
        ExprKind::Paren(inner) => is_inf(inner),
        _ => false,
    }
}

/// A value from text, as in a table or a flag without params.
///
/// # Errors
/// See [`value`].
pub(crate) fn parse_value(entry: &OptionEntry, text: &str) -> Result<Value, Vec<Diagnostic>> {
    let expr = parse_text(entry.name, text).map_err(|d| vec![*d])?;
    value(entry, &expr, &|_| None)
}

/// The expression in a flag: flags and files have one syntax.
///
/// # Errors
/// When the text is not one expression.
pub(crate) fn parse_text(name: &str, text: &str) -> Result<Expr, Box<Diagnostic>> {
    blo_grammar::parse_expression(text).map_err(|found| {
        let why = found.iter().find(|d| d.is_error()).map(|d| d.message.as_str());
        Box::new(message::flag_syntax(name, text, why))
    })
}
