//! `ball2(r)`: the Euclidean ball around zero.

use super::{
    Entry, Parameter, ParameterShape, Relation, VariableShape, as_given, check_scale, norm, symmetric_hull, worse,
    zero_or,
};
use crate::elementwise;
use crate::sign::Sign;

pub(super) static ENTRY: Entry = Entry {
    name: "ball2",
    doc: "{ y : norm2(y) <= r }",
    formula: "v*min(1, r/norm2(v))",
    source: "Parikh and Boyd, Proximal Algorithms, 2014, section 6.5.1",
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
        // r/max(norm2(v), r) is min(1, r/norm2(v)) without a division by zero at v = 0, in value and derivative.
        let norm = g.norm2(v);
        let longer = g.elementwise(elementwise::MAX, &[norm, parameters[0]]);
        let ratio = g.elementwise(elementwise::SAFE_DIV, &[parameters[0], longer]);
        g.mul(ratio, v)
    },
    violation: |v, p| worse(0.0, norm(v) - p[0][0]),
    sign: |signs| zero_or(signs[0], Sign::Unknown),
    hull: symmetric_hull,
    rows: Some(|g, v, parameters| {
        let squares = g.mul(v, v);
        let square = g.sum_all(squares);
        let most = g.mul(parameters[0], parameters[0]);
        vec![(g.sub(square, most), Relation::Inequality)]
    }),
    check: |p| check_scale("the radius", p[0][0]),
};
