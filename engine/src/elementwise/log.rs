//! The natural logarithm.

use super::*;

pub(super) static ENTRY: Entry = entry! {
    value(1),
    kernel: log,
    name: "log",
    doc: "log(x) = natural logarithm of x > 0",
    visibility: Visibility::Function,
    cost: Cost::Function,
    smoothness: Smoothness::Smooth,
    curvature: Curvature::Concave,
    monotone: &[Monotone::Nondecreasing],
    sign: signs::unknown,
    partials: |g, x, _| vec![Some(reciprocal(g, x[0]))],
    sample: &[(0.2, 4.0)],
};

#[inline(always)]
fn value<D: Number>([x]: [D; 1]) -> D {
    x.ln()
}
