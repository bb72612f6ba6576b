//! The text of a problem with its name: what is read, checked and shown beside a message.

use std::path::{Path, PathBuf};

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

impl Document {
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
