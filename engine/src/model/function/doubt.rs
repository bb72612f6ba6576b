//! What functions leave to a look at values, as [`Doubt`]s of the problem.

use blo_grammar::span::Span;

use crate::graph::{Function, NodeId};
use crate::model::checker::Checker;
use crate::model::meaning::{Kind, LoopArray};
use crate::model::problem::{About, Doubt};

impl Checker<'_> {
    /// Leaves plain numbers that a loss takes as labels to a look at their values.
    pub(super) fn doubt_labels(&mut self, function: &'static str, labels: &LoopArray, span: Span) {
        if let Some(between) = super::by_name(function).and_then(|loss| loss.labels)
            && labels.kind == Kind::Real
        {
            self.doubt(About::Labels { function, between }, labels.node, span);
        }
    }

    /// Leaves values to a look at them, where they are data alone.
    pub(super) fn doubt(&mut self, about: About, values: NodeId, span: Span) {
        if !self.depends_on_variables(values) && !self.notes.doubts.contains(&(about, values, span)) {
            self.notes.doubts.push((about, values, span));
        }
    }

    /// The doubts of the whole file, over the final list of formals.
    pub(in crate::model) fn doubts(&mut self) -> Vec<Doubt> {
        let found = std::mem::take(&mut self.notes.doubts);
        let of_nodes = |(about, node, span)| {
            let values = Function::new("values", &self.graph, self.formals.clone(), &[node]);
            Doubt { about, values, span }
        };
        found.into_iter().map(of_nodes).collect()
    }
}
