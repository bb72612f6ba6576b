//! Rounding: the smallest whole number not below x.

use super::*;

pub(super) static ENTRY: Entry = entry! {
    value(1),
    name: "ceil",
    doc: "ceil(x) = the smallest whole number not below x",
    visibility: Visibility::ConstantOnly,
    cost: Cost::Arithmetic,
    smoothness: Smoothness::Step,
    curvature: Curvature::Neither,
    monotone: &[Monotone::Nondecreasing],
    sign: signs::ceil,
    partials: |_, _, _| vec![None],
    sample: &[(-3.0, 3.0)],
};

#[inline(always)]
fn value<D: Number>([x]: [D; 1]) -> D {
    D::from(Float::ceil(x.re()))
}
