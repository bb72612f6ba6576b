//! What an evaluation by the oracle takes, known before it is made: bytes of memory and operations. Both are infinite
//! where a size has no value.

use crate::graph::{ConvPart, Function, Graph, NodeId, Op};
use crate::shape::Sizes;

/// Bytes of all arrays of an evaluation in f64, which stay until its end; the inputs are the caller's.
pub fn bytes(f: &Function, sizes: &Sizes) -> f64 {
    made(f).map(|id| entries(f.graph(), id, sizes)).sum::<f64>() * size_of::<f64>() as f64
}

/// Operations of an evaluation, about: one per entry of an array, the terms of every sum of products, and for an opaque
/// operation what a factorization of its operands would take.
pub fn operations(f: &Function, sizes: &Sizes) -> f64 {
    made(f).map(|id| of_node(f.graph(), id, sizes)).sum()
}

/// The nodes that an evaluation computes.
fn made(f: &Function) -> impl Iterator<Item = NodeId> {
    let g = f.graph();
    let used = g.reachable(f.outputs());
    g.ids().filter(move |id| used[id.0 as usize] && f.input_position(*id).is_none())
}

fn entries(g: &Graph, id: NodeId, sizes: &Sizes) -> f64 {
    g.shape(id).sizes(sizes).map_or(f64::INFINITY, |s| s.iter().map(|n| *n as f64).product())
}

fn of_node(g: &Graph, id: NodeId, sizes: &Sizes) -> f64 {
    let args = g.args(id);
    let own = entries(g, id, sizes);
    let extent = |id: NodeId, axis: usize| g.shape(id).0[axis].size(sizes).map_or(f64::INFINITY, |n| n as f64);
    match g.op(id) {
        Op::MatMul => own * extent(args[0], 1),
        // A term for every output and every entry of a kernel that meets it.
        Op::Conv { part, .. } => {
            let find = |wanted| match part.others().iter().position(|p| *p == wanted) {
                Some(at) => args[at],
                None => id,
            };
            let (kernel, output) = (find(ConvPart::Kernel), find(ConvPart::Output));
            entries(g, output, sizes) * extent(kernel, 1) * extent(kernel, 2) * extent(kernel, 3)
        }
        Op::Pick(windows) | Op::Put(windows) => {
            own + entries(g, args[1], sizes) + entries(g, args[0], sizes) * f64::from(windows.size).powi(2)
        }
        Op::Prox(_) => own + args.iter().map(|a| entries(g, *a, sizes)).sum::<f64>().powf(1.5),
        Op::Map { body, output, .. } => extent(id, 0) * operations(&body.select(&[*output as usize]), sizes),
        // Entries that are read are as many as those that are written, or more.
        _ => args.iter().map(|a| entries(g, *a, sizes)).fold(own, f64::max),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Reduction;
    use crate::shape::{Dim, Shape};

    #[test]
    fn a_product_has_a_term_for_every_pair_that_meets() {
        let mut g = Graph::new();
        let one = g.constant(1.0);
        let [m, k, n] = ["m", "k", "n"].map(Dim::symbol);
        let a = g.broadcast(one, 0, &Shape(vec![m, k.clone()]));
        let b = g.broadcast(one, 0, &Shape(vec![k, n]));
        let product = g.matmul(a, b);
        let sum = g.reduce(Reduction::Sum, product, 0b11);
        let f = Function::new("f", &g, Vec::new(), &[sum]);
        let mut sizes = Sizes::new();
        assert_eq!(operations(&f, &sizes), f64::INFINITY);
        for (name, size) in [("m", 2), ("k", 30), ("n", 5)] {
            sizes.set(name, size);
        }
        assert!(bytes(&f, &sizes) > 8.0 * 10.0);
        let counted = operations(&f, &sizes);
        assert!((300.0..300.0 + 60.0 + 150.0 + 10.0 + 10.0).contains(&counted), "{counted}");
    }
}
