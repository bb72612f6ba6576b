//! Texts made to break a parser: deep, long, random. Each runs on a small stack, as a library may be called on one.

#![allow(clippy::unwrap_used)]

use crate::tree::tree;
use blo_grammar::ast::{ExprKind, ItemKind};
use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::{MAX_BYTES, Parsed, Style, decode, format, parse, parse_expression};
use proptest::prelude::*;

/// Parses, clones, compares, formats and drops on a stack of 2 MB; gives the codes of the errors.
fn codes(source: String) -> Vec<&'static str> {
    let work = move || {
        let parsed = parse(&source);
        let copy = parsed.clone();
        assert!(copy == parsed);
        assert_eq!(format(&source, Style::Keep).is_ok(), parsed.is_sound());
        parsed.diagnostics.iter().map(|d| d.code).collect::<Vec<_>>()
    };
    std::thread::Builder::new().stack_size(2 << 20).spawn(work).unwrap().join().unwrap()
}

#[test]
fn repeated_operators_are_refused_or_parsed_but_never_overflow() {
    const N: usize = 100_000;
    let deep = [
        format!("let a = {}1", "- ".repeat(N)),
        format!("let a = {}b", "not ".repeat(N)),
        format!("let a = 1{}", "^2".repeat(N)),
        format!("let a = 1{}", "^-2".repeat(N)),
        format!("let a = x{}", "'".repeat(N)),
        format!("let a = x{}", ".y".repeat(N)),
        format!("let a = x{}", "[1]".repeat(N)),
        format!("known {{ x{} = 1 }}", "[1]".repeat(N)),
        format!("corrupt x{}", ".y".repeat(N)),
        format!("let a = {}1", "if b then 1 else ".repeat(N)),
        format!("let a = {}1", "if b then ".repeat(N)),
        format!("let a = {}", "(".repeat(N)),
        format!("let a = {}1{}", "(".repeat(N), ")".repeat(N)),
        format!("let a = {}", "f(".repeat(N)),
        format!("let a = {}", "{".repeat(N)),
        "lower {".repeat(N),
    ];
    for source in deep {
        let head: String = source.chars().take(40).collect();
        assert!(codes(source).contains(&"B0103"), "{head}");
    }
    for source in
        [")".repeat(N), "upper ".repeat(N), "let ".repeat(N), "a ".repeat(N), "a = ".repeat(N), ". ".repeat(N)]
    {
        assert!(!codes(source).is_empty());
    }
}

#[test]
fn the_depth_limit_is_high_enough_and_safe() {
    for (open, close) in [
        ("(", ")"),
        ("[", "]"),
        ("f(", ")"),
        ("x[", "]"),
        ("1 + (2*-", ")"),
        ("not (", ")^2"),
        ("sum(", " for i in S)"),
    ] {
        let nested = |n: usize| format!("let a = {}b{}", open.repeat(n), close.repeat(n));
        assert_eq!(codes(nested(100)), Vec::<&str>::new(), "{open}");
        // at the limit either answer is right, as long as there is one
        codes(nested(255));
        assert_eq!(codes(nested(257)), ["B0103"], "{open}");
    }
    assert_eq!(codes(format!("let a = {}1", "if b then 1 else ".repeat(200))), Vec::<&str>::new());
}

#[test]
fn a_long_sum_is_one_node() {
    let source = format!("let a = x{}", " + 2*y[i]".repeat(99_999));
    let Parsed { ast, diagnostics } = parse(&source);
    assert!(diagnostics.is_empty());
    let ItemKind::Let(binding) = &ast.items[0].kind else { panic!("a let") };
    let ExprKind::Sum(terms) = &binding.value.kind else { panic!("a sum") };
    assert_eq!(terms.len(), 100_000);
}

#[test]
fn bytes_that_are_no_text_are_refused_with_their_place() {
    let error = decode(b"let a = 1\nlet \xff = 2").unwrap_err();
    assert_eq!((error.code, error.primary.span.start), ("B0101", 14));
    assert!(error.message.contains("line 2"));
    assert_eq!(decode(b"\xef\xbb\xbflet a = 1").unwrap(), "let a = 1");
    assert!(decode(b"\x1f\x8b\x08").unwrap_err().message.contains("gzip"));
    assert_eq!(decode(&vec![b'a'; MAX_BYTES + 1]).unwrap_err().code, "B0102");
}

#[test]
fn large_nonsense_takes_bounded_time() {
    let mut state = 1_u64;
    let mut next = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize
    };
    let bytes: String = (0..MAX_BYTES).map(|_| char::from((next() % 128) as u8)).collect();
    assert!(!codes(bytes).is_empty());
    let mut words = String::new();
    while words.len() < MAX_BYTES / 4 {
        words.push_str(WORDS[next() % WORDS.len()]);
        words.push(' ');
    }
    assert!(!codes(words).is_empty());
}

const WORDS: [&str; 75] = [
    "problem",
    "param",
    "let",
    "fn",
    "set",
    "data",
    "dataset",
    "split",
    "corrupt",
    "episodes",
    "upper",
    "lower",
    "start",
    "known",
    "metric",
    "method",
    "expect",
    "option",
    "import",
    "var",
    "minimize",
    "regularize",
    "subject",
    "to",
    "if",
    "then",
    "else",
    "for",
    "in",
    "by",
    "and",
    "or",
    "not",
    "true",
    "from",
    "into",
    "with",
    "x",
    "y",
    "αβ",
    "_",
    "1",
    "2.5",
    ".5",
    "1e-3",
    "\"s\"",
    "\"",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "+",
    "-",
    "*",
    "/",
    ".*",
    "^",
    "..",
    "=",
    "==",
    "<=",
    "≤",
    "∈",
    "ᵀ",
    "·",
    "'",
    ",",
    ";",
    ":",
    ".",
    "#c\n",
    "## d\n",
    "\n",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(text) = decode(&bytes) {
            check(&text);
        }
    }

    #[test]
    fn any_text(text in ".{0,200}") {
        check(&text);
    }

    #[test]
    fn any_words(words in proptest::collection::vec(proptest::sample::select(&WORDS[..]), 0..40), gap in " ?") {
        check(&words.join(&gap));
    }

    #[test]
    fn any_expression(words in proptest::collection::vec(proptest::sample::select(&WORDS[24..]), 1..12)) {
        check(&words.join(" "));
        check(&format!("let a = {}", words.join(" ")));
    }

    #[test]
    fn any_cut_of_a_program(from in 0..SAMPLE.len(), length in 0..60_usize) {
        let mut text = SAMPLE.to_owned();
        let range = from..(from + length).min(SAMPLE.len());
        if text.is_char_boundary(range.start) && text.is_char_boundary(range.end) {
            text.replace_range(range, "");
            check(&text);
        }
    }
}

const SAMPLE: &str = include_str!("samples/everything.blo");

/// Spans lie in the text, on character boundaries; sound texts format to a fixed point with the same tree.
fn check(text: &str) {
    let parsed = parse(text);
    located(text, &parsed.diagnostics);
    match parse_expression(text) {
        Ok(expression) => assert!(text.get(expression.span.range()).is_some(), "{expression:?} in {text:?}"),
        Err(found) => {
            assert!(!found.is_empty(), "refused without a reason: {text:?}");
            located(text, &found);
        }
    }
    if let Ok(once) = format(text, Style::Keep) {
        assert_eq!(format(&once, Style::Keep).unwrap(), once, "not a fixed point: {text:?}");
        assert_eq!(tree(&once), tree(text), "{text:?}");
        let unicode = format(text, Style::Unicode).unwrap();
        assert_eq!(tree(&unicode), tree(text), "{text:?}");
    }
}

/// Every span of every diagnostic can be shown.
fn located(text: &str, diagnostics: &[Diagnostic]) {
    for d in diagnostics {
        let edits = d.fix.iter().flat_map(|f| f.edits.iter().map(|e| e.span));
        for span in d.secondary.iter().map(|l| l.span).chain([d.primary.span]).chain(edits) {
            assert!(text.get(span.range()).is_some(), "{span:?} of {d:?} in {text:?}");
        }
    }
}
