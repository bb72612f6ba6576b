//! What is generated, and how a generated file is brought up to date: each maker turns the file as it is into the file
//! as it should be, so that text around a generated part stays.

use std::path::Path;

use crate::{book, codes, dictionary, editor, gallery, language};

/// Makes the new text of a file from the root of the repository and the old text.
type Maker = fn(&Path, &str) -> Result<String, String>;

/// Every file with generated parts, by its path from the root.
const FILES: [(&str, Maker); 10] = [
    ("docs/book/src/language.md", language::page),
    ("docs/book/src/which-method.md", language::page),
    ("docs/book/src/SUMMARY.md", book::summary),
    ("docs/book/src/programs.md", book::programs),
    ("docs/book/theme/blo.js", editor::highlighting),
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
pub fn stale(root: &Path) -> Result<Vec<String>, String> {
    Ok(fresh(root)?.into_iter().map(|(path, _)| path).collect())
}

/// Writes the files that differ from what the tables say, and returns their paths.
///
/// # Errors
/// As for [`stale`], and a file that cannot be written.
pub fn write(root: &Path) -> Result<Vec<String>, String> {
    let fresh = fresh(root)?;
    for (path, text) in &fresh {
        let path = root.join(path);
        let folder = path.parent().unwrap_or(root);
        std::fs::create_dir_all(folder).map_err(|why| format!("{}: {why}", folder.display()))?;
        std::fs::write(&path, text).map_err(|why| format!("{}: {why}", path.display()))?;
    }
    Ok(fresh.into_iter().map(|(path, _)| path).collect())
}

/// A page as it is, for the crate that shows it.
fn page(root: &Path, path: &str) -> Result<String, String> {
    std::fs::read_to_string(root.join(path)).map_err(|why| format!("{path}: {why}"))
}

/// The stale files with their new text.
fn fresh(root: &Path) -> Result<Vec<(String, String)>, String> {
    let mut changed = Vec::new();
    for (path, make) in FILES {
        let old = std::fs::read_to_string(root.join(path)).map_err(|why| format!("{path}: {why}"))?;
        let new = make(root, &old).map_err(|why| format!("{path}: {why}"))?;
        if new != old {
            changed.push((path.to_owned(), new));
        }
    }
    let whole = book::code_pages(root)?.into_iter();
    // one that is not there yet is made
    changed.extend(whole.filter(|(path, new)| std::fs::read_to_string(root.join(path)).ok().as_ref() != Some(new)));
    Ok(changed)
}
