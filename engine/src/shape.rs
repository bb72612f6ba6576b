//! Symbolic dimensions. A dimension is a polynomial over named sizes with rational coefficients, kept in normal form,
//! so that `m/3 + m/3 + m/3` equals `m` and `check` needs no data; that it is whole is checked when values are known.
//! Exponents may be negative (`m/J` groups of a list): division by a single term stays a normal form.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use num_rational::Ratio;
use num_traits::{CheckedAdd, CheckedMul};

use crate::sign::Sign;

/// An exact coefficient.
pub type Rational = Ratio<i128>;

/// A product of powers of symbols, sorted by name; no zero exponents.
type Monomial = Vec<(Arc<str>, i32)>;

/// A symbolic size in normal form.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Dim(Arc<BTreeMap<Monomial, Rational>>);

/// Values of the symbols.
#[derive(Clone, Debug, Default)]
pub struct Sizes(HashMap<Arc<str>, i64>);

/// Why a dimension has no usable value.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SizeError {
    /// A symbol without a value: its data has not been read.
    #[error("the size `{0}` is not known yet")]
    Unknown(String),
    /// The value is a fraction.
    #[error("`{dim}` = {value} is not a whole number")]
    NotWhole {
        /// The dimension as written in normal form.
        dim: String,
        /// Its value.
        value: String,
    },
    /// The value is negative.
    #[error("`{dim}` = {value} is negative")]
    Negative {
        /// The dimension.
        dim: String,
        /// Its value.
        value: String,
    },
    /// The value does not fit.
    #[error("`{0}` is too large")]
    TooLarge(String),
}

impl Sizes {
    /// All symbols with their values, by name.
    pub fn sorted(&self) -> Vec<(&str, i64)> {
        let mut all: Vec<(&str, i64)> = self.0.iter().map(|(name, value)| (&**name, *value)).collect();
        all.sort_unstable();
        all
    }

    /// No symbol known.
    pub fn new() -> Sizes {
        Sizes::default()
    }

    /// Sets a symbol.
    pub fn set(&mut self, symbol: &str, value: i64) {
        self.0.insert(symbol.into(), value);
    }

    /// The value of a symbol.
    pub fn get(&self, symbol: &str) -> Option<i64> {
        self.0.get(symbol).copied()
    }
}

impl Dim {
    /// A number.
    pub fn constant(value: i64) -> Dim {
        Dim::rational(Rational::from_integer(i128::from(value)))
    }

    fn rational(value: Rational) -> Dim {
        let mut terms = BTreeMap::new();
        if value != Rational::from_integer(0) {
            terms.insert(Vec::new(), value);
        }
        Dim(Arc::new(terms))
    }

    /// A number with few binary digits, such as 0.5; `None` for others.
    pub fn from_f64(value: f64) -> Option<Dim> {
        let scaled = value * 1024.0;
        (scaled.fract() == 0.0 && scaled.abs() < 9e15).then(|| Dim::rational(Rational::new(scaled as i128, 1024)))
    }

    /// A symbol.
    pub fn symbol(name: &str) -> Dim {
        Dim(Arc::new(BTreeMap::from([(vec![(name.into(), 1)], Rational::from_integer(1))])))
    }

    /// The number, if no symbol occurs.
    pub fn as_rational(&self) -> Option<Rational> {
        match self.0.len() {
            0 => Some(Rational::from_integer(0)),
            1 => self.0.get(&Vec::new() as &Monomial).copied(),
            _ => None,
        }
    }

    /// The whole number, if no symbol occurs.
    pub fn as_integer(&self) -> Option<i64> {
        self.as_rational().filter(Rational::is_integer).and_then(|r| i64::try_from(r.to_integer()).ok())
    }

    /// True for the number 1.
    pub fn is_one(&self) -> bool {
        self.as_integer() == Some(1)
    }

    /// The same with the values that are known in the place of their symbols.
    #[must_use]
    pub fn with(&self, sizes: &Sizes) -> Dim {
        self.substitute(&|s| sizes.get(s).map(Dim::constant))
    }

    /// True when it is whole whatever whole numbers its symbols are.
    pub fn is_whole_by_form(&self) -> bool {
        self.0.iter().all(|(m, c)| c.is_integer() && m.iter().all(|(_, power)| *power > 0))
    }

    /// What is known of its sign, sizes being at least zero.
    pub fn sign(&self) -> Sign {
        let number = |c: &Rational| if *c < Rational::from_integer(0) { Sign::Negative } else { Sign::Positive };
        let term = |(m, c): (&Monomial, &Rational)| if m.is_empty() { number(c) } else { number(c).total() };
        self.0.iter().map(term).fold(Sign::Zero, Sign::add)
    }

    /// The symbols that occur.
    pub fn symbols(&self) -> impl Iterator<Item = &Arc<str>> {
        self.0.keys().flatten().map(|(s, _)| s)
    }

    /// The symbol, if the dimension is just one symbol.
    pub fn as_symbol(&self) -> Option<&Arc<str>> {
        let (monomial, coefficient) = self.0.iter().next()?;
        let single = self.0.len() == 1 && *coefficient == Rational::from_integer(1);
        match monomial.as_slice() {
            [(s, 1)] if single => Some(s),
            _ => None,
        }
    }

    /// Sum; `None` on overflow of the coefficients.
    pub fn add(&self, other: &Dim) -> Option<Dim> {
        let mut terms = (*self.0).clone();
        for (monomial, c) in other.0.iter() {
            let sum = match terms.get(monomial) {
                Some(old) => old.checked_add(c)?,
                None => *c,
            };
            if sum == Rational::from_integer(0) {
                terms.remove(monomial);
            } else {
                terms.insert(monomial.clone(), sum);
            }
        }
        Some(Dim(Arc::new(terms)))
    }

    /// Difference.
    pub fn sub(&self, other: &Dim) -> Option<Dim> {
        self.add(&other.mul(&Dim::constant(-1))?)
    }

    /// Product; `None` on overflow, or above 64 terms (nobody sizes an array so).
    pub fn mul(&self, other: &Dim) -> Option<Dim> {
        if self.0.len() * other.0.len() > 64 {
            return None;
        }
        let mut sum = Dim::constant(0);
        for (a, ca) in self.0.iter() {
            for (b, cb) in other.0.iter() {
                let term = BTreeMap::from([(multiply(a, b, 1)?, ca.checked_mul(cb)?)]);
                sum = sum.add(&Dim(Arc::new(term)))?;
            }
        }
        Some(sum)
    }

    /// Quotient by a single nonzero term, or of equal dimensions.
    pub fn div(&self, other: &Dim) -> Option<Dim> {
        if self == other && !self.0.is_empty() {
            return Some(Dim::constant(1));
        }
        let (monomial, c) = other.0.iter().next().filter(|_| other.0.len() == 1)?;
        let inverse = BTreeMap::from([(multiply(&Vec::new(), monomial, -1)?, c.recip())]);
        self.mul(&Dim(Arc::new(inverse)))
    }

    /// The same with symbols replaced.
    pub fn substitute(&self, find: &dyn Fn(&str) -> Option<Dim>) -> Dim {
        if !self.symbols().any(|s| find(s).is_some()) {
            return self.clone();
        }
        let replaced = || {
            let mut sum = Dim::constant(0);
            for (monomial, c) in self.0.iter() {
                let mut product = Dim::rational(*c);
                for (s, power) in monomial {
                    let factor = find(s).unwrap_or_else(|| Dim::symbol(s));
                    for _ in 0..power.unsigned_abs() {
                        product = if *power > 0 { product.mul(&factor)? } else { product.div(&factor)? };
                    }
                }
                sum = sum.add(&product)?;
            }
            Some(sum)
        };
        replaced().unwrap_or_else(|| self.clone())
    }

    /// The exact value.
    ///
    /// # Errors
    /// When a symbol is unknown or the value overflows.
    pub fn value(&self, sizes: &Sizes) -> Result<Rational, SizeError> {
        let large = || SizeError::TooLarge(self.to_string());
        let mut sum = Rational::from_integer(0);
        for (monomial, c) in self.0.iter() {
            let mut product = *c;
            for (s, power) in monomial {
                let value = sizes.get(s).ok_or_else(|| SizeError::Unknown(s.to_string()))?;
                let factor = Rational::from_integer(i128::from(value));
                if *power < 0 && value == 0 {
                    return Err(SizeError::NotWhole { dim: self.to_string(), value: "1/0".into() });
                }
                for _ in 0..power.unsigned_abs() {
                    let step = if *power > 0 { factor } else { factor.recip() };
                    product = product.checked_mul(&step).ok_or_else(large)?;
                }
            }
            sum = sum.checked_add(&product).ok_or_else(large)?;
        }
        Ok(sum)
    }

    /// The value as the place of the first of so many elements; where there is none, none is asked for.
    ///
    /// # Errors
    /// See [`SizeError`].
    pub fn place(&self, elements: usize, sizes: &Sizes) -> Result<usize, SizeError> {
        if elements == 0 { Ok(0) } else { self.size(sizes) }
    }

    /// The value as an array size: whole, not negative, at most 2^40.
    ///
    /// # Errors
    /// See [`SizeError`].
    pub fn size(&self, sizes: &Sizes) -> Result<usize, SizeError> {
        let value = self.value(sizes)?;
        if !value.is_integer() {
            return Err(SizeError::NotWhole { dim: self.to_string(), value: value.to_string() });
        }
        let whole = value.to_integer();
        if whole < 0 {
            return Err(SizeError::Negative { dim: self.to_string(), value: whole.to_string() });
        }
        if whole > 1 << 40 {
            return Err(SizeError::TooLarge(format!("{self} = {whole}")));
        }
        Ok(whole as usize)
    }
}

fn multiply(a: &Monomial, b: &Monomial, sign: i32) -> Option<Monomial> {
    let mut powers: BTreeMap<Arc<str>, i32> = a.iter().cloned().collect();
    for (s, p) in b {
        let power = powers.entry(s.clone()).or_insert(0);
        *power += sign * p;
        if power.abs() > 8 {
            return None;
        }
    }
    Some(powers.into_iter().filter(|(_, p)| *p != 0).collect())
}

impl fmt::Display for Dim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("0");
        }
        // Constants last, as people write `n + 1`.
        let terms = self.0.iter().filter(|(m, _)| !m.is_empty()).chain(self.0.iter().filter(|(m, _)| m.is_empty()));
        for (i, (monomial, c)) in terms.enumerate() {
            let negative = *c < Rational::from_integer(0);
            match (i, negative) {
                (0, true) => f.write_str("-")?,
                (0, false) => {}
                (_, true) => f.write_str(" - ")?,
                (_, false) => f.write_str(" + ")?,
            }
            let c = if negative { -*c } else { *c };
            let (above, below): (Vec<_>, Vec<_>) = monomial.iter().partition(|(_, p)| *p > 0);
            let mut factors: Vec<String> = Vec::new();
            if *c.numer() != 1 || above.is_empty() {
                factors.push(c.numer().to_string());
            }
            factors.extend(above.iter().map(|(s, p)| power(s, *p)));
            write!(f, "{}", factors.join("*"))?;
            if *c.denom() != 1 {
                write!(f, "/{}", c.denom())?;
            }
            for (s, p) in below {
                write!(f, "/{}", power(s, -p))?;
            }
        }
        Ok(())
    }
}

fn power(symbol: &str, exponent: i32) -> String {
    if exponent == 1 { symbol.to_string() } else { format!("{symbol}^{exponent}") }
}

impl fmt::Debug for Dim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The dimensions of an array; empty for a scalar.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Shape(pub Vec<Dim>);

impl Shape {
    /// The shape of a number.
    pub fn scalar() -> Shape {
        Shape(Vec::new())
    }

    /// Number of axes.
    pub fn rank(&self) -> usize {
        self.0.len()
    }

    /// True for a number.
    pub fn is_scalar(&self) -> bool {
        self.0.is_empty()
    }

    /// The number of elements as a dimension, if it stays in normal form.
    pub fn count(&self) -> Option<Dim> {
        self.0.iter().try_fold(Dim::constant(1), |product, d| product.mul(d))
    }

    /// The sizes as numbers.
    ///
    /// # Errors
    /// See [`SizeError`]; also when the whole array would have more than 2^40 elements.
    pub fn sizes(&self, sizes: &Sizes) -> Result<Vec<usize>, SizeError> {
        let shape = self.0.iter().map(|d| d.size(sizes)).collect::<Result<Vec<_>, _>>()?;
        let total = shape.iter().try_fold(1usize, |t, s| t.checked_mul(*s)).filter(|t| *t <= 1 << 40);
        total.map(|_| shape).ok_or_else(|| SizeError::TooLarge(format!("an array of shape {self}")))
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dims: Vec<String> = self.0.iter().map(Dim::to_string).collect();
        write!(f, "[{}]", dims.join(", "))
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dim(text: &str) -> Dim {
        Dim::symbol(text)
    }

    #[test]
    fn thirds_add_up() {
        let third = dim("m").div(&Dim::constant(3)).unwrap();
        let sum = third.add(&third).unwrap().add(&third).unwrap();
        assert_eq!(sum, dim("m"));
        assert_eq!(third.to_string(), "m/3");
    }

    #[test]
    fn blocks_recombine() {
        let width = dim("m").div(&dim("J")).unwrap();
        assert_eq!(width.to_string(), "m/J");
        assert_eq!(width.mul(&dim("J")).unwrap(), dim("m"));
    }

    #[test]
    fn wholeness_is_checked_with_values() {
        let mut sizes = Sizes::new();
        sizes.set("n", 7);
        let half = dim("n").div(&Dim::constant(2)).unwrap();
        assert_eq!(half.size(&sizes), Err(SizeError::NotWhole { dim: "n/2".into(), value: "7/2".into() }));
        assert_eq!(half.mul(&Dim::constant(2)).unwrap().size(&sizes), Ok(7));
        assert!(matches!(dim("k").size(&sizes), Err(SizeError::Unknown(_))));
        let less = dim("n").sub(&Dim::constant(9)).unwrap();
        assert_eq!(less.to_string(), "n - 9");
        assert!(matches!(less.size(&sizes), Err(SizeError::Negative { .. })));
    }

    #[test]
    fn signs_need_no_values() {
        let less = |d: &Dim, n: i64| d.sub(&Dim::constant(n)).unwrap();
        assert_eq!(dim("n").sign(), Sign::NonNegative);
        assert_eq!(less(&dim("n"), -1).sign(), Sign::Positive);
        assert_eq!(less(&dim("n"), 1).sign(), Sign::Unknown);
        assert_eq!(Dim::constant(0).sign(), Sign::Zero);
    }

    #[test]
    fn known_values_are_put_in() {
        let mut sizes = Sizes::new();
        sizes.set("n", 6);
        let d = dim("n").div(&Dim::constant(4)).and_then(|d| d.mul(&dim("m"))).unwrap();
        assert_eq!(d.with(&sizes).to_string(), "3*m/2");
        assert!(!d.is_whole_by_form() && !d.with(&sizes).is_whole_by_form());
        sizes.set("n", 8);
        assert!(d.with(&sizes).is_whole_by_form());
        assert!(!dim("m").div(&dim("k")).unwrap().is_whole_by_form());
    }

    #[test]
    fn substitution_replaces_symbols() {
        let d = dim("w").mul(&dim("n")).unwrap();
        let put = d.substitute(&|s| (s == "w").then(|| Dim::constant(8)));
        assert_eq!(put.to_string(), "8*n");
    }
}
