//! Files as they are opened and problem files as they are read: regular files only, and of a problem file never more than
//! the grammar takes. A file that is not there is reported with its neighbors.

use blo_grammar::diagnostic::{Diagnostic, did_you_mean};
use blo_grammar::{MAX_BYTES, decode};
use std::fs::{self, File, FileType};
use std::io::{self, Read};
use std::path::Path;

use crate::document::Document;

/// Why a file cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Unreadable {
    /// What is wrong, with the path.
    pub message: String,
    /// The next step.
    pub help: Option<String>,
}

/// What came of reading a document.
pub enum Reading {
    /// A text.
    Text(Document),
    /// Bytes that are not text, with a document to show the reason in.
    Refused(Document, Diagnostic),
}

/// Reads a file, or standard input for `-`.
///
/// # Errors
/// When the bytes cannot be read.
pub fn read(path: &Path) -> Result<Reading, Unreadable> {
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

/// Opens a regular file: a problem, data or a checkpoint. Pipes and devices may wait for ever or never end, and a file of
/// data is read more than once.
///
/// # Errors
/// Those of the system, `IsADirectory` for a folder, and `InvalidInput` for anything else that is not a file.
pub fn open(path: &Path) -> io::Result<File> {
    // Opening a pipe waits for somebody who writes into it.
    let kind = fs::metadata(path)?.file_type();
    if kind.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if !kind.is_file() {
        let message = format!("this is {}; save its content in a regular file", what(kind));
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    File::open(path)
}

#[cfg(unix)]
fn what(kind: FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt;
    if kind.is_fifo() {
        "a pipe"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

#[cfg(not(unix))]
fn what(_: FileType) -> &'static str {
    "not a file"
}

fn unreadable(path: &Path, name: &str, error: &io::Error) -> Unreadable {
    let (message, help) = match error.kind() {
        io::ErrorKind::NotFound => match fs::read_link(path) {
            Ok(end) => (format!("{name}: this is a link to `{}`, which is not there", end.display()), None),
            Err(_) => (format!("{name}: no such file"), near(path)),
        },
        io::ErrorKind::IsADirectory => (format!("{name}: this is a folder, not a problem file"), programs(path)),
        io::ErrorKind::PermissionDenied => (format!("{name}: not allowed to read it"), None),
        io::ErrorKind::InvalidInput => {
            (format!("{name}: cannot be read: {error}"), Some("`-` as the file name reads standard input".to_owned()))
        }
        _ => (format!("{name}: cannot be read: {error}"), None),
    };
    Unreadable { message, help }
}

/// The file with the most similar name beside a missing one, or the folder that is missing.
fn near(path: &Path) -> Option<String> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        return Some(format!("there is no folder `{}` either", folder.display()));
    }
    let wanted = path.file_name()?.to_string_lossy().into_owned();
    let names = entries(folder);
    match did_you_mean(&wanted, names.iter().map(String::as_str)) {
        Some(near) => Some(format!("did you mean `{}`?", shown(folder, near))),
        None => programs(folder),
    }
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
pub fn entries(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<String> =
        entries.flatten().filter(|e| !e.path().is_dir()).filter_map(|e| e.file_name().into_string().ok()).collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_file_names_its_neighbors() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("lasso.blo"), "").unwrap();
        let Err(Unreadable { message, help }) = read(&folder.path().join("laso.blo")) else {
            panic!("a missing file cannot be read")
        };
        assert!(message.ends_with("laso.blo: no such file"), "{message}");
        assert!(help.unwrap().contains("lasso.blo"));
        let Err(Unreadable { help, .. }) = read(folder.path()) else { panic!("a folder is not a text") };
        assert!(help.unwrap().contains("lasso.blo"));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_nowhere_is_named_as_one() {
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("gone.blo", folder.path().join("x.blo")).unwrap();
        let Err(Unreadable { message, help }) = read(&folder.path().join("x.blo")) else { panic!("nothing is there") };
        assert!(message.ends_with("x.blo: this is a link to `gone.blo`, which is not there"), "{message}");
        assert_eq!(help, None);
    }

    #[cfg(unix)]
    #[test]
    fn only_regular_files_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("socket.blo");
        let _bound = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        for (path, what) in [(socket.as_path(), "a socket"), (Path::new("/dev/zero"), "a device")] {
            let Err(Unreadable { message, help }) = read(path) else { panic!("{what} is not a file") };
            assert!(message.contains(&format!("cannot be read: this is {what}; save")), "{message}");
            assert!(help.unwrap().contains("`-`"));
        }
    }
}
