//! A function without its kinks, which solvers that follow gradients can minimize.

use std::collections::HashMap;
use std::sync::Arc;

use crate::elementwise::{self, Smoothness};
use crate::graph::{Function, Graph, NodeId, Op};

/// The function with every kinked elementwise function rounded off by a radius `value`, and the edge of `sqrt` at 0 with them;
/// `None` where nothing can be rounded.
pub fn rounded(f: &Function, value: f64) -> Option<Function> {
    let old = f.graph();
    let mut g = Graph::new();
    for formal in f.inputs.iter().enumerate() {
        g.input(formal.0, formal.1.shape.clone(), formal.1.elem);
    }
    let radius = g.constant(value);
    let mut moved: HashMap<NodeId, NodeId> = HashMap::new();
    let mut found = false;
    let used = old.reachable(f.outputs());
    for id in old.ids().filter(|id| used[id.0 as usize]) {
        let node = old.node(id);
        let args: Vec<NodeId> = node.args.iter().map(|a| moved[a]).collect();
        let copy = match &node.op {
            Op::Input(position) => NodeId(*position),
            Op::Elementwise(e) if *e == elementwise::SQRT => {
                found = true;
                let (square, shape) = (g.mul(radius, radius), node.shape.clone());
                let square = g.promote(square, &shape);
                let sum = g.add(args[0], square);
                g.elementwise(elementwise::SQRT, &[sum])
            }
            Op::Elementwise(e) => match e.entry().smoothness {
                Smoothness::Kinked(_, Some(rounded)) => {
                    found = true;
                    rounded(&mut g, &args, radius)
                }
                _ => g.push(node.op.clone(), args, node.shape.clone()),
            },
            Op::Map { body, mapped, output } => match rounded(body, value) {
                Some(smooth) => {
                    found = true;
                    let op = Op::Map { body: Arc::new(smooth), mapped: mapped.clone(), output: *output };
                    g.push(op, args, node.shape.clone())
                }
                None => g.push(node.op.clone(), args, node.shape.clone()),
            },
            _ => g.push(node.op.clone(), args, node.shape.clone()),
        };
        moved.insert(id, copy);
    }
    let outputs: Vec<NodeId> = f.outputs().iter().map(|o| moved[o]).collect();
    found.then(|| Function::new(format!("{} without kinks", f.name), &g, f.inputs.clone(), &outputs))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{Elem, Formal};
    use crate::oracle::{self, Tensor, Value};
    use crate::shape::{Shape, Sizes};

    fn value(f: &Function, at: [f64; 2]) -> f64 {
        let inputs = at.map(|v| Value::Real(Tensor::scalar(v)));
        oracle::evaluate::<f64>(f, &Sizes::default(), &inputs)[0].values[0]
    }

    #[test]
    fn kinks_are_rounded_within_the_radius() {
        let mut g = Graph::new();
        let [x, y] = std::array::from_fn(|i| g.input(i, Shape::scalar(), Elem::Real));
        let formal = |name: &str| Formal { name: name.into(), shape: Shape::scalar(), elem: Elem::Real };
        for e in elementwise::TABLE.iter().enumerate() {
            let Smoothness::Kinked(_, Some(_)) = e.1.smoothness else { continue };
            let function = elementwise::Elementwise::by_name(e.1.name).unwrap();
            let node = g.elementwise(function, &[x, y][..e.1.arity]);
            let plain = Function::new(e.1.name, &g, vec![formal("x"), formal("y")], &[node]);
            let smooth = rounded(&plain, 1e-3).unwrap();
            for (a, b) in [(0.0, 0.0), (1.0, 1.0), (-2.0, 3.0), (1e-4, 0.0), (0.5, -0.5)] {
                let (exact, near) = (value(&plain, [a, b]), value(&smooth, [a, b]));
                assert!((exact - near).abs() <= 1e-3, "{} at {a}, {b}: {exact} and {near}", e.1.name);
            }
        }
    }
}
