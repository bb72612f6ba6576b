//! The table of the language's functions that are not elementwise: reductions, linear algebra, layers, operations on
//! images, constructors. Each entry turns the arguments of a call into graph nodes.

mod batchnorm;
mod construct;
mod distance;
mod image;
mod judge;
mod learn;
mod linear;
mod reduce;

use super::call::Call;
use super::check::{Checked, Checker};
use super::value::Value;

/// A function of the language.
pub struct Entry {
    /// Its name.
    pub name: &'static str,
    /// How it is called.
    pub signature: &'static str,
    /// One line with the formula.
    pub doc: &'static str,
    /// Accepted numbers of arguments without a name.
    pub(in crate::model) arguments: std::ops::RangeInclusive<usize>,
    /// Names of optional arguments.
    pub(in crate::model) keys: &'static [&'static str],
    /// Makes the nodes.
    pub(in crate::model) build: fn(&mut Checker<'_>, &Call<'_>) -> Checked<Value>,
}

/// Every function, sorted by name.
pub static TABLE: &[&Entry] = &[
    &judge::ACCURACY,
    &judge::ARGMAX,
    &image::AVGPOOL,
    &batchnorm::BATCHNORM,
    &linear::BLOCKS,
    &linear::COLS,
    &image::CONV2D,
    &learn::DENSE,
    &linear::DIAG,
    &distance::DIST,
    &reduce::DOT,
    &distance::ERR,
    &construct::EYE,
    &judge::F1,
    &construct::FILL,
    &construct::HCAT,
    &learn::LOGISTIC,
    &reduce::LOGSUMEXP,
    &reduce::MAX,
    &image::MAXPOOL,
    &reduce::MEAN,
    &reduce::MIN,
    &learn::MSE,
    &reduce::NORM1,
    &reduce::NORM2,
    &reduce::NORMQ,
    &reduce::NORMSQ,
    &construct::ONES,
    &judge::PRECISION,
    &judge::RECALL,
    &construct::RESHAPE,
    &linear::ROWS,
    &learn::SOFTMAX,
    &linear::STANDARDIZE,
    &reduce::SUM,
    &linear::TRACE,
    &construct::VCAT,
    &learn::XENT,
    &construct::ZEROS,
];

/// The entry with a name.
pub fn by_name(name: &str) -> Option<&'static Entry> {
    TABLE.iter().copied().find(|e| e.name == name)
}

/// What a name of the language that does not run yet stands for.
pub(super) fn reserved(name: &str) -> Option<&'static str> {
    match name {
        "scad" | "mcp" | "norm0" | "norminf" | "nuclear" | "tv1d" => Some("this proximal term"),
        "ball1" | "ballinf" | "halfspace" | "affine" | "psd" => Some("this set"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_documented() {
        assert!(TABLE.windows(2).all(|w| w[0].name < w[1].name));
        assert!(TABLE.iter().all(|e| !e.doc.is_empty() && e.signature.starts_with(e.name)));
    }
}
