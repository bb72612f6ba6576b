//! A call as the functions of the table see it.

use blo_grammar::ast::{Argument, Expr, Name};
use blo_grammar::span::Span;

/// A call under construction.
pub(in crate::model) struct Call<'e> {
    /// The function's name.
    pub(in crate::model) function: &'e Name,
    /// Its arguments.
    pub(in crate::model) arguments: &'e [Argument],
    /// The whole call.
    pub(in crate::model) span: Span,
}

impl<'e> Call<'e> {
    /// The arguments without a name.
    pub(in crate::model) fn positional(&self) -> Vec<&'e Expr> {
        self.arguments.iter().filter(|a| a.name.is_none()).map(|a| &a.value).collect()
    }

    /// The argument with a name.
    pub(in crate::model) fn named(&self, name: &str) -> Option<&'e Expr> {
        let found = self.arguments.iter().find(|a| a.name.as_ref().is_some_and(|n| n.text == name));
        found.map(|a| &a.value)
    }
}
