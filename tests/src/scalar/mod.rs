//! Bilevel problems in one x and one y: their text, and their optimistic solution by brute force. Nothing of the engine is
//! used, so that the two can disagree.

mod expression;
mod grade;
mod search;
mod truth;

pub use expression::{Expression, Function};
pub use grade::{Grade, LOWER, UPPER};
pub use search::golden;
pub use truth::{CI, FINE, Resolution, Sample, Truth};

/// An interval; either end may be infinite.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Interval {
    /// Whether a number lies in it, up to rounding.
    fn holds(self, v: f64) -> bool {
        let margin = 1e-9 * (1.0 + v.abs());
        v >= self.low - margin && v <= self.high + margin
    }
}

/// All numbers.
pub const FREE: Interval = Interval { low: f64::NEG_INFINITY, high: f64::INFINITY };

/// An interval with its ends.
pub fn between(low: f64, high: f64) -> Interval {
    Interval { low, high }
}

/// A problem in one x and one y. Both levels are minimized.
#[derive(Clone, Debug)]
pub struct Scalar {
    /// F.
    pub upper: Expression,
    /// The part of f that is differentiated.
    pub lower: Expression,
    /// The proximal part of f.
    pub regularizer: Option<Expression>,
    /// Where x may be.
    pub x: Interval,
    /// Where y may be.
    pub y: Interval,
    /// The start, where the program states one.
    pub start: Option<(f64, f64)>,
}

impl Scalar {
    /// A problem without a proximal part or a start.
    pub fn new(upper: Expression, lower: Expression, x: Interval, y: Interval) -> Scalar {
        Scalar { upper, lower, regularizer: None, x, y, start: None }
    }

    /// f with its proximal part.
    pub fn lower_at(&self, x: f64, y: f64) -> f64 {
        self.lower.at(x, y) + self.regularizer.as_ref().map_or(0.0, |g| g.at(x, y))
    }

    /// f at one x and many y.
    pub fn lower_along(&self, x: f64, ys: &[f64]) -> Vec<f64> {
        let mut values = self.lower.along(x, ys);
        if let Some(g) = &self.regularizer {
            values.iter_mut().zip(g.along(x, ys)).for_each(|(v, g)| *v += g);
        }
        values
    }

    /// The program.
    pub fn text(&self) -> String {
        let variable = |name: &str, set: Interval| match (set.low.is_finite(), set.high.is_finite()) {
            (true, true) => format!("var {name} in [{}, {}]", set.low, set.high),
            (true, false) => format!("var {name} >= {}", set.low),
            (false, true) => format!("var {name} <= {}", set.high),
            (false, false) => format!("var {name}"),
        };
        let regularizer = self.regularizer.as_ref().map_or_else(String::new, |g| format!("\n  regularize {g}"));
        let start = self.start.map_or_else(String::new, |(x, y)| format!("start {{ x = {x};  y = {y} }}\n"));
        format!(
            "upper {{\n  {}\n  minimize {}\n}}\nlower {{\n  {}\n  minimize {}{regularizer}\n}}\n{start}",
            variable("x", self.x),
            self.upper,
            variable("y", self.y),
            self.lower,
        )
    }
}
