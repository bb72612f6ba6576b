//! What expressions are read as: trees, spans, names.

use crate::ast::{Expr, ExprKind, Factor, ItemKind, Sign, Subscript};
use crate::parse::parse;

/// The tree with every grouping in parentheses.
fn show(e: &Expr) -> String {
    let all = |list: &[Expr], word: &str| list.iter().map(show).collect::<Vec<_>>().join(word);
    match &e.kind {
        ExprKind::Number { text, .. } | ExprKind::Name(text) => text.clone(),
        ExprKind::Sum(terms) => {
            let terms: String = terms
                .iter()
                .map(|(s, _, e)| (if *s == Sign::Plus { "+" } else { "-" }).to_owned() + &show(e))
                .collect();
            format!("({terms})")
        }
        ExprKind::Product(factors) => {
            let sign = |f: &Factor| match f {
                Factor::Times => "*",
                Factor::Over => "/",
                Factor::DotTimes => ".*",
                Factor::DotOver => "./",
            };
            let factors: String = factors.iter().map(|(f, _, e)| sign(f).to_owned() + &show(e)).collect();
            format!("({factors})")
        }
        ExprKind::Negate(e) => format!("(-{})", show(e)),
        ExprKind::Not(e) => format!("(not {})", show(e)),
        ExprKind::Paren(e) => format!("<{}>", show(e)),
        ExprKind::Transpose(e) => format!("{}'", show(e)),
        ExprKind::Field { base, field } => format!("{}.{}", show(base), field.text),
        ExprKind::Power { base, exponent, .. } => format!("({}^{})", show(base), show(exponent)),
        ExprKind::Compare { relation, left, right, .. } => format!("({} {relation:?} {})", show(left), show(right)),
        ExprKind::And(list) => format!("({})", all(list, " and ")),
        ExprKind::Or(list) => format!("({})", all(list, " or ")),
        ExprKind::Array(list) => format!("[{}]", all(list, ", ")),
        ExprKind::Range { start, end, step } => {
            let step = step.as_ref().map_or(String::new(), |s| format!(" by {}", show(s)));
            format!("({}..{}{step})", show(start), show(end))
        }
        ExprKind::Index { base, indices } => {
            let index = |s: &Subscript| match s {
                Subscript::All(_) => "_".to_owned(),
                Subscript::At(e) => show(e),
            };
            format!("{}[{}]", show(base), indices.iter().map(index).collect::<Vec<_>>().join(", "))
        }
        ExprKind::If { condition, then, otherwise } => {
            format!("(if {} then {} else {})", show(condition), show(then), show(otherwise))
        }
        other => format!("{other:?}"),
    }
}

fn value(source: &str) -> Expr {
    let parsed = parse(&format!("let a = {source}"));
    assert!(parsed.is_sound(), "{source}: {:?}", parsed.diagnostics);
    match parsed.ast.items.into_iter().next().map(|i| i.kind) {
        Some(ItemKind::Let(binding)) => binding.value,
        other => panic!("not a let: {other:?}"),
    }
}

#[test]
fn precedence() {
    for (source, tree) in [
        ("a or b and not c == d", "(a or (b and (not (c Equal d))))"),
        ("a + b .. c*d by 2 - e", "((+a+b)..(*c*d) by (+2-e))"),
        ("a - b*c./d + e", "(+a-(*b*c./d)+e)"),
        ("-a*b", "(*(-a)*b)"),
        ("-a^b", "(-(a^b))"),
        ("a^-b^c", "(a^(-(b^c)))"),
        ("2^3^4", "(2^(3^4))"),
        ("a.^2'", "(a^2')"),
        ("- - a", "(-(-a))"),
        ("x'*A[i, _].u'", "(*x'*A[i, _].u')"),
        ("a < b..c", "(a Less (b..c))"),
        ("1 + if a then b else c + d", "(+1+(if a then b else (+c+d)))"),
        ("(a + b)*c", "(*<(+a+b)>*c)"),
        ("1..n", "(1..n)"),
        ("2.*x./1.5", "(*2.*x./1.5)"),
        ("aᵀ·b ≤ c", "((*a'*b) LessEqual c)"),
        ("a <= b and c ≠ -.5e2", "((a LessEqual b) and (c NotEqual (-.5e2)))"),
    ] {
        assert_eq!(show(&value(source)), tree, "{source}");
    }
}

#[test]
fn spans_are_bytes_of_the_text() {
    let source = "# ünï\r\nlet ω = (αβ + γ[1] )'  # end\r\n";
    let parsed = parse(source);
    let ItemKind::Let(binding) = &parsed.ast.items[0].kind else { panic!("a let") };
    assert_eq!(&source[binding.name.span.range()], "ω");
    assert_eq!(&source[binding.value.span.range()], "(αβ + γ[1] )'");
    assert_eq!(&source[parsed.ast.items[0].span.range()], "let ω = (αβ + γ[1] )'");
}

#[test]
fn names_are_normalized() {
    assert_eq!(value("ﬁ").kind, ExprKind::Name("fi".to_owned()));
}
