//! Norms of a whole variable or of groups of its entries.

pub(super) mod group_l2;
pub(super) mod norminf;
pub(super) mod nuclear;
pub(super) mod slope;
pub(super) mod sparse_group;
