//! Whether two programs compute the same.

use blo_engine::data::Memory;
use blo_engine::model::{self, Problem, Settings};
use blo_engine::oracle::Value;
use blo_engine::{gradient_check, oracle};
use blo_grammar::Style;
use blo_grammar::ast::ItemKind;

use super::corpus::FILES;

/// Numbers of a problem above which nothing is computed.
const NUMBERS: f64 = 1e5;
/// How far from the start the point of comparison is.
const SPREAD: f64 = 0.3;

/// Compares what two programs compute at one random point; false where the first has no meaning to compare, or its data
/// are not at hand.
///
/// # Errors
/// What is different.
pub(super) fn compare(before: &str, after: &str) -> Result<bool, String> {
    let Some(wanted) = checked(before).and_then(|p| values(&p)) else { return Ok(false) };
    let found = checked(after).and_then(|p| values(&p));
    if !found.as_ref().is_some_and(|found| same(&wanted, found)) {
        return Err(format!("`--fix` changed what the program computes: {wanted:?} became {found:?}"));
    }
    match (stated(before), stated(after)) {
        (wanted, found) if wanted == found => Ok(true),
        (wanted, found) => Err(format!("`--fix` changed what the program asks for: {wanted:?} became {found:?}")),
    }
}

/// The same for a program that is right and what `--fix` made of it after a slip, which may be refused still.
///
/// # Errors
/// What is different.
pub(super) fn preserve(meant: &str, after: &str) -> Result<bool, String> {
    if checked(after).is_some() { compare(meant, after) } else { Ok(false) }
}

fn checked(text: &str) -> Option<Problem> {
    let parsed = blo_grammar::parse(text);
    let settings = Settings::default();
    if !parsed.is_sound() {
        return None;
    }
    let outcome = model::check(&parsed.ast, text, "attacked", &settings);
    outcome.problem.filter(|_| !outcome.diagnostics.iter().any(|d| d.is_error()))
}

/// The options, presets and assertions, word by word in one style; of a number its value.
fn stated(text: &str) -> Vec<String> {
    let formatted = blo_grammar::format(text, Style::Ascii).unwrap_or_default();
    let items = blo_grammar::parse(&formatted).ast.items;
    let chosen = items.into_iter().filter(|item| {
        matches!(item.kind, ItemKind::Option { .. } | ItemKind::Method { .. } | ItemKind::Expect { .. })
    });
    let words = chosen.flat_map(|item| {
        let words = formatted[item.span.range()].split_whitespace().map(|w| {
            let (word, end) = w.split_at(w.trim_end_matches([',', ';']).len());
            word.parse().map_or_else(|_| w.to_owned(), |number: f64| format!("{number}{end}"))
        });
        words.collect::<Vec<_>>()
    });
    words.collect()
}

/// The objectives, regularizers and metrics, each by its name.
fn values(problem: &Problem) -> Option<Vec<(String, Vec<f64>)>> {
    let files = FILES.iter().fold(Memory::new(), |m, (name, text)| m.with(name, *text));
    let shapes = problem.variables().map(|v| &v.shape).chain(problem.data.iter().map(|d| &d.shape));
    let numbers = shapes.map(|s| s.sizes(&problem.sizes).map_or(1.0, |s| s.iter().map(|n| *n as f64).product()));
    if numbers.sum::<f64>() > NUMBERS {
        return None;
    }
    let bindings = model::bind(problem, &files, 0).ok()?;
    let point = gradient_check::point(problem, &bindings, SPREAD, 1);
    let levels = [("upper", problem.upper()), ("lower", problem.lower())];
    let mut found = Vec::new();
    for (name, level) in levels {
        // a term may move from `minimize` to `regularize`: their sum is the meaning
        let functions = [Some(&level.objective), level.regularizer.as_ref()];
        let parts = functions.into_iter().flatten().map(|f| oracle::evaluate(f, &bindings.sizes, &point));
        found.push((name.to_owned(), vec![parts.map(|outputs| outputs[0].values.iter().sum::<f64>()).sum()]));
    }
    found.push(("point".to_owned(), point.iter().flat_map(numbers_of).collect()));
    for metric in &problem.metrics {
        let value = oracle::evaluate(&metric.value, &bindings.sizes, &point).swap_remove(0);
        found.push((metric.name.clone(), value.values));
    }
    Some(found)
}

/// The numbers of a variable or of data.
fn numbers_of(value: &Value<f64>) -> Vec<f64> {
    match value {
        Value::Real(tensor) => tensor.values.clone(),
        Value::Index(positions) => positions.iter().map(|p| *p as f64).collect(),
    }
}

/// Equal up to rounding; what is not a number stays none.
fn same(a: &[(String, Vec<f64>)], b: &[(String, Vec<f64>)]) -> bool {
    let close = |a: &f64, b: &f64| a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= 1e-9 * a.abs().max(b.abs());
    let equal = |a: &(String, Vec<f64>), b: &(String, Vec<f64>)| {
        a.0 == b.0 && a.1.len() == b.1.len() && a.1.iter().zip(&b.1).all(|(a, b)| close(a, b))
    };
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &str =
        "upper { var x   minimize x^2 + y }   lower { var y   minimize (y - x)^2 + 0.1*y   regularize 0.1*abs(y) }";

    #[test]
    fn moved_terms_and_spellings_mean_the_same() {
        let moved = PLAIN.replace("0.1*abs(y)", "norm1(0.1*y)").replace("x^2 + y", "x*x + y");
        assert_eq!(compare(PLAIN, &moved), Ok(true));
    }

    #[test]
    fn another_number_or_a_broken_program_does_not() {
        assert!(compare(PLAIN, &PLAIN.replace("0.1*y ", "0.2*y ")).is_err());
        assert!(compare(PLAIN, "upper {").is_err());
        assert_eq!(compare("upper {", PLAIN), Ok(false));
    }
}
