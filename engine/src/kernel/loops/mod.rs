//! What fused loops are made of: aligned arrays, loops of one or two operators for the vectors of the CPU, and the table of
//! a loop's operands. The only unsafe code outside of tests is in this folder: each file checks what it relies on.

pub(crate) mod array;
pub(crate) mod block;
pub(crate) mod frame;
pub(crate) mod vectors;
