//! Chores of the repository as a library, so that tests use what the command does: the files, or parts of files, that are
//! made from the tables of the language, the engine and the methods; and attacks on a built `blo`.
// The bans keep the engine off files; a chore reads and writes those of the repository.
#![allow(clippy::disallowed_methods)]

use std::path::{Path, PathBuf};

pub mod attack;
pub mod bench;
pub mod book;
mod codes;
mod dictionary;
pub mod docs;

mod editor;
mod gallery;
mod language;
pub mod literature;
mod parts;
mod words;

/// The root of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
