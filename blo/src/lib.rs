//! Bilevel optimization from Rust.
// The bans keep engine and solvers off files and clocks; this crate is the caller that provides them.
#![allow(clippy::disallowed_methods)]

#[doc(hidden)]
pub mod document;
#[doc(hidden)]
pub mod input;
#[doc(hidden)]
pub mod output;
