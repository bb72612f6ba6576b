//! Subscripts that can be judged only once sizes are known.

use blo_grammar::diagnostic::Diagnostic;
use blo_grammar::span::Span;

use crate::model::message;
use crate::shape::{Dim, Rational, Sizes};

/// Positions that must lie within an axis once sizes are known.
#[derive(Clone, Debug)]
pub struct SubscriptBound {
    /// First one-based position.
    pub first: Dim,
    /// Last position.
    pub last: Dim,
    /// Length of the axis.
    pub extent: Dim,
    /// The subscript.
    pub span: Span,
}

impl SubscriptBound {
    /// The mistake, when values are known and some position lies outside.
    pub fn judge(&self, sizes: &Sizes) -> Option<Diagnostic> {
        if self.first.is_one() && self.last == self.extent {
            return None;
        }
        let (first, last) = (self.first.value(sizes).ok()?, self.last.value(sizes).ok()?);
        let extent = self.extent.value(sizes).ok()?;
        let one = Rational::from_integer(1);
        let bad = if first < one { first } else { last };
        (first < one || last > extent).then(|| message::out_of_range(self.span, &bad.to_string(), &extent.to_string()))
    }
}
