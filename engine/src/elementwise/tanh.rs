//! The hyperbolic tangent, by `expm1`: `sinh/cosh` overflows and `(1 - e)/(1 + e)` cancels near 0.

use super::*;

pub(super) static ENTRY: Entry = entry! {
    value(1),
    kernel: tanh,
    name: "tanh",
    doc: "tanh(x) = (e^x - e^-x)/(e^x + e^-x)",
    visibility: Visibility::Function,
    cost: Cost::Function,
    smoothness: Smoothness::Smooth,
    curvature: Curvature::Neither,
    monotone: &[Monotone::Nondecreasing],
    sign: signs::same,
    partials: |g, _, out| {
        let one = g.constant(1.0);
        let squared = g.elementwise(SQUARE, &[out]);
        vec![Some(g.sub(one, squared))]
    },
    sample: &[(-3.0, 3.0)],
};

#[inline(always)]
fn value<D: Number>([x]: [D; 1]) -> D {
    let two = D::number(2.0);
    if x > D::zero() {
        let t = (-(two * x)).exp_m1();
        -t / (t + two)
    } else {
        let t = (two * x).exp_m1();
        t / (t + two)
    }
}
