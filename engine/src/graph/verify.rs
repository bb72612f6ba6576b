//! What a legal graph is. Run between passes in debug builds and in tests.

use super::function::Function;
use super::graph::{Elem, Graph, NodeId, all_axes};
use super::op::Op;

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

fn check(g: &Graph, id: NodeId) -> Result<(), String> {
    let node = g.node(id);
    let shapes: Vec<_> = node.args.iter().map(|a| g.shape(*a)).collect();
    let arity = |n: usize| if shapes.len() == n { Ok(()) } else { Err(format!("{} operands", shapes.len())) };
    let require = |ok: bool, why: &str| if ok { Ok(()) } else { Err(format!("{why}: {shapes:?} -> {}", node.shape)) };
    require(node.args.iter().all(|a| *a < id), "operands come first")?;
    require(node.shape.rank() <= 6, "rank above 6")?;
    let indexed = matches!(node.op, Op::Gather(_) | Op::Scatter(_));
    for (k, a) in node.args.iter().enumerate() {
        let index = g.node(*a).elem == Elem::Index;
        let mapped = matches!(node.op, Op::Map { .. });
        require(mapped || index == (indexed && k == 1), "element kinds")?;
    }
    match &node.op {
        Op::Input(_) => arity(0),
        Op::Const(_) | Op::Size(_) => arity(0).and(require(node.shape.is_scalar(), "a number is a scalar")),
        Op::Iota => arity(0).and(require(node.shape.rank() == 1, "rank 1")),
        Op::Elementwise(f) => {
            arity(f.entry().arity)?;
            require(shapes.iter().all(|s| **s == node.shape), "operands have the result's shape")
        }
        Op::MatMul => {
            arity(2)?;
            require(shapes[0].rank() == 2 && shapes[1].rank() == 2 && shapes[0].0[1] == shapes[1].0[0], "[m,k]*[k,n]")
        }
        Op::Transpose(perm) => {
            arity(1)?;
            let mut sorted = perm.clone();
            sorted.sort_unstable();
            require(sorted.iter().enumerate().all(|(i, p)| i == *p as usize), "a permutation")
        }
        Op::Reduce(_, axes) => {
            arity(1)?;
            require(axes & !all_axes(shapes[0]) == 0, "axes within the operand")?;
            require(node.shape.rank() + axes.count_ones() as usize == shapes[0].rank(), "reduced rank")
        }
        Op::Broadcast(axes) => {
            arity(1)?;
            require(axes.count_ones() as usize == shapes[0].rank(), "one axis per operand axis")?;
            let kept: Vec<_> = (0..node.shape.rank()).filter(|i| axes >> i & 1 == 1).map(|i| &node.shape.0[i]).collect();
            require(kept.iter().zip(&shapes[0].0).all(|(a, b)| *a == b), "matching axes")
        }
        Op::Reshape => arity(1).and(require(shapes[0].count() == node.shape.count(), "same number of elements")),
        Op::Slice { step, .. } | Op::Pad { step, .. } => arity(1).and(require(*step >= 1, "a positive stride")),
        Op::Concat(_) => require(!shapes.is_empty(), "at least one part"),
        Op::Gather(_) | Op::Scatter(_) => arity(2).and(require(shapes[1].rank() == 1, "a rank-1 index")),
        Op::Prox(kernel) => arity(kernel.entry().operands.len()).and(require(*shapes[0] == node.shape, "v's shape")),
        Op::Map { body, mapped, .. } => {
            arity(body.inputs.len())?;
            require(mapped.len() == shapes.len(), "a mark per operand")
        }
    }
}
