//! What is generated, and how a generated file is brought up to date: each maker turns the file as it is into the file
//! as it should be, so that text around a generated part stays.

use std::path::Path;

use crate::{codes, dictionary, editor, language};

/// Makes the new text of a file from the root of the repository and the old text.
type Maker = fn(&Path, &str) -> Result<String, String>;

/// Every file with generated parts, by its path from the root.
const FILES: [(&str, Maker); 4] = [
    ("docs/language.md", language::page),
    ("docs/editors/vscode/syntaxes/blo.tmLanguage.json", editor::grammar),
    ("cli/codes/README.md", codes::index),
    ("fuzz/blo.dict", dictionary::words),
];

/// The files that differ from what the tables say.
///
/// # Errors
/// A file that cannot be read, or whose marks of generated parts are broken.
pub fn stale(root: &Path) -> Result<Vec<&'static str>, String> {
    Ok(fresh(root)?.into_iter().map(|(path, _)| path).collect())
}

/// Writes the files that differ from what the tables say, and returns their paths.
///
/// # Errors
/// As for [`stale`], and a file that cannot be written.
pub fn write(root: &Path) -> Result<Vec<&'static str>, String> {
    let fresh = fresh(root)?;
    for (path, text) in &fresh {
        std::fs::write(root.join(path), text).map_err(|why| format!("{path}: {why}"))?;
    }
    Ok(fresh.into_iter().map(|(path, _)| path).collect())
}

/// The stale files with their new text.
fn fresh(root: &Path) -> Result<Vec<(&'static str, String)>, String> {
    let mut changed = Vec::new();
    for (path, make) in FILES {
        let old = std::fs::read_to_string(root.join(path)).map_err(|why| format!("{path}: {why}"))?;
        let new = make(root, &old).map_err(|why| format!("{path}: {why}"))?;
        if new != old {
            changed.push((path, new));
        }
    }
    Ok(changed)
}

/// The text with every part between `open NAME close` and `open-end NAME close` made anew. `marks` are the text before
/// the name of a beginning, before the name of an end, and after either name.
pub(crate) fn replaced(
    text: &str,
    [begin, end, close]: [&str; 3],
    make: &dyn Fn(&str) -> Result<String, String>,
) -> Result<String, String> {
    let mut fresh = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(begin) {
        let (name, after) = after.split_once(close).ok_or("a mark is not closed")?;
        let last = format!("{end}{name}{close}");
        let (_, after) = after.split_once(last.as_str()).ok_or_else(|| format!("the part `{name}` has no end"))?;
        fresh += &format!("{before}{begin}{name}{close}{}{last}", make(name)?);
        rest = after;
    }
    Ok(fresh + rest)
}

/// A table in Markdown.
pub(crate) fn table(titles: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let mut text = line(titles.iter().map(|title| (*title).to_owned()).collect());
    text += &format!("|{}\n", "---|".repeat(titles.len()));
    for row in rows {
        text += &line(row.iter().map(|cell| cell.replace('|', "\\|")).collect());
    }
    text
}

/// Text as code in Markdown.
pub(crate) fn code(text: &str) -> String {
    format!("`{text}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marked_parts_are_replaced_and_the_rest_stays() {
        let marks = ["<begin ", "<end ", ">\n"];
        let make = |name: &str| Ok(format!("new {name}\n"));
        let text = "a\n<begin x>\nold\n<end x>\nb\n<begin y>\n<end y>\n";
        let fresh = "a\n<begin x>\nnew x\n<end x>\nb\n<begin y>\nnew y\n<end y>\n";
        assert_eq!(replaced(text, marks, &make).as_deref(), Ok(fresh));
        assert_eq!(replaced("<begin x>\n", marks, &make), Err("the part `x` has no end".to_owned()));
    }

    #[test]
    fn generated_files_are_fresh() {
        let stale = stale(&crate::root()).expect("the files of the repository");
        assert!(stale.is_empty(), "run `cargo xtask docs`: {stale:?}");
    }
}
