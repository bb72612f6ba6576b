//! Symmetric positive definite matrices: the Cholesky factor, and with it solutions and the logarithm of the determinant.
//!
//! Each operation reads its matrix S as (S + S')/2. Those that need the factor L have it as an operand beside S: values come
//! from L, derivatives from S alone, and L passes nothing on. So one factor serves a value and all of its derivatives.
//! With V = S^-1: `d logdet(S) = sum(V .* dS)` and `d(V*B) = V*(dB - dS*(V*B))`, dS made symmetric.

use num_dual::DualNum;

use super::{CHOLESKY, KernelEntry, LOGDET, ResultShape, SOLVE};
use crate::elementwise;
use crate::graph::{Graph, NodeId, Op, symmetry};
use crate::kernel::cholesky;
use crate::shape::{Dim, Shape};

/// The factor L of S.
pub(super) static FACTOR: KernelEntry = KernelEntry {
    name: "cholesky",
    doc: "lower triangular L with L*L' = S for a symmetric positive definite S, else NaN; O(n^3)",
    operands: &["S"],
    result: ResultShape::Operand(0),
    smooth: true,
    undefined: Some("the Cholesky factor of a matrix that is not positive definite"),
    remembers: false,
    flops: |entries| (entries[0] * cholesky::side(entries[0])) as u128 / 3,
    apply_f64: |out, args| cholesky::factor(out, args[0]),
    apply_f32: |out, args| cholesky::factor(out, args[0]),
    dual: |out, args| factor(out, args[0]),
    hyper: |out, args| factor(out, args[0]),
    jvp: |_, _, _, _| None,
    vjp: |_, _, _, _| vec![None],
};

/// `S^-1 B`.
pub(super) static SOLUTION: KernelEntry = KernelEntry {
    name: "solve",
    doc: "X with S*X = B for S with the factor L; O(n^2) per column",
    operands: &["S", "L", "B"],
    result: ResultShape::Operand(2),
    smooth: true,
    undefined: None,
    remembers: false,
    flops: |entries| 2 * (entries[2] * cholesky::side(entries[1])) as u128,
    apply_f64: |out, args| cholesky::solve(out, args[1], args[2]),
    apply_f32: |out, args| cholesky::solve(out, args[1], args[2]),
    dual: |out, args| solve(out, args[1], args[2]),
    hyper: |out, args| solve(out, args[1], args[2]),
    jvp: |g, args, out, tangents| {
        let moved = tangents[0].map(|ds| {
            let ds = symmetric(g, ds);
            let product = g.matmul(ds, out);
            g.neg(product)
        });
        let right = match (moved, tangents[2]) {
            (Some(a), Some(b)) => Some(g.add(b, a)),
            (a, b) => a.or(b),
        };
        right.map(|r| solution(g, args[0], args[1], r))
    },
    vjp: |g, args, out, cotangent| {
        let right = solution(g, args[0], args[1], cotangent);
        let row = g.transpose(out);
        let product = g.matmul(right, row);
        let product = symmetric(g, product);
        vec![Some(g.neg(product)), None, Some(right)]
    },
};

/// `log(det(S))`.
pub(super) static LOG_DETERMINANT: KernelEntry = KernelEntry {
    name: "logdet",
    doc: "log(det(S)) for S with the factor L; O(n)",
    operands: &["S", "L"],
    result: ResultShape::Scalar,
    smooth: true,
    undefined: None,
    remembers: false,
    flops: |entries| cholesky::side(entries[1]) as u128,
    apply_f64: |out, args| out[0] = cholesky::logdet(args[1]),
    apply_f32: |out, args| out[0] = cholesky::logdet(args[1]),
    dual: |out, args| out[0] = logdet(args[1]),
    hyper: |out, args| out[0] = logdet(args[1]),
    jvp: |g, args, _, tangents| {
        let ds = tangents[0]?;
        let v = inverse(g, args[0], args[1]);
        let product = g.mul(v, ds);
        Some(g.sum_all(product))
    },
    vjp: |g, args, _, cotangent| {
        let v = inverse(g, args[0], args[1]);
        let shape = g.shape(v).clone();
        let weight = g.broadcast(cotangent, 0, &shape);
        vec![Some(g.mul(weight, v)), None]
    },
};

/// The node of `log(det(S))`.
pub fn logdet_of(g: &mut Graph, s: NodeId) -> NodeId {
    let l = factor_of(g, s);
    g.push(Op::Prox(LOGDET), vec![s, l], Shape::scalar())
}

/// The node of `S^-1 B`, for `B` of shape `[n, k]`.
pub fn solution_of(g: &mut Graph, s: NodeId, b: NodeId) -> NodeId {
    let l = factor_of(g, s);
    solution(g, s, l, b)
}

/// The node of `S^-1`.
pub fn inverse_of(g: &mut Graph, s: NodeId) -> NodeId {
    let l = factor_of(g, s);
    inverse(g, s, l)
}

fn factor_of(g: &mut Graph, s: NodeId) -> NodeId {
    let shape = g.shape(s).clone();
    g.push(Op::Prox(CHOLESKY), vec![s], shape)
}

fn solution(g: &mut Graph, s: NodeId, l: NodeId, b: NodeId) -> NodeId {
    let shape = g.shape(b).clone();
    g.push(Op::Prox(SOLVE), vec![s, l, b], shape)
}

fn inverse(g: &mut Graph, s: NodeId, l: NodeId) -> NodeId {
    let n: Dim = g.shape(s).0[0].clone();
    let square = Shape(vec![n.clone(), n.clone()]);
    let places = g.iota(&n);
    let (row, column) = (g.broadcast(places, 0b01, &square), g.broadcast(places, 0b10, &square));
    let eye = g.elementwise(elementwise::EQUAL, &[row, column]);
    solution(g, s, l, eye)
}

/// `(A + A')/2`.
fn symmetric(g: &mut Graph, a: NodeId) -> NodeId {
    if symmetry::are_transposes(g, a, a) {
        return a;
    }
    let transposed = g.transpose(a);
    let sum = g.add(a, transposed);
    g.scale(0.5, sum)
}

/// The factor in any number type, by rows: written to be plainly right.
fn factor<D: DualNum + Copy>(out: &mut [D], s: &[D]) {
    let n = cholesky::side(s.len());
    let two = D::one() + D::one();
    out.fill(D::zero());
    for i in 0..n {
        for j in 0..=i {
            let entry = (s[i * n + j] + s[j * n + i]) / two;
            let rest = (0..j).fold(entry, |r, k| r - out[i * n + k] * out[j * n + k]);
            if i != j {
                out[i * n + j] = rest / out[j * n + j];
            } else if rest > D::zero() {
                out[i * n + i] = rest.sqrt();
            } else {
                return out.fill((D::zero() - D::one()).sqrt());
            }
        }
    }
}

fn solve<D: DualNum + Copy>(out: &mut [D], l: &[D], b: &[D]) {
    let n = cholesky::side(l.len());
    out.copy_from_slice(b);
    let columns = b.len().checked_div(n).unwrap_or(0);
    for c in 0..columns {
        for i in 0..n {
            let rest = (0..i).fold(out[i * columns + c], |r, k| r - l[i * n + k] * out[k * columns + c]);
            out[i * columns + c] = rest / l[i * n + i];
        }
        for i in (0..n).rev() {
            let rest = (i + 1..n).fold(out[i * columns + c], |r, k| r - l[k * n + i] * out[k * columns + c]);
            out[i * columns + c] = rest / l[i * n + i];
        }
    }
}

fn logdet<D: DualNum + Copy>(l: &[D]) -> D {
    let n = cholesky::side(l.len());
    let total = (0..n).fold(D::zero(), |sum, i| sum + l[i * n + i].ln());
    total + total
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::tests::{agree, function};
    use crate::oracle::{Tensor, Value};
    use crate::shape::Sizes;

    fn square(n: i64) -> Shape {
        Shape(vec![Dim::constant(n), Dim::constant(n)])
    }

    /// Not symmetric: operations read (S + S')/2.
    fn matrix() -> Value<f64> {
        Value::Real(Tensor::new(vec![3, 3], vec![4.0, 1.0, -0.5, 0.6, 3.0, 0.2, 0.3, 0.9, 2.5]))
    }

    #[test]
    fn derivatives_of_all_orders() {
        let logdet = function("logdet", &[square(3)], |g, x| vec![logdet_of(g, x[0])]);
        agree(&logdet, &Sizes::new(), &[matrix()], &[0], true);
        let inverse = function("inv", &[square(3)], |g, x| vec![inverse_of(g, x[0])]);
        agree(&inverse, &Sizes::new(), &[matrix()], &[0], true);
        let right = Shape(vec![Dim::constant(3), Dim::constant(2)]);
        let b = Value::Real(Tensor::new(vec![3, 2], vec![1.0, -2.0, 0.5, 0.3, 0.7, 1.1]));
        let solve = function("solve", &[square(3), right], |g, x| vec![solution_of(g, x[0], x[1])]);
        agree(&solve, &Sizes::new(), &[matrix(), b], &[0, 1], true);
    }

    #[test]
    fn kernels_agree_with_the_plain_factor() {
        let s = [4.0, 1.0, -0.5, 0.6, 3.0, 0.2, 0.3, 0.9, 2.5];
        let (mut fast, mut plain) = ([0.0; 9], [0.0; 9]);
        cholesky::factor(&mut fast, &s);
        factor(&mut plain, &s);
        let close = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-14);
        assert!(close(&fast, &plain), "{fast:?} {plain:?}");
        assert!((cholesky::logdet(&fast) - logdet(&plain)).abs() < 1e-14);
        let b = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let (mut x, mut y) = ([0.0; 6], [0.0; 6]);
        cholesky::solve(&mut x, &fast, &b);
        solve(&mut y, &plain, &b);
        assert!(close(&x, &y), "{x:?} {y:?}");
    }

    #[test]
    fn what_is_not_definite_is_nan() {
        for s in [[1.0, 2.0, 2.0, 1.0], [0.0; 4], [-1.0, 0.0, 0.0, 1.0], [f64::NAN, 0.0, 0.0, 1.0]] {
            let mut l = [0.0; 4];
            cholesky::factor(&mut l, &s);
            assert!(l.iter().all(|v| v.is_nan()), "{s:?}");
            let mut plain = [0.0; 4];
            factor(&mut plain, &s);
            assert!(plain.iter().all(|v| v.is_nan()), "{s:?}");
        }
    }
}
