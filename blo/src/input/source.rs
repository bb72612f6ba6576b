//! Where data files are looked for: the problem's folder, then each `--data-dir` in order. An absolute path is opened
//! as it is.

use blo_engine::data::{Source, alternatives};
use blo_engine::limits::Limits;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use crate::input::file;

/// Folders in the order of the search.
#[derive(Clone, Debug)]
pub struct Folders {
    folders: Vec<PathBuf>,
    limits: Limits,
    /// What the problem says of its data.
    about: Option<String>,
    /// What lies outside of this folder is not opened; none where a program may name any file.
    root: Option<PathBuf>,
}

impl Folders {
    /// The problem's folder first.
    pub fn new(own: PathBuf, others: &[PathBuf]) -> Folders {
        let folders = std::iter::once(own).chain(others.iter().cloned()).collect();
        Folders { folders, limits: Limits::default(), about: None, root: None }
    }

    /// The same folders for files within these limits.
    pub fn within(self, limits: Limits) -> Folders {
        Folders { limits, ..self }
    }

    /// The same folders for a program that nobody vouches for: it reads no file outside of `root`, also not by an absolute path,
    /// by `..` or through a link.
    pub fn confined_to(self, root: Option<PathBuf>) -> Folders {
        Folders { root, ..self }
    }

    /// Whether a path may be opened. What is asked of the system is asked of paths in the root only, so that a program does
    /// not learn what lies beside it.
    fn admits(&self, path: &Path) -> bool {
        self.root.as_deref().is_none_or(|root| lies_in(root, path))
    }

    /// With what the head of a problem says after `## Data:`, for those who lack a file.
    pub fn described_by(self, text: &str) -> Folders {
        let head = text.lines().map_while(|line| line.strip_prefix("##")).map(str::trim);
        let mut said = head.skip_while(|line| !line.starts_with("Data:"));
        let first = said.next().and_then(|line| line.strip_prefix("Data:"));
        let about = first.map(|first| std::iter::once(first.trim()).chain(said).collect::<Vec<_>>().join(" "));
        Folders { about, ..self }
    }

    /// Which folders of the command line are not there.
    pub fn absent(&self) -> Option<String> {
        // The first is that of the problem, which is there.
        let absent = self.folders.iter().skip(1).filter(|folder| !folder.is_dir());
        let absent: Vec<String> = absent.map(|folder| format!("`--data-dir {}`", folder.display())).collect();
        (!absent.is_empty()).then(|| format!("there is no folder for {}", absent.join(", ")))
    }

    /// The first file of that name.
    pub fn find(&self, path: &str) -> Option<PathBuf> {
        self.candidates(path).find(|path| self.admits(path) && path.is_file())
    }

    /// Where a file may be: the first alternative in every folder, then the next.
    fn candidates<'a>(&'a self, path: &'a str) -> impl Iterator<Item = PathBuf> + 'a {
        alternatives(path).flat_map(|name| self.folders.iter().map(move |folder| folder.join(name)))
    }
}

impl Source for Folders {
    fn open(&self, path: &str) -> io::Result<Box<dyn Read>> {
        let mut missing = io::Error::from(io::ErrorKind::NotFound);
        for path in self.candidates(path) {
            if !self.admits(&path) {
                let why = "it lies outside of the folder that this run may read";
                missing = io::Error::new(io::ErrorKind::PermissionDenied, why);
                continue;
            }
            match file::open(&path) {
                Ok(file) => return Ok(Box::new(file)),
                // a folder of that name does not hide a file further on
                Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {}
                Err(e) if e.kind() == io::ErrorKind::IsADirectory => missing = e,
                Err(e) => return Err(e),
            }
        }
        Err(missing)
    }

    fn same_file(&self, path: &str) -> String {
        let file = self.find(path).and_then(|path| std::fs::canonicalize(path).ok());
        file.map_or_else(|| path.to_owned(), |file| file.to_string_lossy().into_owned())
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for folder in &self.folders {
            names.extend(file::entries(folder));
            for sub in folders(folder).into_iter().filter(|sub| self.admits(&folder.join(sub))) {
                names.extend(file::entries(&folder.join(&sub)).into_iter().map(|n| format!("{sub}/{n}")));
            }
        }
        names.sort();
        names.dedup();
        names
    }

    fn remark(&self) -> Option<String> {
        let about = self.about.as_ref().map(|about| format!("the problem file says of its data: {about}"));
        let parts: Vec<String> = self.absent().into_iter().chain(about).collect();
        (!parts.is_empty()).then(|| parts.join("; "))
    }

    fn limits(&self) -> Limits {
        self.limits.clone()
    }
}

/// Whether a path lies in a folder: as it is written, and as it is once its links are followed.
pub fn lies_in(root: &Path, path: &Path) -> bool {
    let written = |path: &Path| {
        let mut found = PathBuf::new();
        for part in std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).components() {
            match part {
                Component::ParentDir => drop(found.pop()),
                Component::CurDir => {}
                part => found.push(part),
            }
        }
        found
    };
    let followed = |path: &Path| std::fs::canonicalize(path);
    let Ok(real) = followed(root) else { return false };
    let path = written(path);
    if !path.starts_with(written(root)) && !path.starts_with(&real) {
        return false;
    }
    // of what is not there, the nearest folder that is; a link that leads nowhere is there, and may lead outside
    let nearest = path.ancestors().find(|path| std::fs::symlink_metadata(path).is_ok());
    nearest.and_then(|path| followed(path).ok()).is_some_and(|path| path.starts_with(&real))
}

/// Names of the folders in a folder; hidden ones hold no data.
fn folders(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let folders = entries.flatten().filter(|e| e.path().is_dir());
    folders.filter_map(|e| e.file_name().into_string().ok()).filter(|n| !n.starts_with('.')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_searched_in_order() {
        let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::fs::write(first.path().join("a"), "1").unwrap();
        std::fs::write(second.path().join("a"), "2").unwrap();
        std::fs::create_dir(second.path().join("sub")).unwrap();
        std::fs::write(second.path().join("sub/b"), "3").unwrap();
        let source = Folders::new(first.path().to_owned(), &[second.path().to_owned()]);
        let read = |name: &str| source.open(name).and_then(io::read_to_string).map_err(|e| e.kind());
        assert_eq!(read("a").as_deref(), Ok("1"));
        assert_eq!(read("sub/b").as_deref(), Ok("3"));
        assert_eq!(read("c"), Err(io::ErrorKind::NotFound));
        assert_eq!(read("a/b"), Err(io::ErrorKind::NotFound));
        // an alternative that is written first wins, wherever it is
        assert_eq!(read("c | sub/b | a").as_deref(), Ok("3"));
        assert_eq!(read("c | d"), Err(io::ErrorKind::NotFound));
        assert_eq!(source.same_file("sub/b | a"), source.same_file("sub/b"));
        assert_eq!(read("sub"), Err(io::ErrorKind::IsADirectory));
        assert_eq!(source.names(), ["a", "sub/b"]);
        assert_eq!(source.same_file("a"), source.same_file("./a"));
        assert_ne!(source.same_file("sub/b"), source.same_file("a"));
        assert_eq!(source.remark(), None);
        let nowhere = Folders::new(first.path().to_owned(), &["nowhere".into(), second.path().to_owned()]);
        assert_eq!(nowhere.remark().as_deref(), Some("there is no folder for `--data-dir nowhere`"));
        let told = nowhere.described_by("## A problem.\n## Data: from here\n## and there.\nproblem p\n## Data: no\n");
        assert_eq!(told.absent().as_deref(), Some("there is no folder for `--data-dir nowhere`"));
        let said =
            "there is no folder for `--data-dir nowhere`; the problem file says of its data: from here and there.";
        assert_eq!(told.remark().as_deref(), Some(said));
    }

    #[test]
    fn a_confined_program_reads_nothing_outside_of_its_root() {
        let outer = tempfile::tempdir().unwrap();
        let root = outer.path().join("root");
        std::fs::create_dir_all(root.join("sub")).unwrap();
        for path in ["secret", "root/a", "root/sub/b"] {
            std::fs::write(outer.path().join(path), path).unwrap();
        }
        std::fs::create_dir(outer.path().join("root-beside")).unwrap();
        std::fs::write(outer.path().join("root-beside/a"), "no").unwrap();
        #[cfg(unix)]
        for (to, from) in [
            ("secret", "root/link"),
            ("gone", "root/dangling"),
            ("root-beside", "root/folder"),
            ("root/a", "root/sub/inner"),
        ] {
            std::os::unix::fs::symlink(outer.path().join(to), outer.path().join(from)).unwrap();
        }
        let source = Folders::new(root.join("sub"), std::slice::from_ref(&root)).confined_to(Some(root.clone()));
        let read = |name: &str| source.open(name).and_then(io::read_to_string).map_err(|e| e.kind());
        assert_eq!(read("a").as_deref(), Ok("root/a"));
        assert_eq!(read("../a").as_deref(), Ok("root/a"));
        assert_eq!(read("b").as_deref(), Ok("root/sub/b"));
        let secret = outer.path().join("secret").display().to_string();
        // what is there and what is not are the same from within
        for outside in ["../../secret", "../../nowhere", "../../root-beside/a", "/etc/hostname", "/nowhere", &secret] {
            assert_eq!(read(outside), Err(io::ErrorKind::PermissionDenied), "{outside}");
            assert_eq!(source.find(outside), None);
        }
        assert_eq!(read("nowhere"), Err(io::ErrorKind::NotFound));
        #[cfg(unix)]
        {
            assert_eq!(read("inner").as_deref(), Ok("root/a"));
            assert_eq!(read("link"), Err(io::ErrorKind::PermissionDenied));
            assert_eq!(read("dangling"), Err(io::ErrorKind::PermissionDenied));
            assert_eq!(read("folder/a"), Err(io::ErrorKind::PermissionDenied));
            assert!(!source.names().iter().any(|name| name.starts_with("folder/")), "{:?}", source.names());
        }
    }

    #[cfg(unix)]
    #[test]
    fn only_regular_files_are_opened() {
        let folder = tempfile::tempdir().unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(folder.path().join("socket")).unwrap();
        let source = Folders::new(folder.path().to_owned(), &[]);
        let said = |name: &str| source.open(name).err().map(|e| e.to_string()).unwrap_or_default();
        assert!(said("socket").starts_with("this is a socket"), "{}", said("socket"));
        assert!(said("/dev/zero").starts_with("this is a device"), "{}", said("/dev/zero"));
    }
}
