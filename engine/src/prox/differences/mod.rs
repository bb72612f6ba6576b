//! Terms in the differences of neighbors.

pub(super) mod fused_lasso;
pub(super) mod tv1d;
