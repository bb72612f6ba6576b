//! Edits of `check --fix`, and of an editor that mends a whole file. An edit is made only where the file is better for it: the text is checked again after each
//! one, and an edit that leaves more errors or fewer statements is not made. Guesses are made only on request.

use blo_grammar::diagnostic::{Certainty, Diagnostic, Edit, Fix};

use crate::input::tried::{edited, errors};

/// Which edits are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edits {
    /// Those that can mean nothing else.
    Safe,
    /// Also guesses: the nearest name, file, option or method.
    All,
}

impl Edits {
    /// Whether a fix is among them.
    pub fn include(self, fix: &Fix) -> bool {
        !fix.edits.is_empty() && (self == Edits::All || fix.certainty == Certainty::Safe)
    }
}

/// Each round makes the edits that do not touch each other; an edit that calls for another ends here.
const ROUNDS: usize = 100;

/// The text with edits made, and how many fixes that took. `found` are the findings of `text` before, and of the
/// result after; `check` gives those of any text.
pub fn mend(
    text: &mut String,
    found: &mut Vec<Diagnostic>,
    edits: Edits,
    check: impl Fn(&str) -> Vec<Diagnostic>,
) -> usize {
    let mut count = 0;
    for _ in 0..ROUNDS {
        let fixes: Vec<Fix> = found.iter().filter_map(|d| d.fix.clone()).filter(|fix| edits.include(fix)).collect();
        let together = apart(text, &fixes);
        if together.is_empty() {
            break;
        }
        let made = count;
        // all at once, and one by one where that makes the file worse
        if !attempt(text, found, &together, &check) {
            for one in &together {
                if attempt(text, found, &[*one], &check) {
                    count += 1;
                    break;
                }
            }
        } else {
            count += together.len();
        }
        if count == made {
            break;
        }
    }
    count
}

/// Makes the edits of some fixes if the file is not worse after them.
fn attempt(
    text: &mut String,
    found: &mut Vec<Diagnostic>,
    fixes: &[&Fix],
    check: &impl Fn(&str) -> Vec<Diagnostic>,
) -> bool {
    let Some(after) = edited(text, fixes) else { return false };
    if blo_grammar::statements(&after) < blo_grammar::statements(text) {
        return false;
    }
    let findings = check(&after);
    if errors(&findings) > errors(found) {
        return false;
    }
    (*text, *found) = (after, findings);
    true
}

/// The fixes that can be made together: of fixes that touch each other, the first.
fn apart<'a>(text: &str, fixes: &'a [Fix]) -> Vec<&'a Fix> {
    let mut chosen: Vec<&Fix> = Vec::new();
    for fix in fixes {
        let free = |e: &Edit| {
            let mut others = chosen.iter().flat_map(|f| &f.edits);
            text.get(e.span.range()).is_some() && others.all(|o| e.span.end < o.span.start || o.span.end < e.span.start)
        };
        if fix.edits.iter().all(free) {
            chosen.push(fix);
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;
    use blo_grammar::span::Span;

    fn finding(start: usize, end: usize, text: &str) -> Diagnostic {
        let span = Span::new(start, end);
        Diagnostic::error("B0105", "m", span, "").fix("f", vec![Edit { span, text: text.into() }])
    }

    fn mended(text: &str, found: Vec<Diagnostic>, check: impl Fn(&str) -> Vec<Diagnostic>) -> (String, usize) {
        let (mut text, mut found) = (text.to_owned(), found);
        let count = mend(&mut text, &mut found, Edits::Safe, check);
        (text, count)
    }

    #[test]
    fn fixes_apply_together_unless_they_touch() {
        let fixes = vec![finding(0, 1, "A"), finding(4, 5, "E"), finding(1, 2, "-"), finding(90, 91, "x")];
        assert_eq!(mended("abcdef", fixes, |_| Vec::new()), ("AbcdEf".into(), 2));
        assert_eq!(mended("abc", Vec::new(), |_| Vec::new()), ("abc".into(), 0));
    }

    #[test]
    fn an_edit_that_makes_the_file_worse_is_not_made() {
        let worse =
            |text: &str| if text.contains('A') { vec![finding(4, 5, "E"), finding(5, 6, "")] } else { Vec::new() };
        assert_eq!(mended("abcdef", vec![finding(0, 1, "A")], worse), ("abcdef".into(), 0));
        // the other one is
        let found = vec![finding(0, 1, "A"), finding(4, 5, "E")];
        let worse = |text: &str| if text.contains('A') { vec![finding(0, 1, "A"); 3] } else { Vec::new() };
        assert_eq!(mended("abcdef", found, worse), ("abcdEf".into(), 1));
    }

    #[test]
    fn an_edit_that_swallows_a_statement_is_not_made() {
        let text = "let a = 1 // let b = 2";
        assert_eq!(mended(text, vec![finding(10, 12, "#")], |_| Vec::new()), (text.into(), 0));
    }
}
