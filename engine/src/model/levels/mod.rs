//! The levels of a problem: variables with their sets, objectives, the proximal part, the start and what is known.

mod build;
mod constraint;
pub(super) mod effect;
mod folding;
mod level;
pub(super) mod lower_prox;
mod row_names;
pub(super) mod start_known;
pub(super) mod variable_set;
