//! Bilevel methods as iteration graphs, and the driver that runs them.

mod first_order;
pub mod iteration;
mod message;
pub mod method;
mod residual;
pub mod schedule;
pub mod settings;
pub mod solution;
pub mod trace;
