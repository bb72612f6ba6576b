//! What the nodes of a graph take for granted: shapes with whole sizes, slices and paddings within their axes, positions
//! within what they select from. The check states all of this where a person wrote it, with better words; whatever it
//! has missed is stated here, so that no size and no position reaches an array unchecked.

use std::collections::HashSet;

use blo_grammar::span::Span;

use super::{Claim, Obligation, Verdict};
use crate::graph::{Function, Graph, NodeId, Op};
use crate::limits::Limits;
use crate::shape::{Dim, Sizes};

/// What is known of an input: where it is declared and, of positions, the largest.
pub(in crate::model) type OfInput<'a> = dyn Fn(u32) -> (Span, Option<Dim>) + 'a;

/// The claims of all nodes, each once, with the first place that needs it.
pub(in crate::model) fn of_nodes(graph: &Graph, input: &OfInput<'_>) -> Vec<Obligation> {
    let mut found = Found { seen: HashSet::new(), list: Vec::new(), input };
    found.graph(graph, None);
    found.list
}

/// True where everything that a function takes for granted is known to hold, and every size that it computes with has a
/// value.
pub(in crate::model) fn well_formed(f: &Function, sizes: &Sizes, limits: &Limits) -> bool {
    let holds = |o: &Obligation| matches!(o.judge(sizes, limits), Verdict::Holds);
    f.graph().ids().all(|id| f.graph().shape(id).sizes(sizes).is_ok())
        && sizes_known(f.graph(), sizes)
        && of_nodes(f.graph(), &|_| (Span::default(), None)).iter().all(holds)
}

/// True where every size that is a number in a formula has a value: that it is sound is not yet that it is known.
fn sizes_known(g: &Graph, sizes: &Sizes) -> bool {
    g.ids().all(|id| match g.op(id) {
        Op::Size(d) => d.value(sizes).is_ok(),
        Op::Map { body, .. } => sizes_known(body.graph(), sizes),
        _ => true,
    })
}

struct Found<'a> {
    seen: HashSet<Claim>,
    list: Vec<Obligation>,
    input: &'a OfInput<'a>,
}

impl Found<'_> {
    /// The claims of an arena; nodes in the body of a map have its place.
    fn graph(&mut self, g: &Graph, place: Option<Span>) {
        for id in g.ids() {
            let span = place.unwrap_or_else(|| match g.op(id) {
                Op::Input(formal) => (self.input)(*formal).0,
                _ => g.span_of(id),
            });
            self.node(g, id, span);
            if let Op::Map { body, .. } = g.op(id) {
                self.graph(body.graph(), Some(span));
            }
        }
    }

    fn node(&mut self, g: &Graph, id: NodeId, span: Span) {
        let (node, one) = (g.node(id), Dim::constant(1));
        if !node.shape.is_scalar() {
            self.add(Claim::Array(node.shape.clone()), span);
        }
        let length = |id: NodeId, axis: u8| &g.shape(id).0[axis as usize];
        match &node.op {
            Op::Size(d) => self.add(Claim::Number(d.clone()), span),
            Op::Slice { axis, start, step } | Op::Pad { axis, start, step } => {
                let (few, many) = match node.op {
                    Op::Slice { .. } => (length(id, *axis), length(node.args[0], *axis)),
                    _ => (length(node.args[0], *axis), length(id, *axis)),
                };
                let first = start.add(&one);
                let reach = few.sub(&one).and_then(|d| d.mul(&Dim::constant(i64::from(*step))));
                let last = reach.and_then(|d| d.add(first.as_ref()?));
                if let (Some(first), Some(last)) = (first, last) {
                    self.add(Claim::Within { first, last, extent: many.clone() }, span);
                }
            }
            Op::Gather(axis) | Op::Scatter(axis) => {
                let Op::Input(formal) = g.op(node.args[1]) else { return };
                let many = if matches!(node.op, Op::Gather(_)) { node.args[0] } else { id };
                if let Some(last) = (self.input)(*formal).1 {
                    self.add(Claim::Within { first: one, last, extent: length(many, *axis).clone() }, span);
                }
            }
            _ => {}
        }
    }

    fn add(&mut self, claim: Claim, span: Span) {
        if self.seen.insert(claim.clone()) {
            self.list.push(Obligation { claim, span, origins: Vec::new(), of_node: true });
        }
    }
}
