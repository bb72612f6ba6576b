//! The book against the command and against itself: every chapter is in the list and every link leads somewhere, every block is
//! run or marked as one that is not, command lines are ones that the command takes, and pictures are what it draws. Chapters
//! are found by listing their folder.
// The bans keep the engine off files; these tests read what they compare.
#![allow(clippy::disallowed_methods)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use xtask::book::chapter::{Chapter, chapters};
use xtask::book::pictures::{PICTURES, draw, typed, words};
use xtask::book::{SOURCE, chapter};

use crate::document::root;

/// First words of blocks that are run, and by whom: programs by `language`, transcripts by `transcripts`, formulas here, since the
/// recorder of transcripts turns backslashes, Python by `python/tests`.
const RUN: [&str; 4] = ["blo", "console", "latex", "python"];

/// First words of blocks that are not: command lines, of which this test reads those of `blo`; files and formulas; lines of the
/// sources, for whoever changes them; and settings of editors, which `tests/editors` runs where the editor is.
const NOT_RUN: [&str; 6] = ["sh", "text", "rust", "lua", "toml", "elisp"];

/// The second word of a program of another tool, which is not installed here.
const PEER: &str = "peer";

/// Chapters of the book itself: the pages of codes have tests of their own.
pub(crate) fn own_chapters() -> Vec<Chapter> {
    let all = chapters(&root()).expect("the chapters");
    all.into_iter().filter(|c| !c.path.starts_with("codes/")).collect()
}

/// A folder in which a reader types the lines of the book.
pub(crate) fn workplace() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    xtask::book::workplace(&root(), folder.path()).expect("the programs");
    folder
}

#[test]
fn every_chapter_is_in_the_list() {
    let list = std::fs::read_to_string(root().join(SOURCE).join("SUMMARY.md")).expect("the list of chapters");
    let listed: Vec<String> = Chapter { path: "SUMMARY.md".to_owned(), text: list }.links();
    let there: BTreeSet<String> = chapters(&root()).expect("the chapters").into_iter().map(|c| c.path).collect();
    let once: BTreeSet<String> = listed.iter().cloned().collect();
    assert!(there.len() > 30, "{there:?}");
    assert_eq!(once.len(), listed.len(), "a chapter stands there twice");
    assert_eq!(
        there.difference(&once).collect::<Vec<_>>(),
        Vec::<&String>::new(),
        "chapters that are not in SUMMARY.md"
    );
    assert_eq!(once.difference(&there).collect::<Vec<_>>(), Vec::<&String>::new(), "files that are not there");
}

/// A link of a page as a path within the book; `None` where it goes up beyond it.
fn resolved(page: &str, link: &str) -> Option<String> {
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in link.split('/') {
        match part {
            ".." => drop(parts.pop()?),
            "." => {}
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// What is wrong with a link. Beside pages and pictures of the book there are addresses of the web, which are not opened.
fn broken(pages: &BTreeMap<&str, BTreeSet<String>>, page: &str, link: &str) -> Option<String> {
    if link.starts_with("https://") || link.starts_with("http://") {
        return None;
    }
    let (path, heading) = link.split_once('#').map_or((link, None), |(path, heading)| (path, Some(heading)));
    let target = if path.is_empty() { Some(page.to_owned()) } else { resolved(page, path) };
    let Some(target) = target else { return Some("it leaves the book".to_owned()) };
    match (pages.get(target.as_str()), heading) {
        (Some(headings), Some(heading)) if !headings.contains(heading) => Some(format!("no heading `{heading}`")),
        (Some(_), _) => None,
        (None, None) if target.ends_with(".svg") && root().join(SOURCE).join(&target).exists() => None,
        (None, _) => Some(format!("no page `{target}`")),
    }
}

#[test]
fn every_link_leads_somewhere() {
    let all = chapters(&root()).expect("the chapters");
    let pages: BTreeMap<&str, BTreeSet<String>> = all.iter().map(|c| (c.path.as_str(), c.anchors())).collect();
    let mut faults = Vec::new();
    for chapter in &all {
        for link in chapter.links() {
            faults.extend(broken(&pages, &chapter.path, &link).map(|why| format!("{}: ({link}): {why}", chapter.path)));
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
    for bad in ["nowhere.md", "../../../README.md", "tutorial.md#nowhere", "pictures/nowhere.svg"] {
        assert!(broken(&pages, "index.md", bad).is_some(), "{bad}");
    }
}

#[test]
fn every_block_is_run_or_marked() {
    let mut faults = Vec::new();
    for chapter in own_chapters() {
        for block in chapter.blocks() {
            let words: Vec<&str> = block.info.split_whitespace().collect();
            let known = match words.as_slice() {
                [_, PEER] => true,
                [word] if NOT_RUN.contains(word) => true,
                [word, ..] => RUN.contains(word),
                // an unmarked block is one of command lines
                [] => block.body.lines().all(|line| line.starts_with("blo ")),
            };
            if !known {
                faults.push(format!("{}: a block `{}`\n{}", chapter.path, block.info, block.body));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn formulas_are_those_of_the_command() {
    let folder = workplace();
    let mut found = 0;
    for chapter in own_chapters() {
        for block in chapter.blocks() {
            let Some(program) = block.info.strip_prefix("latex ") else { continue };
            let mut blo = Command::new(env!("CARGO_BIN_EXE_blo"));
            let run = blo.args(["latex", program]).current_dir(folder.path()).output().expect("the command runs");
            assert_eq!(String::from_utf8_lossy(&run.stdout), block.body, "{}: {program}", chapter.path);
            found += 1;
        }
    }
    assert!(found > 0);
}

/// The lines with `blo` of a chapter: in blocks of command lines, and code within the text.
fn lines(chapter: &Chapter) -> Vec<String> {
    let mut found = Vec::new();
    for block in chapter.blocks().iter().filter(|b| matches!(b.info, "" | "sh")) {
        let commands = block.body.lines().flat_map(|line| line.split(" #").next().unwrap_or(line).split(" && "));
        found.extend(commands.map(|line| line.trim().to_owned()));
    }
    let mut within = false;
    for line in chapter.text.lines() {
        let mark = line.starts_with("```");
        within ^= mark;
        if !mark && !within {
            found.extend(line.split('`').skip(1).step_by(2).map(str::to_owned));
        }
    }
    let ends = |line: String| [" > ", " | "].iter().fold(line, |l, end| l.split(end).next().unwrap_or(&l).to_owned());
    found.into_iter().filter(|line| line.starts_with("blo ")).map(ends).collect()
}

/// Names that stand for what a reader fills in.
const PLACES: [&str; 4] = ["LANGUAGE", "SHELL", "...", "FILE.json"];

#[test]
fn command_lines_are_ones_that_the_command_takes() {
    let mut faults = BTreeSet::new();
    let mut tried = BTreeSet::new();
    for chapter in own_chapters() {
        for line in lines(&chapter) {
            let words = words(&line);
            if words.len() < 2 || words.iter().any(|w| PLACES.contains(&w.as_str())) || !tried.insert(line.clone()) {
                continue;
            }
            // the help is shown where all words before it are understood
            let run =
                Command::new(env!("CARGO_BIN_EXE_blo")).args(&words[1..]).arg("--help").output().expect("it runs");
            let spec = |w: &str| w.starts_with("specs/") && !w.contains("NAME");
            let missing = words.iter().find(|w| spec(w) && !root().join(w).exists());
            if !run.status.success() || missing.is_some() {
                let why = String::from_utf8_lossy(&run.stderr).lines().next().unwrap_or_default().to_owned();
                faults.insert(format!("{}: {line}: {why}", chapter.path));
            }
        }
    }
    assert!(tried.len() > 50, "{tried:?}");
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn pictures_are_what_the_command_draws() {
    let folder = workplace();
    let all = own_chapters();
    let shown: BTreeSet<String> = all.iter().flat_map(Chapter::links).filter(|link| link.ends_with(".svg")).collect();
    let listed: BTreeSet<String> = PICTURES.iter().map(|(name, _)| format!("pictures/{name}.svg")).collect();
    assert_eq!(shown, listed, "the pictures of the chapters, and those of `xtask::book::pictures`");
    for picture in PICTURES {
        let path = format!("pictures/{}.svg", picture.0);
        let there = std::fs::read_to_string(root().join(SOURCE).join(&path)).unwrap_or_default();
        let drawn = draw(picture, Path::new(env!("CARGO_BIN_EXE_blo")), folder.path()).expect("a picture");
        assert!(there == drawn, "{path}: run `cargo xtask pictures`, and look at it");
        for chapter in all.iter().filter(|c| c.links().contains(&path)) {
            let command = typed(picture);
            assert!(chapter.text.contains(&command), "{} does not show `{command}`", chapter.path);
        }
    }
}

#[test]
fn the_reader_of_addresses_is_that_of_the_book() {
    assert_eq!(resolved("codes/index.md", "../language.md").as_deref(), Some("language.md"));
    assert_eq!(resolved("a.md", "../b.md"), None);
    assert_eq!(words("blo sweep P.blo -D 'c=logspace(-3, 1, 20)'")[4], "c=logspace(-3, 1, 20)");
    assert_eq!(chapter::anchor("B0101: the file is not UTF-8 text"), "b0101-the-file-is-not-utf-8-text");
}
