//! What is shown beside a word.

use super::super::{Judged, hover};
use super::{PROGRAM, cursor, judged};

fn shown(text: &str) -> String {
    let (syntax, offset) = cursor(text);
    let judged: Judged = judged(&syntax.text);
    hover(&syntax, Some(&judged), offset).map(|h| h.text).unwrap_or_default()
}

fn at(what: &str) -> String {
    shown(&PROGRAM.replacen(what, &format!("^{what}"), 1))
}

#[test]
fn variables_have_a_shape_a_set_a_level_and_a_prox() {
    let y = at("y[n] >= 0");
    for part in ["var y[n] >= 0", "lower variable", "[n] = [3]", "nonnegative", "prox: `l1", "The fit."] {
        assert!(y.contains(part), "{part}:\n{y}");
    }
    let x = at("x in X");
    assert!(x.contains("upper variable") && x.contains("number") && x.contains("in X"), "{x}");
}

#[test]
fn names_of_the_file_have_their_shape_and_nature() {
    let w = at("w = fill");
    assert!(w.contains("let w = fill(2, n)") && w.contains("[n] = [3]") && w.contains("constant, positive"), "{w}");
    assert!(w.contains("Weights."), "{w}");
    let r = at("r = train");
    assert!(r.contains("let of the lower level") && r.contains("affine"), "{r}");
    assert!(at("n = 3").contains("= 3"));
    assert!(at("u[n] = csv").contains("column of `d`"));
    assert!(at("train: 5").contains("from `d`"));
    let row = at("demand:");
    assert!(row.contains("affine in y; fixed"), "{row}");
    assert!(at("loss(u)").contains("fn loss(u) = normsq(u)"));
}

#[test]
fn objectives_have_their_verdict_and_terms_their_prox() {
    let f = at("minimize normsq(r)");
    assert!(f.contains("smooth in all variables") && f.contains("convex: proved"), "{f}");
    let keyword = at("regularize");
    assert!(keyword.contains("`y`: `l1") && keyword.contains("box"), "{keyword}");
    let term = at("norm1(y)");
    assert!(term.contains("this term: `l1`") && term.contains("has a prox"), "{term}");
}

#[test]
fn words_of_the_language_have_their_page() {
    assert!(at("sum(w").contains("sum("));
    assert!(at("csv(").contains("option"));
    assert!(shown("data A[_] = csv(\"a\", ^missing = drop)").contains("drop"));
    assert!(shown("data A[_] = csv(\"a\", missing = ^drop)").contains("csv(..., missing"));
    assert!(shown("method ^meha { }").contains("method meha"));
    assert!(shown("method meha { ^gamma = 1 }").contains("gamma = ..."));
    assert!(shown("method meha { precision = ^f32 }").contains("one of `f64`, `f32`"));
    assert!(shown("option ^precision = f32").contains("numbers of the iteration"));
    assert!(shown("expect with bda (^K = 3) { }").contains("K = ..."));
    assert!(shown("upper { var x in ^simplex(1) }").contains("simplex("));
    assert!(shown("split d (^seed = 1) into a: 1").contains("shuffles"));
    assert!(shown("let a = ^pi").contains("3.14"));
    assert!(shown("method meha { alpha = 1/^k }").contains("iteration"));
    assert!(shown("let a = 1 ^+ 2").is_empty() && shown("# ^let").is_empty());
}

#[test]
fn a_text_with_mistakes_still_has_shapes() {
    let text = "param n = 4\nlet ^w = ones(n)\nupper { var x minimize x*zz }\nlower { var y minimize y^2 }";
    let found = shown(text);
    assert!(found.contains("[n] = [4]"), "{found}");
}

#[test]
fn an_older_check_goes_by_names() {
    let (syntax, offset) = cursor("# a line more\nparam n = 4\nlet ^w = ones(n)\n");
    let old = judged("param n = 4\nlet w = ones(n)\n");
    let found = hover(&syntax, Some(&old), offset).expect("a name");
    assert!(found.text.contains("[n] = [4]"), "{}", found.text);
    assert!(hover(&syntax, None, offset).is_some_and(|h| h.text.contains("let w = ones(n)")));
}
