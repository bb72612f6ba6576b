//! The edits that findings offer: those of `blo check --fix`, one by one or all.

use blo_grammar::diagnostic::{Certainty, Diagnostic, Edit};
use blo_grammar::span::Span;

use super::judged::Judged;
use crate::input::checked::{Asked, findings};
use crate::input::mend::{Edits, mend};

/// The edits of a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuickFix<'a> {
    /// What they do, in the imperative.
    pub title: String,
    /// The edits, in the order of the text.
    pub edits: &'a [Edit],
    /// True unless they are a guess.
    pub is_safe: bool,
    /// What they mend.
    pub finding: &'a Diagnostic,
}

/// The fixes of the findings that touch a span.
pub fn quick_fixes(judged: &Judged, span: Span) -> Vec<QuickFix<'_>> {
    let touches = |s: Span| s.start <= span.end && span.start <= s.end;
    let fix = |d| quick_fix(d).filter(|f| touches(f.finding.primary.span) || f.edits.iter().any(|e| touches(e.span)));
    judged.findings().iter().filter_map(fix).collect()
}

fn quick_fix(finding: &Diagnostic) -> Option<QuickFix<'_>> {
    let fix = finding.fix.as_ref().filter(|f| !f.edits.is_empty())?;
    let is_safe = fix.certainty == Certainty::Safe;
    Some(QuickFix { title: fix.text.clone(), edits: &fix.edits, is_safe, finding })
}

/// The text after `blo check --fix`; `None` where that changes nothing. It checks the text again after each round.
pub fn all_safe(judged: &Judged, asked: &Asked<'_>) -> Option<String> {
    let mut text = judged.document.text.clone();
    let mut found = judged.findings().to_vec();
    let check = |text: &str| {
        let document = crate::document::Document { text: text.to_owned(), ..judged.document.clone() };
        findings(&document, asked)
    };
    (mend(&mut text, &mut found, Edits::Safe, check) > 0).then_some(text)
}
