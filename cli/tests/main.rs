//! The tests of the command as its users see it, in one program: each of them links the crates.

mod advice;
mod attack;
mod bad_programs;
mod codes;
mod document;
mod editors;
mod fixes;
mod hidden_characters;
mod inputs;
mod language;
mod plans;
mod resources;
mod stopped;
mod transcripts;
mod width;
