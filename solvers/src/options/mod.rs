//! The options of a run: what exists, what is given, and where each value comes from.

pub mod entry;
pub(crate) mod message;
pub mod request;
pub mod run_options;
pub mod schedule;
pub mod settings;
pub mod value;
