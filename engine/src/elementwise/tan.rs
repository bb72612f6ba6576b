//! The tangent.

use super::*;

pub(super) static ENTRY: Entry = entry! {
    value(1),
    name: "tan",
    doc: "tan(x) = sin(x)/cos(x)",
    visibility: Visibility::Function,
    cost: Cost::Function,
    smoothness: Smoothness::Smooth,
    curvature: Curvature::Neither,
    monotone: &[Monotone::Neither],
    sign: signs::zero_at_zero,
    partials: |g, _, out| {
        let one = g.constant(1.0);
        let squared = g.elementwise(SQUARE, &[out]);
        vec![Some(g.add(one, squared))]
    },
    sample: &[(-1.2, 1.2)],
};

#[inline(always)]
fn value<D: Number>([x]: [D; 1]) -> D {
    x.tan()
}
