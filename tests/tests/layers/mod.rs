//! The rules of the house: which room imports which, how many files lie beside each other, how long files and functions
//! are. The table of rooms is `table.rs`; the rules are tried on small made-up trees first.

#![allow(clippy::disallowed_methods)]

mod imports;
mod source;
mod table;

use std::collections::BTreeMap;
use std::path::Path;

use blo_tests::root;
use imports::{Import, Tree, is_within};
use table::{FILE_LINES, FILES, FLAT, FUNCTION_LINES, HOUSES, House, TABLE_FOLDERS};

/// The room of a module: the longest of the table that it lies in; the root of the crate has none.
fn room<'h>(house: &'h House, module: &str) -> Option<(&'h str, usize)> {
    let rooms = house.floors.iter().enumerate().flat_map(|(floor, rooms)| rooms.iter().map(move |r| (*r, floor)));
    rooms.filter(|(room, _)| is_within(module, room)).max_by_key(|(room, _)| room.len())
}

/// What is wrong with an import, in words.
fn judge(house: &House, import: &Import) -> Option<String> {
    let (from, to) = (room(house, &import.from), room(house, &import.to));
    let at = format!("{}:{}", import.file, import.line);
    match (from, to) {
        // the root imports what it likes, and a module without a room is reported once
        (None, _) => None,
        (Some(_), None) if !import.to.is_empty() => None,
        (Some((from, _)), None) => Some(format!("{at}: {from} imports the root of the crate")),
        (Some((from, below)), Some((to, above))) => {
            let table = house.tables.iter().any(|t| *t == (from, to) || *t == (to, from));
            let fine = from == to || above < below || table;
            (!fine).then(|| format!("{at}: {from} imports {} ({to}), which is not below it", import.to))
        }
    }
}

/// What is wrong with the imports of a crate.
fn upward(house: &House, tree: &Tree) -> Vec<String> {
    let homeless = tree.modules.iter().filter(|(module, _)| !module.is_empty() && room(house, module).is_none());
    let homeless = homeless.map(|(module, m)| format!("{}: `{module}` has no room in the table", m.file));
    homeless.chain(tree.imports().iter().filter_map(|import| judge(house, import))).collect()
}

/// Every Rust file below a folder of the repository: its path from the root and its text.
fn files(folder: &str) -> BTreeMap<String, String> {
    fn below(path: &Path, name: &str, found: &mut BTreeMap<String, String>) {
        for entry in std::fs::read_dir(path).into_iter().flatten().flatten() {
            let name = format!("{name}/{}", entry.file_name().to_string_lossy());
            if entry.path().is_dir() {
                below(&entry.path(), &name, found);
            } else if name.ends_with(".rs") {
                found.insert(name, std::fs::read_to_string(entry.path()).expect("a readable file"));
            }
        }
    }
    let mut found = BTreeMap::new();
    below(&root().join(folder), folder, &mut found);
    found
}

/// Every Rust file of every crate, tests included.
fn all_files() -> BTreeMap<String, String> {
    HOUSES.iter().flat_map(|h| ["src", "tests"].map(|part| files(&format!("{}/{part}", h.folder)))).flatten().collect()
}

/// Folders with more files beside each other than there may be.
fn crowded<'a>(paths: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (folder, _) in paths.filter_map(|p| p.rsplit_once('/')) {
        *counts.entry(folder).or_default() += 1;
    }
    counts.retain(|f, count| *count > FILES && !TABLE_FOLDERS.contains(f));
    counts.into_iter().map(|(folder, count)| format!("{folder} has {count} files beside each other")).collect()
}

/// Functions and files that are too long.
fn long(path: &str, text: &str) -> Vec<String> {
    let tokens = source::tokens(text);
    let functions = source::functions(&tokens).into_iter().filter(|f| f.2 > FUNCTION_LINES);
    let mut found: Vec<String> =
        functions.map(|(name, line, lines)| format!("{path}:{line}: `{name}` has {lines} lines")).collect();
    let lines = text.lines().count();
    if lines > FILE_LINES && !FLAT.iter().any(|(file, _)| *file == path) {
        found.push(format!("{path} has {lines} lines"));
    }
    found
}

#[test]
fn rooms_import_only_what_lies_below_them() {
    let mut found = Vec::new();
    for house in &HOUSES {
        let folder = format!("{}/src", house.folder);
        let all = files(&folder);
        let inside = all.iter().filter(|(path, _)| !path.starts_with(&format!("{folder}/bin/")));
        let tree = Tree::new(&folder, inside.map(|(path, text)| (&path[folder.len() + 1..], text.as_str())));
        found.extend(upward(house, &tree));
    }
    assert!(found.is_empty(), "{} imports:\n{}", found.len(), found.join("\n"));
}

/// Files that a source takes in although they lie outside of its crate, which a package of the crate would lack. `path` is
/// that of the source from the root, which begins with the folder of the crate.
fn taken_from_outside(path: &str, text: &str) -> Vec<String> {
    let (krate, _) = path.split_once('/').unwrap_or((path, ""));
    let mut found = Vec::new();
    for taker in ["include_str!(", "include_bytes!(", "include!(", "#[path = "] {
        for (at, _) in text.match_indices(taker) {
            let Some(literal) = text[at + taker.len()..].trim_start().strip_prefix('"') else { continue };
            let taken = literal.split('"').next().unwrap_or_default();
            let mut place: Vec<&str> = path.split('/').collect();
            place.pop();
            for part in taken.split('/') {
                match part {
                    "." => {}
                    ".." => drop(place.pop()),
                    part => place.push(part),
                }
            }
            if place.first() != Some(&krate) || taken.starts_with('/') {
                let line = text[..at].matches('\n').count() + 1;
                found.push(format!("{path}:{line}: `{taken}` lies outside of {krate}"));
            }
        }
    }
    found
}

#[test]
fn crates_take_in_their_own_files_alone() {
    let folders = |h: &House| ["src", "tests", "benches", "examples"].map(|part| format!("{}/{part}", h.folder));
    // the others are never packaged
    let packaged = HOUSES.iter().filter(|h| !["tests", "xtask"].contains(&h.folder));
    let all = packaged.flat_map(folders).flat_map(|folder| files(&folder));
    let found: Vec<String> = all.flat_map(|(path, text)| taken_from_outside(&path, &text)).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
    let judged = |text: &str| taken_from_outside("a/src/room/file.rs", text).len();
    assert_eq!(judged("x(include_str!(\"../../pages/p.md\"), include_bytes!( \"./b\"))"), 0);
    assert_eq!(judged("include_str!(\"../../../docs/p.md\")"), 1);
    assert_eq!(judged("include_bytes!(\n    \"/p\") #[path = \"../../../b/src/c.rs\"]"), 2);
}

#[test]
fn folders_files_and_functions_are_small() {
    let all = all_files();
    let mut found = crowded(all.keys().map(String::as_str));
    found.extend(all.iter().flat_map(|(path, text)| long(path, text)));
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// A made-up crate of two floors with a room above them that has two of its own.
const MADE_UP: House = House {
    folder: "made_up",
    floors: &[&["ground"], &["left", "right"], &["top::inner"], &["top"]],
    tables: &[("top::inner", "top::entries"), ("left", "left")],
};

/// What is wrong with a made-up crate.
fn judged(files: &[(&str, &str)]) -> Vec<String> {
    let whole = [("lib.rs", "pub mod ground; mod left; mod right; mod top;"), ("ground.rs", ""), ("left.rs", "")];
    let rest =
        [("right/mod.rs", "mod deep; pub use deep::Thing;"), ("right/deep.rs", ""), ("top/mod.rs", "pub mod inner;")];
    let named = |path: &str| files.iter().any(|(p, _)| *p == path);
    let others = whole.iter().chain(&rest).filter(|(path, _)| !named(path));
    let tree = Tree::new("src", others.chain(files).map(|(path, text)| (*path, *text)));
    upward(&MADE_UP, &tree)
}

#[test]
fn imports_from_below_are_fine() {
    assert_eq!(judged(&[]), [""; 0]);
    assert_eq!(judged(&[("left.rs", "use crate::ground; fn f() { super::ground::g() }")]), [""; 0]);
    assert_eq!(judged(&[("top/inner.rs", "use crate::{left::L, right::{self, Thing}}; use std::fmt;")]), [""; 0]);
    assert_eq!(judged(&[("right/deep.rs", "use super::Other; mod m { use super::super::Other; }")]), [""; 0]);
    assert_eq!(judged(&[("right/deep.rs", "pub(in crate::right) fn f() {}")]), [""; 0]);
    assert_eq!(judged(&[("ground.rs", "// crate::top\n#[cfg(test)] mod tests { use crate::top::T; }")]), [""; 0]);
}

#[test]
fn imports_from_above_are_found_however_they_are_written() {
    for text in [
        "use crate::left::L;",
        "use super::left::L;",
        "use crate::{\n right::Thing};",
        "fn f(x: crate::left::L) {}",
        "use crate::top::inner as t;",
        "pub(crate) use crate::top::*;",
        "mod m { use super::super::left; }",
        "fn f() { super::right::deep::g() }",
    ] {
        let found = judged(&[("ground.rs", text), ("top/inner.rs", "")]);
        assert!(found.len() == 1 && found[0].starts_with("src/ground.rs:"), "{text}: {found:?}");
    }
    assert_eq!(judged(&[("left.rs", "use crate::right::Thing;")]).len(), 1, "neighbors do not import each other");
    assert_eq!(judged(&[("right/deep.rs", "use crate::left;")]).len(), 1);
    assert_eq!(judged(&[("top/inner.rs", "use super::T;")]).len(), 1, "a room does not import the one around it");
    assert_eq!(judged(&[("left.rs", "use crate::Thing;")]).len(), 1, "nobody imports the root");
    assert_eq!(judged(&[("attic.rs", "use crate::left;")]).len(), 1, "a room without a line in the table");
}

#[test]
fn a_name_is_followed_to_the_room_that_defines_it() {
    let facade = ("top/mod.rs", "pub mod inner; pub use crate::left::L; pub use inner::{I, I as J};");
    assert_eq!(judged(&[facade, ("top/inner.rs", "use crate::top::{I, J, L}; fn f(_: super::I) {}")]), [""; 0]);
    assert_eq!(judged(&[facade, ("top/inner.rs", ""), ("right/deep.rs", "use crate::top::L;")]).len(), 1);
    let alias = "use crate::top; fn f() { top::inner::g() }";
    assert_eq!(judged(&[("ground.rs", alias), ("top/inner.rs", "")]).len(), 2);
}

#[test]
fn crowds_and_long_functions_are_found() {
    let files: Vec<String> = (0..=FILES).map(|i| format!("a/src/room/f{i}.rs")).collect();
    assert_eq!(crowded(files.iter().map(String::as_str)), ["a/src/room has 15 files beside each other"]);
    assert_eq!(crowded(files[1..].iter().map(String::as_str)), [""; 0]);
    let body = "x();\n".repeat(FUNCTION_LINES - 1);
    assert_eq!(long("a.rs", &format!("fn f() {{\n{body}}}")), ["a.rs:1: `f` has 81 lines"]);
    assert_eq!(long("a.rs", &"\n".repeat(FILE_LINES + 1)), ["a.rs has 601 lines"]);
}
