//! The arena. Append-only: a node's operands have smaller ids, and equal (operation, operands, shape) is one id.
//! Builder methods compute shapes and apply the exact rewrites of `simplify`; a shape mismatch here is a bug of the
//! caller, since the checker has reported the user's.

use std::collections::{HashMap, HashSet};
use std::hash::{Hash, Hasher};

use blo_grammar::span::Span;

use super::op::Op;
use super::simplify;
use crate::elementwise::Elementwise;
use crate::shape::{Dim, Shape};

/// A node's position in its arena.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub u32);

/// What the elements are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Elem {
    /// Numbers of the working precision.
    Real,
    /// Zero-based positions, for `Gather` and `Scatter`.
    Index,
}

/// An operation with its operands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The operation.
    pub op: Op,
    /// Its operands, with smaller ids.
    pub args: Vec<NodeId>,
    /// The result's shape.
    pub shape: Shape,
    /// The result's elements.
    pub elem: Elem,
}

/// Operation and operands tell nearly all nodes apart, and hashing the polynomials of a shape costs most of a look-up.
impl Hash for Node {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.op.hash(state);
        self.args.hash(state);
    }
}

/// The arena.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    nodes: Vec<Node>,
    spans: Vec<Span>,
    ids: HashMap<Node, NodeId>,
    labels: HashMap<NodeId, String>,
    /// The source text that nodes made now come from.
    pub span: Span,
}

impl Graph {
    /// An empty arena.
    pub fn new() -> Graph {
        Graph::default()
    }

    /// Number of nodes.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// True without nodes.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// A node.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }

    /// A node's operation.
    pub fn op(&self, id: NodeId) -> &Op {
        &self.node(id).op
    }

    /// A node's operands.
    pub fn args(&self, id: NodeId) -> &[NodeId] {
        &self.node(id).args
    }

    /// A node's shape.
    pub fn shape(&self, id: NodeId) -> &Shape {
        &self.node(id).shape
    }

    /// The text a node came from; a shared node keeps its first one.
    pub fn span_of(&self, id: NodeId) -> Span {
        self.spans[id.0 as usize]
    }

    /// All ids, operands first.
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = NodeId> + use<> {
        (0..self.nodes.len() as u32).map(NodeId)
    }

    /// Names a node for listings; the first name stays.
    pub fn label(&mut self, id: NodeId, text: impl Into<String>) {
        self.labels.entry(id).or_insert_with(|| text.into());
    }

    /// A node's name in listings.
    pub fn label_of(&self, id: NodeId) -> Option<&str> {
        self.labels.get(&id).map(String::as_str)
    }

    /// Appends a node, or returns what an exact rewrite or an equal node already gives.
    pub fn push(&mut self, op: Op, args: Vec<NodeId>, shape: Shape) -> NodeId {
        if let Some(id) = simplify::rewrite(self, &op, &args, &shape) {
            return id;
        }
        self.intern(Node { op, args, shape, elem: Elem::Real })
    }

    /// The node with this operation on these operands, if the arena has it.
    pub fn find(&self, node: &Node) -> Option<NodeId> {
        self.ids.get(node).copied()
    }

    /// Appends a node as it is.
    pub(crate) fn intern(&mut self, node: Node) -> NodeId {
        if let Some(id) = self.find(&node) {
            return id;
        }
        debug_assert!(node.args.iter().all(|a| (a.0 as usize) < self.nodes.len()), "operands come first");
        let id = NodeId(self.nodes.len() as u32);
        self.ids.insert(node.clone(), id);
        self.nodes.push(node);
        self.spans.push(self.span);
        id
    }

    /// A formal input.
    pub fn input(&mut self, position: usize, shape: Shape, elem: Elem) -> NodeId {
        self.intern(Node { op: Op::Input(position as u32), args: Vec::new(), shape, elem })
    }

    /// A number.
    pub fn constant(&mut self, value: f64) -> NodeId {
        self.push(Op::Const(value.to_bits()), Vec::new(), Shape::scalar())
    }

    /// A number repeated.
    pub fn filled(&mut self, value: f64, shape: &Shape) -> NodeId {
        let c = self.constant(value);
        self.promote(c, shape)
    }

    /// The value of a size.
    pub fn size(&mut self, dim: &Dim) -> NodeId {
        match dim.as_rational() {
            // One division, correctly rounded, as in the program text.
            Some(r) => self.constant(*r.numer() as f64 / *r.denom() as f64),
            None => self.push(Op::Size(dim.clone()), Vec::new(), Shape::scalar()),
        }
    }

    /// `0, 1, ..., n - 1`.
    pub fn iota(&mut self, n: &Dim) -> NodeId {
        self.push(Op::Iota, Vec::new(), Shape(vec![n.clone()]))
    }

    /// The value of a constant, also of a repeated one.
    pub fn as_const(&self, id: NodeId) -> Option<f64> {
        let node = self.node(id);
        match node.op {
            Op::Broadcast(_) | Op::Reshape => self.as_const(node.args[0]),
            _ => node.op.as_const(),
        }
    }

    /// A table function; scalar operands are repeated to the shape of the others.
    pub fn elementwise(&mut self, f: Elementwise, args: &[NodeId]) -> NodeId {
        debug_assert_eq!(args.len(), f.entry().arity, "{}", f.entry().name);
        let shape = args.iter().map(|a| self.shape(*a)).find(|s| !s.is_scalar()).cloned().unwrap_or_default();
        let args: Vec<NodeId> = args.iter().map(|a| self.promote(*a, &shape)).collect();
        self.push(Op::Elementwise(f), args, shape)
    }

    /// Repeats a scalar to a shape; other operands must have the shape already.
    pub fn promote(&mut self, id: NodeId, shape: &Shape) -> NodeId {
        if self.shape(id) == shape {
            return id;
        }
        assert!(self.shape(id).is_scalar(), "only scalars are promoted: {} to {shape}", self.shape(id));
        self.broadcast(id, 0, shape)
    }

    /// Which nodes the given ones need, themselves included.
    pub fn reachable(&self, roots: &[NodeId]) -> Vec<bool> {
        let mut used = vec![false; self.nodes.len()];
        for r in roots {
            used[r.0 as usize] = true;
        }
        for id in self.ids().rev() {
            if used[id.0 as usize] {
                for a in self.args(id) {
                    used[a.0 as usize] = true;
                }
            }
        }
        used
    }

    /// The nodes that the given ones need, themselves included, operands first. It costs as much as there are of them,
    /// however large the arena is.
    fn needed(&self, roots: &[NodeId]) -> Vec<NodeId> {
        let mut found: HashSet<NodeId> = roots.iter().copied().collect();
        let mut open: Vec<NodeId> = found.iter().copied().collect();
        while let Some(id) = open.pop() {
            open.extend(self.args(id).iter().filter(|a| found.insert(**a)));
        }
        let mut needed: Vec<NodeId> = found.into_iter().collect();
        needed.sort_unstable();
        needed
    }

    /// Copies the nodes that `roots` need from another arena; `place` says where its inputs are found here.
    pub fn graft(
        &mut self,
        other: &Graph,
        roots: &[NodeId],
        place: &dyn Fn(&mut Graph, usize) -> NodeId,
    ) -> Vec<NodeId> {
        let mut moved: HashMap<NodeId, NodeId> = HashMap::new();
        let span = self.span;
        for id in other.needed(roots) {
            let node = other.node(id);
            self.span = other.span_of(id);
            let copy = match node.op {
                Op::Input(position) => place(self, position as usize),
                _ => {
                    let args = node.args.iter().map(|a| moved[a]).collect();
                    self.push(node.op.clone(), args, node.shape.clone())
                }
            };
            if let Some(label) = other.label_of(id) {
                self.label(copy, label);
            }
            moved.insert(id, copy);
        }
        self.span = span;
        roots.iter().map(|r| moved[r]).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::elementwise;
    use crate::graph::{Formal, Function};

    #[test]
    fn equal_operations_are_one_node() {
        let mut g = Graph::new();
        let x = g.input(0, Shape::scalar(), Elem::Real);
        g.span.start = 1;
        g.span.end = 4;
        let first = g.elementwise(elementwise::EXP, &[x]);
        let place = g.span;
        g.span.end = 9;
        let again = g.elementwise(elementwise::EXP, &[x]);
        assert_eq!(first, again);
        assert_eq!(g.span_of(first), place, "a shared node keeps its first span");
        let other = g.elementwise(elementwise::LOG, &[x]);
        assert_ne!(first, other);
        let (zero, minus_zero) = (g.constant(0.0), g.constant(-0.0));
        assert_ne!(zero, minus_zero, "constants are keyed by bits");
        assert_eq!(g.constant(f64::NAN), g.constant(f64::NAN));
    }

    #[test]
    fn equal_functions_are_one_map() {
        let body = || {
            let mut g = Graph::new();
            let x = g.input(0, Shape::scalar(), Elem::Real);
            let e = g.elementwise(elementwise::EXP, &[x]);
            let formal = Formal { name: "x".into(), shape: Shape::scalar(), elem: Elem::Real };
            Arc::new(Function::new("body", &g, vec![formal], &[e]))
        };
        let mut g = Graph::new();
        let x = g.input(0, Shape(vec![Dim::symbol("n")]), Elem::Real);
        let (first, again) = (g.map(&body(), &[true], 0, &[x]), g.map(&body(), &[true], 0, &[x]));
        assert_eq!(first, again);
    }

    #[test]
    fn grafting_copies_only_what_is_needed() {
        let mut other = Graph::new();
        let x = other.input(0, Shape::scalar(), Elem::Real);
        let wanted = other.elementwise(elementwise::EXP, &[x]);
        other.label(wanted, "wanted");
        other.elementwise(elementwise::LOG, &[x]);
        let mut g = Graph::new();
        let actual = g.constant(0.5);
        let y = g.input(0, Shape::scalar(), Elem::Real);
        let moved = g.graft(&other, &[wanted], &|_, _| y);
        assert_eq!((g.len(), g.args(moved[0])), (3, &[y][..]));
        assert_eq!(g.label_of(moved[0]), Some("wanted"));
        // With a constant as actual input the copy folds.
        let folded = g.graft(&other, &[wanted], &|_, _| actual);
        assert_eq!(g.as_const(folded[0]), Some(0.5f64.exp()));
    }
}
