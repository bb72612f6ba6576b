//! Rounding: the greatest whole number not above x.

use super::*;

pub(super) static ENTRY: Entry = entry! {
    value(1),
    name: "floor",
    doc: "floor(x) = the greatest whole number not above x",
    visibility: Visibility::ConstantOnly,
    cost: Cost::Arithmetic,
    smoothness: Smoothness::Step,
    curvature: Curvature::Neither,
    monotone: &[Monotone::Nondecreasing],
    sign: signs::floor,
    partials: |_, _, _| vec![None],
    sample: &[(-3.0, 3.0)],
};

#[inline(always)]
fn value<D: Number>([x]: [D; 1]) -> D {
    D::from(Float::floor(x.re()))
}
