//! The expression graph: a closed set of operations, a hash-consed arena, and functions cut out of it.
//!
//! ```
//! use blo_engine::prelude::*;
//!
//! let mut g = Graph::new();
//! let n = Dim::symbol("n");
//! let (u, v) = (g.input(0, Shape(vec![n.clone()]), Elem::Real), g.input(1, Shape(vec![n]), Elem::Real));
//! let difference = g.sub(u, v);
//! // Equal operations on equal operands are one node.
//! assert_eq!(g.sub(u, v), difference);
//! let distance = g.norm2(difference);
//! assert!(g.shape(distance).is_scalar());
//! ```

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
