//! `simplex(s)`: nonnegative arrays of total s. The projection has no closed elementwise form: it is an entry of `opaque`.

use super::{Entry, Parameter, ParameterShape, Relation, VariableShape, as_given, check_scale, worse, zero_or};
use crate::graph::Op;
use crate::opaque;
use crate::sign::Sign;

pub(super) static ENTRY: Entry = Entry {
    name: "simplex",
    doc: "{ y : y >= 0, sum(y) = s }, over all entries of an array",
    formula: "max(v - tau, 0) with tau such that the entries add up to s",
    source: "Held, Wolfe and Crowder, Mathematical Programming 6, 1974; Duchi et al., ICML 2008, Figure 1",
    variable: VariableShape::Any,
    parameters: &[Parameter {
        name: "s",
        doc: "the total, at least 0",
        shape: ParameterShape::Scalar,
        sample: (0.5, 2.0),
    }],
    is_box: false,
    as_box: None,
    prepare: as_given,
    project: |g, v, parameters| {
        let shape = g.shape(v).clone();
        g.push(Op::Prox(opaque::SIMPLEX), vec![v, parameters[0]], shape)
    },
    violation: |v, p| {
        let below = v.iter().fold(0.0, |w, y| worse(w, -y));
        worse(below, (v.iter().sum::<f64>() - p[0][0]).abs())
    },
    sign: |signs| zero_or(signs[0], Sign::NonNegative),
    hull: |p| [0.0, p[0][0]],
    rows: Some(|g, v, parameters| {
        let total = g.sum_all(v);
        vec![(g.neg(v), Relation::Inequality), (g.sub(total, parameters[0]), Relation::Equality)]
    }),
    check: |p| check_scale("the total", p[0][0]),
};
