//! How long and how wide instructions may be.

/// Most elements that a fused loop handles at a time, and the length of what is summed block by block.
pub(super) const BLOCK: usize = 512;

/// Fewest elements of a block, but for arrays that are shorter.
pub(super) const LEAST: usize = 128;

/// Bytes that the operands of a block may take: they stay in a first cache of 48 KB, and most do in one of 32 KB.
pub(super) const CACHE: usize = 40 << 10;

/// Most operations of a fused loop.
pub(super) const GROUP: usize = 40;

/// Most operands of an elementwise function.
pub(super) const OPERANDS: usize = 4;

/// Most operands of a prox kernel.
pub(super) const PROX_OPERANDS: usize = 16;

/// Most elements of a tape.
pub(super) const WIDTH: usize = 16;

/// Most operations of a tape; slots are counted in 16 bits.
pub(super) const OPERATIONS: usize = 4096;
