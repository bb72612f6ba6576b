//! From a function to something that runs: nodes that no varying input reaches are hoisted, what the run before has
//! computed already is carried, the rest is scheduled into fused loops and kernel calls over buffers placed once.
//!
//! ```text
//! Function --hoist, carry--> phases --schedule, sink--> items --place--> buffers --lower--> Program --workspace--> run
//! ```
//! `view` is the algebra that makes Broadcast, Reshape, Transpose and Slice free: they are other ways to read a buffer.

mod carry;
mod compile;
mod hoist;
mod item;
mod lower;
mod memory;
mod operand;
mod place;
pub mod plan;
#[allow(clippy::module_inception)]
mod program;
mod run;
mod scalar;
mod schedule;
mod sink;
mod step;
mod tape;
#[cfg(test)]
mod tests;
mod view;
mod workspace;

pub use compile::{Role, compile};
pub use plan::{Plan, Section};
pub use program::Program;
pub use scalar::Scalar;
pub use workspace::{BadIndex, OutOfMemory, Workspace};
