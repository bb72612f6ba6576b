//! The arc tangent.

use super::*;

pub(super) static ENTRY: Entry = entry! {
    value(1),
    name: "atan",
    doc: "atan(x) = angle in (-pi/2, pi/2) whose tangent is x",
    visibility: Visibility::Function,
    cost: Cost::Function,
    smoothness: Smoothness::Smooth,
    curvature: Curvature::Neither,
    monotone: &[Monotone::Nondecreasing],
    sign: signs::same,
    partials: |g, x, _| {
        let one = g.constant(1.0);
        let squared = g.elementwise(SQUARE, x);
        let below = g.add(one, squared);
        vec![Some(reciprocal(g, below))]
    },
    sample: &[(-3.0, 3.0)],
};

#[inline(always)]
fn value<D: Number>([x]: [D; 1]) -> D {
    x.atan()
}
