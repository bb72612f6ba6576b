//! The engine of `blo`: checks a problem, builds its expression graph, differentiates it graph to graph, and compiles
//! functions to programs on dense kernels. It touches no file, clock or terminal but through what the caller passes.

pub mod calculus;
pub mod data;
pub mod diff;
pub mod elementwise;
pub mod finite;
pub mod gradient_check;
pub mod graph;
pub mod kernel;
pub mod model;
pub mod opaque;
pub mod oracle;
pub mod program;
pub mod prox;
pub mod set;
pub mod shape;
pub mod sign;

pub use model::function;
