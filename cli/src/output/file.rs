//! Files as they are written: a regular file is replaced in one step, so that an interrupted `fmt` or `check --fix`
//! leaves either the old or the new text. Devices and pipes are written to, never replaced.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use crate::exit::Failure;

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

/// Replaces a file's content in one step: a temporary file in the same folder is renamed over it. The permissions
/// stay, and a symbolic link still points to the file.
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
    use std::fs::File;
    use std::path::PathBuf;

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
        assert_eq!(names(folder.path()), ["p.blo"]);
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
        assert_eq!(names(folder.path()), ["pipe.json"]);
        assert!(replace(folder.path(), b"text").is_err() && write(folder.path(), b"text").is_err());
    }

    fn names(folder: &Path) -> Vec<String> {
        fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect()
    }
}
