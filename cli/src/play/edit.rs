//! What the page's editor asks about a text: the language server's answers (`blo::editor`), with places as the page counts
//! them, in units of UTF-16 from the start of the text.

use std::path::Path;

use blo::document::Document;
use blo::editor::{self, CompletionKind, Judged, Syntax, message, quick_fixes, semantic_tokens};
use blo::input::checked::{Asked, limits_of_machine};
use blo::input::source::Folders;
use blo_engine::model::Settings;
use blo_grammar::ast::ItemKind;
use blo_grammar::diagnostic::{Diagnostic, Severity};
use blo_grammar::span::Span;
use blo_solvers::landscape::has_landscape;
use serde_json::{Value, json};

use crate::codes;

/// The text that is being written, as it was checked last.
#[derive(Default)]
pub(crate) struct Editing {
    judged: Option<Judged>,
}

/// The units before each byte of a text.
struct Units(Vec<u32>);

impl Units {
    fn of(text: &str) -> Units {
        let mut units = Vec::with_capacity(text.len() + 1);
        let mut before = 0;
        for c in text.chars() {
            units.extend(std::iter::repeat_n(before, c.len_utf8()));
            before += c.len_utf16() as u32;
        }
        units.push(before);
        Units(units)
    }

    /// The place of a byte.
    fn at(&self, byte: usize) -> u32 {
        self.0[byte.min(self.0.len() - 1)]
    }

    fn span(&self, span: Span) -> [u32; 2] {
        [self.at(span.start as usize), self.at(span.end as usize)]
    }

    /// The byte at a place.
    fn byte(&self, place: u64) -> usize {
        self.0.partition_point(|units| u64::from(*units) < place).min(self.0.len() - 1)
    }
}

impl Editing {
    /// Mistakes with their fixes, and what the page wants to know of the problem.
    pub(crate) fn check(&mut self, root: &Path, name: &str, text: &str) -> Value {
        let document = Document { name: name.to_owned(), path: Some(root.join(name)), text: text.to_owned() };
        let limits = limits_of_machine();
        let folders = Folders::new(document.folder(), &[])
            .within(limits.clone())
            .described_by(text)
            .confined_to(Some(root.to_owned()));
        let settings = Settings { limits, ..Settings::default() };
        let asked = Asked { settings, data: Some(&folders), request: None, seed: 0 };
        self.judged = Judged::new(document, &asked, &|| false);
        let units = Units::of(text);
        let findings =
            self.judged.iter().flat_map(|judged| judged.findings().iter().map(|d| finding(judged, d, &units)));
        let problem = self.judged.as_ref().and_then(Judged::problem);
        let landscape = problem.is_some_and(|problem| has_landscape(problem, &problem.sizes));
        let presets = presets(&Syntax::new(text.to_owned()));
        json!({"findings": findings.collect::<Vec<_>>(), "presets": presets, "landscape": landscape})
    }

    /// What is known of the word at a place, and of what the check found there.
    pub(crate) fn hover(&self, text: &str, at: u64) -> Value {
        let (syntax, units) = (Syntax::new(text.to_owned()), Units::of(text));
        let Some(found) = editor::hover(&syntax, self.judged.as_ref(), units.byte(at)) else { return Value::Null };
        let [from, to] = units.span(found.span);
        json!({"from": from, "to": to, "markdown": found.text})
    }
}

fn finding(judged: &Judged, d: &Diagnostic, units: &Units) -> Value {
    let [from, to] = units.span(d.primary.span);
    let fix = quick_fixes(judged, d.primary.span).into_iter().find(|fix| std::ptr::eq(fix.finding, d));
    let fix = fix.map(|fix| {
        let edits = fix.edits.iter().map(|e| {
            let [from, to] = units.span(e.span);
            json!({"from": from, "to": to, "insert": e.text})
        });
        json!({"title": fix.title, "safe": fix.is_safe, "edits": edits.collect::<Vec<_>>()})
    });
    let severity = match d.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    };
    json!({"from": from, "to": to, "severity": severity, "code": d.code, "message": message(d), "fix": fix})
}

/// The presets of a program, as methods are asked for; and for each method that it has options for, the one without them.
fn presets(syntax: &Syntax) -> Vec<String> {
    let mut found = Vec::new();
    for item in &syntax.ast.items {
        let ItemKind::Method { method, preset, .. } = &item.kind else { continue };
        let named = preset.iter().map(|preset| format!("{}:{}", method.text, preset.text));
        for name in named.chain([format!("{}:auto", method.text)]) {
            if !found.contains(&name) {
                found.push(name);
            }
        }
    }
    found.sort();
    found
}

/// What may stand at a place; files of data are those below the root.
pub(super) fn complete(root: &Path, name: &str, text: &str, at: u64) -> Value {
    let (syntax, units) = (Syntax::new(text.to_owned()), Units::of(text));
    let folder = root.join(name).parent().map_or_else(|| root.to_owned(), Path::to_owned);
    let found = editor::complete(&syntax, units.byte(at), Some((&folder, root)));
    let item = |c: editor::Completion| {
        let [from, to] = units.span(c.span);
        json!({
            "label": c.label,
            "kind": kind(c.kind),
            "detail": c.detail,
            "doc": c.doc,
            "from": from,
            "to": to,
            "insert": c.text,
        })
    };
    json!({"items": found.into_iter().map(item).collect::<Vec<_>>()})
}

fn kind(kind: CompletionKind) -> &'static str {
    match kind {
        CompletionKind::Keyword => "keyword",
        CompletionKind::Function => "function",
        CompletionKind::Set => "class",
        CompletionKind::Constant => "constant",
        CompletionKind::Variable => "variable",
        CompletionKind::Field | CompletionKind::Option => "property",
        CompletionKind::Method => "namespace",
        CompletionKind::Value => "enum",
        CompletionKind::File | CompletionKind::Folder => "text",
    }
}

/// The words of a text with what they are.
pub(super) fn tokens(text: &str) -> Value {
    let (syntax, units) = (Syntax::new(text.to_owned()), Units::of(text));
    let token = |word: editor::Coloured| {
        let [from, to] = units.span(word.span);
        json!([from, to, word.kind])
    };
    json!({"tokens": semantic_tokens(&syntax).into_iter().map(token).collect::<Vec<_>>()})
}

/// A text laid out.
pub(super) fn format(text: &str) -> Value {
    match editor::formatted(text, blo_grammar::Style::Keep) {
        Ok(None) => json!({"text": text}),
        Ok(Some(edit)) => {
            let range = edit.span.range();
            let (before, after) = (text.get(..range.start), text.get(range.end..));
            let whole = [before.unwrap_or_default(), &edit.text, after.unwrap_or_default()].concat();
            json!({"text": whole})
        }
        Err(_) => json!({"refused": "the text has syntax errors, so it has no layout; mend these first"}),
    }
}

/// The page of a code.
pub(super) fn code(code: &str) -> Option<Value> {
    let entry = codes::entries().into_iter().find(|entry| entry.code == code)?;
    Some(json!({"text": entry.page()}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_as_the_page_counts_them() {
        let text = "α🦀x";
        let units = Units::of(text);
        let of = |what: char| units.at(text.find(what).unwrap());
        assert_eq!((of('α'), of('🦀'), of('x'), units.at(text.len())), (0, 1, 3, 4));
        for (byte, _) in text.char_indices() {
            assert_eq!(units.byte(u64::from(units.at(byte))), byte);
        }
        assert_eq!(units.byte(99), text.len());
        assert_eq!(Units::of("").byte(3), 0);
    }

    #[test]
    fn a_mistake_has_its_place_and_a_fix_that_mends_it() {
        let folder = tempfile::tempdir().unwrap();
        let mut editing = Editing::default();
        let text = "# α🦀\nupper { var x minimise x^2 }\nlower { var y minimize (y - x)^2 }\n";
        let found = editing.check(folder.path(), "a.blo", text);
        let first = &found["findings"][0];
        let edit = &first["fix"]["edits"][0];
        let units: Vec<u16> = text.encode_utf16().collect();
        let place = |key: &str| edit[key].as_u64().unwrap() as usize;
        let mended = [
            &units[..place("from")],
            &edit["insert"].as_str().unwrap().encode_utf16().collect::<Vec<_>>(),
            &units[place("to")..],
        ];
        let mended = String::from_utf16(&mended.concat()).unwrap();
        let again = editing.check(folder.path(), "a.blo", &mended);
        assert_eq!(again["findings"], json!([]), "{mended}\n{again:#}");
    }

    #[test]
    fn a_program_learns_nothing_of_files_outside_of_the_folder() {
        let outer = tempfile::tempdir().unwrap();
        std::fs::write(outer.path().join("secret.csv"), "a\n1\n").unwrap();
        let root = outer.path().join("root");
        std::fs::create_dir(&root).unwrap();
        let root = std::fs::canonicalize(root).unwrap();
        let said = |file: &str| {
            let text = format!(
                "data A[_] = csv(\"{file}\", column = \"a\")\nupper {{ var x minimize x^2*sum(A) }}\nlower {{ var y minimize (y - x)^2 }}\n"
            );
            let found = Editing::default().check(&root, "a.blo", &text);
            found["findings"][0]["message"].as_str().unwrap_or_default().replace(file, "FILE")
        };
        let is_there = said("../secret.csv");
        assert!(!is_there.is_empty());
        assert_eq!(is_there, said("../nowhere.csv"));
    }
}
