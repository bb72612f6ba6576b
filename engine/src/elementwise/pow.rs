//! Powers. A constant exponent lowers to products where it can, so that derivatives of polynomials stay free of
//! `0 * inf` at 0. A variable exponent is meant for positive bases; over others the derivative in it is taken as 0.

use super::*;

pub(super) static ENTRY: Entry = entry! {
    value(2),
    name: "pow",
    doc: "pow(x, p) = x^p; for x <= 0 and constant whole p too",
    visibility: Visibility::Function,
    cost: Cost::Function,
    smoothness: Smoothness::Smooth,
    curvature: Curvature::Neither,
    monotone: &[Monotone::Neither, Monotone::Neither],
    sign: signs::power,
    partials: partials,
    sample: &[(0.2, 3.0), (-2.0, 3.0)],
};

#[inline(always)]
fn value<D: Number>([x, p]: [D; 2]) -> D {
    x.power(p)
}

fn partials(g: &mut Graph, x: &[NodeId], out: NodeId) -> Vec<Option<NodeId>> {
    if let Some(p) = g.as_const(x[1]) {
        return vec![constant_exponent(g, x[0], p), None];
    }
    let one = g.constant(1.0);
    let zero = g.constant(0.0);
    let lower = g.sub(x[1], one);
    let power = g.elementwise(POW, &[x[0], lower]);
    let slope = g.mul(x[1], power);
    // 0 * 0^(-1): the constant function 1 has derivative 0.
    let base_zero = g.elementwise(EQUAL, &[x[0], zero]);
    let exponent_zero = g.elementwise(EQUAL, &[x[1], zero]);
    let flat = g.elementwise(AND, &[base_zero, exponent_zero]);
    let in_x = g.elementwise(SELECT, &[flat, zero, slope]);
    // The logarithm sees 1 where x is not positive, so that neither it nor its derivatives make NaN there.
    let above = g.elementwise(LESS, &[zero, x[0]]);
    let guarded = g.elementwise(SELECT, &[above, x[0], one]);
    let log = g.elementwise(LOG, &[guarded]);
    vec![Some(in_x), Some(g.mul(out, log))]
}

/// `p x^(p-1)`.
fn constant_exponent(g: &mut Graph, x: NodeId, p: f64) -> Option<NodeId> {
    if p == 0.0 {
        return None;
    }
    let power = match p - 1.0 {
        0.0 => g.constant(1.0),
        1.0 => x,
        2.0 => g.elementwise(SQUARE, &[x]),
        lower => {
            let exponent = g.constant(lower);
            g.elementwise(POW, &[x, exponent])
        }
    };
    Some(g.scale(p, power))
}
