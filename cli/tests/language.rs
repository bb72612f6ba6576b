//! `docs/book/src/language.md` and other chapters against the command: their programs do what the pages say of them. The tables, and everything else
//! that is made from the registries, are what `cargo xtask docs` writes.
// The bans keep the engine off files; these tests read what they compare.
#![allow(clippy::disallowed_methods)]

use crate::document::codes::{Fence, fences};
use crate::document::{root, run};
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
    let chapters = ["language", "tutorial", "cookbook", "when-it-does-not-converge"];
    let read =
        |name: &&str| std::fs::read_to_string(root().join(format!("docs/book/src/{name}.md"))).expect("the page");
    let page = chapters.iter().map(read).collect::<Vec<_>>().join("\n");
    let page: &'static str = Box::leak(page.into_boxed_str());
    let programs: Vec<Fence> = fences(page).into_iter().filter(|f| f.words().first() == Some(&"blo")).collect();
    assert!(programs.len() > 20);
    let mut faults = String::new();
    for fence in &programs {
        let folder = tempfile::tempdir().expect("a folder");
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

#[test]
fn generated_files_are_fresh() {
    let stale = xtask::docs::stale(&root()).expect("the files of the repository");
    assert!(stale.is_empty(), "run `cargo xtask docs`, which writes {stale:?}");
}
