//! placeholder
pub struct Kernel;
