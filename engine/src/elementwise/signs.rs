//! Rules for the sign of a result, shared by the table's entries. They speak of the mathematical value: `exp` is
//! positive although it may underflow.

use crate::sign::Sign;

use Sign::{Negative, NonNegative, NonPositive, Positive, Unknown, Zero};

/// At least zero.
fn at_least_zero(s: Sign) -> bool {
    matches!(s, Zero | NonNegative | Positive)
}

/// At most zero.
fn at_most_zero(s: Sign) -> bool {
    matches!(s, Zero | NonPositive | Negative)
}

/// Nothing is known.
pub(super) fn unknown(_: &[Sign]) -> Sign {
    Unknown
}

/// Above zero everywhere.
pub(super) fn positive(_: &[Sign]) -> Sign {
    Positive
}

/// At least zero everywhere.
pub(super) fn non_negative(_: &[Sign]) -> Sign {
    NonNegative
}

/// The operand's sign: `f(x)` has the sign of `x`.
pub(super) fn same(s: &[Sign]) -> Sign {
    s[0]
}

/// Known at zero only: `f(0) = 0`.
pub(super) fn zero_at_zero(s: &[Sign]) -> Sign {
    if s[0] == Zero { Zero } else { Unknown }
}

/// At least zero, and zero only at zero.
pub(super) fn magnitude(s: &[Sign]) -> Sign {
    match s[0] {
        Zero => Zero,
        Positive | Negative => Positive,
        _ => NonNegative,
    }
}

/// At least zero where the parameters behind the first operand are.
pub(super) fn penalty(s: &[Sign]) -> Sign {
    if s[1..].iter().all(|s| at_least_zero(*s)) { NonNegative } else { Unknown }
}

/// The negative's.
pub(super) fn negative(s: &[Sign]) -> Sign {
    match s[0] {
        NonNegative => NonPositive,
        NonPositive => NonNegative,
        Positive => Negative,
        Negative => Positive,
        s => s,
    }
}

/// The sum's.
pub(super) fn sum(s: &[Sign]) -> Sign {
    match (s[0], s[1]) {
        (Zero, b) => b,
        (a, Zero) => a,
        (a, b) if at_least_zero(a) && at_least_zero(b) => {
            if a == Positive || b == Positive {
                Positive
            } else {
                NonNegative
            }
        }
        (a, b) if at_most_zero(a) && at_most_zero(b) => {
            if a == Negative || b == Negative {
                Negative
            } else {
                NonPositive
            }
        }
        _ => Unknown,
    }
}

/// The difference's.
pub(super) fn difference(s: &[Sign]) -> Sign {
    sum(&[s[0], negative(&s[1..])])
}

/// The product's, and the quotient's.
pub(super) fn product(s: &[Sign]) -> Sign {
    let (a, b) = (s[0], s[1]);
    if a == Zero || b == Zero {
        return Zero;
    }
    if a == Unknown || b == Unknown {
        return Unknown;
    }
    let strict = matches!(a, Positive | Negative) && matches!(b, Positive | Negative);
    match (at_least_zero(a) == at_least_zero(b), strict) {
        (true, true) => Positive,
        (true, false) => NonNegative,
        (false, true) => Negative,
        (false, false) => NonPositive,
    }
}

/// The quotient's, where the divisor may be zero and the result then is.
pub(super) fn quotient_or_zero(s: &[Sign]) -> Sign {
    match (product(s), s[1]) {
        (sign, Positive | Negative) => sign,
        (Positive, _) => NonNegative,
        (Negative, _) => NonPositive,
        (sign, _) => sign,
    }
}

/// The smaller one's.
pub(super) fn smaller(s: &[Sign]) -> Sign {
    match (s[0], s[1]) {
        (Negative, _) | (_, Negative) => Negative,
        (Positive, Positive) => Positive,
        (Zero, b) if at_least_zero(b) => Zero,
        (a, Zero) if at_least_zero(a) => Zero,
        (a, b) if at_least_zero(a) && at_least_zero(b) => NonNegative,
        (a, b) if at_most_zero(a) || at_most_zero(b) => NonPositive,
        _ => Unknown,
    }
}

/// The larger one's.
pub(super) fn larger(s: &[Sign]) -> Sign {
    let (a, b) = (negative(&s[..1]), negative(&s[1..]));
    negative(&[smaller(&[a, b])])
}

/// One of the last two: what both allow.
pub(super) fn either(s: &[Sign]) -> Sign {
    match (s[1], s[2]) {
        (a, b) if a == b => a,
        (a, b) if at_least_zero(a) && at_least_zero(b) => NonNegative,
        (a, b) if at_most_zero(a) && at_most_zero(b) => NonPositive,
        _ => Unknown,
    }
}

/// `max(x, 0)`.
pub(super) fn positive_part(s: &[Sign]) -> Sign {
    larger(&[s[0], Zero])
}

/// The greatest whole number not above.
pub(super) fn floor(s: &[Sign]) -> Sign {
    if s[0] == Positive { NonNegative } else { s[0] }
}

/// The smallest whole number not below.
pub(super) fn ceil(s: &[Sign]) -> Sign {
    if s[0] == Negative { NonPositive } else { s[0] }
}

/// The nearest whole number.
pub(super) fn round(s: &[Sign]) -> Sign {
    ceil(&[floor(s)])
}

/// At least zero where defined, and zero only at zero.
pub(super) fn square_root(s: &[Sign]) -> Sign {
    match s[0] {
        Zero | Positive => s[0],
        _ => NonNegative,
    }
}

/// A base's power with an exponent of which nothing is known.
pub(super) fn power(s: &[Sign]) -> Sign {
    match s[0] {
        Positive => Positive,
        Zero | NonNegative => NonNegative,
        _ => Unknown,
    }
}

/// A remainder takes the divisor's sign.
pub(super) fn remainder(s: &[Sign]) -> Sign {
    match s[1] {
        Positive | NonNegative => NonNegative,
        Negative | NonPositive => NonPositive,
        _ => Unknown,
    }
}

/// A Huber function with threshold `s[1]`.
pub(super) fn huber(s: &[Sign]) -> Sign {
    match (s[0], s[1]) {
        (Zero, d) if at_least_zero(d) => Zero,
        (Positive | Negative, Positive) => Positive,
        (_, d) if at_least_zero(d) => NonNegative,
        _ => Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers that a sign allows.
    fn members(s: Sign) -> Vec<f64> {
        let fits = |x: &f64| match s {
            Zero => *x == 0.0,
            NonNegative => *x >= 0.0,
            Positive => *x > 0.0,
            NonPositive => *x <= 0.0,
            Negative => *x < 0.0,
            Unknown => true,
        };
        [-2.6, -1.0, -0.3, 0.0, 0.3, 1.0, 2.6].into_iter().filter(fits).collect()
    }

    #[test]
    fn every_entry_keeps_its_promise() {
        let all = [Zero, NonNegative, Positive, NonPositive, Negative, Unknown];
        for entry in super::super::TABLE {
            for code in 0..all.len().pow(entry.arity as u32) {
                let signs: Vec<Sign> = (0..entry.arity).map(|k| all[code / all.len().pow(k as u32) % 6]).collect();
                let result = (entry.sign)(&signs);
                let columns: Vec<Vec<f64>> = signs.iter().map(|s| members(*s)).collect();
                let count: usize = columns.iter().map(Vec::len).product();
                for pick in 0..count {
                    let mut rest = pick;
                    let args: Vec<f64> = columns
                        .iter()
                        .map(|c| {
                            let value = c[rest % c.len()];
                            rest /= c.len();
                            value
                        })
                        .collect();
                    let value = (entry.f64)(&args);
                    let ok = !value.is_finite()
                        || result == Unknown
                        || match result {
                            Zero => value == 0.0,
                            NonNegative => value >= 0.0,
                            Positive => value > 0.0,
                            NonPositive => value <= 0.0,
                            Negative => value < 0.0,
                            Unknown => true,
                        };
                    assert!(ok, "{} of {args:?} with signs {signs:?} is {value}, not {result:?}", entry.name);
                }
            }
        }
    }
}
