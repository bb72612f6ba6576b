//! A chapter as the tests read it: its headings, links and blocks, with what it includes in its place.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::SOURCE;

/// A file of the book.
pub struct Chapter {
    /// Where it is within the folder of the chapters, with `/`.
    pub path: String,
    /// Its text, with the text of included files.
    pub text: String,
}

/// A block between lines of three backquotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block<'a> {
    /// What follows the opening backquotes.
    pub info: &'a str,
    /// The lines between, each with its end.
    pub body: &'a str,
}

/// All chapters, by path; the list of chapters is none of them.
///
/// # Errors
/// A file that cannot be read.
pub fn chapters(root: &Path) -> Result<Vec<Chapter>, String> {
    let source = root.join(SOURCE);
    let mut found = Vec::new();
    for path in pages(&source)? {
        let within = path.strip_prefix(&source).map_err(|why| why.to_string())?;
        let within = within.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/");
        if within != "SUMMARY.md" {
            found.push(Chapter { text: included(&path)?, path: within });
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

/// The files of Markdown in a folder and in those below it.
fn pages(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = std::fs::read_dir(folder).map_err(|why| format!("{}: {why}", folder.display()))?;
    let mut found = Vec::new();
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            found.extend(pages(&path)?);
        } else if path.extension().is_some_and(|e| e == "md") {
            found.push(path);
        }
    }
    Ok(found)
}

/// The text of a file, with that of the files that its lines `{{#include PATH}}` name.
fn included(path: &Path) -> Result<String, String> {
    let read = |path: &Path| std::fs::read_to_string(path).map_err(|why| format!("{}: {why}", path.display()));
    let folder = path.parent().unwrap_or(path);
    let mut text = String::new();
    for line in read(path)?.split_inclusive('\n') {
        match line.trim().strip_prefix("{{#include ").and_then(|rest| rest.strip_suffix("}}")) {
            Some(other) => text += &read(&folder.join(other))?,
            None => text += line,
        }
    }
    Ok(text)
}

/// What a heading is called in the address of a page: lower case, a hyphen for a space, nothing for a mark.
#[must_use]
pub fn anchor(heading: &str) -> String {
    let kept = heading.trim().chars().filter(|c| c.is_alphanumeric() || c.is_whitespace() || matches!(c, '-' | '_'));
    kept.map(|c| if c.is_whitespace() { '-' } else { c }).flat_map(char::to_lowercase).collect()
}

impl Chapter {
    /// The blocks of the chapter.
    #[must_use]
    pub fn blocks(&self) -> Vec<Block<'_>> {
        let mut found = Vec::new();
        let mut open: Option<(&str, usize)> = None;
        let mut at = 0;
        for line in self.text.split_inclusive('\n') {
            match (line.strip_prefix("```"), open) {
                (Some(info), None) => open = Some((info.trim(), at + line.len())),
                (Some(_), Some((info, start))) => {
                    found.push(Block { info, body: &self.text[start..at] });
                    open = None;
                }
                (None, _) => {}
            }
            at += line.len();
        }
        found
    }

    /// Its lines outside of blocks.
    fn prose(&self) -> impl Iterator<Item = &str> {
        let mut within = false;
        self.text.lines().filter(move |line| {
            let mark = line.starts_with("```");
            within ^= mark;
            !mark && !within
        })
    }

    /// What its headings are called in addresses; the second of two equal ones ends in `-1`.
    #[must_use]
    pub fn anchors(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for line in self.prose().filter(|line| line.starts_with('#')) {
            let name = anchor(line.trim_start_matches('#'));
            let again = (1..).map(|n| format!("{name}-{n}"));
            let free = std::iter::once(name.clone()).chain(again).find(|name| !found.contains(name));
            found.extend(free);
        }
        found
    }

    /// Where its links and pictures point to. Code has no links.
    #[must_use]
    pub fn links(&self) -> Vec<String> {
        let mut found = Vec::new();
        for line in self.prose() {
            // the parts outside of backquotes; the end of a link stands in them too, since an address has none
            let text: String = line.split('`').step_by(2).collect();
            let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
            found.extend(targets.map(str::to_owned));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chapter(text: &str) -> Chapter {
        Chapter { path: "a.md".to_owned(), text: text.to_owned() }
    }

    #[test]
    fn headings_have_names_in_addresses() {
        assert_eq!(anchor(" `auto`: what it takes, and why"), "auto-what-it-takes-and-why");
        assert_eq!(anchor("Eq. (5) of BDA"), "eq-5-of-bda");
        let page = chapter("# A b\n```blo\n## not one\n```\n## A b\n");
        assert_eq!(page.anchors().into_iter().collect::<Vec<_>>(), ["a-b", "a-b-1"]);
    }

    #[test]
    fn links_are_those_outside_of_code() {
        let page = chapter("[a](b.md#c) and `x[i](y)` and [`d`](e.md)\n```\n[f](g.md)\n```\n![h](i.svg)\n");
        assert_eq!(page.links(), ["b.md#c", "e.md", "i.svg"]);
    }

    #[test]
    fn blocks_are_between_backquotes() {
        let page = chapter("a\n```blo wrong\nb\n```\n```\nc\n```\n");
        assert_eq!(page.blocks(), [Block { info: "blo wrong", body: "b\n" }, Block { info: "", body: "c\n" }]);
    }
}
