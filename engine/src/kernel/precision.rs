//! The working precision: what the kernels need to know of f64 and f32. Sealed, since kernels come in these two only.

use std::fmt::Debug;
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

/// A kernel over slices: the result, then the operands.
pub(crate) type BlockFn<T> = fn(&mut [T], &[&[T]]);

/// A kernel that reduces rows: the results, the rows one after the other, and their length.
pub(crate) type RowsFn<T> = fn(&mut [T], &[T], usize);

/// Something that exists once per precision.
pub trait PerPrecision {
    /// What there is of it in a precision.
    type Of<T: Precision>;
    /// The one in f64.
    fn double(&self) -> &Self::Of<f64>;
    /// The one in f32.
    fn single(&self) -> &Self::Of<f32>;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for f64 {}
    impl Sealed for f32 {}
}

/// A working precision, f64 or f32.
pub trait Precision:
    sealed::Sealed
    + faer::traits::ComplexField
    + Copy
    + Default
    + Debug
    + PartialOrd
    + Send
    + Sync
    + 'static
    + Add<Output = Self>
    + AddAssign
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
{
    /// Its name in listings.
    const NAME: &'static str;
    /// The distance from 1 to the next number.
    const EPSILON: f64;
    /// The smallest value, the maximum of no elements.
    const LOWEST: Self;
    /// The nearest number.
    fn from_f64(value: f64) -> Self;
    /// The same number.
    fn to_f64(self) -> f64;
    /// `e^x`.
    fn exponential(self) -> Self;
    /// Natural logarithm.
    fn logarithm(self) -> Self;
    /// Square root.
    fn root(self) -> Self;
    /// Absolute value.
    fn magnitude(self) -> Self;
    /// `self b + c`, rounded once: a slow call where the CPU has no instruction for it.
    fn multiply_add(self, b: Self, c: Self) -> Self;
    /// Neither infinite nor NaN.
    fn finite(self) -> bool;
    /// Neither zero, subnormal, infinite nor NaN.
    fn normal(self) -> bool;
    /// NaN.
    fn not_a_number(self) -> bool;
    /// The one of two that has this precision.
    #[doc(hidden)]
    fn of<P: PerPrecision>(both: &P) -> &P::Of<Self>;
}

macro_rules! precision {
    ($t:ident, $of:ident) => {
        impl Precision for $t {
            const NAME: &'static str = stringify!($t);
            const EPSILON: f64 = $t::EPSILON as f64;
            const LOWEST: $t = $t::NEG_INFINITY;
            #[inline(always)]
            fn from_f64(value: f64) -> $t {
                value as $t
            }
            #[inline(always)]
            fn to_f64(self) -> f64 {
                f64::from(self)
            }
            fn exponential(self) -> $t {
                self.exp()
            }
            fn logarithm(self) -> $t {
                self.ln()
            }
            fn root(self) -> $t {
                self.sqrt()
            }
            #[inline(always)]
            fn magnitude(self) -> $t {
                self.abs()
            }
            #[inline(always)]
            fn multiply_add(self, b: $t, c: $t) -> $t {
                self.mul_add(b, c)
            }
            fn finite(self) -> bool {
                self.is_finite()
            }
            fn normal(self) -> bool {
                self.is_normal()
            }
            fn not_a_number(self) -> bool {
                self.is_nan()
            }
            fn of<P: PerPrecision>(both: &P) -> &P::Of<$t> {
                both.$of()
            }
        }
    };
}

precision!(f64, double);
precision!(f32, single);
