//! Tolerances that several places share, each with its reason. One that a single place uses stands there.

/// A lower level is solved to the end when its residual is below this share of the reference: two steps of a Newton-like
/// method beyond what is visible in a result, and far above rounding for conditions up to 1e6.
pub(crate) const POLISHED: f64 = 1e-9;

/// A lower level counts as solved when its residual is below this share of the one at the start, whatever `tol` asks: six
/// digits are more than results show.
pub(crate) const LOWER_SOLVED: f64 = 1e-6;
