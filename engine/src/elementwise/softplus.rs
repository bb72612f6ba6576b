//! A smooth `relu`; both branches take the exponential of a negative number, so nothing overflows.

use super::*;

pub(super) static ENTRY: Entry = entry! {
    value(1),
    kernel: softplus,
    name: "softplus",
    doc: "softplus(x) = log(1 + e^x)",
    visibility: Visibility::Function,
    cost: Cost::Function,
    smoothness: Smoothness::Smooth,
    curvature: Curvature::Convex,
    monotone: &[Monotone::Nondecreasing],
    sign: signs::positive,
    partials: |g, x, _| vec![Some(g.elementwise(SIGMOID, x))],
    sample: &[(-4.0, 4.0)],
};

#[inline(always)]
fn value<D: Number>([x]: [D; 1]) -> D {
    if x > D::zero() { x + (-x).exp().ln_1p() } else { x.exp().ln_1p() }
}
