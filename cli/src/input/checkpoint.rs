//! Checkpoint files as `--resume` reads them.

use blo_solvers::run::checkpoint::Checkpoint;
use std::io;
use std::path::Path;

use crate::exit::Failure;

/// The checkpoint in a file.
///
/// # Errors
/// [`Failure::File`] when it cannot be read or is none.
pub(crate) fn read(path: &Path) -> Result<Checkpoint, Failure> {
    let failure = |why: &dyn std::fmt::Display| Failure::File {
        message: format!("--resume {}: {why}", path.display()),
        help: Some("it takes a file that `--checkpoint` wrote".to_owned()),
    };
    let bytes = std::fs::read(path).map_err(|e| match e.kind() {
        io::ErrorKind::NotFound => failure(&"no such file"),
        _ => failure(&format!("cannot be read: {e}")),
    })?;
    Checkpoint::from_bytes(&bytes).map_err(|e| failure(&e))
}
