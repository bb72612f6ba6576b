//! The number types that a formula is evaluated with: f64 and f32 in programs, dual and hyper-dual numbers in the
//! oracle. A type also knows which column of a table computes with it.

use num_dual::{Dual64, DualNum, HyperDual64};

use super::Entry;

/// A number with its arithmetic and elementary functions; comparisons look at the real part only.
pub trait Number: DualNum + Copy {
    /// A constant.
    fn number(value: f64) -> Self;

    /// `self^p`, also for negative bases with whole exponents, where `exp(p log x)` has no value. The derivative with
    /// respect to `p` is 0 where the base is not positive.
    fn power(self, p: Self) -> Self;

    /// A function that the types do not have of themselves, by the chain rule.
    fn library(self, f: &LibraryFunction) -> Self;

    /// An elementwise function in this type.
    fn elementwise(entry: &Entry, operands: &[Self]) -> Self;
}

/// A function of one number, taken from a library, with its derivatives.
pub struct LibraryFunction {
    /// The value.
    pub f64: fn(f64) -> f64,
    /// The value in single precision.
    pub f32: fn(f32) -> f32,
    /// The first derivative.
    pub first: fn(f64) -> f64,
    /// The second derivative.
    pub second: fn(f64) -> f64,
}

impl Number for f64 {
    #[inline(always)]
    fn number(value: f64) -> f64 {
        value
    }

    #[inline(always)]
    fn power(self, p: f64) -> f64 {
        self.powf(p)
    }

    #[inline(always)]
    fn library(self, f: &LibraryFunction) -> f64 {
        (f.f64)(self)
    }

    fn elementwise(entry: &Entry, operands: &[f64]) -> f64 {
        (entry.f64)(operands)
    }
}

impl Number for f32 {
    #[inline(always)]
    fn number(value: f64) -> f32 {
        value as f32
    }

    #[inline(always)]
    fn power(self, p: f32) -> f32 {
        self.powf(p)
    }

    #[inline(always)]
    fn library(self, f: &LibraryFunction) -> f32 {
        (f.f32)(self)
    }

    fn elementwise(entry: &Entry, operands: &[f32]) -> f32 {
        (entry.f32)(operands)
    }
}

impl Number for Dual64 {
    fn number(value: f64) -> Dual64 {
        Dual64::from_re(value)
    }

    fn power(self, p: Dual64) -> Dual64 {
        let d = PowerDerivatives::at(self.re, p.re);
        Dual64::new(self.re.powf(p.re), d.x * self.eps + d.p * p.eps)
    }

    fn library(self, f: &LibraryFunction) -> Dual64 {
        Dual64::new((f.f64)(self.re), (f.first)(self.re) * self.eps)
    }

    fn elementwise(entry: &Entry, operands: &[Dual64]) -> Dual64 {
        (entry.dual)(operands)
    }
}

impl Number for HyperDual64 {
    fn number(value: f64) -> HyperDual64 {
        HyperDual64::from_re(value)
    }

    fn power(self, p: HyperDual64) -> HyperDual64 {
        let d = PowerDerivatives::at(self.re, p.re);
        let second =
            d.xx * self.eps1 * self.eps2 + d.xp * (self.eps1 * p.eps2 + self.eps2 * p.eps1) + d.pp * p.eps1 * p.eps2;
        HyperDual64::new(
            self.re.powf(p.re),
            d.x * self.eps1 + d.p * p.eps1,
            d.x * self.eps2 + d.p * p.eps2,
            d.x * self.eps1eps2 + d.p * p.eps1eps2 + second,
        )
    }

    fn library(self, f: &LibraryFunction) -> HyperDual64 {
        let (first, second) = ((f.first)(self.re), (f.second)(self.re));
        HyperDual64::new(
            (f.f64)(self.re),
            first * self.eps1,
            first * self.eps2,
            first * self.eps1eps2 + second * self.eps1 * self.eps2,
        )
    }

    fn elementwise(entry: &Entry, operands: &[HyperDual64]) -> HyperDual64 {
        (entry.hyper)(operands)
    }
}

/// First and second derivatives of `x^p`.
struct PowerDerivatives {
    x: f64,
    p: f64,
    xx: f64,
    xp: f64,
    pp: f64,
}

impl PowerDerivatives {
    fn at(x: f64, p: f64) -> PowerDerivatives {
        // A vanishing coefficient wins over the pole of a negative power at 0.
        let term = |c: f64, exponent: f64| if c == 0.0 { 0.0 } else { c * x.powf(exponent) };
        let log = if x > 0.0 { x.ln() } else { 0.0 };
        let above = if x > 0.0 { x.powf(p) } else { 0.0 };
        let slope = if x > 0.0 { x.powf(p - 1.0) * (1.0 + p * log) } else { 0.0 };
        PowerDerivatives {
            x: term(p, p - 1.0),
            p: above * log,
            xx: term(p * (p - 1.0), p - 2.0),
            xp: slope,
            pp: above * log * log,
        }
    }
}
