//! The cosine.

use super::*;

pub(super) static ENTRY: Entry = entry! {
    value(1),
    kernel: cos,
    name: "cos",
    doc: "cos(x) = cosine of x in radians",
    visibility: Visibility::Function,
    cost: Cost::Function,
    smoothness: Smoothness::Smooth,
    curvature: Curvature::Neither,
    monotone: &[Monotone::Neither],
    sign: signs::unknown,
    partials: |g, x, _| {
        let sine = g.elementwise(SIN, x);
        vec![Some(g.neg(sine))]
    },
    sample: &[(-4.0, 4.0)],
};

#[inline(always)]
fn value<D: Number>([x]: [D; 1]) -> D {
    x.cos()
}
