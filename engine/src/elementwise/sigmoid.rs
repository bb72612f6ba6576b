//! The logistic function, with the exponential of a negative number on either side.

use super::*;

pub(super) static ENTRY: Entry = entry! {
    value(1),
    kernel: sigmoid,
    name: "sigmoid",
    doc: "sigmoid(x) = 1/(1 + e^-x)",
    visibility: Visibility::Function,
    cost: Cost::Function,
    smoothness: Smoothness::Smooth,
    curvature: Curvature::Neither,
    monotone: &[Monotone::Nondecreasing],
    sign: signs::positive,
    partials: |g, _, out| {
        let one = g.constant(1.0);
        let other = g.sub(one, out);
        vec![Some(g.mul(out, other))]
    },
    sample: &[(-4.0, 4.0)],
};

#[inline(always)]
pub(super) fn value<D: Number>([x]: [D; 1]) -> D {
    if x > D::zero() {
        ((-x).exp() + D::one()).recip()
    } else {
        let e = x.exp();
        e / (e + D::one())
    }
}
