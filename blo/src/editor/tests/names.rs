//! What names refer to, and other names for them.

use super::super::names::Names;
use super::super::{SymbolKind, declaration, occurrences, rename};
use super::{PROGRAM, Syntax, cursor};
use crate::input::tried::edited;
use blo_grammar::diagnostic::{Certainty, Fix};

/// The lines (from 1) and words of all places that name what the cursor does.
fn places(text: &str) -> Vec<(usize, String)> {
    let (syntax, offset) = cursor(text);
    let place = |o: &super::super::Occurrence| {
        (syntax.text[..o.span.start as usize].matches('\n').count() + 1, syntax.at(o.span).to_owned())
    };
    occurrences(&syntax, offset).iter().map(place).collect()
}

fn lines(text: &str) -> Vec<usize> {
    places(text).into_iter().map(|(line, _)| line).collect()
}

/// The program with the cursor before the first `what`.
fn at(what: &str) -> String {
    PROGRAM.replacen(what, &format!("^{what}"), 1)
}

fn renamed(text: &str, to: &str) -> Result<String, String> {
    let (syntax, offset) = cursor(text);
    let edits = rename(&syntax, offset, to).map_err(|why| why.to_string())?;
    let fix = Fix { text: String::new(), edits, certainty: Certainty::Safe, help: None };
    Ok(edited(&syntax.text, &[&fix]).expect("edits within the text"))
}

#[test]
fn every_kind_of_name_is_found_wherever_it_is_used() {
    assert_eq!(lines(&at("n = 3")), [3, 5, 8, 11, 14, 20, 21, 23, 24]);
    assert_eq!(lines(&at("w = fill")), [5, 11]);
    assert_eq!(lines(&at("loss(u)")), [6, 11]);
    assert_eq!(lines(&at("u) = normsq")), [6, 6]);
    assert_eq!(lines(&at("X = ")), [7, 11]);
    assert_eq!(lines(&at("d {")), [8, 9]);
    assert_eq!(lines(&at("u[n] = csv")), [8, 11, 15]);
    assert_eq!(lines(&at("v = csv")), [8, 10]);
    assert_eq!(lines(&at("train: 5")), [9, 10, 15, 22]);
    assert_eq!(lines(&at("bad)")), [10, 22]);
    assert_eq!(lines(&at("x in X")), [11, 15]);
    assert_eq!(lines(&at("y[n] >= 0")), [11, 14, 15, 17, 18, 20, 21]);
    assert_eq!(lines(&at("r = train")), [15, 16]);
    assert_eq!(lines(&at("demand:")), [18, 22]);
    assert_eq!(lines(&at("a = sum")), [22, 24]);
    assert_eq!(lines(&at("fast {")), [23, 24]);
    // two loops with variables of one name
    assert_eq!(lines(&at("i] for i in 1..n)")), [11, 11]);
    assert_eq!(lines(&at("i] = 0 for")), [21, 21]);
    assert!(lines(&at("normsq(u)")).is_empty());
}

#[test]
fn every_declaration_is_found_from_every_use() {
    let syntax = Syntax::new(PROGRAM.to_owned());
    assert!(syntax.is_sound);
    for o in &syntax.names.occurrences {
        let found = declaration(&syntax, o.span.start as usize).expect("it names something");
        assert_eq!(syntax.at(found), syntax.at(o.span));
    }
}

#[test]
fn locals_hide_names_of_the_file_and_lets_see_those_before_them() {
    let text = "let i = 1  let a = sum(i for i in 1..^i) + i";
    assert_eq!(places(text).len(), 3);
    let text = "upper { let a = ^a  var x minimize a }  let a = 2  lower { var y minimize a*y^2 }";
    // the `let` of the level begins after its own value
    assert_eq!(places(text).len(), 3);
    assert_eq!(lines("lower for j in 1..3 {\n var y\n let r = ^j\n minimize j*y }\nlet k = j"), [1, 3, 4]);
}

#[test]
fn episodes_reach_the_columns_of_their_dataset() {
    let text = "dataset d { u = csv(\"a\")  v = csv(\"a\", classes = 9) }\nepisodes D from d (tasks = 2)\n\
                let a = D.tr.^u[1] + D.val.u[2]\nlet b = D.tr.v";
    assert_eq!(lines(text), [1, 3, 3]);
    // a part of itself has no columns, and the search for them ends
    assert!(lines("split s into s: 2  let a = s.^u").is_empty());
}

#[test]
fn a_rename_reaches_all_places_and_nothing_else() {
    let after = renamed(&at("n = 3"), "größe").expect("a free name");
    assert_eq!(
        after,
        PROGRAM
            .replace("n = 3", "größe = 3")
            .replace("(2, n)", "(2, größe)")
            .replace("[n]", "[größe]")
            .replace("1..n", "1..größe")
            .replace("/n", "/größe")
            .replace("<= n", "<= größe")
    );
    let loops = renamed("let i = 1  let a = sum(i for ^i in 1..3) + i", "k").expect("a free name");
    assert_eq!(loops, "let i = 1  let a = sum(k for k in 1..3) + i");
}

#[test]
fn names_that_are_taken_reserved_or_none_are_refused() {
    let refused = |what: &str, to: &str| renamed(&at(what), to).expect_err("refused");
    assert!(refused("n = 3", "lower").contains("a keyword"));
    assert!(refused("n = 3", "normsq").contains("a function"));
    assert!(refused("n = 3", "ball2").contains("a set"));
    assert!(refused("n = 3", "pi").contains("a constant"));
    for bad in ["", "2a", "a b", "a.b", " a", "a # b", "(a)", "-a", "a\n"] {
        assert!(refused("n = 3", bad).contains("is not a name"), "{bad}");
    }
    // another name of the file, of a level, of a loop that it would be caught by
    for taken in ["w", "x", "r", "d", "train", "i", "u"] {
        assert!(refused("n = 3", taken).contains("something else"), "{taken}");
    }
    // rows have names of their own
    assert!(renamed(&at("demand:"), "n").is_ok());
    assert!(renamed(&at("normsq(u)"), "q").expect_err("refused").contains("only names"));
    assert!(renamed("param ^n = 3 let a = (", "m").expect_err("refused").contains("syntax errors"));
    // a free name of the file that a loop would take
    assert!(renamed("let ^a = 1 let b = sum(a*i for i in 1..3)", "i").is_err());
    assert!(renamed("let a = 1 let b = sum(a*i for ^i in 1..3)", "a").is_err());
    // loops beside each other may share a name
    assert!(renamed("let a = sum(i for i in 1..3) let b = sum(j for ^j in 1..3)", "i").is_ok());
}

#[test]
fn names_of_half_a_program_are_those_of_its_sound_pieces() {
    let names = Names::of(&blo_grammar::parse("param n = 3\nlet a = n +\nlet b = n\nupper { var x  minimize x* }").ast);
    let found: Vec<(&str, SymbolKind)> = names.symbols.iter().map(|s| (s.name.as_str(), s.kind)).collect();
    let upper = SymbolKind::Variable(super::super::Side::Upper);
    assert_eq!(found, [("n", SymbolKind::Param), ("b", SymbolKind::Let(None)), ("x", upper)]);
}
