//! `ballinf(r)`: the ball of the largest magnitude. It is the box `[-r, r]`, and a program that writes it gets that box, so
//! that everything that knows boxes knows it, too.

use super::{Entry, Parameter, ParameterShape, VariableShape, as_given, check_scale, symmetric_hull, worse, zero_or};
use crate::sign::Sign;

pub(super) static ENTRY: Entry = Entry {
    name: "ballinf",
    doc: "{ y : norminf(y) <= r }, which is the interval [-r, r]",
    formula: "min(max(v, -r), r)",
    source: "Parikh and Boyd, Proximal Algorithms, 2014, section 6.2.4",
    variable: VariableShape::Any,
    parameters: &[Parameter {
        name: "r",
        doc: "the radius, at least 0",
        shape: ParameterShape::Scalar,
        sample: (0.5, 1.5),
    }],
    is_box: false,
    as_box: Some(|g, parameters| [g.neg(parameters[0]), parameters[0]]),
    prepare: as_given,
    project: |g, v, parameters| {
        let low = g.neg(parameters[0]);
        g.clip(v, low, parameters[0])
    },
    violation: |v, p| v.iter().fold(0.0, |w, y| worse(w, y.abs() - p[0][0])),
    sign: |signs| zero_or(signs[0], Sign::Unknown),
    hull: symmetric_hull,
    rows: None,
    check: |p| check_scale("the radius", p[0][0]),
};
