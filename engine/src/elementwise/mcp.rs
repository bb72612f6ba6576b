//! The minimax concave penalty: `l |x|` near 0, bent down to a constant. It is concave in the size of x.

use super::*;

pub(super) static ENTRY: Entry = entry! {
    value(3),
    name: "mcp",
    doc: "l*|x| - x^2/(2 b) where |x| < b l, b l^2/2 elsewhere; b > 0, l >= 0",
    visibility: Visibility::Internal,
    cost: Cost::Arithmetic,
    smoothness: Smoothness::Kinked("derivative 0 at 0", None),
    curvature: Curvature::Neither,
    monotone: &[Monotone::Neither, Monotone::Neither, Monotone::Neither],
    sign: signs::penalty,
    partials: |g, x, _| {
        let zero = g.constant(0.0);
        let size = g.elementwise(ABS, &x[..1]);
        let knee = g.mul(x[1], x[2]);
        let near = g.elementwise(LESS, &[size, knee]);
        // In x: (l - |x|/b) sign(x). In b: x^2/(2 b^2), then l^2/2. In l: |x|, then b l.
        let ratio = g.elementwise(SAFE_DIV, &[size, x[1]]);
        let slope = g.sub(x[2], ratio);
        let sign = g.elementwise(SIGN, &x[..1]);
        let slope = g.mul(slope, sign);
        let in_x = g.elementwise(SELECT, &[near, slope, zero]);
        let least = g.elementwise(SELECT, &[near, ratio, x[2]]);
        let square = g.mul(least, least);
        let in_b = g.scale(0.5, square);
        let in_l = g.elementwise(SELECT, &[near, size, knee]);
        vec![Some(in_x), Some(in_b), Some(in_l)]
    },
    sample: &[(-2.0, 2.0), (0.5, 1.5), (0.4, 1.2)],
};

#[inline(always)]
fn value<D: Number>([x, b, l]: [D; 3]) -> D {
    let half = D::number(0.5);
    let size = abs::value([x]);
    if size < b * l { size * (l - half * size / b) } else { half * b * l * l }
}
