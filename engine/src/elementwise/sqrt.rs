//! The square root.

use super::*;

pub(super) static ENTRY: Entry = entry! {
    value(1),
    kernel: sqrt,
    name: "sqrt",
    doc: "sqrt(x) = x^(1/2) for x >= 0",
    visibility: Visibility::Function,
    cost: Cost::Arithmetic,
    smoothness: Smoothness::Smooth,
    curvature: Curvature::Concave,
    monotone: &[Monotone::Nondecreasing],
    sign: signs::square_root,
    partials: |g, _, out| {
        let half = g.constant(0.5);
        vec![Some(g.div(half, out))]
    },
    sample: &[(0.1, 4.0)],
};

#[inline(always)]
fn value<D: Number>([x]: [D; 1]) -> D {
    x.sqrt()
}
