//! Curvature as a function of the variables, and how it passes through compositions (the rules of disciplined convex
//! programming: Grant, Boyd, Ye 2006). Rules are sufficient: `Unknown` says that no rule applied, not that the function
//! is neither. Which rule concerns which operation is the business of `calculus`.

use std::fmt;

use crate::elementwise::{Curvature, Monotone};
use crate::sign::Sign;

/// Curvature of every element on the declared sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Convexity {
    /// Does not vary.
    Constant,
    /// Linear plus constant.
    Affine,
    /// Convex.
    Convex,
    /// Concave.
    Concave,
    /// Neither, or not known.
    Unknown,
}

impl Convexity {
    /// True for constants too.
    pub fn is_affine(self) -> bool {
        matches!(self, Convexity::Constant | Convexity::Affine)
    }

    /// True for affine functions too.
    pub fn is_convex(self) -> bool {
        self.is_affine() || self == Convexity::Convex
    }

    /// True for affine functions too.
    pub fn is_concave(self) -> bool {
        self.is_affine() || self == Convexity::Concave
    }

    /// What covers both: the curvature of a sum, and of an array with parts of either.
    #[must_use]
    pub fn join(self, other: Convexity) -> Convexity {
        use Convexity::{Affine, Constant, Unknown};
        match (self, other) {
            (a, b) if a == b => a,
            (Constant, a) | (a, Constant) | (Affine, a) | (a, Affine) => a,
            _ => Unknown,
        }
    }

    /// The curvature of `c * a` for a constant `c` of the given sign.
    #[must_use]
    pub fn scale(self, by: Sign) -> Convexity {
        use Convexity::{Concave, Constant, Convex, Unknown};
        match self {
            _ if by == Sign::Zero => Constant,
            a if a.is_affine() || by.is_nonnegative() => a,
            Convex if by.is_nonpositive() => Concave,
            Concave if by.is_nonpositive() => Convex,
            _ => Unknown,
        }
    }

    /// The curvature of a function with the given curvature in all operands together and monotonicity in each. What is
    /// monotone on each side of zero counts as not monotone: the caller knows the signs.
    #[must_use]
    pub fn compose(outer: Curvature, operands: &[(Convexity, Monotone)]) -> Convexity {
        if operands.iter().all(|(c, _)| *c == Convexity::Constant) {
            return Convexity::Constant;
        }
        let pass = |with: Convexity, against: Convexity| {
            operands.iter().all(|(c, m)| match m {
                _ if c.is_affine() => true,
                Monotone::Nondecreasing => *c == with,
                Monotone::Nonincreasing => *c == against,
                Monotone::AwayFromZero | Monotone::Neither => false,
            })
        };
        let convex = matches!(outer, Curvature::Affine | Curvature::Convex);
        let concave = matches!(outer, Curvature::Affine | Curvature::Concave);
        let convex = convex && pass(Convexity::Convex, Convexity::Concave);
        let concave = concave && pass(Convexity::Concave, Convexity::Convex);
        match (convex, concave) {
            (true, true) => Convexity::Affine,
            (true, false) => Convexity::Convex,
            (false, true) => Convexity::Concave,
            (false, false) => Convexity::Unknown,
        }
    }

    /// The curvature of `f(a)` for a convex, even `f` (it falls below zero and rises above), `a` of the given sign.
    #[must_use]
    pub fn even(self, sign: Sign) -> Convexity {
        match self {
            Convexity::Constant => self,
            a if a.is_affine() => Convexity::Convex,
            a if sign.is_nonnegative() && a.is_convex() => Convexity::Convex,
            a if sign.is_nonpositive() && a.is_concave() => Convexity::Convex,
            _ => Convexity::Unknown,
        }
    }

    /// The curvature of `a ^ exponent`, `a` of the given sign. A fractional power is defined on `a >= 0` only, and the
    /// rules hold where it is defined.
    #[must_use]
    pub fn pow(self, sign: Sign, exponent: f64) -> Convexity {
        use Convexity::{Concave, Constant, Convex, Unknown};
        let whole = exponent.fract() == 0.0;
        let even = exponent % 2.0 == 0.0;
        let (above, below) = (sign.is_nonnegative(), sign.is_nonpositive());
        match self {
            Constant => Constant,
            _ if exponent == 0.0 => Constant,
            a if exponent == 1.0 => a,
            a if exponent > 1.0 && even => a.even(sign),
            // Rising: convex above zero; an odd power is concave below. A fractional power of a convex base would need
            // a convex domain, which only a base known to stay above zero has.
            a if exponent > 1.0 && (above && a.is_convex() || !whole && a.is_affine()) => Convex,
            a if exponent > 1.0 && whole && below && a.is_concave() => Concave,
            a if exponent > 0.0 && exponent < 1.0 && a.is_concave() => Concave,
            a if exponent < 0.0 && (above || !whole) && a.is_concave() => Convex,
            a if exponent < 0.0 && whole && below && a.is_convex() => {
                if even {
                    Convex
                } else {
                    Concave
                }
            }
            _ => Unknown,
        }
    }
}

impl fmt::Display for Convexity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Convexity::Constant => "constant",
            Convexity::Affine => "affine",
            Convexity::Convex => "convex",
            Convexity::Concave => "concave",
            Convexity::Unknown => "of unknown curvature",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Convexity::{Affine, Concave, Constant, Convex, Unknown};

    #[test]
    fn scaling_by_sign() {
        assert_eq!(Convex.scale(Sign::Positive), Convex);
        assert_eq!(Convex.scale(Sign::NonPositive), Concave);
        assert_eq!(Convex.scale(Sign::Unknown), Unknown);
        assert_eq!(Affine.scale(Sign::Unknown), Affine);
        assert_eq!(Unknown.scale(Sign::Zero), Constant);
    }

    #[test]
    fn composition() {
        let exp = |c| Convexity::compose(Curvature::Convex, &[(c, Monotone::Nondecreasing)]);
        assert_eq!([Constant, Affine, Convex, Concave].map(exp), [Constant, Convex, Convex, Unknown]);
        let sub =
            |a, b| Convexity::compose(Curvature::Affine, &[(a, Monotone::Nondecreasing), (b, Monotone::Nonincreasing)]);
        assert_eq!(sub(Convex, Concave), Convex);
        assert_eq!(sub(Concave, Convex), Concave);
        assert_eq!(sub(Affine, Constant), Affine);
        assert_eq!(sub(Convex, Convex), Unknown);
    }

    /// Every verdict for an affine base is checked by midpoints of numbers of the sign.
    #[test]
    fn powers_hold_at_midpoints() {
        let signs = [Sign::NonNegative, Sign::NonPositive, Sign::Unknown];
        let points: Vec<f64> = (-8..=8).map(|i| f64::from(i) / 4.0).collect();
        for (sign, p) in
            signs.into_iter().flat_map(|s| [-3.0, -2.0, -1.5, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0].map(|p| (s, p)))
        {
            let verdict = Affine.pow(sign, p);
            for (a, b) in points.iter().flat_map(|a| points.iter().map(move |b| (*a, *b))) {
                let (mean, mid) = ((a.powf(p) + b.powf(p)) / 2.0, ((a + b) / 2.0).powf(p));
                if !(sign.admits(a) && sign.admits(b) && mean.is_finite() && mid.is_finite()) {
                    continue;
                }
                assert!(!verdict.is_convex() || mid <= mean + 1e-9, "{sign} ^ {p} at {a}, {b}");
                assert!(!verdict.is_concave() || mid >= mean - 1e-9, "{sign} ^ {p} at {a}, {b}");
            }
        }
        assert_eq!(Affine.pow(Sign::Unknown, 2.0), Convex);
        assert_eq!(Affine.pow(Sign::Unknown, 3.0), Unknown);
        assert_eq!(Affine.pow(Sign::NonNegative, 3.0), Convex);
        assert_eq!(Affine.pow(Sign::Unknown, 0.5), Concave);
        assert_eq!(Concave.pow(Sign::Positive, -1.0), Convex);
    }
}
