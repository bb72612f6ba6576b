//! What the command writes: diagnostics, tables, results and files. It decides how things look, never what they are.

pub(crate) mod bench;
pub(crate) mod console;
pub(crate) mod file;
pub(crate) mod iterations;
pub(crate) mod measured;
pub(crate) mod outputs;
pub(crate) mod profile;
pub(crate) mod progress;
pub(crate) mod save;
pub(crate) mod screen;
pub(crate) mod terminal;
