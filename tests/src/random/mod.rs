//! Random scalar problems, each made from its seed alone, and the judgement of what methods answer to them.

mod generator;
mod judge;

pub use generator::problem;
pub use judge::{Judged, Tally, Trial};
