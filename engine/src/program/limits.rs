//! How long and how wide instructions may be.

/// Most elements that a fused loop handles at a time: 512 f64 are 4 KiB, so that a dozen registers stay in L1.
pub(super) const BLOCK: usize = 512;

/// Most operations of a fused loop: each may need a register, and all should fit in L1.
pub(super) const GROUP: usize = 24;

/// Most operands of an elementwise function.
pub(super) const OPERANDS: usize = 4;

/// Most operands of a prox kernel.
pub(super) const PROX_OPERANDS: usize = 16;

/// Most elements of a tape.
pub(super) const WIDTH: usize = 16;

/// Most operations of a tape; slots are counted in 16 bits.
pub(super) const OPERATIONS: usize = 4096;
