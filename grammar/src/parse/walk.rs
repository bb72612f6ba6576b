//! The pest parser and a cursor over its pairs that skips punctuation.

use pest::iterators::{Pair, Pairs};
use std::iter::Peekable;
use std::vec::IntoIter;

/// The derive writes undocumented public items, so it has a module of its own.
#[allow(missing_docs, unreachable_pub)]
mod grammar {
    #[derive(pest_derive::Parser)]
    #[grammar = "blo.pest"]
    pub(crate) struct BloParser;
}

pub(super) use grammar::{BloParser, Rule};

/// A cursor over the pairs of one rule. The grammar fixes what comes next, so a surprise is a bug of ours.
pub(super) struct Walk<'i> {
    pairs: Peekable<IntoIter<Pair<'i, Rule>>>,
}

impl<'i> Walk<'i> {
    pub(super) fn new(pairs: Pairs<'i, Rule>) -> Walk<'i> {
        let kept: Vec<_> = pairs.filter(|p| !is_punctuation(p.as_rule())).collect();
        Walk { pairs: kept.into_iter().peekable() }
    }

    /// The next pair if it is of `rule`.
    pub(super) fn maybe(&mut self, rule: Rule) -> Option<Pair<'i, Rule>> {
        self.pairs.next_if(|p| p.as_rule() == rule)
    }

    /// The next pair, which the grammar makes a `rule`.
    pub(super) fn want(&mut self, rule: Rule) -> Pair<'i, Rule> {
        match self.maybe(rule) {
            Some(pair) => pair,
            None => unreachable!("the grammar puts {rule:?} here, found {:?}", self.pairs.peek()),
        }
    }
}

impl<'i> Iterator for Walk<'i> {
    type Item = Pair<'i, Rule>;

    fn next(&mut self) -> Option<Pair<'i, Rule>> {
        self.pairs.next()
    }
}

fn is_punctuation(rule: Rule) -> bool {
    matches!(
        rule,
        Rule::kw
            | Rule::comma
            | Rule::semicolon
            | Rule::colon
            | Rule::equals
            | Rule::dot
            | Rule::open_paren
            | Rule::close_paren
            | Rule::open_bracket
            | Rule::close_bracket
            | Rule::open_brace
            | Rule::close_brace
            | Rule::for_kw
            | Rule::if_kw
            | Rule::then_kw
            | Rule::else_kw
            | Rule::into_kw
            | Rule::from_kw
            | Rule::with_kw
            | Rule::to_kw
            | Rule::EOI
    )
}
