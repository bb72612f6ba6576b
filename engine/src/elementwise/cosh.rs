//! The hyperbolic cosine.

use super::*;

pub(super) static ENTRY: Entry = entry! {
    value(1),
    name: "cosh",
    doc: "cosh(x) = (e^x + e^-x)/2",
    visibility: Visibility::Function,
    cost: Cost::Function,
    smoothness: Smoothness::Smooth,
    curvature: Curvature::Convex,
    monotone: &[Monotone::AwayFromZero],
    sign: signs::positive,
    partials: |g, x, _| vec![Some(g.elementwise(SINH, x))],
    sample: &[(-2.0, 2.0)],
};

#[inline(always)]
fn value<D: Number>([x]: [D; 1]) -> D {
    x.cosh()
}
