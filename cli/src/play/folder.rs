//! The files of the opened folder: the only ones that the page can list, open and save, and only problem files.

use blo::input::file::{self, Reading};
use blo::input::source::lies_in;
use std::fs;
use std::path::{Component, Path, PathBuf};

use crate::output::file::replace;

/// The ending of problem files.
const ENDING: &str = "blo";
/// Folders within folders that are listed, and files.
const DEPTH: usize = 4;
const MOST: usize = 500;

/// The opened folder.
#[derive(Clone, Debug)]
pub(super) struct Folder {
    /// Without links.
    pub(super) root: PathBuf,
}

/// Why a file cannot be opened or saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The page may not ask for it.
    Outside,
    /// It has changed since the page has opened it.
    Changed(String),
    /// The system refuses.
    Failed(String),
}

impl Folder {
    /// The names of its problem files, and of those in folders within it. Hidden folders and links to folders are left out.
    pub(super) fn files(&self) -> Vec<String> {
        let mut found = Vec::new();
        self.gather(&self.root, DEPTH, &mut found);
        found.sort();
        found
    }

    fn gather(&self, folder: &Path, depth: usize, found: &mut Vec<String>) {
        let Ok(entries) = fs::read_dir(folder) else { return };
        for entry in entries.flatten() {
            let (path, hidden) = (entry.path(), entry.file_name().to_string_lossy().starts_with('.'));
            let Ok(kind) = entry.file_type() else { continue };
            if hidden || found.len() >= MOST {
                continue;
            }
            if kind.is_dir() && depth > 0 {
                self.gather(&path, depth - 1, found);
            } else if is_problem(&path) && path.is_file() && lies_in(&self.root, &path) {
                let parts = path.strip_prefix(&self.root).unwrap_or(&path).components();
                let parts: Vec<_> = parts.map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
                found.push(parts.join("/"));
            }
        }
    }

    /// Where a problem file of a name is, or would be.
    pub(super) fn path(&self, name: &str) -> Result<PathBuf, Refusal> {
        let plain = !name.is_empty() && Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
        let path = self.root.join(name);
        let inside = plain
            && is_problem(&path)
            && !name.contains(|c: char| c == '\\' || c.is_control())
            && lies_in(&self.root, &path);
        inside.then_some(path).ok_or(Refusal::Outside)
    }

    /// Its text.
    pub(super) fn open(&self, name: &str) -> Result<String, Refusal> {
        match file::read(&self.path(name)?) {
            Ok(Reading::Text(document)) => Ok(document.text),
            Ok(Reading::Refused(_, why)) => Err(Refusal::Failed(format!("{name}: {}", why.message))),
            Err(why) => Err(Refusal::Failed(why.message)),
        }
    }

    /// Replaces its text, if it still is `was`; `None` means that there is no such file.
    pub(super) fn save(&self, name: &str, text: &str, was: Option<&str>) -> Result<(), Refusal> {
        let path = self.path(name)?;
        let there = match fs::symlink_metadata(&path) {
            Ok(_) => Some(self.open(name)?),
            Err(_) => None,
        };
        match (&there, was) {
            (Some(_), None) => return Err(Refusal::Changed(format!("{name}: there is such a file already"))),
            (None, Some(_)) => return Err(Refusal::Changed(format!("{name}: the file is gone"))),
            (Some(there), Some(was)) if plain(there) != plain(was) => {
                return Err(Refusal::Changed(format!("{name}: the file has been changed by somebody else meanwhile")));
            }
            _ => {}
        }
        // the page knows one end of lines
        let crlf = there.is_some_and(|there| there.contains("\r\n"));
        let text = if crlf { plain(text).replace('\n', "\r\n") } else { text.to_owned() };
        replace(&path, text.as_bytes()).map_err(|why| Refusal::Failed(why.to_string()))
    }
}

fn plain(text: &str) -> String {
    text.replace("\r\n", "\n")
}

fn is_problem(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == ENDING)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, Folder) {
        let outer = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(outer.path()).unwrap().join("root");
        fs::create_dir_all(root.join("sub/.hidden")).unwrap();
        for path in ["root/a.blo", "root/sub/b.blo", "root/sub/.hidden/c.blo", "root/data.csv", "secret.blo"] {
            fs::write(outer.path().join(path), path).unwrap();
        }
        (outer, Folder { root })
    }

    #[test]
    fn problem_files_are_listed_and_nothing_else() {
        let (_outer, folder) = folder();
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink("../secret.blo", folder.root.join("link.blo")).unwrap();
            std::os::unix::fs::symlink("../gone.blo", folder.root.join("dangling.blo")).unwrap();
            std::os::unix::fs::symlink("..", folder.root.join("up")).unwrap();
        }
        assert_eq!(folder.files(), ["a.blo", "sub/b.blo"]);
        assert_eq!(folder.open("a.blo").as_deref(), Ok("root/a.blo"));
        assert_eq!(folder.open("sub/b.blo").as_deref(), Ok("root/sub/b.blo"));
        let absolute = folder.root.join("a.blo").display().to_string();
        let outside = [
            "../secret.blo",
            "sub/../../secret.blo",
            "data.csv",
            "",
            ".",
            "a.blo\0",
            "a\n.blo",
            &absolute,
            "link.blo",
            "dangling.blo",
            "up/secret.blo",
        ];
        for name in outside {
            assert_eq!(folder.open(name), Err(Refusal::Outside), "{name}");
            assert_eq!(folder.save(name, "x", None), Err(Refusal::Outside), "{name}");
        }
        assert!(matches!(folder.open("nowhere.blo"), Err(Refusal::Failed(_))));
    }

    #[test]
    fn a_file_is_saved_unless_it_has_changed() {
        let (_outer, folder) = folder();
        let read = |name: &str| fs::read_to_string(folder.root.join(name)).unwrap();
        assert_eq!(folder.save("a.blo", "new", Some("root/a.blo")), Ok(()));
        assert_eq!(read("a.blo"), "new");
        assert!(matches!(folder.save("a.blo", "newer", Some("root/a.blo")), Err(Refusal::Changed(_))));
        assert!(matches!(folder.save("a.blo", "newer", None), Err(Refusal::Changed(_))));
        assert!(matches!(folder.save("n.blo", "newer", Some("x")), Err(Refusal::Changed(_))));
        assert_eq!(read("a.blo"), "new");
        assert_eq!(folder.save("n.blo", "1\n2\n", None), Ok(()));
        fs::write(folder.root.join("crlf.blo"), "1\r\n2\r\n").unwrap();
        assert_eq!(folder.save("crlf.blo", "1\n3\n", Some("1\n2\n")), Ok(()));
        assert_eq!(read("crlf.blo"), "1\r\n3\r\n");
        assert!(matches!(folder.save("no/folder.blo", "x", None), Err(Refusal::Failed(_))));
    }
}
