//! What runs: a program's instructions, and the memory that they work on. It knows nothing about graphs or schedules.

mod execute;
mod fused;
mod loan;
mod memo;
mod memory;
pub(super) mod operand;
mod program;
pub(super) mod step;
pub(super) mod tape;
mod workspace;

pub use program::Program;
pub(super) use program::Slot;
pub use workspace::{BadIndex, OutOfMemory, Workspace};
