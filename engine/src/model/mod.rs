//! From syntax tree to a checked problem.

pub mod calculus;
pub mod convexity;
pub mod problem;
mod rules;
pub mod shape;
pub mod sign;
pub mod strong_convexity;
