//! A function without its kinks, which solvers that follow gradients can minimize.

use std::collections::HashMap;
use std::sync::Arc;

use crate::elementwise::{self, Smoothness};
use crate::graph::{Elem, Formal, Function, Graph, NodeId, Op, Reduction, all_axes};
use crate::shape::Shape;

/// The function with every kinked elementwise function rounded off, and the edge of `sqrt` at 0 with them; `None` where
/// nothing can be rounded.
///
/// The radius is one more input at the end, a number, so that one program serves all radii. One more output at the end
/// tells what a radius has to be compared with: the largest distance of an operand from its kink, `|u|` of `abs(u)` and
/// `|u - v|` of `max(u, v)`.
pub fn rounded(f: &Function) -> Option<Function> {
    let mut rounding = Rounding::new(f);
    let old = f.graph();
    let used = old.reachable(f.outputs());
    for id in old.ids().filter(|id| used[id.0 as usize]) {
        let copy = rounding.node(old, id);
        rounding.moved.insert(id, copy);
    }
    let Rounding { mut graph, inputs, moved, distances, .. } = rounding;
    let farthest = distances.into_iter().reduce(|a, b| graph.elementwise(elementwise::MAX, &[a, b]))?;
    let outputs: Vec<NodeId> = f.outputs().iter().map(|o| moved[o]).chain([farthest]).collect();
    Some(Function::new(format!("{} without kinks", f.name), &graph, inputs, &outputs))
}

/// A function while its kinks are rounded.
struct Rounding {
    graph: Graph,
    inputs: Vec<Formal>,
    radius: NodeId,
    /// Where nodes of the function are found in the graph.
    moved: HashMap<NodeId, NodeId>,
    /// The largest distance of an operand, per kinked node.
    distances: Vec<NodeId>,
}

impl Rounding {
    fn new(f: &Function) -> Rounding {
        let mut graph = Graph::new();
        let mut inputs = f.inputs.clone();
        inputs.push(Formal { name: "radius".into(), shape: Shape::scalar(), elem: Elem::Real });
        for (i, formal) in inputs.iter().enumerate() {
            graph.input(i, formal.shape.clone(), formal.elem);
        }
        let radius = NodeId(f.inputs.len() as u32);
        Rounding { graph, inputs, radius, moved: HashMap::new(), distances: Vec::new() }
    }

    /// The rounded copy of a node whose operands are copied.
    fn node(&mut self, old: &Graph, id: NodeId) -> NodeId {
        let node = old.node(id);
        let mut args: Vec<NodeId> = node.args.iter().map(|a| self.moved[a]).collect();
        let (g, radius) = (&mut self.graph, self.radius);
        match &node.op {
            Op::Input(position) => return NodeId(*position),
            Op::Elementwise(e) if *e == elementwise::SQRT => {
                let distance = g.elementwise(elementwise::SQRT, &args);
                let square = g.mul(radius, radius);
                let square = g.promote(square, &node.shape);
                let sum = g.add(args[0], square);
                let root = g.elementwise(elementwise::SQRT, &[sum]);
                self.keep(distance);
                return root;
            }
            Op::Elementwise(e) => {
                if let Smoothness::Kinked(_, Some(formula)) = e.entry().smoothness {
                    let distance = if args.len() == 2 { g.sub(args[0], args[1]) } else { args[0] };
                    let distance = g.elementwise(elementwise::ABS, &[distance]);
                    let smooth = formula(g, &args, radius);
                    self.keep(distance);
                    return smooth;
                }
            }
            Op::Map { body, mapped, output } => {
                if let Some(smooth) = rounded(body) {
                    let (body, mapped) = (Arc::new(smooth), [mapped.as_slice(), &[false]].concat());
                    args.push(radius);
                    let image = g.map(&body, &mapped, *output as usize, &args);
                    let distance = g.map(&body, &mapped, body.outputs().len() - 1, &args);
                    self.keep(distance);
                    return image;
                }
            }
            _ => {}
        }
        g.push(node.op.clone(), args, node.shape.clone())
    }

    fn keep(&mut self, distances: NodeId) {
        let shape = self.graph.shape(distances).clone();
        let axes = all_axes(&shape);
        let largest = if shape.is_scalar() { distances } else { self.graph.reduce(Reduction::Max, distances, axes) };
        self.distances.push(largest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{Elem, Formal};
    use crate::oracle::{self, Tensor, Value};
    use crate::shape::{Shape, Sizes};

    fn values(f: &Function, at: &[f64]) -> Vec<f64> {
        let inputs: Vec<Value<f64>> = at.iter().map(|v| Value::Real(Tensor::scalar(*v))).collect();
        oracle::evaluate::<f64>(f, &Sizes::default(), &inputs).iter().map(|t| t.values[0]).collect()
    }

    #[test]
    fn kinks_are_rounded_within_the_radius() {
        let mut g = Graph::new();
        let [x, y] = std::array::from_fn(|i| g.input(i, Shape::scalar(), Elem::Real));
        let formal = |name: &str| Formal { name: name.into(), shape: Shape::scalar(), elem: Elem::Real };
        for e in elementwise::TABLE.iter().enumerate() {
            let Smoothness::Kinked(_, Some(_)) = e.1.smoothness else { continue };
            let function = elementwise::Elementwise::by_name(e.1.name).unwrap();
            let value = g.elementwise(function, &[x, y][..e.1.arity]);
            let plain = Function::new(e.1.name, &g, vec![formal("x"), formal("y")], &[value]);
            let smooth = rounded(&plain).unwrap();
            for (a, b) in [(0.0, 0.0), (1.0, 1.0), (-2.0, 3.0), (1e-4, 0.0), (0.5, -0.5)] {
                let exact = values(&plain, &[a, b])[0];
                let [near, distance] = values(&smooth, &[a, b, 1e-3])[..] else { panic!("{}", smooth.name) };
                assert!((exact - near).abs() <= 1e-3, "{} at {a}, {b}: {exact} and {near}", e.1.name);
                let apart = if e.1.arity == 2 { a - b } else { a };
                assert_eq!(distance, f64::abs(apart), "{} at {a}, {b}", e.1.name);
            }
        }
    }
}
