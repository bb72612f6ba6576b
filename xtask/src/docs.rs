//! What is generated, and how a generated file is brought up to date: each maker turns the file as it is into the file
//! as it should be, so that text around a generated part stays.

use std::path::Path;

use crate::{codes, dictionary, editor, gallery, language};

/// Makes the new text of a file from the root of the repository and the old text.
type Maker = fn(&Path, &str) -> Result<String, String>;

/// Every file with generated parts, by its path from the root.
const FILES: [(&str, Maker); 7] = [
    ("docs/book/src/language.md", language::page),
    ("docs/book/src/which-method.md", language::page),
    ("docs/editors/vscode/syntaxes/blo.tmLanguage.json", editor::grammar),
    ("cli/codes/README.md", codes::index),
    // a crate holds all that it includes
    ("cli/pages/reading-the-output.md", |root, _| page(root, "docs/book/src/reading-the-output.md")),
    ("cli/pages/gallery.txt", gallery::page),
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

/// A page as it is, for the crate that shows it.
fn page(root: &Path, path: &str) -> Result<String, String> {
    std::fs::read_to_string(root.join(path)).map_err(|why| format!("{path}: {why}"))
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
