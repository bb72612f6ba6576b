//! From syntax tree to a checked problem: names, shapes, levels, the smooth and the proximal part, data.

pub mod assumption;
mod bind;
mod build;
pub mod calculus;
mod call;
mod check;
mod comprehension;
pub mod convexity;
mod corrupt;
mod dataset;
mod definite;
mod domain;
mod episodes;
mod expression;
mod facts;
pub mod function;
mod index;
mod items;
mod message;
mod other_tasks;
pub mod problem;
mod reported;
mod rules;
pub mod shape;
pub mod sign;
pub mod strong_convexity;
mod terms;
mod value;

pub use bind::{Bindings, Bound, Corrupted, bind, has_tasks, headers, redraw};
use blo_grammar::diagnostic::Diagnostic;
pub use check::{Bound as SubscriptBound, Outcome, Settings, check};
pub use problem::Problem;
