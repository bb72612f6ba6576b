//! The table of the language's functions that are not elementwise: reductions, linear algebra, layers, operations on
//! images, constructors. Each entry turns the arguments of a call into graph nodes.

mod batchnorm;
pub(super) mod call;
mod construct;
mod definite;
mod distance;
mod doubt;
mod image;
mod judge;
mod learn;
mod linear;
mod multiplier;
mod penalty;
mod reduce;

use super::checker::{Checked, Checker};
use call::Call;

use super::meaning::Meaning;

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
    /// The numbers between which labels have a meaning, for a loss that takes plain numbers as labels.
    pub(in crate::model) labels: Option<[f64; 2]>,
    /// Makes the nodes.
    pub(in crate::model) build: fn(&mut Checker<'_>, &Call<'_>) -> Checked<Meaning>,
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
    &definite::INV,
    &definite::LOGDET,
    &learn::LOGISTIC,
    &reduce::LOGSUMEXP,
    &reduce::MAX,
    &image::MAXPOOL,
    &penalty::MCP,
    &reduce::MEAN,
    &reduce::MIN,
    &learn::MSE,
    &multiplier::MULTIPLIER,
    &penalty::NORM0,
    &reduce::NORM1,
    &reduce::NORM2,
    &reduce::NORMINF,
    &penalty::NORMQ,
    &reduce::NORMSQ,
    &penalty::NUCLEAR,
    &construct::ONES,
    &judge::PRECISION,
    &judge::RECALL,
    &construct::RESHAPE,
    &linear::ROWS,
    &penalty::SCAD,
    &penalty::SLOPE,
    &learn::SOFTMAX,
    &definite::SOLVE,
    &linear::STANDARDIZE,
    &reduce::SUM,
    &linear::TRACE,
    &penalty::TV1D,
    &construct::VCAT,
    &multiplier::VIOLATION,
    &learn::XENT,
    &construct::ZEROS,
];

/// The entry with a name.
pub fn by_name(name: &str) -> Option<&'static Entry> {
    TABLE.iter().copied().find(|e| e.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_documented() {
        assert!(TABLE.windows(2).all(|w| w[0].name < w[1].name));
        assert!(TABLE.iter().all(|e| !e.doc.is_empty() && e.signature.starts_with(e.name)));
    }

    #[test]
    fn who_takes_labels_refuses_numbers_or_says_which() {
        for e in TABLE.iter().filter(|e| e.signature.ends_with("labels)")) {
            let call = format!("{}([0, 1, 2], [0, 1, 2])", e.name);
            let text = format!(
                "upper {{ var x  minimize x^2 }}  lower {{ var y  minimize (y - x)^2 }}  metric m = sum({call})"
            );
            let parsed = blo_grammar::parse(&text);
            let outcome = crate::model::check(&parsed.ast, &text, "labels", &crate::model::Settings::default());
            let doubts = outcome.problem.map(|p| p.doubts.len());
            assert_eq!(doubts, e.labels.map(|_| 1), "{}: {:?}", e.name, outcome.diagnostics);
        }
    }
}
