//! Rounding: the nearest whole number, halves away from zero.

use super::*;

pub(super) static ENTRY: Entry = entry! {
    value(1),
    name: "round",
    doc: "round(x) = the nearest whole number, halves away from zero",
    visibility: Visibility::ConstantOnly,
    cost: Cost::Arithmetic,
    smoothness: Smoothness::Step,
    curvature: Curvature::Neither,
    monotone: &[Monotone::Nondecreasing],
    sign: signs::round,
    partials: |_, _, _| vec![None],
    sample: &[(-3.0, 3.0)],
};

#[inline(always)]
fn value<D: Number>([x]: [D; 1]) -> D {
    D::from(Float::round(x.re()))
}
