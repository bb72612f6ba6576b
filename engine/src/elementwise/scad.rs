//! The smoothly clipped absolute deviation: `l |x|` near 0, bent down to a constant. It is concave in the size of x.

use super::*;

pub(super) static ENTRY: Entry = entry! {
    value(3),
    name: "scad",
    doc: "l*|x| where |x| <= l, l^2*(a + 1)/2 where |x| >= a l, (2 a l |x| - x^2 - l^2)/(2 (a - 1)) between; a > 1, l >= 0",
    visibility: Visibility::Internal,
    cost: Cost::Arithmetic,
    smoothness: Smoothness::Kinked("derivative 0 at 0", None),
    curvature: Curvature::Neither,
    monotone: &[Monotone::Neither, Monotone::Neither, Monotone::Neither],
    sign: signs::penalty,
    partials: |g, x, _| {
        let (zero, one) = (g.constant(0.0), g.constant(1.0));
        let size = g.elementwise(ABS, &x[..1]);
        let far = g.mul(x[1], x[2]);
        let room = g.sub(x[1], one);
        let near = g.elementwise(LESS_EQUAL, &[size, x[2]]);
        let between = g.elementwise(LESS, &[size, far]);
        // In x: l, then (a l - |x|)/(a - 1), then 0.
        let left = g.sub(far, size);
        let falling = g.elementwise(SAFE_DIV, &[left, room]);
        let slope = g.elementwise(SELECT, &[between, falling, zero]);
        let slope = g.elementwise(SELECT, &[near, x[2], slope]);
        let sign = g.elementwise(SIGN, &x[..1]);
        let in_x = g.mul(slope, sign);
        // In a: 0, then (|x| - l)^2/(2 (a - 1)^2), then l^2/2.
        let above = g.sub(size, x[2]);
        let ratio = g.elementwise(SAFE_DIV, &[above, room]);
        let ratio = g.elementwise(SELECT, &[between, ratio, x[2]]);
        let square = g.mul(ratio, ratio);
        let half = g.scale(0.5, square);
        let in_a = g.elementwise(SELECT, &[near, zero, half]);
        // In l: |x|, then (a |x| - l)/(a - 1), then l (a + 1).
        let grown = g.mul(x[1], size);
        let less = g.sub(grown, x[2]);
        let rising = g.elementwise(SAFE_DIV, &[less, room]);
        let most = g.add(far, x[2]);
        let later = g.elementwise(SELECT, &[between, rising, most]);
        let in_l = g.elementwise(SELECT, &[near, size, later]);
        vec![Some(in_x), Some(in_a), Some(in_l)]
    },
    sample: &[(-2.0, 2.0), (1.5, 2.5), (0.4, 0.9)],
};

#[inline(always)]
fn value<D: Number>([x, a, l]: [D; 3]) -> D {
    let half = D::number(0.5);
    let one = D::one();
    let size = abs::value([x]);
    if size <= l {
        l * size
    } else if size < a * l {
        // from the flat end: nothing of l^2 is added and taken away again
        let left = a * l - size;
        half * (l * l * (a + one) - left * left / (a - one))
    } else {
        half * l * l * (a + one)
    }
}
