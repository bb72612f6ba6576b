//! Signs of values, known before any data is read. A sign is the set of atoms {below zero, zero, above zero} that the
//! elements may fall in; every operation acts on atoms and collects the results, so no rule is written twice.
//! Signs are those of exact arithmetic: `exp(x)` is positive although it underflows.

use std::fmt;

/// What is known of the sign of every element.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sign {
    /// Zero.
    Zero,
    /// At least zero.
    NonNegative,
    /// Above zero.
    Positive,
    /// At most zero.
    NonPositive,
    /// Below zero.
    Negative,
    /// Not known.
    Unknown,
}

const BELOW: u8 = 1;
const ZERO: u8 = 2;
const ABOVE: u8 = 4;
const ATOMS: [(u8, i8); 3] = [(BELOW, -1), (ZERO, 0), (ABOVE, 1)];

impl Sign {
    /// The sign of a number; unknown for NaN.
    pub fn of(value: f64) -> Sign {
        match value.partial_cmp(&0.0) {
            Some(order) => Sign::from_atoms(atom(order as i8)),
            None => Sign::Unknown,
        }
    }

    /// True when the number does not contradict the sign; NaN never does.
    pub fn admits(self, value: f64) -> bool {
        value.partial_cmp(&0.0).is_none_or(|order| self.atoms() & atom(order as i8) != 0)
    }

    /// True when every element is at least zero.
    pub fn is_nonnegative(self) -> bool {
        self.atoms() & BELOW == 0
    }

    /// True when every element is at most zero.
    pub fn is_nonpositive(self) -> bool {
        self.atoms() & ABOVE == 0
    }

    /// True when no element is zero.
    pub fn is_nonzero(self) -> bool {
        self.atoms() & ZERO == 0
    }

    /// Either of two: the sign of `select(c, a, b)`.
    #[must_use]
    pub fn join(self, other: Sign) -> Sign {
        Sign::from_atoms(self.atoms() | other.atoms())
    }

    /// Both of two facts about one value; contradicting facts leave the first.
    #[must_use]
    pub fn meet(self, other: Sign) -> Sign {
        match self.atoms() & other.atoms() {
            0 => self,
            both => Sign::from_atoms(both),
        }
    }

    /// The sign of the sum of any number of such values, none included.
    #[must_use]
    pub fn total(self) -> Sign {
        self.join(Sign::Zero)
    }

    /// The sign of `a + b`.
    #[must_use]
    #[allow(clippy::should_implement_trait)] // operators would suggest arithmetic on numbers
    pub fn add(self, other: Sign) -> Sign {
        self.pairs(other, |a, b| match a * b {
            -1 => BELOW | ZERO | ABOVE,
            _ => atom((a + b).signum()),
        })
    }

    /// The sign of `a - b`.
    #[must_use]
    #[allow(clippy::should_implement_trait)]
    pub fn sub(self, other: Sign) -> Sign {
        self.add(other.neg())
    }

    /// The sign of `a * b`.
    #[must_use]
    #[allow(clippy::should_implement_trait)]
    pub fn mul(self, other: Sign) -> Sign {
        self.pairs(other, |a, b| atom(a * b))
    }

    /// The sign of `a / b` where it is defined, that is for `b` other than zero.
    #[must_use]
    #[allow(clippy::should_implement_trait)]
    pub fn div(self, other: Sign) -> Sign {
        self.pairs(other, |a, b| if b == 0 { 0 } else { atom(a * b) })
    }

    /// The sign of `-a`.
    #[must_use]
    #[allow(clippy::should_implement_trait)]
    pub fn neg(self) -> Sign {
        Sign::Zero.pairs(self, |_, b| atom(-b))
    }

    /// The sign of `|a|`, and of every other even function that is zero just at zero.
    #[must_use]
    pub fn abs(self) -> Sign {
        Sign::Zero.pairs(self, |_, b| atom(b.abs()))
    }

    /// The sign of the larger of two.
    #[must_use]
    pub fn max(self, other: Sign) -> Sign {
        self.pairs(other, |a, b| atom(a.max(b)))
    }

    /// The sign of the smaller of two.
    #[must_use]
    pub fn min(self, other: Sign) -> Sign {
        self.pairs(other, |a, b| atom(a.min(b)))
    }

    /// The sign of `a ^ exponent` where it is defined.
    #[must_use]
    pub fn pow(self, exponent: f64) -> Sign {
        if exponent == 0.0 {
            return Sign::Positive;
        }
        let even = exponent % 2.0 == 0.0;
        let whole = exponent.fract() == 0.0;
        Sign::Zero.pairs(self, |_, b| match b {
            -1 if !whole => 0,
            -1 if even => ABOVE,
            0 if exponent < 0.0 => 0,
            b => atom(b),
        })
    }

    fn atoms(self) -> u8 {
        match self {
            Sign::Zero => ZERO,
            Sign::NonNegative => ZERO | ABOVE,
            Sign::Positive => ABOVE,
            Sign::NonPositive => BELOW | ZERO,
            Sign::Negative => BELOW,
            Sign::Unknown => BELOW | ZERO | ABOVE,
        }
    }

    /// The least sign that covers the atoms: "not zero" is not kept, and nothing known is nothing at all.
    fn from_atoms(atoms: u8) -> Sign {
        match atoms {
            ZERO => Sign::Zero,
            ABOVE => Sign::Positive,
            BELOW => Sign::Negative,
            a if a == ZERO | ABOVE => Sign::NonNegative,
            a if a == ZERO | BELOW => Sign::NonPositive,
            _ => Sign::Unknown,
        }
    }

    fn pairs(self, other: Sign, result: impl Fn(i8, i8) -> u8) -> Sign {
        let mut atoms = 0;
        for (_, a) in ATOMS.iter().filter(|(bit, _)| self.atoms() & bit != 0) {
            for (_, b) in ATOMS.iter().filter(|(bit, _)| other.atoms() & bit != 0) {
                atoms |= result(*a, *b);
            }
        }
        Sign::from_atoms(atoms)
    }
}

fn atom(sign: i8) -> u8 {
    match sign {
        -1 => BELOW,
        0 => ZERO,
        _ => ABOVE,
    }
}

impl fmt::Display for Sign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Sign::Zero => "zero",
            Sign::NonNegative => "nonnegative",
            Sign::Positive => "positive",
            Sign::NonPositive => "nonpositive",
            Sign::Negative => "negative",
            Sign::Unknown => "of unknown sign",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Sign; 6] =
        [Sign::Zero, Sign::NonNegative, Sign::Positive, Sign::NonPositive, Sign::Negative, Sign::Unknown];
    const VALUES: [f64; 7] = [-3.0, -1.0, -0.5, 0.0, 0.5, 1.0, 3.0];

    /// Every operation admits the result on every pair of admitted values.
    #[test]
    fn operations_cover_numbers() {
        type Case = (&'static str, fn(Sign, Sign) -> Sign, fn(f64, f64) -> f64);
        let cases: [Case; 10] = [
            ("add", Sign::add, |a, b| a + b),
            ("sub", Sign::sub, |a, b| a - b),
            ("mul", Sign::mul, |a, b| a * b),
            ("div", Sign::div, |a, b| if b == 0.0 { f64::NAN } else { a / b }),
            ("max", Sign::max, f64::max),
            ("min", Sign::min, f64::min),
            ("neg", |a, _| a.neg(), |a, _| -a),
            ("abs", |a, _| a.abs(), |a, _| a.abs()),
            ("total", |a, _| a.total(), |a, b| if b > 0.0 { a + a } else { 0.0 }),
            ("join", Sign::join, |a, b| if b > 0.0 { a } else { b }),
        ];
        for (name, sign, value) in cases {
            for (s, t) in ALL.into_iter().flat_map(|s| ALL.map(|t| (s, t))) {
                for (a, b) in VALUES.into_iter().flat_map(|a| VALUES.map(|b| (a, b))) {
                    if s.admits(a) && t.admits(b) {
                        assert!(sign(s, t).admits(value(a, b)), "{name}({s}, {t}) at {a}, {b}");
                    }
                }
            }
        }
    }

    #[test]
    fn powers_cover_numbers() {
        for (s, p) in ALL.into_iter().flat_map(|s| [-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0].map(|p| (s, p))) {
            for a in VALUES.into_iter().filter(|a| s.admits(*a) && a.powf(p).is_finite()) {
                assert!(s.pow(p).admits(a.powf(p)), "{s}^{p} at {a}");
            }
        }
    }

    #[test]
    fn rules_are_tight() {
        assert_eq!(Sign::Positive.add(Sign::NonNegative), Sign::Positive);
        assert_eq!(Sign::Positive.div(Sign::NonNegative), Sign::Positive);
        assert_eq!(Sign::Unknown.mul(Sign::Zero), Sign::Zero);
        assert_eq!(Sign::Unknown.pow(2.0), Sign::NonNegative);
        assert_eq!(Sign::Negative.pow(-2.0), Sign::Positive);
        assert_eq!(Sign::Unknown.max(Sign::Positive), Sign::Positive);
        assert_eq!(Sign::Unknown.meet(Sign::NonNegative), Sign::NonNegative);
        assert_eq!(Sign::NonPositive.meet(Sign::NonNegative), Sign::Zero);
        assert_eq!(Sign::Positive.meet(Sign::Negative), Sign::Positive);
    }
}
