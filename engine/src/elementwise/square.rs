//! The square.

use super::*;

pub(super) static ENTRY: Entry = entry! {
    value(1),
    name: "square",
    doc: "square(x) = x^2",
    visibility: Visibility::Function,
    cost: Cost::Arithmetic,
    smoothness: Smoothness::Smooth,
    curvature: Curvature::Convex,
    monotone: &[Monotone::AwayFromZero],
    sign: signs::magnitude,
    partials: |g, x, _| vec![Some(g.scale(2.0, x[0]))],
    sample: &[(-2.0, 2.0)],
};

#[inline(always)]
fn value<D: Number>([x]: [D; 1]) -> D {
    x * x
}
