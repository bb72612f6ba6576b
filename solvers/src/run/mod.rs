//! One run of a method: the loop over its iterations, what it keeps, how it stops, and how its end becomes a solution.

pub(crate) mod best_point;
pub(crate) mod blame;
pub mod checkpoint;
pub(crate) mod diagnosis;
pub(crate) mod driver;
pub(crate) mod finish;
pub(crate) mod judgement;
mod last_look;
pub mod observer;
pub(crate) mod progress;
pub(crate) mod reported_metrics;
pub(crate) mod resample;
pub(crate) mod rows;
pub(crate) mod snapshot;
pub(crate) mod stages;
pub(crate) mod state;
pub(crate) mod stop;
