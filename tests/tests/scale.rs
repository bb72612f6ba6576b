//! Files far larger or deeper than people write: each ends with a message at a place, in work linear in the file. Sizes are
//! such that work that grows faster would take hours.

use blo_engine::limits;
use blo_engine::prelude::*;
use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::{MAX_ERRORS, Style, format, parse};

const LEVELS: &str = "upper { var x  minimize x^2 }\nlower { var y  minimize (y - x)^2 }\n";

/// Checks a text on a stack like that of the command.
fn checked(text: String) -> Vec<Diagnostic> {
    const STACK_BYTES: usize = 64 << 20;
    let check = move || {
        let parsed = parse(&text);
        assert!(parsed.is_sound(), "{:?}", parsed.diagnostics);
        check(&parsed.ast, &text, "large", &Settings::default()).diagnostics
    };
    let thread = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(check).expect("a thread");
    thread.join().expect("the check ends")
}

fn lines(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).map(|i| line(i) + "\n").collect()
}

fn codes(found: &[Diagnostic]) -> Vec<&str> {
    found.iter().filter(|d| d.is_error()).map(|d| d.code).collect()
}

#[test]
fn what_is_defined_through_too_much_is_refused_at_its_place() {
    let n = 1000;
    let next = |i: usize| i + 1;
    let nested = |open: &str| format!("{}u{}", open.repeat(100), ")".repeat(100));
    let cases = [
        lines(n, |i| if i == 0 { "fn f0(u) = u".into() } else { format!("fn f{i}(u) = f{}(u) + 1", i - 1) })
            + &format!("let a = f{}(x)\n", n - 1),
        lines(n, |i| format!("let a{i} = a{} + 1", next(i))) + &format!("let a{n} = 1\n"),
        lines(n / 2, |i| format!("fn f{i}(u) = u + a{i}\nlet a{i} = f{}(1)", next(i)))
            + &format!("fn f{}(u) = u\n", n / 2),
        // few definitions, each of them deep
        lines(150, |i| format!("fn f{}(u) = {}", next(i), nested("(1 + ").replace('u', &format!("f{i}(u)"))))
            + "fn f0(u) = u\nlet a = f150(x)\n",
    ];
    for text in cases {
        let found = checked(text + LEVELS);
        let mut errors = found.iter().filter(|d| d.is_error());
        assert!(errors.all(|d| d.code == "B0216" && d.primary.span.start < d.primary.span.end), "{found:?}");
        assert!(!found.is_empty() && found.len() < 10, "{}", found.len());
    }
}

#[test]
fn sets_through_sets_end() {
    let levels = "param n = 2\nupper { var x[n] in S0  minimize normsq(x) }\nlower { var y  minimize (y - x[1])^2 }\n";
    let chain = lines(1000, |i| format!("set S{i}[n] = S{}", i + 1)) + "set S1000[n] = ball2(1)\n";
    assert_eq!(codes(&checked(chain + levels)), ["B0216"]);
    assert_eq!(codes(&checked(format!("set S0[n] = S1\nset S1[n] = S0\n{levels}"))), ["B0203"]);
}

#[test]
fn loops_within_loops_have_a_limit() {
    let generators: String = (0..9).map(|k| format!(" for i{k} in 1..2")).collect();
    let sum = (0..9).map(|k| format!("i{k}")).collect::<Vec<_>>().join("*");
    assert_eq!(codes(&checked(format!("let a = sum({sum}{generators})\n{LEVELS}"))), ["B0308"]);
    // each loop is an axis, and so is each axis of what varies with it
    let seven = " for i in 1..2 for j in 1..2 for k in 1..2 for l in 1..2 for m in 1..2 for n in 1..2 for o in 1..2";
    let six = &seven[..seven.len() - " for o in 1..2".len()];
    let four = &six[..six.len() - " for m in 1..2 for n in 1..2".len()];
    let data = "data A[2, 2, 2, 2] = normal()\ndata B[2, 2] = normal()\n";
    for (sum, found) in [
        (format!("sum(A[i, j, k, l]*B[m, n]{six})"), &[] as &[&str]),
        (format!("sum(A[i, j, k, l]*B[m, n]*B[n, o]{seven})"), &["B0308"]),
        (format!("sum(normsq(B[i, j]*B[k, l]*B[m, n]*A){six})"), &["B0308"]),
        (format!("sum(sum(if B[i, j] + B[k, l] > B[m, n] then A else 0){six})"), &["B0308"]),
        (format!("sum(max(B[i, j]*B[k, l]*B[m, n], A)[1, 1, 1, 1]{six})"), &["B0308"]),
        (format!("sum(normsq(B*(B[i, j]*B[k, l]*B[m, n])){six})"), &["B0308"]),
        (format!("sum(sum([B[i, j]*B[k, l]*B[m, n], 1]){six})"), &["B0308"]),
        (format!("sum(normsq([B*B[i, j]*B[k, l], B]){four})"), &["B0308"]),
        (format!("sum(sum(1{seven}))"), &["B0308"]),
    ] {
        assert_eq!(codes(&checked(format!("{data}metric a = {sum}\n{LEVELS}"))), found, "{sum}");
    }
}

#[test]
fn a_mistake_in_a_function_is_one_mistake_however_often_it_is_called() {
    let unknown = (0..10).map(|k| format!("zz{k}(u) + w{k}")).collect::<Vec<_>>().join(" + ");
    let doubling = lines(60, |i| format!("fn a{}(u) = a{i}(u) + a{i}(u)", i + 1));
    let found = checked(format!("fn a0(u) = {unknown}\n{doubling}metric m = a60(1)\nlet b = a60(x)\n{LEVELS}"));
    assert_eq!(found.len(), 20, "{:?}", codes(&found));
}

#[test]
fn calls_and_parts_have_limits() {
    let doubling = lines(60, |i| format!("fn f{}(u) = f{i}(u) + f{i}(2*u)", i + 1));
    let found = checked(format!("fn f0(u) = u\n{doubling}let b = f60(x)\n{LEVELS}"));
    assert_eq!(codes(&found), ["B0217"]);
    let found = checked(format!("fn f(u) = u{}\nlet b = x{}\n{LEVELS}", " + u".repeat(5000), " + f(x)".repeat(5000)));
    assert_eq!(codes(&found), ["B0217"]);
    let text = format!("upper {{ var x  minimize x^2 }}\nlower {{ var y  minimize y{} }}", " + y*y".repeat(300_000));
    assert_eq!(codes(&checked(text)), ["B0217"]);
}

#[test]
fn items_have_a_limit() {
    let forms: [fn(usize) -> String; 6] = [
        |_| "let a = 1".into(),
        |i| format!("let a{i} = zz{i}"),
        |i| format!("fn f{i}(u) = u"),
        |i| format!("data A{i}[3] = normal(seed = 1)"),
        |i| format!("metric m{i} = x + {i}"),
        |i| format!("expect {{ x < {i} }}"),
    ];
    for form in forms {
        let found = checked(lines(20_000, form) + LEVELS);
        assert_eq!(codes(&found), ["B0218"]);
        let count = limits::ITEMS.value as usize / 2 - 10;
        assert!(checked(lines(count, form) + LEVELS).iter().all(|d| d.code != "B0218"));
    }
}

#[test]
fn no_more_mistakes_are_kept_than_are_of_use() {
    let terms: String = (0..50_000).map(|i| format!(" + z{i}")).collect();
    let found = checked(format!("upper {{ var x  minimize x^2 }}\nlower {{ var y  minimize y{terms} }}"));
    assert!((1000..=MAX_ERRORS + 10).contains(&found.len()), "{}", found.len());
    let columns = format!("y{}{}", " + y".repeat(20_000), " + w".repeat(20_000));
    let found = checked(format!("upper {{ var x  minimize x^2 }}\nlower {{ var y[3]; var w[4]\nminimize {columns} }}"));
    assert!((1000..=MAX_ERRORS + 10).contains(&found.len()), "{}", found.len());
    let labels = found.iter().flat_map(|d| d.secondary.iter().map(|l| l.text.len()));
    assert!(labels.max().is_some_and(|longest| longest < 300));
}

#[test]
fn long_texts_are_laid_out() {
    let text = lines(170_000, |_| "# a comment".into()) + LEVELS;
    assert_eq!(format(&text, Style::Keep).as_deref(), Ok(&*text));
    let text = lines(60_000, |i| format!("let a{i} = 1  # a comment")) + LEVELS;
    assert!(format(&text, Style::Keep).is_ok());
    // indentation decides where a brace is never closed, and the line before it is long
    let head: String = (0..50_000).map(|i| format!("let a{i} = 1 ")).collect();
    let open = format!("{head}upper {{\n{}", lines(50_000, |i| format!("let b{i} = 1")));
    assert_eq!(codes(&parse(&open).diagnostics)[0], "B0107");
}
