//! The chapters of the book against the command: their programs do what the pages say of them. The tables, and everything
//! else that is made from the registries, are what `cargo xtask docs` writes.
// The bans keep the engine off files; these tests read what they compare.
#![allow(clippy::disallowed_methods)]

use crate::book::{own_chapters, workplace};
use crate::document::codes::{Fence, fences};
use crate::document::{root, run};
use std::collections::BTreeSet;
use std::fmt::Write;

/// Levels for a program that has none of its own: a page shows parts, too.
fn completed(fence: &Fence) -> Fence {
    let mut body = fence.body.to_owned();
    if !body.contains("upper {") {
        body += "upper { var upper_x   minimize upper_x^2 }\n";
    }
    if !body.contains("lower ") {
        body += "lower { var lower_y   minimize lower_y^2 }\n";
    }
    Fence { body: Box::leak(body.into_boxed_str()), ..*fence }
}

#[test]
fn programs_do_what_the_page_says() {
    let chapters: String = own_chapters().into_iter().map(|chapter| chapter.text).collect();
    let page: &'static str = Box::leak(chapters.into_boxed_str());
    // those of `specs` have tests of their own
    let specs = specs();
    let programs: Vec<Fence> = fences(page).into_iter().filter(|f| f.words().first() == Some(&"blo")).collect();
    let programs: Vec<Fence> = programs.into_iter().filter(|f| !specs.contains(f.body.trim_end())).collect();
    assert!(programs.len() > 50, "{}", programs.len());
    let mut faults = String::new();
    let folder = workplace();
    for fence in &programs {
        // lines of a program of `specs`, which cannot be checked alone
        if let Some(path) = fence.words().get(1).filter(|word| word.starts_with("specs/")) {
            let text = std::fs::read_to_string(root().join(path)).unwrap_or_default();
            let others = fence.body.lines().filter(|line| !text.lines().any(|l| l == *line));
            others.for_each(|line| faults += &format!("{path} has no line `{line}`\n"));
            continue;
        }
        let said = run(&completed(fence), folder.path());
        let wrong: Vec<&str> = fence.words().into_iter().skip(1).filter(|w| *w != "wrong").collect();
        let as_said = match wrong.as_slice() {
            [] => said.exit == 0 && said.codes.iter().all(|c| c.as_str() == "W0508" || c.starts_with('N')),
            codes => codes.iter().all(|c| said.codes.iter().any(|s| s == c)),
        };
        if !as_said {
            let _ = writeln!(faults, "{}\n{}{}", fence.info, fence.body, said.text);
        }
    }
    assert!(faults.is_empty(), "{faults}");
}

/// The texts of `specs`, which the page with all programs shows.
fn specs() -> BTreeSet<String> {
    let entries = std::fs::read_dir(root().join("specs")).expect("the programs").flatten().map(|e| e.path());
    let programs = entries.filter(|path| path.extension().is_some_and(|e| e == "blo"));
    programs.map(|path| std::fs::read_to_string(path).expect("a program").trim_end().to_owned()).collect()
}

#[test]
fn generated_files_are_fresh() {
    let stale = xtask::docs::stale(&root()).expect("the files of the repository");
    assert!(stale.is_empty(), "run `cargo xtask docs`, which writes {stale:?}");
}
