//! The hyperbolic sine.

use super::*;

pub(super) static ENTRY: Entry = entry! {
    value(1),
    name: "sinh",
    doc: "sinh(x) = (e^x - e^-x)/2",
    visibility: Visibility::Function,
    cost: Cost::Function,
    smoothness: Smoothness::Smooth,
    curvature: Curvature::Neither,
    monotone: &[Monotone::Nondecreasing],
    sign: signs::same,
    partials: |g, x, _| vec![Some(g.elementwise(COSH, x))],
    sample: &[(-2.0, 2.0)],
};

#[inline(always)]
fn value<D: Number>([x]: [D; 1]) -> D {
    x.sinh()
}
