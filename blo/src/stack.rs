//! The stack of threads that read programs.

use std::panic::resume_unwind;
use std::thread;

use crate::error::Error;

/// Deeply nested programs recurse; the default stack of 8 MiB is too small for the deepest that the grammar admits
/// in an unoptimized build.
pub const STACK_BYTES: usize = 64 << 20;

/// Does work that recurses on a stack that is deep enough, whatever thread the caller is on.
pub(crate) fn deep<R: Send>(work: impl FnOnce() -> R + Send) -> Result<R, Error> {
    thread::scope(|scope| {
        let worker = thread::Builder::new().name("blo".to_owned()).stack_size(STACK_BYTES).spawn_scoped(scope, work);
        let worker = worker.map_err(|e| Error::call(format!("cannot start a thread: {e}"), None))?;
        Ok(worker.join().unwrap_or_else(|bug| resume_unwind(bug)))
    })
}
