//! A function: formal inputs and outputs over an arena of its own. Only functions are differentiated; a method gets
//! the result into its iteration by instantiating it with nodes as actual inputs. Differentiating nodes inside an
//! iteration would give total derivatives, so there is no way to say it.

use std::hash::{Hash, Hasher};

use super::graph::{Elem, Graph, NodeId};
use super::op::Op;
use crate::shape::Shape;

/// A formal input.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Formal {
    /// Its name in listings and messages.
    pub name: String,
    /// Its shape.
    pub shape: Shape,
    /// Its elements.
    pub elem: Elem,
}

/// Formal inputs to outputs.
///
/// ```
/// use blo_engine::prelude::*;
///
/// // f(x) = x^2 + x, cut out of a graph.
/// let mut g = Graph::new();
/// let x = g.input(0, Shape::scalar(), Elem::Real);
/// let square = g.mul(x, x);
/// let sum = g.add(square, x);
/// let formal = Formal { name: "x".into(), shape: Shape::scalar(), elem: Elem::Real };
/// let f = Function::new("f", &g, vec![formal], &[sum]);
///
/// // f(3) by instantiating it with a node of another graph as actual input: constants fold.
/// let mut other = Graph::new();
/// let three = other.constant(3.0);
/// let value = f.instantiate(&mut other, &[three])[0];
/// assert_eq!(other.as_const(value), Some(12.0));
/// ```
#[derive(Clone, Debug)]
pub struct Function {
    /// What it computes, for listings.
    pub name: String,
    /// The formal inputs, by position.
    pub inputs: Vec<Formal>,
    graph: Graph,
    outputs: Vec<NodeId>,
}

impl Function {
    /// Cuts a function out of an arena: the nodes that `outputs` need, over the formals `inputs`.
    pub fn new(name: impl Into<String>, graph: &Graph, inputs: Vec<Formal>, outputs: &[NodeId]) -> Function {
        let mut own = Graph::new();
        for (i, f) in inputs.iter().enumerate() {
            own.input(i, f.shape.clone(), f.elem);
        }
        let outputs = own.graft(graph, outputs, &|_, i| NodeId(i as u32));
        Function { name: name.into(), inputs, graph: own, outputs }
    }

    /// A function over the arena as it is: tests compare it with what the rewrites make of it.
    #[cfg(test)]
    pub(crate) fn unrewritten(graph: Graph, inputs: Vec<Formal>, outputs: &[NodeId]) -> Function {
        Function { name: "unrewritten".into(), inputs, graph, outputs: outputs.to_vec() }
    }

    /// The same with another name.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Function {
        self.name = name.into();
        self
    }

    /// The arena; input `i` is node `i`.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// The outputs.
    pub fn outputs(&self) -> &[NodeId] {
        &self.outputs
    }

    /// The node of an input.
    pub fn input(&self, position: usize) -> NodeId {
        NodeId(position as u32)
    }

    /// The shape of an output.
    pub fn output_shape(&self, output: usize) -> &Shape {
        self.graph.shape(self.outputs[output])
    }

    /// Number of nodes that compute something: all but inputs.
    pub fn operations(&self) -> usize {
        self.graph.len() - self.inputs.len()
    }

    /// True when some output needs the input.
    pub fn depends_on(&self, input: usize) -> bool {
        self.graph.reachable(&self.outputs)[input]
    }

    /// True when the output needs any of the inputs.
    pub fn output_depends_on(&self, output: usize, inputs: &[usize]) -> bool {
        let used = self.graph.reachable(&[self.outputs[output]]);
        inputs.iter().any(|i| used[*i])
    }

    /// A function with only some of the outputs.
    pub fn select(&self, outputs: &[usize]) -> Function {
        let outputs: Vec<NodeId> = outputs.iter().map(|o| self.outputs[*o]).collect();
        Function::new(self.name.clone(), &self.graph, self.inputs.clone(), &outputs)
    }

    /// The same function over other formals, of which its own are the beginning.
    #[must_use]
    pub fn widened(&self, formals: &[Formal]) -> Function {
        Function::new(self.name.clone(), &self.graph, formals.to_vec(), &self.outputs)
    }

    /// The outputs computed in `graph` from the actual inputs `args`, one per formal.
    pub fn instantiate(&self, graph: &mut Graph, args: &[NodeId]) -> Vec<NodeId> {
        assert_eq!(args.len(), self.inputs.len(), "one actual input per formal of {}", self.name);
        graph.graft(&self.graph, &self.outputs, &|_, i| args[i])
    }

    /// Inputs by their operation, for passes that walk the arena.
    pub fn input_position(&self, id: NodeId) -> Option<usize> {
        match self.graph.op(id) {
            Op::Input(i) => Some(*i as usize),
            _ => None,
        }
    }
}

impl PartialEq for Function {
    fn eq(&self, other: &Function) -> bool {
        self.inputs == other.inputs
            && self.outputs == other.outputs
            && self.graph.len() == other.graph.len()
            && self.graph.ids().all(|i| self.graph.node(i) == other.graph.node(i))
    }
}

impl Eq for Function {}

impl Hash for Function {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.inputs.hash(state);
        self.outputs.hash(state);
        for id in self.graph.ids() {
            self.graph.node(id).hash(state);
        }
    }
}
