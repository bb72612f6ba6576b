//! Bilevel methods as iteration graphs, and the driver that runs them.
//!
//! ```text
//! (Problem, Request) --settings--> Settings --method--> Iteration --driver--> Solution
//! ```

mod assembly;
pub mod assumption;
mod binomial;
mod candidate;
pub mod checkpoint;
pub mod control;
mod curvature;
mod diagnosis;
mod driver;
mod dynamics;
mod eigen;
mod estimates;
pub mod expectation;
mod first_order;
mod hypergradient;
pub mod iteration;
pub mod known;
mod machine;
mod message;
pub mod method;
mod metric;
mod metrics;
mod polish;
mod progress;
mod quasi_newton;
mod resample;
mod residual;
mod run;
pub mod schedule;
pub mod settings;
mod snapshot;
pub mod solution;
mod stop;
pub mod trace;
mod trajectory;
mod update;
mod value;

pub use checkpoint::{Checkpoint, CheckpointError};
pub use control::{Control, Iterate, Next, NextState, Verdict};
pub use driver::{check_hypergradient, plan, prepare, resume, solve};
pub use expectation::{judge, planned_runs};
pub use first_order::Counts;
pub use known::check_known;
pub use method::METHODS;
pub use metrics::row_metrics;
pub use settings::{Override, PresetChoice, Request, check};
pub use solution::{Solution, Status};
pub use trace::{Observer, Silent};

#[cfg(test)]
mod fixture;
