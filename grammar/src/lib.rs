//! The `.blo` language: text to syntax tree, syntax tree to canonical text. Knows no mathematics and never panics,
//! whatever bytes it is given.
//!
//! ```
//! use blo_grammar::{Style, format, parse};
//! let source = "upper { var x  minimise x^2 }";
//! let parsed = parse(source);
//! assert_eq!(parsed.diagnostics[0].help, ["did you mean `minimize`?"]);
//! assert_eq!(format("let h=n/2", Style::Keep).unwrap(), "let h = n/2\n");
//! ```

pub mod ast;
pub mod diagnostic;
pub mod span;
pub mod token;

mod cut;
mod format;
mod message;
mod parse;

pub use cut::{MAX_ERRORS, is_start};
pub use format::{Style, format};

pub use parse::{CALLED, MAX_BYTES, Parsed, decode, parse, parse_expression, statements};

/// The edition of the language, as in `problem NAME (edition = 1)`. A change that gives a program another meaning, or
/// refuses one that was right, makes another edition.
pub const EDITION: u32 = 1;

/// The words of a text in order, keywords and names alike; those of comments and strings are left out.
pub fn words(source: &str) -> impl Iterator<Item = &str> {
    token::scan(source).into_iter().filter(|t| t.kind == token::Kind::Word).map(|t| t.text)
}
