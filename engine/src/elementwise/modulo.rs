//! The remainder of constants; its derivative is never asked for and taken as zero.

use super::*;

pub(super) static ENTRY: Entry = entry! {
    value(2),
    name: "mod",
    doc: "mod(a, b) = a - b*floor(a/b), with the sign of b",
    visibility: Visibility::ConstantOnly,
    cost: Cost::Arithmetic,
    smoothness: Smoothness::Step,
    curvature: Curvature::Neither,
    monotone: &[Monotone::Neither, Monotone::Neither],
    sign: signs::remainder,
    partials: |_, _, _| vec![None, None],
    sample: &[(-5.0, 5.0), (0.5, 3.0)],
};

#[inline(always)]
fn value<D: Number>([a, b]: [D; 2]) -> D {
    let (a, b) = (a.re(), b.re());
    D::from(a - b * Float::floor(a / b))
}
