//! The table of the language's functions that are not elementwise: reductions, linear algebra, layers, operations on
//! images, constructors. Each entry turns the arguments of a call into graph nodes.

mod batchnorm;
pub(super) mod call;
mod construct;
mod distance;
mod image;
mod judge;
mod learn;
mod linear;
mod reduce;

use super::checker::{Checked, Checker};
use call::Call;

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

/// What a name of the language that does not run yet stands for, and what to write today.
pub(super) fn reserved(name: &str) -> Option<(&'static str, &'static str)> {
    let (what, instead) = match name {
        "scad" | "mcp" | "norm0" => ("this proximal term", "`norm1` is the convex one that selects entries, too"),
        "norminf" => ("this proximal term", "a smooth substitute for `minimize` is `logsumexp(vcat(y, -y)/0.01)*0.01`"),
        "nuclear" => ("this proximal term", "for a low rank write the matrix as a product `U*V'` with few columns"),
        "tv1d" => {
            ("this proximal term", "a smooth substitute for `minimize` is `sum(huber(y[2..n] - y[1..n-1], 0.01))`")
        }
        "ballinf" => ("this set", "it is the interval `[-r, r]`"),
        "ball1" => ("this set", "`regularize w*norm1(y)` has the same solutions for some `w`"),
        "affine" => ("this set", "write a penalty into the objective: `+ 10*normsq(A*y - b)`"),
        "halfspace" => ("this set", "write a penalty into the objective: `+ 10*max(a'*y - b, 0)^2`"),
        "psd" => ("this set", "write the matrix as a product `U*U'`"),
        _ => return None,
    };
    Some((what, instead))
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
