//! Checkpoint files as `--resume` reads them.

use blo_solvers::run::checkpoint::{Checkpoint, CheckpointError};
use std::fmt::Display;
use std::io::{self, Read};
use std::path::Path;

use crate::exit::Failure;
use blo::input::file;

/// Bytes that tell whether a file is a checkpoint, before the rest is read.
const START: u64 = 1 << 12;

/// The largest file that is read: the state of a run with a hundred million variables has less.
const LARGEST: u64 = 1 << 34;

/// The checkpoint in a file.
///
/// # Errors
/// [`Failure::File`] when it is not a regular file, is too large, cannot be read or is not a checkpoint.
pub(crate) fn read(path: &Path) -> Result<Checkpoint, Failure> {
    let failure = |why: &dyn Display| Failure::File {
        message: format!("--resume {}: {why}", path.display()),
        help: Some("it takes a file that `--checkpoint` wrote".to_owned()),
    };
    let unreadable = |e: io::Error| match e.kind() {
        io::ErrorKind::NotFound => failure(&"no such file"),
        _ => failure(&format!("cannot be read: {e}")),
    };
    let mut file = file::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.by_ref().take(START).read_to_end(&mut bytes).map_err(unreadable)?;
    if let Err(error @ (CheckpointError::NotOne | CheckpointError::Format(_))) = Checkpoint::from_bytes(&bytes) {
        return Err(failure(&error));
    }
    let size = file.metadata().map_err(unreadable)?.len();
    if size > LARGEST {
        return Err(failure(&format!("the file has {size} bytes, and a checkpoint at most {LARGEST}")));
    }
    // a file may grow while it is read
    file.take(LARGEST).read_to_end(&mut bytes).map_err(unreadable)?;
    Checkpoint::from_bytes(&bytes).map_err(|e| failure(&e))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::io::Write;

    fn said(path: &Path) -> String {
        read(path).expect_err("not a checkpoint").to_string()
    }

    #[test]
    fn a_file_that_is_too_large_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c");
        // files with holes take no room on the disk
        let other = File::create(&path).unwrap();
        other.set_len(1 << 40).unwrap();
        assert!(said(&path).ends_with("this is not a checkpoint of blo"), "{}", said(&path));
        let mut large = File::create(&path).unwrap();
        large.write_all(b"blo\0ckpt\x09\0\0\0").unwrap();
        large.set_len(1 << 40).unwrap();
        assert!(said(&path).contains("the file has 1099511627776 bytes"), "{}", said(&path));
    }

    #[cfg(unix)]
    #[test]
    fn a_device_is_not_a_checkpoint() {
        let said = said(Path::new("/dev/zero"));
        assert!(said.starts_with("--resume /dev/zero: cannot be read: this is a device"), "{said}");
    }
}
