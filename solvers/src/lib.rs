//! Bilevel methods as iteration graphs, and the driver that runs them.
//!
//! ```text
//! (Problem, Request) --settings--> Settings --method--> Iteration --driver--> Solution
//! ```

mod assembly;
pub mod assumption;
mod candidate;
pub mod checkpoint;
pub mod control;
mod curvature;
mod diagnosis;
mod driver;
mod eigen;
mod first_order;
pub mod iteration;
mod machine;
mod message;
pub mod method;
mod metric;
mod polish;
mod progress;
mod quasi_newton;
mod residual;
mod run;
pub mod schedule;
pub mod settings;
mod snapshot;
pub mod solution;
mod stop;
pub mod trace;
mod value;

pub use checkpoint::{Checkpoint, CheckpointError};
pub use control::{Control, Iterate, Next, Verdict};
pub use driver::{plan, prepare, resume, solve};
pub use first_order::Counts;
pub use method::METHODS;
pub use settings::{Override, PresetChoice, Request, check};
pub use solution::{Solution, Status};
pub use trace::{Observer, Silent};

#[cfg(test)]
mod fixture;
