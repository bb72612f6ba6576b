//! What values of data may show that no shape and no kind tells: labels that a loss cannot mean, columns without a scale.
//! It is no mistake, since the formula has a value; who reads the data says it.

use blo_grammar::span::Span;

use crate::graph::Function;

/// A place of the text, and what to look for in the values that stand there.
#[derive(Clone, Debug)]
pub struct Doubt {
    /// What is looked for.
    pub about: About,
    /// Over the formals, of data alone: one output.
    pub values: Function,
    /// Where the values are written.
    pub span: Span,
}

/// What a doubt is about.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum About {
    /// The values are labels of a loss, and mean something between two numbers.
    Labels {
        /// The loss.
        function: &'static str,
        /// The least and the greatest number.
        between: [f64; 2],
    },
    /// An entry per column of a matrix that `standardize` divides by its deviation, which is zero where the entry is not.
    ConstantColumns,
}
