//! The stack of threads that read programs.

/// Deeply nested programs recurse; the default stack of 8 MiB is too small for the deepest that the grammar admits
/// in an unoptimized build.
pub(crate) const STACK_BYTES: usize = 64 << 20;
