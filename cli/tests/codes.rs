//! `cli/codes` against the sources and against the command: every code has an entry and every entry a code; the wrong
//! program of an entry gives its code, the fixed one runs without an error and without it.
// The bans keep the engine off files; these tests read what they compare.
#![allow(clippy::disallowed_methods)]

use crate::document::codes::{Entry, entries};
use crate::document::{codes_in, root, run};
use std::collections::BTreeSet;
use std::path::Path;

fn texts(folder: &Path, ending: &str, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).expect("a folder of the repository").flatten() {
        let path = entry.path();
        if path.is_dir() {
            texts(&path, ending, found);
        } else if path.extension().is_some_and(|e| e == ending) {
            found.push(std::fs::read_to_string(&path).expect("a readable file"));
        }
    }
}

#[test]
fn every_code_has_an_entry_and_every_entry_a_code() {
    let known: BTreeSet<String> = entries().iter().map(|e| e.code.to_owned()).collect();
    let mut sources = Vec::new();
    for room in ["grammar", "engine", "solvers", "blo", "cli"] {
        texts(&root().join(room).join("src"), "rs", &mut sources);
    }
    let made: BTreeSet<String> = sources.iter().flat_map(|s| codes_in(s, '"', '"')).collect();
    assert!(made.len() > 100);
    assert_eq!(known.difference(&made).collect::<Vec<_>>(), Vec::<&String>::new(), "entries without a code");
    assert_eq!(made.difference(&known).collect::<Vec<_>>(), Vec::<&String>::new(), "codes without an entry");
    let mut snapshots = Vec::new();
    texts(&root().join("tests/suite/bad/snapshots"), "snap", &mut snapshots);
    let shown: BTreeSet<String> = snapshots.iter().flat_map(|s| codes_in(s, '[', ']')).collect();
    assert!(shown.len() > 50 && shown.is_subset(&known), "{shown:?}");
}

/// What is wrong with the programs of an entry.
fn faults(entry: &Entry) -> Option<String> {
    let folder = tempfile::tempdir().expect("a folder");
    let mut found = String::new();
    for fence in &entry.fences {
        match fence.words().as_slice() {
            ["blo", "wrong", ..] => {
                let said = run(fence, folder.path());
                if !said.codes.iter().any(|c| c == entry.code) {
                    found += &format!("the wrong program does not give the code:\n{}", said.text);
                }
            }
            ["blo", "fixed", ..] => {
                let said = run(fence, folder.path());
                if said.exit != 0 || said.codes.iter().any(|c| c == entry.code || c.starts_with('B')) {
                    found += &format!("the fixed program is not:\n{}", said.text);
                }
            }
            [_, name, ..] => std::fs::write(folder.path().join(name), fence.body).expect("a file of the entry"),
            other => found += &format!("a block that is neither a program nor a file: {other:?}\n"),
        }
    }
    (!found.is_empty()).then(|| format!("{}: {found}", entry.code))
}

#[test]
fn programs_of_entries_do_what_they_say() {
    let entries = entries();
    let half = entries.len().div_ceil(2);
    let faults: Vec<String> = std::thread::scope(|scope| {
        let parts: Vec<_> = entries
            .chunks(half)
            .map(|part| scope.spawn(|| part.iter().filter_map(faults).collect::<Vec<_>>()))
            .collect();
        parts.into_iter().flat_map(|p| p.join().expect("no panic")).collect()
    });
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
