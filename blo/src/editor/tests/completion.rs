//! What is offered where.

use super::super::complete;
use super::{PROGRAM, cursor};

fn labels(text: &str) -> Vec<String> {
    let (syntax, offset) = cursor(text);
    complete(&syntax, offset, None).into_iter().map(|c| c.label).collect()
}

fn offers(text: &str, wanted: &[&str], unwanted: &[&str]) {
    let found = labels(text);
    for w in wanted {
        assert!(found.iter().any(|f| f == w), "{text}: `{w}` is missing in {found:?}");
    }
    for w in unwanted {
        assert!(!found.iter().any(|f| f == w), "{text}: `{w}` is not wanted");
    }
}

#[test]
fn items_begin_with_keywords_and_so_do_statements() {
    offers("^", &["param", "upper", "method"], &["var", "minimize", "sum"]);
    offers("param n = 3\nup^", &["upper"], &["minimize"]);
    offers("upper {\n  mi^", &["minimize", "var", "subject", "let"], &["sum"]);
    offers("upper { var x\n mi^ }", &["minimize"], &["exp"]);
    offers("upper { var x  mi^ }", &["minimize", "in"], &["exp"]);
    offers("upper { subject ^ }", &["to"], &["minimize"]);
    assert!(labels("param ^").is_empty() && labels("upper { var ^").is_empty());
}

#[test]
fn expressions_offer_names_functions_and_constants() {
    let at = |what: &str| PROGRAM.replacen(what, &format!("{what}^"), 1);
    offers(&at("minimize loss("), &["n", "w", "x", "y", "val", "normsq", "pi", "if"], &["r", "i", "minimize", "a"]);
    offers(&at("minimize normsq("), &["r", "y", "x"], &["a", "demand"]);
    offers(&at("sum("), &["i"], &[]);
    offers(&at("expect with meha:fast { "), &["a", "upper", "err"], &[]);
    offers(&at("multiplier("), &["demand"], &["n"]);
    offers("let a = sum(x[^] for i in 1..3)", &["i"], &[]);
    // pieces that do not parse declare names too
    offers("param n = \nlet b = ^", &["n"], &["b"]);
    offers("upper { var x minimize (  }\nlower { var y minimize x*^", &["x", "y"], &[]);
}

#[test]
fn fields_are_those_of_the_dataset() {
    let with = |text: &str| format!("{PROGRAM}episodes D from train (tasks = 2)\n{text}");
    assert_eq!(labels(&with("let q = train.^")), ["bad", "u", "v"]);
    assert_eq!(labels(&with("let q = d.u^")), ["bad", "u", "v"]);
    assert_eq!(labels(&with("let q = D.^")), ["tr", "val"]);
    assert_eq!(labels(&with("let q = D.tr.^")), ["bad", "u", "v"]);
    assert!(labels(&with("let q = n.^")).is_empty());
    assert!(labels("let q = 1.^").is_empty());
}

#[test]
fn sets_stand_where_a_set_is_wanted() {
    offers(&format!("{PROGRAM}upper {{ var z in ^"), &["ball2", "simplex", "X", "n"], &[]);
    offers("set X = ^", &["ball2", "psd"], &["sum"]);
    offers("let a = sum(i for i in ^)", &[], &["ball2"]);
}

#[test]
fn a_method_block_offers_the_options_of_its_method() {
    offers("method ^", &["meha", "bda", "auto"], &["gamma"]);
    offers("method meha {\n  ^\n}", &["gamma", "alpha", "max_iter"], &["K", "minimize"]);
    offers("method rhg { K = 3  ^ }", &["K", "max_iter"], &["gamma"]);
    offers("method meha { precision = ^ }", &["f32", "f64"], &["sum"]);
    offers("param n = 3 method meha { alpha = ^ }", &["k", "n"], &["f32"]);
    offers("option ^", &["precision", "seed"], &["gamma"]);
    offers("option precision = ^", &["f32", "f64"], &[]);
    offers("expect with ^", &["meha", "bda"], &[]);
    offers(&format!("{PROGRAM}expect with meha:^"), &["fast", "auto"], &["tol"]);
    offers("expect with bda (^) { }", &["K", "tol"], &["sum", "theta"]);
}

#[test]
fn data_offer_sources_with_their_options() {
    offers("data A[_] = ^", &["csv", "npy", "normal"], &["sum"]);
    offers("dataset d { u = ^ }", &["csv", "idx"], &["sum"]);
    offers("data A[_] = csv(\"a.csv\", ^)", &["header", "columns", "missing"], &["sum"]);
    offers("data A[_] = csv(\"a.csv\", missing = ^)", &["drop", "mean", "error"], &["sum"]);
    offers("data A[3] = normal(^)", &["seed"], &["sum"]);
    offers("split ^", &[], &["sum"]);
    offers("dataset d { } split ^", &["d"], &["sum"]);
    offers("split d ^", &["into"], &[]);
    offers("split d (^) into a: 1", &["seed"], &["sum"]);
    offers("episodes D ^", &["from"], &[]);
    offers("corrupt d.v (to = ^)", &["any", "other"], &["sum"]);
    offers(&format!("{PROGRAM}start {{ ^ }}"), &["x", "y"], &["n", "sum"]);
}

#[test]
fn comments_numbers_and_strings_offer_nothing() {
    for text in ["# ^", "let a = 1 # mi^", "let a = 12^", "let a = \"mi^\"", "## x ^\nlet a = 1"] {
        assert!(labels(text).is_empty(), "{text}");
    }
}

#[test]
fn what_is_typed_is_replaced_whatever_its_letters() {
    let (syntax, offset) = cursor("param größe = 3\nlet a = 2*größ^");
    let found = complete(&syntax, offset, None);
    let name = found.iter().find(|c| c.label == "größe").expect("the name");
    assert_eq!(&syntax.text[name.span.range()], "größ");
}
