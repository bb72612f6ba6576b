//! An array that derivatives take as fixed.

use super::*;

pub(super) static ENTRY: Entry = entry! {
    value(1),
    name: "stop",
    doc: "stop(u) = u, and no derivative goes through it: gradients take u as fixed",
    visibility: Visibility::Function,
    cost: Cost::Arithmetic,
    smoothness: Smoothness::Stopped,
    // As a function it is u, but no step along its derivative descends as along that of u.
    curvature: Curvature::Neither,
    monotone: &[Monotone::Nondecreasing],
    sign: signs::same,
    partials: |_, _, _| vec![None],
    sample: &[(-3.0, 3.0)],
};

#[inline(always)]
fn value<D: Number>([x]: [D; 1]) -> D {
    D::from(x.re())
}
