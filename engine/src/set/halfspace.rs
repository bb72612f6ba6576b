//! `halfspace(a, b)`: the points on one side of a hyperplane.

use super::{Entry, Fault, Parameter, ParameterShape, Relation, UNBOUNDED, VariableShape, norm, worse};
use crate::elementwise;
use crate::sign::Sign;

pub(super) static ENTRY: Entry = Entry {
    name: "halfspace",
    doc: "{ y : sum(a .* y) <= b }",
    formula: "v - a*max(sum(a .* v) - b, 0)/normsq(a)",
    source: "Parikh and Boyd, Proximal Algorithms, 2014, section 6.2.2",
    variable: VariableShape::Any,
    parameters: &[
        Parameter {
            name: "a",
            doc: "the outward normal, not 0 everywhere",
            shape: ParameterShape::Variable,
            sample: (0.3, 1.2),
        },
        Parameter { name: "b", doc: "the offset", shape: ParameterShape::Scalar, sample: (-0.5, 0.5) },
    ],
    is_box: false,
    as_box: None,
    // The unit normal and the distance from zero: squares of large and small normals would leave the range of numbers.
    // With a = 0 and b >= 0 every point is a member, and both are 0.
    prepare: |g, parameters| {
        let length = g.norm2(parameters[0]);
        let [normal, offset] = [0, 1].map(|i| g.elementwise(elementwise::SAFE_DIV, &[parameters[i], length]));
        vec![normal, offset]
    },
    project: |g, v, prepared| {
        let product = g.mul(prepared[0], v);
        let along = g.sum_all(product);
        let outside = g.sub(along, prepared[1]);
        let excess = g.elementwise(elementwise::RELU, &[outside]);
        let back = g.mul(excess, prepared[0]);
        g.sub(v, back)
    },
    violation: |v, p| {
        let length = norm(p[0]);
        let unit = |a: f64| if length > 0.0 { a / length } else { a };
        worse(0.0, p[0].iter().zip(v).map(|(a, v)| unit(*a) * v).sum::<f64>() - unit(p[1][0]))
    },
    sign: |_| Sign::Unknown,
    hull: |_| UNBOUNDED,
    rows: Some(|g, v, parameters| {
        let product = g.mul(parameters[0], v);
        let along = g.sum_all(product);
        vec![(g.sub(along, parameters[1]), Relation::Inequality)]
    }),
    check,
};

fn check(parameters: &[&[f64]]) -> Result<(), Fault> {
    let (a, b) = (parameters[0], parameters[1][0]);
    if let Some(i) = a.iter().position(|a| !a.is_finite()) {
        return Err((Some(i), format!("`a` is {}; it must be finite", a[i])));
    }
    if !b.is_finite() {
        return Err((None, format!("`b` is {b}; it must be finite")));
    }
    if b < 0.0 && a.iter().all(|a| *a == 0.0) {
        return Err((None, format!("`a` is 0 everywhere, so no point has sum(a .* y) <= {b}")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_half_spaces_are_found() {
        assert_eq!(check(&[&[0.0, 0.0], &[0.0]]), Ok(()));
        assert_eq!(check(&[&[0.0, 1.0], &[-1.0]]), Ok(()));
        assert!(check(&[&[0.0, 0.0], &[-1.0]]).unwrap_err().1.contains("0 everywhere"));
        assert_eq!(check(&[&[1.0, f64::INFINITY], &[1.0]]).unwrap_err().0, Some(1));
        assert_eq!(check(&[&[1.0], &[f64::NAN]]).unwrap_err().0, None);
    }
}
