//! From syntax tree to a checked problem: names, shapes, levels, the smooth and the proximal part, data.

mod bind;
mod build;
pub mod calculus;
mod call;
mod check;
mod expression;
mod facts;
pub mod function;
mod index;
mod items;
mod message;
pub mod problem;
pub mod shape;
pub mod sign;
mod value;

pub use bind::{Bindings, Bound, bind};
use blo_grammar::diagnostic::Diagnostic;
pub use check::{Bound as SubscriptBound, Outcome, Settings, check};
pub use problem::Problem;
