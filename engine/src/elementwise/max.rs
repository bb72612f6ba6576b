//! The larger operand; the first one where they are equal. NaN wins.

use super::*;

pub(super) static ENTRY: Entry = entry! {
    value(2),
    name: "max",
    doc: "max(a, b) = larger of a and b; where equal, the derivative is that of a",
    visibility: Visibility::Function,
    cost: Cost::Arithmetic,
    smoothness: Smoothness::Kinked(
        "the first operand's derivative where both are equal",
        Some(|g, x, r| rounded_choice(g, [x[0], x[1]], 1.0, r)),
    ),
    curvature: Curvature::Convex,
    monotone: &[Monotone::Nondecreasing, Monotone::Nondecreasing],
    sign: signs::larger,
    partials: |g, x, _| {
        let first = g.elementwise(LESS_EQUAL, &[x[1], x[0]]);
        let second = g.elementwise(LESS, x);
        vec![Some(first), Some(second)]
    },
    sample: &[(-2.0, 2.0), (-2.0, 2.0)],
};

#[inline(always)]
fn value<D: Number>([a, b]: [D; 2]) -> D {
    // Two comparisons and one blend; a branch per order and a third for NaN do not vectorize as well.
    if a >= b || a.re().is_nan() { a } else { b }
}
