//! Names of data files within the string of `csv("...")` and its like. Paths are those that a program may write: from the
//! folder of the document. Nothing outside of the root is listed, also not through `..`, a link or an absolute path.

use std::fs;
use std::path::{Path, PathBuf};

use blo_grammar::span::Span;

use super::completion::{Completion, CompletionKind};
use super::document::Syntax;

/// Folders with more entries are listed up to this many.
const MOST: usize = 500;

/// The entries of the folder that the string at `token` names so far.
pub(super) fn complete(syntax: &Syntax, token: usize, offset: usize, folder: &Path, root: &Path) -> Vec<Completion> {
    let span = syntax.tokens[token].span;
    let typed = syntax.text.get(span.start as usize + 1..offset).unwrap_or_default();
    // `a.csv | b.csv`: the alternative at hand
    let alternative = typed.rfind('|').map_or(0, |bar| bar + 1);
    let blank = typed[alternative..].len() - typed[alternative..].trim_start().len();
    let path = &typed[alternative + blank..];
    let (within, name) = path.rfind('/').map_or(("", path), |slash| path.split_at(slash + 1));
    let replaced = Span::new(offset - name.len(), offset);
    let Some(place) = inside(&folder.join(within), root).filter(|_| !Path::new(within).is_absolute()) else {
        return Vec::new();
    };
    let Ok(entries) = fs::read_dir(place) else { return Vec::new() };
    let mut found: Vec<Completion> = entries
        .flatten()
        .take(MOST)
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok().filter(|n| !n.starts_with('.'))?;
            let is_folder = entry.path().is_dir();
            let is_data = is_folder || entry.path().is_file() && !name.ends_with(".blo");
            is_data.then(|| completion(name, is_folder, replaced))
        })
        .collect();
    found.sort_by(|a, b| (a.rank, &a.label).cmp(&(b.rank, &b.label)));
    found
}

/// The folder as it really is, if it lies in the root.
fn inside(folder: &Path, root: &Path) -> Option<PathBuf> {
    let (folder, root) = (fs::canonicalize(folder).ok()?, fs::canonicalize(root).ok()?);
    folder.starts_with(root).then_some(folder)
}

fn completion(name: String, is_folder: bool, span: Span) -> Completion {
    Completion {
        text: if is_folder { format!("{name}/") } else { name.clone() },
        label: if is_folder { format!("{name}/") } else { name },
        kind: if is_folder { CompletionKind::Folder } else { CompletionKind::File },
        detail: String::new(),
        doc: String::new(),
        span,
        rank: u8::from(is_folder),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(text: &str, folder: &Path, root: &Path) -> Vec<String> {
        let offset = text.find('^').expect("a cursor");
        let syntax = Syntax::new(text.replace('^', ""));
        let found = super::super::complete(&syntax, offset, Some((folder, root)));
        found.into_iter().map(|c| c.label).collect()
    }

    #[test]
    fn files_of_the_opened_folder_are_offered_and_no_others() {
        let outer = tempfile::tempdir().expect("a folder");
        let root = outer.path().join("root");
        fs::create_dir_all(root.join("models/data")).expect("folders");
        for file in ["secret.csv", "root/a.csv", "root/models/p.blo", "root/models/b.csv", "root/models/data/c.csv"] {
            fs::write(outer.path().join(file), "1").expect("a file");
        }
        let models = root.join("models");
        assert_eq!(labels("data A[_] = csv(\"^", &models, &root), ["b.csv", "data/"]);
        assert_eq!(labels("data A[_] = csv(\"^\")", &models, &root), ["b.csv", "data/"]);
        assert_eq!(labels("data A[_] = csv(\"b.csv | data/^\")", &models, &root), ["c.csv"]);
        assert_eq!(labels("data A[_] = csv(\"../^\")", &models, &root), ["a.csv", "models/"]);
        assert!(labels("data A[_] = csv(\"../^\")", &models, &models).is_empty());
        assert!(labels("data A[_] = csv(\"../../^\")", &models, &root).is_empty());
        assert!(labels(&format!("data A[_] = csv(\"{}/^\")", outer.path().display()), &models, &root).is_empty());
        // a string that is no file, and one that is a column
        assert!(labels("let a = \"^\"", &models, &root).is_empty());
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(outer.path(), models.join("out")).expect("a link");
            assert!(labels("data A[_] = csv(\"out/^\")", &models, &root).is_empty());
        }
    }
}
