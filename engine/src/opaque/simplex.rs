//! The projection onto the simplex by sorting, with its derivative, which is closed and is made of primitives.

use std::cmp::Ordering;

use num_dual::DualNum;

use super::{KernelEntry, ResultShape};
use crate::elementwise;
use crate::graph::{Graph, NodeId};

/// The kernel of the projection.
pub(super) static KERNEL: KernelEntry = KernelEntry {
    name: "simplex",
    doc: "nearest array to v with nonnegative entries of total s; O(n log n)",
    operands: &["v", "s"],
    result: ResultShape::Operand(0),
    smooth: false,
    undefined: None,
    flops: |entries| entries.iter().sum::<usize>() as u128,
    apply_f64: project,
    apply_f32: project,
    dual: project,
    hyper: project,
    jvp: |g, _, out, tangents| {
        let along = tangents[0].map(|t| spread(g, out, t));
        let shared = tangents[1].map(|t| {
            let each = share(g, out, t);
            on_support(g, out, each)
        });
        match (along, shared) {
            (Some(a), Some(b)) => Some(g.add(a, b)),
            (a, b) => a.or(b),
        }
    },
    vjp: |g, _, out, cotangent| {
        let along = spread(g, out, cotangent);
        let kept = on_support(g, out, cotangent);
        let total = g.sum_all(kept);
        vec![Some(along), Some(share(g, out, total))]
    },
};

/// The sorting algorithm. With u = v sorted downwards and tau_j = (u_1 + ... + u_j - s)/j, tau is tau_rho for the
/// largest rho with u_rho > tau_rho; that is the first j whose next entry is not above tau_j.
///
/// Entries are taken relative to the largest one, to which the projection is indifferent: v = 1e9 + small loses
/// nothing. `out` holds the sorted copy, so nothing is allocated. A NaN anywhere makes every entry NaN.
fn project<D: DualNum + Copy>(out: &mut [D], args: &[&[D]]) {
    let (v, s) = (args[0], args[1][0]);
    // NaN has no place in an order, and sorting needs one that is total.
    if let Some(nan) = v.iter().find(|y| y.partial_cmp(y).is_none()) {
        out.fill(*nan);
        return;
    }
    out.copy_from_slice(v);
    out.sort_unstable_by(|a, b| b.partial_cmp(a).unwrap_or(Ordering::Equal));
    let Some(&top) = out.first() else { return };
    let (mut sum, mut count, mut tau) = (-s, D::zero(), -s);
    for u in out.iter().map(|u| *u - top) {
        if u <= tau {
            break;
        }
        sum += u;
        count += D::one();
        tau = sum / count;
    }
    for (y, v) in out.iter_mut().zip(v) {
        let above = *v - top - tau;
        *y = if above > D::zero() { above } else { D::zero() };
    }
}

/// S, the support: 1 where the projection is above zero.
fn support(g: &mut Graph, out: NodeId) -> NodeId {
    let zero = g.constant(0.0);
    g.elementwise(elementwise::LESS, &[zero, out])
}

fn on_support(g: &mut Graph, out: NodeId, a: NodeId) -> NodeId {
    let mask = support(g, out);
    g.mul(mask, a)
}

/// a/|S|, and 0 for an empty support (s = 0).
fn share(g: &mut Graph, out: NodeId, a: NodeId) -> NodeId {
    let mask = support(g, out);
    let count = g.sum_all(mask);
    g.elementwise(elementwise::SAFE_DIV, &[a, count])
}

/// The Jacobian in v, symmetric: J a = S .* (a - sum(S .* a)/|S|).
fn spread(g: &mut Graph, out: NodeId, a: NodeId) -> NodeId {
    let kept = on_support(g, out, a);
    let total = g.sum_all(kept);
    let mean = share(g, out, total);
    let centered = g.sub(a, mean);
    on_support(g, out, centered)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn projected(v: &[f64], s: f64) -> Vec<f64> {
        let mut out = vec![0.0; v.len()];
        project(&mut out, &[v, &[s]]);
        out
    }

    #[test]
    fn known_projections() {
        assert_eq!(projected(&[0.5, 0.25, 0.25], 1.0), [0.5, 0.25, 0.25]);
        assert_eq!(projected(&[2.0, 0.0], 1.0), [1.0, 0.0]);
        assert_eq!(projected(&[1.0, 1.0, -5.0], 1.0), [0.5, 0.5, 0.0]);
        assert_eq!(projected(&[-3.0], 2.0), [2.0]);
        assert_eq!(projected(&[3.0, 1.0], 0.0), [0.0, 0.0]);
        assert_eq!(projected(&[], 1.0), [0.0; 0]);
    }

    #[test]
    fn a_common_offset_loses_nothing() {
        let near = projected(&[0.25, 0.5, -0.125], 1.0);
        assert_eq!(projected(&[1e9 + 0.25, 1e9 + 0.5, 1e9 - 0.125], 1.0), near);
    }

    #[test]
    fn nan_spreads() {
        assert!(projected(&[0.0, f64::NAN, 1.0], 1.0).iter().all(|y| y.is_nan()));
    }
}
