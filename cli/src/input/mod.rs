//! What the command reads: problem files, data files, checkpoints and earlier results, up to a problem with its data.

pub(crate) mod checkpoint;
pub(crate) mod file;
pub(crate) mod model;
pub(crate) mod source;
pub(crate) mod tried;
pub(crate) mod warm;
