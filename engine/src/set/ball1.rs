//! `ball1(r)`: the ball of the sum of magnitudes. Outside of it the projection is that of the magnitudes onto a simplex,
//! with the signs put back.

use super::{Entry, Parameter, ParameterShape, VariableShape, as_given, check_scale, symmetric_hull, worse, zero_or};
use crate::elementwise;
use crate::graph::Op;
use crate::opaque;
use crate::sign::Sign;

pub(super) static ENTRY: Entry = Entry {
    name: "ball1",
    doc: "{ y : norm1(y) <= r }, over all entries of an array",
    formula: "v inside, else sign(v) .* max(abs(v) - tau, 0) with tau such that norm1 is r",
    source: "Duchi, Shalev-Shwartz, Singer and Chandra, ICML 2008, section 4",
    variable: VariableShape::Any,
    parameters: &[Parameter {
        name: "r",
        doc: "the radius, at least 0",
        shape: ParameterShape::Scalar,
        sample: (0.5, 1.5),
    }],
    is_box: false,
    as_box: None,
    prepare: as_given,
    project: |g, v, parameters| {
        let shape = g.shape(v).clone();
        let sizes = g.elementwise(elementwise::ABS, &[v]);
        let total = g.sum_all(sizes);
        let outside = g.elementwise(elementwise::LESS, &[parameters[0], total]);
        let onto = g.push(Op::Prox(opaque::SIMPLEX), vec![sizes, parameters[0]], shape);
        let sign = g.elementwise(elementwise::SIGN, &[v]);
        let signed = g.mul(sign, onto);
        g.elementwise(elementwise::SELECT, &[outside, signed, v])
    },
    violation: |v, p| worse(0.0, v.iter().map(|y| y.abs()).sum::<f64>() - p[0][0]),
    sign: |signs| zero_or(signs[0], Sign::Unknown),
    hull: symmetric_hull,
    rows: None,
    check: |p| check_scale("the radius", p[0][0]),
};
