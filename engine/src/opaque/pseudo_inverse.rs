//! The Moore-Penrose inverse of a matrix A of any rank, transposed: an array G of A's shape with `A^+ = G'`.

use num_dual::DualNum;

use super::spectral::in_double;
use super::{KernelEntry, PSEUDO_INVERSE, ResultShape};
use crate::graph::{Graph, NodeId, Op};
use crate::kernel::pseudo_inverse;

/// The kernel. Its derivative is that of Golub and Pereyra (SIAM J. Numer. Anal. 10, 1973, eq. (4.12)), for changes of A
/// that keep its rank. Transposed, with `d = dA`,
/// `dG = -G d' G + (I - A G') d G' G + G G' d (I - G' A)`, which is its own adjoint.
pub(super) static KERNEL: KernelEntry = KernelEntry {
    name: "pseudo_inverse",
    doc: "the transposed Moore-Penrose inverse of A, which has as many rows as `rows` has entries; O(m n min(m, n))",
    operands: &["A", "rows"],
    result: ResultShape::Operand(0),
    smooth: false,
    undefined: Some("the pseudo-inverse of a matrix that is not finite"),
    remembers: true,
    flops: |entries| 4 * (entries[0] * entries[1]) as u128,
    apply_f64: |out, args| pseudo_inverse::transposed(out, args[0], args[1].len()),
    apply_f32: |out, args| in_double(out, args, &|out, args| pseudo_inverse::transposed(out, args[0], args[1].len())),
    dual: |out, args| greville(out, args[0], args[1].len()),
    hyper: |out, args| greville(out, args[0], args[1].len()),
    jvp: |g, args, out, tangents| tangents[0].map(|d| derivative(g, args[0], out, d)),
    vjp: |g, args, out, cotangent| vec![Some(derivative(g, args[0], out, cotangent)), None],
};

/// The node of G for a matrix.
pub fn pseudo_inverse_of(g: &mut Graph, a: NodeId) -> NodeId {
    let shape = g.shape(a).clone();
    let rows = g.iota(&shape.0[0]);
    g.push(Op::Prox(PSEUDO_INVERSE), vec![a, rows], shape)
}

fn derivative(g: &mut Graph, a: NodeId, inverse: NodeId, d: NodeId) -> NodeId {
    let [d_row, inverse_row] = [d, inverse].map(|x| g.transpose(x));
    let back = g.matmul(inverse, d_row);
    let back = g.matmul(back, inverse);
    let onto = g.matmul(a, inverse_row);
    let along = g.matmul(onto, d);
    let left = g.sub(d, along);
    let left = g.matmul(left, inverse_row);
    let left = g.matmul(left, inverse);
    let inner = g.matmul(d, inverse_row);
    let inner = g.matmul(inner, a);
    let right = g.sub(d, inner);
    let gram = g.matmul(inverse, inverse_row);
    let right = g.matmul(gram, right);
    let sum = g.add(left, right);
    g.sub(sum, back)
}

/// Row by row in any number type (Greville, SIAM Review 2, 1960), written to be plainly right. A row that those before
/// span, by their real parts, is taken to stay so.
fn greville<D: DualNum + Copy>(out: &mut [D], a: &[D], rows: usize) {
    let columns = a.len().checked_div(rows).unwrap_or(0);
    let dot = |x: &[D], y: &[D]| x.iter().zip(y).fold(D::zero(), |sum, (x, y)| sum + *x * *y);
    out.fill(D::zero());
    for k in 0..rows {
        let row = &a[k * columns..(k + 1) * columns];
        let (before, rest) = out.split_at_mut(k * columns);
        // the row in the span of those before: its coordinates, and what is left
        let coordinates: Vec<D> = (0..k).map(|i| dot(&before[i * columns..(i + 1) * columns], row)).collect();
        let mut left = row.to_vec();
        for (i, c) in coordinates.iter().enumerate() {
            left.iter_mut().zip(&a[i * columns..]).for_each(|(l, a)| *l -= *c * *a);
        }
        let (size, whole) = (dot(&left, &left), dot(row, row));
        let new = &mut rest[..columns];
        // numbers are compared by their real parts
        if D::from_f64(1e-20).is_some_and(|tiny| size > whole * tiny) {
            new.iter_mut().zip(&left).for_each(|(n, l)| *n = *l / size);
        } else {
            let weight = D::one() + dot(&coordinates, &coordinates);
            for (i, c) in coordinates.iter().enumerate() {
                new.iter_mut().zip(&before[i * columns..]).for_each(|(n, g)| *n += *c / weight * *g);
            }
        }
        for (i, c) in coordinates.iter().enumerate() {
            let old = &mut before[i * columns..(i + 1) * columns];
            old.iter_mut().zip(new.iter()).for_each(|(g, n)| *g -= *c * *n);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::tests::{agree, function};
    use crate::oracle::{Tensor, Value};
    use crate::shape::{Dim, Shape, Sizes};

    #[test]
    fn both_algorithms_agree_at_every_rank() {
        for (a, rows) in [
            (vec![3.0, 1.0, -2.0, 0.5, 4.0, 1.0], 2),
            (vec![3.0, 1.0, -2.0, 0.5, 4.0, 1.0], 3),
            (vec![1.0, 2.0, 3.0, 2.0, 4.0, 6.0, 0.0, 1.0, 0.0], 3),
            (vec![0.0, 0.0, 1.0, 2.0, 0.0, 0.0], 3),
        ] {
            let (mut fast, mut plain) = (vec![0.0; a.len()], vec![0.0; a.len()]);
            pseudo_inverse::transposed(&mut fast, &a, rows);
            greville(&mut plain, &a, rows);
            assert!(fast.iter().zip(&plain).all(|(a, b)| (a - b).abs() < 1e-14), "{fast:?} {plain:?}");
        }
    }

    #[test]
    fn derivatives_of_all_orders_at_full_rank() {
        for (rows, columns) in [(2, 3), (3, 2)] {
            let shape = Shape(vec![Dim::constant(rows), Dim::constant(columns)]);
            let f = function("pseudo-inverse", &[shape], |g, x| vec![pseudo_inverse_of(g, x[0])]);
            let a = Tensor::new(vec![rows as usize, columns as usize], vec![1.5, 0.5, -1.0, 0.2, 1.0, 0.4]);
            agree(&f, &Sizes::new(), &[Value::Real(a)], &[0], true);
        }
    }
}
