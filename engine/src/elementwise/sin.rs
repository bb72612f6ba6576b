//! The sine.

use super::*;

pub(super) static ENTRY: Entry = entry! {
    value(1),
    kernel: sin,
    name: "sin",
    doc: "sin(x) = sine of x in radians",
    visibility: Visibility::Function,
    cost: Cost::Function,
    smoothness: Smoothness::Smooth,
    curvature: Curvature::Neither,
    monotone: &[Monotone::Neither],
    sign: signs::zero_at_zero,
    partials: |g, x, _| vec![Some(g.elementwise(COS, x))],
    sample: &[(-4.0, 4.0)],
};

#[inline(always)]
fn value<D: Number>([x]: [D; 1]) -> D {
    x.sin()
}
