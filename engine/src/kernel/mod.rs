//! The loops that do the work, on slices. They know no graph and no buffers.

pub(crate) mod block;
pub(crate) mod dense;
pub(crate) mod layout;
pub(crate) mod math;
pub(crate) mod reduce;
