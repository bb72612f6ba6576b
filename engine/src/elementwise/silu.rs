//! The sigmoid-weighted linear unit (swish).

use super::*;

pub(super) static ENTRY: Entry = entry! {
    value(1),
    kernel: silu,
    name: "silu",
    doc: "silu(x) = x*sigmoid(x)",
    visibility: Visibility::Function,
    cost: Cost::Function,
    smoothness: Smoothness::Smooth,
    curvature: Curvature::Neither,
    monotone: &[Monotone::Neither],
    sign: signs::same,
    partials: |g, x, out| {
        let one = g.constant(1.0);
        let s = g.elementwise(SIGMOID, x);
        let other = g.sub(one, s);
        let bent = g.mul(out, other);
        vec![Some(g.add(s, bent))]
    },
    sample: &[(-4.0, 4.0)],
};

#[inline(always)]
fn value<D: Number>([x]: [D; 1]) -> D {
    x * sigmoid::value([x])
}
