//! The logarithm near one.

use super::*;

pub(super) static ENTRY: Entry = entry! {
    value(1),
    kernel: log1p,
    name: "log1p",
    doc: "log1p(x) = log(1 + x), accurate near 0, for x > -1",
    visibility: Visibility::Function,
    cost: Cost::Function,
    smoothness: Smoothness::Smooth,
    curvature: Curvature::Concave,
    monotone: &[Monotone::Nondecreasing],
    sign: signs::same,
    partials: |g, x, _| {
        let one = g.constant(1.0);
        let shifted = g.add(one, x[0]);
        vec![Some(reciprocal(g, shifted))]
    },
    sample: &[(-0.7, 3.0)],
};

#[inline(always)]
fn value<D: Number>([x]: [D; 1]) -> D {
    x.ln_1p()
}
