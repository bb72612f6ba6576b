//! Problem files: read whole, never more than the grammar takes, and replaced in one step, so that an interrupted
//! `fmt` or `check --fix` leaves either the old or the new text. Devices and pipes are written to, never replaced.

use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::{MAX_BYTES, decode};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use blo_engine::data::nearest;

use crate::exit::Failure;

/// A text with its place.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    /// The path as typed, `<stdin>` for standard input.
    pub(crate) name: String,
    /// The file, unless the text came from standard input.
    pub(crate) path: Option<PathBuf>,
    /// The text.
    pub(crate) text: String,
}

/// What came of reading a document.
pub(crate) enum Reading {
    /// A text.
    Text(Document),
    /// Bytes that are no text, with a document to show the reason in.
    Refused(Document, Diagnostic),
}

impl Document {
    /// Reads a file, or standard input for `-`.
    ///
    /// # Errors
    /// [`Failure::File`] when there are no bytes to be had.
    pub(crate) fn read(path: &Path) -> Result<Reading, Failure> {
        let stdin = path == Path::new("-");
        let name = if stdin { "<stdin>".to_owned() } else { path.display().to_string() };
        let mut bytes = Vec::new();
        // one byte more than allowed tells a large file from the largest, and an endless one ends
        let limit = MAX_BYTES as u64 + 1;
        let length = if stdin {
            io::stdin().lock().take(limit).read_to_end(&mut bytes)
        } else {
            open(path).and_then(|f| f.take(limit).read_to_end(&mut bytes))
        };
        if let Err(error) = length {
            return Err(unreadable(path, &name, &error));
        }
        let path = (!stdin).then(|| path.to_owned());
        Ok(match decode(&bytes) {
            Ok(text) => Reading::Text(Document { name, path, text }),
            Err(diagnostic) => {
                // offsets up to the first bad byte are those of the file, and no message points beyond it
                let text = match std::str::from_utf8(&bytes) {
                    Err(error) if error.valid_up_to() > 0 => String::from_utf8_lossy(&bytes).into_owned(),
                    _ => String::new(),
                };
                Reading::Refused(Document { name, path, text }, diagnostic)
            }
        })
    }

    /// The folder that data paths are relative to.
    pub(crate) fn folder(&self) -> PathBuf {
        let parent = self.path.as_deref().and_then(Path::parent);
        parent.filter(|p| !p.as_os_str().is_empty()).map_or_else(|| PathBuf::from("."), Path::to_owned)
    }

    /// The file's name without its ending: a problem's name where the text gives none.
    pub(crate) fn stem(&self) -> String {
        let stem = self.path.as_deref().and_then(Path::file_stem);
        stem.map_or_else(|| "problem".to_owned(), |s| s.to_string_lossy().into_owned())
    }
}

/// Opens a file that can be read; a folder opens on Unix and fails at the first byte, with fewer words.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    let file = File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    Ok(file)
}

fn unreadable(path: &Path, name: &str, error: &io::Error) -> Failure {
    let (message, help) = match error.kind() {
        io::ErrorKind::NotFound => (format!("{name}: no such file"), near(path)),
        io::ErrorKind::IsADirectory => (format!("{name}: this is a folder, not a problem file"), programs(path)),
        io::ErrorKind::PermissionDenied => (format!("{name}: not allowed to read it"), None),
        _ => (format!("{name}: cannot be read: {error}"), None),
    };
    Failure::File { message, help }
}

/// Files with a similar name beside a missing one, or the folder that is missing.
fn near(path: &Path) -> Option<String> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        return Some(format!("there is no folder `{}` either", folder.display()));
    }
    let wanted = path.file_name()?.to_string_lossy().into_owned();
    let names = entries(folder);
    let near = nearest(&wanted, names.iter().map(String::as_str));
    if near.is_empty() {
        return programs(folder);
    }
    let near: Vec<String> = near.iter().map(|n| format!("`{}`", shown(folder, n))).collect();
    Some(format!("did you mean {}?", near.join(" or ")))
}

/// The problem files of a folder, for a message.
fn programs(folder: &Path) -> Option<String> {
    const SHOWN: usize = 5;
    let names: Vec<String> = entries(folder).into_iter().filter(|n| n.ends_with(".blo")).collect();
    if names.is_empty() {
        return None;
    }
    let list: Vec<String> = names.iter().take(SHOWN).map(|n| format!("`{}`", shown(folder, n))).collect();
    let more = if names.len() > SHOWN { format!(" and {} more", names.len() - SHOWN) } else { String::new() };
    Some(format!("problem files there: {}{more}", list.join(", ")))
}

fn shown(folder: &Path, name: &str) -> String {
    if folder == Path::new(".") { name.to_owned() } else { folder.join(name).display().to_string() }
}

/// Names of the files in a folder, sorted; none when it cannot be read.
pub(crate) fn entries(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<String> =
        entries.flatten().filter(|e| !e.path().is_dir()).filter_map(|e| e.file_name().into_string().ok()).collect();
    names.sort();
    names
}

/// What stands at a path that is no regular file and no missing one.
///
/// # Errors
/// [`Failure::File`] with a word for it.
pub(crate) fn must_be_regular(path: &Path) -> Result<(), Failure> {
    let Ok(there) = fs::metadata(path) else { return Ok(()) };
    if there.is_file() {
        return Ok(());
    }
    let what = if there.is_dir() { "a folder" } else { "a device or a pipe" };
    let message = format!("{}: this is {what}, not a file that can be replaced", path.display());
    Err(Failure::File { message, help: None })
}

/// Replaces a file's content in one step: a temporary file in the same folder is renamed over it. The permissions
/// stay, and a symbolic link goes on pointing to the file.
///
/// # Errors
/// [`Failure::File`]; the file is unchanged then. Devices, pipes and folders are never replaced.
pub(crate) fn replace(path: &Path, text: &[u8]) -> Result<(), Failure> {
    must_be_regular(path)?;
    let write = || -> io::Result<()> {
        let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let folder = target.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut file = tempfile::Builder::new().prefix(".blo-").tempfile_in(folder)?;
        file.write_all(text)?;
        if let Ok(old) = fs::metadata(&target) {
            file.as_file().set_permissions(old.permissions())?;
        }
        file.as_file().sync_all()?;
        file.persist(&target).map_err(|e| e.error)?;
        Ok(())
    };
    write().map_err(|error| unwritable(path, &error))
}

/// Writes a result: a file is replaced in one step, a device or a pipe takes the bytes as they come.
///
/// # Errors
/// [`Failure::File`].
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let passes_on = fs::metadata(path).is_ok_and(|there| !there.is_file() && !there.is_dir());
    if !passes_on {
        return replace(path, bytes);
    }
    let write = || -> io::Result<()> {
        let mut target = fs::OpenOptions::new().write(true).open(path)?;
        target.write_all(bytes)?;
        target.flush()
    };
    write().map_err(|error| unwritable(path, &error))
}

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    Failure::File { message: format!("{}: cannot be written: {error}", path.display()), help: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replacing_keeps_permissions_and_leaves_no_other_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.blo");
        fs::write(&path, "old").unwrap();
        let mut mode = fs::metadata(&path).unwrap().permissions();
        mode.set_readonly(true);
        fs::set_permissions(&path, mode).unwrap();
        replace(&path, b"new").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert!(fs::metadata(&path).unwrap().permissions().readonly());
        assert_eq!(entries(folder.path()), ["p.blo"]);
    }

    /// A pipe in a folder of its own; nothing is tested where the system has none.
    #[cfg(unix)]
    fn pipe(folder: &Path) -> Option<PathBuf> {
        let path = folder.join("pipe.json");
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        made.is_ok_and(|s| s.success()).then_some(path)
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_takes_results_and_stays_a_pipe() {
        use std::os::unix::fs::FileTypeExt;
        let folder = tempfile::tempdir().unwrap();
        let Some(path) = pipe(folder.path()) else { return };
        let is_pipe = || fs::metadata(&path).unwrap().file_type().is_fifo();
        let Err(Failure::File { message, .. }) = replace(&path, b"text") else { panic!("a pipe was replaced") };
        assert!(message.contains("a device or a pipe") && is_pipe(), "{message}");

        let reader = std::thread::spawn({
            let path = path.clone();
            move || fs::read_to_string(path).unwrap()
        });
        write(&path, b"text").unwrap();
        assert!(reader.join().unwrap() == "text" && is_pipe());

        // a reader that leaves at once: more than a pipe holds cannot be written
        let reader = std::thread::spawn({
            let path = path.clone();
            move || drop(File::open(path).unwrap())
        });
        let failed = write(&path, &vec![b'x'; 1 << 22]);
        reader.join().unwrap();
        let Err(Failure::File { message, .. }) = failed else { panic!("nobody read it") };
        assert!(message.contains("cannot be written") && is_pipe(), "{message}");
        assert_eq!(entries(folder.path()), ["pipe.json"]);
        assert!(replace(folder.path(), b"text").is_err() && write(folder.path(), b"text").is_err());
    }

    #[test]
    fn a_missing_file_names_its_neighbours() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("lasso.blo"), "").unwrap();
        let Err(Failure::File { message, help }) = Document::read(&folder.path().join("laso.blo")) else {
            panic!("a missing file cannot be read")
        };
        assert!(message.ends_with("laso.blo: no such file"), "{message}");
        assert!(help.unwrap().contains("lasso.blo"));
        let Err(Failure::File { help, .. }) = Document::read(folder.path()) else { panic!("a folder is no text") };
        assert!(help.unwrap().contains("lasso.blo"));
    }
}
