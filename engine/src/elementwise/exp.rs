//! The exponential.

use super::*;

pub(super) static ENTRY: Entry = entry! {
    value(1),
    kernel: exp,
    name: "exp",
    doc: "exp(x) = e^x",
    visibility: Visibility::Function,
    cost: Cost::Function,
    smoothness: Smoothness::Smooth,
    curvature: Curvature::Convex,
    monotone: &[Monotone::Nondecreasing],
    sign: signs::positive,
    partials: |_, _, out| vec![Some(out)],
    sample: &[(-2.0, 2.0)],
};

#[inline(always)]
fn value<D: Number>([x]: [D; 1]) -> D {
    x.exp()
}
