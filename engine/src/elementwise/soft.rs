//! The soft threshold, the prox of `t |x|`. One operation of its own: as maxima, minima and a choice it is six, and takes
//! longer.

use super::*;

pub(super) static ENTRY: Entry = entry! {
    value(2),
    name: "soft",
    doc: "x - t where x >= t, x + t where x <= -t, 0 between; t >= 0; where |x| = t the derivatives are those from outside",
    visibility: Visibility::Internal,
    cost: Cost::Arithmetic,
    smoothness: Smoothness::Kinked("at |x| = t the derivative from outside", None),
    curvature: Curvature::Neither,
    monotone: &[Monotone::Neither, Monotone::Neither],
    sign: signs::unknown,
    partials: |g, x, _| {
        let zero = g.constant(0.0);
        let above = g.elementwise(LESS_EQUAL, &[zero, x[0]]);
        // Exactly where the value is x - t or x + t, for every t.
        let (less, more) = (g.sub(x[0], x[1]), g.add(x[0], x[1]));
        let right = g.elementwise(LESS_EQUAL, &[zero, less]);
        let left = g.elementwise(LESS_EQUAL, &[more, zero]);
        let outside = g.elementwise(SELECT, &[above, right, left]);
        let down = g.neg(outside);
        vec![Some(outside), Some(g.elementwise(SELECT, &[above, down, outside]))]
    },
    sample: &[(-2.0, 2.0), (0.3, 0.9)],
};

#[inline(always)]
fn value<D: Number>([x, t]: [D; 2]) -> D {
    // At least one of both is 0, so that the sum is exact. No branch, so that vectors do it; NaN comes through.
    let (less, more) = (x - t, x + t);
    let right = if (less < D::zero()) | (x < D::zero()) { D::zero() } else { less };
    let left = if (more > D::zero()) | (x >= D::zero()) { D::zero() } else { more };
    right + left
}
