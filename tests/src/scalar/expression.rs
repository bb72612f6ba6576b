//! Expressions in one x and one y with an evaluator that shares nothing with the engine: the problems of the generators
//! are such trees, and the judge computes with them what the program's text asks for.

use std::fmt;
use std::ops::{Add, Mul, Neg, Sub};

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub enum Expression {
    /// The upper variable.
    X,
    /// The lower variable.
    Y,
    /// A number.
    Number(f64),
    /// A sum.
    Sum(Box<Expression>, Box<Expression>),
    /// A product.
    Product(Box<Expression>, Box<Expression>),
    /// The larger one.
    Larger(Box<Expression>, Box<Expression>),
    /// A power.
    Power(Box<Expression>, u8),
    /// A function of one argument.
    Apply(Function, Box<Expression>),
}

/// A function of the language with one argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// `sin`
    Sin,
    /// `cos`
    Cos,
    /// `exp`
    Exp,
    /// `abs`
    Abs,
    /// `relu`
    Relu,
}

/// Values at one x and many y.
enum Values {
    /// The same for every y.
    One(f64),
    /// One per y.
    Many(Vec<f64>),
}

use Expression::{Apply, Larger, Number, Power, Product, Sum, X, Y};

impl Function {
    fn of(self, v: f64) -> f64 {
        match self {
            Function::Sin => v.sin(),
            Function::Cos => v.cos(),
            Function::Exp => v.exp(),
            Function::Abs => v.abs(),
            Function::Relu => v.max(0.0),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Function::Sin => "sin",
            Function::Cos => "cos",
            Function::Exp => "exp",
            Function::Abs => "abs",
            Function::Relu => "relu",
        }
    }
}

impl Expression {
    /// The larger of two.
    pub fn max(self, other: Expression) -> Expression {
        Larger(Box::new(self), Box::new(other))
    }

    /// A power.
    pub fn power(self, exponent: u8) -> Expression {
        Power(Box::new(self), exponent)
    }

    /// The sine.
    pub fn sin(self) -> Expression {
        Apply(Function::Sin, Box::new(self))
    }

    /// The cosine.
    pub fn cos(self) -> Expression {
        Apply(Function::Cos, Box::new(self))
    }

    /// The exponential.
    pub fn exp(self) -> Expression {
        Apply(Function::Exp, Box::new(self))
    }

    /// The absolute value.
    pub fn abs(self) -> Expression {
        Apply(Function::Abs, Box::new(self))
    }

    /// The positive part.
    pub fn relu(self) -> Expression {
        Apply(Function::Relu, Box::new(self))
    }

    /// The value at a point.
    pub fn at(&self, x: f64, y: f64) -> f64 {
        match self {
            X => x,
            Y => y,
            Number(c) => *c,
            Sum(a, b) => a.at(x, y) + b.at(x, y),
            Product(a, b) => a.at(x, y) * b.at(x, y),
            Larger(a, b) => a.at(x, y).max(b.at(x, y)),
            Power(a, e) => a.at(x, y).powi(i32::from(*e)),
            Apply(f, a) => f.of(a.at(x, y)),
        }
    }

    /// The values at one x and many y.
    pub fn along(&self, x: f64, ys: &[f64]) -> Vec<f64> {
        match self.values(x, ys) {
            Values::One(v) => vec![v; ys.len()],
            Values::Many(v) => v,
        }
    }

    fn values(&self, x: f64, ys: &[f64]) -> Values {
        let two = |a: &Expression, b: &Expression, f: fn(f64, f64) -> f64| zip(a.values(x, ys), b.values(x, ys), f);
        match self {
            X => Values::One(x),
            Y => Values::Many(ys.to_vec()),
            Number(c) => Values::One(*c),
            Sum(a, b) => two(a, b, |a, b| a + b),
            Product(a, b) => two(a, b, |a, b| a * b),
            Larger(a, b) => two(a, b, f64::max),
            Power(a, e) => map(a.values(x, ys), |v| v.powi(i32::from(*e))),
            Apply(f, a) => map(a.values(x, ys), |v| f.of(v)),
        }
    }

    /// The expression with others in the places of x and y.
    pub fn with(&self, x: &Expression, y: &Expression) -> Expression {
        let two = |a: &Expression, b: &Expression| (Box::new(a.with(x, y)), Box::new(b.with(x, y)));
        match self {
            X => x.clone(),
            Y => y.clone(),
            Number(c) => Number(*c),
            Sum(a, b) => {
                let (a, b) = two(a, b);
                Sum(a, b)
            }
            Product(a, b) => {
                let (a, b) = two(a, b);
                Product(a, b)
            }
            Larger(a, b) => {
                let (a, b) = two(a, b);
                Larger(a, b)
            }
            Power(a, e) => Power(Box::new(a.with(x, y)), *e),
            Apply(f, a) => Apply(*f, Box::new(a.with(x, y))),
        }
    }
}

fn map(values: Values, f: impl Fn(f64) -> f64) -> Values {
    match values {
        Values::One(v) => Values::One(f(v)),
        Values::Many(mut all) => {
            all.iter_mut().for_each(|v| *v = f(*v));
            Values::Many(all)
        }
    }
}

fn zip(a: Values, b: Values, f: fn(f64, f64) -> f64) -> Values {
    match (a, b) {
        (Values::One(a), b) => map(b, |b| f(a, b)),
        (a, Values::One(b)) => map(a, |a| f(a, b)),
        (Values::Many(mut a), Values::Many(b)) => {
            a.iter_mut().zip(&b).for_each(|(a, b)| *a = f(*a, *b));
            Values::Many(a)
        }
    }
}

/// As the language writes it.
impl fmt::Display for Expression {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            X => write!(out, "x"),
            Y => write!(out, "y"),
            Number(c) if *c < 0.0 => write!(out, "({c})"),
            Number(c) => write!(out, "{c}"),
            Sum(a, b) => write!(out, "({a} + {b})"),
            Product(a, b) => write!(out, "{a}*{b}"),
            Larger(a, b) => write!(out, "max({a}, {b})"),
            Power(a, e) if matches!(**a, X | Y | Sum(..)) => write!(out, "{a}^{e}"),
            Power(a, e) => write!(out, "({a})^{e}"),
            Apply(f, a) => write!(out, "{}({a})", f.name()),
        }
    }
}

impl From<f64> for Expression {
    fn from(number: f64) -> Expression {
        Number(number)
    }
}

impl<T: Into<Expression>> Add<T> for Expression {
    type Output = Expression;
    fn add(self, other: T) -> Expression {
        Sum(Box::new(self), Box::new(other.into()))
    }
}

impl<T: Into<Expression>> Sub<T> for Expression {
    type Output = Expression;
    fn sub(self, other: T) -> Expression {
        let other = match other.into() {
            Number(c) => Number(-c),
            other => -other,
        };
        self + other
    }
}

impl<T: Into<Expression>> Mul<T> for Expression {
    type Output = Expression;
    fn mul(self, other: T) -> Expression {
        Product(Box::new(self), Box::new(other.into()))
    }
}

impl Mul<Expression> for f64 {
    type Output = Expression;
    fn mul(self, other: Expression) -> Expression {
        Number(self) * other
    }
}

impl Neg for Expression {
    type Output = Expression;
    fn neg(self) -> Expression {
        -1.0 * self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_values_agree_with_arithmetic() {
        let e = 2.0 * (Y - X).power(2) + (3.0 * X * Y).sin() - Y.max(X - 1.0);
        assert_eq!(e.to_string(), "((2*(y + (-1)*x)^2 + sin(3*x*y)) + (-1)*max(y, (x + (-1))))");
        let (x, y) = (0.7_f64, -0.4_f64);
        let right = 2.0 * (y - x).powi(2) + (3.0 * x * y).sin() - y.max(x - 1.0);
        assert!((e.at(x, y) - right).abs() < 1e-15);
        assert_eq!(e.along(x, &[y, y]), [e.at(x, y); 2]);
    }

    #[test]
    fn other_units_give_the_same_value() {
        let e = (Y - X).power(4) + 0.3 * (X * Y).exp();
        let scaled = e.with(&(1e-3 * X), &(1e2 * Y));
        assert!((scaled.at(700.0, -0.004) - e.at(0.7, -0.4)).abs() < 1e-15);
    }
}
