//! How things are written: diagnostics, solutions and problems as text and as JSON. It decides how things look, never what
//! they are.

/// Counts changes of the JSON that commands write: a field that goes away or changes its meaning. Every object that is
/// written has it as `schema`. New fields may come without a new number.
pub const SCHEMA: u32 = 1;

pub mod explain;
pub mod number;
pub mod object;
pub mod plan;
pub mod render;
pub mod report;
pub mod table;
pub mod text;
