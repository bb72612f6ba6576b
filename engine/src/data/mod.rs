//! Numbers that come from outside a problem: arrays read from files and arrays drawn from seeded generators.
//!
//! Files are reached only through a [`Source`] that the caller provides; this room touches no disk, clock or terminal.
//! Formats ([`FORMATS`]) and generators ([`GENERATORS`]) are tables: a new format is one file and one line.
//! A doubtful value is never guessed: it is a [`ReadError`] that names file, line and column.

mod array;
mod corrupt;
mod episode;
mod error;
mod format;
mod generate;
mod near;
mod option;
pub mod oracle;
mod permute;
mod place;
mod source;
mod stored;
mod stream;
mod unpack;

pub use array::Array;
pub use corrupt::{Noise, Replacement, splitmix64};
pub use episode::{Draw, Tasks, TooFewRows};
pub use error::{NumberHint, ReadError, ReadErrorKind};
pub use format::{FORMATS, Format, Header, HeaderRow, classes, format};
pub use generate::{GENERATORS, GenerateError, Generator, generate, generator};
pub use near::nearest;
pub use option::{OptionEntry, OptionError, OptionValue};
pub use permute::permutation;
pub use place::Place;
pub use source::{Memory, Source};
pub use stored::{Bytes, Stored};
pub use stream::{stream, symmetric};
