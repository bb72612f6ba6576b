//! What the command reads: problem files, data files, checkpoints, traces and earlier results, up to a problem with its data.

pub(crate) mod checkpoint;
pub(crate) mod model;
pub(crate) mod trace;
pub(crate) mod warm;
