//! The words of the syntax errors, with the lines they stand on.

#![allow(clippy::unwrap_used)]

use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::parse;
use blo_grammar::span::Span;
use std::fmt::Write;

/// Each diagnostic with its line, what it points at, and the lines after its fix.
fn report(source: &str) -> String {
    let parsed = parse(source);
    let mut out = String::new();
    for d in &parsed.diagnostics {
        let place = |span: Span| {
            let line = source[..span.start as usize].matches('\n').count() + 1;
            format!("{line} `{}`", &source[span.range()])
        };
        writeln!(out, "{} line {}: {}", d.code, place(d.primary.span), d.message).unwrap();
        writeln!(out, "    ^ {}", d.primary.text).unwrap();
        for label in &d.secondary {
            writeln!(out, "    line {}: {}", place(label.span), label.text).unwrap();
        }
        for help in &d.help {
            writeln!(out, "    help: {help}").unwrap();
        }
        if let Some(fixed) = fixed(source, d) {
            let line = source[..d.primary.span.start as usize].matches('\n').count();
            writeln!(out, "    fix: {}", fixed.lines().nth(line).unwrap_or_default().trim()).unwrap();
        }
    }
    writeln!(out, "items kept: {}", parsed.ast.items.len()).unwrap();
    out
}

fn fixed(source: &str, d: &Diagnostic) -> Option<String> {
    let mut text = source.to_owned();
    for edit in d.fix.as_ref()?.edits.iter().rev() {
        text.replace_range(edit.span.range(), &edit.text);
    }
    Some(text)
}

macro_rules! snapshot {
    ($name:ident, $source:expr) => {
        #[test]
        fn $name() {
            let source: &str = $source;
            insta::with_settings!({ description => source, omit_expression => true }, {
                insta::assert_snapshot!(report(source));
            });
        }
    };
}

snapshot!(
    several_errors_in_two_levels,
    "upper {
  var x in [-100, 100
  minimize 2 x + y
}
lower {
  var y[2]
  minimise y^2
  regularize norm1(y
}
"
);
snapshot!(
    misspelt_keywords,
    "parm n = 5
let a = 3
foo bar { x = 1 }
metrik b = 3
x = 5
upper { variable x  minimise x }
lower { var y  maximise x*y }
let data = 5
param if = 3
"
);
snapshot!(
    values_side_by_side,
    "let a = 2 x + y
let b = x'y
let c = (1 + 2)(3)
let d = f(x y)
let e = 3x
start { x = 2 z  y = 1 }
expect with bda { 2 x <= 1 }
"
);
snapshot!(
    missing_values,
    "let a =
let b = 1 +
let c = * 3
let d = f(x,, y)
let e = x[]
let f = {1, 2}
let g = x.
upper { var x in [0, 1]  minimize x + }
lower { var y  minimize }
"
);
snapshot!(
    brackets,
    "let a = (1 + 2
let b = 3)
let c = [1, 2)
let d = (1, 2]
upper {
  var x
  minimize x
lower {
  var y
  minimize y
}
"
);
snapshot!(
    missing_blocks,
    "upper
  var x
  minimize x
}
lower for j D {
  var y
  minimize y
}
lower y { minimize y }
method bda
start x = 5
"
);
snapshot!(
    chains_and_equals,
    "let a = 1 <= x <= 2
let b = 1..2..3
let c = [i for i in 1..n if v[i] = 1]
upper { var x >= 0 <= 5  minimize x }
expect with bda { err(x) = 1 }
let d = a + not b
"
);
snapshot!(
    other_languages,
    "// a comment
let a = x ** 2
let b = p && q || !r
let c = x − 1
let d = A @ b
let e := 5
let f = a ? b : c
let g = x² + 1.
"
);
snapshot!(
    strings,
    "data A = csv(\"a.csv)
data B = csv(\"c:\\qata.csv\")
let c = 1
"
);
snapshot!(
    heads,
    "problem
split d into a: 1 b: 2
split d a: 1
episodes D d
fn f x = 3
expect bda { err(x) <= 1 }
let t = if a then b
let n = (a, b)
let s = sum(x for i in 1..n, 3)
known { x[i] in [1/n, 1] for i 1..h
  y = 2 2
}
method bda { K = ; s_u 0.5 }
"
);
snapshot!(
    outside_of_levels,
    "var x
minimize x
2 + 3
"
);

#[test]
fn fixes_lead_to_a_sound_text() {
    for source in [
        "let a = 2 x",
        "let a = 1.",
        "upper { var x  minimise x }",
        "let a = (1 + 2\nlet b = 3",
        "let a = 1 <= x <= 2",
        "let a = p && q",
    ] {
        let parsed = parse(source);
        assert_eq!(parsed.diagnostics.len(), 1, "{source}");
        let text = fixed(source, &parsed.diagnostics[0]).unwrap();
        assert!(parse(&text).is_sound(), "{text}");
    }
}

#[test]
fn every_code_is_listed_once() {
    let text = include_str!("../src/message.rs");
    for n in 1..=18 {
        let code = format!("B01{n:02}");
        assert!(text.contains(&format!("| {code} |")), "{code}");
        assert!(text.contains(&format!("\"{code}\"")), "{code}");
    }
}

/// Rows of `subject to`, each mistake in a file of its own.
#[test]
fn rows() {
    let mut out = String::new();
    for source in [
        "lower { var y  minimize y^2  subject to { y <= 1 y >= 0 } }",
        "lower { var y  minimize y^2  subject to {\n  y <= 1\n  y >= 0\n  a: y == 2\n  2*y <= 3 } }",
        "lower { var y  minimize y^2  subject to {\n  y <= 1\n  -y <= 2 } }",
        "lower { var y  minimize y^2  subject to {\n  0 <= y <= 1\n  (y) <= 2 } }",
        "lower { var y  minimize y^2  subject to { 0 <= y <= 1 <= 2 } }",
        "lower { var y  minimize y^2  subject to { y = 1 } }",
        "lower { var y  minimize y^2  subject to { y <= 1, y >= 0 } }",
        "lower { var y  minimize y^2  subject to { a y <= 1 } }",
        "lower { var y  minimize y^2  subject to { y <= } }",
        "lower { var y  minimize y^2  subject to { y <= 1 for i 1..2 } }",
        "lower { var y  minimize y^2  subject { y <= 1 } }",
        "lower { var y  minimize y^2  subject to y <= 1 }",
        "lower { var y  minimize y^2  s.t. y <= 1, y >= 0 }",
        "lower { var y  minimize y^2  such that: y <= 1; }",
        "lower { var y  minimize y^2  constraints { y <= 1 } }",
        "lower { var y  minimize y^2 }\nsubject to { y <= 1 }",
    ] {
        writeln!(out, "{source}\n{}", report(source)).unwrap();
    }
    insta::with_settings!({ omit_expression => true }, {
        insta::assert_snapshot!(out);
    });
}
