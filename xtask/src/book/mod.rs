//! The book: `docs/book/src` has a file per chapter. Here are the parts of it that are made from the repository: the list of
//! the pages of codes, the page with all programs of `specs`, and the pictures. What a page says of the command is run by the
//! tests of `cli`, which read the chapters with `chapter`.

pub mod chapter;
pub mod pictures;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use crate::codes;
use crate::parts::replaced;

/// Where the chapters are, from the root.
pub const SOURCE: &str = "docs/book/src";

/// The chapter with all programs of `specs`.
const PROGRAMS: &str = "programs.md";

/// Marks of a part that is made, in a comment of Markdown.
const MARKS: [&str; 3] = ["<!-- begin ", "<!-- end ", " -->"];

/// The list of chapters, with the pages of codes as they are.
pub(crate) fn summary(root: &Path, old: &str) -> Result<String, String> {
    let mut list = "\n".to_owned();
    for page in codes::pages(root)? {
        let _ = writeln!(list, "- [{}](codes/{})", page.title, page.file);
    }
    replaced(old, MARKS, &|_| Ok(list.clone()))
}

/// A page per page of codes, by its path from the root. It takes the page of the package `cli` in, and copies nothing.
pub(crate) fn code_pages(root: &Path) -> Result<Vec<(String, String)>, String> {
    let page = |here: &str, there: &str| {
        (format!("{SOURCE}/codes/{here}"), format!("{{{{#include ../../../../cli/codes/{there}}}}}\n"))
    };
    let pages = codes::pages(root)?.into_iter().map(|found| page(&found.file, &found.file));
    Ok(pages.chain([page("index.md", "README.md")]).collect())
}

/// Makes a folder one in which a reader types the lines of the book: the programs of `specs` with their data, and those that
/// chapters show with a name, as `NAME.blo`. Two chapters may show the same program, and no two programs of one name.
///
/// # Errors
/// A file that cannot be read or written, or two programs of one name.
pub fn workplace(root: &Path, folder: &Path) -> Result<(), String> {
    copy(&root.join("specs"), &folder.join("specs"))?;
    copy(&root.join("specs/data"), &folder.join("data"))?;
    let mut written: BTreeMap<String, String> = BTreeMap::new();
    for chapter in chapter::chapters(root)?.iter().filter(|c| c.path != PROGRAMS && !c.path.contains('/')) {
        for block in chapter.blocks().iter().filter(|b| b.info.split(' ').next() == Some("blo")) {
            let name = block.body.lines().find_map(|line| line.strip_prefix("problem "));
            let Some(name) = name.and_then(|rest| rest.split_whitespace().next()) else { continue };
            let path = folder.join(format!("{name}.blo"));
            std::fs::write(&path, block.body).map_err(|why| format!("{}: {why}", path.display()))?;
            if written.insert(name.to_owned(), block.body.to_owned()).is_some_and(|other| other != block.body) {
                return Err(format!("{}: `problem {name}` is another program elsewhere", chapter.path));
            }
        }
    }
    Ok(())
}

/// Copies a folder with all that is in it.
fn copy(from: &Path, to: &Path) -> Result<(), String> {
    let said = |why: std::io::Error| format!("{}: {why}", from.display());
    std::fs::create_dir_all(to).map_err(said)?;
    for entry in std::fs::read_dir(from).map_err(said)?.flatten() {
        let path = entry.path();
        if path.is_dir() {
            copy(&path, &to.join(entry.file_name()))?;
        } else {
            std::fs::copy(&path, to.join(entry.file_name())).map_err(said)?;
        }
    }
    Ok(())
}

/// The page with the programs of `specs`, each under a heading with its name.
pub(crate) fn programs(root: &Path, old: &str) -> Result<String, String> {
    const FOLDER: &str = "specs";
    let entries = std::fs::read_dir(root.join(FOLDER)).map_err(|why| format!("{FOLDER}: {why}"))?;
    let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.filter_map(|name| name.strip_suffix(".blo").map(str::to_owned)).collect();
    names.sort();
    let mut list = "\n".to_owned();
    for name in names {
        let _ = writeln!(list, "\n## {name}\n```blo\n{{{{#include ../../../{FOLDER}/{name}.blo}}}}\n```");
    }
    replaced(old, MARKS, &|_| Ok(list.clone()))
}
