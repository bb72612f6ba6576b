//! Numbers that come from outside a problem: arrays read from files and arrays drawn from seeded generators.
//!
//! Files are reached only through a [`Source`] that the caller provides; this room touches no disk, clock or terminal.
//! Formats ([`FORMATS`]) and generators ([`GENERATORS`]) are tables: a new format is one file and one line.
//! A doubtful value is never guessed: it is a [`ReadError`] that names file, line and column.

mod array;
mod error;
mod file_place;
mod file_source;
mod format;
mod generate;
mod label_noise;
mod option;
mod permute;
mod stream;
mod task_draw;
mod unpack;
mod values;

pub use array::{Array, Bytes, MAX_RANK, Numbers, Owner, Shared, Stored};
pub use error::{NumberHint, ReadError, ReadErrorKind};
pub use file_place::Place;
pub use file_source::{Memory, Source, alternatives};
pub use format::{FORMATS, Format, Header, HeaderRow, Loaded, classes, format};
pub use generate::{GENERATORS, GenerateError, Generator, generate, generator};
pub use label_noise::{Noise, Replacement, splitmix64};
pub use option::{OptionEntry, OptionError, OptionValue};
pub use permute::permutation;
pub use stream::{stream, symmetric};
pub use task_draw::{Draw, Tasks, TooFewRows};
