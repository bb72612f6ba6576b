//! Diagnostics as text: with the source (human), a line each (short), or an object per line (json). What a message
//! says is decided where it is made; offsets are bytes and columns characters, both as an editor counts them.

mod excerpt;
mod label;

use annotate_snippets::{
    AnnotationKind, Group, Level, Origin, Patch, Renderer, Snippet, Title, normalize_untrusted_str,
};
use blo_engine::limits;
use blo_grammar::MAX_ERRORS;
use blo_grammar::diagnostic::{Certainty, Diagnostic, Fix, Label, Severity};
use blo_grammar::span::Span;
use serde_json::{Value, json};

use crate::document::Document;
use crate::output::SCHEMA;
use crate::output::text::page;
use crate::output::text::visible::{on_one_line, within_styles};
use excerpt::{Lines, Neighborhood, boundary};

/// How diagnostics are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MessageFormat {
    /// With the source text
    #[default]
    Human,
    /// One line each: `file:line:column: error[code]: message`
    Short,
    /// One JSON object per line
    Json,
}

/// So many messages are shown.
const MESSAGES: usize = limits::MESSAGES.value as usize;

/// Characters of a message, a label or a help; a program's own text in it may be as long as the file.
const TEXT: usize = 600;

/// The diagnostics of a document, or the first of them, for people in `page` columns; there a count comes last, in the
/// other formats where some are left out.
pub fn all(diagnostics: &[Diagnostic], document: &Document, format: MessageFormat, page: usize) -> String {
    let mut text = String::new();
    let shown = shown(diagnostics);
    for d in &shown {
        text += &match format {
            MessageFormat::Human => human(d, document, page) + "\n\n",
            MessageFormat::Short => on_one_line(&short(d, document)).into_owned() + "\n",
            MessageFormat::Json => object(d, document).to_string() + "\n",
        };
    }
    if format == MessageFormat::Human && !diagnostics.is_empty() {
        text += &format!("{}: {}", document.name, count(diagnostics));
        if shown.len() < diagnostics.len() {
            text += &format!("; {} are shown", shown.len());
        }
        text += "\n";
    } else if shown.len() < diagnostics.len() {
        let message = format!("{}; {} are shown", count(diagnostics), shown.len());
        text += &match format {
            MessageFormat::Json => {
                json!({"schema": SCHEMA, "code": null, "severity": "note", "message": message, "file": document.name,
                    "shown": shown.len(), "count": diagnostics.len()})
                .to_string()
            }
            _ => format!("{}: {message}", document.name),
        };
        text += "\n";
    }
    text
}

/// As many diagnostics as are shown, in their order: warnings only where errors leave room.
fn shown(diagnostics: &[Diagnostic]) -> Vec<&Diagnostic> {
    let errors = diagnostics.iter().filter(|d| d.is_error()).count().min(MESSAGES);
    let (mut errors, mut others) = (errors, MESSAGES - errors);
    let takes = |d: &&Diagnostic| {
        let room = if d.is_error() { &mut errors } else { &mut others };
        let takes = *room > 0;
        *room -= usize::from(takes);
        takes
    };
    diagnostics.iter().filter(takes).collect()
}

/// A failure without a place in a program.
pub fn failure(message: &str, help: Option<&str>, format: MessageFormat, page: usize) -> String {
    match format {
        MessageFormat::Human => {
            let help = help.map(|h| Level::HELP.message(broken(h, page, " = help: ".len())));
            let group = Level::ERROR.primary_title(broken(message, page, "error: ".len())).elements(help);
            within_styles(&Renderer::styled().render(&[group])).into_owned() + "\n"
        }
        MessageFormat::Short => match help {
            Some(help) => format!("error: {message}; {help}\n"),
            None => format!("error: {message}\n"),
        },
        MessageFormat::Json => {
            let help: Vec<&str> = help.into_iter().collect();
            json!({"schema": SCHEMA, "code": null, "severity": "error", "message": message, "help": help}).to_string()
                + "\n"
        }
    }
}

/// `2 errors, 1 warning`.
pub fn count(diagnostics: &[Diagnostic]) -> String {
    let kinds = [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Note, "note")];
    let counts = kinds.iter().filter_map(|(severity, word)| {
        let n = diagnostics.iter().filter(|d| d.severity == *severity).count();
        // what finds mistakes stops looking at this many
        let least = if n >= MAX_ERRORS { "at least " } else { "" };
        (n > 0).then(|| if n == 1 { format!("1 {word}") } else { format!("{least}{n} {word}s") })
    });
    counts.collect::<Vec<_>>().join(", ")
}

fn human(d: &Diagnostic, document: &Document, page: usize) -> String {
    let level = match d.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let head = severity(d.severity).len() + d.code.len() + "[]: ".len();
    let margin = digits(d, document) + " = help: ".len();
    let message = broken(&cut(&d.message), page, head);
    let help: Vec<String> = d.help.iter().map(|h| broken(&cut(h), page, margin)).collect();
    let labels: Vec<String> = std::iter::once(&d.primary).chain(&d.secondary).map(text).collect();
    let attempt = |renderer: Renderer, apart: bool| {
        let title = level.clone().primary_title(&message).id(d.code);
        let mut groups = vec![
            places(title, d, document, apart, page).elements(help.iter().map(|h| Level::HELP.message(h.as_str()))),
        ];
        if let Some(fix) = &d.fix {
            let title = Level::HELP.secondary_title(broken(&cut(&fix.text), page, "help: ".len()));
            groups.push(edits(title, fix, document, page));
        }
        label::broken(&renderer.render(&groups), &labels, page)
    };
    // Lines of the program stay whole unless a place would then stand outside of the page. The renderer cuts all lines
    // of a piece of source alike, so that places far from each other in their lines are shown in pieces of their own.
    let (mut rendered, mut fits) = attempt(Renderer::styled(), false);
    for apart in [false, true] {
        if !fits {
            (rendered, fits) = attempt(Renderer::styled().term_width(page), apart);
        }
    }
    within_styles(&without_empty_headers(&rendered)).into_owned()
}

/// A text in lines that fit the page behind `margin` columns; the renderer puts them under each other.
fn broken(text: &str, page: usize, margin: usize) -> String {
    page::broken(&normalize_untrusted_str(text), page.saturating_sub(margin)).join("\n")
}

/// What a label says, in one line.
fn text(label: &Label) -> String {
    normalize_untrusted_str(&cut(&label.text)).replace('\n', " ")
}

/// Digits of the largest number of a line that is shown.
fn digits(d: &Diagnostic, document: &Document) -> usize {
    let edits = d.fix.iter().flat_map(|fix| &fix.edits).map(|e| e.span);
    let spans = std::iter::once(d.primary.span).chain(d.secondary.iter().map(|l| l.span)).chain(edits);
    let last = spans.map(|s| s.end as usize).max().unwrap_or(0);
    let lines = document.text.as_bytes().iter().take(last).filter(|b| **b == b'\n').count() + 1;
    lines.to_string().len()
}

/// The renderer heads a piece of source that has its place above it with an empty place.
fn without_empty_headers(rendered: &str) -> String {
    let plain = |line: &str| anstream::adapter::strip_str(line).to_string();
    let is_header = |line: &str| line.contains(":::") && plain(line).trim() == ":::";
    let lines: Vec<&str> = rendered.split('\n').filter(|line| !is_header(line)).collect();
    lines.join("\n")
}

/// The title with the source of the message's places, in one piece where they are near each other.
fn places<'a>(title: Title<'a>, d: &'a Diagnostic, document: &'a Document, apart: bool, page: usize) -> Group<'a> {
    let (source, name) = (document.text.as_str(), document.name.as_str());
    let group = Group::with_title(title);
    // no span: the message concerns the file as a whole, or a flag
    if source.is_empty() || d.primary.span == Span::default() {
        return group.element(Origin::path(name));
    }
    let labels = || {
        let kinds = std::iter::once(AnnotationKind::Primary).chain(std::iter::repeat(AnnotationKind::Context));
        kinds.zip(std::iter::once(&d.primary).chain(&d.secondary))
    };
    let text = |label: &Label| Some(text(label)).filter(|t| !t.is_empty());
    let lines = Lines::of(source, labels().map(|(_, l)| l.span));
    if let Some(lines) = lines.filter(|_| !apart) {
        let annotations = labels().map(|(kind, l)| kind.span(lines.within(l.span, source)).label(text(l)));
        return group.element(Snippet::source(lines.text).path(name).line_start(lines.line).annotations(annotations));
    }
    labels().fold(group, |group, (kind, label)| {
        let near = Neighborhood::of(source, label.span, page);
        let origin = Origin::path(name).line(near.line).char_column(near.column);
        let annotation = kind.span(near.range).label(text(label));
        group.element(origin).element(Snippet::source(near.text).line_start(near.line).annotation(annotation))
    })
}

/// The title with what its edits make of the source.
fn edits<'a>(title: Title<'a>, fix: &'a Fix, document: &'a Document, page: usize) -> Group<'a> {
    let (source, name) = (document.text.as_str(), document.name.as_str());
    let group = Group::with_title(title);
    if let Some(lines) = Lines::of(source, fix.edits.iter().map(|e| e.span)) {
        let patches = fix.edits.iter().map(|e| Patch::new(lines.within(e.span, source), cut(&e.text)));
        return group.element(Snippet::source(lines.text).path(name).line_start(lines.line).patches(patches));
    }
    fix.edits.iter().fold(group, |group, edit| {
        let near = Neighborhood::of(source, edit.span, page);
        let patch = Patch::new(near.range, cut(&edit.text));
        group.element(Snippet::source(near.text).path(name).line_start(near.line).patch(patch))
    })
}

/// A text with its middle left out where it is very long.
fn cut(text: &str) -> String {
    match text.char_indices().nth(TEXT) {
        None => text.to_owned(),
        Some(_) => {
            let (head, _) = text.char_indices().nth(TEXT / 2).unwrap_or_default();
            let tail = text.char_indices().rev().nth(TEXT / 4).map_or(text.len(), |(i, _)| i);
            format!("{}...{}", &text[..head], &text[tail..])
        }
    }
}

fn short(d: &Diagnostic, document: &Document) -> String {
    let message = cut(&d.message).replace('\n', " ");
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
        json!({"text": fix.text, "safe": fix.certainty == Certainty::Safe, "edits": edits})
    });
    json!({
        "schema": SCHEMA,
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

/// Line and column of a diagnostic, from 1; `None` for one without a place.
pub fn start(d: &Diagnostic, document: &Document) -> Option<(usize, usize)> {
    if d.primary.span == Span::default() {
        return None;
    }
    let at = place(d.primary.span.start as usize, &document.text);
    Some((at.line, at.column))
}

fn span(span: Span, text: &str) -> Value {
    let point = |offset: u32| {
        let at = place(offset as usize, text);
        json!({"offset": offset, "line": at.line, "column": at.column})
    };
    json!({"start": point(span.start), "end": point(span.end)})
}

#[cfg(test)]
mod tests {
    use super::*;
    use blo_grammar::diagnostic::Edit;

    fn document(text: &str) -> Document {
        Document { name: "p.blo".into(), path: None, text: text.into() }
    }

    fn plain(d: &Diagnostic, text: &str) -> String {
        anstream::adapter::strip_str(&human(d, &document(text), 80)).to_string()
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
    fn a_hundred_messages_are_shown_errors_first_and_the_rest_is_counted() {
        let text = "let a = 1\n".repeat(500);
        let at = |i: u32| Span { start: 10 * i + 4, end: 10 * i + 5 };
        let mut found: Vec<Diagnostic> = (0..200).map(|i| Diagnostic::warning("W0601", "w", at(i), "")).collect();
        found.extend((200..290).map(|i| Diagnostic::error("B0116", "e", at(i), "")));
        let shown = all(&found, &document(&text), MessageFormat::Short, 80);
        let lines: Vec<&str> = shown.lines().collect();
        let errors = lines.iter().filter(|l| l.contains("error[")).count();
        assert_eq!((lines.len(), errors, lines[100]), (101, 90, "p.blo: 90 errors, 200 warnings; 100 are shown"));
        let last = all(&found, &document(&text), MessageFormat::Json, 80).lines().last().map(str::to_owned);
        let last: Value = serde_json::from_str(&last.unwrap_or_default()).unwrap();
        assert_eq!((&last["shown"], &last["count"]), (&json!(100), &json!(290)));
        assert!(
            all(&found, &document(&text), MessageFormat::Human, 80)
                .ends_with("90 errors, 200 warnings; 100 are shown\n")
        );
        assert_eq!(all(&found[..100], &document(&text), MessageFormat::Json, 80).lines().count(), 100);
    }

    #[test]
    fn a_line_of_megabytes_is_quoted_around_the_place() {
        let text = format!("let a = 1{}\n", " + y*y".repeat(200_000));
        let middle = text.len() as u32 / 2;
        let span = Span { start: middle, end: middle + 3 };
        let d = Diagnostic::error("B0303", "m".repeat(100_000), span, "here")
            .with(Span { start: 8, end: middle }, "y".repeat(100_000))
            .fix("f", vec![Edit { span, text: "z".into() }]);
        let shown = plain(&d, &text);
        assert!(shown.len() < 8000 && shown.contains(&format!("p.blo:1:{}", middle + 1)), "{shown}");
        assert!(shown.lines().all(|l| l.chars().count() < 700), "{shown}");
        assert!(!shown.lines().any(|l| l.trim() == ":::"), "{shown}");
    }

    #[test]
    fn counts_agree_in_number() {
        let e = Diagnostic::error("B0116", "m", Span::default(), "");
        let w = Diagnostic::warning("W0601", "m", Span::default(), "");
        assert_eq!(count(&[e.clone(), w, e]), "2 errors, 1 warning");
        assert_eq!(count(&[]), "");
    }
}
