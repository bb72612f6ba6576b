//! Fixes are tried before they are shown: each edit is made on a copy of the text, and the copy is checked. A fix that
//! does not mend its place is taken out: the nearest name is no help where it is taken already, needs other arguments,
//! or only moves the mistake.

use blo_grammar::diagnostic::{Certainty, Diagnostic, Edit, Fix};
use blo_grammar::span::Span;

/// Fixes of one text that are tried; people who make one see the next.
const MOST: usize = 12;
/// Bytes that are checked for it: what is longer takes seconds to check.
const BYTES: usize = 1 << 16;

/// Takes out fixes that do not mend their place. `check` gives the findings of any text. Guesses that are not tried,
/// since there are too many, lose their edit and keep their words.
pub fn keep_what_mends(text: &str, found: &mut [Diagnostic], check: impl Fn(&str) -> Vec<Diagnostic>) {
    let before = errors(found);
    let (mut count, mut bytes) = (0, 0);
    for d in found.iter_mut().filter(|d| d.is_error()) {
        let Some(fix) = d.fix.clone() else { continue };
        (count, bytes) = (count + 1, bytes + text.len());
        if count > MOST || bytes > BYTES {
            if fix.certainty == Certainty::Suggestion {
                d.fix = None;
            }
            continue;
        }
        match outcome(text, d.primary.span, &fix, before, &check) {
            Outcome::Mends => {}
            // what was hidden shows: the words may be right
            Outcome::ShowsOthers => d.fix = None,
            Outcome::Moves => d.drop_fix(),
        }
    }
}

/// What the edits of a fix lead to.
enum Outcome {
    /// No more errors, and what is left of them at the place has a certain fix itself.
    Mends,
    /// The place is sound, and there are errors elsewhere that were not there before.
    ShowsOthers,
    /// The place has another error.
    Moves,
}

fn outcome(
    text: &str,
    place: Span,
    fix: &Fix,
    before: [usize; 3],
    check: &impl Fn(&str) -> Vec<Diagnostic>,
) -> Outcome {
    let Some(after) = edited(text, &[fix]) else { return Outcome::Moves };
    let found = check(&after);
    let touched = reach(place, &fix.edits);
    let is_certain = |d: &Diagnostic| d.fix.as_ref().is_some_and(|f| f.certainty == Certainty::Safe);
    let stays = |d: &&Diagnostic| {
        d.is_error() && d.primary.span.start <= touched.end && touched.start <= d.primary.span.end && !is_certain(d)
    };
    if found.iter().any(|d| stays(&d)) {
        return Outcome::Moves;
    }
    // as many errors are progress: one mistake hides another
    if errors(&found) <= before { Outcome::Mends } else { Outcome::ShowsOthers }
}

/// The place of a mistake and of its edits, as it is after them.
fn reach(place: Span, edits: &[Edit]) -> Span {
    let (mut touched, mut longer) = (place, 0);
    for e in edits {
        touched = touched.to(e.span);
        longer += e.text.len() as i64 - i64::from(e.span.end - e.span.start);
    }
    let end = i64::from(touched.end) + longer;
    Span { end: u32::try_from(end).unwrap_or(touched.start).max(touched.start), ..touched }
}

/// Errors of the syntax, of the model and of methods. A phase hides the mistakes that later ones would find, so fewer
/// errors of an earlier phase count for more.
pub fn errors(found: &[Diagnostic]) -> [usize; 3] {
    let mut counts = [0; 3];
    for d in found.iter().filter(|d| d.is_error()) {
        let phase = if d.code.starts_with("B01") {
            0
        } else if d.code.starts_with("B06") {
            2
        } else {
            1
        };
        counts[phase] += 1;
    }
    counts
}

/// The text with the edits of fixes that do not overlap; `None` where one is out of place.
pub fn edited(text: &str, fixes: &[&Fix]) -> Option<String> {
    let mut edits: Vec<&Edit> = fixes.iter().flat_map(|f| &f.edits).collect();
    edits.sort_by_key(|e| e.span);
    let mut result = String::with_capacity(text.len());
    let mut at = 0;
    for e in edits {
        result.push_str(text.get(at..e.span.start as usize)?);
        result.push_str(&e.text);
        at = e.span.end as usize;
    }
    result.push_str(text.get(at..)?);
    Some(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(start: usize, end: usize, text: &str) -> Diagnostic {
        Diagnostic::error("B0201", "m", Span::new(start, end), "").respelt(text, Span::new(start, end))
    }

    #[test]
    fn a_guess_that_mends_its_place_stays() {
        let mut found = vec![finding(0, 1, "A"), Diagnostic::error("B0301", "m", Span::new(4, 5), "")];
        keep_what_mends("abcdef", &mut found, |_| vec![Diagnostic::error("B0301", "m", Span::new(4, 5), "")]);
        assert!(found[0].fix.is_some() && found[0].help == ["did you mean `A`?"]);
    }

    #[test]
    fn a_guess_that_moves_the_mistake_goes_with_its_words() {
        let mut found = vec![finding(0, 1, "Ab").help("more"), Diagnostic::error("B0603", "n", Span::new(3, 4), "")];
        let after = [Diagnostic::error("B0605", "m", Span::new(0, 2), "")];
        keep_what_mends("abcdef", &mut found, |_| after.to_vec());
        assert!(found[0].fix.is_none());
        assert_eq!(found[0].help, ["more"]);
    }

    #[test]
    fn a_guess_that_shows_other_mistakes_keeps_its_words() {
        let mut found = vec![finding(0, 1, "A")];
        let after = [4, 5].map(|at| Diagnostic::error("B0301", "m", Span::new(at, at + 1), ""));
        keep_what_mends("abcdef", &mut found, |_| after.to_vec());
        assert!(found[0].fix.is_none());
        assert_eq!(found[0].help, ["did you mean `A`?"]);
    }

    #[test]
    fn too_many_guesses_lose_their_edits_alone() {
        let mut found: Vec<Diagnostic> = (0..MOST + 2).map(|i| finding(i, i + 1, "A")).collect();
        keep_what_mends(&"a".repeat(99), &mut found, |_| Vec::new());
        assert!(found[MOST - 1].fix.is_some() && found[MOST].fix.is_none());
        assert_eq!(found[MOST].help, ["did you mean `A`?"]);
    }
}
