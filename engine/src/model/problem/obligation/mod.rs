//! What must hold of sizes before anything runs: positions within their axes, whole sizes, ranges that do not run
//! backwards. The check states each as an [`Obligation`] in terms of symbolic sizes. It is judged at once where the
//! values are known, else when data are bound; no evaluation begins before all of them hold.

mod judge;
mod of_nodes;

use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::span::Span;

pub(in crate::model) use of_nodes::{of_nodes, well_formed};

use crate::shape::{Dim, Shape};

/// Something that must hold, and the place to blame where it does not.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Obligation {
    /// What must hold.
    pub claim: Claim,
    /// The text that asks for it.
    pub span: Span,
    /// Where the names of its sizes are declared.
    pub origins: Vec<(String, Span)>,
    /// True for what a node takes for granted, false for what a person has written.
    pub of_node: bool,
}

/// A statement about sizes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Claim {
    /// One-based positions from `first` to `last` are whole and lie within an axis; none where `last` is below `first`.
    Within {
        /// The first position.
        first: Dim,
        /// The last position.
        last: Dim,
        /// The length of the axis.
        extent: Dim,
    },
    /// The ends of a range are whole, and the last is not below the first by more than one.
    Range {
        /// The first position.
        first: Dim,
        /// The last position.
        last: Dim,
    },
    /// A size is whole and not negative.
    Size(Dim),
    /// A number made of sizes has a value: nothing is divided by zero.
    Number(Dim),
    /// There is at least one.
    Some {
        /// How many there are.
        length: Dim,
        /// What there must be one of.
        needs: Need,
    },
    /// The parts of a split do not need more rows than there are.
    Parts {
        /// Name, place and size of each.
        parts: Vec<(String, Span, Dim)>,
        /// The name of what is divided.
        source: String,
        /// Its rows.
        rows: Dim,
    },
    /// The array of this shape can be addressed and evaluated.
    Array(Shape),
}

/// What needs at least one entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Need {
    /// A function without a value for no entries at all.
    Function(&'static str),
    /// A list of index arrays.
    Blocks,
    /// A part of a split.
    Part,
    /// A variable.
    Variable,
    /// A lower level that is one problem per follower.
    Followers,
}

/// What is known of a claim.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// It holds, whatever the sizes that are not known yet.
    Holds,
    /// It depends on sizes that are not known yet.
    Open,
    /// It does not hold.
    Broken(Box<Diagnostic>),
}

impl Obligation {
    /// What must hold, for people.
    pub fn words(&self) -> String {
        match &self.claim {
            Claim::Within { first, last, extent } if first == last => format!("{first} lies within 1..{extent}"),
            Claim::Within { first, last, extent } => format!("{first}..{last} lies within 1..{extent}"),
            Claim::Range { first, last } => format!("{first}..{last} does not run backwards"),
            Claim::Size(size) => format!("{size} is a whole number, at least 0"),
            Claim::Number(number) => format!("{number} divides by no zero"),
            Claim::Some { length, needs: Need::Function(name) } => format!("{length} is at least 1, for `{name}`"),
            Claim::Some { length, .. } => format!("{length} is at least 1"),
            Claim::Parts { parts, source, rows } => {
                let sizes: Vec<String> = parts.iter().map(|(_, _, size)| size.to_string()).collect();
                format!("{} rows are at most {rows}, those of {source}", sizes.join(" + "))
            }
            Claim::Array(shape) => format!("{shape} can be evaluated"),
        }
    }
}

impl Claim {
    /// The sizes that it is about.
    pub(in crate::model) fn dims(&self) -> Vec<&Dim> {
        match self {
            Claim::Within { first, last, extent } => vec![first, last, extent],
            Claim::Range { first, last } => vec![first, last],
            Claim::Size(d) | Claim::Number(d) | Claim::Some { length: d, .. } => vec![d],
            Claim::Parts { parts, rows, .. } => parts.iter().map(|(_, _, d)| d).chain([rows]).collect(),
            Claim::Array(shape) => shape.0.iter().collect(),
        }
    }
}
