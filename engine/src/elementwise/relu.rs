//! The positive part. NaN stays NaN.

use super::*;

pub(super) static ENTRY: Entry = entry! {
    value(1),
    name: "relu",
    doc: "relu(x) = max(x, 0); derivative 0 at 0",
    visibility: Visibility::Function,
    cost: Cost::Arithmetic,
    smoothness: Smoothness::Kinked(
        "derivative 0 at 0",
        Some(|g, x, r| {
            let zero = g.constant(0.0);
            rounded_choice(g, [x[0], zero], 1.0, r)
        }),
    ),
    curvature: Curvature::Convex,
    monotone: &[Monotone::Nondecreasing],
    sign: signs::positive_part,
    partials: |g, x, _| {
        let zero = g.constant(0.0);
        vec![Some(g.elementwise(LESS, &[zero, x[0]]))]
    },
    sample: &[(-2.0, 2.0)],
};

#[inline(always)]
fn value<D: Number>([x]: [D; 1]) -> D {
    if x <= D::zero() { D::zero() } else { x }
}
