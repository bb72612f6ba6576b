//! What nearly every user of the engine needs: a text to a [`Problem`] with its data, functions over graphs, their
//! derivatives, and programs. Everything else is in the rooms.

pub use crate::data::{Memory, Source};
pub use crate::diff::{gradient, hvp, jvp, vjp};
pub use crate::graph::{Elem, Formal, Function, Graph, NodeId, Reduction};
pub use crate::model::problem::{Constraint, Level, LevelId, ProximalTerm, Variable};
pub use crate::model::{Bindings, Bound, Outcome, Problem, Settings, bind, check};
pub use crate::oracle::{self, Tensor};
pub use crate::program::{Program, Role, Scalar, Workspace, compile};
pub use crate::shape::{Dim, Shape, Sizes};
