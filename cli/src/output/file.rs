//! Files as they are written: a regular file is replaced in one step, so that whatever ends the process leaves either the
//! old content or the new one. Devices and pipes are written to, never replaced.
//!
//! The new content is written beside the file, to `.NAME.blo-XXXXXX.tmp`, which is locked while it is written. After a
//! kill it stays; whoever prepares to write NAME next removes it, once nobody holds its lock.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

use crate::clock;
use crate::exit::Failure;

/// Links that are followed, as many as systems do.
const LINKS: usize = 40;

/// Bytes of a name that a temporary name keeps: both have to fit into what a file system takes.
const NAME_BYTES: usize = 200;

/// Refuses a path that names a folder, a device or a pipe; a missing file is fine.
///
/// # Errors
/// [`Failure::File`] that says what is there.
pub(crate) fn must_be_regular(path: &Path) -> Result<(), Failure> {
    let Ok(there) = fs::metadata(path) else { return Ok(()) };
    if there.is_file() {
        return Ok(());
    }
    let what = if there.is_dir() { "a folder" } else { "a device or a pipe" };
    let message = format!("{}: this is {what}, not a file that can be replaced", path.display());
    Err(Failure::File { message, help: None })
}

/// Replaces a file's content in one step, and removes what a killed process left of an earlier attempt. The permissions
/// stay, and a symbolic link still points to the file.
///
/// # Errors
/// [`Failure::File`]; the file is unchanged then. Devices, pipes and folders are never replaced.
pub(crate) fn replace(path: &Path, text: &[u8]) -> Result<(), Failure> {
    remove_stale(&target(path));
    write_whole(path, text)
}

/// Replaces a file's content as [`replace`] does, without looking for what others left: a checkpoint is written often.
///
/// # Errors
/// As [`replace`].
pub(crate) fn write_whole(path: &Path, text: &[u8]) -> Result<(), Failure> {
    must_be_regular(path)?;
    let write = || -> io::Result<()> {
        let target = target(path);
        let mut file = temporary(&target)?;
        clock::writes(Some(file.path()));
        let written = put(&mut file, &target, text);
        let written = written.and_then(|()| file.persist(&target).map(drop).map_err(|e| e.error));
        clock::writes(None);
        written
    };
    write().map_err(|error| unwritable(path, &error))
}

fn put(file: &mut NamedTempFile, target: &Path, text: &[u8]) -> io::Result<()> {
    file.write_all(text)?;
    if let Ok(old) = fs::metadata(target) {
        file.as_file().set_permissions(old.permissions())?;
    }
    file.as_file().sync_all()
}

/// Writes a result: a file is replaced in one step, a device or a pipe takes the bytes as they come.
///
/// # Errors
/// [`Failure::File`].
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    if !passes_on(path) {
        return write_whole(path, bytes);
    }
    let write = || -> io::Result<()> {
        let mut target = fs::OpenOptions::new().write(true).open(path)?;
        target.write_all(bytes)?;
        target.flush()
    };
    write().map_err(|error| unwritable(path, &error))
}

/// True for a device or a pipe.
pub(crate) fn passes_on(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|there| !there.is_file() && !there.is_dir())
}

/// Makes sure that a file can be written where it is named, by making and removing the temporary one. Tells whether names
/// in that folder differ by more than their case.
///
/// # Errors
/// [`Failure::File`] when its folder is missing or takes no file, or a folder has its name.
pub(crate) fn probe(path: &Path) -> Result<bool, Failure> {
    if passes_on(path) {
        return Ok(true);
    }
    must_be_regular(path)?;
    let target = target(path);
    let folder = folder(&target);
    if !folder.is_dir() {
        let whose = if target == path { String::new() } else { format!("it is a link to {}, and ", target.display()) };
        let message = format!("{}: {whose}there is no folder `{}`", path.display(), folder.display());
        return Err(Failure::File { message, help: None });
    }
    if let Err(error) = fs::symlink_metadata(&target)
        && error.kind() == io::ErrorKind::InvalidFilename
    {
        // the temporary name may be shorter
        return Err(unwritable(path, &error));
    }
    remove_stale(&target);
    let made = temporary(&target).map_err(|error| unwritable(path, &error))?;
    let name = made.path().file_name().map(|name| name.to_string_lossy().to_uppercase());
    Ok(!name.is_some_and(|name| made.path().with_file_name(name).exists()))
}

/// The file that a path leads to, through links, also through one to a file that is not there yet.
pub(crate) fn target(path: &Path) -> PathBuf {
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        match fs::read_link(&path) {
            Ok(next) => path = folder(&path).join(next),
            Err(_) => break,
        }
    }
    path
}

/// The folder of a file.
pub(crate) fn folder(path: &Path) -> &Path {
    path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// What the names of a file's temporary ones begin and end with.
fn around(target: &Path) -> (OsString, &'static str) {
    let name = target.file_name().unwrap_or(OsStr::new("file"));
    let mut first = OsString::from(".");
    if name.len() <= NAME_BYTES {
        first.push(name);
    } else {
        let name = name.to_string_lossy();
        let end = (0..=NAME_BYTES).rev().find(|i| name.is_char_boundary(*i)).unwrap_or(0);
        first.push(&name[..end]);
    }
    first.push(".blo-");
    (first, ".tmp")
}

/// A new file beside another, with the permissions that the umask gives, locked until it is closed.
fn temporary(target: &Path) -> io::Result<NamedTempFile> {
    let (first, last) = around(target);
    let mut builder = tempfile::Builder::new();
    builder.prefix(&first).suffix(last);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let file = builder.tempfile_in(folder(target))?;
    // where the file system has no locks, nobody can tell that it is stale either
    let _ = file.as_file().try_lock();
    Ok(file)
}

/// Removes temporary files of a target that nobody writes any more.
fn remove_stale(target: &Path) {
    let (first, last) = around(target);
    let Ok(entries) = fs::read_dir(folder(target)) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let (name, first) = (name.as_encoded_bytes(), first.as_encoded_bytes());
        let rest = name.strip_prefix(first).and_then(|rest| rest.strip_suffix(last.as_bytes()));
        let is_ours = rest.is_some_and(|rest| !rest.is_empty() && rest.iter().all(u8::is_ascii_alphanumeric));
        let is_file = entry.file_type().is_ok_and(|t| t.is_file());
        if is_ours && is_file && File::open(entry.path()).is_ok_and(|file| file.try_lock().is_ok()) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    let why = match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            format!("not allowed to write to the folder `{}`", folder(&target(path)).display())
        }
        io::ErrorKind::FileTooLarge => "it would be larger than this process may write (`ulimit -f`)".to_owned(),
        io::ErrorKind::InvalidFilename => "its name is too long".to_owned(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "the disk is full".to_owned(),
        _ => error.to_string(),
    };
    Failure::File { message: format!("{}: cannot be written: {why}", path.display()), help: None }
}

#[cfg(test)]
mod tests;
