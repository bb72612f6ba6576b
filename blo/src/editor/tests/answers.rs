//! Outline, colours, signatures, fixes, and texts of any kind.

use super::super::*;
use super::{PROGRAM, cursor, judged};
use crate::input::checked::Asked;
use crate::input::tried::edited;
use blo_engine::model::Settings;
use blo_grammar::diagnostic::{Certainty, Fix};
use blo_grammar::span::Span;

fn lines(entries: &[Outlined], indent: usize, out: &mut Vec<String>) {
    for e in entries {
        out.push(format!("{}{} {}", " ".repeat(indent), e.name, e.detail).trim_end().to_owned());
        assert!(e.span.contains(e.selection), "{e:?}");
        lines(&e.children, indent + 1, out);
    }
}

#[test]
fn the_outline_has_items_and_what_they_hold() {
    let mut found = Vec::new();
    lines(&outline(&Syntax::new(PROGRAM.into())), 0, &mut found);
    let expected = [
        "p problem",
        "n param",
        "w let",
        "loss fn",
        "X set",
        "d dataset",
        " u column",
        " v column",
        "split d",
        " train part of a split",
        " val part of a split",
        "corrupt train.v",
        "upper",
        " x upper variable",
        " minimize",
        "lower",
        " y lower variable",
        " r let",
        " minimize",
        " regularize",
        " subject to",
        "  demand row",
        "start",
        "known",
        "a metric",
        "meha:fast preset",
        "expect meha",
    ];
    assert_eq!(found, expected);
}

#[test]
fn words_have_colours() {
    let of = |text: &str| {
        let syntax = Syntax::new(text.into());
        let shown = |c: &Coloured| {
            let modifiers: Vec<&str> =
                MODIFIERS.iter().enumerate().filter(|(i, _)| c.modifiers >> i & 1 == 1).map(|(_, m)| *m).collect();
            format!("{} {} {}", syntax.at(c.span), c.kind, modifiers.join("+")).trim_end().to_owned()
        };
        semantic_tokens(&syntax).iter().map(shown).collect::<Vec<_>>()
    };
    assert_eq!(
        of("## d\nparam n = 3 # c\nupper { var x in ball2(n)  minimize norm2(x) }"),
        [
            "## d comment documentation",
            "param keyword",
            "n variable declaration+readonly",
            "= operator",
            "3 number",
            "# c comment",
            "upper keyword",
            "var keyword",
            "x variable declaration+upper",
            "in keyword",
            "ball2 type defaultLibrary",
            "n variable readonly",
            "minimize keyword",
            "norm2 function defaultLibrary",
            "x variable upper",
        ]
    );
    assert_eq!(
        of("lower { var y subject to { c: y <= 1 } } let to = 1"),
        [
            "lower keyword",
            "var keyword",
            "y variable declaration+lower",
            "subject keyword",
            "to keyword",
            "c variable declaration+lower",
            "y variable lower",
            "<= operator",
            "1 number",
            "let keyword",
            "to variable declaration",
            "= operator",
            "1 number",
        ]
    );
    // a piece that does not parse keeps what is known
    assert_eq!(of("param n = 3 let a = n +")[7], "n variable readonly");
    assert!(of(PROGRAM).iter().any(|w| w == "u property"));
}

#[test]
fn calls_show_which_argument_the_cursor_is_in() {
    let of = |text: &str| {
        let (syntax, offset) = cursor(text);
        let s = signature(&syntax, offset)?;
        let argument = s.arguments.get(s.active).map(|(a, b)| s.form[*a..*b].to_owned());
        Some((s.form, argument.unwrap_or_default()))
    };
    let wanted = |form: &str, argument: &str| Some((form.to_owned(), argument.to_owned()));
    assert_eq!(of("let a = huber(x, ^"), wanted("huber(x, d)", "d"));
    assert_eq!(of("fn f(u, v) = u + v  let a = f(g(1, 2), ^)"), wanted("f(u, v)", "v"));
    assert_eq!(of("let a = exp(2*norm2([1, 2]^))"), wanted("norm2(a)", "a"));
    assert_eq!(of("upper { var x in ball2(^ }").map(|s| s.1), Some("r".into()));
    assert_eq!(of("let a = (1 + ^2)"), None);
    assert_eq!(of("let a = f(1 # ^)"), None);
}

#[test]
fn fixes_are_those_of_the_check() {
    let text = "upper { var x  minimise x^2 }\nlower { var y  minimize (y - x)^2 }";
    let judged = judged(text);
    let at = Span::new(text.find("minimise").expect("it"), text.find("minimise").expect("it"));
    let fixes = quick_fixes(&judged, at);
    assert_eq!(fixes.len(), 1, "{:?}", judged.findings());
    let fix = Fix { text: String::new(), edits: fixes[0].edits.to_vec(), certainty: Certainty::Safe, help: None };
    assert_eq!(edited(text, &[&fix]).as_deref(), Some(&*text.replace("minimise", "minimize")));
    assert!(quick_fixes(&judged, Span::new(text.len(), text.len())).is_empty());
    let asked = Asked { settings: Settings::default(), data: None, request: None, seed: 0 };
    let wrong = "upper { var x  minimize 2 x^2 }\nlower { var y  minimize (y - x)^2 }";
    let fixed = all_safe(&super::judged(wrong), &asked);
    assert_eq!(fixed.as_deref(), Some(&*wrong.replace("2 x^2", "2*x^2")));
    assert_eq!(all_safe(&super::judged(&wrong.replace("2 x", "2*x")), &asked), None);
}

#[test]
fn messages_hold_the_label_and_the_help() {
    let judged = judged("upper { var x  minimize (x - zz)^2 }\nlower { var y  minimize (y - x)^2 }");
    let text = message(&judged.findings()[0]);
    assert!(text.starts_with("unknown name `zz`"), "{text}");
    assert!(text.contains("\nhelp: "), "{text}");
}

#[test]
fn a_check_that_is_stale_ends_without_an_answer() {
    let document = crate::document::Document { name: "p".into(), path: None, text: PROGRAM.into() };
    let asked = Asked { settings: Settings::default(), data: None, request: None, seed: 0 };
    assert!(Judged::new(document, &asked, &|| true).is_none());
}

/// Every answer at a place.
fn ask_everything(syntax: &Syntax, judged: Option<&Judged>, offset: usize) {
    for encoding in [Encoding::Utf8, Encoding::Utf16] {
        let position = syntax.lines.position(&syntax.text, offset, encoding);
        assert!(syntax.lines.offset(&syntax.text, position, encoding) <= syntax.text.len());
    }
    let _ = complete(syntax, offset, None);
    let _ = hover(syntax, judged, offset);
    let _ = signature(syntax, offset);
    let _ = occurrences(syntax, offset);
    let _ = rename(syntax, offset, "renamed");
    let _ = quick_fixes_of(judged, offset);
}

fn quick_fixes_of(judged: Option<&Judged>, offset: usize) -> usize {
    judged.map_or(0, |j| quick_fixes(j, Span::new(offset, offset)).len())
}

#[test]
fn no_text_of_any_kind_and_no_place_in_it_is_too_much() {
    let texts = [
        "",
        "^",
        "}",
        "{{{{",
        "upper {",
        "\u{feff}param n = 3",
        "let a = \"",
        "# 🦀\r\nlet α = β\r\n🦀",
        "let a = sum(",
        "upper { lower { upper {",
        "method",
        "method x {",
        "expect with",
        "expect with a:",
        "a.b.c.",
        "...",
        "split split",
        "dataset d { u = csv(\"",
        "let x = [[[((",
        "\r\r\r",
        "lower for",
        "episodes D from D",
        "corrupt d.v (mask = ",
        "let a = x' ᵀ ' · b",
        "known { multiplier(",
        "param é\u{301} = 1 let b = é\u{301}",
    ];
    for text in texts {
        let syntax = Syntax::new(text.to_owned());
        let judged = judged(text);
        for offset in (0..=text.len() + 1).filter(|o| *o > text.len() || text.is_char_boundary(*o)) {
            ask_everything(&syntax, Some(&judged), offset);
        }
        let _ = (outline(&syntax), semantic_tokens(&syntax));
    }
}

#[test]
fn every_place_of_a_program_has_answers() {
    let syntax = Syntax::new(PROGRAM.to_owned());
    let judged = judged(PROGRAM);
    (0..=PROGRAM.len()).for_each(|offset| ask_everything(&syntax, Some(&judged), offset));
}
