//! What a matrix is by the way it is made: `eye(n) + W'*W/n` is its own transpose whatever W holds. Sufficient rules; a
//! data matrix that happens to be symmetric is not known to be.

use super::graph::{Graph, NodeId};
use super::op::Op;
use crate::elementwise;

/// How many operations deep a matrix is looked into.
const DEPTH: usize = 12;

/// True when the matrix `b` is known to be the transpose of the matrix `a`.
pub(crate) fn are_transposes(g: &Graph, a: NodeId, b: NodeId) -> bool {
    within(g, a, b, DEPTH)
}

/// True when a square matrix is known to be zero off its diagonal.
pub(crate) fn is_diagonal(g: &Graph, a: NodeId) -> bool {
    let args = g.args(a);
    match g.op(a) {
        Op::Elementwise(f) if *f == elementwise::EQUAL => {
            let [down, across] = [args[0], args[1]].map(|a| (g.op(a), g.args(a)));
            matches!((down.0, across.0), (Op::Broadcast(1), Op::Broadcast(2)) | (Op::Broadcast(2), Op::Broadcast(1)))
                && down.1 == across.1
                && *g.op(down.1[0]) == Op::Iota
        }
        Op::Elementwise(f) if *f == elementwise::SELECT => {
            let is_zero = |a: NodeId| match g.op(a) {
                Op::Broadcast(0) => g.as_const(g.args(a)[0]) == Some(0.0),
                _ => false,
            };
            is_diagonal(g, args[0]) && is_zero(args[2])
        }
        _ => false,
    }
}

fn within(g: &Graph, a: NodeId, b: NodeId, depth: usize) -> bool {
    let is_turned = |a, b| matches!(g.op(a), Op::Transpose(perm) if perm[..] == [1, 0]) && g.args(a)[0] == b;
    if is_turned(a, b) || is_turned(b, a) || a == b && is_diagonal(g, a) {
        return true;
    }
    let Some(depth) = depth.checked_sub(1) else { return false };
    let (of_a, of_b) = (g.args(a), g.args(b));
    match (g.op(a), g.op(b)) {
        (Op::Broadcast(0), Op::Broadcast(0)) => of_a == of_b && g.shape(a).0[0] == g.shape(a).0[1],
        (Op::Broadcast(along), Op::Broadcast(across)) => of_a == of_b && along & across == 0 && along | across == 3,
        // A column and a row of the same entries.
        (Op::Reshape, _) | (_, Op::Reshape) => {
            let entries = |id: NodeId| if *g.op(id) == Op::Reshape { g.args(id)[0] } else { id };
            let ([m, n], [p, q]) = (&g.shape(a).0[..], &g.shape(b).0[..]) else { return false };
            entries(a) == entries(b) && m == q && n == p && (m.is_one() || n.is_one())
        }
        (Op::MatMul, Op::MatMul) => within(g, of_a[0], of_b[1], depth) && within(g, of_a[1], of_b[0], depth),
        (Op::Elementwise(f), Op::Elementwise(h)) if f == h => {
            of_a.iter().zip(of_b).all(|(a, b)| within(g, *a, *b, depth))
                || matches!(*f, elementwise::ADD | elementwise::MUL | elementwise::EQUAL)
                    && within(g, of_a[0], of_b[1], depth)
                    && within(g, of_a[1], of_b[0], depth)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::elementwise::{EQUAL, LESS, SELECT};
    use crate::graph::Elem;
    use crate::shape::{Dim, Shape};

    #[test]
    fn matrices_made_symmetric_are_their_transposes() {
        let n = Dim::symbol("n");
        let (square, vector) = (Shape(vec![n.clone(), n.clone()]), Shape(vec![n.clone()]));
        let (column, row) = (Shape(vec![n.clone(), Dim::constant(1)]), Shape(vec![Dim::constant(1), n.clone()]));
        let mut g = Graph::new();
        let w = g.input(0, square.clone(), Elem::Real);
        let v = g.input(1, vector.clone(), Elem::Real);
        let iota = g.iota(&n);
        let (down, across) = (g.broadcast(iota, 1, &square), g.broadcast(iota, 2, &square));
        let eye = g.elementwise(EQUAL, &[down, across]);
        let turned = g.transpose(w);
        let gram = g.matmul(turned, w);
        let ridge = g.add(eye, gram);
        let (rows, columns) = (g.broadcast(v, 1, &square), g.broadcast(v, 2, &square));
        let (outer, sum) = (g.mul(rows, columns), g.add(w, turned));
        let (standing, lying) = (g.reshape(v, &column), g.reshape(v, &row));
        let product = g.matmul(standing, lying);
        let zero = g.filled(0.0, &square);
        let diagonal = g.elementwise(SELECT, &[eye, rows, zero]);
        for symmetric in [eye, gram, ridge, outer, sum, product, diagonal] {
            assert_eq!(g.transpose(symmetric), symmetric, "{:?}", g.node(symmetric));
        }
        let (square_of_w, less, difference) = (g.matmul(w, w), g.elementwise(LESS, &[down, across]), g.sub(w, turned));
        let one_below = g.filled(1.0, &square);
        let shifted = g.elementwise(SELECT, &[eye, rows, one_below]);
        for other in [w, rows, square_of_w, less, difference, shifted] {
            assert_ne!(g.transpose(other), other, "{:?}", g.node(other));
        }
    }
}
