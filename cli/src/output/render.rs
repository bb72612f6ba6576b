//! Diagnostics as text: with the source (human), a line each (short), or an object per line (json). What a message
//! says is decided where it is made; offsets are bytes and columns characters, both as an editor counts them.

use annotate_snippets::{AnnotationKind, Group, Level, Patch, Renderer, Snippet, normalize_untrusted_str};
use blo_grammar::diagnostic::{Diagnostic, Label, Severity};
use blo_grammar::span::Span;
use clap::ValueEnum;
use serde_json::{Value, json};
use std::ops::Range;

use crate::document::Document;

/// How diagnostics are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum MessageFormat {
    /// With the source text
    #[default]
    Human,
    /// One line each: `file:line:column: error[code]: message`
    Short,
    /// One JSON object per line
    Json,
}

/// All diagnostics of a document; in the human format a count comes last.
pub(crate) fn all(diagnostics: &[Diagnostic], document: &Document, format: MessageFormat) -> String {
    let mut text = String::new();
    for d in diagnostics {
        text += &match format {
            MessageFormat::Human => human(d, document) + "\n\n",
            MessageFormat::Short => short(d, document) + "\n",
            MessageFormat::Json => object(d, document).to_string() + "\n",
        };
    }
    if format == MessageFormat::Human && !diagnostics.is_empty() {
        text += &format!("{}: {}\n", document.name, count(diagnostics));
    }
    text
}

/// A failure without a place in a program.
pub(crate) fn failure(message: &str, help: Option<&str>, format: MessageFormat) -> String {
    match format {
        MessageFormat::Human => {
            let help = help.map(|h| Level::HELP.message(normalize_untrusted_str(h)));
            let group = Level::ERROR.primary_title(message).elements(help);
            Renderer::styled().render(&[group]) + "\n"
        }
        MessageFormat::Short => match help {
            Some(help) => format!("error: {message}; {help}\n"),
            None => format!("error: {message}\n"),
        },
        MessageFormat::Json => {
            let help: Vec<&str> = help.into_iter().collect();
            json!({"schema": 1, "code": null, "severity": "error", "message": message, "help": help}).to_string() + "\n"
        }
    }
}

/// `2 errors, 1 warning`.
pub(crate) fn count(diagnostics: &[Diagnostic]) -> String {
    let kinds = [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Note, "note")];
    let counts = kinds.iter().filter_map(|(severity, word)| {
        let n = diagnostics.iter().filter(|d| d.severity == *severity).count();
        (n > 0).then(|| if n == 1 { format!("1 {word}") } else { format!("{n} {word}s") })
    });
    counts.collect::<Vec<_>>().join(", ")
}

fn human(d: &Diagnostic, document: &Document) -> String {
    let level = match d.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let source = document.text.as_str();
    let mut title = Group::with_title(level.primary_title(d.message.as_str()).id(d.code));
    // no span: the message concerns the file as a whole, or a flag
    if source.is_empty() || d.primary.span == Span::default() {
        title = title.element(annotate_snippets::Origin::path(document.name.as_str()));
    } else {
        let annotate = |kind: AnnotationKind, label: &'_ Label| {
            let range = within(label.span, source);
            let text = Some(label.text.as_str()).filter(|t| !t.is_empty()).map(str::to_owned);
            kind.span(range).label(text)
        };
        let snippet = Snippet::source(source)
            .path(document.name.as_str())
            .annotation(annotate(AnnotationKind::Primary, &d.primary))
            .annotations(d.secondary.iter().map(|l| annotate(AnnotationKind::Context, l)));
        title = title.element(snippet);
    }
    title = title.elements(d.help.iter().map(|h| Level::HELP.message(normalize_untrusted_str(h))));
    let mut groups = vec![title];
    if let Some(fix) = &d.fix {
        let patches = fix.edits.iter().map(|e| Patch::new(within(e.span, source), e.text.as_str()));
        let title = Level::HELP.secondary_title(normalize_untrusted_str(&fix.text));
        groups.push(title.element(Snippet::source(source).path(document.name.as_str()).patches(patches)));
    }
    Renderer::styled().render(&groups)
}

fn short(d: &Diagnostic, document: &Document) -> String {
    let message = d.message.replace('\n', " ");
    let text = format!("{}[{}]: {message}", severity(d.severity), d.code);
    if d.primary.span == Span::default() {
        return format!("{}: {text}", document.name);
    }
    let at = place(d.primary.span.start as usize, &document.text);
    format!("{}:{}:{}: {text}", document.name, at.line, at.column)
}

fn object(d: &Diagnostic, document: &Document) -> Value {
    let text = document.text.as_str();
    let label = |l: &Label| json!({"span": span(l.span, text), "text": l.text});
    let fix = d.fix.as_ref().map(|fix| {
        let edits: Vec<Value> = fix.edits.iter().map(|e| json!({"span": span(e.span, text), "text": e.text})).collect();
        json!({"text": fix.text, "edits": edits})
    });
    json!({
        "schema": 1,
        "code": d.code,
        "severity": severity(d.severity),
        "message": d.message,
        "file": document.name,
        "primary": label(&d.primary),
        "secondary": d.secondary.iter().map(label).collect::<Vec<_>>(),
        "help": d.help,
        "fix": fix,
    })
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

/// A place in a text, counted from 1.
struct Place {
    line: usize,
    column: usize,
}

fn place(offset: usize, text: &str) -> Place {
    let before = &text[..boundary(offset, text)];
    let start = before.rfind('\n').map_or(0, |i| i + 1);
    Place { line: before.matches('\n').count() + 1, column: before[start..].chars().count() + 1 }
}

fn span(span: Span, text: &str) -> Value {
    let point = |offset: u32| {
        let at = place(offset as usize, text);
        json!({"offset": offset, "line": at.line, "column": at.column})
    };
    json!({"start": point(span.start), "end": point(span.end)})
}

/// The span as a range that can index the text, whatever the span is.
fn within(span: Span, text: &str) -> Range<usize> {
    let start = boundary(span.start as usize, text);
    start..boundary(span.end as usize, text).max(start)
}

fn boundary(offset: usize, text: &str) -> usize {
    (0..=offset.min(text.len())).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use blo_grammar::diagnostic::Edit;

    fn document(text: &str) -> Document {
        Document { name: "p.blo".into(), path: None, text: text.into() }
    }

    fn plain(d: &Diagnostic, text: &str) -> String {
        anstream::adapter::strip_str(&human(d, &document(text))).to_string()
    }

    #[test]
    fn a_diagnostic_shows_its_places_help_and_fix() {
        let d = Diagnostic::error("B0105", "two values side by side", Span::new(10, 11), "no operator before this")
            .with(Span::new(8, 9), "after this value")
            .help("a product is written with `*`")
            .fix("write `2*x`", vec![Edit { span: Span::new(9, 10), text: "*".into() }]);
        let text = plain(&d, "let a = 2 x\n");
        for part in ["error[B0105]: two values", "p.blo:1:11", "after this value", "2*x"] {
            assert!(text.contains(part), "{part} in\n{text}");
        }
        assert_eq!(short(&d, &document("let a = 2 x\n")), "p.blo:1:11: error[B0105]: two values side by side");
        assert_eq!(object(&d, &document("let a = 2 x\n"))["primary"]["span"]["start"]["column"], 11);
    }

    #[test]
    fn spans_beyond_the_text_or_within_a_letter_are_shown_somewhere() {
        for (start, end) in [(0, 0), (3, 1), (4, 5), (5, 5), (90, 100)] {
            for text in ["", "é=ü", "a\r\nb\n", "\t\u{1b}[31mx\n"] {
                let d = Diagnostic::error("B0116", "m", Span { start, end }, "l")
                    .fix("f", vec![Edit { span: Span { start, end }, text: "é".into() }]);
                assert!(plain(&d, text).contains("error[B0116]: m"));
                let _ = (short(&d, &document(text)), object(&d, &document(text)));
            }
        }
    }

    #[test]
    fn counts_agree_in_number() {
        let e = Diagnostic::error("B0116", "m", Span::default(), "");
        let w = Diagnostic::warning("W0601", "m", Span::default(), "");
        assert_eq!(count(&[e.clone(), w, e]), "2 errors, 1 warning");
        assert_eq!(count(&[]), "");
    }
}
