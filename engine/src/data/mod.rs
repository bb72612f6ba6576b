//! Numbers that come from outside a problem: arrays drawn from seeded generators.
//!
//! Generators are a table, [`GENERATORS`]; a new one is an entry.

mod array;
mod generate;
mod near;
mod option;
mod stream;

pub use array::Array;
pub use generate::{GENERATORS, GenerateError, Generator, generate, generator};
pub use near::nearest;
pub use option::{OptionEntry, OptionError, OptionValue};
pub use stream::stream;
