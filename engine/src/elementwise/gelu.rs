//! The Gaussian error linear unit in its tanh form (Hendrycks, Gimpel, 2016), within 5e-4 of `x Phi(x)`. With
//! `1 + tanh(u) = 2 sigmoid(2u)` it is `x sigmoid(2u)`. The exact form is `x/2*(1 + erf(x/sqrt(2)))`, at several times the cost.

use super::*;

/// `2 sqrt(2/pi)`.
const LINEAR: f64 = 1.595_769_121_605_730_7;

/// `2 sqrt(2/pi) 0.044715`.
const CUBIC: f64 = 0.044_715 * LINEAR;

pub(super) static ENTRY: Entry = entry! {
    value(1),
    name: "gelu",
    doc: "gelu(x) = x/2*(1 + tanh(sqrt(2/pi)*(x + 0.044715*x^3)))",
    visibility: Visibility::Function,
    cost: Cost::Function,
    smoothness: Smoothness::Smooth,
    curvature: Curvature::Neither,
    monotone: &[Monotone::Neither],
    sign: signs::same,
    partials: |g, x, _| {
        // With u = a x + b x^3 and s = sigmoid(u): s + x s (1 - s) (a + 3 b x^2).
        let squared = g.elementwise(SQUARE, x);
        let bent = g.scale(CUBIC, squared);
        let a = g.constant(LINEAR);
        let factor = g.add(a, bent);
        let u = g.mul(x[0], factor);
        let s = g.elementwise(SIGMOID, &[u]);
        let one = g.constant(1.0);
        let other = g.sub(one, s);
        let slope = g.mul(s, other);
        let steep = g.scale(3.0 * CUBIC, squared);
        let inner = g.add(a, steep);
        let gain = g.mul(x[0], inner);
        let second = g.mul(slope, gain);
        vec![Some(g.add(s, second))]
    },
    sample: &[(-3.0, 3.0)],
};

#[inline(always)]
fn value<D: Number>([x]: [D; 1]) -> D {
    x * sigmoid::value([x * (D::number(LINEAR) + D::number(CUBIC) * (x * x))])
}
