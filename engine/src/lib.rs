//! Expression graph, differentiation and the tables they are built from.

pub mod data;
pub mod diff;
pub mod elementwise;
pub mod graph;
/// From syntax tree to a checked problem.
pub mod model {
    pub mod shape;
    pub mod sign;
}
pub mod prox;
pub mod set;
