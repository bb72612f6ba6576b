//! The expression graph: a closed set of operations, a hash-consed arena, and functions cut out of it.

mod builders;
pub mod function;
#[allow(clippy::module_inception)]
pub mod graph;
pub mod op;
mod simplify;
pub(crate) mod symmetry;
pub mod verify;

pub use builders::all_axes;
pub use function::{Formal, Function};
pub use graph::{Elem, Graph, Node, NodeId};
pub use op::{ConvPart, Op, Reduction, Windows};
