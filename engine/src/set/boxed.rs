//! `box`: a product of intervals, also half-lines and the whole line. (The file is not `box.rs`: a keyword.)

use super::{Entry, Fault, Parameter, ParameterShape, VariableShape, as_given, worse};
use crate::sign::Sign;

pub(super) static ENTRY: Entry = Entry {
    name: "box",
    doc: "{ y : lo <= y <= hi }, entry by entry; either end may be infinite",
    formula: "min(max(v, lo), hi)",
    source: "Parikh and Boyd, Proximal Algorithms, 2014, section 6.2.4",
    variable: VariableShape::Any,
    parameters: &[
        Parameter {
            name: "lo",
            doc: "lower ends, may be -inf; at most hi",
            shape: ParameterShape::ScalarOrVariable,
            sample: (-1.0, -0.1),
        },
        Parameter {
            name: "hi",
            doc: "upper ends, may be inf; at least lo",
            shape: ParameterShape::ScalarOrVariable,
            sample: (0.1, 1.0),
        },
    ],
    is_box: true,
    as_box: None,
    prepare: as_given,
    project: |g, v, parameters| g.clip(v, parameters[0], parameters[1]),
    violation: |v, p| v.iter().enumerate().fold(0.0, |w, (i, y)| worse(w, worse(at(p[0], i) - y, y - at(p[1], i)))),
    sign: |signs| members(signs[0], signs[1]),
    hull: |p| {
        let least = p[0].iter().copied().fold(f64::INFINITY, f64::min);
        [least, p[1].iter().copied().fold(f64::NEG_INFINITY, f64::max)]
    },
    rows: None,
    check,
};

fn at(parameter: &[f64], i: usize) -> f64 {
    if parameter.len() == 1 { parameter[0] } else { parameter[i] }
}

fn members(lo: Sign, hi: Sign) -> Sign {
    match (lo, hi) {
        (Sign::Positive, _) => Sign::Positive,
        (_, Sign::Negative) => Sign::Negative,
        (Sign::NonNegative | Sign::Zero, Sign::NonPositive | Sign::Zero) => Sign::Zero,
        (Sign::NonNegative | Sign::Zero, _) => Sign::NonNegative,
        (_, Sign::NonPositive | Sign::Zero) => Sign::NonPositive,
        _ => Sign::Unknown,
    }
}

fn check(parameters: &[&[f64]]) -> Result<(), Fault> {
    for i in 0..parameters[0].len().max(parameters[1].len()) {
        let (lo, hi) = (at(parameters[0], i), at(parameters[1], i));
        let why = if lo.is_nan() || hi.is_nan() {
            "an end is NaN"
        } else if lo == f64::INFINITY || hi == f64::NEG_INFINITY {
            "no number lies between"
        } else if lo > hi {
            "the lower end is above the upper end"
        } else {
            continue;
        };
        return Err((Some(i), format!("[{lo}, {hi}] is empty: {why}")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_boxes_are_found() {
        assert_eq!(check(&[&[0.0], &[1.0, 0.0, 2.0]]), Ok(()));
        assert_eq!(check(&[&[f64::NEG_INFINITY], &[f64::INFINITY]]), Ok(()));
        let (at, why) = check(&[&[0.5], &[1.0, 0.0, 2.0]]).unwrap_err();
        assert_eq!((at, why.as_str()), (Some(1), "[0.5, 0] is empty: the lower end is above the upper end"));
        assert_eq!(check(&[&[0.0, f64::NAN], &[1.0]]).unwrap_err().0, Some(1));
        assert!(check(&[&[f64::INFINITY], &[f64::INFINITY]]).is_err());
    }

    #[test]
    fn members_have_the_sign_that_the_ends_leave() {
        assert_eq!(members(Sign::Zero, Sign::Positive), Sign::NonNegative);
        assert_eq!(members(Sign::Positive, Sign::Unknown), Sign::Positive);
        assert_eq!(members(Sign::Unknown, Sign::Zero), Sign::NonPositive);
        assert_eq!(members(Sign::Negative, Sign::Positive), Sign::Unknown);
    }
}
