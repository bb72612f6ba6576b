//! Rows of `subject to` in a run: passes around methods that take none of the upper level, and the judgement of an end.

pub(crate) mod judgement;
pub(crate) mod passes;
mod ray;
