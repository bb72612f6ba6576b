//! The tests of the command as its users see it, in one program: each of them links the crates.

mod advice;
mod api;
mod attack;
mod bad_programs;
mod book;
mod codes;
mod document;
mod editors;
mod fixes;
mod hidden_characters;
mod language;
mod lsp;
mod plans;
mod play;
mod runs;
mod transcripts;
mod width;
