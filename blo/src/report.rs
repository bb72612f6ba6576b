//! What a check finds, as data and as text.

use std::fmt;

use blo_grammar::diagnostic::{Certainty, Diagnostic};

use crate::document::Document;
use crate::output::render::{self, MessageFormat};
use crate::output::text::page::PAGE;

/// How serious a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The program or its data cannot be used as they are.
    Error,
    /// The program runs, but probably not as meant.
    Warning,
    /// Information worth a line.
    Note,
}

/// One finding about a program, its data or a run.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Finding {
    /// The stable code: `B....` for errors, `W....` for warnings, `N....` for notes.
    pub code: &'static str,
    /// How serious it is.
    pub severity: Severity,
    /// What is wrong, in a sentence.
    pub message: String,
    /// What the place is, in a few words; may be empty.
    pub label: String,
    /// The line of the place, from 1; 0 for a finding about the text as a whole, or about an option.
    pub line: usize,
    /// Its column in characters, from 1; 0 as for `line`.
    pub column: usize,
    /// The place in bytes of the text, from 0; empty as for `line`.
    pub span: std::ops::Range<usize>,
    /// Related places: their bytes, and what is there.
    pub related: Vec<(std::ops::Range<usize>, String)>,
    /// What to do.
    pub help: Vec<String>,
    /// An edit that mends it.
    pub fix: Option<Fix>,
}

/// An edit of the text.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Fix {
    /// What it does.
    pub text: String,
    /// It cannot change the meaning; else it is a guess.
    pub safe: bool,
    /// Replacements: bytes of the text and what takes their place. They do not overlap.
    pub edits: Vec<(std::ops::Range<usize>, String)>,
}

/// Findings in the order of the text. Shown with `{}`, it is what the command prints in 80 columns, without colors.
///
/// ```
/// let problem = blo::Problem::from_str(
///     "upper { var x in [0, 1]  minimize (x - 2)^2 + y^2 }  lower { var y  minimize (y - z)^2 }",
/// )?;
/// let report = problem.check();
/// assert!(!report.is_sound());
/// assert_eq!(report.findings()[0].code, "B0201");
/// assert!(report.to_string().contains("error[B0201]"));
/// # Ok::<(), blo::Error>(())
/// ```
#[derive(Clone)]
pub struct Report {
    document: Document,
    diagnostics: Vec<Diagnostic>,
    findings: Vec<Finding>,
}

impl Report {
    pub(crate) fn new(document: &Document, diagnostics: Vec<Diagnostic>) -> Report {
        let findings = diagnostics.iter().map(|d| finding(d, document)).collect();
        Report { document: document.clone(), diagnostics, findings }
    }

    /// All findings.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Those that stop a run.
    pub fn errors(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|f| f.severity == Severity::Error)
    }

    /// Those that do not.
    pub fn warnings(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|f| f.severity == Severity::Warning)
    }

    /// True without errors.
    pub fn is_sound(&self) -> bool {
        self.errors().next().is_none()
    }

    /// One JSON object per finding and line, as `blo check --message-format json` prints them.
    pub fn to_json_lines(&self) -> String {
        render::all(&self.diagnostics, &self.document, MessageFormat::Json, PAGE)
    }
}

/// As for people: what `unwrap` shows is read by them.
impl fmt::Debug for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Report\n{self}")
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(plain(&render::all(&self.diagnostics, &self.document, MessageFormat::Human, PAGE)).trim_end())
    }
}

/// A diagnostic as plain data.
pub(crate) fn finding(d: &Diagnostic, document: &Document) -> Finding {
    use blo_grammar::diagnostic::Severity as Grammar;
    let place = render::start(d, document);
    Finding {
        code: d.code,
        severity: match d.severity {
            Grammar::Error => Severity::Error,
            Grammar::Warning => Severity::Warning,
            Grammar::Note => Severity::Note,
        },
        message: d.message.clone(),
        label: d.primary.text.clone(),
        line: place.map_or(0, |(line, _)| line),
        column: place.map_or(0, |(_, column)| column),
        span: d.primary.span.range(),
        related: d.secondary.iter().map(|l| (l.span.range(), l.text.clone())).collect(),
        help: d.help.clone(),
        fix: d.fix.as_ref().map(|fix| Fix {
            text: fix.text.clone(),
            safe: fix.certainty == Certainty::Safe,
            edits: fix.edits.iter().map(|e| (e.span.range(), e.text.clone())).collect(),
        }),
    }
}

/// A text without colors.
pub(crate) fn plain(styled: &str) -> String {
    anstream::adapter::strip_str(styled).to_string()
}
