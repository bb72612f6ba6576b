//! The text of a problem with its name: what is read, checked and shown beside a message.

use std::path::{Path, PathBuf};

/// A text with its place.
#[derive(Clone, Debug)]
pub struct Document {
    /// The path as typed, `<stdin>` for standard input.
    pub name: String,
    /// The file, unless the text came from standard input.
    pub path: Option<PathBuf>,
    /// The text.
    pub text: String,
}

impl Document {
    /// The folder that data paths are relative to.
    pub fn folder(&self) -> PathBuf {
        let parent = self.path.as_deref().and_then(Path::parent);
        parent.filter(|p| !p.as_os_str().is_empty()).map_or_else(|| PathBuf::from("."), Path::to_owned)
    }

    /// The file's name without its ending: a problem's name where the text gives none.
    pub fn stem(&self) -> String {
        let stem = self.path.as_deref().and_then(Path::file_stem);
        stem.map_or_else(|| "problem".to_owned(), |s| s.to_string_lossy().into_owned())
    }
}
