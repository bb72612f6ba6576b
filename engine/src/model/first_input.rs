//! Which nodes of a graph need an input. Every name and every size asks this of its node, so the answers are kept: a graph
//! only grows, and the operands of a node stand before it.

use crate::graph::{Graph, NodeId, Op};

/// For each node seen so far, the first input that it needs.
#[derive(Default)]
pub(super) struct FirstInput {
    known: Vec<Option<u32>>,
}

impl FirstInput {
    /// The position of the first input that a node needs. In all calls together linear in the size of the graph.
    pub(super) fn of(&mut self, graph: &Graph, node: NodeId) -> Option<usize> {
        for id in (self.known.len() as u32..=node.0).map(NodeId) {
            let own = if let Op::Input(i) = graph.op(id) { Some(*i) } else { None };
            let below = graph.args(id).iter().filter_map(|a| self.known[a.0 as usize]);
            self.known.push(below.chain(own).min());
        }
        self.known[node.0 as usize].map(|i| i as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Elem;
    use crate::shape::Shape;

    #[test]
    fn the_first_of_all_inputs_below_a_node_is_found_while_the_graph_grows() {
        let mut g = Graph::new();
        let mut first = FirstInput::default();
        let one = g.constant(1.0);
        assert_eq!(first.of(&g, one), None);
        let later = g.input(3, Shape::scalar(), Elem::Real);
        let sum = g.add(one, later);
        assert_eq!(first.of(&g, sum), Some(3));
        let early = g.input(1, Shape::scalar(), Elem::Real);
        let product = g.mul(sum, early);
        assert_eq!((first.of(&g, product), first.of(&g, sum), first.of(&g, one)), (Some(1), Some(3), None));
    }
}
