//! The projection onto the simplex by filtering and sorting, with its derivative, which is closed and is made of primitives.

use std::cmp::Ordering;

use num_dual::DualNum;

use super::{KernelEntry, ResultShape};
use crate::elementwise;
use crate::graph::{Graph, NodeId};

/// The kernel of the projection.
pub(super) static KERNEL: KernelEntry = KernelEntry {
    name: "simplex",
    doc: "nearest array to v with nonnegative entries of total s; O(n) and a sort of the entries that may stay positive",
    operands: &["v", "s"],
    result: ResultShape::Operand(0),
    smooth: false,
    undefined: None,
    remembers: false,
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

/// Passes of the filter. Each is worth far less than a sort of what it leaves out; a sequence made for it would lose one
/// entry a pass.
const PASSES: usize = 12;

/// The sorting algorithm. With u = v sorted downwards and tau_j = (u_1 + ... + u_j - s)/j, tau is tau_rho for the
/// largest rho with u_rho > tau_rho; that is the first j whose next entry is not above tau_j.
///
/// Only entries above tau take part, and most of the others need not be sorted: of any set that holds the former,
/// (sum - s)/count is at most tau (Michelot, J. Optim. Theory Appl. 50, 1986; Condat, Math. Program. 158, 2016), so that what
/// lies below is left out, again and again. What the sums of the sorted ones add up is the same, to the bit.
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
    let Some(top) = v.iter().copied().reduce(|a, b| if b > a { b } else { a }) else { return };
    let kept = candidates(out, v, top, s);
    out[..kept].sort_unstable_by(|a, b| b.partial_cmp(a).unwrap_or(Ordering::Equal));
    let (mut sum, mut count, mut tau) = (-s, D::zero(), -s);
    for u in out[..kept].iter().map(|u| *u - top) {
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

/// Writes the entries that may be above tau to the front of `out`; gives their number.
fn candidates<D: DualNum + Copy>(out: &mut [D], v: &[D], top: D, s: D) -> usize {
    // The largest entry alone keeps tau above top - s.
    let mut kept = 0;
    for u in v {
        if *u - top > -s {
            out[kept] = *u;
            kept += 1;
        }
    }
    for _ in 0..PASSES {
        let (mut sum, mut count) = (-s, D::zero());
        for u in &out[..kept] {
            sum += *u - top;
            count += D::one();
        }
        let bound = sum / count;
        // an eighth more than rounding errors of a long sum, also in f32
        let eighth = bound / (D::one() + D::one()).powi(3);
        let before = kept;
        kept = 0;
        for place in 0..before {
            let u = out[place];
            if u - top > bound + eighth {
                out[kept] = u;
                kept += 1;
            }
        }
        if 8 * kept > 7 * before {
            break;
        }
    }
    kept
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

    /// Sums of sorted entries alone, without the filter.
    #[test]
    fn the_filter_changes_no_bit() {
        let sorted = |v: &[f64], s: f64| {
            let mut u = v.to_vec();
            u.sort_unstable_by(|a, b| b.total_cmp(a));
            let (mut sum, mut tau) = (-s, -s);
            for (i, x) in u.iter().enumerate() {
                if x - u[0] <= tau {
                    break;
                }
                sum += x - u[0];
                tau = sum / (i + 1) as f64;
            }
            v.iter().map(|x| (x - u[0] - tau).max(0.0)).collect::<Vec<f64>>()
        };
        let even = |n: i32| (0..n).map(|i| (f64::from(i) * 0.618_033_988_75).fract() - 0.4).collect::<Vec<f64>>();
        let geometric: Vec<f64> = (0..60).map(|i| -(2f64.powi(i))).collect();
        let ties = vec![1.0; 50];
        for v in [even(1000), even(7), geometric, ties] {
            for s in [0.0, 1e-3, 1.0, 30.0, 1e4, 1e18] {
                assert_eq!(projected(&v, s), sorted(&v, s), "{} entries, total {s}", v.len());
            }
        }
    }

    #[test]
    fn nan_spreads() {
        assert!(projected(&[0.0, f64::NAN, 1.0], 1.0).iter().all(|y| y.is_nan()));
    }
}
