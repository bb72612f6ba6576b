//! A problem with one more assertion, which a caller states and its file does not: as if an `expect` of the file held it, and
//! with names for the residuals of a run beside those of the file. What is wrong with it is found in its own text.

use blo_grammar::ast::{Ast, Item, ItemKind};
use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::span::Span;

use super::check::check;
use super::checker::Settings;
use super::problem::Problem;

/// What became of an assertion.
#[derive(Debug)]
pub struct Asserted {
    /// The problem whose last expectation holds the assertion, unless something is wrong with it.
    pub problem: Option<Problem>,
    /// The text is not one expression.
    pub is_syntax: bool,
    /// Mistakes in the assertion, by their places in its text.
    pub in_text: Vec<Diagnostic>,
    /// Mistakes that it leads to in the file, by their places there.
    pub in_file: Vec<Diagnostic>,
}

/// The problem of a sound file with one more assertion.
pub fn assert(ast: &Ast, source: &str, fallback: &str, settings: &Settings, text: &str) -> Asserted {
    let begin = source.len() + 1;
    // blanks in the place of the file give every place in the text its place behind the file
    let expression = match blo_grammar::parse_expression(&format!("{}{text}", " ".repeat(begin))) {
        Ok(expression) => expression,
        Err(found) => {
            let in_text = found.into_iter().map(|d| moved(d, begin)).collect();
            return Asserted { problem: None, is_syntax: true, in_text, in_file: Vec::new() };
        }
    };
    let span = expression.span;
    let kind = ItemKind::Expect { method: None, preset: None, options: Vec::new(), body: vec![expression] };
    let mut ast = ast.clone();
    ast.items.push(Item { kind, span, doc: Vec::new() });
    let source = format!("{source}\n{text}");
    let outcome = check(&ast, &source, fallback, &Settings { residuals: true, ..settings.clone() });
    let errors = outcome.diagnostics.into_iter().filter(Diagnostic::is_error);
    let (in_text, in_file): (Vec<_>, Vec<_>) = errors.partition(|d| d.primary.span.end as usize > begin);
    Asserted {
        problem: outcome.problem,
        is_syntax: false,
        in_text: in_text.into_iter().map(|d| moved(d, begin)).collect(),
        in_file: in_file.into_iter().map(|d| within(d, begin)).collect(),
    }
}

/// A finding by its places in the text behind `begin`; those before it are left out.
fn moved(mut d: Diagnostic, begin: usize) -> Diagnostic {
    let back = |span: Span| Span::new((span.start as usize).max(begin) - begin, (span.end as usize).max(begin) - begin);
    d.secondary.retain(|label| label.span.start as usize >= begin);
    d.primary.span = back(d.primary.span);
    d.secondary.iter_mut().for_each(|label| label.span = back(label.span));
    if let Some(fix) = &mut d.fix {
        fix.edits.iter_mut().for_each(|edit| edit.span = back(edit.span));
    }
    d
}

/// A finding without its places behind the file.
fn within(mut d: Diagnostic, begin: usize) -> Diagnostic {
    d.secondary.retain(|label| (label.span.end as usize) < begin);
    d.fix = d.fix.filter(|fix| fix.edits.iter().all(|edit| (edit.span.end as usize) < begin));
    d
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::problem::DataOrigin;

    const TEXT: &str = "upper { var x  minimize (x - y)^2 }  lower { var y  minimize (y - 1)^2 }
        known { x = 1 }  metric size = x^2  let f(a) = sum(a[i] for i in 1..3)";

    fn asserted(assertion: &str) -> Asserted {
        assert(&blo_grammar::parse(TEXT).ast, TEXT, "p", &Settings::default(), assertion)
    }

    #[test]
    fn an_assertion_is_one_of_the_problem() {
        let found = asserted("err(x) <= 1e-3 and size > 0 and gap + residual_lower < 1");
        let problem = found.problem.unwrap_or_else(|| panic!("{:?} {:?}", found.in_text, found.in_file));
        let [expectation] = &problem.expectations[..] else { panic!("{:?}", problem.expectations) };
        assert_eq!(expectation.body[0].comparisons.len(), 3);
        assert_eq!(expectation.body[0].comparisons[2].texts, ["gap + residual_lower", "1"]);
        let residuals = problem.data.iter().filter(|d| matches!(d.origin, DataOrigin::Residual));
        assert_eq!(residuals.map(|d| d.name.as_str()).collect::<Vec<_>>(), ["gap", "residual_lower"]);
    }

    #[test]
    fn mistakes_have_their_places_in_its_text() {
        for (text, place, syntax) in [
            ("err(x <= 1", "", true),
            ("x + 1", "x + 1", false),
            ("abs(x) < zize", "zize", false),
            ("err(y) < 1", "y", false),
        ] {
            let found = asserted(text);
            assert!(found.problem.is_none() && found.is_syntax == syntax && found.in_file.is_empty(), "{text}");
            let span = found.in_text[0].primary.span;
            assert!(span.end as usize <= text.len(), "{text}: {:?}", found.in_text);
            assert!(text[span.range()].contains(place), "{text}: {:?}", found.in_text);
        }
        // what is wrong with a function of the file when it is called so
        let found = asserted("f(x) < 1");
        assert!(found.problem.is_none(), "{found:?}");
        let all = found.in_text.iter().map(|d| (d, 8)).chain(found.in_file.iter().map(|d| (d, TEXT.len())));
        assert!(all.clone().count() > 0 && all.clone().all(|(d, end)| d.primary.span.end as usize <= end), "{found:?}");
    }

    #[test]
    fn a_name_of_the_file_comes_before_a_residual() {
        let text = "param gap = 2  upper { var x  minimize x^2 }  lower { var y  minimize (y - gap*x)^2 }";
        let found = assert(&blo_grammar::parse(text).ast, text, "p", &Settings::default(), "gap > 1");
        assert!(found.problem.expect("no mistake").data.is_empty());
    }
}
