//! How things are written: diagnostics, solutions and problems as text and as JSON. It decides how things look, never what
//! they are.

pub mod explain;
pub mod number;
pub mod object;
pub mod plan;
pub mod render;
pub mod report;
pub mod table;
pub mod text;
