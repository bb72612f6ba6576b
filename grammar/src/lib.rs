//! The `.blo` language: text to syntax tree, syntax tree to canonical text. Knows no mathematics and never panics,
//! whatever bytes it is given.

pub mod ast;
pub mod diagnostic;
pub mod span;

mod cut;
mod format;
mod message;
mod parse;
mod token;

pub use format::{Style, format};
pub use parse::{MAX_BYTES, Parsed, decode, parse};
