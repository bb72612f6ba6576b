//! The sign.

use super::*;

pub(super) static ENTRY: Entry = entry! {
    value(1),
    name: "sign",
    doc: "sign(x) = 1 above zero, -1 below, 0 at 0",
    visibility: Visibility::Function,
    cost: Cost::Arithmetic,
    smoothness: Smoothness::Step,
    curvature: Curvature::Neither,
    monotone: &[Monotone::Nondecreasing],
    sign: signs::same,
    partials: |_, _, _| vec![None],
    sample: &[(-2.0, 2.0)],
};

#[expect(clippy::eq_op, reason = "the difference is 0 with derivative 0, and NaN for NaN")]
#[inline(always)]
fn value<D: Number>([x]: [D; 1]) -> D {
    if x > D::zero() {
        D::one()
    } else if x < D::zero() {
        -D::one()
    } else {
        x - x
    }
}
