//! The tree of `docs/book/src/which-method.md` on every program of `specs/` and on problems of the literature: its questions are
//! asked of the checked problem, and the method where they lead solves the program. The page is the only copy of the tree.
// The bans keep the engine off files; this test reads the page.
#![allow(clippy::disallowed_methods)]

mod questions;
mod solved;
mod tree;

use std::collections::BTreeSet;
use std::sync::Mutex;

use blo_tests::{Program, programs, root, say};

use self::questions::TABLE;
use self::solved::Missed;
use self::tree::{Leaf, Tree};

/// Problems of the literature, of a class each.
const ONE_PER_CLASS: [&str; 10] = [
    "bard1984a",
    "bard1988ex1",
    "candler_townsley1982",
    "dempe_etal2012",
    "meha_eq18_n5",
    "meha_eq19_n10",
    "meha_eq77_n1",
    "mitsos_barton2006ex312",
    "nie_wang_ye2017ex58",
    "outrata1990ex2a",
];

fn page() -> String {
    std::fs::read_to_string(root().join("docs/book/src/which-method.md")).expect("the page")
}

fn tree() -> Tree {
    Tree::read(&page())
}

/// The number that the page has after some words, wherever its lines break.
fn number_after(words: &str) -> usize {
    let page = page().split_whitespace().collect::<Vec<_>>().join(" ");
    let (_, after) = page.split_once(words).unwrap_or_else(|| panic!("the page says `{words}`"));
    let digits: String = after.trim_start().chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap_or_else(|_| panic!("a number after `{words}`"))
}

fn leaf<'a>(tree: &'a Tree, program: &Program) -> &'a Leaf {
    let (problem, found) = program.check(&[]);
    tree.walk(&problem.unwrap_or_else(|| panic!("{}: {found:#?}", program.name)))
}

/// The programs that the tree fails, with what is wrong, on two threads.
fn missed(programs: &[Program]) -> Vec<String> {
    let (tree, missed) = (tree(), Mutex::new(Vec::new()));
    let next = Mutex::new(programs.iter());
    let take = || next.lock().expect("no panic").next();
    let work = || {
        while let Some(program) = take() {
            let leaf = leaf(&tree, program);
            match solved::solve(program, leaf) {
                Ok(()) => say(&format!("{}: {} solves it", program.name, leaf.method)),
                Err(Missed::Absent(file)) => say(&format!("skipped {}: no file {file}", program.name)),
                Err(Missed::Wrong(why)) => {
                    missed.lock().expect("no panic").push(format!("{} by {}: {why}", program.name, leaf.method));
                }
            }
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(work);
        work();
    });
    missed.into_inner().expect("no panic")
}

#[test]
fn every_question_has_a_predicate_and_every_predicate_a_question() {
    let tree = tree();
    let asked: BTreeSet<&str> = tree.questions().iter().map(|q| q.text.as_str()).collect();
    let answered: BTreeSet<&str> = TABLE.iter().map(|(text, _)| *text).collect();
    assert_eq!(asked, answered);
}

#[test]
fn every_leaf_is_a_method_that_a_program_reaches() {
    let tree = tree();
    let all = programs("specs").into_iter().chain(programs("tests/suite/literature"));
    let reached: BTreeSet<&Leaf> = all.map(|program| leaf(&tree, &program)).collect();
    for leaf in tree.leaves() {
        assert!(blo_solvers::by_name(&leaf.method).is_some(), "{leaf:?}");
        assert!(reached.contains(leaf), "no program leads to {leaf:?}");
    }
    let named = tree.leaves().iter().filter(|leaf| leaf.method != "auto").count();
    assert!(2 * named > tree.leaves().len(), "a tree that says `auto` chooses nothing");
}

#[test]
fn specs_are_solved_by_what_the_tree_says() {
    let missed = missed(&programs("specs"));
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
fn problems_of_the_literature_are_solved_by_what_the_tree_says() {
    let all = programs("tests/suite/literature");
    let class = |name: &str| {
        let program = all.iter().find(|p| p.name == name).unwrap_or_else(|| panic!("{name} is there"));
        let line = program.text.lines().find(|line| line.starts_with("# Class: "));
        line.unwrap_or_else(|| panic!("{name} has a class")).to_owned()
    };
    let classes: BTreeSet<String> = ONE_PER_CLASS.iter().map(|name| class(name)).collect();
    assert_eq!(classes.len(), ONE_PER_CLASS.len(), "a class twice: {classes:#?}");
    let missed = missed(&all);
    say(&format!("{} of {} are missed: {missed:#?}", missed.len(), all.len()));
    assert_eq!(number_after("Not every small problem is: of the"), all.len());
    assert!(all.len() - missed.len() >= number_after("its methods solve"), "{missed:#?}");
    let tree = tree();
    let methods: BTreeSet<&str> = all.iter().map(|program| leaf(&tree, program).method.as_str()).collect();
    for method in methods {
        let its = all.iter().filter(|program| leaf(&tree, program).method == method).count();
        let lost = missed.iter().filter(|text| text.contains(&format!(" by {method}: "))).count();
        assert!(its - lost >= number_after(&format!("`{method}` solves")), "{method}: {its} less {lost}");
    }
    let is_missed = |name: &&str| missed.iter().any(|text| text.starts_with(&format!("{name} by")));
    let of_ten: Vec<&str> = ONE_PER_CLASS.into_iter().filter(|name| is_missed(name)).collect();
    assert!(of_ten.is_empty(), "{of_ten:?}: {missed:#?}");
}
