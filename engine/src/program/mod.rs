//! From a function to something that runs: nodes that no varying input reaches are hoisted, what the run before has
//! computed already is carried, the rest is scheduled into fused loops and kernel calls over buffers placed once.
//!
//! ```text
//! Function --schedule--> items --place--> buffers --lower--> Program --run--> outputs
//! ```
//! `schedule/` orders nodes and fuses them; its `view` is the algebra that makes Broadcast, Reshape, Transpose and Slice
//! free: they are other ways to read an array. `place` shares buffers, `lower/` writes instructions, `run/` holds what is
//! left at run time, `describe` writes the plan of it.

mod compile;
mod describe;
mod limits;
mod lower;
mod place;
pub mod plan;
mod role;
mod run;
mod scalar;
mod schedule;
mod section;
#[cfg(test)]
mod tests;

pub use compile::compile;
pub use plan::Plan;
pub use role::Role;
pub use run::{BadIndex, OutOfMemory, Program, Workspace};
pub use scalar::Scalar;
pub use section::Section;
