//! The positive part of a symmetric matrix, and its derivatives by the divided differences of eigenvalues.
//!
//! Every operation reads its matrix S as (S + S')/2 and has the eigenvectors Q of S as an operand beside it: one
//! decomposition serves a value and all derivatives. Q passes nothing on; derivatives in S are operations of their own,
//! which stay bounded where eigenvalues meet and eigenvectors have no derivative.

use num_dual::{Dual64, HyperDual64};

use super::{EIGENVECTORS, KernelEntry, POSITIVE_BEND, POSITIVE_PART, POSITIVE_SLOPE, ResultShape};
use crate::graph::{Graph, NodeId, Op};
use crate::kernel::cholesky::side;
use crate::kernel::symmetric;

/// Multiplications of a product of matrices with so many entries.
fn product(entries: &[usize]) -> u128 {
    2 * (entries[0] * side(entries[0])) as u128
}

/// The eigenvectors of S.
pub(super) static VECTORS: KernelEntry = KernelEntry {
    name: "eigenvectors",
    doc: "orthonormal eigenvectors of a symmetric S, as columns; O(n^3)",
    operands: &["S"],
    result: ResultShape::Operand(0),
    smooth: false,
    undefined: Some("the eigenvectors of a matrix that is not finite"),
    // the tridiagonal form, its rotations and the way back
    remembers: false,
    flops: |entries| 6 * product(entries),
    apply_f64: |out, args| symmetric::eigenvectors(out, args[0]),
    apply_f32: |out, args| in_double(out, args, &|out, args| symmetric::eigenvectors(out, args[0])),
    dual: |out, args| {
        let found = value(&vectors, &args.iter().map(|a| reals(a)).collect::<Vec<_>>());
        out.iter_mut().zip(found).for_each(|(to, re)| *to = Dual64::from(re));
    },
    hyper: |out, args| {
        let s: Vec<f64> = args[0].iter().map(|v| v.re).collect();
        let found = value(&vectors, &[s]);
        out.iter_mut().zip(found).for_each(|(to, re)| *to = HyperDual64::from(re));
    },
    jvp: |_, _, _, _| None,
    vjp: |_, _, _, _| vec![None],
};

/// The nearest positive semidefinite matrix.
pub(super) static PART: KernelEntry = KernelEntry {
    name: "positive_part",
    doc: "Q*diag(max(w, 0))*Q' for S = Q*diag(w)*Q'; O(n^3)",
    operands: &["S", "Q"],
    result: ResultShape::Operand(0),
    smooth: false,
    undefined: None,
    remembers: false,
    flops: |entries| 2 * product(entries),
    apply_f64: part,
    apply_f32: |out, args| in_double(out, args, &part),
    dual: |out, args| {
        let [s, q] = [reals(args[0]), reals(args[1])];
        let re = value(&part, &[s.clone(), q.clone()]);
        let eps = value(&slope, &[s, q, tangents(args[0])]);
        out.iter_mut().zip(re).zip(eps).for_each(|((to, re), eps)| *to = Dual64::new(re, eps));
    },
    hyper: |out, args| {
        let [s, s1, s2, s12] = parts(args[0]);
        let q = parts(args[1])[0].clone();
        let slope = |h: &[f64]| value(&slope, &[s.clone(), q.clone(), h.to_vec()]);
        let bent = value(&bend, &[s.clone(), q.clone(), s1.clone(), s2.clone()]);
        let (re, mixed) = (value(&part, &[s.clone(), q.clone()]), sum(&[slope(&s12), bent]));
        write(out, &[re, slope(&s1), slope(&s2), mixed]);
    },
    jvp: |g, args, _, tangents| tangents[0].map(|ds| slope_of(g, args, ds)),
    vjp: |g, args, _, cotangent| vec![Some(slope_of(g, args, cotangent)), None],
};

/// Its derivative in a direction.
pub(super) static SLOPE: KernelEntry = KernelEntry {
    name: "positive_slope",
    doc: "the derivative of the positive part of S in the direction H; O(n^3)",
    operands: &["S", "Q", "H"],
    result: ResultShape::Operand(2),
    smooth: false,
    undefined: None,
    remembers: false,
    flops: |entries| 5 * product(entries),
    apply_f64: slope,
    apply_f32: |out, args| in_double(out, args, &slope),
    dual: |out, args| {
        let [s, q, h] = [0, 1, 2].map(|i| reals(args[i]));
        let re = value(&slope, &[s.clone(), q.clone(), h.clone()]);
        let along = value(&slope, &[s.clone(), q.clone(), tangents(args[2])]);
        let eps = sum(&[along, value(&bend, &[s, q, h, tangents(args[0])])]);
        out.iter_mut().zip(re).zip(eps).for_each(|((to, re), eps)| *to = Dual64::new(re, eps));
    },
    hyper: |out, args| {
        let [s, s1, s2, s12] = parts(args[0]);
        let q = parts(args[1])[0].clone();
        let [h, h1, h2, h12] = parts(args[2]);
        let slope = |h: &[f64]| value(&slope, &[s.clone(), q.clone(), h.to_vec()]);
        let bend = |h: &[f64], k: &[f64]| value(&bend, &[s.clone(), q.clone(), h.to_vec(), k.to_vec()]);
        let first = [sum(&[slope(&h1), bend(&h, &s1)]), sum(&[slope(&h2), bend(&h, &s2)])];
        let third = unknown(&[&h, &s1, &s2]);
        let mixed = sum(&[slope(&h12), bend(&h1, &s2), bend(&h2, &s1), bend(&h, &s12), third]);
        let [one, two] = first;
        write(out, &[slope(&h), one, two, mixed]);
    },
    jvp: |g, args, _, tangents| {
        let along = tangents[2].map(|dh| slope_of(g, args, dh));
        let moved = tangents[0].map(|ds| bend_of(g, &[args[0], args[1]], args[2], ds));
        match (along, moved) {
            (Some(a), Some(b)) => Some(g.add(a, b)),
            (a, b) => a.or(b),
        }
    },
    // Both derivatives are symmetric forms, so that each is its own adjoint.
    vjp: |g, args, _, cotangent| {
        let moved = bend_of(g, &[args[0], args[1]], args[2], cotangent);
        vec![Some(moved), None, Some(slope_of(g, args, cotangent))]
    },
};

/// Its second derivative in two directions. A third one in S would need an operation of its own: it is NaN, which no
/// method asks for and nobody takes for a number.
pub(super) static BEND: KernelEntry = KernelEntry {
    name: "positive_bend",
    doc: "the second derivative of the positive part of S in the directions H and K; O(n^3)",
    operands: &["S", "Q", "H", "K"],
    result: ResultShape::Operand(2),
    smooth: false,
    undefined: None,
    remembers: false,
    flops: |entries| 10 * product(entries),
    apply_f64: bend,
    apply_f32: |out, args| in_double(out, args, &bend),
    dual: |out, args| {
        let [s, q, h, k] = [0, 1, 2, 3].map(|i| reals(args[i]));
        let bend = |h: &[f64], k: &[f64]| value(&bend, &[s.clone(), q.clone(), h.to_vec(), k.to_vec()]);
        let third = unknown(&[&h, &k, &tangents(args[0])]);
        let eps = sum(&[bend(&tangents(args[2]), &k), bend(&h, &tangents(args[3])), third]);
        out.iter_mut().zip(bend(&h, &k)).zip(eps).for_each(|((to, re), eps)| *to = Dual64::new(re, eps));
    },
    hyper: |out, args| {
        let [s, s1, s2, _] = parts(args[0]);
        let q = parts(args[1])[0].clone();
        let ([h, h1, h2, h12], [k, k1, k2, k12]) = (parts(args[2]), parts(args[3]));
        let bend = |h: &[f64], k: &[f64]| value(&bend, &[s.clone(), q.clone(), h.to_vec(), k.to_vec()]);
        let one = sum(&[bend(&h1, &k), bend(&h, &k1), unknown(&[&h, &k, &s1])]);
        let two = sum(&[bend(&h2, &k), bend(&h, &k2), unknown(&[&h, &k, &s2])]);
        let moved = [unknown(&[&h, &k, &s1]), unknown(&[&h, &k, &s2])];
        let mixed = sum(&[bend(&h12, &k), bend(&h1, &k2), bend(&h2, &k1), bend(&h, &k12), sum(&moved)]);
        write(out, &[bend(&h, &k), one, two, mixed]);
    },
    jvp: |g, args, _, tangents| {
        let [h, k] = [2, 3].map(|i| {
            let other = args[5 - i];
            tangents[i].map(|t| bend_of(g, &[args[0], args[1]], t, other))
        });
        let shape = g.shape(args[2]).clone();
        let third = tangents[0].map(|_| g.filled(f64::NAN, &shape));
        [h, k, third].into_iter().flatten().reduce(|a, b| g.add(a, b))
    },
    vjp: |g, args, _, cotangent| {
        let shape = g.shape(args[0]).clone();
        let third = g.filled(f64::NAN, &shape);
        let [h, k] = [args[3], args[2]].map(|other| bend_of(g, &[args[0], args[1]], cotangent, other));
        vec![Some(third), None, Some(h), Some(k)]
    },
};

/// The node of the nearest positive semidefinite matrix to S.
pub fn positive_part_of(g: &mut Graph, s: NodeId) -> NodeId {
    let shape = g.shape(s).clone();
    let q = g.push(Op::Prox(EIGENVECTORS), vec![s], shape.clone());
    g.push(Op::Prox(POSITIVE_PART), vec![s, q], shape)
}

/// The nearest positive semidefinite matrix to S.
pub(crate) fn nearest(s: &[f64]) -> Vec<f64> {
    let q = value(&vectors, &[s.to_vec()]);
    value(&part, &[s.to_vec(), q])
}

fn slope_of(g: &mut Graph, args: &[NodeId], h: NodeId) -> NodeId {
    let shape = g.shape(h).clone();
    g.push(Op::Prox(POSITIVE_SLOPE), vec![args[0], args[1], h], shape)
}

fn bend_of(g: &mut Graph, s_and_q: &[NodeId; 2], h: NodeId, k: NodeId) -> NodeId {
    let shape = g.shape(h).clone();
    g.push(Op::Prox(POSITIVE_BEND), vec![s_and_q[0], s_and_q[1], h, k], shape)
}

type Apply = dyn Fn(&mut [f64], &[&[f64]]);

fn vectors(out: &mut [f64], args: &[&[f64]]) {
    symmetric::eigenvectors(out, args[0]);
}

fn part(out: &mut [f64], args: &[&[f64]]) {
    symmetric::positive_part(out, args[0], args[1]);
}

fn slope(out: &mut [f64], args: &[&[f64]]) {
    symmetric::slope(out, args[0], args[1], args[2]);
}

fn bend(out: &mut [f64], args: &[&[f64]]) {
    symmetric::bend(out, args[0], args[1], args[2], args[3]);
}

fn value(apply: &Apply, args: &[Vec<f64>]) -> Vec<f64> {
    let mut out = vec![0.0; args[0].len()];
    apply(&mut out, &args.iter().map(Vec::as_slice).collect::<Vec<_>>());
    out
}

/// Computes in f64: with eigenvectors in f32 the positive part would lose the half of its digits.
pub(super) fn in_double(out: &mut [f32], args: &[&[f32]], apply: &Apply) {
    let wide: Vec<Vec<f64>> = args.iter().map(|a| a.iter().map(|v| f64::from(*v)).collect()).collect();
    let mut found = vec![0.0; out.len()];
    apply(&mut found, &wide.iter().map(Vec::as_slice).collect::<Vec<_>>());
    out.iter_mut().zip(found).for_each(|(to, v)| *to = v as f32);
}

/// 0 where one of the directions is, else NaN: a third derivative.
fn unknown(directions: &[&[f64]]) -> Vec<f64> {
    let none = directions.iter().any(|d| d.iter().all(|v| *v == 0.0));
    vec![if none { 0.0 } else { f64::NAN }; directions[0].len()]
}

fn sum(terms: &[Vec<f64>]) -> Vec<f64> {
    (0..terms[0].len()).map(|i| terms.iter().map(|t| t[i]).sum()).collect()
}

fn reals(a: &[Dual64]) -> Vec<f64> {
    a.iter().map(|v| v.re).collect()
}

fn tangents(a: &[Dual64]) -> Vec<f64> {
    a.iter().map(|v| v.eps).collect()
}

fn parts(a: &[HyperDual64]) -> [Vec<f64>; 4] {
    let part = |of: fn(&HyperDual64) -> f64| a.iter().map(of).collect();
    [part(|v| v.re), part(|v| v.eps1), part(|v| v.eps2), part(|v| v.eps1eps2)]
}

fn write(out: &mut [HyperDual64], [re, one, two, mixed]: &[Vec<f64>; 4]) {
    for (i, to) in out.iter_mut().enumerate() {
        *to = HyperDual64::new(re[i], one[i], two[i], mixed[i]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::tests::function;
    use crate::diff::{jvp, vjp};
    use crate::oracle::{Tensor, Value, directional, evaluate};
    use crate::shape::{Dim, Shape, Sizes};

    const S: [f64; 9] = [1.0, 0.4, -1.1, 0.2, -0.7, 0.9, 0.3, -0.6, 0.8];
    const H: [f64; 9] = [0.3, -0.2, 0.7, 0.5, 0.1, -0.4, 0.6, 0.2, -0.9];
    const K: [f64; 9] = [-0.1, 0.8, 0.2, -0.3, 0.4, 0.7, -0.5, 0.6, 0.2];

    fn array(values: &[f64]) -> Value<f64> {
        Value::Real(Tensor::new(vec![3, 3], values.to_vec()))
    }

    /// Second derivatives in forward mode, by dual numbers and by central differences; forward over reverse pairs.
    #[test]
    fn second_derivatives() {
        let square = Shape(vec![Dim::constant(3), Dim::constant(3)]);
        let f = function("psd", &[square], |g, x| vec![positive_part_of(g, x[0])]);
        let sizes = Sizes::new();
        let slope = jvp(&f, &[0]);
        let second = evaluate(&jvp(&slope, &[0]), &sizes, &[array(&S), array(&H), array(&K)]).swap_remove(0).values;
        let along = [Some(K.to_vec()), None];
        let dual = directional(&slope, &sizes, &[array(&S), array(&H)], &along).1.swap_remove(0).values;
        let at = |step: f64| {
            let moved: Vec<f64> = S.iter().zip(&K).map(|(s, k)| s + step * k).collect();
            evaluate(&slope, &sizes, &[array(&moved), array(&H)]).swap_remove(0).values
        };
        let (above, below) = (at(1e-5), at(-1e-5));
        for i in 0..9 {
            let central = (above[i] - below[i]) / 2e-5;
            assert!((second[i] - central).abs() < 1e-8, "{second:?} {central}");
            assert!((second[i] - dual[i]).abs() < 1e-14, "{second:?} {dual:?}");
        }
        // <H, the derivative of the adjoint along K> is the same form
        let reverse = vjp(&f, &[0]);
        let mixed = evaluate(&jvp(&reverse, &[0]), &sizes, &[array(&S), array(&H), array(&K)]).swap_remove(0).values;
        assert!(mixed.iter().zip(&second).all(|(a, b)| (a - b).abs() < 1e-14));
        let pulled = evaluate(&vjp(&reverse, &[0, 1]), &sizes, &[array(&S), array(&H), array(&K)]);
        let pair = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        assert!((pair(&pulled[0].values, &K) - pair(&second, &K)).abs() < 1e-14);
    }
}
