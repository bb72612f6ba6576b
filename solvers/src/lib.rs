//! Bilevel methods as iteration graphs, and the driver that runs them.
//!
//! ```text
//! (Problem, Request) --options--> Settings --method--> Iteration --run--> Solution
//! ```

pub mod audit;
mod formula;
mod hypergradient;
pub mod iteration;
mod lower;
mod message;
pub mod method;
pub mod options;
mod pipeline;
pub mod run;
pub mod solution;
mod tolerances;

pub use audit::expectation::{judge, planned_runs};
pub use audit::known::check_known;
pub use hypergradient::check::HypergradientCheck;
pub use iteration::control::{Control, Iterate, Next, NextState, Verdict};
pub use iteration::counts::Counts;
pub use method::resolve::{check, resolve};
pub use method::{METHODS, by_name};
pub use options::entry::{COMMON, MethodEntry, OptionEntry};
pub use options::request::{DEFAULT_METHOD, Override, PresetChoice, Request, at_commas};
pub use options::settings::{Origin, Settings};
pub use options::value::Value;
pub use pipeline::{Prepared, check_hypergradient, plan, prepare, resume, solve};
pub use run::checkpoint::{Checkpoint, CheckpointError};
pub use run::observer::{Observer, Silent};
pub use run::reported_metrics::row_metrics;
pub use solution::{Solution, Status};

#[cfg(test)]
mod fixture;
