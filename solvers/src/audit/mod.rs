//! What is checked beside a run: assumptions of methods, the literature's optimum, and the assertions of a file.

pub mod assumption;
pub mod condition;
pub mod expectation;
pub mod known;
pub mod scales;
