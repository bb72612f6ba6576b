//! Where the repository is, and how a test tells what it leaves out.

use std::path::{Path, PathBuf};

/// The repository's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Tells whoever runs the tests with `--nocapture`: what was skipped and why, what was measured.
pub fn say(text: &str) {
    eprintln!("{text}");
}
