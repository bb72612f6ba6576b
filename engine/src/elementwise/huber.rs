//! The Huber function: quadratic near 0, linear far away, once continuously differentiable.
//! It is convex in `x` and concave in `d`, so jointly neither.

use super::*;

pub(super) static ENTRY: Entry = entry! {
    value(2),
    name: "huber",
    doc: "huber(x, d) = x^2/2 where |x| <= d, d*(|x| - d/2) elsewhere; d >= 0",
    visibility: Visibility::Function,
    cost: Cost::Arithmetic,
    smoothness: Smoothness::Smooth,
    curvature: Curvature::ConvexInFirst,
    monotone: &[Monotone::AwayFromZero, Monotone::Nondecreasing],
    sign: signs::huber,
    partials: |g, x, _| {
        // In x: x cut to [-d, d]. In d: the excess of |x| over d.
        let below = g.elementwise(MIN, x);
        let least = g.neg(x[1]);
        let slope = g.elementwise(MAX, &[below, least]);
        let size = g.elementwise(ABS, &x[..1]);
        let excess = g.sub(size, x[1]);
        vec![Some(slope), Some(g.elementwise(RELU, &[excess]))]
    },
    sample: &[(-2.0, 2.0), (0.4, 1.5)],
};

#[inline(always)]
fn value<D: Number>([x, d]: [D; 2]) -> D {
    let half = D::number(0.5);
    let size = abs::value([x]);
    if size <= d { half * x * x } else { d * (size - half * d) }
}
