//! From syntax tree to a checked problem.

pub mod problem;
pub mod shape;
pub mod sign;
