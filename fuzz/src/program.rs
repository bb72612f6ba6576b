//! The language: parser, formatter and checker on any text.

use blo_engine::data::Memory;
use blo_engine::model::{self, Settings};
use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::{Style, decode, format, parse, parse_expression};

#[path = "../../grammar/tests/tree/mod.rs"]
mod tree;

/// Data are read where a problem holds no more numbers than this: a generator may be asked for any size.
const NUMBERS: f64 = 1e4;

/// Nothing panics; every span lies in the text, on character boundaries; what parses is formatted to a fixed point with
/// the same meaning; what checks can be bound to files.
pub fn hold(bytes: &[u8]) {
    let text = match decode(bytes) {
        Ok(text) => text,
        Err(d) => {
            assert!(d.primary.span.end as usize <= bytes.len(), "{d:?}");
            return;
        }
    };
    let parsed = parse(&text);
    located(&text, &parsed.diagnostics);
    if let Err(found) = parse_expression(&text) {
        assert!(!found.is_empty(), "refused without a reason: {text:?}");
        located(&text, &found);
    }
    match format(&text, Style::Keep) {
        Ok(once) => {
            assert!(parsed.is_sound());
            assert_eq!(format(&once, Style::Keep).expect("sound"), once, "not a fixed point: {text:?}");
            let meaning = tree::tree(&text);
            assert_eq!(tree::tree(&once), meaning, "{text:?}");
            for style in [Style::Ascii, Style::Unicode] {
                let other = format(&text, style).expect("sound");
                assert_eq!(tree::tree(&other), meaning, "{text:?}");
            }
        }
        Err(found) => {
            assert!(!parsed.is_sound());
            located(&text, &found);
        }
    }
    let settings = Settings { partial: !parsed.is_sound(), ..Settings::default() };
    let outcome = model::check(&parsed.ast, &text, "fuzzed", &settings);
    located(&text, &outcome.diagnostics);
    let Some(problem) = outcome.problem else {
        let errors = parsed.diagnostics.iter().chain(&outcome.diagnostics).any(Diagnostic::is_error);
        assert!(errors, "no problem and no reason: {text:?}");
        return;
    };
    let files = Memory::new().with("a.csv", "1,2,0\n3,4,1\n5,6,0\n7,8,1\n").with("b.csv", "y\n1\n2\n3\n4\n");
    let headers = model::headers(&problem, &files);
    located(&text, &headers);
    let shapes = problem.variables().map(|v| &v.shape).chain(problem.data.iter().map(|d| &d.shape));
    let numbers = shapes.map(|s| s.sizes(&problem.sizes).map_or(1.0, |s| s.iter().map(|n| *n as f64).product()));
    if numbers.sum::<f64>() > NUMBERS {
        return;
    }
    if let Err(found) = model::bind(&problem, &files, 0) {
        located(&text, &found);
        assert!(found.iter().any(Diagnostic::is_error), "refused without a reason: {text:?}");
    }
}

/// Every span of every diagnostic can be shown.
fn located(text: &str, diagnostics: &[Diagnostic]) {
    for d in diagnostics {
        let edits = d.fix.iter().flat_map(|f| f.edits.iter().map(|e| e.span));
        for span in d.secondary.iter().map(|l| l.span).chain([d.primary.span]).chain(edits) {
            assert!(text.get(span.range()).is_some(), "{span:?} of {d:?} in {text:?}");
        }
        assert!(!d.message.is_empty() && !d.code.is_empty(), "{d:?}");
    }
}
