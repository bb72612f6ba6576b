//! Programs as they are while somebody types them: every beginning of every program of `specs/` has all answers. Nothing
//! here looks at what they are; a panic fails the test.

// The bans keep the engine off files; this test reads programs.
#![allow(clippy::disallowed_methods)]

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use blo::document::Document;
use blo::editor::{
    Encoding, Judged, Syntax, complete, hover, message, occurrences, outline, quick_fixes, rename, semantic_tokens,
    signature,
};
use blo::input::checked::Asked;
use blo_engine::model::Settings;
use blo_grammar::span::Span;

/// A check takes milliseconds, and there are tens of thousands of beginnings: every this many is checked too.
const CHECKED: usize = 41;

fn specs() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../specs");
    let entries = std::fs::read_dir(&folder).expect("the folder of programs").flatten();
    let mut files: Vec<PathBuf> =
        entries.map(|e| e.path()).filter(|p| p.extension().is_some_and(|e| e == "blo")).collect();
    files.sort();
    files
}

fn judged(path: &Path, text: &str) -> Judged {
    let document = Document { name: "p.blo".into(), path: Some(path.to_owned()), text: text.to_owned() };
    let asked = Asked { settings: Settings::default(), data: None, request: None, seed: 0 };
    Judged::new(document, &asked, &|| false).expect("nobody stops it")
}

fn ask(syntax: &Syntax, judged: Option<&Judged>, offset: usize, folder: &Path) {
    let position = syntax.lines.position(&syntax.text, offset, Encoding::Utf16);
    assert_eq!(syntax.lines.offset(&syntax.text, position, Encoding::Utf16), offset);
    let found = complete(syntax, offset, Some((folder, folder)));
    assert!(found.iter().all(|c| syntax.text.get(c.span.range()).is_some()));
    let _ = hover(syntax, judged, offset);
    let _ = (signature(syntax, offset), occurrences(syntax, offset), rename(syntax, offset, "renamed"));
    let _ = judged.map(|j| quick_fixes(j, Span::new(offset, offset)).len());
}

fn every_beginning(path: &Path) {
    let text = std::fs::read_to_string(path).expect("a program");
    let folder = path.parent().expect("a folder");
    let mut last = judged(path, "");
    for (count, end) in (0..=text.len()).filter(|end| text.is_char_boundary(*end)).enumerate() {
        let syntax = Syntax::new(text[..end].to_owned());
        if count % CHECKED == 0 || end == text.len() {
            last = judged(path, &text[..end]);
            last.findings().iter().for_each(|d| assert!(!message(d).is_empty()));
        }
        ask(&syntax, Some(&last), end, folder);
        let _ = (outline(&syntax), semantic_tokens(&syntax).len());
    }
}

#[test]
fn every_beginning_of_every_program_has_all_answers() {
    let (specs, next) = (specs(), AtomicUsize::new(0));
    assert!(specs.len() > 20);
    let worker = || {
        while let Some(path) = specs.get(next.fetch_add(1, Ordering::Relaxed)) {
            every_beginning(path);
        }
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..std::thread::available_parallelism().map_or(1, usize::from))
            .filter_map(|_| {
                std::thread::Builder::new().stack_size(blo::stack::STACK_BYTES).spawn_scoped(scope, worker).ok()
            })
            .collect();
        threads.into_iter().for_each(|t| t.join().expect("no panic"));
    });
}
