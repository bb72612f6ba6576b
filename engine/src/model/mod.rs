//! From syntax tree to a checked problem: names, shapes, levels, the smooth and the proximal part, data.

mod assert;
mod augmented;
mod batch;
mod bind;
mod check;
mod checker;
mod expression;
mod first_input;
pub mod function;
mod levels;
mod meaning;
mod message;
mod named;
mod names;
pub mod problem;
mod reported;
mod rows;
mod size;
mod vary;

pub use assert::{Asserted, assert};
pub use augmented::{Augmented, augmented};
pub use batch::{BatchError, RowStream, TooFewRows, with_batches};
pub use bind::{Bindings, Bound, Corrupted, FILE_NOT_THERE, Gap, StartError, bind, has_tasks, headers, redraw};
pub use check::{Outcome, check};
pub use checker::Settings;
pub use named::{Named, NamedValue, Nature};
pub use problem::{Obligation, Problem};
pub use reported::RESIDUALS;
pub use vary::{Varied, vary};
