//! The absolute value.

use super::*;

pub(super) static ENTRY: Entry = entry! {
    value(1),
    name: "abs",
    doc: "abs(x) = |x|; derivative 0 at 0",
    visibility: Visibility::Function,
    cost: Cost::Arithmetic,
    smoothness: Smoothness::Kinked("derivative 0 at 0", Some(|g, x, r| rounded_magnitude(g, x[0], r))),
    curvature: Curvature::Convex,
    monotone: &[Monotone::AwayFromZero],
    sign: signs::magnitude,
    partials: |g, x, _| vec![Some(g.elementwise(SIGN, x))],
    sample: &[(-2.0, 2.0)],
};

#[expect(clippy::eq_op, reason = "the difference is 0 with derivative 0, and NaN for NaN")]
#[inline(always)]
pub(super) fn value<D: Number>([x]: [D; 1]) -> D {
    if x > D::zero() {
        x
    } else if x < D::zero() {
        -x
    } else {
        x - x
    }
}
