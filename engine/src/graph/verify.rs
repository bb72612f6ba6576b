//! What a legal graph is. Run between passes in debug builds and in tests.

use super::builders::all_axes;
use super::function::Function;
use super::graph::{Elem, Graph, Node, NodeId};
use super::op::Op;
use crate::opaque::ResultShape;
use crate::shape::{Dim, Shape};

/// Checks every node of a function.
///
/// # Errors
/// The first illegal node, described.
pub fn verify(f: &Function) -> Result<(), String> {
    let g = f.graph();
    for (i, formal) in f.inputs.iter().enumerate() {
        let node = g.node(f.input(i));
        if node.op != Op::Input(i as u32) || node.shape != formal.shape || node.elem != formal.elem {
            return Err(format!("{}: input {i} is not node {i}", f.name));
        }
    }
    for id in g.ids() {
        check(g, id).map_err(|why| format!("{}: node {} ({}): {why}", f.name, id.0, g.op(id).name()))?;
    }
    Ok(())
}

/// A node with the shapes of its operands.
struct Judged<'g> {
    graph: &'g Graph,
    node: &'g Node,
    shapes: Vec<&'g Shape>,
}

impl Judged<'_> {
    fn arity(&self, n: usize) -> Result<(), String> {
        if self.shapes.len() == n { Ok(()) } else { Err(format!("{} operands", self.shapes.len())) }
    }

    fn require(&self, ok: bool, why: &str) -> Result<(), String> {
        if ok { Ok(()) } else { Err(format!("{why}: {:?} -> {}", self.shapes, self.node.shape)) }
    }

    /// Operations that compute.
    fn computes(&self) -> Result<(), String> {
        let (node, shapes) = (self.node, &self.shapes);
        match &node.op {
            Op::Input(_) => self.arity(0),
            Op::Const(_) | Op::Size(_) => {
                self.arity(0).and(self.require(node.shape.is_scalar(), "a number is a scalar"))
            }
            Op::Iota => self.arity(0).and(self.require(node.shape.rank() == 1, "rank 1")),
            Op::Elementwise(f) => {
                self.arity(f.entry().arity)?;
                self.require(shapes.iter().all(|s| **s == node.shape), "operands have the result's shape")
            }
            Op::MatMul => {
                self.arity(2)?;
                self.require(shapes[0].rank() == 2 && shapes[1].rank() == 2 && node.shape.rank() == 2, "rank 2")?;
                let (a, b, c) = (&shapes[0].0, &shapes[1].0, &node.shape.0);
                self.require(a[1] == b[0] && c[0] == a[0] && c[1] == b[1], "[m,k]*[k,n]")
            }
            Op::Reduce(_, axes) => {
                self.arity(1)?;
                self.require(axes & !all_axes(shapes[0]) == 0, "axes within the operand")?;
                self.require(in_mask(shapes[0], !axes).eq(&node.shape.0), "the other axes stay")
            }
            Op::Prox(kernel) => {
                self.arity(kernel.entry().operands.len())?;
                match kernel.entry().result {
                    ResultShape::Operand(k) => self.require(*shapes[k] == node.shape, "the operand's shape"),
                    ResultShape::Scalar => self.require(node.shape.is_scalar(), "a number"),
                }
            }
            Op::Conv { .. } | Op::Pick(_) | Op::Put(_) => self.windows(),
            Op::Map { .. } => self.map(),
            _ => self.moves(),
        }
    }

    /// Operations that only move, repeat, leave out or add up elements.
    fn moves(&self) -> Result<(), String> {
        let (node, shapes) = (self.node, &self.shapes);
        match &node.op {
            Op::Transpose(perm) => {
                self.arity(1)?;
                let mut sorted = perm.clone();
                sorted.sort_unstable();
                let whole =
                    sorted.len() == shapes[0].rank() && sorted.iter().enumerate().all(|(i, p)| i == *p as usize);
                self.require(whole, "a permutation")?;
                self.require(perm.iter().map(|p| &shapes[0].0[*p as usize]).eq(&node.shape.0), "permuted axes")
            }
            Op::Broadcast(axes) => {
                self.arity(1)?;
                self.require(axes & !all_axes(&node.shape) == 0, "axes within the result")?;
                self.require(in_mask(&node.shape, *axes).eq(&shapes[0].0), "matching axes")
            }
            Op::Reshape => {
                self.arity(1)?;
                self.require(shapes[0].count() == node.shape.count(), "same number of elements")
            }
            Op::Slice { axis, step, .. } | Op::Pad { axis, step, .. } => {
                self.arity(1).and(self.require(*step >= 1, "a positive stride"))?;
                self.require(same_but(shapes[0], &node.shape, *axis), "the other axes stay")
            }
            Op::Concat(axis) => {
                self.require(!shapes.is_empty(), "at least one part")?;
                self.require(shapes.iter().all(|s| same_but(s, &node.shape, *axis)), "the other axes agree")
            }
            Op::Gather(axis) | Op::Scatter(axis) => {
                self.arity(2).and(self.require(shapes[1].rank() == 1, "a rank-1 index"))?;
                self.require(same_but(shapes[0], &node.shape, *axis), "the other axes stay")?;
                let picked = if matches!(node.op, Op::Gather(_)) { &node.shape } else { shapes[0] };
                self.require(picked.0[*axis as usize] == shapes[1].0[0], "one entry per position")
            }
            _ => unreachable!("`computes` knows the operations that compute"),
        }
    }

    fn windows(&self) -> Result<(), String> {
        let (node, shapes) = (self.node, &self.shapes);
        match &node.op {
            Op::Conv { part, stride, .. } => {
                self.arity(2).and(self.require(*stride >= 1, "a positive stride"))?;
                let mut of = [&node.shape; 3];
                for (other, shape) in part.others().iter().zip(shapes) {
                    of[*other as usize] = *shape;
                }
                self.require(of.iter().all(|s| s.rank() == 4), "rank 4")?;
                let [u, w, v] = of.map(|s| &s.0);
                self.require(u[0] == v[0] && u[1] == w[1] && w[0] == v[1], "[i,c,h,w], [o,c,a,b], [i,o,p,q]")
            }
            Op::Pick(windows) | Op::Put(windows) => {
                self.arity(2).and(self.require(windows.size >= 1 && windows.stride >= 1, "positive windows"))?;
                let (key, values, out) = (shapes[0], shapes[1], &node.shape);
                let (full, one) = if matches!(node.op, Op::Pick(_)) { (values, out) } else { (out, values) };
                self.require(key.rank() == 3 && one.rank() == 3 && key == full && key.0[0] == one.0[0], "[m,h,w]")
            }
            _ => unreachable!("`computes` knows the operations on windows"),
        }
    }

    fn map(&self) -> Result<(), String> {
        let Op::Map { body, mapped, output } = &self.node.op else { unreachable!("`computes` knows what a map is") };
        let (node, shapes) = (self.node, &self.shapes);
        self.arity(body.inputs.len())?;
        let marked = mapped.len() == shapes.len() && mapped.contains(&true);
        self.require(marked, "a mark per operand, one of them mapped")?;
        self.require((*output as usize) < body.outputs().len(), "an output of the body")?;
        let stacked = |s: &Shape, slice: &Shape| {
            s.rank() == slice.rank() + 1 && s.0[0] == node.shape.0[0] && s.0[1..] == slice.0[..]
        };
        self.require(stacked(&node.shape, body.output_shape(*output as usize)), "stacked results")?;
        for ((a, formal), mapped) in node.args.iter().zip(&body.inputs).zip(mapped) {
            let shape = self.graph.shape(*a);
            self.require(self.graph.node(*a).elem == formal.elem, "element kinds")?;
            self.require(if *mapped { stacked(shape, &formal.shape) } else { *shape == formal.shape }, &formal.name)?;
        }
        verify(body)
    }
}

fn check(graph: &Graph, id: NodeId) -> Result<(), String> {
    let node = graph.node(id);
    let judged = Judged { graph, node, shapes: node.args.iter().map(|a| graph.shape(*a)).collect() };
    judged.require(node.args.iter().all(|a| *a < id), "operands come first")?;
    judged.require(node.shape.rank() <= 6, "rank above 6")?;
    let indexed = matches!(node.op, Op::Gather(_) | Op::Scatter(_));
    for (k, a) in node.args.iter().enumerate() {
        let index = graph.node(*a).elem == Elem::Index;
        let mapped = matches!(node.op, Op::Map { .. });
        judged.require(mapped || index == (indexed && k == 1), "element kinds")?;
    }
    judged.computes()
}

/// True when two shapes agree in all axes but one, which the first has.
fn same_but(a: &Shape, b: &Shape, axis: u8) -> bool {
    let others =
        |s: &Shape| s.0.iter().enumerate().filter(|(i, _)| *i != axis as usize).map(|(_, d)| d.clone()).collect();
    let (a, b): (Vec<Dim>, Vec<Dim>) = (others(a), others(b));
    (axis as usize) <= a.len() && a == b
}

/// The dimensions of the axes in the mask.
fn in_mask(shape: &Shape, axes: u8) -> impl Iterator<Item = &Dim> {
    shape.0.iter().enumerate().filter(move |(i, _)| axes >> i & 1 == 1).map(|(_, d)| d)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::elementwise;
    use crate::graph::{Formal, Reduction};

    /// What the verifier says of one operation over `x [m, n]` and positions `i [k]`.
    fn judged(op: Op, args: &[u32], dims: &[&str]) -> Result<(), String> {
        let shape = |dims: &[&str]| Shape(dims.iter().map(|d| Dim::symbol(d)).collect());
        let formal = |name: &str, dims: &[&str], elem| Formal { name: name.into(), shape: shape(dims), elem };
        let inputs = vec![formal("x", &["m", "n"], Elem::Real), formal("i", &["k"], Elem::Index)];
        let mut g = Graph::new();
        for (position, f) in inputs.iter().enumerate() {
            g.input(position, f.shape.clone(), f.elem);
        }
        let args = args.iter().map(|a| NodeId(*a)).collect();
        let id = g.intern(Node { op, args, shape: shape(dims), elem: Elem::Real });
        verify(&Function::unrewritten(g, inputs, &[id]))
    }

    #[test]
    fn legal_operations_pass() {
        assert_eq!(judged(Op::Transpose(vec![1, 0]), &[0], &["n", "m"]), Ok(()));
        assert_eq!(judged(Op::Reduce(Reduction::Sum, 1), &[0], &["n"]), Ok(()));
        assert_eq!(judged(Op::Broadcast(0b011), &[0], &["m", "n", "k"]), Ok(()));
        assert_eq!(judged(Op::Gather(0), &[0, 1], &["k", "n"]), Ok(()));
        assert_eq!(judged(Op::Slice { axis: 1, start: Dim::constant(2), step: 3 }, &[0], &["m", "k"]), Ok(()));
    }

    #[test]
    fn illegal_operations_are_described() {
        let cases = [
            (judged(Op::Elementwise(elementwise::ADD), &[0], &["m", "n"]), "1 operands"),
            (judged(Op::Elementwise(elementwise::EXP), &[0], &["n", "m"]), "operands have the result's shape"),
            (judged(Op::Elementwise(elementwise::EXP), &[1], &["k"]), "element kinds"),
            (judged(Op::MatMul, &[0, 0], &["m", "n"]), "[m,k]*[k,n]"),
            (judged(Op::Transpose(vec![0, 0]), &[0], &["m", "m"]), "a permutation"),
            (judged(Op::Transpose(vec![1, 0]), &[0], &["m", "n"]), "permuted axes"),
            (judged(Op::Reduce(Reduction::Sum, 4), &[0], &["m", "n"]), "axes within the operand"),
            (judged(Op::Reduce(Reduction::Sum, 1), &[0], &["m"]), "the other axes stay"),
            (judged(Op::Broadcast(0b101), &[0], &["m", "n", "k"]), "matching axes"),
            (judged(Op::Reshape, &[0], &["m", "k"]), "same number of elements"),
            (judged(Op::Concat(0), &[0, 0], &["m", "k"]), "the other axes agree"),
            (judged(Op::Gather(0), &[0, 0], &["k", "n"]), "element kinds"),
            (judged(Op::Gather(0), &[0, 1], &["m", "n"]), "one entry per position"),
            (judged(Op::Scatter(1), &[0, 1], &["m", "l"]), "one entry per position"),
        ];
        for (verdict, expected) in cases {
            let text = verdict.expect_err(expected);
            assert!(text.contains(expected), "{text} should say {expected}");
        }
    }
}
