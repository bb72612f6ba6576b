//! What methods write their formulas with, and how a formula becomes a program that runs on the data of a problem.

pub(crate) mod bound_program;
pub(crate) mod known_distance;
pub(crate) mod problem_graph;
pub(crate) mod report;
pub(crate) mod rows;
pub(crate) mod set_bounds;
pub(crate) mod start_point;
pub(crate) mod step_size;
pub(crate) mod upper_update;
