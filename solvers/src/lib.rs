//! Bilevel methods as iteration graphs, and the run of one of them.
//!
//! ```text
//! (Problem, Request) --options--> Settings --method--> Iteration --run--> Solution
//! ```
//!
//! ```
//! use blo_engine::data::Memory;
//! use blo_engine::model::{bind, check, Settings};
//! use blo_solvers::{Request, Silent, Status, solve};
//!
//! let text = "upper { var x  minimize (x - 1)^2 + (y - 1)^2 }  lower { var y  minimize (y - x)^2 }";
//! let parsed = blo_grammar::parse(text);
//! let problem = check(&parsed.ast, text, "example", &Settings::default()).problem.expect("the text is right");
//! let data = bind(&problem, &Memory::new(), 0).expect("there are no files to read");
//! let solution = solve(&problem, &data, &Request::new("meha"), &mut Silent).expect("the request is right");
//! assert_eq!(solution.status, Status::Converged);
//! assert!((solution.variable("x").expect("a variable").values[0] - 1.0).abs() < 1e-3);
//! ```

pub mod audit;
mod conic;
pub mod export;
mod formula;
mod hypergradient;
pub mod iteration;
pub mod landscape;
mod lower;
mod message;
pub mod method;
mod nlp;
pub mod options;
mod pipeline;
pub mod profile;
mod reduced;
mod reduced_gradient;
pub mod run;
mod sensitivity;
mod small;
pub mod solution;
mod tolerances;
mod vectors;
mod warm_start;

pub use audit::condition::Condition;
pub use audit::expectation::{judge, planned_runs};
pub use audit::known::{check_known, known_errors};
pub use hypergradient::Derivatives;
pub use hypergradient::check::HypergradientCheck;
pub use iteration::control::{Control, Iterate, Next, NextState, Verdict};
pub use iteration::counts::Counts;
pub use landscape::landscape;
pub use method::features::Features;
pub use method::resolve::{check, resolve};
pub use method::{METHODS, by_name, taking, with_hypergradients};
pub use options::entry::{COMMON, MethodEntry, OptionEntry};
pub use options::request::{DEFAULT_METHOD, Override, PresetChoice, Request, at_commas};
pub use options::settings::{Origin, Settings};
pub use options::value::Value;
pub use pipeline::{ExternalStage, Prepared, check_hypergradient, external_stages, plan, prepare, resume, solve};
pub use profile::profile;
pub use reduced_gradient::{ReducedGradient, reduced_gradient};
pub use run::checkpoint::{Checkpoint, CheckpointError};
pub use run::observer::{Follow, Look, Observer, Silent};
pub use run::reported_metrics::row_metrics;
pub use sensitivity::sensitivity;
pub use solution::trace::Seen;
pub use solution::{Solution, Status};

#[cfg(test)]
mod fixture;
