//! The lower level: steps towards its solution, their sizes, the curvature they need, and the solve to the end.

pub(crate) mod augmented;
pub(crate) mod binomial;
pub(crate) mod constrained;
pub(crate) mod curvature;
pub(crate) mod dynamics;
pub(crate) mod global;
pub(crate) mod lbfgs;
pub(crate) mod solve;
pub(crate) mod step_sizes;
pub(crate) mod term_modulus;
pub(crate) mod trajectory;
pub(crate) use crate::vectors;
